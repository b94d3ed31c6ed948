"""How is one entry among millions found?

A SQLite database beside the ledger, one row per decision (its outcome joined), notice and act. It proves
nothing and may be deleted at any time: it is filled from the ledger, and again from its beginning when
it does not fit. Rules:

1. A row's number is the number of its entry in the ledger.
2. What stands in the index is at most what stands in the ledger; `size` says how much is read.
3. What many requests share is written once: `who` asks (person, session, device) and `what` was asked
   and said (route, asset, rule). A row points at both; the view `entries` shows all as one table.
   One combination may stand there twice, after a restart: nobody counts them.
4. Numbers that are joined are declared so: SQLite does not look in an index of another affinity.
5. Whom the records of an answer were about stands in `seen`: the keyed digest, and the number of the decision.
6. Lists (roles, reasons, rules) stand between newlines, so that one of them can be asked for whole.
"""

import os
import sqlite3
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from gateway.audit import shelf
from gateway.audit.entry import Malformed, decode
from gateway.entries import ActEntry, Entry, NoticeEntry, OutcomeEntry, VerdictEntry
from gateway.facts import GRADES, SUPPRESSED, Posture, Subject
from gateway.reasons import REASONS

_FORMAT: Final = 7
_BATCH: Final = 2000
_NO_FILE: Final = (0, 0)
_OPEN: Final = 65_536
_SHARED: Final = 65_536
_GLANCES: Final = 4096  # their parts are kept, a few KB each

_WHO: Final = (
    "subject", "person", "roles", "org", "clearance", "assurance", "session", "token", "device", "trust",
)  # fmt: skip
_WHAT: Final = (
    "kind", "name", "api", "method", "host", "route", "action", "asset", "category", "owner", "grade", "outcome",
    "stage", "would", "reasons", "rules", "layers", "bundle", "mask", "purpose", "honey", "notify", "band",
)  # fmt: skip
_PLACE: Final = ("n", "j", "seq", "at", "who", "what")
_ASKED: Final = ("source", "risk", "path", "object", "digest", "request", "trace")
_ENDED: Final = (
    "status", "sent", "received", "complete", "code", "masked", "unlabelled", "records", "waited", "took", "clear", "unlisted",
    "removed", "suppressed", "residual", "detail",
)  # fmt: skip
_BESIDE: Final = ("target", "detail", "count")
_OWN: Final = tuple(dict.fromkeys((*_ASKED, *_ENDED, *_BESIDE)))

DIGEST: Final = 8
"""Bytes of a digest in `seen`."""
COLUMNS: Final = ("n", "j", "seq", "at", *_WHO, *_WHAT, *_OWN)
"""What the view `entries` has."""

_TABLES = f"""
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journals (j INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL);
CREATE TABLE IF NOT EXISTS who (who INTEGER PRIMARY KEY, {", ".join(_WHO)});
CREATE TABLE IF NOT EXISTS what (what INTEGER PRIMARY KEY, {", ".join(_WHAT)});
CREATE TABLE IF NOT EXISTS rows (
 n INTEGER PRIMARY KEY, j INTEGER, seq INTEGER, at, who INTEGER, what INTEGER, {", ".join(_OWN)}
);
CREATE VIEW IF NOT EXISTS entries AS SELECT {", ".join(COLUMNS)} FROM rows JOIN who USING (who) JOIN what USING (what);
CREATE INDEX IF NOT EXISTS rows_seq ON rows (j, seq);
CREATE INDEX IF NOT EXISTS rows_at ON rows (at);
CREATE INDEX IF NOT EXISTS rows_who ON rows (who, at);
CREATE INDEX IF NOT EXISTS who_subject ON who (subject);
CREATE INDEX IF NOT EXISTS rows_larger ON rows (at) WHERE unlisted > 0;
CREATE TABLE IF NOT EXISTS seen (digest BLOB, n INTEGER, PRIMARY KEY (digest, n)) WITHOUT ROWID;
"""  # noqa: S608  # our own names only


def _insert(table: str, columns: Sequence[str], rows: int = 1) -> str:
    values = ", ".join([f"({', '.join('?' * len(columns))})"] * rows)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {values}"  # noqa: S608  # our own names only


