"""Which of two masks shows more?

Compares two masks field by field with the order that masks are merged by (`gateway.masks.strictest`). Rules:

1. A field that a mask does not name is shown as that mask shows what it does not know.
2. An answer with many records may be shown through another mask, or be withheld: each number of records at which that
   changes is compared. A row filter counts as a field of its name (`rows $.district`), what is suppressed as one named `suppress`.
3. Two techniques that each show what the other hides count as both more and less: `partial(3,0)` and `partial(0,4)`.
"""

from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct

from gateway.facts import Mask, RowFilter, Suppress
from gateway.masks import parse_technique, strictest
from gateway.policy.pilot import counts

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
    """What is shown otherwise after than before."""
    if before == after:
        return ()
    found: dict[Shift, None] = {}
    for count in counts(before, after):
        one, two = before.covering(count), after.covering(count)
        if one is None or two is None:
            found |= dict.fromkeys(_withheld(one, two, count))
        else:
            found |= dict.fromkeys(_between(one, two))
    return tuple(found)


def _withheld(before: Mask | None, after: Mask | None, count: int) -> Iterator[Shift]:
    path = f"{UNKNOWN} ({count} records)"
    if after is not None:
        yield Shift(path, "withheld", "shown", more=True, less=False)
    elif before is not None:
        yield Shift(path, "shown", "withheld", more=False, less=True)


def _between(before: Mask, after: Mask) -> Iterator[Shift]:
    old, new = _techniques(before), _techniques(after)
    for path in dict.fromkeys((*old, *new)):
        shift = _shift(path, old.get(path, old[UNKNOWN]), new.get(path, new[UNKNOWN]))
        if shift.more or shift.less:
            yield shift
    was, now = ({row.field: row for row in mask.rows} for mask in (before, after))
    for field in dict.fromkeys((*was, *now)):
        if was.get(field) != now.get(field):
            yield _filtered(field, was.get(field), now.get(field))
    if before.suppress != after.suppress:
        yield _suppressed(before.suppress, after.suppress)


def _suppressed(before: Suppress | None, after: Suppress | None) -> Shift:
    """A smaller k or fewer fields show more; of two sets of fields that each lack one, each shows more."""
    more = before is not None and (after is None or not after.covers(before))
    less = after is not None and (before is None or not before.covers(after))
    return Shift("suppress", _rare(before), _rare(after), more, less)


def _rare(suppress: Suppress | None) -> str:
    return "none" if suppress is None else f"k {suppress.k} by [{', '.join(suppress.fields)}]"


def _filtered(field: str, before: RowFilter | None, after: RowFilter | None) -> Shift:
    """Another filter of one member; none lets all records pass."""
    more = before is not None and (after is None or not set(after.values) <= set(before.values))
    less = after is not None and (before is None or not set(before.values) <= set(after.values))
    return Shift(f"rows {field}", _values(before), _values(after), more, less)


def _values(row: RowFilter | None) -> str:
    return UNKNOWN if row is None else f"[{', '.join(row.values)}]"


def _techniques(mask: Mask) -> dict[str, str]:
    return {field.path: field.technique for field in mask.fields} | {UNKNOWN: _SHOWN[mask.unlabelled]}


def _shift(path: str, before: str, after: str) -> Shift:
    one, two = parse_technique(before), parse_technique(after)
    joined = strictest(one, two)
    return Shift(path, before, after, more=joined != two, less=joined != one)
