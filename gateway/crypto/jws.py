"""Does this compact JWS say one thing only, and did the key's owner sign it?

The one door to PyJWT, which is asked for nothing but the signature: reading is ours. Rules:

1. At most 8 KiB and three parts of `[A-Za-z0-9_-]`, each in its one canonical base64url spelling.
   Size comes first: a header of 500 MB must cost nothing (CVE-2025-61920).
2. Header and claims are strict JSON objects (`gateway.crypto.strict`).
3. `alg` is asymmetric, known here, and equal to the algorithm of the key (RFC 8725 section 3.1).
4. A header that wants something of the reader is refused: `crit` (CVE-2026-32597, CVE-2025-59420),
   `b64` (RFC 7797), `zip` (CVE-2025-62706), and keys brought along or pointed to: `jwk jku x5c x5u`.
5. Registered claims that are present have their registered types: an `exp` that is text never expires.
"""

from collections.abc import Mapping
from re import compile as pattern
from typing import Any, Final

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import Algorithm, ECAlgorithm, OKPAlgorithm, RSAAlgorithm, RSAPSSAlgorithm
from msgspec import Struct

from gateway.crypto.digest import b64url, unb64url
from gateway.crypto.jwk import (
    ALGORITHMS,
    MAX_KID,
    Inadmissible,
    KeySet,
    VerificationKey,
    admit,
    jwk_thumbprint,
    public_jwk,
)
from gateway.crypto.strict import Json, NotStrict, read_object

__all__ = [
    "ALGORITHMS",
    "MAX_BYTES",
    "Inadmissible",
    "KeySet",
    "Parsed",
    "Refused",
    "SigningKey",
    "VerificationKey",
    "admit",
    "parse",
    "verify",
    "verify_bytes",
]

MAX_BYTES: Final = 8192
_COMPACT: Final = pattern(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_FORBIDDEN: Final = ("crit", "b64", "zip", "jwk", "jku", "x5c", "x5u")
_LATEST: Final = 253_402_300_799  # 9999-12-31T23:59:59Z: later times are not times

_ENGINES: Final[dict[str, Algorithm]] = {
    "RS256": RSAAlgorithm(RSAAlgorithm.SHA256),
    "RS384": RSAAlgorithm(RSAAlgorithm.SHA384),
    "RS512": RSAAlgorithm(RSAAlgorithm.SHA512),
    "PS256": RSAPSSAlgorithm(RSAPSSAlgorithm.SHA256),
    "PS384": RSAPSSAlgorithm(RSAPSSAlgorithm.SHA384),
    "PS512": RSAPSSAlgorithm(RSAPSSAlgorithm.SHA512),
    "ES256": ECAlgorithm(ECAlgorithm.SHA256),
    "ES384": ECAlgorithm(ECAlgorithm.SHA384),
    "ES512": ECAlgorithm(ECAlgorithm.SHA512),
    "EdDSA": OKPAlgorithm(),
    "Ed25519": OKPAlgorithm(),
}


class Refused(Struct, frozen=True):
    """Why a token cannot be read: a code of `gateway.reasons` and a detail for operators."""

    code: str
    detail: str = ""


class Parsed(Struct, frozen=True, eq=False):
    """A token that reads in one way only. Nothing in it is proven until `verify` says so."""

    header: Mapping[str, Json]
    claims: Mapping[str, Json]
    kid: str
    alg: str
    typ: str  # lower case, without `application/`
    signed: bytes
    signature: bytes


def parse(token: str | bytes, limit: int = MAX_BYTES) -> Parsed | Refused:
    """Read a compact JWS without trusting it."""
    if len(token) > limit:
        return Refused("credential_malformed", f"longer than {limit} bytes")
    raw = token.encode("utf-8", "replace") if isinstance(token, str) else token
    parts = _COMPACT.fullmatch(raw)
    if parts is None:
        return Refused("credential_malformed", "not three parts of base64url")
    header_bytes, payload, signature = (unb64url(part) for part in parts.groups())
    if header_bytes is None or payload is None or signature is None:
        return Refused("credential_malformed", "not canonical base64url")
    try:
        header = read_object(header_bytes)
        claims = read_object(payload)
    except NotStrict as why:
        return Refused("credential_malformed", str(why))
    fault = _header_fault(header) or _claims_fault(claims)
    if fault is not None:
        return fault
    kid, alg = header.get("kid", ""), header["alg"]
    signed = raw[: parts.start(3) - 1]
    return Parsed(header, claims, str(kid), str(alg), _typ(header), signed, signature)


def _header_fault(header: Mapping[str, Json]) -> Refused | None:
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in ALGORITHMS:  # none, HS256 with a public key as secret
        return Refused("token_algorithm", f"`{alg}` is not accepted"[:100])
    for name in _FORBIDDEN:
        if name in header:
            return Refused("credential_malformed", f"the header has `{name}`")
    kid = header.get("kid", "")
    if not isinstance(kid, str) or len(kid) > MAX_KID or not (kid.isprintable() and kid.isascii()):
        return Refused("credential_malformed", "the key id is not a short text")
    if not isinstance(header.get("typ", ""), str):
        return Refused("credential_malformed", "the type is not a text")
    return None


def _typ(header: Mapping[str, Json]) -> str:
    """The media type as RFC 7515 section 4.1.9 compares it."""
    return str(header.get("typ", "")).lower().removeprefix("application/")


def _claims_fault(claims: Mapping[str, Json]) -> Refused | None:
    for name in ("exp", "nbf", "iat", "auth_time"):
        if name in claims and not _is_time(claims[name]):
            return Refused("token_claims", f"`{name}` is not a time in seconds")
    for name in ("iss", "sub", "jti"):
        if name in claims and not _is_text(claims[name]):
            return Refused("token_claims", f"`{name}` is not a text")
    if "aud" in claims and not _is_audience(claims["aud"]):
        return Refused("token_claims", "`aud` is neither a text nor a list of texts")
    return None


def _is_time(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LATEST


def _is_text(value: Json) -> bool:
    return isinstance(value, str) and value != "" and value.isprintable()


def _is_audience(value: Json) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, str) for item in value)
    return isinstance(value, str)


