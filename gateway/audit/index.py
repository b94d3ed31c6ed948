"""How is one entry among millions found?

A SQLite table beside the ledger, one row per decision (its outcome joined), notice and act. It proves
nothing and may be deleted at any time: it is filled from the ledger, and again from its beginning when
it does not fit. Rules:

1. A row's number is the number of its entry in the ledger.
2. What stands in the index is at most what stands in the ledger; `size` says how much is read.
3. Lists (roles, reasons, rules) stand between newlines, so that one of them can be asked for whole.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from gateway.audit import shelf
from gateway.audit.entry import Malformed, decode
from gateway.facts import GRADES, ActEntry, Entry, NoticeEntry, OutcomeEntry, VerdictEntry

_FORMAT: Final = 1
_BATCH: Final = 2000
_OPEN: Final = 65_536

COLUMNS: Final = (
    "n", "kind", "j", "seq", "at", "subject", "person", "roles", "org", "clearance", "assurance", "session", "token",
    "device", "trust", "source", "risk", "band", "api", "method", "host", "path", "route", "action", "asset",
    "category", "owner", "grade", "object", "digest", "outcome", "stage", "would", "reasons", "rules", "bundle",
    "mask", "purpose", "honey", "notify", "request", "trace", "name", "target", "detail", "count",
    "status", "sent", "received", "complete", "code", "masked", "unlabelled", "records", "waited", "took",
)  # fmt: skip
_TABLE = f"""
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journals (j INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL);
CREATE TABLE IF NOT EXISTS entries (n INTEGER PRIMARY KEY, {", ".join(COLUMNS[1:])});
CREATE INDEX IF NOT EXISTS entries_seq ON entries (j, seq);
CREATE INDEX IF NOT EXISTS entries_at ON entries (at);
CREATE INDEX IF NOT EXISTS entries_subject ON entries (subject, at);
"""
_INSERT = f"INSERT OR REPLACE INTO entries VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608  # our own names only
_OUTCOME = """UPDATE entries SET status = ?, sent = ?, received = ?, complete = ?, code = ?, masked = ?,
 unlabelled = ?, records = ?, waited = ?, took = ? WHERE n = ?"""
_NO_OUTCOME = (None,) * 10


class Index:
    """The index in this file, for the one process that fills it; readers open their own connection."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: dict[str, int] = {}  # where the permits stand whose outcome is still to come
        self._journals: dict[str, int] = {}
        self._connection = self._connect()

    @property
    def size(self) -> int:
        """How many entries of the ledger are read."""
        row = self._connection.execute("SELECT value FROM meta WHERE key = 'size'").fetchone()
        return int(row[0]) if row else 0

    def add(self, first: int, entries: Sequence[Entry]) -> None:
        """Take the entries with the numbers from `first` on, all or none. Raises ValueError on a gap."""
        if first != self.size:
            raise ValueError(f"the index holds {self.size} entries and was offered number {first}")
        with self._connection:
            self._connection.execute("BEGIN")
            self._fill(first, entries)
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('size', ?)", (first + len(entries),))

    def catch_up(self, ledger: Path, size: int) -> int:
        """Read what the ledger has and the index lacks; returns how many entries that were.

        Starts from nothing when the index holds more than the `size` entries of the ledger.
        """
        if self.size > size:
            self._start_over()
        begin = first = self.size
        raws = islice(shelf.read_entries(ledger, first), size - first)
        while batch := [_read(raw) for raw in islice(raws, _BATCH)]:
            self.add(first, batch)
            first += len(batch)
        return first - begin

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _connect(self) -> sqlite3.Connection:
        """Open the file; one that is not ours or of another format is made anew."""
        try:
            return self._prepare()
        except sqlite3.DatabaseError:
            _remove(self.path)
            return self._prepare()

    def _prepare(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")  # it can be made again: no need to wait for the disk
            connection.executescript(_TABLE)
            row = connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
            if row is not None and row[0] != _FORMAT:
                raise sqlite3.DatabaseError("another format")
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('format', ?)", (_FORMAT,))
            self._journals = {name: number for number, name in connection.execute("SELECT j, id FROM journals")}
        except sqlite3.DatabaseError:
            connection.close()
            raise
        self.path.chmod(0o600)
        return connection

    def _start_over(self) -> None:
        self._connection.close()
        _remove(self.path)
        self._open.clear()
        self._connection = self._prepare()

    def _fill(self, first: int, entries: Iterable[Entry]) -> None:
        """One INSERT per row; an outcome that comes in the same batch as its permit is part of it."""
        rows: dict[int, list[Any]] = {}
        late: list[tuple[Any, ...]] = []
        for number, entry in enumerate(entries, first):
            if isinstance(entry, OutcomeEntry):
                place = self._place(entry.verdict)
                if place in rows:
                    rows[place][-10:] = _outcome(entry)
                elif place is not None:
                    late.append((*_outcome(entry), place))
            elif isinstance(entry, VerdictEntry):
                rows[number] = [number, "verdict", self._journal(entry.journal), entry.seq, *_verdict(entry)]
                if entry.outcome == "permit":
                    self._expect(f"{entry.journal}.{entry.seq}", number)
            elif isinstance(entry, NoticeEntry):
                rows[number] = [number, "notice", self._journal(entry.journal), entry.seq, *_notice(entry)]
            else:
                rows[number] = [number, "act", self._journal(entry.journal), entry.seq, *_act(entry)]
        self._connection.executemany(_INSERT, rows.values())
        self._connection.executemany(_OUTCOME, late)

    def _expect(self, identity: str, number: int) -> None:
        self._open[identity] = number
        if len(self._open) > _OPEN:
            del self._open[next(iter(self._open))]

    def _place(self, identity: str) -> int | None:
        number = self._open.pop(identity, None)
        return find(self._connection, identity) if number is None else number

    def _journal(self, name: str) -> int:
        number = self._journals.get(name)
        if number is None:
            cursor = self._connection.execute("INSERT INTO journals (id) VALUES (?)", (name,))
            number = self._journals[name] = int(cursor.lastrowid or 0)
        return number


def find(connection: sqlite3.Connection, identity: str) -> int | None:
    """The number of the entry with this decision id, or None."""
    journal, _, seq = identity.rpartition(".")
    if not (seq.isascii() and seq.isdigit()) or len(seq) > 15:
        return None
    row = connection.execute(
        "SELECT n FROM entries JOIN journals USING (j) WHERE id = ? AND seq = ?", (journal, int(seq))
    ).fetchone()
    return int(row[0]) if row else None


def _read(raw: bytes) -> Entry:
    try:
        return decode(raw)
    except Malformed as error:  # number and place must stay; the verifier will say what is wrong with it
        return NoticeEntry(1, "unreadable", 0, 0.0, "audit.altered", "", str(error))


def _list(items: Iterable[str]) -> str:
    text = "\n".join(items)
    return f"\n{text}\n" if text else ""


def _verdict(entry: VerdictEntry) -> tuple[Any, ...]:
    subject, posture, risk = entry.subject, entry.posture, entry.risk
    return (
        entry.at, subject.id, subject.name, _list(subject.roles), subject.org, int(subject.clearance),
        subject.assurance, subject.proof.session, subject.proof.token, posture.device, posture.trust, entry.source,
        risk.score, risk.band, entry.api, entry.method, entry.host, entry.path, entry.route, entry.action, entry.asset,
        entry.category, entry.owner, int(GRADES.get(entry.grade, 0)), entry.object, entry.digest, entry.outcome,
        entry.stage, entry.would, _list([reason.code for reason in entry.reasons]),
        _list([reason.rule for reason in entry.reasons if reason.rule]), entry.bundle,
        entry.mask.profile if entry.mask else "", entry.purpose, int(entry.honey), _list(entry.notify),
        entry.request, entry.trace, None, None, None, None, *_NO_OUTCOME,
    )  # fmt: skip


_EMPTY = (None,) * (len(COLUMNS) - 5 - len(_NO_OUTCOME) - 4)


def _notice(entry: NoticeEntry) -> tuple[Any, ...]:
    return (entry.at, *_EMPTY, entry.name, entry.subject, entry.detail, entry.count, *_NO_OUTCOME)


def _act(entry: ActEntry) -> tuple[Any, ...]:
    said = "permit" if entry.ok else "deny"
    row = [entry.at, *_EMPTY, entry.act, entry.target, entry.detail, 1, *_NO_OUTCOME]
    row[COLUMNS.index("subject") - 4] = entry.operator
    row[COLUMNS.index("roles") - 4] = _list([entry.role])
    row[COLUMNS.index("outcome") - 4] = said
    return tuple(row)


def _outcome(entry: OutcomeEntry) -> tuple[Any, ...]:
    return (
        entry.status, entry.sent, entry.received, int(entry.complete), entry.code,
        sum([count for _, count in entry.masked]), len(entry.unlabelled), entry.records, entry.waited, entry.took,
    )  # fmt: skip


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
