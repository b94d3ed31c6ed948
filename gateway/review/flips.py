"""What is the smallest change that would turn this decision?

For a refusal: what the caller could do, or wait for, so that the same request is allowed. For a permit: what would
end it. Rules:

1. Smallest is fewest changed dimensions, then least effort (the order of `changes.DIMENSIONS`). Never more than three.
2. Every flip is verified: the changed facts are really decided, and it must be a permit (for a permit: none). What is
   told as a range ("within 5 minutes", "below 60") was decided at every stretch of that range.
3. Nobody is told to be somebody else. Where no change of theirs would help, there is no flip.
4. The search is bounded. When it ends early it says so: nothing found is then not nothing there. A team's own casbin
   matcher is never taken apart, so with one a search is never complete; and of what its requests hold no range is
   told, since nobody knows where it turns.
5. For operators and auditors: a flip names thresholds and networks, which a caller must never learn.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, product
from math import inf, prod

from msgspec import Struct
from msgspec.structs import replace

from gateway.facts import Decision, Facts, Permit
from gateway.policy.bundle import Bundle
from gateway.policy.decide import BY_GRADE, decide
from gateway.policy.examples import outcome
from gateway.review.atoms import Atoms, take_apart
from gateway.review.changes import DIMENSIONS, Claim, Dimension, Option, Range, options

MOST_CHANGES = 3
BUDGET = 3000
"""Decisions of one search, some 5 µs each."""


READS: dict[Dimension, frozenset[str]] = {
    "purpose": frozenset(("env", "env.purpose")),
    "sign_in": frozenset(("subject", "subject.auth_age")),
    "credential": frozenset(("subject", "subject.purpose", "env", "env.purpose")),
    "place": frozenset(("env", "env.source")),
    "risk": frozenset(("risk", "risk.score", "risk.band", "risk.known")),
}
"""Where a change is told as a range: what a casbin request would hold for its matcher to turn inside of it."""


class Change(Struct, frozen=True):
    """One change: the name a rule looks at, what it is, what it would have to be, and the same in words.

    `limit` is how far it holds, such as `<= 300` (seconds since the sign-in) or `< 60` (risk score); "" for no limit.
    """

    dimension: str
    name: str
    was: str
    to: str
    limit: str
    en: str
    zh: str


class Flip(Struct, frozen=True):
    """Changes that together turn the decision into `outcome`."""

    outcome: str
    changes: tuple[Change, ...]
    en: str
    zh: str


class Search(Struct, frozen=True):
    """What a search found; not `complete` when it ended before everything was tried."""

    flips: tuple[Flip, ...]
    complete: bool = True
    decisions: int = 0
    permitted: bool = False  # the decision was a permit, and the flips would end it


def flips(bundle: Bundle, facts: Facts) -> tuple[Flip, ...]:
    """The smallest changes that would turn the decision; for a refusal, none means: ask the owner of the data."""
    return search(bundle, facts).flips


def search(bundle: Bundle, facts: Facts, budget: int = BUDGET) -> Search:
    """The same, with the number of decisions it took."""
    asked = _Asked(bundle, _enforced(facts), budget)
    if isinstance(asked.decision, Permit):
        return asked.ends()
    return asked.helps()


def _enforced(facts: Facts) -> Facts:
    """What observe lets pass is explained as it would be decided without."""
    return facts if facts.asset.mode == "enforce" else replace(facts, asset=replace(facts.asset, mode="enforce"))


class _Spent(Exception):
    """The budget is used up."""


class _Asked:
    """One request, and what happens to it when something changes."""

    def __init__(self, bundle: Bundle, facts: Facts, budget: int) -> None:
        self.bundle, self.facts, self.budget, self.spent = bundle, facts, budget, 0
        self.own_grants = facts.grant == bundle.granted(facts.ask, facts.subject, facts.asset)
        self.decision = decide(bundle, facts, BY_GRADE[facts.asset.grade.national])
        candidates = bundle.index.candidates(facts.subject, facts.asset)
        rules = {rule.id: rule.until for rule in (*candidates.denies, *candidates.allows)}
        self.native = bundle.native is not None
        self.held = frozenset(bundle.native.source.request.values()) if bundle.native is not None else frozenset()
        self.allowable = self.native or bool(candidates.allows)
        self.ending = tuple(sorted({until for until in rules.values() if until != inf}))
        conditions = (row[8] for row in bundle.content.rules if row[0] in rules and row[8])
        self.atoms: Atoms = take_apart(conditions, bundle.names)

    # --- a refusal ------------------------------------------------------------------------------

    def helps(self) -> Search:
        """The fewest changes after which it would be allowed."""
        if self.facts.subject.rejection is not None or not self.facts.asset.listed or not self.allowable:
            return Search(())
        found: list[Flip] = []
        try:
            tried = self._distinct(options(self.bundle, self.facts, self.atoms, self.ending))
            for count in range(1, MOST_CHANGES + 1):
                found += self._with(count, tried)
                if found:
                    break
        except _Spent:
            return Search(tuple(found), False, self.spent)
        return Search(tuple(found), not self.native, self.spent)

    def _with(self, count: int, tried: dict[Dimension, list[Option]]) -> Iterator[Flip]:
        """For each choice of dimensions the least effort that helps."""
        for dimensions in sorted(combinations(tried, count), key=lambda chosen: sum(map(DIMENSIONS.index, chosen))):
            for chosen in _by_effort([tried[dimension] for dimension in dimensions]):
                if self._allows(self._changed(chosen)):
                    yield self._flip("permit", chosen)
                    break

    def _distinct(self, offered: dict[Dimension, list[Option]]) -> dict[Dimension, list[Option]]:
        """Of the options that no rule could tell apart the first; none that no rule could tell from things as they are."""
        now = self._signature(self.facts)
        tried: dict[Dimension, list[Option]] = {}
        for dimension, several in offered.items():
            seen = set() if dimension == "grant" else {now}  # one that is held may not be any more at another time
            for option in several:
                if option.wide and self._unknown(option):
                    continue
                signature = self._signature(self._changed((option,)))
                if signature not in seen:
                    seen.add(signature)
                    tried.setdefault(dimension, []).append(option)
        return tried

    def _signature(self, facts: Facts) -> tuple[object, ...]:
        """All that a rule could see of a change."""
        return (
            self.atoms.signature(facts),
            tuple([facts.ask.at < until for until in self.ending]),
            facts.posture.revoked,
            self._seen_together(facts),
        )

    def _seen_together(self, facts: Facts) -> tuple[object, ...]:
        """The values that rules hold against each other, and the purpose and day that grants are held against."""
        several = [name for atom in self.atoms.atoms if len(atom.reads) > 1 for name in atom.reads]
        values = [
            str(self.bundle.names[name].get(facts)) for name in several if not name.startswith(("env.h", "env.t"))
        ]
        if not self.bundle.asks_for_grants:
            return tuple(values)
        grants = self.bundle.content.grants
        open_now = frozenset(grant.id for grant in grants if grant.begins <= facts.ask.at < grant.ends)
        return (*values, facts.ask.purpose, facts.subject.purpose, open_now, facts.grant)

    # --- a permit -------------------------------------------------------------------------------

    def ends(self) -> Search:
        """In each dimension the first change that would end the permit."""
        found: list[Flip] = []
        try:
            for several in options(self.bundle, self.facts, self.atoms, self.ending, worse=True).values():
                found += self._first_end(option for option in several if not self._ranges_unknown(option))
        except _Spent:
            return Search(tuple(found), False, self.spent, True)
        return Search(tuple(found), not self.native, self.spent, True)

    def _ranges_unknown(self, option: Option) -> bool:
        """Whether it cannot be said from which value on it ends the permit; nor from what nobody knows at the moment."""
        if option.range is None:
            return option.wide and self._unknown(option)
        return self._unknown(option) or not self._allows(self._moved((option,), option, option.range.points[0]))

    def _first_end(self, several: Iterable[Option]) -> Iterator[Flip]:
        for option in several:
            points = option.range.points if option.range is not None else ()
            if any(not self._allows(self._moved((option,), option, point)) for point in points) or (
                not points and not self._allows(self._changed((option,)))
            ):
                yield self._flip(self._ended(option), (option,))
                return

    def _ended(self, option: Option) -> str:
        points = option.range.points if option.range is not None else ()
        tried = [self._moved((option,), option, point) for point in points] or [self._changed((option,))]
        decided = (self._decided(facts) for facts in tried)
        return next(outcome(decision) for decision in decided if not isinstance(decision, Permit))

    # --- trying ---------------------------------------------------------------------------------

    def _decided(self, facts: Facts) -> Decision:
        self.spent += 1
        if self.spent > self.budget:
            raise _Spent
        return decide(self.bundle, facts, BY_GRADE[facts.asset.grade.national])

    def _allows(self, facts: Facts) -> bool:
        return isinstance(self._decided(facts), Permit)

    def _changed(self, chosen: Sequence[Option]) -> Facts:
        return self._applied([(option.dimension, option.apply) for option in chosen])

    def _moved(self, chosen: Sequence[Option], one: Option, value: float) -> Facts:
        """The changes, and of `one` another value."""
        move = one.range.move if one.range is not None else None
        steps = [(option.dimension, option.apply) for option in chosen]
        if move is not None:
            steps.append((one.dimension, lambda facts: move(value, facts)))
        return self._applied(steps)

    def _applied(self, steps: Iterable[tuple[Dimension, Callable[[Facts], Facts]]]) -> Facts:
        """The facts after all steps. Which grants are held follows from purpose and day, so they come last."""
        facts, last = self.facts, []
        for dimension, apply in steps:
            if dimension == "grant":
                last.append(apply)
            else:
                facts = apply(facts)
        if self.own_grants and self.bundle.asks_for_grants:
            facts = replace(facts, grant=self.bundle.granted(facts.ask, facts.subject, facts.asset))
        for apply in last:
            facts = apply(facts)
        return facts

    def _unknown(self, option: Option) -> bool:
        """Whether a team's own matcher may turn on the values of this dimension."""
        return not self.held.isdisjoint(READS.get(option.dimension, ()))

    # --- telling --------------------------------------------------------------------------------

    def _flip(self, turned: str, chosen: Sequence[Option]) -> Flip:
        helps = turned == "permit"
        changes = tuple(self._told(chosen, option, helps) for option in chosen)
        en, zh = ", ".join(one.en for one in changes), "，".join(one.zh for one in changes)
        return Flip(turned, changes, en, zh)

    def _told(self, chosen: Sequence[Option], option: Option, helps: bool) -> Change:
        claim = self._claim(chosen, option)
        en, zh = option.say(claim)
        limit = ""
        if claim.most is not None:
            sign = ("<=" if claim.included else "<") if helps else (">" if claim.included else ">=")
            limit = f"{sign} {claim.most:g}"
        return Change(option.dimension, option.name, option.was, option.to, limit, en, zh)

    def _claim(self, chosen: Sequence[Option], option: Option) -> Claim:
        """How far the change may go, tried at every stretch."""
        if option.range is not None and self._unknown(option):  # only the one value that was tried is told
            return Claim(0.0, True) if option.dimension == "risk" else Claim()
        if option.range is not None:
            return _reach(option.range, lambda value: self._allows(self._moved(chosen, option, value)))
        parts = ((name, [apply if one is option else one.apply for one in chosen]) for name, apply in option.within)
        dimensions = [one.dimension for one in chosen]
        return Claim(
            outside=tuple(
                name for name, steps in parts if not self._allows(self._applied(zip(dimensions, steps, strict=True)))
            )
        )


def _by_effort(several: Sequence[Sequence[Option]]) -> Iterable[tuple[Option, ...]]:
    """All choices of one option each, least effort first."""
    if prod(map(len, several)) > BUDGET:  # sorting them would cost more than trying
        return product(*several)
    places = sorted(product(*(range(len(one)) for one in several)), key=lambda place: (sum(place), place))
    return [tuple(options[at] for options, at in zip(several, place, strict=True)) for place in places]


def _reach(within: Range, holds: Callable[[float], bool]) -> Claim:
    """Up to which value all of a range holds; nothing when all of it does."""
    failed = next((value for value in within.points if not holds(value)), None)
    if failed is None:
        return Claim()
    if failed in within.turns:
        return Claim(failed)
    return Claim(max((turn for turn in (*within.points[:1], *within.turns) if turn < failed), default=0.0), True)
