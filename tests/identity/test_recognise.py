import asyncio
import hashlib
import hmac
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from gateway.crypto.digest import b64url, token_id, unb64url
from gateway.crypto.jws import SigningKey
from gateway.facts import ANONYMOUS, Certificate, Reason
from gateway.identity import Claims, Issuer
from gateway.reasons import REASONS
from tests.identity.world import AUDIENCE, ISSUER, JWKS, World, an_issuer, bearing, claims, down, jwks
from tests.literals import NOW, an_ask

pytestmark = pytest.mark.anyio

THUMBPRINT = b64url(hashlib.sha256(b"certificate").digest())
CERTIFICATE = Certificate(b"certificate", THUMBPRINT, "tls")
OTHER = Certificate(b"other", b64url(hashlib.sha256(b"other").digest()), "tls")


async def test_a_good_token_is_somebody() -> None:
    world = World()
    token = world.token()
    subject = await world.recognise(token)
    assert (subject.id, subject.kind, subject.rejection) == ("zhang.wei", "person", None)
    assert subject.proof.token == token_id(token)
    assert token.rpartition(".")[2] not in repr(subject)


@pytest.mark.parametrize("alg", ["ES256", "EdDSA"])
async def test_the_second_time_costs_no_signature(alg: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(alg=alg)
    token = world.token()
    first = await world.recognise(token)
    monkeypatch.setattr("gateway.identity.recognise.verify", None)  # would break if it were asked
    assert await world.recognise(token) == first


async def test_nobody_is_anonymous() -> None:
    assert await World().recogniser.recognise(an_ask()) is ANONYMOUS


# --- what is shown ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        (b"", "credential_scheme"),
        (b"Bearer", "credential_scheme"),
        (b"bearer", "credential_scheme"),
        (b"Bearer ", "credential_malformed"),
        (b"Bearer x", "credential_malformed"),
        (b"Bearer  TOKEN", "credential_malformed"),
        (b"Bearer TOKEN ", "credential_malformed"),
        (b"Bearer TOKEN, Bearer TOKEN", "credential_malformed"),
        (b"Bearer\tTOKEN", "credential_scheme"),
        (b"Bearer=TOKEN", "credential_scheme"),
        (b" Bearer TOKEN", "credential_scheme"),
        (b"Basic emhhbmc6c2VjcmV0", "credential_scheme"),
        (b"DPoP TOKEN", "credential_scheme"),
        (b"Negotiate TOKEN", "credential_scheme"),
        (b"TOKEN", "credential_scheme"),
        (b"\xff\xfe", "credential_scheme"),
        (b"Bearer " + b"\xff" * 100, "credential_malformed"),
        (b"Bearer " + b"a" * 10_000, "credential_malformed"),
    ],
)
async def test_a_credential_that_is_not_a_bearer_token_is_never_anonymous(values: tuple[bytes, str]) -> None:
    world = World()
    raw, code = values
    shown = raw.replace(b"TOKEN", world.token().encode())
    subject = await world.recogniser.recognise(an_ask(headers=((b"authorization", shown),)))
    assert subject.rejection is not None
    assert subject.rejection.code == code
    assert code in REASONS


@pytest.mark.parametrize("scheme", [b"Bearer ", b"bearer ", b"BEARER "])
async def test_the_scheme_has_no_case(scheme: bytes) -> None:
    world = World()
    ask = an_ask(headers=((b"authorization", scheme + world.token().encode()),))
    assert (await world.recogniser.recognise(ask)).id == "zhang.wei"


async def test_two_credentials_are_refused_even_when_equal() -> None:
    world = World()
    value = b"Bearer " + world.token().encode()
    for second in (value, b"", b"Basic x"):
        ask = an_ask(headers=((b"authorization", value), (b"accept", b"*/*"), (b"authorization", second)))
        subject = await world.recogniser.recognise(ask)
        assert subject.rejection is not None
        assert subject.rejection.code == "credential_ambiguous"


async def test_a_token_elsewhere_is_no_credential() -> None:
    world = World()
    token = world.token()
    ask = an_ask(query=f"access_token={token}", headers=((b"x-authorization", b"Bearer " + token.encode()),))
    assert await world.recogniser.recognise(ask) is ANONYMOUS


# --- hostile tokens ---------------------------------------------------------------------------


