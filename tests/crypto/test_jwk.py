import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.crypto.digest import b64url
from gateway.crypto.jwk import (
    Inadmissible,
    VerificationKey,
    admit,
    admit_key,
    is_roca,
    jwk_thumbprint,
    public_jwk,
)
from gateway.crypto.jws import SigningKey

RSA = rsa.generate_private_key(65537, 2048)
RSA_JWK: dict[str, Any] = {**public_jwk(RSA.public_key()), "kid": "r"}
EC_JWK: dict[str, Any] = {**public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()), "kid": "e"}
ED_JWK: dict[str, Any] = {**public_jwk(ed25519.Ed25519PrivateKey.generate().public_key()), "kid": "o"}


def a_set(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


def number(value: int) -> str:
    return b64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def test_each_key_is_bound_to_one_algorithm() -> None:
    keys = admit(a_set(RSA_JWK, EC_JWK, ED_JWK), ("PS256", "RS256", "ES256", "EdDSA"))
    assert {kid: key.alg for kid, key in keys.keys.items()} == {"r": "PS256", "e": "ES256", "o": "EdDSA"}
    assert keys.dropped == ()


def test_a_key_that_names_its_algorithm_keeps_it() -> None:
    assert admit_key({**RSA_JWK, "alg": "RS512"}).alg == "RS512"
    assert admit_key({**ED_JWK, "alg": "Ed25519"}).alg == "Ed25519"


@pytest.mark.parametrize(("curve", "alg"), [(ec.SECP384R1(), "ES384"), (ec.SECP521R1(), "ES512")])
def test_the_larger_curves_have_theirs(curve: ec.EllipticCurve, alg: str) -> None:
    assert admit_key({**public_jwk(ec.generate_private_key(curve).public_key())}).alg == alg


def without(jwk: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in jwk.items() if key != name}


POINT = int.from_bytes(b"\x01" * 32, "big")
BAD_KEYS = {
    "a secret": {"kty": "oct", "k": "AAAA", "kid": "x"},
    "no type": without(EC_JWK, "kty"),
    "type of a list": {**EC_JWK, "kty": ["EC"]},
    "for encryption": {**EC_JWK, "use": "enc"},
    "use of another case": {**EC_JWK, "use": "SIG"},
    "use null": {**EC_JWK, "use": None},
    "operations without verify": {**EC_JWK, "key_ops": ["sign"]},
    "operations as text": {**EC_JWK, "key_ops": "verify"},
    "EC private part": {**EC_JWK, "d": "AAAA"},
    "RSA private part": {**RSA_JWK, "p": "AAAA"},
    "empty private part": {**RSA_JWK, "d": ""},
    "a curve nobody uses": {**EC_JWK, "crv": "secp256k1"},
    "a curve of a list": {**EC_JWK, "crv": ["P-256"]},
    "a point off the curve": {**EC_JWK, "y": number(POINT)},
    "a short coordinate": {**EC_JWK, "x": "AQAB"},
    "an algorithm of another type": {**EC_JWK, "alg": "RS256"},
    "an algorithm of another curve": {**EC_JWK, "alg": "ES384"},
    "no algorithm at all": {**RSA_JWK, "alg": "none"},
    "an HMAC on an RSA key": {**RSA_JWK, "alg": "HS256"},
    "an algorithm of a number": {**RSA_JWK, "alg": 5},
    "an encryption algorithm": {**RSA_JWK, "alg": "RSA-OAEP"},
    "RSA of 1024 bits": {"kty": "RSA", "kid": "x", "e": "AQAB", "n": number((1 << 1023) + 15)},
    "RSA too large": {"kty": "RSA", "kid": "x", "e": "AQAB", "n": number((1 << 8200) + 1)},
    "an even modulus": {**RSA_JWK, "n": number(RSA.public_key().public_numbers().n + 1)},
    "a modulus with a small factor": {**RSA_JWK, "n": number(163 * ((1 << 2100) + 1))},
    "exponent one": {**RSA_JWK, "e": "AQ"},
    "exponent three": {**RSA_JWK, "e": "Aw"},
    "an even exponent": {**RSA_JWK, "e": number(65538)},
    "a huge exponent": {**RSA_JWK, "e": number((1 << 64) + 1)},
    "padded base64": {**RSA_JWK, "n": RSA_JWK["n"] + "=="},
    "modulus of a number": {**RSA_JWK, "n": 12345},
    "no modulus": without(RSA_JWK, "n"),
    "a key of Ed448": {"kty": "OKP", "crv": "Ed448", "x": b64url(bytes(57)), "kid": "x"},
    "a key agreement key": {"kty": "OKP", "crv": "X25519", "x": b64url(bytes(32)), "kid": "x"},
    "an id of a number": {**EC_JWK, "kid": 7},
    "an id without end": {**EC_JWK, "kid": "k" * 300},
}


@pytest.mark.parametrize("jwk", BAD_KEYS.values(), ids=BAD_KEYS.keys())
def test_an_unsound_key_is_left_out_and_the_others_stay(jwk: dict[str, Any]) -> None:
    keys = admit(a_set({**ED_JWK, "kid": "good"}, jwk))
    assert list(keys.keys) == ["good"]
    with pytest.raises(Inadmissible):
        admit(a_set(jwk))


BAD_SETS = {
    "nothing": b"",
    "garbage": b"<html>502 Bad Gateway</html>",
    "an empty set": a_set(),
    "no set": b"{}",
    "a list": b"[]",
    "keys of a text": b'{"keys":"x"}',
    "a key of a text": b'{"keys":["x"]}',
    "keys twice": b'{"keys":[],"keys":[]}',
    "not UTF-8": '{"keys":[]}'.encode("utf-16"),
    "two keys under one id": a_set(EC_JWK, {**ED_JWK, "kid": "e"}),
    "one key twice": a_set(EC_JWK, EC_JWK),
    "a bad key under a good one's id": a_set(EC_JWK, {"kty": "oct", "k": "AAAA", "kid": "e"}),
    "too large": b'{"keys":[' + b" " * 300_000 + b"]}",
    "too many": a_set(*({**ED_JWK, "kid": str(n)} for n in range(101))),
}


@pytest.mark.parametrize("jwks", BAD_SETS.values(), ids=BAD_SETS.keys())
def test_a_void_set_is_refused_as_a_whole(jwks: bytes) -> None:
    with pytest.raises(Inadmissible):
        admit(jwks)


def test_an_encryption_key_may_share_the_id_of_a_signature_key() -> None:
    assert list(admit(a_set(EC_JWK, {**RSA_JWK, "kid": "e", "use": "enc"})).keys) == ["e"]


def test_a_key_without_id_is_found_only_when_there_is_no_choice() -> None:
    one = admit(a_set(without(EC_JWK, "kid"), RSA_JWK))
    assert one.find("", "ES256") is not None
    assert one.find("", "RS256") is one.keys["r"]
    assert one.find("", "EdDSA") is None
    assert one.find("e", "ES256") is None
    two = admit(a_set(without(EC_JWK, "kid"), {**public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())}))
    assert two.find("", "ES256") is None


