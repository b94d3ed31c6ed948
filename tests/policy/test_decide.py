"""Does the decision keep its order, collect every reason, and never say yes in doubt?

Who attacks, and what must hold:
 hostile caller     roles and offices made up in a token, step-up fishing, an address that is no address
 careless author    a condition that fails, rules that contradict each other, a mask that shows too much
 insider            an allow added next to a deny, a bundle swapped in the middle
 lost knowledge     risk unknown, sign-in time unknown, catalog and policy of different revisions
"""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts import ANONYMOUS, Bulk, Challenge, Deny, Field, Grade, Permit, Reason, Risk, RowFilter, Suppress
from gateway.policy import Bundle, Policy, disagreement, load
from gateway.policy.decide import SAMPLES, ask, decide
from tests.literals import NOW, a_posture, a_proof, a_subject, an_ask, an_asset, some_facts
from tests.policy import generated
from tests.policy.world import ASSETS, CLERK_READS, a_bundle, visit, write

DENY = "- {id: no, effect: deny, who: clerk}\n"
STEP_UP = """\
- {id: step, effect: deny, level: ">= core", when: subject.assurance < 3, then: {step_up: aal3, max_age: 300}}
- {id: audit, effect: allow, who: auditor, data: health, action: read, level: any, when: env.purpose == "audit"}
"""
AUDITOR = a_subject(roles=("auditor",), org="prov", clearance=Grade.CORE)


def codes(decision: object) -> list[str]:
    assert isinstance(decision, Permit | Challenge | Deny)
    return [reason.code for reason in decision.reasons]


def decided(folder: Path, rules: str, **changes: Any) -> Permit | Challenge | Deny:
    return Policy(a_bundle(folder, rules)).decide(some_facts(**changes))


# --- the order ------------------------------------------------------------------------------


