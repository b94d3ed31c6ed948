"""Who is asking, in words the service can verify?

A signed statement (JWS, `typ: gateway+jwt`) and the plain identity headers beside it. Rules:

1. The caller's own credential never reaches the service; the assertion takes its place. It names one
   audience and lives at most a minute.
2. One assertion serves the same subject, credential, service, assurance, device, band and grade for at
   most 30 s; a change in any of them, or in the subject's roles, makes a new one.
3. Header values are unambiguous: what is not plain ASCII is percent-encoded UTF-8, the percent sign
   too; a comma in a role cannot make two roles of one.
"""

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Protocol
from urllib.parse import quote

from msgspec import Struct

from gateway.facts import Facts, Posture, Subject, Warrant
from gateway.upstream.settings import Assertion

TYP = "gateway+jwt"
_PLAIN = re.compile(r"[!-$&-~](?:[ -$&-~]*[!-$&-~])?|")
_SAFE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "%")
_SAFE_IN_LIST = _SAFE.replace(",", "")


class SigningKey(Protocol):
    """What signs; satisfied by `gateway.crypto.jws.SigningKey`."""

    def sign(self, claims: dict[str, object], typ: str) -> str:
        """A compact JWS."""

    def public_jwk(self) -> dict[str, str]:
        """The public half, as others verify it."""


class Signed(Struct, frozen=True, eq=False):
    """One assertion with its headers, and what it was made from."""

    headers: bytes
    subject: Subject
    posture: Posture
    made: float


class Asserter:
    """Makes the identity headers of requests."""

    def __init__(
        self, settings: Assertion, key: SigningKey, name: Callable[[], str] = lambda: secrets.token_urlsafe(12)
    ) -> None:
        self._settings = settings
        self._key = key
        self._name = name
        self._made: dict[tuple[object, ...], Signed] = {}

    def headers(self, warrant: Warrant, service: str) -> bytes:
        """The identity header lines of this request, the assertion among them."""
        facts = warrant.facts
        if self._settings.per_request:
            return self._lines(facts, self._sign(facts, service, warrant))
        subject, posture, at = facts.subject, facts.posture, facts.ask.at
        key = (
            service,
            subject.id,
            subject.proof.token,
            subject.assurance,
            posture.device,
            facts.risk.band,
            facts.asset.grade,
        )
        made = self._made.get(key)
        if made is not None and 0 <= at - made.made < self._settings.reuse and _same(made, subject, posture):
            return made.headers
        return self._remember(key, Signed(self._lines(facts, self._sign(facts, service)), subject, posture, at))

    def _remember(self, key: tuple[object, ...], made: Signed) -> bytes:
        self._made.pop(key, None)  # to the end: the oldest go first
        self._made[key] = made
        while len(self._made) > self._settings.cache_entries:
            del self._made[next(iter(self._made))]
        return made.headers

    def _sign(self, facts: Facts, service: str, warrant: Warrant | None = None) -> str:
        subject, now = facts.subject, int(facts.ask.at)
        claims: dict[str, object] = {
            "iss": self._settings.issuer,
            "aud": service,
            "sub": subject.id,
            "iat": now,
            "exp": now + int(self._settings.lifetime),
            "jti": self._name(),
            "kind": subject.kind,
            "name": subject.name,
            "org": subject.org,
            "roles": list(subject.roles),
            "acr": f"aal{subject.assurance}",
            "amr": [subject.proof.method],
            "dev": {"id": facts.posture.device, "trust": facts.posture.trust},
            "risk": facts.risk.band,
            "cls": facts.asset.grade.text,
        }
        if warrant is not None:
            claims["dec"] = warrant.id
            claims["req"] = {"m": facts.ask.method, "p_sha256": _digest(facts.ask.path)}
        return self._key.sign(claims, TYP)

    @staticmethod
    def _lines(facts: Facts, assertion: str) -> bytes:
        subject = facts.subject
        roles = ",".join(quote(role, safe=_SAFE_IN_LIST) for role in subject.roles)
        return (
            f"x-gateway-assertion: {assertion}\r\nx-gateway-subject: {plain(subject.id)}\r\n"
            f"x-gateway-roles: {roles}\r\nx-gateway-org: {plain(subject.org)}\r\n"
            f"x-gateway-device: {plain(facts.posture.device)}\r\n"
        ).encode("ascii")


def plain(value: str) -> str:
    """The value as it stands where that is plain ASCII, else percent-encoded UTF-8."""
    return value if _PLAIN.fullmatch(value) else quote(value, safe=_SAFE, errors="backslashreplace")


def _same(made: Signed, subject: Subject, posture: Posture) -> bool:
    """The same caller on the same machine; the rooms before usually hand out the very same values."""
    return (made.subject is subject or made.subject == subject) and (
        made.posture is posture or (made.posture.device == posture.device and made.posture.trust == posture.trust)
    )


def _digest(text: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
