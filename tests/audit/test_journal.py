"""The promises of the journal, each with the fault that would break it.

a full disk, a torn write, EIO         -> permits 503, refusals still refused, outcomes kept, recovery
a failed fdatasync                     -> the file is never trusted again, a new journal
a journal that is removed, cut, moved  -> within a moment, a new journal
kill -9 at a random moment             -> every acknowledged permit is on record
kill -9 right after an answer          -> who was shown whom is on record
a power cut                            -> nothing acknowledged as `synced` is lost
a disk too slow for the bound          -> `written` waits as `synced` does
a caller who leaves while it waits     -> the permit has an outcome
"""

import asyncio
import errno
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.audit import chain
from gateway.audit.checkpoint import Signer
from gateway.audit.entry import decode
from gateway.audit.journal import Ledger, Settings
from gateway.audit.sealer import Sealer
from gateway.audit.verify import verify
from gateway.entries import ActEntry, Entry, NoticeEntry, OutcomeEntry, VerdictEntry
from gateway.facts import Fault, Grade, Notice, Outcome, Refused, Revealed, Warrant
from tests.audit.faults import FaultyDisk
from tests.audit.world import seal_all
from tests.literals import a_deny, a_permit, an_asset, some_facts

KEY = b"k" * 32
FACTS = some_facts()
CORE = some_facts(asset=an_asset(grade=Grade.CORE))
PERMIT = a_permit()
OUTCOME = Outcome(200, 10, 0, True, "", Revealed(), 0.001, 0.002)


def lines_of(settings: Settings, journal: str) -> list[bytes]:
    return (settings.directory / "journal" / f"{journal}.log").read_bytes().splitlines(keepends=True)


def read(settings: Settings, journal: str) -> list[Entry]:
    """The entries of a journal, with its chain and numbers checked."""
    digest, found = chain.start(journal), []
    for number, line in enumerate(lines_of(settings, journal)):
        assert line.endswith(b"\n")
        stated, raw = chain.read(line[:-1])
        digest = chain.link(digest, raw)
        assert stated == digest
        entry = decode(raw)
        assert (entry.journal, entry.seq) == (journal, number)
        found.append(entry)
    return found


def journals(settings: Settings) -> list[str]:
    return sorted(path.stem for path in (settings.directory / "journal").glob("*.log"))


def all_entries(settings: Settings) -> list[Entry]:
    return [entry for journal in journals(settings) for entry in read(settings, journal)]


def names(entries: list[Entry]) -> list[str]:
    return [entry.name for entry in entries if isinstance(entry, NoticeEntry)]


@pytest.mark.anyio
async def test_a_warrant_means_that_the_entry_is_in_the_file(settings: Settings) -> None:
    ledger = Ledger(settings, "worker0", KEY)
    warrant = await ledger.commit(FACTS, PERMIT)
    assert isinstance(warrant, Warrant)
    assert warrant.facts is FACTS
    assert warrant.permit is PERMIT
    last = read(settings, ledger.journal)[-1]
    assert isinstance(last, VerdictEntry)
    assert warrant.id == f"{last.journal}.{last.seq}"
    ledger.close()


@pytest.mark.anyio
async def test_a_refusal_is_answered_at_once_and_on_record_within_the_batch(settings: Settings) -> None:
    ledger = Ledger(settings, "worker0", KEY)
    refused = await ledger.commit(FACTS, a_deny())
    assert isinstance(refused, Refused)
    assert len(read(settings, ledger.journal)) == 1
    await asyncio.wait_for(until(lambda: len(read(settings, ledger.journal)) == 2), 1.0)
    entry = read(settings, ledger.journal)[-1]
    assert isinstance(entry, VerdictEntry)
    assert refused.id == f"{entry.journal}.{entry.seq}"
    ledger.close()


