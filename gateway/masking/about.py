"""Which records of this answer may go, and how many?

Before an answer is masked its records are looked at. Rules:

1. A record that a row filter does not let through is taken out, whole. One whose member is missing, or is no text or
   number, is not let through. An answer that is one such record is told as one that is not there.
2. Around the records nothing may stand that a filter would not let through, nor inside an answer that is one record: a
   service that wraps its list once more shows nothing by it. Where the catalog does not say where the records are,
   nothing but single values may stand beside the only array.
3. More records than the grade of the request covers (`Mask.most`) are shown through the mask for the higher grade, or
   not at all. Those are counted that are left, in any shape; and an answer about more people than that, however it is
   written (`{"ids": […], "names": […]}`), has as many records (`whom.told_apart`): that is known once it was walked.
4. A member that counts records counts those that are left; where it counted more than the answer held, nobody can
   say how many the caller may see, and it is null: a page of which nothing was taken out tells of no other page.
   Where nothing is left it is 0 whatever it was: `?id_number=…&size=0` asks whether somebody is there.
"""

from collections.abc import Callable, Generator, Iterable
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.json import Decoder, encode

from gateway.facts import Asset, Mask, RowFilter
from gateway.jsonpath import Member, parse
from gateway.masking.json_body import MAX_WORK, MEMBER, TOO_DEEP, check_values
from gateway.masking.json_tree import MAX_DEPTH
from gateway.masking.records import NoRecords, Opened, at_most, counted, opened
from gateway.masking.turns import at_once, with_turns
from gateway.masking.unpack import Withheld

_members: Callable[[Raw | bytes], dict[str, Raw]] = Decoder(dict[str, Raw]).decode
_elements: Callable[[Raw | bytes], list[Raw]] = Decoder(list[Raw]).decode
_scalar: Callable[[Raw | bytes], str | int | float | bool | None] = Decoder(str | int | float | bool | None).decode
_ARRAY, _OBJECT = b"[{"
_CONTAINERS = frozenset(b"{[")
_NULL = Raw(b"null")
SLICE = 128 * 1024  # bytes of records looked at before others get their turn: about a millisecond


class TooMany(ValueError):
    """The answer has more records than may be shown at once."""


class NotFound(ValueError):
    """There is no such record, or none for this caller: `removed` says how many there were, and only the record hears it."""

    def __init__(self, removed: int = 0) -> None:
        super().__init__("no record for this caller")
        self.removed = removed


class Looked(Struct, frozen=True, eq=False):
    """An answer after its records were looked at: what is left, how many records at most, how many were taken out."""

    body: bytes
    records: int = 1
    removed: int = 0


def concerned(mask: Mask) -> bool:
    """Whether the records of such an answer have to be looked at."""
    return bool(mask.rows or mask.most)


def looked_into(body: bytes, mask: Mask, asset: Asset) -> Looked:
    """Look at the records of a short answer in JSON. Raises Withheld, TooMany, NotFound."""
    return at_once(look_slowly(body, mask, asset))


async def looked_into_long(body: bytes, mask: Mask, asset: Asset, people: int = 1) -> Looked:
    """The same for an answer of any length, with turns for others in between. Raises Withheld, TooMany, NotFound."""
    return await with_turns(look_slowly(body, mask, asset, people))


