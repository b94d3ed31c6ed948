"""Who is asking?

The credential of a request becomes a Subject. Rules:

1. No credential is anonymous; a bad one never is. Policy sees the `rejection`, whatever else was shown.
2. A token wins over a certificate: the certificate then only proves what the token is bound to.
3. Two Authorization headers, or a scheme other than Bearer, are refused: somebody behind us might
   read the other one.
4. What was verified is remembered for at most a minute, never beyond its expiry, and only while the
   issuer's keys are the same. Binding and revocation are looked at on every request all the same.
5. What was refused is remembered for a moment, so that a flood of one bad token buys one signature.
"""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from gateway.crypto.digest import same, sha256, token_id
from gateway.crypto.jws import MAX_BYTES, Parsed, Refused, VerificationKey, parse, verify
from gateway.facts import ANONYMOUS, Ask, Notice, Proof, Reason, Subject
from gateway.identity.bearer import binding, claims_fault
from gateway.identity.certificate import Certificates
from gateway.identity.claims import subject as subject_of
from gateway.identity.keys import Fetch, Keyring
from gateway.identity.recent import Recent
from gateway.identity.settings import Settings

START_SECONDS: Final = 0.5
REFUSED_SECONDS: Final = 10.0
REFUSED_ENTRIES: Final = 4096
_SCHEME: Final = b"bearer "
_BEARER: Final = Proof(method="bearer")
_NOT_REMEMBERED: Final = frozenset(("identity_unavailable", "token_not_yet_valid"))  # time heals these


class Revocations(Protocol):
    """What has been withdrawn."""

    def refuses(self, subject: Subject) -> Reason | None:
        """Why this subject's credential is refused, or None. Asked on each request."""


class _Verified(Struct, frozen=True, eq=False):
    """A token whose signature and claims held, and for how long that counts."""

    subject: Subject
    thumbprint: str  # of the certificate it is bound to; empty for none
    ring: Keyring
    generation: int
    until: float  # wall clock: the token's expiry
    clock_until: float


class _Remembered(Struct, frozen=True, eq=False):
    subject: Subject
    generation: int  # of all keyrings together: a new key may make the token good
    clock_until: float