@pytest.mark.anyio
async def test_outcomes_and_notices_follow_with_the_next_write(settings: Settings) -> None:
    ledger = Ledger(settings, "worker0", KEY)
    first = await ledger.commit(FACTS, PERMIT)
    assert isinstance(first, Warrant)
    ledger.conclude(first.id, OUTCOME)
    ledger.note(Notice("edge.refused", "10.0.0.1", "bad_framing", 4))
    await ledger.commit(FACTS, PERMIT)
    kinds = [type(entry) for entry in read(settings, ledger.journal)]
    assert kinds == [NoticeEntry, VerdictEntry, OutcomeEntry, NoticeEntry, VerdictEntry]
    ledger.act("root", "admin", "revocation.add", "session sid-1")
    assert isinstance(read(settings, ledger.journal)[-1], ActEntry)
    ledger.close()
    assert names(read(settings, ledger.journal))[-1] == "journal.closed"


@pytest.mark.parametrize(
    "revealed", [Revealed(records=1, seen=b"12345678"), Revealed(records=1, clear=1), Revealed((("$.id", 40),), (), 40)]
)
@pytest.mark.anyio
async def test_who_was_shown_whom_does_not_wait_for_the_next_write(settings: Settings, revealed: Revealed) -> None:
    ledger = Ledger(settings, "worker0", KEY)
    warrant = await ledger.commit(FACTS, PERMIT)
    assert isinstance(warrant, Warrant)
    ledger.conclude(warrant.id, Outcome(200, 10, 0, True, "", revealed, 0.0, 0.0))
    assert isinstance(read(settings, ledger.journal)[-1], OutcomeEntry)
    ledger.close()


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.anyio
async def test_a_full_disk_forwards_nothing_refuses_on_and_recovers(settings: Settings, torn: bool) -> None:
    disk = FaultyDisk(torn=torn)
    ledger = Ledger(settings, "worker0", KEY, files=disk)
    under_way = [await ledger.commit(FACTS, PERMIT) for _ in range(3)]
    disk.room = 700
    for _ in range(5):
        assert isinstance(await ledger.commit(FACTS, PERMIT), Fault)
    assert ledger.fault
    assert isinstance(await ledger.commit(FACTS, a_deny()), Refused)
    for warrant in under_way:
        assert isinstance(warrant, Warrant)
        ledger.conclude(warrant.id, OUTCOME)
    disk.room = None
    warrant = await ledger.commit(FACTS, PERMIT)
    assert isinstance(warrant, Warrant)
    assert ledger.fault == ""
    ledger.close()
    found = read(settings, ledger.journal)
    outcomes = {entry.verdict for entry in found if isinstance(entry, OutcomeEntry)}
    permits = [entry for entry in found if isinstance(entry, VerdictEntry) and entry.outcome == "permit"]
    assert outcomes == {each.id for each in under_way if isinstance(each, Warrant)}
    assert len(permits) == 4
    unavailable = next(e for e in found if isinstance(e, NoticeEntry) and e.name == "audit.unavailable")
    assert unavailable.count == 5


@pytest.mark.anyio
async def test_refusals_on_a_full_disk_are_counted_when_memory_is_full_too(tmp_path: Path) -> None:
    settings = Settings(tmp_path, pending_bytes=20_000)
    disk = FaultyDisk()
    ledger = Ledger(settings, "worker0", KEY, files=disk)
    disk.room = 0
    answers = [await ledger.commit(FACTS, a_deny()) for _ in range(200)]
    assert all(isinstance(answer, Refused) for answer in answers)
    recorded = [answer for answer in answers if isinstance(answer, Refused) and answer.id]
    ledger.note(Notice("edge.shed", count=7))
    disk.room = None
    await asyncio.wait_for(until(lambda: "audit.overflow" in names(read(settings, ledger.journal))), 2.0)
    found = read(settings, ledger.journal)
    overflow = next(e for e in found if isinstance(e, NoticeEntry) and e.name == "audit.overflow")
    assert overflow.count == 200 - len(recorded) + 7
    assert {f"{e.journal}.{e.seq}" for e in found if isinstance(e, VerdictEntry)} == {a.id for a in recorded}
    ledger.close()


