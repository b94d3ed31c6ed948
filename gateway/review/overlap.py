"""Which rules can never matter, and which other rule is to blame?

Every rule is looked at beside the others, for each kind of request that the catalog knows, tokens that are opened among them. Rules:

1. A rule is dead when no request can meet it; shadowed when every request that it allows is denied; redundant when
   another rule of the same effect and with the same duties always applies with it; contradicted when a deny applies to
   just the requests that it allows.
2. Each is said only when the search was certain of it, for every kind of request. What it had to leave open is said too.
3. Of two rules that always apply together the later one is redundant.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from msgspec import Struct

from gateway.catalog import Catalog
from gateway.policy import Bundle
from gateway.review.cells import Cell, cells, opened
from gateway.review.formula import ANY, NO, YES, Point, atoms_of
from gateway.review.laws import Law, Side
from gateway.review.search import Budget, Wish, find
from gateway.review.space import Space

STEPS = 500  # for one question; rules that ask for more are left open


class Relation(Struct):
    """What was found about one rule over all kinds of requests that it bears on."""

    id: str
    deny: bool
    reached: bool = False  # an endpoint, or a token that can be opened, has its data, action and level
    alive: bool = False  # a request can meet it
    effective: bool = False  # and gets through (an allow)
    open: bool = False  # something could not be settled
    implied: tuple[str, ...] = ()  # rules that always apply with it, of the same effect and with the same duties
    covered: tuple[str, ...] = ()  # denies that alone deny all that it allows
    equal: tuple[str, ...] = ()  # of these, those that deny nothing else
    never: tuple[str, ...] = ()  # comparisons of its condition that no request meets
    always: tuple[str, ...] = ()  # comparisons that every request meets


def relations(bundle: Bundle, catalog: Catalog, since: float = 0.0) -> dict[str, Relation]:
    """What was found about each rule, by id; `since` is the first moment that counts (seconds since 1970)."""
    found = {row[0]: _Gathered(Relation(row[0], row[1] != "allow")) for row in bundle.engine.rules}
    for cell in chain(cells((catalog,)), opened(catalog)):
        _look(bundle, cell, since, found)
    return {identity: gathered.told() for identity, gathered in found.items()}


class _Gathered:
    """What was found so far about one rule."""

    def __init__(self, relation: Relation) -> None:
        self.relation = relation
        self.implied: set[str] | None = None  # None: nothing looked at yet
        self.covered: set[str] | None = None
        self.equal: set[str] | None = None
        self.answers: dict[str, int] = {}

    def told(self) -> Relation:
        one = self.relation
        one.implied, one.covered, one.equal = (tuple(sorted(s or ())) for s in (self.implied, self.covered, self.equal))
        one.never = tuple(text for text, seen in self.answers.items() if not seen & YES)
        one.always = tuple(text for text, seen in self.answers.items() if seen == YES)
        return one


def _look(bundle: Bundle, cell: Cell, since: float, found: dict[str, _Gathered]) -> None:
    """Look at every rule that bears on one kind of request."""
    space = Space((Side(bundle, cell.assets[0]),), cell.verbs, since)
    laws = [law for law in space.laws[0] if law.id in found]
    denies = [law for law in laws if law.deny]
    for law in laws:
        gathered = found[law.id]
        gathered.relation.reached = True
        for text, answers in _comparisons(space, law):
            gathered.answers[text] = gathered.answers.get(text, 0) | answers
        meets, open_ = _possible(space, [(law.applies, law.struck)])
        gathered.relation.open |= open_
        if meets is None:
            continue
        gathered.relation.alive = True
        alike = [one for one in laws if one is not law and one.deny is law.deny and one.then == law.then]
        gathered.implied = _narrowed(gathered.implied, _always(space, law, alike, meets))
        if not law.deny:
            _shadow(space, law, denies, meets, gathered)


def _shadow(space: Space, law: Law, denies: Sequence[Law], meets: Point, gathered: _Gathered) -> None:
    relation = gathered.relation
    through, open_ = _possible(space, [(law.applies, YES), *((deny.applies, NO) for deny in denies)])
    relation.effective |= through is not None
    relation.open |= open_
    covering = _always(space, law, denies, meets) if through is None else set()
    gathered.covered = _narrowed(gathered.covered, covering)
    equal = {one.id for one in denies if one.id in covering and _implies(space, one, law)}
    gathered.equal = _narrowed(gathered.equal, equal)


def _always(space: Space, law: Law, others: Iterable[Law], meets: Point) -> set[str]:
    """Those of the other rules that apply whenever this one does; `meets` is a request that it applies to."""
    whole = {name: values[0] for name, values in space.domains.items()} | meets
    likely = (one for one in others if space.look(one.applies, whole) & one.struck)
    return {one.id for one in likely if _implies(space, law, one)}


def _implies(space: Space, one: Law, other: Law) -> bool:
    """Whether the other rule certainly applies whenever the one does."""
    found, open_ = _possible(space, [(one.applies, one.struck), (other.applies, ANY & ~other.struck)])
    return found is None and not open_


def _possible(space: Space, wishes: Iterable[Wish]) -> tuple[Point | None, bool]:
    budget = Budget(STEPS)
    found = find(space, wishes, budget)
    return found, budget.open


def _narrowed(before: set[str] | None, now: set[str]) -> set[str]:
    return now if before is None else before & now


def _comparisons(space: Space, law: Law) -> Iterator[tuple[str, int]]:
    """The comparisons of a condition as they are written, with the answers that they can give."""
    for atom in atoms_of(law.applies):
        if atom.written:
            yield atom.written, space.answers(atom, {})