def test_an_allow_that_fits_permits_and_names_the_rule_and_its_line(tmp_path: Path) -> None:
    decision = decided(tmp_path, CLERK_READS)
    assert isinstance(decision, Permit)
    assert decision.reasons == (Reason("rule_allowed", "rules/10-test.yaml:2", "clerk-reads", "province"),)


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": a_subject(roles=("auditor",))},
        {"subject": a_subject(roles=())},
        {"asset": an_asset(action="update")},
        {"asset": an_asset(grade=Grade.CORE)},
        {"asset": an_asset(id="market", category="open-data")},
    ],
)
def test_silence_denies(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert codes(decided(tmp_path, CLERK_READS, **changes)) == ["no_rule"]


def test_one_deny_outweighs_every_allow(tmp_path: Path) -> None:
    assert codes(decided(tmp_path, CLERK_READS + DENY)) == ["rule_denied"]
    assert codes(decided(tmp_path / "b", DENY + CLERK_READS)) == ["rule_denied"]


def test_every_denial_is_collected_and_entitlement_comes_first(tmp_path: Path) -> None:
    rules = DENY + '- {id: dev, effect: deny, when: device.trust == "managed", reason: device_untrusted}\n'
    decision = decided(tmp_path, rules)
    assert codes(decision) == ["no_rule", "rule_denied", "device_untrusted"]
    assert [reason.detail for reason in decision.reasons] == ["", "no", "dev"]


def test_a_rejected_credential_keeps_its_own_reason_whatever_the_rules_say(tmp_path: Path) -> None:
    rejected = a_subject(rejection=Reason("token_expired"))
    assert codes(decided(tmp_path, CLERK_READS, subject=rejected)) == ["token_expired"]


def test_the_order_of_what_stops_before_any_rule(tmp_path: Path) -> None:
    policy = Policy(a_bundle(tmp_path))
    rejected, unlisted, revoked = (
        a_subject(rejection=Reason("token_revoked")),
        an_asset(listed=False),
        a_posture(revoked=True),
    )
    assert codes(policy.decide(some_facts(subject=rejected, asset=unlisted, posture=revoked))) == ["token_revoked"]
    assert codes(policy.decide(some_facts(asset=unlisted, posture=revoked))) == ["unlisted"]
    assert codes(policy.decide(some_facts(posture=revoked))) == ["device_revoked"]


@pytest.mark.parametrize("asset", [an_asset(id="brand-new"), an_asset(category="open-data")])
def test_an_asset_the_bundle_does_not_know_is_refused_even_if_a_rule_allows_everything(
    tmp_path: Path, asset: Any
) -> None:
    rules = "- {id: all, effect: allow, who: signed-in, data: '*', action: '*', level: any}\n"
    assert codes(decided(tmp_path, rules, asset=asset)) == ["unlisted"]


def test_nobody_signed_in_is_asked_to_sign_in_first(tmp_path: Path) -> None:
    assert codes(decided(tmp_path, CLERK_READS, subject=ANONYMOUS)) == ["credential_missing", "no_rule"]


def test_an_allow_for_the_signed_in_does_not_let_anonymous_in_and_one_for_all_does(tmp_path: Path) -> None:
    rules = "- {{id: a, effect: allow, who: {who}, data: population, action: read, level: any}}\n"
    assert codes(decided(tmp_path / "a", rules.format(who="signed-in"), subject=ANONYMOUS))[0] == "credential_missing"
    assert isinstance(decided(tmp_path / "b", rules.format(who="'*'"), subject=ANONYMOUS), Permit)


def test_a_person_called_like_a_role_does_not_hold_it(tmp_path: Path) -> None:
    assert codes(decided(tmp_path, CLERK_READS, subject=a_subject(id="clerk", roles=()))) == ["no_rule"]


def test_a_role_claimed_as_a_person_or_a_kind_counts_for_nothing(tmp_path: Path) -> None:
    rules = "- {id: boss, effect: allow, who: [user:boss, service], data: '*', action: '*', level: any}\n"
    claimed = a_subject(id="mallory", roles=("user:boss", "service", "boss"))
    assert codes(decided(tmp_path, rules, subject=claimed)) == ["no_rule"]
    assert isinstance(decided(tmp_path / "b", rules, subject=a_subject(id="boss", roles=())), Permit)


def test_roles_and_offices_reach_up_the_tree_and_not_down(tmp_path: Path) -> None:
    rules = "- {id: a, effect: allow, who: auditor, org: prov, data: population, action: read, level: any}\n"
    policy = Policy(a_bundle(tmp_path, rules))
    assert isinstance(policy.decide(some_facts(subject=a_subject(roles=("senior-auditor",), org="hz/civil"))), Permit)
    assert isinstance(policy.decide(some_facts(subject=a_subject(roles=("employee",), org="prov"))), Deny)
    assert isinstance(policy.decide(some_facts(subject=a_subject(roles=("auditor",), org="elsewhere"))), Deny)


# --- conditions and time ----------------------------------------------------------------------


def test_a_condition_that_fails_denies_on_both_sides(tmp_path: Path) -> None:
    deny = '- id: net\n  effect: deny\n  when: not ip_in(env.source, "10.0.0.0/8")\n'
    decision = decided(tmp_path / "a", CLERK_READS + deny, ask=an_ask(source="unix:"))
    assert codes(decision) == ["policy_error"]
    allow = CLERK_READS + "  when: risk.score < 40\n"
    assert codes(decided(tmp_path / "b", allow, risk=Risk(None))) == ["policy_error", "no_rule"]


def test_an_allow_that_fails_beside_one_that_holds_is_on_record(tmp_path: Path) -> None:
    rules = CLERK_READS + CLERK_READS.replace("clerk-reads", "odd") + "  when: risk.score < 40\n"
    assert codes(decided(tmp_path, rules, risk=Risk(None))) == ["rule_allowed", "policy_error"]


def test_a_rule_ends_with_its_last_day(tmp_path: Path) -> None:
    policy = Policy(a_bundle(tmp_path, CLERK_READS + "  expires: 2026-09-21\n"))
    midnight = 1_790_006_400.0  # 2026-09-22 00:00 in Shanghai
    assert isinstance(policy.decide(some_facts(ask=an_ask(at=midnight - 1))), Permit)
    assert codes(policy.decide(some_facts(ask=an_ask(at=midnight)))) == ["no_rule"]


# --- step-up ----------------------------------------------------------------------------------


def test_a_step_up_is_offered_when_it_would_help(tmp_path: Path) -> None:
    decision = decided(tmp_path, STEP_UP, subject=AUDITOR, asset=visit(), ask=an_ask(purpose="audit"))
    assert isinstance(decision, Challenge)
    assert (decision.acr_values, decision.max_age) == ("aal3", 300)
    assert codes(decision) == ["step_up_required", "rule_denied"]


def test_no_step_up_is_offered_to_whom_it_would_not_help(tmp_path: Path) -> None:
    assert codes(decided(tmp_path, STEP_UP, subject=AUDITOR, asset=visit())) == ["no_rule", "rule_denied"]
    compromised = '- {id: dev, effect: deny, when: device.trust == "compromised"}\n'
    decision = decided(
        tmp_path / "b", STEP_UP + compromised, subject=AUDITOR, asset=visit(),
        ask=an_ask(purpose="audit"), posture=a_posture(trust="compromised"),
    )  # fmt: skip
    assert isinstance(decision, Deny)


def test_a_stepped_up_sign_in_is_also_fresh(tmp_path: Path) -> None:
    rules = (
        CLERK_READS + "- {id: old, effect: deny, when: subject.auth_age > 300, then: {step_up: aal1, max_age: 300}}\n"
    )
    stale = a_subject(proof=a_proof(authenticated_at=NOW - 4000))
    decision = decided(tmp_path, rules, subject=stale)
    assert isinstance(decision, Challenge)
    assert (decision.acr_values, decision.max_age) == ("aal1", 300)
    assert isinstance(decided(tmp_path / "b", rules, subject=a_subject(proof=a_proof(authenticated_at=0.0))), Challenge)


def test_what_is_offered_is_enough_when_it_is_done_to_the_letter(tmp_path: Path) -> None:
    stale = a_subject(assurance=3, proof=a_proof(authenticated_at=NOW - 4000))
    old = "- {id: old, effect: deny, when: subject.auth_age > 300, then: {step_up: aal2, max_age: %s}}\n"
    core = "- {id: core, effect: deny, when: subject.assurance < 3, then: {step_up: aal3}}\n"
    decision = decided(tmp_path, CLERK_READS + old % 300 + core, subject=stale)
    assert isinstance(decision, Challenge)
    assert decision.acr_values == "aal3", "a sign-in with aal2 would be refused by the next rule"
    too_long = decided(tmp_path / "b", CLERK_READS + old % 900, subject=stale)
    assert isinstance(too_long, Challenge)
    assert too_long.max_age == 0, "a sign-in of ten minutes ago would be asked for again without end"
    unsaid = decided(tmp_path / "c", CLERK_READS + old.replace(", max_age: %s", ""), subject=stale)
    assert isinstance(unsaid, Challenge)
    assert unsaid.max_age == 0


def test_an_approval_is_not_spoken_of_where_nobody_can_obtain_one(tmp_path: Path) -> None:
    rules = '- {id: a, effect: allow, who: "*", data: household, action: read, level: any, when: approval.held}\n'
    assert codes(decided(tmp_path, rules))[0] == "approval_needed"
    assert codes(decided(tmp_path / "b", rules, subject=ANONYMOUS)) == ["credential_missing", "no_rule"]
    (tmp_path / "c" / "emergency").mkdir(parents=True)
    (tmp_path / "c" / "emergency" / "I.yaml").write_text("level: I\nfreeze_grants: true\n", encoding="utf-8")
    assert codes(Policy(a_bundle(tmp_path / "c", rules).raised("I")).decide(some_facts())) == ["no_rule"]


def test_an_approval_is_not_spoken_of_where_another_deny_would_stay(tmp_path: Path) -> None:
    allow = "- {id: a, effect: allow, who: clerk, data: household, action: read, level: any, when: approval.held}\n"
    deny = "- {id: unapproved, effect: deny, who: clerk, when: not approval.held}\n"
    assert codes(decided(tmp_path, allow + deny)) == ["approval_needed", "no_rule", "rule_denied"]
    assert codes(decided(tmp_path / "b", allow + deny + DENY)) == ["no_rule", "rule_denied", "rule_denied"]
    assert codes(decided(tmp_path / "c", CLERK_READS + deny)) == ["approval_needed", "rule_denied"]
    assert codes(decided(tmp_path / "d", deny)) == ["no_rule", "rule_denied"]


def test_every_reason_of_a_rule_names_its_layer(tmp_path: Path) -> None:
    folder = write(tmp_path, CLERK_READS, cities="- {id: hz, effect: deny}\n")
    (folder / "rules" / "00-base.yaml").write_text(
        "locked: true\nrules: [{id: b, effect: deny, when: risk.score > 5}]\n", encoding="utf-8"
    )
    (folder / "emergency").mkdir()
    (folder / "emergency" / "I.yaml").write_text(
        "level: I\nrules: [{id: i, effect: deny, when: subject.assurance < 3, then: {step_up: aal3}}]\n",
        encoding="utf-8",
    )
    bundle = load(folder, ASSETS)
    policy, facts = Policy(bundle), some_facts(subject=a_subject(org="hz/civil"), risk=Risk())
    assert [reason.layer for reason in policy.decide(facts).reasons] == ["city:hz", "base"]
    policy.swap(bundle.raised("I"))
    assert [reason.layer for reason in policy.decide(some_facts()).reasons] == ["emergency:I", "emergency:I"]
    assert policy.decide(some_facts(subject=a_subject(roles=()))).reasons[0] == Reason("no_rule")


def test_an_allow_that_itself_demands_the_strong_sign_in_is_offered_too(tmp_path: Path) -> None:
    rules = STEP_UP.replace('env.purpose == "audit"', "subject.assurance >= 3")
    assert isinstance(decided(tmp_path, rules, subject=AUDITOR, asset=visit()), Challenge)


@pytest.mark.parametrize("kind", ["service", "anonymous"])
def test_only_a_person_can_step_up(tmp_path: Path, kind: str) -> None:
    subject = a_subject(kind=kind, roles=("auditor",), org="prov")
    assert isinstance(decided(tmp_path, STEP_UP, subject=subject, asset=visit(), ask=an_ask(purpose="audit")), Deny)


# --- duties -------------------------------------------------------------------------------------


def test_duties_of_all_allows_are_merged_and_the_strictest_mask_wins(tmp_path: Path) -> None:
    rules = (
        CLERK_READS + "  then: {mask: none, notify: b}\n"
        "- {id: two, effect: allow, who: employee, data: household, action: read, level: any,"
        " then: {mask: pii-strict, log: synced, notify: [a, b]}}\n"
    )
    decision = decided(tmp_path, rules)
    assert isinstance(decision, Permit)
    assert {field.technique for field in decision.mask.fields} == {"redact"}
    assert decision.strength == "synced"
    assert [notice.topic for notice in decision.obligations] == ["a", "b"]


def test_core_is_synced_by_default_and_no_rule_can_weaken_it(tmp_path: Path) -> None:
    rules = "- {id: a, effect: allow, who: clerk, data: health, action: read, level: any, then: {log: written}}\n"
    policy = Policy(a_bundle(tmp_path, rules))
    decision = policy.decide(some_facts(asset=visit()))
    assert isinstance(decision, Permit) and decision.strength == "synced"
    important = policy.decide(some_facts(asset=visit(grade=Grade.IMPORTANT)))
    assert isinstance(important, Permit) and important.strength == "written"


def test_the_strength_by_grade_comes_from_the_configuration(tmp_path: Path) -> None:
    policy = Policy(a_bundle(tmp_path), {"general": "written", "important": "synced", "core": "synced"})
    decision = policy.decide(some_facts())
    assert isinstance(decision, Permit) and decision.strength == "synced"


# --- an answer that nobody reads ------------------------------------------------------------------

MASKED = CLERK_READS + "  then: {mask: pii-strict}\n"


def test_an_opaque_answer_passes_unread_where_no_rule_asks_for_a_mask(tmp_path: Path) -> None:
    for rules in (CLERK_READS, CLERK_READS + "  then: {mask: none}\n"):
        decision = decided(tmp_path / str(len(rules)), rules, asset=an_asset(opaque=True))
        assert isinstance(decision, Permit)
        assert not decision.mask.inspects


def test_an_opaque_answer_is_refused_where_an_allow_asks_for_a_mask(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path, MASKED)
    assert isinstance(Policy(bundle).decide(some_facts()), Permit)
    opaque = some_facts(asset=an_asset(opaque=True))
    refused = Policy(bundle).decide(opaque)
    assert isinstance(refused, Deny)
    assert refused.reasons == (Reason("cannot_mask", "rules/10-test.yaml:2", "clerk-reads: pii-strict", "province"),)
    assert disagreement(bundle, opaque, refused) == ""


def test_rare_records_are_suppressed_through_the_copy_of_the_workers_and_never_passed_unread(tmp_path: Path) -> None:
    masks = 'profiles: {none: {"*": keep}, crowd: {"*": keep, suppress: {k: 5, by: $..sex}}}\n'
    loaded = a_bundle(tmp_path, CLERK_READS + "  then: {mask: crowd}\n", masks=masks)
    for bundle in (loaded, Bundle.from_bytes(loaded.dump())):
        assert bundle.digest == loaded.digest
        decision = Policy(bundle).decide(some_facts())
        assert isinstance(decision, Permit)
        assert decision.mask.suppress == Suppress(5, ("$..sex",))
        refused = Policy(bundle).decide(some_facts(asset=an_asset(opaque=True)))
        assert isinstance(refused, Deny)
        assert refused.reasons[0].code == "cannot_mask"
    assert loaded.digest != a_bundle(tmp_path, CLERK_READS, masks=masks.replace("k: 5", "k: 6")).digest


def test_a_second_allow_without_a_mask_opens_no_opaque_answer(tmp_path: Path) -> None:
    other = "- {id: two, effect: allow, who: employee, data: household, action: read, level: any}\n"
    assert codes(decided(tmp_path, MASKED + other, asset=an_asset(opaque=True))) == ["cannot_mask"]


def test_whoever_is_not_entitled_is_told_so_and_not_of_a_mask(tmp_path: Path) -> None:
    assert codes(decided(tmp_path, MASKED, asset=an_asset(opaque=True), subject=a_subject(roles=()))) == ["no_rule"]


def test_an_allow_that_fails_asks_for_no_mask(tmp_path: Path) -> None:
    rules = CLERK_READS + "- {id: two, effect: allow, who: clerk, data: household, action: read, level: any,"
    rules += " when: risk.score < 5, then: {mask: pii-strict}}\n"
    bundle, facts = a_bundle(tmp_path, rules), some_facts(asset=an_asset(opaque=True), risk=Risk())
    decision = Policy(bundle).decide(facts)
    assert isinstance(decision, Permit)
    assert codes(decision) == ["rule_allowed", "policy_error"]
    assert disagreement(bundle, facts, decision) == ""


def test_a_step_up_that_would_end_before_a_mask_is_not_offered(tmp_path: Path) -> None:
    rules = MASKED + "- {id: step, effect: deny, who: clerk, when: subject.assurance < 3, then: {step_up: aal3}}\n"
    assert isinstance(decided(tmp_path, rules), Challenge)
    assert isinstance(decided(tmp_path / "b", rules, asset=an_asset(opaque=True)), Deny)


def test_in_observe_a_mask_that_cannot_be_laid_is_only_marked(tmp_path: Path) -> None:
    decision = decided(tmp_path, MASKED, asset=an_asset(opaque=True, mode="observe"))
    assert isinstance(decision, Permit)
    assert isinstance(decision.would, Deny)
    assert codes(decision.would) == ["cannot_mask"]


# --- observe ------------------------------------------------------------------------------------


def test_in_observe_a_denial_by_rules_passes_marked_and_strictly_masked(tmp_path: Path) -> None:
    asset = an_asset(mode="observe")
    decision = decided(tmp_path, CLERK_READS + DENY, asset=asset)
    assert isinstance(decision, Permit)
    assert decision.stage == "observe"
    assert isinstance(decision.would, Deny) and codes(decision.would) == ["rule_denied"]
    assert {field.technique for field in decision.mask.fields} == {"redact"}


def test_in_observe_what_is_allowed_anyway_is_not_marked(tmp_path: Path) -> None:
    decision = decided(tmp_path, CLERK_READS, asset=an_asset(mode="observe"))
    assert isinstance(decision, Permit) and (decision.stage, decision.would) == ("enforce", None)


def test_in_observe_without_a_strict_profile_everything_labelled_is_redacted(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path, DENY, masks="profiles: {}\n")
    decision = Policy(bundle).decide(some_facts(asset=an_asset(mode="observe")))
    assert isinstance(decision, Permit)
    assert {field.technique for field in decision.mask.fields} == {"redact"}


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": a_subject(rejection=Reason("token_signature"))},
        {"asset": an_asset(mode="observe", listed=False)},
        {"posture": a_posture(revoked=True)},
        {"asset": an_asset(mode="observe", grade=Grade.CORE)},
        {"asset": an_asset(mode="observe", honey=True)},
        {"asset": an_asset(mode="observe", id="unheard-of")},
        {"ask": an_ask(source="unix:")},
    ],
)
def test_what_observe_never_relaxes(tmp_path: Path, changes: dict[str, Any]) -> None:
    rules = '- id: net\n  effect: deny\n  when: not ip_in(env.source, "10.0.0.0/8")\n'
    decision = decided(tmp_path, rules, **({"asset": an_asset(mode="observe")} | changes))
    assert isinstance(decision, Deny)


