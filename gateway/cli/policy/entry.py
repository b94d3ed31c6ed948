"""Which entry on record is the decision that somebody names, and is it signed?

Reads a state directory, and changes nothing in it (SQLite may touch the `-shm` file beside the index). Rules:

1. The index is only a signpost: the entry is taken from the ledger, and must carry the id that was asked for. Without an
   index, or with one that points elsewhere, the ledger is read from its beginning.
2. Of many entries only those are decoded whose bytes name the id.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct, json

from gateway.audit import Malformed, decode, lookup, read_entries
from gateway.audit.chain import is_journal
from gateway.entries import Entry, OutcomeEntry, VerdictEntry


class Found(Struct, frozen=True):
    """An entry with its number in the ledger, and how the request ended."""

    number: int
    entry: dict[str, Any]
    outcome: dict[str, Any] | None


def find(state: Path, id: str) -> Found | None:
    """The entry with this id (`journal.seq`); None when the ledger does not hold it. Raises OSError."""
    ledger = state / "ledger"
    if not ledger.is_dir():
        raise FileNotFoundError(2, "there is no ledger", str(ledger))
    found = _sealed(state, id)
    if found is None:
        return None
    number, entry = found
    return Found(number, _plain(entry), _ended(ledger, number, id))


def decision(state: Path, id: str) -> VerdictEntry | None:
    """The decision with this id, out of the ledger or out of a journal that is not sealed yet. Raises OSError."""
    found = _sealed(state, id) if (state / "ledger").is_dir() else None
    entry = found[1] if found else _unsealed(state, id)
    return entry if isinstance(entry, VerdictEntry) else None


def signed(state: Path) -> int | None:
    """How many entries the last checkpoint covers; None when there is none to read."""
    try:
        lines = (state / "ledger" / "checkpoint").read_text("utf-8", "replace").split("\n")
    except OSError:
        return None
    return int(lines[1]) if len(lines) > 2 and lines[1].isascii() and lines[1].isdigit() else None


def _sealed(state: Path, id: str) -> tuple[int, Entry] | None:
    start = _number(state / "index.db", id)
    for begin in (0,) if start is None else (start, 0):  # an index proves nothing: it may be old, or somebody's own
        raws = enumerate(read_entries(state / "ledger", begin), begin)
        found = next(_carrying(raws, id), None)
        if found is not None:
            return found
    return None


def _unsealed(state: Path, id: str) -> Entry | None:
    journal = id.rpartition(".")[0]
    file = state / "journal" / f"{journal}.log"
    if not is_journal(journal) or not file.is_file():  # what is no id would become a file name
        return None
    lines = (line.partition(b" ")[2] for line in file.read_bytes().splitlines())  # the chain stands before a space
    return next((entry for _, entry in _carrying(enumerate(lines), id)), None)


def _number(index: Path, id: str) -> int | None:
    if not index.is_file():
        return None
    try:
        return lookup(index, id)
    except sqlite3.Error:
        return None


def _carrying(raws: Iterable[tuple[int, bytes]], id: str) -> Iterator[tuple[int, Entry]]:
    """The entries with this id, numbered; one that cannot be read is left to `audit verify`."""
    journal, _, seq = id.rpartition(".")
    for number, entry in _naming(raws, f'"journal":"{journal}","seq":{seq},'):
        if f"{entry.journal}.{entry.seq}" == id:
            yield number, entry


def _naming(raws: Iterable[tuple[int, bytes]], words: str) -> Iterator[tuple[int, Entry]]:
    needle = words.encode()
    for number, raw in raws:
        if needle in raw:
            try:
                yield number, decode(raw)
            except Malformed:
                continue


def _ended(ledger: Path, number: int, id: str) -> dict[str, Any] | None:
    """How the request ended; its outcome stands somewhere after the decision."""
    for _, entry in _naming(enumerate(read_entries(ledger, number)), f'"{id}"'):
        if isinstance(entry, OutcomeEntry) and entry.verdict == id:
            return _plain(entry)
    return None


def _plain(entry: Entry) -> dict[str, Any]:
    """The entry as the door would send it."""
    plain: dict[str, Any] = json.decode(json.encode(entry))
    return plain
