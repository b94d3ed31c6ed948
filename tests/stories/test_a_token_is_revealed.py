"""Somebody works with tokens, and learns what one of them stands for: once, for a reason, on record. Somebody else leaks.

Judged from outside, by what the gateway answers, stores and records.
"""

import base64
import json
import re
import shutil
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.running import Answer, Gateway, Issuer, Witness, until

ID = "330106199003072319"
HOUSEHOLD = "/civil/households/h-1"
RULES = """\
rules:
  - id: work-with-tokens
    title: {zh: 以令牌办理, en: work with tokens}
    effect: allow
    who: auditor
    org: "*"
    data: household
    action: read
    level: any
    then: {mask: tokens}
  - id: marked-lists
    title: {zh: 带标记的列表, en: marked lists}
    effect: allow
    who: duty-officer
    org: "*"
    data: household
    action: read
    level: any
    then: {mask: pii-standard, watermark: true}
  - id: reveal-for-a-case
    title: {zh: 为个案还原令牌, en: reveal for a case}
    effect: allow
    who: auditor
    org: "*"
    data: household
    action: reveal
    level: any
    when: subject.assurance >= 2 and env.purpose == "case-inquiry" and approval.held
    then: {mask: none}
"""
GRANTS = """\
grants:
  - {id: inquiry, to: prov/civil, data: household, action: [read, reveal], purpose: case-inquiry, until: 2099-12-31,
     approval: {by: prov/civil, on: 2026-01-01, reference: 2026-1}}
  - {id: applied-for, to: prov/civil, data: household, action: reveal, purpose: case-inquiry, until: 2099-12-31}
  - {id: to-health, to: prov/health, data: household, action: reveal, purpose: case-inquiry, until: 2099-12-31,
     approval: {by: prov/civil, on: 2026-01-01, reference: 2026-2}}
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    witness, issuer = Witness(), Issuer()
    started = Gateway(tmp_path_factory.mktemp("reveal"), witness, issuer, workers=2)
    policies = started.folder / "policies"
    shutil.rmtree(policies / "tests", ignore_errors=True)
    (policies / "rules" / "50-tokens.yaml").write_text(RULES)
    (policies / "grants.yaml").write_text(GRANTS)
    masks = (policies / "masks.yaml").read_text()
    (policies / "masks.yaml").write_text(masks + '\n  tokens: {resident-id: tokenise, name: tokenise, "*": keep}\n')
    try:
        started.start()
        assert started.report_health("laptop-7").status == 202
        yield started
    finally:
        if started.process is not None:
            started.stop()
        print(started.log.read_text()[-3000:])
        witness.close()
        issuer.close()


class Desk:
    """One person of the gateway's, with a history of their own: refusals make a person suspect."""

    def __init__(self, gateway: Gateway, sub: str) -> None:
        self.gateway = gateway
        self.sub = sub

    def caller(self, sub: str = "", **changes: Any) -> str:
        return self.gateway.issuer.token(sub or self.sub, **({"roles": ["auditor"], "clearance": "core"} | changes))

    def tokens(self, number: str = ID) -> tuple[str, str]:
        """The tokens of a resident id and a name, as somebody who works with them is given them."""
        assert isinstance(self.gateway.witness, Witness)
        self.gateway.witness.answer(HOUSEHOLD, {"id_number": number, "name": f"王{number[-6:]}"})
        shown = self.gateway.get(HOUSEHOLD, self.caller()).json
        assert shown["id_number"].startswith("t1.")
        assert number not in json.dumps(shown)
        return shown["id_number"], shown["name"]

    def reveal(self, token: Any, bearer: str | None = None, purpose: str = "case-inquiry") -> Answer:
        fields = {"content-type": "application/json"} | ({"x-purpose": purpose} if purpose else {})
        body = json.dumps({"token": token}).encode()
        bearer = self.caller() if bearer is None else bearer
        return self.gateway.ask("POST", "/.gateway/reveal", bearer, body, **fields)


@pytest.fixture
def desk(gateway: Gateway, request: pytest.FixtureRequest) -> Desk:
    return Desk(gateway, re.sub(r"\W+", "-", request.node.name))