# --- bundles at run time ------------------------------------------------------------------------


def test_a_swap_takes_effect_at_once_and_gives_the_previous_back(tmp_path: Path) -> None:
    first, second = a_bundle(tmp_path / "a"), a_bundle(tmp_path / "b", DENY)
    policy = Policy(first)
    assert policy.swap(second) is first
    assert policy.bundle is second
    assert policy.decide(some_facts()).bundle == second.digest


def test_a_distrusted_bundle_denies_everything_and_another_one_does_not(tmp_path: Path) -> None:
    first, second = a_bundle(tmp_path / "a"), a_bundle(tmp_path / "b", CLERK_READS + "  note: other\n\n")
    policy = Policy(first)
    policy.distrust(first.digest)
    assert codes(policy.decide(some_facts(asset=an_asset(mode="observe")))) == ["policy_error"]
    third = a_bundle(tmp_path / "c", CLERK_READS.replace("clerk-reads", "renamed"))
    policy.swap(third)
    assert isinstance(policy.decide(some_facts()), Permit)
    assert second.digest == first.digest  # a note decides nothing


def test_one_decision_in_n_is_kept_and_the_memory_is_bounded(tmp_path: Path) -> None:
    policy = Policy(a_bundle(tmp_path))
    policy.sample(every=3)
    facts = some_facts()
    decisions = [policy.decide(facts) for _ in range(9)]
    assert policy.samples() == [(facts, decisions[0])] * 3
    assert policy.samples() == []
    policy.sample(every=1)
    for _ in range(SAMPLES + 10):
        policy.decide(facts)
    assert len(policy.samples()) == SAMPLES
    for _ in range(5):
        policy.decide(facts)
    assert (len(policy.samples(most=2)), policy.samples()) == (2, [])


