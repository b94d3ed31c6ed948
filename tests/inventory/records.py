"""Entries about a household register, as the ledger keeps them."""

from typing import Any

from msgspec.structs import replace

from gateway.entries import Entry, OutcomeEntry, VerdictEntry
from gateway.facts import Risk
from tests.literals import NOW, a_posture, a_subject


def verdict(seq: int, **changes: Any) -> VerdictEntry:
    """Somebody of prov/civil was allowed to read a household."""
    values: dict[str, Any] = {
        "v": 1, "journal": "j", "seq": seq, "at": NOW + seq, "request": "r", "trace": "", "source": "10.0.0.1",
        "method": "GET", "host": "h", "path": "/civil/households/1", "digest": "d", "query": (), "api": "households",
        "route": "GET /civil/households/{id}", "asset": "household", "action": "read", "grade": "important",
        "category": "population", "owner": "prov/civil", "object": "", "revision": "c",
        "subject": replace(a_subject(), org="prov/civil"), "posture": a_posture(), "risk": Risk(), "outcome": "permit",
        "reasons": (), "bundle": "b",
    }  # fmt: skip
    return VerdictEntry(**(values | changes))


def outcome(seq: int, of: int, **changes: Any) -> OutcomeEntry:
    """How it ended."""
    values: dict[str, Any] = {
        "v": 1, "journal": "j", "seq": seq, "at": NOW + seq, "verdict": f"j.{of}", "status": 200, "sent": 10,
        "received": 0, "complete": True, "waited": 0.1, "took": 0.2,
    }  # fmt: skip
    return OutcomeEntry(**(values | changes))


def a_day() -> list[Entry]:
    """Two answers with fields that nobody labelled, a refusal, and somebody who looks for a path."""
    return [
        verdict(0),
        outcome(1, 0, masked=(("$.name", 2),), unlabelled=("$.contact_phone", "$.remark"), records=2, clear=6),
        verdict(2, subject=replace(a_subject(id="li.na"), org="prov/civil")),
        outcome(3, 2, masked=(("$.name", 1),), unlabelled=("$.contact_phone",), records=1, clear=3),
        verdict(4, outcome="deny"),
        verdict(5, asset="", route="unlisted", path="/civil/=cmd|' /C calc'!A0", grade="core", outcome="deny"),
        verdict(6, asset="", route="unlisted", path="unlisted", grade="core", outcome="deny"),
    ]
