"""Where is it kept, so that no crash forgets a revocation?

State on SQLite: `state.db`, written by the control process, read by every worker. Which tokens were opened is written by
the worker that opens one. Rules:

1. A change that returned is on the disk (WAL, synchronous FULL): a power cut does not undo it.
2. Commit first, bump the board after (the caller does). A crash between the two leaves a change that
   the next start, or a worker's regular look, finds.
3. What is read and written is the file that stands there: a change to one that was replaced is refused, a file that is
   gone is not made anew while the gateway runs.
4. `change` grows with every change and is never reused, also when rows go: readers follow it.
5. A file written by a newer version is refused, never guessed at; one of an older version is brought up to
   date in one transaction.
6. An emergency level is confirmed in one statement that holds every condition, a token opened by one that the key of its
   table refuses the second time: two of either cannot race.
"""

import errno
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from msgspec import DecodeError
from msgspec.json import Decoder, Encoder

from gateway.facts import Report
from gateway.stores.instant import Instant
from gateway.stores.records import (
    CONFIRM_SECONDS,
    Activation,
    Emergency,
    Kind,
    Pilot,
    Revocation,
    StateFault,
    Way,
    check_emergency,
    check_revocation,
)

_APPLICATION = 0x47575354  # "GWST", PRAGMA application_id: another program's database is refused

_SCHEMA = """
CREATE TABLE counter (change INTEGER NOT NULL) STRICT;
INSERT INTO counter VALUES (0);
CREATE TABLE revocation (
    id INTEGER PRIMARY KEY AUTOINCREMENT, change INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
    reason TEXT NOT NULL, by TEXT NOT NULL, at REAL NOT NULL, until REAL, lifted_at REAL, lifted_by TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX revocation_change ON revocation (change);
CREATE TABLE posture (
    device TEXT PRIMARY KEY, change INTEGER NOT NULL, reported_at REAL NOT NULL, report BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX posture_change ON posture (change);
CREATE TABLE posture_sequence (
    reporter TEXT NOT NULL, device TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (reporter, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE activation (
    id INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL, by TEXT NOT NULL, at REAL NOT NULL
) STRICT;
"""
_RELEASES = """
ALTER TABLE activation ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE activation ADD COLUMN way TEXT NOT NULL DEFAULT '';
CREATE TABLE emergency (
    id INTEGER PRIMARY KEY AUTOINCREMENT, level TEXT NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL,
    asked_at REAL NOT NULL, until REAL NOT NULL, confirmed_by TEXT NOT NULL DEFAULT '', confirmed_at REAL, ended_at REAL
) STRICT;
CREATE INDEX emergency_standing ON emergency (id) WHERE confirmed_at IS NOT NULL AND ended_at IS NULL;
CREATE TABLE pilot (
    id INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL, terms TEXT NOT NULL, by TEXT NOT NULL, at REAL NOT NULL,
    ended_at REAL, ended_by TEXT NOT NULL DEFAULT '', why TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX pilot_running ON pilot (ended_at IS NULL) WHERE ended_at IS NULL;
"""
_CLOCK = """
ALTER TABLE emergency ADD COLUMN boot TEXT NOT NULL DEFAULT '';
ALTER TABLE emergency ADD COLUMN clock REAL NOT NULL DEFAULT 0;
"""
_TOKENS = """
CREATE TABLE opened (
    token TEXT NOT NULL, permission TEXT NOT NULL, decision TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (token, permission)
) STRICT, WITHOUT ROWID;
"""
_STEPS = (_SCHEMA, _RELEASES, _CLOCK, _TOKENS)
"""What takes an empty file to version 1, and each version to the next."""
VERSION = len(_STEPS)

_REVOCATION = "id, change, kind, key, reason, by, at, until, lifted_at, lifted_by"

