"""Is there a request for which all of this comes out as wished?

A search over the representatives of a space, one variable at a time, that turns back as soon as a wish can no longer
be met. Rules:

1. Only variables on which an open wish turns are tried; the wish with the fewest of them comes first.
2. A request is found, or there is none, or it is not known: because the budget was used up, or because a rule looks at
   what this search cannot vary. Steps have the same answer on every machine; whoever has a clock may end it sooner.
3. Whoever asked may refuse what was found (`accepts`); the search goes on from there.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct

from gateway.review.formula import ANY, FAILS, NO, YES, Formula, Point, asked, atoms_of, swapped
from gateway.review.space import Space

BUDGET = 50_000
LOOK = 64  # steps between two questions whether to go on: some milliseconds
SETTLED = (YES, NO, FAILS)

Wish = tuple[Formula, int]
"""A formula, and the answers that would do; `ANY` means that it must be settled, however."""


class Budget(Struct):
    """How long searches may go on: so many steps, and while `goes_on` says so, which is asked every few steps."""

    steps: int = BUDGET
    goes_on: Callable[[], bool] = lambda: True
    taken: int = 0
    over: bool = False  # it was used up
    open: bool = False  # something had to be left open, for this or another reason

    def step(self) -> bool:
        """Take a step; False when none is left."""
        if self.taken >= self.steps or (self.taken % LOOK == 0 and self.ended()):
            self.over = self.open = True
            return False
        self.taken += 1
        return True

    def ended(self) -> bool:
        """Whether it is used up, as `goes_on` says now; what has ended never begins again."""
        self.over = self.over or not self.goes_on()
        return self.over


def find(
    space: Space,
    wishes: Iterable[Wish],
    budget: Budget,
    accepts: Callable[[Point], bool] = lambda point: True,
    known: Point | None = None,
) -> Point | None:
    """A point at which every wish is met, or None; then `budget.open` says whether there may be one all the same."""
    small = _together(wishes)
    return _search(space, small, budget, accepts, known or {}) if small is not None else None


def _together(wishes: Iterable[Wish]) -> list[Wish] | None:
    """The wishes in small parts; None when two of them contradict each other, which needs no search."""
    whole = _united(wishes)
    return _united(part for wish in whole for part in asked(*wish)) if whole is not None else None


def _united(wishes: Iterable[Wish]) -> list[Wish] | None:
    found: dict[int, Wish] = {}
    for formula, wanted in wishes:
        _, before = found.get(id(formula), (formula, ANY))
        if not before & wanted:
            return None
        found[id(formula)] = (formula, before & wanted)
    return list(found.values())


def _search(
    space: Space, wishes: list[Wish], budget: Budget, accepts: Callable[[Point], bool], point: Point
) -> Point | None:
    if not budget.step():
        return None
    open_: list[Wish] = []
    for wish in wishes:
        formula, wanted = wish
        answers = space.look(formula, point)
        if not answers & wanted:
            return None
        if answers & ~wanted or (wanted == ANY and answers not in SETTLED):
            open_.append(wish)
    if not open_:
        return point if accepts(point) else None
    left = _united(part for wish in open_ for part in _rest(space, wish, point))
    if left is None:
        return None
    variable = _next(space, left, point)
    if variable is None:  # a rule looks at something that cannot be varied: only what is really decided can tell
        budget.open = True
        return point if accepts(point) else None
    for value in space.domains[variable]:
        found = _search(space, left, budget, accepts, {**point, variable: value})
        if found is not None:
            return found
        if budget.over:
            return None
    return None


def _rest(space: Space, wish: Wish, point: Point) -> Iterable[Wish]:
    """What of a wish is still to be met: parts that are settled are left out, and where one part is left it is asked."""
    formula, wanted = wish
    if formula.op == "not":
        yield from _rest(space, (formula.parts[0], swapped(wanted)), point)
    elif formula.op == "atom":
        yield wish
    else:
        settled = YES if formula.op == "all" else NO  # a part that says no more than this changes nothing
        open_ = [part for part in formula.parts if space.look(part, point) != settled]
        if wanted == settled or len(open_) == 1:
            for part in open_:
                yield from _rest(space, (part, wanted), point)
        else:
            yield wish


def _next(space: Space, wishes: list[Wish], point: Point) -> str | None:
    """A variable of the wish that leaves the least choice, the one with the fewest values."""
    choices = [
        (len(free), name != "kind", len(space.domains[name]), name)  # who asks comes first: a person, if it can be one
        for free in (_free(space, formula, point) for formula, _ in wishes)
        for name in free
    ]
    return min(choices)[-1] if choices else None


def _free(space: Space, formula: Formula, point: Point) -> set[str]:
    """The variables on which the answer still turns."""
    return {
        name
        for atom in atoms_of(formula)
        if space.answers(atom, point) not in SETTLED
        for name in atom.reads
        if name not in point and name in space.domains
    }
