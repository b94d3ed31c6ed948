"""What a worker knows: acknowledged means refused at the next look; doubt denies."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.facts import ANONYMOUS, Notice, Report, Subject
from gateway.stores import Board, MemoryState, Postures, Revocations, State
from gateway.stores.snapshot import RETRY, Readable
from tests.literals import NOW, a_proof, a_subject


class Bench:
    """A board, a store that can break, and a clock in our hands."""

    def __init__(self, path: Path) -> None:
        self.now = NOW
        self.state = MemoryState()
        self.board = Board.create(path / "board", 1)
        self.notices: list[Notice] = []
        self.revocations = Revocations(self.board, self.open, self.clock, self.notices.append)

    def open(self) -> Readable:
        self.state.change()  # opening a broken store fails, too
        return self.state

    def clock(self) -> float:
        return self.now

    def revoke(self, kind: str, key: str, until: float | None = None) -> int:
        row = self.state.revoke(kind, key, "", "op", self.now, until)  # type: ignore[arg-type]  # literal of a test
        self.board.bump("state")
        return row.id

    def code(self, subject: Subject) -> str:
        reason = self.revocations.refuses(subject)
        return reason.code if reason else ""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize(
    ("kind", "key", "code"),
    [
        ("token", "t0k3nd1gest0000000000a", "token_revoked"),
        ("token", "jti-1", "token_revoked"),
        ("session", "sid-1", "session_revoked"),
        ("subject", "zhang.wei", "subject_revoked"),
        ("device", "laptop-7", "device_revoked"),
    ],
)
def test_each_kind_refuses_its_own_and_nobody_else(bench: Bench, kind: str, key: str, code: str) -> None:
    assert bench.code(a_subject()) == ""
    bench.revoke(kind, key)
    assert bench.code(a_subject()) == code
    other = a_subject(id="li.na", device="laptop-8", proof=a_proof(token="other", jti="jti-2", session="sid-2"))
    assert bench.code(other) == ""
    assert bench.code(ANONYMOUS) == ""


def test_a_subject_stays_revoked_whatever_token_comes_next(bench: Bench) -> None:
    bench.revoke("subject", "zhang.wei")
    fresh = a_subject(proof=a_proof(token="new", jti="new", session="new", issued_at=NOW + 3600))
    assert bench.code(fresh) == "subject_revoked"


def test_it_ends_when_it_is_over_or_lifted_and_not_before_the_last_one(bench: Bench) -> None:
    bench.revoke("session", "sid-1", NOW + 60)
    forever = bench.revoke("session", "sid-1")
    bench.now = NOW + 61
    assert bench.code(a_subject()) == "session_revoked"
    bench.state.lift(forever, "op", bench.now)
    assert bench.code(a_subject()) == "session_revoked"  # not acknowledged yet
    bench.board.bump("state")
    assert bench.code(a_subject()) == ""
    assert bench.revocations.size() == 0


def test_what_is_over_leaves_memory(bench: Bench) -> None:
    for n in range(100):
        bench.revoke("token", f"t-{n}", NOW + 60)
    assert bench.code(a_subject()) == ""
    assert bench.revocations.size() == 100
    bench.now = NOW + 61
    bench.revoke("token", "one-more")
    assert bench.code(a_subject()) == ""
    assert bench.revocations.size() == 1


def test_while_the_store_cannot_be_read_everyone_is_refused_and_one_notice_says_so(bench: Bench) -> None:
    bench.state.broken = True
    assert bench.code(a_subject()) == ""  # nothing has changed: what we know is all there is
    bench.board.bump("state")
    for _ in range(3):
        assert bench.code(a_subject()) == bench.code(ANONYMOUS) == "identity_unavailable"
        assert bench.revocations.revoked("laptop-7")
        bench.now += RETRY
    assert [notice.name for notice in bench.notices] == ["state.unreadable"]
    bench.state.broken = False
    assert bench.code(a_subject()) == ""
    assert [notice.name for notice in bench.notices] == ["state.unreadable", "state.readable"]


def test_a_broken_store_is_not_asked_at_each_request(bench: Bench) -> None:
    bench.state.broken = True
    bench.board.bump("state")
    assert bench.code(a_subject()) == "identity_unavailable"
    bench.state.broken = False
    assert bench.code(a_subject()) == "identity_unavailable"
    bench.now += RETRY
    assert bench.code(a_subject()) == ""


def test_a_store_that_cannot_be_read_at_start_refuses_everyone(tmp_path: Path) -> None:
    state = MemoryState()
    state.broken = True

    def opener() -> Readable:
        state.change()
        return state

    revocations = Revocations(Board.create(tmp_path / "board", 1), opener, lambda: NOW)
    reason = revocations.refuses(a_subject())
    assert reason is not None
    assert reason.code == "identity_unavailable"


def test_a_regular_look_finds_what_a_dead_writer_never_announced(bench: Bench) -> None:
    bench.state.revoke("subject", "zhang.wei", "", "op", NOW)
    assert bench.code(a_subject()) == ""
    bench.revocations.refresh()
    assert bench.code(a_subject()) == "subject_revoked"


def test_a_regular_look_at_a_broken_store_does_not_forget_what_is_known(bench: Bench) -> None:
    bench.revoke("subject", "zhang.wei")
    assert bench.code(a_subject()) == "subject_revoked"
    bench.state.broken = True
    bench.revocations.refresh()
    assert bench.code(a_subject()) == "subject_revoked"
    assert bench.code(a_subject(id="li.na")) == ""


def test_a_restored_backup_is_read_from_the_start(tmp_path: Path) -> None:
    path, board = tmp_path / "state.db", Board.create(tmp_path / "board", 1)
    state = State(path)
    state.revoke("token", "gone", "", "op", NOW)
    state.revoke("subject", "zhang.wei", "", "op", NOW)
    revocations = Revocations(board, lambda: State(path), lambda: NOW)
    assert revocations.size() == 2
    state.close()
    path.rename(tmp_path / "old.db")
    for beside in ("state.db-wal", "state.db-shm"):
        (tmp_path / beside).unlink(missing_ok=True)
    state = State(path)
    state.revoke("subject", "li.na", "", "op", NOW)
    board.bump("state")
    assert revocations.refuses(a_subject()) is None
    assert revocations.refuses(a_subject(id="li.na")) is not None
    state.close()


def test_a_store_that_is_removed_forgets_no_revocation(tmp_path: Path) -> None:
    path, board = tmp_path / "state.db", Board.create(tmp_path / "board", 1)
    state = State(path)
    state.revoke("subject", "zhang.wei", "", "op", NOW)
    revocations = Revocations(board, lambda: State(path, make=False), lambda: NOW)
    state.close()
    path.unlink()
    revocations.refresh()
    assert revocations.refuses(a_subject()) is not None
    board.bump("state")
    assert revocations.refuses(a_subject(id="li.na")) is not None  # something changed, and nobody knows what


def test_every_reader_refuses_at_its_first_look_after_the_acknowledgement(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    writer_state, board = State(path), Board.create(tmp_path / "board", 4)
    readers = [_Reader(path, tmp_path / "board") for _ in range(3)]
    for n in range(40):
        writer_state.revoke("subject", f"u{n}", "", "op", NOW)
        board.bump("state")
        assert [reader.ask(n) for reader in readers] == ["subject_revoked"] * 3
    for reader in readers:
        assert reader.end() == 0
    writer_state.close()


READER = """
import os, sys
from pathlib import Path
from gateway.facts import Proof, Subject
from gateway.stores import Board, Revocations, State
path, board = Path(sys.argv[1]), Path(sys.argv[2])
subjects = [Subject(f"u{n}", "person", proof=Proof("bearer", token=f"t{n}")) for n in range(40)]
revocations = Revocations(Board.open(board), lambda: State(path), lambda: 0.0)
os.set_blocking(0, False)
while True:
    try:
        told = os.read(0, 1)
    except BlockingIOError:
        for subject in subjects:
            revocations.refuses(subject)
        continue
    if not told:
        sys.exit(0)
    reason = revocations.refuses(subjects[told[0]])
    os.write(1, (reason.code if reason else "-").encode() + b"\\n")
