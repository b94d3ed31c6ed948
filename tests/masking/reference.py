"""Which values does a mask hide? Said once more, slowly and straight from the rules, to hold the walks against.

No states and no sets: a path either names the way to a value or it does not. The trees are the author's
own, so that what stands in a text is known without reading it.
"""

from typing import NamedTuple

from gateway.facts import Mask
from gateway.jsonpath import Element, Every, Member, Step, parse


class Leaf(NamedTuple):
    """A value: what it says, and how it is spelled in the text."""

    says: str
    spelled: str


class Named(NamedTuple):
    """A member: its name, how that is spelled, and its value."""

    name: str
    spelled: str
    value: "Node"


class Object(NamedTuple):
    members: tuple[Named, ...]


class Array(NamedTuple):
    elements: tuple["Node", ...]


Node = Leaf | Object | Array
Way = tuple[str | int, ...]  # names of members and places in arrays


def written(node: Node, space: str) -> str:
    """The text of a tree, with this white space around its tokens."""
    match node:
        case Leaf(_, spelled):
            return spelled
        case Array(elements):
            return f"[{space}" + f",{space}".join(written(one, space) for one in elements) + f"{space}]"
        case Object(members):
            inside = (f"{one.spelled}{space}:{space}{written(one.value, space)}" for one in members)
            return f"{{{space}" + f"{space},{space}".join(inside) + f"{space}}}"


def hidden_and_shown(node: Node, mask: Mask) -> tuple[set[str], set[Leaf]]:
    """What may stand nowhere in the answer, and what must stand in it as it was spelled."""
    hidden: set[str] = set()
    shown: set[Leaf] = set()
    labels = [(parse(field.path), field.technique) for field in mask.fields]

    def look(node: Node, way: Way, counts: bool) -> None:
        match node:
            case Leaf():
                # what covers an object covers all below it; what covers an array names its elements themselves
                above = [way[:end] for end in range(len(way)) if isinstance(way[end], str)]
                hiding = any(how != "keep" and any(names(steps, one) for one in [*above, way]) for steps, how in labels)
                kept = any(how == "keep" and names(steps, way) for steps, how in labels)
                if hiding or (mask.unlabelled == "redact" and not kept):
                    hidden.add(node.says)
                elif counts:
                    shown.add(node)
            case Array(elements):
                for at, element in enumerate(elements):
                    look(element, (*way, at), counts)
            case Object(members):
                last = {member.name: at for at, member in enumerate(members)}
                for at, member in enumerate(members):
                    look(member.value, (*way, member.name), counts and last[member.name] == at)

    look(node, (), True)
    return hidden, shown


def names(steps: tuple[Step, ...], way: Way) -> bool:
    """Whether the steps name what this way leads to; arrays are seen through (rule 2 of `plan`)."""
    if not way:
        return all(isinstance(step, Every | Element) for step in steps)
    first, rest = way[0], way[1:]
    if isinstance(first, int):
        return _through_array(steps, first, rest)
    if not steps:
        return False
    step, more = steps[0], steps[1:]
    match step:
        case Every():
            return names(more, rest) or names(more, way)
        case Element(index):
            return (str(index) == first and names(more, rest)) or names(more, way)
        case Member(name):
            return name == first and names(more, rest)
        case _:
            return (step.name == first and names(more, rest)) or names(steps, rest)


def _through_array(steps: tuple[Step, ...], place: int, rest: Way) -> bool:
    if steps and isinstance(steps[0], Every):
        return names(steps[1:], rest)
    if steps and isinstance(steps[0], Element):
        if steps[0].index == place:
            return names(steps[1:], rest)
        return bool(rest) and isinstance(rest[0], int) and names(steps, rest)
    return names(steps, rest)
