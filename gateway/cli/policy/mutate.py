"""`gateway policy mutate`: would the tests notice if a rule were wrong?

0 when at least so much of the mutants is killed (100 % unless `--at-least` says otherwise), 1 when not, or when the
policies have faults, fail their own tests, or have nothing to mutate. Progress is shown on a terminal only.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.parser import with_folder
from gateway.cli.policy.meant import Judging, judging
from gateway.cli.policy.reports import WORDS as REPORTS
from gateway.cli.policy.reports import of_tests, percent, with_reports, write_reports
from gateway.cli.screen import Screen, fault_values

if TYPE_CHECKING:
    from gateway.document import FileFault
    from gateway.review.mutate import Mutant
    from gateway.review.report import Suite

WORDS = REPORTS | {
    "policy.mutate.help": ("would the tests notice if a rule were wrong?", "规则有误时，测试能否发现？"),
    "policy.mutate_at_least": (
        "how much must be noticed, in percent (default 100)", "至少须发现的百分比（默认 100）",
    ),
    "policy.mutate_quick": ("suggest no tests for what survives", "不为存活的变异推荐测试"),
    "policy.mutant": ("SURVIVED  {rule}  {place}\n          {what}", "存活  {rule}  {place}\n      {what}"),
    "policy.mutate_suggest": ("a test that would notice:", "可发现它的测试："),
    "policy.mutate_tests": (
        "{count:test} failed as things are: mend that first", "现有 {count} 项测试未通过：请先改正",
    ),
    "policy.mutate_matcher": (
        "rows of casbin/ were left out and turned round; its matcher was not varied",
        "casbin/ 的策略行已逐行删去或颠倒；匹配器未作变异",
    ),
    "policy.mutate_left": (
        "not looked at: {count:row} of casbin/; the score is not of the whole policy",
        "casbin/ 中有 {count} 行未检查：得分不代表全部策略",
    ),
    "policy.mutate_nothing": ("there is no rule to change", "没有可变异的规则"),
    "policy.mutate_score": (
        "{killed} of {count:mutant} killed: {percent} % (wanted {wanted} %); {equivalent} more decide as before",
        "{count} 个变异中发现 {killed} 个：{percent} %（要求 {wanted} %）；另有 {equivalent} 个与原规则等价",
    ),
}  # fmt: skip


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("mutate", help="policy.mutate.help", description="policy.mutate.help")
    with_folder(parser)
    parser.add_argument("--at-least", type=percent, default=100.0, metavar="N", help="policy.mutate_at_least")
    parser.add_argument("--quick", action="store_true", help="policy.mutate_quick")
    with_reports(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Bring every mutant before the tests."""
    from gateway.policy import failure
    from gateway.review.mutate import left_aside, score

    screen = Screen(args)
    found = judging(args, screen)
    if isinstance(found, int):
        return found
    folder = found.read.folder
    failed = [test for test in found.read.tests if not test.passed]
    if failed:
        screen.failures(failed)
        screen.warn("policy.mutate_tests", "error", count=len(failed))
        faults = [fault for test in failed for fault in test.faults or (failure(folder, test),)]
        screen.result({"ok": False, "faults": fault_values(faults)})
        return write_reports(args, screen, (of_tests(failed, folder, screen),), faults)
    mutants = list(_brought(found, suggest=not args.quick))
    survived = [mutant for mutant in mutants if mutant.fate == "survived"]
    for mutant in survived:
        _show(mutant, screen)
    told = score(mutants)
    left = left_aside(found.bundle)
    good = told.percent >= args.at_least and told.killed > 0 and not (left and args.at_least == 100)
    if found.bundle.content.native is not None:
        screen.warn("policy.mutate_matcher", "dim")
    if left:
        screen.warn("policy.mutate_left", "warning", count=left)
    if not mutants:
        screen.say("policy.mutate_nothing", "error")
    counts = {"killed": told.killed, "count": told.killed + told.survived, "equivalent": told.equivalent}
    shown = {"percent": f"{told.percent:.1f}", "wanted": f"{args.at_least:g}"}
    screen.say("policy.mutate_score", "good" if good else "error", **counts, **shown)
    screen.result(
        {
            "ok": good,
            "score": round(told.percent, 1),
            "killed": told.killed,
            "equivalent": told.equivalent,
            "left": left,
            "survived": [_value(mutant) for mutant in survived],
        }
    )
    faults = [_fault(mutant, folder) for mutant in survived]
    return write_reports(args, screen, (_suite(mutants, folder, screen),), faults, good)


def _brought(found: Judging, suggest: bool) -> "Iterator[Mutant]":
    """Every mutant with its fate; how far it is shows on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    from gateway.policy.examples import read_tests
    from gateway.review.mutate import SEARCHED, Trial, slips

    every = slips(found.bundle, time.time())
    trial = Trial(found.bundle, found.catalog, read_tests(found.read.folder), SEARCHED if suggest else 0)
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        for slip in bar.track(every, description=""):
            mutant = trial.of(slip)
            if mutant is not None:
                yield mutant


def _show(mutant: "Mutant", screen: Screen) -> None:
    what = screen.choose(mutant.en, mutant.zh)
    screen.say("policy.mutant", "error", rule=mutant.rule, place=mutant.place, what=what)
    if mutant.suggestion:
        screen.say("policy.mutate_suggest", "dim")
        screen.line(mutant.suggestion)


def _value(mutant: "Mutant") -> dict[str, str]:
    keys = ("rule", "place", "key", "before", "after", "en", "zh", "suggestion")
    return {key: getattr(mutant, key) for key in keys}


def _fault(mutant: "Mutant", folder: Path) -> "FileFault":
    from gateway.document import FileFault

    file, _, line = mutant.place.rpartition(":")
    remedy = (
        (f"add the test\n{mutant.suggestion}", f"可加入测试\n{mutant.suggestion}") if mutant.suggestion else ("", "")
    )
    return FileFault(
        str(folder / (file or mutant.place)), int(line) if line.isdigit() else 1, 1, "M001",
        f"no test notices when in `{mutant.rule}` {mutant.en}", f"`{mutant.rule}` 中{mutant.zh}时，没有测试会发现",
        *remedy, True,
    )  # fmt: skip


def _suite(mutants: "list[Mutant]", folder: Path, screen: Screen) -> "Suite":
    from gateway.review.report import Case, Suite

    cases = []
    for one in mutants:
        what = screen.choose(one.en, one.zh)
        said = f"{what}\n{one.suggestion}" if one.fate == "survived" else ""
        cases.append(Case(f"{one.rule}: {what}", f"{folder}/{one.place}", said, skipped=one.fate == "equivalent"))
    return Suite("policy mutants", tuple(cases))
