"""What happens behind each route of the operators' door?

Commit to the store, bump the board, then answer: what was answered with 200 holds for every
live worker from its next request on. A reload is two steps: workers prepare, then all flip.
"""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable

import msgspec

from gateway.app.emergency import Switch
from gateway.app.pilot import Pilots
from gateway.app.releases import Releases
from gateway.app.revisions import Compiled
from gateway.app.whose import Asked, asked
from gateway.audit import Ledger, Unanswerable, decode, lookup, query, read_entries
from gateway.behaviour import Watcher
from gateway.config import Config
from gateway.control import (
    Act,
    Door,
    DoorFault,
    EmergencyDoor,
    Lifted,
    PilotDoor,
    PostureFault,
    Rejected,
    Revocation,
    Revoked,
)
from gateway.device import Rejected as RejectedReport
from gateway.device import accept
from gateway.entries import Entry
from gateway.stores import Board, BoardFault, State, StateFault, instant
from gateway.stores.board import Topic

SEEN_SECONDS = 1.0  # how long the record is searched for a name before the answer says nothing about it
RISK_ENTRIES = 500  # newest entries of somebody that their risk is weighed from


class Desk:
    """Does what operators ask for."""

    def __init__(
        self,
        config: Config,
        start: Compiled,
        board: Board,
        state: State,
        ledger: Ledger,
        exposition: Callable[[str], tuple[bytes, str]],
        settle: Callable[[], Awaitable[bool]],
    ) -> None:
        self._config = config
        self._board = board
        self._state = state
        self._ledger = ledger
        self._exposition = exposition
        self._settle = settle
        self._wanted = asyncio.Event()
        self.releases = Releases(config, start, board, state, ledger.note)
        self.pilots = Pilots(config, state, board, ledger, self.releases)
        self.emergencies = Switch(
            self.releases, state, config.emergency_longest, instant, ledger.note, self._put, self._count
        )

    def door(self) -> Door:
        """The door with everything behind it."""
        return Door(
            revoke=self._revoke,
            lift=self._lift,
            list_revocations=self._list,
            accept_posture=self._accept,
            reload=self.releases.reload,
            active_policy=self.releases.active,
            policy_history=self.releases.history,
            rollback=self.releases.rollback,
            emergencies=EmergencyDoor(
                self.emergencies.view, self.emergencies.ask, self.emergencies.asked, self.emergencies.confirm
            ),
            decision=self._decision,
            query=self._query,
            seen=self._whose,
            risk=self._risk,
            render_metrics=self._exposition,
            health=self._health,
            ready=self._ready,
            act=self._act,
            pilots=PilotDoor(self.pilots.submit, self.pilots.promote, self.pilots.stop, self.pilots.view),
        )

    # --- revocations and postures -----------------------------------------------------------------

    async def _revoke(self, wish: Revocation, by: str) -> Revoked:
        try:
            done = self._state.revoke(wish.kind, wish.id, wish.reason, by, time.time(), wish.until)
        except StateFault as fault:
            raise DoorFault("state_unavailable", fault.en, zh=fault.zh) from fault
        self._bump("state")  # before the answer: whoever reads 200 may rely on it
        return Revoked(done.id, len(self._board.live("worker")), await self._seen(wish))

    async def _seen(self, wish: Revocation) -> bool | None:
        """Whether the record knows what was withdrawn; the record may be a moment behind, so a no is asked twice."""
        if wish.kind == "device" and any(device.id == wish.id for device in self.releases.compiled.register):
            return True
        for last in (False, True):
            known = await asyncio.to_thread(seen, self._config, wish.kind, wish.id)
            if known is not False or last:
                break
            await self._settle()
        return known

    async def _lift(self, id: int, by: str) -> Lifted | None:
        try:
            lifted = self._state.lift(id, by, time.time())
            if lifted is None:
                return None
            self._bump("state")
            others = self._state.revocations(time.time())
        except StateFault as fault:
            raise DoorFault("state_unavailable", fault.en, zh=fault.zh) from fault
        same = (lifted.kind, lifted.key)
        return Lifted(lifted.kind, lifted.key, tuple(one.id for one in others if (one.kind, one.key) == same))

    def _bump(self, topic: Topic) -> None:
        """Tell every worker; what no worker would see is not acknowledged."""
        try:
            self._board.bump(topic)
        except BoardFault as fault:
            raise DoorFault("state_unavailable", fault.en, zh=fault.zh) from fault

    async def _list(self) -> object:
        try:
            return self._state.revocations(time.time())
        except StateFault as fault:
            raise DoorFault("state_unavailable", fault.en, zh=fault.zh) from fault

    async def _accept(self, jws: str) -> PostureFault | None:
        accepted = accept(
            jws, self._config.device, self.releases.compiled.register, self._state.last_sequence, time.time()
        )
        if isinstance(accepted, RejectedReport):
            return PostureFault(accepted.err, accepted.description)
        try:
            kept = self._state.keep_report(accepted)
        except StateFault as fault:
            raise DoorFault("state_unavailable", fault.en, zh=fault.zh) from fault
        if not kept:
            return PostureFault("invalid_request", "a newer report was accepted meanwhile")
        self._bump("posture")
        return None

    # --- policies ------------------------------------------------------------------------------------

    def reload_soon(self) -> None:
        """Follow the policy folder: a file changed, or SIGHUP came."""
        self._wanted.set()

    async def follow(self) -> None:
        """Follow the folder whenever it is wanted. On its own: it may wait for workers, and behind other changes."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self._follow()

    async def _follow(self) -> None:
        try:
            outcome = await self.releases.follow("gateway")
        except DoorFault as fault:
            self._ledger.act("gateway", "system", "policy.rejected", "", f"{fault.code} {fault.detail}", False)
            return
        if isinstance(outcome, Rejected):
            self._ledger.act("gateway", "system", "policy.rejected", "", outcome.brief, False)
        elif outcome is not None and outcome.bundle != outcome.previous:
            self._ledger.act("gateway", "system", "policy.reload", outcome.bundle, f"previous {outcome.previous}")

    async def tick(self) -> None:
        """Do what is due."""
        await self.emergencies.tick()
        await self.pilots.tick()

    # --- questions -----------------------------------------------------------------------------------

    async def _up_to_date(self) -> None:
        """Wait for the index. Raises DoorFault while it lacks what the ledger has: a part would be told for the whole."""
        if not await self._settle():
            raise DoorFault(
                "audit_unavailable",
                "the index lacks entries of the record: it is being made again, or cannot be written; ask again in a moment",
                zh="索引尚缺部分记录：正在重建，或无法写入；请稍后再查",
            )

    async def _decision(self, id: str) -> object | None:
        await self._up_to_date()
        return await asyncio.to_thread(found, self._config, id)

    async def _query(self, text: str, limit: int) -> object:
        await self._up_to_date()  # an answer that misses what happened a moment ago is a wrong answer
        try:
            return await asyncio.to_thread(query, self._config.state / "index.db", text, limit)
        except Unanswerable as fault:
            raise DoorFault("bad_request", fault.en, zh=fault.zh) from fault

    async def _whose(self, value: str, since: float) -> Asked:
        await self._up_to_date()
        return await asyncio.to_thread(asked, self._config.state, value, since)

    async def _risk(self, subject: str) -> object | None:
        await self._up_to_date()
        try:
            return await asyncio.to_thread(risk, self._config, self.releases.compiled, subject, time.time())
        except Unanswerable:  # nobody has a name that no question could hold
            return None

    def _health(self) -> object:
        return {
            "status": "ok",
            "workers": [
                {"slot": slot.index, "pid": slot.pid, "ready": slot.ready, "since": slot.started_at}
                for slot in self._board.live("worker")
            ],
            "bundle": self.releases.compiled.digest,
            "bundle_since": self.releases.since,
            "config": self._config.fingerprint,
            "recording": self._ledger.fault or "ok",
        }

    def _ready(self) -> bool:
        workers = self._board.live("worker")
        return not self._ledger.fault and bool(workers) and all(slot.ready for slot in workers)

    async def _act(self, act: Act) -> bool:
        self._put(act)
        return not self._ledger.fault

    def _put(self, act: Act) -> None:
        self._ledger.act(act.operator, act.role, act.act, act.target, act.detail, act.ok)

    def _count(self) -> int:
        return len(self._board.live("worker"))


def seen(config: Config, kind: str, id: str) -> bool | None:
    """Whether the record knows this subject, session, device or token; None when that cannot be told.

    A token may be named by its `jti`, which the record does not keep: of tokens only a yes is certain.
    """
    quoted = '"' + id.replace("\\", "\\\\").replace('"', '\\"') + '"'
    try:
        rows = query(config.state / "index.db", f"kind:verdict {kind}:{quoted}", 1, seconds=SEEN_SECONDS)
    except (Unanswerable, sqlite3.Error):
        return None
    return True if rows else None if kind == "token" else False


def found(config: Config, id: str) -> object | None:
    """A decision as it stands in the ledger, and how it ended; None when nobody knows it (yet)."""
    index = config.state / "index.db"
    number = lookup(index, id)
    if number is None:
        return None
    raw = next(read_entries(config.state / "ledger", number), None)
    rows = query(index, f'"{id}"', 1)
    return {"number": number, "entry": raw and msgspec.Raw(raw), "outcome": rows[0] if rows else None}


def risk(config: Config, compiled: Compiled, subject: str, now: float) -> object | None:
    """How somebody is behaving, weighed anew from what the ledger says of them; None for a stranger.

    Only their own entries are read: what others did from the same address weighs in the workers alone.
    """
    text = '"' + subject.replace('"', "") + '"'
    rows = query(config.state / "index.db", f"subject:{text}", RISK_ENTRIES, now=now)
    watcher = Watcher(config.behaviour.with_sites(compiled.sites))
    watcher.load(reversed([entry for row in rows for entry in _entries(config, str(row["id"]))]))
    return watcher.view(subject, now) if rows else None


def _entries(config: Config, id: str) -> list[Entry]:
    number = lookup(config.state / "index.db", id)
    raw = next(read_entries(config.state / "ledger", number), None) if number is not None else None
    return [decode(raw)] if raw is not None else []
