"""What does the record say of data: what is asked for that nobody listed, what is answered that nobody labelled, who reads what?

Counts decisions and their outcomes. Rules:

1. Names of fields, routes and offices are counted, and people by how many they are; no value is on record, and none comes here.
2. What a stranger can make up (paths that nobody listed) is kept for `MAX_PATHS` of them; the rest is counted together.
3. A permit whose outcome is missing was asked for and answered nothing that is known.
4. What nobody had labelled when it was answered, and somebody has since, counts no more.
"""

from typing import Final

from msgspec import Struct, field

from gateway.entries import Entry, OutcomeEntry, VerdictEntry
from gateway.inventory.known import Known

MAX_PATHS: Final = 10_000


class Seen(Struct):
    """How often, from when to when (seconds since 1970)."""

    times: int = 0
    first: float = 0.0
    last: float = 0.0

    def add(self, at: float) -> None:
        """Count one more."""
        self.first = min(self.first, at) if self.times else at
        self.last = max(self.last, at)
        self.times += 1


class Route(Struct):
    """What was answered on one route."""

    asset: str
    asked: Seen = field(default_factory=Seen)
    denied: int = 0
    answers: int = 0
    records: int = 0
    masked: int = 0  # values
    clear: int = 0  # labelled values
    residual: int = 0  # answers that the second look stopped
    incomplete: int = 0  # answers with fields that nobody labelled
    unlabelled: dict[str, Seen] = {}


class Reads(Struct):
    """What an office was shown of one grade."""

    answers: int = 0
    records: int = 0
    masked: int = 0
    clear: int = 0
    people: set[str] = field(default_factory=set)


class _Waiting(Struct, frozen=True):
    """A permit whose outcome is still to come."""

    route: tuple[str, str]
    reads: tuple[str, str]
    person: str


class Usage(Struct):
    """What was counted so far; `known`: the ledger of today."""

    known: Known = field(default_factory=Known)
    entries: int = 0
    unlisted: dict[tuple[str, str], Seen] = {}  # (API, method and path)
    beyond: int = 0  # requests for further paths that nobody listed
    routes: dict[tuple[str, str], Route] = {}  # (API, route)
    reads: dict[tuple[str, str], Reads] = {}  # (office, grade)
    waiting: dict[str, _Waiting] = {}  # by decision id

    def add(self, entry: Entry) -> None:
        """Count an entry, in the order of the record."""
        self.entries += 1
        if isinstance(entry, VerdictEntry):
            self._verdict(entry)
        elif isinstance(entry, OutcomeEntry):
            self._outcome(entry)

    def _verdict(self, entry: VerdictEntry) -> None:
        if not entry.asset:
            self._unlisted(entry)
            return
        key = (entry.api, entry.route)
        route = self.routes.get(key)
        if route is None:
            route = self.routes[key] = Route(entry.asset)
        route.asked.add(entry.at)
        if entry.outcome == "permit":
            reads = (entry.subject.org, entry.grade)
            self.waiting[f"{entry.journal}.{entry.seq}"] = _Waiting(key, reads, entry.subject.id)
        else:
            route.denied += 1

    def _unlisted(self, entry: VerdictEntry) -> None:
        path = "…" if entry.path == entry.route else entry.path  # it may name a person: the record has no path
        key = (entry.api, f"{entry.method} {path}")
        seen = self.unlisted.get(key)
        if seen is None:
            if len(self.unlisted) >= MAX_PATHS:  # a scanner asks for a million paths to fill our memory
                self.beyond += 1
                return
            seen = self.unlisted[key] = Seen()
        seen.add(entry.at)

    def _outcome(self, entry: OutcomeEntry) -> None:
        waiting = self.waiting.pop(entry.verdict, None)
        if waiting is None:  # its permit lies before what is read
            return
        masked = sum(count for _, count in entry.masked)
        route = self.routes[waiting.route]
        route.answers += 1
        route.records += entry.records
        route.masked += masked
        route.clear += entry.clear
        route.residual += bool(entry.residual)
        unlabelled = [path for path in entry.unlabelled if not self.known.labels(route.asset, path)]
        route.incomplete += bool(unlabelled)
        for path in unlabelled:
            route.unlabelled.setdefault(path, Seen()).add(entry.at)
        reads = self.reads.setdefault(waiting.reads, Reads())
        reads.answers += 1
        reads.records += entry.records
        reads.masked += masked
        reads.clear += entry.clear
        reads.people.add(waiting.person)

    def of_asset(self, asset: str) -> list[Route]:
        """The routes of an asset that were asked for."""
        return [route for route in self.routes.values() if route.asset == asset]
