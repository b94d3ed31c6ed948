"""Which rules can apply to this caller and this data?

Built from the rows and role managers that the enforcer has loaded, never from the YAML. A row is filed under its
exact (data, who, org); a request looks up every combination of what its asset, roles and office reach, so that the
cost depends on the size of the caller's closure and not on the number of rules. What comes out is remembered per
kind of request. Rules:

1. What is remembered depends only on names: asset, action, grade, roles, office. Conditions and the time at which
   a rule ends are asked on every request. No decision is ever remembered: that is where revocations get lost.
2. The memory is bounded and dropped as a whole when full.
"""

from collections.abc import Callable
from math import inf

from msgspec import Struct

from gateway.facts import Asset, Grade, Reason, Subject
from gateway.policy.closures import Test
from gateway.policy.content import Content
from gateway.policy.duties import Duties, Then, duties, parse
from gateway.policy.engine import Engine, Sub
from gateway.policy.levels import span
from gateway.policy.people import KINDS, PERSON

REMEMBERED = 8192
ANY = "*"


class Candidate(Struct, frozen=True, eq=False):
    """A rule, ready to be asked: what is left to test, and what it says when it applies or fails."""

    order: int
    id: str
    deny: bool
    test: Test | None
    until: float
    then: Then
    owes: Duties
    says: Reason
    fails: Reason
    alone: tuple[Reason, ...]  # the reasons when no other rule has a say


class Candidates(Struct, frozen=True, eq=False):
    """The rules whose names, action and level fit, in the order of the files."""

    denies: tuple[Candidate, ...]
    allows: tuple[Candidate, ...]
    known: bool = True  # False when the bundle was not made for this asset


STRANGER = Candidates((), (), known=False)


class Filed(Struct, frozen=True, eq=False):
    """One row in its drawer."""

    rule: Candidate
    actions: frozenset[str] | None  # None for any
    low: int
    high: int

    def fits(self, asset: Asset) -> bool:
        """Whether it speaks about this action and this grade."""
        return self.low <= asset.grade <= self.high and (self.actions is None or asset.action in self.actions)


Drawers = dict[str, dict[str, list[Filed]]]
"""The rows about one thing: by who, then by office."""

_EMPTY: Drawers = {}
_EVERYBODY = frozenset((ANY,))


class Index:
    """The drawers, and the memory of what was found in them."""

    def __init__(self, engine: Engine, content: Content, condition: Callable[[str], Test]) -> None:
        self._roles, self._orgs, self._data = engine.links("g"), engine.links("g2"), engine.links("g3")
        self._declared = frozenset(content.declared)
        self._assets = {row[0]: row[1] for row in content.data}
        self._drawers: dict[str, Drawers] = {}  # by data
        self._people: set[str] = set()
        self._file(engine, content, condition)
        self._found: tuple[dict[tuple[object, ...], Candidates], ...] = tuple({} for _ in range(max(Grade) + 1))

    def _file(self, engine: Engine, content: Content, condition: Callable[[str], Test]) -> None:
        rules: dict[str, Candidate] = {}
        for row in engine.rules:
            identity, effect, who, org, data, actions, level, until, when, then = row
            if identity not in rules:
                place = content.places.get(identity, identity)
                rules[identity] = _candidate(
                    len(rules), identity, effect, until, condition(when) if when else None, then, place
                )
            if who.startswith(PERSON):
                self._people.add(who.removeprefix(PERSON))
            low, high = span(level) or (1, 0)
            named = None if actions == ANY else frozenset(actions.split("|"))
            drawer = self._drawers.setdefault(data, {}).setdefault(who, {})
            drawer.setdefault(org, []).append(Filed(rules[identity], named, low, high))

    def knows(self, asset: Asset) -> bool:
        """Whether the bundle was made for this asset; after a reload of only one of the two it may not be."""
        return self._assets.get(asset.id) == asset.category

    def sub(self, subject: Subject) -> Sub:
        """Everything the caller holds by name."""
        if subject.kind == "anonymous":  # whatever an anonymous subject carries was proven by nobody
            return Sub(frozenset(), "")
        held = {role for role in subject.roles if role in self._declared}  # a claimed `user:x` or `person` is nothing
        return Sub(frozenset((*held, KINDS[0], subject.kind, PERSON + subject.id)), subject.org)

    def roles(self, subject: Subject) -> frozenset[str]:
        """The declared roles that a caller holds, with all they include."""
        if subject.kind == "anonymous":
            return frozenset()
        held = (self._roles.closure(role) for role in subject.roles if role in self._declared)
        return frozenset().union(*held)

    def offices(self, subject: Subject) -> frozenset[str]:
        """The caller's office and all above it."""
        return self._orgs.closure(subject.org) if subject.org else frozenset()

    def candidates(self, subject: Subject, asset: Asset) -> Candidates:
        """The rules that fit by name, action and level."""
        person = subject.id if subject.id in self._people else ""
        key = (asset.id, asset.category, asset.action, subject.kind, subject.org, person, subject.roles)
        memory = self._found[asset.grade]
        known = memory.get(key)
        if known is None:
            known = self._search(self.sub(subject), asset)
            if len(memory) >= REMEMBERED:
                memory.clear()
            memory[key] = known
        return known

    def _search(self, sub: Sub, asset: Asset) -> Candidates:
        if not self.knows(asset):
            return STRANGER
        names = self._roles.closures(sub.roles) | _EVERYBODY
        offices = self._orgs.closure(sub.org) | _EVERYBODY
        found: dict[int, Candidate] = {}
        for thing in (*self._data.closure(asset.id), ANY):
            drawers = self._drawers.get(thing, _EMPTY)
            for name in drawers.keys() & names:
                drawer = drawers[name]
                for office in drawer.keys() & offices:
                    for filed in drawer[office]:
                        if filed.fits(asset):
                            found[filed.rule.order] = filed.rule
        rules = [found[order] for order in sorted(found)]
        return Candidates(
            tuple([rule for rule in rules if rule.deny]), tuple([rule for rule in rules if not rule.deny])
        )


def _candidate(
    order: int, identity: str, effect: str, until: str, test: Test | None, then: str, place: str
) -> Candidate:
    duty = parse(then)
    deny = effect != "allow"  # casbin would ignore another word in silence; here it can only refuse
    says = Reason(duty.reason, place, identity) if deny else Reason("rule_allowed", place, identity)
    fails = Reason("policy_error", place, f"{identity}: the condition could not be evaluated")
    return Candidate(
        order, identity, deny, test, float(until) if until else inf, duty, duties(duty), says, fails, (says,)
    )
