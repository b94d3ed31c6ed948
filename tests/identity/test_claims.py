from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.crypto.jws import Parsed, SigningKey, parse
from gateway.facts import Grade, Reason, Subject
from gateway.identity import Claims
from gateway.identity.claims import subject
from tests.identity.world import ISSUER, an_issuer, claims
from tests.literals import NOW

KEY = SigningKey.generate("EdDSA")


def read(issuer: Any = None, **changes: Any) -> Subject | Reason:
    parsed = parse(KEY.sign(claims(**changes), "at+jwt"))
    assert isinstance(parsed, Parsed)
    return subject(parsed, issuer or an_issuer(), "digest", bound=False)


def good(issuer: Any = None, **changes: Any) -> Subject:
    found = read(issuer, **changes)
    assert isinstance(found, Subject), found
    return found


def refused(issuer: Any = None, **changes: Any) -> str:
    found = read(issuer, **changes)
    assert isinstance(found, Reason), found
    assert found.code == "token_claims"
    return found.detail


def test_a_person_with_everything_the_issuer_says() -> None:
    found = good(purpose="case-7")
    assert (found.id, found.kind, found.name, found.org) == ("zhang.wei", "person", "张伟", "prov/civil")
    assert (found.roles, found.clearance, found.assurance) == (("clerk",), Grade.IMPORTANT, 2)
    assert (found.device, found.purpose) == ("laptop-7", "case-7")
    proof = found.proof
    assert (proof.method, proof.issuer, proof.token, proof.jti) == ("bearer", ISSUER, "digest", "jti-1")
    assert (proof.session, proof.issued_at, proof.expires_at) == ("sid-1", NOW - 60, NOW + 300)
    assert (proof.authenticated_at, proof.bound) == (NOW - 120, False)


def test_what_the_issuer_does_not_say_is_empty_and_low() -> None:
    bare = {name: None for name in claims() if name not in ("iss", "aud", "sub", "exp")}
    found = good(**bare)
    assert (found.org, found.roles, found.device, found.name) == ("", (), "", "")
    assert (found.clearance, found.assurance, found.kind) == (Grade.GENERAL_1, 1, "person")


# --- whose id it is ---------------------------------------------------------------------------


def test_a_realm_keeps_the_people_of_two_issuers_apart() -> None:
    assert good(an_issuer(realm="b")).id == "b/zhang.wei"
    assert good(an_issuer(realm="b"), sub="a/zhang.wei").id == "b/a/zhang.wei"


def test_a_bare_subject_cannot_name_itself_into_a_realm() -> None:
    assert "slash" in refused(sub="b/zhang.wei")


@pytest.mark.parametrize(
    "sub", [None, " zhang.wei", "zhang.wei ", "x" * 257, "zhang\u034f.wei", "\u3164", "Jose\u0301"]
)
def test_a_subject_is_one_clean_name(sub: Any) -> None:
    assert "sub" in refused(sub=sub)


@pytest.mark.parametrize("name", ["email", "upn", "preferred_username", "sub"])
def test_an_address_with_two_at_signs_names_nobody(name: str) -> None:
    """CVE-2026-40574."""
    assert "@" in refused(**{name: "attacker@evil.example@corp.gov"})
    assert good(**{name: "zhang.wei@corp.gov"}).kind == "person"


# --- a person or a service --------------------------------------------------------------------

PERSON_ONLY = {"auth_time": None, "acr": None}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "person"),
        ({"sub": "portal", **PERSON_ONLY}, "service"),
        ({"sub": "portal", "client_id": None, "azp": "portal", **PERSON_ONLY}, "service"),
        ({"sub": "portal"}, "person"),  # signed in: a person who took a client's name
        ({"sub": "portal", "auth_time": None, "amr": ["pwd"]}, "person"),
        ({"sub": "b5c1", "preferred_username": "service-account-portal", **PERSON_ONLY}, "service"),
        ({"sub": "b5c1", "preferred_username": "service-account-other", **PERSON_ONLY}, "person"),
        ({"sub": "b5c1", "preferred_username": "service-account-None", "client_id": None}, "person"),
        ({"idtyp": "app", **PERSON_ONLY}, "service"),
        ({"gty": "client-credentials", **PERSON_ONLY}, "service"),
        ({"client_id": None, **PERSON_ONLY}, "person"),
    ],
)
def test_a_service_is_never_taken_for_a_person(changes: dict[str, Any], kind: str) -> None:
    assert good(**changes).kind == kind


@pytest.mark.parametrize(("said", "kind"), [("person", "person"), ("User", "person"), ("service", "service")])
def test_an_issuer_may_say_it_itself(said: str, kind: str) -> None:
    issuer = an_issuer(claims=Claims(kind="kind"))
    assert good(issuer, kind=said).kind == kind


@pytest.mark.parametrize("said", [None, "", "robot", 5, ["person"]])
def test_what_is_said_unclearly_is_refused(said: Any) -> None:
    assert "kind" in refused(an_issuer(claims=Claims(kind="kind")), kind=said)


# --- where claims are -------------------------------------------------------------------------


def test_a_claim_may_lie_deep() -> None:
    issuer = an_issuer(claims=Claims(roles="realm_access.roles", org="a.b.c"))
    found = good(issuer, realm_access={"roles": ["auditor"]}, a={"b": {"c": "prov"}})
    assert (found.roles, found.org) == (("auditor",), "prov")


