"""How much CPU and memory did these processes take, and which cores are whose?

CPU is read from `schedstat` (nanoseconds, all threads) where the kernel has it, else from `stat` (10 ms steps).
"""

import contextlib
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

CORES = sorted(os.sched_getaffinity(0))
MEASURED = {CORES[-1]}  # what is measured
OTHERS = {CORES[0]} if len(CORES) < 4 else set(CORES[:-1])  # load and services
TICK = 1 / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def on(cores: set[int]) -> Iterator[None]:
    """Run here, and start processes here, for a while."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu(pid: int) -> float:
    """CPU seconds this process has used."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    except FileNotFoundError:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * TICK


def softirq() -> float:
    """Seconds the measured cores spent on network packets outside any process, since boot.

    Kernels that keep interrupt time apart (IRQ_TIME_ACCOUNTING) do not charge it to whoever sent the packet.
    """
    names = {f"cpu{core}" for core in MEASURED}
    rows = [line.split() for line in Path("/proc/stat").read_text().splitlines()]
    return sum(int(row[7]) * TICK for row in rows if row[0] in names)


def children(pid: int) -> list[int]:
    """The processes that this one started, and theirs."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(word) for word in (task / "children").read_text().split()]
    return found + [deeper for child in found for deeper in children(child)]


def memory(pid: int) -> tuple[float, float]:
    """Resident and proportional memory in MiB."""
    rows = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return tuple(int(rows[name].split()[0]) / 1024 for name in ("Rss", "Pss"))  # type: ignore[return-value]  # two


def settle(pids: list[int], still: float = 0.02, most: float = 10.0) -> None:
    """Wait until these processes have finished what they still had to do: less than `still` of a core."""
    deadline = time.monotonic() + most
    while time.monotonic() < deadline:
        before, began = sum(map(cpu, pids)), time.monotonic()
        time.sleep(0.35)
        if sum(map(cpu, pids)) - before < still * (time.monotonic() - began):
            return


class Machine(Struct):
    """Where it was measured."""

    cpu: str
    cores: int
    python: str
    kernel: str
    load: float  # of the last minute, before the run: above 1 the absolute figures are noise


def here() -> Machine:
    """This machine."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return Machine(model, len(CORES), platform.python_version(), platform.release(), os.getloadavg()[0])