def test_a_decision_that_the_enforcer_would_not_take_is_found(tmp_path: Path) -> None:
    bundle = a_bundle(
        tmp_path, CLERK_READS + "- {id: two, effect: allow, who: clerk, data: population, action: read, level: any}\n"
    )
    right = Policy(bundle).decide(some_facts())
    assert disagreement(bundle, some_facts(), right) == ""
    denied = Deny((Reason("no_rule"),), bundle.digest)
    assert "enforcer says allow" in disagreement(bundle, some_facts(), denied)
    assert isinstance(right, Permit)
    half = Permit(right.reasons[:1], bundle.digest, right.mask)
    assert "rules differ" in disagreement(bundle, some_facts(), half)


# --- laws ---------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_adding_a_deny_never_adds_an_allow(seed: int) -> None:
    random = Random(seed)
    some = generated.rules(random, 6)
    extra = next(rule for n in range(100) if (rule := generated.a_rule(random, 100 + n)).effect == "deny")
    before, after = generated.bundle(some), generated.bundle([*some, extra])
    for _ in range(10):
        facts = generated.a_request(random)
        assert ask(before, facts).allows or not ask(after, facts).allows


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_the_order_of_rules_decides_nothing(seed: int) -> None:
    random = Random(seed)
    some = generated.rules(random, 8)
    one, two = generated.bundle(some), generated.bundle(some[::-1])
    for _ in range(5):
        facts = generated.a_request(random)
        first, second = decide(one, facts, "written"), decide(two, facts, "written")
        assert type(first) is type(second)
        assert set(first.reasons[1:]) <= set(second.reasons) or set(first.reasons) == set(second.reasons)
        if isinstance(first, Permit) and isinstance(second, Permit):
            assert (first.mask, first.obligations, first.strength) == (second.mask, second.obligations, second.strength)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_a_decision_is_pure(seed: int) -> None:
    random = Random(seed)
    some = generated.rules(random, 8)
    bundle = generated.bundle(some)
    requests = [generated.a_request(random) for _ in range(8)]
    first = [decide(bundle, facts, "written") for facts in requests]
    again = [decide(bundle, facts, "written") for facts in reversed(requests)][::-1]
    elsewhere = generated.bundle(some)
    assert first == again == [decide(elsewhere, facts, "written") for facts in requests]