async def test_every_changed_letter_is_refused() -> None:
    world = World(alg="EdDSA")
    token = world.token()
    assert await world.code(token) == ""
    for place, letter in enumerate(token):
        for other in ("A", "z", "_", "."):
            if other != letter:
                changed = token[:place] + other + token[place + 1 :]
                assert await world.code(changed) != "", (place, other)


HOSTILE: dict[str, tuple[dict[str, Any], str, str]] = {
    "issuer of others": ({"iss": "https://evil.example"}, "at+jwt", "token_issuer"),
    "issuer, a part of ours": ({"iss": ISSUER[:-1]}, "at+jwt", "token_issuer"),
    "issuer, ours with more": ({"iss": ISSUER + "/"}, "at+jwt", "token_issuer"),
    "issuer in capitals": ({"iss": ISSUER.upper()}, "at+jwt", "token_issuer"),
    "no issuer": ({"iss": None}, "at+jwt", "token_claims"),
    "no audience": ({"aud": None}, "at+jwt", "token_claims"),
    "audience of others": ({"aud": "gateway-2"}, "at+jwt", "token_audience"),
    "no expiry": ({"exp": None}, "at+jwt", "token_claims"),
    "expired": ({"exp": int(NOW) - 31}, "at+jwt", "token_expired"),
    "of tomorrow": ({"nbf": int(NOW) + 86400}, "at+jwt", "token_not_yet_valid"),
    "no subject": ({"sub": None}, "at+jwt", "token_claims"),
    "identity token": ({"typ": "ID"}, "at+jwt", "token_type"),
    "logout token": ({}, "logout+jwt", "token_type"),
    "no type": ({}, "JWT", "token_type"),
    "bound to a DPoP key": ({"cnf": {"jkt": "A" * 43}}, "at+jwt", "token_binding"),
    "bound to nothing": ({"cnf": {}}, "at+jwt", "token_binding"),
}


