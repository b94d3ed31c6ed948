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

from msgspec import MsgspecError, Struct

from gateway.app import revisions
from gateway.app.emergency import asked_at_the_door
from gateway.app.releases import signers
from gateway.app.revisions import Compiled
from gateway.audit import Ledger, Unanswerable, query
from gateway.config import Config
from gateway.control import DoorFault, Piloted, PilotLimits, PilotWish, Rejected, Reloaded
from gateway.document import Faulty, FileFault, did_you_mean
from gateway.facts import Notice, NoticeEntry
from gateway.policy import Damaged
from gateway.policy.pilot import Limits, Terms, read_terms
from gateway.policy.trial import Trial
from gateway.stores import Board, Pilot, State, Way
from gateway.telemetry import Story, Told

USUAL_SECONDS = 86_400.0
LONGEST_SECONDS = 90 * 86_400.0
PAST = 10  # ended pilots that are shown
SHOWN = 100  # kinds of differences that are shown, the most frequent first
LOOK_SECONDS = 1.0  # how long one request is searched for in the record
REPORTS = frozenset(("pilot.broken", "pilot.unprepared"))


class Ways(Protocol):
    """How a revision comes into force; `gateway.app.releases.Releases` is one."""

    compiled: Compiled
    changing: asyncio.Lock

    async def prepared(self, name: str) -> bool: ...
    async def flip(
        self, revision: Compiled, by: str, pinned: bool, said_of: str, when_ready: Callable[[], bool], *, way: Way
    ) -> Reloaded | Rejected: ...


class Running(Struct, frozen=True, eq=False):
    """The pilot that runs, as this process knows it."""

    pilot: Pilot
    terms: Terms
    candidate: Compiled
    trial: Trial
    since: float  # when counting began


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
            try:  # as a reload: who must sign may be others since the pilot began
                candidate = await asyncio.to_thread(self._stored_anew, self._config.state / "bundles" / name)
            except Faulty as faulty:
                return Rejected(faulty.faults)
            except OSError as error:
                raise DoorFault("state_unavailable", error.strerror or "the disk failed") from error
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
            past = [pilot for pilot in self._state.pilots(PAST + 1) if pilot.ended_at is not None]
        running = self._running
        return {
            "pilot": None if running is None else self._shown(running, await self._samples(running)),
            "past": [
                {"pilot": one.id, "candidate": one.digest, "by": one.by, "at": one.at, "ended_at": one.ended_at,
                 "ended_by": one.ended_by, "why": one.why}
                for one in past
            ],
        }  # fmt: skip

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
        try:
            candidate = await asyncio.to_thread(self._stored_anew, folder)
        except Faulty as faulty:
            return Rejected(faulty.faults)
        except OSError as error:
            raise DoorFault("state_unavailable", error.strerror or "the disk failed") from error
        active, now = self._releases.compiled, time.time()
        if unlike := compared(folder, active, candidate):
            return Rejected((unlike,))
        asked = Terms(active.digest, secrets.token_hex(16), until=now + USUAL_SECONDS)
        terms = self._checked(_changed(asked, wish), active, now)
        revisions.name_candidate(self._config.state, candidate.digest)
        if not await self._releases.prepared(candidate.digest):
            return Rejected((_unprepared(folder),))
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
        return Piloted(running.pilot.digest, self._shown(running, {}))

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

    def _stored_anew(self, folder: Path) -> Compiled:
        """Compiled, tested, signed, stored. Raises Faulty, OSError."""
        config = self._config
        return revisions.store(config.state, folder, config.apis, time.time(), signers(config))

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

    # --- showing --------------------------------------------------------------------------------------

    def _shown(self, running: Running, decisions: dict[str, str]) -> object:
        terms, trial = running.terms, running.trial
        tried, active = trial.figures(time.time())
        rows = sorted(trial.rows.items(), key=lambda item: -item[1].count)[:SHOWN]
        return {
            "pilot": running.pilot.id, "candidate": running.pilot.digest, "beside": terms.beside,
            "bundle": running.candidate.bundle.digest, "by": running.pilot.by, "at": running.pilot.at,
            "until": terms.until, "percent": terms.percent, "orgs": terms.orgs, "limits": terms.limits,
            "counted_since": running.since, "counted_until": trial.judged_until or None, "judged": trial.judged,
            "differences": [
                {"kind": kind, "api": api, "rules": rules, "count": row.count, "decided": row.decided,
                 "decisions": [decisions[one] for one in row.requests if one in decisions]}
                for (kind, api, rules), row in rows
            ],
            "orgs_differ": [{"org": org, "loses": n["loses"], "gains": n["gains"]} for org, n in trial.orgs.items()],
            "window": {"candidate": tried, "active": active},
        }  # fmt: skip

    async def _samples(self, running: Running) -> dict[str, str]:
        """The decisions in which the shown differences were seen, by request."""
        rows = sorted(running.trial.rows.values(), key=lambda row: -row.count)[:SHOWN]
        wanted = [request for row in rows for request in row.requests]
        return await asyncio.to_thread(_decisions, self._config.state / "index.db", wanted)


