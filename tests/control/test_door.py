"""What can operators ask for, and what is done when they do?"""

import msgspec
import pytest

from gateway.control import Act, DoorFault, Rejected, Revocation
from gateway.control.door import ROLES
from gateway.reasons import REASONS
from tests.control.doors import A_FAULT


def test_values_are_frozen_and_can_be_written() -> None:
    act = Act("uid:0", "admin", "policy.reload")
    with pytest.raises(AttributeError):
        act.ok = False  # type: ignore[misc]  # the point
    assert b'"line":3' in msgspec.json.encode(Rejected((A_FAULT,)))


def test_a_revocation_takes_four_kinds_and_nothing_else() -> None:
    for kind in ("token", "session", "subject", "device"):
        assert msgspec.convert({"kind": kind, "id": "a"}, Revocation).until is None
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"kind": "issuer", "id": "a"}, Revocation)


def test_what_was_wrong_is_told_in_a_line() -> None:
    assert Rejected((A_FAULT,)).brief == "rules/10.yaml:3:5: P001 unknown key `wen`"
    assert Rejected((A_FAULT, A_FAULT)).brief == "2 faults, the first: rules/10.yaml:3:5: P001 unknown key `wen`"


def test_the_codes_of_the_door_are_explained() -> None:
    codes = ("operator_unknown", "browser_refused", "role_insufficient", "method_not_allowed", "media_type", "bad_request",
             "policy_rejected", "state_unavailable", "not_found", "body_too_large", "audit_unavailable")  # fmt: skip
    assert [code for code in codes if code not in REASONS] == []
    assert DoorFault("not_found").detail == ""
    assert len(ROLES) == 6
