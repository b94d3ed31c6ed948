"""`gateway policy lint`: what in these policies is probably not what its author meant?

0 when nothing was found, or warnings only; 1 for what gives a masked value away (L009), with `--strict` as soon as something
was found. With `--replay` the rules
are also held against decisions that were made: a rule that none of them names may be one that nobody needs.
"""

import argparse
import time
from typing import TYPE_CHECKING, Any

from gateway.cli.parser import with_folder
from gateway.cli.policy.meant import judging
from gateway.cli.policy.reports import WORDS as REPORTS
from gateway.cli.policy.reports import with_reports, write_reports
from gateway.cli.screen import Screen, fault_values

if TYPE_CHECKING:  # heavy: only the commands that need it pay
    from gateway.cli.policy.record import Span
    from gateway.entries import VerdictEntry
    from gateway.review.lint import Record

WORDS: dict[str, tuple[str, str]] = REPORTS | {
    "lint.help": (
        "look for rules that are dead, shadowed, redundant, leaky or never needed",
        "查找无效、被架空、重复、可能泄露或从未用到的规则",
    ),
    "lint.strict": ("exit with 1 when anything is found, not for leaks (L009) only", "发现任何问题即以 1 退出，而不仅限于可能泄露（L009）"),
    "lint.replay": (
        "hold the rules against these decisions too: a span of the ledger (30d, 12h) or a file of entries",
        "同时对照这些判定：审计日志中的时段（30d、12h）或记录文件",
    ),
    "lint.clean": ("nothing found in {count:rule}", "{count} 条规则中没有发现问题"),
    "lint.found": ("{count:finding} in {rules:rule}", "{rules} 条规则中发现 {count} 处问题"),
    "lint.native": (
        "not looked at: {count:row} of casbin/; lint reads rules in YAML only",
        "casbin/ 中有 {count} 行未检查：lint 只检查 YAML 规则",
    ),
    "lint.counted": ("held against {count:decision}", "已对照 {count} 个判定"),
    "lint.no_decisions": ("there is no decision in `{value}`", "`{value}` 中没有任何判定"),
    "lint.unreadable": (
        "{count:entry|entries} could not be read and {count:was|were} passed over", "{count} 条记录无法读取，已略过",
    ),
}  # fmt: skip


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("lint", help="lint.help", description="lint.help")
    with_folder(parser)
    parser.add_argument("--strict", action="store_true", help="lint.strict")
    parser.add_argument("--replay", default="", metavar="SPAN|FILE", help="lint.replay")
    with_reports(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 nothing or warnings, 1 faults, a leak, or findings when strict, 2 an odd span; 3 could not be read."""
    from gateway.cli.policy.record import spans
    from gateway.cli.policy.stored import installed
    from gateway.review.lint import lint, sources

    screen = Screen(args)
    held = spans(args.replay, installed(args), screen) if args.replay else []
    if isinstance(held, int):
        return held
    found = judging(args, screen)
    if isinstance(found, int):
        return found
    record = _record(held, args, screen) if args.replay else None
    if args.replay and record is None:
        return 3
    findings = lint(found.bundle, found.catalog, sources(found.read.folder), time.time(), record)
    screen.faults(findings)
    if record is not None:
        screen.say("lint.counted", "dim", count=record.decisions)
    native = found.bundle.content.native
    left = len(native.rows) if native is not None else 0
    rules = len({row[0] for row in found.bundle.content.rules})
    if left:
        screen.warn("lint.native", "warning", count=left)
    if findings:
        screen.say("lint.found", "warning", count=len(findings), rules=rules)
    else:
        screen.say("lint.clean", "good", count=rules)
    good = not any(args.strict or not one.warning for one in findings)
    screen.result(
        {"ok": good, "faults": fault_values(findings), "decisions": record.decisions if record else None, "left": left}
    )
    return write_reports(args, screen, (), findings, good)


def _record(spans: "list[Span]", args: argparse.Namespace, screen: Screen) -> "Record | None":
    """What these decisions name; None after saying that there are none, or why they cannot be read."""
    from gateway.cli.policy.record import Taken, decisions
    from gateway.review.lint import counted

    taken = Taken()
    try:
        record = counted(_named(entry) for span in spans for entry in decisions(span, taken))
    except OSError as error:
        screen.warn("cannot_read", "error", why=error)
        return None
    if taken.unreadable:
        screen.warn("lint.unreadable", "warning", count=taken.unreadable)
    if not record.decisions:
        screen.warn("lint.no_decisions", "error", value=args.replay)
        return None
    return record


def _named(entry: "VerdictEntry") -> tuple[str, ...]:
    """The rules that a decision names; one whose condition failed stands before a colon."""
    reasons = (*entry.reasons, *entry.would_reasons)
    return tuple(name for one in reasons if one.rule for name in (one.detail, one.detail.partition(":")[0]))
