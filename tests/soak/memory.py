"""Is a worker's memory flat under steady load of many people?"""

import time
from pathlib import Path
from random import Random

from tests.soak.rig import OPEN, Wish, rss, staged
from tests.soak.trial import Trial

FULL, QUICK = {"people": 10_000, "seconds": 900.0}, {"people": 1_000, "seconds": 14.0}
GROWTH, MOST = 1.05, 120.0  # after the warm-up, in MiB


def run(trial: Trial, folder: Path, people: int, seconds: float) -> None:
    """Warm up for a third of the time or until everybody came twice; then (ten minutes, in full) the memory must stay."""
    with staged(folder) as stage:
        end = int(time.time()) + 7200
        tokens = [stage.issuer.token(f"person-{number}", exp=end) for number in range(people)]
        turn = iter(range(1 << 40))

        def steady(random: Random, tag: str) -> Wish:
            return Wish("open", f"{OPEN}?n={tag}", tokens[next(turn) % people], (200,), tag=tag)

        worker = stage.gateway.workers()[0]
        crowd = stage.crowd(steady, size=8, also=frozenset())
        warm = time.monotonic() + seconds / 3
        while time.monotonic() < warm or (sum(crowd.answers.values()) < 2 * people and seconds > 60):
            time.sleep(0.2)
        start = sum(crowd.answers.values())
        samples = []
        for _ in range(20):
            time.sleep(seconds * 2 / 3 / 20)
            samples.append(rss(worker))
        crowd.stop()
        first, last = sum(samples[:4]) / 4, sum(samples[-4:]) / 4
        done = sum(crowd.answers.values())
        trial.note(
            f"{done} requests of {people} people ({start} to warm up); {first:.1f} MiB, at the end {last:.1f} MiB"
        )
        if seconds > 60:
            trial.must(
                last < first * GROWTH, "memory grows by less than 5 % after the warm-up", f"{first:.1f}, {last:.1f}"
            )
        trial.must(max(samples) <= MOST, f"and stays under {MOST:.0f} MiB", f"{max(samples):.1f}")
        trial.must(stage.gateway.workers() == [worker], "the worker is still the same one")
        trial.must(not crowd.wrong, "every answer was right", crowd.wrong[:3])
