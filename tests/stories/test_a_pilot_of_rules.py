"""The next rules on live traffic: they look on, get their share, take over, or are withdrawn. Judged from outside."""

import hashlib
import http.client
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.running import Answer, Gateway, free_port, running, until

OPEN = "/market/enterprises"
STOP = """\
rules:
  - id: next-stop
    title: {{zh: 停止, en: stop}}
    effect: deny
    who: signed-in
    {org}
    data: open-data
"""


def candidate(gateway: Gateway, org: str = "") -> Path:
    """A candidate that refuses open data, to all or to one office and what is below it."""
    folder = gateway.folder / "next"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(gateway.folder / "policies", folder)
    shutil.rmtree(folder / "tests")
    (folder / "rules" / "50-next.yaml").write_text(STOP.format(org=f"org: {org}" if org else ""))
    return folder


def start(gateway: Gateway, **terms: Any) -> dict[str, Any]:
    said = gateway.door("POST", "/v1/pilot", terms)
    assert said.status == 200, said.body
    return dict(said.json)


def pilot(gateway: Gateway) -> Any:
    return gateway.door("GET", "/v1/pilot").json["pilot"]


def ended(gateway: Gateway) -> dict[str, Any]:
    """The pilot that ended last, once none runs any more."""
    return dict(until(lambda: (said := gateway.door("GET", "/v1/pilot").json)["pilot"] is None and said["past"])[0])


def bundles(gateway: Gateway) -> dict[str, set[str]]:
    """The bundles that decided about each subject since the gateway began."""
    found: dict[str, set[str]] = {}
    for entry in gateway.entries():
        if entry["kind"] == "verdict":
            found.setdefault(entry["subject"]["id"], set()).add(entry["bundle"])
    return found


def notices(gateway: Gateway, name: str) -> list[dict[str, Any]]:
    return [entry for entry in gateway.entries() if entry.get("name") == name]


def token(gateway: Gateway, name: str, org: str = "prov/civil") -> str:
    return gateway.issuer.token(name, org=org)


def said(answer: Answer) -> tuple[int, bytes, dict[str, str]]:
    """What a caller gets, without what is every answer's own."""
    own = {"x-request-id", "x-gateway-decision", "date"}
    body = answer.body
    if answer.headers["content-type"] == "application/problem+json":
        own.add("content-length")  # ids are of different lengths
        body = json.dumps({k: v for k, v in answer.json.items() if k not in ("request_id", "decision_id")}).encode()
    return answer.status, body, {name: value for name, value in answer.headers.items() if name not in own}


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with running(tmp_path, workers=2, extra=f"candidate: {tmp_path}/next\n") as started:
        yield started


def test_in_shadow_no_answer_changes_and_what_would_is_shown(gateway: Gateway) -> None:
    candidate(gateway)
    callers = [token(gateway, "anna"), token(gateway, "boris", "hz/civil"), ""]
    paths = [OPEN, "/civil/households/h-1", "/health/visits/v-1", "/market/unknown"]

    def round() -> list[tuple[int, bytes, dict[str, str]]]:
        return [said(gateway.get(path, caller)) for caller in callers for path in paths]

    before, forwarded = round(), len(gateway.witness.paths())  # type: ignore[attr-defined]  # a Witness
    started = start(gateway)
    active = gateway.door("GET", "/v1/policy").json["active"]
    assert (started["percent"], started["beside"]) == (0.0, active)
    assert round() == before
    assert len(gateway.witness.paths()) == 2 * forwarded  # type: ignore[attr-defined]  # as above
    assert {bundle for decided in bundles(gateway).values() for bundle in decided} != {started["bundle"]}
    assert all(started["bundle"] not in decided for decided in bundles(gateway).values())

    def told_by_both() -> Any:
        rows = (now := pilot(gateway))["differences"]
        return now if sum(row["count"] for row in rows) == 2 and rows[0]["decisions"] else None

    shown = until(told_by_both)
    (row,) = shown["differences"]
    assert (row["kind"], row["api"], row["decided"]) == ("would_deny", "enterprises", 0)
    assert row["rules"] == ["rules/50-next.yaml:2"]
    assert {one["org"]: one["loses"] for one in shown["orgs_differ"]} == {"prov/civil": 1, "hz/civil": 1}
    entry = gateway.door("GET", f"/v1/decisions/{row['decisions'][0]}").json["entry"]
    assert (entry["outcome"], entry["route"]) == ("permit", f"GET {OPEN}")
    text = gateway.run("policy", "pilot", "show", "-c", str(gateway.config))
    assert "rules/50-next.yaml:2" in text
    assert gateway.run("policy", "pilot", "show", "--lang", "zh-CN", "-c", str(gateway.config)) != text
    scrape = gateway.door("GET", "/metrics").body.decode()
    assert 'gateway_pilot_differences_total{api="enterprises",kind="would_deny"} 2.0' in scrape
    gateway.verify()


