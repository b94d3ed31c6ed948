"""Literal values for tests: each function gives one plausible value, with fields replaced by name."""

from collections.abc import AsyncIterator
from typing import Any

from gateway.facts import (
    Ask,
    Asset,
    Deny,
    Facts,
    Field,
    Grade,
    Mask,
    Permit,
    Posture,
    Proof,
    Reason,
    Risk,
    Subject,
    Warrant,
)

NOW = 1_790_000_000.0  # 2026-09-21T13:33:20Z, a Monday


class NoBody:
    """A request without a body."""

    length = 0
    received = 0

    async def settle(self) -> str | None:
        return None

    def whole(self) -> bytes | None:
        return b""

    async def chunks(self) -> AsyncIterator[bytes]:
        for chunk in ():
            yield chunk


class WholeBody(NoBody):
    """A small body that has arrived."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.length = self.received = len(data)

    def whole(self) -> bytes | None:
        return self.data

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self.data


def an_ask(**changes: Any) -> Ask:
    values: dict[str, Any] = {
        "id": "req-1",
        "at": NOW,
        "clock": 1000.0,
        "method": "GET",
        "scheme": "https",
        "host": "api.example.gov",
        "api": "civil-households",
        "path": "/civil/households/42",
        "query": "",
        "headers": ((b"host", b"api.example.gov"), (b"accept", b"application/json")),
        "source": "10.23.4.5",
        "peer": "10.23.4.5",
        "certificate": None,
        "trace": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "purpose": "",
        "language": "en",
        "browser": False,
        "body": NoBody(),
    }
    return Ask(**(values | changes))


def a_proof(**changes: Any) -> Proof:
    values: dict[str, Any] = {
        "method": "bearer",
        "issuer": "https://sso.example.gov/realms/staff",
        "token": "t0k3nd1gest0000000000a",
        "jti": "jti-1",
        "session": "sid-1",
        "issued_at": NOW - 60,
        "expires_at": NOW + 300,
        "authenticated_at": NOW - 120,
    }
    return Proof(**(values | changes))


def a_subject(**changes: Any) -> Subject:
    values: dict[str, Any] = {
        "id": "zhang.wei",
        "kind": "person",
        "name": "张伟",
        "org": "prov/civil",
        "roles": ("clerk",),
        "clearance": Grade.IMPORTANT,
        "assurance": 2,
        "device": "laptop-7",
        "proof": a_proof(),
    }
    return Subject(**(values | changes))


def a_posture(**changes: Any) -> Posture:
    values: dict[str, Any] = {
        "device": "laptop-7",
        "trust": "managed",
        "org": "prov/civil",
        "fresh": True,
        "reported_at": NOW - 600,
    }
    return Posture(**(values | changes))


def an_asset(**changes: Any) -> Asset:
    values: dict[str, Any] = {
        "id": "household",
        "api": "civil-households",
        "route": "GET /civil/households/{id}",
        "action": "read",
        "grade": Grade.IMPORTANT,
        "category": "population",
        "owner": "prov/civil",
        "fields": (Field("$.id_number", "resident-id", Grade.IMPORTANT), Field("$.name", "name", Grade.GENERAL_3)),
        "contract": "enforce",
        "opaque": False,
        "parameters": (("id", "42"),),
        "revision": "cat-1",
    }
    return Asset(**(values | changes))


def some_facts(**changes: Any) -> Facts:
    values: dict[str, Any] = {
        "ask": an_ask(),
        "subject": a_subject(),
        "posture": a_posture(),
        "risk": Risk(0.0, "normal"),
        "asset": an_asset(),
    }
    return Facts(**(values | changes))


NO_MASK = Mask("none", (), "pass")


def a_permit(**changes: Any) -> Permit:
    values: dict[str, Any] = {
        "reasons": (Reason("rule_allowed", "rules/10-civil.yaml:3"),),
        "bundle": "b" * 64,
        "mask": NO_MASK,
    }
    return Permit(**(values | changes))


def a_deny(**changes: Any) -> Deny:
    values: dict[str, Any] = {"reasons": (Reason("no_rule"),), "bundle": "b" * 64}
    return Deny(**(values | changes))


def a_warrant(**changes: Any) -> Warrant:
    values: dict[str, Any] = {"id": "20260921T133320-w0-abc123.7", "facts": some_facts(), "permit": a_permit()}
    return Warrant(**(values | changes))
