"""Which grades does a rule speak about?

1. A level carries a comparator (`<= important`, `>= core`) or is `any`. A bare `core` would mean a ceiling
   to one reader and a floor to another; it is refused.
2. `general` spans general-1 to general-4: `<= general` ends at 4, `>= general` begins at 1.
3. A level that no grade satisfies is refused: the rule would silently never apply.
"""

import re

from gateway.facts import GRADES, Grade

ANY = "any"
NAMES = ("general", *GRADES)
_LEVEL = re.compile(r"(<=|>=|==|<|>)\s*([a-z0-9-]+)\Z")
_SPANS = {name: (int(grade), int(grade)) for name, grade in GRADES.items()} | {
    "general": (int(Grade.GENERAL_1), int(Grade.GENERAL_4))
}

Span = tuple[int, int]
"""Lowest and highest grade, both included."""


def span(level: str) -> Span | None:
    """The grades that a level means, or None when it cannot be read."""
    if level == ANY:
        return int(Grade.GENERAL_1), int(Grade.CORE)
    match = _LEVEL.match(level)
    if match is None or match[2] not in _SPANS:
        return None
    low, high = _SPANS[match[2]]
    return {
        "<=": (int(Grade.GENERAL_1), high),
        "<": (int(Grade.GENERAL_1), low - 1),
        ">=": (low, int(Grade.CORE)),
        ">": (high + 1, int(Grade.CORE)),
        "==": (low, high),
    }[match[1]]


def word(level: str) -> str:
    """The word of a level that is not a comparator: for the message about it."""
    return re.sub(r"^[<>=!]*\s*", "", level)
