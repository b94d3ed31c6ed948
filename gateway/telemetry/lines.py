"""What happened, one line per request, for the collectors that read lines?

A line joins a decision with its outcome. Keys follow the Elastic Common Schema where it has one and
`gateway.*` elsewhere. Rules:

1. One request, one line: a refusal at once, a permit when its outcome is known.
2. A line holds what the entry holds, so no token, no query value, no body.
3. Nothing that a caller sent can start a new line, or move the cursor of a terminal that shows it.
"""

import re
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from msgspec import json

from gateway.facts import ActEntry, Entry, NoticeEntry, OutcomeEntry, VerdictEntry
from gateway.reasons import REASONS
from gateway.telemetry.pairs import Pairs

# JSON escapes everything below 0x20 by itself. What is left: DEL and the C1 controls (a terminal's escape
# sequences), line separators, and the bidirectional overrides that make text read backwards.
_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_TYPES = {"permit": "allowed", "deny": "denied", "challenge": "denied"}
_OUTCOMES = {"permit": "success", "deny": "failure", "challenge": "failure"}


class Stream(Protocol):
    """Where lines go: a text stream."""

    def write(self, text: str, /) -> object: ...
    def flush(self) -> object: ...


class Lines:
    """Writes a JSON line for each request, notice and act."""

    def __init__(self, stream: Stream) -> None:
        self._pairs = Pairs()
        self._log = structlog.wrap_logger(
            structlog.PrintLogger(_Through(stream)),  # type: ignore[arg-type]  # it needs no more than write and flush
            processors=[_render],
            wrapper_class=structlog.BoundLogger,
            cache_logger_on_first_use=True,
        )

    def write(self, entry: Entry) -> None:
        """Write what is complete with this entry."""
        if isinstance(entry, VerdictEntry):
            late = self._pairs.wait(entry) if entry.outcome == "permit" else None
            if late is not None:
                self._say("request", _request(late))
            if entry.outcome != "permit":
                self._say("request", _request(entry) | _refusal(entry))
        elif isinstance(entry, OutcomeEntry):
            verdict = self._pairs.match(entry)
            known = _request(verdict) if verdict is not None else {"event.id": entry.verdict}
            self._say("request", known | _ending(entry))
        elif isinstance(entry, NoticeEntry):
            self._say(entry.name, _notice(entry))
        else:
            self._say(entry.act, _act(entry))

    def _say(self, event: str, values: Mapping[str, Any]) -> None:
        self._log.info(event, **values)


class _Through:
    """Takes whole lines from structlog and hands them on; a stream that is gone must not stop the sealing."""

    def __init__(self, stream: Stream) -> None:
        self.write = stream.write
        self.flush = stream.flush


def _render(logger: object, name: str, event: MutableMapping[str, Any]) -> str:
    """structlog's last step: compact JSON that is safe to show."""
    line = json.encode(event).decode()
    return _UNSAFE.sub(_escape, line)


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _request(entry: VerdictEntry) -> dict[str, Any]:
    reason = entry.reasons[0] if entry.reasons else None
    line: dict[str, Any] = {
        "@timestamp": _time(entry.at),
        "event.id": f"{entry.journal}.{entry.seq}",
        "event.outcome": _OUTCOMES[entry.outcome],
        "event.type": ["access", _TYPES[entry.outcome]],
        "event.action": entry.action,
        "event.reason": reason.code if reason else "",
        "rule.id": reason.rule if reason else "",
        "rule.version": entry.bundle[:16],
        "http.request.id": entry.request,
        "http.request.method": entry.method,
        "url.domain": entry.host,
        "url.path": entry.path,
        "service.name": entry.api,
        "user.id": entry.subject.id,
        "user.roles": entry.subject.roles,
        "organization.id": entry.subject.org,
        "source.ip": entry.source,
        "trace.id": entry.trace[3:35],
        "gateway.outcome": entry.outcome,
        "gateway.stage": entry.stage,
        "gateway.route": entry.route,
        "gateway.asset": entry.asset,
        "gateway.grade": entry.grade,
        "gateway.device": entry.posture.device,
        "gateway.device_trust": entry.posture.trust,
        "gateway.risk_band": entry.risk.band,
    }
    if entry.risk.score is not None:
        line["event.risk_score"] = entry.risk.score
    if entry.would:
        line["gateway.would"] = entry.would
    if entry.purpose:
        line["gateway.purpose"] = entry.purpose
    return line


def _refusal(entry: VerdictEntry) -> dict[str, Any]:
    meaning = REASONS.get(entry.reasons[0].code) if entry.reasons else None
    return {"http.response.status_code": meaning.status if meaning else 403}


def _ending(entry: OutcomeEntry) -> dict[str, Any]:
    line: dict[str, Any] = {
        "http.response.status_code": entry.status,
        "http.response.bytes": entry.sent,
        "http.request.bytes": entry.received,
        "event.duration": round(entry.took * 1e9),
        "gateway.waited": round(entry.waited * 1e9),
        "gateway.complete": entry.complete,
        "gateway.masked": sum([count for _, count in entry.masked]),
        "gateway.records": entry.records,
    }
    if entry.code:
        line["gateway.code"] = entry.code
    if entry.code == "interrupted":
        line["event.outcome"] = "unknown"
    return line


def _notice(entry: NoticeEntry) -> dict[str, Any]:
    return {
        "@timestamp": _time(entry.at),
        "event.id": f"{entry.journal}.{entry.seq}",
        "event.kind": "event",
        "gateway.subject": entry.subject,
        "gateway.detail": entry.detail,
        "gateway.count": entry.count,
    }


def _act(entry: ActEntry) -> dict[str, Any]:
    return {
        "@timestamp": _time(entry.at),
        "event.id": f"{entry.journal}.{entry.seq}",
        "event.kind": "event",
        "event.outcome": "success" if entry.ok else "failure",
        "user.id": entry.operator,
        "user.roles": [entry.role],
        "gateway.target": entry.target,
        "gateway.detail": entry.detail,
    }
