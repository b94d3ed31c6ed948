"""Which rules can apply to this caller and this data?

Built from the rows and role managers that the enforcer has loaded, never from the YAML. A row is filed under its
exact (data, who, org); a request looks up every combination of what its asset, roles and office reach, so that the
cost depends on the size of the caller's closure and not on the number of rules. What comes out is remembered per
kind of request. Rules:

1. What is remembered depends only on names: asset, action, grade, roles, office. Conditions and the time at which
   a rule ends are asked on every request. No decision is ever remembered: that is where revocations get lost.
2. The memory is bounded and dropped as a whole when full.
3. An opaque answer passes unread, so nothing in it can be hidden: an allow that asks for a mask or filters records, and
   an emergency level whose mask would hide something, deny it (`cannot_mask`). Which they are is known by name as well.
"""

from collections.abc import Callable, Iterator
from math import inf

from msgspec import Struct
from msgspec.structs import replace

from gateway.facts import Asset, Facts, Grade, Reason, Subject
from gateway.policy.closures import Test
from gateway.policy.condition import FAILURES, Condition
from gateway.policy.content import Content
from gateway.policy.duties import Duties, Then, duties, parse
from gateway.policy.engine import Engine, Sub
from gateway.policy.levels import span
from gateway.policy.overlays import EMERGENCY
from gateway.policy.people import KINDS, PERSON

REMEMBERED = 8192
ANY = "*"
GRANTS = ("grant.", "approval.")
"""How the names of sharing grants in conditions begin."""


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
    grants: bool = True  # whether its condition may ask for sharing grants


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
    """The drawers, and the memory of what was found in them.

    `hides` says whether a mask profile may hide something of an opaque answer up to a grade; `level` is the emergency
    level in force, "" for none.
    """

    def __init__(
        self,
        engine: Engine,
        content: Content,
        condition: Callable[[str], Condition],
        hides: Callable[[str, Grade], bool],
        level: str,
    ) -> None:
        self._roles, self._orgs, self._data = engine.links("g"), engine.links("g2"), engine.links("g3")
        self._declared = frozenset(content.declared)
        self._assets = {row[0]: row[1] for row in content.data}
        self._drawers: dict[str, Drawers] = {}  # by data
        self._people: set[str] = set()
        self._file(engine, content, condition)
        self._hides = hides
        self._mask = content.overlays[level].mask if level else ""
        self._level = _level(level, self._mask)
        self._found: tuple[dict[tuple[object, ...], Candidates], ...] = tuple({} for _ in range(max(Grade) + 1))

    def _file(self, engine: Engine, content: Content, condition: Callable[[str], Condition]) -> None:
        rules: dict[str, Candidate] = {}
        for row in engine.rules:
            identity, effect, who, org, data, actions, level, until, when, then = row
            if identity not in rules:
                stands = content.places.get(identity, identity), content.layers.get(identity, "")
                rules[identity] = _candidate(
                    len(rules), identity, effect, until, condition(when) if when else None, then, *stands
                )
            if who.startswith(PERSON):
                self._people.add(who.removeprefix(PERSON))
            low, high = span(level) or (1, 0)
            named = None if actions == ANY else frozenset(actions.split("|"))
            drawer = self._drawers.setdefault(data, {}).setdefault(who, {})
            drawer.setdefault(org, []).append(Filed(rules[identity], named, low, high))
        self.asks_for_grants = any(rule.grants for rule in rules.values())

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
        key = (
            asset.id, asset.category, asset.action, asset.opaque, subject.kind, subject.org, person, subject.roles,
        )  # fmt: skip
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
        denies, allows = [rule for rule in rules if rule.deny], tuple([rule for rule in rules if not rule.deny])
        if asset.opaque:
            denies += self._unread(allows, asset.grade)
        return Candidates(tuple(denies), allows)

    def _unread(self, allows: tuple[Candidate, ...], grade: Grade) -> Iterator[Candidate]:
        """What denies an answer that nobody reads, because something in it may have to be hidden."""
        if self._mask and self._hides(self._mask, grade):
            yield self._level
        for rule in allows:
            if self._hides(rule.then.mask, grade):
                yield _unmaskable(rule, rule.then.mask)
            elif rule.then.rows:
                yield _unmaskable(rule, "; ".join(row.text for row in rule.then.rows))


def _candidate(
    order: int, identity: str, effect: str, until: str, when: Condition | None, then: str, place: str, layer: str
) -> Candidate:
    duty = parse(then)
    deny = effect != "allow"  # casbin would ignore another word in silence; here it can only refuse
    says = Reason(duty.reason if deny else "rule_allowed", place, identity, layer)
    fails = Reason("policy_error", place, f"{identity}: the condition could not be evaluated", layer)
    test = when.test if when is not None else None
    grants = when is not None and any(name.startswith(GRANTS) for clause in when.clauses for name in clause.reads)
    return Candidate(
        order, identity, deny, test, float(until) if until else inf, duty, duties(duty), says, fails, (says,), grants
    )


def _unmaskable(rule: Candidate, asks: str) -> Candidate:
    """The deny that an allow is where what it asks for cannot be done to the answer; it applies whenever the allow does."""
    says = Reason("cannot_mask", rule.says.rule, f"{rule.id}: {asks}", rule.says.layer)
    return replace(rule, deny=True, test=_surely(rule.test), then=Then(), says=says, fails=says, alone=(says,))


def _surely(test: Test | None) -> Test | None:
    """The same test, false where it fails: the allow says already that it could not be evaluated."""
    if test is None:
        return None

    def holds(facts: Facts) -> bool:
        try:
            return test(facts)
        except FAILURES:
            return False

    return holds


def _level(level: str, mask: str) -> Candidate:
    """The deny that an emergency level is where its mask cannot be laid over the answer."""
    identity, place = f"emergency-{level}-mask", f"emergency/{level}.yaml"
    says = Reason("cannot_mask", place, f"{identity}: {mask}", f"{EMERGENCY}{level}")
    then = Then()
    return Candidate(-1, identity, True, None, inf, then, duties(then), says, says, (says,), False)
