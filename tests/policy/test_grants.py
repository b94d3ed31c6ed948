"""Which sharing grants does a caller hold, and is an approval ever taken for granted?"""

from pathlib import Path

import pytest

from gateway.document import Faulty
from gateway.facts import NOTHING_GRANTED, Asset, Challenge, Deny, Facts, Granted, Permit
from gateway.policy import Bundle, explain, load
from gateway.policy.decide import decide
from tests.literals import a_subject, an_ask, an_asset
from tests.policy.world import ASSETS, PEOPLE, Named, a_bundle, facts, visit, write

GRANT = """\
grants:
  - id: share-1
    to: hz/civil
    data: health
    purpose: aid
    from: 2026-01-01
    until: 2026-12-31
    basis: {zh: 依据, en: basis}
"""
APPROVED = GRANT + "    approval: {by: prov/health, on: 2026-01-02, reference: '2026-7'}\n"
RULES = """\
- id: shared
  effect: allow
  who: clerk
  data: health
  action: read
  level: any
  when: approval.held
"""
NEW_YEAR = 1_767_196_800.0  # 2026-01-01T00:00+08:00
NEXT_YEAR = 1_798_732_800.0  # 2027-01-01T00:00+08:00


def bundle(folder: Path, grants: str = APPROVED, rules: str = RULES) -> Bundle:
    write(folder, rules)
    (folder / "grants.yaml").write_text(grants, encoding="utf-8")
    return load(folder, ASSETS)


def asked(policy: Bundle, purpose: str = "aid", at: float = NEW_YEAR, **caller: object) -> Facts:
    subject = a_subject(**({"org": "hz/civil", "purpose": ""} | caller))
    ask = an_ask(purpose=purpose, at=at)
    return facts(ask=ask, subject=subject, asset=visit(), grant=policy.granted(ask, subject, visit()))


def test_whoever_holds_an_approved_grant_is_let_through(tmp_path: Path) -> None:
    policy = bundle(tmp_path)
    request = asked(policy)
    assert request.grant == Granted(("share-1",), approved=True)
    assert isinstance(decide(policy, request, "written"), Permit)


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "Aid"},
        {"purpose": ""},
        {"purpose": "aid "},
        {"at": NEW_YEAR - 1},
        {"at": NEXT_YEAR},
        {"org": "hz"},  # above the office it was given to
        {"org": "prov/civil"},
        {"kind": "anonymous"},
        {"purpose": "aid", "vouched": "else"},
    ],
)
def test_a_grant_is_for_its_office_its_purpose_and_its_days_only(tmp_path: Path, change: dict[str, object]) -> None:
    policy = bundle(tmp_path)
    vouched = change.pop("vouched", "")
    caller = {key: change.pop(key) for key in ("org", "kind") if key in change}
    subject = a_subject(**({"org": "hz/civil", "purpose": vouched} | caller))
    ask = an_ask(**({"purpose": "aid", "at": NEW_YEAR} | change))
    assert policy.granted(ask, subject, visit()) == NOTHING_GRANTED


def test_a_grant_is_for_its_data_and_its_action_only(tmp_path: Path) -> None:
    policy = bundle(tmp_path)
    ask, subject = an_ask(purpose="aid", at=NEW_YEAR), a_subject(org="hz/civil", purpose="")
    assert policy.granted(ask, subject, visit(action="delete")) == NOTHING_GRANTED
    assert policy.granted(ask, subject, visit(id="household", category="population")) == NOTHING_GRANTED


def test_a_role_that_nobody_declared_holds_nothing(tmp_path: Path) -> None:
    policy = bundle(tmp_path)
    subject = a_subject(org="", purpose="", roles=("hz/civil", "user:x"))
    assert policy.granted(an_ask(purpose="aid", at=NEW_YEAR), subject, visit()) == NOTHING_GRANTED


@pytest.mark.parametrize(
    ("to", "office"),
    [
        ("clerk", "clerk"),
        ("'user:wang.fang'", "user:wang.fang"),
        ("service", "service"),
        ("hz/civil", "hz/civil/../hz"),
    ],
)
def test_an_office_that_a_token_claims_is_no_role_and_no_person(tmp_path: Path, to: str, office: str) -> None:
    """An issuer of one city signs its people in with the office `user:wang.fang`: she belongs to another realm."""
    policy = bundle(tmp_path, APPROVED.replace("to: hz/civil", f"to: {to}"))
    subject = a_subject(org=office, purpose="", roles=(), id="city/mallory")
    assert policy.granted(an_ask(purpose="aid", at=NEW_YEAR), subject, visit()) == NOTHING_GRANTED


OTHERS = (
    Named("other", "misc"),
    Named("visit", "health", "prov/health"),
    Named("read", "misc"),
    Named("plan", "create"),
)


@pytest.mark.parametrize(
    ("data", "action", "asset"),
    [
        ("other", "other", visit(action="other")),  # the action is no data
        ("read", "read", visit()),
        ("plan", "create", an_asset(id="plan", category="create", action="read")),  # the category is no action
    ],
)
def test_data_that_is_called_like_an_action_is_not_mistaken_for_it(
    tmp_path: Path, data: str, action: str, asset: Asset
) -> None:
    (write(tmp_path, RULES) / "grants.yaml").write_text(
        GRANT.replace("data: health", f"data: {data}\n    action: {action}"), encoding="utf-8"
    )
    policy = load(tmp_path, OTHERS)
    subject = a_subject(org="hz/civil", purpose="")
    assert policy.granted(an_ask(purpose="aid", at=NEW_YEAR), subject, asset) == NOTHING_GRANTED


