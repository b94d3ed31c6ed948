"""What happened, one line per request, for the collectors that read lines?

A line joins a decision with its outcome. Keys follow the Elastic Common Schema where it has one and
`gateway.*` elsewhere. Rules:

1. One request, one line: a refusal at once, a permit when its outcome is known.
2. A line holds what the entry holds, so no token, no query value, no body.
3. Nothing that a caller sent can start a new line, or move the cursor of a terminal that shows it.
"""

import re
from collections.abc import Hashable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace
from orjson import dumps

from gateway.entries import ActEntry, Entry, NoticeEntry, OutcomeEntry, VerdictEntry
from gateway.facts import SUPPRESSED, Reason
from gateway.reasons import REASONS, withheld
from gateway.telemetry.pairs import Pairs, Story, Told

# JSON escapes everything below 0x20 by itself. What is left: DEL and the C1 controls (a terminal's escape
# sequences), line separators, and the bidirectional overrides that make text read backwards.
_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_TYPES = {"permit": ("access", "allowed"), "deny": ("access", "denied"), "challenge": ("access", "denied")}
_OUTCOMES = {"permit": "success", "deny": "failure", "challenge": "failure"}
_SECONDS_KEPT = 1024
_FORMS_KEPT = 4096
_AT_ONCE = 256  # lines in one write: what fits into the cache of the processor
# stands for what is a request's own: time, id, request, path, source, trace
_OWN, _OWN_TEXT, _OWNS = "\0", "\\u0000", 6
_NO_REASON = Reason("")


class Stream(Protocol):
    """Where lines go: a text stream."""

    def write(self, text: str, /) -> object: ...
    def flush(self) -> object: ...


class Lines:
    """Writes a JSON line for each request, notice and act."""

    def __init__(self, stream: Stream) -> None:
        self._pairs = Pairs()
        self._stream = stream
        self._clock = _Clock()
        self._forms: dict[Hashable, _Form] = {}
        # Bound once: a lazy logger would be put together anew for each batch.
        log = structlog.wrap_logger(self, processors=[self._render], wrapper_class=structlog.BoundLogger)
        self._say = log.bind().info

    def write(self, entry: Entry) -> None:
        """Write what is complete with this entry."""
        self.take(self._pairs.join((entry,)))

    def take(self, stories: Iterable[Story]) -> None:
        """Write a line for each request that is complete, and each notice and act; one write for all."""
        complete = [
            story for story in stories if not isinstance(story, Told) or story.outcome is not None or story.is_complete
        ]
        for at in range(0, len(complete), _AT_ONCE):
            self._say("stories", stories=complete[at : at + _AT_ONCE])

    def info(self, text: str) -> None:
        """Where structlog hands over what was rendered."""
        self._stream.write(text)
        self._stream.flush()

    def _render(self, logger: object, method: str, event: Mapping[str, Any]) -> str:
        """structlog's last step: each story as compact JSON that is safe to show."""
        lines = [self._line(story) for story in event["stories"]]
        lines.append("")
        return "\n".join(lines)

    def _line(self, story: Story) -> str:
        usual = self._usual(story, story.verdict) if isinstance(story, Told) and story.verdict is not None else ""
        return usual or _safe(self._fields(story))

    def _usual(self, told: Told, entry: VerdictEntry) -> str:
        """The line of a request like others before it, or "" when it has to be put together key by key."""
        subject, posture, risk, ending = entry.subject, entry.posture, entry.risk, told.outcome
        own = (told.id, entry.request, entry.path, entry.source, entry.trace)
        if not _is_plain("".join(own)) or (ending is not None and ending.code):
            return ""
        key = (
            entry.route, entry.asset, entry.api, entry.method, entry.host, entry.action, entry.grade, entry.outcome,
            entry.stage, entry.would, entry.bundle, entry.purpose, risk.band, id(subject), id(posture), id(entry.reasons),
        )  # fmt: skip
        form = self._forms.get(key)
        if form is None:
            if len(self._forms) >= _FORMS_KEPT:
                self._forms.clear()
            form = self._forms[key] = _form(entry)
        texts = form.texts
        if not texts:
            return ""
        begin = (
            f"{texts[0]}{self._clock.text(entry.at)}{texts[1]}{own[0]}{texts[2]}{own[1]}{texts[3]}{own[2]}"
            f"{texts[4]}{own[3]}{texts[5]}{own[4][3:35]}{texts[6]}"
        )
        if risk.score is not None:
            begin = f'{begin},"event.risk_score":{dumps(risk.score).decode()}'
        if ending is None:
            return f"{begin}{form.more}{form.refused}}}"
        masked = suppressed = 0
        for path, count in ending.masked:
            masked += count
            if path == SUPPRESSED:
                suppressed += count
        kept = _kept_back(ending, suppressed) if suppressed or ending.removed or ending.unlabelled else {}
        return (
            f'{begin}{form.more},"http.response.status_code":{ending.status},"http.response.bytes":{ending.sent}'
            f',"http.request.bytes":{ending.received},"event.duration":{round(ending.took * 1e9)}'
            f',"gateway.waited":{round(ending.waited * 1e9)},"gateway.complete":{"true" if ending.complete else "false"}'
            f',"gateway.masked":{masked},"gateway.records":{ending.records},"gateway.clear":{ending.clear}{_also(kept)}}}'
        )

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


