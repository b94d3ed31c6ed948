import base64
import hashlib
import hmac
import json
import time
import zlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from gateway.crypto.digest import b64url, token_id, unb64url
from gateway.crypto.jws import (
    MAX_BYTES,
    Parsed,
    Refused,
    SigningKey,
    VerificationKey,
    admit,
    parse,
    verify,
    verify_bytes,
)

KEY = SigningKey.generate("ES256")
ED = SigningKey.generate("EdDSA")
CLAIMS: dict[str, Any] = {"iss": "https://sso", "sub": "zhang.wei", "aud": ["gateway"], "exp": 1790000300}


def raw_token(header: bytes, payload: bytes, signature: bytes = b"s" * 64) -> str:
    return f"{b64url(header)}.{b64url(payload)}.{b64url(signature)}"


def signing_input(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return f"{b64url(json.dumps(header).encode())}.{b64url(json.dumps(claims).encode())}"


def hostile(header: dict[str, Any] | None = None, claims: dict[str, Any] | None = None) -> str:
    """A token whose signature holds, with a header and claims that should not."""
    full = {"alg": "ES256", "kid": KEY.kid, "typ": "at+jwt"} | (header or {})
    signed = signing_input(full, CLAIMS | (claims or {}))
    return f"{signed}.{b64url(KEY.sign_bytes(signed.encode()))}"


def code(token: str | bytes) -> str:
    read = parse(token)
    return read.code if isinstance(read, Refused) else ""


@pytest.mark.parametrize("key", [KEY, ED], ids=["ES256", "EdDSA"])
def test_what_is_signed_reads_and_verifies(key: SigningKey) -> None:
    read = parse(key.sign(CLAIMS, "at+jwt"))
    assert isinstance(read, Parsed)
    assert (read.kid, read.alg, read.typ) == (key.kid, key.alg, "at+jwt")
    assert read.claims == CLAIMS
    assert verify(read, key.public())


def test_the_type_is_compared_as_a_media_type() -> None:
    read = parse(KEY.sign(CLAIMS, "application/AT+JWT"))
    assert isinstance(read, Parsed)
    assert read.typ == "at+jwt"


def test_another_key_does_not_verify() -> None:
    read = parse(KEY.sign(CLAIMS, "at+jwt"))
    assert isinstance(read, Parsed)
    assert not verify(read, SigningKey.generate("ES256").public())
    assert not verify(read, ED.public())


MALFORMED = {
    "empty": "",
    "one part": "aaaa",
    "two parts": "aaaa.bbbb",
    "four parts": KEY.sign(CLAIMS, "x") + ".aaaa",
    "an encrypted token": "aaaa.bbbb.cccc.dddd.eeee",
    "no signature": KEY.sign(CLAIMS, "x").rpartition(".")[0] + ".",
    "no header": "." + KEY.sign(CLAIMS, "x").partition(".")[2],
    "a space in front": " " + KEY.sign(CLAIMS, "x"),
    "a line end behind": KEY.sign(CLAIMS, "x") + "\n",
    "padding": KEY.sign(CLAIMS, "x") + "==",
    "a nul": KEY.sign(CLAIMS, "x") + "\x00",
    "two tokens": KEY.sign(CLAIMS, "x") + "," + KEY.sign(CLAIMS, "x"),
    "json serialisation": json.dumps({"payload": "e30", "signatures": []}),
    "letters beyond ASCII": "é" * 30,
    "full-width letters": "ａｂｃ.ａｂｃ.ａｂｃ",
    "a header of bytes": raw_token(b"\xff\xfe", b"{}"),
    "a byte order mark": raw_token(b"\xef\xbb\xbf" + b'{"alg":"ES256"}', b"{}"),
    "a header in UTF-16": raw_token('{"alg":"ES256"}'.encode("utf-16"), b"{}"),
    "claims in UTF-16": raw_token(b'{"alg":"ES256"}', '{"sub":"a"}'.encode("utf-16")),
    "claims with a mark": raw_token(b'{"alg":"ES256"}', b'\xef\xbb\xbf{"sub":"a"}'),
    "claims as a list": raw_token(b'{"alg":"ES256"}', b"[]"),
    "claims as text": raw_token(b'{"alg":"ES256"}', b"foo"),
    "a claim twice": raw_token(b'{"alg":"ES256"}', b'{"sub":"a","sub":"admin"}'),
    "an algorithm twice": raw_token(b'{"alg":"ES256","alg":"none"}', b"{}"),
    "an infinite number": raw_token(b'{"alg":"ES256"}', b'{"exp":1e400}'),
    "depth": raw_token(b'{"alg":"ES256"}', b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}"),
    "crit": hostile({"crit": ["bork"], "bork": True}),
    "crit, empty": hostile({"crit": []}),
    "unencoded payload": hostile({"b64": False, "crit": ["b64"]}),
    "unencoded payload without crit": hostile({"b64": False}),
    "zip": hostile({"zip": "DEF"}),
    "a key brought along": hostile({"jwk": KEY.public_jwk()}),
    "a key pointed to": hostile({"jku": "https://evil.example/jwks"}),
    "a certificate brought along": hostile({"x5c": ["MIIB"]}),
    "a certificate pointed to": hostile({"x5u": "https://evil.example/cert"}),
    "key id of a list": hostile({"kid": ["a"]}),
    "key id of a number": hostile({"kid": 1}),
    "key id without end": hostile({"kid": "k" * 257}),
    "key id with a line end": hostile({"kid": "a\r\nx: y"}),
    "key id with a nul": hostile({"kid": "a\x00"}),
    "type of a number": hostile({"typ": 1}),
}


@pytest.mark.parametrize("token", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_token_that_can_be_read_in_two_ways_is_not_read(token: str) -> None:
    assert code(token) == "credential_malformed"


ALGORITHMS = ["none", "None", "NONE", "nOnE", "", "HS256", "HS512", "es256", "ES256 ", "ES256K", "dir", "A128KW", "RS1"]


@pytest.mark.parametrize("alg", [*ALGORITHMS, None, 1, ["ES256"], {"ES256": 1}, True])
def test_an_algorithm_is_accepted_by_its_exact_name_only(alg: Any) -> None:
    assert code(hostile({"alg": alg})) == "token_algorithm"


def test_a_public_key_is_no_shared_secret() -> None:
    """CVE-2022-29217: HS256 with the PEM that everybody may have."""
    signed = signing_input({"alg": "HS256"}, CLAIMS)
    pem = KEY.public().key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    mac = hmac.digest(pem, signed.encode(), "sha256")
    assert code(f"{signed}.{b64url(mac)}") == "token_algorithm"


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES384", "EdDSA"])
def test_the_header_does_not_choose_the_algorithm(alg: str) -> None:
    """CVE-2026-48523: the allow-list looked at the header, the verification at the key."""
    read = parse(hostile({"alg": alg}))
    assert isinstance(read, Parsed)
    assert not verify(read, KEY.public())


def test_one_key_has_one_algorithm_even_where_the_mathematics_would_hold() -> None:
    private = rsa.generate_private_key(65537, 2048)
    public = private.public_key()
    signed = signing_input({"alg": "RS256"}, {})
    read = parse(f"{signed}.{b64url(private.sign(signed.encode(), padding.PKCS1v15(), SHA256()))}")
    assert isinstance(read, Parsed)
    assert verify(read, VerificationKey("r", "RS256", public))
    assert not verify(read, VerificationKey("r", "PS256", public))
    assert not verify(read, VerificationKey("r", "RS512", public))


BAD_CLAIMS: dict[str, tuple[str, Any]] = {
    "expiry as text": ("exp", "1790000300"),
    "expiry as truth": ("exp", True),
    "expiry null": ("exp", None),
    "expiry as a list": ("exp", [1790000300]),
    "expiry below zero": ("exp", -1),
    "expiry beyond all calendars": ("exp", 10**300),
    "beginning as text": ("nbf", "0"),
    "issue as truth": ("iat", False),
    "sign-in as text": ("auth_time", "now"),
    "audience of a number": ("aud", 5),
    "audience null": ("aud", None),
    "audience with a number": ("aud", ["gateway", 5]),
    "audience of nobody": ("aud", []),
    "audience as an object": ("aud", {"gateway": True}),
    "subject of a number": ("sub", 5),
    "subject empty": ("sub", ""),
    "subject null": ("sub", None),
    "subject of a list": ("sub", ["zhang.wei"]),
    "subject with a line end": ("sub", "a\r\nx-role: admin"),
    "subject with a nul": ("sub", "zhang.wei\x00"),
    "subject turned around": ("sub", "\u202eiew.gnahz"),
    "subject of width zero": ("sub", "zhang\u200b.wei"),
    "issuer of a list": ("iss", ["https://sso"]),
    "id of a number": ("jti", 5),
}


@pytest.mark.parametrize(("name", "value"), BAD_CLAIMS.values(), ids=BAD_CLAIMS.keys())
def test_a_registered_claim_has_its_registered_type(name: str, value: Any) -> None:
    assert code(hostile(claims={name: value})) == "token_claims"


def test_times_may_have_a_fraction() -> None:
    assert code(hostile(claims={"exp": 1790000300.5, "iat": 1790000000.25})) == ""


def test_size_is_looked_at_before_anything_else() -> None:
    """CVE-2025-61920: a header of hundreds of megabytes."""
    huge = "A" * 200_000_000
    began = time.perf_counter()
    assert code(huge) == "credential_malformed"
    assert time.perf_counter() - began < 0.05
    fits = KEY.sign(CLAIMS, "x")
    assert code(fits + "A" * (MAX_BYTES - len(fits) + 1)) == "credential_malformed"
    assert isinstance(parse(fits, limit=len(fits)), Parsed)
    assert isinstance(parse(fits, limit=len(fits) - 1), Refused)


def test_a_bomb_is_refused_unexploded() -> None:
    bomb = zlib.compress(b"A" * 10_000_000)
    assert code(raw_token(b'{"alg":"ES256","zip":"DEF"}', bomb[:4000])) == "credential_malformed"


def test_every_changed_letter_is_noticed() -> None:
    """Exhaustive over places: replace, drop or double each letter of a token."""
    token = ED.sign({"iss": "a", "sub": "b", "exp": 5}, "at+jwt")
    public = ED.public()
    for place, letter in enumerate(token):
        for other in ("A", "Q", "-", "_", "", letter * 2, ".", "%", "\n"):
            if other == letter:
                continue
            read = parse(token[:place] + other + token[place + 1 :])
            assert isinstance(read, Refused) or not verify(read, public), (place, other)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_no_bytes_do_more_than_be_refused(token: bytes | str) -> None:
    assert isinstance(parse(token), Refused)


@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=80))
def test_no_parts_do_more_than_be_refused(header: bytes, payload: bytes, signature: bytes) -> None:
    read = parse(raw_token(header, payload, signature))
    assert isinstance(read, Refused) or not verify(read, KEY.public())


