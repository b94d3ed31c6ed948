"""Is everything that could be changed tried, and nothing that would make somebody else of the caller?"""

from pathlib import Path
from typing import Any

import pytest

from gateway.behaviour import risk as behaviour
from gateway.facts import Facts, Granted, Risk
from gateway.review.atoms import take_apart
from gateway.review.changes import BANDS, DIMENSIONS, ENTERED, LEFT, Claim, Option, cells, options
from tests.literals import NOW, a_posture, a_proof, a_subject, an_ask, some_facts
from tests.policy.world import CLERK_READS, a_bundle

EVERYTHING = (
    'env.purpose == "audit"', "subject.auth_age > 300", "subject.bound", 'ip_in(env.source, "10.0.0.0/8")',
    "device.fresh", 'between(env.time, "08:00", "18:00")', "risk.known and risk.score < 40", 'risk.band == "limit"',
)  # fmt: skip


def tried(folder: Path, *conditions: str, worse: bool = False, ends: tuple[float, ...] = (), **changes: Any) -> Any:
    bundle = a_bundle(folder, CLERK_READS)
    facts = some_facts(**changes)
    return options(bundle, facts, take_apart(conditions, bundle.names), ends, worse)


def said(several: list[Option]) -> list[str]:
    return [option.say(Claim())[0] for option in several]


@pytest.mark.parametrize("worse", [False, True])
def test_nobody_becomes_somebody_else_or_asks_for_something_else(tmp_path: Path, worse: bool) -> None:
    facts = some_facts(posture=a_posture(trust="unknown", fresh=False), risk=Risk(70.0, "limit"))
    everything = tried(tmp_path, *EVERYTHING, worse=worse, ends=(NOW + 5,), posture=facts.posture, risk=facts.risk)
    assert tuple(everything) == DIMENSIONS
    for several in everything.values():
        for option in several:
            after: Facts = option.apply(facts)
            person, same = after.subject, facts.subject
            assert (person.id, person.kind, person.org, person.roles, person.clearance, person.name) == (
                same.id, same.kind, same.org, same.roles, same.clearance, same.name,
            )  # fmt: skip
            assert after.asset is facts.asset
            assert (after.ask.method, after.ask.path) == (facts.ask.method, facts.ask.path)


def test_an_anonymous_caller_is_not_told_to_sign_in_and_a_service_not_to_step_up(tmp_path: Path) -> None:
    nobody = tried(tmp_path, *EVERYTHING, subject=a_subject(kind="anonymous"))
    assert (nobody["sign_in"], nobody["credential"], nobody["grant"]) == ([], [], [])
    service = tried(tmp_path, *EVERYTHING, subject=a_subject(kind="service"))
    assert (service["sign_in"], len(service["credential"])) == ([], 2)


def test_a_device_only_gets_better_and_never_is_a_compromised_one(tmp_path: Path) -> None:
    assert [o.to for o in tried(tmp_path, posture=a_posture(trust="managed"))["device"]] == []
    bad = tried(tmp_path, posture=a_posture(trust="compromised", fresh=False))["device"]
    assert [o.to for o in bad] == ["true", "unknown", "known", "managed"]
    revoked = tried(tmp_path, posture=a_posture(revoked=True))["device"]
    assert said(revoked)[-1] == "on another managed device"
    assert not any(o.apply(some_facts()).posture.revoked for o in revoked)


def test_a_sign_in_only_gets_stronger_and_is_fresh(tmp_path: Path) -> None:
    several = tried(tmp_path, subject=a_subject(assurance=2))["sign_in"]
    assert said(several) == ["after signing in again", "after signing in with aal3"]
    after = several[1].apply(some_facts())
    assert (after.subject.assurance, after.subject.proof.authenticated_at) == (3, NOW)
    assert several[1].say(Claim(300.0, True)) == (
        "after signing in with aal3, within 5 minutes",
        "以 aal3 重新登录后 5 分钟内",
    )
    assert several[0].say(Claim(90.0)) == ("after signing in again, in less than 90 seconds", "重新登录后不到 90 秒时")
    assert several[0].say(Claim(7200.0, True))[0].endswith("within 2 hours")


def test_waiting_keeps_the_age_of_the_sign_in(tmp_path: Path) -> None:
    later = tried(tmp_path, 'weekday(env.weekday, "sat")')["time"]
    facts = some_facts(subject=a_subject(proof=a_proof(authenticated_at=NOW - 100)))
    moved = later[0].apply(facts)
    assert moved.ask.at > NOW
    assert moved.ask.at - moved.subject.proof.authenticated_at == 100
    unknown = later[0].apply(some_facts(subject=a_subject(proof=a_proof(authenticated_at=0.0))))
    assert unknown.subject.proof.authenticated_at == 0.0


