"""`gateway trace`: whose answer turned up outside?

Reads what leaked and holds it against the marks of all who were given such data. What leaked leaves this machine by no
way: the running gateway is only asked who the candidates are, and so the question is on record (`audit.query`). The
key of the marks is read from the state directory: whoever may not read it cannot trace.
"""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.parser import with_door
from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.masking.trace import Trace
    from gateway.masking.watermark import Marks, Seen, Value

WORDS: dict[str, tuple[str, str]] = {
    "trace.help": ("whose answer turned up outside?", "外泄的数据出自谁的应答？"),
    "trace.file": ("what leaked: JSON, or a JSON text on each line", "外泄内容：JSON，或每行一个 JSON"),
    "trace.asset": ("only those who were given this asset", "仅限获得过该资产的人"),
    "trace.since": ("as far back as this, such as 90d (default) or 12h", "回溯时间，例如 90d（默认）或 12h"),
    "trace.candidates": ("candidates, an account on each line, in place of those on record", "候选账号，每行一个，代替记录中的账号"),
    "trace.unread": ("`{path}`: no JSON in it", "`{path}`：其中没有 JSON"),
    "trace.skipped": ("{count:line is|lines are} no JSON and left out", "{count} 行不是 JSON，已略过"),
    "trace.asset_odd": ("`{value}` is not the id of an asset", "`{value}` 不是资产标识"),
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
        content = Path(args.file).read_bytes()[: LONGEST + 1]
        given = _lines(Path(args.candidates)) if args.candidates else None
    except (OSError, UnicodeDecodeError) as error:
        screen.warn("cannot_read", "error", why=error)
        return 3
    marks = _marks(args, screen)
    if marks is None:
        return 3
    observed = _observed(content, marks, args, screen)
    if observed is None:
        return 2
    code, candidates = _candidates(args, screen)
    if code:
        return code
    candidates = candidates if given is None else given
    if not candidates:
        screen.warn("trace.nobody", "error")
        return 3
    return _told(trace(observed, candidates, marks), len(set(candidates)), screen)


def _marks(args: argparse.Namespace, screen: Screen) -> "Marks | None":
    from gateway.config import mask_keys, places
    from gateway.crypto.keys import KeyFault
    from gateway.crypto.suite import suite
    from gateway.document import Faulty
    from gateway.masking.watermark import Marks

    try:
        known = places(Path(args.config), os.environ)
        return Marks(mask_keys.read(known.state / "keys")[0], suite(known.crypto))
    except Faulty as faulty:
        screen.faults(faulty.faults)
    except (KeyFault, OSError) as error:
        screen.warn("trace.no_key", "error", why=error)
    return None


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _observed(content: bytes, marks: "Marks", args: argparse.Namespace, screen: Screen) -> "list[Seen] | None":
    """The objects in what leaked; None when there is no JSON in it."""
    from gateway.masking.watermark import seen

    values = list(_values(content))
    read = [value for value, good in values if good]
    if not read or len(content) > LONGEST:
        screen.warn("trace.unread", "error", path=args.file)
        return None
    if len(read) < len(values):
        screen.warn("trace.skipped", "warning", count=len(values) - len(read))
    return [one for value in read for one in seen(value, marks.digest)]


def _values(content: bytes) -> "Iterator[tuple[Value, bool]]":
    """The JSON texts, each with whether it is one: the whole, or else line by line."""
    import orjson

    text = content.removeprefix(b"\xef\xbb\xbf").strip()
    try:
        yield orjson.loads(text), True
    except orjson.JSONDecodeError:
        for line in filter(None, (line.strip(b" \t\r\x1e,") for line in text.split(b"\n"))):
            try:
                yield orjson.loads(line), True
            except orjson.JSONDecodeError:
                yield None, False


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
    else:
        screen.say("trace.none")
    screen.result(
        {
            "objects": found.objects, "weighed": found.weighed, "candidates": candidates, "needed": found.needed,
            "possible": found.possible, "enough": found.enough, "sorted": found.sorted, "named": found.named,
        }
    )  # fmt: skip
    return 0 if rows else 1 if found.enough and not found.sorted else 3
