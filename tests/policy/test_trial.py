"""A candidate that costs too much is seen, soon and for the right reason; one that does not is left alone."""

from typing import Any

import pytest

from gateway.entries import NoticeEntry, OutcomeEntry, VerdictEntry
from gateway.facts import Posture, Reason, Risk
from gateway.policy.pilot import Limits, Seen, notice
from gateway.policy.trial import Crossed, Figures, Trial, exceeds, failed
from tests.literals import NOW, a_subject

TRIED, ACTIVE = "c" * 64, "a" * 64


def verdict(bundle: str = TRIED, at: float = NOW, **changes: Any) -> VerdictEntry:
    values: dict[str, Any] = {
        "v": 1, "journal": "j", "seq": 1, "at": at, "request": "req-1", "trace": "", "source": "10.0.0.1",
        "method": "GET", "host": "h", "path": "/", "digest": "", "query": (), "api": "civil", "route": "GET /",
        "asset": "household", "action": "read", "grade": "important", "category": "population", "owner": "prov/civil",
        "object": "", "revision": "r", "subject": a_subject(), "posture": Posture(), "risk": Risk(),
        "outcome": "permit", "reasons": (Reason("rule_allowed"),), "bundle": bundle,
    }  # fmt: skip
    return VerdictEntry(**(values | changes))


def outcome(at: float = NOW, **changes: Any) -> OutcomeEntry:
    values: dict[str, Any] = {
        "v": 1, "journal": "j", "seq": 2, "at": at, "verdict": "j.1", "status": 200, "sent": 1, "received": 0,
        "complete": True, "waited": 0.001, "took": 0.002,
    }  # fmt: skip
    return OutcomeEntry(**(values | changes))


def told(
    count: int, decided: bool = True, kind: Any = "would_deny", at: float = NOW, request: str = "r"
) -> NoticeEntry:
    one = notice(Seen(kind, "civil", ("rules/a.yaml:1",), "hz/civil", decided, request), count)
    return NoticeEntry(1, "j", 3, at, one.name, one.subject, one.detail, one.count)


@pytest.fixture
def trial() -> Trial:
    return Trial(TRIED, ACTIVE, Limits(deny=0.02, errors=0.001, p99=0.05), NOW - 60)


def decide(trial: Trial, count: int, bundle: str = TRIED, at: float = NOW, **changes: Any) -> None:
    for _ in range(count):
        trial.decided(verdict(bundle, at, **changes))


def answer(trial: Trial, count: int, took: float, bundle: str = TRIED, **changes: Any) -> None:
    for _ in range(count):
        trial.ended(verdict(bundle), outcome(took=took, **changes))


def limit(trial: Trial, now: float = NOW) -> str:
    crossed = trial.crossed(now)
    return crossed.limit if crossed else ""


def test_a_candidate_without_a_fault_goes_on(trial: Trial) -> None:
    decide(trial, 1000)
    answer(trial, 1000, 0.01)
    assert limit(trial) == ""


def test_what_both_refuse_withdraws_no_candidate(trial: Trial) -> None:
    decide(trial, 1000, outcome="deny", reasons=(Reason("no_rule"),))
    assert limit(trial) == ""


@pytest.mark.parametrize(("decisions", "denied", "crosses"), [(1000, 20, False), (1000, 21, True), (10, 4, False),
                                                              (10, 5, True), (0, 4, False)])  # fmt: skip
def test_denials_that_only_the_candidate_makes_are_counted(
    trial: Trial, decisions: int, denied: int, crosses: bool
) -> None:
    decide(trial, decisions)
    trial.told(told(denied))
    assert limit(trial) == ("deny" if crosses else "")


def test_a_sign_in_that_only_the_candidate_asks_for_is_a_refusal(trial: Trial) -> None:
    decide(trial, 100)
    trial.told(told(50, kind="would_challenge"))
    assert limit(trial) == "deny"


@pytest.mark.parametrize(("kind", "gained", "crosses"), [("would_permit", 20, False), ("would_permit", 21, True),
                                                         ("would_show", 21, True)])  # fmt: skip
def test_what_only_the_candidate_permits_or_shows_is_counted(
    trial: Trial, kind: str, gained: int, crosses: bool
) -> None:
    decide(trial, 1000)
    trial.told(told(gained, kind=kind))
    assert limit(trial) == ("gain" if crosses else "")


@pytest.mark.parametrize(("kind", "decided"), [("would_deny", False), ("would_permit", False), ("would_show", False),
                                               ("would_hide", True)])  # fmt: skip
def test_what_costs_nobody_anything_crosses_nothing(trial: Trial, kind: str, decided: bool) -> None:
    decide(trial, 100)
    trial.told(told(100, decided, kind))
    assert limit(trial) == ""


def test_what_cannot_be_evaluated_is_an_error(trial: Trial) -> None:
    decide(trial, 50, outcome="deny", reasons=(Reason("no_rule"), Reason("policy_error")))
    assert limit(trial) == "errors"


