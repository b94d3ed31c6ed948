"""Which posture reports are believed. The forgers: a stranger, a limited reporter, a recorder, a careless agent."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.crypto.jws import SigningKey
from gateway.device import Device, Rejected, Reporter, Settings, accept
from gateway.facts import Report
from tests.literals import NOW

MDM, EDR, STRANGER = (SigningKey.generate() for _ in range(3))
REGISTER = (Device("laptop-7", "prov/civil", True), Device("laptop-8", "prov/tax", True))
SETTINGS = Settings(
    reporters=(Reporter("mdm", MDM.public()), Reporter("edr", EDR.public(), orgs=("prov/tax",))),
)
CLAIMS: dict[str, Any] = {
    "iss": "mdm",
    "aud": "gateway",
    "iat": NOW - 5,
    "sequence": 3,
    "device_id": "laptop-7",
    "reported_at": NOW - 60,
    "os": "Kylin V10",
    "patch_age_days": 3,
    "disk_encrypted": True,
    "screen_lock": True,
    "av_state": "on",
    "av_def_age_days": 1,
    "jailbroken": False,
    "firewall": True,
    "managed": True,
}


def judged(
    key: SigningKey = MDM, typ: str = "posture+jwt", last: Callable[[str, str], int] = lambda r, d: 2, **changes: Any
) -> Report | Rejected:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not ...}
    return accept(key.sign(claims, typ), SETTINGS, REGISTER, last, NOW)


def test_a_report_of_a_registered_reporter_is_believed() -> None:
    assert judged() == Report(
        "laptop-7", "mdm", 3, NOW - 60, NOW, "Kylin V10", "", "", 3.0, True, True, True, "on", 1.0, False, True
    )


def test_what_was_not_said_is_unknown_and_not_healthy() -> None:
    report = judged(firewall=..., av_state=..., patch_age_days=...)
    assert isinstance(report, Report)
    assert (report.firewall, report.antivirus, report.patch_age) == (None, "", None)


@pytest.mark.parametrize(
    ("changes", "err", "says"),
    [
        ({"key": STRANGER}, "invalid_key", "signature"),
        ({"key": EDR}, "invalid_key", "signature"),  # one reporter in the name of another
        ({"iss": "nobody"}, "invalid_issuer", "iss"),
        ({"iss": ...}, "invalid_issuer", "iss"),
        ({"typ": "at+jwt"}, "invalid_request", "type"),
        ({"aud": "other-gateway"}, "invalid_audience", "aud"),
        ({"aud": ...}, "invalid_audience", "aud"),
        ({"iat": NOW - 301}, "invalid_request", "iat"),
        ({"iat": NOW + 61}, "invalid_request", "iat"),
        ({"iat": ...}, "invalid_request", "iat"),
        ({"reported_at": NOW + 60}, "invalid_request", "reported_at"),
        ({"reported_at": NOW - 259_201}, "invalid_request", "reported_at"),
        ({"reported_at": True}, "invalid_request", "reported_at"),
        ({"sequence": 2}, "invalid_request", "above 2"),
        ({"sequence": 3.5}, "invalid_request", "sequence"),
        ({"sequence": True}, "invalid_request", "sequence"),
        ({"sequence": -1}, "invalid_request", "sequence"),
        ({"sequence": 2**53}, "invalid_request", "sequence"),
        ({"sequence": ...}, "invalid_request", "sequence"),
        ({"device_id": "laptop-9"}, "access_denied", "not registered"),
        ({"device_id": ""}, "invalid_request", "device_id"),
        ({"device_id": ["laptop-7"]}, "invalid_request", "device_id"),
        ({"jailbrokn": False}, "invalid_request", "jailbrokn"),
        ({"jailbroken": "no"}, "invalid_request", "jailbroken"),
        ({"jailbroken": 0}, "invalid_request", "jailbroken"),
        ({"patch_age_days": -1}, "invalid_request", "patch_age_days"),
        ({"patch_age_days": True}, "invalid_request", "patch_age_days"),
        ({"av_state": "fine"}, "invalid_request", "av_state"),
        ({"os": "x" * 129}, "invalid_request", "os"),
        ({"os": "a\nb"}, "invalid_request", "os"),
        ({"jti": "x" * 4096}, "invalid_request", "4096"),
    ],
)
def test_a_report_that_may_not_be_believed_says_why(changes: dict[str, Any], err: str, says: str) -> None:
    rejected = judged(**changes)
    assert isinstance(rejected, Rejected)
    assert rejected.err == err
    assert says in rejected.description


def test_a_reporter_that_is_limited_speaks_for_its_org_only() -> None:
    mine = judged(key=EDR, iss="edr", device_id="laptop-8")
    assert isinstance(mine, Report)
    theirs = judged(key=EDR, iss="edr")
    assert theirs == Rejected("access_denied", "this reporter may not speak for the org of the device")


def test_sequences_are_counted_per_reporter_and_device() -> None:
    asked: list[tuple[str, str]] = []

    def last(reporter: str, device: str) -> int:
        asked.append((reporter, device))
        return -1

    assert isinstance(judged(last=last, sequence=0), Report)
    assert asked == [("mdm", "laptop-7")]


def test_a_reporter_may_change_its_key_with_both_registered() -> None:
    settings = Settings(reporters=(Reporter("mdm", STRANGER.public()), Reporter("mdm", MDM.public())))
    assert isinstance(accept(MDM.sign(CLAIMS, "posture+jwt"), settings, REGISTER, lambda r, d: 0, NOW), Report)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "\ud800"])
def test_what_is_no_report_at_all_is_refused(text: str) -> None:
    rejected = accept(text, SETTINGS, REGISTER, lambda r, d: 0, NOW)
    assert isinstance(rejected, Rejected)
    assert rejected.err == "invalid_request"
