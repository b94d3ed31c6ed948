"""Does each who asks "why?" hear what they may, and the caller nothing more than the answer said?

Who attacks, and what must hold:
 prying caller      wants the rule, the threshold, the role that would do     hears a function of the code alone
 caller in observe  wants to learn what enforcing would refuse                hears what everybody hears who is allowed
 insider            a rule id, title or detail made to carry a secret         never reaches the caller's text
 auditor misled     another bundle held beside the record                     layer and basis stay empty, never guessed
"""

from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audit import Digests
from gateway.audit.entry import verdict_entry
from gateway.edge import Settings, refusal
from gateway.entries import VerdictEntry
from gateway.facts import Challenge, Deny, Permit, Reason, Refused
from gateway.policy import Bundle, Policy, load
from gateway.reasons import REASONS
from gateway.review.audience import ALLOWED, Language, audited, told, told_of, told_on_record
from tests.literals import a_posture, a_subject, an_ask, an_asset, some_facts
from tests.policy import generated
from tests.policy.world import ASSETS, CLERK_READS, MASKS, a_bundle, write

LANGUAGES: tuple[Language, ...] = ("en", "zh-CN")
KEY = Digests(bytes(32))
RULES = (
    CLERK_READS.replace("  effect", "  basis: {en: Statute 4, zh: 条例第四条}\n  effect", 1)
    + "- {id: dev, effect: deny, when: not device.fresh, reason: device_untrusted, owner: prov/civil}\n"
)


def recorded(bundle: Bundle, **changes: Any) -> VerdictEntry:
    facts = some_facts(**changes)
    return verdict_entry("j", 7, facts, Policy(bundle).decide(facts), KEY)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", REASONS)
def test_the_caller_hears_what_the_answer_said(code: str, language: Language) -> None:
    ask = an_ask(language=language)
    for denial in (
        Deny((Reason(code, "rules/1.yaml:1", "secret"),), "b" * 64),
        Challenge((Reason(code, "rules/1.yaml:1", "secret"),), "b" * 64, "aal3", 300),
    ):
        reply = refusal(ask, Refused("j.1", denial), Settings(apis=(), hosts=()))
        assert isinstance(reply.body, bytes)
        said, heard = msgspec.json.decode(reply.body), told_of(denial, language)
        if code == ALLOWED:  # no decision gives it as a reason to refuse; were it to, nothing is called allowed
            continue
        assert (heard.reason, heard.status) == (said["reason"], said["status"])
        assert (heard.sentence, heard.remedy) == (said["title"], said["detail"])


