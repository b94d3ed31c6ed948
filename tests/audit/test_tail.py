"""Following the journals."""

import os
import tracemalloc
from pathlib import Path

import pytest

from gateway.audit.journal import Ledger, Settings
from gateway.audit.tail import Tail
from gateway.entries import Entry, NoticeEntry
from tests.audit.world import a_closed_life, die, live, some_requests


def numbers(entries: list[Entry]) -> list[tuple[str, int]]:
    return [(entry.journal, entry.seq) for entry in entries]


def test_a_tail_begins_at_the_end_and_misses_nothing_after_it(tmp_path: Path) -> None:
    settings = Settings(tmp_path, rotate_bytes=8_000)
    early = a_closed_life(settings, 2)
    tail = Tail(tmp_path)
    assert tail.poll() == []
    seen: list[tuple[str, int]] = []

    async def story(ledger: Ledger) -> None:
        for _ in range(10):
            await some_requests(ledger, 1)
            ledger._flush()
            seen.extend(numbers(tail.poll()))

    ledger = live(settings, story)
    ledger.close()
    seen += numbers(tail.poll())
    assert early.journal not in {journal for journal, _ in seen}
    assert len({journal for journal, _ in seen}) > 2
    for journal in {journal for journal, _ in seen}:
        assert [seq for name, seq in seen if name == journal] == list(range(sum(name == journal for name, _ in seen)))
    assert tail.poll() == []


def test_a_torn_line_is_waited_for(settings: Settings) -> None:
    tail = Tail(settings.directory)
    ledger = live(settings, some_requests)
    path = settings.directory / "journal" / f"{ledger.journal}.log"
    whole = path.read_bytes()
    found = []
    for end in [*range(0, len(whole), 500), len(whole)]:
        path.write_bytes(whole[:end])
        found += tail.poll()
    assert [entry.seq for entry in found] == list(range(whole.count(b"\n")))
    die(ledger)


def test_a_worker_does_not_read_its_own_journal(settings: Settings) -> None:
    own = live(settings, some_requests)
    tail = Tail(settings.directory, without=[own.journal])
    a_closed_life(settings, 1, "worker1")
    assert own.journal not in {entry.journal for entry in tail.poll()}
    other = live(settings, some_requests, "worker2")
    tail.skip(other.journal)
    assert tail.poll() == []
    die(own)
    die(other)


@pytest.mark.parametrize("count", [0, 1, 5, 1000])
def test_the_last_entries_come_in_the_order_of_time(settings: Settings, count: int) -> None:
    a_closed_life(settings, 6)
    a_closed_life(settings, 6, "worker1")
    found = Tail(settings.directory).last(count)
    assert len(found) == min(count, 40)
    assert [entry.at for entry in found] == sorted(entry.at for entry in found)


def test_the_last_entries_are_found_in_a_large_journal(settings: Settings) -> None:
    ledger = a_closed_life(settings, 1500)
    found = Tail(settings.directory).last(10)
    everything = Tail(settings.directory).last(100_000)
    assert len(everything) == 4502
    assert sorted(entry.seq for entry in found) == list(range(4492, 4502))
    assert {entry.journal for entry in everything} == {ledger.journal}


def test_nonsense_and_missing_files_do_not_stop_it(settings: Settings) -> None:
    tail = Tail(settings.directory)
    assert tail.poll() == []
    assert tail.last(5) == []
    ledger = a_closed_life(settings, 1)
    path = settings.directory / "journal" / f"{ledger.journal}.log"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"garbage\n" + b"".join(lines[1:]))
    assert len(tail.poll()) == len(lines)
    path.unlink()
    assert tail.poll() == []
    (settings.directory / "journal" / "other.log").write_text("x\n")
    again = a_closed_life(settings, 1)
    assert isinstance(tail.poll()[-1], NoticeEntry)
    assert again.journal


def test_a_file_without_lines_cannot_fill_the_memory(settings: Settings) -> None:
    tail = Tail(settings.directory)
    ledger = a_closed_life(settings, 1)
    path = settings.directory / "journal" / f"{ledger.journal}.log"
    path.write_bytes(b"x" * (5 * 1024 * 1024) + b"\n")
    assert tail.poll() == []
    assert tail.poll() == []


def test_a_start_does_not_read_journals_that_are_too_old(settings: Settings) -> None:
    folder = settings.directory / "journal"
    old = a_closed_life(settings, 3).journal
    tail = Tail(settings.directory)
    (folder / f"{old}.log").unlink()
    (folder / f"{old}.log").mkdir()  # whoever opens it fails
    os.utime(folder / f"{old}.log", (1, 1))
    young = a_closed_life(settings, 5)
    found = tail.last(6)
    assert [entry.journal for entry in found] == [young.journal] * 6
    assert found[-1].seq > found[0].seq


def test_what_was_recorded_since_a_moment_comes_in_slices_and_poll_goes_on_after_it(tmp_path: Path) -> None:
    settings = Settings(tmp_path, rotate_bytes=8_000)
    early = a_closed_life(settings, 30)
    tail = Tail(tmp_path)
    slices = tail.since(0.0)
    later = a_closed_life(settings, 3, "worker1")
    before = [number for entries in slices for number in numbers(entries)]
    after = numbers(tail.poll())
    assert before and after and set(before).isdisjoint(after)
    assert later.journal not in {journal for journal, _ in before}
    everything = numbers(Tail(tmp_path).last(10_000))
    assert sorted({*before, *after}) == sorted(everything)
    assert any(journal != early.journal for journal, _ in before)  # rotated: more than one file


