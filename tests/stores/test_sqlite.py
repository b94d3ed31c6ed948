"""The state file: durable, private, refused when it is not ours."""

import os
import signal
import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.stores import Activation, Instant, State, StateFault
from tests.literals import NOW


def test_what_was_kept_is_there_after_the_process_was_killed(tmp_path: Path) -> None:
    ready, go = os.pipe()
    pid = os.fork()
    if not pid:
        State(tmp_path / "state.db").revoke("token", "t-1", "", "op", NOW)
        os.write(go, b"x")
        signal.pause()
        os._exit(0)
    os.read(ready, 1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    state = State(tmp_path / "state.db")
    assert [row.key for row in state.revocations(NOW)] == ["t-1"]
    state.close()


def test_the_file_is_flushed_on_every_commit_and_private(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    state.revoke("token", "t-1", "", "op", NOW)
    assert state._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert state._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    for name in ("state.db", "state.db-wal", "state.db-shm"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    state.close()


def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    State(tmp_path / "state.db").close()
    connection = sqlite3.connect(tmp_path / "state.db")
    connection.execute("PRAGMA user_version = 5")
    connection.close()
    before = (tmp_path / "state.db").read_bytes()
    with pytest.raises(StateFault, match="newer gateway"):
        State(tmp_path / "state.db")
    assert (tmp_path / "state.db").read_bytes() == before


WRITTEN_BY_VERSION_1 = """
CREATE TABLE counter (change INTEGER NOT NULL) STRICT;
INSERT INTO counter VALUES (7);
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
INSERT INTO revocation VALUES (3, 6, 'token', 't-1', 'lost', 'op.li', 1000.0, NULL, NULL, '');
INSERT INTO activation VALUES (5, 'abc', 'op.li', 999.0);
PRAGMA application_id = 1196905300;
PRAGMA user_version = 1;
"""


def a_file_of_version_1(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(WRITTEN_BY_VERSION_1)
    connection.close()


def test_a_file_of_version_1_is_brought_up_to_date_and_loses_nothing(tmp_path: Path) -> None:
    a_file_of_version_1(tmp_path / "state.db")
    state = State(tmp_path / "state.db")
    assert [(row.id, row.key, row.reason) for row in state.revocations(NOW)] == [(3, "t-1", "lost")]
    assert state.activations() == (Activation(5, "abc", "op.li", 999.0, False),)
    assert state.change() == 7
    assert state.activate("def", "op", NOW, pinned=True).id == 6
    assert state.ask_emergency("II", "flood", "op.li", NOW, NOW + 9).id == 1
    assert state.start_pilot("abc", "{}", "op.li", NOW).id == 1
    state.close()
    again = State(tmp_path / "state.db")
    assert [row.pinned for row in again.activations()] == [True, False]
    again.close()


def test_a_file_of_version_1_that_cannot_be_changed_stays_as_it_was(tmp_path: Path) -> None:
    a_file_of_version_1(tmp_path / "state.db")
    connection = sqlite3.connect(tmp_path / "state.db")
    connection.execute("CREATE TABLE pilot (theirs TEXT)")  # a step that fails half way
    connection.close()
    with pytest.raises(StateFault):
        State(tmp_path / "state.db")
    connection = sqlite3.connect(tmp_path / "state.db")
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert "pinned" not in {row[1] for row in connection.execute("PRAGMA table_info(activation)")}
    connection.close()


def test_what_is_active_and_its_level_never_come_from_two_moments(tmp_path: Path) -> None:
    """A bundle and a level that never were in force together must not be seen together, however the reader is held up."""
    writer, reader = State(tmp_path / "state.db"), State(tmp_path / "state.db")
    stop = threading.Event()

    def write() -> None:
        """`a` stands alone, `b` always under II."""
        while not stop.is_set():
            asked = writer.ask_emergency("II", "x", "op.li", NOW, NOW + 9)
            with writer._change() as (connection, _):
                connection.execute("INSERT INTO activation (digest, by, at) VALUES ('b', 'op', 1.0)")
                connection.execute("UPDATE emergency SET confirmed_at = 1.0 WHERE id = ?", (asked.id,))
            with writer._change() as (connection, _):
                connection.execute("INSERT INTO activation (digest, by, at) VALUES ('a', 'op', 1.0)")
                connection.execute("UPDATE emergency SET ended_at = 2.0 WHERE id = ?", (asked.id,))

    writer.activate("a", "op", NOW)
    thread = threading.Thread(target=write)
    thread.start()
    seen = set()
    for _ in range(3000):
        active, level = reader.standing()
        seen.add((active.digest if active else "", level is not None))
    stop.set()
    thread.join()
    assert seen <= {("a", False), ("b", True)}
    writer.close()
    reader.close()


def test_two_operators_who_confirm_at_once_confirm_once(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    asked = state.ask_emergency("II", "flood", "op.li", NOW, NOW + 9)
    with ThreadPoolExecutor(8) as pool:
        stores = [State(tmp_path / "state.db") for _ in range(8)]
        done = list(pool.map(lambda n: stores[n].confirm_emergency(asked.id, f"op.{n}", Instant(NOW + 1)), range(8)))
    assert sum(row is not None for row in done) == 1
    for store in (*stores, state):
        store.close()


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "state.db")
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(StateFault, match="not a state file"):
        State(tmp_path / "state.db")


@pytest.mark.parametrize("content", [b"not a database, but long enough to be looked at" * 40])
def test_a_damaged_file_is_a_fault_with_a_remedy(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.db").write_bytes(content)
    with pytest.raises(StateFault, match="restore a backup") as caught:
        State(tmp_path / "state.db")
    assert "恢复备份" in caught.value.zh


def test_a_damaged_report_is_a_fault_and_not_a_guess(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    state._connection.execute("INSERT INTO posture VALUES ('laptop-7', 1, 1.0, x'7b')")
    with pytest.raises(StateFault):
        state.reports_since(0)
    state.close()


def test_a_directory_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(StateFault):
        State(tmp_path / "nowhere" / "state.db")


def test_a_full_disk_keeps_nothing_and_says_so_then_recovers(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    state.revoke("token", "t-1", "", "op", NOW)
    (pages,) = state._connection.execute("PRAGMA page_count").fetchone()
    state._connection.execute(f"PRAGMA max_page_count = {pages}")  # SQLite answers as on ENOSPC: SQLITE_FULL
    kept = 1
    with pytest.raises(StateFault, match="free disk space"):
        for n in range(1000):
            state.revoke("token", f"more-{n}", "r" * 2000, "op", NOW)
            kept += 1
    assert len(state.revocations(NOW)) == kept == state.change()
    state._connection.execute("PRAGMA max_page_count = 100000")
    state.revoke("token", "after", "", "op", NOW)
    assert len(state.revocations(NOW)) == kept + 1
    state.close()


def test_a_writer_that_holds_the_lock_too_long_is_a_fault_and_readers_go_on(tmp_path: Path) -> None:
    state, other = State(tmp_path / "state.db", busy=0.01), sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    state.revoke("token", "t-1", "", "op", NOW)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StateFault, match="locked"):
        state.revoke("token", "t-2", "", "op", NOW)
    assert [row.key for row in state.revocations(NOW)] == ["t-1"]
    other.execute("ROLLBACK")
    state.revoke("token", "t-2", "", "op", NOW)
    other.close()
    state.close()


def test_a_file_put_in_its_place_is_noticed(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    assert not state.replaced()
    (tmp_path / "state.db").rename(tmp_path / "away.db")
    assert state.replaced()
    (tmp_path / "state.db").touch()
    assert state.replaced()
    state.close()


def test_a_change_to_a_file_that_was_replaced_is_refused(tmp_path: Path) -> None:
    """Nobody would read it: workers follow the file that stands there."""
    state = State(tmp_path / "state.db")
    state.revoke("token", "t-1", "", "op", NOW)
    (tmp_path / "state.db").rename(tmp_path / "away.db")
    with pytest.raises(StateFault, match="was replaced or removed"):
        state.revoke("token", "t-2", "", "op", NOW)
    assert [row.key for row in state.revocations(NOW)] == ["t-1"]
    state.close()


def test_a_file_that_is_gone_is_not_made_anew_while_the_gateway_runs(tmp_path: Path) -> None:
    """An empty one would forget every revocation."""
    with pytest.raises(StateFault):
        State(tmp_path / "state.db", make=False)
    assert not (tmp_path / "state.db").exists()
    State(tmp_path / "state.db").close()
    State(tmp_path / "state.db", make=False).close()


def test_two_of_one_process_keep_their_log_when_another_process_leaves(tmp_path: Path) -> None:
    """SQLite's locks are POSIX locks: a careless close() drops them, and the last to leave deletes the WAL."""
    first = State(tmp_path / "state.db")
    second = State(tmp_path / "state.db")
    pid = os.fork()
    if not pid:
        os.execlp(
            sys.executable, sys.executable, "-c",
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM revocation'); c.close()",
            str(tmp_path / "state.db"),
        )  # fmt: skip
    assert os.waitpid(pid, 0)[1] == 0
    assert (tmp_path / "state.db-wal").exists()
    second.revoke("token", "t-1", "", "op", NOW)
    assert [row.key for row in first.revocations(NOW)] == ["t-1"]
    first.close()
    second.close()
