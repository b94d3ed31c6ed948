"""Is anything lost or let through when processes are killed at random moments under load?

A round counts only when requests that the victim had forwarded were still waiting at the service after it was
dead: a kill of an idle gateway proves nothing. Victims are workers, the control process, the supervisor, all at once.
"""

import os
import signal
import time
from itertools import chain
from pathlib import Path
from random import Random

from gateway.stores import Board
from tests.soak.rig import Stage, alive, children, judge, staged, until
from tests.soak.trial import Trial

FULL, QUICK = {"rounds": 200}, {"rounds": 12}
WORKERS = 3
ORPHANS_SECONDS = 8.0


def run(trial: Trial, folder: Path, rounds: int, seed: int = 11, timed: bool = True) -> None:
    """Kill `rounds` times, then judge the record; `timed`: also how soon a worker is replaced."""
    random = Random(seed)
    with staged(folder, workers=WORKERS, hold=lambda: random.uniform(0.01, 0.08)) as stage:
        crowd = stage.crowd(size=20)
        counted = {"worker": 0, "control": 0, "supervisor": 0, "all": 0}
        victims = chain(("worker", "all"), iter(lambda: random.choices(list(counted), (60, 15, 15, 10))[0], None))
        victim, blank = next(victims), 0
        while sum(counted.values()) < rounds and blank < rounds + 20:
            time.sleep(random.uniform(0.0, 0.25))
            if _one(trial, stage, random, victim):
                counted[victim] += 1
                victim = next(victims)
            else:
                blank += 1
        crowd.stop()
        trial.must(sum(counted.values()) == rounds, f"{rounds} rounds with requests in flight", counted)
        trial.note(f"killed {counted}; {blank} blank; {sum(crowd.answers.values())} answers, {crowd.resets} resets")
        if timed:
            _replaced(trial, stage)
        stage.gateway.stop()
        entries = judge(trial, stage, [crowd])
        lost = [entry for entry in entries if entry["kind"] == "outcome" and entry.get("code") == "interrupted"]
        told = sum(entry.get("count", 1) for entry in entries if entry.get("name") == "audit.interrupted")
        trial.must(len(lost) >= min(told, 1) and told > 0, f"{told} interrupted requests are declared", len(lost))


def _one(trial: Trial, stage: Stage, random: Random, victim: str) -> bool:
    """Kill once; whether something it had forwarded was at the service when it died."""
    supervisor = stage.gateway.process
    assert supervisor is not None
    board = Board.open(stage.gateway.state / "board")
    if until(lambda: any(slot.ready for slot in board.live("worker")), 12.0) is None:
        trial.must(False, "dead workers are replaced", stage.gateway.log.read_text()[-600:])
        return False
    workers = {slot.pid: slot.index for slot in board.live("worker") if slot.ready and alive(slot.pid)}
    crew = children(supervisor.pid)
    if not workers:
        return False
    pids = {
        "worker": [random.choice(list(workers))],
        "control": [slot.pid for slot in board.live("control") if slot.pid in crew],
        "supervisor": [supervisor.pid],
        "all": [supervisor.pid, *crew],
    }[victim]
    if not pids:
        return False  # the control process is dead already
    sign = f"-w{workers[pids[0]]}-" if victim == "worker" else "-w"
    if until(lambda: bool(stage.service.held(sign)), 3.0, 0.001) is None:
        return False
    before = stage.service.held(sign)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    counts = bool(before & stage.service.held(sign))
    if victim in ("supervisor", "all"):
        _again(trial, stage, crew)
    return counts


def _again(trial: Trial, stage: Stage, crew: list[int]) -> None:
    """The supervisor is dead: its children must leave by themselves; then begin anew."""
    assert stage.gateway.process is not None
    stage.gateway.process.wait(10)
    took = until(lambda: not any(alive(pid) for pid in crew), ORPHANS_SECONDS)
    if took is None:
        trial.must(False, f"orphans leave within {ORPHANS_SECONDS} s", [pid for pid in crew if alive(pid)])
        for pid in filter(alive, crew):
            os.kill(pid, signal.SIGKILL)
        until(lambda: not any(alive(pid) for pid in crew), 5.0)
    stage.gateway.start()


def _replaced(trial: Trial, stage: Stage) -> None:
    """A worker that had lived a while is replaced within a second."""
    time.sleep(5.2)  # the supervisor is patient with those that die young
    until(lambda: len(stage.gateway.workers()) == WORKERS, 12.0)
    victim = stage.gateway.workers()[0]
    os.kill(victim, signal.SIGKILL)
    took = until(lambda: victim not in (now := stage.gateway.workers()) and len(now) == WORKERS, 5.0)
    trial.must(took is not None and took < 1.0, "a killed worker is replaced within a second", took)