@pytest.mark.parametrize("signature", [b"", b"\x00", b"\x00" * 64, b"\xff" * 64, b"\x00" * 65, b"\x00" * 1000])
def test_a_signature_of_any_shape_is_only_wrong(signature: bytes) -> None:
    for key in (KEY, ED):
        assert not verify_bytes(b"data", signature, key.public())


def test_the_twin_of_an_ecdsa_signature_has_the_same_token_id() -> None:
    token = KEY.sign(CLAIMS, "at+jwt")
    signed, _, text = token.rpartition(".")
    signature = unb64url(text)
    assert signature is not None
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    s = order - int.from_bytes(signature[32:], "big")
    twin = f"{signed}.{b64url(signature[:32] + s.to_bytes(32, 'big'))}"
    read = parse(twin)
    assert isinstance(read, Parsed)
    assert verify(read, KEY.public())  # the mathematics allows it: hence `token_id`
    assert token_id(twin) == token_id(token)
    assert decode_dss_signature(encode_dss_signature(1, s))[1] == s


def test_a_der_signature_is_not_a_jws_signature() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    signed = signing_input({"alg": "ES256"}, {})
    read = parse(f"{signed}.{b64url(private.sign(signed.encode(), ec.ECDSA(SHA256())))}")
    assert isinstance(read, Parsed)
    assert not verify(read, VerificationKey("e", "ES256", private.public_key()))


