"""What was answered at the door holds; what could not be done is said."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.app.desk import Desk
from tests.app.released import Released
from tests.running import Gateway, running, until

OPEN = "/market/enterprises"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running(tmp_path_factory.mktemp("gateway")) as started:
        yield started


def revoke(gateway: Gateway, kind: str, key: str, **more: object) -> int:
    said = gateway.door("POST", "/v1/revocations", {"kind": kind, "id": key, **more})
    assert said.status == 200, said.body
    return int(said.json["id"])


def test_a_lifted_revocation_no_longer_holds(gateway: Gateway) -> None:
    token = gateway.issuer.token("anna", sid="s-anna")
    number = revoke(gateway, "subject", "anna")
    assert gateway.get(OPEN, token).reason == "subject_revoked"
    assert gateway.door("DELETE", f"/v1/revocations/{number}").status == 200
    assert gateway.get(OPEN, token).status == 200


def test_a_revocation_with_an_end_is_over_by_itself(gateway: Gateway) -> None:
    token = gateway.issuer.token("boris")
    revoke(gateway, "subject", "boris", until=time.time() + 2.0)
    assert gateway.get(OPEN, token).status == 401
    until(lambda: gateway.get(OPEN, token).status == 200)


def test_a_token_is_revoked_by_itself_or_by_its_jti(gateway: Gateway) -> None:
    first, second = gateway.issuer.token("carl"), gateway.issuer.token("carl", jti="jti-carl")
    revoke(gateway, "token", first)
    assert gateway.get(OPEN, first).reason == "token_revoked"
    assert gateway.get(OPEN, second).status == 200
    revoke(gateway, "token", "jti-carl")
    assert gateway.get(OPEN, second).reason == "token_revoked"
    text = gateway.door("GET", "/v1/revocations").body.decode()
    assert first not in text


def test_a_token_typed_at_the_command_line_is_revoked(gateway: Gateway) -> None:
    token = gateway.issuer.token("clara")
    assert gateway.get(OPEN, token).status == 200
    said = gateway.run("revoke", "token", token, "-c", str(gateway.config))
    assert gateway.get(OPEN, token).reason == "token_revoked"
    assert token not in said


def test_a_revoked_device_is_refused_whoever_uses_it(gateway: Gateway) -> None:
    assert gateway.report_health("laptop-8").status == 202
    token = gateway.issuer.token("dora", device_id="laptop-8")
    assert gateway.get(OPEN, token).status == 200
    revoke(gateway, "device", "laptop-8")
    assert gateway.get(OPEN, token).reason == "device_revoked"


def test_health_of_a_device_counts_from_the_next_request_on(gateway: Gateway) -> None:
    token = gateway.issuer.token("emil", device_id="kiosk-1", org="prov/civil")
    assert gateway.get("/civil/households/h-1", token).reason == "device_untrusted"
    assert gateway.report_health("kiosk-1").status == 202
    assert gateway.get("/civil/households/h-1", token).status == 200
    assert gateway.report_health("kiosk-1", jailbroken=True).status == 202
    assert gateway.get("/civil/households/h-1", token).reason == "device_untrusted"


def test_a_report_of_nobody_registered_is_refused(gateway: Gateway) -> None:
    said = gateway.report_health("laptop-7", iss="somebody")
    assert (said.status, said.json["err"]) == (400, "invalid_issuer")
    again = gateway.report_health("laptop-7", sequence=5)
    assert again.status in (202, 400)
    assert gateway.report_health("laptop-7", sequence=4).status == 400


def test_a_decision_is_found_by_its_id_with_how_it_ended(gateway: Gateway) -> None:
    answer = gateway.get(OPEN, gateway.issuer.token("frida"))
    identity = answer.headers["x-gateway-decision"]
    until(lambda: gateway.door("GET", f"/v1/decisions/{identity}").status == 200)
    found = gateway.door("GET", f"/v1/decisions/{identity}")
    assert found.json["entry"]["subject"]["id"] == "frida"
    until(lambda: gateway.door("GET", f"/v1/decisions/{identity}").json["outcome"].get("status") == 200)
    assert gateway.door("GET", "/v1/decisions/nowhere.1").status == 404


def test_a_question_that_cannot_be_read_is_explained(gateway: Gateway) -> None:
    said = gateway.door("POST", "/v1/audit/query", {"query": "subjct:x"})
    assert said.status == 400
    assert "subject" in said.body.decode()


def test_a_question_is_itself_on_record(gateway: Gateway) -> None:
    assert gateway.door("POST", "/v1/audit/query", {"query": "subject:frida"}).status == 200
    acts = [entry for entry in gateway.entries() if entry["kind"] == "act" and entry["act"] == "audit.query"]
    assert acts[-1]["target"] == "subject:frida"


def test_somebodys_risk_is_told_with_evidence(gateway: Gateway) -> None:
    token = gateway.issuer.token("gustav")
    for number in range(12):
        gateway.get(f"/health/visits/v-{number}", token)
    until(lambda: (said := gateway.door("GET", "/v1/risk/gustav")).status == 200 and said.json["score"])


def test_a_saved_file_is_loaded_by_itself(gateway: Gateway) -> None:
    before = gateway.door("GET", "/v1/policy").json["active"]
    path: Path = gateway.folder / "policies" / "devices.yaml"
    path.write_text(path.read_text() + "  - {id: laptop-99, org: prov, managed: true}\n")
    until(lambda: gateway.door("GET", "/v1/policy").json["active"] != before)
    assert gateway.report_health("laptop-99").status == 202


@pytest.mark.anyio
async def test_what_is_due_does_not_wait_until_a_saved_file_had_its_turn(tmp_path: Path) -> None:
    world = Released(tmp_path)
    world.config.emergency_longest, world.config.candidate = 3600.0, None
    ledger: Any = SimpleNamespace(note=world.told.append, act=lambda *words: done.append(words[2]))
    done: list[str] = []
    desk = Desk(world.config, world.start, world.board, world.state, ledger, lambda _: (b"", ""), asyncio.Event().wait)
    following = asyncio.create_task(desk.follow())
    world.device("laptop-98")
    async with desk.releases.changing:  # a change that waits for its workers
        desk.reload_soon()
        await asyncio.wait_for(desk.tick(), 5)
    deadline = time.monotonic() + 10
    while not done:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    following.cancel()
    assert done == ["policy.reload"]
    world.state.close()


def test_a_name_that_nobody_has_is_told_and_refused_all_the_same(gateway: Gateway) -> None:
    def seen(kind: str, key: str) -> object:
        said = gateway.door("POST", "/v1/revocations", {"kind": kind, "id": key})
        assert said.status == 200
        return said.json["seen"]

    token = gateway.issuer.token("hanna", sid="s-hanna")
    assert gateway.get(OPEN, token).status == 200
    assert seen("session", "s-hanna") is True  # a moment after it was first seen
    assert seen("subject", "hanna") is True
    assert seen("subject", 'hana" or subject:*') is False
    assert seen("device", "laptop-9") is True  # registered, never seen
    assert seen("token", "any-jti") is None  # the record does not keep these
    assert seen("subject", "ines") is False
    assert gateway.get(OPEN, gateway.issuer.token("ines")).reason == "subject_revoked"


def test_a_lifted_revocation_is_on_record_and_names_what_still_holds(gateway: Gateway) -> None:
    first, second = revoke(gateway, "session", "s-twice"), revoke(gateway, "session", "s-twice")
    said = gateway.door("DELETE", f"/v1/revocations/{first}?reason=found").json
    assert said == {"lifted": first, "kind": "session", "id": "s-twice", "still": [second]}
    assert gateway.door("DELETE", f"/v1/revocations/{first}").status == 404
    acts = [
        (one["act"], one.get("target")) for one in gateway.entries() if one["kind"] == "act" and "lift" in one["act"]
    ]
    assert ("revocation.lift", "session:s-twice") in acts
