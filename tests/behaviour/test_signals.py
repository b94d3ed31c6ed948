"""Curves and decay, by table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.behaviour.signals import (
    DENIED,
    ENUMERATION,
    FAILED,
    RECORD_WEIGHT,
    SIGNALS,
    SPRAY,
    VOLUME,
    Curve,
    decayed,
    points,
)
from gateway.facts import GRADES

CURVES = {
    "enumeration": ENUMERATION,
    "volume": VOLUME,
    "denied_burst": DENIED,
    "failed_credentials": FAILED,
    "spray": SPRAY,
}


@pytest.mark.parametrize(
    ("curve", "count", "expected"),
    [
        (ENUMERATION, 9, 0.0),
        (ENUMERATION, 10, 20.0),
        (ENUMERATION, 14, 30.0),
        (ENUMERATION, 18, 40.0),
        (ENUMERATION, 55, 60.0),
        (ENUMERATION, 1e9, 70.0),
        (SPRAY, 7, 0.0),
        (SPRAY, 8, 100.0),
        (FAILED, 1, 6.0),
        (FAILED, 10, 60.0),
        (DENIED, 5, 0.0),
        (DENIED, 6, 20.0),
    ],
)
def test_points_by_count(curve: Curve, count: float, expected: float) -> None:
    assert points(curve, count) == expected


@given(name=st.sampled_from(sorted(CURVES)), low=st.floats(0, 1e5), more=st.floats(0, 1e5))
def test_law_more_is_never_worth_less_and_never_more_than_the_signals_most(name: str, low: float, more: float) -> None:
    curve = CURVES[name]
    assert 0 <= points(curve, low) <= points(curve, low + more) <= SIGNALS[name].points


@pytest.mark.parametrize(("age", "left"), [(-5.0, 40.0), (0.0, 40.0), (60.0, 20.0), (120.0, 10.0), (600.0, 0.0390625)])
def test_points_halve_with_each_half_life(age: float, left: float) -> None:
    assert decayed(40.0, age, 60.0) == left


def test_every_grade_has_a_weight_and_every_signal_two_names() -> None:
    assert set(RECORD_WEIGHT) == set(GRADES)
    assert all(meaning.en and meaning.zh and meaning.homes for meaning in SIGNALS.values())