def test_what_was_recorded_before_the_moment_is_left_out(settings: Settings) -> None:
    a_closed_life(settings, 5)
    tail = Tail(settings.directory)
    found = tail.last(100)
    at = sorted(entry.at for entry in found)[len(found) // 2]
    assert sorted(numbers([e for entries in tail.since(at) for e in entries])) == sorted(
        numbers([entry for entry in found if entry.at >= at])
    )


def test_a_slice_may_end_in_the_middle_of_a_line(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    a_closed_life(settings, 20)
    tail = Tail(settings.directory)
    whole = numbers(tail.last(1000))
    monkeypatch.setattr("gateway.audit.tail._SLICE", 700)
    assert sorted(number for entries in tail.since(0.0) for number in numbers(entries)) == sorted(whole)


def test_a_slice_that_cannot_be_read_now_is_read_later(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the day may be left out because a flood took all descriptors for a moment."""
    a_closed_life(settings, 20)
    tail = Tail(settings.directory)
    whole = numbers(tail.last(1000))
    monkeypatch.setattr("gateway.audit.tail._SLICE", 700)
    slices = tail.since(0.0)
    found = numbers(next(slices))
    with monkeypatch.context() as flood:
        flood.setattr(Path, "open", _no_descriptor)
        assert next(slices) == next(slices) == []
    assert sorted([*found, *(number for entries in slices for number in numbers(entries))]) == sorted(whole)


def _no_descriptor(*_: object) -> None:
    raise OSError(24, "Too many open files")


def test_a_journal_that_goes_away_between_two_slices_ends_there(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = a_closed_life(settings, 20)
    monkeypatch.setattr("gateway.audit.tail._SLICE", 700)
    slices = Tail(settings.directory).since(0.0)
    next(slices)
    (settings.directory / "journal" / f"{life.journal}.log").unlink()
    assert list(slices) == []


def test_a_day_without_lines_cannot_fill_the_memory(settings: Settings) -> None:
    """Abuse: something else on the host writes twenty megabytes without a newline into a journal, then a worker starts."""
    journal = a_closed_life(settings, 1).journal
    path = settings.directory / "journal" / f"{journal}.log"
    whole = path.read_bytes()
    path.write_bytes(b"x" * (20 * 1024 * 1024) + b"\n" + whole)
    tail = Tail(settings.directory)
    tracemalloc.start()
    found = [number for entries in tail.since(0.0) for number in numbers(entries)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == whole.count(b"\n")
    assert peak < 8 * 1024 * 1024


def test_its_own_journal_is_read_up_to_its_present_end(settings: Settings) -> None:
    own = live(settings, some_requests)
    tail = Tail(settings.directory, without=[own.journal])
    assert own.journal in {entry.journal for entries in tail.since(0.0) for entry in entries}
    die(own)


# --- what else may stand in the folder ----------------------------------------------------------------


ODD = "20260922T000000-worker9-abcdef.log"


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_what_is_no_file_is_no_journal_and_stops_nobody(settings: Settings, kind: str) -> None:
    """Abuse: a pipe under the name of a journal: whoever opens it waits for ever, and each worker would."""
    tail = Tail(settings.directory)
    life = a_closed_life(settings, 2)
    odd = settings.directory / "journal" / ODD
    if kind == "folder":
        odd.mkdir()
    elif kind == "link":
        odd.symlink_to(settings.directory / "journal" / f"{life.journal}.log")
    else:
        os.mkfifo(odd)
    whole = sorted(numbers(tail.poll()))
    assert {journal for journal, _ in whole} == {life.journal}
    assert sorted(numbers(Tail(settings.directory).last(100))) == whole
    assert [number for entries in Tail(settings.directory).since(0.0) for number in numbers(entries)] == whole


def test_a_line_of_a_thousand_brackets_is_passed_over(settings: Settings) -> None:
    """Abuse: one line that no reader can follow ends each process that reads it, at each start."""
    tail = Tail(settings.directory)
    path = settings.directory / "journal" / f"{a_closed_life(settings, 1).journal}.log"
    lines = path.read_bytes().splitlines(keepends=True)
    deep = b"0" * 64 + b' {"kind":"notice","v":1,"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}\n"
    path.write_bytes(lines[0] + deep + b"".join(lines[1:]))
    assert len(tail.poll()) == len(lines)
    assert sum(map(len, Tail(settings.directory).since(0.0))) == len(lines)


def test_a_folder_that_was_away_for_a_moment_is_not_read_again(settings: Settings) -> None:
    tail = Tail(settings.directory)
    a_closed_life(settings, 2)
    assert tail.poll()
    folder = settings.directory / "journal"
    folder.rename(settings.directory / "away")
    assert tail.poll() == []
    (settings.directory / "away").rename(folder)
    assert tail.poll() == []


def test_a_journal_that_looks_old_is_read_by_what_stands_in_it(settings: Settings) -> None:
    """Abuse: `touch -d yesterday` on a journal, and whatever was shown today is free again."""
    journal = a_closed_life(settings, 2).journal
    path = settings.directory / "journal" / f"{journal}.log"
    whole = sorted(numbers(Tail(settings.directory).last(100)))
    at = min(entry.at for entry in Tail(settings.directory).last(100))
    os.utime(path, (1, 1))
    assert [number for entries in Tail(settings.directory).since(at) for number in numbers(entries)] == whole
