"""Does the gateway judge and record rightly when the wall clock jumps by an hour?

Needs Debian's `faketime`. Only the wall clock is moved: libfaketime would shift absolute sleeps as well.
"""

import os
import time
from pathlib import Path

from tests.soak.rig import OPEN, Stage, judge, staged, until
from tests.soak.trial import Trial

FULL, QUICK = {"jumps": (0, 3600, -3600, 0, 7200, 0)}, {"jumps": (0, 3600, -3600, 0)}
LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)


def run(trial: Trial, folder: Path, jumps: tuple[int, ...]) -> None:
    """Step the clock, ask with tokens of that time and of another."""
    if LIBRARY is None:
        trial.skip("libfaketime is not installed")
        return
    dial = folder / "dial"
    dial.write_text("+0\n")
    fake = {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(dial),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    (folder / "gateway").mkdir()
    with staged(folder / "gateway", workers=2, **fake) as stage:
        for jump in jumps:
            _turn(dial, jump)
            _asked(trial, stage, jump)
        stage.gateway.stop()
        entries = judge(trial, stage, [])
        numbers: dict[str, int] = {}
        back = []
        for entry in entries:
            if entry["seq"] != numbers.get(entry["journal"], -1) + 1:
                back.append((entry["journal"], entry["seq"]))
            numbers[entry["journal"]] = entry["seq"]
        trial.must(not back, f"no sequence goes back or leaves out a number in {len(entries)} entries", back[:5])


def _turn(dial: Path, seconds: int) -> None:
    new = dial.with_suffix(".new")
    new.write_text(f"{seconds:+d}\n")
    os.replace(new, dial)


def _asked(trial: Trial, stage: Stage, jump: int) -> None:
    there = int(time.time()) + jump
    subject = f"traveller{jump}-{time.monotonic()}"

    def token(shift: int) -> str:
        at = there + shift
        return stage.issuer.token(subject, iat=at, exp=at + 600, auth_time=at)

    took = until(lambda: stage.ask(OPEN, token(0)).status == 200, 3.0)
    trial.must(took is not None, f"{jump:+d} s: a token of that time is good", stage.ask(OPEN, token(0)).body[:200])
    late = stage.ask(OPEN, token(-3600))
    trial.must((late.status, late.reason) == (401, "token_expired"), f"{jump:+d} s: an old one has expired", late.body)
    early = stage.ask(OPEN, token(3600))
    trial.must(early.status == 401, f"{jump:+d} s: one of the future is not good yet", early.body)