_LIFT = f"UPDATE revocation SET change = ?, lifted_at = ?, lifted_by = ? WHERE id = ? AND lifted_at IS NULL RETURNING {_REVOCATION}"  # noqa: S608 -- constants
_EMERGENCY = "id, level, reason, by, asked_at, until, confirmed_by, confirmed_at, ended_at, boot, clock"
_CONFIRM = (
    "UPDATE emergency SET confirmed_by = ?, confirmed_at = ?, boot = ?, clock = ?"  # noqa: S608 -- constants
    " WHERE id = ? AND confirmed_at IS NULL AND ended_at IS NULL"
    f" AND by <> ? AND asked_at <= ? AND asked_at > ? AND until > ? RETURNING {_EMERGENCY}"
)
_WAITING = (
    "WHERE id IN (SELECT max(id) FROM emergency WHERE confirmed_at IS NULL AND ended_at IS NULL"
    " AND asked_at > ? AND asked_at <= ? AND until > ? GROUP BY by, level) ORDER BY id DESC"
)
_LATEST = "SELECT id, digest, by, at, pinned, way FROM activation ORDER BY id DESC"
_STANDING = "WHERE confirmed_at IS NOT NULL AND ended_at IS NULL ORDER BY id DESC"
_PILOT = "id, digest, terms, by, at, ended_at, ended_by, why"
_encode = Encoder().encode
_report = Decoder(Report).decode