_ADD_WHO = _insert("who", ("who", *_WHO))
_ADD_WHAT = _insert("what", ("what", *_WHAT))
_DECISION: Final = (*_PLACE, *_ASKED, *_ENDED)
_ADD_DECISION = _insert("rows", _DECISION)
_AT_ONCE: Final = 400  # rows that are kept before they are written
# rows in one statement take two thirds of the time of rows one by one; 999 values are always allowed
_TOGETHER: Final = 34
_ADD_DECISIONS = _insert("rows", _DECISION, _TOGETHER)
_ADD_BESIDE = _insert("rows", (*_PLACE, *_BESIDE))
_END = f"UPDATE rows SET {', '.join(f'{name} = ?' for name in _ENDED)} WHERE n = ?"  # noqa: S608  # our own names only
_WAITING = (None,) * len(_ENDED)
_REFUSED = {code: (meaning.status, *_WAITING[1:]) for code, meaning in REASONS.items()}
_NOT_ALLOWED = (403, *_WAITING[1:])
_NOBODY = (None,) * len(_WHO)


class _Shared:
    """Rows that many others point at: each is written once, and known by its content."""

    def __init__(self, table: str, statement: str) -> None:
        self._table, self._statement = table, statement
        self.known: dict[Hashable, int] = {}
        self.glances: dict[Hashable, int] = {}
        self._kept: list[Any] = []
        self._next = 1
        self._new: list[tuple[Any, ...]] = []

    def add(self, key: Hashable, values: tuple[Any, ...]) -> int:
        """The number of this new row; `key` finds it again in `known`."""
        if len(self.known) >= _SHARED:
            self.known.clear()  # what comes again is written again
        number = self.known[key] = self._next
        self._next += 1
        self._new.append((number, *values))
        return number

    def remember(self, glance: Hashable, number: int, parts: Any) -> int:
        """From now on `glance` finds it in `glances`. It has ids of `parts`, which are kept: their ids stay theirs."""
        if len(self.glances) >= _GLANCES:
            self._overlook()
        self.glances[glance] = number
        self._kept.append(parts)
        return number

    def _overlook(self) -> None:
        self.glances.clear()
        self._kept.clear()

    def write(self, connection: sqlite3.Connection) -> None:
        """Write what is new."""
        connection.executemany(self._statement, self._new)
        self._new.clear()

    def forget(self, connection: sqlite3.Connection) -> None:
        """Go on from what stands in the file."""
        self.known.clear()
        self._overlook()
        self._new.clear()
        (last,) = connection.execute(f"SELECT coalesce(max({self._table}), 0) FROM {self._table}").fetchone()  # noqa: S608  # our own names only
        self._next = last + 1


