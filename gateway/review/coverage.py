"""What do the tests of a policy folder reach, and what do they leave in the dark?

Counted are the tests that passed: a test that fails shows nothing. Rules:

1. A cell is a route with its action and grade, and an outcome. A permit can be reached where some allow is about the
   route, a challenge where a deny offers a step-up besides, a deny always. The rest does not count.
2. A rule was seen when it had a say: an allow in a permit, a deny in a challenge or a denial. That of an emergency level
   is seen in a test under that level.
3. Of a native policy every row is a rule. What its matcher can come to nobody knows without asking: where it is in
   force, a permit can be reached on every route.
4. The share is of cells and rules together, so that neither stands in for the other.
"""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from gateway.catalog import Catalog
from gateway.document import FileFault
from gateway.facts import Decision, Permit
from gateway.policy import Bundle, TestResult
from gateway.policy.content import Row
from gateway.policy.duties import parse
from gateway.policy.native.source import MATCHER
from gateway.review.routes import Route, reaches, routes

OUTCOMES = ("permit", "challenge", "deny")


class Cell(Struct, frozen=True):
    """One cell: how many tests reach it; `possible` is False where the rules cannot come to that outcome."""

    route: str
    action: str
    grade: str
    outcome: str
    tests: int
    possible: bool


class Said(Struct, frozen=True):
    """One rule: in how many tests it had a say."""

    rule: str
    effect: str
    place: str
    tests: int


class Coverage(Struct, frozen=True):
    """What was reached."""

    cells: tuple[Cell, ...]
    rules: tuple[Said, ...]

    @property
    def reached(self) -> int:
        """How many cells and rules the tests reach."""
        return sum(cell.tests > 0 for cell in self.cells) + sum(rule.tests > 0 for rule in self.rules)

    @property
    def reachable(self) -> int:
        """How many there are to reach."""
        return sum(cell.possible for cell in self.cells) + len(self.rules)

    @property
    def percent(self) -> float:
        """The share that is reached, 0 to 100; 100 when there is nothing to reach."""
        return 100.0 * self.reached / self.reachable if self.reachable else 100.0

    @property
    def unseen(self) -> tuple[Said, ...]:
        """The allows that were never seen permitting, and the denies never seen denying."""
        return tuple(rule for rule in self.rules if not rule.tests)

    @property
    def unasked(self) -> tuple[str, ...]:
        """The routes that no test asks."""
        asked = {cell.route for cell in self.cells if cell.tests}
        return tuple(dict.fromkeys(cell.route for cell in self.cells if cell.route not in asked))


def coverage(bundle: Bundle, catalog: Catalog, results: Iterable[TestResult]) -> Coverage:
    """What these results of tests show about these policies."""
    cells: Counter[tuple[str, str]] = Counter()
    seen: Counter[str] = Counter()
    for result in results:
        if result.passed and result.asset is not None and result.decision is not None:
            cells[result.asset.route, result.outcome] += 1
            seen.update(_deciding(result.decision))
    content = bundle.content
    rules = (*content.rules, *(row for overlay in content.overlays.values() for row in overlay.rows))
    places = {row[0]: (row[1], content.places.get(row[0], row[0])) for row in rules} | _native(bundle)
    return Coverage(
        tuple(
            _cell(route, outcome, cells, rules, content.native is not None)
            for route in routes(catalog)
            for outcome in OUTCOMES
        ),
        tuple(Said(rule, effect, place, seen[place]) for rule, (effect, place) in places.items()),
    )


def _native(bundle: Bundle) -> dict[str, tuple[str, str]]:
    """The rows of a native policy that decide, each with its effect and its place."""
    native = bundle.content.native
    named = native.named() if native is not None else {}
    return {row: ("deny" if bundle.denies[row] else "allow", place) for row, place in named.items() if row != MATCHER}


def _deciding(decision: Decision) -> set[str]:
    """Where the rules stand that had a say."""
    if isinstance(decision, Permit):
        return {reason.rule for reason in decision.reasons if reason.code == "rule_allowed"}
    return {reason.rule for reason in decision.reasons if reason.rule and reason.code != "approval_needed"}


def _cell(route: Route, outcome: str, cells: Counter[tuple[str, str]], rules: tuple[Row, ...], native: bool) -> Cell:
    asset = route.asset
    about = [row for row in rules if reaches(row, asset)]
    allowed = native or any(row[1] == "allow" for row in about)
    possible = outcome == "deny" or (
        allowed and (outcome == "permit" or any(row[1] != "allow" and parse(row[-1]).step_up for row in about))
    )
    tests = cells[asset.route, outcome]
    return Cell(asset.route, asset.action, asset.grade.text, outcome, tests, possible or tests > 0)


def uncovered(found: Coverage, folder: str) -> tuple[FileFault, ...]:
    """A warning for each rule that no test has seen."""
    return tuple(_unseen(rule, folder) for rule in found.unseen)


def _unseen(rule: Said, folder: str) -> FileFault:
    file, _, line = rule.place.rpartition(":")
    en, zh = ("permits", "放行") if rule.effect == "allow" else ("denies", "拒绝")
    return FileFault(
        f"{folder}/{file or rule.place}", int(line) if line.isdigit() else 1, 1, "M002",
        f"no test shows that `{rule.rule}` {en}", f"没有测试表明 `{rule.rule}` 会{zh}",
        "write a test in which it has a say", "请编写由它起作用的测试", True,
    )  # fmt: skip
