"""Which revision is in force, which was before, and how does one follow the other?

Reload, rollback, promotion and emergency levels all go one way: what is meant to decide is compiled and stored, every
worker prepares it, it is kept as active, and all flip. Rules:

1. One change at a time. What cannot be prepared by every worker changes nothing.
2. What was chosen by name (a rollback, a promotion) is pinned: the policy folder does not replace it, nor does a
   restart. Only a reload that somebody asks for follows the folder again.
3. A rollback goes through the same gate as a reload: the stored folder is compiled, its tests run and its signatures
   are checked again. It goes only to what was in force before: a draft that never was is no way back. Without a digest
   it goes one step back, once: what came back itself may have left something bad, and the one before it is just that.
4. While an emergency level is in force every change keeps it, with its rules, its mask and whom and what they meet: it took
   two operators, so one cannot end it by a reload of policies in which it stops less.
5. Which revision is active stands in the store alone; a control process that died and came back reads it there. If it
   cannot be read, nothing is built upon what was active at the start: an emergency level would bring that back.
"""

import asyncio
import time
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

from msgspec import Struct

from gateway.app import revisions, softening
from gateway.app.emergency import asked_at_the_door, in_force
from gateway.app.revisions import Compiled, base_of, level_of, raised
from gateway.app.signatures import Signers
from gateway.config import Config
from gateway.control import DoorFault, Rejected, Reloaded
from gateway.document import Faulty, FileFault
from gateway.facts import Notice
from gateway.policy import Damaged
from gateway.stores import Activation, Board, State, StateFault, Way, instant

PREPARE_SECONDS = 20.0
POLL_SECONDS = 0.02
HISTORY = 1000  # activations that a rollback looks through
SHOWN = 50
CANDIDATES = 5  # revisions that are named when a digest is needed
DIGITS = 8  # of a digest that name a revision, at least


class Release(Struct, frozen=True):
    """An activation as operators see it; `stored` tells whether it can still be gone back to."""

    digest: str
    by: str
    at: float
    pinned: bool
    stored: bool
    way: Way = ""


class Releases:
    """The active revision and the ways to another one. Methods that change something may raise DoorFault."""

    def __init__(
        self, config: Config, start: Compiled, board: Board, state: State, notice: Callable[[Notice], None]
    ) -> None:
        self._config = config
        self._board = board
        self._state = state
        self._notice = notice
        self.changing = asyncio.Lock()
        """Held while a change is under way."""
        known = _current(config, start, state)
        self.lost = known is None
        """Whether what is in force could not be read when this process began; `compiled` is what was at the start then."""
        self.compiled = known or start
        """What is in force, with the emergency level."""
        self.since = 0.0
        """When it came into force, 0.0 for before this process began."""
        self._start = start

    @property
    def level(self) -> str:
        """The emergency level in force, "" for none."""
        return level_of(self.compiled.digest)

    @property
    def pinned(self) -> bool:
        """Whether the active revision was chosen by name. Raises StateFault."""
        latest = self._state.activations(1)
        return bool(latest) and latest[0].pinned

    async def regain(self) -> None:
        """Know what is in force, if that could not be read before. Raises DoorFault."""
        if not self.lost:
            return
        before = self.compiled
        known = await asyncio.to_thread(_current, self._config, self._start, self._state)
        if self.compiled is not before:  # another revision came into force meanwhile
            return
        if known is None:
            raise DoorFault(
                "state_unavailable",
                "the revision in force cannot be read: restore it, reload, or roll back",
                zh="无法读取生效中的修订版：请恢复它，或重新加载，或回退",
            )
        self.compiled, self.lost = known, False

    # --- ways to another revision -----------------------------------------------------------------

    async def reload(self, by: str) -> Reloaded | Rejected:
        """Follow the policy folder, from now on too."""
        async with self.changing:
            return await self._from_folder(self._config.policies, by, "reload")

    async def follow(self, by: str) -> Reloaded | Rejected | None:
        """The folder changed and nobody asked: follow it, unless something else was chosen by name (None)."""
        async with self.changing:  # asked for inside: a rollback that is under way must not be undone by a saved file
            with asked_at_the_door():
                pinned = self.pinned
            if pinned:
                self._notice(Notice("policy.pinned", self.compiled.digest, "the policy folder is not followed"))
                return None
            return await self._from_folder(self._config.policies, by, "reload")

    async def rollback(self, to: str, by: str) -> Reloaded | Rejected:
        """Go back to what was in force before: a digest or its beginning, "" for the one before this if that is no way forth."""
        async with self.changing:
            with asked_at_the_door():
                base = _meant(to, self._state.activations(HISTORY))
            place = revisions.stored(self._config.state, base)
            if place is None:
                raise DoorFault(
                    "not_found", f"{base[:12]} is no longer stored", target=base, zh=f"{base[:12]} 已不再保存"
                )
            return await self._from_folder(place, by, "rollback")

    async def _from_folder(self, folder: Path, by: str, way: Way) -> Reloaded | Rejected:
        base = await stored(self._config, folder)
        if isinstance(base, Rejected):
            return base
        return await self.flip(base, by, way == "rollback", str(folder), way=way)

    async def flip(
        self,
        revision: Compiled,
        by: str,
        pinned: bool,
        said_of: str,
        when_ready: Callable[[], bool] = lambda: True,
        level: str | None = None,
        way: Way = "",
    ) -> Reloaded | Rejected:
        """Let every worker prepare it, keep it as active, then flip all. Call it with `changing` held.

        `level` is the emergency level to come; None keeps the one in force. `when_ready` is called once every worker
        is ready, and may still say no: that is a DoorFault `not_found`. `said_of` is what a fault is said of.
        """
        try:
            target = await asyncio.to_thread(raised, revision, self.level if level is None else level)
        except Faulty as faulty:
            return Rejected(faulty.faults)
        kept = self.level if level is None else ""
        if kept and (softer := softening.softened(self.compiled, target, kept)):
            return Rejected((softening.refused(kept, softer),))
        previous, name = self.compiled.digest, target.digest
        if name != previous:
            revisions.name_candidate(self._config.state, name)
            if not await self.prepared(name):
                return Rejected((unprepared(said_of),))
        if not when_ready():
            raise DoorFault("not_found")
        self.keep(target, by, pinned, way)
        return Reloaded(name, previous)

    def keep(self, target: Compiled, by: str, pinned: bool, way: Way) -> None:
        """Keep as active and tell every worker; one that is not prepared reads it at its next request."""
        with asked_at_the_door():
            if self.lost or target.digest != self.compiled.digest or pinned != self.pinned:
                self._state.activate(target.digest, by, time.time(), pinned, way)
            self._board.bump("bundle")
        if target.digest != self.compiled.digest:
            self.since = time.time()
        self.compiled, self.lost = target, False
        revisions.remove_old(self._config.state, target.digest)

    async def prepared(self, name: str) -> bool:
        """Whether every worker has prepared it in time, once it is the candidate."""
        deadline = time.monotonic() + PREPARE_SECONDS
        while time.monotonic() < deadline:
            if all(slot.has_prepared(name) for slot in self._board.live("worker")):
                return True
            await asyncio.sleep(POLL_SECONDS)
        return False

    # --- questions ----------------------------------------------------------------------------------

    async def active(self) -> object:
        """What decides now."""
        with asked_at_the_door():
            return {
                "active": self.compiled.digest,
                "pinned": self.pinned,
                "rules": len(self.compiled.bundle.denies),
                "history": self._state.activations(20),
            }

    async def history(self) -> object:
        """What was in force, newest first."""
        with asked_at_the_door():
            rows = [
                Release(row.digest, row.by, row.at, row.pinned, self._is_stored(row.digest), row.way)
                for row in self._state.activations(SHOWN)
            ]
            return {"active": self.compiled.digest, "pinned": self.pinned, "history": rows}

    def _is_stored(self, name: str) -> bool:
        return revisions.stored(self._config.state, base_of(name)) is not None


