"""How well are identifiers told? Measured on made values; what is made differs from what is looked for by nothing but luck."""

import json
import random

import pytest

from gateway.detect import recognise
from gateway.detect.identifiers import DETECTORS, PROPOSED
from tests.detect.made import LOOKALIKES, SPOKEN, benign

EACH = 400


def told(value: str, *names: str) -> set[str]:
    return {one.identifier for one in recognise(value, names)}


def test_every_identifier_is_measured():
    assert set(SPOKEN) == set(DETECTORS)


@pytest.mark.parametrize("identifier", sorted(SPOKEN))
def test_recall_under_each_of_its_names(identifier):
    make, names = SPOKEN[identifier]
    for name in names:
        source = random.Random(f"{identifier} {name}")
        hits = sum(identifier in told(make(source), "items", name) for _ in range(EACH))
        assert hits / EACH >= 0.995, name


@pytest.mark.parametrize("identifier", sorted(SPOKEN))
def test_precision_where_a_name_speaks_of_it_and_something_else_is_there(identifier):
    """As many values that are none, from all look-alikes, under the names of the identifier."""
    make, names = SPOKEN[identifier]
    source = random.Random(identifier)
    others = list(LOOKALIKES.values())
    right = sum(identifier in told(make(source), names[0]) for _ in range(EACH * 5))
    wrong = sum(identifier in told(str(source.choice(others)(source)), names[0]) for _ in range(EACH * 5))
    assert right / (right + wrong) >= (0.99 if identifier == "resident-id" else 0.95), (right, wrong)


def values(node, names=()):
    if isinstance(node, dict):
        for name, inner in node.items():
            yield from values(inner, (*names, name))
    elif isinstance(node, list):
        for inner in node:
            yield from values(inner, names)
    else:
        yield str(node), names


def test_of_ten_thousand_harmless_answers_fewer_than_one_in_a_thousand_holds_a_false_one():
    source = random.Random(2026)
    wrong = 0
    for _ in range(10_000):
        answer = json.loads(benign(source))
        wrong += any(one.confidence >= PROPOSED for pair in values(answer) for one in recognise(*pair))
    assert wrong < 10
