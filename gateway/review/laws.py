"""What do the rules say about one kind of request, as formulas?

One `Side` is a policy and what its catalog says of the request. Its rules become formulas over atoms; beside each
atom it is noted which values could make a difference (`Noted`). Rules:

1. What is fixed by the request (the asset, its owner, its grade) is worked in; what is open stays an atom.
2. Roles and offices are compared by what reaches them, so that two policies with other trees are still comparable.
   Grants are worked out the same way: `approval.held` is true for these callers, this purpose, these days.
3. The test of a comparison is the closure that decides in service, never a second reading of its text.
4. An atom that looks at a name this module does not know stays open for ever: then nothing is proved. So does what a
   team's own casbin policy says; but the same policy beside the same catalog says the same, whatever that is.
"""

import ast
import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from gateway.facts import Asset, Facts, Limit
from gateway.policy import Bundle
from gateway.policy.content import Row
from gateway.policy.duties import Then, duties, parse
from gateway.policy.grants import Grant
from gateway.policy.index import ANY as EVERYBODY
from gateway.policy.levels import span
from gateway.policy.people import KINDS, PERSON
from gateway.review.formula import ALWAYS, FAILS, YES, Atom, Formula, Point, Pool

ROLE = "role:"
UNKNOWN = "?"
SIGNED_IN = KINDS[0]
CLOCK = frozenset(("env.hour", "env.time", "env.weekday"))
FORMED = frozenset(("env.time", "env.source"))  # their values come from the clock and from the networks of the rules
GRANTED = frozenset(("grant.held", "grant.ids", "approval.held"))
VARIABLES: dict[str, tuple[str, ...]] = {
    "subject.id": ("kind", "id"),
    "subject.kind": ("kind",),
    "subject.org": ("kind", "org"),
    "subject.clearance": ("kind", "clearance"),
    "subject.assurance": ("kind", "assurance"),
    "subject.purpose": ("kind", "purpose"),
    "subject.auth_age": ("kind", "auth_age"),
    "subject.bound": ("kind", "bound"),
    "subject.method": ("kind", "method"),
    "device.id": ("device",),
    "device.trust": ("trust",),
    "device.org": ("device_org",),
    "device.fresh": ("fresh",),
    "risk.score": ("score",),
    "risk.band": ("band",),
    "risk.known": ("score",),
    "data.asset": (),
    "data.category": (),
    "data.grade": (),
    "data.owner": (),
    "data.action": (),
    "env.hour": ("at",),
    "env.time": ("at",),
    "env.weekday": ("at",),
    "env.purpose": ("kind", "purpose"),
    "env.source": ("source",),
    "env.method": ("verb",),
    "exposure.records": ("records",),
    "exposure.fields": ("labelled",),
}
"""By which variables of a request each name is settled; `subject.roles` and the grants are settled by many."""

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]\Z")


class Side(Struct, frozen=True, eq=False):
    """One of the policies that are compared, and what its catalog says of the request."""

    bundle: Bundle
    asset: Asset


Make = Callable[[Point, Side, bool], Facts]
"""Facts of a point as one side sees them, with or without its grants; what the point leaves out has its quiet value."""


class Law(Struct, frozen=True, eq=False):
    """One rule as it bears on one kind of request."""

    id: str
    deny: bool
    applies: Formula
    then: Then
    profiles: frozenset[str]  # through which the answer is shown, of an allow
    sure: bool = False  # a deny that does not apply where it cannot be evaluated

    @property
    def struck(self) -> int:
        """The answers with which it applies: a deny also when it cannot be evaluated."""
        return YES | FAILS if self.deny and not self.sure else YES


class Noted(Struct):
    """The values beside each variable, and which variables are compared with each other."""

    texts: dict[str, dict[str, None]] = {}
    numbers: dict[str, set[float]] = {}
    times: set[str] = set()
    hours: bool = False
    edges: set[int] = set()  # moments at which a rule or a grant begins or ends
    linked: list[frozenset[str]] = []

    def text(self, variable: str, words: Iterable[str]) -> None:
        """These words stand beside this variable."""
        self.texts.setdefault(variable, {}).update(dict.fromkeys(words))

    def together(self, variable: str) -> frozenset[str]:
        """The variable and all that it is compared with, through others too."""
        found = frozenset((variable,))
        while True:
            more = found.union(*(group for group in self.linked if group & found))
            if more == found:
                return found
            found = more


class Leaf(NamedTuple):
    """A part of a condition without `and`, `or` and `not`."""

    node: ast.expr
    written: str


