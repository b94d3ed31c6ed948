"""Which values do two paths both name?

Labels are written with `..name` and `[*]`, a schema speaks of members and elements. Rules:

1. A label on an object or an array names everything in it, as masking does.
2. `covers` is strict: every value of the path has the label. `meets` is lenient: some value may have it.
"""

from gateway.jsonpath import Anywhere, Every, Member, Step

Steps = tuple[Step, ...]


def covers(label: Steps, path: Steps) -> bool:
    """Whether everything that the path names lies under the label."""
    if not label:
        return True
    head, rest = label[0], label[1:]
    if isinstance(head, Anywhere):
        return any(_is_called(step, head.name) and covers(rest, path[at + 1 :]) for at, step in enumerate(path))
    return bool(path) and _holds(head, path[0]) and covers(rest, path[1:])


def _is_called(step: Step, name: str) -> bool:
    return isinstance(step, Member | Anywhere) and step.name == name


def _holds(label: Step, step: Step) -> bool:
    if isinstance(step, Anywhere):  # at any depth: no fixed step holds that
        return False
    return isinstance(label, Every) or label == step


def meets(one: Steps, other: Steps) -> bool:
    """Whether something may be named by both, or lies under both; of two that hold a `..` only the ends are compared."""
    if not one or not other:
        return True
    if any(isinstance(step, Anywhere) for step in one) and any(isinstance(step, Anywhere) for step in other):
        return _touch(one[-1], other[-1])
    if isinstance(other[0], Anywhere):
        one, other = other, one
    head, rest = one[0], one[1:]
    if isinstance(head, Anywhere):
        return any(_touch(head, step) and meets(rest, other[at + 1 :]) for at, step in enumerate(other))
    return _touch(head, other[0]) and meets(rest, other[1:])


def _touch(one: Step, other: Step) -> bool:
    if isinstance(one, Every) or isinstance(other, Every):
        return True
    if isinstance(one, Member | Anywhere):
        return _is_called(other, one.name)
    return one == other


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