class Index:
    """The index in this file, for the one process that fills it; readers open their own connection."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: dict[str, int] = {}  # where the permits stand whose outcome is still to come
        self._journals: dict[str, int] = {}
        self._who, self._what = _Shared("who", _ADD_WHO), _Shared("what", _ADD_WHAT)
        self._file = _NO_FILE
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
        added = False
        try:
            with self._connection:
                self._connection.execute("BEGIN")
                self._fill(first, entries)
                self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('size', ?)", (first + len(entries),))
            added = True
        finally:
            if not added:
                self._recall(self._connection)  # numbers that were given out did not come into the file

    def catch_up(self, ledger: Path, size: int, most: int | None = None) -> int:
        """Read what the ledger has and the index lacks, or the next `most` of it; returns how many entries that were.

        Starts from nothing when the index holds more than the `size` entries of the ledger, and when its file
        is not the one that was opened: somebody deleted it.
        """
        if self._is_lost() or self.size > size:
            self.start_over()
        begin = self.size
        first, end = begin, size if most is None else min(size, begin + most)
        if first == end:
            return 0
        raws = islice(shelf.read_entries(ledger, first), end - first)
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
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self.path.chmod(0o600)  # before the first write: the files beside it get the mode of this one
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")  # it can be made again: no need to wait for the disk
            connection.execute("PRAGMA cache_size = -32768")  # KiB
            connection.execute("PRAGMA wal_autocheckpoint = 4000")  # pages: one that many rows share is copied once
            connection.executescript(_TABLES)
            row = connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
            if row is not None and row[0] != _FORMAT:
                raise sqlite3.DatabaseError("another format")
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('format', ?)", (_FORMAT,))
            self._recall(connection)
            found = self.path.stat()
            self._file = (found.st_dev, found.st_ino)
        except (sqlite3.DatabaseError, OSError):
            connection.close()
            raise
        return connection

    def start_over(self) -> None:
        """Make the file anew; the next call of `catch_up` begins at the first entry."""
        self._file = _NO_FILE  # should the disk fail below, the next call tries again
        self._connection.close()
        _remove(self.path)
        self._connection = self._prepare()

    def _is_lost(self) -> bool:
        """Whether the open file has no name any more: nobody who asks would ever see what is written to it."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return True
        return (found.st_dev, found.st_ino) != self._file

    def _recall(self, connection: sqlite3.Connection) -> None:
        """Know what stands in the file, and nothing else."""
        self._open.clear()
        self._journals = {name: number for number, name in connection.execute("SELECT j, id FROM journals")}
        self._who.forget(connection)
        self._what.forget(connection)

    def _fill(self, first: int, entries: Sequence[Entry]) -> None:
        """One INSERT per row; an outcome that comes in the same batch as its permit is part of it."""
        endings = {entry.verdict: entry for entry in entries if isinstance(entry, OutcomeEntry)}
        decisions: list[tuple[Any, ...]] = []
        beside: list[tuple[Any, ...]] = []
        shown: list[tuple[bytes, int]] = []
        for number, entry in enumerate(entries, first):
            if isinstance(entry, VerdictEntry):
                identity = f"{entry.journal}.{entry.seq}"
                ending = endings.pop(identity, None)
                if ending is None and entry.outcome == "permit":
                    self._expect(identity, number)
                decisions.append(self._decision(number, entry, ending))
                if ending is not None and ending.seen:
                    shown += _shown(ending, number)
                if len(decisions) == _AT_ONCE:
                    self._write(decisions)
            elif isinstance(entry, NoticeEntry):
                beside.append(self._notice(number, entry))
            elif isinstance(entry, ActEntry):
                beside.append(self._act(number, entry))
        connection = self._connection
        self._who.write(connection)
        self._what.write(connection)
        self._write(decisions)
        connection.executemany(_ADD_BESIDE, beside)
        late = [(ending, self._place(identity)) for identity, ending in endings.items()]
        connection.executemany(_END, [(*_ended(ending), place) for ending, place in late])
        shown += [row for ending, place in late if place is not None for row in _shown(ending, place)]
        connection.executemany("INSERT OR IGNORE INTO seen (digest, n) VALUES (?, ?)", shown)

    def _write(self, decisions: list[tuple[Any, ...]]) -> None:
        """Write these rows, most of them together."""
        alone = len(decisions) % _TOGETHER
        flat = list(chain.from_iterable(decisions[alone:]))
        width = _TOGETHER * len(_DECISION)
        self._connection.executemany(_ADD_DECISION, decisions[:alone])
        self._connection.executemany(_ADD_DECISIONS, [flat[at : at + width] for at in range(0, len(flat), width)])
        decisions.clear()

    def _decision(self, number: int, entry: VerdictEntry, ending: OutcomeEntry | None) -> tuple[Any, ...]:
        subject, posture, risk, reasons, mask = entry.subject, entry.posture, entry.risk, entry.reasons, entry.mask
        who = self._who.glances.get((id(subject), id(posture))) or self._person(subject, posture)
        matter = (
            entry.route, entry.asset, entry.api, entry.method, entry.host, entry.action, entry.category, entry.owner,
            entry.grade, entry.outcome, entry.stage, entry.would, entry.bundle, entry.purpose, entry.honey,
            entry.notify, risk.band, id(reasons), id(mask),
        )  # fmt: skip
        what = self._what.glances.get(matter) or self._matter(matter, entry)
        if ending is not None:
            ended = _ended(ending)
        elif entry.outcome == "permit":
            ended = _WAITING
        else:
            ended = _REFUSED.get(reasons[0].code, _NOT_ALLOWED) if reasons else _NOT_ALLOWED
        return (
            number, self._journals.get(entry.journal) or self._journal(entry.journal), entry.seq, entry.at, who, what,
            entry.source, risk.score, entry.path, entry.object, entry.digest, entry.request, entry.trace, *ended,
        )  # fmt: skip

    def _person(self, subject: Subject, posture: Posture) -> int:
        proof = subject.proof
        person = (
            subject.id, subject.name, subject.roles, subject.org, subject.clearance, subject.assurance,
            proof.session, proof.token, posture.device, posture.trust,
        )  # fmt: skip
        number = self._who.known.get(person) or self._who.add(person, (*person[:2], _list(subject.roles), *person[3:]))
        return self._who.remember((id(subject), id(posture)), number, (subject, posture))

    def _matter(self, glance: tuple[Hashable, ...], entry: VerdictEntry) -> int:
        said = tuple([(reason.code, reason.rule, reason.layer) for reason in entry.reasons])
        matter = (*glance[:-2], said, entry.mask.profile if entry.mask else "")
        number = self._what.known.get(matter) or self._what.add(matter, _what(entry))
        return self._what.remember(glance, number, (entry.reasons, entry.mask))

    def _notice(self, number: int, entry: NoticeEntry) -> tuple[Any, ...]:
        who = self._who.known.get(None) or self._who.add(None, _NOBODY)
        key = ("notice", entry.name)
        what = self._what.known.get(key) or self._what.add(key, (*key, *[None] * (len(_WHAT) - 2)))
        journal = self._journal(entry.journal)
        return (number, journal, entry.seq, entry.at, who, what, entry.subject, entry.detail, entry.count)

    def _act(self, number: int, entry: ActEntry) -> tuple[Any, ...]:
        person = (entry.operator, entry.role)
        values = dict(zip(_WHO, _NOBODY, strict=True)) | {"subject": entry.operator, "roles": _list([entry.role])}
        who = self._who.known.get(person) or self._who.add(person, tuple(values.values()))
        key = ("act", entry.act, "permit" if entry.ok else "deny")
        values = dict.fromkeys(_WHAT) | dict(zip(("kind", "name", "outcome"), key, strict=True))
        what = self._what.known.get(key) or self._what.add(key, tuple(values.values()))
        return (number, self._journal(entry.journal), entry.seq, entry.at, who, what, entry.target, entry.detail, 1)

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


