"""What is known about the machine: the table of tiers, freshness, and whose word counts as proof."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.device import Device, Devices, Settings
from gateway.facts import Certificate, Check, Posture, Report
from tests.device.authority import Ca
from tests.literals import NOW, a_proof, a_subject, an_ask

HOUR = 3600.0
CA, PEOPLE = Ca(), Ca("people CA")
ISSUER = a_proof().issuer
CERTIFICATE = CA.issue("laptop-7")
PINNED = CA.issue("whatever")
REGISTER = (
    Device("laptop-7", "prov/civil", managed=True),
    Device("laptop-8", "prov/tax", managed=True),
    Device("tablet-1", "prov/civil"),
    Device("pinned-1", "prov/civil", managed=True, thumbprints=(PINNED.thumbprint,)),
)


def healthy(device: str = "laptop-7", **changes: Any) -> Report:
    values: dict[str, Any] = {
        "device": device,
        "reporter": "mdm",
        "sequence": 1,
        "reported_at": NOW - HOUR,
        "received_at": NOW - HOUR,
        "patch_age": 3.0,
        "disk_encrypted": True,
        "screen_lock": True,
        "firewall": True,
        "antivirus": "on",
        "antivirus_age": 1.0,
        "jailbroken": False,
        "managed": True,
    }
    return Report(**(values | changes))


class Known:
    """What the snapshot would know."""

    def __init__(self, *reports: Report) -> None:
        self.reports = {report.device: report for report in reports}
        self.out: set[str] = set()

    def report(self, device: str) -> Report | None:
        return self.reports.get(device)

    def revoked(self, device: str) -> bool:
        return device in self.out


def assessed(
    known: Known, certificate: Certificate | None = CERTIFICATE, claim: str = "", at: float = NOW, **changes: Any
) -> Posture:
    devices = Devices(Settings(authorities=(CA.der,), **changes), REGISTER, known)
    ask, subject = an_ask(certificate=certificate, at=at), a_subject(device=claim)
    posture = devices.assess(ask, subject)
    assert devices.assess(ask, subject) == posture  # the remembered answer is the same answer
    return posture


def test_a_proven_managed_device_with_a_fresh_healthy_report_is_managed() -> None:
    posture = assessed(Known(healthy()))
    assert (posture.device, posture.trust, posture.org, posture.fresh) == ("laptop-7", "managed", "prov/civil", True)
    assert posture.reported_at == NOW - HOUR
    assert Check("disk_encrypted", passed=True, seen_at=NOW - HOUR) in posture.checks


@pytest.mark.parametrize(
    ("age", "trust", "fresh", "passed"),
    [
        (0.0, "managed", True, True),
        (24 * HOUR, "managed", True, True),
        (24 * HOUR + 1, "known", False, None),
        (72 * HOUR, "known", False, None),
        (72 * HOUR + 1, "unknown", False, None),
        (-59.0, "managed", True, True),
        (-61.0, "unknown", False, None),  # from the future: a clock was set
    ],
)
def test_health_ages(age: float, trust: str, fresh: bool, passed: bool | None) -> None:
    posture = assessed(Known(healthy(reported_at=NOW - age)))
    assert (posture.trust, posture.fresh) == (trust, fresh)
    assert {check.passed for check in posture.checks} == {passed}


def test_one_devices_object_sees_time_pass() -> None:
    devices = Devices(Settings(authorities=(CA.der,)), REGISTER, Known(healthy()))
    long = CA.issue("laptop-7", days=(-1, 300))
    trusts = [
        devices.assess(an_ask(certificate=long, at=NOW + hours * HOUR), a_subject(device="")).trust
        for hours in (0, 22, 24, 70, 72, 0)
    ]
    assert trusts == ["managed", "managed", "known", "known", "unknown", "managed"]


@pytest.mark.parametrize(
    "changes",
    [
        {"disk_encrypted": False},
        {"screen_lock": None},  # not said
        {"firewall": False},
        {"antivirus": "outdated"},
        {"antivirus": ""},
        {"antivirus_age": 8.0},
        {"antivirus_age": None},
        {"patch_age": 36.0},
        {"patch_age": None},
        {"jailbroken": None},
        {"managed": False},
    ],
)
def test_a_check_that_failed_or_is_not_known_is_not_healthy(changes: dict[str, Any]) -> None:
    assert assessed(Known(healthy(**changes))).trust == "known"


def test_a_failed_check_is_remembered_while_stale_and_a_passed_one_is_not() -> None:
    posture = assessed(Known(healthy(reported_at=NOW - 30 * HOUR, firewall=False)))
    assert {check.name: check.passed for check in posture.checks if check.passed is not None} == {"firewall": False}


@pytest.mark.parametrize("age", [0.0, 30 * HOUR, 100 * HOUR])
def test_silence_does_not_heal_a_jailbroken_device(age: float) -> None:
    assert assessed(Known(healthy(reported_at=NOW - age, jailbroken=True))).trust == "compromised"


def test_a_device_that_ought_to_report_and_never_did_is_unknown() -> None:
    assert assessed(Known()).trust == "unknown"
    tablet = assessed(Known(), CA.issue("tablet-1"))
    assert (tablet.trust, tablet.fresh, tablet.checks) == ("known", False, ())


def test_without_certificate_or_claim_nothing_is_known() -> None:
    assert assessed(Known(healthy()), None) == Posture()


def test_a_device_that_only_a_token_names_is_at_most_known() -> None:
    assert assessed(Known(healthy()), None, "laptop-7").trust == "known"


def test_unless_the_operator_trusts_the_issuer_to_say_it() -> None:
    assert assessed(Known(healthy()), None, "laptop-7", trusted_issuers=(ISSUER,)).trust == "managed"
    assert assessed(Known(healthy()), None, "laptop-7", trusted_issuers=("https://other",)).trust == "known"


def test_a_device_that_is_not_registered_is_unknown_whoever_names_it() -> None:
    assert assessed(Known(), CA.issue("stranger")) == Posture(device="stranger")
    assert assessed(Known(), None, "stranger", trusted_issuers=(ISSUER,)).trust == "unknown"


def test_the_certificate_of_a_person_is_no_device() -> None:
    assert assessed(Known(healthy()), PEOPLE.issue("laptop-7")) == Posture()
    assert assessed(Known(healthy()), PEOPLE.issue("li.na"), "laptop-7").trust == "known"


def test_a_device_with_listed_thumbprints_is_pinned_to_them() -> None:
    known = Known(healthy("pinned-1"))
    assert assessed(known, PINNED).trust == "managed"
    impostor = assessed(known, CA.issue("pinned-1"))
    assert (impostor.device, impostor.trust) == ("", "unknown")


def test_an_expired_certificate_proves_nothing_also_when_its_thumbprint_is_listed() -> None:
    assert assessed(Known(healthy("pinned-1")), PINNED, at=NOW + 31 * 86_400) == Posture()


def test_a_thumbprint_that_a_trusted_proxy_vouches_for_is_enough() -> None:
    told = Certificate(b"", PINNED.thumbprint, "xfcc")
    assert assessed(Known(healthy("pinned-1")), told).trust == "managed"
    assert assessed(Known(healthy("pinned-1")), Certificate(b"", "x" * 43, "xfcc")) == Posture()


@pytest.mark.parametrize("claim", ["", "laptop-7"])
def test_a_revoked_device_is_compromised(claim: str) -> None:
    known = Known(healthy())
    known.out.add("laptop-7")
    for certificate in (CERTIFICATE, None):
        posture = assessed(known, certificate, claim or "laptop-7")
        assert (posture.trust, posture.revoked) == ("compromised", True)


def test_a_revocation_holds_for_a_device_that_is_not_registered() -> None:
    known = Known()
    known.out.add("stranger")
    assert assessed(known, None, "stranger").revoked


def test_a_token_of_one_device_presented_by_another_is_taken_for_stolen() -> None:
    posture = assessed(Known(healthy()), CERTIFICATE, "laptop-8")
    assert (posture.device, posture.trust, posture.revoked) == ("laptop-7", "compromised", False)
    assert posture.checks[-1] == Check("binding", passed=False, seen_at=NOW)


def test_a_name_from_another_scheme_makes_the_device_unknown_and_no_better() -> None:
    posture = assessed(Known(healthy()), CERTIFICATE, "e7d0b4c2-8c1a", trusted_issuers=(ISSUER,))
    assert (posture.device, posture.trust) == ("laptop-7", "unknown")


def test_a_token_of_a_revoked_device_gains_nothing_from_a_good_certificate() -> None:
    known = Known(healthy())
    known.out.add("e7d0b4c2-8c1a")
    posture = assessed(known, CERTIFICATE, "e7d0b4c2-8c1a")
    assert (posture.trust, posture.revoked) == ("compromised", True)


def test_a_new_report_and_a_revocation_are_seen_at_once() -> None:
    known = Known(healthy())
    devices = Devices(Settings(authorities=(CA.der,)), REGISTER, known)
    ask, subject = an_ask(certificate=CERTIFICATE), a_subject(device="laptop-7")
    assert devices.assess(ask, subject).trust == "managed"
    known.reports["laptop-7"] = healthy(sequence=2, firewall=False)
    assert devices.assess(ask, subject).trust == "known"
    known.out.add("laptop-7")
    assert devices.assess(ask, subject).trust == "compromised"
    known.out.clear()
    assert devices.assess(ask, subject).trust == "known"


@given(
    flags=st.fixed_dictionaries(
        {name: st.sampled_from([True, False, None]) for name in ("disk_encrypted", "firewall", "jailbroken", "managed")}
    ),
    age=st.floats(0, 1e6),
    claim=st.sampled_from(["", "laptop-7", "laptop-8", "else"]),
    proven=st.booleans(),
)
def test_law_managed_is_only_ever_proven_fresh_and_healthy(
    flags: dict[str, Any], age: float, claim: str, proven: bool
) -> None:
    posture = assessed(Known(healthy(reported_at=NOW - age, **flags)), CERTIFICATE if proven else None, claim)
    if posture.trust == "managed":
        assert proven
        assert posture.fresh
        assert all(check.passed for check in posture.checks if check.name != "enrolled")
        assert flags["managed"] is not False  # a report need not repeat what the register says, and must not deny it
        assert claim in ("", "laptop-7")