def test_a_token_is_revealed_once_under_a_grant_and_all_of_it_is_on_record(desk: Desk) -> None:
    token, name = desk.tokens()

    answer = desk.reveal(token)

    assert (answer.status, answer.json) == (200, {"value": ID})
    assert answer.headers["cache-control"] == "no-store"
    assert desk.reveal(name).json == {"value": f"王{ID[-6:]}"}  # another value, another token
    decision = answer.headers["x-gateway-decision"]
    again = desk.reveal(token)
    assert (again.status, again.reason) == (409, "already_revealed")
    assert desk.reveal(token, desk.caller("li.min")).status == 409  # nor by a colleague under the same grant

    def recorded() -> list[dict[str, Any]]:
        entries = desk.gateway.entries()
        return [one for one in entries if one["kind"] == "outcome" and one["verdict"] == decision]

    (outcome,) = until(recorded)
    (verdict,) = [one for one in desk.gateway.entries() if f"{one['journal']}.{one['seq']}" == decision]
    assert (verdict["action"], verdict["asset"], verdict["outcome"]) == ("reveal", "household", "permit")
    assert verdict["purpose"] == "case-inquiry"
    assert re.fullmatch("[0-9a-f]{32}", verdict["object"])
    assert (outcome["status"], outcome["clear"], outcome["records"]) == (200, 1, 1)


def test_the_value_stands_in_no_store_and_no_log(desk: Desk) -> None:
    number = "110101199003070011"
    token, _ = desk.tokens(number)
    assert desk.reveal(token).json == {"value": number}
    until(lambda: [one for one in desk.gateway.entries() if one.get("action") == "reveal"])
    for path in desk.gateway.state.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert number.encode() not in content, path
            assert token.encode() not in content, path
    assert number not in desk.gateway.log.read_text()


def test_a_weak_sign_in_is_offered_a_stronger_one_and_uses_nothing_up(desk: Desk) -> None:
    token, _ = desk.tokens("330106199003072001")
    answer = desk.reveal(token, desk.caller(acr="aal1"))
    assert answer.status == 401
    assert 'error="insufficient_user_authentication"' in answer.headers["www-authenticate"]
    assert 'acr_values="aal2"' in answer.headers["www-authenticate"]
    assert desk.reveal(token).status == 200


@pytest.mark.parametrize("purpose", ["", "another"])
def test_without_the_purpose_that_was_granted_nothing_is_revealed(desk: Desk, purpose: str) -> None:
    token, _ = desk.tokens("330106199003072002")
    answer = desk.reveal(token, desk.caller(), purpose)
    assert (answer.status, answer.reason) == (403, "no_rule" if purpose else "approval_needed")


def test_what_cannot_be_opened_looks_the_same_whatever_the_cause(desk: Desk) -> None:
    token, _ = desk.tokens("330106199003072003")
    elsewhere = desk.caller(org="prov/health")
    body = base64.urlsafe_b64decode(token[3:] + "=" * (-len(token[3:]) % 4))
    changed = base64.urlsafe_b64encode(bytes([body[0] ^ 1]) + body[1:]).rstrip(b"=").decode()
    sealed_otherwise = "e1." + token[3:]
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".index(token[-1])
    spelled_otherwise = token[:-1] + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last ^ 1]
    answers = [
        desk.reveal(token, elsewhere),  # a token of another department
        desk.reveal(f"t1.{changed}"),
        desk.reveal(sealed_otherwise),
        desk.reveal("t2." + token[3:]),
        desk.reveal(token + "A"),
        desk.reveal(" " + token),
        desk.reveal(token[:-1]),
        desk.reveal(""),
        desk.reveal(ID),
        desk.reveal("t1." + "A" * 40),
    ]
    if len(body) % 3:  # else every bit of the last character counts
        answers.append(desk.reveal(spelled_otherwise))
    seen = {(one.status, one.reason, one.json["title"], one.json["detail"]) for one in answers}
    assert len(seen) == 1
    assert answers[0].status == 400
    assert answers[0].reason == "not_a_token"


