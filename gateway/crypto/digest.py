"""Which bytes are these?

Digests and the one spelling of bytes in text that tokens, keys and entries share. Rules:

1. base64url has no padding and one spelling for each value (RFC 7515 section 2, RFC 4648 section 3.5).
2. A digest of something a person could guess (an id number, a path) is keyed, never plain:
   a plain SHA-256 of eighteen digits is reversed in minutes.
"""

import binascii
import hmac
from hashlib import sha256 as _sha256

_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
_PADDING = (b"", b"", b"==", b"=")
# The letters a value may end with, by length modulo 4, so that unused bits are zero.
_LAST: tuple[frozenset[int], ...] = (
    frozenset(),
    frozenset(),
    frozenset(b"AQgw"),
    frozenset(b"AEIMQUYcgkosw048"),
)


def sha256(data: bytes) -> bytes:
    """The SHA-256 digest, 32 bytes."""
    return _sha256(data).digest()


def b64url(data: bytes) -> str:
    """Bytes as base64url without padding."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL, b"=").decode("ascii")


def unb64url(text: str | bytes) -> bytes | None:
    """The bytes behind canonical base64url, or None.

    Refuses padding, white space, the plain base64 letters `+` and `/`, and unused trailing bits
    that are not zero: with them one signature has many spellings and a deny-list of tokens leaks.
    """
    raw = text.encode("utf-8", "replace") if isinstance(text, str) else text
    over = len(raw) % 4
    if over == 1 or (over and raw[-1] not in _LAST[over]) or b"+" in raw or b"/" in raw or b"=" in raw:
        return None
    try:
        return binascii.a2b_base64(raw.translate(_FROM_URL) + _PADDING[over], strict_mode=True)
    except binascii.Error:
        return None


def thumbprint(der: bytes) -> str:
    """The x5t#S256 of a certificate: base64url of SHA-256 over its DER (RFC 8705 section 3.1)."""
    return b64url(_sha256(der).digest())


def token_id(token: str | bytes) -> str:
    """What identifies a token in entries and revocations without being it: 22 characters of base64url.

    It is taken over the signed part only. An ECDSA signature (r, s) has a valid twin (r, n − s) that
    anyone can compute: over the whole token, the twin of a revoked token would be a token nobody revoked.
    """
    raw = token.encode("utf-8", "replace") if isinstance(token, str) else token
    signed, _, _ = raw.rpartition(b".")
    return b64url(_sha256(signed or raw).digest())[:22]


def keyed(key: bytes, data: bytes, length: int = 22) -> str:
    """HMAC-SHA256 of the data as base64url, shortened to `length` characters (22 hold 132 bits)."""
    return b64url(hmac.digest(key, data, "sha256"))[:length]


def same(left: str, right: str) -> bool:
    """Equality in constant time, for values that a caller may try to guess letter by letter."""
    return hmac.compare_digest(left.encode(), right.encode())
