"""`gateway policy explain DECISION`: why was it decided so, for whom who asks?

What stands on record, told to a caller, an operator or an auditor. Rules:

1. The record is asked through the operators' door, so that asking is on record too; with `--state` it is read as a
   copy, from a folder, without a gateway.
2. What is told of rules comes from the revision that decided, never from the policies of today.
3. An auditor's account judges the decision again. Other bytes than those on record are an integrity failure.
"""

import argparse
import re
import shlex
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.policy.clauses import tell
from gateway.cli.screen import Screen
from gateway.cli.times import spelled, zone_of

if TYPE_CHECKING:
    from gateway.catalog import Catalog
    from gateway.entries import VerdictEntry
    from gateway.facts import Exposure, Facts
    from gateway.policy import Bundle
    from gateway.review.recorded import Unreplayable

ID = re.compile(r".+\.[0-9]+\Z")

TOLD = {
    "permit": "policy.told_permit",
    "challenge": "policy.told_challenge",
    "deny": "policy.told_deny",
    "would deny": "policy.told_would_deny",
    "would challenge": "policy.told_would_challenge",
}

ABOVE = ("kind", "v", "outcome", "reasons", "would", "would_reasons")
"""What of an entry is told in sentences, or says nothing to a person."""

ENDED = (
    "status", "code", "detail", "residual", "records", "clear", "masked", "suppressed", "removed", "unlabelled",
    "sent", "received", "complete", "latency", "took", "waited",
)  # fmt: skip
"""How a forwarded request ended, as the door tells it (`latency`) or the ledger (`took`)."""


def recall(args: argparse.Namespace, screen: Screen) -> int:
    """Tell a recorded decision: 0 told, 1 not on record, 2 no such id, 3 no answer, 4 judged otherwise, 5 not judged again."""
    if not ID.match(args.decision):
        screen.warn("policy.explain.odd_id", "error", value=args.decision)
        return 2
    answer = _copied(args, screen) if args.state else _asked(args, screen)
    if isinstance(answer, int):
        return answer
    if args.audience == "operator":
        return _operator(args, screen, answer)
    entry = _verdict(answer)
    if entry is None:
        screen.warn("policy.explain.no_verdict", "error", id=args.decision)
        return 1
    if args.audience == "caller":
        return _caller(args, screen, answer, entry)
    return _auditor(args, screen, answer, entry)


def _asked(args: argparse.Namespace, screen: Screen) -> Any:
    """The answer of the door, or an exit code."""
    from urllib.parse import quote

    from gateway.cli.door import answered

    said = {404: screen.text("policy.no_decision", id=args.decision)}
    code, answer = answered(args, screen, "GET", f"/v1/decisions/{quote(args.decision, safe='')}", said=said)
    return code or answer


def _copied(args: argparse.Namespace, screen: Screen) -> Any:
    """The same from a state directory, or an exit code."""
    from gateway.cli.policy.entry import find

    try:
        found = find(Path(args.state), args.decision)
    except OSError as error:
        screen.warn("cannot_read", "error", why=error)
        return 3
    if found is None:
        screen.warn("policy.no_decision", "error", id=args.decision)
        return 1
    return {"number": found.number, "entry": found.entry, "outcome": found.outcome}


def _verdict(answer: Any) -> "VerdictEntry | None":
    """The entry of a decision; None for a notice, an act, or what cannot be read."""
    from msgspec import json

    from gateway.audit import Malformed, decode
    from gateway.entries import VerdictEntry

    entry = answer.get("entry") if isinstance(answer, dict) else None
    try:
        decoded = decode(json.encode(entry))
    except Malformed:
        return None
    return decoded if isinstance(decoded, VerdictEntry) else None


def _ended(answer: Any) -> dict[str, Any]:
    """How the request ended that was allowed; {} where it was not, or nobody knows."""
    whole = answer if isinstance(answer, dict) else {}
    entry = whole.get("entry") or {}
    return (whole.get("outcome") or {}) if entry.get("outcome") == "permit" else {}


def _state(args: argparse.Namespace) -> Path | None:
    """The state directory: as named, or as the configuration says."""
    from gateway.cli.policy.stored import installed

    return Path(args.state) if args.state else installed(args).state


def _deciding(args: argparse.Namespace, entry: "VerdictEntry") -> "tuple[Bundle, Catalog] | Unreplayable":
    """Bundle and catalog that decided, or why they are not known."""
    from gateway.cli.policy.stored import Deciding, installed
    from gateway.review.recorded import Unreplayable

    state = _state(args)
    if state is None:
        return Unreplayable("no state directory is known here", "此处不知道状态目录")
    try:
        return Deciding(state, installed(args).apis).of(entry)
    except Unreplayable as why:
        return why
    except OSError as error:
        return Unreplayable(f"the state directory cannot be read: {error}", f"状态目录无法读取：{error}")


def _facts(entry: "VerdictEntry", catalog: "Catalog") -> "Facts | None":
    """What the decision rested on; None when the entry does not hold all of it."""
    from gateway.review.recorded import Unreplayable, asset_of, facts_of

    try:
        return facts_of(entry, asset_of(entry, catalog))
    except Unreplayable:
        return None


