"""How does a candidate get its share of the callers, and lose it when it does badly?

The control process's part of a pilot: it starts one, changes its share, makes its candidate the active revision, and
ends it. It reads the record anyway, and judges from there. Rules:

1. A pilot compares rules. Catalog, devices and sites must be those of the active revision: who asks for what, from
   which machine, is found out once for both bundles.
2. What an operator is told holds: the store has it and the board says so before the answer. Workers had prepared the
   candidate before the pilot began.
3. A limit that is crossed (`policy.trial`), a worker that cannot ask the candidate, or whose casbin contradicts it, ends
   the pilot at the next tick, without anybody's doing.
4. A pilot stands beside one revision. Another one in force (reload, rollback, emergency level) ends it; workers have let
   go of it with the same flip.
5. What was decided stands. A pilot that ends takes nothing back; the record says of each decision which bundle made it.
6. What was counted is kept by this process only: after a restart the count begins anew, the pilot goes on.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from msgspec import MsgspecError
from msgspec.structs import asdict

from gateway.app import revisions
from gateway.app.candidate import compared
from gateway.app.emergency import asked_at_the_door
from gateway.app.releases import stored, unprepared
from gateway.app.revisions import Compiled
from gateway.app.trials import Running, past, seen_in, shown, wanted
from gateway.audit import Ledger
from gateway.config import Config
from gateway.control import DoorFault, Piloted, PilotLimits, PilotWish, Rejected, Reloaded
from gateway.document import Faulty, did_you_mean
from gateway.entries import NoticeEntry
from gateway.facts import Notice
from gateway.policy import Damaged
from gateway.policy.pilot import Limits, Terms, read_terms
from gateway.policy.trial import Trial
from gateway.stores import Board, Pilot, State, Way
from gateway.telemetry import Story, Told

USUAL_SECONDS = 86_400.0
LONGEST_SECONDS = 90 * 86_400.0
PAST = 10  # ended pilots that are shown
REPORTS = frozenset(("pilot.broken", "pilot.unprepared"))


class Ways(Protocol):
    """How a revision comes into force; `gateway.app.releases.Releases` is one."""

    compiled: Compiled
    changing: asyncio.Lock

    async def prepared(self, name: str) -> bool: ...
    async def flip(
        self, revision: Compiled, by: str, pinned: bool, said_of: str, when_ready: Callable[[], bool], *, way: Way
    ) -> Reloaded | Rejected: ...


class Pilots:
    """Starts, judges and ends pilots. Called from the event loop only."""

    def __init__(self, config: Config, state: State, board: Board, ledger: Ledger, releases: Ways) -> None:
        self._config = config
        self._state = state
        self._board = board
        self._ledger = ledger
        self._releases = releases
        self._running: Running | None = None
        self._looked = False  # whether the store was asked for one that an earlier life started
        self._report = ""

    # --- what operators ask for ---------------------------------------------------------------------

    async def submit(self, wish: PilotWish, by: str) -> Piloted | Rejected:
        """Start the candidate, or change the terms of the pilot that the wish names."""
        async with self._releases.changing:
            await self._look()
            if wish.pilot is None:
                return await self._start(wish, by)
            running = self._named(wish.pilot)
            return self._change(running, wish)

    async def promote(self, by: str, number: int | None = None) -> Reloaded | Rejected:
        """Make the candidate the active revision, pinned, and end the pilot."""
        async with self._releases.changing:
            await self._look()
            running = self._named(number)
            name = running.pilot.digest
            if running.terms.beside != self._releases.compiled.digest:
                raise _not_now("another revision came into force; the pilot ends", "已有其他修订版生效，试点即将结束")
            candidate = await stored(self._config, self._config.state / "bundles" / name)  # as a rollback
            if isinstance(candidate, Rejected):
                return candidate
            outcome = await self._releases.flip(
                candidate, by, True, str(self._folder()), self._does_well, way="promotion"
            )
            if isinstance(outcome, Reloaded):
                self._end(running, by, "promoted")
            return outcome

    def _does_well(self) -> bool:
        """Asked once workers are ready, which takes seconds: what went wrong meanwhile is not promoted."""
        running = self._known()
        crossed = running.trial.crossed(time.time())
        why = self._report or (crossed.text(running.terms.limits) if crossed else "")
        if why:
            raise _not_now(f"the pilot is about to be withdrawn: {why}", f"试点即将撤回：{why}")
        return True

    async def stop(self, by: str) -> object:
        """End the pilot."""
        async with self._releases.changing:
            await self._look()
            running = self._named(None)
            self._end(running, by, "stopped")
            return {"pilot": running.pilot.id, "candidate": running.pilot.digest, "why": "stopped"}

    async def view(self) -> object:
        """The pilot that runs, what it decides otherwise, and those before it."""
        with asked_at_the_door():
            ended = [past(pilot) for pilot in self._state.pilots(PAST + 1) if pilot.ended_at is not None]
        running = self._running
        return {"pilot": None if running is None else await self._shown(running), "past": ended}

    # --- what is seen in the record -----------------------------------------------------------------

    def take(self, stories: Iterable[Story]) -> None:
        """Count what the record tells of the pilot."""
        running = self._running
        if running is None:
            return
        trial = running.trial
        for story in stories:
            if isinstance(story, Told):
                if story.verdict is None:
                    continue
                if story.fresh:
                    trial.decided(story.verdict)
                if story.outcome is not None:
                    trial.ended(story.verdict, story.outcome)
            elif isinstance(story, NoticeEntry) and story.name.startswith("pilot."):
                trial.told(story)
                if story.name in REPORTS and story.at >= running.pilot.at and not self._report:
                    self._report = f"{story.name} {story.journal}: {story.detail}"

    async def tick(self) -> None:
        """End what must be ended."""
        if self._releases.changing.locked() or (self._looked and self._running is None):
            return  # a release is under way: it ends at the next tick
        with contextlib.suppress(DoorFault):  # the store fails: tried again at the next tick
            async with self._releases.changing:
                await self._look()
                self._judge(time.time())

    def _judge(self, now: float) -> None:
        running = self._running
        if running is None:
            return
        if running.terms.beside != self._releases.compiled.digest:
            self._end(running, "gateway", "another revision came into force")
        elif now >= running.terms.until:
            self._end(running, "gateway", "its time is over")
        elif self._report:
            self._roll_back(running, self._report)
        elif crossed := running.trial.crossed(now):
            self._roll_back(running, crossed.text(running.terms.limits))

    def _roll_back(self, running: Running, why: str) -> None:
        self._end(running, "gateway", why, "pilot.rolled_back")
        self._ledger.act("gateway", "system", "pilot.rolled_back", running.pilot.digest, why[:1024])

    # --- starting, changing, ending -------------------------------------------------------------------

    async def _look(self) -> None:
        """Once: take over a pilot that an earlier life of this process started."""
        if self._looked:
            return
        with asked_at_the_door():
            pilot = self._state.pilot()
        if pilot is not None:
            await self._resume(pilot)
        self._looked = True

    async def _resume(self, pilot: Pilot) -> None:
        config = self._config
        try:
            terms = read_terms(pilot.terms)
            candidate = await asyncio.to_thread(revisions.recall, config.state, pilot.digest, config.apis)
        except (Faulty, Damaged, MsgspecError, OSError) as fault:
            with asked_at_the_door():
                self._state.end_pilot(pilot.id, "gateway", time.time(), "its candidate cannot be read any more")
            self._tell()
            name = f"its candidate cannot be read any more: {type(fault).__name__}"
            self._ledger.note(Notice("pilot.ended", pilot.digest[:12], name))
            return
        self._run(pilot, terms, candidate)

    async def _start(self, wish: PilotWish, by: str) -> Piloted | Rejected:
        if self._running is not None:
            number = self._running.pilot.id
            raise _not_now(
                f"pilot {number} is running: stop it, or change its share",
                f"试点 {number} 正在进行：请先停止，或调整其比例",
            )
        folder = self._folder()
        candidate = await stored(self._config, folder)
        if isinstance(candidate, Rejected):
            return candidate
        active, now = self._releases.compiled, time.time()
        if unlike := compared(folder, active, candidate):
            return Rejected((unlike,))
        asked = Terms(active.digest, secrets.token_hex(16), until=now + USUAL_SECONDS)
        terms = self._checked(_changed(asked, wish), active, now)
        revisions.name_candidate(self._config.state, candidate.digest)
        if not await self._releases.prepared(candidate.digest):
            return Rejected((unprepared(str(folder)),))
        revisions.name_candidate(self._config.state, active.digest)  # a worker that starts later reads the store
        with asked_at_the_door():
            pilot = self._state.start_pilot(candidate.digest, terms.text(), by, now)
        self._run(pilot, terms, candidate)
        self._tell()
        self._ledger.note(Notice("pilot.started", pilot.digest[:12], _share(terms)))
        return self._told()

    def _change(self, running: Running, wish: PilotWish) -> Piloted:
        terms = self._checked(_changed(running.terms, wish), self._releases.compiled, time.time())
        with asked_at_the_door():
            pilot = self._state.change_pilot(running.pilot.id, terms.text())
        if pilot is None:
            raise DoorFault("not_found")
        running.trial.limits = terms.limits
        self._running = Running(pilot, terms, running.candidate, running.trial, running.since)
        self._tell()
        self._ledger.note(Notice("pilot.changed", pilot.digest[:12], _share(terms)))
        return self._told()

    def _told(self) -> Piloted:
        running = self._known()
        return Piloted(running.pilot.digest, shown(running, {}))

    def _run(self, pilot: Pilot, terms: Terms, candidate: Compiled) -> None:
        active = self._releases.compiled
        trial = Trial(candidate.bundle.digest, active.bundle.digest, terms.limits, pilot.at)
        self._running = Running(pilot, terms, candidate, trial, time.time())
        self._report = ""

    def _end(self, running: Running, by: str, why: str, name: str = "pilot.ended") -> None:
        """Keep that it is over, tell every worker, then say so."""
        with asked_at_the_door():
            self._state.end_pilot(running.pilot.id, by, time.time(), why)
        self._running, self._report = None, ""
        self._tell()
        self._ledger.note(Notice(name, running.pilot.digest[:12], why))

    def _tell(self) -> None:
        """Let every worker look."""
        with asked_at_the_door():
            self._board.bump("bundle")

    # --- checks ---------------------------------------------------------------------------------------

    def _folder(self) -> Path:
        folder = self._config.candidate
        if folder is None:
            raise _not_now(
                f"no candidate is configured: write `candidate: ./policies.next` into {self._config.file} and restart",
                f"未配置候选策略：请在 {self._config.file} 中写入 `candidate: ./policies.next` 并重启",
            )
        return folder

    def _named(self, number: int | None) -> Running:
        """The pilot that runs, if it is the one that is meant. Raises DoorFault."""
        running = self._running
        if running is None:
            raise DoorFault("not_found", "no pilot is running", zh="没有正在进行的试点")
        if number is not None and number != running.pilot.id:
            raise _not_now(
                f"pilot {running.pilot.id} is running, not {number}",
                f"正在进行的是试点 {running.pilot.id}，而非 {number}",
            )
        return running

    def _known(self) -> Running:
        return self._named(None)

    def _checked(self, terms: Terms, active: Compiled, now: float) -> Terms:
        """The terms, if they can be. Raises DoorFault."""
        offices = active.bundle.content.offices
        for org in terms.orgs:
            if org not in offices:
                en, zh = did_you_mean(org, offices)
                raise _odd(f"no org `{org}`; {en}".rstrip("; "), f"没有名为 `{org}` 的机构；{zh}".rstrip("；"))
        if not now < terms.until <= now + LONGEST_SECONDS:
            raise _odd(
                "a pilot ends within 90 days, and not in the past", "试点须在 90 天内结束，且结束时间不得早于现在"
            )
        return terms

    async def _shown(self, running: Running) -> object:
        """With the decisions in which the differences were seen."""
        return shown(running, await asyncio.to_thread(seen_in, self._config.state / "index.db", wanted(running)))


def _changed(terms: Terms, wish: PilotWish) -> Terms:
    """The terms with what the wish says."""
    limits = asdict(wish.limits or PilotLimits())
    return Terms(
        terms.beside,
        terms.key,
        terms.percent if wish.percent is None else wish.percent,
        terms.orgs if wish.orgs is None else tuple(dict.fromkeys(wish.orgs)),
        Limits(**(asdict(terms.limits) | {name: limit for name, limit in limits.items() if limit is not None})),
        terms.until if wish.until is None else wish.until,
    )


def _share(terms: Terms) -> str:
    return f"{terms.percent:g}% {' '.join(terms.orgs)}".rstrip()


def _odd(en: str, zh: str) -> DoorFault:
    return DoorFault("bad_request", en, zh=zh)


def _not_now(en: str, zh: str) -> DoorFault:
    """Nothing is wrong with what was asked for; what stands now is against it."""
    return DoorFault("conflict", en, zh=zh)
