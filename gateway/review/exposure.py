"""Which of two masks shows more?

Compares two masks field by field with the order that masks are merged by (`gateway.masks.strictest`). Rules:

1. A field that a mask does not name is shown as that mask shows what it does not know.
2. Two techniques that each show what the other hides count as both more and less: `partial(3,0)` and `partial(0,4)`.
"""

from typing import Final, Literal

from msgspec import Struct

from gateway.facts import Mask
from gateway.masks import parse_technique, strictest

Unlabelled = Literal["pass", "learn", "warn", "redact"]
_SHOWN: Final[dict[Unlabelled, str]] = {"pass": "keep", "learn": "keep", "warn": "keep", "redact": "redact"}
UNKNOWN: Final = "*"
"""Stands for the fields that the catalog does not know."""


class Shift(Struct, frozen=True):
    """A field that another mask shows otherwise: `more`, `less`, or both."""

    path: str
    before: str
    after: str
    more: bool
    less: bool


def shifts(before: Mask, after: Mask) -> tuple[Shift, ...]:
    """The fields that are shown otherwise after than before."""
    if before == after:
        return ()
    old, new = _techniques(before), _techniques(after)
    paths = dict.fromkeys((*old, *new))
    found = (_shift(path, old.get(path, old[UNKNOWN]), new.get(path, new[UNKNOWN])) for path in paths)
    return tuple(shift for shift in found if shift.more or shift.less)


def _techniques(mask: Mask) -> dict[str, str]:
    return {field.path: field.technique for field in mask.fields} | {UNKNOWN: _SHOWN[mask.unlabelled]}


def _shift(path: str, before: str, after: str) -> Shift:
    one, two = parse_technique(before), parse_technique(after)
    joined = strictest(one, two)
    return Shift(path, before, after, more=joined != two, less=joined != one)
