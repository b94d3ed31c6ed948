"""How fast are decision, masking and journal by themselves?"""

import asyncio
import shutil
import time
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from gateway.app.revisions import compile_folder
from gateway.audit import Ledger
from gateway.audit import Settings as AuditSettings
from gateway.catalog import ApiBinding
from gateway.facts import Outcome, Permit, RawReply, Reply, Revealed, Warrant
from gateway.masking import Masking
from gateway.masking import Settings as MaskingSettings
from gateway.policy import Policy
from tests.bench import machine, material
from tests.bench.load import percentile
from tests.bench.table import Row, Said
from tests.literals import a_permit, a_posture, a_subject, a_warrant, some_facts
from tests.review import figures
from tests.test_layout import ROOT

APIS = (
    ApiBinding("plain", "/plain", (), "enforce", "general-1", {}, False),
    ApiBinding("households", "/civil/households", ("household",), "enforce", None, {}, False),
)
COLD = 2000  # callers that were never seen
WAITING = 64  # requests that wait for the disk together


def decisions(folder: Path, quick: bool) -> Said:
    """Microseconds for one decision, by number of rules."""
    rows, data = [], {}
    with machine.on(machine.MEASURED):
        for count in (10, 100, 1000, 10_000):
            one = data[count] = _decision(_policies(folder, count), 0.1 if quick else 0.5)
            target = 5.0 if count >= 1000 else None
            beside = f"{one['fitting']} rules fit the caller"
            rows.append(Row("decision", f"{count:,} rules, warm", one["warm"], "µs", target, beside=beside))
            rows.append(Row("decision", f"{count:,} rules, caller never seen", one["cold"], "µs"))
            yardstick = f"PyYAML alone composes the same files in {one['composed']:.2f} s"
            slow = 1.0 if count == 10_000 else None
            rows.append(
                Row("decision", f"{count:,} rules, from folder to bundle", one["compiled"], "s", slow, beside=yardstick)
            )
            if "important" in one:
                rows.append(Row("decision", f"{count:,} rules, warm, important data", one["important"], "µs", target))
    return Said(rows, data)


def _policies(folder: Path, count: int) -> Path:
    place = folder / f"rules-{count}"
    shutil.copytree(ROOT / "policies", place)
    (material.only_rules if count < 100 else material.add_rules)(place, count)
    return place


def _decision(policies: Path, seconds: float) -> dict[str, Any]:
    began = time.process_time()  # one thread, no waiting: what others do on this machine counts less
    compiled = compile_folder(policies, APIS, time.time())
    took = time.process_time() - began
    texts = [file.read_text() for file in (policies / "rules").glob("*.yaml")]
    began = time.process_time()
    for text in texts:
        yaml.compose(text, yaml.CSafeLoader)
    composed = time.process_time() - began
    policy = Policy(compiled.bundle)
    policy.sample(512)  # as a worker does
    asset = compiled.catalog.find("GET", "/plain/1k", "plain")
    facts = some_facts(asset=asset)
    household = some_facts(asset=compiled.catalog.find("GET", "/civil/households/1k", "households"))
    fitting = compiled.bundle.index.candidates(facts.subject, asset)
    found: dict[str, Any] = {
        "compiled": took,
        "composed": composed,
        "fitting": len(fitting.denies) + len(fitting.allows),
    }
    found["warm"] = _each(policy, [facts], seconds)
    if isinstance(policy.decide(household), Permit):
        found["important"] = _each(policy, [household], seconds)
    strangers = [
        some_facts(asset=asset, subject=a_subject(roles=("clerk", f"officer-{n % 100}"), org=f"office-{n // 100}"))
        for n in range(COLD)
    ]
    began = time.perf_counter()
    for stranger in strangers:
        policy.decide(stranger)
    found["cold"] = (time.perf_counter() - began) / COLD * 1e6
    return found


def _each(policy: Policy, facts: list[Any], seconds: float) -> float:
    one, decide = facts[0], policy.decide
    assert isinstance(decide(one), Permit)
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        for _ in range(1000):
            decide(one)
        times.append(time.perf_counter() - began)
    return median(times) * 1000