"""


class _Reader:
    """A process that asks about every subject in a loop, and answers about one when it is told to."""

    def __init__(self, path: Path, board: Path) -> None:
        command = [sys.executable, "-c", READER, str(path), str(board)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, n: int) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(bytes([n]))
        self._process.stdin.flush()
        return self._process.stdout.readline().decode().strip()

    def end(self) -> int:
        self._process.communicate()
        return self._process.returncode


def test_the_latest_report_is_known_at_the_next_look_and_doubt_knows_none(bench: Bench) -> None:
    postures = Postures(bench.board, bench.open, bench.revocations, bench.clock, bench.notices.append)
    assert postures.report("laptop-7") is None
    report = Report("laptop-7", "mdm", 1, NOW, NOW, firewall=True)
    bench.state.keep_report(report)
    bench.board.bump("posture")
    assert postures.report("laptop-7") == report
    assert not postures.revoked("laptop-7")
    bench.revoke("device", "laptop-7")
    assert postures.revoked("laptop-7")
    bench.state.broken = True
    assert postures.report("laptop-7") == report
    bench.board.bump("posture")
    assert postures.report("laptop-7") is None
    bench.now += RETRY
    bench.state.broken = False
    assert postures.report("laptop-7") == report


def test_the_generation_moves_with_every_acknowledged_change(bench: Bench) -> None:
    before = bench.revocations.generation()
    bench.revoke("token", "t")
    assert bench.revocations.generation() != before
