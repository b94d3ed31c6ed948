"""Which emergency level is in force, who said so, and when is it over?

A level is part of the revisions; switching it on changes no file. Rules:

1. Two persons: one asks, another confirms within ten minutes. Another is who has another name at the door; on the Unix
   socket that is another uid. One person with a token and an account of this machine is two names: that cannot be seen.
2. The truth is the store: of the confirmed rows the one that has not ended, until its time. Names of revisions only
   follow it. Whoever reads the store (a start, a worker, control) comes to the same answer from one function.
3. No level without an end. Control ends it within a second. A worker knows the end with the level and goes back by
   itself, also while control is away: the return is prepared shortly before and needs no word of anybody. A clock that
   is set moves no end (`Emergency.left`).
4. Ending early needs two persons too, since it lets through again what was stopped.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from math import inf
from typing import Protocol

from msgspec import Struct

from gateway.app.revisions import Compiled, base_of, level_of, named, raised
from gateway.control import Act, Confirmed, DoorFault, EmergencyAsked, EmergencyWish, Recorder, Rejected, Reloaded
from gateway.document import Faulty
from gateway.facts import Notice
from gateway.policy import Damaged
from gateway.stores import CONFIRM_SECONDS, LEVELS, BoardFault, Emergency, Instant, State, StateFault, Way

AHEAD = 2.0  # seconds before its end that a worker prepares the return
RETRY = 1.0  # seconds between two tries of a worker to return
REGAIN = 5.0  # seconds between two tries of control to read what is in force
SHOWN = 20


class InForce(Struct, frozen=True):
    """What decides: the name of the revision, its level, and the seconds until that is over, 0 without a level."""

    name: str
    level: str
    left: float


@contextmanager
def asked_at_the_door() -> Iterator[None]:
    """A store that cannot be used is told to the operator who asked."""
    try:
        yield
    except (StateFault, BoardFault) as fault:
        raise DoorFault("state_unavailable", fault.en, zh=fault.zh) from fault


def in_force(state: State, now: Instant) -> InForce:
    """What decides now, by the store. Raises StateFault."""
    active, row = state.standing()
    level, left = (row.level, row.left(now)) if row is not None and row.holds(now) else ("", 0.0)
    return InForce(named(base_of(active.digest), level) if active is not None else "", level, left)


# --- in a worker ------------------------------------------------------------------------------------


class Judging(Protocol):
    """What a worker judges by; `gateway.app.knowledge.Knowledge` is one."""

    digest: str

    def prepared(self, digest: str) -> bool: ...
    def prepare(self, compiled: Compiled) -> None: ...
    def look_again(self) -> None: ...


class Expiry:
    """The end of the level that a worker judges under."""

    def __init__(self, judging: Judging, recall: Callable[[str], Compiled], notice: Callable[[Notice], None]) -> None:
        self._judging = judging
        self._recall = recall
        self._notice = notice
        self._told = ""
        self._due = 0.0
        self.until = inf
        """When the level is over (`Instant.clock`), as the store said when it was last read."""

    async def look(self, clock: float) -> None:
        """Prepare the return shortly before the end, return at the end; asked ten times a second."""
        if clock < self.until - AHEAD or not level_of(self._judging.digest):
            return
        base = base_of(self._judging.digest)
        if not self._judging.prepared(base):
            await self._prepare(base)
        if clock >= self.until and clock >= self._due:
            self._due = clock + RETRY  # what cannot be read now may be later: the next request looks, then another
            self._judging.look_again()

    async def _prepare(self, base: str) -> None:
        try:
            self._judging.prepare(await asyncio.to_thread(self._recall, base))
        except (Faulty, Damaged, OSError) as fault:
            if self._told != base:
                self._told = base
                self._notice(Notice("policy.unprepared", base[:12], type(fault).__name__))


# --- in control -------------------------------------------------------------------------------------


class Ways(Protocol):
    """How a level comes into force; `gateway.app.releases.Releases` is one."""

    compiled: Compiled
    changing: asyncio.Lock
    lost: bool

    async def regain(self) -> None: ...
    @property
    def level(self) -> str: ...
    @property
    def pinned(self) -> bool: ...
    async def flip(
        self,
        revision: Compiled,
        by: str,
        pinned: bool,
        said_of: str,
        when_ready: Callable[[], bool],
        level: str | None,
        way: Way,
    ) -> Reloaded | Rejected: ...
    def keep(self, target: Compiled, by: str, pinned: bool, way: Way) -> None: ...


class Switch:
    """The switch that two operators turn together."""

    def __init__(
        self,
        releases: Ways,
        state: State,
        longest: float,
        clock: Callable[[], Instant],
        notice: Callable[[Notice], None],
        act: Callable[[Act], None],
        workers: Callable[[], int],
    ) -> None:
        self._releases = releases
        self._state = state
        self._longest = longest
        self._clock = clock
        self._notice = notice
        self._act = act
        self._workers = workers
        self._due = 0.0  # when it is tried again to read what is in force

    async def ask(self, wish: EmergencyWish, by: str) -> EmergencyAsked:
        """Ask for a level, or for the end of the one in force (level "")."""
        now = self._clock().at
        self._check(wish, now)
        until = wish.until if wish.level and wish.until is not None else now + CONFIRM_SECONDS
        with asked_at_the_door():
            row = self._state.ask_emergency(wish.level, wish.reason, by, now, until)
        return EmergencyAsked(row.id, row.level, min(now + CONFIRM_SECONDS, until))

    def _check(self, wish: EmergencyWish, now: float) -> None:
        if not wish.level:
            if not self._releases.level:
                raise DoorFault("conflict", "no emergency level is in force", zh="当前没有生效的应急级别")
            return
        if wish.level not in LEVELS:
            raise DoorFault(
                "bad_request", f"`level` is one of {', '.join(LEVELS)}, or empty", zh=f"`level` 可为 {'、'.join(LEVELS)}，或为空"
            )  # fmt: skip
        if wish.level not in self._releases.compiled.bundle.content.overlays:
            raise DoorFault(
                "conflict",
                f"the active policies have no emergency level {wish.level}",
                zh=f"当前策略没有 {wish.level} 级应急措施",
            )
        if wish.until is None or not now < wish.until <= now + self._longest:
            hours = round(self._longest / 3600, 1)
            raise DoorFault(
                "bad_request",
                f"`until` must be in the future, and at most {hours:g} hours from now",
                zh=f"`until` 须在将来，且不晚于 {hours:g} 小时之后",
            )

    async def asked(self, id: int) -> Emergency | None:
        """What was asked for under this number, None when there is no such number."""
        with asked_at_the_door():
            return self._state.emergency(id)

    async def confirm(self, id: int, by: str, on_record: Recorder) -> Confirmed | Rejected:
        """Confirm as another operator: in force in every worker when this returns.

        Where a level is in force its end, or another in its place, lets through again what it stopped. That is on record
        before it is tried, and is found out when its turn has come: the level may have come while it waited. The first
        level only takes away, and must not depend on the disk.
        """
        row = await self.asked(id)
        if row is None or not row.waits(self._clock().at):
            raise DoorFault("not_found", "nothing waits under this number", zh="该编号下没有等待确认的操作")
        if row.by == by:
            raise DoorFault("second_operator", f"{by} asked for it")
        releases = self._releases
        with asked_at_the_door():
            async with releases.changing:
                await releases.regain()
                if releases.level:
                    await on_record()
                return await self._confirm(row, by)

    async def _confirm(self, row: Emergency, by: str) -> Confirmed | Rejected:
        releases = self._releases
        before = self._standing()
        confirmed: list[Emergency] = []

        def keep() -> bool:
            """The store has the last word: not confirmed meanwhile, not too late, another name."""
            done = self._state.confirm_emergency(row.id, by, self._clock())
            confirmed.extend([done] if done else [])
            return done is not None

        said_of = f"emergency/{row.level}.yaml"
        outcome = await releases.flip(releases.compiled, by, releases.pinned, said_of, keep, row.level, "emergency")
        if isinstance(outcome, Rejected):
            return outcome
        self._tell(before, confirmed[0])
        return Confirmed(row.id, row.level, row.until if row.level else None, self._workers(), outcome.bundle)

    def _standing(self) -> Emergency | None:
        row = self._state.standing_emergency()
        return row if row is not None and row.holds(self._clock()) else None

    def _tell(self, before: Emergency | None, now: Emergency) -> None:
        who = f"asked by {now.by}, confirmed by {now.confirmed_by}"
        if before is not None and before.level != now.level:
            self._notice(Notice("emergency.off", before.level, f"{'replaced' if now.level else 'ended'}: {who}"))
        if now.level:
            self._notice(Notice("emergency.on", now.level, f"{who}, until {_spelled(now.until)}"))

    async def tick(self) -> None:
        """End what is over; bring into force what was confirmed by a control process that died before it could."""
        if self._releases.changing.locked():  # it comes with that change, or with the next tick
            return
        clock = self._clock().clock
        if self._releases.lost and clock < self._due:
            return
        self._due = clock + REGAIN
        try:
            await self._releases.regain()
            row = self._state.standing_emergency()
            await self._follow(row)
        except (StateFault, DoorFault):  # tried again in a moment; workers return by themselves
            return

    async def _follow(self, row: Emergency | None) -> None:
        now = self._clock()
        level = row.level if row is not None and row.holds(now) else ""
        if level != self._releases.level:
            async with self._releases.changing:
                await self._bring(level)
            if row is not None and level:
                self._tell(None, row)
        if row is not None and not row.holds(now) and self._state.end_emergency(row.id, now.at) and row.level:
            self._notice(Notice("emergency.off", row.level, f"expired at {_spelled(row.until)}"))
            self._act(Act("gateway", "system", "emergency.end", f"#{row.id} {row.level}", "expired"))

    async def _bring(self, level: str) -> None:
        """Without waiting for workers: at its end they return by themselves, and the word makes all others look."""
        try:
            target = await asyncio.to_thread(raised, self._releases.compiled, level)
        except Faulty:
            return
        self._releases.keep(target, "gateway", self._releases.pinned, "emergency")

    async def view(self) -> object:
        """The level in force, what waits, and what was."""
        now = self._clock()
        with asked_at_the_door():
            waiting = self._state.waiting_emergencies(now.at)
            rows = self._state.emergencies(SHOWN)
            standing = self._standing()
        return {
            "level": standing.level if standing else "",
            "until": float(round(now.at + standing.left(now))) if standing else None,
            "waiting": waiting,
            "history": [row for row in rows if not row.waits(now.at)],
        }


def _spelled(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
