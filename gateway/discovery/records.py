"""What is kept of what was seen, and how do the counts of several workers become one?

The shape of `state/discovery/w<slot>.json`. Rules:

1. Counts, day of first and last sight, names of members and identifiers: never a value, a part of one, or a digest of one.
2. Counts of several workers are added. How many different values there were cannot be: each worker counts with a key
   that only it knows, so the largest count stands, and reads as "at least about".
3. A file is somebody's text until it is checked: what is out of bounds is refused with the way to mend it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from gateway.jsonpath import parse

MAX_FILE = 32 * 1024 * 1024
LENGTHS = (4, 8, 11, 15, 18, 32, 64)
"""Upper bounds of the length histogram, in characters; one more bucket for what is longer."""

Count = Annotated[int, Meta(ge=0)]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Name = Annotated[str, Meta(max_length=512)]


class Unreadable(Exception):
    """A file of counters that cannot be read: which, and how to mend it."""


class PathRecord(Struct, frozen=True, omit_defaults=True, gc=False):
    """The counters of one path. `lengths` counts texts by `LENGTHS`, `hits` values by what they may be."""

    path: Name
    first: Day
    last: Day
    answers: Count = 0  # sampled answers that had the path
    nulls: Count = 0
    blanks: Count = 0  # texts without a character
    texts: Count = 0
    numbers: Count = 0
    truths: Count = 0
    lengths: tuple[Count, ...] = (0,) * (len(LENGTHS) + 1)
    hits: dict[Name, Count] = {}
    distinct: Count = 0  # different values, estimated
    label: Name | None = None  # identifier of the label that covers the path; "" for a label without one, None for none

    def __post_init__(self) -> None:
        parse(self.path)
        if len(self.lengths) != len(LENGTHS) + 1:
            raise ValueError(f"not {len(LENGTHS) + 1} lengths")

    @property
    def values(self) -> int:
        """Values that were looked at: texts and numbers that hold something."""
        return self.texts + self.numbers


class RouteRecord(Struct, frozen=True, omit_defaults=True):
    """What was learnt of one route: sampled answers, those too long to learn from, and each path."""

    api: Name
    asset: Name
    route: Name
    answers: Count = 0
    long: Count = 0
    paths: tuple[PathRecord, ...] = ()


class Record(Struct, frozen=True):
    """What one worker has learnt."""

    version: Literal[1]
    routes: tuple[RouteRecord, ...]


EMPTY = Record(1, ())


def encoded(record: Record) -> bytes:
    """The text of the file."""
    return msgspec.json.encode(record)


def decoded(data: bytes, path: Path) -> Record:
    """The record of a file. Raises Unreadable."""
    try:
        return msgspec.json.decode(data, type=Record)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Unreadable(f"`{path}` holds no counters of discovery ({error}): remove it, it fills again") from None


def merged(records: Iterable[Record]) -> Record:
    """All of them as one."""
    routes: dict[tuple[str, str], RouteRecord] = {}
    for record in records:
        for route in record.routes:
            key = route.api, route.route
            routes[key] = _both(routes[key], route) if key in routes else route
    return Record(1, tuple(routes[key] for key in sorted(routes)))


def _both(one: RouteRecord, other: RouteRecord) -> RouteRecord:
    paths = {path.path: path for path in one.paths}
    for path in other.paths:
        paths[path.path] = _sum(paths[path.path], path) if path.path in paths else path
    return RouteRecord(
        one.api,
        other.asset,
        one.route,
        one.answers + other.answers,
        one.long + other.long,
        tuple(paths[path] for path in sorted(paths)),
    )


def _sum(one: PathRecord, other: PathRecord) -> PathRecord:
    later = max(one, other, key=lambda path: path.last)
    return PathRecord(
        one.path,
        min(one.first, other.first),
        later.last,
        one.answers + other.answers,
        one.nulls + other.nulls,
        one.blanks + other.blanks,
        one.texts + other.texts,
        one.numbers + other.numbers,
        one.truths + other.truths,
        tuple(a + b for a, b in zip(one.lengths, other.lengths, strict=False)),
        {name: one.hits.get(name, 0) + other.hits.get(name, 0) for name in {*one.hits, *other.hits}},
        max(one.distinct, other.distinct),
        later.label,
    )
