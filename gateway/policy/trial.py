"""Does the candidate keep its limits?

Counts what the record tells of a pilot: decisions by the candidate and by the active bundle side by side, what went
wrong, and what the two decided differently. Rules:

1. Denials and gains are held against what the active bundle says about the very same requests (each worker asks both),
   never against other callers: a department that is refused much anyway withdraws no candidate.
2. Errors and slow answers are held against the active bundle's at the same time: with a service that is down both
   fail. Above the limit, and where the active bundle is above it too, above that by the limit once more.
3. At least 200 decisions of the last five minutes are reckoned with. When the ones already known are too many for 200,
   nothing the rest could do would mend it, so the limit is crossed before they are made.
4. What was decided before the pilot began counts for nothing, also when the bundle is the same.
"""

from collections import Counter
from typing import Literal

from msgspec import Struct

from gateway.entries import NoticeEntry, OutcomeEntry, VerdictEntry
from gateway.policy.pilot import Difference, Limits, Seen, seen

SLOT = 10  # seconds that are counted together
WINDOW = 300  # seconds that are looked back
ENOUGH = 200
SLOW = 0.01  # what a 99th percentile leaves
SAMPLES = 5
ROWS = 500
LOSES = frozenset(("would_deny", "would_challenge", "would_hide"))
COUNTED: dict[Difference, str] = {
    "would_deny": "denied", "would_challenge": "denied", "would_permit": "gained", "would_show": "gained"
}  # fmt: skip
"""Which figure a difference counts for when the candidate's word was the one that counted."""

Limit = Literal["deny", "gain", "errors", "p99"]


class Figures(Struct, frozen=True):
    """What was counted in the window for one of the two bundles.

    `denied` is what the other would have permitted, `gained` what it would have refused, or hidden.
    """

    decisions: int = 0
    denied: int = 0
    gained: int = 0
    errors: int = 0
    answers: int = 0
    slow: int = 0


class Crossed(Struct, frozen=True):
    """A limit that was crossed: which, how many of how many, and how it is with the active bundle."""

    limit: Limit
    count: int
    of: int
    allowed: float
    beside: float

    def text(self, limits: Limits) -> str:
        """In one line for the record."""
        what = {
            "deny": "refused what the active bundle permits",
            "gain": "permitted or showed what the active bundle does not",
            "errors": "ended in errors",
            "p99": f"took longer than {limits.p99 * 1000:g} ms",
        }[self.limit]
        beside = f"; beside it {self.beside:.2%}" if self.limit in ("errors", "p99") else ""
        return f"{self.limit}: {self.count} of {self.of} {what}, allowed {self.allowed:.2%}{beside}"


class Row(Struct):
    """Like differences: how many, how many of them by the candidate's own decisions, and requests that show them."""

    count: int = 0
    decided: int = 0
    requests: list[str] = []