def test_the_fingerprint_of_a_faulty_generator_is_seen() -> None:
    product = 1
    for prime in (n for n in range(2, 168) if all(n % d for d in range(2, n))):
        product *= prime
    # Primes of that generator are k·M + (65537^a mod M), and so is their product modulo M.
    weak = pow(65537, 1234, product) + product * (1 << 1850)
    assert is_roca(weak)
    assert not is_roca(RSA.public_key().public_numbers().n)
    with pytest.raises(Inadmissible, match="ROCA"):
        admit_key({"kty": "RSA", "e": "AQAB", "n": number(weak)})


def test_the_thumbprint_of_the_rfc() -> None:
    """RFC 7638 section 3.1."""
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3"
        "oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA"
        "ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
        "kEgU8awapJzKnqDKgw"
    )
    jwk = {"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    assert jwk_thumbprint(jwk) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def pem(key: Any) -> bytes:
    text: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text


def test_a_public_key_is_read_from_pem() -> None:
    key = SigningKey.generate("EdDSA")
    public = VerificationKey.load(pem(key.public().key))
    assert (public.kid, public.alg) == (key.kid, "EdDSA")
    assert VerificationKey.load(pem(RSA.public_key())).alg == "RS256"
    assert VerificationKey.load(pem(RSA.public_key()), kid="mdm", alg="PS256").alg == "PS256"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"not a key",
        SigningKey.generate().pem(),
        pem(ed448.Ed448PrivateKey.generate().public_key()),
        pem(ec.generate_private_key(ec.SECP256K1()).public_key()),
    ],
)
def test_what_is_no_public_key_of_ours_is_refused(text: bytes) -> None:
    with pytest.raises(Inadmissible):
        VerificationKey.load(text)


def test_an_algorithm_that_does_not_fit_is_refused() -> None:
    with pytest.raises(Inadmissible):
        VerificationKey.load(pem(RSA.public_key()), alg="ES256")
