"""What does this OpenAPI file describe?

Read as YAML, of which JSON is nearly a part. Two things that JSON allows and YAML does not are put right first; neither
moves a line: tabs between values, and characters that are written as two escapes.
"""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gateway.cli.asset.ledger import ledger, refused
from gateway.cli.parser import with_config
from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.cli.asset.ledger import Ledger
    from gateway.document import FileFault
    from gateway.facts import Grade
    from gateway.inventory.openapi import Described

WORDS = {
    "asset.spec": ("the OpenAPI document (3.0 or 3.1, YAML or JSON)", "OpenAPI 文档（3.0 或 3.1，YAML 或 JSON）"),
    "asset.prefix": (
        "where its paths begin at the gateway: /civil (default: the path of its first server)",
        "其路径在网关上的前缀，例如 /civil（默认取文档中第一个服务器的路径）",
    ),
    "asset.prefix_odd": (
        "`{value}` is no prefix: it begins with `/` and does not end with one",
        "`{value}` 不是前缀：应以 `/` 开头，且不以 `/` 结尾",
    ),
}
_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_PREFIX = re.compile(r"(?:/[^/?#%\s\\{}]+)*\Z")


class Spec(NamedTuple):
    """A document, the prefix below which its paths lie, and the ledger that it is held against."""

    described: "Described"
    prefix: str
    ledger: "Ledger"


def with_spec(parser: argparse.ArgumentParser) -> None:
    """Let a command name a document, and the policies whose catalog is meant."""
    with_config(parser)
    parser.add_argument("spec", metavar="SPEC", help="asset.spec")
    parser.add_argument("dir", nargs="?", default="", metavar="DIR", help="policy.folder")
    parser.add_argument("--prefix", default=None, metavar="PATH", help="asset.prefix")


def spec(args: argparse.Namespace, screen: Screen) -> Spec | int:
    """What was named; the exit code after saying why it cannot be used: 2 for a slip, 1 for faults in the document, else 3."""
    found = ledger(args, screen, mending=True)
    if found is None:
        return 3
    read = _read(args, found.words, screen)
    return read if isinstance(read, int) else Spec(*read, found)


def _read(args: argparse.Namespace, words: "Mapping[str, Grade]", screen: Screen) -> "tuple[Described, str] | int":
    from gateway.cli.policy.rewrite import Refused, take
    from gateway.document import Faulty, FileFault, parse
    from gateway.inventory.openapi import described, served_below

    if args.prefix is not None and not _PREFIX.match(args.prefix):
        screen.warn("asset.prefix_odd", "error", value=args.prefix)
        return refused(screen, 2)
    try:
        text = take(Path(args.spec)).data.decode("utf-8-sig")
    except Refused as left:
        return _unreadable(screen, FileFault(args.spec, 1, 1, "I001", f"the document {left.en}", f"文档{left.zh}"))
    except UnicodeDecodeError:
        hint = "save it as UTF-8", "请另存为 UTF-8 编码"
        fault = FileFault(args.spec, 1, 1, "I001", "the document is not UTF-8", "文档不是 UTF-8 编码", *hint)
        return _unreadable(screen, fault)
    try:
        root = parse(plain_json(text) if text.lstrip().startswith("{") else text, args.spec)
        prefix = served_below(root) if args.prefix is None else args.prefix
        found = described(root, prefix, words)
    except Faulty as faulty:
        screen.faults(faulty.faults)
        return refused(screen, 1, faulty.faults)
    screen.faults(found.warnings)
    if found.operations:
        return found, prefix
    none = "the document describes no operation: nothing would be listed", "文档未描述任何可登记的操作"
    fault = root.at(["paths"]).fault("I001", *none, "is it the right file?", "请确认文件是否正确")
    screen.faults([fault])
    return refused(screen, 1, [fault, *found.warnings])


def _unreadable(screen: Screen, fault: "FileFault") -> int:
    screen.faults([fault])
    return refused(screen, 3, [fault])


def plain_json(text: str) -> str:
    """A JSON text that YAML reads alike. In JSON a tab stands between values only: in a text it is `\\t`."""
    return _PAIR.sub(lambda pair: pair[1] + _character(pair[2], pair[3]), text.replace("\t", " "))


def _character(high: str, low: str) -> str:
    return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00))
