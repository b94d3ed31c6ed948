"""`gateway trace`: whose answer turned up outside?

Reads what leaked and holds it against the marks of all who were given such data. What leaked leaves this machine by no
way: the running gateway is only asked who the candidates are, and so the question is on record (`audit.query`). The
key of the marks is read from the state directory: whoever may not read it cannot trace.
"""

import argparse
import contextlib
import errno
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.parser import with_door
from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from gateway.masking.trace import Trace
    from gateway.masking.watermark import Marks, Value

WORDS: dict[str, tuple[str, str]] = {
    "trace.help": ("whose answer turned up outside?", "外泄的数据出自谁的应答？"),
    "trace.file": ("what leaked: JSON, or a text with JSON objects in it", "外泄内容：JSON，或含有 JSON 对象的文本"),
    "trace.asset": ("only those who were given this asset", "仅限获得过该资产的人"),
    "trace.since": ("as far back as this, such as 90d (default) or 12h", "回溯时间，例如 90d（默认）或 12h"),
    "trace.candidates": ("candidates, an account on each line, in place of those on record", "候选账号，每行一个，代替记录中的账号"),
    "trace.unread": ("`{path}`: no JSON in it", "`{path}`：其中没有 JSON"),
    "trace.too_long": ("`{path}` is longer than {most} MiB: cut it", "`{path}` 超过 {most} MiB：请截取一部分"),
    "trace.skipped": ("what is no whole JSON object was left out", "不是完整 JSON 对象的部分已略过"),
    "trace.asset_odd": ("`{value}` is not the id of an asset", "`{value}` 不是资产标识"),
    "trace.asset_unknown": ("there is no asset `{value}`; {hint}", "没有资产 `{value}`；{hint}"),
    "trace.nobody": ("nobody on record was given such data", "记录中无人获得过此类数据"),
    "trace.cut": ("more than {most} accounts: only these were held against it; narrow --asset or --since", "超过 {most} 个账号：仅核对了其中这些；请收窄 --asset 或 --since"),
    "trace.no_key": ("the keys of the marks cannot be read: {why}", "无法读取水印密钥：{why}"),
    "trace.looked": ("{objects:object} that can carry a mark, {candidates:candidate}", "{objects} 个可承载水印的对象，{candidates} 个候选账号"),
    "trace.too_little": ("too little to name anybody: {possible:.0f} bits, {needed:.0f} are needed", "数据太少，无法认定：含 {possible:.0f} 比特，需要 {needed:.0f} 比特"),
    "trace.sorted": ("all names stand in alphabetical order: the marks were wiped away", "所有字段名按字母排序：水印已被抹去"),
    "trace.none": ("none of the candidates", "不属于任何候选账号"),
    "trace.who": ("account", "账号"),
    "trace.matches": ("objects in their order", "顺序吻合的对象"),
    "trace.bits": ("bits for it", "证据（比特）"),
    "trace.probability": ("probability", "概率"),
    "trace.promise": ("in one of {questions:.0f} questions, at most, somebody innocent is named", "每 {questions:.0f} 次追溯至多有一次误认"),
}  # fmt: skip
MOST = 10_000
LONGEST = 64 * 1024 * 1024
PIECE = 256
_END_OF = json.JSONDecoder(parse_int=len, parse_float=len).raw_decode  # numbers of any length
_BETWEEN = " \t\r\n,[]\x1e"