class State:
    """`state.db`. Methods raise StateFault when the store cannot be read or the change cannot be kept.

    `busy` is how long (seconds) to wait for another writer; workers pass a short one where they read on the loop. `make`: only the
    start of the gateway makes a new file. Whoever made one in the place of a file that is gone would forget all revocations.
    Safe to share between threads; never across a fork.
    """

    def __init__(self, path: Path, busy: float = 5.0, make: bool = True) -> None:
        self.path = path
        self._lock = threading.Lock()
        with _translated(path):
            if make:
                _make(path)
            self._connection = _connect(path, busy)
        self._inode = path.stat().st_ino

    def close(self) -> None:
        """Close the file; the state is of no use afterwards."""
        self._connection.close()

    def replaced(self) -> bool:
        """Whether another file stands where ours stood: what we read is then not what is written."""
        try:
            return self.path.stat().st_ino != self._inode
        except OSError:
            return True

    # --- revocations --------------------------------------------------------------------

    def revoke(self, kind: Kind, key: str, reason: str, by: str, at: float, until: float | None = None) -> Revocation:
        """Keep a revocation; bump the board's `state` word after it returns."""
        check_revocation(kind, key, reason, by, at, until)
        with self._change() as (connection, change):
            row = connection.execute(
                "INSERT INTO revocation (change, kind, key, reason, by, at, until) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (change, kind, key, reason, by, at, until),
            ).fetchone()
        return Revocation(row[0], change, kind, key, reason, by, at, until)

    def lift(self, id: int, by: str, at: float) -> Revocation | None:
        """End a revocation; None when there is none with this id that is not lifted already."""
        with self._change() as (connection, change):
            row = connection.execute(_LIFT, (change, at, by, id)).fetchone()
        return Revocation(*row) if row else None

    def revocations(self, now: float) -> tuple[Revocation, ...]:
        """Those that hold now, oldest first."""
        return self._revocations("lifted_at IS NULL AND (until IS NULL OR until > ?) ORDER BY id", now)

    def revocations_since(self, change: int) -> tuple[Revocation, ...]:
        """Those added or lifted after this change, in the order of their latest change."""
        return self._revocations("change > ? ORDER BY change", change)

    def _revocations(self, where: str, value: float) -> tuple[Revocation, ...]:
        with self._reading() as connection:
            rows = connection.execute(f"SELECT {_REVOCATION} FROM revocation WHERE {where}", (value,))  # noqa: S608 -- constants
            return tuple(Revocation(*row) for row in rows)

    def change(self) -> int:
        """The number of the latest change."""
        with self._reading() as connection:
            return int(connection.execute("SELECT change FROM counter").fetchone()[0])

    # --- posture reports ------------------------------------------------------------------

    def keep_report(self, report: Report) -> bool:
        """Keep a report; False when its sequence was used before. Bump `posture` after it returns.

        The newest look at a device wins, whichever reporter took it; a late one only uses up its sequence.
        """
        with self._change() as (connection, change):
            fresh = connection.execute(
                "INSERT INTO posture_sequence VALUES (?, ?, ?) ON CONFLICT (reporter, device) DO UPDATE"
                " SET sequence = excluded.sequence WHERE excluded.sequence > sequence RETURNING sequence",
                (report.reporter, report.device, report.sequence),
            ).fetchone()
            if fresh is None:  # two copies of one report raced past `accept`
                return False
            connection.execute(
                "INSERT INTO posture VALUES (?, ?, ?, ?) ON CONFLICT (device) DO UPDATE SET change = excluded.change,"
                " reported_at = excluded.reported_at, report = excluded.report WHERE excluded.reported_at >= reported_at",
                (report.device, change, report.reported_at, _encode(report)),
            )
        return True

    def last_sequence(self, reporter: str, device: str) -> int:
        """The highest sequence kept from this reporter about this device, -1 for none."""
        with self._reading() as connection:
            row = connection.execute(
                "SELECT sequence FROM posture_sequence WHERE reporter = ? AND device = ?", (reporter, device)
            ).fetchone()
        return int(row[0]) if row else -1

    def reports_since(self, change: int) -> tuple[tuple[int, Report], ...]:
        """The latest report of each device that changed after this change, with its change."""
        with self._reading() as connection:
            rows = connection.execute("SELECT change, report FROM posture WHERE change > ? ORDER BY change", (change,))
            return tuple((row[0], _report(row[1])) for row in rows)

    # --- bundles ----------------------------------------------------------------------------

    def activate(self, digest: str, by: str, at: float, pinned: bool = False, way: Way = "") -> Activation:
        """Keep that this revision is the active one from now on; `pinned`: whatever the policy folder says."""
        with self._change() as (connection, _):
            row = connection.execute(
                "INSERT INTO activation (digest, by, at, pinned, way) VALUES (?, ?, ?, ?, ?) RETURNING id",
                (digest, by, at, int(pinned), way),
            ).fetchone()
        return Activation(row[0], digest, by, at, pinned, way)

    def activations(self, limit: int = 20) -> tuple[Activation, ...]:
        """The latest activations, newest first; the first is the active bundle."""
        with self._reading() as connection:
            return tuple(map(_activation, connection.execute(f"{_LATEST} LIMIT ?", (limit,))))

    # --- emergencies --------------------------------------------------------------------------

    def ask_emergency(self, level: str, reason: str, by: str, at: float, until: float) -> Emergency:
        """Keep that somebody asks for this level until then, or for its end (`level` ""); nothing is in force yet."""
        check_emergency(level, reason, by, at, until)
        with self._change() as (connection, _):
            row = connection.execute(
                "INSERT INTO emergency (level, reason, by, asked_at, until) VALUES (?, ?, ?, ?, ?) RETURNING id",
                (level, reason, by, at, until),
            ).fetchone()
        return Emergency(row[0], level, reason, by, at, until)

    def emergency(self, id: int) -> Emergency | None:
        """The emergency with this number."""
        found = self._emergencies("WHERE id = ?", id)
        return found[0] if found else None

    def emergencies(self, limit: int = 20) -> tuple[Emergency, ...]:
        """What was asked for, newest first."""
        return self._emergencies("ORDER BY id DESC LIMIT ?", limit)

    def _emergencies(self, where: str, *values: float) -> tuple[Emergency, ...]:
        with self._reading() as connection:
            rows = connection.execute(f"SELECT {_EMERGENCY} FROM emergency {where}", values)  # noqa: S608 -- constants
            return tuple(Emergency(*row) for row in rows)

    def waiting_emergencies(self, at: float) -> tuple[Emergency, ...]:
        """What waits for a second operator, newest first: of each who asked, the newest for each level.

        Not a search among the newest rows either: one who asks and asks must not push out of sight what another asked.
        """
        return self._emergencies(_WAITING, at - CONFIRM_SECONDS, at, at)

    def confirm_emergency(self, id: int, by: str, now: Instant) -> Emergency | None:
        """Confirm what another operator asked for less than ten minutes ago; None when that is not so (any more).

        What was in force until then ends with it: of the confirmed, at most one has not ended.
        """
        at = now.at
        values = (by, at, now.boot, now.clock, id, by, at, at - CONFIRM_SECONDS, at)
        with self._change() as (connection, _):
            row = connection.execute(_CONFIRM, values).fetchone()
            if row is not None:
                connection.execute(
                    "UPDATE emergency SET ended_at = ? WHERE confirmed_at IS NOT NULL AND ended_at IS NULL AND id <> ?",
                    (at, id),
                )
        return Emergency(*row) if row else None

    def standing_emergency(self) -> Emergency | None:
        """The latest that was confirmed and has not ended, over or not; `holds` says whether it counts.

        Not a search among the newest rows: a flood of asking must not push the one that counts out of sight.
        """
        found = self._emergencies(f"{_STANDING} LIMIT ?", 1)
        return found[0] if found else None

    def standing(self) -> tuple[Activation | None, Emergency | None]:
        """The active bundle and the emergency that stands, as they were at one moment.

        Two reads one after the other could bring together a bundle and a level that never were in force together.
        """
        with self._lock, _translated(self.path):
            self._connection.execute("BEGIN")
            try:
                active = self._connection.execute(f"{_LATEST} LIMIT 1").fetchone()
                level = self._connection.execute(f"SELECT {_EMERGENCY} FROM emergency {_STANDING} LIMIT 1").fetchone()  # noqa: S608 -- constants
            finally:
                self._connection.execute("ROLLBACK")
        return _activation(active) if active else None, Emergency(*level) if level else None

    def end_emergency(self, id: int, at: float) -> Emergency | None:
        """Keep that it is over, confirmed or not; None when it was already."""
        with self._change() as (connection, _):
            row = connection.execute(
                f"UPDATE emergency SET ended_at = ? WHERE id = ? AND ended_at IS NULL RETURNING {_EMERGENCY}",  # noqa: S608 -- constants
                (at, id),
            ).fetchone()
        return Emergency(*row) if row else None

    # --- pilots -------------------------------------------------------------------------------

    def start_pilot(self, digest: str, terms: str, by: str, at: float) -> Pilot:
        """Keep that this candidate runs from now on; one that was running ends."""
        with self._change() as (connection, _):
            connection.execute(
                "UPDATE pilot SET ended_at = ?, ended_by = ?, why = 'replaced' WHERE ended_at IS NULL", (at, by)
            )
            row = connection.execute(
                "INSERT INTO pilot (digest, terms, by, at) VALUES (?, ?, ?, ?) RETURNING id", (digest, terms, by, at)
            ).fetchone()
        return Pilot(row[0], digest, terms, by, at)

    def pilot(self) -> Pilot | None:
        """The candidate that runs."""
        with self._reading() as connection:
            row = connection.execute(f"SELECT {_PILOT} FROM pilot WHERE ended_at IS NULL").fetchone()  # noqa: S608 -- constants
        return Pilot(*row) if row else None

    def pilots(self, limit: int = 20) -> tuple[Pilot, ...]:
        """The candidates that ran, newest first."""
        with self._reading() as connection:
            rows = connection.execute(f"SELECT {_PILOT} FROM pilot ORDER BY id DESC LIMIT ?", (limit,))  # noqa: S608 -- constants
            return tuple(Pilot(*row) for row in rows)

    def change_pilot(self, id: int, terms: str) -> Pilot | None:
        """Give the running candidate other terms; None when it is not running."""
        return self._pilot_changed("terms = ?", terms, id)

    def end_pilot(self, id: int, by: str, at: float, why: str) -> Pilot | None:
        """Keep that it ended, by whom and why; None when it is not running."""
        return self._pilot_changed("ended_at = ?, ended_by = ?, why = ?", at, by, why, id)

    def _pilot_changed(self, what: str, *values: object) -> Pilot | None:
        with self._change() as (connection, _):
            row = connection.execute(
                f"UPDATE pilot SET {what} WHERE id = ? AND ended_at IS NULL RETURNING {_PILOT}",  # noqa: S608 -- constants
                values,
            ).fetchone()
        return Pilot(*row) if row else None

    # --- tokens -------------------------------------------------------------------------------

    def open_token(self, token: str, grants: Iterable[str], decision: str, at: float) -> str:
        """Keep that a token (its digest) is opened under the first of these grants that it was not opened under yet.

        The grant, or "" when there is none left. Of two who race for the last one, the database lets exactly one have it.
        """
        with self._change() as (connection, _):
            for grant in grants:
                row = connection.execute(
                    "INSERT INTO opened VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING permission",
                    (token, grant, decision, at),
                ).fetchone()
                if row is not None:
                    return str(row[0])
        return ""

    def opened(self) -> int:
        """How many tokens were opened, each counted under each grant."""
        with self._reading() as connection:
            return int(connection.execute("SELECT count(*) FROM opened").fetchone()[0])

    # --- transactions -------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _translated(self.path):
            yield self._connection

    @contextmanager
    def _change(self) -> Iterator[tuple[sqlite3.Connection, int]]:
        """One durable transaction and the number of its change."""
        with self._lock, _translated(self.path):
            if self.replaced():
                raise StateFault(
                    f"`{self.path}` was replaced or removed while the gateway runs; nothing is changed",
                    f"`{self.path}` 在网关运行期间被替换或移走；未作任何更改",
                )
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                row = self._connection.execute("UPDATE counter SET change = change + 1 RETURNING change").fetchone()
                yield self._connection, int(row[0])
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")


