"""Does native mode answer as stock casbin does, on 120,000 generated pairs of policy and request?"""

from pathlib import Path
from random import Random

from tests.policy.native import generated
from tests.soak.trial import Trial

FULL, QUICK = {"pairs": 120_000}, {"pairs": 4_000}
PER_POLICY = 40


def run(trial: Trial, folder: Path, pairs: int, first: int = 1_000) -> None:
    """Half of them as they should be, half after careless edits; a difference is told with its seed."""
    seeds = range(first, first + pairs // (2 * PER_POLICY))
    for differ, promise in (
        (generated.differ, "native mode and stock casbin agree"),
        (generated.differ_when_damaged, "what was edited carelessly is refused, or they agree"),
    ):
        said = {seed: told for seed in seeds if (told := differ(Random(seed), folder, PER_POLICY))}
        trial.must(not said, f"{promise}, on {len(seeds) * PER_POLICY} pairs", said)
