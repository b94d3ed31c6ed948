from typing import Any

import pytest

from gateway.crypto.jws import Parsed, SigningKey, parse
from gateway.facts import Reason
from gateway.identity.bearer import binding, claims_fault
from tests.identity.world import AUDIENCE, ISSUER, an_issuer, claims
from tests.literals import NOW

KEY = SigningKey.generate()


def code(header: str = "at+jwt", issuer: Any = None, leeway: float = 30.0, **changes: Any) -> str:
    parsed = parse(KEY.sign(claims(**changes), header))
    assert isinstance(parsed, Parsed)
    fault = claims_fault(parsed, issuer or an_issuer(), NOW, leeway)
    return fault.code if fault else ""


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"])
def test_an_access_token_says_so(typ: str) -> None:
    assert code(typ) == ""


OTHER_TYPES = [
    "logout+jwt",
    "secevent+jwt",
    "dpop+jwt",
    "gateway+jwt",
    "kb+jwt",
    "token-introspection+jwt",
    "oauth-authz-req+jwt",
    "application/application/at+jwt",
    "at+jwt ",
    "jose",
]


@pytest.mark.parametrize("typ", [*OTHER_TYPES, "JWT", ""])
def test_another_type_is_no_access_token(typ: str) -> None:
    assert code(typ) == "token_type"


@pytest.mark.parametrize("typ", OTHER_TYPES)
def test_an_issuer_of_any_type_is_not_an_issuer_of_every_type(typ: str) -> None:
    assert code(typ, an_issuer(typ="any")) == "token_type"


@pytest.mark.parametrize("typ", ["JWT", "jwt", "", "at+jwt"])
def test_an_issuer_of_any_type_may_say_little(typ: str) -> None:
    assert code(typ, an_issuer(typ="any")) == ""


@pytest.mark.parametrize("inner", ["ID", "Refresh", "Offline", "Logout", "id_token", "", 5, None, ["Bearer"]])
def test_keycloak_says_the_type_inside(inner: Any) -> None:
    for typ, issuer in (("JWT", an_issuer(typ="any")), ("at+jwt", an_issuer())):
        for said, expected in ((inner, "token_type"), ("Bearer", "")):
            parsed = parse(KEY.sign({**claims(), "typ": said}, typ))
            assert isinstance(parsed, Parsed)
            fault = claims_fault(parsed, issuer, NOW, 30)
            assert (fault.code if fault else "") == expected


@pytest.mark.parametrize("name", ["nonce", "at_hash", "c_hash", "events", "htm", "sub_id"])
def test_what_only_other_tokens_carry_gives_away_a_token_that_does_not_say_what_it_is(name: str) -> None:
    issuer = an_issuer(typ="any")
    assert code("JWT", issuer, **{name: "x"}) == "token_type"
    assert code("", issuer, **{name: {}}) == "token_type"
    assert code("JWT", issuer, **{name: "x", "typ": "Bearer"}) == ""  # Keycloak 24 kept the nonce
    assert code("at+jwt", issuer, **{name: "x"}) == ""


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        (AUDIENCE, ""),
        ([AUDIENCE], ""),
        (["other", AUDIENCE], ""),
        ("gateway2", "token_audience"),
        ("gate", "token_audience"),
        ("my gateway", "token_audience"),
        ("Gateway", "token_audience"),
        ("gateway/", "token_audience"),
        ("", "token_audience"),
        (["gateway gateway2"], "token_audience"),
        (["*"], "token_audience"),
        (None, "token_claims"),
    ],
)
def test_the_audience_is_one_of_ours_as_a_whole(audience: Any, expected: str) -> None:
    assert code(aud=audience) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"exp": NOW + 1}, ""),
        ({"exp": NOW}, ""),
        ({"exp": NOW - 29.9}, ""),
        ({"exp": NOW - 30}, "token_expired"),
        ({"exp": NOW - 3600}, "token_expired"),
        ({"exp": 0}, "token_expired"),
        ({"exp": None}, "token_claims"),
        ({"nbf": NOW + 30}, ""),
        ({"nbf": NOW + 30.1}, "token_not_yet_valid"),
        ({"nbf": NOW - 5}, ""),
        ({"iat": NOW + 30}, ""),
        ({"iat": NOW + 31}, "token_not_yet_valid"),
        ({"iat": NOW + 86400 * 365}, "token_not_yet_valid"),
        ({"iat": None}, ""),
    ],
)
def test_times_hold_within_the_leeway(changes: dict[str, Any], expected: str) -> None:
    assert code(**changes) == expected


def test_no_leeway_is_exact() -> None:
    assert code(leeway=0, exp=NOW) == "token_expired"
    assert code(leeway=0, exp=NOW + 1, iat=NOW, nbf=NOW) == ""


def test_an_algorithm_must_be_the_issuers() -> None:
    assert code(issuer=an_issuer(algorithms=("RS256",))) == "token_algorithm"
    assert code(issuer=an_issuer(algorithms=("RS256", "ES256"))) == ""


THUMBPRINT = "A" * 43


@pytest.mark.parametrize(
    ("confirmation", "expected"),
    [
        ({"x5t#S256": THUMBPRINT}, THUMBPRINT),
        ({"jkt": THUMBPRINT}, "token_binding"),
        ({"x5t#S256": THUMBPRINT, "jkt": THUMBPRINT}, "token_binding"),
        ({"x5t#S256": THUMBPRINT, "new": 1}, "token_binding"),
        ({"jwk": {}}, "token_binding"),
        ({"kid": "x"}, "token_binding"),
        ({}, "token_binding"),
        (None, "token_binding"),
        ("x5t#S256", "token_binding"),
        ([{"x5t#S256": THUMBPRINT}], "token_binding"),
        ({"x5t#S256": ""}, "token_binding"),
        ({"x5t#S256": None}, "token_binding"),
        ({"x5t#S256": 5}, "token_binding"),
        ({"x5t#S256": "é" * 43}, "token_binding"),
        ({"X5T#S256": THUMBPRINT}, "token_binding"),
    ],
)
def test_a_binding_that_cannot_be_checked_is_refused(confirmation: Any, expected: str) -> None:
    found = binding({"iss": ISSUER, "cnf": confirmation})
    assert (found.code if isinstance(found, Reason) else found) == expected


def test_no_binding_is_no_binding() -> None:
    assert binding({"iss": ISSUER}) == ""