class Population:
    """What one bundle did, in slots of time."""

    def __init__(self) -> None:
        self._slots: dict[int, Counter[str]] = {}

    def add(self, at: float, what: str, count: int = 1) -> None:
        """Count something that happened at this time; only the newest slots are kept."""
        number = int(at // SLOT)
        slot = self._slots.get(number)
        if slot is None:
            if len(self._slots) > WINDOW // SLOT:
                del self._slots[min(self._slots)]
            slot = self._slots[number] = Counter()
        slot[what] += count

    def figures(self, now: float) -> Figures:
        """The last five minutes."""
        since = (now - WINDOW) // SLOT
        total = sum((slot for number, slot in self._slots.items() if number > since), Counter[str]())
        return Figures(**total)


class Trial:
    """What is known of one pilot. `began` in seconds since 1970; both bundles by their digests."""

    def __init__(self, candidate: str, active: str, limits: Limits, began: float) -> None:
        self.limits = limits
        self._candidate, self._active, self._began = candidate, active, began
        self._populations = {candidate: Population(), active: Population()}
        self.judged: Counter[str] = Counter()
        self.judged_until = 0.0
        """When a worker last told what it asked the candidate; decisions and outcomes are known sooner."""
        self.rows: dict[tuple[str, str, tuple[str, ...]], Row] = {}
        self.orgs: dict[str, Counter[str]] = {}

    def decided(self, verdict: VerdictEntry) -> None:
        """Take in a decision."""
        population = self._populations.get(verdict.bundle)
        if population is None or verdict.at < self._began:
            return
        population.add(verdict.at, "decisions")
        if any(reason.code == "policy_error" for reason in (*verdict.reasons, *verdict.would_reasons)):
            population.add(verdict.at, "errors")

    def ended(self, verdict: VerdictEntry, outcome: OutcomeEntry) -> None:
        """Take in how a permitted request ended."""
        population = self._populations.get(verdict.bundle)
        if population is None or verdict.at < self._began:
            return
        if failed(outcome):
            population.add(outcome.at, "errors")
        if outcome.complete:  # what broke off says nothing about how long it takes
            population.add(outcome.at, "answers")
            if outcome.took > self.limits.p99:
                population.add(outcome.at, "slow")

    def told(self, notice: NoticeEntry) -> None:
        """Take in what a worker counted."""
        if notice.at < self._began:
            return
        if notice.name == "pilot.judged":
            self.judged[notice.subject] += notice.count
            self.judged_until = max(self.judged_until, notice.at)
            return
        found = seen(notice.name, notice.subject, notice.detail)
        if found is not None:
            self._differed(found, notice)

    def _differed(self, found: Seen, notice: NoticeEntry) -> None:
        key = (found.kind, found.api, found.rules)
        if key not in self.rows and len(self.rows) >= ROWS:
            key = (found.kind, "_other", ())
        row = self.rows.setdefault(key, Row(requests=[]))
        row.count += notice.count
        if found.decided:
            row.decided += notice.count
            if found.kind in COUNTED:
                self._populations[self._candidate].add(notice.at, COUNTED[found.kind], notice.count)
        if found.request and len(row.requests) < SAMPLES:
            row.requests.append(found.request)
        self.orgs.setdefault(found.org, Counter())["loses" if found.kind in LOSES else "gains"] += notice.count

    def figures(self, now: float) -> tuple[Figures, Figures]:
        """The last five minutes of the candidate and of the active bundle."""
        return self._populations[self._candidate].figures(now), self._populations[self._active].figures(now)

    def crossed(self, now: float) -> Crossed | None:
        """The first limit that the candidate has crossed."""
        tried, active = self.figures(now)
        limits = self.limits
        asked: tuple[tuple[Limit, int, int, float, float], ...] = (
            ("deny", tried.denied, tried.decisions, limits.deny, 0.0),
            ("gain", tried.gained, tried.decisions, limits.gain, 0.0),
            ("errors", tried.errors, tried.decisions, limits.errors, _rate(active.errors, active.decisions)),
            ("p99", tried.slow, tried.answers, SLOW, _rate(active.slow, active.answers)),
        )
        for limit, count, of, allowed, beside in asked:
            if exceeds(count, of, allowed, beside):
                return Crossed(limit, count, of, allowed, beside)
        return None


def exceeds(count: int, of: int, allowed: float, beside: float = 0.0) -> bool:
    """Whether so many are too many (rules 2 and 3)."""
    rate = count / max(of, ENOUGH)
    return rate > allowed and (beside <= allowed or rate > beside + allowed)


def _rate(count: int, of: int) -> float:
    return count / of if of >= ENOUGH else 0.0  # of few nothing can be said


def failed(outcome: OutcomeEntry) -> bool:
    """Whether the gateway itself failed: not the service behind it, and not the caller who left."""
    return outcome.status >= 500 and bool(outcome.code) and not outcome.code.startswith("upstream_")
