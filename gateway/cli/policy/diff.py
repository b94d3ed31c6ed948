"""`gateway policy diff`: what would change for whom, if these policies were in force instead of those?"""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.parser import with_config
from gateway.cli.screen import Screen

if TYPE_CHECKING:  # heavy: only the commands that need it pay
    from gateway.cli.policy.record import Span
    from gateway.review.diff import Side
    from gateway.review.edits import Edit
    from gateway.review.tally import Difference, Share, Tally

SHOWN = 20
MARKS = {"added": "+", "removed": "-", "changed": "~"}

WORDS: dict[str, tuple[str, str]] = {
    "diff.help": (
        "compare two policies: rule by rule, or by what they say about recorded decisions",
        "比较两版策略：逐条规则比较，或用两版策略复判已记录的判定后比较",
    ),
    "diff.old": (
        "a folder, `active`, or the digest of a stored revision; `+II` behind one of these two: at that emergency level",
        "策略目录、`active`，或已存版本的摘要；`active` 或摘要后加 `+II` 表示处于该应急级别",
    ),
    "diff.new": ("the same for the other side", "另一方，写法相同"),
    "diff.replay": (
        "judge these decisions by both: a span of the ledger (30d, 12h) or a file of entries",
        "用两版策略复判这些判定：审计日志中的时段（30d、12h）或记录文件",
    ),
    "diff.jobs": ("processes that judge (default: 1)", "并行判定的进程数（默认 1）"),
    "diff.odd_jobs": ("--jobs needs a number from 1", "--jobs 应为不小于 1 的数字"),
    "diff.same": ("{count:decision} judged by both: no difference", "两版策略复判 {count} 个判定：没有差异"),
    "diff.judged": ("{count:decision} judged by both", "两版策略复判 {count} 个判定"),
    "diff.lost": (
        "{people:person|people} would lose access ({count:decision})",
        "{people} 人将失去访问权限（{count} 个判定）",
    ),
    "diff.gained": (
        "{people:person|people} would gain access ({count:decision})",
        "{people} 人将获得访问权限（{count} 个判定）",
    ),
    "diff.unmasked": (
        "{people:person|people} would see more unmasked ({count:decision})",
        "{people} 人将看到更多未脱敏内容（{count} 个判定）",
    ),
    "diff.masked": (
        "{people:person|people} would see less ({count:decision})",
        "{people} 人看到的内容将减少（{count} 个判定）",
    ),
    "diff.otherwise": (
        "{count:decision} would come out the same for other reasons, or with other duties",
        "{count} 个判定结果不变，但原因或附带义务不同",
    ),
    "diff.nobody": ("nobody would lose access", "没有人会失去访问权限"),
    "diff.unjudged": (
        "{count:decision} could not be judged ({ids}): {why}",
        "有 {count} 个判定无法复判（{ids}）：{why}",
    ),
    "diff.drifted": (
        "{count:decision} came out otherwise on record than by OLD ({ids}): other policies decided then",
        "有 {count} 个判定的记录与 OLD 的判定不同（{ids}）：当时由其他策略判定",
    ),
    "diff.observed": (
        "{count:decision} passed in observation only; both sides were judged as if they enforced",
        "有 {count} 个判定仅因观察模式放行，双方均按强制执行判定",
    ),
    "diff.more": ("{count:row} more; -o json lists all", "另有 {count} 行，-o json 可列出全部"),
    "diff.rate": ("{rate} decisions a second, each judged by both", "每秒 {rate} 个判定，每个均由两版策略复判"),
    "diff.column_lost": ("lose", "失去"),
    "diff.column_gained": ("gain", "获得"),
    "diff.column_unmasked": ("see more", "看到更多"),
    "diff.column_masked": ("see less", "看到更少"),
    "diff.column_otherwise": ("otherwise", "其他不同"),
    "diff.example": ("for example", "例如"),
    "diff.by_org": ("office (decisions / people)", "机构（判定数/人数）"),
    "diff.by_rule": ("rule (decisions / people)", "规则（判定数/人数）"),
    "diff.by_api": ("API (decisions / people)", "接口（判定数/人数）"),
    "diff.by_asset": ("data (decisions / people)", "数据（判定数/人数）"),
    "diff.by_field": ("field (decisions / people)", "字段（判定数/人数）"),
    "diff.alike": (
        "no rule differs, nor anything that rules rest on, nor any test",
        "规则及其依据均无差异，测试也无差异",
    ),
    "diff.untried": ("no test reaches any more: {name}", "不再有测试覆盖：{name}"),
    "diff.rule": ("rule {rule}", "规则 {rule}"),
    "diff.edited": ("{count:edit}: + added, - removed, ~ changed", "{count} 处改动：+ 新增，- 删除，~ 修改"),
}
KINDS = ("lost", "gained", "unmasked", "masked", "otherwise")
COLOURS = {"lost": "error", "gained": "warning", "unmasked": "warning", "masked": "", "otherwise": "dim"}


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("diff", help="diff.help", description="diff.help")
    with_config(parser)
    parser.add_argument("old", metavar="OLD", help="diff.old")
    parser.add_argument("new", metavar="NEW", help="diff.new")
    parser.add_argument("--replay", default="", metavar="SPAN|FILE", help="diff.replay")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="diff.jobs")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 no difference, 1 differences, 3 could not find out, 2 usage."""
    from gateway.cli.policy import record
    from gateway.cli.policy.stored import installed, place, read

    screen = Screen(args)
    if args.jobs < 1:
        screen.warn("diff.odd_jobs", "error")
        return 2
    here = installed(args)
    spans = record.spans(args.replay, here, screen) if args.replay else []
    if isinstance(spans, int):
        return spans
    was, now = place(args.old, here, screen), place(args.new, here, screen)
    old, new = was and read(was, here, screen), now and read(now, here, screen)
    if was is None or now is None or old is None or new is None:
        return 3
    if not args.replay:
        return _by_words(old, new, was.folder, now.folder, screen)
    try:
        return _by_record(old, new, spans, args, screen)
    except BrokenPipeError:  # nobody reads on; that is no fault of the record
        raise
    except OSError as error:
        screen.warn("cannot_read", "error", why=error)
        return 3


# --- by what they say of a record ---------------------------------------------------------------


def _by_record(old: "Side", new: "Side", spans: "list[Span]", args: argparse.Namespace, screen: Screen) -> int:
    from gateway.cli.policy.jobs import judged
    from gateway.cli.policy.record import Taken, decisions
    from gateway.review.diff import Comparison
    from gateway.review.tally import Tally

    if not (old.bound and new.bound):
        screen.warn("stored.unbound", "warning")
    comparison = Comparison(old, new)

    def judge(span: "Span") -> "tuple[Tally, int]":
        comparison.tally, taken = Tally(), Taken()
        comparison.take(decisions(span, taken))
        return comparison.tally, taken.unreadable

    whole, unreadable, began = Tally(), 0, time.perf_counter()
    for tally, odd in judged(spans, judge, args.jobs, screen.text("record.judging")):
        whole.merge(tally)
        unreadable += odd
    found = whole.difference()
    took = time.perf_counter() - began
    _tell(found, screen)
    _doubt(found, unreadable, args.replay, screen)
    if found.decisions:
        screen.warn("diff.rate", "dim", rate=f"{found.decisions / took:,.0f}")
    screen.result({**_builtins(found), "unreadable": unreadable})
    if not found.same:
        return 1
    return 3 if found.unjudged or unreadable or not found.decisions else 0


def _builtins(found: "Difference") -> dict[str, Any]:
    from msgspec.structs import asdict

    return asdict(found)


def _tell(found: "Difference", screen: Screen) -> None:
    """A short summary, then who and where."""
    screen.say("diff.same" if found.same else "diff.judged", "good" if found.same else "bold", count=found.decisions)
    if not found.lost.decisions and not found.same:
        screen.say("diff.nobody", "good")
    for kind in KINDS:
        share: Share = getattr(found, kind)
        if share.decisions:
            screen.say(f"diff.{kind}", COLOURS[kind], people=share.people, count=share.decisions)
    for dimension, groups in found.by.items():
        if groups:
            screen.line("")
            _table(dimension, groups, screen)


def _table(dimension: str, groups: "dict[str, dict[str, Share]]", screen: Screen) -> None:
    kinds = [kind for kind in KINDS if any(kind in shares for shares in groups.values())]
    head = [screen.text(f"diff.by_{dimension}"), *(screen.text(f"diff.column_{kind}") for kind in kinds)]
    rows = []
    for name, shares in list(groups.items())[:SHOWN]:
        cells = [f"{shares[kind].decisions} / {shares[kind].people}" if kind in shares else "" for kind in kinds]
        rows.append([name or "-", *cells, next(iter(shares.values())).examples[0]])
    example = screen.text("diff.example")
    screen.table([*head, example], rows, (example,))
    if len(groups) > SHOWN:
        screen.say("diff.more", "dim", count=len(groups) - SHOWN)


def _doubt(found: "Difference", unreadable: int, source: str, screen: Screen) -> None:
    """What keeps the answer from being the whole truth."""
    if not found.decisions and not found.unjudged:
        screen.warn("record.nothing", "error", source=source)
    for one in found.unjudged:
        ids, why = ", ".join(one.examples), screen.choose(one.en, one.zh)
        screen.warn("diff.unjudged", "error", count=one.decisions, ids=ids, why=why)
    if unreadable:
        screen.warn("record.unreadable", "error", count=unreadable)
    if found.drifted.decisions:
        screen.warn("diff.drifted", "warning", count=found.drifted.decisions, ids=", ".join(found.drifted.examples))
    if found.observed:
        screen.warn("diff.observed", "warning", count=found.observed)


# --- by their words -----------------------------------------------------------------------------


def _by_words(old: "Side", new: "Side", was: Path, now: Path, screen: Screen) -> int:
    from gateway.cli.policy.trials import edited, untried
    from gateway.review.edits import asset_edits, beside_edits, edits

    rules = edits(old.bundle.content, new.bundle.content)
    beside = (*beside_edits(old.beside, new.beside), *edited(was, now))
    found = (*rules, *asset_edits(old.catalog, new.catalog), *beside)
    lost = untried(old, new, was, now) if found else ()
    for edit in found:
        _show(edit, screen)
    for one in lost[:SHOWN]:
        name = screen.text("diff.rule", rule=one.rule) if one.rule else f"{one.route}  {_outcome(one.outcome, screen)}"
        screen.say("diff.untried", "warning", name=name)
    if len(lost) > SHOWN:
        screen.say("diff.more", "dim", count=len(lost) - SHOWN)
    if found:
        screen.say("diff.edited", "bold", count=len(found))
    else:
        screen.say("diff.alike", "good")
    screen.result({"same": not found, "edits": found, "untried": lost})
    return 1 if found else 0


def _outcome(outcome: str, screen: Screen) -> str:
    return screen.text(f"policy.{outcome}")


def _show(edit: "Edit", screen: Screen) -> None:
    from gateway.cli.policy.trials import TESTS

    colour = {"added": "good", "removed": "error"}.get(edit.form, "bold")
    screen.line(f"{MARKS[edit.form]} {edit.what} {edit.id}".rstrip(), colour)
    for part in edit.parts if edit.what != TESTS or edit.form == "changed" else ():  # the name of a test says it all
        words = f"{part.before or '-'} → {part.after or '-'}" if edit.form == "changed" else part.before or part.after
        screen.line(f"    {part.name}: {words}" if part.name else f"    {words}")
