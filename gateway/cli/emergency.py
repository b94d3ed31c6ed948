"""`gateway emergency`: which emergency level is in force, and how do two operators switch one on?

One asks, another confirms within ten minutes, both at the control socket under their own accounts; at the TLS port the
door's own route takes a confirmation (docs/operations.md). Levels are part of
the policies; `--rehearse` says what one would change, and asks nobody.
"""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.cli.parser import with_door
from gateway.cli.screen import Screen
from gateway.cli.times import moment, spelled

if TYPE_CHECKING:  # heavy: only a rehearsal pays
    from gateway.catalog import Catalog
    from gateway.policy import Bundle, TestResult

WORDS: dict[str, tuple[str, str]] = {
    "emergency.help": ("emergency levels: two operators switch one on", "应急级别：由两名操作员共同启用"),
    "emergency.ask.help": (
        "ask for a level; another operator must confirm it within ten minutes",
        "申请启用某一级别；须由另一名操作员在十分钟内确认",
    ),
    "emergency.confirm.help": (
        "confirm what another operator asked for; in force in every worker when this returns",
        "确认另一名操作员的申请；命令返回时已在所有工作进程生效",
    ),
    "emergency.end.help": (
        "ask for the end of the level in force; needs a confirmation too",
        "申请提前结束当前级别；同样需要确认",
    ),
    "emergency.show.help": ("the level in force, what waits, and what was", "查看当前级别、待确认的申请及历史"),
    "emergency.level": ("level: I (the gravest) to IV", "级别：I（最严重）至 IV"),
    "emergency.number": ("number of what was asked for", "申请编号"),
    "emergency.reason": ("why; it goes on record", "原因；会被记录"),
    "emergency.until": (
        "when it ends by itself: 6h from now, or a time with its offset",
        "自动结束的时间：如 6h，或带时区的时刻",
    ),
    "emergency.rehearse": (
        "only say what the level would change in the policies in force (in the folder, where none are known here)",
        "仅说明该级别会给现行策略带来的变化（此处无从得知现行策略时，以策略目录为准）",
    ),
    "emergency.verbose": (
        "with --rehearse: each test that comes out otherwise",
        "与 --rehearse 合用：逐条列出结果不同的测试",
    ),
    "emergency.of_revision": (
        "rehearsed with revision {revision}, which is in force",
        "演练对象：现行修订版 {revision}",
    ),
    "emergency.of_folder": (
        "rehearsed with the folder {folder}: what is in force cannot be read here",
        "演练对象：目录 {folder}；此处无法读取现行策略",
    ),
    "emergency.cause": ("because of", "原因"),
    "emergency.count": ("tests", "测试"),
    "emergency.denied": ("denied", "拒绝"),
    "emergency.challenged": ("to sign in again", "要求重新登录"),
    "emergency.by_mask": ("(the mask)", "（脱敏）"),
    "emergency.by_grants": ("(the frozen grants)", "（冻结的授权）"),
    "emergency.each": ("-v shows each of them", "加 -v 逐条列出"),
    "emergency.odd_until": (
        "`{value}` is no end: write 6h, or 2026-07-01T12:00+08:00",
        "`{value}` 不是有效的截止时间：请写 6h 或 2026-07-01T12:00+08:00",
    ),
    "emergency.needs": (
        "say --until TIME and --reason TEXT: no level without an end and a reason",
        "请写明 --until 时间 和 --reason 原因：任何级别都须有截止时间和原因",
    ),
    "emergency.end_needs": (
        "say --reason TEXT: why the level may end goes on record",
        "请写明 --reason 原因：提前结束的原因会被记录",
    ),
    "emergency.asked": (
        "number {id}: level {level} until {until} waits for another operator before {before}:\n  gateway emergency confirm {id} {level}",
        "编号 {id}：{level} 级，至 {until}，须由另一名操作员在 {before} 前确认：\n  gateway emergency confirm {id} {level}",
    ),
    "emergency.asked_end": (
        "number {id}: the end of the level waits for another operator before {before}:\n  gateway emergency confirm {id} end",
        "编号 {id}：提前结束须由另一名操作员在 {before} 前确认：\n  gateway emergency confirm {id} end",
    ),
    "emergency.on": (
        "level {level} is in force in {workers:worker} until {until}",
        "{level} 级已在 {workers} 个工作进程生效，至 {until}",
    ),
    "emergency.off": ("no level is in force any more", "应急级别已结束"),
    "emergency.none": ("no level is in force", "当前没有生效的应急级别"),
    "emergency.now": ("level {level} is in force until {until}", "{level} 级生效中，至 {until}"),
    "emergency.head_number": ("number", "编号"),
    "emergency.head_level": ("level", "级别"),
    "emergency.head_until": ("until", "截止"),
    "emergency.head_asked": ("asked by", "申请人"),
    "emergency.what": (
        "what you confirm: the level, or `end`; another than was asked for under this number is refused",
        "要确认的内容：级别，或 `end`；与该编号下所申请的不符即被拒绝",
    ),
    "emergency.head_confirmed": ("confirmed by", "确认人"),
    "emergency.head_state": ("state", "状态"),
    "emergency.head_reason": ("reason", "原因"),
    "emergency.waits": ("waits", "待确认"),
    "emergency.holds": ("in force", "生效中"),
    "emergency.over": ("over", "已结束"),
    "emergency.lapsed": ("not confirmed", "未确认"),
    "emergency.the_end": ("end", "结束"),
    "emergency.no_level": (
        "these policies have no emergency level {level}: write emergency/{level}.yaml",
        "策略中没有 {level} 级应急措施：请编写 emergency/{level}.yaml",
    ),
    "emergency.would": ("level {level}: {rules:rule} more", "{level} 级：增加 {rules} 条规则"),
    "emergency.would_mask": ("every answer is shown through {mask} as well", "所有应答另按 {mask} 脱敏"),
    "emergency.would_freeze": ("all sharing grants are frozen", "冻结全部共享授权"),
    "emergency.differs": ("test {name} ({place}): {why}", "测试 {name}（{place}）：{why}"),
    "emergency.tests": (
        "{differ} of {count:policy test} come out otherwise than they say; nothing was switched",
        "{count} 项策略测试中有 {differ} 项结果不同；未做任何切换",
    ),
}