def test_a_department_is_decided_by_the_candidate_and_the_record_says_so(gateway: Gateway) -> None:
    candidate(gateway)
    started = start(gateway, orgs=["hz"])
    for _ in range(4):  # on both workers
        assert gateway.get(OPEN, token(gateway, "hua", "hz/civil")).reason == "rule_denied"
        assert gateway.get(OPEN, token(gateway, "wei")).status == 200
    assert len(gateway.witness.paths()) == 4  # type: ignore[attr-defined]  # a Witness
    until(lambda: {"hua", "wei"} <= bundles(gateway).keys())
    decided = bundles(gateway)
    assert decided["hua"] == {started["bundle"]}
    assert started["bundle"] not in decided["wei"]
    assert len(decided["wei"]) == 1


def test_a_larger_share_only_adds_callers_and_each_keeps_its_bundle(gateway: Gateway) -> None:
    candidate(gateway)
    started = start(gateway, percent=30, limits={"deny": 1})
    names = [f"caller-{number}" for number in range(60)]

    def chosen() -> set[str]:
        answers = {name: {gateway.get(OPEN, token(gateway, name)).status for _ in range(3)} for name in names}
        assert all(len(statuses) == 1 for statuses in answers.values()), answers
        return {name for name, statuses in answers.items() if statuses == {403}}

    first = chosen()
    assert 5 <= len(first) <= 32
    said = gateway.door("POST", "/v1/pilot", {"pilot": started["pilot"], "percent": 70})
    assert (said.status, said.json["percent"]) == (200, 70.0)
    second = chosen()
    assert first < second
    assert 28 <= len(second) <= 56
    assert gateway.door("DELETE", "/v1/pilot").status == 200
    assert chosen() == set()


def test_a_promoted_candidate_is_in_force_and_stays_over_a_restart(gateway: Gateway) -> None:
    candidate(gateway)
    started = start(gateway, percent=10)
    said = gateway.run("policy", "pilot", "promote", "-c", str(gateway.config))
    assert started["candidate"][:12] in said
    for name in ("anna", "boris", "clara"):
        assert gateway.get(OPEN, token(gateway, name)).reason == "rule_denied"
    assert gateway.door("GET", "/v1/policy").json["active"] == started["candidate"]
    assert ended(gateway)["why"] == "promoted"
    gateway.stop()
    gateway.start()
    assert gateway.get(OPEN, token(gateway, "anna")).reason == "rule_denied"
    assert gateway.door("GET", "/v1/policy").json["active"] == started["candidate"]


def test_a_candidate_that_refuses_too_much_withdraws_itself(gateway: Gateway) -> None:
    candidate(gateway)
    started = start(gateway, percent=100)
    active = gateway.door("GET", "/v1/policy").json["active"]
    refused = 0
    deadline = time.monotonic() + 20
    while gateway.get(OPEN, token(gateway, "anna")).status == 403:
        refused += 1
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert refused >= 5  # two in a hundred of two hundred, and one
    assert gateway.get(OPEN, token(gateway, "anna")).status == 200
    assert ended(gateway)["why"].startswith("deny: ")
    (notice,) = until(lambda: notices(gateway, "pilot.rolled_back"))
    assert notice["subject"] == started["candidate"][:12]
    assert "refused what the active bundle permits, allowed 2.00%" in notice["detail"]
    acts = [entry for entry in gateway.entries() if entry.get("act") == "pilot.rolled_back"]
    assert [(act["operator"], act["target"]) for act in acts] == [("gateway", started["candidate"])]
    assert gateway.door("GET", "/v1/policy").json["active"] == active

    def denials() -> list[dict[str, Any]]:
        return [entry for entry in gateway.entries() if entry["kind"] == "verdict" and entry["outcome"] == "deny"]

    denied = until(lambda: found if len(found := denials()) >= refused else [])  # refusals are written a moment later
    assert len(denied) == refused  # what was decided stands
    assert all(entry["bundle"] == started["bundle"] for entry in denied)


def test_workers_and_gateways_that_come_back_go_on_with_it(gateway: Gateway) -> None:
    candidate(gateway, "hz")
    started = start(gateway, orgs=["hz"], limits={"deny": 1})
    before = gateway.workers()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(
        lambda: (
            len(now := gateway.workers()) == 2
            and not set(now) & set(before)
            and gateway.door("GET", "/ready").status == 200
        )
    )
    for _ in range(4):
        assert gateway.get(OPEN, token(gateway, "hua", "hz/civil")).reason == "rule_denied"
    gateway.stop()
    gateway.start()
    for _ in range(4):
        assert gateway.get(OPEN, token(gateway, "hua", "hz/civil")).reason == "rule_denied"
        assert gateway.get(OPEN, token(gateway, "wei")).status == 200
    assert until(lambda: pilot(gateway))["pilot"] == started["pilot"]
    assert notices(gateway, "pilot.unprepared") == []


