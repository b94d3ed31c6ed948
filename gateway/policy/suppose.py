"""What if this caller asked for that?

Makes facts from a few words, for tests of policies and for `policy explain --given`. Rules:

1. What is not given is the quiet case: a person signed in with two factors on a healthy managed device, no risk,
   from 10.0.0.1, on a Monday at 10:00 in the policy's time zone.
2. Words are the names that conditions use (`device.trust`), nested or dotted, plus short forms (`role`, `risk`).
3. Grants are those of the policies for this caller, data and purpose, unless `grant` or `approval` is given. What was
   shown of the asset today (`exposure: {records: 250}`) is held against the budgets of the policies. A budget counts
   other assets too: that it is spent can be given (`exposure: {spent: hard, budgets: [audit-day]}`; without names, all).
4. An unknown word or value is a fault: a test that gives `devise: unknown` must not pass by testing nothing.
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterable
from datetime import date, datetime, time
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from gateway.document import FileFault, Node, did_you_mean
from gateway.facts import (
    GRADES,
    NOTHING_GRANTED,
    Ask,
    Asset,
    Band,
    Exposure,
    Facts,
    Granted,
    Posture,
    Proof,
    Risk,
    Spent,
    Subject,
)
from gateway.policy.duties import ASSURANCES
from gateway.policy.names import WEEKDAYS

Kind = Literal["person", "service", "anonymous"]
Method = Literal["none", "bearer", "certificate"]
Trust = Literal["managed", "known", "unknown", "compromised"]

MONDAY = (2026, 9, 21)
SHORT = {
    "as": "subject.id",
    "user": "subject.id",
    "kind": "subject.kind",
    "role": "subject.roles",
    "roles": "subject.roles",
    "org": "subject.org",
    "clearance": "subject.clearance",
    "assurance": "subject.assurance",
    "bound": "subject.bound",
    "auth_age": "subject.auth_age",
    "purpose": "env.purpose",
    "time": "env.time",
    "weekday": "env.weekday",
    "date": "env.date",
    "source": "env.source",
    "device": "device.trust",
    "fresh": "device.fresh",
    "revoked": "device.revoked",
    "risk": "risk.score",
    "band": "risk.band",
    "grant": "grant.ids",
    "approval": "approval.held",
    "exposure": "exposure.records",
}
KEYS = (
    "subject.id", "subject.kind", "subject.org", "subject.roles", "subject.clearance", "subject.assurance",
    "subject.purpose", "subject.auth_age", "subject.bound", "subject.method", "device.id", "device.trust",
    "device.org", "device.fresh", "device.revoked", "risk.score", "risk.band", "env.time", "env.weekday", "env.date",
    "env.purpose", "env.source", "grant.ids", "approval.held", "exposure.records", "exposure.fields",
    "exposure.categories", "exposure.budgets", "exposure.spent", "exposure.unread",
)  # fmt: skip
SPOKEN_OF = ("subject", "device", "risk", "env", "grant", "approval", "exposure")
KINDS: dict[str, Kind] = {"person": "person", "service": "service", "anonymous": "anonymous"}
METHODS: dict[str, Method] = {"bearer": "bearer", "certificate": "certificate", "none": "none"}
TRUST: dict[str, Trust] = {
    "managed": "managed",
    "known": "known",
    "unknown": "unknown",
    "unmanaged": "unknown",
    "compromised": "compromised",
}
BANDS: dict[str, Band] = {band: band for band in get_args(Band)}
SPENT: dict[str, Spent] = {spent: spent for spent in get_args(Spent)}
STEPS = ((80.0, "quarantine"), (60.0, "limit"), (40.0, "step_up"))


Grants = Callable[[Ask, Subject, Asset], Granted]
"""Which sharing grants cover a request."""
Exposed = Callable[[Ask, Subject, Asset, Exposure], Exposure]
"""What so much shown of an asset means by the budgets."""


class Impossible(Exception):
    """What was given cannot be supposed; `faults` says why."""

    def __init__(self, faults: Iterable[FileFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(fault.en for fault in self.faults))


def suppose(
    asset: Asset,
    method: str,
    path: str,
    given: Node,
    timezone: str,
    granted: Grants = lambda *_: NOTHING_GRANTED,
    exposed: Exposed = lambda *asked: asked[-1],
) -> Facts:
    """Facts for this request; `given` is a mapping node (of a test, or of the command line). Raises Impossible."""
    faults: list[FileFault] = []
    words = _flat(given, faults)
    read = _Reader(words, faults)
    at = _moment(read, timezone)
    subject = _subject(read, at)
    posture = _posture(read)
    risk = _risk(read)
    approved = read.flag("approval.held", False)
    shown = _exposure(read)
    ask = Ask(
        "supposed", at, 0.0, method, "https", "", asset.api, path.partition("?")[0], path.partition("?")[2], (),
        read.text("env.source", "10.0.0.1"), "", None, "", read.text("env.purpose", ""), "en", False, _Empty(),
    )  # fmt: skip
    if faults:
        raise Impossible(faults)
    if words.keys() & {"grant.ids", "approval.held"}:
        held = Granted(read.list("grant.ids"), approved)
    else:
        held = granted(ask, subject, asset)
    return Facts(ask, subject, posture, risk, asset, held, exposed(ask, subject, asset, shown))


def _flat(given: Node, faults: list[FileFault]) -> dict[str, Node]:
    words: dict[str, Node] = {}
    for key, node in given.value.items() if isinstance(given.value, dict) else ():
        if key in SPOKEN_OF and isinstance(node.value, dict):
            inner = {f"{key}.{name}": (node, name, value) for name, value in node.value.items()}
        else:
            inner = {SHORT.get(key, key): (given, key, node)}
        for name, (parent, spelled, value) in inner.items():
            if name in KEYS:
                words[name] = value
            else:
                about = name.removesuffix(spelled)  # of `exposure: {record: 60}`: what else it could know
                known = [one.removeprefix(about) for one in (*KEYS, *(() if about else SHORT)) if one.startswith(about)]
                hint = did_you_mean(spelled, known)
                faults.append(
                    parent.key_fault(spelled, "P090", f"cannot suppose `{spelled}`", f"无法设定 `{spelled}`", *hint)
                )
    return words


class _Reader:
    """Takes given words one by one, with a default and a check for each."""

    def __init__(self, words: dict[str, Node], faults: list[FileFault]) -> None:
        self.words = words
        self.faults = faults

    def refuse(self, name: str, en: str, zh: str, hint: tuple[str, str] = ("", "")) -> None:
        self.faults.append(self.words[name].fault("P091", f"{name}: {en}", f"{name}：{zh}", hint[0], hint[1]))

    def text(self, name: str, default: str) -> str:
        value = self.words[name].value if name in self.words else default
        if value is None or isinstance(value, list | dict):
            self.refuse(name, "expected a text", "此处应为文本")
            return default
        return str(value)

    def choice(self, name: str, default: str, allowed: Collection[str]) -> str:
        value = self.text(name, default)
        if value not in allowed and name in self.words:
            self.refuse(name, f"no value `{value}`", f"没有 `{value}` 这个取值", did_you_mean(value, allowed))
            return default
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self.words[name].value if name in self.words else default
        if not isinstance(value, bool):
            self.refuse(name, "expected true or false", "此处应为 true 或 false")
            return default
        return value

    def number(self, name: str, default: float) -> float:
        value = self.words[name].value if name in self.words else default
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse(name, "expected a number", "此处应为数字")
            return default
        return float(value)

    def count(self, name: str) -> int:
        value = self.words[name].value if name in self.words else 0
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.refuse(name, "expected a whole number, not below 0", "此处应为不小于 0 的整数")
            return 0
        return value

    def list(self, name: str) -> tuple[str, ...]:
        node = self.words.get(name)
        if node is None:
            return ()
        values = node.value if isinstance(node.value, list) else [node]
        return tuple(str(item.value) for item in values)


def _moment(read: _Reader, timezone: str) -> float:
    clock = read.text("env.time", "10:00")
    day = _day(read)
    try:
        at = time.fromisoformat(clock if len(clock) == 5 else "")
    except ValueError:
        read.refuse("env.time", "expected a time such as 22:30", "此处应为时间，例如 22:30")
        return 0.0
    return datetime.combine(day, at, ZoneInfo(timezone)).timestamp()


def _day(read: _Reader) -> date:
    """The day that is given, or a weekday of the week from MONDAY."""
    year, month, monday = MONDAY
    day = date(year, month, monday + WEEKDAYS.index(read.choice("env.weekday", "mon", WEEKDAYS)))
    if "env.date" not in read.words:
        return day
    if "env.weekday" in read.words:
        read.refuse("env.date", "a date has its weekday: leave `weekday` out", "日期已确定星期：请省略 `weekday`")
    try:
        return date.fromisoformat(read.text("env.date", ""))
    except ValueError:
        read.refuse("env.date", "expected a date such as 2027-12-31", "此处应为日期，例如 2027-12-31")
        return day


def _subject(read: _Reader, at: float) -> Subject:
    roles = read.list("subject.roles")
    kind = KINDS[read.choice("subject.kind", "person", KINDS)]
    if kind == "anonymous":
        return Subject("", "anonymous")
    proof = Proof(
        method=METHODS[read.choice("subject.method", "bearer", METHODS)],
        authenticated_at=at - read.number("subject.auth_age", 60.0),
        bound=read.flag("subject.bound", False),
    )  # fmt: skip
    return Subject(
        id=read.text("subject.id", "somebody"),
        kind=kind,
        org=read.text("subject.org", ""),
        roles=roles,
        clearance=GRADES[read.choice("subject.clearance", "core", GRADES)],
        assurance=_assurance(read),
        purpose=read.text("subject.purpose", ""),
        proof=proof,
    )


def _assurance(read: _Reader) -> int:
    levels = ASSURANCES | {str(level): level for level in range(4)}
    return levels[read.choice("subject.assurance", "aal2", levels)]


def _posture(read: _Reader) -> Posture:
    trust = TRUST[read.choice("device.trust", "managed", TRUST)]
    return Posture(
        device=read.text("device.id", "supposed-device"),
        trust=trust,
        org=read.text("device.org", ""),
        fresh=read.flag("device.fresh", trust == "managed"),
        revoked=read.flag("device.revoked", False),
    )


def _risk(read: _Reader) -> Risk:
    node = read.words.get("risk.score")
    if node is not None and node.value in (None, "unknown"):
        return Risk(None, BANDS[read.choice("risk.band", "normal", BANDS)])
    score = read.number("risk.score", 0.0)
    derived = next((band for least, band in STEPS if score >= least), "normal")
    return Risk(score, BANDS[read.choice("risk.band", derived, BANDS)])


def _exposure(read: _Reader) -> Exposure:
    spent = SPENT[read.choice("exposure.spent", "", SPENT)]
    if "exposure.budgets" in read.words and not spent:
        read.refuse(
            "exposure.budgets", "how far are they spent? give `spent` too", "用尽到何种程度？请同时给出 `spent`"
        )
    return Exposure(
        read.count("exposure.records"),
        read.count("exposure.fields"),
        read.list("exposure.categories"),
        read.list("exposure.budgets"),
        spent,
        read.flag("exposure.unread", False),
    )


class _Empty:
    """A request without a body."""

    length = 0
    received = 0

    async def settle(self) -> str | None:
        return None

    def whole(self) -> bytes | None:
        return b""

    async def chunks(self) -> AsyncIterator[bytes]:
        nothing: tuple[bytes, ...] = ()
        for chunk in nothing:
            yield chunk