LEVELS = ("I", "II", "III", "IV")
END = "end"


def register(subparsers: Any) -> None:
    """Add the commands."""
    group = subparsers.add_parser("emergency", help="emergency.help", description="emergency.help")
    commands = group.add_subparsers(dest="emergency_command", metavar="COMMAND", required=True)
    for name, answer in (("ask", _ask), ("confirm", _confirm), ("end", _end), ("show", _show)):
        parser = commands.add_parser(name, help=f"emergency.{name}.help", description=f"emergency.{name}.help")
        if name == "ask":
            parser.add_argument("level", choices=LEVELS, metavar="LEVEL", help="emergency.level")
            parser.add_argument("--until", default="", metavar="TIME", help="emergency.until")
            parser.add_argument("--rehearse", action="store_true", help="emergency.rehearse")
            parser.add_argument("-v", dest="verbose", action="store_true", help="emergency.verbose")
        if name == "confirm":
            parser.add_argument("number", type=int, metavar="NUMBER", help="emergency.number")
            parser.add_argument("level", choices=(*LEVELS, END), metavar="LEVEL|end", help="emergency.what")
        if name in ("ask", "end"):
            parser.add_argument("--reason", default="", metavar="TEXT", help="emergency.reason")
        with_door(parser)
        parser.set_defaults(run=answer, dir="")


