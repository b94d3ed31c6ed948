"""Which requests can these policies tell apart?

For one kind of request (one endpoint) the values of every variable are cut down to representatives: finitely many,
and such that every request is decided like the one that its representatives make. Rules:

1. A representative is one value for each way in which the atoms that look at the variable can come out. Between two
   numbers of the rules there is a value, and outside of them; beside the words a word of nobody; for the networks an
   address inside and outside of every combination, and a source that is no address.
2. Hour, time, weekday and every date come from one moment; a score can be unknown; a time of sign-in too.
3. Variables that are compared with each other keep all their values, and so many more that all of them can differ.
4. An anonymous caller carries nothing: that is the only one that identity makes.
5. Bounds are those of the facts: assurance 0 to 3, a score 0 to 100.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise, product
from math import inf, prod
from typing import TypeVar
from zoneinfo import ZoneInfo

from gateway.facts import ANONYMOUS, NOTHING_GRANTED, Ask, Exposure, Facts, Grade, Posture, Proof, Risk, Subject
from gateway.policy.closures import Network
from gateway.policy.condition import FAILURES
from gateway.policy.suppose import BANDS, KINDS, METHODS, MONDAY, TRUST
from gateway.review.formula import ANY, FAILS, NO, YES, Atom, Formula, Point, Pool, Value, look
from gateway.review.laws import ROLE, Law, Laws, Noted, Side

Word = TypeVar("Word", bound=str)

QUIET: Point = {
    "kind": "person",
    "id": "somebody",
    "org": "",
    "clearance": int(Grade.CORE),
    "assurance": 2,
    "purpose": ("", ""),
    "auth_age": 60.0,
    "bound": False,
    "method": "bearer",
    "device": "supposed-device",
    "trust": "managed",
    "device_org": "",
    "fresh": True,
    "score": 0.0,
    "band": "normal",
    "source": "10.0.0.1",
    "records": 0,
    "labelled": 0,
}
"""The case that `policy explain` supposes when nothing is given; the moment is a Monday at 10:00."""

NOBODYS = "other"
NO_ADDRESS = "unknown"
WIDE = 4096
_WEEKS = (0, 3, 9, 26, 39)  # summer time begins and ends between some two of them


class Space:
    """The representatives of one kind of request, and the rules of each side about it."""

    def __init__(self, sides: Sequence[Side], verbs: tuple[str, ...] = ("GET",), since: float = 0.0) -> None:
        self.sides = tuple(sides)
        self.since = since  # moments before it are over
        self.pool = Pool()
        self.noted = Noted()
        self._quiet_at = _quiet_moment(self.sides[-1].bundle.content.timezone)
        self._quiet: Point = {**QUIET, "verb": verbs[0], "at": self._quiet_at}
        declared = sorted({role for side in self.sides for role in side.bundle.content.declared})
        self.roles = tuple(ROLE + role for role in declared)
        self.laws: tuple[tuple[Law, ...], ...] = tuple(
            Laws(side, self.pool, self.noted, self.roles, self.make).read() for side in self.sides
        )
        self._looks: dict[tuple[int, tuple[object, ...]], int] = {}
        self._by_variable: dict[str, list[Atom]] = {}
        for atom in self.pool.atoms.values():
            for variable in atom.reads:
                self._by_variable.setdefault(variable, []).append(atom)
        self.domains = self._candidates(verbs)
        self.reduced: dict[str, dict[tuple[int, ...], Value]] = {}
        self._reduce()

    def turns_on(self, variable: str) -> bool:
        """Whether a rule looks at this variable."""
        return variable in self._by_variable

    # --- asking -----------------------------------------------------------------------------

    def look(self, formula: Formula, point: Point) -> int:
        """The answers that a formula can still give when this much is known."""
        return look(formula, lambda atom: self.answers(atom, point))

    def answers(self, atom: Atom, point: Point) -> int:
        """The answers that an atom can still give."""
        key = (id(atom), tuple([point.get(variable, ...) for variable in atom.reads]))
        known = self._looks.get(key)
        if known is None:
            known = self._looks[key] = _held(atom, point) if atom.test is None else self._tried(atom, point)
        return known

    def _tried(self, atom: Atom, point: Point) -> int:
        open_ = [variable for variable in atom.reads if variable not in point]
        if any(variable not in self.domains for variable in open_):
            return ANY
        choices = [self.domains[variable] for variable in open_]
        if prod(map(len, choices)) > WIDE:
            return ANY
        seen = 0
        for values in product(*choices):
            seen |= _answer(atom, point | dict(zip(open_, values, strict=True)))
            if seen == ANY:
                break
        return seen

    def make(self, point: Point, side: Side, granted: bool = True) -> Facts:
        """The facts of a point as one side sees them; what the point leaves out has its quiet value."""
        return facts_of({**self._quiet, **point}, side, granted)

    # --- representatives --------------------------------------------------------------------

    def signature(self, variable: str, value: Value) -> tuple[int, ...]:
        """How every atom that looks at this variable comes out when it has this value."""
        found = []
        for atom in self._by_variable.get(variable, ()):
            others = [other for other in atom.reads if other != variable]
            for values in product(*(self.domains[other] for other in others)):
                found.append(_answer(atom, {variable: value} | dict(zip(others, values, strict=True))))
        return tuple(found)

    def _reduce(self) -> None:
        """Keep one value for each signature; the first one is the most ordinary."""
        for variable, values in tuple(self.domains.items()):
            if self._may_reduce(variable):
                kept: dict[tuple[int, ...], Value] = {}
                for value in values:
                    kept.setdefault(self.signature(variable, value), value)
                self.reduced[variable] = kept
                self.domains[variable] = tuple(kept.values())

    def _may_reduce(self, variable: str) -> bool:
        if variable.startswith(ROLE) or variable in ("kind", "clearance") or len(self.noted.together(variable)) > 1:
            return False
        atoms = self._by_variable.get(variable, ())
        others = [{other for other in atom.reads if other != variable} for atom in atoms]
        return all(
            names <= self.domains.keys() and prod(len(self.domains[name]) for name in names) <= WIDE // 64
            for names in others
        )

    def _candidates(self, verbs: tuple[str, ...]) -> dict[str, tuple[Value, ...]]:
        offices = [org for side in self.sides for org in side.bundle.content.offices]
        purposes = self._words("purpose")
        flags: tuple[Value, ...] = (False, True)
        found: dict[str, Iterable[Value]] = {
            "kind": KINDS.values(),
            "id": [word for word in self._words("id") if word],  # identity makes none without
            "org": self._words("org", *offices),
            "clearance": sorted(map(int, Grade), reverse=True),
            "assurance": (2, 3, 1, 0),
            "purpose": [("", word) for word in purposes] + [(word, "") for word in purposes],  # vouched hides stated
            "auth_age": (60.0, *self._numbers("auth_age"), inf),
            "bound": flags,
            "method": METHODS.values(),
            "device": self._words("device"),
            "trust": dict.fromkeys(TRUST.values()),
            "device_org": self._words("device_org", *offices),
            "fresh": (True, False),
            "score": (0.0, None, *(n for n in (*self._numbers("score"), 100.0) if 0 <= n <= 100)),
            "band": BANDS.values(),
            "source": self._sources(),
            "records": self._counts("records"),
            "labelled": self._counts("labelled"),
            "verb": verbs,
            "at": self._moments(),
        }
        found |= dict.fromkeys(self.roles, flags)
        looked = {variable for atom in self.pool.atoms.values() for variable in atom.reads} | {"kind", "clearance"}
        return {name: tuple(dict.fromkeys(values)) for name, values in found.items() if name in looked}

    def _words(self, variable: str, *more: str) -> list[str]:
        """The quiet word, the words of the rules, and words of nobody: one for each variable compared with this one."""
        together = self.noted.together(variable)
        quiet = QUIET[variable] if isinstance(QUIET[variable], str) else ""
        known = [word for name in sorted(together) for word in self.noted.texts.get(name, ())]
        if "org" in together or "device_org" in together:
            known += [org for side in self.sides for org in side.bundle.content.offices]
        strangers = [f"{NOBODYS}-{number}" for number in range(1, 2 * (len(known) + len(together) + 1))]
        fresh = [NOBODYS, *strangers][: len(known) + len(together) + 1]
        return [str(quiet), *more, *known, *[word for word in fresh if word not in known][: len(together)], ""]

    def _numbers(self, variable: str) -> list[float]:
        """The numbers of the rules, and so many between and beside them as variables are compared with each other."""
        together = self.noted.together(variable)
        known = sorted({n for name in together for n in self.noted.numbers.get(name, ())} | {0.0})
        parts = len(together) + 1
        between = [low + (high - low) * part / parts for low, high in pairwise(known) for part in range(1, parts)]
        outside = [known[-1] + part for part in range(1, parts)] + [known[0] - part for part in range(1, parts)]
        return [*known, *between, *outside]

    def _counts(self, variable: str) -> list[int]:
        """Whole numbers, none below 0."""
        return sorted({int(number) for number in self._numbers(variable) if number >= 0})

    def _sources(self) -> list[str]:
        """An address of every region that the networks cut out, in more than one spelling, and what is no address."""
        words = self._words("source")
        networks = [network for network in map(_network, words) if network is not None]
        found = [str(QUIET["source"]), "192.0.2.1", "2001:db8::1"]
        for network in networks:
            version = ipaddress.IPv4Address if network.version == 4 else ipaddress.IPv6Address
            after = int(network.broadcast_address) + 1
            found.append(str(network.network_address))
            if after < 2**network.max_prefixlen:
                found.append(str(version(after)))
        found += [str(ipaddress.IPv4Address(0)), str(ipaddress.IPv6Address(0))]
        spelled = [f"::ffff:{one}" if ":" not in one else ipaddress.ip_address(one).exploded for one in found]
        return [*found, NO_ADDRESS, *words, *spelled]

    # --- moments ----------------------------------------------------------------------------

    def _moments(self) -> list[Value]:
        """Moments for every combination of weekday and time of day, in every stretch in which the same rules hold."""
        edges = [-inf, *sorted(float(edge) for edge in self.noted.edges), inf]
        stretches = [(begin, end) for begin, end in pairwise(edges) if end > self.since]
        found: dict[float, None] = {}
        quiet = self._quiet_at
        stretches.sort(key=lambda stretch: not stretch[0] <= quiet < stretch[1])  # the quiet one first: it reads best
        for begin, end in stretches:
            inside = [at for at in self._of_weeks(begin, end) if begin <= at < end]
            found.update(dict.fromkeys(inside or [begin]))
        return list(found)

    def _of_weeks(self, begin: float, end: float) -> Iterable[float]:
        if begin <= self._quiet_at < end:
            yield self._quiet_at
        if begin > -inf:
            yield from (-(-begin // 60) * 60, begin)  # a full minute, where there is one: people can write it
        zones = sorted({side.bundle.content.timezone for side in self.sides})
        starts = [self._quiet_at - 86400, begin, end - 9 * 86400]
        for start, zone in product((one for one in starts if -inf < one < inf), map(ZoneInfo, zones)):
            day = datetime.fromtimestamp(start, zone).replace(hour=0, minute=0, second=0, microsecond=0)
            for week in _WEEKS if len(zones) > 1 or _shifts(zone) else _WEEKS[:1]:
                for days in range(9):
                    for hour, minute in self._times():
                        moment = (day + timedelta(weeks=week, days=days)).replace(hour=hour, minute=minute)
                        yield moment.timestamp()

    def _times(self) -> list[tuple[int, int]]:
        """The times of day at which a condition can change, and the minute after each."""
        minutes = {0, 600}
        for time in self.noted.times:
            minute = int(time[:2]) * 60 + int(time[3:])
            minutes |= {minute, (minute + 1) % 1440}
        if self.noted.hours:
            minutes |= set(range(0, 1440, 60))
        return [divmod(minute, 60) for minute in sorted(minutes, key=lambda minute: (minute != 600, minute))]


def facts_of(whole: Point, side: Side, granted: bool) -> Facts:
    """Facts with these values."""
    at, asset = whole["at"], side.asset
    moment = at if isinstance(at, float) else 0.0
    pair = whole["purpose"]
    vouched, stated = pair if isinstance(pair, tuple) else ("", "")
    score = whole["score"]
    ask = Ask(
        "supposed", moment, 0.0, str(whole["verb"]), "https", "", asset.api, "/", "", (),
        str(whole["source"]), "", None, "", stated, "en", False, None,  # type: ignore[arg-type]  # no rule reads a body
    )  # fmt: skip
    posture = Posture(
        str(whole["device"]), _one(TRUST, whole["trust"]), str(whole["device_org"]), whole["fresh"] is True
    )
    risk = Risk(float(score) if isinstance(score, int | float) else None, _one(BANDS, whole["band"]))
    subject = _subject(whole, vouched, moment)
    grant = side.bundle.granted(ask, subject, asset) if granted else NOTHING_GRANTED
    shown = Exposure(_whole(whole["records"]), _whole(whole["labelled"]))
    return Facts(ask, subject, posture, risk, asset, grant, side.bundle.exposed(ask, subject, asset, shown))


def _subject(whole: Point, vouched: str, moment: float) -> Subject:
    kind = _one(KINDS, whole["kind"])
    if kind == "anonymous":
        return ANONYMOUS
    age = whole["auth_age"]
    signed_in = 0.0 if age == inf or not isinstance(age, int | float) else moment - age
    return Subject(
        id=str(whole["id"]),
        kind=kind,
        org=str(whole["org"]),
        roles=tuple([name[len(ROLE) :] for name, value in whole.items() if value is True and name.startswith(ROLE)]),
        clearance=Grade(_whole(whole["clearance"])),
        assurance=_whole(whole["assurance"]),
        purpose=vouched,
        proof=Proof(_one(METHODS, whole["method"]), authenticated_at=signed_in, bound=whole["bound"] is True),
    )


def _answer(atom: Atom, point: Point) -> int:
    """How an atom comes out when everything that it looks at is known."""
    if atom.test is None:
        return _held(atom, point)
    try:
        return YES if atom.test(point) else NO
    except FAILURES:
        return FAILS


def _held(atom: Atom, point: Point) -> int:
    """Whether one of several roles is held: one that is settles it, and an anonymous caller holds none."""
    kind = point.get("kind", ...)
    if kind == "anonymous":
        return NO
    held = [point.get(role, ...) for role in atom.among]
    if True in held:
        return YES if kind is not ... else YES | NO
    return YES | NO if ... in held else NO


def _quiet_moment(timezone: str) -> float:
    return datetime(*MONDAY, 10, tzinfo=ZoneInfo(timezone)).timestamp()


def _shifts(zone: ZoneInfo) -> bool:
    """Whether clocks are moved in this zone."""
    months = (datetime(MONDAY[0], month, 1, tzinfo=zone) for month in range(1, 13))
    return len({moment.utcoffset() for moment in months}) > 1


def _network(word: str) -> Network | None:
    try:
        return ipaddress.ip_network(word)
    except ValueError:
        return None


def _one(known: Mapping[str, Word], value: Value) -> Word:
    return known[str(value)]


def _whole(value: Value) -> int:
    return value if isinstance(value, int) else 0