@pytest.mark.anyio
async def test_a_write_error_withdraws_the_permit_for_good(settings: Settings) -> None:
    disk = FaultyDisk()
    ledger = Ledger(settings, "worker0", KEY, files=disk)
    disk.broken_write = errno.EIO
    assert isinstance(await ledger.commit(FACTS, PERMIT), Fault)
    disk.broken_write = 0
    ledger.act("root", "admin", "policy.reload")
    ledger.close()
    assert not [entry for entry in read(settings, ledger.journal) if isinstance(entry, VerdictEntry)]


@pytest.mark.anyio
async def test_a_file_that_cannot_be_mended_is_left_for_a_new_one(settings: Settings) -> None:
    disk = FaultyDisk(room=None, torn=True)
    ledger = Ledger(settings, "worker0", KEY, files=disk)
    first = ledger.journal
    warrant = await ledger.commit(FACTS, PERMIT)
    assert isinstance(warrant, Warrant)
    ledger.conclude(warrant.id, OUTCOME)
    disk.room, disk.broken_truncate = 100, errno.EIO
    disk.broken_create = errno.ENOSPC
    assert isinstance(await ledger.commit(FACTS, PERMIT), Fault)
    assert isinstance(await ledger.commit(FACTS, PERMIT), Fault)
    refused = await ledger.commit(FACTS, a_deny())
    assert isinstance(refused, Refused)
    assert refused.id == ""
    ledger.note(Notice("edge.shed"))
    disk.room, disk.broken_create = None, 0
    await asyncio.wait_for(until(lambda: ledger.journal != first), 2.0)
    assert isinstance(await ledger.commit(FACTS, PERMIT), Warrant)
    ledger.close()
    found = read(settings, ledger.journal)
    opened = found[0]
    assert isinstance(opened, NoticeEntry)
    assert opened.subject == first
    assert [entry.verdict for entry in found if isinstance(entry, OutcomeEntry)] == [warrant.id]
    assert {"audit.overflow", "audit.unavailable", "edge.shed"} <= set(names(found))


@pytest.mark.anyio
async def test_after_a_failed_sync_the_file_is_never_trusted_again(settings: Settings) -> None:
    disk = FaultyDisk()
    ledger = Ledger(settings, "worker0", KEY, files=disk)
    first = ledger.journal
    disk.broken_sync = errno.EIO
    fault = await ledger.commit(CORE, PERMIT)
    assert isinstance(fault, Fault)
    assert fault.code == "audit_unavailable"
    assert isinstance(await ledger.commit(FACTS, PERMIT), Fault)  # a new journal cannot be synced either
    disk.broken_sync = 0
    await asyncio.wait_for(until(lambda: not ledger.fault), 2.0)
    assert ledger.journal != first
    assert isinstance(await ledger.commit(CORE, PERMIT), Warrant)
    ledger.close()
    withdrawn = [entry for entry in all_entries(settings) if isinstance(entry, OutcomeEntry)]
    assert [(entry.verdict.rpartition(".")[0], entry.code) for entry in withdrawn] == [(first, "audit_unavailable")]
    size = (settings.directory / "journal" / f"{first}.log").stat().st_size
    assert size == disk.size[settings.directory / "journal" / f"{first}.log"]


@pytest.mark.anyio
async def test_synced_permits_share_one_fdatasync(settings: Settings) -> None:
    disk = FaultyDisk()
    ledger = Ledger(settings, "worker0", KEY, files=disk)
    before = disk.syncs
    warrants = await asyncio.gather(*[ledger.commit(CORE, PERMIT) for _ in range(50)])
    assert all(isinstance(warrant, Warrant) for warrant in warrants)
    assert disk.syncs - before == 1
    path = settings.directory / "journal" / f"{ledger.journal}.log"
    assert disk.synced[path] == disk.size[path] == path.stat().st_size
    ledger.close()


