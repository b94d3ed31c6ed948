"""`gateway policy explain`: why this decision?"""

import argparse
import shlex
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gateway.cli.parser import with_config
from gateway.cli.policy.meant import meant
from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from gateway.cli.policy.folder import Read
    from gateway.document import Node

TOLD = {
    "permit": "policy.told_permit",
    "challenge": "policy.told_challenge",
    "deny": "policy.told_deny",
    "would deny": "policy.told_would_deny",
    "would challenge": "policy.told_would_challenge",
}

ABOVE = ("kind", "v", "outcome", "reasons", "would", "would_reasons")
"""What of an entry is told in sentences, or says nothing to a person."""

ENDED = ("status", "sent", "received", "complete", "code", "records", "masked", "unlabelled", "latency", "waited")
"""How a forwarded request ended."""


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("explain", help="policy.explain.help", description="policy.explain.help")
    with_config(parser)
    parser.add_argument("decision", nargs="?", default="", metavar="DECISION", help="policy.decision")
    parser.add_argument("--as", dest="who", default="", metavar="NAME", help="policy.as")
    parser.add_argument("--do", dest="what", default="", metavar="REQUEST", help="policy.do")
    parser.add_argument("--given", action="append", default=[], metavar="NAME=VALUE", help="policy.given")
    parser.add_argument("--policies", dest="dir", default="", metavar="DIR", help="policy.folder")
    parser.add_argument("--socket", default="", metavar="PATH", help="socket")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Explain a supposed request or a recorded decision: 0 allowed, 1 not."""
    screen = Screen(args)
    if args.decision:
        return _recall(args, screen)
    if not args.who or not args.what:
        screen.warn("policy.what", "error")
        return 2
    method, _, path = args.what.partition(" ")
    if not method.isalpha() or not path.startswith("/"):
        screen.warn("policy.request_odd", "error", value=args.what)
        return 2
    found = meant(args, screen)
    if found is None:
        return 3
    if found.bundle is None or found.catalog is None:
        screen.faults(one for one in found.faults if not one.warning)
        return 3
    return _suppose(args, screen, found, method.upper(), path)


def _suppose(args: argparse.Namespace, screen: Screen, found: "Read", method: str, path: str) -> int:
    """Explain a supposed request: 0 when it would be allowed, 1 when not."""
    from gateway.policy import Impossible, explain, suppose

    if found.bundle is None or found.catalog is None:
        return 3
    try:
        given = _given(args.who, args.given)
    except ValueError as odd:
        screen.warn("policy.given_odd", "error", value=odd)
        return 2
    asset = found.catalog.find(method, path.partition("?")[0])
    try:
        facts = suppose(asset, method, path, given, found.bundle.content.timezone, found.bundle.granted)
    except Impossible as impossible:
        screen.faults(impossible.faults)
        return 2
    explanation = explain(found.bundle, facts)
    screen.line(explanation.text(screen.language))
    if not asset.listed:
        screen.warn("policy.unlisted", "warning", value=path)
    screen.result(explanation)
    return 0 if explanation.outcome == "permit" else 1


def _given(who: str, words: list[str]) -> "Node":
    """What is supposed, as the mapping that a test would write. Raises ValueError for an odd word."""
    from gateway.document import Faulty, Node, parse

    given = {"as": Node(who, "--as", 1, 1)}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise ValueError(word)
        try:
            given[name] = parse(value, f"--given {word}")
        except Faulty:
            raise ValueError(word) from None
    return Node(given, "--given", 1, 1)


def _recall(args: argparse.Namespace, screen: Screen) -> int:
    """Tell a decision that was made, from the record."""
    from urllib.parse import quote

    from gateway.cli.door import NoAnswer, ask, complaint
    from gateway.cli.revoke import socket_of

    path = socket_of(args, screen)
    if path is None:
        return 3
    try:
        status, answer = ask(path, "GET", f"/v1/decisions/{quote(args.decision, safe='')}", None, args.lang)
    except NoAnswer as silence:
        screen.warn("no_answer", "error", socket=silence.socket, why=screen.choose(silence.why, silence.zh))
        return 3
    if status == 404:
        screen.warn("policy.no_decision", "error", id=args.decision)
        return 1
    if status != 200:
        screen.warn("refused", "error", status=status, why=complaint(answer))
        return 3
    _tell(screen, answer)
    again = _again(answer.get("entry", {}) if isinstance(answer, dict) else {})
    if again:
        screen.say("policy.again", "dim")
        screen.line("   " + shlex.join([*again, *(("-c", args.config) if args.config != "gateway.yaml" else ())]))
    screen.result(answer)
    return 0


def _tell(screen: Screen, answer: Any) -> None:
    """A recorded decision in lines: what was decided, why, and what was known."""
    from gateway.reasons import REASONS

    whole: dict[str, Any] = answer if isinstance(answer, dict) else {}
    entry: dict[str, Any] = whole.get("entry") or whole.get("verdict") or whole
    would = entry.get("would", "")
    key = TOLD.get(f"would {would}" if would else entry.get("outcome", ""))
    if key:
        screen.say(key, "bold", api=entry.get("api", ""))
    for reason in entry.get("would_reasons" if would else "reasons", []):
        meaning = REASONS.get(reason.get("code", ""))
        words = screen.choose(meaning.en, meaning.zh) if meaning else ""
        parts = (reason.get("code", ""), words, reason.get("rule", ""), reason.get("detail", ""))
        screen.line("   " + "  ".join(part for part in parts if part))
    rows: list[tuple[str, object]] = []
    _flatten("", {name: value for name, value in entry.items() if name not in ABOVE}, rows)
    ended: dict[str, Any] = whole.get("outcome") or {}
    _flatten("outcome", {name: ended.get(name) for name in ENDED}, rows)
    screen.table((screen.text("policy.fact"), screen.text("policy.value")), rows)


def _again(entry: dict[str, Any]) -> list[str]:
    """The command that asks today's rules the same; none for what was allowed, or asked by nobody known."""
    from msgspec import ValidationError, convert

    from gateway.facts import Posture, Risk, Subject

    if entry.get("outcome") == "permit" and not entry.get("would"):
        return []
    try:
        subject = convert(entry.get("subject"), Subject)
        posture, risk = convert(entry.get("posture") or {}, Posture), convert(entry.get("risk") or {}, Risk)
        asked = f"{entry['method']} {entry['path']}"
    except (ValidationError, KeyError):
        return []
    if not subject.id:
        return []
    given = {
        "roles": f"[{', '.join(subject.roles)}]",
        "org": subject.org,
        "kind": subject.kind,
        "clearance": subject.clearance.text,
        "assurance": f"aal{subject.assurance}" if subject.assurance else "0",
        "bound": str(subject.proof.bound).lower(),
        "device.trust": posture.trust,
        "fresh": str(posture.fresh).lower(),
        "risk": "unknown" if risk.score is None else str(risk.score),
        "band": risk.band,
        "subject.purpose": subject.purpose,
        "purpose": entry.get("purpose"),
        "source": entry.get("source"),
    }
    words = [word for name, value in given.items() if value for word in ("--given", f"{name}={value}")]
    return ["gateway", "policy", "explain", "--as", subject.id, "--do", asked, *words]


def _flatten(name: str, value: Any, rows: list[tuple[str, object]]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _flatten(f"{name}.{key}" if name else str(key), inner, rows)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for one in value:  # a check or a signal: its name, then what is known of it
            label, *rest = one.items()
            words = [_when(inner) if key in ("seen_at", "since") else _word(inner) for key, inner in rest]
            rows.append((f"{name}.{label[1]}", "  ".join(word for word in words if word)))
    elif isinstance(value, list) and value:
        rows.append((name, ", ".join(map(str, value))))
    elif name == "at" or (name.endswith("_at") and value):  # 0 is never
        rows.append((name, _when(value)))
    elif name == "subject.clearance" and value:
        from gateway.facts import Grade

        rows.append((name, Grade(value).text))
    elif value not in (None, "", [], {}) and not name.endswith("_at"):
        rows.append((name, _word(value)))


def _when(value: Any) -> str:
    return f"{datetime.fromtimestamp(value).astimezone():%Y-%m-%d %H:%M:%S%z}" if value is not None else ""


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