def register(subparsers: Any) -> None:
    """Add the command."""
    trace = subparsers.add_parser("trace", help="trace.help", description="trace.help")
    trace.add_argument("file", metavar="FILE", help="trace.file")
    trace.add_argument("--asset", default="", metavar="ID", help="trace.asset")
    trace.add_argument("--since", default="90d", metavar="SPAN", help="trace.since")
    trace.add_argument("--candidates", default="", metavar="FILE", help="trace.candidates")
    with_door(trace)
    trace.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with those it names, 1 none of the candidates, 2 no question, 3 no answer or too little to name anybody."""
    from gateway.masking.trace import trace

    screen = Screen(args)
    try:
        with Path(args.file).open("rb") as file:
            content = file.read(LONGEST + 1)
        given = _lines(Path(args.candidates)) if args.candidates else None
    except (OSError, UnicodeDecodeError) as error:
        screen.warn("cannot_read", "error", why=error)
        return 3
    marks = _marks(args, screen)
    if marks is None:
        return 3
    leak = _leak(content, args, screen)
    if leak is None:
        return 2
    code, candidates = _candidates(args, screen)
    if code:
        return code
    if not candidates and _mistyped(args, screen):
        return 2
    candidates = candidates if given is None else given
    if not candidates:
        screen.warn("trace.nobody", "error")
        return 3
    return _told(trace(leak, candidates, *marks), len(set(candidates)), screen)


def _marks(args: argparse.Namespace, screen: Screen) -> "list[Marks] | None":
    from gateway.config import mask_keys, places
    from gateway.crypto.keys import KeyFault
    from gateway.crypto.suite import offered
    from gateway.document import Faulty
    from gateway.masking.watermark import Marks

    try:
        first = mask_keys.read(places(Path(args.config), os.environ).state / "keys")[0]
        return [Marks(first, suite) for suite in offered()]  # what leaked may be older than the profile of today
    except Faulty as faulty:
        screen.faults(faulty.faults)
    except (KeyFault, OSError) as error:
        screen.warn("trace.no_key", "error", why=error)
    return None


def _lines(path: Path) -> list[str]:
    with path.open("rb") as file:
        content = file.read(LONGEST + 1)
    if len(content) > LONGEST:  # or without end, as /dev/zero
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return [line.strip() for line in content.decode("utf-8-sig").splitlines() if line.strip()]


def _leak(content: bytes, args: argparse.Namespace, screen: Screen) -> "list[Value] | None":
    """The JSON in what leaked; None when there is none."""
    if len(content) > LONGEST:
        screen.warn("trace.too_long", "error", path=args.file, most=LONGEST // 1024 // 1024)
        return None
    found, rest = _values(_text(content))
    if not found:
        screen.warn("trace.unread", "error", path=args.file)
        return None
    if rest:
        screen.warn("trace.skipped", "warning")
    return found


def _text(content: bytes) -> str:
    """What was copied, in whatever charset an editor or a spreadsheet has saved it."""
    for charset in (json.detect_encoding(content), "gb18030"):
        try:
            return content.decode(charset)
        except UnicodeDecodeError:
            continue
    return content.decode("utf-8", "replace")


def _values(text: str) -> "tuple[list[Value], bool]":
    """The JSON text, or else every object in a text that was cut off or written around them; whether more stands there."""
    import orjson

    with contextlib.suppress(orjson.JSONDecodeError):
        return [orjson.loads(text.strip())], False
    found: list[Value] = []
    at = end = 0
    rest = False
    while (at := text.find("{", at)) >= 0:
        try:
            whole = _object(text, at)
            found.append(orjson.loads(whole))
        except (ValueError, RecursionError):  # cut off, or none: what stands inside may be whole
            at += 1
            continue
        rest |= bool(text[end:at].strip(_BETWEEN))
        at = end = at + len(whole)
    return found, rest or bool(text[end:].strip(_BETWEEN))


def _object(text: str, at: int) -> str:
    """The text of the object that begins here. Raises ValueError where none does, RecursionError.

    More is taken only where an object was cut off: what begins like one and is none, a thousand times in a page, costs little.
    """
    size = PIECE
    while True:
        piece = text[at : at + size]
        try:
            return piece[: _END_OF(piece)[1]]
        except json.JSONDecodeError as error:
            cut = error.msg.startswith("Unterminated") or error.pos > size - 16
            if not cut or at + size >= len(text):
                raise
        size *= 16


def _candidates(args: argparse.Namespace, screen: Screen) -> tuple[int, list[str]]:
    """Whom the record says such data was given to, and the exit code where it does not say."""
    from gateway.cli.door import answered

    if args.asset and not all(char.isalnum() or char in "-_." for char in args.asset):
        screen.warn("trace.asset_odd", "error", value=args.asset)
        return 2, []
    asset = f" asset:{args.asset}" if args.asset else ""
    question = f"kind:verdict outcome:permit{asset} time:{args.since} | count by subject"
    code, answer = answered(args, screen, "POST", "/v1/audit/query", {"query": question, "limit": MOST})
    if code:
        return code, []
    if len(answer["rows"]) >= MOST:
        screen.warn("trace.cut", "warning", most=MOST)
    return 0, [str(row["subject"]) for row in answer["rows"] if row["subject"]]


def _mistyped(args: argparse.Namespace, screen: Screen) -> bool:
    """Whether neither the record nor the catalog knows this asset, which is said: nobody may conclude that nobody was given it."""
    from gateway.catalog import load
    from gateway.config import places
    from gateway.document import Faulty, did_you_mean

    try:
        catalog = load(places(Path(args.config), os.environ).policies / "catalog")
    except Faulty:
        return False
    known = [asset.id for asset in catalog.assets]
    if not args.asset or args.asset in known:
        return False
    screen.warn("trace.asset_unknown", "error", value=args.asset, hint=screen.choose(*did_you_mean(args.asset, known)))
    return True


def _told(found: "Trace", candidates: int, screen: Screen) -> int:
    from gateway.masking.trace import FALSE

    screen.say("trace.looked", "dim", objects=found.objects, candidates=candidates)
    if found.sorted:
        screen.warn("trace.sorted", "warning")
    rows = [(one.recipient, one.matches, f"{one.bits:.1f}", f"{one.probability:.6f}") for one in found.named]
    if rows:
        heads = ("trace.who", "trace.matches", "trace.bits", "trace.probability")
        screen.table([screen.text(name) for name in heads], rows)
        screen.say("trace.promise", "dim", questions=1 / FALSE)
    elif not found.enough:
        screen.warn("trace.too_little", "warning", possible=max(0.0, found.possible), needed=found.needed)
    elif not found.sorted:  # without marks nobody can be ruled out
        screen.say("trace.none")
    screen.result(
        {
            "objects": found.objects, "weighed": found.weighed, "candidates": candidates, "needed": found.needed,
            "possible": found.possible, "enough": found.enough, "sorted": found.sorted, "named": found.named,
        }
    )  # fmt: skip
    return 0 if rows else 1 if found.enough and not found.sorted else 3