def _ask(args: argparse.Namespace) -> int:
    """0 asked for, or rehearsed; 1 the gateway said no, 2 no end or no reason, 3 no answer."""
    from gateway.cli.door import answered

    screen = Screen(args)
    if args.rehearse:
        return _rehearse(args, screen)
    if not args.until or not args.reason.strip():
        screen.warn("emergency.needs", "error")
        return 2
    try:
        until = moment(args.until, time.time())
    except ValueError:
        screen.warn("emergency.odd_until", "error", value=args.until)
        return 2
    wish = {"level": args.level, "reason": args.reason, "until": until}
    code, answer = answered(args, screen, "POST", "/v1/emergency", wish)
    if code:
        return code
    before = spelled(answer["confirm_before"])
    values = {"id": answer["id"], "level": args.level, "until": spelled(until), "before": before}
    screen.say("emergency.asked", "good", **values)
    screen.result(answer)
    return 0


def _end(args: argparse.Namespace) -> int:
    """0 asked for, 1 the gateway said no, 2 no reason, 3 no answer."""
    from gateway.cli.door import answered

    screen = Screen(args)
    if not args.reason.strip():
        screen.warn("emergency.end_needs", "error")
        return 2
    code, answer = answered(args, screen, "POST", "/v1/emergency", {"level": "", "reason": args.reason})
    if code:
        return code
    screen.say("emergency.asked_end", "good", id=answer["id"], before=spelled(answer["confirm_before"]))
    screen.result(answer)
    return 0


def _confirm(args: argparse.Namespace) -> int:
    """0 in force, 1 the gateway said no, 3 no answer."""
    from gateway.cli.door import answered

    screen = Screen(args)
    level = "" if args.level == END else args.level
    code, answer = answered(args, screen, "POST", f"/v1/emergency/{args.number}/confirm?level={level}")
    if code:
        return code
    if answer["level"]:
        until = spelled(answer["until"])
        screen.say("emergency.on", "good", level=answer["level"], workers=answer["workers"], until=until)
    else:
        screen.say("emergency.off", "good")
    screen.result(answer)
    return 0


def _show(args: argparse.Namespace) -> int:
    """0 whether or not a level is in force, 1 the gateway said no, 3 no answer."""
    from gateway.cli.door import answered

    screen = Screen(args)
    code, answer = answered(args, screen, "GET", "/v1/emergency")
    if code:
        return code
    if answer["level"]:
        screen.say("emergency.now", "warning", level=answer["level"], until=spelled(answer["until"]))
    else:
        screen.say("emergency.none", "dim")
    rows = [(row, "emergency.waits") for row in answer["waiting"]]
    rows += [(row, _state(row)) for row in answer["history"]]
    heads = ("number", "level", "until", "asked", "confirmed", "state", "reason")
    if rows:
        screen.table([screen.text(f"emergency.head_{name}") for name in heads], [_cells(*row, screen) for row in rows])
    screen.result(answer)
    return 0


def _state(row: dict[str, Any]) -> str:
    if row["confirmed_at"] is None:
        return "emergency.lapsed"
    return "emergency.holds" if row["level"] and row["ended_at"] is None else "emergency.over"


def _cells(row: dict[str, Any], state: str, screen: Screen) -> tuple[object, ...]:
    level = row["level"] or screen.text("emergency.the_end")
    until = spelled(row["until"]) if row["level"] else ""
    return (row["id"], level, until, row["by"], row["confirmed_by"], screen.text(state), row["reason"])


class Rehearsed(NamedTuple):
    """The policies that a level was tried on: those in force, or (`revision` "") those of the folder."""

    folder: Path
    bundle: "Bundle"
    catalog: "Catalog"
    revision: str


