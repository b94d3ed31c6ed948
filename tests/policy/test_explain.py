"""Does an operator learn why, and what was nearly enough?"""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.facts import ANONYMOUS, Grade, Granted, Reason, Risk
from gateway.policy import Explanation, explain, load
from gateway.policy.explain import DATA
from tests.literals import a_posture, a_subject, an_ask, an_asset, some_facts
from tests.policy.world import CLERK_READS, Named, a_bundle, visit, write

RULES = (
    CLERK_READS
    + """\
- id: share
  title: {zh: 共享, en: sharing}
  effect: allow
  who: clerk
  org: prov/civil
  data: health
  action: read
  level: any
  when: device.fresh and env.purpose in ["medical-assistance"] and subject.assurance >= 1
- id: bad-device
  effect: deny
  when: device.trust == "compromised"
  reason: device_untrusted
"""
)


def explained(folder: Path, rules: str = RULES, **changes: Any) -> Explanation:
    return explain(a_bundle(folder, rules), some_facts(**changes))


def test_an_allow_names_its_rule_and_the_mask(tmp_path: Path) -> None:
    explanation = explained(tmp_path)
    assert explanation.outcome == "permit"
    assert [rule.id for rule in explanation.applied] == ["clerk-reads"]
    assert explanation.nearest == ()
    assert "mask  pii-standard\n   $.id_number  partial(1,1)" in explanation.text()


def test_what_is_suppressed_is_told_below_the_mask(tmp_path: Path) -> None:
    masks = 'default: crowd\nprofiles: {none: {"*": keep}, crowd: {"*": keep, suppress: {k: 5, by: [$..sex]}}}\n'
    explanation = explain(a_bundle(tmp_path, CLERK_READS, masks=masks), some_facts())
    assert "   suppress  k 5 by [$..sex]" in explanation.text().splitlines()
    assert "   抑制  k 5，依据 [$..sex]" in explanation.text("zh-CN").splitlines()


def test_the_mark_and_the_mask_of_the_request_are_told(tmp_path: Path) -> None:
    masks = 'default: none\nprofiles: {none: {"*": keep}, to-service: {$.id_number: drop, "*": keep}}\n'
    rules = CLERK_READS + "  then: {watermark: true, request: to-service}\n"
    explanation = explain(a_bundle(tmp_path, rules, masks=masks), some_facts())
    lines = explanation.text().splitlines()
    assert "watermark  the answer names its recipient" in lines
    assert lines[lines.index("request  to-service") + 1] == "   $.id_number  drop"
    chinese = explanation.text("zh-CN").splitlines()
    assert "水印  应答注明接收者" in chinese and "请求脱敏  to-service" in chinese
    assert "watermark" not in explain(a_bundle(tmp_path / "b"), some_facts()).text()


def test_the_nearest_miss_is_shown_clause_by_clause_with_a_caret_under_what_is_false(tmp_path: Path) -> None:
    explanation = explained(tmp_path, asset=visit())
    (near,) = explanation.nearest
    assert (near.id, [clause.name for clause in near.clauses if not clause.holds]) == ("share", ["when"])
    lines = explanation.text().splitlines()
    condition = next(n for n, line in enumerate(lines) if "when: " in line)
    start, end = lines[condition + 1].index("^"), lines[condition + 1].rindex("^") + 1
    assert lines[condition][start:end] == 'env.purpose in ["medical-assistance"]'
    assert lines[condition + 1].endswith("env.purpose is empty")
    assert "denies checked: 1, none applies" in lines


def test_the_same_in_chinese(tmp_path: Path) -> None:
    text = explained(tmp_path, asset=visit()).text("zh-CN")
    assert "最接近  share" in text and "共享" in text and "env.purpose 为 空" in text and "均不适用" in text


def test_a_miss_by_office_and_role_says_what_is_asked_and_what_is(tmp_path: Path) -> None:
    text = explained(tmp_path, asset=visit(), subject=a_subject(org="hz", roles=("auditor",))).text()
    assert "org: asks for prov/civil, is hz" in text
    assert "who: asks for clerk, is auditor" in text
    chinese = explained(tmp_path / "zh", asset=visit(), subject=a_subject(org="hz", roles=("auditor",))).text("zh-CN")
    assert "角色：规则要求 clerk，实际为 auditor" in chinese


