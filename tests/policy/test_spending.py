"""Does a spent budget narrow what the rules allow, and nothing else; and do casbin, observe and the record agree?"""

from pathlib import Path
from typing import Any

import pytest

from gateway.audit import Digests
from gateway.audit.entry import decode, encode, verdict_entry
from gateway.facts import Challenge, Deny, Exposure, Facts, Grade, Permit
from gateway.policy import Bundle, disagreement, load
from gateway.policy.decide import decide
from tests.literals import a_subject, an_asset
from tests.policy.world import ASSETS, CLERK_READS, facts, write

BUDGETS = """\
budgets:
  - {id: day, who: clerk, data: household, soft: {records: 200}, hard: {records: 1000}, mask: pii-strict}
  - {id: bare, who: clerk, data: market, hard: {records: 1}}
"""
SOFT = Exposure(250, 500, ("population",), ("day",), "soft")
HARD = Exposure(1200, 2400, ("population",), ("day",), "hard")


@pytest.fixture
def policy(tmp_path: Path) -> Bundle:
    return made(tmp_path)


def made(folder: Path, rules: str = CLERK_READS, budgets: str = BUDGETS) -> Bundle:
    write(folder, rules)
    (folder / "budgets.yaml").write_text(budgets, encoding="utf-8")
    return load(folder, ASSETS)


def decided(policy: Bundle, exposure: Exposure, **changes: Any) -> Any:
    request: Facts = facts(exposure=exposure, **changes)
    decision = decide(policy, request, "written")
    assert disagreement(policy, request, decision) == ""  # casbin knows no budgets, and must not call that a mistake
    return decision


def test_without_a_spent_budget_nothing_changes(policy: Bundle) -> None:
    quiet = decided(policy, Exposure(199, 199, ("population",)))
    assert isinstance(quiet, Permit) and quiet.mask.profile == "pii-standard"


def test_spent_softly_the_answer_is_shown_through_its_mask_as_well(policy: Bundle) -> None:
    masked = decided(policy, SOFT)
    assert isinstance(masked, Permit)
    assert (masked.mask.profile, {field.technique for field in masked.mask.fields}) == (
        "pii-standard+pii-strict", {"redact"},
    )  # fmt: skip


def test_spent_hard_the_answer_is_no(policy: Bundle) -> None:
    refused = decided(policy, HARD)
    assert isinstance(refused, Deny)
    (reason,) = refused.reasons
    assert (reason.code, reason.rule, reason.detail, reason.layer) == (
        "budget_spent", "budgets.yaml:2", "day", "budget",
    )  # fmt: skip


def test_whom_no_rule_entitles_hears_nothing_of_budgets(policy: Bundle) -> None:
    refused = decided(policy, HARD, subject=a_subject(roles=()))
    assert isinstance(refused, Deny) and [reason.code for reason in refused.reasons] == ["no_rule"]


def test_a_rule_that_denies_is_told_before_a_budget(tmp_path: Path) -> None:
    step = CLERK_READS + "- {id: two, effect: deny, who: clerk, when: subject.assurance < 2, then: {step_up: aal2}}\n"
    refused = decided(made(tmp_path, step), HARD, subject=a_subject(assurance=1))
    assert isinstance(refused, Challenge)


def test_a_budget_of_other_policies_counts_for_nothing(policy: Bundle) -> None:
    assert isinstance(decided(policy, Exposure(9, 9, (), ("elsewhere",), "hard")), Permit)


def test_an_answer_that_passes_unread_cannot_be_masked_and_is_refused(policy: Bundle) -> None:
    refused = decided(policy, SOFT, asset=an_asset(opaque=True))
    assert isinstance(refused, Deny)
    assert [(one.code, one.detail, one.layer) for one in refused.reasons] == [
        ("cannot_mask", "day: pii-strict", "budget")
    ]


def test_in_observe_a_spent_budget_passes_marked_and_under_the_strictest_mask(policy: Bundle) -> None:
    watched = decided(policy, HARD, asset=an_asset(mode="observe"))
    assert isinstance(watched, Permit) and watched.stage == "observe"
    assert watched.would is not None and watched.would.reasons[0].code == "budget_spent"
    assert "pii-strict" in watched.mask.profile


def test_in_observe_core_data_is_refused_all_the_same(policy: Bundle, tmp_path: Path) -> None:
    wide = made(tmp_path, CLERK_READS.replace('"<= important"', "any"))
    assert isinstance(decided(wide, HARD, asset=an_asset(mode="observe", grade=Grade.CORE)), Deny)


def test_the_record_keeps_what_the_decision_rested_on(policy: Bundle) -> None:
    request = facts(exposure=SOFT)
    entry = verdict_entry("w0", 1, request, decide(policy, request, "written"), Digests(bytes(32)))
    assert decode(encode(entry)).exposure == SOFT  # type: ignore[union-attr]  # a verdict


def test_conditions_may_speak_of_what_was_shown(tmp_path: Path) -> None:
    rule = (
        CLERK_READS
        + "- {id: many, effect: deny, who: clerk, when: exposure.records > 250 or exposure.spent == 'hard'}\n"
    )
    policy = made(tmp_path, rule)
    assert isinstance(decided(policy, SOFT), Permit)
    assert isinstance(decided(policy, Exposure(251)), Deny)
    assert decided(policy, HARD).reasons[0].code == "rule_denied"


def test_an_offer_of_a_stronger_sign_in_knows_what_was_shown(tmp_path: Path) -> None:
    rules = (
        CLERK_READS
        + "- {id: many, effect: deny, who: clerk, when: exposure.records > 250 and subject.assurance < 3, then: {step_up: aal3}}\n"
    )
    assert isinstance(decided(made(tmp_path, rules), Exposure(251)), Challenge)
    never = rules + "- {id: never, effect: deny, who: clerk, when: exposure.records > 250}\n"
    assert isinstance(decided(made(tmp_path, never), Exposure(251)), Deny)
