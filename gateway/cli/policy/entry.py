"""Which entry of a ledger is this decision, and is it signed?

Reads a state directory, and changes nothing in it (SQLite may touch the `-shm` file beside the index). The index is only a signpost: the entry is taken from the ledger,
and must carry the id that was asked for. Without an index, or with one that points elsewhere, the ledger is read from
its beginning.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct, json

from gateway.audit import Malformed, decode, lookup, read_entries
from gateway.facts import Entry, OutcomeEntry


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
    start = _number(state / "index.db", id)
    found = next(_entries(ledger, start), None) if start is not None else None
    if found is None or _id(found[1]) != id:  # an index proves nothing: it may be old, or somebody's own
        found = next((one for one in _entries(ledger) if _id(one[1]) == id), None)
    if found is None:
        return None
    number, entry = found
    return Found(number, _plain(entry), _ended(ledger, number, id))


def signed(state: Path) -> int | None:
    """How many entries the last checkpoint covers; None when there is none to read."""
    try:
        lines = (state / "ledger" / "checkpoint").read_text("utf-8", "replace").split("\n")
    except OSError:
        return None
    return int(lines[1]) if len(lines) > 2 and lines[1].isascii() and lines[1].isdigit() else None


def _number(index: Path, id: str) -> int | None:
    if not index.is_file():
        return None
    try:
        return lookup(index, id)
    except sqlite3.Error:
        return None


def _entries(ledger: Path, start: int = 0) -> Iterator[tuple[int, Entry]]:
    """The entries from a number on; one that cannot be read is left to `audit verify`."""
    for number, raw in enumerate(read_entries(ledger, start), start):
        try:
            yield number, decode(raw)
        except Malformed:
            continue


def _id(entry: Entry) -> str:
    return f"{entry.journal}.{entry.seq}"


def _ended(ledger: Path, number: int, id: str) -> dict[str, Any] | None:
    """How the request ended; its outcome stands somewhere after the decision."""
    for _, entry in _entries(ledger, number):
        if isinstance(entry, OutcomeEntry) and entry.verdict == id:
            return _plain(entry)
    return None


def _plain(entry: Entry) -> dict[str, Any]:
    """The entry as the door would send it."""
    plain: dict[str, Any] = json.decode(json.encode(entry))
    return plain