def test_a_denial_beside_an_allow_shows_both(tmp_path: Path) -> None:
    explanation = explained(tmp_path, posture=a_posture(trust="compromised"))
    assert (explanation.outcome, explanation.denies_applied) == ("deny", 1)
    assert [rule.id for rule in explanation.applied] == ["clerk-reads", "bad-device"]
    assert "1 applies" in explanation.text() and "适用 1 条" in explanation.text("zh-CN")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"subject": a_subject(rejection=Reason("token_expired"))}, "token_expired"),
        ({"asset": an_asset(listed=False)}, "unlisted"),
        ({"posture": a_posture(revoked=True)}, "device_revoked"),
    ],
)
def test_what_stops_before_the_rules_is_explained_without_them(
    tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    explanation = explained(tmp_path, **changes)
    assert (explanation.reasons[0][0], explanation.applied, explanation.nearest) == (code, (), ())
    assert code in explanation.text()


def test_a_value_that_is_unknown_is_called_unknown(tmp_path: Path) -> None:
    explanation = explained(tmp_path, CLERK_READS + "  when: risk.score < 40\n", risk=Risk(None))
    assert "risk.score is unknown" in explanation.text()
    assert "risk.score 为 未知" in explanation.text("zh-CN")


def test_what_passes_in_observe_is_called_observed(tmp_path: Path) -> None:
    explanation = explained(tmp_path, subject=a_subject(roles=()), asset=an_asset(mode="observe"))
    assert (explanation.outcome, explanation.would) == ("permit", "deny")
    assert explanation.text().startswith(
        "LET THROUGH  because the API is in observe mode; enforced, it would have been denied: no rule allows this request"
    )
    assert explanation.text("zh-CN").startswith(
        "已放行  仅因接口处于观察模式；若为强制模式，将被拒绝：没有规则允许该请求"
    )
    assert explanation.text().splitlines()[-1].startswith("to get access: ")


def test_it_is_json_for_programs_and_agrees_with_the_decision(tmp_path: Path) -> None:
    explanation = explained(tmp_path, subject=ANONYMOUS, ask=an_ask(purpose="x"), asset=an_asset(grade=Grade.CORE))
    plain = msgspec.json.decode(msgspec.json.encode(explanation))
    assert plain["outcome"] == "deny"
    assert [code for code, _, _ in plain["reasons"]] == ["credential_missing", "no_rule"]


def test_what_applies_is_what_the_enforcer_says(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path, RULES)
    for changes in (
        {},
        {"asset": visit()},
        {"posture": a_posture(trust="compromised")},
        {"subject": a_subject(org="hz")},
    ):
        facts = some_facts(**changes)
        assert {rule.id for rule in explain(bundle, facts).applied} == bundle.reference(facts).rules


def test_each_rule_names_its_layer_and_the_decision_those_that_decided(tmp_path: Path) -> None:
    cities = "- {id: hz-no, effect: deny, who: clerk}\n"
    explanation = explain(a_bundle(tmp_path, CLERK_READS, cities=cities), some_facts(subject=a_subject(org="hz")))
    assert explanation.layers == ("city:hz",)
    assert "applies  hz-no  cities/hz.yaml:3  city:hz" in explanation.text()
    assert explain(a_bundle(tmp_path / "b"), some_facts()).layers == ("province",)


def test_sharing_grants_are_told_where_rules_ask_for_them(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path, CLERK_READS + "  when: approval.held\n")
    assert "sharing grants held: none" in explain(bundle, some_facts()).text()
    held = explain(bundle, some_facts(grant=Granted(("g1",), False)))
    assert "sharing grants held: g1 (not approved)" in held.text()
    assert "共享授权：g1（未批准）" in held.text("zh-CN")
    assert "grants" not in explain(a_bundle(tmp_path / "b"), some_facts()).text()


OWING = CLERK_READS + "  then: {mask: pii-standard, log: synced, notify: [dpo]}\n"


def test_what_an_allowed_caller_owes_is_told(tmp_path: Path) -> None:
    explanation = explain(a_bundle(tmp_path, OWING), some_facts())
    assert (explanation.log, explanation.notify) == ("synced", ("dpo",))
    assert "log  synced: on disk before anything is forwarded\nnotify  dpo" in explanation.text()
    assert "日志  转发前落盘（synced）\n通知  dpo" in explanation.text("zh-CN")
    plain = explain(a_bundle(tmp_path / "b"), some_facts())
    assert (plain.log, "log  " in plain.text(), "notify  " in plain.text()) == ("written", False, False)


def test_an_asset_without_a_category_stands_without_brackets(tmp_path: Path) -> None:
    bundle = load(write(tmp_path, CLERK_READS.replace("population", "dossier")), (Named("dossier", ""),))
    asset = an_asset(id="dossier", category="")
    (near,) = explain(bundle, some_facts(asset=asset, subject=a_subject(roles=()))).nearest
    assert near.clauses[DATA].has == "dossier"


def test_a_mask_that_cannot_be_laid_is_told_with_who_asks_for_it(tmp_path: Path) -> None:
    folder = write(tmp_path, CLERK_READS)
    (folder / "emergency").mkdir()
    (folder / "emergency" / "III.yaml").write_text("level: III\nmask: pii-strict\n", encoding="utf-8")
    raised = load(folder, [Named("household", "population")]).raised("III")
    explanation = explain(raised, some_facts(asset=an_asset(opaque=True)))
    assert (explanation.outcome, explanation.layers) == ("deny", ("emergency:III",))
    assert "mask  emergency/III.yaml  asks for pii-strict, but the answer passes unread" in explanation.text()
    assert "脱敏  emergency/III.yaml  要求 pii-strict" in explanation.text("zh-CN")