def verify(parsed: Parsed, key: VerificationKey) -> bool:
    """Whether this key signed it, with the key's own algorithm."""
    if parsed.alg != key.alg:  # CVE-2026-48523: the header's algorithm never decides
        return False
    return verify_bytes(parsed.signed, parsed.signature, key)


def verify_bytes(data: bytes, signature: bytes, key: VerificationKey) -> bool:
    """Whether this key signed these bytes: a note, a checkpoint, whatever is not a JWS."""
    return _ENGINES[key.alg].verify(data, key.key, signature)


class SigningKey(Struct, frozen=True, eq=False):
    """A private key of the gateway: ES256 (P-256) or EdDSA (Ed25519)."""

    kid: str
    alg: str
    _private: EllipticCurvePrivateKey | Ed25519PrivateKey

    @classmethod
    def generate(cls, alg: str = "ES256") -> "SigningKey":
        """A fresh key. Raises ValueError for an algorithm other than ES256 and EdDSA."""
        if alg == "ES256":
            return cls._of(generate_private_key(SECP256R1()))
        if alg == "EdDSA":
            return cls._of(Ed25519PrivateKey.generate())
        raise ValueError(f"`{alg}` cannot be used for signing; use ES256 or EdDSA")

    @classmethod
    def load(cls, pem: bytes, kid: str = "") -> "SigningKey":
        """A key from unencrypted PEM; the default `kid` is the RFC 7638 thumbprint. Raises ValueError."""
        try:
            private = load_pem_private_key(pem, password=None)
        except TypeError:
            raise ValueError("the private key is encrypted; store it unencrypted with permission 0600") from None
        except (ValueError, UnsupportedAlgorithm):
            raise ValueError("is not a private key in PEM form") from None
        if isinstance(private, Ed25519PrivateKey):
            return cls._of(private, kid)
        if isinstance(private, EllipticCurvePrivateKey) and private.curve.name == "secp256r1":
            return cls._of(private, kid)
        raise ValueError("the private key is neither P-256 nor Ed25519")

    @classmethod
    def _of(cls, private: EllipticCurvePrivateKey | Ed25519PrivateKey, kid: str = "") -> "SigningKey":
        alg = "EdDSA" if isinstance(private, Ed25519PrivateKey) else "ES256"
        return cls(kid or jwk_thumbprint(public_jwk(private.public_key())), alg, private)

    def pem(self) -> bytes:
        """The private key as PKCS #8 PEM, unencrypted."""
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def public_jwk(self) -> dict[str, str]:
        """The public key as a member of a key set."""
        return {**public_jwk(self._private.public_key()), "kid": self.kid, "alg": self.alg, "use": "sig"}

    def public(self) -> VerificationKey:
        """The public key, ready to verify."""
        return VerificationKey(self.kid, self.alg, self._private.public_key())

    def sign(self, claims: Mapping[str, object], typ: str) -> str:
        """The claims as a compact JWS of this type. Raises TypeError when they are not JSON."""
        header = orjson.dumps({"alg": self.alg, "kid": self.kid, "typ": typ})
        signed = f"{b64url(header)}.{b64url(orjson.dumps(dict(claims)))}"
        return f"{signed}.{b64url(self.sign_bytes(signed.encode('ascii')))}"

    def sign_bytes(self, data: bytes) -> bytes:
        """The bare signature over these bytes, 64 bytes long."""
        engine: Any = _ENGINES[self.alg]
        signature: bytes = engine.sign(data, self._private)
        return signature