# --- the caller ----------------------------------------------------------------------------------


def _caller(args: argparse.Namespace, screen: Screen, answer: Any, entry: "VerdictEntry") -> int:
    from gateway.policy import Policy
    from gateway.review.audience import told_of, told_on_record

    ended = _ended(answer)
    told = told_on_record(entry, screen.language, ended.get("code") or "", ended.get("status") or 0)
    deciding = _deciding(args, entry) if entry.outcome == "challenge" else None
    if isinstance(deciding, tuple):  # the record does not hold the words of a step-up: they follow from the facts
        facts = _facts(entry, deciding[1])
        again = told_of(Policy(deciding[0]).decide(facts), screen.language) if facts is not None else told
        told = again if again.reason == told.reason else told
    screen.line(told.text(screen.language))
    screen.result(told)
    return 0


# --- the auditor ---------------------------------------------------------------------------------


def _auditor(args: argparse.Namespace, screen: Screen, answer: Any, entry: "VerdictEntry") -> int:
    from gateway.cli.policy.entry import signed
    from gateway.review.audience import audited

    state = _state(args)
    number = answer.get("number")
    size = signed(state) if state is not None else None
    deciding = _deciding(args, entry)
    account = audited(entry, deciding[0] if isinstance(deciding, tuple) else None)
    again, code = _again_judged(entry, deciding)
    prove = shlex.join(["gateway", "audit", "prove", str(number), *([str(state / "ledger")] if state else [])])
    rows = [
        *account.rows(screen.language),
        *_afterwards(screen, answer),
        (screen.text("policy.explain.entry"), str(number)),
        (screen.text("policy.explain.checkpoint"), _covered(screen, number, size)),
        (screen.text("policy.explain.prove"), prove),
        (screen.text("policy.explain.replay"), screen.choose(again["en"], again["zh"])),
    ]
    if not isinstance(deciding, tuple):
        screen.warn("policy.explain.no_revision", "warning", why=screen.choose(deciding.en, deciding.zh))
    screen.table((screen.text("policy.fact"), screen.text("policy.value")), rows)
    record = {"number": number, "checkpoint": size, "prove": prove}
    ended = {name: value for name, value in _ended(answer).items() if name in ("code", "status", "detail") and value}
    screen.result({"audited": account, "ended": ended, "record": record, "replay": again})
    return code


def _afterwards(screen: Screen, answer: Any) -> list[tuple[str, str]]:
    """The line of an answer that was withheld, or never came, though it was allowed."""
    ended = _ended(answer)
    if not ended.get("code"):
        return []
    said = (_headline(screen, ended), ended.get("detail"))
    return [(screen.text("policy.explain.afterwards"), "  ".join(part for part in said if part))]


def _headline(screen: Screen, ended: dict[str, Any]) -> str:
    from gateway.reasons import REASONS, withheld

    meaning = REASONS.get(ended["code"])
    words = screen.choose(meaning.en, meaning.zh) if meaning else ""
    key = "policy.told_withheld" if withheld(ended["code"]) else "policy.told_broken"
    return screen.text(key, code=ended["code"], words=words, status=ended.get("status") or "-")


def _covered(screen: Screen, number: Any, size: int | None) -> str:
    if size is None:
        return screen.text("policy.explain.unseen")
    return screen.text(
        "policy.explain.covered" if isinstance(number, int) and number < size else "policy.explain.open", size=size
    )


def _again_judged(
    entry: "VerdictEntry", deciding: "tuple[Bundle, Catalog] | Unreplayable"
) -> tuple[dict[str, Any], int]:
    """What came of judging again, and the exit code it makes."""
    from gateway.cli.texts import TEXTS
    from gateway.review.recorded import Unreplayable
    from gateway.review.replay import replay

    try:
        if not isinstance(deciding, tuple):
            raise deciding
        replayed = replay(entry, *deciding)
    except Unreplayable as why:
        return {"state": "impossible", "differs": [], "en": why.en, "zh": why.zh}, 5
    state = "same" if replayed.same else "differs"
    fields = [one.field for one in replayed.differs]
    en, zh = (text.format(fields=", ".join(fields)) for text in TEXTS[f"policy.explain.replay_{state}"])
    return {"state": state, "differs": fields, "en": en, "zh": zh}, 0 if replayed.same else 4


# --- the operator --------------------------------------------------------------------------------


def _operator(args: argparse.Namespace, screen: Screen, answer: Any) -> int:
    _tell(screen, answer, zone_of(args.config))
    _clauses(args, screen, answer)
    again = _again(answer.get("entry", {}) if isinstance(answer, dict) else {})
    if again:
        screen.say("policy.again", "dim")
        screen.line("   " + shlex.join([*again, *(("-c", args.config) if args.config != "gateway.yaml" else ())]))
        then = "" if args.state else _kept(args, answer["entry"])
        if then:
            screen.say("policy.explain.then", "dim", name=then)
    screen.result(answer)
    return 0