def masking(folder: Path, quick: bool) -> Said:
    """Megabytes of JSON in a second, through the mask of the household register."""
    compiled = compile_folder(_masks(folder), APIS, time.time())
    facts = some_facts(
        asset=compiled.catalog.find("GET", "/civil/households/1k", "households"),
        subject=a_subject(),
        posture=a_posture(),
    )
    permit = Policy(compiled.bundle).decide(facts)
    assert isinstance(permit, Permit)
    assert permit.mask.inspects
    warrant = a_warrant(facts=facts, permit=permit)
    rows, data = [], {}
    with machine.on(machine.MEASURED):
        for name, size in material.SIZES.items():
            body = material.household(size)
            took = asyncio.run(_masked(body, warrant, 0.3 if quick else 1.0))
            data[name] = {"bytes": len(body), "seconds": took}
            label = f"{size // 1024} KB" if size < 1024 * 1024 else "1 MB"
            beside = f"{took * 1e6:,.0f} µs each"
            rows.append(Row("masking", label, len(body) / took / 1e6, "MB/s", 75, "more", beside))
    return Said(rows, data)


def _masks(folder: Path) -> Path:
    place = folder / "masks"
    shutil.copytree(ROOT / "policies", place)
    return place


def replays(folder: Path, quick: bool) -> Said:
    """Recorded decisions in a second of one core: read, judged by two policies, judged again byte for byte."""
    count = 20_000 if quick else 100_000
    with machine.on(machine.MEASURED):
        data: dict[str, Any] = figures.figures(count, count // 5)
    rows = [
        Row("replay", name, speed, "decisions/s", 50_000 if "edited" in name else None, "more", _sides(name))
        for name, speed in data.items()
    ]
    return Said(rows, data)


def _sides(name: str) -> str:
    return "each by both sides" if "edited" in name or "regraded" in name or name.startswith("the same") else ""


async def _masked(body: bytes, warrant: Warrant, seconds: float) -> float:
    room = Masking(MaskingSettings(hash_key=bytes(32)))
    headers = ((b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()))
    raw = RawReply(200, headers, body, len(body), 0.001)
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        began = time.perf_counter()
        reply = await room.apply(raw, warrant)
        times.append(time.perf_counter() - began)
        assert isinstance(reply, Reply)
    return median(times)


def journal(folder: Path, quick: bool) -> Said:
    """Entries in a second; a request makes two."""
    seconds = 0.7 if quick else 2.0
    with machine.on(machine.MEASURED):
        written, cost = asyncio.run(_journal(folder / "written", "written", 1, seconds))[:2]
        synced, _, waits = asyncio.run(_journal(folder / "synced", "synced", WAITING, seconds))
        alone, _, single = asyncio.run(_journal(folder / "alone", "synced", 1, seconds))
    rows = [
        Row("journal", "written, one after the other", written, "entries/s", beside=f"{cost * 1e6:.1f} µs CPU each"),
        Row("journal", f"synced, {WAITING} waiting together", synced, "entries/s", beside=_waits(waits)),
        Row("journal", "synced, one after the other", alone, "entries/s", beside=_waits(single)),
    ]
    return Said(rows, {"written": written, "synced": synced, "synced_alone": alone, "written_cpu": cost})


def _waits(waits: list[float]) -> str:
    return f"a permit waits p50 {percentile(waits, 0.5) * 1e3:.2f} ms, p99 {percentile(waits, 0.99) * 1e3:.2f} ms"


async def _journal(folder: Path, strength: str, together: int, seconds: float) -> tuple[float, float, list[float]]:
    """Entries per second, CPU seconds per entry, and how long each permit waited."""
    (folder / "journal").mkdir(parents=True)
    ledger = Ledger(AuditSettings(folder), "w1", bytes(32))
    facts, permit = some_facts(), a_permit(strength=strength)
    outcome = Outcome(200, 1024, 0, True, "", Revealed(), 0.001, 0.002)
    waits: list[float] = []
    began, used = time.perf_counter(), time.process_time()

    async def one() -> None:
        while time.perf_counter() < began + seconds:
            for _ in range(32):
                start = time.perf_counter()
                warrant = await ledger.commit(facts, permit)
                waits.append(time.perf_counter() - start)
                assert isinstance(warrant, Warrant), warrant
                ledger.conclude(warrant.id, outcome)
            await asyncio.sleep(0)

    await asyncio.gather(*(one() for _ in range(together)))
    took, used = time.perf_counter() - began, time.process_time() - used
    ledger.close()
    count = 2 * len(waits)
    return count / took, used / count, sorted(waits)