@pytest.mark.anyio
async def test_the_strength_of_a_grade_or_of_the_permit_is_kept(tmp_path: Path) -> None:
    disk = FaultyDisk()
    ledger = Ledger(Settings(tmp_path, strength={"important": "synced"}), "worker0", KEY, files=disk)
    path = tmp_path / "journal" / f"{ledger.journal}.log"
    await ledger.commit(CORE, PERMIT)
    assert disk.synced[path] < disk.size[path]
    await ledger.commit(FACTS, PERMIT)
    assert disk.synced[path] == disk.size[path]
    await ledger.commit(CORE, a_permit(strength="synced"))
    assert disk.synced[path] == disk.size[path]
    ledger.close()


@pytest.mark.anyio
async def test_written_entries_are_synced_within_the_interval(settings: Settings) -> None:
    disk = FaultyDisk()
    ledger = Ledger(settings, "worker0", KEY, files=disk)
    await ledger.commit(FACTS, PERMIT)
    path = settings.directory / "journal" / f"{ledger.journal}.log"
    assert disk.synced[path] < disk.size[path]
    began = asyncio.get_running_loop().time()
    await asyncio.wait_for(until(lambda: disk.synced[path] == disk.size[path]), 1.0)
    assert asyncio.get_running_loop().time() - began < 0.2
    ledger.close()


@pytest.mark.anyio
async def test_a_disk_that_cannot_keep_the_bound_makes_written_wait(tmp_path: Path) -> None:
    disk, go_on = FaultyDisk(), threading.Event()
    ledger = Ledger(Settings(tmp_path, sync_interval=0.02), "worker0", KEY, files=disk)
    started = threading.Event()
    disk.before_sync = lambda: (started.set(), go_on.wait(5))
    assert isinstance(await ledger.commit(FACTS, PERMIT), Warrant)
    await asyncio.wait_for(until(started.is_set), 1.0)
    await asyncio.wait_for(until(lambda: ledger._late), 1.0)
    waiting = asyncio.ensure_future(ledger.commit(FACTS, PERMIT))
    done, _ = await asyncio.wait([waiting], timeout=0.05)
    assert not done
    go_on.set()
    assert isinstance(await asyncio.wait_for(waiting, 2.0), Warrant)
    path = tmp_path / "journal" / f"{ledger.journal}.log"
    assert disk.synced[path] == disk.size[path]
    ledger.close()


@pytest.mark.anyio
async def test_a_caller_who_leaves_while_the_disk_works_leaves_no_open_permit(settings: Settings) -> None:
    disk, go_on = FaultyDisk(), threading.Event()
    ledger = Ledger(settings, "worker0", KEY, files=disk)
    disk.before_sync = lambda: go_on.wait(5)
    waiting = asyncio.ensure_future(ledger.commit(CORE, PERMIT))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    go_on.set()
    ledger.close()
    found = read(settings, ledger.journal)
    assert [entry.code for entry in found if isinstance(entry, OutcomeEntry)] == ["client_gone"]


@pytest.mark.anyio
async def test_rotation_links_the_journals_and_loses_nothing(tmp_path: Path) -> None:
    settings = Settings(tmp_path, rotate_bytes=20_000)
    ledger = Ledger(settings, "worker0", KEY)
    mixed = [FACTS, CORE]
    warrants = [await ledger.commit(mixed[number % 2], PERMIT) for number in range(100)]
    for warrant in warrants:
        assert isinstance(warrant, Warrant)
        ledger.conclude(warrant.id, OUTCOME)
    ledger.close()
    found = all_entries(settings)
    assert {f"{e.journal}.{e.seq}" for e in found if isinstance(e, VerdictEntry)} == {
        w.id for w in warrants if isinstance(w, Warrant)
    }
    assert len(journals(settings)) > 3
    ends = {}
    for journal in journals(settings):
        last = read(settings, journal)[-1]
        assert isinstance(last, NoticeEntry)
        assert last.name == "journal.closed"
        ends[f"{journal}.{last.seq} digest={lines_of(settings, journal)[-1][:64].decode()}"] = journal
    opened = [read(settings, journal)[0] for journal in journals(settings)]
    linked = [e.detail.rpartition(" boot=")[0] for e in opened if isinstance(e, NoticeEntry) and e.subject]
    assert len(linked) == len(journals(settings)) - 1
    assert all(link in ends for link in linked)


