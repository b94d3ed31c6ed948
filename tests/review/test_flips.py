"""Does what we say would help really help, is it the least, and does it never make somebody else of the caller?

Who attacks or errs, and what must hold:
 hopeful operator   tells a caller to fetch a device, and the answer is still no      every flip is really decided
 range told         "within 5 minutes", "below 60", "from 10.0.0.0/8" holds in part   every stretch is decided
 clever author      a condition that no change could meet, thousands of values        bounded, and it says when it ended
 insider            wants to hear which role or id would do                           no flip names who somebody is
 lost knowledge     observe mode, revoked device, frozen grants                       judged as if enforced; nothing offered
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json
from msgspec.structs import replace

from gateway.facts import ANONYMOUS, Challenge, Deny, Facts, Grade, Granted, Permit, Posture, Reason, Risk
from gateway.policy import Policy
from gateway.review.changes import DIMENSIONS
from gateway.review.flips import Change, Flip, flips, search
from tests.literals import NOW, a_posture, a_proof, a_subject, an_ask, an_asset, some_facts
from tests.policy import generated
from tests.policy.native import world as native
from tests.policy.world import CLERK_READS, a_bundle, visit
from tests.review.pairs import VALUES, a_pair, facts_of
from tests.review.ways import fewest

ZONE = ZoneInfo("Asia/Shanghai")
ON_DEVICE = CLERK_READS + '- {id: dev, effect: deny, when: device.trust != "managed" or not device.fresh}\n'


def told(folder: Path, rules: str, **changes: Any) -> list[str]:
    return [flip.en for flip in flips(a_bundle(folder, rules), some_facts(**changes))]


@pytest.mark.parametrize(
    ("when", "changes", "said"),
    [
        ('device.trust != "managed"', {"posture": a_posture(trust="known")}, "on a managed device"),
        ("not device.fresh", {"posture": a_posture(fresh=False)}, "after a fresh health report of this device"),
        ("subject.assurance < 3 or subject.auth_age > 300", {}, "after signing in with aal3, within 5 minutes"),
        ("subject.auth_age >= 60", {}, "after signing in again, in less than 1 minute"),
        ('env.purpose != "audit"', {}, "with purpose `audit`"),
        ('env.purpose == ""', {}, "with a purpose stated"),
        ('not ip_in(env.source, "192.0.2.0/24")', {}, "from the network 192.0.2.0/24"),
        ('ip_in(env.source, "10.0.0.0/8")', {}, "from outside 10.0.0.0/8"),
        ("risk.score >= 60", {"risk": Risk(70.0, "limit")}, "once the risk score is below 60"),
        ("risk.score > 59", {"risk": Risk(70.0, "limit")}, "once the risk score is at most 59"),
        ('risk.band != "normal"', {"risk": Risk(70.0, "limit")}, "once the risk score is below 35"),
        ("not risk.known", {"risk": Risk(None)}, "once the behaviour is known"),
        ("not subject.bound", {}, "with a credential bound to its certificate or key"),
        ('subject.purpose != "audit"', {}, "with a credential issued for purpose `audit`"),
        ("device.org != data.owner", {"posture": a_posture(org="hz")}, "on a managed device of `prov/civil`"),
        ('not between(env.time, "08:00", "18:00") or not weekday(env.weekday, "sat")', {}, "from Saturday 2026-09-26 08:00"),
        ("env.hour > 6", {}, "from Tuesday 2026-09-22 00:00"),
        ("not approval.held", {}, "with an approved sharing grant, stating its purpose"),
    ],
)  # fmt: skip
def test_the_one_thing_that_stands_in_the_way_is_told(
    tmp_path: Path, when: str, changes: dict[str, Any], said: str
) -> None:
    assert told(tmp_path, CLERK_READS + f"- {{id: no, effect: deny, when: '{when}'}}\n", **changes) == [said]


def test_two_things_are_told_together_and_only_when_one_is_not_enough(tmp_path: Path) -> None:
    rules = ON_DEVICE + '- {id: why, effect: deny, when: env.purpose != "audit"}\n'
    both = {"posture": a_posture(trust="unknown", fresh=False)}
    (flip,) = flips(a_bundle(tmp_path, rules), some_facts(**both))
    assert flip.en == "with purpose `audit`, on a managed device with a fresh health report"
    assert flip.zh == "用途为 `audit`，使用健康报告有效的受管设备"
    assert [(c.dimension, c.was, c.to) for c in flip.changes] == [
        ("purpose", "", "audit"), ("device", "unknown", "managed"),
    ]  # fmt: skip
    assert told(tmp_path / "one", rules, ask=an_ask(purpose="audit"), **both) == [
        "on a managed device with a fresh health report"
    ]


def test_different_ways_stand_in_the_order_of_their_effort(tmp_path: Path) -> None:
    rules = (
        CLERK_READS + '- {id: no, effect: deny, when: not device.fresh and env.purpose != "audit" and risk.score > 5}\n'
    )
    assert told(tmp_path, rules, posture=a_posture(fresh=False), risk=Risk(30.0)) == [
        "with purpose `audit`", "after a fresh health report of this device", "once the risk score is at most 5",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": a_subject(roles=("auditor",))},
        {"subject": ANONYMOUS},
        {"subject": a_subject(rejection=Reason("token_expired"))},
        {"asset": an_asset(listed=False)},
        {"asset": an_asset(grade=Grade.CORE)},
        {"asset": an_asset(id="nobody-knows")},
    ],
)
def test_where_only_the_owner_could_help_nothing_is_told(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert told(tmp_path, ON_DEVICE, **changes) == []


def test_a_deny_without_a_condition_is_only_outlived(tmp_path: Path) -> None:
    assert told(tmp_path, CLERK_READS + "- {id: no, effect: deny, who: clerk}\n") == []
    rules = CLERK_READS + "- {id: no, effect: deny, who: clerk, expires: 2026-12-31}\n"
    assert told(tmp_path / "until", rules) == ["from Friday 2027-01-01 00:00"]


def test_four_things_are_too_many(tmp_path: Path) -> None:
    rules = ON_DEVICE + "".join(
        f"- {{id: n{n}, effect: deny, when: '{when}'}}\n"
        for n, when in enumerate(('env.purpose != "a"', "subject.assurance < 3", "risk.score > 5"))
    )
    bad = some_facts(posture=a_posture(trust="unknown"), risk=Risk(9.0))
    assert search(a_bundle(tmp_path, rules), bad).flips == ()
    assert len(flips(a_bundle(tmp_path / "b", rules), replace(bad, risk=Risk(0.0)))[0].changes) == 3


def test_a_revoked_device_is_exchanged(tmp_path: Path) -> None:
    assert told(tmp_path, ON_DEVICE, posture=a_posture(revoked=True)) == [
        "on another managed device with a fresh health report"
    ]


def test_in_observe_it_is_told_what_enforced_would_need(tmp_path: Path) -> None:
    changes = {"posture": a_posture(fresh=False), "asset": an_asset(mode="observe")}
    assert told(tmp_path, ON_DEVICE, **changes) == ["after a fresh health report of this device"]


def test_a_range_is_told_only_as_far_as_it_holds(tmp_path: Path) -> None:
    rules = CLERK_READS + "  when: subject.auth_age < 60 or 200 < subject.auth_age < 900\n"
    old = a_subject(proof=a_proof(authenticated_at=NOW - 1000))
    assert told(tmp_path, rules, subject=old) == ["after signing in again, in less than 1 minute"]
    hole = (
        CLERK_READS
        + '- {id: no, effect: deny, when: \'not ip_in(env.source, "10.0.0.0/8") or ip_in(env.source, "10.1.0.0/16")\'}\n'
    )
    assert told(tmp_path / "net", hole, ask=an_ask(source="192.0.2.1")) == [
        "from the network 10.0.0.0/8 outside 10.1.0.0/16"
    ]


def test_a_purpose_brings_the_grants_that_are_held_for_it(tmp_path: Path) -> None:
    folder = tmp_path
    shared = """grants:
  - {id: g1, to: clerk, data: household, purpose: relief, until: 2026-12-31, approval: {by: prov}}
