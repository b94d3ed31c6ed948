"""Which records of this answer may go, and how many?

Before an answer is masked its records are looked at. Rules:

1. A record that a row filter does not let through is taken out, whole. One whose member is missing, or is no text or
   number, is not let through. An answer that is one record is withheld.
2. More records than the grade of the request covers (`Mask.most`) are shown through the mask for the higher grade, or
   not at all. They are counted in any shape.
3. A member that counts records counts those that are left; where it counted more than the answer held, nobody can
   say how many the caller may see, and it is null.
"""

from collections.abc import Iterable

import msgspec
from msgspec import Raw, Struct
from msgspec.json import Decoder, encode

from gateway.facts import Asset, Mask, Revealed, RowFilter
from gateway.jsonpath import Member, parse
from gateway.masking.records import NoRecords, Opened, most_records, opened
from gateway.masking.unpack import Withheld

_members = Decoder(dict[str, Raw]).decode
_elements = Decoder(list[Raw]).decode
_scalar = Decoder(str | int | float | bool | None).decode
_CONTAINERS = frozenset(b"{[")
_NULL = Raw(b"null")
MAX_DEPTH = 8


class TooMany(ValueError):
    """The answer has more records than may be shown at once."""


class Looked(Struct, frozen=True, eq=False):
    """An answer after its records were looked at: what is left of it, whether it is a bulk, how many were taken out."""

    body: bytes
    bulk: bool = False
    removed: int = 0

    def told(self, revealed: Revealed) -> Revealed:
        """What masking did, with what was taken out before."""
        return Revealed(
            revealed.masked,
            revealed.unlabelled,
            revealed.records,
            revealed.seen,
            revealed.unlisted,
            revealed.clear,
            self.removed,
        )


def concerned(mask: Mask) -> bool:
    """Whether the records of such an answer have to be looked at."""
    return bool(mask.rows or mask.most)


def looked_into(body: bytes, mask: Mask, asset: Asset) -> Looked:
    """Look at the records of an answer in JSON. Raises Withheld, TooMany."""
    try:
        bulk = bool(mask.most) and most_records(body) > mask.most
        found = opened(body, asset.records)
    except (NoRecords, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Withheld(str(error) if isinstance(error, NoRecords) else "not JSON") from None
    if bulk and mask.beyond is None:
        raise TooMany(f"more than {mask.most} records")
    kept, removed = found.records, 0
    if mask.rows:
        kept = [raw for raw in kept if passes(raw, mask.rows)]
        removed = len(found.records) - len(kept)
    if removed:
        body = _less(found, kept, removed, asset.total)
    return Looked(body, bulk, removed)


def passes(record: Raw | bytes, rows: Iterable[RowFilter]) -> bool:
    """Whether a record is let through by every filter."""
    return all(_text_at(record, row.field) in row.values for row in rows)


def _text_at(record: Raw | bytes, path: str) -> str | None:
    """The text or number at a path of names in a record; None when there is none."""
    here: Raw | bytes = record
    try:
        for step in parse(path):
            if not isinstance(step, Member):
                return None
            here = _members(here)[step.name]
        value = _scalar(here)
    except (KeyError, msgspec.MsgspecError):
        return None
    return (
        value if isinstance(value, str) else None if value is None or isinstance(value, bool) else bytes(here).decode()
    )


def _less(found: Opened, kept: list[Raw], removed: int, total: str) -> bytes:
    if found.way is None:
        raise Withheld("its only record is not for this caller")
    body = found.without(kept)
    return _counted(body, total, len(found.records), len(kept)) if total else body


def _counted(body: bytes, path: str, before: int, after: int) -> bytes:
    """The answer with its count of records put right (rule 4)."""
    around: list[tuple[dict[str, Raw], str]] = []
    here: Raw | bytes = body
    try:
        for step in parse(path):
            name = step.name if isinstance(step, Member) else ""
            around.append((_members(here), name))
            here = around[-1][0][name]
        counted = bytes(here) == b"%d" % before
    except (KeyError, msgspec.MsgspecError):
        return body
    inner = Raw(b"%d" % after) if counted else _NULL
    for members, name in reversed(around):
        inner = Raw(encode(members | {name: inner}))
    return bytes(inner)
