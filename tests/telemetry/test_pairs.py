"""Verdicts that wait for their outcome."""

import pytest
from msgspec.structs import replace

from gateway.telemetry.pairs import Pairs
from tests.telemetry.told import a_verdict, an_outcome


def test_an_outcome_finds_its_verdict_once() -> None:
    pairs, verdict = Pairs(), a_verdict(seq=3)
    assert pairs.wait(verdict) is None
    assert pairs.match(an_outcome(verdict)) is verdict
    assert pairs.match(an_outcome(verdict)) is None


def test_the_one_that_waits_longest_gives_way() -> None:
    pairs, verdicts = Pairs(limit=2), [a_verdict(seq=number) for number in range(3)]
    assert [pairs.wait(verdict) for verdict in verdicts] == [None, None, verdicts[0]]
    assert pairs.match(an_outcome(verdicts[0])) is None
    assert pairs.match(an_outcome(verdicts[2])) is verdicts[2]


@pytest.mark.parametrize("identity", ["", "x", "x.", "x.y", "x.-1", "x.٣", "x." + "9" * 5000])
def test_an_identity_that_cannot_be_one_finds_nothing(identity: str) -> None:
    assert Pairs().match(replace(an_outcome(a_verdict()), verdict=identity)) is None
