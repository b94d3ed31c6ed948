import base64
import json
from urllib.parse import unquote

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.crypto.jws import SigningKey
from gateway.facts import ANONYMOUS, Grade, Posture, Risk
from gateway.upstream.assertion import Asserter, plain
from gateway.upstream.settings import Assertion
from tests.literals import NOW, a_posture, a_proof, a_subject, a_warrant, an_ask, an_asset, some_facts

KEY = SigningKey.generate()


def warrant(**facts):
    return a_warrant(facts=some_facts(**facts))


def lines(block):
    assert block.endswith(b"\r\n")
    return dict(line.split(b": ", 1) for line in block.decode().encode().split(b"\r\n")[:-1])


def claims(block):
    token = lines(block)[b"x-gateway-assertion"].decode()
    assert jwt.get_unverified_header(token)["typ"] == "gateway+jwt"
    key = jwt.PyJWK(KEY.public_jwk())
    return jwt.decode(
        token, key, algorithms=["ES256"], options={"verify_exp": False, "verify_aud": False, "verify_iat": False}
    )


def an_asserter(**changes):
    return Asserter(Assertion(issuer="https://api.example.gov", **changes), KEY)


def test_the_assertion_says_who_with_what_assurance_from_what():
    said = claims(an_asserter().headers(warrant(), "civil-households"))
    assert len(said.pop("jti")) == 16
    assert said == {
        "iss": "https://api.example.gov", "aud": "civil-households", "sub": "zhang.wei", "iat": int(NOW), "exp": int(NOW) + 60,
        "kind": "person", "name": "张伟", "org": "prov/civil", "roles": ["clerk"], "acr": "aal2", "amr": ["bearer"],
        "dev": {"id": "laptop-7", "trust": "managed"}, "risk": "normal", "cls": "important",
    }  # fmt: skip


def test_identity_headers_are_sent_even_when_there_is_nothing_to_say():
    block = an_asserter().headers(warrant(subject=ANONYMOUS, posture=Posture()), "civil-households")
    said = lines(block)
    assert list(said) == [
        b"x-gateway-assertion", b"x-gateway-subject", b"x-gateway-roles", b"x-gateway-org", b"x-gateway-device",
    ]  # fmt: skip
    assert set(list(said.values())[1:]) == {b""}
    assert claims(block)["kind"] == "anonymous"


def test_one_assertion_is_reused_for_half_a_minute_and_no_longer():
    asserter = an_asserter()
    at = [asserter.headers(warrant(ask=an_ask(at=NOW + after)), "civil") for after in (0, 29.9, 30, 31)]
    assert at[0] is at[1]
    assert at[1] != at[2]
    assert at[2] is at[3]


def test_a_clock_that_steps_back_makes_a_new_one():
    asserter = an_asserter()
    first = asserter.headers(warrant(), "civil")
    assert asserter.headers(warrant(ask=an_ask(at=NOW - 3600)), "civil") != first


@pytest.mark.parametrize(
    "facts",
    [
        {"subject": a_subject(id="li.na")},
        {"subject": a_subject(proof=a_proof(token="another"))},
        {"subject": a_subject(assurance=3)},
        {"subject": a_subject(roles=("clerk", "auditor"))},
        {"subject": a_subject(org="prov/health")},
        {"posture": a_posture(device="laptop-8")},
        {"posture": a_posture(trust="compromised")},
        {"risk": Risk(50.0, "limit")},
        {"asset": an_asset(grade=Grade.CORE)},
    ],
)
def test_any_change_of_the_caller_makes_a_new_one(facts):
    asserter = an_asserter()
    first = asserter.headers(warrant(), "civil")
    assert claims(asserter.headers(warrant(**facts), "civil"))["jti"] != claims(first)["jti"]


def test_each_service_gets_its_own():
    asserter = an_asserter()
    assert {claims(asserter.headers(warrant(), name))["aud"] for name in ("civil", "tax")} == {"civil", "tax"}


def test_it_may_be_bound_to_one_request():
    asserter = an_asserter(per_request=True)
    first, second = (claims(asserter.headers(warrant(), "civil")) for _ in range(2))
    assert first["jti"] != second["jti"]
    assert first["dec"] == "20260921T133320-w0-abc123.7"
    assert first["req"]["m"] == "GET"
    assert len(base64.urlsafe_b64decode(first["req"]["p_sha256"] + "=")) == 32


def test_the_cache_is_bounded_and_forgets_the_oldest():
    asserter = an_asserter(cache_entries=3)
    made = [asserter.headers(warrant(subject=a_subject(id=f"u{n}")), "civil") for n in range(4)]
    assert asserter.headers(warrant(subject=a_subject(id="u3")), "civil") is made[3]
    assert asserter.headers(warrant(subject=a_subject(id="u0")), "civil") is not made[0]


def test_a_comma_in_a_role_does_not_make_two_roles():
    block = an_asserter().headers(warrant(subject=a_subject(roles=("clerk,admin", "读者"))), "civil")
    assert lines(block)[b"x-gateway-roles"] == b"clerk%2Cadmin,%E8%AF%BB%E8%80%85"


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("zhang.wei", "zhang.wei"),
        ("CN=Zhang Wei,OU=civil", "CN=Zhang Wei,OU=civil"),
        ("张伟", "%E5%BC%A0%E4%BC%9F"),
        ("a%41", "a%2541"),
        (" admin", "%20admin"),
        ("admin ", "admin%20"),
        ("a\r\nx-gateway-roles: admin", "a%0D%0Ax-gateway-roles:%20admin"),
        ("a\tb\x00\x7f", "a%09b%00%7F"),
        ("", ""),
    ],
)
def test_values_are_unambiguous(value, sent):
    assert plain(value) == sent


@given(st.text())
def test_every_value_is_one_printable_line_that_can_be_read_back(value):
    sent = plain(value)
    assert sent.isascii()
    assert sent.isprintable()
    assert sent == sent.strip()
    assert unquote(sent) == value


@given(st.lists(st.text(min_size=1), max_size=4))
def test_roles_can_be_read_back(roles):
    block = an_asserter(cache_entries=1).headers(warrant(subject=a_subject(roles=tuple(roles))), "civil")
    sent = lines(block)[b"x-gateway-roles"].decode()
    assert [unquote(role) for role in sent.split(",")] == (roles or [""])


def test_the_payload_is_json_without_secrets():
    token = lines(an_asserter().headers(warrant(), "civil"))[b"x-gateway-assertion"].split(b".")[1]
    assert "t0k3nd1gest" not in json.dumps(json.loads(base64.urlsafe_b64decode(token + b"==")))