class Laws:
    """Reads the rules of one side; atoms go to `pool`, values beside them to `noted`."""

    def __init__(self, side: Side, pool: Pool, noted: Noted, roles: tuple[str, ...], make: Make) -> None:
        self.side = side
        self.pool = pool
        self.noted = noted
        self.roles = roles  # the variables of all roles of all sides
        self.make = make
        self.bundle, self.asset = side.bundle, side.asset
        self.grants = self._fitting_grants()

    def read(self) -> tuple[Law, ...]:
        """The rules that bear on this request, in the order of the files."""
        rows = rows_about(self.bundle, self.asset)
        laws = tuple(self._law(found) for found in rows.values())
        known = self.asset.listed and self.bundle.index.knows(self.asset)
        laws += tuple(self._unmaskable(laws)) if self.asset.opaque and known else ()
        laws += tuple(self._budgeted()) if known else ()
        return laws if self.bundle.native is None or not known else (*laws, self._native())

    def _unmaskable(self, laws: tuple[Law, ...]) -> Iterator[Law]:
        """The denies that stand in for masks where nobody reads the answer, as `gateway.policy.index` has them."""
        level, grade = self.bundle.level, self.asset.grade
        if level and self.bundle.hides(self.bundle.content.overlays[level].mask, grade):
            yield Law(f"emergency-{level}-mask", True, ALWAYS, Then(), frozenset())
        for law in laws:
            if not law.deny and (law.then.rows or self.bundle.hides(law.then.mask, grade)):
                yield Law(f"{law.id}: {law.then.mask}", True, law.applies, Then(), frozenset(), sure=True)

    def _budgeted(self) -> Iterator[Law]:
        """What budgets about this asset refuse, when so much of it alone was shown."""
        for budget in self.bundle.content.budgets:
            if not {self.asset.id, self.asset.category} & set(budget.data):
                continue
            holds = [self.pool.some(self.who(name) for name in budget.who)]
            holds += [self.office(budget.org)] if budget.org else []
            holds += [self._meant(budget.purpose)] if budget.purpose else []
            if budget.hard != Limit():
                applies = self.pool.all((*holds, self._reached(budget.hard)))
                yield Law(f"budget:{budget.id}", True, applies, Then(), frozenset())
            if budget.soft != Limit() and self.asset.opaque and self.bundle.hides(budget.mask, self.asset.grade):
                applies = self.pool.all((*holds, self._reached(budget.soft)))
                yield Law(f"budget:{budget.id}: {budget.mask}", True, applies, Then(), frozenset())

    def _reached(self, limit: Limit) -> Formula:
        """Whether so many records or labelled values were shown."""
        limits = (("records", limit.records), ("labelled", limit.fields))
        return self.pool.some(self._shown(name, least) for name, least in limits if least)

    def _shown(self, variable: str, least: int) -> Formula:
        self.noted.numbers.setdefault(variable, set()).add(float(least))
        key = (variable, least)
        return self.pool.atom(key, lambda: Atom(key, (variable,), _at_least(variable, least)))

    def _meant(self, purpose: str) -> Formula:
        self.noted.text("purpose", (purpose,))
        key = ("purpose", purpose)
        return self.pool.atom(key, lambda: Atom(key, ("kind", "purpose"), _for_purpose(purpose)))

    def _native(self) -> Law:
        """A native policy as one allow: it lets through, or it does not; its own denies are part of that."""
        content = self.bundle.content
        key = (
            "casbin", msgspec.json.encode(content.native, order="deterministic"), self.asset.revision, content.timezone,
            content.roles, content.orgs, content.declared, content.offices, content.data, content.grants,
        )  # fmt: skip
        says = self.pool.atom(key, lambda: Atom(key, (UNKNOWN,), lambda point: False))
        return Law("casbin", False, says, Then(), duties(Then()).profiles)

    def _law(self, rows: list[Row]) -> Law:
        identity, effect, _, _, _, _, _, until, when, then = rows[0]
        reach = self.pool.some(self.pool.all((self.who(row[2]), self.office(row[3]))) for row in rows)
        ends = self.before(int(until)) if until else ALWAYS
        applies = self.pool.all((reach, ends, self.condition(when) if when else ALWAYS))
        duty = parse(then)
        return Law(identity, effect != "allow", applies, duty, duties(duty).profiles)

    # --- who, where, until ------------------------------------------------------------------

    def who(self, name: str) -> Formula:
        """Whether the caller is one of these by name."""
        if name == EVERYBODY:
            return ALWAYS
        if name == SIGNED_IN:
            return self.pool.atom(name, lambda: Atom(name, ("kind",), lambda point: point["kind"] != "anonymous"))
        if name in KINDS:
            return self.pool.atom(name, lambda: Atom(name, ("kind",), lambda point: point["kind"] == name))
        if name.startswith(PERSON):
            person = name.removeprefix(PERSON)
            self.noted.text("id", (person,))
            return self.pool.atom(name, lambda: Atom(name, ("kind", "id"), _signed_in("id", frozenset((person,)))))
        return self.role(name)

    def role(self, name: str) -> Formula:
        """Whether one of the caller's roles is this one or includes it."""
        links = self.bundle.engine.links("g")
        among = frozenset(ROLE + role for role in self.bundle.content.declared if name in links.closure(role))
        key = ("role", among)
        return self.pool.atom(key, lambda: Atom(key, ("kind", *sorted(among)), None, among))

    def office(self, name: str) -> Formula:
        """Whether the caller's office is this one or below it."""
        if name == EVERYBODY:
            return ALWAYS
        links = self.bundle.engine.links("g2")
        below = frozenset((name, *(org for org in self.bundle.content.offices if name in links.closure(org))))
        self.noted.text("org", below)
        key = ("org", below)
        return self.pool.atom(key, lambda: Atom(key, ("kind", "org"), _signed_in("org", below)))

    def before(self, moment: int) -> Formula:
        """Whether it is before this moment."""
        self.noted.edges.add(moment)
        key = ("before", moment)
        return self.pool.atom(key, lambda: Atom(key, ("at",), _before(moment)))

    # --- grants -----------------------------------------------------------------------------

    def _fitting_grants(self) -> tuple[Grant, ...]:
        what = {self.asset.id, self.asset.category, self.asset.action}
        grants = self.bundle.content.grants
        return tuple(one for one in grants if what & set(one.data) and what & set(one.action))

    def covered(self, grants: Iterable[Grant]) -> Formula:
        """Whether one of these grants covers the request."""
        return self.pool.some(self._covers(grant) for grant in grants)

    def _covers(self, grant: Grant) -> Formula:
        meant = self._meant(grant.purpose)
        begun = self.pool.opposite(self.before(grant.begins)) if grant.begins else ALWAYS
        to = self.pool.some(part for name in grant.to for part in self._held_by(name))
        return self.pool.all((self.who(SIGNED_IN), meant, begun, self.before(grant.ends), to))

    def _held_by(self, name: str) -> Iterable[Formula]:
        """A grant names roles, offices, people and kinds in one list."""
        if name in self.bundle.content.offices:
            yield self.office(name)
        if name in self.bundle.content.declared or name in KINDS or name.startswith(PERSON):
            yield self.who(name)

    # --- conditions -------------------------------------------------------------------------

    def condition(self, text: str) -> Formula:
        """The formula of a `when`."""
        source = text.replace("\n", " ").strip()
        return self._truth(_tree(source), source)

    def _truth(self, node: ast.expr, source: str) -> Formula:
        if isinstance(node, ast.BoolOp):
            parts = [self._truth(value, source) for value in node.values]
            return self.pool.all(parts) if isinstance(node.op, ast.And) else self.pool.some(parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self.pool.opposite(self._truth(node.operand, source))
        found = self._grouped(node)
        return found if found is not None else self._comparison(Leaf(node, ast.get_source_segment(source, node) or ""))

    def _grouped(self, node: ast.expr) -> Formula | None:
        """What asks for roles and grants in the usual forms: worked out, not tried out."""
        if isinstance(node, ast.Attribute) and dotted(node) in ("grant.held", "approval.held"):
            wanted = (one for one in self.grants if dotted(node) == "grant.held" or one.approved_by)
            return self.covered(wanted)
        name, words, denied = _membership(node)
        if name == "subject.roles":
            found = self.pool.some(self.role(word) for word in words)
        elif name == "grant.ids":
            found = self.covered(one for one in self.grants if one.id in words)
        else:
            return None
        return self.pool.opposite(found) if denied else found

    def _comparison(self, leaf: Leaf) -> Formula:
        table = self.bundle.names
        names = tuple(dict.fromkeys(name for name in map(dotted, ast.walk(leaf.node)) if name in table))
        quiet = self.make({}, self.side, False)
        fixed = {name: table[name].get(quiet) for name in names if VARIABLES.get(name) == ()}
        key = (leaf.written, tuple(fixed.items()), *(self._context(name) for name in names))
        return self.pool.atom(key, lambda: self._atom(leaf, names, key, tuple(fixed.values())))

    def _context(self, name: str) -> object:
        """What the same words still depend on: the clock of the policy, its roles and grants."""
        if name in CLOCK:
            return self.bundle.content.timezone
        return None if name in VARIABLES else id(self.side)

    def _atom(self, leaf: Leaf, names: tuple[str, ...], key: Hashable, fixed: tuple[object, ...]) -> Atom:
        reads = tuple(dict.fromkeys(variable for name in names for variable in self._settles(name)))
        owns = frozenset(own for own in map(_own, names) if own)
        if len(owns) > 1:
            self.noted.linked.append(owns)
            if not FORMED.isdisjoint(names):  # beside a free text: nobody means that, and nothing is claimed about it
                reads = (UNKNOWN,)
        if _is_read_as_another(leaf.node):
            reads = (UNKNOWN,)
        granted = not GRANTED.isdisjoint(names)
        if granted:
            self.covered(self.grants)  # notes what its answer turns on
        self._note(leaf.node, names, fixed)
        test, side, make = self.bundle.condition(leaf.written).test, self.side, self.make
        return Atom(key, reads, lambda point: test(make(point, side, granted)), written=leaf.written)

    def _settles(self, name: str) -> tuple[str, ...]:
        if name == "subject.roles":
            return ("kind", *self.roles)
        if name in GRANTED:
            return ("kind", "id", "org", "purpose", "at", *self.roles)
        return VARIABLES.get(name, (UNKNOWN,))

    def _note(self, node: ast.expr, names: tuple[str, ...], fixed: tuple[object, ...]) -> None:
        """Keep the values at which this comparison can change."""
        words = [*_constants(node, str), *(value for value in fixed if isinstance(value, str))]
        numbers = [float(value) for value in (*_constants(node, int), *_constants(node, float))]
        numbers += [-value for value in numbers]  # a minus stands apart from its number
        if len(names) > 1:  # what one name can be, the other may be compared with
            words += [word for name in names for word in self.bundle.names[name].words or ()]
            words += [grant.id for grant in self.grants]
        clock = CLOCK & set(names)
        if clock and len(names) > 1:
            numbers += map(float, range(24))
        self.noted.hours |= "env.hour" in clock
        if clock:
            self.noted.times.update(word for word in words if _TIME.match(word))
        for own in filter(None, map(_own, names)):
            self.noted.text(own, words)
            self.noted.numbers.setdefault(own, set()).update(numbers)


def rows_about(bundle: Bundle, asset: Asset) -> dict[str, list[Row]]:
    """The rows that bear on an asset, by the id of their rule, in the order of the files."""
    found: dict[str, list[Row]] = {}
    if not (asset.listed and bundle.index.knows(asset)):
        return found
    things = {EVERYBODY, *bundle.engine.links("g3").closure(asset.id)}
    for row in bundle.engine.rules:
        if row[4] in things and fits(row, asset):
            found.setdefault(row[0], []).append(row)
    return found


def fits(row: Row, asset: Asset) -> bool:
    """Whether a row speaks about this action and this grade."""
    low, high = span(row[6]) or (1, 0)
    return low <= asset.grade <= high and (row[5] == EVERYBODY or asset.action in row[5].split("|"))


def dotted(node: ast.AST) -> str:
    """The name that a part of a condition is, or ""."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return ""


@lru_cache(maxsize=4096)
def _tree(source: str) -> ast.expr:
    """The syntax tree of a condition; the same rules bear on many kinds of requests."""
    return ast.parse(source, mode="eval").body


def _own(name: str) -> str:
    """The variable that this name is about."""
    variables = VARIABLES.get(name, ())
    return variables[-1] if variables else ""


def _signed_in(variable: str, among: frozenset[str]) -> Callable[[Point], bool]:
    """Nobody's office and nobody's name: an anonymous caller has none, whatever is claimed."""
    return lambda point: point["kind"] != "anonymous" and point[variable] in among


def _before(moment: int) -> Callable[[Point], bool]:
    def test(point: Point) -> bool:
        at = point["at"]
        return isinstance(at, float) and at < moment

    return test


def _at_least(variable: str, least: int) -> Callable[[Point], bool]:
    def test(point: Point) -> bool:
        value = point[variable]
        return isinstance(value, int | float) and value >= least

    return test


def _for_purpose(purpose: str) -> Callable[[Point], bool]:
    def test(point: Point) -> bool:
        pair = point["purpose"]
        vouched, stated = pair if isinstance(pair, tuple) else ("", "")
        return ((vouched if point["kind"] != "anonymous" else "") or stated) == purpose

    return test


def _membership(node: ast.expr) -> tuple[str, tuple[str, ...], bool]:
    """Name, words, and whether it is denied, of `has(NAME, words…)`, `word in NAME` and `word not in NAME`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "has":
        return dotted(node.args[0]), _constants(node, str), False
    one = isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.left, ast.Constant)
    if one and isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
        return dotted(node.comparators[0]), _constants(node, str), isinstance(node.ops[0], ast.NotIn)
    return "", (), False


def _is_read_as_another(node: ast.expr) -> bool:
    """Whether a free text is taken for an address or a time: then more than its words can make a difference."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        return False
    return dotted(node.args[0]) != {"ip_in": "env.source", "between": "env.time"}.get(
        node.func.id, dotted(node.args[0])
    )


Constant = TypeVar("Constant", str, int, float)


def _constants(node: ast.expr, kind: type[Constant]) -> tuple[Constant, ...]:
    return tuple(one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and type(one.value) is kind)
