"""Which name is a name, and which is data?

The names of members lead the walk and stand in the record of what nobody labelled. A service can put
data there (`{"330106199003072319": {…}}`, `{"王小明": {…}}`): what looks like data (`gateway.detect.members`) is never
spelled in a record.
"""

from functools import lru_cache

from gateway.detect import is_member

MAX_NAME = 65  # one more than a name may have to look like one
MAX_PATH = 200
MAX_UNLABELLED = 64

Trail = tuple["Trail | None", str | None] | None
"""The way to a value, last step first: a name, or None for an array."""


def is_name(name: str, strictly: bool) -> bool:
    """Whether a name looks like one, not like data; `strictly` where all around it is masked.

    Not every Chinese name is told from a word: there none is a name.
    """
    return is_member(name) and not (strictly and not name.isascii())


def folded(name: str) -> str:
    """One spelling for names that differ in case alone, also for those who compare in capitals (`ı`, `ſ`)."""
    return name.upper().casefold()


@lru_cache(maxsize=4096)
def spell_trail(trail: Trail) -> str:
    """The path of a value for the record: names only, arrays as `[*]`, what looks like data as `*`, which labels nothing."""
    steps: list[str] = []
    while trail is not None:
        trail, name = trail
        steps.append("[*]" if name is None else f".{name if is_name(name, False) else '*'}")
    return ("$" + "".join(reversed(steps)))[:MAX_PATH]


def spelled(met: dict[Trail, None]) -> tuple[str, ...]:
    """The paths of these ways, each once."""
    return tuple(dict.fromkeys(map(spell_trail, met))) if met else ()