def _decisions(index: Path, requests: list[str]) -> dict[str, str]:
    found = {}
    deadline = time.monotonic() + LOOK_SECONDS
    for request in requests:
        with contextlib.suppress(Unanswerable):
            for row in query(index, f'kind:verdict request:"{request}"', 1, seconds=LOOK_SECONDS):
                found[request] = str(row["id"])
        if time.monotonic() > deadline:
            break
    return found


def compared(folder: Path, active: Compiled, candidate: Compiled) -> FileFault | None:
    """Why these two cannot be compared by a pilot; None when they can."""
    if active.bundle.level:
        return _fault(
            folder, "P11A", "an emergency level is in force", "紧急级别正在生效",
            "start the pilot when it has ended", "请在其结束后再开始试点",
        )  # fmt: skip
    if candidate.digest == active.digest:
        return _fault(
            folder, "P11B", "is what is in force already", "与现行策略相同",
            "edit the rules of the candidate first", "请先修改候选策略的规则",
        )  # fmt: skip
    same = (
        ("catalog", active.catalog.digest == candidate.catalog.digest),
        ("devices.yaml", active.register == candidate.register),
        ("sites.yaml", active.sites == candidate.sites),
    )
    for name, alike in same:
        if not alike:
            return _fault(
                folder / name, "P11C", "differs from what is in force; a pilot compares rules",
                "与现行内容不同；试点只比较规则", "bring this change into force first: `gateway reload`",
                "请先用 `gateway reload` 使该改动生效",
            )  # fmt: skip
    return None


def _fault(place: Path, code: str, en: str, zh: str, remedy_en: str, remedy_zh: str) -> FileFault:
    return FileFault(str(place), 1, 1, code, en, zh, remedy_en, remedy_zh)


def _unprepared(folder: Path) -> FileFault:
    return FileFault(
        str(folder), 1, 1, "P097", "not every worker could prepare it in time", "并非所有工作进程都能及时准备好",
        "look at the notices `policy.unprepared`, then try again", "请查看 `policy.unprepared` 通知后重试",
    )  # fmt: skip


def _changed(terms: Terms, wish: PilotWish) -> Terms:
    """The terms with what the wish says."""
    limits = wish.limits or PilotLimits()
    old = terms.limits
    return Terms(
        terms.beside,
        terms.key,
        terms.percent if wish.percent is None else wish.percent,
        terms.orgs if wish.orgs is None else tuple(dict.fromkeys(wish.orgs)),
        Limits(
            old.deny if limits.deny is None else limits.deny,
            old.errors if limits.errors is None else limits.errors,
            old.p99 if limits.p99 is None else limits.p99,
            old.gain if limits.gain is None else limits.gain,
        ),
        terms.until if wish.until is None else wish.until,
    )


def _share(terms: Terms) -> str:
    return f"{terms.percent:g}% {' '.join(terms.orgs)}".rstrip()


def _odd(en: str, zh: str) -> DoorFault:
    return DoorFault("bad_request", en, zh=zh)


def _not_now(en: str, zh: str) -> DoorFault:
    """Nothing is wrong with what was asked for; what stands now is against it."""
    return DoorFault("conflict", en, zh=zh)
