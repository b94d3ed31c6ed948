"""`gateway policy test`: do the rules do what their authors wrote down, and how much do the tests reach?

0 when all pass and, with `--at-least`, they reach that much; 1 when not.
"""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.parser import with_folder
from gateway.cli.policy.meant import Judging, judging
from gateway.cli.policy.reports import of_tests, percent, with_reports, write_reports
from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from gateway.policy import TestResult
    from gateway.review.coverage import Cell, Coverage
    from gateway.review.report import Suite

WORDS = {
    "policy.coverage": ("show which routes, outcomes and rules the tests reach", "显示测试覆盖的路由、结果与规则"),
    "policy.coverage_at_least": ("fail when they reach less, in percent", "覆盖率低于该百分比则不通过"),
    "policy.covered": (
        "coverage {percent} %: {reached} of {reachable} cells and rules",
        "覆盖率 {percent} %：{reachable} 个单元与规则中已覆盖 {reached} 个",
    ),
    "policy.covered_too_little": (
        "coverage {percent} % is less than the {wanted} % that are wanted", "覆盖率 {percent} % 低于要求的 {wanted} %",
    ),
    "policy.unseen_allow": ("never seen permitting: {rule}  {place}", "从未放行：{rule}  {place}"),
    "policy.unseen_deny": ("never seen denying: {rule}  {place}", "从未拒绝：{rule}  {place}"),
    "policy.unasked": ("never asked: {route}", "从未访问：{route}"),
    "policy.route": ("route", "路由"),
    "policy.grade": ("grade", "级别"),
    "policy.permit": ("permit", "允许"),
    "policy.challenge": ("challenge", "要求加强认证"),
    "policy.deny": ("deny", "拒绝"),
}  # fmt: skip


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("test", help="policy.test.help", description="policy.test.help")
    with_folder(parser)
    parser.add_argument("-k", dest="filter", default="", metavar="TEXT", help="policy.filter")
    parser.add_argument("-v", dest="verbose", action="store_true", help="policy.verbose")
    parser.add_argument("--coverage", action="store_true", help="policy.coverage")
    parser.add_argument("--at-least", type=percent, default=None, metavar="N", help="policy.coverage_at_least")
    with_reports(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the tests beside the rules."""
    from gateway.policy import failure
    from gateway.review.coverage import coverage, uncovered

    screen = Screen(args)
    found = judging(args, screen)
    if isinstance(found, int):
        return found
    folder = found.read.folder
    tests = [test for test in found.read.tests if args.filter in test.name]
    for test in tests:
        if not test.passed:
            screen.say("policy.failed", "error", name=test.name, place=test.place, why=screen.choose(test.en, test.zh))
            if test.remedy[0]:
                screen.say("policy.mend", how=screen.choose(*test.remedy))
            for line in _grounds(test, found, screen):
                screen.line(f"        {line}")
        elif args.verbose:
            screen.say("policy.passed", name=test.name, place=test.place)
    passed = sum(test.passed for test in tests)
    good = passed == len(tests) > 0
    screen.say(
        "policy.tests" if tests else "policy.no_tests", "good" if good else "error", passed=passed, count=len(tests)
    )
    wanted = args.coverage or args.at_least is not None
    reach = coverage(found.bundle, found.catalog, tests) if wanted else None
    enough = reach is None or _told(reach, args.at_least, screen)
    screen.result(
        {
            "ok": good and enough,
            "passed": passed,
            "tests": [
                {"name": t.name, "place": t.place, "passed": t.passed, "en": t.en, "zh": t.zh}
                | ({} if t.passed else {"grounds": _grounds(t, found, screen)})
                for t in tests
            ],
        }
        | ({"coverage": _value(reach)} if reach else {})
    )
    faults = [fault for test in tests if not test.passed for fault in test.faults or (failure(folder, test),)]
    suites = [of_tests(tests, folder, screen)]
    if reach:
        faults += uncovered(reach, str(folder))
        suites.append(_suite(reach, args.at_least or 0.0, folder, screen))
    return write_reports(args, screen, suites, faults, good and enough)


def _grounds(test: "TestResult", found: Judging, screen: Screen) -> list[str]:
    """Why it was decided so, and the command that tells all of it; nothing for a test that cannot be read."""
    from gateway.policy import explain
    from gateway.review.witness import of_test

    if test.facts is None or test.example is None:
        return []
    level = test.example.emergency
    bundle = found.bundle.raised(level) if level else found.bundle
    command = shlex.join(("gateway", *of_test(test.example), "--policies", str(found.read.folder)))
    return [*explain(bundle, test.facts).brief(screen.language), command]


def _told(reach: "Coverage", wanted: float | None, screen: Screen) -> bool:
    """Show what is reached; whether that is enough."""
    outcomes = ("permit", "challenge", "deny")
    head = [screen.text(f"policy.{name}") for name in ("route", "action", "grade", *outcomes)]
    rows: dict[str, list[str]] = {}
    for cell in reach.cells:
        rows.setdefault(cell.route, [cell.route, cell.action, cell.grade]).append(_count(cell))
    screen.table(head, rows.values())
    for rule in reach.unseen:
        screen.say(f"policy.unseen_{rule.effect}", "warning", rule=rule.rule, place=rule.place)
    for route in reach.unasked:
        screen.say("policy.unasked", "warning", route=route)
    enough = wanted is None or reach.percent >= wanted
    share = f"{reach.percent:.1f}"
    screen.say(
        "policy.covered", "good" if enough else "", percent=share, reached=reach.reached, reachable=reach.reachable
    )
    if not enough:
        screen.say("policy.covered_too_little", "error", percent=share, wanted=f"{wanted:g}")
    return enough


def _count(cell: "Cell") -> str:
    """How many tests, 0 where one is missing, nothing where none is possible."""
    return str(cell.tests) if cell.possible else "-"


def _value(reach: "Coverage") -> dict[str, object]:
    return {
        "percent": round(reach.percent, 1),
        "reached": reach.reached,
        "reachable": reach.reachable,
        "cells": reach.cells,
        "rules": reach.rules,
        "unasked": reach.unasked,
    }


def _suite(reach: "Coverage", wanted: float, folder: Path, screen: Screen) -> "Suite":
    """The gate as one case, and a case for each rule."""
    from gateway.review.report import Case, Suite

    share = f"{reach.percent:.1f}"
    short = screen.text("policy.covered_too_little", percent=share, wanted=f"{wanted:g}")
    gate = Case("coverage", "", "" if reach.percent >= wanted else short)
    rules = tuple(Case(rule.rule, f"{folder}/{rule.place}", skipped=not rule.tests) for rule in reach.rules)
    return Suite("policy coverage", (gate, *rules))
