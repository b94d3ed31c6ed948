"""Abuse: a caller that hopes to learn rules from a refusal, or to write on our pages."""

import json

import pytest

from gateway.edge import Settings, plain, reason_page, refusal, resource_metadata, turn_away
from gateway.facts import Ask, Challenge, Deny, Fault, Reason, Refused, Reply, Unreadable
from gateway.reasons import REASONS
from tests.literals import NOW, an_ask

SETTINGS = Settings(public_url="https://api.example.gov")
ID = "20260921T133320-w0-abc123.7"
METADATA = b'resource_metadata="https://api.example.gov/.well-known/oauth-protected-resource"'


def refused(code: str, ask: Ask | None = None, detail: str = "") -> Reply:
    denial = Deny((Reason(code, "rules/10.yaml:3", detail), Reason("no_rule")), "b")
    return refusal(ask or an_ask(), Refused(ID, denial), SETTINGS)


def field(reply: Reply, name: bytes) -> bytes | None:
    values = [value for key, value in reply.headers if key == name]
    assert len(values) <= 1, name
    return values[0] if values else None


def text(reply: Reply) -> str:
    assert isinstance(reply.body, bytes)
    return reply.body.decode()


def test_a_program_gets_a_problem_body() -> None:
    reply = refused("no_rule")
    assert json.loads(text(reply)) == {
        "type": "https://api.example.gov/.gateway/reasons/no_rule",
        "title": "no rule allows this request",
        "status": 403,
        "detail": "ask the owner of the data for access",
        "reason": "no_rule",
        "decision_id": ID,
        "request_id": "req-1",
    }
    assert (reply.status, reply.code, reply.length) == (403, "no_rule", len(text(reply)))
    assert field(reply, b"content-type") == b"application/problem+json"
    assert field(reply, b"cache-control") == b"no-store"
    assert field(reply, b"x-gateway-decision") == ID.encode()
    assert field(reply, b"www-authenticate") is None


def test_a_chinese_caller_reads_chinese() -> None:
    reply = refused("no_rule", an_ask(language="zh-CN"))
    assert json.loads(text(reply))["title"] == "没有规则允许该请求"
    assert field(reply, b"content-language") == b"zh-CN"
    page = text(refused("no_rule", an_ask(language="zh-CN", browser=True)))
    assert "<dt>判定编号</dt>" in page
    assert "<dt>请求编号</dt>" in page


def test_rules_and_details_stay_with_the_operators() -> None:
    for browser in (True, False):
        reply = refused("rule_denied", an_ask(browser=browser), detail="score 71 above 70")
        assert "rules/10" not in text(reply)
        assert "score" not in text(reply)


@pytest.mark.parametrize("code", [c for c, meaning in REASONS.items() if meaning.status >= 400])
@pytest.mark.parametrize("browser", [True, False])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_reason_can_be_told_to_everybody(code: str, browser: bool, language: str) -> None:
    reply = refused(code, an_ask(browser=browser, language=language))
    assert reply.status == REASONS[code].status
    assert field(reply, b"content-length") == str(len(text(reply).encode())).encode()
    assert ID in text(reply)
    if browser:
        assert text(reply).startswith(f'<!doctype html><html lang="{language}">')
    else:
        assert json.loads(text(reply))["reason"] == code
    assert (field(reply, b"retry-after") == b"1") is (reply.status == 503)


@pytest.mark.parametrize(
    ("code", "challenge"),
    [
        ("credential_missing", b"Bearer " + METADATA),
        ("token_expired", b'Bearer error="invalid_token", ' + METADATA),
        ("token_revoked", b'Bearer error="invalid_token", ' + METADATA),
    ],
)
def test_401_says_how_to_come_back(code: str, challenge: bytes) -> None:
    assert field(refused(code), b"www-authenticate") == challenge


@pytest.mark.parametrize(("max_age", "part"), [(300, b', max_age="300", '), (0, b', max_age="0", '), (None, b", ")])
def test_step_up_names_the_strength(max_age: int | None, part: bytes) -> None:
    challenge = Challenge((Reason("step_up_required"),), "b", "aal3", max_age)
    reply = refusal(an_ask(), Refused(ID, challenge), SETTINGS)
    assert reply.status == 401
    assert field(reply, b"www-authenticate") == (
        b'Bearer error="insufficient_user_authentication", acr_values="aal3"' + part + METADATA
    )


def test_a_challenge_for_another_reason_is_still_401() -> None:
    challenge = Challenge((Reason("risk_too_high"),), "b", "aal3")
    reply = refusal(an_ask(), Refused(ID, challenge), SETTINGS)
    assert reply.status == 401
    assert json.loads(text(reply))["reason"] == reply.code == "step_up_required"


def test_a_fault_names_the_decision_it_happened_under() -> None:
    after = refusal(an_ask(), Fault("upstream_timeout", "10.0.0.5:80"), SETTINGS, ID)
    before = refusal(an_ask(), Fault("audit_unavailable"), SETTINGS)
    assert (after.status, before.status) == (504, 503)
    assert field(after, b"x-gateway-decision") == ID.encode()
    assert field(before, b"x-gateway-decision") is None
    assert "decision_id" not in text(before)
    assert "10.0.0.5" not in text(after)
    assert (after.detail, before.detail) == ("10.0.0.5:80", "")


@pytest.mark.parametrize(("code", "status"), [("no_such_code", 500), ("rule_allowed", 403)])
def test_a_code_that_cannot_refuse_still_refuses(code: str, status: int) -> None:
    assert refused(code).status == status


def test_a_denial_without_reasons_still_refuses() -> None:
    assert refusal(an_ask(), Refused(ID, Deny((), "b")), SETTINGS).status == 503


def test_what_cannot_be_read_is_turned_away() -> None:
    reply = turn_away(Unreadable("req-9", NOW, "bad_host", "192.0.2.7", "secret detail"), SETTINGS)
    assert (reply.status, json.loads(text(reply))["request_id"]) == (400, "req-9")
    assert "secret" not in text(reply)
    wrong = json.loads(text(turn_away(Unreadable("r", NOW, "bad_request", ""), SETTINGS, errors=("no JSON",))))
    assert (wrong["errors"], wrong["request_id"]) == (["no JSON"], "r")
    away = Unreadable("r", NOW, "method_not_allowed", "")
    assert dict(turn_away(away, SETTINGS, "GET, HEAD").headers)[b"allow"] == b"GET, HEAD"
    assert json.loads(text(turn_away(Unreadable("r", NOW, "bad_host", ""))))["type"] == "/.gateway/reasons/bad_host"


def test_a_code_is_explained_on_a_page_of_its_own() -> None:
    for language in ("en", "zh-CN"):
        reply = reason_page("no_rule", language)
        assert reply is not None
        assert reply.status == 200
        assert "没有规则允许该请求" in text(reply)
        assert "no rule allows this request" in text(reply)
    assert reason_page("<script>", "en") is None


def test_clients_learn_where_tokens_come_from() -> None:
    reply = resource_metadata(SETTINGS, ("https://sso.example.gov/realms/staff",))
    assert json.loads(text(reply)) == {
        "resource": "https://api.example.gov",
        "authorization_servers": ["https://sso.example.gov/realms/staff"],
        "bearer_methods_supported": ["header"],
        "tls_client_certificate_bound_access_tokens": False,
    }


def test_a_small_answer_of_our_own_says_its_length() -> None:
    reply = plain(200, b"text/plain", b"ok\n")
    assert (reply.status, reply.body, field(reply, b"content-length")) == (200, b"ok\n", b"3")
    assert field(reply, b"cache-control") == b"no-store"
