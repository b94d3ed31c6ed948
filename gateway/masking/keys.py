"""With which keys is a value hidden, and for whom?

1. Everything is keyed, and keyed for one department of the caller: without the key a resident id is found by trying
   them all, and two departments cannot join what they got.
2. One secret, and from it a key for each work (HKDF): who learns what opens tokens cannot make digests.
3. What can be opened again says under which key it was sealed (`e1.…`): keys change, and what was sealed before is
   still to be opened.
4. Whom a record is about is keyed by the first key for ever: what was recorded before a key changed is still found.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b, sha256

from gateway.crypto.digest import unb64url
from gateway.crypto.ff1 import FF1
from gateway.crypto.siv import Sealer, sealer
from gateway.crypto.suite import INTL, Digest, Suite

DIGEST_BYTES = 16
SEALED = "e"
TOKEN = "t"  # noqa: S105 - a kind of text, no secret
_ENCODING = ("utf-8", "surrogatepass")
_SEALED = re.compile(r"([a-z])([1-9][0-9]{0,3})\.([A-Za-z0-9_-]{22,})", re.ASCII)


class Keys:
    """The keys of one department."""

    __slots__ = ("_about", "_block", "_id", "_keyed", "_noise", "_seal", "department", "permutation")

    def __init__(
        self, secret: bytes, department: str, suite: Suite = INTL, number: int = 1, first: bytes | None = None
    ) -> None:
        """`number` is that of the key; `first` is key 1 where this is a later one."""
        # the department goes in as a digest of fixed length, so that no two (department, value) run together
        who = sha256(department.encode(*_ENCODING)).digest()
        self.department = who
        self._id = number
        keyed = suite.keyed(secret)
        self._keyed = _after(keyed, b"mask\0" + who)
        self._noise = _after(keyed, b"noise\0" + who)
        self._about = about(secret if first is None else first, suite)
        self._seal: Sealer = sealer(suite, suite.derived(secret, "mask/seal", 32))
        self._block = suite.block(suite.derived(secret, "mask/fpe"))
        self.permutation: Callable[[int, bytes], FF1] = lru_cache(maxsize=256)(self._permutation)

    def digest(self, text: str) -> str:
        """The keyed digest of a text: HMAC, base64url, shortened to 128 bits."""
        return _b64(self._keyed(text.encode(*_ENCODING))[:DIGEST_BYTES])

    def about(self, text: str) -> bytes:
        """Whom a record is about: eight bytes that are the same for every department, and nothing without the key."""
        return self._about(text)

    def share(self, text: str) -> float:
        """A number from -1 to below 1 that only the key foretells, always the same for the same text."""
        return int.from_bytes(self._noise(text.encode(*_ENCODING))[:6]) / 2**47 - 1

    def sealed(self, text: str, form: str = SEALED) -> str:
        """The text, enciphered: `e1.…` or, as a token, `t1.…`; `1` names the key."""
        sealed = self._seal.seal(text.encode(*_ENCODING), (form.encode(), self.department))
        return f"{form}{self._id}.{_b64(sealed)}"

    def opened(self, sealed: bytes, form: str = SEALED) -> str | None:
        """The text behind what was sealed for this department under this key, or None."""
        text = self._seal.open(sealed, (form.encode(), self.department))
        return None if text is None else text.decode(*_ENCODING)

    def _permutation(self, length: int, tweak: bytes) -> FF1:
        return FF1(self._block, length, tweak=self.department[:8] + tweak)


Ring = Callable[[int], Keys | None]
"""The keys of one department by their number."""


def ring(secrets: Sequence[bytes], department: str, suite: Suite) -> Ring:
    """The keys of a department; `secrets` are all that mask, the first first."""

    def numbered(number: int) -> Keys | None:
        known = 0 < number <= len(secrets)
        return Keys(secrets[number - 1], department, suite, number, secrets[0]) if known else None

    return numbered


def unsealed(text: str, form: str, keys: Ring) -> str | None:
    """What was sealed in this form for the department of these keys; None for everything else."""
    match = _SEALED.fullmatch(text)
    found = keys(int(match[2])) if match is not None and match[1] == form else None
    if match is None or found is None:
        return None
    sealed = unb64url(match[3])  # in its one spelling: another would be revealed a second time
    return None if sealed is None else found.opened(sealed, form)


def about(first: bytes, suite: Suite) -> Callable[[str], bytes]:
    """What makes eight bytes of an identifier, for the record of who saw whom; `first` is key 1.

    They do not say which suite made them: who looks for somebody looks under both.
    """
    short = _short(suite, suite.derived(first, "mask/about", 32))
    return lambda text: short(text.encode(*_ENCODING))


def _short(suite: Suite, key: bytes) -> Digest:
    """A keyed digest of eight bytes: BLAKE2b (RFC 7693), a sixth of the time of HMAC; HMAC-SM3 in the national suite."""
    if suite.name != "intl":
        keyed = suite.keyed(key)
        return lambda data: keyed(data)[:8]
    base = blake2b(key=key, digest_size=8)

    def digest(data: bytes) -> bytes:
        one = base.copy()
        one.update(data)
        return one.digest()

    return digest


def _after(keyed: Digest, prefix: bytes) -> Digest:
    return lambda data: keyed(prefix + data)


def _b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
