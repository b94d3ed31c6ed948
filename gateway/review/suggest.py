"""Which request would tell a rule from a mistaken one?

A bounded search over requests that a test can suppose. It begins with callers whom some rule lets through and changes a
few words about them: those that the conditions in question look at, one value on each side of every boundary. Rules:

1. Only words that a test can name count as a difference: what is found can be written down.
2. What is offered was parsed and run like any test: it passes on the rule as it is and fails on the mistaken one.
3. Nothing found is not nothing there: the search is bounded.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import combinations, islice, product
from zoneinfo import ZoneInfo

from msgspec import json

from gateway.document import Faulty, Node, Plain, parse
from gateway.facts import GRADES, Asset, Facts, Permit
from gateway.policy import Bundle, Impossible, suppose
from gateway.policy.content import Row
from gateway.policy.duties import ASSURANCES
from gateway.policy.examples import Example, Seen, Wishes, enforced, fits, judge, read_examples, seen_in, supposed
from gateway.policy.names import WEEKDAYS
from gateway.policy.people import PERSON
from gateway.policy.suppose import KEYS, SHORT, STEPS, TRUST
from gateway.review.atoms import Atoms, take_apart
from gateway.review.mutations import Mutation
from gateway.review.routes import Route, reached, reaches

Value = str | int | float | bool | list[str]
Given = dict[str, Value]
Option = tuple[str, Value | None]
"""A word and its value; None takes the word away."""

FOR_ONE = 4000
"""Decisions that are spent on one suggestion at most."""
NO_RULES = "rules: []\n"
"""How a test ends that only tells which rule said no; one with another outcome is worth a longer search."""
MOST_ROUTES = 6
MOST_CALLERS = 32
MOST_CHANGES = 3
OUTSIDE = "203.0.113.9"  # documentation, RFC 5737: nobody's
PLAIN = re.compile(r"(?!true\Z|false\Z|null\Z)[A-Za-z][A-Za-z0-9_./-]*\Z")
EFFECT, WHO, ORG, EXPIRES, WHEN = 1, 2, 3, 7, 8


class Search:
    """Finds tests for mutants; `budget` is how many decisions all of them together may cost."""

    def __init__(self, known: tuple[Route, ...], locate: Callable[[str, str], Asset], budget: int) -> None:
        self._routes = known
        self._locate = locate
        self._left = budget
        self._memory: _Memory = {}  # callers are the same for every mutant of one bundle

    def test(self, rule: Bundle, mutant: Bundle, slip: Mutation, rows: tuple[Row, ...], level: str) -> str:
        """A test in YAML that passes on the rule and fails on the mutant; "" when none was found."""
        most = min(FOR_ONE, self._left)
        if most <= 0:
            return ""
        pair = _Pair(rule, mutant, slip, rows, level, self._memory)
        spent, spare = 0, ""
        for route, given in pair.requests(self._routes):
            if spent >= most:
                break
            spent += 1
            text = pair.difference(route, given)
            if text and not (spare and text.endswith(NO_RULES)) and pair.verified(text, self._locate):
                spare = text
                if not text.endswith(NO_RULES):
                    break
        self._left -= spent
        return spare


_Memory = dict[tuple[str, str, Row, str], Given]


class _Pair:
    """A rule and its mutant, each in its bundle."""

    def __init__(
        self, rule: Bundle, mutant: Bundle, slip: Mutation, rows: tuple[Row, ...], level: str, memory: _Memory
    ) -> None:
        self.memory = memory
        self.rule, self.mutant, self.slip, self.level = rule, mutant, slip, level
        self.before = rows
        self.own = (*rows, *slip.rows)
        self.zone = rule.content.timezone

    # --- which requests are tried -------------------------------------------------------------

    def requests(self, known: tuple[Route, ...]) -> Iterator[tuple[Route, Given]]:
        """Requests, the likeliest first: few changes before many, for every caller in turn."""
        one, two = ({route.name for route in reached(rows, known)} for rows in (self.before, self.slip.rows))
        found = sorted(
            _different(reached(self.own, known)), key=lambda route: (route.name in one) is (route.name in two)
        )
        about = found[:MOST_ROUTES]  # those first that only one of the two is about
        starts = [(route, given) for route in about for given in self.callers(route)]
        starts.sort(key=lambda start: len(start[1]))
        narrow = {route.name: self.options(self.own) for route in about}
        for count in range(MOST_CHANGES):
            yield from _changed(starts, narrow, count)
        wide = {route.name: self.options(self.denies(route)) for route in about}  # another deny may have to apply too
        speaking = [
            one for count in range(MOST_CHANGES) for one in _changed(starts, narrow, count) if self.has_a_say(*one)
        ]
        for count in (1, 2):
            yield from _changed(speaking[:MOST_CALLERS], wide, count)
        yield from _changed(starts, narrow, MOST_CHANGES)

    def callers(self, route: Route) -> Iterator[Given]:
        """Callers whom a rule lets in on this route, as nearly as can be told, and what the rule in question asks for."""
        rows = [row for row in self.rule.content.rules if row[EFFECT] == "allow" and reaches(row, route.asset)]
        rows += [row for row in self.own if row[EFFECT] == "allow"]
        rows = rows or list(self.own)  # nobody is let in here: then a test can tell which rule says no
        own = dict.fromkeys(row[WHO] for row in self.own)
        starts: dict[str, Given] = {}
        for row, also in product(rows, (*own, "service", "")):
            key = (self.rule.digest, route.name, row, also)
            given = self.memory.get(key)
            if given is None:
                given = self.memory[key] = self.caller(row, also, route)
            starts.setdefault(repr(sorted(given.items())), given)
            if len(starts) == MOST_CALLERS:
                break
        yield from starts.values()

    def caller(self, row: Row, also: str, route: Route) -> Given:
        given: Given = {}
        roles = [word for word in dict.fromkeys((row[WHO], also)) if word in self.rule.content.declared]
        if roles:
            given["role"] = roles[0] if len(roles) == 1 else roles
        person = next((word for word in (row[WHO], also) if word.startswith(PERSON)), "")
        if person:
            given["user"] = person.removeprefix(PERSON)
        if "service" in (row[WHO], also):
            given |= {"kind": "service", "bound": True}
        if row[ORG] != "*":
            given["org"] = row[ORG]
        return self.let_in(given, row, route)

    def let_in(self, given: Given, row: Row, route: Route) -> Given:
        """The caller with what the condition of the rule asks for and with a sign-in as strong as it takes, if found."""
        wanted = [*_values(self.apart((row[WHEN],)), self.rule.content.offices), ("assurance", "aal3"), ("bound", True)]
        for count in range(MOST_CHANGES):
            for chosen in combinations(wanted, count):
                changed = _with(given, chosen)
                facts = self.facts(route, changed)
                if facts is not None and isinstance(enforced(self.rule, facts), Permit):
                    return changed
        return given

    def has_a_say(self, route: Route, given: Given) -> bool:
        facts = self.facts(route, given)
        return facts is not None and self.slip.rule in _several(seen_in(enforced(self.rule, facts))["rule"])

    def denies(self, route: Route) -> tuple[Row, ...]:
        denying = (row for row in self.rule.content.rules if row[EFFECT] == "deny" and reaches(row, route.asset))
        return (*self.own, *denying)

    def options(self, rows: tuple[Row, ...]) -> tuple[Option, ...]:
        """The words that may make a difference to these rows."""
        conditions = [row[WHEN] for row in rows]
        known = [*_values(self.apart(conditions), self.rule.content.offices), *self.days()]
        content = self.rule.content
        roles = [role for role in content.declared if role not in {row[WHO] for row in self.own}]
        orgs = [org for org in content.offices if org not in {row[ORG] for row in self.own}]
        known += [("assurance", level) for level in ASSURANCES]
        known += [("kind", "service"), ("kind", "anonymous"), ("bound", True)]
        known += [("role", role) for role in roles[:4]] + [("role", None)]
        known += [("org", org) for org in orgs[:8]] + [("org", None)]
        return tuple({repr(option): option for option in known}.values())

    def days(self) -> Iterator[Option]:
        """The last day of a rule, and the day after it."""
        for until in {row[EXPIRES] for row in self.own} - {""}:
            last = datetime.fromtimestamp(int(until) - 1, ZoneInfo(self.zone)).date()
            yield from (("date", day.isoformat()) for day in (last, last + timedelta(days=1)))

    def apart(self, conditions: Iterable[str]) -> Atoms:
        return take_apart([text for text in conditions if text], self.rule.names)

    # --- what is different --------------------------------------------------------------------

    def facts(self, route: Route, given: Given) -> Facts | None:
        node = Node({word: _node(value) for word, value in given.items()}, "", 1, 1)
        try:
            return suppose(route.asset, route.method, route.path, node, self.zone, self.rule.granted, self.rule.exposed)
        except Impossible:
            return None

    def difference(self, route: Route, given: Given) -> str:
        """A test that the rule passes and the mutant fails, "" when both decide alike."""
        facts = self.facts(route, given)
        if facts is None:
            return ""
        one, two = (seen_in(enforced(bundle, facts)) for bundle in (self.rule, self.mutant))
        if one == two:
            return ""
        wishes: Wishes = {"expect": str(one["expect"])}
        if one["expect"] == two["expect"]:
            wishes |= _told_apart(one, two)
            if len(wishes) == 1:
                return ""
        elif self.slip.rule in _several(one["rule"]):
            wishes["rule"] = self.slip.rule
        return self.written(route, given, wishes)

    def written(self, route: Route, given: Given, wishes: Wishes) -> str:
        slip = self.slip.en.replace("`", "")
        lines = [f"name: {_scalar(f'{self.slip.rule}: not if {slip}')}"]
        lines += [f"given: {_flow(given)}"] if given else []
        lines += [f"emergency: {self.level}"] if self.level else []
        lines += [f"request: {route.method} {route.path}"]
        lines += [f"{key}: {_flow(value)}" for key, value in wishes.items()]
        return "  - " + "\n    ".join(lines) + "\n"

    def verified(self, text: str, locate: Callable[[str, str], Asset]) -> bool:
        """Whether the written test, read back, passes on the rule and fails on the mutant."""
        try:
            (example,) = read_examples(parse(f"tests:\n{text}", "suggested.yaml"), "suggested.yaml")
        except (Faulty, ValueError):
            return False
        if not isinstance(example, Example):
            return False
        levels = {"": self.rule, self.level: self.rule}
        try:
            bundle, facts = supposed(example, levels, locate)
        except Impossible:
            return False
        return judge(example, bundle, facts).passed and not judge(example, self.mutant, facts).passed


# --- values worth trying --------------------------------------------------------------------------

SHORTLY = {name: word for word, name in reversed(SHORT.items())} | {"subject.id": "user"}
_BANDS = {"normal": 0.0} | {band: score for score, band in STEPS}


def _values(atoms: Atoms, offices: Iterable[str]) -> Iterator[Option]:
    """Words for the names that some conditions look at, one value on each side of every boundary."""
    for name in sorted(atoms.names):
        for value in dict.fromkeys(_beside(name, atoms, offices)):
            word, written = _supposed(name, value)
            if word:
                yield word, written


def _beside(name: str, atoms: Atoms, offices: Iterable[str]) -> Iterator[str | float | bool]:
    texts, numbers = atoms.texts(name), atoms.numbers(name)
    for number in numbers:
        yield from (number - 1, number, number + 1)
    if name == "env.weekday":
        yield from WEEKDAYS
    elif name == "env.time":
        yield from (time for text in texts for time in _minutes(text))
    elif name == "env.source":
        yield from (address for text in texts for address in _addresses(text))
        yield OUTSIDE
    elif name == "device.trust":
        yield from TRUST
    elif name == "subject.clearance":
        yield from GRADES
    elif name in ("subject.org", "device.org"):
        yield from (*texts, *islice(offices, 4))
    elif name in _FLAGS:
        yield from (True, False)
    elif name == "subject.id" or name.endswith("purpose"):
        yield from (*texts, "another")
    else:
        yield from texts


_FLAGS = ("subject.bound", "device.fresh", "risk.known", "approval.held", "grant.held")


def _supposed(name: str, value: str | float | bool) -> Option:
    """How a test supposes that a name has a value; "" where it cannot."""
    if name == "env.hour":
        return ("time", f"{int(value):02}:00") if 0 <= float(value) < 24 else ("", None)
    if name == "risk.known":
        return ("risk", "unknown") if value is False else ("risk", 0)
    if name == "risk.band":
        return "risk", int(_BANDS[str(value)])
    if name == "subject.assurance":
        return ("assurance", f"aal{int(value)}") if 1 <= float(value) <= 3 else ("assurance", 0)
    if name == "risk.score" and not 0 <= float(value) <= 100:
        return "", None
    if name == "grant.ids":
        return name, [str(value)]
    if name not in KEYS:
        return "", None
    plain = int(value) if isinstance(value, float) and value.is_integer() else value
    return SHORTLY.get(name, name), plain


def _minutes(text: str) -> Iterator[str]:
    """A time and the minute before it."""
    hour, _, minute = text.partition(":")
    if hour.isdigit() and minute.isdigit():
        at = int(hour) * 60 + int(minute)
        yield from (f"{one % 1440 // 60:02}:{one % 60:02}" for one in (at, at - 1))


def _addresses(text: str) -> Iterator[str]:
    """An address in a network, and one beside it."""
    try:
        network: IPv4Network | IPv6Network = ip_network(text)
    except ValueError:
        yield text
        return
    yield str(network[-1])
    if network.prefixlen:
        yield from (str(half[0]) for half in network.supernet().subnets() if half != network)


# --- writing a test -------------------------------------------------------------------------------


def _different(found: Iterable[Route]) -> Iterator[Route]:
    """One route of each kind: the rules cannot tell the others from it."""
    seen = set()
    for route in found:
        kind = (route.asset.id, route.asset.action, route.asset.grade, route.method)
        if kind not in seen:
            seen.add(kind)
            yield route


def _changed(
    starts: Iterable[tuple[Route, Given]], options: dict[str, tuple[Option, ...]], count: int
) -> Iterator[tuple[Route, Given]]:
    """Every start with so many of its words changed."""
    for route, start in starts:
        for chosen in combinations(options[route.name], count):
            if len({word for word, _ in chosen}) == count:
                yield route, _with(start, chosen)


def _with(given: Given, chosen: Iterable[Option]) -> Given:
    changed = dict(given)
    for word, value in chosen:
        changed.pop(word, None)
        if value is not None:
            changed[word] = value
    return changed


def _node(value: Value) -> Node:
    if isinstance(value, list):
        return Node([Node(one, "", 1, 1) for one in value], "", 1, 1)
    return Node(value, "", 1, 1)


def _told_apart(one: Seen, two: Seen) -> Wishes:
    """What came out of the first, under the keys by which a test can tell it from the second."""
    wishes: Wishes = {}
    for key in ("rule", "reason", "notify", "log", "step_up", "max_age"):
        wanted = _wish(one[key])
        if wanted != "" and not fits(key, wanted, two[key]):
            wishes[key] = wanted
    before, after = _several(one["mask"]), _several(two["mask"])
    if before[:1] != after[:1]:
        wishes["mask"] = before[0] if before else ""
    elif before != after:
        fields = [field.split("=", 1) for field in before[1:] if field not in after]
        wishes["mask"] = {path: how for path, how in fields}  # noqa: C416  # mypy: lists are no pairs
    wishes = {key: wish for key, wish in wishes.items() if wish != "" and wish != {}}
    if set(_several(one["rows"])) != set(_several(two["rows"])):
        wishes["rows"] = _filters(_several(one["rows"]))
    if one["most"] != two["most"]:
        wishes["most"] = _wish(one["most"])
    if not wishes and set(_several(one["rules"])) != set(_several(two["rules"])):
        return {"rules": _wish(one["rules"]) or []}  # the mutant has one rule more to say
    return wishes


def _filters(pairs: list[str]) -> Plain:
    """Row filters as a test names them."""
    found: dict[str, list[Plain]] = {}
    for pair in pairs:
        field, _, value = pair.partition("=")
        found.setdefault(field, []).extend([value] if value else [])
    return {field: values[0] if len(values) == 1 else values for field, values in found.items()}


def _wish(seen: str | list[str] | int) -> Plain:
    """What was seen, as one would write it down."""
    if isinstance(seen, list):
        words: list[Plain] = list(dict.fromkeys(seen))
        return words[0] if len(words) == 1 else words or ""
    return seen


def _several(seen: str | list[str] | int) -> list[str]:
    return seen if isinstance(seen, list) else []


def _flow(value: object) -> str:
    """A value on one line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(word)}: {_flow(one)}" for word, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: object) -> str:
    """A plain word where that is what it says, else in quotes."""
    if isinstance(value, str) and PLAIN.match(value):
        return value
    return json.encode(value).decode()