def test_a_claim_whose_name_has_dots_is_found() -> None:
    issuer = an_issuer(claims=Claims(org="https://sso.example.gov/org"))
    assert good(issuer, **{"https://sso.example.gov/org": "prov"}).org == "prov"


@pytest.mark.parametrize("value", [None, "text", 5, [], {"other": 1}, {"roles": None}])
def test_a_path_that_leads_nowhere_gives_nothing(value: Any) -> None:
    assert good(an_issuer(claims=Claims(roles="realm_access.roles")), realm_access=value).roles == ()


def test_a_claim_that_is_not_wanted_is_not_read() -> None:
    assert good(an_issuer(claims=Claims(device="", purpose="")), purpose="x").device == ""


@pytest.mark.parametrize(
    ("value", "roles"),
    [
        (["a", "b", "a"], ("a", "b")),
        ("a b", ("a", "b")),
        ([{"value": "a"}, {"value": "b", "display": "B"}], ("a", "b")),
        ([], ()),
        ("", ()),
    ],
)
def test_roles_come_in_the_forms_issuers_use(value: Any, roles: tuple[str, ...]) -> None:
    assert good(roles=value).roles == roles


@pytest.mark.parametrize("value", [5, True, {"a": 1}, ["a", 5], ["a", None], [["a"]], [{"name": "a"}], ["a\nb"]])
def test_roles_of_another_form_refuse_the_token(value: Any) -> None:
    assert "roles" in refused(roles=value)


@pytest.mark.parametrize("name", ["org", "device_id", "sid", "purpose"])
@pytest.mark.parametrize("value", [5, ["x"], {"x": 1}, "a\r\nb: c", "a\x00", "\u202ea", "x" * 513, True])
def test_a_text_that_is_none_refuses_the_token(name: str, value: Any) -> None:
    assert name in refused(**{name: value})


@pytest.mark.parametrize(
    ("value", "name"),
    [("张 伟", "张 伟"), ("a\x1b[31mb", "a [31mb"), ("\u202eabc", "abc"), (5, ""), (["x"], ""), ("x" * 999, "x" * 256)],
)
def test_a_name_is_only_shown_and_shows_nothing_else(value: Any, name: str) -> None:
    assert good(name=value).name == name


@pytest.mark.parametrize(
    ("value", "grade"),
    [
        ("core", Grade.CORE),
        ("Core", Grade.CORE),
        ("general-2", Grade.GENERAL_2),
        ("general", Grade.GENERAL_3),
        ("重要", Grade.IMPORTANT),
        ("核心", Grade.CORE),
        ("top secret", Grade.GENERAL_1),
        ("", Grade.GENERAL_1),
        (6, Grade.GENERAL_1),
        (True, Grade.GENERAL_1),
        (["core"], Grade.GENERAL_1),
        (None, Grade.GENERAL_1),
    ],
)
def test_a_clearance_that_is_not_known_is_the_lowest(value: Any, grade: Grade) -> None:
    assert good(clearance=value).clearance is grade


@pytest.mark.parametrize(
    ("acr", "level"),
    [
        ("aal1", 1),
        ("aal2", 2),
        ("AAL3", 3),
        ("urn:gov:aal3", 3),
        ("urn:gov:cn:aal:2", 2),
        ("http://idmanagement.gov/ns/assurance/aal/3", 3),
        ("loa2", 2),
        ("loa4", 3),
        ("0", 0),
        ("2", 2),
        ("3", 3),
        ("4", 1),
        ("http://idmanagement.gov/ns/assurance/ial/3", 1),  # how well they were enrolled, not signed in
        ("aal33", 1),
        ("notaal3", 1),
        ("silver", 1),
        ("", 1),
        (3, 1),
        (["aal3"], 1),
        (None, 1),
    ],
)
def test_assurance_by_the_usual_spellings(acr: Any, level: int) -> None:
    assert good(acr=acr).assurance == level


def test_assurance_by_the_issuers_own_table() -> None:
    issuer = an_issuer(acr={"urn:silver": 2, "urn:gold": 3, "nothing": 0})
    assert [good(issuer, acr=acr).assurance for acr in ("urn:silver", "urn:gold", "nothing", "aal3")] == [2, 3, 0, 1]


def test_several_factors_without_a_class_are_worth_two() -> None:
    assert good(acr=None, amr=["pwd", "mfa"]).assurance == 2
    assert good(acr=None, amr="mfa").assurance == 1
    assert good(acr="aal1", amr=["mfa"]).assurance == 1


JSON = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8) | st.lists(st.text(), max_size=3)
NAMES = ["sub", "org", "roles", "name", "clearance", "acr", "amr", "sid", "client_id", "email", "cnf"]


@given(st.dictionaries(st.sampled_from(NAMES), JSON | st.dictionaries(st.text(max_size=3), JSON, max_size=2)))
def test_no_claims_do_more_than_be_refused(changes: dict[str, Any]) -> None:
    parsed = parse(KEY.sign({**claims(), **changes}, "at+jwt"))
    if isinstance(parsed, Parsed):
        found = subject(parsed, an_issuer(), "digest", bound=False)
        if isinstance(found, Subject):
            for text in (found.id, found.org, found.name, found.device, found.proof.session, *found.roles):
                assert text.isprintable()
            assert found.id
