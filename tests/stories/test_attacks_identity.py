"""Attacks on identity and device: tokens that almost hold, credentials in odd places, reports that are not the device's."""

import base64
import contextlib
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway.crypto.jws import SigningKey
from tests.running import until
from tests.stories.hostile import PLAIN, Stage, answer, staged

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
STRANGER = SigningKey.generate("ES256")
Forge = Callable[["Mint"], str]


def b64(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Mint:
    """Makes tokens of any header and payload, signed by the issuer or by a stranger."""

    def __init__(self, stage: Stage) -> None:
        self.url, self.key = stage.gateway.issuer.url, stage.gateway.issuer.key
        self.header = {"alg": "ES256", "kid": self.key.kid, "typ": "at+jwt"}
        now = int(time.time())
        self.claims = {
            "iss": self.url, "aud": "gateway", "sub": "caller", "client_id": "portal", "iat": now, "exp": now + 600,
            "auth_time": now, "jti": "j-1", "sid": "s-1", "acr": "aal2", "org": "prov/civil", "roles": ["clerk"],
        }  # fmt: skip

    def sign(self, header: object, payload: object, key: SigningKey | None = None) -> str:
        signed = f"{b64(header)}.{b64(payload)}"
        return f"{signed}.{b64((key or self.key).sign_bytes(signed.encode()))}"

    def headed(self, **changes: Any) -> str:
        return self.sign({k: v for k, v in (self.header | changes).items() if v is not ...}, self.claims)

    def claiming(self, **changes: Any) -> str:
        return self.sign(self.header, {k: v for k, v in (self.claims | changes).items() if v is not ...})

    def hs256(self, secret: bytes) -> str:
        signed = f"{b64(self.header | {'alg': 'HS256'})}.{b64(self.claims)}"
        return f"{signed}.{b64(hmac.digest(secret, signed.encode(), hashlib.sha256))}"

    def text(self, addition: str) -> bytes:
        """The claims with one more member, written by hand: it may stand twice."""
        return (json.dumps(self.claims)[:-1] + addition + "}").encode()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("identity")) as set_up:
        yield set_up


@pytest.fixture(scope="module")
def mint(stage: Stage) -> Mint:
    return Mint(stage)


def shown(stage: Stage, *fields: str) -> tuple[int, str, int]:
    """Status, reason, and how many requests reached the service, with these fields in place of a good token."""
    lines = ["GET /evil/x HTTP/1.1", "Host: gw", "Connection: close", *fields]
    reply, reached = stage.reached("\r\n".join([*lines, "", ""]).encode())
    return reply.status, reply.reason, reached


