"""Does an emergency level only take away, and is it part of what is signed and tested?"""

from pathlib import Path

import pytest

from gateway.document import Faulty
from gateway.facts import Challenge, Deny, Grade, Granted, Permit, Reason
from gateway.policy import Bundle, Damaged, Policy, disagreement, load
from gateway.policy.decide import decide
from tests.literals import a_subject, an_ask, an_asset
from tests.policy.test_grants import APPROVED, NEW_YEAR, asked
from tests.policy.world import ASSETS, CLERK_READS, facts, write

SECOND = """\
level: II
title: {zh: 二级响应, en: level two}
mask: pii-strict
freeze_grants: true
rules:
  - {id: ii-no-core, effect: deny, level: ">= core"}
  - {id: ii-clerks, effect: deny, who: clerk, when: 'subject.assurance < 3', then: {step_up: aal3}}
"""


def policies(folder: Path, text: str = SECOND, name: str = "II.yaml") -> Bundle:
    write(folder, CLERK_READS)
    (folder / "grants.yaml").write_text(APPROVED, encoding="utf-8")
    (folder / "emergency").mkdir()
    (folder / "emergency" / name).write_text(text, encoding="utf-8")
    return load(folder, ASSETS)


def test_a_level_decides_only_while_it_is_in_force(tmp_path: Path) -> None:
    calm = policies(tmp_path)
    raised = calm.raised("II")
    assert isinstance(decide(calm, facts(), "written"), Permit)
    refused = decide(raised, facts(), "written")
    assert [(reason.code, reason.detail) for reason in refused.reasons][:2] == [
        ("step_up_required", "ii-clerks"),
        ("rule_denied", "ii-clerks"),
    ]
    assert raised.raised("").digest == calm.digest


def test_what_is_distrusted_stays_so_when_a_level_comes_or_ends(tmp_path: Path) -> None:
    """Each level is another policy object over the same content, and a new one is made at each change."""
    calm = policies(tmp_path)
    found: set[str] = set()
    under, after = Policy(calm.raised("II"), distrusted=found), Policy(calm, distrusted=found)
    assert isinstance(after.decide(facts()), Permit)
    under.distrust(under.bundle.digest)
    for policy in (under, after, Policy(calm, distrusted=found)):
        assert [reason.code for reason in policy.decide(facts()).reasons] == ["policy_error"]
    assert isinstance(Policy(calm).decide(facts()), Permit)


def test_the_level_is_part_of_the_name_and_of_what_travels(tmp_path: Path) -> None:
    calm = policies(tmp_path)
    raised = Bundle.from_bytes(calm.dump(), "II")
    assert raised.digest == f"{calm.digest}+II" == calm.raised("II").digest
    assert raised.dump() == calm.dump()
    assert raised.content.layers["ii-no-core"] == "emergency:II"
    with pytest.raises(Damaged, match="no emergency level"):
        Bundle.from_bytes(calm.dump(), "I")


def test_what_a_level_says_is_in_the_digest_before_it_is_in_force(tmp_path: Path) -> None:
    one = policies(tmp_path / "a")
    two = policies(tmp_path / "b", SECOND.replace("pii-strict", "pii-standard"))
    assert one.digest != two.digest


def test_every_answer_is_shown_through_its_mask_as_well(tmp_path: Path) -> None:
    calm = policies(tmp_path, "level: II\nmask: pii-strict\n")
    for policy, shown in ((calm, "pii-standard"), (calm.raised("II"), "pii-standard+pii-strict")):
        decision = decide(policy, facts(), "written")
        assert isinstance(decision, Permit)
        assert decision.mask.profile == shown
    assert {field.technique for field in decision.mask.fields} == {"redact"}


GRADED = """\
profiles:
  pii-standard: {resident-id: "partial(1,1)", "*": keep}
  from-general-3: {general-3: redact, general-4: redact, important: redact, core: redact, "*": keep}
default: pii-standard
"""


@pytest.mark.parametrize(
    ("grade", "passes"), [(Grade.GENERAL_2, True), (Grade.GENERAL_3, False), (Grade.IMPORTANT, False)]
)
@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_an_opaque_answer_is_refused_where_the_level_would_hide_something_of_it(
    tmp_path: Path, grade: Grade, passes: bool, mode: str
) -> None:
    """A scan or an export has no fields to redact: it must not be the way around the mask of a level."""
    write(tmp_path, CLERK_READS, masks=GRADED)
    (tmp_path / "emergency").mkdir()
    (tmp_path / "emergency" / "III.yaml").write_text("level: III\nmask: from-general-3\n", encoding="utf-8")
    calm = load(tmp_path, ASSETS)
    request = facts(asset=an_asset(grade=grade, opaque=True, mode=mode))
    assert isinstance(decide(calm, request, "written"), Permit)
    decision = decide(calm.raised("III"), request, "written")
    assert isinstance(decision, Permit) is passes
    if not passes:
        assert decision.reasons == (
            Reason("cannot_mask", "emergency/III.yaml", "emergency-III-mask: from-general-3", "emergency:III"),
        )
        assert disagreement(calm.raised("III"), request, decision) == ""


