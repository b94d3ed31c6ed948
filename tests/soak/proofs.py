"""Does any request contradict a proof, a comparison or a counterfactual, over thousands of small policies?

The laws of `tests/review/test_prove.py`, `test_diff.py` and `test_flips.py` with more seeds and a larger grid.
"""

from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.review.pairs import a_pair
from tests.review.test_diff import misjudged
from tests.review.test_flips import missed
from tests.review.test_prove import contradicted, proved
from tests.soak.trial import Trial

FULL, QUICK = {"pairs": 5_000}, {"pairs": 200}
STARTS = 4


def run(trial: Trial, folder: Path, pairs: int, first: int = 1_000) -> None:
    """Every law on so many seeds; `folder` is not needed."""
    laws: dict[str, Callable[[int], str]] = {
        "no request contradicts a proof, and every witness is real": of_a_proof,
        "a comparison reports what is real, and misses nothing": of_a_comparison,
        "no fewer changes turn a refusal than are told": of_a_flip,
    }
    for promise, law in laws.items():
        broken = {seed: found for seed in range(first, first + pairs) if (found := law(seed))}
        trial.must(not broken, f"{promise}, on {pairs} pairs of policies", broken)


def of_a_proof(seed: int) -> str:
    random = Random(seed)
    pair = a_pair(random)
    return contradicted(random, pair, proved(pair), STARTS)


def of_a_comparison(seed: int) -> str:
    random = Random(seed)
    return misjudged(random, a_pair(random), every=3)


def of_a_flip(seed: int) -> str:
    return missed(Random(seed), requests=3)
