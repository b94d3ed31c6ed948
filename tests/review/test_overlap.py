"""Rules that can never matter."""

from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.facts import Permit
from gateway.policy.decide import ask, decide
from gateway.policy.rules import Rule
from gateway.review.cells import Cell
from gateway.review.overlap import Relation, _Gathered, _look, relations
from tests.policy.generated import DATA, a_request, rules
from tests.review.lint_world import ALLOW, policies
from tests.review.test_space import a_bundle, enforced, with_grants


def some_rules(random: Random, count: int) -> list[Rule]:
    """Rules most of which bear on every asset; they end at full minutes, as days do."""
    drawn = rules(random, count)
    wide = [replace(rule, data=("*",), action=("*",), level="any") if random.random() < 0.7 else rule for rule in drawn]
    mild = [replace(rule, effect="allow", then='{"mask": "none"}') if random.random() < 0.4 else rule for rule in wide]
    return [replace(rule, expires=rule.expires and str(int(rule.expires) // 60 * 60 + 60)) for rule in mild]


def related(folder: Path, more: str, since: float = 0.0) -> dict[str, Relation]:
    return relations(*policies(folder, ALLOW + more), since)


def test_a_rule_for_nothing_that_is_listed_is_not_reached(tmp_path: Path) -> None:
    found = related(tmp_path, "- {id: x, effect: deny, data: population, action: delete}\n")
    assert (found["x"].reached, found["x"].alive) == (False, False)
    assert (found["reads"].reached, found["reads"].alive, found["reads"].effective) == (True, True, True)


def test_a_condition_that_no_request_meets(tmp_path: Path) -> None:
    more = "- {id: x, effect: deny, who: service, when: 'subject.kind == \"person\" and device.fresh'}\n"
    one = related(tmp_path, more)["x"]
    assert (one.reached, one.alive, one.open, one.never) == (True, False, False, ())


def test_comparisons_that_come_out_the_same_for_all(tmp_path: Path) -> None:
    more = """\
- {id: x, effect: deny, level: ">= important", when: 'data.grade == "general-1" or data.grade == "important" or device.fresh'}
- {id: y, effect: deny, when: 'device.fresh and env.hour < 24'}
"""
    found = related(tmp_path, more)
    assert (found["x"].never, found["x"].always) == (('data.grade == "general-1"',), ('data.grade == "important"',))
    assert (found["y"].never, found["y"].always) == ((), ("env.hour < 24",))


def test_an_allow_that_is_denied_whole(tmp_path: Path) -> None:
    more = """\
- {id: one, effect: deny, who: employee, when: device.fresh}
- {id: two, effect: deny, when: not device.fresh}
"""
    found = related(tmp_path, more)
    assert (found["reads"].alive, found["reads"].effective, found["reads"].covered) == (True, False, ())
    whole = related(tmp_path, "- {id: all, effect: deny, who: employee}\n")["reads"]
    assert (whole.effective, whole.covered, whole.equal) == (False, ("all",), ())
    same = related(tmp_path, "- {id: same, effect: deny, who: clerk, data: population, action: read}\n")["reads"]
    assert (same.effective, same.covered, same.equal) == (False, ("same",), ("same",))


def test_a_rule_that_adds_nothing(tmp_path: Path) -> None:
    more = """\
- {id: narrow, effect: allow, who: clerk, data: population, action: read, level: any, when: device.fresh}
- {id: masked, effect: allow, who: clerk, data: population, action: read, level: any, then: {mask: none}}
- {id: wide, effect: deny, when: 'risk.band in ["limit", "quarantine"]'}
- {id: part, effect: deny, when: 'risk.band == "limit"'}
- {id: other, effect: deny, when: 'risk.band == "limit"', reason: risk_too_high}
"""
    found = related(tmp_path, more)
    assert {name: one.implied for name, one in found.items() if one.implied} == {
        "narrow": ("reads",),
        "part": ("wide",),
    }


def test_a_rule_that_fails_where_the_other_one_does_not_is_not_redundant(tmp_path: Path) -> None:
    more = """\
- {id: known, effect: deny, when: risk.known and risk.score >= 60}
- {id: cold, effect: deny, when: risk.score >= 60}
"""
    found = related(tmp_path, more)  # `cold` denies also what is unknown
    assert (found["known"].implied, found["cold"].implied) == (("cold",), ())


def test_what_is_over_does_not_count(tmp_path: Path) -> None:
    more = "- {id: all, effect: deny, who: employee, expires: 2026-01-01}\n"
    assert related(tmp_path, more)["all"].alive
    assert related(tmp_path, more, since=1_800_000_000.0)["reads"].effective
    assert not related(tmp_path, more, since=1_800_000_000.0)["all"].alive


@given(st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_no_request_contradicts_what_is_said(seed: int) -> None:
    random = Random(seed)
    bundle = a_bundle(some_rules(random, random.randint(2, 6)))
    asset = enforced(a_request(random)).asset
    found = {row[0]: _Gathered(Relation(row[0], row[1] != "allow")) for row in bundle.engine.rules}
    _look(bundle, Cell("GET", f"/{asset.id}", "", (asset,)), 0.0, found)
    told = {identity: gathered.told() for identity, gathered in found.items()}
    assert asset.id in DATA
    for _ in range(60):
        facts = with_grants(bundle, enforced(a_request(random), asset))
        verdict = ask(bundle, facts)
        applied = {rule.id for rule in (*verdict.denied, *verdict.allowed)} | {r.id for r in verdict.broken if r.deny}
        permits = isinstance(decide(bundle, facts, "written"), Permit)
        for identity in applied:
            one = told[identity]
            assert one.alive, (seed, identity)
            assert set(one.implied) <= applied, (seed, identity)
            assert one.deny or one.effective or one.open or not permits, (seed, identity)
