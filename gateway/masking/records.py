"""Which records are in this answer, and what is it without some of them?

1. The catalog says where the records are (`records: $.data.items`). An answer that does not have that member at all is a
   record itself (`GET /households/{id}`). Where the catalog says nothing they are the elements of the answer that is an
   array, or of the only array in the answer that is an object; else the answer itself is the record.
2. Records are handed out as raw text: what is not touched is written again as it came.
3. How many there are at most is told for any shape (`counted`): a service that wraps its answer once more
   does not make a list of ten thousand into one record, nor does one that keys its records (`{"id1": {…}, "id2": {…}}`).
"""

import sys
from collections.abc import Callable, Generator
from typing import Any

import msgspec
import orjson
from msgspec import Raw, Struct
from msgspec.json import Decoder, encode

from gateway.facts import FieldMask, Mask
from gateway.jsonpath import Element, Every, Member, parse, spell
from gateway.masking.points import is_point, is_point_text

Tree = dict[str, Any] | list[Any]

_read: Callable[[memoryview], Any] = orjson.loads
_members: Callable[[bytes | Raw], dict[str, Raw]] = Decoder(dict[str, Raw]).decode
_elements: Callable[[bytes | Raw], list[Raw]] = Decoder(list[Raw]).decode
_OBJECT, _ARRAY = b"{["
_CONTAINERS = (b"{"[0], b"["[0])
MAX_LEVELS = 16
MAP = 16
"""Members that are objects, from which on an object is a list by another name: a record has fewer parts."""
SLICE = 128 * 1024
MEMBER = 128  # bytes that cost as much to look into as one value more


class NoRecords(ValueError):
    """The answer has not the form that the catalog says; the text says what is missing, without any of its content."""


class Opened(Struct, frozen=True, eq=False):
    """An answer and the records in it. `way` are the names that lead to them, None when the answer is the one record."""

    records: list[Raw]
    way: tuple[str, ...] | None
    around: tuple[dict[str, Raw], ...] = ()

    def without(self, kept: list[Raw]) -> bytes:
        """The answer with only these records."""
        inner = Raw(b"[" + b",".join(map(bytes, kept)) + b"]")
        for name, members in zip(reversed(self.way or ()), reversed(self.around), strict=True):
            inner = Raw(encode(members | {name: inner}))
        return bytes(inner)


def way_of(path: str) -> tuple[str, ...] | None:
    """The names of a path to an array of records (`$.data.items`, `$.data.items[*]`); None when it leads elsewhere."""
    steps = list(parse(path))
    if steps and isinstance(steps[-1], Every):
        steps.pop()
    names = tuple(step.name for step in steps if isinstance(step, Member))
    return names if len(names) == len(steps) <= MAX_LEVELS else None


def opened(body: bytes, path: str = "") -> Opened:
    """The records of an answer. Raises NoRecords when something else stands there, and what msgspec raises."""
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    if path:
        return _declared(text, way_of(path) or ())
    if text[:1] == b"[":
        return Opened(_elements(text), ())
    if text[:1] == b"{":
        members = _members(text)
        arrays = [name for name, raw in members.items() if memoryview(raw)[0] == _ARRAY]
        if len(arrays) == 1:
            return Opened(_elements(members[arrays[0]]), (arrays[0],), (members,))
    return Opened([Raw(text)], None)


def _declared(text: bytes, way: tuple[str, ...]) -> Opened:
    around: list[dict[str, Raw]] = []
    here = Raw(text)
    try:
        for name in way:
            around.append(_members(here))
            if name not in around[-1]:
                if len(around) == 1:
                    return Opened([Raw(text)], None)
                raise NoRecords("the records are not where the catalog says")
            here = around[-1][name]
        return Opened(_elements(here), way, tuple(around))
    except msgspec.ValidationError:
        raise NoRecords("the records are not where the catalog says") from None


def at_most(body: bytes) -> int:
    """More than the records of this answer can never be: every record, and every list of them, opens with a bracket."""
    return body.count(b"{") + body.count(b"[")


def counted(body: bytes, enough: int = sys.maxsize) -> Generator[None, None, int]:
    """The length of the longest array of objects or arrays, or map of objects, anywhere; at least 1. Raises NoRecords.

    Beyond `enough` nobody asks how many there are.
    """
    longest, size = 1, 0
    waiting: list[tuple[Raw | bytes, int]] = [(body.removeprefix(b"\xef\xbb\xbf").strip(), 0)]
    while waiting and longest <= enough:
        text, depth = waiting.pop()
        first = memoryview(text)[0] if text else 0
        if first not in _CONTAINERS:
            continue
        if depth > MAX_LEVELS:  # wrapped seventeen times to look like one record
            raise NoRecords("nested too deeply to count its records")
        size += len(memoryview(text)) + MEMBER
        if size >= SLICE:
            size = 0
            yield
        if len(memoryview(text)) <= SLICE and (known := _parsed(text)) is not None:
            longest = max(longest, _longest(known))
            continue
        if first == _ARRAY:
            containers = [raw for raw in _elements(text) if _is_container(raw)]
            longest = max(longest, len(containers))
        else:
            containers = [raw for raw in _members(text).values() if memoryview(raw)[0] in _CONTAINERS]
            objects = sum(memoryview(raw)[0] == _CONTAINERS[0] for raw in containers)
            longest = max(longest, objects if objects >= MAP else 1)
        if longest <= enough:
            waiting += [(raw, depth + 1) for raw in containers if _may_hold_list(bytes(raw))]
    return longest


def _is_container(raw: Raw) -> bool:
    first = memoryview(raw)[0]
    return first == _OBJECT or (first == _ARRAY and not is_point_text(bytes(raw)))


def _parsed(text: Raw | bytes) -> Tree | None:
    """The values of a text that is an object or an array; None where it takes the other way to read it."""
    try:
        found: Tree = _read(memoryview(text))
    except orjson.JSONDecodeError:
        return None
    return found


def _longest(tree: Tree) -> int:
    """The same count in what is read already, at any depth: twice as quick as to take the text apart."""
    longest, waiting = 1, [tree]
    while waiting:
        here = waiting.pop()
        if isinstance(here, list):
            inside = [value for value in here if type(value) is dict or (type(value) is list and not is_point(value))]
            longest = max(longest, len(inside))
        else:
            inside = [value for value in here.values() if type(value) is dict]
            if len(inside) >= MAP:
                longest = max(longest, len(inside))
            inside += [value for value in here.values() if type(value) is list]
        waiting += inside
    return longest


def _may_hold_list(text: bytes) -> bool:
    return b"[" in text or text.count(b"{") > MAP


def records(mask: Mask) -> Mask:
    """The mask of one record: every label also without what leads to the list that the record stood in."""
    fields = dict.fromkeys(FieldMask(path, field.technique) for field in mask.fields for path in as_record(field.path))
    return Mask(mask.profile, tuple(fields), mask.unlabelled)


def as_record(path: str) -> tuple[str, ...]:
    """A path, and what it is in one record of a list that it leads through; nothing for no path."""
    if not path:
        return ()
    steps = parse(path)
    return (path, *(spell(steps[at + 1 :]) for at, step in enumerate(steps[:-1]) if isinstance(step, Every | Element)))