def test_a_name_that_is_a_role_and_an_office_is_asked_about(tmp_path: Path) -> None:
    """Else what is granted to an office would go to a role of all offices as well."""
    write(tmp_path, RULES, people=PEOPLE + "  clerk: {parent: prov}\n")
    (tmp_path / "grants.yaml").write_text(APPROVED.replace("to: hz/civil", "to: [clerk, hz]"), encoding="utf-8")
    with pytest.raises(Faulty) as caught:
        load(tmp_path, ASSETS)
    assert [(fault.code, fault.line) for fault in caught.value.faults] == [("P018", 3)]


def test_without_an_approval_the_caller_is_told_what_is_missing(tmp_path: Path) -> None:
    policy = bundle(tmp_path, GRANT)
    request = asked(policy)
    assert request.grant == Granted(("share-1",))
    decision = decide(policy, request, "written")
    assert isinstance(decision, Deny)
    assert [reason.code for reason in decision.reasons] == ["approval_needed", "no_rule"]


def test_an_approval_is_not_asked_for_where_it_would_not_help(tmp_path: Path) -> None:
    policy = bundle(tmp_path, GRANT, RULES + "- {id: never, effect: deny, data: health}\n")
    decision = decide(policy, asked(policy), "written")
    assert not isinstance(decision, Permit | Challenge)
    assert "approval_needed" not in [reason.code for reason in decision.reasons]


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("to: hz/civil", "to: hz/cvil", "P010"),
        ("data: health", "data: helth", "P012"),
        ("    purpose: aid\n", "", "P003"),
        ("    until: 2026-12-31\n", "", "P003"),
        ("until: 2026-12-31", "until: for ever", "P081"),
        ("until: 2026-12-31", "until: 9999-12-31", "P081"),  # no day comes after it
        ("approval: {by: prov/health, on", "approval: {on", "P003"),
        ("by: prov/health", "by: somebody", "P011"),
        ("by: prov/health", "by: hz/civil", "P019"),  # who receives it
        ("by: prov/health", "by: prov/civil", "P019"),
        ("until: 2026-12-31", "until: 2025-12-30", "P081"),
        ("purpose: aid", "purpose: aid\n    porpuse: aid", "P001"),
        ("purpose: aid", "purpose: aid\n    action: reed", "P013"),
    ],
)
def test_a_slip_in_a_grant_is_told(tmp_path: Path, before: str, after: str, code: str) -> None:
    assert before in APPROVED
    with pytest.raises(Faulty) as refused:
        bundle(tmp_path, APPROVED.replace(before, after))
    assert [fault.code for fault in refused.value.faults] == [code]


@pytest.mark.parametrize(
    ("before", "after", "remedy"),
    [
        ("to: hz/civil", "to: hz/cvil", 'did you mean "hz/civil"? or declare it in people.yaml'),
        ("data: health", "data: helth", 'did you mean "health"? or declare it in catalog/'),
    ],
)
def test_an_unknown_name_may_be_a_new_one(tmp_path: Path, before: str, after: str, remedy: str) -> None:
    with pytest.raises(Faulty) as refused:
        bundle(tmp_path, APPROVED.replace(before, after))
    assert [fault.remedy_en for fault in refused.value.faults] == [remedy]


def test_an_id_stands_once(tmp_path: Path) -> None:
    with pytest.raises(Faulty, match="P005"):
        bundle(tmp_path, GRANT + GRANT.removeprefix("grants:\n"))


def test_policies_without_grants_need_no_file(tmp_path: Path) -> None:
    policy = a_bundle(tmp_path)
    assert policy.content.grants == ()


@pytest.mark.parametrize(
    ("at", "said", "chinese"),
    [
        (NEXT_YEAR, "share-1 ended 2026-12-31", "share-1 已于 2026-12-31 到期"),
        (NEW_YEAR - 1, "share-1 begins 2026-01-01", "share-1 自 2026-01-01 起生效"),
    ],
)
def test_a_grant_outside_its_days_is_told_to_an_operator(tmp_path: Path, at: float, said: str, chinese: str) -> None:
    policy = bundle(tmp_path)
    explanation = explain(policy, asked(policy, at=at))
    assert [one.text() for one in explanation.lapsed] == [said]
    text = explanation.text()
    assert f"sharing grants held: none\n   {said}\n" in text
    assert "state its purpose" not in text and "a grant whose days cover today" in text
    assert chinese in explanation.text("zh-CN")


def test_a_grant_of_somebody_else_or_for_another_purpose_is_not_told_as_ended(tmp_path: Path) -> None:
    policy = bundle(tmp_path)
    others = asked(policy, at=NEXT_YEAR, org="prov/civil"), asked(policy, purpose="Aid", at=NEXT_YEAR)
    nobody = asked(policy, at=NEXT_YEAR, kind="anonymous", id="", org="")
    for request in (*others, nobody, asked(policy, purpose="", at=NEXT_YEAR), asked(policy)):
        assert explain(policy, request).lapsed == ()
    assert "state its purpose" in explain(policy, others[0]).text()