# --- answers with many records -------------------------------------------------------------------------

SMALL = """\
- {id: some, effect: allow, who: clerk, data: population, action: read, level: "<= important", then: {mask: none}}
"""
LARGE = """\
- {id: many, effect: allow, who: clerk, data: population, action: read, level: "== core", then: {mask: pii-strict, log: synced}}
"""
FEW = """\
- {id: few, effect: allow, who: clerk, data: population, action: read, level: "== core", then: {rows: {$.district: subject.org}}}
"""
MANY = (Bulk(100, Grade.CORE, "bulk"),)


def in_bulk(folder: Path, rules: str, bulk: tuple[Bulk, ...] = MANY, **asset: Any) -> Permit:
    values = {
        "grade": Grade.IMPORTANT,
        "bulk": bulk,
        "fields": (Field("$..id", "resident-id", Grade.GENERAL_2),),
    } | asset
    found = decide(a_bundle(folder, rules), some_facts(asset=an_asset(**values)), "written")
    assert isinstance(found, Permit), found
    return found


def test_more_records_than_the_grade_covers_are_withheld_where_no_rule_allows_them(tmp_path: Path) -> None:
    permit = in_bulk(tmp_path, SMALL)
    assert (permit.mask.most, permit.mask.beyond) == (100, None)
    assert permit.mask.covering(100) is permit.mask
    assert permit.mask.covering(101) is None


