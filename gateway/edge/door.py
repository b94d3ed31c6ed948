"""Who may come in, for how long may they wait, and who was turned away?

One door per worker, shared by its connections. Rules:

1. Connections and requests under way are bounded; what is above is told so at once and cheaply. The
   line in front of the processor is bounded by itself: long for a moment's rush, short when it stands.
2. No address takes all connections (slowloris from one host). When all are taken, or all of an address,
   one that waits for its next request, sends its head too slowly, or does not hang up gives way to the
   newcomer: who holds many and asks nothing keeps nobody out, from however many addresses, and not even
   those who share one with it.
3. One sweep looks at all deadlines a few times a second: no timer and no clock reading per request.
   A deadline is never early, and late by two sweeps at most.
4. Who is turned away is counted by source and reason, and told once a second at most: a flood of
   bad requests makes few notices. The table is bounded; what does not fit is counted together.
"""

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import Protocol

from gateway.edge.backlog import Backlog
from gateway.edge.proxies import is_trusted
from gateway.edge.settings import Settings
from gateway.facts import Notice

SWEEP_MAX = 0.5
TELL_EVERY = 1.0
TALLY_MAX = 1024
RUSH = 128  # requests that may stand in line for the processor: 12 ms of work
LINE = 64  # the same when the line does not empty any more: who is let in then is answered soon
PATIENCE = 0.1  # seconds of a standing line before it is kept short
EASE = 0.05  # seconds without a line of that length after which the next is a new one
OTHERS = "(others)"
LOOK = 32  # guests that are asked to give way before a newcomer is turned away


class Gauges(Protocol):
    """Where the worker's figures of the moment are read."""

    connections: int
    in_flight: int
    queued: int  # of those, the ones that stand in line: nobody has looked at them yet


class Guest(Protocol):
    """A connection as the door sees it; deadlines on the loop's clock."""

    deadline: float
    write_deadline: float

    def overdue(self, now: float) -> None:
        """One of the deadlines has passed."""

    def cut_off(self) -> None:
        """Others need the memory that an answer takes which this one reads too slowly."""

    def give_way(self) -> bool:
        """Close when nothing is under way that comes on; False when something is."""


class Tally:
    """Counts equal events and tells them together."""

    __slots__ = ("_counts", "_notice")

    def __init__(self, notice: Callable[[Notice], None]) -> None:
        self._notice = notice
        self._counts: dict[tuple[str, str, str], int] = {}

    def __bool__(self) -> bool:
        return bool(self._counts)

    def add(self, name: str, subject: str, detail: str) -> None:
        """Count one event, `edge.refused` or `edge.shed`."""
        key = (name, subject, detail)
        if key not in self._counts and len(self._counts) >= TALLY_MAX:
            key = (name, OTHERS, detail)  # names and details are few: this adds a handful at most
        self._counts[key] = self._counts.get(key, 0) + 1

    def tell(self) -> None:
        """Hand over what was counted, one notice for each kind."""
        counts, self._counts = self._counts, {}
        for (name, subject, detail), count in counts.items():
            self._notice(Notice(name, subject, detail, count))


class Door:
    """The limits of one worker, and the guests they hold for."""

    def __init__(self, settings: Settings, notice: Callable[[Notice], None], gauges: Gauges) -> None:
        self.settings = settings
        self.limits = settings.limits
        self.gauges = gauges
        self.tally = Tally(notice)
        self.backlog: Backlog[Guest] = Backlog(self.limits.held_bytes)
        self.now = 0.0
        self.common: tuple[list[tuple[bytes, bytes]] | None, bytes] = (None, b"")  # headers of every answer, prepared
        self.sweep = _sweep_seconds(settings)
        self.keep_alive = self.limits.keep_alive_seconds + self.sweep
        self._guests: dict[Guest, str] = {}  # each with its address, the longest unasked first
        self._from: dict[str, dict[Guest, str]] = {}  # the same by address
        self._timer: asyncio.TimerHandle | None = None
        self._told_at = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._line_since = self._line_seen = 0.0

    def enter(self, guest: Guest, loop: asyncio.AbstractEventLoop, address: str) -> str:
        """Let a connection in: "", or what it is one too many of (it must still leave)."""
        self._loop = loop
        self.now = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self.sweep, self._sweep)
        neighbours = self._from.setdefault(address, {})
        self._guests[guest] = neighbours[guest] = address
        self.gauges.connections += 1
        crowd = len(neighbours) > self.limits.connections_per_address and not is_trusted(address, self.settings)
        if crowd and not _room_is_made(neighbours):
            return "address"
        return "" if len(self._guests) <= self.limits.connections or _room_is_made(self._guests) else "connections"

    def leave(self, guest: Guest) -> None:
        """A connection is closed."""
        address = self._guests.pop(guest)
        neighbours = self._from[address]
        del neighbours[guest]
        if not neighbours:
            del self._from[address]
        self.gauges.connections -= 1

    def crowded(self) -> bool:
        """Whether so many wait to be turned away that only cutting them off is left."""
        return len(self._guests) > self.limits.connections * 5 // 4 + 16

    def after(self, seconds: float) -> float:
        """The deadline that is `seconds` away, never sooner though `now` may be a sweep old."""
        return self.now + seconds + self.sweep

    def full(self) -> bool:
        """Whether one more request in work would be too many."""
        gauges = self.gauges
        if gauges.in_flight >= self.limits.in_flight:
            return True
        return gauges.queued >= LINE and (gauges.queued >= RUSH or self._line_stands())

    def _line_stands(self) -> bool:
        """Whether there has been a line for so long that it is no rush any more (Nichols, Jacobson: CoDel)."""
        now = self._loop.time() if self._loop is not None else self.now
        if now - self._line_seen > EASE:
            self._line_since = now
        self._line_seen = now
        return now - self._line_since > PATIENCE

    def stop(self) -> None:
        """Sweep no more; what was counted is told."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.tally.tell()

    def _sweep(self) -> None:
        loop = self._loop
        if loop is None:
            return
        now = self.now = loop.time()
        late = [guest for guest in self._guests if guest.deadline <= now or guest.write_deadline <= now]
        for guest in late:
            guest.overdue(now)
        for guest in self.backlog.slowest(now):
            self.backlog.end(guest)
            guest.cut_off()
        if self.tally and now - self._told_at >= TELL_EVERY:
            self._told_at = now
            self.tally.tell()
        again = self._guests or self.tally
        self._timer = loop.call_later(self.sweep, self._sweep) if again else None


def _room_is_made(guests: dict[Guest, str]) -> bool:
    """Whether one of these leaves for a newcomer, who stands last among them."""
    others = min(LOOK, len(guests) - 1)
    for guest in list(islice(guests, others)):
        if guest.give_way():
            return True
        guests[guest] = guests.pop(guest)  # to the end: next time others are asked
    return False


def _sweep_seconds(settings: Settings) -> float:
    limits = settings.limits
    shortest = min(
        limits.header_seconds,
        limits.body_idle_seconds,
        limits.body_seconds,
        limits.keep_alive_seconds,
        limits.write_idle_seconds,
    )
    return min(SWEEP_MAX, shortest / 4)