def test_who_proved_nothing_is_told_nothing(desk: Desk) -> None:
    token, _ = desk.tokens("330106199003072004")
    for bearer in ("", "not.a.token"):
        good, bad = desk.reveal(token, bearer), desk.reveal("t1." + "A" * 40, bearer)
        assert good.status == bad.status == 401
        assert good.reason == bad.reason


def test_who_may_work_with_tokens_may_not_therefore_open_them(desk: Desk) -> None:
    token, _ = desk.tokens("330106199003072005")
    answer = desk.reveal(token, desk.caller(roles=["clerk"]))
    assert (answer.status, answer.reason) == (403, "no_rule")
    above = desk.caller(clearance="general-3")  # the field is graded above the caller's clearance
    assert (desk.reveal(token, above).status, desk.reveal(token, above).reason) == (403, "cannot_mask")
    assert desk.reveal(token).status == 200  # none of it used the token up


def test_the_request_is_read_strictly(desk: Desk) -> None:
    token, _ = desk.tokens("330106199003072006")
    bearer, good = desk.caller(), json.dumps({"token": token}).encode()

    def ask(
        method: str = "POST", path: str = "/.gateway/reveal", body: bytes = good, kind: str = "application/json"
    ) -> int:
        return desk.gateway.ask(
            method, path, bearer, body, **{"content-type": kind, "x-purpose": "case-inquiry"}
        ).status

    assert ask(kind="text/plain") == 415
    assert ask(method="PUT") == 405
    assert ask(path=f"/.gateway/reveal?token={token}") == 400
    assert ask(path="/.gateway/reveal/") == 404
    for body in (b"", b"{}", b"[]", b'{"token": 1}', b'{"token": ["t1.x"]}', good[:-1] + b', "more": 1}', b"\xff"):
        assert ask(body=body) == 400
    assert ask(body=b'{"token": "' + b"x" * 40_000 + b'"}') == 413
    assert ask() == 200


def test_of_many_who_ask_at_once_exactly_one_is_told(desk: Desk) -> None:
    token, _ = desk.tokens("330106199003072007")
    bearer = desk.caller()
    start, got = threading.Barrier(12), []

    def one() -> None:
        start.wait()
        got.append(desk.reveal(token, bearer).status)

    threads = [threading.Thread(target=one) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [200] + [409] * 11
    assert len(desk.gateway.workers()) == 2


def test_a_restart_forgets_no_token(desk: Desk) -> None:
    used, _ = desk.tokens("330106199003072008")
    assert desk.reveal(used).status == 200
    desk.gateway.stop()
    desk.gateway.start()
    assert desk.reveal(used).reason == "already_revealed"


def test_the_record_of_reveals_can_be_replayed(desk: Desk) -> None:
    token, _ = desk.tokens("330106199003072010")
    assert desk.reveal(token).status == 200
    command = ("policy", "replay", "--all", "-c", str(desk.gateway.config), "-o", "json")
    said = json.loads(desk.gateway.run(*command, code=None))
    assert said["same"] == said["decisions"] > 0
    assert said["differs"] == []


def test_who_leaked_a_marked_answer_is_named(desk: Desk) -> None:
    """The mark of the running gateway, the record of it and the command that traces: all of them as they are."""
    gateway, witness = desk.gateway, desk.gateway.witness
    assert isinstance(witness, Witness)
    people = [
        {"id_number": f"33010619900307{n:04}", "name": f"王{n}", "district": "330106", "id": n} for n in range(40)
    ]
    witness.answer("/civil/households", {"items": people, "total": 40, "page": 1})
    leaks = {}
    for sub in (desk.sub, "li.min.also", "zhao.lei.also"):
        answer = gateway.get("/civil/households", desk.caller(sub, roles=["duty-officer"]))
        assert answer.status == 200, answer.body
        leaks[sub] = answer.json["items"]
    leak = gateway.folder / "leak.json"
    leak.write_text(json.dumps(leaks[desk.sub][5:20] + leaks["li.min.also"][20:35], indent=1))
    command = ("trace", str(leak), "--asset", "household", "-c", str(gateway.config), "-o", "json")
    found = json.loads(gateway.run(*command))
    assert {one["recipient"].rpartition("/")[2] for one in found["named"]} == {desk.sub, "li.min.also"}
    assert found["candidates"] >= 3