def test_or_shown_as_both_grades_ask(tmp_path: Path) -> None:
    permit = in_bulk(tmp_path, SMALL + LARGE)
    beyond = permit.mask.covering(101)
    assert [field.technique for field in permit.mask.fields] == ["keep"]
    assert beyond is not None
    assert [field.technique for field in beyond.fields] == ["redact"]
    assert permit.strength == "synced"


def test_a_rule_for_the_higher_grade_never_shows_more(tmp_path: Path) -> None:
    """Only the first of the two asks for a mask, and only below core."""
    strict = SMALL.replace("mask: none", "mask: pii-strict")
    permit = in_bulk(tmp_path, strict + LARGE.replace("mask: pii-strict", "mask: none"))
    beyond = permit.mask.covering(101)
    assert beyond is not None
    assert permit.mask.fields == beyond.fields
    assert [field.technique for field in beyond.fields] == ["redact"]


def test_its_filters_hold_for_many(tmp_path: Path) -> None:
    beyond = in_bulk(tmp_path, SMALL + FEW).mask.covering(101)
    assert beyond is not None
    assert beyond.rows == (RowFilter("$.district", ("prov/civil",)),)


def test_a_deny_for_the_higher_grade_withholds(tmp_path: Path) -> None:
    deny = '- {id: no, effect: deny, level: "== core", when: data.grade == "core"}\n'
    assert in_bulk(tmp_path, SMALL + LARGE + deny).mask.covering(101) is None


