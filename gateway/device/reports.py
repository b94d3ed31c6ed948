"""May this posture report be believed?

A report is a compact JWS of type `posture+jwt`, signed by a registered reporter. Rules:

1. The reporter named by `iss` signed it with its own key; `aud` is this gateway; `iat` is now, give or take
   the window. A report for another gateway, or an access token, is not a report.
2. `sequence` grows strictly per reporter and device: a recorded healthy report cannot be played again.
3. The device is registered, and the reporter may speak for its org.
4. Unknown claims are refused: a misspelt `jailbroken` must not read as "not said".
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeGuard

from msgspec import Struct

from gateway.crypto.jws import Parsed, Refused, parse, verify
from gateway.device.register import Device
from gateway.device.settings import Reporter, Settings
from gateway.facts import Report

TYPE = "posture+jwt"
SEQUENCE_MAX = 2**53
REPORT_MAX = 4096  # bytes
TEXT_MAX = 128
LATEST = 253_402_300_800  # the year 10000: later numbers are not times

Err = Literal[
    "invalid_request", "invalid_key", "invalid_issuer", "invalid_audience", "authentication_failed", "access_denied"
]


class Rejected(Struct, frozen=True):
    """Why a report was not accepted: a code of RFC 8935 section 2.4 and what to mend."""

    err: Err
    description: str


_FLAGS = ("disk_encrypted", "screen_lock", "firewall", "jailbroken", "managed")
_TEXTS = ("os", "os_build", "agent_version")
_AGES = {"patch_age_days": "patch_age", "av_def_age_days": "antivirus_age"}
_AV_STATES = ("on", "off", "outdated", "absent")
_NAMES = frozenset(
    ("iss", "aud", "iat", "jti", "sequence", "device_id", "reported_at", "av_state", *_FLAGS, *_TEXTS, *_AGES)
)


def accept(
    jws: str,
    settings: Settings,
    register: tuple[Device, ...],
    last_sequence: Callable[[str, str], int],
    now: float,
) -> Report | Rejected:
    """The report, once everything about it is proven. `last_sequence(reporter, device)` is -1 for none."""
    parsed = parse(jws, REPORT_MAX)
    if isinstance(parsed, Refused):
        return Rejected("invalid_request", f"the report cannot be read: {parsed.detail}")
    reporter = _author(parsed, settings)
    if isinstance(reporter, Rejected):
        return reporter
    claims = parsed.claims
    audience = claims.get("aud")
    if settings.audience not in (audience if isinstance(audience, list) else [audience]):
        return Rejected("invalid_audience", f"`aud` must be {settings.audience}")
    fault = _time_fault(claims, settings, now) or _shape_fault(claims)
    if fault is not None:
        return Rejected("invalid_request", fault)
    return _told(claims, reporter, register, last_sequence, now)


def _author(parsed: Parsed, settings: Settings) -> Reporter | Rejected:
    """The reporter that signed it."""
    if parsed.typ != TYPE:  # RFC 8725 section 3.11: an access token must not pass for a report
        return Rejected("invalid_request", f"the type must be {TYPE}")
    named = [reporter for reporter in settings.reporters if reporter.id == parsed.claims.get("iss")]
    if not named:
        return Rejected("invalid_issuer", "`iss` is not a registered reporter")
    for reporter in named:
        if verify(parsed, reporter.key):
            return reporter
    return Rejected("invalid_key", "the signature does not verify with the reporter's registered key")


def _time_fault(claims: Mapping[str, object], settings: Settings, now: float) -> str | None:
    issued = claims.get("iat")
    if not _number(issued) or not now - settings.window <= issued <= now + settings.leeway:
        return f"`iat` must lie within {settings.window:.0f} seconds of now"
    seen = claims.get("reported_at")
    if not _number(seen) or not now - settings.stale <= seen <= issued + settings.leeway:
        return "`reported_at` must be a time in seconds, not after `iat` and not too old to matter"
    return None


def _shape_fault(claims: Mapping[str, object]) -> str | None:
    """The first claim that is not what it must be (rule 4)."""
    for name in claims:
        if name not in _NAMES:
            return f"`{name[:64]}` is not a claim of a report"
    for name in ("iss", "device_id"):
        if not _text(claims.get(name)) or not claims[name]:
            return f"`{name}` must be a text of 1 to {TEXT_MAX} characters"
    sequence = claims.get("sequence")
    if not isinstance(sequence, int) or isinstance(sequence, bool) or not 0 <= sequence < SEQUENCE_MAX:
        return "`sequence` must be a whole number from 0"
    return _said_fault(claims)


def _said_fault(claims: Mapping[str, object]) -> str | None:
    for name in _FLAGS:
        if not isinstance(claims.get(name), bool | None):
            return f"`{name}` must be true or false"
    for name in _TEXTS:
        if not _text(claims.get(name, "")):
            return f"`{name}` must be a text of at most {TEXT_MAX} characters"
    for name in _AGES:
        if claims.get(name) is not None and not _number(claims[name]):
            return f"`{name}` must be a number of days from 0"
    if claims.get("av_state") not in (None, *_AV_STATES):
        return f"`av_state` must be one of {', '.join(_AV_STATES)}"
    return None


def _told(
    claims: Mapping[str, Any],
    reporter: Reporter,
    register: tuple[Device, ...],
    last_sequence: Callable[[str, str], int],
    now: float,
) -> Report | Rejected:
    """The report, when its device is the reporter's to speak about and it is not an old one."""
    id = claims["device_id"]
    device = next((device for device in register if device.id == id), None)
    if device is None:
        return Rejected("access_denied", "the device is not registered; add it to devices.yaml first")
    if reporter.orgs and device.org not in reporter.orgs:
        return Rejected("access_denied", "this reporter may not speak for the org of the device")
    last = last_sequence(reporter.id, id)
    if claims["sequence"] <= last:
        return Rejected("invalid_request", f"`sequence` must be above {last}, the last one accepted")
    return _report(claims, reporter, now)


def _report(claims: Mapping[str, Any], reporter: Reporter, now: float) -> Report:
    return Report(
        device=claims["device_id"],
        reporter=reporter.id,
        sequence=claims["sequence"],
        reported_at=float(claims["reported_at"]),
        received_at=now,
        os=claims.get("os", ""),
        os_build=claims.get("os_build", ""),
        agent_version=claims.get("agent_version", ""),
        patch_age=_days(claims.get("patch_age_days")),
        disk_encrypted=claims.get("disk_encrypted"),
        screen_lock=claims.get("screen_lock"),
        firewall=claims.get("firewall"),
        antivirus=claims.get("av_state") or "",
        antivirus_age=_days(claims.get("av_def_age_days")),
        jailbroken=claims.get("jailbroken"),
        managed=claims.get("managed"),
    )


def _days(value: float | None) -> float | None:
    return None if value is None else float(value)


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= TEXT_MAX and value.isprintable()


def _number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < LATEST
