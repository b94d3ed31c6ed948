"""How does a build server learn what a policy command found?

`--junit FILE` and `--sarif FILE`, for every command that checks policies: `with_reports(parser)` adds them,
`write_reports(args, screen, suites, faults, good)` writes them. A report that cannot be written is 3, never a silent 0.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from gateway.document import FileFault
    from gateway.policy import TestResult
    from gateway.review.report import Meaning, Suite

WORDS = {
    "policy.junit": ("also write JUnit XML to FILE", "同时将 JUnit XML 写入 FILE"),
    "policy.sarif": ("also write SARIF 2.1.0 to FILE", "同时将 SARIF 2.1.0 写入 FILE"),
}


def percent(text: str) -> float:
    """A share from 0 to 100, as it is typed."""
    value = float(text)
    if not 0 <= value <= 100:  # also what is no number at all: a gate at nan would let everything through
        raise ValueError
    return value


def with_reports(parser: argparse.ArgumentParser) -> None:
    """Let a command write reports."""
    parser.add_argument("--junit", metavar="FILE", default="", help="policy.junit")
    parser.add_argument("--sarif", metavar="FILE", default="", help="policy.sarif")


def write_reports(
    args: argparse.Namespace,
    screen: Screen,
    suites: "Iterable[Suite]",
    faults: "Iterable[FileFault]",
    good: bool = False,
) -> int:
    """Write what was asked for; the exit code: 0 for what is good, 1 for what is not, 3 when one cannot be written."""
    from gateway import __version__
    from gateway.review.report import junit, sarif

    texts = []
    if args.junit:
        texts.append((args.junit, junit(suites)))
    if args.sarif:
        texts.append((args.sarif, sarif(faults, Path.cwd(), meaning, __version__)))
    for file, text in texts:
        try:
            Path(file).write_text(text, encoding="utf-8")
        except OSError as error:
            screen.warn("cannot_write", "error", why=error)
            return 3
    return 0 if good else 1


def meaning(code: str) -> "Meaning | None":
    """What `gateway explain-code` says about a code."""
    from gateway.cli.codes import explained
    from gateway.review.report import Meaning

    found = explained(code)
    return Meaning(found[0].en, found[0].zh, found[0].remedy_en, found[0].remedy_zh) if found else None


def of_faults(faults: "Iterable[FileFault]", screen: Screen, name: str) -> "Suite":
    """Faults as cases: each error is a failure, each warning is passed over."""
    from gateway.review.report import Case, Suite

    cases = []
    for one in sorted(set(faults)):
        said = screen.choose(one.en, one.zh)
        cases.append(Case(f"{one.code} {said}", f"{one.file}:{one.line}", said, skipped=one.warning))
    return Suite(name, tuple(cases))


def of_tests(tests: "Iterable[TestResult]", folder: Path, screen: Screen) -> "Suite":
    """Tests as cases; one that cannot be read is an error."""
    from gateway.review.report import Case, Suite

    return Suite(
        "policy tests",
        tuple(
            Case(one.name, f"{folder}/{one.place}", screen.choose(one.en, one.zh), bool(one.faults)) for one in tests
        ),
    )