def replaced(path: Path) -> None:
    path.rename(path.with_suffix(".old"))
    path.write_bytes(b"")


@pytest.mark.parametrize(
    "harm",
    [Path.unlink, replaced, lambda path: os.truncate(path, 10), lambda path: path.rename(path.with_suffix(".old"))],
)
@pytest.mark.anyio
async def test_a_journal_that_is_taken_away_is_left_for_another(
    settings: Settings, harm: Callable[[Path], None]
) -> None:
    ledger = Ledger(settings, "worker0", KEY)
    first = ledger.journal
    harm(settings.directory / "journal" / f"{first}.log")
    assert isinstance(await ledger.commit(CORE, PERMIT), Fault)  # `synced`: nobody would ever find it
    assert isinstance(await ledger.commit(FACTS, PERMIT), Warrant)
    assert ledger.journal != first
    ledger.close()
    opened = read(settings, ledger.journal)[0]
    assert isinstance(opened, NoticeEntry) and opened.subject == first
    assert [entry.verdict for entry in read(settings, ledger.journal) if isinstance(entry, OutcomeEntry)]


@pytest.mark.anyio
async def test_no_room_for_a_new_journal_goes_on_in_the_old_one(tmp_path: Path) -> None:
    settings = Settings(tmp_path, rotate_bytes=5_000)
    disk = FaultyDisk()
    ledger = Ledger(settings, "worker0", KEY, files=disk)
    first = ledger.journal
    disk.broken_create = errno.ENOSPC
    for _ in range(20):
        assert isinstance(await ledger.commit(FACTS, PERMIT), Warrant)
    assert ledger.journal == first
    disk.broken_create = 0
    assert isinstance(await ledger.commit(FACTS, PERMIT), Warrant)
    assert ledger.journal != first
    ledger.close()
    assert len([entry for entry in all_entries(settings) if isinstance(entry, VerdictEntry)]) == 21


@pytest.mark.anyio
async def test_a_disk_that_is_full_at_the_start_refuses_and_recovers(settings: Settings) -> None:
    disk = FaultyDisk(room=10)
    ledger = Ledger(settings, "worker0", KEY, files=disk)
    assert ledger.fault
    assert isinstance(await ledger.commit(FACTS, PERMIT), Fault)
    assert isinstance(await ledger.commit(FACTS, a_deny()), Refused)
    assert os.listdir(settings.directory / "journal") == []
    disk.room = None
    await asyncio.wait_for(until(lambda: not ledger.fault), 2.0)
    assert isinstance(await ledger.commit(FACTS, PERMIT), Warrant)
    ledger.close()
    assert names(all_entries(settings))[:3] == ["journal.opened", "audit.overflow", "audit.unavailable"]


def test_before_the_loop_runs_a_notice_is_written_at_once(settings: Settings) -> None:
    ledger = Ledger(settings, "control0", KEY)
    ledger.note(Notice("switch.insecure", "plaintext-listen"))
    assert names(read(settings, ledger.journal)) == ["journal.opened", "switch.insecure"]
    ledger.close()
    ledger.close()


