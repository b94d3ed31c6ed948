"""What is remembered of whom, and how is it kept small?

Windows and profiles. Rules:

1. Whatever is kept is a function of the entries and not of the order in which they came: counts in
   buckets, latest times, largest contributions. Workers that heard the same entries agree.
2. Everything has a bound: the things one identity can make us keep, and the identities of a table.
   Tables do not share their bound, so that inventing sources evicts no user.
3. When a table is full, the longest unheard goes; those with points on them go after the others:
   an attacker does not wash off a score by making noise.
"""

from array import array
from collections.abc import Callable
from itertools import islice
from typing import Generic, Protocol, TypeVar

from gateway.behaviour.hours import HOURS
from gateway.behaviour.risk import Given, Live, entity
from gateway.behaviour.signals import SIGNALS, decayed
from gateway.facts import Signal

LATEST = 20  # devices and sites of a user: Okta keeps 20 as well
PLACES = 4  # of a session
OBJECTS = 64
FAINT = 0.5  # points below which a contribution is forgotten
_SPARED = 8
_FEW = 4  # below this, what is over is not worth looking for


class Buckets:
    """Amounts by slices of time: a ring of the latest slices, a fifth of the memory of a dict of them."""

    __slots__ = ("_amounts", "_newest")

    def __init__(self) -> None:
        self._amounts: array[float] | None = None
        self._newest = 0

    def add(self, at: float, amount: float, width: float, count: int) -> None:
        """Add an amount to its slice of `width` seconds; only the latest `count` slices stay."""
        slice = int(at // width)
        amounts = self._amounts
        if amounts is None:
            amounts = self._amounts = array("d", bytes(8 * count))
            self._newest = slice
        ahead = slice - self._newest
        if ahead > 0:
            for between in range(min(ahead, count)):
                amounts[(slice - between) % count] = 0.0
            self._newest = slice
        elif ahead <= -count:
            return  # of a time that is forgotten
        amounts[slice % count] += amount

    def total(self, at: float, width: float, count: int) -> float:
        """The sum of the latest `count` slices."""
        amounts = self._amounts
        if amounts is None:
            return 0.0
        past = int(at // width) - self._newest
        if past <= 0:
            return sum(amounts)
        return sum([amounts[(self._newest - back) % count] for back in range(count - past)])


class Distinct:
    """Different things with the time each was last seen; at most `most` of them."""

    __slots__ = ("_due", "_seen")

    def __init__(self) -> None:
        self._seen: dict[int, float] | None = None
        self._due = _FEW  # how many there may be before looking for what is over

    def add(self, thing: str, at: float, span: float, most: int) -> None:
        """See a thing. What is older than `span` before the newest goes first, then the oldest."""
        seen = self._seen
        if seen is None:
            seen = self._seen = {}
        mark = hash(thing)
        if at > seen.get(mark, -1.0):
            seen[mark] = at
        if len(seen) > self._due:
            newest = max(seen.values())
            for old in [one for one, when in seen.items() if when <= newest - span]:
                del seen[old]
            if len(seen) > most:
                del seen[min(seen, key=seen.__getitem__)]
            self._due = min(most, max(_FEW, 2 * len(seen)))

    def count(self, at: float, span: float, least: float = 0.0) -> int:
        """How many different things in the last `span` seconds; 0 when there are not even `least`."""
        if not self._seen or len(self._seen) < least:
            return 0
        since = at - span
        count = 0
        for when in self._seen.values():
            if when > since:
                count += 1
        return count


class Contributions:
    """Points that were given, by signal: the largest as of now stays."""

    __slots__ = ("_left", "_second", "given")

    def __init__(self) -> None:
        self.given: dict[str, Given] | None = None
        self._left: list[Signal] = []  # what is left of them in this second
        self._second = -1.0

    def signals(self, live: Live | None, at: float) -> list[Signal]:
        """The signals now, with those that this request shows."""
        if live:
            return entity(self.given, live, at)
        if self._second != at // 1.0:
            self._left, self._second = entity(self.given, None, at), at // 1.0
        return self._left

    def give(self, name: str, points: float, at: float, evidence: str) -> None:
        """Keep these points unless what is left of earlier (or later) ones is more."""
        given = self.given
        if given is None:
            given = self.given = {}
        old, new = given.get(name), (points, at, evidence)
        if old is None or _rank(name, new, old[1]) >= _rank(name, old, at):
            given[name] = new
        for faint in [one for one, it in given.items() if _rank(one, it, at)[0] < FAINT]:
            del given[faint]
        self._second = -1.0


def _rank(name: str, given: Given, at: float) -> tuple[float, float, str]:
    """What is left of it at the later of its time and this, then a full order: arrival must not matter."""
    points, since, evidence = given
    return decayed(points, at - since, SIGNALS[name].half_life), since, evidence


def keep_latest(latest: dict[str, float], name: str, at: float, most: int) -> None:
    """Note when this was last seen; beyond `most`, the longest unseen goes."""
    if at > latest.get(name, -1.0):
        latest[name] = at
        if len(latest) > most:
            del latest[min(latest, key=latest.__getitem__)]


class Windows:
    """What is counted of a user, or of a source that nobody has identified."""

    __slots__ = ("denied", "objects", "volume")

    def __init__(self) -> None:
        self.denied = Buckets()
        self.objects = Distinct()
        self.volume = Buckets()


class User:
    """One subject: what it usually does, and what it does now."""

    __slots__ = ("band", "band_at", "contributions", "core", "devices", "events", "hours", "sites", "windows")

    def __init__(self) -> None:
        self.contributions = Contributions()
        self.windows = Windows()
        self.band, self.band_at = "normal", 0.0
        self.events = 0  # allowed ones, from which it learned
        self.core = False  # has been allowed to core data before
        self.devices: dict[str, float] = {}
        self.sites: dict[str, float] = {}
        self.hours = array("H", bytes(2 * HOURS))


class Session:
    """One session, or one token where there is no session."""

    __slots__ = ("contributions", "sites")

    def __init__(self) -> None:
        self.contributions = Contributions()
        self.sites: dict[str, float] = {}


class Machine:
    """One device."""

    __slots__ = ("contributions",)

    def __init__(self) -> None:
        self.contributions = Contributions()


class Source:
    """One address: the credentials that failed from it, and what came without any."""

    __slots__ = ("band", "band_at", "contributions", "failed", "people", "tokens", "windows")

    def __init__(self) -> None:
        self.contributions = Contributions()
        self.windows = Windows()
        self.band, self.band_at = "normal", 0.0
        self.failed = Buckets()
        self.people = Distinct()
        self.tokens = Distinct()


class HasContributions(Protocol):
    """Anything that points can be put on."""

    contributions: Contributions


Kept = TypeVar("Kept", bound=HasContributions)


class Table(Generic[Kept]):
    """Identities of one kind, at most so many."""

    def __init__(self, make: Callable[[], Kept], most: int) -> None:
        self._make = make
        self._most = most
        self._rows: dict[str, Kept] = {}
        self.get = self._rows.get

    def __len__(self) -> int:
        return len(self._rows)

    def touch(self, key: str) -> Kept:
        """The row of this key, now the most recently heard."""
        row = self._rows.pop(key, None)
        if row is None:
            row = self._make()
            if len(self._rows) >= self._most:
                self._evict()
        self._rows[key] = row
        return row

    def clear(self) -> None:
        """Forget all."""
        self._rows.clear()

    def _evict(self) -> None:
        oldest = list(islice(self._rows, _SPARED))
        calm = (key for key in oldest if not self._rows[key].contributions.given)
        del self._rows[next(calm, oldest[0])]


class Heard:
    """Which entries of each journal were learned already: duplicates count once.

    The sliding window of RFC 4303 section 3.4.3: in any order within it, what is older is taken for heard.
    """

    SPAN = 512
    JOURNALS = 1024

    def __init__(self) -> None:
        self._journals: dict[str, tuple[int, int]] = {}  # highest seq, bits of those below it

    def first(self, journal: str, seq: int) -> bool:
        """Whether this entry is heard for the first time; from now on it is not."""
        known = self._journals.get(journal)
        if known is None:
            if len(self._journals) >= self.JOURNALS:
                del self._journals[next(iter(self._journals))]
            known = _NOTHING
        highest, bits = known
        ahead = seq - highest
        if ahead > 0:
            self._journals[journal] = (seq, (bits << ahead | 1) & _MASK if ahead < self.SPAN else 1)
            return True
        if -ahead >= self.SPAN or bits >> -ahead & 1:
            return False
        self._journals[journal] = (highest, bits | 1 << -ahead)
        return True

    def clear(self) -> None:
        """Forget all."""
        self._journals.clear()


_MASK = (1 << Heard.SPAN) - 1
_NOTHING = (-1, 0)