def signers(config: Config) -> Signers:
    """Who must have signed what is loaded."""
    return Signers(config.policy_signers, config.policy_signatures)


async def stored(config: Config, folder: Path) -> Compiled | Rejected:
    """A folder as a stored revision: compiled, tested, signed. Raises DoorFault when the disk fails."""
    try:
        return await asyncio.to_thread(revisions.store, config.state, folder, config.apis, time.time(), signers(config))
    except Faulty as faulty:
        return Rejected(faulty.faults)
    except OSError as error:
        raise DoorFault("state_unavailable", error.strerror or "the disk failed") from error


def _current(config: Config, start: Compiled, state: State) -> Compiled | None:
    """What is active by now, None when it cannot be read.

    A control process that replaces a dead one was forked with what was active at the start.
    """
    try:
        name = in_force(state, instant()).name
        if not name or name == start.digest:
            return start
        return revisions.recall(config.state, name, config.apis)
    except (StateFault, Faulty, Damaged, OSError):
        return None


def _meant(to: str, history: tuple[Activation, ...]) -> str:
    """The digest that an operator named; of the history the first is active. Raises DoorFault."""
    known = list(dict.fromkeys(base_of(row.digest) for row in history))
    if not to:
        if _came_back(history):
            raise _which(known)
        found = known[1:2]
    elif len(to) < DIGITS or set(to) - set("0123456789abcdef"):
        raise DoorFault(
            "bad_request",
            f"`to` needs {DIGITS} to 64 hexadecimal digits",
            target=to[:80],
            zh=f"`to` 须为 {DIGITS} 至 64 个十六进制字符",
        )
    else:
        found = [base for base in known if base.startswith(to)]
    if len(found) > 1:
        raise DoorFault("bad_request", f"`{to}` means several revisions", target=to, zh=f"`{to}` 对应多个修订版")
    if not found:
        raise DoorFault("not_found", "no such revision was ever in force", target=to[:80], zh="没有生效过该修订版")
    return found[0]


def _came_back(history: tuple[Activation, ...]) -> bool:
    """Whether the active revision was in force before, and another one between."""
    bases = [base for base, _ in groupby(base_of(row.digest) for row in history)]
    return bases[:1] != [] and bases[0] in bases[1:]


def _which(known: list[str]) -> DoorFault:
    """The one before was left by a rollback or an undone edit: nobody brings it back without naming it."""
    others = [base[:12] for base in known[1 : CANDIDATES + 1]]
    return DoorFault(
        "conflict",
        f"{known[0][:12]} came back itself, so the one before is what was left; name a digest: {', '.join(others)}",
        zh=f"{known[0][:12]} 本身是恢复而来的，上一个正是当时被弃用的修订版；请指明摘要：{'、'.join(others)}",
    )


def unprepared(said_of: str) -> FileFault:
    """A worker was not ready in time."""
    return FileFault(
        said_of, 1, 1, "P097", "not every worker could prepare it in time", "并非所有工作进程都能及时准备好",
        "look at the notices `policy.unprepared`, then reload again", "请查看 `policy.unprepared` 通知后重新加载",
    )  # fmt: skip
