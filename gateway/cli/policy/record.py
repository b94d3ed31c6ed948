"""Which recorded decisions are meant, and what does somebody who judges all of them see meanwhile?

A span (`30d`, `12h`) of the state directory's ledger, or a file of entries: one JSON a line, or a journal. Rules:

1. The record is opened for reading only. Nothing here writes, locks or signs.
2. Entries are read in parts that do not depend on each other, so that several processes can judge.
3. What is no decision is passed over; what cannot be read is counted and told.
"""

import re
import sqlite3
import sys
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import Struct

if TYPE_CHECKING:  # heavy: only the commands that need it pay
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

    from gateway.facts import VerdictEntry

SECONDS: Final = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_SPAN = re.compile(r"([1-9][0-9]{0,5})([mhdw])\Z")
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


def odd_span(text: str) -> bool:
    """Whether this is a span that was written wrongly (`5x`), and no file either: a slip of usage."""
    return bool(re.fullmatch(r"[0-9]+[A-Za-z]*", text)) and seconds(text) is None and not Path(text).is_file()


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
    from gateway.facts import VerdictEntry

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


def look_up(state: Path, identity: str) -> "VerdictEntry | None":
    """The decision with this id, out of the ledger or out of a journal that is not sealed yet. Raises OSError."""
    from gateway.audit import Malformed, decode
    from gateway.audit.chain import is_journal
    from gateway.facts import VerdictEntry

    journal, _, seq = identity.rpartition(".")
    if not is_journal(journal) or not (seq.isascii() and seq.isdigit()):  # it would become a file name
        return None
    for raw in _likely(state, identity, journal, seq):
        try:
            entry = decode(raw)
        except Malformed:
            continue
        if isinstance(entry, VerdictEntry) and (entry.journal, str(entry.seq)) == (journal, seq):
            return entry
    return None


def _likely(state: Path, identity: str, journal: str, seq: str) -> Iterator[bytes]:
    """What may be the entry: where the index says, else what carries its number."""
    from gateway.audit import lookup, read_entries

    try:
        number = lookup(state / "index.db", identity)
    except sqlite3.Error:  # the index is rebuilt at will; the ledger is what counts
        number = None
    if number is not None:
        yield from islice(read_entries(state / "ledger", number), 1)
    needle = f'"journal":"{journal}","seq":{seq},'.encode()
    own = state / "journal" / f"{journal}.log"
    spans = [*(file_spans(own) if own.is_file() else ()), *ledger_spans(state / "ledger")]
    yield from (raw for span in spans for raw in _raws(span) if needle in raw[:_LOOK])


# --- judging all of them ------------------------------------------------------------------------


T = TypeVar("T")


def judged(spans: list[Span], judge: Callable[[Span], T], jobs: int, label: str) -> Iterator[T]:
    """What `judge` makes of each part, in their order, on `jobs` processes; with a progress bar on a terminal.

    Raises OSError, also when one of the processes died.
    """
    from rich.console import Console
    from rich.progress import Progress

    several = min(jobs, len(spans)) > 1  # they are started before the bar: it has a thread, and threads do not fork
    results = _apart(spans, judge, min(jobs, len(spans))) if several else map(judge, spans)
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task(label, total=sum(span.end - span.start for span in spans))
        for span, result in zip(spans, results, strict=True):
            bar.advance(task, span.end - span.start)
            yield result


def _apart(spans: list[Span], judge: Callable[[Span], T], jobs: int) -> Iterator[T]:
    """Each process takes every so-many-th part; what it judges by is inherited, only results are sent."""
    context = get_context("fork")
    pipes = [context.Pipe(duplex=False) for _ in range(jobs)]
    processes = [
        context.Process(target=_work, args=(spans[number::jobs], judge, sending), daemon=True)
        for number, (_, sending) in enumerate(pipes)
    ]
    for process, (_, sending) in zip(processes, pipes, strict=True):
        process.start()
        sending.close()
    return _gathered(len(spans), [receiving for receiving, _ in pipes], processes)


def _work(spans: list[Span], judge: Callable[[Span], object], sending: "Connection[object, object]") -> None:
    for span in spans:
        sending.send(judge(span))


def _gathered(count: int, receiving: "list[Connection[T, T]]", processes: "list[ForkProcess]") -> Iterator[T]:
    try:
        for number in range(count):
            yield receiving[number % len(receiving)].recv()
    except EOFError:
        raise OSError("a process that was judging has died") from None
    finally:
        for process in processes:
            process.terminate()
            process.join()
