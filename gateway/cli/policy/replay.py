"""`gateway policy replay`: does a recorded decision come out the same again?"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.parser import with_config
from gateway.cli.screen import Screen

if TYPE_CHECKING:  # heavy: only the commands that need it pay
    from gateway.cli.policy.record import Span
    from gateway.cli.policy.stored import Deciding, Installed
    from gateway.entries import VerdictEntry
    from gateway.review.replay import Again

SHOWN = 20

WORDS: dict[str, tuple[str, str]] = {
    "replay.help": (
        "judge recorded decisions again: same facts, same policies, the same decision byte for byte?",
        "复判已记录的判定：相同事实、相同策略，结果是否逐字节相同？",
    ),
    "replay.ids": ("ids of decisions, as `gateway audit query` shows them", "判定编号，见 `gateway audit query`"),
    "replay.all": ("every decision in the ledger", "审计日志中的全部判定"),
    "replay.jobs": ("processes that judge (default: 1)", "并行判定的进程数（默认 1）"),
    "replay.what": ("name decisions, or say --all", "请给出判定编号，或使用 --all"),
    "replay.no_decision": ("there is no such decision on record", "没有该编号的判定记录"),
    "replay.same": ("same  {id}", "一致  {id}"),
    "replay.differs": ("DIFFERS  {id}", "不一致  {id}"),
    "replay.unjudged": (
        "{count:decision} could not be judged again ({ids}): {why}",
        "有 {count} 个判定无法复判（{ids}）：{why}",
    ),
    "replay.field": ("field", "字段"),
    "replay.recorded": ("on record", "记录"),
    "replay.again": ("judged again", "复判"),
    "replay.more": ("{count:decision} more; -o json lists all", "另有 {count} 个，-o json 可列出全部"),
    "replay.summary": (
        "{count:decision} judged again: {same} the same, {differs} not",
        "复判 {count} 个判定：{same} 个一致，{differs} 个不一致",
    ),
}


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("replay", help="replay.help", description="replay.help")
    with_config(parser)
    parser.add_argument("ids", nargs="*", default=[], metavar="DECISION", help="replay.ids")
    parser.add_argument("--all", action="store_true", help="replay.all")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="replay.jobs")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 all the same, 4 something differs, 3 something cannot be judged again, 2 nothing was named."""
    from gateway.cli.policy.stored import installed

    screen = Screen(args)
    if bool(args.ids) is args.all or args.jobs < 1:
        screen.warn("replay.what", "error")
        return 2
    here = installed(args)
    if here.state is None:
        screen.warn("record.no_ledger", "error", path=args.config)
        return 3
    try:
        again = _all(here, here.state, args.jobs, screen) if args.all else _named(args.ids, here, here.state, screen)
    except OSError as error:
        screen.warn("cannot_read", "error", why=error)
        return 3
    return _tell(again, here.state, args.all, screen)


def _named(ids: list[str], here: "Installed", state: Path, screen: Screen) -> "Again":
    from gateway.cli.policy.entry import decision
    from gateway.cli.policy.stored import Deciding
    from gateway.review.replay import Again

    again, deciding = Again(), Deciding(state, here.apis)
    for identity in dict.fromkeys(ids):
        entry = decision(state, identity)
        if entry is None:
            again.leave_out(identity, *WORDS["replay.no_decision"])
        elif _judge(entry, deciding, again):
            screen.say("replay.same", "good", id=identity)
    return again


def _all(here: "Installed", state: Path, jobs: int, screen: Screen) -> "Again":
    from gateway.cli.policy.jobs import judged
    from gateway.cli.policy.record import Taken, decisions, ledger_spans
    from gateway.cli.policy.stored import Deciding
    from gateway.review.replay import Again

    whole, deciding = Again(), Deciding(state, here.apis)

    def judge(span: "Span") -> Again:
        again, taken = Again(), Taken()
        for entry in decisions(span, taken):
            _judge(entry, deciding, again)
        again.unreadable = taken.unreadable
        return again

    for again in judged(ledger_spans(state / "ledger"), judge, jobs, screen.text("record.judging")):
        whole.merge(again)
    return whole


def _judge(entry: "VerdictEntry", deciding: "Deciding", again: "Again") -> bool:
    """Judge one again; whether it came out the same."""
    from gateway.review.recorded import Unreplayable
    from gateway.review.replay import replay

    try:
        done = replay(entry, *deciding.of(entry))
    except Unreplayable as why:
        again.leave_out(f"{entry.journal}.{entry.seq}", why.en, why.zh)
        return False
    if done.same:
        again.same += 1
    else:
        again.differs.append(done)
    return done.same


def _tell(again: "Again", state: Path, whole: bool, screen: Screen) -> int:
    for one in again.differs[:SHOWN]:
        screen.say("replay.differs", "error", id=one.id)
        rows = [(part.field, bytes(part.recorded).decode(), bytes(part.replayed).decode()) for part in one.differs]
        screen.table([screen.text(f"replay.{name}") for name in ("field", "recorded", "again")], rows)
    if len(again.differs) > SHOWN:
        screen.say("replay.more", "error", count=len(again.differs) - SHOWN)
    for (en, zh), unknown in again.unknown.items():
        ids, why = ", ".join(unknown.examples), screen.choose(en, zh)
        screen.warn("replay.unjudged", "error", count=unknown.decisions, ids=ids, why=why)
    if again.unreadable:
        screen.warn("record.unreadable", "error", count=again.unreadable)
    judged = again.same + len(again.differs)
    if whole and not judged and not again.unknown:
        screen.warn("record.nothing", "error", source=state / "ledger")
    elif whole:
        good = "good" if judged == again.same else "error"
        screen.say("replay.summary", good, count=judged, same=again.same, differs=len(again.differs))
    screen.result(
        {
            "ok": not again.differs and not again.unknown and not again.unreadable and judged > 0,
            "decisions": judged,
            "same": again.same,
            "differs": again.differs,
            "unjudged": [
                {"en": en, "zh": zh, "decisions": one.decisions, "examples": one.examples}
                for (en, zh), one in again.unknown.items()
            ],
            "unreadable": again.unreadable,
        }
    )
    if again.differs:
        return 4
    return 3 if again.unknown or again.unreadable or not judged else 0
