"""Which algorithms: the international ones, the national ones of China, or both?

| | `intl` | `sm` |
|---|---|---|
| digest, keyed digest | SHA-256, HMAC | SM3 (GB/T 32905), HMAC |
| block cipher | AES-128 | SM4 (GB/T 32907) |
| signature | Ed25519 | SM2 with SM3 (GB/T 32918, `gateway.crypto.sm2`) |

`dual` keeps `intl` for what others must be able to check and adds an `sm` signature beside it. SM3 and SM4
come from the `cryptography` package and its own OpenSSL, so they are there wherever the gateway is; SM2 comes from
the system's OpenSSL and may be missing.
"""

import hmac
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import Final, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES128, SM4
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

Name = Literal["intl", "sm"]
Profile = Literal["intl", "sm", "dual"]
Digest = Callable[[bytes], bytes]
"""32 bytes for any bytes."""
Block = Callable[[bytes], bytes]
"""16 bytes for 16 bytes: one block enciphered."""

KEY_BYTES: Final = 16
DIGEST_BYTES: Final = 32


class Suite(Struct, frozen=True):
    """One family of algorithms that do the same work with the same lengths."""

    name: Name
    cipher: Callable[[bytes], BlockCipherAlgorithm]

    def digest(self, data: bytes) -> bytes:
        """SHA-256 or SM3, 32 bytes."""
        return sha256(data).digest() if self.name == "intl" else _sm3(data)

    def keyed(self, key: bytes) -> Digest:
        """HMAC with this key."""
        if self.name == "intl":
            return _copied(hmac.new(key, digestmod=sha256))
        base = HMAC(key, hashes.SM3())

        def digest(data: bytes) -> bytes:
            one = base.copy()
            one.update(data)
            return one.finalize()

        return digest

    def derived(self, key: bytes, purpose: str, length: int = KEY_BYTES) -> bytes:
        """Another key for one purpose (HKDF, RFC 5869): who learns it learns neither the first nor a third."""
        algorithm = hashes.SHA256() if self.name == "intl" else hashes.SM3()
        return HKDF(algorithm, length, None, purpose.encode("utf-8", "surrogatepass")).derive(key)

    def block(self, key: bytes) -> Block:
        """The block cipher with this 16-byte key."""
        return Cipher(self.cipher(key), modes.ECB()).encryptor().update  # noqa: S305 - the block itself, not a mode


INTL: Final = Suite("intl", AES128)
SM: Final = Suite("sm", SM4)


def suite(profile: Profile) -> Suite:
    """The suite whose digests and ciphers a profile uses; of `dual` only the signatures are double."""
    return SM if profile == "sm" else INTL


@cache
def offered() -> tuple[Suite, ...]:
    """The suites of this machine: a `cryptography` that was built on another OpenSSL may lack the national one."""
    try:
        SM.block(SM.digest(b"")[:KEY_BYTES])
    except UnsupportedAlgorithm:
        return (INTL,)
    return INTL, SM


def _sm3(data: bytes) -> bytes:
    one = hashes.Hash(hashes.SM3())
    one.update(data)
    return one.finalize()


def _copied(base: "hmac.HMAC") -> Digest:
    def digest(data: bytes) -> bytes:
        one = base.copy()
        one.update(data)
        return one.digest()

    return digest