def look_slowly(body: bytes, mask: Mask, asset: Asset, people: int = 1) -> Generator[None, None, Looked]:
    """The same with stops at which others may get their turn, for an answer about so many people at least."""
    try:
        check_values(body)
        removed, records = 0, 1
        if mask.rows:
            body, removed = yield from _filtered(body, mask.rows, asset)
        if mask.most:
            records = at_most(body)
            if records > mask.most:  # most answers of one record need not be taken apart to be counted
                records = yield from counted(body, mask.enough)
            records = max(records, people)
            covering = mask.covering(records)
            if covering is None:
                raise TooMany("more records than may be shown at once")
            if covering.rows != mask.rows:
                body, more = yield from _filtered(body, covering.rows, asset)
                removed += more
    except (NoRecords, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Withheld(str(error) if isinstance(error, NoRecords) else "not JSON") from None
    return Looked(body, records, removed)


def _filtered(body: bytes, rows: tuple[RowFilter, ...], asset: Asset) -> Generator[None, None, tuple[bytes, int]]:
    """What is left of an answer, and how many records were taken out."""
    found = opened(body, asset.records)
    if found.way is None:
        if not (yield from alone(found.records[0], rows)):
            raise NotFound(1)
        return body, 0
    yield from _check_around(found, rows, bool(asset.records))
    yield
    kept: list[Raw] = []
    size = 0
    for raw in found.records:
        if passes(raw, rows):
            kept.append(raw)
        size += len(memoryview(raw)) + MEMBER
        if size >= SLICE:
            size = 0
            yield
    removed = len(found.records) - len(kept)
    yield
    left = found.without(kept)  # also where nothing was removed: the white space around records would tell
    return (_recounted(left, asset.total, len(found.records), len(kept)) if asset.total else left), removed


def _check_around(found: Opened, rows: tuple[RowFilter, ...], declared: bool) -> Generator[None, None, None]:
    """Whether something stands beside the records that may be one (rule 2). Raises Withheld."""
    for members, way in zip(found.around, found.way or (), strict=True):
        beside = {name: raw for name, raw in members.items() if name != way}
        if not declared and any(memoryview(raw)[0] in _CONTAINERS for raw in beside.values()):
            raise Withheld("the catalog does not say where its records are")
        if (yield from _holds_others(Raw(encode(beside)), rows)):
            raise Withheld("something beside its records is not for this caller")


def alone(record: Raw | bytes, rows: tuple[RowFilter, ...]) -> Generator[None, None, bool]:
    """Whether a record that stands in no list is let through: it may be a list in a wrapping. Raises Withheld."""
    return passes(record, rows) and not (yield from _holds_others(record, rows))


def _holds_others(raw: Raw | bytes, rows: tuple[RowFilter, ...]) -> Generator[None, None, bool]:
    """Whether anything in here has the member of a filter, and is not let through by it. Raises Withheld."""
    waiting: list[tuple[Raw | bytes, int]] = [(raw, 0)]
    size = 0
    while waiting:
        text, depth = waiting.pop()
        length = len(memoryview(text))
        if depth > MAX_DEPTH or depth * length > MAX_WORK:  # each level reads what lies below it once more
            raise Withheld(TOO_DEEP)
        size += length + MEMBER
        if size >= SLICE:
            size = 0
            yield
        if memoryview(text)[0] == _ARRAY:
            inside: Iterable[Raw] = _elements(text)
        else:
            inside = _members(text).values()
            for row in rows:
                value = _reader(row.field)(text)
                if not isinstance(value, UnsetType) and _text(value) not in row.values:
                    return True
        waiting += [(one, depth + 1) for one in inside if memoryview(one)[0] in _CONTAINERS]
    return False


def passes(record: Raw | bytes, rows: Iterable[RowFilter]) -> bool:
    """Whether a record of a list is let through by every filter."""
    if bytes(memoryview(record)[:1]) != b"{":
        return False
    for row in rows:
        value = _reader(row.field)(record)
        if isinstance(value, UnsetType) or _text(value) not in row.values:
            return False
    return True


def _text(raw: Raw) -> str | None:
    """The text or number, None for anything else: no filter lets that pass."""
    try:
        value = _scalar(raw)
    except msgspec.MsgspecError:
        return None
    if isinstance(value, str):
        return value
    return None if value is None or isinstance(value, bool) else bytes(raw).decode()


@lru_cache(maxsize=1024)
def _reader(path: str) -> Callable[[Raw | bytes], Raw | UnsetType]:
    """What reads the member at a path of names; it passes over everything else, and finds nothing where no object is."""
    names = [step.name for step in parse(path) if isinstance(step, Member)]
    kind: type = Raw
    for name in reversed(names):
        kind = msgspec.defstruct("Record", [("inner", kind | UnsetType, UNSET)], rename={"inner": name})
    decode: Callable[[Raw | bytes], Any] = Decoder(kind).decode  # a type that is made here has no name

    def read(record: Raw | bytes) -> Raw | UnsetType:
        try:
            here = decode(record)
        except msgspec.ValidationError:
            return UNSET
        for _ in names:
            here = UNSET if here is UNSET else here.inner
        found: Raw | UnsetType = here
        return found

    return read


def _recounted(body: bytes, path: str, before: int, after: int) -> bytes:
    """The answer with its count of records put right (rule 4)."""
    around: list[tuple[dict[str, Raw], str]] = []
    here: Raw | bytes = body.removeprefix(b"\xef\xbb\xbf")
    try:
        for step in parse(path):
            name = step.name if isinstance(step, Member) else ""
            around.append((_members(here), name))
            here = around[-1][0][name]
        right = bytes(here) == b"%d" % before
    except (KeyError, msgspec.MsgspecError):
        return body
    inner = Raw(b"%d" % after) if right or not after else _NULL
    for members, name in reversed(around):
        inner = Raw(encode(members | {name: inner}))
    return bytes(inner)