@pytest.mark.anyio
async def test_a_closed_ledger_records_nothing_more(settings: Settings) -> None:
    ledger = Ledger(settings, "worker0", KEY)
    ledger.close()
    assert isinstance(await ledger.commit(FACTS, PERMIT), Fault)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"strength": {"secret": "written"}}, "`secret` is not a grade"),
        ({"strength": {"core": "maybe"}}, "`maybe` is not a strength"),
        ({"sync_interval": 5.0}, "`5.0`"),
        ({"batch_interval": 5.0}, "`5.0`"),
        ({"origin": "two words"}, "`two words`"),
    ],
)
def test_settings_that_weaken_the_record_are_refused(tmp_path: Path, change: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Settings(tmp_path, **change)  # type: ignore[arg-type]  # on purpose


WRITER = """
import asyncio, sys
from pathlib import Path
from gateway.audit.journal import Ledger, Settings
from gateway.facts import Grade, Outcome, Revealed, Warrant
from tests.literals import a_permit, an_asset, some_facts

async def main():
    ledger = Ledger(Settings(Path(sys.argv[1]), rotate_bytes=60_000), "worker0", b"k" * 32)
    every = [some_facts(), some_facts(asset=an_asset(grade=Grade.CORE))]
    async def caller(number):
        while True:
            warrant = await ledger.commit(every[number % 2], a_permit())
            assert isinstance(warrant, Warrant)
            sys.stdout.write(warrant.id + "\\n"); sys.stdout.flush()   # the witness: this was forwarded
            await asyncio.sleep(0)
            ledger.conclude(warrant.id, Outcome(200, 1, 0, True, "", Revealed(), 0.0, 0.0))
    await asyncio.gather(*[caller(number) for number in range(8)])
asyncio.run(main())
"""


@pytest.mark.parametrize("seed", range(4))
def test_kill_9_at_any_moment_loses_no_permit_that_was_forwarded(tmp_path: Path, signer: Signer, seed: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    ) as writer:
        assert writer.stdout is not None
        forwarded = [writer.stdout.readline() for _ in range(random.Random(seed).randint(20, 400))]
        writer.kill()
        forwarded += writer.stdout.readlines()
    whole = {line.strip() for line in forwarded if line.endswith("\n")}
    assert len(whole) >= 20
    sealer = Sealer(Settings(tmp_path), signer)
    sealed = seal_all(sealer)
    sealer.close()
    permits = {f"{entry.journal}.{entry.seq}" for entry in sealed if isinstance(entry, VerdictEntry)}
    concluded = {entry.verdict for entry in sealed if isinstance(entry, OutcomeEntry)}
    assert whole <= permits == concluded
    assert "audit.gap" in names(sealed)
    assert verify(tmp_path / "ledger", signer.vkey).status == "intact"


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.anyio
async def test_a_power_cut_takes_nothing_that_was_acknowledged_as_synced(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    settings = Settings(tmp_path, rotate_bytes=30_000)
    disk = FaultyDisk()
    ledger = Ledger(settings, "worker0", KEY, files=disk)
    synced = set()
    for _ in range(chance.randint(5, 80)):
        core = chance.random() < 0.4
        warrant = await ledger.commit(CORE if core else FACTS, PERMIT)
        assert isinstance(warrant, Warrant)
        if core:
            synced.add(warrant.id)
    await ledger.commit(FACTS, PERMIT)
    ledger._thread.shutdown(wait=True)
    lost = disk.cut_power(chance, holes=True)
    recorded = set()
    for journal in journals(settings):
        digest = chain.start(journal)
        for line in lines_of(settings, journal):
            digest = chain.link(digest, line[65:-1])
            if line[:64] != digest.hex().encode() or not line.endswith(b"\n"):
                break
            recorded.add(f"{journal}.{decode(line[65:-1]).seq}")
    assert lost >= 0
    assert synced <= recorded
    for timer in (ledger._batch, ledger._sync_timer, ledger._late_timer):
        if timer is not None:
            timer.cancel()


async def until(condition) -> None:
    """Look again each time the loop has turned."""
    while not condition():
        await asyncio.sleep(0.005)
