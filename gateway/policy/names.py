"""What may a condition speak about?

The table of names (`subject.org`, `risk.score`, …): the kind of each value, the words it can take, and how it is
read from the facts. Nothing else exists for a condition.

1. A value that is unknown (`risk.score` of a cold history) cannot be read: the condition fails, and a condition that
   fails denies. `risk.known` asks first.
2. A sign-in whose time is unknown is infinitely old (`subject.auth_age`), so that "at most five minutes" is never met.
3. Hour, time and weekday are read in the policy's time zone from the request's own timestamp: no clock here.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import lru_cache
from math import inf
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from msgspec import Struct

from gateway.facts import GRADES, Asset, Band, Facts, Posture, Proof

Kind = Literal["text", "number", "bool", "texts", "grade"]
Getter = Callable[[Facts], object]

ACTIONS = ("read", "create", "update", "delete", "other")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BANDS: tuple[str, ...] = get_args(Band)


class Name(Struct, frozen=True):
    """One name: its kind, the words it can take (none: any), and how to read it."""

    kind: Kind
    get: Getter
    words: Collection[str] = ()
    what: str = ""  # how a wrong word is called in a message
    may_be_unknown: bool = False


class Vocabulary(Struct, frozen=True):
    """What a bundle knows by name, and how it reads roles and the clock."""

    roles: frozenset[str] = frozenset()
    orgs: frozenset[str] = frozenset()
    assets: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    grants: frozenset[str] = frozenset()
    timezone: str = "Asia/Shanghai"
    closure: Callable[[Facts], frozenset[str]] = lambda facts: frozenset(facts.subject.roles)


def names(vocabulary: Vocabulary) -> dict[str, Name]:
    """The table for one bundle."""
    return (
        _subject(vocabulary)
        | _device(vocabulary)
        | _RISK
        | _data(vocabulary)
        | _grant(vocabulary)
        | _environment(vocabulary.timezone)
    )


def _subject(vocabulary: Vocabulary) -> dict[str, Name]:
    return {
        "subject.id": Name("text", lambda f: f.subject.id),
        "subject.kind": Name("text", lambda f: f.subject.kind, ("person", "service", "anonymous"), "kind"),
        "subject.org": Name("text", lambda f: f.subject.org, vocabulary.orgs, "org"),
        "subject.roles": Name("texts", vocabulary.closure, vocabulary.roles, "role"),
        "subject.clearance": Name("grade", lambda f: f.subject.clearance, GRADES, "grade"),
        "subject.assurance": Name("number", lambda f: f.subject.assurance),
        "subject.purpose": Name("text", lambda f: f.subject.purpose),
        "subject.auth_age": Name("number", _auth_age),
        "subject.bound": Name("bool", lambda f: f.subject.proof.bound),
        "subject.method": Name("text", lambda f: f.subject.proof.method, _words_of(Proof, "method"), "method"),
    }


def _device(vocabulary: Vocabulary) -> dict[str, Name]:
    return {
        "device.id": Name("text", lambda f: f.posture.device),
        "device.trust": Name("text", lambda f: f.posture.trust, _words_of(Posture, "trust"), "device trust"),
        "device.org": Name("text", lambda f: f.posture.org, vocabulary.orgs, "org"),
        "device.fresh": Name("bool", lambda f: f.posture.fresh),
    }


def _score(facts: Facts) -> float:
    if facts.risk.score is None:
        raise LookupError("the risk is unknown")
    return facts.risk.score


_RISK: dict[str, Name] = {
    "risk.score": Name("number", _score, may_be_unknown=True),
    "risk.band": Name("text", lambda f: f.risk.band, BANDS, "band"),
    "risk.known": Name("bool", lambda f: f.risk.score is not None),
}


def _data(vocabulary: Vocabulary) -> dict[str, Name]:
    return {
        "data.asset": Name("text", lambda f: f.asset.id, vocabulary.assets, "asset"),
        "data.category": Name("text", lambda f: f.asset.category, vocabulary.categories, "category"),
        "data.grade": Name("grade", lambda f: f.asset.grade, GRADES, "grade"),
        "data.owner": Name("text", lambda f: f.asset.owner, vocabulary.orgs, "org"),
        "data.action": Name("text", lambda f: f.asset.action, _words_of(Asset, "action"), "action"),
    }


def _grant(vocabulary: Vocabulary) -> dict[str, Name]:
    return {
        "grant.held": Name("bool", lambda f: bool(f.grant.ids)),
        "grant.ids": Name("texts", lambda f: frozenset(f.grant.ids), vocabulary.grants, "grant"),
        "approval.held": Name("bool", lambda f: f.grant.approved),
    }


def _environment(timezone: str) -> dict[str, Name]:
    wall = _wall_clock(timezone)
    return {
        "env.hour": Name("number", lambda f: wall(int(f.ask.at // 60))[0]),
        "env.time": Name("text", lambda f: wall(int(f.ask.at // 60))[1]),
        "env.weekday": Name("text", lambda f: wall(int(f.ask.at // 60))[2], WEEKDAYS, "weekday"),
        "env.purpose": Name("text", lambda f: f.subject.purpose or f.ask.purpose),  # vouched for before merely stated
        "env.source": Name("text", lambda f: f.ask.source),
        "env.method": Name("text", lambda f: f.ask.method),
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
