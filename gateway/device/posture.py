"""What is known about the machine behind this request?

| trust       | when |
|-------------|------|
| compromised | revoked; its newest report says jailbroken, however old; or the token was issued to another registered device |
| managed     | registered as managed, proven, newest report fresh, every required check passed |
| known       | registered, and not managed: only claimed, unmanaged, unhealthy, or its report is stale |
| unknown     | everything else: not registered, or a device that ought to report and has not for too long |

Rules:

1. Proof is a certificate of a device CA (or the listed thumbprint). A device that only a token names
   is at most `known`, unless the token's issuer is trusted to say it.
2. Stale or missing is never healthy: a passed check is forgotten once the report is stale, a failed one
   only once it is too old. Bad news about integrity ends only with better news.
3. A token that names one registered device and comes from another is a stolen token until proven
   otherwise: `compromised`, for this request. A name that is not in the register contradicts the
   certificate too, but may be another scheme of names: `unknown`.
"""

import math
from collections.abc import Iterable
from typing import Literal, Protocol

from msgspec import Struct
from msgspec.structs import replace

from gateway.device.certificates import Certificates
from gateway.device.register import Device
from gateway.device.settings import Settings
from gateway.facts import Ask, Certificate, Check, Posture, Report, Subject

Trust = Literal["managed", "known", "unknown", "compromised"]
Age = Literal["fresh", "stale", "old", "missing"]
NOTHING_KNOWN = Posture()


class Postures(Protocol):
    """What the workers' snapshot knows."""

    def report(self, device: str) -> Report | None:
        """The newest report about the device."""

    def revoked(self, device: str) -> bool:
        """Whether the device is revoked."""


class _Kept(Struct, frozen=True, eq=False):
    """A posture and what it rests on: while all of that stands, so does the posture."""

    report: Report | None
    revoked: bool
    starts: float
    ends: float
    posture: Posture


class Devices:
    """The register with its postures. `assess` is called on each request."""

    def __init__(self, settings: Settings, register: tuple[Device, ...], postures: Postures) -> None:
        self._settings = settings
        self._postures = postures
        self._trusted = frozenset(settings.trusted_issuers)
        self._certificates = Certificates(settings.authorities)
        self._by_id = {device.id: device for device in register}
        self._by_thumbprint = {mark: device for device in register for mark in device.thumbprints}
        self._kept: tuple[dict[str, _Kept], dict[str, _Kept]] = ({}, {})  # claimed, proven: as large as the register

    def assess(self, ask: Ask, subject: Subject) -> Posture:
        """The posture of the device that asks."""
        claim = subject.device
        certificate = ask.certificate
        name = None if certificate is None else self._proven(certificate, ask.at)
        if name is None:
            if not claim:
                return NOTHING_KNOWN
            return self._posture(claim, subject.proof.issuer in self._trusted, ask.at)
        if not claim or claim == name:
            return self._posture(name, True, ask.at)
        return self._mismatch(name, claim, ask.at)

    def _proven(self, certificate: Certificate, at: float) -> str | None:
        """The device that the certificate proves ("" for a nameless one), None when it proves none."""
        pinned = self._by_thumbprint.get(certificate.thumbprint)
        if pinned is not None and (not self._certificates or not certificate.der):
            return pinned.id  # no device CA to ask, or a proxy that vouches for the thumbprint alone
        name = self._certificates.name(certificate, at)
        if name is None or pinned is not None:
            return name if name is None or pinned is None else pinned.id
        device = self._by_id.get(name)
        if device is not None and device.thumbprints:
            return ""  # the device is pinned to other certificates: this one is old, or not its own
        return name

    def _posture(self, id: str, proven: bool, at: float) -> Posture:
        device = self._by_id.get(id)
        revoked = bool(id) and self._postures.revoked(id)
        if device is None:
            return Posture(device=id, trust="compromised" if revoked else "unknown", revoked=revoked)
        report = self._postures.report(id)
        kept = self._kept[proven].get(id)
        if kept and kept.report is report and kept.revoked is revoked and kept.starts <= at < kept.ends:
            return kept.posture
        kept = self._judge(device, proven, report, revoked, at)
        self._kept[proven][id] = kept
        return kept.posture

    def _judge(self, device: Device, proven: bool, report: Report | None, revoked: bool, at: float) -> _Kept:
        settings = self._settings
        age, starts, ends = _age(report, settings, at)
        checks = _checks(report, age, settings)
        fresh = age == "fresh"
        healthy = fresh and all(check.passed for check in checks if check.name in settings.required)
        posture = Posture(
            device=device.id,
            trust="compromised" if revoked else _trust(device, proven, report, age, healthy),
            org=device.org,
            fresh=fresh,
            reported_at=report.reported_at if report else 0.0,
            checks=checks,
            revoked=revoked,
        )
        return _Kept(report, revoked, starts, ends, posture)

    def _mismatch(self, name: str, claim: str, at: float) -> Posture:
        """The certificate proves one device, the token names another (rule 3)."""
        posture = self._posture(name, True, at)
        revoked = posture.revoked or self._postures.revoked(claim)
        stolen = revoked or posture.trust == "compromised" or (name in self._by_id and claim in self._by_id)
        binding = Check("binding", passed=False, seen_at=at)
        trust = "compromised" if stolen else "unknown"
        return replace(posture, trust=trust, revoked=revoked, checks=(*posture.checks, binding))


def _age(report: Report | None, settings: Settings, at: float) -> tuple[Age, float, float]:
    """How old the news is, and the time in which that stays so."""
    if report is None:
        return "missing", -math.inf, math.inf
    seen = report.reported_at
    if at < seen - settings.leeway:  # our clock, or theirs, was set: we cannot know
        return "old", -math.inf, seen - settings.leeway
    if at <= seen + settings.freshness:
        return "fresh", seen - settings.leeway, math.nextafter(seen + settings.freshness, math.inf)
    if at <= seen + settings.stale:
        return "stale", seen + settings.freshness, math.nextafter(seen + settings.stale, math.inf)
    return "old", seen + settings.stale, math.inf


def _trust(device: Device, proven: bool, report: Report | None, age: Age, healthy: bool) -> Trust:
    """The table of this module, for a registered device that is not revoked."""
    if report is not None and report.jailbroken:
        return "compromised"
    if age == "old" or (age == "missing" and device.managed):
        return "unknown"  # it ought to report, and does not
    if healthy and proven and device.managed and report is not None and report.managed is not False:
        return "managed"
    return "known"


def _checks(report: Report | None, age: Age, settings: Settings) -> tuple[Check, ...]:
    if report is None:
        return ()
    return tuple(
        Check(name, _remembered(passed, age), report.reported_at) for name, passed in _results(report, settings)
    )


def _remembered(passed: bool | None, age: Age) -> bool | None:
    """What is left of a result when the report gets older (rule 2)."""
    if age == "fresh" or (age == "stale" and passed is False):
        return passed
    return None


def _results(report: Report, settings: Settings) -> Iterable[tuple[str, bool | None]]:
    yield "integrity", None if report.jailbroken is None else not report.jailbroken
    yield "disk_encrypted", report.disk_encrypted
    yield "screen_lock", report.screen_lock
    yield "firewall", report.firewall
    yield "antivirus", _antivirus(report, settings)
    yield "patches", None if report.patch_age is None else report.patch_age <= settings.patch_days
    yield "enrolled", report.managed


def _antivirus(report: Report, settings: Settings) -> bool | None:
    if not report.antivirus:
        return None
    if report.antivirus != "on":
        return False
    return None if report.antivirus_age is None else report.antivirus_age <= settings.antivirus_days