@pytest.mark.parametrize("alg", ["ES256", "EdDSA"])
def test_a_signing_key_survives_its_file_form(alg: str) -> None:
    key = SigningKey.generate(alg)
    again = SigningKey.load(key.pem())
    assert (again.kid, again.alg) == (key.kid, alg)
    assert SigningKey.load(key.pem(), kid="2026-09").kid == "2026-09"
    published = admit(json.dumps({"keys": [key.public_jwk()]}).encode())
    read = parse(again.sign({"a": 1}, "gateway+jwt"))
    assert isinstance(read, Parsed)
    found = published.find(read.kid, read.alg)
    assert found is not None
    assert verify(read, found)


def test_the_public_form_has_no_private_part() -> None:
    assert set(KEY.public_jwk()) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert set(ED.public_jwk()) == {"kty", "crv", "x", "kid", "alg", "use"}


def private_pem(key: Any, secret: bytes = b"") -> bytes:
    lock = BestAvailableEncryption(secret) if secret else NoEncryption()
    text: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    return text


@pytest.mark.parametrize(
    ("pem", "why"),
    [
        (b"", "PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "PEM"),
        (base64.b64encode(hashlib.sha256(b"x").digest()), "PEM"),
        (private_pem(ec.generate_private_key(ec.SECP256R1()), b"secret"), "encrypted"),
        (private_pem(ec.generate_private_key(ec.SECP384R1())), "neither"),
        (private_pem(rsa.generate_private_key(65537, 2048)), "neither"),
        (private_pem(ed448.Ed448PrivateKey.generate()), "neither"),
    ],
)
def test_a_key_we_cannot_sign_with_is_refused_in_words(pem: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        SigningKey.load(pem)


def test_a_key_of_another_algorithm_is_not_made() -> None:
    with pytest.raises(ValueError, match="RS256"):
        SigningKey.generate("RS256")
