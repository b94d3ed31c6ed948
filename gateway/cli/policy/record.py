"""Which recorded decisions are meant?

A span (`30d`, `12h`) of the state directory's ledger, or a file of entries: one JSON a line, or a journal. Rules:

1. The record is opened for reading only. Nothing here writes, locks or signs.
2. Entries are read in parts that do not depend on each other, so that several processes can judge.
3. What is no decision is passed over; what cannot be read is counted and told.
"""

import re
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:  # heavy: only the commands that need it pay
    from gateway.cli.policy.stored import Installed
    from gateway.cli.screen import Screen
    from gateway.entries import Entry, VerdictEntry

SECONDS: Final = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_SPAN = re.compile(r"([1-9][0-9]{0,5})([mhdw])\Z")
_SLIP = re.compile(r"[0-9]+[A-Za-z]*")
_BEGIN: Final = b'{"kind":"verdict",'
_AT: Final = b'"at":'
_LOOK: Final = 256  # bytes within which an entry says when
_PEEK: Final = 65_536
_LATE: Final = 86_400.0  # an entry of a dead process may be sealed so long after others
_SLICE: Final = 16 * 1024 * 1024
_CHAIN: Final = 65  # a line of a journal begins with 64 digits and a space


class Span(Struct, frozen=True):
    """Part of a file of entries: `framed` as in the ledger, else a line each; entries before `since` are passed over."""

    path: Path
    start: int
    end: int
    framed: bool
    since: float = 0.0


class Taken(Struct):
    """How many entries were decisions, and how many could not be read."""

    decisions: int = 0
    unreadable: int = 0


def seconds(text: str) -> float | None:
    """The length of a span such as `30d`, None when it is none."""
    match = _SPAN.match(text)
    return int(match[1]) * SECONDS[match[2]] if match else None


def spans(word: str, here: "Installed", screen: "Screen") -> list[Span] | int:
    """The record that a word means; the exit code after saying why there is none: 2 for a slip such as `5x`, else 3."""
    length = seconds(word)
    try:
        if length is None and Path(word).is_file():
            return file_spans(Path(word))
        if length is None:
            screen.warn("record.none", "error", value=word)
            return 2 if _SLIP.fullmatch(word) else 3
        if here.state is None:
            screen.warn("record.no_ledger", "error", path=here.config)
            return 3
        return ledger_spans(here.state / "ledger", time.time() - length)
    except OSError as error:
        screen.warn("cannot_read", "error", why=error)
        return 3


def ledger_spans(ledger: Path, since: float = 0.0) -> list[Span]:
    """The files of the ledger that may hold entries from `since` (seconds since 1970) on, oldest first."""
    found: list[Span] = []
    for path in sorted((ledger / "entries").glob("*.bin"), reverse=True):
        found.append(Span(path, 0, path.stat().st_size, True, since))
        if _latest(path) < since - _LATE:  # whatever is older was sealed before this
            break
    return found[::-1]


def _latest(path: Path) -> float:
    """The latest time at the beginning of a file."""
    from gateway.audit.shelf import split

    with path.open("rb") as file:
        return max((_at(raw) for raw in split(file.read(_PEEK))), default=0.0)


def file_spans(path: Path) -> list[Span]:
    """A file of lines, in pieces that end with a line. Raises OSError."""
    size = path.stat().st_size
    edges = [0]
    with path.open("rb") as file:
        while edges[-1] < size:
            file.seek(min(edges[-1] + _SLICE, size))
            file.readline()
            edges.append(min(file.tell(), size) if file.tell() > edges[-1] else size)
    return [Span(path, start, end, False) for start, end in pairwise(edges)]


def decisions(span: Span, taken: Taken) -> Iterator["VerdictEntry"]:
    """The decisions of one part; `taken` counts them. Raises OSError."""
    from gateway.audit import Malformed
    from gateway.audit.reader import Reader
    from gateway.entries import VerdictEntry

    read = Reader().read
    for raw in _raws(span):
        if span.framed and not raw.startswith(_BEGIN):
            continue
        if span.since and _at(raw) < span.since:
            continue
        try:
            entry = read(raw)
        except Malformed:
            taken.unreadable += 1
            continue
        if isinstance(entry, VerdictEntry):
            taken.decisions += 1
            yield entry


def entries(span: Span, taken: Taken) -> Iterator["Entry"]:
    """Everything of one part, in order; `taken` counts. Raises OSError."""
    from gateway.audit import Malformed
    from gateway.audit.reader import Reader
    from gateway.entries import VerdictEntry

    read = Reader().read
    for raw in _raws(span):
        if span.since and _at(raw) < span.since:
            continue
        try:
            entry = read(raw)
        except Malformed:
            taken.unreadable += 1
            continue
        taken.decisions += isinstance(entry, VerdictEntry)
        yield entry


def _raws(span: Span) -> Iterator[bytes]:
    from gateway.audit.shelf import split

    with span.path.open("rb") as file:
        file.seek(span.start)
        data = file.read(span.end - span.start)
    if span.framed:
        yield from split(data)
        return
    for line in data.splitlines():
        raw = line.strip()
        if raw:
            yield raw if raw.startswith(b"{") else raw[_CHAIN:]


def _at(raw: bytes) -> float:
    """When, by a look at its beginning; 0 when it does not say so there."""
    begin = raw.find(_AT, 0, _LOOK)
    end = raw.find(b",", begin)
    try:
        return float(raw[begin + len(_AT) : end]) if begin >= 0 else 0.0
    except ValueError:
        return 0.0
