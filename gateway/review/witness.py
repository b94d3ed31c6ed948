"""How does a person ask for exactly this request?

Facts written as the words that `policy explain` and the tests of policies take (`gateway.policy.suppose`). Rules:

1. What is the quiet case is left out: what is said is what matters.
2. A moment is a weekday and a time; a day too when rules or grants begin or end around it.
3. A text that YAML would read as something else (`true`, `[a`) is quoted.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from math import inf
from zoneinfo import ZoneInfo

from gateway.document import Node, Plain
from gateway.facts import Facts
from gateway.policy.duties import ASSURANCES
from gateway.policy.examples import Example
from gateway.policy.names import WEEKDAYS
from gateway.policy.suppose import MONDAY, STEPS

Given = Mapping[str, str | float | bool | list[str]]
NEVER_SIGNED_IN = 9_999_999_999
"""An age beyond every moment: `auth_time` is then unknown."""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*\Z", re.ASCII)
_CLOCK = re.compile(r"[0-9]{2}:[0-9]{2}\Z|[0-9]{4}-[0-9]{2}-[0-9]{2}\Z|[0-9]+(\.[0-9]+){3}\Z")
_WORDS = ("true", "false", "null")
_LEVELS = {level: name for name, level in ASSURANCES.items()} | {0: "0"}


def given(facts: Facts, timezone: str) -> Given:
    """The words for these facts; the clock is that of this time zone."""
    said = _clock(facts.ask.at, timezone) | _caller(facts) | _machine(facts) | _shown(facts)
    return {name: value for name, value in said.items() if value != QUIET.get(name, "")}


QUIET: Given = {
    "time": "10:00",
    "weekday": "mon",
    "kind": "person",
    "roles": [],
    "clearance": "core",
    "assurance": "aal2",
    "bound": False,
    "auth_age": 60.0,
    "subject.method": "bearer",
    "device": "managed",
    "device.id": "supposed-device",
    "risk": 0.0,
    "source": "10.0.0.1",
    "exposure.records": 0,
    "exposure.fields": 0,
}


def _clock(at: float, timezone: str) -> dict[str, str | float | bool | list[str]]:
    local = datetime.fromtimestamp(at, ZoneInfo(timezone))
    days = (local.date() - date(*MONDAY)).days
    day = {"weekday": WEEKDAYS[local.weekday()]} if 0 <= days < 7 else {"date": f"{local:%Y-%m-%d}"}
    return {**day, "time": f"{local:%H:%M}"}


def _caller(facts: Facts) -> dict[str, str | float | bool | list[str]]:
    subject = facts.subject
    if subject.kind == "anonymous":
        return {"kind": "anonymous", "purpose": facts.ask.purpose}
    signed_in = subject.proof.authenticated_at
    age = facts.ask.at - signed_in if signed_in > 0 else inf
    return {
        "kind": subject.kind,
        "roles": list(subject.roles),
        "org": subject.org,
        "clearance": subject.clearance.text,
        "assurance": _LEVELS[subject.assurance],
        "purpose": facts.ask.purpose,
        "subject.purpose": subject.purpose,
        "auth_age": NEVER_SIGNED_IN if age == inf else age,
        "bound": subject.proof.bound,
        "subject.method": subject.proof.method,
    }


def _machine(facts: Facts) -> dict[str, str | float | bool | list[str]]:
    posture, risk = facts.posture, facts.risk
    said: dict[str, str | float | bool | list[str]] = {
        "device": posture.trust,
        "device.id": posture.device,
        "device.org": posture.org,
        "risk": "unknown" if risk.score is None else risk.score,
        "source": facts.ask.source,
    }
    if posture.fresh is not (posture.trust == "managed"):
        said["fresh"] = posture.fresh
    if risk.band != _band(risk.score):
        said["band"] = risk.band
    return said


def _shown(facts: Facts) -> dict[str, str | float | bool | list[str]]:
    return {"exposure.records": facts.exposure.records, "exposure.fields": facts.exposure.fields}


def _band(score: float | None) -> str:
    """The band that is supposed for a score when none is given."""
    return next((band for least, band in STEPS if score is not None and score >= least), "normal")


def command(facts: Facts, method: str, path: str, timezone: str) -> tuple[str, ...]:
    """The arguments of `gateway` that ask for this request."""
    who = facts.subject.id or "nobody"
    words = [f"{name}={_spelled(value)}" for name, value in given(facts, timezone).items()]
    asked = [part for word in words for part in ("--given", word)]
    return ("policy", "explain", "--as", who, "--do", f"{method} {path}", *asked)


def _spelled(value: str | float | bool | list[str]) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_spelled, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(int(value)) if value == int(value) else repr(value)
    plain = _CLOCK.match(value) or value == "0" or (_PLAIN.match(value) and value not in _WORDS)
    return value if plain else json.dumps(value, ensure_ascii=False)


def of_test(example: Example) -> tuple[str, ...]:
    """The arguments of `gateway` that ask for what a test asks, in the words of the test."""
    words: dict[str, Plain] = {}
    for name, value in _mapping(example.given.plain()):
        words |= (
            {f"{name}.{inner}": one for inner, one in _mapping(value)} if isinstance(value, dict) else {name: value}
        )
    who = next((str(words.pop(name)) for name in ("as", "user", "subject.id") if name in words), "somebody")
    asked = [part for name, value in words.items() for part in ("--given", f"{name}={_plain(value)}")]
    level = ("--emergency", example.emergency) if example.emergency else ()
    return ("policy", "explain", "--as", who, "--do", f"{example.method} {example.path}", *asked, *level)


def _mapping(value: Plain) -> Iterable[tuple[str, Plain]]:
    return value.items() if isinstance(value, dict) else ()


def _plain(value: Plain) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_plain, value))}]"
    return _spelled(value) if isinstance(value, str | int | float) else json.dumps(value, default=str)


def node(facts: Facts, timezone: str) -> Node:
    """The same words as `gateway.policy.suppose` takes them."""
    found: dict[str, Node] = {"as": Node(facts.subject.id or "nobody", "", 1, 1)}
    for name, value in given(facts, timezone).items():
        items = [Node(item, "", 1, 1) for item in value] if isinstance(value, list) else value
        found[name] = Node(items, "", 1, 1)
    return Node(found, "", 1, 1)
