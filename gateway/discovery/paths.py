"""On which path does a value stand, and which label covers it?

Paths are spelled as the catalog spells them, so that a proposal can be copied into it. Rules:

1. Elements of arrays are one path: `[*]`.
2. A name that looks like data is not spelled: `{"330106199003072319": {…}}` and `{"王小明": {…}}` are `$[*]`
   (`gateway.detect.members`). So `方向` is lost, and nobody's name is kept.
3. A label with an identifier covers what it names and all below it, as a mask hides it; one without covers what it names, and
   arrays of that: members that turn up below nobody has labelled.
"""

from collections.abc import Iterable
from functools import lru_cache

from gateway.detect import is_member, named
from gateway.facts import Field
from gateway.jsonpath import Anywhere, Every, Member, Step, parse, spell

EVERY = "[*]"


@lru_cache(maxsize=4096)
def step(name: str) -> str:
    """How a member is spelled at the end of a path."""
    return spell((Member(name),))[1:] if is_member(name) else EVERY


def spoken(path: str) -> frozenset[str]:
    """The identifiers that names on the way speak of. Raises BadPath."""
    return frozenset[str]().union(*map(named, names(path)))


def names(path: str) -> tuple[str, ...]:
    """The names on the way, outermost first. Raises BadPath."""
    return tuple(one.name for one in parse(path) if isinstance(one, Member))


def label(fields: Iterable[Field], path: str) -> str | None:
    """The identifier of the strictest label that covers the path, "" for one without; None when there is no label."""
    way = parse(path)
    covering = [field for field in fields if _covers(parse(field.path), way, below=field.identifier != "")]
    if not covering:
        return None
    return max(covering, key=lambda field: (field.identifier != "", field.grade)).identifier


def _covers(named_by: tuple[Step, ...], way: tuple[Step, ...], below: bool) -> bool:
    """Whether a label's path names a value on this way, or something around it: an array, and `below` anything."""
    if not named_by:
        return below or all(isinstance(one, Every) for one in way)
    if not way:
        return False
    first, rest = named_by[0], named_by[1:]
    if isinstance(first, Anywhere):
        return any(one == Member(first.name) and _covers(rest, way[at + 1 :], below) for at, one in enumerate(way))
    return (isinstance(first, Every) or first == way[0]) and _covers(rest, way[1:], below)
