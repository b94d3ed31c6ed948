"""From evidence to a number and a band."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.behaviour.risk import band_of, combine, entity, total
from gateway.facts import Signal
from tests.literals import NOW


@pytest.mark.parametrize(
    ("scores", "expected"),
    [([], 0.0), ([10.0], 10.0), ([10.0, 50.0], 53.0), ([50.0, 50.0, 50.0], 65.0), ([100.0, 100.0], 100.0)],
)
def test_the_worst_counts_whole_and_the_second_a_third(scores: list[float], expected: float) -> None:
    assert combine(scores) == expected


@pytest.mark.parametrize(
    ("score", "previous", "band"),
    [
        (39.99, "normal", "normal"),
        (40.0, "normal", "step_up"),
        (35.0, "step_up", "step_up"),
        (34.99, "step_up", "normal"),
        (60.0, "step_up", "limit"),
        (55.0, "limit", "limit"),
        (54.99, "limit", "step_up"),
        (80.0, "normal", "quarantine"),
        (75.0, "quarantine", "quarantine"),
        (74.0, "quarantine", "limit"),
        (0.0, "quarantine", "normal"),
    ],
)
def test_a_band_is_left_five_points_lower_than_it_was_entered(score: float, previous: str, band: str) -> None:
    assert band_of(score, previous) == band


@given(scores=st.lists(st.floats(0, 100), max_size=6))
def test_law_the_risk_is_at_least_the_worst_and_at_most_100(scores: list[float]) -> None:
    assert round(max(scores, default=0.0), 2) <= combine(scores) <= 100.0


def test_of_what_was_given_and_what_is_shown_the_larger_counts() -> None:
    given_ = {"volume": (60.0, NOW - 7200.0, "then"), "new_device": (20.0, NOW - 1.0, "then")}
    signals = entity(given_, {"volume": (40.0, "now")}, NOW)
    assert {(signal.name, signal.points, signal.since, signal.evidence) for signal in signals} == {
        ("volume", 40.0, NOW, "now"),
        ("new_device", 20.0, NOW - 1.0, "then"),
    }


def test_what_has_faded_is_no_signal() -> None:
    assert entity({"off_hours": (8.0, NOW - 9 * 3600.0, "")}, None, NOW) == []
    assert entity(None, None, NOW) == []


def test_an_entity_has_100_points_at_most() -> None:
    assert total([Signal("a", 70.0, NOW, ""), Signal("b", 70.0, NOW, "")]) == 100.0
