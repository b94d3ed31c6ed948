"""Verdicts that wait for their outcome."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.entries import Entry
from gateway.telemetry.pairs import Pairs, Told
from tests.telemetry.told import JOURNAL, a_notice, a_verdict, an_outcome


def test_a_pair_in_one_batch_is_told_once() -> None:
    pairs, verdict, refusal = Pairs(), a_verdict(seq=3), a_verdict(seq=4, outcome="deny")
    outcome, notice = an_outcome(verdict), a_notice("jwks.refreshed")
    assert pairs.join((verdict, refusal, notice, outcome)) == [
        Told(f"{JOURNAL}.4", refusal, None, True),
        notice,
        Told(f"{JOURNAL}.3", verdict, outcome, True),
    ]
    assert pairs.join(()) == []


def test_an_outcome_finds_its_verdict_once() -> None:
    pairs, verdict = Pairs(), a_verdict(seq=3)
    outcome = an_outcome(verdict)
    assert pairs.join((verdict,)) == [Told(f"{JOURNAL}.3", verdict, None, True)]
    assert pairs.join((outcome,)) == [Told(f"{JOURNAL}.3", verdict, outcome, False)]
    assert pairs.join((outcome,)) == [Told(f"{JOURNAL}.3", None, outcome, False)]


def test_the_one_that_waits_longest_gives_way() -> None:
    pairs, verdicts = Pairs(limit=2), [a_verdict(seq=number) for number in range(3)]
    stories = pairs.join(verdicts)
    assert stories[3:] == [Told(f"{JOURNAL}.0", verdicts[0], None, False)]
    assert [story.is_complete for story in stories if isinstance(story, Told)] == [False, False, False, True]
    outcomes = [an_outcome(verdict) for verdict in (verdicts[0], verdicts[2])]
    assert [story.verdict for story in pairs.join(outcomes) if isinstance(story, Told)] == [None, verdicts[2]]


@pytest.mark.parametrize("identity", ["", "x", "x.", "x.y", "x.-1", "x.٣", "x." + "9" * 5000])
def test_an_identity_that_cannot_be_one_finds_nothing(identity: str) -> None:
    outcome = replace(an_outcome(a_verdict()), verdict=identity)
    assert Pairs().join((outcome,)) == [Told(identity, None, outcome, False)]


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), unique=True), st.lists(st.integers(0, 20)))
def test_however_entries_are_cut_into_batches_each_request_is_complete_once(
    order: list[tuple[int, bool]], cuts: list[int]
) -> None:
    entries: list[Entry] = []
    begun: set[int] = set()
    for seq, ends in sorted(order, key=lambda each: each[1]):
        verdict = a_verdict(seq=seq)
        if ends and seq in begun:
            entries.append(an_outcome(verdict))
        elif not ends:
            begun.add(seq)
            entries.append(verdict)
    pairs, told, at = Pairs(), list[Told](), 0
    for cut in [*sorted(cuts), len(entries)]:
        told += [story for story in pairs.join(entries[at:cut]) if isinstance(story, Told)]
        at = max(at, cut)
    assert sorted(story.id for story in told if story.fresh) == sorted(f"{JOURNAL}.{seq}" for seq in begun)
    complete = [story.id for story in told if story.is_complete]
    assert len(complete) == len(set(complete)) == sum(entry.v == 1 and hasattr(entry, "verdict") for entry in entries)
