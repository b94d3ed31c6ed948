"""Would the tests notice if a rule were wrong?

Every slip that `mutations.py` can think of is made, one at a time, and the tests of the folder are run against it.
Rules:

1. A mutant is killed when one test fails. One that survives is a mistake that nobody would notice.
2. A mutant that provably decides as before is not counted (`equal.py`).
3. Tests are read once. Only those are run whose route the rule reaches, before or after; the ones in which it had a
   say come first.
4. Where a request is found that tells the mutant from the rule, it is offered as a test. What is offered was run: it
   passes on the rule and fails on the mutant.
5. A budget is left out, and each of its limits made one higher; what a mask profile suppresses is left out, and its k made
   one lower.
6. Of a native policy each row is left out, and turned round where it names its effect; the matcher stays as it is.
   Every mutant is a bundle of its own: of a long file only the first NATIVE_MOST rows are tried, and the rest is told.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import asdict, replace

from gateway.catalog import Catalog
from gateway.facts import Budget, Exposure, Facts, Suppress
from gateway.policy import Bundle, Impossible
from gateway.policy.budgets import LAYER as LAYER_OF_BUDGETS
from gateway.policy.budgets import place_of
from gateway.policy.condition import Refused
from gateway.policy.content import Content, Row
from gateway.policy.examples import Example, TestResult, judge, supposed
from gateway.policy.native.source import LAYER, TABLE, Source, columns, row_id
from gateway.policy.profiles import LEAST
from gateway.review.equal import Bars, said
from gateway.review.mutations import EXPIRES, Mutation, mutations
from gateway.review.routes import reaches, routes
from gateway.review.suggest import Search

EMERGENCY = "emergency:"
PROFILE = "mask:"
COLUMNS = 10
NATIVE_MOST = 300
"""Rows of a native policy that are tried: a minute at most."""
SEARCHED = 120_000
"""Requests that may be tried for suggestions in one run: some fifteen seconds."""


class Mutant(Struct, frozen=True):
    """One slip and what became of it; `en` and `zh` say what was changed, `suggestion` is a test in YAML or ""."""

    rule: str
    place: str
    key: str
    before: str
    after: str
    en: str
    zh: str
    fate: Literal["killed", "survived", "equivalent"]
    killed_by: str = ""
    suggestion: str = ""


class Score(Struct, frozen=True):
    """How many mutants there were of each fate."""

    killed: int
    survived: int
    equivalent: int

    @property
    def percent(self) -> float:
        """Killed of all that count, 0 to 100; 100 when there is nothing to kill."""
        counted = self.killed + self.survived
        return 100.0 * self.killed / counted if counted else 100.0


def score(found: Iterable[Mutant]) -> Score:
    """The score of a run."""
    fates = [mutant.fate for mutant in found]
    return Score(fates.count("killed"), fates.count("survived"), fates.count("equivalent"))


class Tried(Struct, frozen=True, eq=False):
    """A test that passes, with what it supposes, and where the rules stand that had a say in it."""

    example: Example
    facts: Facts
    places: frozenset[str]


def slips(bundle: Bundle, since: float = 0.0) -> tuple[Mutation, ...]:
    """Every mutation of every rule of a bundle, those of its emergency levels included.

    A rule that has expired at `since` (Unix seconds) is left to lint (L007): no test need hold it any more.
    """
    content = bundle.content
    rows: dict[str, list[Row]] = {}
    for row in (*content.rules, *(row for overlay in content.overlays.values() for row in overlay.rows)):
        if len(row) == COLUMNS and not (row[EXPIRES] and int(row[EXPIRES]) <= since):
            rows.setdefault(row[0], []).append(row)
    made = (one for rule, own in rows.items() for one in mutations(rule, tuple(own), content))
    return (
        *made,
        *_budget_slips(content.budgets),
        *_profile_slips(content.suppress),
        *(_native_slips(content.native) if content.native is not None else ()),
    )


def _budget_slips(budgets: Iterable[Budget]) -> Iterator[Mutation]:
    """Each budget left out, and each of its limits one higher."""
    for budget in budgets:
        rule = place_of(budget.id)
        yield Mutation(rule, LAYER_OF_BUDGETS, budget.id, "", ())
        for part, limit in (("soft", budget.soft), ("hard", budget.hard)):
            for name, count in asdict(limit).items():
                if count:
                    yield Mutation(rule, f"{part}.{name}", str(count), str(count + 1), ())


def _profile_slips(suppress: Mapping[str, Suppress]) -> Iterator[Mutation]:
    """What each profile suppresses left out, and its k one lower."""
    for name, rare in suppress.items():
        yield Mutation(PROFILE + name, "suppress", f"k {rare.k} by [{', '.join(rare.fields)}]", "", ())
        if rare.k > LEAST:
            yield Mutation(PROFILE + name, "suppress.k", str(rare.k), str(rare.k - 1), ())


def left_aside(bundle: Bundle) -> int:
    """How many rows of a native policy `slips` does not look at."""
    native = bundle.content.native
    return max(len(native.rows) - NATIVE_MOST, 0) if native is not None else 0


def _native_slips(source: Source) -> Iterator[Mutation]:
    """Each row left out; an allow that should deny, and a deny that should allow."""
    names = columns(source.definitions["p"])
    at = 2 + names.index("eft") if "eft" in names else 0
    for row in source.rows[:NATIVE_MOST]:
        line, kind, *values = row
        yield Mutation(row_id(line), kind, ", ".join(values), "", ())
        if kind == "p" and 0 < at < len(row):
            turned = "deny" if row[at] == "allow" else "allow"
            yield Mutation(row_id(line), "eft", row[at], turned, ((*row[:at], turned, *row[at + 1 :]),))


def mutants(
    bundle: Bundle, catalog: Catalog, tests: Iterable[Example | TestResult], suggest: bool = True
) -> Iterator[Mutant]:
    """The fate of every slip, one by one. Tests that fail as things are hold nothing and are left aside."""
    trial = Trial(bundle, catalog, tests, SEARCHED if suggest else 0)
    for slip in slips(bundle):
        mutant = trial.of(slip)
        if mutant is not None:
            yield mutant


class Trial:
    """A bundle with its passing tests, before which mutants are brought."""

    def __init__(
        self, bundle: Bundle, catalog: Catalog, tests: Iterable[Example | TestResult], searched: int = SEARCHED
    ) -> None:
        self.bundle = bundle
        self.routes = routes(catalog)
        self._levels = {"": bundle}
        self._tried = tuple(self._passing(tests, catalog))
        self._rows: dict[str, tuple[Row, ...]] = {}
        for row in (*bundle.content.rules, *(row for one in bundle.content.overlays.values() for row in one.rows)):
            self._rows[row[0]] = (*self._rows.get(row[0], ()), row)
        self._bars: dict[str, Bars] = {}
        self._search = Search(self.routes, catalog.find, searched)

    def _passing(self, tests: Iterable[Example | TestResult], catalog: Catalog) -> Iterator[Tried]:
        for test in tests:
            if isinstance(test, TestResult):
                continue
            try:
                bundle, facts = supposed(test, self._levels, catalog.find)
            except Impossible:
                continue
            result = judge(test, bundle, facts)
            if result.passed and result.decision is not None:
                yield Tried(test, facts, frozenset(reason.rule for reason in result.decision.reasons if reason.rule))

    def of(self, slip: Mutation) -> Mutant | None:
        """What becomes of one mutant; None for one that no bundle could be."""
        content = self.bundle.content
        if slip.rule.startswith(f"{LAYER_OF_BUDGETS}:"):
            return self._anywhere(slip, content.places[slip.rule])
        if slip.rule.startswith(PROFILE):
            return self._anywhere(slip, "masks.yaml")
        if slip.rule not in self._rows:
            return self._anywhere(slip, f"{TABLE}:{slip.rule.removeprefix(f'{LAYER}:')}")
        place = content.places.get(slip.rule, slip.rule)
        told = (slip.rule, place, slip.key, slip.before, slip.after, slip.en, slip.zh)
        rows = self._rows[slip.rule]
        level = content.layers.get(slip.rule, "").partition(EMERGENCY)[2]
        original = self._raised(level)
        bars = self._bars.setdefault(level, Bars(original))
        if said(rows, self.routes, bars) == said(slip.rows, self.routes, bars):
            return Mutant(*told, "equivalent")
        try:
            levels = {level: Bundle(changed(content, slip, level), level=level)}
        except Refused:
            return None  # what the reader refuses is no policy
        killer = self._killer(slip, rows, levels, level)
        if killer:
            return Mutant(*told, "killed", killer)
        found = self._search.test(original, levels[level], slip, rows, level)
        return Mutant(*told, "survived", suggestion=found)

    def _anywhere(self, slip: Mutation, place: str) -> Mutant | None:
        """What becomes of one row of a native policy, a budget or a profile: any test may notice, the ones in which it had a say first."""
        try:
            levels = {"": Bundle(changed(self.bundle.content, slip, ""))}
        except (Refused, ValueError):
            return None  # what the reader refuses is no policy
        for one in sorted(self._tried, key=lambda tried: place not in tried.places):
            asked = one.example.emergency
            if asked not in levels:
                levels[asked] = levels[""].raised(asked)
            if not judge(one.example, levels[asked], _counted(levels[asked], one.facts)).passed:
                return self._fate(slip, place, "killed", one.example.name)
        return self._fate(slip, place, "survived")

    def _fate(self, slip: Mutation, place: str, fate: Literal["killed", "survived"], killer: str = "") -> Mutant:
        return Mutant(slip.rule, place, slip.key, slip.before, slip.after, slip.en, slip.zh, fate, killer)

    def _raised(self, level: str) -> Bundle:
        known = self._levels.get(level)
        if known is None:
            known = self._levels[level] = self.bundle.raised(level)
        return known

    def _killer(self, slip: Mutation, rows: tuple[Row, ...], levels: dict[str, Bundle], level: str) -> str:
        """The name of a test that fails, "" for none."""
        place = self.bundle.content.places.get(slip.rule, slip.rule)
        first = [one for one in self._tried if place in one.places]
        rest = [one for one in self._tried if place not in one.places]
        every = (*rows, *slip.rows)
        for one in (*first, *rest):
            asked = one.example.emergency
            if (level and asked != level) or not any(reaches(row, one.facts.asset) for row in every):
                continue
            bundle = levels.get(asked)
            if bundle is None:
                bundle = levels[asked] = levels[level].raised(asked)
            if not judge(one.example, bundle, one.facts).passed:
                return one.example.name
        return ""


def changed(content: Content, slip: Mutation, level: str) -> Content:
    """The content with the slip in it; `level` names the emergency level whose rule it is."""
    if level:
        overlay = content.overlays[level]
        taken = replace(overlay, rows=_replaced(overlay.rows, slip))
        return replace(content, overlays=content.overlays | {level: taken})
    if slip.rule.startswith(f"{LAYER_OF_BUDGETS}:"):
        return replace(content, budgets=tuple(kept for one in content.budgets for kept in _slipped(one, slip)))
    if slip.rule.startswith(PROFILE):
        name = slip.rule.removeprefix(PROFILE)
        rest = {key: rare for key, rare in content.suppress.items() if key != name or slip.after}
        if slip.after:
            rest[name] = replace(rest[name], k=int(slip.after))
        return replace(content, suppress=rest)
    if content.native is not None and slip.rule.startswith(f"{LAYER}:"):
        line = slip.rule.removeprefix(f"{LAYER}:")
        rows = tuple(one for row in content.native.rows for one in (slip.rows if row[0] == line else (row,)))
        return replace(content, native=replace(content.native, rows=rows))
    return replace(content, rules=_replaced(content.rules, slip))


def _counted(bundle: Bundle, facts: Facts) -> Facts:
    """The same facts, with what was shown held against the budgets of this bundle."""
    shown = Exposure(facts.exposure.records, facts.exposure.fields)
    return replace(facts, exposure=bundle.exposed(facts.ask, facts.subject, facts.asset, shown))


def _slipped(budget: Budget, slip: Mutation) -> tuple[Budget, ...]:
    """The budget with the slip in it, if it is the one; nothing where it is left out."""
    if place_of(budget.id) != slip.rule:
        return (budget,)
    part, _, name = slip.key.partition(".")
    if not name:
        return ()
    return (replace(budget, **{part: replace(getattr(budget, part), **{name: int(slip.after)})}),)


def _replaced(rows: tuple[Row, ...], slip: Mutation) -> tuple[Row, ...]:
    """In place: the order of rules is the order of reasons."""
    at = next(place for place, row in enumerate(rows) if row[0] == slip.rule)
    rest = tuple(row for row in rows[at:] if row[0] != slip.rule)
    return (*rows[:at], *slip.rows, *rest)