@pytest.mark.parametrize(
    ("status", "code", "is_fault"),
    [(500, "internal_error", True), (502, "masking_failed", True), (503, "upstream_unavailable", False),
     (504, "upstream_timeout", False), (500, "", False), (499, "client_gone", False), (200, "", False)],
)  # fmt: skip
def test_the_service_and_the_caller_are_no_faults_of_ours(status: int, code: str, is_fault: bool) -> None:
    assert failed(outcome(status=status, code=code)) is is_fault


def test_where_the_active_bundle_fails_as_much_the_cause_is_another(trial: Trial) -> None:
    for bundle in (TRIED, ACTIVE):
        decide(trial, 1000, bundle)
        answer(trial, 100, 0.01, bundle, status=500, code="masking_failed")
    assert limit(trial) == ""
    answer(trial, 20, 0.01, status=500, code="masking_failed")
    assert limit(trial) == "errors"


def test_slow_answers_withdraw_a_candidate(trial: Trial) -> None:
    answer(trial, 990, 0.01)
    answer(trial, 9, 0.2)
    assert limit(trial) == ""
    answer(trial, 2, 0.2)
    assert limit(trial) == "p99"


def test_a_slow_service_is_slow_for_both(trial: Trial) -> None:
    answer(trial, 500, 0.2)
    answer(trial, 500, 0.2, ACTIVE)
    assert limit(trial) == ""


def test_an_answer_that_broke_off_says_nothing_about_speed(trial: Trial) -> None:
    answer(trial, 100, 0.2, complete=False)
    assert limit(trial) == ""


def test_five_minutes_are_remembered(trial: Trial) -> None:
    decide(trial, 100)
    trial.told(told(100))
    assert limit(trial, NOW + 280) == "deny"
    assert limit(trial, NOW + 320) == ""


def test_what_was_before_the_pilot_counts_for_nothing(trial: Trial) -> None:
    early = NOW - 61
    decide(trial, 100, at=early, reasons=(Reason("policy_error"),))
    trial.told(told(100, at=early))
    trial.ended(verdict(at=early), outcome(status=500, code="internal_error"))
    assert (limit(trial), trial.figures(NOW), trial.rows) == ("", (Figures(), Figures()), {})


def test_the_decisions_of_a_third_bundle_count_for_nobody(trial: Trial) -> None:
    decide(trial, 100, "x" * 64)
    assert trial.figures(NOW) == (Figures(), Figures())


def test_a_long_life_keeps_five_minutes_only(trial: Trial) -> None:
    for second in range(0, 100_000, 10):
        trial.decided(verdict(at=NOW + second))
    assert trial.figures(NOW + 99_990)[0].decisions == 30
    assert len(trial._populations[TRIED]._slots) <= 31


def test_differences_are_kept_with_requests_that_show_them(trial: Trial) -> None:
    for number in range(9):
        trial.told(told(2, decided=number == 0, request=f"req-{number}"))
    trial.told(told(1, kind="would_permit"))
    row = trial.rows["would_deny", "civil", ("rules/a.yaml:1",)]
    assert (row.count, row.decided, row.requests) == (18, 2, ["req-0", "req-1", "req-2", "req-3", "req-4"])
    assert trial.orgs == {"hz/civil": {"loses": 18, "gains": 1}}


def test_what_the_candidate_said_is_counted(trial: Trial) -> None:
    trial.told(NoticeEntry(1, "j", 4, NOW, "pilot.judged", "deny", "", 7))
    trial.told(NoticeEntry(1, "j", 5, NOW, "pilot.judged", "deny", "", 1))
    assert trial.judged == {"deny": 8}
    assert trial.judged_until == NOW


def test_a_flood_of_rows_is_counted_together(trial: Trial) -> None:
    for number in range(2000):
        one = notice(Seen("would_deny", "civil", (f"rules/{number}.yaml:1",)), 1)
        trial.told(NoticeEntry(1, "j", number, NOW, one.name, one.subject, one.detail, one.count))
    assert len(trial.rows) <= 501
    assert sum(row.count for row in trial.rows.values()) == 2000


@pytest.mark.parametrize(
    ("count", "of", "allowed", "beside", "crosses"),
    [(4, 200, 0.02, 0.0, False), (5, 200, 0.02, 0.0, True), (5, 1, 0.02, 0.0, True), (30, 1000, 0.02, 0.015, True),
     (30, 1000, 0.02, 0.025, False), (50, 1000, 0.02, 0.025, True), (0, 0, 0.0, 0.0, False), (1, 0, 0.0, 0.0, True)],
)  # fmt: skip
def test_how_many_are_too_many(count: int, of: int, allowed: float, beside: float, crosses: bool) -> None:
    assert exceeds(count, of, allowed, beside) is crosses


def test_the_record_names_the_limit_and_the_figures() -> None:
    crossed = Crossed("deny", 21, 300, 0.02, 0.0)
    assert crossed.text(Limits()) == "deny: 21 of 300 refused what the active bundle permits, allowed 2.00%"
    slow = Crossed("p99", 21, 300, 0.01, 0.002)
    assert slow.text(Limits()) == "p99: 21 of 300 took longer than 50 ms, allowed 1.00%; beside it 0.20%"