def test_each_step_is_judged(tmp_path: Path) -> None:
    steps = (Bulk(1000, Grade.CORE, "more"), Bulk(10, Grade.IMPORTANT, "some"))
    strict = (
        SMALL.replace("id: some", "id: strict").replace("<= important", "== important").replace("none", "pii-strict")
    )
    rules = SMALL.replace("important", "general-4") + strict
    mask = in_bulk(tmp_path, rules, steps, grade=Grade.GENERAL_3).mask
    techniques = [None if one is None else one.fields[0].technique for one in map(mask.covering, (10, 11, 1000, 1001))]
    assert techniques == ["keep", "redact", "redact", None]


def test_a_grade_that_raises_nothing_changes_nothing(tmp_path: Path) -> None:
    assert in_bulk(tmp_path, SMALL, (Bulk(100, Grade.GENERAL_4, "bulk"),)).mask.most == 0


def test_an_opaque_answer_that_may_be_a_bulk_is_looked_at(tmp_path: Path) -> None:
    assert in_bulk(tmp_path, SMALL, opaque=True).mask.inspects
    allowed = SMALL + LARGE.replace("pii-strict", "none")
    assert not in_bulk(tmp_path, allowed, opaque=True).mask.inspects


def test_in_observe_a_bulk_is_shown_through_the_strictest_mask(tmp_path: Path) -> None:
    rules, grade = SMALL.replace("important", "general-4"), Grade.GENERAL_3
    mask = in_bulk(tmp_path, rules, (Bulk(100, Grade.IMPORTANT, "bulk"),), grade=grade, mode="observe").mask
    beyond = mask.covering(101)
    assert beyond is not None
    assert [field.technique for field in beyond.fields] == ["redact"]
    assert in_bulk(tmp_path, rules, MANY, grade=grade, mode="observe").mask.covering(101) is None  # core never passes