class Recogniser:
    """Recognises the subject of each request. One for each worker."""

    def __init__(
        self,
        settings: Settings,
        revocations: Revocations,
        fetch: Fetch,
        notice: Callable[[Notice], None],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._settings = settings
        self._refuses = revocations.refuses
        self._rings = {one.url: Keyring(one, fetch, notice, clock) for one in settings.issuers}
        self._certificates = Certificates(settings.authorities, settings.cache_entries)
        self._verified: Recent[bytes, _Verified] = Recent(settings.cache_entries)
        self._refused: Recent[bytes, _Remembered] = Recent(REFUSED_ENTRIES)
        self._keeping: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Fetch all key sets, without waiting for a slow issuer, and keep them fresh from now on."""
        await asyncio.gather(*(ring.load(START_SECONDS) for ring in self._rings.values()))
        self._keeping = [asyncio.create_task(ring.keep()) for ring in self._rings.values()]

    async def close(self) -> None:
        """Stop refreshing."""
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, *(ring.close() for ring in self._rings.values()), return_exceptions=True)
        self._keeping = []

    def ages(self) -> dict[str, float | None]:
        """Seconds since each issuer confirmed the key set in use; None while there is none."""
        return {url: ring.age() for url, ring in self._rings.items()}

    async def recognise(self, ask: Ask) -> Subject:
        """The subject of this request; waits only when a key set must be fetched first."""
        shown = [value for name, value in ask.headers if name == b"authorization"]
        if len(shown) != 1:
            return _AMBIGUOUS if shown else self._without_token(ask)
        credential = shown[0]
        verified = self._verified.get(credential)
        if (
            verified is None
            or ask.at >= verified.until
            or ask.clock >= verified.clock_until
            or verified.generation != verified.ring.generation
        ):
            found = await self._check(credential, ask)
            if isinstance(found, Subject):
                return found
            verified = found
        subject = verified.subject
        if verified.thumbprint and not _holds(verified.thumbprint, ask):
            unproven = replace(subject.proof, bound=False)
            return _rejected(Reason("token_binding", detail="another certificate, or none"), unproven)
        refused = self._refuses(subject)
        return subject if refused is None else replace(subject, rejection=refused)

    def _without_token(self, ask: Ask) -> Subject:
        if ask.certificate is None:
            return ANONYMOUS
        subject = self._certificates.prove(ask.certificate, ask.at, ask.clock)
        if subject is None:
            return ANONYMOUS
        refused = subject.rejection or self._refuses(subject)
        return subject if refused is subject.rejection else replace(subject, rejection=refused)

    async def _check(self, credential: bytes, ask: Ask) -> _Verified | Subject:
        """What the caches do not know."""
        if len(credential) > MAX_BYTES + len(_SCHEME):  # before anything is computed over it
            return _rejected(Reason("credential_malformed", detail=f"longer than {MAX_BYTES} bytes"))
        if credential[:7].lower() != _SCHEME:
            return _OTHER_SCHEME
        token = credential[7:]
        digest = sha256(token)
        remembered = self._refused.get(digest)
        generation = sum(ring.generation for ring in self._rings.values())
        if remembered is not None and ask.clock < remembered.clock_until and remembered.generation == generation:
            return remembered.subject
        proof = Proof(method="bearer", token=token_id(token))
        checked = await self._verify(token, proof.token, ask)
        if isinstance(checked, _Verified):
            self._verified.put(credential, checked, len(credential))
            return checked
        subject = _rejected(checked, proof)
        if checked.code not in _NOT_REMEMBERED:
            generation = sum(ring.generation for ring in self._rings.values())
            self._refused.put(digest, _Remembered(subject, generation, ask.clock + REFUSED_SECONDS))
        return subject

    async def _verify(self, token: bytes, digest: str, ask: Ask) -> _Verified | Reason:
        """The cold path, cheapest check first: shape, issuer, claims, key, signature."""
        parsed = parse(token)
        if isinstance(parsed, Refused):
            return Reason(parsed.code, detail=parsed.detail)
        ring = self._rings.get(str(parsed.claims.get("iss", "")))
        if ring is None:
            return _unknown_issuer(parsed)
        fault = claims_fault(parsed, ring.issuer, ask.at, self._settings.leeway)
        if fault is not None:
            return fault
        key = await ring.find(parsed.kid, parsed.alg)
        if not isinstance(key, VerificationKey):
            return Reason(key, detail=f"key `{parsed.kid[:64]}`")
        generation = ring.generation
        if key.alg != parsed.alg:
            return Reason("token_algorithm", detail=f"the key is for {key.alg}, the header says {parsed.alg}")
        if not verify(parsed, key):
            return Reason("token_signature")
        return self._proven(parsed, digest, ring, generation, ask)

    def _proven(self, parsed: Parsed, digest: str, ring: Keyring, generation: int, ask: Ask) -> _Verified | Reason:
        thumbprint = binding(parsed.claims)
        if isinstance(thumbprint, Reason):
            return thumbprint
        subject = subject_of(parsed, ring.issuer, digest, bound=bool(thumbprint))
        if isinstance(subject, Reason):
            return subject
        until = subject.proof.expires_at + self._settings.leeway
        return _Verified(subject, thumbprint, ring, generation, until, ask.clock + self._settings.cache_seconds)


def _unknown_issuer(parsed: Parsed) -> Reason:
    if "iss" not in parsed.claims:
        return Reason("token_claims", detail="`iss` is missing")
    return Reason("token_issuer", detail=f"`{parsed.claims['iss']}`"[:200])


def _holds(thumbprint: str, ask: Ask) -> bool:
    """Whether the caller holds the certificate to which the token is bound (RFC 8705 section 3)."""
    return ask.certificate is not None and same(ask.certificate.thumbprint, thumbprint)


def _rejected(reason: Reason, proof: Proof = _BEARER) -> Subject:
    """A caller of whom nothing is proven, with the reason. It has no id: anyone could have written it."""
    return Subject(id="", kind="anonymous", proof=proof, rejection=reason)


_AMBIGUOUS: Final = _rejected(Reason("credential_ambiguous", detail="several Authorization headers"))
_OTHER_SCHEME: Final = _rejected(Reason("credential_scheme", detail="not `Bearer`"))
