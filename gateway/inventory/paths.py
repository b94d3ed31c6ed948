"""Which values do two paths both name?

Labels are written with `..name` and `[*]`, a schema speaks of members and elements. Rules:

1. A label on an object or an array grades everything in it. Only what it names itself, and in arrays of values, is labelled by
   it (`exactly`): where a member turns up below, masking takes that for unlabelled.
2. `covers` is strict: every value of the path has the label. `meets` is lenient: some value may have it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from gateway.jsonpath import Anywhere, Element, Every, Member, Step

Steps = tuple[Step, ...]


def covers(label: Steps, path: Steps, exactly: bool = False) -> bool:
    """Whether everything that the path names lies under the label; `exactly`: is it, or its elements."""
    ends = {0}  # where in the path the label may have come to: trying every way in turn would take for ever
    for step in label:
        ends = _onwards(step, path, ends, _holds)
    return any(_in_arrays(path[end:]) for end in ends) if exactly else bool(ends)


def _in_arrays(steps: Steps) -> bool:
    return all(isinstance(step, Every | Element) for step in steps)


def meets(one: Steps, other: Steps) -> bool:
    """Whether something may be named by both, or lies under both; of two that hold a `..` only the ends are compared."""
    if not one or not other:
        return True
    if any(isinstance(step, Anywhere) for step in other):
        if any(isinstance(step, Anywhere) for step in one):
            return _touch(one[-1], other[-1])
        one, other = other, one
    ends = {0}
    for step in one:
        if len(other) in ends:
            return True
        ends = _onwards(step, other, ends, _touch)
    return bool(ends)


def _onwards(label: Step, path: Steps, ends: set[int], fits: Callable[[Step, Step], bool]) -> set[int]:
    """Where in the path one more step of the label may end, from each of these places."""
    if isinstance(label, Anywhere):
        return {at + 1 for at in range(min(ends, default=len(path)), len(path)) if fits(label, path[at])}
    return {at + 1 for at in ends if at < len(path) and fits(label, path[at])}


def _is_called(step: Step, name: str) -> bool:
    return isinstance(step, Member | Anywhere) and step.name == name


def _holds(label: Step, step: Step) -> bool:
    if isinstance(label, Anywhere):
        return _is_called(step, label.name)
    if isinstance(step, Anywhere):  # at any depth: no fixed step holds that
        return False
    return isinstance(label, Every) or label == step


def _touch(one: Step, other: Step) -> bool:
    if isinstance(one, Every) or isinstance(other, Every):
        return True
    if isinstance(one, Member | Anywhere):
        return _is_called(other, one.name)
    return one == other


class Labelled(Protocol):
    """What has a path."""

    @property
    def steps(self) -> Steps: ...


L = TypeVar("L", bound=Labelled)


def filed(labels: Iterable[L]) -> dict[str, list[L]]:
    """Labels by the last name on their way, "" for those without any: what one of them covers has this name on its way too."""
    found: dict[str, list[L]] = {}
    for one in labels:
        found.setdefault(next(reversed(names(one.steps)), ""), []).append(one)
    return found


def covering(path: Steps, labels: Mapping[str, Sequence[L]]) -> list[L]:
    """Those of the filed labels that cover a path."""
    known = (one for name in dict.fromkeys(("", *names(path))) for one in labels.get(name, ()))
    return [one for one in known if covers(one.steps, path)]


def names(steps: Steps) -> tuple[str, ...]:
    """The names on the way, outermost first."""
    return tuple(step.name for step in steps if isinstance(step, Member | Anywhere))


def loosened(steps: Steps) -> Steps:
    """The same below any number of turns of a recursive structure: `.a.b` becomes `..a.b`.

    Where no name stands on the way it is the structure itself: what cannot be told apart is labelled as a whole.
    """
    for at, step in enumerate(steps):
        if isinstance(step, Member):
            return (Anywhere(step.name), *steps[at + 1 :])
        if isinstance(step, Anywhere):
            return steps[at:]
    return ()