def test_a_level_may_freeze_all_grants(tmp_path: Path) -> None:
    calm = policies(tmp_path)
    raised = calm.raised("II")
    request = asked(raised)
    assert request.grant == Granted(("share-1",), approved=True)
    assert [reason.detail for reason in decide(raised, request, "written").reasons if reason.rule][-1] == (
        "emergency-II-grants"
    )


def test_a_frozen_grant_takes_no_stricter_mask_away(tmp_path: Path) -> None:
    """Were the grant simply gone, its rule would go with its mask, and what another rule shows would be shown."""
    rules = (
        CLERK_READS
        + """
- {id: shared, effect: allow, who: clerk, data: population, action: read, level: any, when: grant.held, then: {mask: pii-strict}}
"""
    )
    write(tmp_path, rules)
    (tmp_path / "grants.yaml").write_text(
        APPROVED.replace("data: health", "data: population").replace("by: prov/health", "by: prov")
    )
    (tmp_path / "emergency").mkdir()
    (tmp_path / "emergency" / "III.yaml").write_text("level: III\nfreeze_grants: true\n")
    calm = load(tmp_path, ASSETS)
    ask, subject = an_ask(purpose="aid", at=NEW_YEAR), a_subject(org="hz/civil", purpose="")
    request = facts(ask=ask, subject=subject, grant=calm.granted(ask, subject, an_asset()))
    shown = decide(calm, request, "written")
    assert isinstance(shown, Permit)
    assert {field.technique for field in shown.mask.fields} == {"redact"}
    assert isinstance(decide(calm.raised("III"), request, "written"), Deny)


def test_observe_lets_nothing_pass_that_a_level_stops(tmp_path: Path) -> None:
    """Rules are tried in observe; a level was tried before, and two operators said that it holds now."""
    calm = policies(tmp_path, SECOND + "  - {id: ii-market, effect: deny, data: market}\n")
    market = an_asset(id="market", category="open-data", grade=Grade.GENERAL_1, mode="observe")
    household = an_asset(mode="observe")
    assert isinstance(decide(calm, facts(asset=market), "written"), Permit)
    stopped = decide(calm.raised("II"), facts(asset=market), "written")
    assert isinstance(stopped, Deny)
    assert isinstance(decide(calm.raised("II"), facts(asset=household), "written"), Challenge)
    nobody = facts(asset=household, subject=a_subject(roles=(), assurance=3))
    passed = decide(calm.raised("II"), nobody, "written")  # what no rule allows is still only observed
    assert isinstance(passed, Permit)
    assert passed.mask.profile == "pii-strict"


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("II.yaml", SECOND.replace("effect: deny, level", "effect: allow, who: clerk, data: health, action: read, level"), "P050"),
        ("II.yaml", SECOND.replace("level: II", "level: III"), "P054"),
        ("II.yaml", SECOND.removeprefix("level: II\n"), "P054"),
        ("2.yaml", SECOND, "P054"),
        ("II.yml", SECOND, "P088"),
        ("II.yaml", SECOND.replace("pii-strict", "strict"), "P014"),
        ("II.yaml", SECOND.replace("ii-no-core", "clerk-reads"), "P005"),
        ("II.yaml", SECOND.replace("ii-no-core", "emergency-II-grants"), "P005"),
        ("II.yaml", SECOND.replace("freeze_grants: true", "freeze_grants: yes please"), "P004"),
        ("II.yaml", SECOND.replace("freeze_grants", "freeze_grant"), "P001"),
    ],
)  # fmt: skip
def test_a_slip_in_a_level_is_told_long_before_it_is_needed(tmp_path: Path, name: str, text: str, code: str) -> None:
    with pytest.raises(Faulty) as refused:
        policies(tmp_path, text, name)
    assert [fault.code for fault in refused.value.faults] == [code]


def test_casbin_holds_the_rules_of_the_level_too(tmp_path: Path) -> None:
    raised = policies(tmp_path).raised("II")
    assert raised.reference(facts()).rules == {"clerk-reads", "ii-clerks"}
    assert not raised.reference(facts()).allowed
