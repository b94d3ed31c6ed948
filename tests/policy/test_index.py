"""Does the index find exactly the rules that the enforcer finds?"""

from random import Random

import pytest

from gateway.facts import ANONYMOUS
from gateway.policy.decide import ask, decide, disagreement
from gateway.policy.index import REMEMBERED
from gateway.policy.rules import Rule
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


def test_what_is_remembered_for_one_caller_never_serves_another() -> None:
    words = [
        {"id": "p0", "kind": "person", "org": "o1", "roles": ("r1",)},
        {"id": "p1", "kind": "person", "org": "o1", "roles": ("r1",)},
        {"id": "p0", "kind": "service", "org": "o1", "roles": ("r1",)},
        {"id": "p0", "kind": "anonymous", "org": "o1", "roles": ("r1",)},
        {"id": "p0", "kind": "person", "org": "o2", "roles": ("r1",)},
        {"id": "p0", "kind": "person", "org": "o1", "roles": ("r2",)},
    ]
    names = ("signed-in", "person", "service", "user:p0", "user:p1", "r1", "r2", "*")
    rules = [
        Rule(f"{who}@{org}", "allow", (who,), (org,), ("*",), ("*",), "any", "", "", "{}", f"r:{who}{org}", ("", ""))
        for who in names
        for org in ("*", "o1", "o2")
    ]
    bundle = generated.bundle(rules)
    asset = an_asset(id="a0", category="c0")
    for caller in words * 2:
        facts = some_facts(subject=a_subject(**caller), asset=asset)
        assert {rule.id for rule in ask(bundle, facts).allowed} == bundle.reference(facts).rules


def test_two_endpoints_of_an_asset_are_told_apart_by_whether_anybody_reads_their_answers() -> None:
    masked = generated.bundle(
        [Rule("m", "allow", ("*",), ("*",), ("*",), ("*",), "any", "", "", '{"mask": "strict"}', "r:1", ("", ""))]
    )
    for opaque in (False, True, False):
        facts = some_facts(asset=an_asset(id="a0", category="c0", opaque=opaque))
        assert ask(masked, facts).allows is not opaque
