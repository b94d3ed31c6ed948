"""What does a power cut take?

The whole gateway runs with a note of each fdatasync; then every process is killed at once, and what was not synced
is cut from journals and ledger, at random, with holes. Nothing `synced` that was acknowledged may be lost, of
`written` at most the last 200 ms, and the gap must be declared. A round in which no byte was taken does not count.
Before that, the ledger alone on a disk of its own: many more cut points.
"""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from random import Random

from gateway.audit import Ledger, Settings
from gateway.facts import Warrant
from tests.audit.faults import FaultyDisk
from tests.audit.world import FACTS, KEY, OUTCOME
from tests.literals import a_deny, a_permit
from tests.soak.rig import Crowd, Stage, children, ledger, staged, until
from tests.soak.trial import Trial

FULL, QUICK = {"cuts": 1000, "rounds": 30}, {"cuts": 60, "rounds": 3}
TAKEN = 0.2  # seconds of `written` entries that a cut may take
SLACK = 0.1  # between the decision and the answer that the caller saw


def run(trial: Trial, folder: Path, cuts: int, rounds: int) -> None:
    """First the ledger alone, then the gateway."""
    _ledger_alone(trial, folder / "alone", cuts)
    _gateway(trial, folder / "torn", rounds // 2 + 1, holes=False)
    if rounds > 1:
        _gateway(trial, folder / "holes", rounds // 2, holes=True)


# --- the ledger alone ---------------------------------------------------------------------------


def _ledger_alone(trial: Trial, folder: Path, cuts: int) -> None:
    random, lost, blank = Random(5), 0, 0
    gone: list[str] = []
    for number in range(cuts):
        disk = FaultyDisk()
        settings = Settings(folder / str(number), {"core": "synced"})
        synced = asyncio.run(_life(settings, disk, random))
        taken = disk.cut_power(random, holes=True)
        lost, blank = lost + taken, blank + (not taken)
        kept = b"".join(path.read_bytes() for path in (settings.directory / "journal").glob("*.log"))
        gone += [id for id in synced if b'"seq":%d,' % int(id.rpartition(".")[2]) not in kept]
    trial.must(not gone, f"nothing synced is lost in {cuts} cuts of the ledger alone", gone[:5])
    trial.must(blank < cuts, f"{cuts - blank} of them took bytes, {lost} in all")


async def _life(settings: Settings, disk: FaultyDisk, random: Random) -> list[str]:
    """Some requests at once, ended in the middle; the ids that were acknowledged as synced."""
    book = Ledger(settings, "worker0", KEY, files=disk)
    acknowledged: list[str] = []

    async def one() -> None:
        strength = random.choice(("written", "synced"))
        warrant = await book.commit(FACTS, a_permit(strength=strength))
        assert isinstance(warrant, Warrant)
        if strength == "synced":
            acknowledged.append(warrant.id)
        book.conclude(warrant.id, OUTCOME)
        await book.commit(FACTS, a_deny())

    tasks = [asyncio.create_task(one()) for _ in range(random.randint(1, 12))]
    for _ in range(random.randint(0, 6)):
        await asyncio.sleep(0)
    if random.random() < 0.7:
        await asyncio.sleep(random.uniform(0.0, 0.004))
    last = asyncio.create_task(one())
    await asyncio.sleep(random.uniform(0.0, 0.002))
    if book._pending:
        book._flush()
    rest = [task for task in (*tasks, last) if not task.done()]
    for timer in (book._batch, book._sync_timer, book._late_timer):
        if timer is not None:
            timer.cancel()
    until_now = list(acknowledged)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    book._closed = True
    book._thread.shutdown(wait=True)
    return until_now


# --- the whole gateway ----------------------------------------------------------------------------


def _gateway(trial: Trial, folder: Path, rounds: int, holes: bool) -> None:
    folder.mkdir()
    notes, random = folder / "synced", Random(9)
    launch = (sys.executable, "-m", "tests.soak.unplugged")
    with staged(folder, workers=2, launch=launch, SOAK_SYNCED=str(notes)) as stage:
        cut = sum(_round(trial, stage, notes, random, holes) for _ in range(rounds))
        trial.must(cut >= rounds // 2, f"{cut} of {rounds} cuts took bytes from a journal")
        stage.gateway.stop()
        _declared(trial, stage, cut, holes)


def _round(trial: Trial, stage: Stage, notes: Path, random: Random, holes: bool) -> bool:
    """Load, cut, start again; whether the cut took anything."""
    crowd = stage.crowd(size=8, seed=random.randint(0, 9999))
    time.sleep(random.uniform(0.4, 1.0))
    process = stage.gateway.process
    assert process is not None
    everyone = [process.pid, *children(process.pid)]
    for pid in everyone:
        os.kill(pid, signal.SIGSTOP)  # all in the same moment, as power goes
    at = time.time()
    for pid in everyone:
        os.kill(pid, signal.SIGKILL)
    process.wait(10)
    crowd.stop()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in everyone[1:]), 5.0)
    reached = [(talk.decision, talk.method) for talk in stage.service.seen]
    stage.service.seen.clear()
    taken = _cut(stage.gateway.state, _synced(notes), random, 0.3 * holes)
    stage.gateway.start()
    _acknowledged(trial, stage, crowd, reached, at)
    return taken > 0


def _synced(notes: Path) -> dict[int, int]:
    found: dict[int, int] = {}
    for line in notes.read_text().splitlines():
        inode, size = map(int, line.split())
        found[inode] = max(found.get(inode, 0), size)
    return found


def _cut(state: Path, synced: dict[int, int], random: Random, holes: float) -> int:
    """Take what no fdatasync covers from journals and ledger; the bytes taken from journals."""
    taken = 0
    for path in [*(state / "journal").glob("*.log"), *(state / "ledger").rglob("*")]:
        if not path.is_file() or path.name == "lock":
            continue
        status = path.stat()
        safe = min(synced.get(status.st_ino, 0), status.st_size)
        kept = random.randint(safe, status.st_size)
        data = bytearray(path.read_bytes()[:kept])
        for block in range(safe, kept, 512):
            if random.random() < holes:
                data[block : block + 512] = bytes(min(512, kept - block))
        if len(data) < status.st_size or path.read_bytes() != data:
            taken += (status.st_size - kept + 1) * (path.suffix == ".log")
            with path.open("r+b") as file:  # the same inode: its notes stay good
                file.write(data)
                file.truncate()
    return taken


def _acknowledged(trial: Trial, stage: Stage, crowd: Crowd, reached: list[tuple[str, str]], at: float) -> None:
    """What reached the service as synced is on record; of the rest only the last moments may be missing."""
    synced = [id for id, method in reached if method == "POST"]
    early = [id for id, when in crowd.permitted if when < at - TAKEN - SLACK]
    until(lambda: _permits(stage).issuperset([*synced, *early]), 20.0, 0.3)  # sealing takes a moment
    known = _permits(stage)
    lost = [id for id in synced if id not in known]
    trial.must(not lost, f"none of {len(synced)} synced permits that reached the service is lost", lost[:5])
    lost = [id for id in early if id not in known]
    trial.must(not lost, f"none of {len(early)} written permits older than 200 ms is lost", lost[:5])


def _permits(stage: Stage) -> set[str]:
    return {
        f"{entry['journal']}.{entry['seq']}"
        for entry in ledger(stage.gateway)
        if entry["kind"] == "verdict" and entry["outcome"] == "permit"
    }


def _declared(trial: Trial, stage: Stage, cut: int, holes: bool) -> None:
    """A torn end leaves the ledger whole; a hole before something that survived is missing, and says so."""
    said = stage.gateway.verify(code=None)
    fit = ("INTACT", "INCOMPLETE") if holes else ("INTACT",)
    trial.must(said.startswith(fit), f"the ledger is {' or '.join(fit).lower()} after every cut", said[:500])
    entries = ledger(stage.gateway)
    gaps = [entry for entry in entries if entry.get("name") == "audit.gap"]
    trial.must(len(gaps) >= cut, f"{len(gaps)} gaps are declared")
    altered = [json.dumps(entry) for entry in entries if entry.get("name") == "audit.altered"]
    trial.must(not altered, "a power cut is not taken for somebody's hand", altered[:3])
