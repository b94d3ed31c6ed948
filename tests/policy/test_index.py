"""Does the index find exactly the rules that the enforcer finds?"""

from random import Random

import pytest

from gateway.facts import ANONYMOUS
from gateway.policy.decide import ask, decide, disagreement
from gateway.policy.index import REMEMBERED
from tests.literals import a_subject, an_asset, some_facts
from tests.policy import generated


@pytest.mark.parametrize("seed", range(100))
def test_index_and_enforcer_find_the_same_rules_and_the_same_effect(seed: int) -> None:
    random = Random(seed)
    bundle = generated.bundle(generated.rules(random, random.randint(0, 16)))
    for _ in range(20):  # 2,000 pairs in all; tests/soak/policy_differential.py does 100,000
        facts = generated.a_request(random)
        verdict, reference = ask(bundle, facts), bundle.reference(facts)
        found = {
            rule.id
            for rule in (*verdict.denied, *verdict.allowed, *verdict.broken)
            if rule.deny or rule in verdict.allowed
        }
        assert (verdict.allows, found) == (reference.allowed, set(reference.rules))
        assert disagreement(bundle, facts, decide(bundle, facts, "written")) == ""


def test_a_claimed_role_that_is_not_declared_counts_for_nothing() -> None:
    index = generated.bundle([]).index
    subject = a_subject(id="p9", org="o1", roles=("r0", "user:p0", "person-of-interest", "service", "*"))
    assert index.sub(subject).roles == {"r0", "signed-in", "person", "user:p9"}


def test_an_anonymous_caller_holds_nothing_whatever_is_claimed() -> None:
    index = generated.bundle([]).index
    assert index.sub(ANONYMOUS).roles == frozenset()
    claimed = a_subject(kind="anonymous", id="p0", roles=("r0",), org="o1")
    assert (index.sub(claimed).roles, index.sub(claimed).org) == (frozenset(), "")


def test_the_memory_is_bounded_however_many_offices_are_claimed() -> None:
    bundle = generated.bundle(generated.rules(Random(1), 3))
    for number in range(REMEMBERED + 10):
        facts = some_facts(subject=a_subject(org=f"made-up-{number}"), asset=an_asset(id="a0", category="c0"))
        bundle.index.candidates(facts.subject, facts.asset)
    assert max(len(memory) for memory in bundle.index._found) <= REMEMBERED
