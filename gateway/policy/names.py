"""What may a condition speak about?

The table of names (`subject.org`, `risk.score`, …): the kind of each value, what it can ever be, and how it is read
from the facts. Nothing else exists for a condition.

1. A value that is unknown (`risk.score` of a cold history) cannot be read: the condition fails, and a condition that
   fails denies. `risk.known` asks first.
2. A sign-in whose time is unknown is infinitely old (`subject.auth_age`), so that "at most five minutes" is never met.
3. Hour, time and weekday are read in the policy's time zone from the request's own timestamp: no clock here.
"""

import re
from collections.abc import Callable, Collection
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import inf
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from msgspec import Struct

from gateway.facts import GRADES, Asset, Band, Exposure, Facts, Grade, Posture, Proof

Kind = Literal["text", "number", "bool", "texts", "grade"]
Getter = Callable[[Facts], object]

REVEAL = "reveal"
"""The action of whoever opens a token. No rule means it without naming it; a grant likewise."""
PLAIN = ("read", "create", "update", "delete", "other")
ACTIONS = (*PLAIN, REVEAL)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")  # no other reaches a decision
BANDS: tuple[str, ...] = get_args(Band)


class Form(Struct, frozen=True):
    """What every text of a name looks like, and how to write one, in English and Chinese."""

    fits: Callable[[str], object]
    en: str
    zh: str


class Name(Struct, frozen=True):
    """One name: its kind, how to read it, and what it can ever be."""

    kind: Kind
    get: Getter
    words: Collection[str] | None = None  # the only texts that there are
    what: str = ""  # how a wrong word is called in a message
    blank: bool = False  # it may be nothing at all
    form: Form | None = None  # of a text without words of its own
    low: float = -inf  # of a number or a grade
    high: float = inf
    whole: bool = False  # a number without a fraction
    may_be_unknown: bool = False

    def takes(self, word: str) -> bool:
        """Whether this text can ever be its value, or one of its values."""
        if not word and self.blank:
            return True
        if self.words is not None:
            return word in self.words
        return self.form is None or bool(self.form.fits(word))

    def reaches(self, number: float) -> bool:
        """Whether this number can ever be its value."""
        return self.low <= number <= self.high and (not self.whole or number == int(number))


class Vocabulary(Struct, frozen=True):
    """What a bundle knows by name, and how it reads roles and the clock."""

    roles: frozenset[str] = frozenset()
    orgs: frozenset[str] = frozenset()
    assets: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    grants: frozenset[str] = frozenset()
    timezone: str = "Asia/Shanghai"
    closure: Callable[[Facts], frozenset[str]] = lambda facts: frozenset(facts.subject.roles)