def is_damaged(error: Exception) -> bool:
    """Whether what stands in the file cannot be read, so that it must be made anew; a full disk is no damage."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte; what is above tells the kind of damage
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def find(connection: sqlite3.Connection, identity: str) -> int | None:
    """The number of the entry with this decision id, or None."""
    journal, _, seq = identity.rpartition(".")
    if not (seq.isascii() and seq.isdigit()) or len(seq) > 15:
        return None
    row = connection.execute(
        "SELECT n FROM rows JOIN journals USING (j) WHERE id = ? AND seq = ?", (journal, int(seq))
    ).fetchone()
    return int(row[0]) if row else None


def _read(raw: bytes) -> Entry:
    try:
        return decode(raw)
    except Malformed as error:  # number and place must stay; the verifier will say what is wrong with it
        return NoticeEntry(1, "unreadable", 0, 0.0, "audit.altered", "", str(error))


def _list(items: Iterable[str]) -> str:
    text = "\n".join(dict.fromkeys(items))  # two reasons may cite one rule: it is counted once
    return f"\n{text}\n" if text else ""


def _what(entry: VerdictEntry) -> tuple[Any, ...]:
    return (
        "verdict", None, entry.api, entry.method, entry.host, entry.route, entry.action, entry.asset, entry.category,
        entry.owner, int(GRADES.get(entry.grade, 0)), entry.outcome, entry.stage, entry.would,
        _list(reason.code for reason in entry.reasons), _list(reason.rule for reason in entry.reasons if reason.rule),
        _list(reason.layer for reason in entry.reasons if reason.layer), entry.bundle,
        entry.mask.profile if entry.mask else "", entry.purpose, int(entry.honey), _list(entry.notify), entry.risk.band,
    )  # fmt: skip


def _ended(entry: OutcomeEntry) -> tuple[Any, ...]:
    masked = suppressed = 0
    for path, count in entry.masked:
        masked += count
        if path == SUPPRESSED:
            suppressed += count
    return (
        entry.status, entry.sent, entry.received, 1 if entry.complete else 0, entry.code,
        masked, len(entry.unlabelled), entry.records, entry.waited, entry.took, entry.clear, entry.unlisted,
        entry.removed, suppressed, _list(entry.residual) if entry.residual else "", entry.detail,
    )  # fmt: skip


def _shown(entry: OutcomeEntry, number: int) -> Iterator[tuple[bytes, int]]:
    """The digests of those whom the answer was about, each with the number of its decision."""
    for start in range(0, len(entry.seen) - DIGEST + 1, DIGEST):
        yield entry.seen[start : start + DIGEST], number


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