class _Form(Struct, frozen=True, gc=False):
    """What the lines of like requests have in common: the texts between what is a request's own.

    `texts` is empty when they cannot be told apart. `kept` is there so that the ids in its key stay theirs.
    """

    texts: tuple[str, ...]
    more: str
    refused: str
    kept: VerdictEntry


def _form(entry: VerdictEntry) -> _Form:
    like = replace(
        entry, request=_OWN, path=_OWN, source=_OWN, trace="00-" + _OWN, risk=replace(entry.risk, score=None)
    )
    texts = tuple(_safe(_asked(like, _OWN, _OWN))[:-1].split(_OWN_TEXT))
    refused: dict[str, Any] = {}
    _refused(refused, entry)
    more: dict[str, Any] = {}
    _added(more, entry)
    return _Form(texts if len(texts) == _OWNS + 1 else (), _also(more), _also(refused), entry)


def _also(line: dict[str, Any]) -> str:
    return "," + _safe(line)[1:-1] if line else ""


def _safe(line: dict[str, Any]) -> str:
    """As compact JSON that is safe to show."""
    raw = dumps(line)
    text = raw.decode()
    return text if raw.isascii() and "\x7f" not in text else _UNSAFE.sub(_escape, text)


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


def _is_plain(text: str) -> bool:
    """Whether it stands in JSON as it is."""
    return len(dumps(text)) == len(text) + 2 and "\x7f" not in text


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _request(told: Told, time: str) -> dict[str, Any]:
    """The line of a request whose verdict is known."""
    entry, ending = told.verdict, told.outcome
    assert entry is not None
    line = _asked(entry, time, told.id)
    if entry.risk.score is not None:
        line["event.risk_score"] = entry.risk.score
    _added(line, entry)
    if ending is not None:
        _end(line, ending)
    else:
        _refused(line, entry)
    return line


def _asked(entry: VerdictEntry, time: str, identity: str) -> dict[str, Any]:
    """What was asked, by whom, and what was said."""
    said = entry.outcome
    reason = entry.reasons[0] if entry.reasons else _NO_REASON
    subject, posture = entry.subject, entry.posture
    return {
        "event": "request",
        "@timestamp": time,
        "event.id": identity,
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
        "gateway.risk_band": entry.risk.band,
    }


def _added(line: dict[str, Any], entry: VerdictEntry) -> None:
    """Add what only some requests have."""
    if entry.would:
        line["gateway.would"] = entry.would
    if entry.purpose:
        line["gateway.purpose"] = entry.purpose


def _refused(line: dict[str, Any], entry: VerdictEntry) -> None:
    """Add the status of a refusal."""
    if entry.outcome != "permit":
        meaning = REASONS.get(entry.reasons[0].code) if entry.reasons else None
        line["http.response.status_code"] = meaning.status if meaning else 403


def _end(line: dict[str, Any], entry: OutcomeEntry) -> None:
    """Add how the request ended."""
    masked = sum(count for _, count in entry.masked)
    line["http.response.status_code"] = entry.status
    line["http.response.bytes"] = entry.sent
    line["http.request.bytes"] = entry.received
    line["event.duration"] = round(entry.took * 1e9)
    line["gateway.waited"] = round(entry.waited * 1e9)
    line["gateway.complete"] = entry.complete
    line["gateway.masked"] = masked
    line["gateway.records"] = entry.records
    line["gateway.clear"] = entry.clear
    line.update(_kept_back(entry, entry.suppressed))
    if entry.code:
        line["gateway.code"] = entry.code
    if entry.detail:
        line["gateway.detail"] = entry.detail
    if entry.code == "interrupted":
        line["event.outcome"] = "unknown"
    elif entry.code and entry.code != "client_gone":
        line["event.outcome"] = "failure"
    if withheld(entry.code):  # else whoever looks for denials would never see a bulk that was refused
        line["event.type"], line["event.reason"] = _TYPES["deny"], entry.code


def _kept_back(entry: OutcomeEntry, suppressed: int) -> dict[str, Any]:
    """What was taken out of the answer beside its masks, or found where nobody labelled it."""
    told = {
        "gateway.removed": entry.removed,
        "gateway.suppressed": suppressed,
        "gateway.unlabelled": len(entry.unlabelled),
        "gateway.residual": entry.residual,
    }
    return {name: value for name, value in told.items() if value}


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
