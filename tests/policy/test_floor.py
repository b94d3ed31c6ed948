"""Opening a token demands a strong sign-in, a purpose and an approved grant, whatever the rules say."""

from pathlib import Path

import pytest

from gateway.facts import Challenge, Deny, Facts, Field, Grade, Granted, Permit
from gateway.policy import Bundle, disagreement, load
from gateway.policy.decide import decide
from tests.literals import a_subject, an_ask, an_asset
from tests.policy.world import ASSETS, MASKS, facts, faults, write

REVEALS = """\
- id: reveals
  effect: allow
  who: clerk
  data: population
  action: reveal
  level: any
  when: subject.assurance >= 2 and env.purpose == "inquiry" and approval.held
  then: {mask: none}
"""
ANYTHING = """\
- id: anything
  effect: allow
  who: clerk
  data: "*"
  action: "*"
  level: any
  then: {mask: none}
"""
GRANTS = """\
grants:
  - {id: inquiry, to: clerk, data: household, action: reveal, purpose: inquiry, until: 2099-12-31,
     approval: {by: prov/civil, on: 2026-01-01}}
  - {id: to-read, to: clerk, data: household, purpose: reading, until: 2099-12-31, approval: {by: prov/civil, on: 2026-01-01}}
"""
LEVEL = "level: II\ntitle: {zh: 二级, en: two}\n"
APPROVED = Granted(("inquiry",), approved=True)


def policies(folder: Path, rules: str = REVEALS, level: str = "") -> Bundle:
    write(folder, rules)
    (folder / "grants.yaml").write_text(GRANTS, encoding="utf-8")
    if level:
        (folder / "emergency").mkdir()
        (folder / "emergency" / "II.yaml").write_text(LEVEL + level, encoding="utf-8")
    return load(folder, ASSETS)


def asked(grant: Granted = APPROVED, purpose: str = "inquiry", **caller: object) -> Facts:
    asset = an_asset(
        action="reveal",
        route="POST /.gateway/reveal/household/$.id_number",
        fields=(Field("$.id_number", "resident-id", Grade.IMPORTANT),),
        parameters=(("token", "t1.x"),),
    )
    subject = a_subject(**({"assurance": 2} | caller))
    return facts(ask=an_ask(purpose=purpose), subject=subject, asset=asset, grant=grant)


def codes(bundle: Bundle, request: Facts) -> list[str]:
    decision = decide(bundle, request, "written")
    assert disagreement(bundle, request, decision) == ""
    return [reason.code for reason in decision.reasons]


def test_whoever_has_all_of_it_is_told(tmp_path: Path) -> None:
    assert isinstance(decide(policies(tmp_path), asked(), "written"), Permit)


def test_a_weak_sign_in_is_offered_a_stronger_one_where_that_is_all_that_is_missing(tmp_path: Path) -> None:
    bundle = policies(tmp_path)
    offered = decide(bundle, asked(assurance=1), "written")
    assert isinstance(offered, Challenge)
    assert offered.acr_values == "aal2"
    assert offered.reasons[0].code == "step_up_required"
    assert isinstance(decide(bundle, asked(Granted(), assurance=1), "written"), Deny)  # in vain: there is no grant
    assert isinstance(decide(bundle, asked(assurance=0, kind="service"), "written"), Deny)  # nobody signs in again
    assert isinstance(decide(bundle, asked(assurance=0, roles=()), "written"), Deny)


def test_without_an_approved_grant_nobody_is_told(tmp_path: Path) -> None:
    bundle = policies(tmp_path)
    for grant in (Granted(), Granted(("inquiry",), approved=False)):
        assert codes(bundle, asked(grant))[0] == "approval_needed"
    assert codes(bundle, asked(purpose="another")) == ["no_rule"]
    assert codes(bundle, asked(Granted(), purpose="")) == ["approval_needed", "no_rule"]
    assert codes(bundle, asked(Granted(), purpose="", kind="anonymous", id="")) == ["credential_missing", "no_rule"]


def test_an_allow_for_any_action_does_not_mean_this_one(tmp_path: Path) -> None:
    assert codes(policies(tmp_path, ANYTHING), asked()) == ["no_rule"]


