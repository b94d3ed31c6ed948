"""What does the native policy add to a decision?"""

from pathlib import Path

import pytest

from gateway.facts import ANONYMOUS, Deny, Permit, Posture, Reason, Risk
from gateway.policy import Bundle, Damaged, Policy, disagreement, explain
from gateway.policy.decide import BY_GRADE, decide
from tests.literals import a_subject as a_person
from tests.literals import an_ask, an_asset, some_facts
from tests.policy.native.pairs import ALLOW, BOTH, PRIORITY, model
from tests.policy.native.world import ACL, ROWS, a_bundle

RISKY = model("sub, score, obj", "sub, obj", ALLOW, "r.sub == p.sub && r.score < 50 && keyMatch(r.obj, p.obj)")
RISKY_REQUEST = "request: {score: risk.score}"
DENIES = (
    "- {id: no-laptops, effect: deny, data: population, when: device.trust != 'managed', reason: device_untrusted}\n"
)


def told(decision: object) -> list[tuple[str, str, str]]:
    assert isinstance(decision, Deny | Permit)
    return [(reason.code, reason.rule, reason.detail) for reason in decision.reasons]


def test_a_row_allows_under_the_default_mask_and_is_named(tmp_path: Path) -> None:
    decision = decide(a_bundle(tmp_path), some_facts(), BY_GRADE["core"])
    assert isinstance(decision, Permit)
    assert told(decision) == [("rule_allowed", "casbin/policy.csv:1", "casbin:1")]
    assert (decision.mask.profile, decision.strength) == ("pii-standard", "synced")


def test_nobody_is_named_when_no_row_speaks(tmp_path: Path) -> None:
    assert told(decide(a_bundle(tmp_path), some_facts(ask=an_ask(method="POST")), "written")) == [("no_rule", "", "")]


def test_a_deny_of_the_rules_outweighs_it(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path, rules=DENIES)
    decision = decide(bundle, some_facts(posture=Posture(trust="unknown")), "written")
    assert isinstance(decision, Deny)
    assert told(decision) == [("device_untrusted", "rules/10-test.yaml:2", "no-laptops")]
    assert isinstance(decide(bundle, some_facts(), "written"), Permit)
    assert bundle.content.layers["casbin:1"] == "casbin"


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (some_facts(subject=ANONYMOUS), "credential_missing"),
        (some_facts(subject=a_person(rejection=Reason("token_expired"))), "token_expired"),
        (some_facts(asset=an_asset(listed=False)), "unlisted"),
        (some_facts(asset=an_asset(id="strange")), "unlisted"),
        (some_facts(posture=Posture(device="laptop-7", revoked=True)), "device_revoked"),
    ],
)
def test_what_is_refused_before(tmp_path: Path, facts: object, code: str) -> None:
    everybody = model("sub, obj", "obj", ALLOW, "keyMatch(r.obj, p.obj)")
    bundle = a_bundle(tmp_path, everybody, "p, *\n")
    assert isinstance(decide(bundle, some_facts(), "written"), Permit)
    decision = decide(bundle, facts, "written")  # type: ignore[arg-type]
    assert isinstance(decision, Deny)
    assert decision.reasons[0].code == code


def test_what_raises_is_denied_also_in_observe(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path, RISKY, "p, zhang.wei, /*\n", RISKY_REQUEST)
    assert isinstance(decide(bundle, some_facts(risk=Risk(score=10.0)), "written"), Permit)
    cold = some_facts(risk=Risk(score=None), asset=an_asset(mode="observe"))
    decision = decide(bundle, cold, "written")
    assert isinstance(decision, Deny)
    assert decision.reasons[0].code == "policy_error"
    assert disagreement(bundle, cold, decision) == ""


def test_the_row_that_cannot_be_evaluated_is_named(tmp_path: Path) -> None:
    text = model("sub, obj, act", "sub, obj, act", ALLOW, "r.sub == p.sub && keyMatch2(r.obj, p.obj)")
    bundle = a_bundle(tmp_path, text, "p, other, /x, GET\np, zhang.wei, /*/y/*, GET\n")
    decision = decide(bundle, some_facts(ask=an_ask(path="/x" * 600)), "written")
    assert told(decision)[0] == ("policy_error", "casbin/policy.csv:2", "casbin:2: could not be evaluated")


def test_in_observe_a_denial_passes_marked(tmp_path: Path) -> None:
    decision = decide(
        a_bundle(tmp_path), some_facts(ask=an_ask(method="POST"), asset=an_asset(mode="observe")), "written"
    )
    assert isinstance(decision, Permit)
    assert isinstance(decision.would, Deny)


PRIORITIES = model(
    "sub, obj, act", "sub, obj, act, eft", PRIORITY, "r.sub == p.sub && keyMatch(r.obj, p.obj) && r.act == p.act"
)
ROWS_OF_TWO = "p, zhang.wei, /civil/*, GET, allow\np, zhang.wei, /civil/households/*, GET, deny\n"


