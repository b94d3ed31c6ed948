"""What happened, one line per request, for the collectors that read lines?

A line joins a decision with its outcome. Keys follow the Elastic Common Schema where it has one and
`gateway.*` elsewhere. Rules:

1. One request, one line: a refusal at once, a permit when its outcome is known.
2. A line holds what the entry holds, so no token, no query value, no body.
3. Nothing that a caller sent can start a new line, or move the cursor of a terminal that shows it.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from orjson import dumps

from gateway.facts import ActEntry, Entry, NoticeEntry, OutcomeEntry, Reason
from gateway.reasons import REASONS
from gateway.telemetry.pairs import Pairs, Story, Told

# JSON escapes everything below 0x20 by itself. What is left: DEL and the C1 controls (a terminal's escape
# sequences), line separators, and the bidirectional overrides that make text read backwards.
_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_TYPES = {"permit": ("access", "allowed"), "deny": ("access", "denied"), "challenge": ("access", "denied")}
_OUTCOMES = {"permit": "success", "deny": "failure", "challenge": "failure"}
_SECONDS_KEPT = 1024
_NO_REASON = Reason("")


class Stream(Protocol):
    """Where lines go: a text stream."""

    def write(self, text: str, /) -> object: ...
    def flush(self) -> object: ...


class Lines:
    """Writes a JSON line for each request, notice and act."""

    def __init__(self, stream: Stream) -> None:
        self._pairs = Pairs()
        self._page = _Page(stream)
        self._clock = _Clock()
        # Bound once: a lazy logger would be put together anew for each line.
        log = structlog.wrap_logger(self._page, processors=[self._render], wrapper_class=structlog.BoundLogger)
        self._say = log.bind().info

    def write(self, entry: Entry) -> None:
        """Write what is complete with this entry."""
        self.take(self._pairs.join((entry,)))

    def take(self, stories: Iterable[Story]) -> None:
        """Write a line for each request that is complete, and each notice and act; one write for all."""
        for story in stories:
            if not isinstance(story, Told):
                self._say(story.name if isinstance(story, NoticeEntry) else story.act, story=story)
            elif story.is_complete:
                self._say("request", story=story)
        self._page.turn()

    def _render(self, logger: object, method: str, event: Mapping[str, Any]) -> str:
        """structlog's last step: the story as compact JSON that is safe to show."""
        raw = dumps(self._fields(event["story"]))
        text = raw.decode()
        return text if raw.isascii() and "\x7f" not in text else _UNSAFE.sub(_escape, text)

    def _fields(self, story: Story) -> dict[str, Any]:
        if isinstance(story, NoticeEntry):
            return _notice(story, self._clock.text(story.at))
        if isinstance(story, ActEntry):
            return _act(story, self._clock.text(story.at))
        if story.verdict is not None:
            return _request(story, self._clock.text(story.verdict.at))
        line: dict[str, Any] = {"event": "request", "event.id": story.id}
        if story.outcome is not None:
            _end(line, story.outcome)
        return line


class _Page:
    """Collects the lines that structlog hands over, and writes them at once."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._lines: list[str] = []
        self.info = self._lines.append

    def turn(self) -> None:
        """Write what was collected."""
        if self._lines:
            self._lines.append("")
            text = "\n".join(self._lines)
            self._lines.clear()
            self._stream.write(text)
            self._stream.flush()


class _Clock:
    """Times as text; the text of a second is made once."""

    def __init__(self) -> None:
        self._seconds: dict[int, str] = {}

    def text(self, at: float) -> str:
        """`2026-09-21T13:33:20.125Z`."""
        second, micro = divmod(round(at * 1e6), 1_000_000)
        return f"{self._seconds.get(second) or self._begin(second)}{micro // 1000:03d}Z"

    def _begin(self, second: int) -> str:
        if len(self._seconds) >= _SECONDS_KEPT:
            self._seconds.clear()
        text = self._seconds[second] = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
        return text


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _request(told: Told, time: str) -> dict[str, Any]:
    """The line of a request whose verdict is known."""
    entry, ending = told.verdict, told.outcome
    assert entry is not None
    said = entry.outcome
    reason = entry.reasons[0] if entry.reasons else _NO_REASON
    subject, posture, risk = entry.subject, entry.posture, entry.risk
    line: dict[str, Any] = {
        "event": "request",
        "@timestamp": time,
        "event.id": told.id,
        "event.outcome": _OUTCOMES[said],
        "event.type": _TYPES[said],
        "event.action": entry.action,
        "event.reason": reason.code,
        "rule.id": reason.rule,
        "rule.version": entry.bundle[:16],
        "http.request.id": entry.request,
        "http.request.method": entry.method,
        "url.domain": entry.host,
        "url.path": entry.path,
        "service.name": entry.api,
        "user.id": subject.id,
        "user.roles": subject.roles,
        "organization.id": subject.org,
        "source.ip": entry.source,
        "trace.id": entry.trace[3:35],
        "gateway.outcome": said,
        "gateway.stage": entry.stage,
        "gateway.route": entry.route,
        "gateway.asset": entry.asset,
        "gateway.grade": entry.grade,
        "gateway.device": posture.device,
        "gateway.device_trust": posture.trust,
        "gateway.risk_band": risk.band,
    }
    if risk.score is not None:
        line["event.risk_score"] = risk.score
    if entry.would:
        line["gateway.would"] = entry.would
    if entry.purpose:
        line["gateway.purpose"] = entry.purpose
    if ending is not None:
        _end(line, ending)
    elif said != "permit":
        meaning = REASONS.get(reason.code)
        line["http.response.status_code"] = meaning.status if meaning else 403
    return line


def _end(line: dict[str, Any], entry: OutcomeEntry) -> None:
    """Add how the request ended."""
    masked = 0
    for _, count in entry.masked:
        masked += count
    line["http.response.status_code"] = entry.status
    line["http.response.bytes"] = entry.sent
    line["http.request.bytes"] = entry.received
    line["event.duration"] = round(entry.took * 1e9)
    line["gateway.waited"] = round(entry.waited * 1e9)
    line["gateway.complete"] = entry.complete
    line["gateway.masked"] = masked
    line["gateway.records"] = entry.records
    if entry.code:
        line["gateway.code"] = entry.code
    if entry.code == "interrupted":
        line["event.outcome"] = "unknown"


def _notice(entry: NoticeEntry, time: str) -> dict[str, Any]:
    return {
        "event": entry.name,
        "@timestamp": time,
        "event.id": f"{entry.journal}.{entry.seq}",
        "event.kind": "event",
        "gateway.subject": entry.subject,
        "gateway.detail": entry.detail,
        "gateway.count": entry.count,
    }


def _act(entry: ActEntry, time: str) -> dict[str, Any]:
    return {
        "event": entry.act,
        "@timestamp": time,
        "event.id": f"{entry.journal}.{entry.seq}",
        "event.kind": "event",
        "event.outcome": "success" if entry.ok else "failure",
        "user.id": entry.operator,
        "user.roles": [entry.role],
        "gateway.target": entry.target,
        "gateway.detail": entry.detail,
    }
