"""What do the tests try, and what is tried no longer, between two versions of policies?

Tests decide nothing, so a version without them lets through no more than before; but nobody notices any more when the
next one does. Rules:

1. A test is known by its name; one that only moved to another line or file has not been edited.
2. What was reached and is not any more is told as long as it can be reached: an endpoint that went needs no test.
"""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from gateway.document import Plain
from gateway.policy import run_tests
from gateway.policy.examples import Example, read_tests
from gateway.review.coverage import Coverage, coverage
from gateway.review.edits import Edit, beside_edits

if TYPE_CHECKING:
    from gateway.review.diff import Side

TESTS = "tests"


class Untried(Struct, frozen=True):
    """What no test reaches any more: an outcome of a route, or (`route` "") a rule."""

    rule: str = ""
    route: str = ""
    outcome: str = ""


def edited(old: Path, new: Path) -> tuple[Edit, ...]:
    """Which tests of a policy folder were added, removed or changed."""
    return beside_edits({TESTS: _words(old)}, {TESTS: _words(new)})


def _words(folder: Path) -> dict[str, dict[str, str]]:
    """The tests of a folder by their names; one that has the name of another by its number behind it."""
    found: dict[str, dict[str, str]] = {}
    met: Counter[str] = Counter()
    for one in read_tests(folder):
        met[one.name] += 1
        name = one.name if met[one.name] == 1 else f"{one.name} ({met[one.name]})"
        found[name] = _said(one) if isinstance(one, Example) else {"": one.en}
    return found


def _said(example: Example) -> dict[str, str]:
    words = example.node.plain()
    return {key: _flow(value) for key, value in words.items() if key != "name"} if isinstance(words, dict) else {}


def _flow(value: Plain) -> str:
    return ", ".join(f"{key}: {one}" for key, one in value.items()) if isinstance(value, dict) else str(value)


def untried(old: "Side", new: "Side", was: Path, now: Path) -> tuple[Untried, ...]:
    """What the tests of the old folder reached, and those of the new one do not although they could."""
    before, after = _reached(old, was), _reached(new, now)
    cells = {(cell.route, cell.outcome) for cell in before.cells if cell.tests}
    rules = {rule.rule for rule in before.rules if rule.tests}
    lost = [
        Untried(route=cell.route, outcome=cell.outcome)
        for cell in after.cells
        if cell.possible and not cell.tests and (cell.route, cell.outcome) in cells
    ]
    return (*lost, *(Untried(rule.rule) for rule in after.unseen if rule.rule in rules))


def _reached(side: "Side", folder: Path) -> Coverage:
    return coverage(side.bundle, side.catalog, run_tests(folder, side.bundle, side.catalog.find))