def test_a_watermark_is_asked_of_the_mask_and_of_nothing_that_passes_unread(tmp_path: Path) -> None:
    marked = CLERK_READS + "  then: {watermark: true}\n"
    decision = decided(tmp_path / "a", marked)
    assert isinstance(decision, Permit)
    assert decision.mask.watermark
    plain = decided(tmp_path / "b", CLERK_READS)
    assert isinstance(plain, Permit)
    assert not plain.mask.watermark
    unread = decided(tmp_path / "c", marked, asset=an_asset(opaque=True))
    assert not getattr(unread, "mask", plain.mask).watermark


def test_a_request_is_forwarded_only_through_what_an_allow_says(tmp_path: Path) -> None:
    rules = CLERK_READS + "  then: {mask: none, request: pii-strict}\n"
    decision = decided(tmp_path / "a", rules)
    assert isinstance(decision, Permit)
    assert decision.forwarding is not None
    assert (decision.forwarding.profile, decision.forwarding.unlabelled) == ("pii-strict", "pass")
    assert {field.technique for field in decision.forwarding.fields} == {"redact"}
    assert {field.technique for field in decision.mask.fields} != {"redact"}
    plain = decided(tmp_path / "b", CLERK_READS)
    assert isinstance(plain, Permit)
    assert plain.forwarding is None


def test_what_several_allows_say_of_a_request_holds_together(tmp_path: Path) -> None:
    rules = (
        CLERK_READS.replace("id: ", "id: a-", 1) + "  then: {mask: none, request: pii-standard}\n"
        + CLERK_READS.replace("id: ", "id: b-", 1) + "  then: {mask: none, request: pii-strict}\n"
    )  # fmt: skip
    decision = decided(tmp_path, rules)
    assert isinstance(decision, Permit)
    assert decision.forwarding is not None
    assert decision.forwarding.profile == "pii-standard+pii-strict"
    assert {field.technique for field in decision.forwarding.fields} == {"redact"}


def test_the_same_mask_of_a_request_again(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path, CLERK_READS + "  then: {mask: none, request: pii-strict}\n")
    one, two = (decide(bundle, some_facts(), "written") for _ in range(2))
    assert isinstance(one, Permit)
    assert isinstance(two, Permit)
    assert one.forwarding is two.forwarding