def _rehearse(args: argparse.Namespace, screen: Screen) -> int:
    """0 said, 1 there is no such level or the policies have faults, 3 they cannot be read."""
    from gateway.policy import run_tests

    tried = _in_force(args) or _in_folder(args, screen)
    if isinstance(tried, int):
        return tried
    overlay = tried.bundle.content.overlays.get(args.level)
    _tell_which(tried, screen)
    if overlay is None:
        screen.warn("emergency.no_level", "error", level=args.level)
        return 1
    results = run_tests(tried.folder, tried.bundle.raised(args.level), tried.catalog.find)
    plain = {(one.name, one.place): one.passed for one in run_tests(tried.folder, tried.bundle, tried.catalog.find)}
    differ = [one for one in results if not one.passed and plain.get((one.name, one.place))]
    ids = {row[0] for row in overlay.rows}
    screen.say("emergency.would", "bold", level=args.level, rules=len(ids))
    if overlay.mask:
        screen.say("emergency.would_mask", mask=overlay.mask)
    if overlay.freezes:
        screen.say("emergency.would_freeze")
    by = _by_cause(differ, ids, screen)
    if by:
        heads = ("emergency.cause", "emergency.count", "emergency.denied", "emergency.challenged")
        screen.table([screen.text(name) for name in heads], [(cause, *counts) for cause, counts in by.items()])
    if args.verbose:
        for one in differ:
            screen.say("emergency.differs", name=one.name, place=one.place, why=screen.choose(one.en, one.zh))
    screen.say("emergency.tests", "dim", differ=len(differ), count=len(results))
    if differ and not args.verbose:
        screen.say("emergency.each", "dim")
    told = [{"name": one.name, "place": one.place, "en": one.en, "zh": one.zh} for one in differ]
    screen.result(
        {"level": args.level, "revision": tried.revision or None, "folder": str(tried.folder), "rules": len(ids),
         "mask": overlay.mask, "freezes": overlay.freezes, "tests": len(results), "differ": told}
    )  # fmt: skip
    return 0


def _in_force(args: argparse.Namespace) -> Rehearsed | None:
    """The revision in force without its level, where the state directory can be read from here."""
    from gateway.app.revisions import base_of
    from gateway.cli.policy.stored import active, installed, recalled
    from gateway.document import Faulty
    from gateway.policy import Damaged

    here = installed(args)
    base = base_of(active(here.state)) if here.state else ""
    if not base or here.state is None:
        return None
    try:
        bundle, catalog = recalled(base, here.state, here.apis)
    except (Faulty, OSError, Damaged):
        return None
    return Rehearsed(here.state / "bundles" / base, bundle, catalog, base)


def _in_folder(args: argparse.Namespace, screen: Screen) -> Rehearsed | int:
    """The policies of the folder, or the exit code after saying why there are none."""
    from gateway.cli.policy.meant import judging

    found = judging(args, screen)
    return found if isinstance(found, int) else Rehearsed(found.read.folder, found.bundle, found.catalog, "")


def _tell_which(tried: Rehearsed, screen: Screen) -> None:
    if tried.revision:
        screen.say("emergency.of_revision", revision=tried.revision[:12])
    else:
        screen.say("emergency.of_folder", "warning", folder=tried.folder)


def _by_cause(differ: "list[TestResult]", ids: set[str], screen: Screen) -> dict[str, list[int]]:
    """How many tests each rule of the level turns, and how many of them are denied or must sign in more strongly.

    A test that two rules turn counts for both; where no rule of the level had a say it was the mask or the grants.
    """
    from gateway.facts import Permit

    found: dict[str, list[int]] = {}
    for one in differ:
        decision = one.decision
        rules = {reason.detail for reason in decision.reasons} & ids if decision is not None else set()
        rest = "emergency.by_mask" if isinstance(decision, Permit) else "emergency.by_grants"
        for cause in sorted(rules) or [screen.text(rest)]:
            counts = found.setdefault(cause, [0, 0, 0])
            for place, counted in enumerate((True, one.outcome == "deny", one.outcome == "challenge")):
                counts[place] += counted
    return dict(sorted(found.items(), key=lambda item: -item[1][0]))