FORGED: dict[str, tuple[str, Forge]] = {
    "alg none": ("token_algorithm", lambda m: m.headed(alg="none")),
    "alg None": ("token_algorithm", lambda m: m.headed(alg="None")),
    "no signature": ("credential_malformed", lambda m: m.headed().rpartition(".")[0] + "."),
    "HS256 with the public key": ("token_algorithm", lambda m: m.hs256(json.dumps(m.key.public_jwk()).encode())),
    "HS256 with nothing": ("token_algorithm", lambda m: m.hs256(b"")),
    "another algorithm": ("token_algorithm", lambda m: m.headed(alg="RS256")),
    "a list of algorithms": ("token_algorithm", lambda m: m.headed(alg=["ES256"])),
    "a stranger's signature": ("token_signature", lambda m: m.sign(m.header, m.claims, STRANGER)),
    "a key brought along": (
        "credential_malformed", lambda m: m.sign(m.header | {"jwk": STRANGER.public_jwk()}, m.claims, STRANGER)),
    "jku": ("credential_malformed", lambda m: m.headed(jku="http://127.0.0.1:1/")),
    "x5u": ("credential_malformed", lambda m: m.headed(x5u="http://127.0.0.1:1/")),
    "crit (CVE-2026-32597)": ("credential_malformed", lambda m: m.headed(crit=["bork"])),
    "zip (CVE-2025-62706)": ("credential_malformed", lambda m: m.headed(zip="DEF")),
    "b64 false": ("credential_malformed", lambda m: m.headed(b64=False)),
    "kid as a path": ("token_key_unknown", lambda m: m.headed(kid="../../dev/null")),
    "kid as SQL": ("token_key_unknown", lambda m: m.headed(kid="x' UNION SELECT 'y")),
    "kid as number": ("credential_malformed", lambda m: m.headed(kid=1)),
    "typ JWT": ("token_type", lambda m: m.headed(typ="JWT")),
    "no typ": ("token_type", lambda m: m.headed(typ=...)),
    "logout token": ("token_type", lambda m: m.headed(typ="logout+jwt")),
    "identity token": ("token_type", lambda m: m.claiming(typ="ID")),
    "a claim twice": ("credential_malformed", lambda m: m.sign(m.header, m.text(',"sub":"admin"'))),
    "BOM": ("credential_malformed", lambda m: m.sign(m.header, b"\xef\xbb\xbf" + json.dumps(m.claims).encode())),
    "UTF-16": ("credential_malformed", lambda m: m.sign(m.header, json.dumps(m.claims).encode("utf-16"))),
    "half a surrogate": ("credential_malformed", lambda m: m.claiming(name="\ud800")),
    "nested deeply": ("credential_malformed", lambda m: m.claiming(x=json.loads("[" * 30 + "]" * 30))),
    "no exp": ("token_claims", lambda m: m.claiming(exp=...)),
    "exp as text": ("token_claims", lambda m: m.claiming(exp=str(m.claims["exp"]))),
    "exp true": ("token_claims", lambda m: m.claiming(exp=True)),
    "exp 1e400": ("credential_malformed", lambda m: m.sign(m.header, m.text(',"nbf":1e400'))),
    "expired": ("token_expired", lambda m: m.claiming(exp=int(time.time()) - 31)),
    "not yet": ("token_not_yet_valid", lambda m: m.claiming(nbf=int(time.time()) + 100)),
    "a sign-in to come": ("token_not_yet_valid", lambda m: m.claiming(auth_time=int(time.time()) + 9999)),
    "another audience": ("token_audience", lambda m: m.claiming(aud="gateway2")),
    "part of the audience": ("token_audience", lambda m: m.claiming(aud="gate")),
    "no audience": ("token_claims", lambda m: m.claiming(aud=...)),
    "issuer with a slash": ("token_issuer", lambda m: m.claiming(iss=m.url + "/")),
    "issuer in capitals": ("token_issuer", lambda m: m.claiming(iss=m.url.upper())),
    "a list of issuers": ("token_claims", lambda m: m.claiming(iss=[m.url])),
    "sub in another realm": ("token_claims", lambda m: m.claiming(sub="staff/admin")),
    "sub with a line end": ("token_claims", lambda m: m.claiming(sub="a\r\nX-Gateway-Roles: admin")),
    "sub with an unseen letter": ("token_claims", lambda m: m.claiming(sub="caller\u200b")),
    "sub with a letter that joins nothing": ("token_claims", lambda m: m.claiming(sub="ca\u034fller")),
    "sub with a filler": ("token_claims", lambda m: m.claiming(sub="caller\u3164")),
    "sub in another spelling": ("token_claims", lambda m: m.claiming(sub="Jose\u0301")),
    "sub written backwards": ("token_claims", lambda m: m.claiming(sub="\u202ecaller")),
    "sub with a blank": ("token_claims", lambda m: m.claiming(sub=" caller")),
    "sub as number": ("token_claims", lambda m: m.claiming(sub=7)),
    "address with two @": ("token_claims", lambda m: m.claiming(email="a@evil@corp.gov")),
    "address with ＠": ("token_claims", lambda m: m.claiming(email="a＠evil@corp.gov")),
    "roles as object": ("token_claims", lambda m: m.claiming(roles={"clerk": 1})),
    "roles in roles": ("token_claims", lambda m: m.claiming(roles=[["clerk"]])),
    "a role with a line end": ("token_claims", lambda m: m.claiming(roles=["a\r\nx: y"])),
    "a list of offices": ("token_claims", lambda m: m.claiming(org=["prov/civil"])),
    "bound to a DPoP key": ("token_binding", lambda m: m.claiming(cnf={"jkt": "a" * 43})),
    "bound to a certificate": ("token_binding", lambda m: m.claiming(cnf={"x5t#S256": "a" * 43})),
    "bound to nothing": ("token_binding", lambda m: m.claiming(cnf={})),
    "bound to null": ("token_binding", lambda m: m.claiming(cnf=None)),
    "8 KiB of token": ("credential_malformed", lambda m: m.claiming(x="a" * 9000)),
    "20 kB of header": ("credential_malformed", lambda m: m.headed(x="a" * 20_000)),
    "padding": ("credential_malformed", lambda m: m.headed() + "="),
    "four parts": ("credential_malformed", lambda m: m.headed() + ".x"),
    "five parts (JWE)": ("credential_malformed", lambda m: "a.b.c.d.e"),
    "a signature of zeros": ("token_signature", lambda m: m.headed().rpartition(".")[0] + "." + b64(b"\0" * 64)),
    "a signature in DER": ("token_signature", lambda m: m.headed().rpartition(".")[0] + "." + b64(b"\x30\x06\x02\x01\x01\x02\x01\x01")),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_a_token_that_almost_holds_is_401(stage: Stage, mint: Mint, name: str) -> None:
    reason, forge = FORGED[name]
    assert shown(stage, f"Authorization: Bearer {forge(mint)}") == (401, reason, 0)


ODD = {
    "two tokens": (["Authorization: Bearer {t}", "Authorization: Bearer {t}"], 400, "credential_ambiguous"),
    "Basic beside a token": (["Authorization: Basic eDp5", "Authorization: Bearer {t}"], 400, "credential_ambiguous"),
    "two in one field": (["Authorization: Bearer {t}, Bearer {t}"], 401, "credential_malformed"),
    "Basic": (["Authorization: Basic eDp5"], 401, "credential_scheme"),
    "DPoP without a proof": (["Authorization: DPoP {t}"], 401, "credential_scheme"),
    "no scheme": (["Authorization: {t}"], 401, "credential_scheme"),
    "a tab": (["Authorization: Bearer\t{t}"], 401, "credential_scheme"),
    "two blanks": (["Authorization: Bearer  {t}"], 401, "credential_malformed"),
    "nothing": (["Authorization:"], 401, "credential_scheme"),
}


@pytest.mark.parametrize("name", ODD)
def test_a_good_token_in_an_odd_place_is_refused(stage: Stage, name: str) -> None:
    fields, status, reason = ODD[name]
    assert shown(stage, *[field.format(t=stage.token) for field in fields]) == (status, reason, 0)


def test_a_refused_credential_is_worse_than_none_even_on_a_known_path(stage: Stage) -> None:
    reply = stage.send(b"GET /.gateway/health HTTP/1.1\r\nHost: gw\r\nConnection: close\r\nAuthorization: x\r\n\r\n")
    assert reply.status == 200  # public by nature
    assert shown(stage, "Authorization: x")[0] == 401


@pytest.mark.parametrize("role", ["user:director", "*", "signed-in", "service", "prov/market", "hostile-director"])
def test_a_role_cannot_name_a_person_or_a_word_of_the_rules(stage: Stage, mint: Mint, role: str) -> None:
    token = mint.claiming(
        sub=f"climber-{role.replace('/', '-')}", roles=[role], org="prov/market", device_id="laptop-7", acr="aal3"
    )
    reply = stage.gateway.get("/civil/households/h-1", token)
    assert (reply.status, reply.reason) == (403, "no_rule")


def test_the_twin_of_a_revoked_token_is_revoked(stage: Stage, mint: Mint) -> None:
    token = mint.claiming(sub="twin", sid="twin")
    signed, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    flipped = (ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    twin = f"{signed}.{b64(raw[:32] + flipped)}"
    assert [shown(stage, f"Authorization: Bearer {each}")[0] for each in (token, twin)] == [200, 200]
    assert stage.gateway.door("POST", "/v1/revocations", {"kind": "token", "id": token}).status == 200
    for scheme in ("Bearer", "bearer", "BEARER"):
        for each in (token, twin):
            assert shown(stage, f"Authorization: {scheme} {each}") == (401, "token_revoked", 0)


@pytest.mark.parametrize(
    ("kind", "id", "reason"),
    [
        ("session", "s-away", "session_revoked"),
        ("subject", "away", "subject_revoked"),
        ("device", "laptop-9", "device_revoked"),
    ],
)
def test_what_is_revoked_bites_on_the_next_request_of_a_warm_connection(
    stage: Stage, mint: Mint, kind: str, id: str, reason: str
) -> None:
    token = mint.claiming(sub=f"{kind}-case" if kind != "subject" else "away", sid="s-away", device_id="laptop-9")
    token = token if kind == "session" else mint.claiming(sub="away", sid=f"s-{kind}", device_id="laptop-9")
    assert shown(stage, f"Authorization: Bearer {token}")[0] == 200
    made = stage.gateway.door("POST", "/v1/revocations", {"kind": kind, "id": id})
    status, told, reached = shown(stage, f"Authorization: Bearer {token}")
    assert (status in (401, 403), told, reached) == (True, reason, 0)
    assert stage.gateway.door("DELETE", f"/v1/revocations/{made.json['id']}").status == 200


NOW = int(time.time())
REPORTS: dict[str, tuple[str, dict[str, Any]]] = {
    "another audience": ("invalid_audience", {"aud": "other"}),
    "a reporter nobody knows": ("invalid_issuer", {"iss": "stranger"}),
    "a device nobody knows": ("access_denied", {"device_id": "laptop-999"}),
    "an old report": ("invalid_request", {"iat": NOW - 9999}),
    "a report to come": ("invalid_request", {"iat": NOW + 9999}),
    "seen tomorrow": ("invalid_request", {"reported_at": NOW + 86400}),
    "a number below zero": ("invalid_request", {"sequence": -1}),
    "a number beyond numbers": ("invalid_request", {"sequence": 2**60}),
    "a misspelt claim": ("invalid_request", {"jailbrokn": False}),
    "truth as text": ("invalid_request", {"managed": "true"}),
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_that_almost_holds_changes_nothing(stage: Stage, name: str) -> None:
    err, changes = REPORTS[name]
    said = stage.gateway.report_health("laptop-7", **changes)
    assert (said.status, said.json["err"]) == (400, err)


def test_a_report_is_believed_once_and_only_from_its_reporter(stage: Stage, mint: Mint) -> None:
    now = time.time()
    report = {"iss": "mdm", "aud": "gateway", "iat": int(now), "sequence": int(now * 1000) + 5, "device_id": "laptop-8",
              "reported_at": int(now), "disk_encrypted": True, "managed": True}  # fmt: skip
    door = stage.gateway.door
    for key, typ in ((STRANGER, "posture+jwt"), (mint.key, "posture+jwt"), (stage.gateway.reporter, "at+jwt")):
        assert door("POST", "/v1/posture/reports", key.sign(report, typ), "application/jose").status == 400
    good = stage.gateway.reporter.sign(report, "posture+jwt")
    replies = [door("POST", "/v1/posture/reports", good, "application/jose") for _ in range(2)]
    assert [reply.status for reply in replies] == [202, 400]


def test_a_device_that_is_only_claimed_or_unknown_opens_nothing(stage: Stage, mint: Mint) -> None:
    for device in ("", "laptop-7 ", "LAPTOP-7", "laptop-404"):
        token = mint.claiming(sub=f"claims-{device.strip()}-{len(device)}", device_id=device)
        reply = stage.gateway.get("/civil/households/h-1", token)
        assert (reply.status, reply.reason) == (403, "device_untrusted")


# --- withdrawn while the request is under way -----------------------------------------------------


@pytest.fixture
def withdrawing(stage: Stage, mint: Mint) -> Iterator[Callable[[str], bytes]]:
    """Call it with a kind of id: it withdraws the caller of `/evil` and `/open`; lifted at the end."""
    ids = {"session": "s-under-way", "subject": "under-way", "token": "j-under-way", "device": "laptop-1"}
    made = []

    def withdraw(kind: str) -> bytes:
        said = stage.gateway.door("POST", "/v1/revocations", {"kind": kind, "id": ids[kind]})
        made.append(said.json["id"])
        return b"%d" % said.status

    yield withdraw
    for number in made:
        stage.gateway.door("DELETE", f"/v1/revocations/{number}")


def under_way(stage: Stage, mint: Mint, line: bytes, *fields: bytes) -> socket.socket:
    """A connection on which this request has begun."""
    token = mint.claiming(sub="under-way", sid="s-under-way", jti="j-under-way", device_id="laptop-1")
    connection = socket.create_connection(("127.0.0.1", stage.gateway.port), timeout=8)
    head = [line + b" HTTP/1.1", b"Host: gw", b"Connection: close", b"Authorization: Bearer " + token.encode(), *fields]
    connection.sendall(b"\r\n".join([*head, b"", b""]))
    return connection


def heard(connection: socket.socket) -> bytes:
    """All that comes until the end."""
    got = b""
    with contextlib.suppress(OSError), connection:
        while piece := connection.recv(65536):
            got += piece
    return got


def permits(stage: Stage, before: int) -> list[dict[str, Any]]:
    """The permits on record, once there are more than before."""

    def more() -> list[dict[str, Any]]:
        found = [e for e in stage.gateway.entries() if e["kind"] == "verdict" and e["outcome"] == "permit"]
        return found if len(found) > before else []

    return until(more)


@pytest.mark.parametrize("kind", ["session", "subject", "token", "device"])
@pytest.mark.parametrize("framing", [b"Content-Length: 5", b"Transfer-Encoding: chunked"], ids=["length", "chunked"])
def test_who_is_withdrawn_before_the_body_is_there_reaches_nobody(
    stage: Stage, mint: Mint, withdrawing: Callable[[str], bytes], kind: str, framing: bytes
) -> None:
    permitted, before = len(permits(stage, -1)), len(stage.service.got)
    connection = under_way(stage, mint, b"POST /evil/x", framing)
    permits(stage, permitted)  # it was judged while it was still good, and waits for its body
    assert withdrawing(kind) == b"200"
    connection.sendall(b"5\r\nhello\r\n0\r\n\r\n" if framing.startswith(b"T") else b"hello")
    got = heard(connection)
    assert (got[9:12], f'"reason":"{kind}_revoked"'.encode() in got) in ((b"401", True), (b"403", True))
    assert len(stage.service.got) == before


def test_an_upload_is_cut_once_its_caller_is_withdrawn(
    stage: Stage, mint: Mint, withdrawing: Callable[[str], bytes]
) -> None:
    permitted, before = len(permits(stage, -1)), len(stage.service.got)
    connection = under_way(stage, mint, b"POST /open/x", b"Content-Length: 200000")
    connection.sendall(b"a" * 100_000)
    permits(stage, permitted)
    withdrawing("session")
    got = heard(connection)  # without another byte from the caller
    assert (got[9:12], b'"reason":"session_revoked"' in got) == (b"401", True)
    assert len(stage.service.got) == before  # the service never had it whole


@pytest.mark.parametrize("path", [b"/evil/x", b"/open/x"], ids=["inspected", "open"])
@pytest.mark.parametrize("begun", [b"", b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: application/json\r\n\r\n1\r\n{\r\n'],
                         ids=["nothing", "the head"])  # fmt: skip
def test_what_comes_back_after_its_caller_was_withdrawn_is_kept_back(
    stage: Stage, mint: Mint, withdrawing: Callable[[str], bytes], path: bytes, begun: bytes
) -> None:
    asked, told = threading.Event(), threading.Event()

    def late(connection: socket.socket) -> None:
        connection.sendall(begun)
        asked.set()
        told.wait(8)
        rest = b'13\r\n"name":"late-words"}\r\n0\r\n\r\n'
        connection.sendall(rest if begun else answer(b'{"name":"late-words"}'))

    stage.service.answer = late
    try:
        connection = under_way(stage, mint, b"GET " + path)
        assert asked.wait(8)
        withdrawing("session")
        if begun:  # a stream is looked at ten times a second
            got = heard(connection)
            told.set()
        else:
            told.set()
            got = heard(connection)
    finally:
        told.set()
        stage.service.answer = PLAIN
    assert b"late-words" not in got
    assert b"l*****" not in got
    if not begun or path == b"/evil/x":
        assert (got[9:12], b'"reason":"session_revoked"' in got) == (b"401", True)
