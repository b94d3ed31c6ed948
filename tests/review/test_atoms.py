"""Are a condition's turning points all found, and can facts that no atom tells apart still be told apart by a rule?"""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts import Risk
from gateway.policy.condition import FAILURES
from gateway.review.atoms import Atoms, take_apart
from tests.literals import some_facts
from tests.policy import generated
from tests.policy.world import CLERK_READS, a_bundle


def atoms(folder: Path, *conditions: str) -> Atoms:
    return take_apart(conditions, a_bundle(folder, CLERK_READS).names)


@pytest.mark.parametrize(
    ("condition", "count", "name", "values"),
    [
        ('env.purpose in ["audit", "care"] and not device.fresh', 2, "env.purpose", ("audit", "care")),
        ("1 < subject.assurance <= 3", 1, "subject.assurance", (1, 3)),
        ("subject.auth_age > 300 or subject.auth_age > 300", 1, "subject.auth_age", (300,)),
        ('ip_in(env.source, "10.0.0.0/8", "::1/128")', 1, "env.source", ("10.0.0.0/8", "::1/128")),
        ('not (between(env.time, "08:00", "18:00"))', 1, "env.time", ("08:00", "18:00")),
        ('"用途" == env.purpose\n  and risk.known', 2, "env.purpose", ("用途",)),
        ("risk.score > -1.5", 1, "risk.score", (-1.5,)),
    ],
)
def test_the_literals_beside_a_name_are_found(
    tmp_path: Path, condition: str, count: int, name: str, values: tuple[object, ...]
) -> None:
    found = atoms(tmp_path, condition)
    assert (len(found.atoms), found.beside[name]) == (count, values)


def test_names_that_are_held_against_each_other_are_found(tmp_path: Path) -> None:
    found = atoms(tmp_path, "device.org == subject.org")
    assert found.names_beside == {"device.org": ("subject.org",), "subject.org": ("device.org",)}
    assert found.names == {"device.org", "subject.org"}


def test_an_atom_that_cannot_be_evaluated_is_neither_true_nor_false(tmp_path: Path) -> None:
    (one,) = atoms(tmp_path, "risk.score < 40").atoms
    assert [one.of(some_facts(risk=Risk(score))) for score in (10.0, 50.0, None)] == [True, False, None]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_a_condition_cannot_tell_apart_what_its_atoms_cannot(seed: int) -> None:
    random = Random(seed)
    bundle = generated.bundle(generated.rules(random, 3))
    requests = [generated.a_request(random) for _ in range(12)]
    for when in generated.WHENS[3:]:
        known = take_apart((when,), bundle.names)
        answers: dict[object, set[object]] = {}
        for facts in requests:
            try:
                said: object = bundle.condition(when).test(facts)
            except FAILURES:
                said = "broken"
            answers.setdefault(known.signature(facts), set()).add(said)
        assert all(len(said) == 1 for said in answers.values()), (when, answers)
