"""Who knocks at the operators' door?

Rules:

1. On the Unix socket the kernel says who is there (SO_PEERCRED); nothing that is sent can change it.
2. On the TLS port a bearer token or a client certificate must be one of those configured. A bad token
   is never made good by a certificate beside it.
3. Whoever is nobody learns nothing: not even whether a path exists.
4. What a browser sends is refused: a page of another origin must not act through an operator's browser
   (CSRF with client certificates, DNS rebinding to the loopback port).
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from gateway.control.door import Role
from gateway.facts import Notice

MAX_TOKEN = 512
_SOURCES = 1024
_BROWSER = (b"origin", b"sec-fetch-site", b"sec-fetch-mode")


class Credential(Struct, frozen=True):
    """A token or certificate of the configuration: who it is, what they may, its SHA-256 in hexadecimal."""

    name: str
    role: Role
    sha256: str


class Settings(Struct, frozen=True):
    """Who may come in. `operators` are uids of this machine; root and the gateway's own uid are admins."""

    tokens: tuple[Credential, ...] = ()
    certificates: tuple[Credential, ...] = ()
    operators: tuple[tuple[int, Role], ...] = ()
    uid: int = 0  # the gateway's own

    def __post_init__(self) -> None:
        for credential in (*self.tokens, *self.certificates):
            if len(credential.sha256) != 64 or set(credential.sha256) - set("0123456789abcdef"):
                raise ValueError(f"`{credential.name}` needs a SHA-256 digest of 64 lower-case hexadecimal digits")
        names = [credential.name for credential in (*self.tokens, *self.certificates)]
        if len(set(names)) != len(names):
            raise ValueError("two operators have the same name: the record could not tell them apart")


class Peer(Struct, frozen=True):
    """Who is at the other end of the connection: by the kernel, or by the TLS handshake."""

    uid: int | None = None  # of the process at the other end of the Unix socket
    certificate: bytes = b""  # DER, verified by the handshake


class Caller(Struct, frozen=True):
    """An operator that was recognised."""

    name: str
    role: Role


def recognise(scope: Mapping[str, Any], settings: Settings) -> Caller | None:
    """Who is asking, or None. Never raises."""
    peer = scope.get("extensions", {}).get("peer")
    if not isinstance(peer, Peer):
        return None
    if peer.uid is not None:
        return _by_uid(peer.uid, settings)
    sent = [value for name, value in scope["headers"] if name == b"authorization"]
    if sent:
        return _by_token(sent, settings)
    return _known(settings.certificates, peer.certificate) if peer.certificate else None


def from_browser(scope: Mapping[str, Any]) -> bool:
    """Whether a browser says so of itself; scrapers, curl and our own command line never do."""
    return any(name in _BROWSER for name, _ in scope["headers"])


def _by_uid(uid: int, settings: Settings) -> Caller | None:
    if uid in (0, settings.uid):
        return Caller(f"uid:{uid}", "admin")
    role = dict(settings.operators).get(uid)
    return Caller(f"uid:{uid}", role) if role is not None else None


def _by_token(sent: list[bytes], settings: Settings) -> Caller | None:
    scheme, _, token = sent[0].partition(b" ")
    if len(sent) != 1 or scheme.lower() != b"bearer" or not 0 < len(token) <= MAX_TOKEN:
        return None
    return _known(settings.tokens, token)


def _known(credentials: tuple[Credential, ...], shown: bytes) -> Caller | None:
    """The operator with this secret; every one is compared, in constant time."""
    digest = hashlib.sha256(shown).hexdigest()
    found = None
    for credential in credentials:
        if hmac.compare_digest(credential.sha256, digest):
            found = Caller(credential.name, credential.role)
    return found


class Knocks:
    """Counts failures of each source and tells of the 1st, 2nd, 4th, 8th …: seen at once, never a flood."""

    def __init__(self, notice: Callable[[Notice], None]) -> None:
        self._notice = notice
        self._counts: dict[str, int] = {}

    def failed(self, source: str, detail: str) -> None:
        """Count one; bounded, so that a network of sources cannot fill the memory."""
        if len(self._counts) >= _SOURCES and source not in self._counts:
            self._counts.clear()
        count = self._counts[source] = self._counts.get(source, 0) + 1
        if count & (count - 1) == 0:
            self._notice(Notice("control.refused", source, detail, (count + 1) // 2))
