"""Could any request tell these two rules apart?

A proof by the rows alone, for what a search would look for in vain. It errs on one side: what it calls equal is equal.
Rules:

1. Two rules are equal when they say the same words to the same callers about the same routes of the catalog. The grade
   of a route is fixed there, so `<= general-2` and `<= general-3` are equal where no route is general-3.
2. A log that the grade demands anyway (by default) adds nothing.
3. A step-up is offered at the least assurance that helps. A lower one in `then` changes nothing where a deny refuses
   everybody with a sign-in that weak.
"""

import ast
from collections.abc import Callable, Collection

from msgspec import Struct
from msgspec.structs import replace

from gateway.document import Node
from gateway.policy import Bundle, suppose
from gateway.policy.content import Row
from gateway.policy.decide import BY_GRADE
from gateway.policy.duties import ASSURANCES, parse, written
from gateway.review.atoms import take_apart
from gateway.review.routes import Route, reached, reaches

Barred = Callable[[Route, int], bool]
"""Whether a person with this assurance is refused on this route, whatever else is true."""


class Spoken(Struct, frozen=True):
    """What one rule says to one kind of caller: the words of a row, with the routes that they reach."""

    effect: str
    who: str
    org: str
    routes: frozenset[str]
    expires: str
    when: str
    then: str


def said(rows: tuple[Row, ...], known: tuple[Route, ...], bars: Barred) -> frozenset[Spoken]:
    """What the rows of one rule say about the routes of the catalog: equal means that no request is decided otherwise."""
    about: dict[tuple[str, ...], set[Route]] = {}
    for row in rows:
        about.setdefault((row[1], row[2], row[3], *row[7:]), set()).update(reached((row,), known))
    spoken = set()
    for (effect, who, org, expires, when, then), found in about.items():
        if found:
            names = frozenset(route.name for route in found)
            spoken.add(Spoken(effect, who, org, names, expires, when, _then(then, found, bars)))
    return frozenset(spoken)


def _then(text: str, about: Collection[Route], bars: Barred) -> str:
    """The duties without what makes no difference on these routes."""
    then = parse(text)
    if all(BY_GRADE[route.asset.grade.national] == "synced" for route in about):
        then = replace(then, log="synced")  # they are logged so by their grade
    step_up = then.step_up
    while step_up and ASSURANCES[step_up] > 1 and all(bars(route, ASSURANCES[step_up] - 1) for route in about):
        step_up = _NAMES[ASSURANCES[step_up] - 1]  # what is offered is the least that helps, and this does not
    return written(replace(then, step_up=step_up))


_NAMES = {number: name for name, number in ASSURANCES.items()}


class Bars:
    """Is a person with so weak a sign-in refused on this route, whatever else is true?"""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._known: dict[tuple[str, int], bool] = {}

    def __call__(self, route: Route, assurance: int) -> bool:
        key = (route.name, assurance)
        if key not in self._known:
            self._known[key] = any(self._barring(row, route, assurance) for row in self._bundle.content.rules)
        return self._known[key]

    def _barring(self, row: Row, route: Route, assurance: int) -> bool:
        """A deny for every person, for ever, with a condition that the assurance alone makes true."""
        if row[1] != "deny" or row[2] not in ("person", "signed-in", "*") or row[3] != "*" or row[7]:
            return False
        return reaches(row, route.asset) and any(
            _met(part, assurance, route, self._bundle) for part in _alternatives(row[8])
        )


def _alternatives(condition: str) -> list[str]:
    """The parts of which one is enough; one before it may fail, and then the deny applies all the same."""
    if not condition:
        return ["true"]
    source = condition.replace("\n", " ").strip()
    root = ast.parse(source, mode="eval").body
    parts = root.values if isinstance(root, ast.BoolOp) and isinstance(root.op, ast.Or) else [root]
    return [ast.get_source_segment(source, part) or source for part in parts]


def _met(part: str, assurance: int, route: Route, bundle: Bundle) -> bool:
    """Whether a part looks at nothing but the assurance, and holds for this one."""
    if set(take_apart((part,), bundle.names).names) - {"subject.assurance"}:
        return False
    given = Node({"assurance": Node(str(assurance), "", 1, 1)}, "", 1, 1)
    return bundle.condition(part).test(suppose(route.asset, route.method, route.path, given, "UTC"))
