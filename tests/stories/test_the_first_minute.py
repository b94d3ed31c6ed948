"""A clerk, an auditor, a stranger and a thief meet one gateway. Judged by what reached the service."""

import time
from collections.abc import Iterator

import pytest

from tests.running import RECORD, VISIT, Gateway, running, until

HOUSEHOLD = "/civil/households/h-1"
VISIT_PATH = "/health/visits/v-1"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running(tmp_path_factory.mktemp("gateway")) as started:
        assert started.report_health("laptop-7").status == 202
        assert started.report_health("laptop-9").status == 202
        yield started


def auditor(gateway: Gateway, acr: str) -> str:
    return gateway.issuer.token("li.na", roles=["auditor"], org="prov", clearance="core", acr=acr, device_id="laptop-9")


def test_open_data_comes_back_as_it_is(gateway: Gateway) -> None:
    answer = gateway.get("/market/enterprises", gateway.issuer.token())
    assert answer.status == 200
    assert answer.json["items"][0]["name"] == "杭州云静茶叶有限公司"


def test_important_data_is_masked_and_the_rest_stays_byte_for_byte(gateway: Gateway) -> None:
    answer = gateway.get(HOUSEHOLD, gateway.issuer.token())
    assert answer.status == 200
    for secret in ("330106199003072319", "110101200002291280", "13800138000", "王小明"):
        assert secret not in answer.body.decode()
    assert answer.json["registered_at"] == RECORD["registered_at"]
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["x-gateway-decision"]


def test_a_stranger_is_refused_and_the_service_hears_nothing(gateway: Gateway) -> None:
    before = len(gateway.witness.requests)
    answer = gateway.get(HOUSEHOLD)
    assert (answer.status, answer.reason) == (401, "credential_missing")
    assert "error=" not in answer.headers["www-authenticate"]
    assert len(gateway.witness.requests) == before


def test_a_bad_token_never_becomes_anonymous(gateway: Gateway) -> None:
    token = gateway.issuer.token(exp=int(time.time()) - 3600)
    answer = gateway.get("/market/enterprises", token)
    assert (answer.status, answer.reason) == (401, "token_expired")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_another_departments_core_data_is_denied_with_a_reason(gateway: Gateway) -> None:
    answer = gateway.get(VISIT_PATH, gateway.issuer.token())
    assert (answer.status, answer.reason) == (403, "no_rule")
    assert "decision_id" in answer.json
    assert VISIT_PATH not in gateway.witness.paths()


def test_the_reason_is_told_in_chinese_to_whom_reads_chinese(gateway: Gateway) -> None:
    answer = gateway.get(VISIT_PATH, gateway.issuer.token(), accept_language="zh-CN")
    assert answer.json["title"] == "没有规则允许该请求"


def test_an_unmanaged_device_is_denied(gateway: Gateway) -> None:
    answer = gateway.get(HOUSEHOLD, gateway.issuer.token("wang.fang", device_id="home-pc"))
    assert (answer.status, answer.reason) == (403, "device_untrusted")


def test_core_data_asks_for_a_stronger_sign_in_and_then_opens(gateway: Gateway) -> None:
    weak = gateway.get(VISIT_PATH, auditor(gateway, "aal2"), x_purpose="audit")
    assert (weak.status, weak.reason) == (401, "step_up_required")
    assert 'error="insufficient_user_authentication"' in weak.headers["www-authenticate"]
    assert "aal3" in weak.headers["www-authenticate"]
    strong = gateway.get(VISIT_PATH, auditor(gateway, "aal3"), x_purpose="audit")
    assert (strong.status, strong.json["diagnosis"]) == (200, VISIT["diagnosis"])


def test_a_revoked_session_is_refused_from_the_next_request_on(gateway: Gateway) -> None:
    token = gateway.issuer.token("chen.jie", sid="s-stolen")
    assert gateway.get("/market/enterprises", token).status == 200
    said = gateway.door("POST", "/v1/revocations", {"kind": "session", "id": "s-stolen", "reason": "laptop lost"})
    assert (said.status, said.json["workers"]) == (200, 1)
    answer = gateway.get("/market/enterprises", token)
    assert (answer.status, answer.reason) == (401, "session_revoked")


def test_an_unlisted_path_is_denied(gateway: Gateway) -> None:
    answer = gateway.get("/civil/households/h-1/secrets", gateway.issuer.token())
    assert (answer.status, answer.reason) == (403, "unlisted")


def test_the_service_learns_who_asked_and_never_sees_the_token(gateway: Gateway) -> None:
    token = gateway.issuer.token("zhao.min")
    answer = gateway.get("/market/enterprises", token, x_gateway_subject="root", cookie="a=b")
    assert answer.status == 200
    _, _, headers, _ = gateway.witness.requests[-1]
    assert headers["x-gateway-subject"] == "zhao.min"
    assert headers["x-gateway-decision"] == answer.headers["x-gateway-decision"]
    assert not {"authorization", "cookie"} & set(headers)
    assert token not in str(headers)
    assert headers["x-gateway-assertion"].count(".") == 2


def test_every_request_that_reached_the_service_is_a_permit_on_record_and_the_ledger_verifies(gateway: Gateway) -> None:
    entries = gateway.entries()
    permits = {
        f"{entry['journal']}.{entry['seq']}"
        for entry in entries
        if entry["kind"] == "verdict" and entry["outcome"] == "permit"
    }
    reached = {headers["x-gateway-decision"] for _, _, headers, _ in gateway.witness.requests}
    assert reached
    assert reached <= permits
    text = "\n".join(str(entry) for entry in entries)
    for secret in (RECORD["id_number"], RECORD["phone"], "eyJ"):
        assert str(secret) not in text
    gateway.verify()


def test_metrics_count_what_happened(gateway: Gateway) -> None:
    wanted = 'gateway_decisions_total{api="visits",grade="core",outcome="deny",reason="no_rule",stage="enforce"}'
    until(lambda: wanted in gateway.door("GET", "/metrics").body.decode())  # counted once they are sealed
    assert "gateway_workers 1.0" in gateway.door("GET", "/metrics").body.decode()