def test_the_moments_are_those_of_the_policys_time_zone_soonest_first(tmp_path: Path) -> None:
    # NOW is Monday 22:13:20 in Shanghai
    later = tried(tmp_path, 'between(env.time, "08:00", "18:00")')["time"]
    assert [o.to for o in later[:3]] == [
        "Tuesday 2026-09-22 00:00",
        "Tuesday 2026-09-22 08:00",
        "Tuesday 2026-09-22 08:01",
    ]
    assert later[-1].to == "Tuesday 2026-09-29 18:01"
    assert later[1].say(Claim()) == ("from Tuesday 2026-09-22 08:00", "自周二 2026-09-22 08:00 起")
    assert [o.to for o in tried(tmp_path, ends=(NOW - 1, NOW + 60))["time"]] == ["Monday 2026-09-21 22:14"]


def test_networks_inside_networks_are_looked_at_on_their_own(tmp_path: Path) -> None:
    places = tried(
        tmp_path,
        'ip_in(env.source, "10.0.0.0/8", "10.1.0.0/16") or env.source == "::1"',
        ask=an_ask(source="192.0.2.1"),
    )["place"]
    assert [o.to for o in places] == ["10.0.0.0/8", "10.1.0.0/16", "::1", "outside 10.0.0.0/8, 10.1.0.0/16, ::1"]
    assert [o.apply(some_facts()).ask.source for o in places] == ["10.0.0.1", "10.1.0.1", "::1", "203.0.113.1"]
    assert [name for name, _ in places[0].within] == ["10.1.0.0/16"]
    assert places[0].say(Claim(outside=("10.1.0.0/16",))) == (
        "from the network 10.0.0.0/8 outside 10.1.0.0/16", "来自 10.0.0.0/8（10.1.0.0/16 除外）",
    )  # fmt: skip
    assert tried(tmp_path, 'env.source == ""')["place"] == []
    assert [o.to for o in tried(tmp_path, 'ip_in(env.source, "0.0.0.0/0")')["place"]] == ["0.0.0.0/0"]


def test_purposes_come_from_the_rules_and_another_word_is_tried(tmp_path: Path) -> None:
    several = tried(
        tmp_path, 'env.purpose == "another" or env.purpose == subject.purpose', subject=a_subject(purpose="care")
    )
    assert [o.to for o in several["purpose"]] == ["another", "care", "another-", ""]
    assert said(tried(tmp_path, 'env.purpose == ""')["purpose"])[0] == "with a purpose stated"


def test_a_score_is_told_as_behaviour_bands_it(tmp_path: Path) -> None:
    assert dict(ENTERED) == dict(behaviour.EDGES)
    assert {band: rank for rank, band in enumerate(BANDS)} == behaviour.RANK
    assert behaviour.HYSTERESIS == LEFT
    (fallen,) = tried(tmp_path, 'risk.band == "limit"', risk=Risk(70.0, "limit"))["risk"]
    assert fallen.range is not None
    bands = [
        fallen.range.move(score, some_facts(risk=Risk(70.0, "limit"))).risk.band for score in (54.0, 55.0, 59.0, 65.0)
    ]
    assert bands == ["step_up", "limit", "limit", "limit"]
    (risen,) = tried(tmp_path, 'risk.band == "limit"', worse=True)["risk"]
    assert risen.range is not None
    assert [risen.range.move(score, some_facts()).risk.band for score in (39.0, 40.0, 60.0, 90.0)] == list(BANDS)
    assert fallen.say(Claim(55.0)) == ("once the risk score is below 55", "风险分值低于 55 时")


def test_only_rules_that_ask_for_grants_make_one_worth_having(tmp_path: Path) -> None:
    assert tried(tmp_path, *EVERYTHING)["grant"] == []
    bundle = a_bundle(tmp_path / "b", CLERK_READS + "  when: approval.held\n")
    facts = some_facts()
    several = options(bundle, facts, take_apart(["approval.held"], bundle.names), ())["grant"]
    assert [o.name for o in several] == ["grant.held", "approval.held"]
    granted = several[1].apply(facts)
    assert granted.grant == Granted(("another",), True)
    assert granted.ask.purpose, "a grant holds only for a stated purpose"


def test_one_value_stands_for_each_stretch() -> None:
    assert cells((300.0, 60.0, 60.0), 0.0) == (0.0, 30.0, 60.0, 180.0, 300.0, 301.0)
    assert cells((), 7.0) == (7.0, 8.0)