def test_a_deny_for_any_action_means_this_one_too(tmp_path: Path) -> None:
    stop = '- {id: stop, effect: deny, who: clerk, data: population, action: "*", level: any}\n'
    assert codes(policies(tmp_path, REVEALS + stop), asked()) == ["rule_denied"]


def test_a_grant_for_something_else_does_not_cover_it(tmp_path: Path) -> None:
    bundle = policies(tmp_path)
    request = asked()
    assert bundle.granted(request.ask, request.subject, request.asset) == APPROVED
    reading = an_ask(purpose="reading")
    assert bundle.granted(reading, request.subject, request.asset) == Granted()


@pytest.mark.parametrize("mask", ["pii-standard", "pii-strict"])
def test_what_a_mask_hides_is_not_told(tmp_path: Path, mask: str) -> None:
    bundle = policies(tmp_path, REVEALS.replace("mask: none", f"mask: {mask}"))
    assert codes(bundle, asked())[0] == "cannot_mask"
    assert codes(policies(tmp_path), asked(clearance=Grade.GENERAL_3))[0] == "cannot_mask"


@pytest.mark.parametrize(
    ("level", "code"), [("mask: pii-strict\n", "cannot_mask"), ("freeze_grants: true\n", "rule_denied")]
)
def test_an_emergency_level_stops_it(tmp_path: Path, level: str, code: str) -> None:
    calm = policies(tmp_path, REVEALS, level)
    assert isinstance(decide(calm, asked(), "written"), Permit)
    assert codes(calm.raised("II"), asked())[0] == code


def test_somebody_rejected_or_unknown_is_told_that_first(tmp_path: Path) -> None:
    bundle = policies(tmp_path)
    assert codes(bundle, asked(kind="anonymous", id="", roles=(), assurance=0))[0] == "credential_missing"


# --- at load --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "missing"),
    [
        ("", ["P190", "P191", "P192"]),
        ("subject.assurance >= 2", ["P191", "P192"]),
        ("subject.assurance > 1 and env.purpose != '' and approval.held", []),
        ("subject.assurance == 3 and env.purpose in ['a', 'b'] and approval.held", []),
        ("subject.assurance >= 2 and subject.purpose == 'a' and approval.held and env.hour >= 8", []),
        ("subject.assurance >= 1 and env.purpose == 'a' and approval.held", ["P190"]),
        ("subject.assurance != 1 and env.purpose == 'a' and approval.held", ["P190"]),  # 0 would pass
        ("subject.assurance >= 2 and env.purpose != 'a' and approval.held", ["P191"]),  # none would pass
        ("subject.assurance >= 2 and env.purpose == 'a' and grant.held", ["P192"]),  # an application would pass
        ("(subject.assurance >= 2 or env.hour > 8) and env.purpose == 'a' and approval.held", ["P190"]),
        ("subject.assurance >= 2 and env.purpose == 'a' or approval.held", ["P190", "P191", "P192"]),
        ("subject.assurance >= 2 and env.purpose == 'a' and not approval.held", ["P192"]),
    ],
)
def test_a_rule_that_reveals_says_what_it_demands(tmp_path: Path, when: str, missing: list[str]) -> None:
    rule = REVEALS.replace('subject.assurance >= 2 and env.purpose == "inquiry" and approval.held', f'"{when}"')
    rule = rule if when else "\n".join(line for line in REVEALS.splitlines() if "when:" not in line)
    assert sorted(fault.code for fault in faults(tmp_path, rule) if not fault.warning) == missing


def test_the_fault_says_where_and_how_to_mend_it(tmp_path: Path) -> None:
    rule = REVEALS.replace(" and approval.held", "")
    (fault,) = [fault for fault in faults(tmp_path, rule) if not fault.warning]
    assert (fault.line, fault.code) == (8, "P192")
    assert fault.remedy_en == "add to `when`: and approval.held"


def test_a_deny_may_name_it_without_conditions(tmp_path: Path) -> None:
    deny = "- {id: never, effect: deny, data: household, action: reveal}\n"
    assert [fault.code for fault in faults(tmp_path, REVEALS + deny) if not fault.warning] == []
    assert "none" in MASKS