def _is_address(text: str) -> bool:
    """Whether a caller's address can be written so: canonical, and IPv4 never mapped into IPv6."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    mapped = isinstance(address, IPv6Address) and (address.ipv4_mapped or address.scope_id)
    return str(address) == text and not mapped


TIME = Form(
    re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]").fullmatch,
    'write hours and minutes with two digits each, for example "08:00"',
    '时与分各写两位，例如 "08:00"',
)
ADDRESS = Form(
    _is_address,
    'write one address as it is usually spelled; for a network write ip_in(env.source, "10.0.0.0/8")',
    '请写一个规范写法的地址；网段请写 ip_in(env.source, "10.0.0.0/8")',
)


def names(vocabulary: Vocabulary) -> dict[str, Name]:
    """The table for one bundle."""
    return (
        _subject(vocabulary)
        | _device(vocabulary)
        | _RISK
        | _data(vocabulary)
        | _grant(vocabulary)
        | _EXPOSURE
        | _environment(vocabulary.timezone)
    )


def _subject(vocabulary: Vocabulary) -> dict[str, Name]:
    return {
        "subject.id": Name("text", lambda f: f.subject.id),
        "subject.kind": Name("text", lambda f: f.subject.kind, ("person", "service", "anonymous"), "kind"),
        "subject.org": Name("text", lambda f: f.subject.org, vocabulary.orgs, "org", blank=True),
        "subject.roles": Name("texts", vocabulary.closure, vocabulary.roles, "role"),
        "subject.clearance": Name("grade", lambda f: f.subject.clearance, GRADES, low=min(Grade), high=max(Grade)),
        "subject.assurance": Name("number", lambda f: f.subject.assurance, low=0, high=3, whole=True),
        "subject.purpose": Name("text", lambda f: f.subject.purpose),
        "subject.auth_age": Name("number", _auth_age),
        "subject.bound": Name("bool", lambda f: f.subject.proof.bound),
        "subject.method": Name("text", lambda f: f.subject.proof.method, _words_of(Proof, "method"), "method"),
    }


def _device(vocabulary: Vocabulary) -> dict[str, Name]:
    return {
        "device.id": Name("text", lambda f: f.posture.device),
        "device.trust": Name("text", lambda f: f.posture.trust, _words_of(Posture, "trust"), "device trust"),
        "device.org": Name("text", lambda f: f.posture.org, vocabulary.orgs, "org", blank=True),
        "device.fresh": Name("bool", lambda f: f.posture.fresh),
    }


def _score(facts: Facts) -> float:
    if facts.risk.score is None:
        raise LookupError("the risk is unknown")
    return facts.risk.score


_RISK: dict[str, Name] = {
    "risk.score": Name("number", _score, low=0, high=100, may_be_unknown=True),
    "risk.band": Name("text", lambda f: f.risk.band, BANDS, "band"),
    "risk.known": Name("bool", lambda f: f.risk.score is not None),
}


def _data(vocabulary: Vocabulary) -> dict[str, Name]:
    return {
        "data.asset": Name("text", lambda f: f.asset.id, vocabulary.assets, "asset"),
        "data.category": Name("text", lambda f: f.asset.category, vocabulary.categories, "category", blank=True),
        "data.grade": Name("grade", lambda f: f.asset.grade, GRADES, low=min(Grade), high=max(Grade)),
        "data.owner": Name("text", lambda f: f.asset.owner, vocabulary.orgs, "org", blank=True),
        "data.action": Name("text", lambda f: f.asset.action, _words_of(Asset, "action"), "action"),
    }


def _grant(vocabulary: Vocabulary) -> dict[str, Name]:
    return {
        "grant.held": Name("bool", lambda f: bool(f.grant.ids)),
        "grant.ids": Name("texts", lambda f: frozenset(f.grant.ids), vocabulary.grants, "grant"),
        "approval.held": Name("bool", lambda f: f.grant.approved),
    }


def _read(facts: Facts) -> Exposure:
    """What was shown today; a condition that asks before it is known fails, and a condition that fails denies."""
    if facts.exposure.unread:
        raise LookupError("what was shown today is not read yet")
    return facts.exposure


_EXPOSURE: dict[str, Name] = {
    "exposure.records": Name("number", lambda f: _read(f).records, low=0, whole=True),
    "exposure.fields": Name("number", lambda f: _read(f).fields, low=0, whole=True),
    "exposure.spent": Name("text", lambda f: f.exposure.spent, ("soft", "hard"), "state of a budget", blank=True),
}


def _environment(timezone: str) -> dict[str, Name]:
    wall = _wall_clock(timezone)
    return {
        "env.hour": Name("number", lambda f: wall(int(f.ask.at // 60))[0], low=0, high=23, whole=True),
        "env.time": Name("text", lambda f: wall(int(f.ask.at // 60))[1], form=TIME),
        "env.weekday": Name("text", lambda f: wall(int(f.ask.at // 60))[2], WEEKDAYS, "weekday"),
        "env.purpose": Name("text", lambda f: f.subject.purpose or f.ask.purpose),  # vouched for before merely stated
        "env.source": Name("text", lambda f: f.ask.source, blank=True, form=ADDRESS),
        "env.method": Name("text", lambda f: f.ask.method, METHODS, "method"),
    }


def _words_of(struct: type[Struct], field: str) -> tuple[str, ...]:
    return get_args(struct.__annotations__[field])


def _auth_age(facts: Facts) -> float:
    signed_in = facts.subject.proof.authenticated_at
    return facts.ask.at - signed_in if signed_in > 0 else inf


@lru_cache(maxsize=8)
def _wall_clock(timezone: str) -> Callable[[int], tuple[int, str, str]]:
    """Hour, `HH:MM` and weekday of a minute since 1970; the few minutes in use are remembered."""
    zone = ZoneInfo(timezone)

    @lru_cache(maxsize=64)
    def read(minute: int) -> tuple[int, str, str]:
        local = datetime.fromtimestamp(minute * 60, zone)
        return local.hour, f"{local.hour:02}:{local.minute:02}", WEEKDAYS[local.weekday()]

    return read