"""
    folder.mkdir(exist_ok=True)
    (folder / "grants.yaml").write_text(shared, encoding="utf-8")
    bundle = a_bundle(folder, CLERK_READS + "  when: approval.held\n")
    facts = some_facts()
    assert [flip.en for flip in flips(bundle, facts)] == [
        "with purpose `relief`", "with an approved sharing grant, stating its purpose",
    ]  # fmt: skip
    ended = replace(facts, ask=an_ask(purpose="relief", at=NOW + 365 * 86400))
    assert [flip.en for flip in flips(bundle, ended)] == ["with an approved sharing grant"]
    held = replace(facts, ask=an_ask(purpose="relief"))
    held = replace(held, grant=bundle.granted(held.ask, held.subject, held.asset))
    assert "from Friday 2027-01-01 00:00" in [flip.en for flip in flips(bundle, held)]


def test_nobody_is_sent_for_a_grant_while_they_are_frozen(tmp_path: Path) -> None:
    (tmp_path / "emergency").mkdir()
    (tmp_path / "emergency" / "I.yaml").write_text("level: I\nfreeze_grants: true\n", encoding="utf-8")
    bundle = a_bundle(tmp_path, CLERK_READS + "  when: approval.held\n")
    assert [flip.en for flip in flips(bundle, some_facts())] == ["with an approved sharing grant, stating its purpose"]
    assert flips(bundle.raised("I"), some_facts()) == ()


def test_of_a_permit_it_is_told_what_would_end_it(tmp_path: Path) -> None:
    rules = (
        ON_DEVICE
        + """\
