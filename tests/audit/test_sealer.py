"""One order that nobody can change: what the sealer takes, declares and refuses."""

import json
import os
import random
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gateway.audit import disk, sealer
from gateway.audit.checkpoint import Signer
from gateway.audit.entry import Malformed
from gateway.audit.journal import Ledger, Settings
from gateway.audit.sealer import Locked, Sealer
from gateway.audit.shelf import read_entries
from gateway.audit.verify import verify
from gateway.entries import Entry, NoticeEntry, OutcomeEntry, VerdictEntry
from gateway.facts import Warrant
from tests.audit.faults import FaultyDisk
from tests.audit.world import FACTS, OUTCOME, a_closed_life, die, live, seal_all, some_requests
from tests.literals import a_permit


def journal_file(settings: Settings, ledger: Ledger) -> Path:
    return settings.directory / "journal" / f"{ledger.journal}.log"


def notices(entries: list[Entry], name: str) -> list[NoticeEntry]:
    return [entry for entry in entries if isinstance(entry, NoticeEntry) and entry.name == name]


def status(settings: Settings, signer: Signer) -> str:
    return verify(settings.directory / "ledger", signer.vkey).status


def test_it_can_be_seen_whether_a_sealer_is_at_work(settings: Settings, signer: Signer) -> None:
    ledger = settings.directory / "ledger"
    assert not sealer.at_work(ledger)
    one = Sealer(settings, signer)
    assert sealer.at_work(ledger)
    one.close()
    assert not sealer.at_work(ledger)


def test_every_entry_is_sealed_once_and_in_order(settings: Settings, signer: Signer) -> None:
    a_closed_life(settings, 5)
    a_closed_life(settings, 3, "worker1")
    one = Sealer(settings, signer)
    batch = one.step()
    assert (batch.first, batch.size) == (0, len(batch.entries))
    assert one.step().entries == ()
    for journal in {entry.journal for entry in batch.entries}:
        numbers = [entry.seq for entry in batch.entries if entry.journal == journal]
        assert numbers == list(range(len(numbers)))
    one.close()
    again = Sealer(settings, signer)
    assert again.step().entries == ()
    again.close()
    assert status(settings, signer) == "intact"


def test_what_a_living_process_writes_is_sealed_as_it_comes(settings: Settings, signer: Signer) -> None:
    with_sealer = Sealer(settings, signer)
    sizes = []

    async def story(ledger: Ledger) -> None:
        for _ in range(4):
            await some_requests(ledger, 2)
            ledger._flush()
            sizes.append(with_sealer.step().size)

    ledger = live(settings, story)
    assert sizes == [7, 13, 19, 25]
    assert with_sealer.step().entries == ()
    ledger.close()
    assert [type(entry) for entry in with_sealer.step().entries] == [NoticeEntry]
    with_sealer.close()
    assert status(settings, signer) == "intact"


def test_a_torn_tail_is_declared_and_never_mended(settings: Settings, signer: Signer) -> None:
    ledger = live(settings, some_requests)
    die(ledger)
    with journal_file(settings, ledger).open("ab") as file:
        file.write(b"0123456789abcdef")
    one = Sealer(settings, signer)
    found = seal_all(one)
    gaps = notices(found, "audit.gap")
    assert [gap.subject for gap in gaps] == [ledger.journal]
    assert "torn bytes: 16" in gaps[0].detail
    assert not notices(found, "audit.interrupted")
    one.close()
    verdict = verify(settings.directory / "ledger", signer.vkey)
    assert (verdict.status, len(verdict.gaps)) == ("intact", 1)


def test_a_torn_tail_of_a_living_process_is_waited_for(settings: Settings, signer: Signer) -> None:
    ledger = live(settings, some_requests)
    path = journal_file(settings, ledger)
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    one = Sealer(settings, signer)
    first = one.step()
    path.write_bytes(whole)
    second = one.step()
    assert len(first.entries) + len(second.entries) == whole.count(b"\n")
    assert not notices([*first.entries, *second.entries], "audit.gap")
    ledger.close()
    one.close()