def test_a_row_that_the_effect_outweighs_has_no_say(tmp_path: Path) -> None:
    first = decide(a_bundle(tmp_path, PRIORITIES, ROWS_OF_TWO), some_facts(), "written")
    assert told(first) == [("rule_allowed", "casbin/policy.csv:1", "casbin:1")]
    both = decide(a_bundle(tmp_path / "b", PRIORITIES.replace(PRIORITY, BOTH), ROWS_OF_TWO), some_facts(), "written")
    assert told(both) == [("rule_denied", "casbin/policy.csv:2", "casbin:2")]


def test_all_rows_that_allow_are_named_where_casbin_asks_them_all(tmp_path: Path) -> None:
    rows = ROWS_OF_TWO.replace("deny", "allow")
    decision = decide(a_bundle(tmp_path, PRIORITIES.replace(PRIORITY, BOTH), rows), some_facts(), "written")
    assert [rule for _, rule, _ in told(decision)] == ["casbin/policy.csv:1", "casbin/policy.csv:2"]


@pytest.mark.parametrize("effect", [PRIORITY, BOTH, "!some(where (p.eft == deny))"])
@pytest.mark.parametrize("path", ["/civil/households/42", "/civil/x", "/other"])
@pytest.mark.parametrize("trust", ["managed", "unknown"])
def test_decisions_agree_with_the_reference(tmp_path: Path, effect: str, path: str, trust: str) -> None:
    bundle = a_bundle(tmp_path, PRIORITIES.replace(PRIORITY, effect), ROWS_OF_TWO, "allow_by_default: true", DENIES)
    facts = some_facts(ask=an_ask(path=path), posture=Posture(trust=trust))  # type: ignore[arg-type]
    policy = Policy(bundle)
    decision = policy.decide(facts)
    assert disagreement(bundle, facts, decision) == ""
    other = Deny((Reason("no_rule"),), bundle.digest) if isinstance(decision, Permit) else Permit(
        (Reason("rule_allowed"),), bundle.digest, bundle.mask(frozenset(), facts.asset, facts.subject.clearance)
    )  # fmt: skip
    assert disagreement(bundle, facts, other) != ""


def test_the_snapshot_decides_alike_and_the_digest_covers_all(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path)
    again = Bundle.from_bytes(bundle.dump())
    assert again.digest == bundle.digest
    assert told(decide(again, some_facts(), "written")) == told(decide(bundle, some_facts(), "written"))
    others = [
        a_bundle(tmp_path / "b", policy=ROWS.replace("GET", "POST")),
        a_bundle(tmp_path / "c", ACL.replace("r.sub == p.sub", "r.sub != p.sub")),
        a_bundle(tmp_path / "d", request="request: {act: action}"),
        a_bundle(tmp_path / "e", policy="\n" + ROWS),  # the line is part of what is told
    ]
    assert len({bundle.digest, *(one.digest for one in others)}) == 5
    with pytest.raises(Damaged):
        Bundle.from_bytes(bundle.dump().replace(b"/civil/households/42", b"/civil/households/43"))


def test_an_explanation_shows_every_row_that_matches(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path, PRIORITIES, ROWS_OF_TWO)
    explanation = explain(bundle, some_facts())
    assert explanation.outcome == "permit"
    assert [(rule.id, rule.effect, rule.place) for rule in explanation.applied] == [
        ("casbin:1", "allow", "casbin/policy.csv:1"),
        ("casbin:2", "deny", "casbin/policy.csv:2"),
    ]
    assert "p, zhang.wei, /civil/*, GET, allow" in explanation.text("en")
    assert "casbin/policy.csv:1" in explanation.text("zh-CN")
    refused = explain(bundle, some_facts(ask=an_ask(method="POST")))
    assert (refused.outcome, refused.applied) == ("deny", ())


OTHERS = """\
p, clerk, /civil/households/42, PUT
p, mallory, /market/1, GET
g, zhang.wei, clerk
"""


def test_what_no_row_allows_is_shown_as_it_was_asked_with_the_rows_beside_it(tmp_path: Path) -> None:
    matcher = "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act"
    roles = model("sub, obj, act", "sub, obj, act", ALLOW, matcher, "g = _, _")
    bundle = a_bundle(tmp_path, roles, OTHERS)
    explanation = explain(bundle, some_facts())
    assert explanation.request == (("sub", "zhang.wei"), ("obj", "/civil/households/42"), ("act", "GET"))
    assert explanation.rows == (
        ("casbin/policy.csv:1", "p, clerk, /civil/households/42, PUT"), ("casbin/policy.csv:3", "g, zhang.wei, clerk"),
    )  # fmt: skip
    text = explanation.text()
    assert (
        "casbin was asked  sub = zhang.wei, obj = /civil/households/42, act = GET\n   casbin/policy.csv:1  p, " in text
    )
    assert "casbin 请求  sub = zhang.wei" in explanation.text("zh-CN")
    allowed = explain(bundle, some_facts(ask=an_ask(method="PUT")))
    assert (allowed.outcome, allowed.request, allowed.rows) == ("permit", (), ())
    assert explain(bundle, some_facts(subject=ANONYMOUS)).request == ()
