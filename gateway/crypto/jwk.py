"""Which published keys may verify a signature, and with which algorithm?

Key admission: what stands in a key set (RFC 7517) is judged once, when it is loaded. Rules:

1. One key has one algorithm. A header never chooses it (CVE-2026-48523, CVE-2022-29217).
2. Only public signature keys: no `oct`, no `use: enc`, no `key_ops` without `verify`, no private member.
3. Only sound keys: RSA of 2048 to 8192 bits with an odd exponent of 65537 or more that is not a ROCA
   key (CVE-2017-15361), P-256, P-384, P-521 with the point on the curve, Ed25519.
4. Two keys under one `kid` make the whole set void, and so does a set without any admitted key:
   neither may replace a good one.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurve,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from msgspec import Struct

from gateway.crypto.digest import b64url, sha256, unb64url
from gateway.crypto.strict import Json, NotStrict, read_object

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

RSA_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
EDWARDS_ALGORITHMS: Final = ("EdDSA", "Ed25519")  # the second is the fully specified name of RFC 9864
CURVES: Final[dict[str, tuple[str, EllipticCurve, int]]] = {
    "P-256": ("ES256", SECP256R1(), 32),
    "P-384": ("ES384", SECP384R1(), 48),
    "P-521": ("ES512", SECP521R1(), 66),
}
ALGORITHMS: Final = frozenset((*RSA_ALGORITHMS, "ES256", "ES384", "ES512", *EDWARDS_ALGORITHMS))

MAX_SET_BYTES: Final = 256 * 1024
MAX_KEYS: Final = 100
MAX_KID: Final = 256
_PRIVATE: Final = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))


class Inadmissible(ValueError):
    """A key or a key set that may not be used; the message says why."""


class VerificationKey(Struct, frozen=True, eq=False):
    """An admitted public key, bound to one algorithm."""

    kid: str
    alg: str
    key: PublicKey

    @classmethod
    def load(cls, pem: bytes, kid: str = "", alg: str = "") -> "VerificationKey":
        """A public key from PEM (SubjectPublicKeyInfo). `alg` is needed only to choose among RSA's.

        The default `kid` is the RFC 7638 thumbprint. Raises Inadmissible.
        """
        try:
            key = load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm):
            raise Inadmissible("is not a public key in PEM form") from None
        if not isinstance(key, PublicKey):
            raise Inadmissible("is a key of a kind that is not used here")
        jwk = public_jwk(key)
        own = {"RSA": alg or "RS256"}.get(jwk["kty"], alg)
        members: dict[str, Json] = {**jwk, "kid": kid or jwk_thumbprint(jwk)}
        return admit_key({**members, "alg": own} if own else members)


class KeySet(Struct, frozen=True, eq=False):
    """The admitted keys of one issuer; `dropped` says which others were left out and why."""

    keys: Mapping[str, VerificationKey]
    nameless: tuple[VerificationKey, ...] = ()
    dropped: tuple[str, ...] = ()

    def find(self, kid: str, alg: str) -> VerificationKey | None:
        """The key with this id, or without an id the only key for this algorithm."""
        if kid:
            return self.keys.get(kid)
        fitting = [key for key in (*self.keys.values(), *self.nameless) if key.alg == alg]
        return fitting[0] if len(fitting) == 1 else None


def admit(jwks: bytes, algorithms: Iterable[str] = ("RS256",)) -> KeySet:
    """Admit a key set. An RSA key without `alg` gets the first RSA algorithm of `algorithms`.

    Raises Inadmissible when the set as a whole must not be used.
    """
    members = _members(jwks)
    rsa = next((name for name in algorithms if name in RSA_ALGORITHMS), "RS256")
    keys: dict[str, VerificationKey] = {}
    nameless: list[VerificationKey] = []
    dropped: list[str] = []
    seen: set[str] = set()
    for number, member in enumerate(members):
        if not isinstance(member, dict):
            raise Inadmissible(f"key {number} is not an object")
        if member.get("use") == "enc":
            continue  # its kid may rightly be that of a signature key
        kid = member.get("kid")
        if isinstance(kid, str) and kid in seen:
            raise Inadmissible(f"two keys have the id `{kid[:64]}`")
        if isinstance(kid, str):
            seen.add(kid)
        try:
            key = admit_key(member, rsa)
        except Inadmissible as why:
            dropped.append(f"{kid if isinstance(kid, str) else number}: {why}"[:200])
            continue
        if key.kid:
            keys[key.kid] = key
        else:
            nameless.append(key)
    if not keys and not nameless:
        raise Inadmissible("; ".join(("no key can be used", *dropped))[:500])
    return KeySet(keys, tuple(nameless), tuple(dropped))


def _members(jwks: bytes) -> list[Json]:
    if len(jwks) > MAX_SET_BYTES:
        raise Inadmissible("the key set is larger than 256 KiB")
    try:
        members = read_object(jwks).get("keys")
    except NotStrict as why:
        raise Inadmissible(f"the key set {why}") from None
    if not isinstance(members, list):
        raise Inadmissible("the key set has no list `keys`")
    if len(members) > MAX_KEYS:
        raise Inadmissible(f"the key set has more than {MAX_KEYS} keys")
    return members


def admit_key(jwk: Mapping[str, Json], rsa: str = "RS256") -> VerificationKey:
    """Admit one public JWK; `rsa` is the algorithm of an RSA key that names none. Raises Inadmissible."""
    kid = jwk.get("kid", "")
    if not isinstance(kid, str) or len(kid) > MAX_KID:
        raise Inadmissible("its id is not a short text")
    if jwk.get("kty") not in ("RSA", "EC", "OKP"):
        raise Inadmissible("its type is not RSA, EC or OKP")  # `oct` in a public set is a published secret
    if not _PRIVATE.isdisjoint(jwk):
        raise Inadmissible("its private part is published")
    if jwk.get("use", "sig") != "sig":
        raise Inadmissible("its use is not `sig`")
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise Inadmissible("its operations do not include `verify`")
    key, allowed = _build(jwk, rsa)
    alg = jwk.get("alg", allowed[0])
    if alg not in allowed or not isinstance(alg, str):
        raise Inadmissible("its algorithm does not fit its type")
    return VerificationKey(kid, alg, key)


def _build(jwk: Mapping[str, Json], rsa: str) -> tuple[PublicKey, tuple[str, ...]]:
    """The key object and the algorithms it may be bound to, the default first."""
    try:
        if jwk["kty"] == "RSA":
            return _rsa(jwk), (rsa, *RSA_ALGORITHMS)
        curve = jwk.get("crv")
        if jwk["kty"] == "EC" and isinstance(curve, str) and curve in CURVES:
            alg, named, size = CURVES[curve]
            x, y = (_unsigned(jwk, name, size) for name in ("x", "y"))
            return EllipticCurvePublicNumbers(x, y, named).public_key(), (alg,)
        if jwk["kty"] == "OKP" and curve == "Ed25519":
            return Ed25519PublicKey.from_public_bytes(_octets(jwk, "x", 32)), EDWARDS_ALGORITHMS
    except Inadmissible:
        raise
    except (ValueError, UnsupportedAlgorithm):  # a point off the curve, an impossible modulus
        raise Inadmissible("it is not a valid key") from None
    raise Inadmissible("its curve is not P-256, P-384, P-521 or Ed25519")


def _rsa(jwk: Mapping[str, Json]) -> RSAPublicKey:
    modulus, exponent = _unsigned(jwk, "n"), _unsigned(jwk, "e")
    if not 2048 <= modulus.bit_length() <= 8192:
        raise Inadmissible("its modulus is not 2048 to 8192 bits long")
    if modulus % 2 == 0 or any(modulus % prime == 0 for prime in _PRIMES):
        raise Inadmissible("its modulus has a small factor")
    if exponent < 65537 or exponent % 2 == 0 or exponent.bit_length() > 32:
        raise Inadmissible("its exponent is not an odd number from 65537")
    if is_roca(modulus):
        raise Inadmissible("it was made by a faulty generator (ROCA)")
    return RSAPublicNumbers(exponent, modulus).public_key()


def _octets(jwk: Mapping[str, Json], name: str, size: int = 0) -> bytes:
    text = jwk.get(name)
    data = unb64url(text) if isinstance(text, str) else None
    if not data or (size and len(data) != size):
        raise Inadmissible(f"its `{name}` is not canonical base64url of the right length")
    return data


def _unsigned(jwk: Mapping[str, Json], name: str, size: int = 0) -> int:
    return int.from_bytes(_octets(jwk, name, size), "big")


def _powers(prime: int) -> frozenset[int]:
    residues, value = {1}, 65537 % prime
    while value not in residues:
        residues.add(value)
        value = value * 65537 % prime
    return frozenset(residues)


_PRIMES = [n for n in range(3, 168) if all(n % d for d in range(2, n))]
_ROCA = tuple((prime, _powers(prime)) for prime in _PRIMES)


def is_roca(modulus: int) -> bool:
    """Whether the modulus has the fingerprint of CVE-2017-15361: a power of 65537 modulo each small prime."""
    return all(modulus % prime in residues for prime, residues in _ROCA)


def public_jwk(key: PublicKey) -> dict[str, str]:
    """The members of the key that RFC 7638 counts, as JWK."""
    if isinstance(key, RSAPublicKey):
        rsa = key.public_numbers()
        return {"kty": "RSA", "n": _number(rsa.n), "e": _number(rsa.e)}
    if isinstance(key, Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": b64url(key.public_bytes(Encoding.Raw, PublicFormat.Raw))}
    for name, (_, curve, size) in CURVES.items():
        if curve.name == key.curve.name:
            point = key.public_numbers()
            return {"kty": "EC", "crv": name, "x": _number(point.x, size), "y": _number(point.y, size)}
    raise Inadmissible("is on a curve other than P-256, P-384 and P-521")


def _number(value: int, size: int = 0) -> str:
    return b64url(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def jwk_thumbprint(jwk: Mapping[str, str]) -> str:
    """The RFC 7638 thumbprint with SHA-256."""
    counted = {name: jwk[name] for name in ("crv", "e", "kty", "n", "x", "y") if name in jwk}
    return b64url(sha256(json.dumps(counted, sort_keys=True, separators=(",", ":")).encode()))