def test_a_permit_without_an_outcome_is_declared_interrupted(settings: Settings, signer: Signer) -> None:
    ids: list[str] = []

    async def story(ledger: Ledger) -> None:
        ids.extend(await some_requests(ledger, 3, concluded=False))
        ledger.conclude(ids[1], OUTCOME)

    ledger = live(settings, story)
    one = Sealer(settings, signer)
    assert not [entry for entry in one.step().entries if isinstance(entry, OutcomeEntry) and entry.code]
    die(ledger)
    found = seal_all(one)
    interrupted = [entry for entry in found if isinstance(entry, OutcomeEntry) and entry.code == "interrupted"]
    assert [entry.verdict for entry in interrupted] == [ids[0], ids[2]]
    assert not any(entry.complete or entry.status for entry in interrupted)
    assert [notice.count for notice in notices(found, "audit.interrupted")] == [2]
    one.close()
    verdict = verify(settings.directory / "ledger", signer.vkey)
    assert (verdict.status, verdict.interrupted, verdict.open) == ("intact", 2, 0)


def test_an_outcome_in_the_next_journal_of_the_process_counts(tmp_path: Path, signer: Signer) -> None:
    settings = Settings(tmp_path, rotate_bytes=6_000)
    ids: list[str] = []

    async def story(ledger: Ledger) -> None:
        first = ledger.journal
        ids.extend(await some_requests(ledger, 1, concluded=False))
        while ledger.journal == first:
            await some_requests(ledger, 1)
        ids.extend(await some_requests(ledger, 1, concluded=False))
        ledger.conclude(ids[0], OUTCOME)

    ledger = live(settings, story)
    one = Sealer(settings, signer)
    one.step()
    die(ledger)
    found = seal_all(one)
    assert [entry.verdict for entry in found if isinstance(entry, OutcomeEntry)] == [ids[1]]
    one.close()
    assert status(settings, signer) == "intact"


@pytest.mark.parametrize("kind", ["digest", "space", "json", "newline"])
@pytest.mark.parametrize("dead", [False, True])
def test_a_changed_byte_before_sealing_is_declared_and_the_rest_goes_on(
    settings: Settings, signer: Signer, kind: str, dead: bool
) -> None:
    ledger = live(settings, some_requests)
    path = journal_file(settings, ledger)
    data = bytearray(path.read_bytes())
    lines = bytes(data).splitlines(keepends=True)
    start = sum(len(line) for line in lines[:4])
    place = {"digest": start + 5, "space": start + 64, "json": start + 200, "newline": start + len(lines[4]) - 1}[kind]
    data[place] ^= 1
    path.write_bytes(data)
    if dead:
        die(ledger)
    one = Sealer(settings, signer)
    found = seal_all(one) + seal_all(one)
    assert [notice.subject for notice in notices(found, "audit.altered")] == [ledger.journal]
    sealed = [entry.seq for entry in found if entry.journal == ledger.journal]
    assert sealed[:4] == [0, 1, 2, 3]
    assert 4 not in sealed
    assert sealed[-1] == len(lines) - 1
    one.close()
    if not dead:
        die(ledger)
    assert status(settings, signer) == "altered"


def test_an_entry_of_another_journal_or_out_of_turn_is_not_taken(settings: Settings, signer: Signer) -> None:
    ledger = live(settings, some_requests)
    die(ledger)
    path = journal_file(settings, ledger)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], lines[5], *lines[3:]]))
    one = Sealer(settings, signer)
    found = seal_all(one)
    assert len(notices(found, "audit.altered")) == 1
    numbers = [entry.seq for entry in found if entry.journal == ledger.journal]
    assert len(numbers) == len(set(numbers))
    one.close()


def test_a_journal_cut_or_removed_after_sealing_is_noticed(settings: Settings, signer: Signer) -> None:
    one_life, other_life = live(settings, some_requests), live(settings, some_requests, "worker1")
    one = Sealer(settings, signer)
    one.step()
    path = journal_file(settings, one_life)
    path.write_bytes(path.read_bytes()[:-10])
    journal_file(settings, other_life).unlink()
    found = seal_all(one)
    assert {notice.subject for notice in notices(found, "audit.altered")} == {one_life.journal, other_life.journal}
    die(one_life)
    die(other_life)
    one.close()
    assert status(settings, signer) == "altered"


def test_a_byte_changed_after_sealing_is_noticed_at_the_next_start(settings: Settings, signer: Signer) -> None:
    ledger = a_closed_life(settings)
    one = Sealer(settings, signer)
    one.step()
    one.close()
    path = journal_file(settings, ledger)
    data = bytearray(path.read_bytes())
    data[700] ^= 1
    path.write_bytes(data)
    again = Sealer(settings, signer)
    assert [notice.subject for notice in notices(list(again.step().entries), "audit.altered")] == [ledger.journal]
    again.close()


def test_only_one_seals(settings: Settings, signer: Signer) -> None:
    one = Sealer(settings, signer)
    with pytest.raises(Locked):
        Sealer(settings, signer)
    one.close()
    Sealer(settings, signer).close()