def _activation(row: tuple[int, str, str, float, int, Way]) -> Activation:
    return Activation(row[0], row[1], row[2], row[3], bool(row[4]), row[5])


def _connect(path: Path, busy: float) -> sqlite3.Connection:
    if path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    uri = f"file:{quote(str(path))}?mode=rw"  # never makes the file
    connection = sqlite3.connect(uri, timeout=busy, isolation_level=None, check_same_thread=False, uri=True)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA trusted_schema = OFF")
        _prepare(connection, path)
    except (sqlite3.Error, StateFault):
        connection.close()
        raise
    return connection


def _make(path: Path) -> None:
    """A new file gets its final mode: SQLite gives the WAL beside it the same.

    A file that is there is never opened here: closing it would drop every lock that this process holds on it
    (POSIX), and whoever closes next takes the WAL away from under our other connections.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables of a new file; refuse a file that is another program's or a newer version's."""
    if _number(connection, "user_version") == VERSION and _number(connection, "application_id") == _APPLICATION:
        return
    connection.execute("BEGIN IMMEDIATE")  # two processes may start at once: look again under the lock
    version, application = _number(connection, "user_version"), _number(connection, "application_id")
    empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if version > VERSION and application == _APPLICATION:
        raise StateFault(
            f"`{path}` was written by a newer gateway (format {version}, this one knows {VERSION}); start that version or restore a backup",
            f"`{path}` 由更新版本的网关写入（格式 {version}，当前仅支持 {VERSION}）；请使用该版本启动，或恢复备份",
        )
    if application != _APPLICATION and not (empty and version == 0):
        raise StateFault(
            f"`{path}` is not a state file of the gateway; move it away", f"`{path}` 不是网关的状态文件；请将其移走"
        )
    for step in _STEPS[version:]:
        for statement in step.split(";\n"):
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Every way SQLite, the disk or a damaged row can fail becomes one fault with a remedy."""
    try:
        yield
    except (sqlite3.Error, DecodeError, OSError) as error:
        raise StateFault(
            f"`{path}` cannot be used: {error}; free disk space, check its owner, or restore a backup",
            f"无法使用 `{path}`：{error}；请释放磁盘空间、检查文件属主，或恢复备份",
        ) from error