EVERYTHING_THERE_IS_TO_HEAR = {
    told(code, acr, age, language).text(language)
    for code, acr, age, language in product(REASONS, ("", "aal1", "aal2", "aal3"), (None, 0, 300), LANGUAGES)
}


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32))
def test_what_a_caller_hears_is_a_function_of_code_step_up_and_language_alone(seed: int) -> None:
    random = Random(seed)
    bundle = generated.bundle(generated.rules(random, random.randint(0, 12)))
    facts = generated.a_request(random)
    decision = Policy(bundle).decide(facts)
    for language in LANGUAGES:
        text = told_of(decision, language).text(language)
        assert text in EVERYTHING_THERE_IS_TO_HEAR
        record = told_on_record(verdict_entry("j", 1, facts, decision, KEY), language)
        assert record.text(language) in EVERYTHING_THERE_IS_TO_HEAR
        if isinstance(decision, Challenge):
            assert (record.reason, record.acr_values) == (told_of(decision).reason, "")
        else:
            assert record == told_of(decision, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_withheld_after_the_decision_was_a_refusal(language: Language, tmp_path: Path) -> None:
    entry = recorded(a_bundle(tmp_path))
    assert entry.outcome == "permit"
    assert told_on_record(entry, language, "too_many_records", 403) == told("too_many_records", language=language)
    cut = told_on_record(entry, language, "too_many_records", 200)
    assert (cut.outcome, cut.reason, cut.status) == ("deny", "too_many_records", 200)
    assert told_on_record(entry, language, "client_gone", 200) == told(ALLOWED, language=language)


def test_a_step_up_is_told_with_its_words() -> None:
    challenge = Challenge(
        (Reason("step_up_required", "rules/1.yaml:3", "base"), Reason("rule_denied")), "b", "aal3", 300
    )
    assert told_of(challenge).text().splitlines() == [
        "this request needs a stronger sign-in  (step_up_required, 401)",
        "what to do: sign in again with the strength named in WWW-Authenticate",
        "sign-in asked for: aal3, at most 300 seconds ago",
        "to appeal or ask: turn to the owner of the data, with the decision id",
    ]
    assert "要求的认证强度：aal3，不早于 300 秒前" in told_of(challenge, "zh-CN").text("zh-CN")


def test_what_observe_lets_pass_was_simply_allowed(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path, RULES)
    facts = some_facts(posture=a_posture(fresh=False), asset=an_asset(mode="observe"))
    decision = Policy(bundle).decide(facts)
    assert isinstance(decision, Permit)
    assert decision.would is not None
    assert told_of(decision).text() == "the request was allowed  (rule_allowed, 200)"
    assert told_on_record(recorded(bundle, posture=facts.posture, asset=facts.asset)) == told_of(decision)


def test_the_auditor_hears_layer_basis_owner_and_duties(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path, RULES)
    permit = audited(recorded(bundle), bundle)
    assert (permit.layers, permit.data_owner, permit.catalog) == (("province",), "prov/civil", "cat-1")
    (rule,) = permit.rules
    assert (rule.id, rule.place, rule.basis_en, rule.basis_zh) == (
        "clerk-reads", "rules/10-test.yaml:2", "Statute 4", "条例第四条",
    )  # fmt: skip
    assert permit.obligations[0] == "mask pii-standard"
    refused = audited(recorded(bundle, posture=a_posture(fresh=False)), bundle)
    assert [(rule.id, rule.owner, rule.basis_en) for rule in refused.rules] == [("dev", "prov/civil", "")]
    assert (
        "rule dev",
        "device_untrusted  province  rules/10-test.yaml:9  prov/civil  no legal basis is stated",
    ) in refused.rows()
    assert dict(refused.rows("zh-CN"))["规则 dev"].endswith("未注明依据")


def test_a_city_that_narrows_is_named_as_the_layer(tmp_path: Path) -> None:
    cities = "- {id: hz-no, effect: deny, who: clerk}\n"
    bundle = a_bundle(tmp_path, RULES, cities=cities)
    facts = some_facts()
    at_home = msgspec.structs.replace(facts.subject, org="hz/civil")
    assert audited(recorded(bundle, subject=at_home), bundle).layers == ("city:hz",)


def test_with_another_bundle_nothing_is_guessed(tmp_path: Path) -> None:
    entry = recorded(a_bundle(tmp_path, RULES))
    other = a_bundle(tmp_path / "b", RULES.replace("Statute 4", "Statute 5"))
    for bundle in (other, None):
        (rule,) = audited(entry, bundle).rules
        assert (rule.id, rule.layer, rule.basis_en) == ("clerk-reads", "province", "")  # it stands in the record


def test_what_is_refused_before_the_rules_was_decided_by_no_layer(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path, RULES)
    found = audited(recorded(bundle, asset=an_asset(listed=False)), bundle)
    assert (found.layers, found.rules, found.reasons) == ((), (), ("unlisted",))


def test_the_auditor_hears_that_the_log_was_synced_and_who_was_told(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path, CLERK_READS + "  then: {log: synced, notify: [dpo]}\n")
    entry = recorded(bundle)
    assert audited(entry, bundle).obligations[-2:] == ("log synced", "notify dpo")
    assert "log synced" not in audited(entry, None).obligations
    plain = a_bundle(tmp_path / "b")
    assert "log synced" not in audited(recorded(plain), plain).obligations


def test_duties_stand_a_line_each_in_the_language_of_the_reader(tmp_path: Path) -> None:
    masks = MASKS.replace('"*": keep}', '"*": keep, suppress: {k: 5, by: [$..sex]}}', 2)
    bundle = a_bundle(tmp_path, CLERK_READS + "  then: {watermark: true, request: pii-strict}\n", masks=masks)
    rows = audited(recorded(bundle), bundle).rows("zh-CN")
    assert rows[0] == ("结果", "允许")
    owed = [value for name, value in rows if name == "附带义务"]
    assert owed[0].startswith("脱敏方案 ") and "抑制 k 5，依据 [$..sex]" in owed
    assert owed[owed.index("水印") + 1 :] == [
        "请求脱敏 pii-strict", "请求脱敏 $.id_number redact", "请求脱敏 $.name redact",
    ]  # fmt: skip
    english = audited(recorded(bundle), bundle).obligations
    assert english[-4:-1] == ("watermark", "request pii-strict", "request $.id_number redact")


ENDED = "grants: [{id: share-1, to: clerk, data: population, purpose: aid, until: 2020-12-31}]\n"


def test_the_auditor_hears_that_a_grant_had_ended_the_caller_does_not(tmp_path: Path) -> None:
    write(tmp_path, CLERK_READS + "  when: approval.held\n")
    (tmp_path / "grants.yaml").write_text(ENDED, encoding="utf-8")
    policy = load(tmp_path, ASSETS)
    request = some_facts(ask=an_ask(purpose="aid"), subject=a_subject(purpose=""))
    decision = Policy(policy).decide(request)
    entry = verdict_entry("j", 7, request, decision, KEY)
    assert dict(audited(entry, policy).rows())["grants outside their days"] == "share-1 ended 2020-12-31"
    assert dict(audited(entry, policy).rows("zh-CN"))["不在有效期内的共享授权"] == "share-1 已于 2020-12-31 到期"
    assert audited(entry, None).lapsed == ()
    assert "share-1" not in told_of(decision).text() + told_on_record(entry).text()


def test_data_without_a_category_stands_without_an_empty_place(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path)
    entry = msgspec.structs.replace(recorded(bundle), category="")
    assert dict(audited(entry, bundle).rows())["data"] == "household (important) read"