def _kept(args: argparse.Namespace, entry: dict[str, Any]) -> str:
    """By which name `--policies` finds the policies and the catalog that decided; "" when it does not."""
    from gateway.cli.policy.stored import Deciding, installed

    state, bundle, catalog = _state(args), entry.get("bundle"), entry.get("revision")
    if state is None or not isinstance(bundle, str) or not isinstance(catalog, str):
        return ""
    try:
        return Deciding(state, installed(args).apis).named(bundle, catalog)
    except OSError:
        return ""


def _clauses(args: argparse.Namespace, screen: Screen, answer: Any) -> None:
    """Clause by clause by the revision that decided, where it is still stored."""
    entry = None if screen.json else _verdict(answer)
    deciding = _deciding(args, entry) if entry is not None else None
    if entry is None or not isinstance(deciding, tuple):
        return
    facts = _facts(entry, deciding[1])
    if facts is not None:
        tell(screen, *deciding, facts)


def _tell(screen: Screen, answer: Any, zone: tzinfo | None) -> None:
    """A recorded decision in lines: what was decided, why, and what was known."""
    from gateway.reasons import REASONS

    whole: dict[str, Any] = answer if isinstance(answer, dict) else {}
    entry: dict[str, Any] = whole.get("entry") or whole.get("verdict") or whole
    _warn(screen, _ended(answer))
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
    risk = {"risk": _read(screen, entry["risk"])} if entry.get("risk") else {}
    _flatten("", {name: value for name, value in (entry | risk).items() if name not in ABOVE}, rows, zone)
    ended: dict[str, Any] = whole.get("outcome") or {}
    _flatten("outcome", {name: ended.get(name) for name in ENDED}, rows, zone)
    screen.table((screen.text("policy.fact"), screen.text("policy.value")), rows)


def _warn(screen: Screen, ended: dict[str, Any]) -> None:
    """Before all else, that an answer was withheld: that it had been allowed is only half of the truth."""
    from gateway.cli.codes import explained

    if ended.get("code"):
        screen.line(_headline(screen, ended), "bold")
        does = [screen.choose(one.operator_en, one.operator_zh) for one in explained(ended["code"])]
        for line in filter(None, (ended.get("detail"), ", ".join(ended.get("residual") or ()), *does)):
            screen.line(f"   {line}")


def _read(screen: Screen, risk: dict[str, Any]) -> dict[str, Any]:
    """A risk with the evidence of its signals in the language that is read."""
    from gateway.behaviour import in_chinese

    signals = risk.get("signals") or []
    said = [one | {"evidence": screen.choose(one["evidence"], in_chinese(one["evidence"]))} for one in signals]
    return risk | ({"signals": said} if said else {})


def _again(entry: dict[str, Any]) -> list[str]:
    """The command that asks today's rules the same; none for what was allowed, or asked by nobody known."""
    from msgspec import ValidationError, convert

    from gateway.facts import Exposure, Posture, Risk, Subject

    if entry.get("outcome") == "permit" and not entry.get("would"):
        return []
    try:
        subject = convert(entry.get("subject"), Subject)
        posture, risk = convert(entry.get("posture") or {}, Posture), convert(entry.get("risk") or {}, Risk)
        exposure = convert(entry.get("exposure") or {}, Exposure)
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
        **_shown_today(exposure),
    }
    words = [word for name, value in given.items() if value for word in ("--given", f"{name}={value}")]
    level = str(entry.get("bundle", "")).partition("+")[2]
    raised = ("--emergency", level) if level else ()
    return ["gateway", "policy", "explain", "--as", subject.id, "--do", asked, *words, *raised]


def _shown_today(exposure: "Exposure") -> dict[str, str]:
    """What was shown today, and which budgets that spends, as `--given` takes them; nothing of what is none."""
    given = {
        "records": str(exposure.records or ""),
        "fields": str(exposure.fields or ""),
        "categories": exposure.categories and f"[{', '.join(exposure.categories)}]",
        "budgets": exposure.budgets and f"[{', '.join(exposure.budgets)}]",
        "spent": exposure.spent,
        "unread": "true" if exposure.unread else "",
    }
    return {f"exposure.{name}": value for name, value in given.items() if value}


def _flatten(name: str, value: Any, rows: list[tuple[str, object]], zone: tzinfo | None) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _flatten(f"{name}.{key}" if name else str(key), inner, rows, zone)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for one in value:  # a check or a signal: its name, then what is known of it
            label, *rest = one.items()
            words = [
                spelled(inner, zone) if key in ("seen_at", "since") and inner is not None else _word(inner)
                for key, inner in rest
            ]
            rows.append((f"{name}.{label[1]}", "  ".join(word for word in words if word)))
    elif isinstance(value, list) and value:
        rows.append((name, ", ".join(map(_word, value))))
    elif name == "at" or (name.endswith("_at") and value):  # 0 is never
        rows.append((name, spelled(value, zone)))
    elif name == "subject.clearance" and value:
        from gateway.facts import Grade

        rows.append((name, Grade(value).text))
    elif value not in (None, "", [], {}) and not name.endswith("_at"):
        rows.append((name, _word(value)))


def _word(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(_word, value))
    if isinstance(value, float):
        return f"{round(value, 6):g}" if abs(value) < 1e6 else str(value)
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