def test_a_candidate_that_is_lost_is_let_go(gateway: Gateway) -> None:
    candidate(gateway)
    started = start(gateway, percent=100)
    shutil.rmtree(gateway.state / "bundles" / started["candidate"])
    for pid in gateway.workers():
        os.kill(pid, signal.SIGKILL)
    until(lambda: gateway.door("GET", "/ready").status == 200)
    until(lambda: gateway.get(OPEN, token(gateway, "anna")).status == 200)
    assert ended(gateway)["why"].startswith("pilot.unprepared")


def test_it_ends_at_its_time(gateway: Gateway) -> None:
    candidate(gateway)
    start(gateway, percent=100, until=time.time() + 1.0, limits={"deny": 1})
    assert gateway.get(OPEN, token(gateway, "anna")).status == 403
    until(lambda: gateway.get(OPEN, token(gateway, "anna")).status == 200)
    assert ended(gateway)["why"] == "its time is over"


def test_another_revision_in_force_ends_it(gateway: Gateway) -> None:
    candidate(gateway)
    start(gateway, percent=100, limits={"deny": 1})
    path = gateway.folder / "policies" / "devices.yaml"
    path.write_text(path.read_text() + "  - {id: laptop-99, org: prov, managed: true}\n")
    assert gateway.door("POST", "/v1/reload").status == 200
    assert gateway.get(OPEN, token(gateway, "anna")).status == 200
    assert ended(gateway)["why"] == "another revision came into force"


def test_an_emergency_level_ends_it_and_none_begins_under_one(tmp_path: Path) -> None:
    operators = {name: os.urandom(16).hex() for name in ("wang", "li")}
    rows = ", ".join(
        f"{{name: {name}, role: security, sha256: {hashlib.sha256(secret.encode()).hexdigest()}}}"
        for name, secret in operators.items()
    )
    door = free_port()
    extra = f"candidate: {tmp_path}/next\ncontrol: {{listen: 127.0.0.1:{door}, tokens: [{rows}]}}\n"
    with running(tmp_path, workers=2, extra=extra) as gateway:

        def ask(name: str, path: str, body: object = None) -> Any:
            connection = http.client.HTTPConnection("127.0.0.1", door, timeout=30)
            headers = {"authorization": f"Bearer {operators[name]}", "content-type": "application/json"}
            connection.request("POST", path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

        candidate(gateway)
        started = start(gateway, percent=100, limits={"deny": 1})
        assert gateway.get(OPEN, token(gateway, "anna")).status == 403
        wish = {"level": "IV", "reason": "drill", "until": time.time() + 600}
        status, asked = ask("wang", "/v1/emergency", wish)
        assert status == 202, asked
        assert ask("li", f"/v1/emergency/{asked['id']}/confirm?level=IV")[0] == 200
        gateway.get(OPEN, token(gateway, "boris"))
        assert ended(gateway)["why"] == "another revision came into force"
        until(lambda: "boris" in bundles(gateway))
        assert started["bundle"] not in bundles(gateway)["boris"]
        refused = gateway.door("POST", "/v1/pilot", {})
        assert [fault["code"] for fault in refused.json["errors"]] == ["P11A"]


def test_what_cannot_be_compared_is_refused_and_changes_nothing(gateway: Gateway) -> None:
    def faults(**terms: Any) -> list[str]:
        answer = gateway.door("POST", "/v1/pilot", terms)
        assert answer.status == 422, answer.body
        return [fault["code"] for fault in answer.json["errors"]]

    folder = candidate(gateway)
    (folder / "rules" / "50-next.yaml").write_text("rules: [{id: next, effect: deny, data: nothing}]\n")
    assert faults() == ["P012"]
    (folder / "rules" / "50-next.yaml").unlink()
    assert faults() == ["P11B"]
    folder = candidate(gateway)
    market = folder / "catalog" / "market.yaml"
    market.write_text(market.read_text().replace("en: register", "en: new register"))
    assert faults() == ["P11C"]
    candidate(gateway)
    assert gateway.door("POST", "/v1/pilot", {"orgs": ["prov/civli"]}).json["errors"] == [
        'no org `prov/civli`; did you mean "prov/civil"?'
    ]
    for odd in (
        {"percent": 101},
        {"limits": {"deny": 2}},
        {"limits": {"p99": 0}},
        {"until": 1},
        {"pilot": 7},
        {"percnt": 1},
    ):
        assert gateway.door("POST", "/v1/pilot", odd).status in (400, 404), odd
    assert pilot(gateway) is None
    number = start(gateway)["pilot"]
    assert gateway.door("POST", "/v1/pilot", {}).status == 409  # one at a time
    assert gateway.door("POST", "/v1/pilot", {"pilot": number + 1, "percent": 5}).status == 409
    assert gateway.door("POST", f"/v1/pilot/promote?pilot={number + 1}").status == 409
    assert pilot(gateway)["percent"] == 0


def test_without_a_candidate_folder_it_is_said_what_to_write(tmp_path: Path) -> None:
    with running(tmp_path) as gateway:
        answer = gateway.door("POST", "/v1/pilot", {})
        assert answer.status == 409
        assert "candidate: ./policies.next" in answer.json["errors"][0]