- {id: night, effect: deny, when: 'between(env.time, "23:00", "06:00")'}
- {id: old, effect: deny, when: subject.auth_age > 600, then: {step_up: aal2}}
- {id: risk, effect: deny, when: 'risk.band == "limit" or risk.band == "quarantine"'}
- {id: core, effect: deny, when: subject.assurance < 2, then: {step_up: aal2}}
"""
    )
    found = flips(a_bundle(tmp_path, rules), some_facts())
    assert [(flip.outcome, flip.en) for flip in found] == [
        ("challenge", "once the sign-in is older than 10 minutes"),
        ("deny", "once the health report of the device is no longer fresh"),
        ("deny", "from Monday 2026-09-21 23:00"),
        ("deny", "once the risk score reaches 60"),
    ]
    assert [flip.changes[0].limit for flip in found] == ["> 600", "", "", ">= 60"]


def test_the_search_is_bounded_and_says_when_it_ended_early(tmp_path: Path) -> None:
    words = ", ".join(f'"p{n}"' for n in range(150))
    hours = "".join(
        f'- {{id: h{n}, effect: deny, when: \'env.time == "{n:02}:30" and env.purpose != "p{n}"\'}}\n'
        for n in range(24)
    )
    places = "".join(
        f"- {{id: n{n}, effect: deny, when: 'ip_in(env.source, \"10.{n}.0.0/16\") and risk.score > {n}'}}\n"
        for n in range(80)
    )
    never = "- {id: never, effect: deny, when: subject.assurance >= 0}\n"
    bundle = a_bundle(tmp_path, CLERK_READS + f"  when: env.purpose in [{words}]\n" + hours + places + never)
    facts = some_facts(risk=Risk(70.0, "limit"), posture=a_posture(fresh=False))
    found = search(bundle, facts, budget=500)
    assert (found.flips, found.complete) == ((), False)
    assert found.decisions <= 501


def test_it_is_json_for_programs(tmp_path: Path) -> None:
    (flip,) = flips(a_bundle(tmp_path, ON_DEVICE), some_facts(posture=a_posture(fresh=False)))
    assert json.decode(json.encode(flip)) == {
        "outcome": "permit",
        "changes": [
            {
                "dimension": "device", "name": "device.fresh", "was": "false", "to": "true", "limit": "",
                "en": "after a fresh health report of this device", "zh": "本设备重新上报健康状况后",
            }
        ],
        "en": "after a fresh health report of this device",
        "zh": "本设备重新上报健康状况后",
    }  # fmt: skip


# --- laws ------------------------------------------------------------------------------------------


def done(facts: Facts, change: Change) -> Facts:
    """The change as somebody would carry it out who only reads what it says."""
    subject, ask, posture = facts.subject, facts.ask, facts.posture
    worst = float(change.limit.removeprefix("<= ")) if change.limit.startswith("<=") else None
    carry: dict[str, Callable[[], Facts]] = {
        "env.purpose": lambda: replace(facts, ask=replace(ask, purpose=change.to)),
        "env.source": lambda: replace(facts, ask=replace(ask, source=_address(change))),
        "env.time": lambda: _later(facts, change.to),
        "device.fresh": lambda: replace(facts, posture=replace(posture, fresh=True)),
        "device.trust": lambda: replace(facts, posture=Posture(**_device(posture), trust=change.to)),  # type: ignore[arg-type]
        "subject.bound": lambda: replace(facts, subject=replace(subject, proof=replace(subject.proof, bound=True))),
        "subject.purpose": lambda: replace(facts, subject=replace(subject, purpose=change.to)),
        "risk.score": lambda: replace(facts, risk=Risk(_score(change, worst))),
    }
    if change.dimension == "sign_in":
        level = int(change.to.removeprefix("aal"))
        proof = replace(subject.proof, authenticated_at=ask.at - (worst or 0.0))
        return replace(facts, subject=replace(subject, assurance=level, proof=proof))
    return carry[change.name]()


def _device(posture: Posture) -> dict[str, Any]:
    return {"device": posture.device, "org": posture.org, "fresh": True}


def _score(change: Change, worst: float | None) -> float:
    if worst is not None:
        return worst
    return float(change.limit.removeprefix("< ")) - 0.001 if change.limit else 0.0


def _address(change: Change) -> str:
    return "203.0.113.77" if change.to.startswith("outside") else "10.200.3.4"


def _later(facts: Facts, to: str) -> Facts:
    at = datetime.strptime(to.partition(" ")[2], "%Y-%m-%d %H:%M").replace(tzinfo=ZONE).timestamp()
    proof = facts.subject.proof
    if proof.authenticated_at:
        proof = replace(proof, authenticated_at=proof.authenticated_at + at + 30 - facts.ask.at)
    return replace(facts, ask=replace(facts.ask, at=at + 30), subject=replace(facts.subject, proof=proof))


def in_order(flip: Flip) -> list[Change]:
    """Time first: an age is counted from the request."""
    return sorted(flip.changes, key=lambda change: change.dimension != "time")


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 2**32))
def test_whoever_does_what_a_flip_says_is_allowed(seed: int) -> None:
    random = Random(seed)
    bundle = generated.bundle(generated.rules(random, random.randint(1, 9)))
    facts = generated.a_request(random)
    facts = replace(facts, asset=replace(facts.asset, mode="enforce"))
    policy = Policy(bundle)
    if isinstance(policy.decide(facts), Permit):
        return
    found = search(bundle, facts)
    assert found.complete
    assert len({len(flip.changes) for flip in found.flips}) <= 1
    for flip in found.flips:
        dimensions = [change.dimension for change in flip.changes]
        assert dimensions == sorted(set(dimensions), key=DIMENSIONS.index)
        after = facts
        for change in in_order(flip):
            after = done(after, change)
        assert isinstance(policy.decide(after), Permit), (flip.en, facts)


def one_change(random: Random, facts: Facts) -> tuple[str, Facts]:
    """Any one change for the better, not looking at the rules."""
    subject, ask = facts.subject, facts.ask
    stronger = replace(
        subject, assurance=random.randint(subject.assurance, 3), proof=replace(subject.proof, authenticated_at=ask.at)
    )
    return random.choice(
        (
            ("purpose", replace(facts, ask=replace(ask, purpose=random.choice(("audit", "treatment", "other"))))),
            ("sign_in", replace(facts, subject=stronger)),
            ("place", replace(facts, ask=replace(ask, source=random.choice(("10.4.4.4", "203.0.113.9"))))),
            ("device", replace(facts, posture=replace(facts.posture, trust="managed", fresh=True))),
            ("risk", replace(facts, risk=Risk(0.0))),
        )
    )


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 2**32))
def test_when_one_change_helps_one_change_is_told(seed: int) -> None:
    random = Random(seed)
    bundle = generated.bundle(generated.rules(random, random.randint(1, 9)))
    facts = generated.a_request(random)
    facts = replace(
        facts,
        asset=replace(facts.asset, mode="enforce"),
        subject=replace(facts.subject, kind="person"),
    )
    policy = Policy(bundle)
    if isinstance(policy.decide(facts), Permit):
        return
    for _ in range(6):
        dimension, after = one_change(random, facts)
        if isinstance(policy.decide(after), Permit):
            found = flips(bundle, facts)
            assert [len(flip.changes) for flip in found] == [1] * len(found)
            assert dimension in [flip.changes[0].dimension for flip in found], (dimension, facts)


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 2**32))
def test_what_is_offered_is_allowed_once_it_is_done_and_a_sign_in_that_helps_is_told(seed: int) -> None:
    random = Random(seed)
    bundle = generated.bundle(generated.rules(random, random.randint(1, 9)))
    facts = generated.a_request(random)
    facts = replace(facts, asset=replace(facts.asset, mode="enforce"))
    policy = Policy(bundle)
    decision = policy.decide(facts)
    if isinstance(decision, Challenge):
        oldest = facts.subject.proof.authenticated_at
        if decision.max_age is not None:
            oldest = facts.ask.at - decision.max_age
        for at in (oldest, facts.ask.at):
            proof = replace(facts.subject.proof, authenticated_at=at)
            asked = replace(facts.subject, assurance=int(decision.acr_values.removeprefix("aal")), proof=proof)
            assert isinstance(policy.decide(replace(facts, subject=asked)), Permit)
        assert ["sign_in"] in [[change.dimension for change in flip.changes] for flip in flips(bundle, facts)]


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 2**32))
def test_where_rules_ask_for_a_sign_in_and_it_alone_would_help_it_is_offered(seed: int) -> None:
    random = Random(seed)
    bundle = generated.bundle(generated.rules(random, random.randint(1, 9)))
    facts = generated.a_request(random)
    facts = replace(facts, asset=replace(facts.asset, mode="enforce"), subject=replace(facts.subject, kind="person"))
    policy = Policy(bundle)
    decision = policy.decide(facts)
    named = {reason.rule for reason in decision.reasons}
    candidates = bundle.index.candidates(facts.subject, facts.asset)
    asking = [int(rule.then.step_up[-1]) for rule in candidates.denies if rule.then.step_up and rule.says.rule in named]
    if isinstance(decision, Permit) or not asking:
        return
    fresh = replace(facts.subject.proof, authenticated_at=facts.ask.at)
    tried = [replace(facts.subject, assurance=level, proof=fresh) for level in range(max(asking), 4)]
    helped = any(isinstance(policy.decide(replace(facts, subject=subject)), Permit) for subject in tried)
    assert isinstance(decision, Challenge) is helped


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_an_approval_that_is_spoken_of_would_be_enough(seed: int) -> None:
    random = Random(seed)
    rules = generated.rules(random, random.randint(1, 6))
    when = random.choice(
        ("approval.held", "grant.held and subject.assurance >= 2", "approval.held or not device.fresh")
    )
    some = [replace(rule, when=when) if random.random() < 0.6 else rule for rule in rules]
    bundle = generated.bundle(some)
    facts = generated.a_request(random)
    facts = replace(facts, asset=replace(facts.asset, mode="enforce"))
    policy = Policy(bundle)
    decision = policy.decide(facts)
    spoken_of = decision.reasons[0].code == "approval_needed"
    found = [[change.dimension for change in flip.changes] for flip in flips(bundle, facts)]
    if spoken_of:
        assert isinstance(policy.decide(replace(facts, grant=Granted(("any",), True))), Permit)
        assert ["grant"] in found
    elif isinstance(decision, Deny) and facts.subject.rejection is None:
        offered = any(rule.then.step_up for rule in bundle.index.candidates(facts.subject, facts.asset).denies)
        assert offered or ["grant"] not in found


def test_a_grant_that_is_supposed_stays_when_something_else_changes(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path, CLERK_READS + '  when: approval.held and env.purpose == "x"\n')
    assert [flip.en for flip in flips(bundle, some_facts(grant=Granted(("g",), True)))] == ["with purpose `x`"]


def test_what_a_credential_vouches_for_is_turned_by_another_credential(tmp_path: Path) -> None:
    """It hides the purpose that is stated, so stating another one would not help."""
    care = a_subject(purpose="care")
    rules = CLERK_READS + '  when: env.purpose == "audit"\n'
    assert told(tmp_path, rules, subject=care) == ["with a credential issued for purpose `audit`"]
    assert told(tmp_path / "stated", rules) == ["with purpose `audit`"]
    denied = CLERK_READS + "- {id: no, effect: deny, when: 'subject.purpose == \"care\"'}\n"
    assert told(tmp_path / "no", denied, subject=care) == ["with a credential issued for a purpose other than `care`"]


def test_a_grant_that_ends_before_it_is_time_is_told_with_the_time(tmp_path: Path) -> None:
    shared = (
        "grants:\n  - {id: g1, to: clerk, data: household, purpose: relief, until: 2026-09-21, approval: {by: prov}}\n"
    )
    (tmp_path / "grants.yaml").write_text(shared, encoding="utf-8")
    bundle = a_bundle(tmp_path, CLERK_READS + '  when: approval.held and weekday(env.weekday, "sat")\n')
    facts = some_facts(ask=an_ask(purpose="relief"))
    facts = replace(facts, grant=bundle.granted(facts.ask, facts.subject, facts.asset))
    assert facts.grant.approved
    assert [flip.en for flip in flips(bundle, facts)] == [
        "from Saturday 2026-09-26 00:00, with an approved sharing grant"
    ]


def test_core_data_needs_what_its_rule_says(tmp_path: Path) -> None:
    rules = (
        "- {id: a, effect: allow, who: clerk, data: health, action: read, level: any, when: subject.assurance >= 3}\n"
    )
    assert told(tmp_path, rules, asset=visit()) == ["after signing in with aal3"]


def test_beside_a_casbin_policy_of_a_teams_own_a_search_is_never_called_complete(tmp_path: Path) -> None:
    rules = "- {id: old, effect: deny, when: subject.auth_age > 60}\n"
    bundle = native.a_bundle(tmp_path, rules=rules)
    found = search(bundle, some_facts())
    assert ([flip.en for flip in found.flips], found.complete) == (["after signing in again, within 1 minute"], False)
    stranger = some_facts(subject=a_subject(id="mallory"))
    assert (search(bundle, stranger).flips, search(bundle, stranger).complete) == ((), False)


LIMITS = (
    "- {id: old, effect: deny, when: subject.auth_age > 900}\n- {id: risky, effect: deny, when: risk.score >= 60}\n"
)


def test_beside_a_casbin_policy_a_permit_ends_where_the_yaml_denies_turn(tmp_path: Path) -> None:
    bundle = native.a_bundle(tmp_path, rules=LIMITS)
    found = search(bundle, some_facts(risk=Risk(59.0, "step_up")))
    said = [flip.en for flip in found.flips]
    assert "once the risk score reaches 60" in said and "once the sign-in is older than 15 minutes" in said
    assert [change.limit for flip in found.flips for change in flip.changes if change.dimension == "risk"] == [">= 60"]
    assert not found.complete


RISKY_MODEL = native.model("sub, obj, act, risk", "sub, obj, act", native.ALLOW, native.SAME + " && r.risk < 30.5")
RISKY = "request: {risk: risk.score}\n"


def test_of_a_value_that_a_casbin_request_holds_no_range_is_told(tmp_path: Path) -> None:
    bundle = native.a_bundle(tmp_path, RISKY_MODEL, request=RISKY, rules=LIMITS)
    ends = search(bundle, some_facts(risk=Risk(20.0)))
    assert ends.permitted and "risk" not in {one.dimension for flip in ends.flips for one in flip.changes}
    assert "once the sign-in is older than 15 minutes" in [flip.en for flip in ends.flips]
    helps = search(bundle, some_facts(risk=Risk(70.0, "limit")))
    assert [flip.en for flip in helps.flips] == ["once the risk score is at most 0"]


def test_what_is_unknown_at_the_moment_ends_nothing_at_a_value(tmp_path: Path) -> None:
    rules = CLERK_READS + "- {id: calm, effect: deny, when: risk.known and risk.score >= 0}\n"
    facts = some_facts(risk=Risk(None))
    assert not any("risk score" in text for text in told(tmp_path, rules, risk=facts.risk))


def missed(random: Random, requests: int) -> str:
    """A refusal that fewer changes would turn than are told; "" for none. Rules that want a grant gone are left out."""
    pair = a_pair(random)
    bundle, asset = pair.bundles[0], pair.assets[0]
    whens = [(effect, when) for _, effect, *_, when, _ in bundle.engine.rules]
    wanted_gone = ("not (grant.", "not (approval.", "not (has(grant.")
    if any(
        ("grant." in when or "approval." in when) if effect == "deny" else any(map(when.count, wanted_gone))
        for effect, when in whens
    ):
        return ""
    for _ in range(requests):
        facts = facts_of({name: random.choice(values) for name, values in VALUES.items()}, bundle, asset)
        found, least = search(bundle, facts), fewest(facts, bundle, 2)
        told_ = min((len(flip.changes) for flip in found.flips), default=9)
        if not found.permitted and found.complete and least and told_ > least:
            return f"{least} would do, told were {[flip.en for flip in found.flips]}: {facts}"
    return ""


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_no_fewer_changes_would_do_than_are_told(seed: int) -> None:
    """Larger: `python -m tests.soak proofs`."""
    assert missed(Random(seed), requests=2) == ""
