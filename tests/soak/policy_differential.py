"""Do index and enforcer agree on 100,000 generated pairs of policy and request?

`python -m tests.soak.policy_differential [pairs] [first seed]`: exit 0 when they all agree, 1 with the seed of the
first pair on which they do not.
"""

import sys
from pathlib import Path
from random import Random
from time import perf_counter

from gateway.policy.decide import ask, decide, disagreement
from tests.policy import generated
from tests.soak.trial import Trial

FULL, QUICK = {"pairs": 100_000}, {"pairs": 4_000}
PER_POLICY = 40


def run(trial: Trial, folder: Path, pairs: int, first: int = 1_000) -> None:
    """The same, as one of the named soaks; `folder` is not needed."""
    differences = {seed: said for seed in range(first, first + pairs // PER_POLICY) if (said := differ(seed))}
    trial.must(not differences, f"index and enforcer agree on {pairs} pairs of policy and request", differences)


def differ(seed: int) -> str:
    """One policy and its requests; "" when index and enforcer agree on all of them."""
    random = Random(seed)
    bundle = generated.bundle(generated.rules(random, random.randint(0, 14)))
    for number in range(PER_POLICY):
        facts = generated.a_request(random)
        verdict, reference = ask(bundle, facts), bundle.reference(facts)
        denying = [*verdict.denied, *(rule for rule in verdict.broken if rule.deny)]
        found = {rule.id for rule in (*denying, *verdict.allowed)}
        if (verdict.allows, found) != (reference.allowed, set(reference.rules)):
            return f"request {number}: index {verdict.allows} {sorted(found)}, enforcer {reference}"
        said = disagreement(bundle, facts, decide(bundle, facts, "written"))
        if said:
            return f"request {number}: {said}"
    return ""


def main(pairs: int, first: int) -> int:
    """Run until `pairs` pairs are compared, or two differ."""
    start = perf_counter()
    for seed in range(first, first + pairs // PER_POLICY):
        difference = differ(seed)
        if difference:
            print(f"seed {seed}: {difference}")
            return 1
    print(f"{pairs} pairs agree, seeds {first} to {first + pairs // PER_POLICY - 1}, {perf_counter() - start:.0f} s")
    return 0


if __name__ == "__main__":
    asked = dict(enumerate(map(int, sys.argv[1:])))
    sys.exit(main(asked.get(0, 100_000), asked.get(1, 1_000)))
