"""`gateway keys decrypt`: what did `encrypt` or `fpe` make this of?

For what comes back from a department: a complaint, an order of a court, a file that was handed on. Nobody asks the gateway for
it over the network: whoever cannot read the key files opens nothing. Rules:

1. It is on record first, with who asks, whose value it is and why; where that cannot be recorded nothing is opened. On record
   is a digest, never the value.
2. Tokens are not opened here: they know their asset, and are revealed to those whom the rules of that asset name.
3. `fpe` gives no sign of its key, and no sign that it was the right one: the key is named, or is the newest.
"""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from gateway.cli.parser import with_door
from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.config import Places
    from gateway.masking.keys import Keys

WORDS: dict[str, tuple[str, str]] = {
    "decrypt.help": (
        "what did `encrypt` make this of? values are read from standard input, and the question is on record",
        "还原 `encrypt` 加密的值：从标准输入读取，并留痕",
    ),
    "decrypt.examples": (
        "example:\n"
        "  gateway keys decrypt --department prov/civil --reason 'order 2026-17' < values.txt\n"
        "exit codes: 0 all were opened · 1 some were not, or you may not · 2 usage · 3 could not find out",
        "示例：\n"
        "  gateway keys decrypt --department prov/civil --reason '协查 2026-17' < values.txt\n"
        "退出码：0 全部还原 · 1 有未能还原的值或无权执行 · 2 用法错误 · 3 无法查明",
    ),
    "decrypt.department": ("the department that was given the value", "当时获得该值的部门"),
    "decrypt.reason": ("why, for the record", "原因，用于留痕"),
    "decrypt.fpe": ("the values are those of `fpe`", "这些值由 `fpe` 生成"),
    "decrypt.key": ("with --fpe: the number of the key (default: the newest)", "与 --fpe 同用：密钥编号（默认最新）"),
    "decrypt.no_reason": ("`--department` and `--reason` must say whose and why", "`--department` 与 `--reason` 须说明部门与原因"),
    "decrypt.nothing": ("no value came on standard input: one on each line", "标准输入中没有值：每行一个"),
    "decrypt.no_key": ("there is no key {number}", "没有密钥 {number}"),
    "decrypt.number": ("line", "行"),
    "decrypt.value": ("value", "值"),
    "decrypt.not": (
        "{count:value was|values were} not opened: changed, of another department, or no value of this kind",
        "{count} 个值未能还原：已被改动、属于其他部门，或并非此类值",
    ),
}  # fmt: skip


def add(commands: Any, run: Any) -> None:
    """Add the command to those of `gateway keys`."""
    parser = commands.add_parser("decrypt", help="decrypt.help", description="decrypt.help", epilog="decrypt.examples")
    parser.add_argument("--department", required=True, metavar="ORG", help="decrypt.department")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="decrypt.reason")
    parser.add_argument("--fpe", action="store_true", help="decrypt.fpe")
    parser.add_argument("--key", type=int, default=0, metavar="N", help="decrypt.key")
    with_door(parser)
    parser.set_defaults(run=run, keys_run=decrypt)


def decrypt(args: argparse.Namespace, where: "Places", screen: Screen) -> int:
    """0 all opened, 1 some not, 2 nothing to open, 3 not on record or no keys."""
    from gateway.cli.door import answered
    from gateway.config import mask_keys
    from gateway.crypto.suite import suite
    from gateway.masking.keys import ring

    values = [line.strip() for line in sys.stdin.buffer.read().decode("utf-8", "replace").splitlines() if line.strip()]
    if not values or not args.department.strip() or not args.reason.strip():
        screen.warn("decrypt.no_reason" if values else "decrypt.nothing", "error")
        return 2
    secrets = mask_keys.read(where.state / "keys")
    keys = ring(secrets, args.department, suite(where.crypto))(args.key or len(secrets))
    if keys is None:
        screen.warn("decrypt.no_key", "error", number=args.key)
        return 2
    opened = _restoring(keys) if args.fpe else _unsealing(secrets, args.department)
    name = keys.digest if args.fpe else _name  # a plain digest of a few digits is found by trying
    found: list[str | None] = []
    for value in values:
        wish = {"department": args.department, "digest": name(value), "reason": args.reason}
        code, _ = answered(args, screen, "POST", "/v1/openings", wish)
        if code:
            return code
        found.append(opened(value))
    return _told(found, screen)


def _told(found: list[str | None], screen: Screen) -> int:
    head = (screen.text("decrypt.number"), screen.text("decrypt.value"))
    screen.table(head, [(at, "—" if text is None else text) for at, text in enumerate(found, 1)])
    lost = found.count(None)
    if lost:
        screen.warn("decrypt.not", "warning", count=lost)
    screen.result({"values": found})
    return 1 if lost else 0


def _name(value: str) -> str:
    """The digest by which a sealed value is on record, as tokens are."""
    from gateway.crypto.digest import b64url, sha256

    return b64url(sha256(value.encode()))


def _unsealing(secrets: tuple[bytes, ...], department: str) -> "Callable[[str], str | None]":
    """What opens a value of `encrypt`, under whichever key and suite it was sealed."""
    from gateway.crypto.suite import offered
    from gateway.masking.keys import SEALED, ring, unsealed

    rings = [ring(secrets, department, suite) for suite in offered()]
    return lambda value: next((text for keys in rings if (text := unsealed(value, SEALED, keys)) is not None), None)


def _restoring(keys: "Keys") -> "Callable[[str], str | None]":
    """What opens a value of `fpe`."""
    from gateway.masking.reversible import restored
    from gateway.masking.techniques import REDACTED

    return lambda value: None if (text := restored(value, keys)) == REDACTED else text