@pytest.mark.parametrize(("changes", "typ", "code"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_signed_token_is_still_judged(changes: dict[str, Any], typ: str, code: str) -> None:
    world = World()
    token = world.token(typ, **changes)
    assert await world.code(token) == code
    assert await world.code(token) == code  # remembered or not, the answer is the same
    assert code in REASONS


async def test_a_signature_of_another_key_is_refused() -> None:
    world = World()
    forged = SigningKey.load(SigningKey.generate().pem(), kid=world.key.kid)
    assert await world.code(forged.sign(claims(), "at+jwt")) == "token_signature"


async def test_an_unknown_key_is_refused() -> None:
    assert await World().code(SigningKey.generate().sign(claims(), "at+jwt")) == "token_key_unknown"


async def test_the_public_key_as_a_secret_opens_nothing() -> None:
    world = World()
    pem = world.key.public().key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _, payload, _ = world.token().split(".")
    signed = f"{b64url(_header(world, 'HS256'))}.{payload}"
    mac = b64url(hmac.digest(pem, signed.encode(), "sha256"))
    assert await world.code(f"{signed}.{mac}") == "token_algorithm"
    for alg in ("none", "None", "nOnE"):
        assert await world.code(f"{b64url(_header(world, alg))}.{payload}.AAAA") == "token_algorithm"


def _header(world: World, alg: str) -> bytes:
    return f'{{"alg":"{alg}","kid":"{world.key.kid}","typ":"at+jwt"}}'.encode()


async def test_a_header_of_another_algorithm_is_refused() -> None:
    world = World()
    _, payload, signature = world.token().split(".")
    for alg in ("RS256", "ES384", "EdDSA"):
        token = f"{b64url(_header(world, alg))}.{payload}.{signature}"
        assert await world.code(token) == "token_algorithm"


async def test_claims_that_disagree_with_themselves_are_refused_before_anything_is_computed() -> None:
    world = World()
    header, _, signature = world.token().split(".")
    payload = b'{"iss":"' + ISSUER.encode() + b'","sub":"zhang.wei","sub":"admin","aud":"gateway","exp":1790000300}'
    assert await world.code(f"{header}.{b64url(payload)}.{signature}") == "credential_malformed"
    assert world.site.asked == []


async def test_no_bytes_in_the_header_are_anybody() -> None:
    world = World()
    good = b"Bearer " + world.token().encode()

    @given(st.binary(max_size=120) | st.builds(lambda cut, junk: good[:cut] + junk, st.integers(0, 400), st.binary()))
    def refused(value: bytes) -> None:
        answer = world.recogniser.recognise(an_ask(headers=((b"authorization", value),)))
        with pytest.raises(StopIteration) as done:
            answer.send(None)  # nothing here waits for a key set
        subject = done.value.value
        assert subject.rejection is not None
        assert (subject.id, subject.kind) == ("", "anonymous")

    refused()


# --- two issuers ------------------------------------------------------------------------------

SECOND = "https://idp.city.example"
SECOND_JWKS = f"{SECOND}/keys"


def two() -> tuple[World, SigningKey]:
    issuers = (an_issuer(), Issuer(SECOND, (AUDIENCE,), SECOND_JWKS, realm="city", claims=Claims(org="")))
    world, key = World(issuers), SigningKey.generate()
    world.site.pages[SECOND_JWKS] = jwks(key)
    return world, key


async def test_each_issuer_speaks_for_its_own() -> None:
    world, key = two()
    assert (await world.recognise(world.token())).id == "zhang.wei"
    assert (await world.recognise(key.sign(claims(iss=SECOND), "at+jwt"))).id == "city/zhang.wei"


async def test_keys_belong_to_their_issuer() -> None:
    world, key = two()
    assert await world.code(key.sign(claims(), "at+jwt")) == "token_key_unknown"
    assert await world.code(world.key.sign(claims(iss=SECOND), "at+jwt")) == "token_key_unknown"
    same_id = SigningKey.load(key.pem(), kid=world.key.kid)
    assert await world.code(same_id.sign(claims(), "at+jwt")) == "token_signature"


async def test_one_issuer_down_is_no_matter_to_the_other() -> None:
    world, key = two()
    world.site.pages[SECOND_JWKS] = down()
    assert await world.code(key.sign(claims(iss=SECOND), "at+jwt")) == "identity_unavailable"
    assert await world.code(world.token()) == ""


# --- what is remembered, and for how long -----------------------------------------------------


async def test_a_remembered_token_still_expires() -> None:
    world = World()
    token = world.token(exp=int(NOW) + 10)
    assert await world.code(token, at=NOW) == ""
    assert await world.code(token, at=NOW + 39.9) == ""  # within the leeway
    assert await world.code(token, at=NOW + 40) == "token_expired"


async def test_a_removed_key_ends_what_it_had_signed() -> None:
    world = World()
    world.site.headers = {"cache-control": "max-age=60"}
    token = world.token()
    assert await world.code(token) == ""
    world.site.pages[JWKS] = jwks(SigningKey.generate())
    world.time.now += 60
    assert await world.code(token) == "token_key_unknown"


async def test_a_new_generation_is_noticed_by_a_remembered_token_at_once() -> None:
    world = World()
    token = world.token()
    assert await world.code(token) == ""
    world.site.pages[JWKS] = jwks(SigningKey.generate())
    await world.recogniser._rings[ISSUER].load()
    assert await world.code(token) == "token_key_unknown"


async def test_a_rotated_key_is_good_at_once_and_a_refusal_is_forgotten() -> None:
    world = World()
    assert await world.code(world.token()) == ""
    following = SigningKey.generate()
    token = following.sign(claims(), "at+jwt")
    assert await world.code(token) == "token_key_unknown"
    world.site.pages[JWKS] = jwks(world.key, following)
    world.time.now += 31
    assert await world.code(token) == ""
    assert await world.code(world.token()) == ""


async def test_a_remembered_token_is_looked_at_again_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    token = world.token()
    assert await world.code(token) == ""
    monkeypatch.setattr("gateway.identity.recognise.verify", lambda parsed, key: False)
    world.time.now += 59
    assert await world.code(token) == ""
    world.time.now += 2
    assert await world.code(token) == "token_signature"


async def test_a_wall_clock_set_back_does_not_keep_a_token() -> None:
    world = World()
    token = world.token()
    assert await world.code(token, at=NOW) == ""
    world.time.now += 61
    assert await world.code(token, at=NOW - 7200) == "token_not_yet_valid"


async def test_a_flood_of_one_bad_token_buys_one_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    forged = SigningKey.load(SigningKey.generate().pem(), kid=world.key.kid).sign(claims(), "at+jwt")
    assert await world.code(forged) == "token_signature"
    monkeypatch.setattr("gateway.identity.recognise.verify", None)
    for _ in range(1000):
        assert await world.code(forged) == "token_signature"


async def test_a_flood_of_unknown_keys_is_a_handful_of_fetches() -> None:
    world = World()
    assert await world.code(world.token()) == ""
    for number in range(50):
        key = SigningKey.load(world.key.pem(), kid=f"invented-{number}")
        assert await world.code(key.sign(claims(), "at+jwt")) == "token_key_unknown"
    assert len(world.site.asked) <= 5


async def test_a_token_too_early_is_not_held_against_it() -> None:
    world = World()
    token = world.token(nbf=int(NOW) + 40)
    assert await world.code(token, at=NOW) == "token_not_yet_valid"
    assert await world.code(token, at=NOW + 11) == ""


async def test_an_issuer_that_comes_back_is_not_held_against_the_token() -> None:
    world = World()
    world.site.pages[JWKS] = down()
    token = world.token()
    assert await world.code(token) == "identity_unavailable"
    world.site.pages[JWKS] = jwks(world.key)
    world.time.now += 2
    assert await world.code(token) == ""


async def test_memory_is_bounded() -> None:
    world = World(alg="EdDSA", cache_entries=10)
    for number in range(50):
        assert await world.code(world.token(jti=f"jti-{number}")) == ""
    assert len(world.recogniser._verified) <= 12


async def test_known_tokens_are_good_while_the_issuer_is_down() -> None:
    world = World()
    assert await world.code(world.token()) == ""
    world.site.pages[JWKS] = down()
    world.time.now += 3600
    assert await world.code(world.token(jti="another")) == ""


# --- what a token is bound to -----------------------------------------------------------------


async def test_a_bound_token_needs_its_certificate_each_time() -> None:
    world = World()
    token = world.token(cnf={"x5t#S256": THUMBPRINT})
    for _ in range(2):  # verified, then remembered
        assert await world.code(token, certificate=None) == "token_binding"
        assert await world.code(token, certificate=OTHER) == "token_binding"
        assert await world.code(token, certificate=CERTIFICATE) == ""
    subject = await world.recognise(token, certificate=CERTIFICATE)
    assert subject.proof.bound


async def test_a_token_bound_to_nothing_says_so() -> None:
    world = World()
    subject = await world.recognise(world.token(), certificate=CERTIFICATE)
    assert (subject.id, subject.proof.bound, subject.proof.method) == ("zhang.wei", False, "bearer")


# --- what was withdrawn -----------------------------------------------------------------------


async def test_a_revocation_reaches_a_remembered_token_and_is_lifted_again() -> None:
    world = World()
    token = world.token()
    assert await world.code(token) == ""
    world.withdrawn.subjects["zhang.wei"] = Reason("subject_revoked")
    for _ in range(2):
        subject = await world.recognise(token)
        assert subject.rejection == Reason("subject_revoked")
        assert subject.id == "zhang.wei"  # proven: the record may name them
    world.withdrawn.subjects.clear()
    assert await world.code(token) == ""


async def test_revocations_are_asked_on_each_request() -> None:
    world = World()
    token = world.token()
    for _ in range(5):
        await world.recognise(token)
    assert world.withdrawn.asked == 5


async def test_the_twin_of_a_revoked_token_is_revoked() -> None:
    world = World()
    token = world.token(jti=None)
    subject = await world.recognise(token)
    world.withdrawn.tokens[subject.proof.token] = Reason("token_revoked")
    signed, _, text = token.rpartition(".")
    signature = unb64url(text)
    assert signature is not None
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    s = order - int.from_bytes(signature[32:], "big")
    twin = f"{signed}.{b64url(signature[:32] + s.to_bytes(32, 'big'))}"
    assert (await world.recognise(twin)).rejection == Reason("token_revoked")


# --- life of the room -------------------------------------------------------------------------


async def test_start_brings_the_keys_and_close_leaves_nothing_behind() -> None:
    world = World()
    before = len(asyncio.all_tasks())
    await world.recogniser.start()
    assert world.recogniser.ages() == {ISSUER: 0.0}
    assert world.site.asked == [JWKS]
    assert await world.code(world.token()) == ""
    await world.recogniser.close()
    assert len(asyncio.all_tasks()) == before


async def test_start_does_not_wait_for_a_dead_issuer() -> None:
    world = World()
    world.site.pages[JWKS] = down()
    await world.recogniser.start()
    assert world.recogniser.ages() == {ISSUER: None}
    assert (await world.recogniser.recognise(bearing(world.token()))).rejection is not None
    await world.recogniser.close()
