"""Every state store, one suite: what holds for SQLite holds for its twin in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.facts import Report
from gateway.stores import Instant, MemoryState, Revocation, State, StateFault
from tests.literals import NOW

AnyState = State | MemoryState


@pytest.fixture(params=["sqlite", "memory"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyState]:
    store: AnyState = State(tmp_path / "state.db") if request.param == "sqlite" else MemoryState()
    yield store
    store.close()


def a_report(**changes: object) -> Report:
    values: dict[str, object] = {
        "device": "laptop-7",
        "reporter": "mdm",
        "sequence": 1,
        "reported_at": NOW - 60,
        "received_at": NOW,
        "os": "Kylin V10",
        "disk_encrypted": True,
    }
    return Report(**(values | changes))  # type: ignore[arg-type]  # keyword literals of a test


def test_a_revocation_comes_back_as_it_was_written(state: AnyState) -> None:
    kept = state.revoke("session", "sid-1", "lost laptop", "op.li", NOW, NOW + 60)
    assert kept == Revocation(1, 1, "session", "sid-1", "lost laptop", "op.li", NOW, NOW + 60)
    assert state.revocations(NOW) == (kept,)
    assert state.revocations_since(0) == (kept,)


def test_a_revocation_that_is_over_or_lifted_is_not_listed(state: AnyState) -> None:
    state.revoke("token", "t-1", "", "op", NOW, NOW + 60)
    second = state.revoke("token", "t-2", "", "op", NOW)
    assert [row.key for row in state.revocations(NOW + 60)] == ["t-2"]
    lifted = state.lift(second.id, "op.wang", NOW + 5)
    assert lifted is not None
    assert (lifted.lifted_at, lifted.lifted_by) == (NOW + 5, "op.wang")
    assert state.revocations(NOW + 60) == ()


def test_lifting_what_is_not_there_or_twice_says_so(state: AnyState) -> None:
    row = state.revoke("subject", "zhang.wei", "", "op", NOW)
    assert state.lift(99, "op", NOW) is None
    assert state.lift(row.id, "op", NOW) is not None
    assert state.lift(row.id, "op", NOW) is None


def test_a_reader_that_follows_the_changes_sees_additions_and_lifts(state: AnyState) -> None:
    first = state.revoke("token", "t-1", "", "op", NOW)
    state.revoke("token", "t-2", "", "op", NOW)
    seen = state.change()
    state.lift(first.id, "op", NOW)
    third = state.revoke("device", "laptop-7", "", "op", NOW)
    news = state.revocations_since(seen)
    assert [(row.key, row.lifted_at is None) for row in news] == [("t-1", False), ("laptop-7", True)]
    assert state.change() == third.change
    assert state.revocations_since(state.change()) == ()


@pytest.mark.parametrize(
    ("kind", "key", "until"),
    [
        ("user", "x", None),  # not a kind
        ("token", "", None),  # would hold for every credential without a jti
        ("token", "  ", None),
        ("token", "x" * 513, None),
        ("token", "x", NOW),  # over before it begins
    ],
)
def test_a_revocation_that_could_never_hold_rightly_is_refused(
    state: AnyState, kind: str, key: str, until: float | None
) -> None:
    with pytest.raises(StateFault):
        state.revoke(kind, key, "", "op", NOW, until)  # type: ignore[arg-type]  # what a careless caller sends
    assert state.revocations(NOW) == ()


def test_a_report_is_kept_once_and_its_sequence_only_grows(state: AnyState) -> None:
    assert state.last_sequence("mdm", "laptop-7") == -1
    assert state.keep_report(a_report(sequence=5))
    assert not state.keep_report(a_report(sequence=5, disk_encrypted=False))  # replayed
    assert not state.keep_report(a_report(sequence=4, disk_encrypted=False))  # held back and sent later
    assert state.last_sequence("mdm", "laptop-7") == 5
    assert [report for _, report in state.reports_since(0)] == [a_report(sequence=5)]


def test_sequences_of_two_reporters_and_two_devices_do_not_meet(state: AnyState) -> None:
    assert state.keep_report(a_report(sequence=5))
    assert state.keep_report(a_report(sequence=1, reporter="edr", reported_at=NOW))
    assert state.keep_report(a_report(sequence=1, device="laptop-8"))
    assert [(r.device, r.reporter) for _, r in state.reports_since(0)] == [("laptop-7", "edr"), ("laptop-8", "mdm")]


def test_an_older_look_at_a_device_does_not_replace_a_newer_one(state: AnyState) -> None:
    assert state.keep_report(a_report(reported_at=NOW, jailbroken=True))
    assert state.keep_report(a_report(reporter="edr", reported_at=NOW - 3600, jailbroken=False))
    ((change, report),) = state.reports_since(0)
    assert report.jailbroken is True
    assert state.reports_since(change) == ()


def test_the_newest_activation_is_first_and_history_stays(state: AnyState) -> None:
    assert state.activations() == ()
    state.activate("a" * 64, "op", NOW)
    state.activate("b" * 64, "op", NOW + 1)
    assert [row.digest for row in state.activations()] == ["b" * 64, "a" * 64]
    assert [row.digest for row in state.activations(1)] == ["b" * 64]


def test_an_activation_is_pinned_or_not(state: AnyState) -> None:
    assert state.activate("a" * 64, "op", NOW, pinned=True).pinned is True
    state.activate("b" * 64 + "+II", "op", NOW + 1, way="emergency")
    assert [(row.digest, row.pinned) for row in state.activations()] == [("b" * 64 + "+II", False), ("a" * 64, True)]
    assert [row.way for row in state.activations()] == ["emergency", ""]


def test_an_emergency_is_in_force_once_another_operator_confirmed_it(state: AnyState) -> None:
    asked = state.ask_emergency("II", "flood", "op.li", NOW, NOW + 3600)
    assert (asked.holds(Instant(NOW)), asked.waits(NOW)) == (False, True)
    confirmed = state.confirm_emergency(asked.id, "op.wang", Instant(NOW + 60))
    assert confirmed is not None
    assert (confirmed.confirmed_by, confirmed.confirmed_at) == ("op.wang", NOW + 60)
    assert (confirmed.holds(Instant(NOW + 60)), confirmed.holds(Instant(NOW + 3600))) == (True, False)
    assert not confirmed.waits(NOW + 60)
    assert state.emergency(asked.id) == confirmed
    assert state.emergencies() == (confirmed,)


@pytest.mark.parametrize(
    ("by", "after"),
    [
        ("op.li", 1.0),  # the same person twice
        ("op.wang", 600.0),  # too late
        ("op.wang", -1.0),  # a clock that went back
    ],
)
def test_a_confirmation_that_does_not_count_changes_nothing(state: AnyState, by: str, after: float) -> None:
    asked = state.ask_emergency("I", "flood", "op.li", NOW, NOW + 3600)
    assert state.confirm_emergency(asked.id, by, Instant(NOW + after)) is None
    assert state.emergency(asked.id) == asked
    assert state.confirm_emergency(asked.id, "op.wang", Instant(NOW + 599.0)) is not None


def test_what_is_unknown_confirmed_ended_or_over_cannot_be_confirmed(state: AnyState) -> None:
    first = state.ask_emergency("I", "flood", "op.li", NOW, NOW + 3600)
    assert state.confirm_emergency(99, "op.wang", Instant(NOW)) is None
    assert state.confirm_emergency(first.id, "op.wang", Instant(NOW)) is not None
    assert state.confirm_emergency(first.id, "op.zhao", Instant(NOW)) is None
    ended = state.ask_emergency("I", "flood", "op.li", NOW, NOW + 3600)
    assert state.end_emergency(ended.id, NOW + 1) is not None
    assert state.confirm_emergency(ended.id, "op.wang", Instant(NOW + 2)) is None
    short = state.ask_emergency("I", "flood", "op.li", NOW, NOW + 5)
    assert state.confirm_emergency(short.id, "op.wang", Instant(NOW + 5)) is None
    assert [row.id for row in state.emergencies(2)] == [short.id, ended.id]


def test_what_is_confirmed_later_ends_what_was_in_force(state: AnyState) -> None:
    assert state.standing_emergency() is None
    first = state.ask_emergency("II", "flood", "op.li", NOW, NOW + 3600)
    assert state.standing_emergency() is None
    second = state.ask_emergency("I", "dam", "op.li", NOW + 1, NOW + 3600)
    state.confirm_emergency(second.id, "op.wang", Instant(NOW + 2))
    standing = state.confirm_emergency(first.id, "op.wang", Instant(NOW + 3))
    assert state.standing_emergency() == standing
    assert [(row.level, row.ended_at) for row in state.emergencies()] == [("I", NOW + 3), ("II", None)]
    over = state.ask_emergency("", "the water fell", "op.wang", NOW + 4, NOW + 604)
    assert state.standing_emergency() == standing
    ended = state.confirm_emergency(over.id, "op.li", Instant(NOW + 5))
    assert ended is not None
    assert state.standing_emergency() == ended
    assert not ended.holds(Instant(NOW + 5))


def test_what_is_active_and_the_level_are_read_together(state: AnyState) -> None:
    assert state.standing() == (None, None)
    active = state.activate("a" * 64, "op", NOW)
    assert state.standing() == (active, None)
    asked = state.ask_emergency("II", "flood", "op.li", NOW, NOW + 9)
    assert state.standing() == (active, None)
    confirmed = state.confirm_emergency(asked.id, "op.wang", Instant(NOW))
    assert state.standing() == (active, confirmed)


def test_a_flood_of_asking_does_not_hide_the_level_in_force(state: AnyState) -> None:
    first = state.ask_emergency("II", "flood", "op.li", NOW, NOW + 3600)
    confirmed = state.confirm_emergency(first.id, "op.wang", Instant(NOW))
    for _ in range(120):
        state.ask_emergency("IV", "noise", "op.mallory", NOW, NOW + 3600)
    assert state.standing_emergency() == confirmed


def test_what_waits_is_seen_however_often_another_asks(state: AnyState) -> None:
    first = state.ask_emergency("II", "flood", "op.li", NOW, NOW + 3600)
    end = state.ask_emergency("", "over", "op.li", NOW + 1, NOW + 601)
    for _ in range(60):
        noise = state.ask_emergency("IV", "noise", "op.mallory", NOW + 2, NOW + 3600)
    short = state.ask_emergency("I", "dam", "op.li", NOW + 3, NOW + 5)
    assert state.waiting_emergencies(NOW + 4) == (short, noise, end, first)
    assert state.waiting_emergencies(NOW + 5) == (noise, end, first)  # what is over before it began
    assert state.waiting_emergencies(NOW + 600) == (noise, end)
    state.confirm_emergency(end.id, "op.wang", Instant(NOW + 6))
    assert state.waiting_emergencies(NOW + 6) == (noise, first)
    assert state.waiting_emergencies(NOW - 1) == ()  # as `waits`: a clock that went back


def test_a_confirmation_is_kept_with_the_clock_that_nobody_sets(state: AnyState) -> None:
    asked = state.ask_emergency("II", "flood", "op.li", NOW, NOW + 3600)
    state.confirm_emergency(asked.id, "op.wang", Instant(NOW + 60, "boot-1", 500.0))
    row = state.standing_emergency()
    assert row is not None
    assert (row.boot, row.clock) == ("boot-1", 500.0)


def test_an_emergency_ends_once(state: AnyState) -> None:
    asked = state.ask_emergency("III", "flood", "op.li", NOW, NOW + 3600)
    state.confirm_emergency(asked.id, "op.wang", Instant(NOW))
    ended = state.end_emergency(asked.id, NOW + 9)
    assert ended is not None
    assert (ended.ended_at, ended.holds(Instant(NOW + 9))) == (NOW + 9, False)
    assert state.end_emergency(asked.id, NOW + 10) is None
    assert state.end_emergency(99, NOW) is None
    assert state.emergency(asked.id) == ended


@pytest.mark.parametrize(
    ("level", "reason", "until"),
    [
        ("V", "flood", NOW + 9),
        ("ii", "flood", NOW + 9),
        ("II", "  ", NOW + 9),
        ("II", "r" * 2049, NOW + 9),
        ("II", "x", NOW),
    ],
)
def test_an_emergency_that_says_nothing_or_is_over_is_refused(
    state: AnyState, level: str, reason: str, until: float
) -> None:
    with pytest.raises(StateFault):
        state.ask_emergency(level, reason, "op", NOW, until)
    assert state.emergencies() == ()


def test_one_pilot_runs_at_a_time(state: AnyState) -> None:
    assert state.pilot() is None
    first = state.start_pilot("a" * 64, "{}", "op.li", NOW)
    assert state.pilot() == first
    second = state.start_pilot("b" * 64, '{"percent":0}', "op.wang", NOW + 1)
    assert state.pilot() == second
    ended = state.pilots()[1]
    assert (ended.ended_at, ended.ended_by, ended.why) == (NOW + 1, "op.wang", "replaced")
    assert state.change_pilot(first.id, "{}") is None
    changed = state.change_pilot(second.id, '{"percent":5}')
    assert changed is not None
    assert state.pilot() == changed
    assert changed.terms == '{"percent":5}'
    over = state.end_pilot(second.id, "gateway", NOW + 2, "deny rate")
    assert over is not None
    assert (over.ended_at, over.ended_by, over.why) == (NOW + 2, "gateway", "deny rate")
    assert state.end_pilot(second.id, "op", NOW + 3, "") is None
    assert state.pilot() is None
    assert [row.id for row in state.pilots(1)] == [second.id]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("revoke"), st.sampled_from(["a", "b", "c"]), st.sampled_from([None, 5.0, 50.0])),
        st.tuples(st.just("lift"), st.integers(1, 8), st.none()),
        st.tuples(st.just("report"), st.integers(0, 4), st.sampled_from([1.0, 2.0])),
    ),
    max_size=15,
)


@given(steps=STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_law_disk_and_memory_give_the_same_answers(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, object, float | None]]
) -> None:
    disk, memory = State(tmp_path_factory.mktemp("s") / "state.db"), MemoryState()
    for at, (what, value, number) in enumerate(steps):
        answers: list[object] = []
        for store in (disk, memory):
            if what == "revoke":
                until = None if number is None else at + number
                answers.append(store.revoke("token", str(value), "", "op", float(at), until))
            elif what == "lift":
                answers.append(store.lift(int(str(value)), "op", float(at)))
            else:
                report = a_report(sequence=int(str(value)), reported_at=float(number or 0))
                answers.append(store.keep_report(report))
            answers[-1] = (
                answers[-1],
                store.revocations(float(at)),
                store.revocations_since(2),
                store.reports_since(1),
            )
        assert answers[0] == answers[1]
    disk.close()


def test_a_token_is_opened_once_under_each_grant(state: AnyState) -> None:
    assert state.open_token("one", ("a", "b"), "d-1", NOW) == "a"
    assert state.open_token("one", ("a", "b"), "d-2", NOW) == "b"
    assert state.open_token("one", ("a", "b"), "d-3", NOW) == ""
    assert state.open_token("two", ("b",), "d-4", NOW) == "b"
    assert state.open_token("three", (), "d-5", NOW) == ""
    assert state.opened() == 3
