"""What happens when the disk of the record fills up under load, and when there is room again?

The state directory lies on a small tmpfs (mounting needs root). Nothing that must be on record may be forwarded
while it is full; refusals are still answered; when the room returns, nobody has to restart anything.
"""

import os
import subprocess
import time
from collections import Counter
from pathlib import Path

from tests.soak.rig import CIVIL, OPEN, VISITS, Stage, judge, ledger, staged, until
from tests.soak.trial import Trial

FULL, QUICK = {"times": 8}, {"times": 2}
SIZE = "24m"


def run(trial: Trial, folder: Path, times: int) -> None:
    """Fill the disk `times` times, let it be full for a while, make room."""
    state = folder / "state"
    state.mkdir(mode=0o700)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(state)], capture_output=True, check=False
    )
    if mounted.returncode:
        trial.skip("a tmpfs cannot be mounted here (it needs root)")
        return
    try:
        with staged(folder, workers=2) as stage:
            _fill_and_empty(trial, stage, times)
    finally:
        subprocess.run(["umount", "-l", str(state)], check=False)


def _fill_and_empty(trial: Trial, stage: Stage, times: int) -> None:
    crowd = stage.crowd(size=8, pause=0.01)
    for _ in range(times):
        time.sleep(0.5)
        _once(trial, stage)
    crowd.stop()
    stage.gateway.stop()
    entries = judge(trial, stage, [crowd])
    said = Counter(entry.get("name") for entry in ledger(stage.gateway))
    trial.must(said["audit.unavailable"] > 0, "what was not forwarded is counted on record", said)
    trial.note(f"{len(entries)} entries, answers {dict(crowd.answers)}")


def _once(trial: Trial, stage: Stage) -> None:
    clerk, curious = stage.people.clerks[0], stage.people.denied
    filler = stage.gateway.state / "filler"
    _fill(filler)
    full = until(lambda: stage.ask(OPEN, clerk).status == 503, 10.0)
    trial.must(full is not None, "a full disk stops what needs a record")
    _fill(filler)
    before = len(stage.service.seen)
    answers = [stage.ask(OPEN, clerk) for _ in range(20)]
    codes = {(answer.status, answer.reason) for answer in answers if answer.status != 200}
    trial.must(codes == {(503, "audit_unavailable")}, "the answer is 503 audit_unavailable", codes)
    said = stage.ask(CIVIL, clerk, "POST", body=b"{}")
    trial.must(said.status in (200, 503), "a synced write is refused or recorded", said.status)
    denied = {stage.ask(f"{VISITS}/never-{n}", curious[-n - 1]).status for n in range(10)}
    trial.must(denied <= {403, 503}, "refusals are still answered", denied)
    trial.must(403 in denied, "a refusal does not need the disk", denied)
    ready = until(lambda: stage.gateway.door("GET", "/ready").status == 503, 5.0)
    trial.must(ready is not None, "the gateway says that it is not ready", stage.gateway.door("GET", "/health").body)
    trial.note(f"{len(stage.service.seen) - before} requests reached the service while the disk was full")
    filler.unlink()
    took = until(lambda: {stage.ask(OPEN, clerk).status for _ in range(8)} == {200}, 10.0)
    trial.must(took is not None, "it recovers by itself when there is room again")
    ready = until(lambda: stage.gateway.door("GET", "/ready").status == 200, 10.0)
    trial.must(ready is not None, "and says that it is ready", stage.gateway.door("GET", "/health").body)


def _fill(path: Path) -> None:
    """Take every byte that is left."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    os.write(descriptor, b"\0" * size)
            except OSError:
                continue
    finally:
        os.close(descriptor)
