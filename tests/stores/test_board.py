"""The board: torn-free words, honest acknowledgements, the dead told from the living."""

import os
import resource
import signal
from pathlib import Path

import pytest

from gateway.stores import GAUGES, Board, BoardFault
from gateway.stores.board import WORDS
from tests.literals import NOW


def child(work: object) -> int:
    """Fork a process that does this work and exits; the caller reaps it."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        work()  # type: ignore[operator]  # a plain function of a test
        status = 0
    finally:
        os._exit(status)


def reaped(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_bump_moves_the_topic_and_the_combined_word(tmp_path: Path) -> None:
    board = Board.create(tmp_path / "board", 4)
    other = Board.open(tmp_path / "board")
    before = other.any[0]
    assert board.bump("state") == before + 1
    assert other.any[0] == before + 1
    assert (other.words[WORDS["state"]], other.words[WORDS["bundle"]]) == (1, 0)


def test_bumps_of_many_processes_are_all_counted(tmp_path: Path) -> None:
    board = Board.create(tmp_path / "board", 4)

    def bump() -> None:
        mine = Board.open(tmp_path / "board")
        for _ in range(200):
            mine.bump("state")

    for pid in [child(bump) for _ in range(4)]:
        assert reaped(pid) == 0
    assert board.words[WORDS["state"]] == board.any[0] == 800


def test_a_reader_never_sees_half_a_word(tmp_path: Path) -> None:
    board = Board.create(tmp_path / "board", 1)
    whole = {0, 2**64 - 1}
    ready, go = os.pipe()

    def write() -> None:
        words = Board.open(tmp_path / "board").words
        os.write(go, b"x")
        for _ in range(200_000):
            words[7] = 2**64 - 1
            words[7] = 0

    pid = child(write)
    os.read(ready, 1)
    seen: set[int] = set()
    for _ in range(300_000):
        seen.add(board.words[7])
    assert seen <= whole
    assert reaped(pid) == 0


def test_the_board_of_a_dead_supervisor_is_taken_over_with_its_words(tmp_path: Path) -> None:
    old = Board.create(tmp_path / "board", 2)
    old.bump("state")
    new = Board.create(tmp_path / "board", 8)
    assert new.any[0] == 1
    assert len(new.slots) == 8
    new.bump("bundle")
    assert old.any[0] == 2  # a worker that outlived the supervisor still sees it


def test_fewer_slots_than_before_keep_the_ones_that_are_there(tmp_path: Path) -> None:
    Board.create(tmp_path / "board", 8)
    assert len(Board.create(tmp_path / "board", 2).slots) == 8


def test_an_acknowledgement_that_nobody_would_see_is_refused(tmp_path: Path) -> None:
    board = Board.create(tmp_path / "board", 2)
    (tmp_path / "board").unlink()
    with pytest.raises(BoardFault, match="cannot be opened"):
        board.bump("state")
    Board.create(tmp_path / "board", 2)
    with pytest.raises(BoardFault, match="was replaced"):
        board.bump("state")


@pytest.mark.parametrize("content", [b"x", b"not a board" * 100, b"GWBOARD1" + b"\0" * 5000])
def test_a_file_that_is_no_board_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "board").write_bytes(content)
    with pytest.raises(BoardFault, match="not a board"):
        Board.open(tmp_path / "board")
    with pytest.raises(BoardFault, match="not a board"):
        Board.create(tmp_path / "board", 2)


def test_a_board_cut_short_is_refused_instead_of_killing_its_readers(tmp_path: Path) -> None:
    Board.create(tmp_path / "board", 4)
    os.truncate(tmp_path / "board", 4096)
    with pytest.raises(BoardFault, match="not a board"):
        Board.open(tmp_path / "board")


def test_a_link_in_place_of_the_board_is_not_followed(tmp_path: Path) -> None:
    Board.create(tmp_path / "elsewhere", 1)
    (tmp_path / "board").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BoardFault):
        Board.open(tmp_path / "board")


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    Board.create(tmp_path / "board", 1)
    assert (tmp_path / "board").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("slots", [0, -1, 257])
def test_a_number_of_slots_out_of_range_is_refused(tmp_path: Path, slots: int) -> None:
    with pytest.raises(BoardFault):
        Board.create(tmp_path / "board", slots)


def test_a_slot_tells_what_its_owner_said(tmp_path: Path) -> None:
    mine = Board.create(tmp_path / "board", 2).slot(1)
    mine.claim(os.getpid(), NOW)
    mine.beat(NOW + 1)
    mine.acknowledge(7)
    mine.prepare("ab" * 32)
    mine.set_ready(True)
    mine.set("connections", 12.0)
    mine.gauges[GAUGES["in_flight"]] += 2.0
    seen = Board.open(tmp_path / "board").slot(1)
    assert (seen.pid, seen.started_at, seen.heartbeat, seen.role) == (os.getpid(), NOW, NOW + 1, "worker")
    assert (seen.generation, seen.prepared, seen.ready) == (7, "ab" * 32, True)
    assert (seen.get("connections"), seen.get("in_flight")) == (12.0, 2.0)


def test_a_revision_with_a_level_is_another_one(tmp_path: Path) -> None:
    slot = Board.create(tmp_path / "board", 1).slot(0)
    slot.prepare("ab" * 32 + "+II")
    seen = Board.open(tmp_path / "board").slot(0)
    names = ["ab" * 32, "ab" * 32 + "+I", "ab" * 32 + "+II", "ac" * 32 + "+II"]
    assert [seen.has_prepared(name) for name in names] == [False, False, True, False]
    slot.prepare("ab" * 32)
    assert [seen.has_prepared(name) for name in names] == [True, False, False, False]


def test_a_successor_inherits_nothing_its_predecessor_said(tmp_path: Path) -> None:
    slot = Board.create(tmp_path / "board", 1).slot(0)
    slot.claim(os.getpid(), NOW)
    slot.prepare("ab" * 32)
    slot.set_ready(True)
    slot.set("shed", 3.0)
    slot.claim(os.getpid(), NOW + 9)
    assert (slot.prepared, slot.ready, slot.get("shed"), slot.started_at) == ("", False, 0.0, NOW + 9)


def test_a_killed_worker_is_not_live_before_and_after_it_is_reaped(tmp_path: Path) -> None:
    board = Board.create(tmp_path / "board", 2)
    ready, go = os.pipe()

    def live() -> None:
        Board.open(tmp_path / "board").slot(0).claim(os.getpid(), NOW)
        os.write(go, b"x")
        signal.pause()

    pid = child(live)
    os.read(ready, 1)
    assert [slot.index for slot in board.live()] == [0]
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # dead, not yet reaped
    assert board.live() == []
    assert reaped(pid) == -9
    assert board.live() == []
    assert Board.create(tmp_path / "board", 2).slot(0).pid == 0


def test_a_pid_that_was_given_out_again_is_not_the_worker(tmp_path: Path) -> None:
    board = Board.create(tmp_path / "board", 1)
    slot = board.slot(0)
    slot.claim(os.getpid(), NOW)
    assert slot.alive
    slot._words[1] += 1  # as if the claimant had started at another time
    assert not slot.alive


def test_control_is_not_counted_among_the_workers(tmp_path: Path) -> None:
    board = Board.create(tmp_path / "board", 2)
    board.slot(1).claim(os.getpid(), NOW, "control")
    assert board.live() == []
    assert [slot.index for slot in board.live("control")] == [1]


def test_whoever_cannot_be_looked_at_is_taken_for_alive(tmp_path: Path) -> None:
    board = Board.create(tmp_path / "board", 1)
    board.slot(0).claim(os.getpid(), NOW)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))  # not a descriptor left
    try:
        alive = board.slot(0).alive
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert alive
