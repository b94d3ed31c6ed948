"""Entries as the record tells them, for the tests of the telemetry room."""

from typing import Any

from gateway.entries import NoticeEntry, OutcomeEntry, VerdictEntry
from gateway.facts import Posture, Reason, Risk, Subject
from tests.literals import NOW, a_posture, a_subject

JOURNAL = "20260921T133320-worker0-abc123"


def a_verdict(**changes: Any) -> VerdictEntry:
    subject: Subject = a_subject()
    posture: Posture = a_posture()
    values: dict[str, Any] = {
        "v": 1, "journal": JOURNAL, "seq": 0, "at": NOW, "request": "req-1",
        "trace": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "source": "10.23.4.5", "method": "GET",
        "host": "api.example.gov", "path": "/civil/households/42", "digest": "d" * 32, "query": (), "api": "civil",
        "route": "GET /civil/households/{id}", "asset": "household", "action": "read", "grade": "important",
        "category": "population", "owner": "prov/civil", "object": "o" * 32, "revision": "r", "subject": subject,
        "posture": posture, "risk": Risk(12.0), "outcome": "permit", "reasons": (Reason("rule_allowed", "rules/1.yaml:3"),),
        "bundle": "b" * 64,
    }  # fmt: skip
    return VerdictEntry(**(values | changes))


def an_outcome(verdict: VerdictEntry, **changes: Any) -> OutcomeEntry:
    values: dict[str, Any] = {
        "v": 1, "journal": JOURNAL, "seq": verdict.seq + 1, "at": NOW + 1, "verdict": f"{verdict.journal}.{verdict.seq}",
        "status": 200, "sent": 1024, "received": 5, "complete": True, "waited": 0.004, "took": 0.02, "code": "",
        "masked": (("$.a", 2), ("$.b", 3)), "unlabelled": ("$.c",), "records": 7,
    }  # fmt: skip
    return OutcomeEntry(**(values | changes))


def a_notice(name: str, detail: str = "", count: int = 1, subject: str = "") -> NoticeEntry:
    return NoticeEntry(1, JOURNAL, 9, NOW, name, subject, detail, count)
