"""Does a test of a policy suppose what its author wrote, and nothing else?"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.document import parse
from gateway.facts import Exposure, Facts, Grade
from gateway.policy import Impossible, suppose
from gateway.policy.names import Vocabulary, names
from gateway.policy.suppose import KEYS, SHORT
from tests.literals import an_asset


def supposed(given: str = "{}", **changes: Any) -> Facts:
    return suppose(an_asset(), "GET", "/civil/households/1?x=1", parse(given, "t.yaml"), "Asia/Shanghai")


def test_the_quiet_case() -> None:
    facts = supposed()
    assert (facts.subject.kind, facts.subject.assurance, facts.subject.roles) == ("person", 2, ())
    assert (facts.posture.trust, facts.posture.fresh, facts.posture.revoked) == ("managed", True, False)
    assert (facts.risk.score, facts.risk.band, facts.ask.source) == (0.0, "normal", "10.0.0.1")
    table = names(Vocabulary())
    assert [table[name].get(facts) for name in ("env.weekday", "env.time")] == ["mon", "10:00"]
    assert (facts.ask.path, facts.ask.query) == ("/civil/households/1", "x=1")


@pytest.mark.parametrize(
    "given",
    ["{role: clerk, device: unmanaged}", "{subject.roles: [clerk], device.trust: unknown}",
     "{subject: {roles: clerk}, device: {trust: unknown}}"],
)  # fmt: skip
def test_short_dotted_and_nested_forms_mean_the_same(given: str) -> None:
    facts = supposed(given)
    assert (facts.subject.roles, facts.posture.trust, facts.posture.fresh) == (("clerk",), "unknown", False)


def test_a_score_brings_its_band_and_unknown_is_unknown() -> None:
    assert [supposed(f"{{risk: {n}}}").risk.band for n in (39, 40, 60, 80)] == [
        "normal",
        "step_up",
        "limit",
        "quarantine",
    ]
    assert supposed("{risk: unknown}").risk.score is None
    assert supposed("{risk: 10, band: limit}").risk.band == "limit"


def test_anonymous_is_really_anonymous() -> None:
    subject = supposed("{kind: anonymous, role: clerk}").subject
    assert (subject.kind, subject.roles, subject.id) == ("anonymous", (), "")


def test_assurance_by_name_or_number() -> None:
    assert supposed("{assurance: aal3}").subject.assurance == supposed("{assurance: 3}").subject.assurance == 3


def test_clearance_and_proof() -> None:
    subject = supposed("{clearance: general-2, bound: true, auth_age: 3600, subject.method: certificate}").subject
    assert (subject.clearance, subject.proof.bound, subject.proof.method) == (Grade.GENERAL_2, True, "certificate")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("{devise: unknown}", "P090"),
        ("{subject: {rolls: clerk}}", "P090"),
        ("{device: broken}", "P091"),
        ("{risk: high}", "P091"),
        ("{risk: true}", "P091"),
        ("{assurance: aal9}", "P091"),
        ("{clearance: top}", "P091"),
        ("{kind: robot}", "P091"),
        ("{fresh: maybe}", "P091"),
        ("{time: noon}", "P091"),
        ("{weekday: monday}", "P091"),
        ("{purpose: [a]}", "P091"),
        ("{auth_age: long}", "P091"),
        ("{date: tomorrow}", "P091"),
        ("{exposure: {spent: much}}", "P091"),
        ("{exposure: {budgets: [day]}}", "P091"),
        ("{date: 2027-12-31, weekday: fri}", "P091"),
    ],
)
def test_what_cannot_be_supposed_is_a_fault(given: str, code: str) -> None:
    with pytest.raises(Impossible) as caught:
        supposed(given)
    assert [fault.code for fault in caught.value.faults] == [code]


def test_what_is_not_known_of_a_thing_is_mended_with_what_is_known_of_it() -> None:
    with pytest.raises(Impossible) as caught:
        supposed("{exposure: {record: 60}}")
    assert caught.value.faults[0].remedy_en == 'did you mean "records"?'


def test_short_forms_lead_to_real_ones() -> None:
    assert set(SHORT.values()) <= set(KEYS)


def test_what_was_shown_today_is_taken_as_it_stands_on_record() -> None:
    given = "{exposure: {records: 3, fields: 4, categories: [health], budgets: [day], spent: soft, unread: true}}"
    assert supposed(given).exposure == Exposure(3, 4, ("health",), ("day",), "soft", True)


def test_a_date_brings_its_weekday() -> None:
    given = supposed("{date: 2027-12-31, time: '23:59'}")
    assert given.ask.at == datetime(2027, 12, 31, 23, 59, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()
