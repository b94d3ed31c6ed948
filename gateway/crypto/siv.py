"""How is a value hidden so that only its holder of the key can read it, and equal values stay equal?

Synthetic initialisation vectors (SIV, RFC 5297) over AES-128 or SM4: what is sealed is its own nonce, so
nothing has to be remembered, a value that is sealed twice gives the same text, and a text that was changed by one
bit is refused. `associated` says where the value belongs (department, field): moved elsewhere it does not open.

Over AES it is OpenSSL's own; over SM4, which OpenSSL does not offer in this mode, the same construction is made here
from its CMAC and CTR. A test holds the two to each other over AES.
"""

from collections.abc import Sequence
from hmac import compare_digest
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.cmac import CMAC

from gateway.crypto.suite import KEY_BYTES, Suite

_BLOCK = 16
_TOP = (1 << 127) - 1
_ALL = (1 << 128) - 1
_CLEARED = _ALL ^ (1 << 63) ^ (1 << 31)  # RFC 5297 section 2.5: so that counters may be added as 32-bit words


class Sealer(Protocol):
    """Seals and opens under one key of 32 bytes."""

    def seal(self, text: bytes, associated: Sequence[bytes] = ()) -> bytes:
        """The sealed text, 16 bytes longer."""

    def open(self, sealed: bytes, associated: Sequence[bytes] = ()) -> bytes | None:
        """What was sealed, or None when it was changed, belongs elsewhere or was sealed with another key."""


def sealer(suite: Suite, key: bytes) -> Sealer:
    """The sealer of a suite. Raises ValueError for a key that has not 32 bytes."""
    if len(key) != 2 * KEY_BYTES:
        raise ValueError(f"a key for SIV has {2 * KEY_BYTES} bytes, not {len(key)}")
    return AesSiv(key) if suite.name == "intl" else Siv(suite, key)


class AesSiv:
    """SIV as OpenSSL does it, over AES-128."""

    def __init__(self, key: bytes) -> None:
        self._siv = AESSIV(key)

    def seal(self, text: bytes, associated: Sequence[bytes] = ()) -> bytes:
        """The sealed text, 16 bytes longer."""
        return self._siv.encrypt(text, list(associated))

    def open(self, sealed: bytes, associated: Sequence[bytes] = ()) -> bytes | None:
        """What was sealed, or None when it was changed, belongs elsewhere or was sealed with another key."""
        try:
            return self._siv.decrypt(sealed, list(associated))
        except InvalidTag:
            return None


class Siv:
    """SIV from CMAC and CTR, over any cipher of 16-byte blocks: one half of the key for the vector, one for the text."""

    def __init__(self, suite: Suite, key: bytes) -> None:
        self._mac = CMAC(suite.cipher(key[:KEY_BYTES]))
        self._cipher = suite.cipher(key[KEY_BYTES:])
        self._zero = self._cmac(bytes(_BLOCK))

    def seal(self, text: bytes, associated: Sequence[bytes] = ()) -> bytes:
        """The sealed text, 16 bytes longer."""
        vector = self._vector(text, associated)
        return vector + self._streamed(vector, text)

    def open(self, sealed: bytes, associated: Sequence[bytes] = ()) -> bytes | None:
        """What was sealed, or None when it was changed, belongs elsewhere or was sealed with another key."""
        if len(sealed) < _BLOCK:
            return None
        vector = sealed[:_BLOCK]
        text = self._streamed(vector, sealed[_BLOCK:])
        return text if compare_digest(self._vector(text, associated), vector) else None

    def _vector(self, text: bytes, associated: Sequence[bytes]) -> bytes:
        """S2V of RFC 5297 section 2.4."""
        mixed = self._zero
        for part in associated:
            mixed = _doubled(mixed) ^ self._cmac(part)
        if len(text) >= _BLOCK:
            end = (int.from_bytes(text[-_BLOCK:]) ^ mixed).to_bytes(_BLOCK)
            return self._cmac(text[:-_BLOCK] + end).to_bytes(_BLOCK)
        padded = int.from_bytes((text + b"\x80").ljust(_BLOCK, b"\0"))
        return self._cmac((_doubled(mixed) ^ padded).to_bytes(_BLOCK)).to_bytes(_BLOCK)

    def _cmac(self, data: bytes) -> int:
        one = self._mac.copy()
        one.update(data)
        return int.from_bytes(one.finalize())

    def _streamed(self, vector: bytes, text: bytes) -> bytes:
        counter = (int.from_bytes(vector) & _CLEARED).to_bytes(_BLOCK)
        return Cipher(self._cipher, modes.CTR(counter)).encryptor().update(text)


def _doubled(value: int) -> int:
    """Multiplied by x in GF(2^128)."""
    return ((value & _TOP) << 1) ^ (0x87 if value >> 127 else 0)