def test_a_ledger_that_is_not_the_signed_one_is_not_continued(settings: Settings, signer: Signer) -> None:
    a_closed_life(settings)
    one = Sealer(settings, signer)
    one.step()
    one.close()
    leaves = settings.directory / "ledger" / "leaves" / "000000000000.bin"
    data = bytearray(leaves.read_bytes())
    data[40] ^= 1
    leaves.write_bytes(data)
    with pytest.raises(Malformed, match="not the one that was signed"):
        Sealer(settings, signer)
    leaves.write_bytes(data[:-32])
    with pytest.raises(Malformed, match="shorter"):
        Sealer(settings, signer)


def test_a_lost_memory_is_not_replaced_by_a_new_beginning(settings: Settings, signer: Signer) -> None:
    a_closed_life(settings)
    one = Sealer(settings, signer)
    one.step()
    one.close()
    (settings.directory / "ledger" / "sealer.json").unlink()
    with pytest.raises(Malformed, match="do not start anew"):
        Sealer(settings, signer)
    (settings.directory / "ledger" / "sealer.json").write_bytes(b'{"v":')
    with pytest.raises(Malformed, match="cannot be read"):
        Sealer(settings, signer)


@pytest.mark.parametrize("crash", range(12))
def test_a_crash_anywhere_while_sealing_neither_loses_nor_doubles(
    settings: Settings, signer: Signer, monkeypatch: pytest.MonkeyPatch, crash: int
) -> None:
    """The n-th step that reaches the disk is the last one of this process."""
    ledger = live(settings, some_requests)
    first = Sealer(settings, signer)
    first.step()
    first.close()
    die(ledger)
    a_closed_life(settings, 4, "worker1")
    count = 0

    def dying(real):
        def call(*arguments):
            nonlocal count
            count += 1
            if count > crash:
                raise KeyboardInterrupt  # as sudden as a kill: nothing after it is done
            return real(*arguments)

        return call

    with monkeypatch.context() as patch:
        one = Sealer(settings, signer)
        for name in ("write", "fdatasync", "fsync", "ftruncate"):
            patch.setattr(f"os.{name}", dying(getattr(sealer.os, name)))
        patch.setattr(Path, "rename", dying(Path.rename))
        try:
            one.step()
            finished = True
        except KeyboardInterrupt:
            finished = False
    one.close()
    assert not finished or crash > 9
    again = Sealer(settings, signer)
    seal_all(again)
    again.close()
    keys = [(e["journal"], e["seq"]) for e in map(json.loads, read_entries(settings.directory / "ledger"))]
    assert len(keys) == len(set(keys))
    lines = sum(p.read_bytes().count(b"\n") for p in (settings.directory / "journal").glob("*.log"))
    own = len([journal for journal, _ in keys if "sealer" in journal])
    assert len(keys) - own == lines
    verdict = verify(settings.directory / "ledger", signer.vkey)
    assert (verdict.status, len(verdict.gaps)) == ("intact", 1)


