"""Every state store, one suite: what holds for SQLite holds for its twin in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.facts import Report
from gateway.stores import MemoryState, Revocation, State, StateFault
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