def test_a_full_disk_delays_sealing_and_nothing_else(
    settings: Settings, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_closed_life(settings)
    one = Sealer(settings, signer)
    with monkeypatch.context() as patch:
        patch.setattr(disk, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        for _ in range(3):
            with pytest.raises(OSError, match="No space"):
                one.step()
    with monkeypatch.context() as patch:
        patch.setattr(sealer, "Shelf", lambda *_: (_ for _ in ()).throw(OSError(24, "Too many open files")))
        for _ in range(3):
            with pytest.raises(OSError, match="Too many"):
                one.step()
    assert len(one.step().entries) == 17
    one.close()
    assert status(settings, signer) == "intact"


@pytest.mark.parametrize("seed", range(10))
def test_after_a_power_cut_the_ledger_is_whole_or_says_what_is_missing(
    tmp_path: Path, signer: Signer, seed: int
) -> None:
    chance = random.Random(seed)
    settings, drive = Settings(tmp_path), FaultyDisk()

    async def story(ledger: Ledger) -> None:
        for _ in range(chance.randint(3, 30)):
            await some_requests(ledger, 1, concluded=chance.random() < 0.8)
            if chance.random() < 0.2:
                ledger._flush()
                drive.sync(ledger._descriptor)

    ledger = live(settings, story, files=drive)
    ledger._thread.shutdown(wait=True)
    lost = drive.cut_power(chance, holes=seed % 2 == 1)
    one = Sealer(settings, signer)
    found = seal_all(one)
    one.close()
    assert len(notices(found, "audit.gap")) >= 1
    assert not notices(found, "audit.altered")
    verdict = verify(tmp_path / "ledger", signer.vkey)
    assert verdict.status == ("intact" if seed % 2 == 0 else verdict.status) != "altered"
    assert verdict.gaps
    assert lost >= 0


def test_journals_of_the_dead_are_removed_when_they_have_told_everything(tmp_path: Path, signer: Signer) -> None:
    settings = Settings(tmp_path, keep_journals=0.0)
    ledger, alive = a_closed_life(settings), live(settings, some_requests, "worker1")
    copy = journal_file(settings, ledger).read_bytes()
    one = Sealer(settings, signer, now=lambda: 4_000_000_000.0)
    seal_all(one)
    assert not journal_file(settings, ledger).exists()
    assert journal_file(settings, alive).exists()
    journal_file(settings, ledger).write_bytes(copy)  # somebody brings it back
    assert one.step().entries == ()
    die(alive)
    one.close()
    assert status(settings, signer) == "intact"


def test_foreign_files_among_the_journals_are_left_alone(settings: Settings, signer: Signer) -> None:
    a_closed_life(settings)
    folder = settings.directory / "journal"
    (folder / "notes.log").write_text("hello\n")
    (folder / ".20260921T133320-worker0-abc123.new").write_text("half")
    one = Sealer(settings, signer)
    assert len(seal_all(one)) == 17
    one.close()


SEALING = """
import sys
from contextlib import closing
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from gateway.audit.checkpoint import Signer
from gateway.audit.journal import Settings
from gateway.audit.sealer import Sealer
signer = Signer("gw.example.gov/audit", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
sealer = Sealer(Settings(Path(sys.argv[1])), signer, chunk=1500)
while True:
    print(sealer.step().size, flush=True)
"""


@pytest.mark.parametrize("seed", range(3))
def test_kill_9_of_the_sealer_at_any_moment(settings: Settings, signer: Signer, seed: int) -> None:
    a_closed_life(settings, 40)
    chance = random.Random(seed)
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", SEALING, str(settings.directory)], stdout=subprocess.PIPE, cwd=Path.cwd()
        ) as process:
            assert process.stdout is not None
            for _ in range(chance.randint(1, 12)):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
    one = Sealer(settings, signer)
    seal_all(one)
    assert one.size == 122
    one.close()
    assert status(settings, signer) == "intact"


def test_verdicts_of_the_sealed_batch_are_the_entries_themselves(settings: Settings, signer: Signer) -> None:
    a_closed_life(settings, 2)
    one = Sealer(settings, signer)
    kinds = [type(entry) for entry in one.step().entries]
    assert kinds == [
        NoticeEntry,
        VerdictEntry,
        OutcomeEntry,
        VerdictEntry,
        VerdictEntry,
        OutcomeEntry,
        VerdictEntry,
        NoticeEntry,
    ]
    assert one.signed_at > 0
    one.close()


def test_nothing_is_sealed_that_a_power_cut_could_still_take_from_its_journal(
    settings: Settings, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = live(settings, some_requests)
    path = settings.directory / "journal" / f"{ledger.journal}.log"
    synced: dict[int, int] = {}
    real = os.fdatasync

    def noting(descriptor: int) -> None:
        status = os.fstat(descriptor)
        synced[status.st_ino] = status.st_size
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", noting)
    sealer = Sealer(settings, signer)
    seal_all(sealer)
    assert synced[path.stat().st_ino] == path.stat().st_size
    sealer.close()
    die(ledger)


def test_an_outcome_in_the_next_journal_waits_for_its_permit(tmp_path: Path, signer: Signer) -> None:
    settings = Settings(tmp_path, rotate_bytes=20_000)

    async def story(ledger: Ledger) -> None:
        first = ledger.journal
        waiting: list[str] = []
        while ledger.journal == first:
            warrant = await ledger.commit(FACTS, a_permit())
            assert isinstance(warrant, Warrant)
            waiting.append(warrant.id)
        for identity in waiting:  # all outcomes stand in the journal after that of their permits
            ledger.conclude(identity, OUTCOME)

    live(settings, story).close()
    with closing(Sealer(settings, signer, chunk=2_000)) as sealer:  # far behind: many steps for the first journal
        entries = seal_all(sealer)
    told: set[str] = set()
    for entry in entries:
        if isinstance(entry, VerdictEntry):
            told.add(f"{entry.journal}.{entry.seq}")
        elif isinstance(entry, OutcomeEntry):
            assert entry.verdict in told
            assert entry.code == ""
    assert not [entry for entry in entries if isinstance(entry, NoticeEntry) and entry.name == "audit.interrupted"]
