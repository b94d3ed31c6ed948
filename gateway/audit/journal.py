"""Is it on record?

The journal of one process: an append-only file with a gap-free chain. Rules:

1. A permit's entry is with the kernel (`written`) or on the disk (`synced`) before a Warrant exists.
2. A permit that could not be recorded is a Fault, and its entry is withdrawn: nothing was forwarded.
3. A refusal never waits. Its entry follows within 100 ms; on a full disk it is counted instead.
4. An outcome is never dropped, however long the disk stays full.
5. What a power cut can take of `written` entries is bounded by `sync_interval`. When the disk is
   too slow to keep that bound, `written` permits wait as `synced` ones do until it has caught up.
6. After a failed fdatasync the file is never trusted again (the kernel may have dropped the bytes and
   called them clean): a new journal is opened, and until there is one every permit is refused.
"""

import secrets
import time
from asyncio import AbstractEventLoop, CancelledError, TimerHandle, get_running_loop
from asyncio import Future as Waiter
from binascii import hexlify
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field, json

from gateway.audit import chain
from gateway.audit.disk import DISK, Files
from gateway.audit.entry import FORMAT, Digests, encode, outcome_entry, verdict_entry
from gateway.entries import ActEntry, Entry, NoticeEntry
from gateway.facts import (
    NOTHING_REVEALED,
    Challenge,
    Decision,
    Deny,
    Facts,
    Fault,
    Grade,
    Notice,
    Outcome,
    Permit,
    Refused,
    Strength,
    Warrant,
)

UNRECORDED: Final = "audit_unavailable"
_MIB = 1024 * 1024
_BATCH_BYTES = 256 * 1024  # refusals wait for company, but never for more than this


class Settings(Struct, frozen=True):
    """Where the record is kept, and how strongly. `directory` is the state directory; times in seconds."""

    directory: Path
    strength: dict[str, Strength] = field(default_factory=lambda: {"core": "synced"})  # else `written`
    sync_interval: float = 0.2  # what a power cut can take of `written` entries
    batch_interval: float = 0.1  # how long a refusal or an outcome may wait for company
    rotate_bytes: int = 64 * _MIB
    pending_bytes: int = 8 * _MIB  # memory for entries that wait for a full disk
    keep_journals: float = 86_400.0  # a sealed journal of a dead process is removed after this
    origin: str = "gateway/audit"  # the name of the ledger in its checkpoints

    def __post_init__(self) -> None:
        for grade, strength in self.strength.items():
            if grade not in ("general", "important", "core"):
                raise ValueError(f"`{grade}` is not a grade; possible: general, important, core")
            if strength not in ("written", "synced"):
                raise ValueError(f"`{strength}` is not a strength; possible: written, synced")
        if not 0.01 <= self.sync_interval <= 1.0:
            raise ValueError(f"a sync interval of `{self.sync_interval}` s is not between 0.01 and 1")
        if not 0.001 <= self.batch_interval <= 0.1:
            raise ValueError(f"a batch interval of `{self.batch_interval}` s is not between 0.001 and 0.1")
        if not self.origin or set(self.origin) & set("+\n\r\t "):
            raise ValueError(f"the origin `{self.origin}` must be a name without spaces and `+`")


class Ledger:
    """The journal of this process. Call it from the event loop's thread only.

    `name` is the role and number of the process (`worker0`), `object_key` the key of the digests.
    `heard` is called with each entry once it is recorded: behaviour learns from the record.
    A disk that fails at the start makes a ledger that refuses and recovers, as it does later.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        object_key: bytes,
        *,
        files: Files = DISK,
        now: Callable[[], float] = time.time,
        nonce: Callable[[], str] = lambda: secrets.token_hex(3),
        boot: str | None = None,
        heard: Callable[[Entry], None] = lambda entry: None,
    ) -> None:
        self.journal = ""
        self._heard = heard  # told of each decision and outcome once it is recorded
        self.fault = ""  # why nothing can be recorded at the moment, or ""
        self._settings, self._name, self._files, self._now, self._nonce = settings, name, files, now, nonce
        self._folder = settings.directory / "journal"
        self._digests = Digests(object_key)
        self._boot = boot_id() if boot is None else boot
        national = settings.strength
        self._always_synced = frozenset(grade for grade in Grade if national.get(grade.national) == "synced")
        self._write = files.write
        self._descriptor = -1
        self._seq, self._digest, self._size = 0, b"", 0
        self._pending = bytearray()  # lines that are chained but not written
        self._held: list[dict[str, Any]] = []  # entries that wait for a journal
        self._previous = ""
        self._overflow, self._unrecorded, self._troubled = 0, 0, False
        self._loop: AbstractEventLoop | None = None
        self._batch: TimerHandle | None = None
        self._sync_timer: TimerHandle | None = None
        self._late_timer: TimerHandle | None = None
        self._waiters: list[Waiter[bool]] = []
        self._retired: list[int] = []
        self._syncing, self._late, self._closed = False, False, False
        self._thread = ThreadPoolExecutor(1, f"fdatasync-{name}")
        self._open()

    # --- what the journey calls ---------------------------------------------------------------

    async def commit(self, facts: Facts, decision: Decision) -> Warrant | Refused | Fault:
        """Record a decision. A permit becomes a Warrant once it is as durable as its grade demands."""
        if not isinstance(decision, Permit):
            return self._refuse(facts, decision)
        if self._descriptor < 0:
            return self._unrecordable()
        mark, seq, digest = len(self._pending), self._seq, self._digest
        identity = f"{self.journal}.{seq}"
        entry = verdict_entry(self.journal, seq, facts, decision, self._digests)
        self._append(entry)
        if not self._flush(mark, seq, digest):
            return self._unrecordable()
        self._heard(entry)
        if self._late or decision.strength == "synced" or facts.asset.grade in self._always_synced:
            fault = await self._until_synced(identity)
            if fault is not None:
                return fault
        return Warrant(identity, facts, decision)

    def conclude(self, decision_id: str, outcome: Outcome) -> None:
        """Record how a forwarded request ended, at the latest 100 ms from now.

        What says who was shown whom, or counts against a budget, is with the kernel on return: who kills a worker must not
        make it undone.
        """
        self._record(outcome_entry(self.journal, self._seq, self._now(), decision_id, outcome))
        shown = outcome.revealed
        if (shown.seen or shown.clear or shown.records) and self._descriptor >= 0:
            self._flush()

    def note(self, notice: Notice) -> None:
        """Record something that happened beside the requests."""
        if self._full():
            self._overflow += notice.count
            self._troubled = True
            return
        self._record(self._notice(notice.name, notice.subject, notice.detail, notice.count))

    def act(self, operator: str, role: str, act: str, target: str = "", detail: str = "", ok: bool = True) -> None:
        """Record what an operator did; it is with the kernel on return unless the disk is full."""
        entry = ActEntry(FORMAT, self.journal, self._seq, self._now(), operator, role, act, target, detail, ok)
        self._record(entry)
        if self._descriptor >= 0:
            self._flush()

    def close(self) -> None:
        """Write and sync what is left, and say in the journal that it ended in order."""
        if self._closed:
            return
        self._closed = True
        for timer in (self._batch, self._sync_timer, self._late_timer):
            if timer is not None:
                timer.cancel()
        synced = self._finish()
        self._thread.shutdown(wait=True)
        for descriptor in (*self._retired, self._descriptor):
            if descriptor >= 0:
                self._files.close(descriptor)
        self._descriptor = -1
        self.fault = self.fault or "the ledger is closed"
        self._release(synced)

    # --- entries into lines, lines into the file ----------------------------------------------

    def _refuse(self, facts: Facts, refusal: Deny | Challenge) -> Refused:
        if self._descriptor < 0 or self._full():
            self._troubled = True
            self._overflow += 1  # still a refusal; it is counted in one entry when there is room again
            self._wake()
            return Refused("", refusal)
        identity = f"{self.journal}.{self._seq}"
        self._append(verdict_entry(self.journal, self._seq, facts, refusal, self._digests))
        if len(self._pending) > _BATCH_BYTES and not self.fault:
            self._flush()
        self._wake()
        return Refused(identity, refusal)

    def _record(self, entry: Entry) -> None:
        if self._descriptor < 0:
            self._held.append(json.decode(encode(entry)))
        else:
            self._append(entry)
        self._heard(entry)
        self._wake()

    def _append(self, entry: Entry) -> None:
        raw = encode(entry)
        self._digest = digest = sha256(self._digest + raw).digest()
        self._seq += 1
        pending = self._pending
        pending += hexlify(digest)
        pending += b" "
        pending += raw
        pending += b"\n"

    def _notice(self, name: str, subject: str = "", detail: str = "", count: int = 1) -> NoticeEntry:
        return NoticeEntry(FORMAT, self.journal, self._seq, self._now(), name, subject, detail, count)

    def _flush(self, mark: int = -1, seq: int = 0, digest: bytes = b"") -> bool:
        """Hand all lines to the kernel in one call.

        When that fails the file is as it was, and the lines wait; with a `mark` the last of them,
        a permit that must not stay, is withdrawn: `seq` and `digest` are those before it.
        """
        pending = self._pending
        try:
            taken = self._write(self._descriptor, pending)
            problem = "" if taken == len(pending) else "the disk took only a part"
        except OSError as error:
            problem = error.strerror or "the disk failed"
        if problem:
            if mark >= 0:
                del pending[mark:]
                self._seq, self._digest = seq, digest
            self._withdraw(problem)
            return False
        self._size += taken
        pending.clear()
        if self._sync_timer is None and not self._syncing:
            self._sync_later(self._settings.sync_interval / 2)
        if self._troubled or self._size >= self._settings.rotate_bytes:
            self._settle()
        return True

    def _withdraw(self, problem: str) -> None:
        self.fault, self._troubled = problem, True
        try:
            self._files.truncate(self._descriptor, self._size)  # a torn line must not stand before a whole one
        except OSError as error:
            self._distrust(error.strerror or problem)
        self._wake()

    def _settle(self) -> None:
        """After a write that worked: say what could not be said before, rotate when it is time."""
        self.fault, self._troubled = "", False
        self._confess()
        if self._size >= self._settings.rotate_bytes:
            self._rotate()
        if self._pending:
            self._wake()

    def _confess(self) -> None:
        """Entries for what could only be counted."""
        if self._overflow:
            self._append(self._notice("audit.overflow", "", "refused while nothing could be written", self._overflow))
            self._overflow = 0
        if self._unrecorded:
            self._append(self._notice("audit.unavailable", "", "permits that were not forwarded", self._unrecorded))
            self._unrecorded = 0

    def _full(self) -> bool:
        return len(self._pending) > self._settings.pending_bytes

    def _unrecordable(self) -> Fault:
        self._unrecorded += 1
        self._troubled = True
        self._wake()
        return Fault(UNRECORDED, self.fault)

    # --- the batch: at most 100 ms ------------------------------------------------------------

    def _wake(self) -> None:
        if self._batch is None and not self._closed:
            loop = self._running()
            if loop is not None:
                self._batch = loop.call_later(self._settings.batch_interval, self._turn)
            elif self._descriptor >= 0 and not self.fault:
                self._flush()  # before the loop runs there is nobody to wait for

    def _turn(self) -> None:
        self._batch = None
        if self._descriptor < 0:
            self._open()
        if self._descriptor >= 0 and (self._pending or self._troubled):
            if not self._pending:
                self._confess()  # something must be written to find out whether the disk takes it again
            self._flush()
        if self._descriptor < 0 or self.fault or self._pending:
            self._wake()

    def _running(self) -> AbstractEventLoop | None:
        if self._loop is None:
            try:
                self._loop = get_running_loop()
            except RuntimeError:
                return None
        return self._loop

    # --- durable: one fdatasync for all who wait ------------------------------------------------

    async def _until_synced(self, identity: str) -> Fault | None:
        loop = get_running_loop()
        self._loop = loop
        waiter: Waiter[bool] = loop.create_future()
        self._waiters.append(waiter)
        if not self._syncing:
            self._sync_later(0.0)  # all who commit in this turn of the loop share one
        try:
            if await waiter:
                return None
        except CancelledError:
            self.conclude(identity, _unforwarded(499, "client_gone"))
            raise
        self.conclude(identity, _unforwarded(503, UNRECORDED))
        self._unrecorded += 1
        self._troubled = True
        return Fault(UNRECORDED, self.fault or "the journal could not be synced")

    def _sync_later(self, delay: float) -> None:
        loop = self._running()
        if loop is None or self._closed:
            return
        if self._sync_timer is not None:
            self._sync_timer.cancel()
        self._sync_timer = loop.call_later(delay, self._sync)

    def _sync(self) -> None:
        self._sync_timer = None
        loop = self._running()
        if self._descriptor < 0 or loop is None or self._syncing:
            return
        self._syncing = True
        waiters, self._waiters = self._waiters, []
        retired, self._retired = self._retired, []
        began, size, journal = loop.time(), self._size, self.journal
        written = (self._folder / (journal + chain.SUFFIX), size)
        self._late_timer = loop.call_later(self._settings.sync_interval / 2, self._fall_behind)
        done = self._thread.submit(_sync_all, self._files, retired, self._descriptor, written)

        def synced(future: Future[str]) -> None:
            loop.call_soon_threadsafe(self._synced, future.result(), journal, size, began, waiters)

        done.add_done_callback(synced)

    def _synced(self, problem: str, journal: str, size: int, began: float, waiters: list[Waiter[bool]]) -> None:
        self._syncing, self._late = False, False
        if self._late_timer is not None:
            self._late_timer.cancel()
        if problem and not self._closed:
            self._distrust(problem)
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(not problem)
        if self._waiters:
            self._sync_later(0.0)
        elif self._size > size or self.journal != journal or self._retired:
            assert self._loop is not None
            self._sync_later(max(0.0, self._settings.sync_interval / 2 - (self._loop.time() - began)))

    def _fall_behind(self) -> None:
        self._late = True

    def _release(self, synced: bool) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done() and not waiter.get_loop().is_closed():
                waiter.set_result(synced)

    # --- journals begin and end ------------------------------------------------------------------

    def _open(self) -> None:
        try:
            self._begin(self._previous)
        except OSError as error:
            self.fault = error.strerror or "the disk failed"
            return
        self.fault = ""
        held, self._held = self._held, []
        for plain in held:
            plain["journal"], plain["seq"] = self.journal, self._seq
            raw = json.encode(plain)
            self._digest = chain.link(self._digest, raw)
            self._seq += 1
            self._pending += chain.write(self._digest, raw)
        if self._troubled:
            self._settle()
        if self._pending:
            self._wake()

    def _begin(self, previous: str) -> None:
        """Make a journal that is complete, locked and durable before it gets its name."""
        self._folder.mkdir(0o700, parents=True, exist_ok=True)
        at = self._now()
        journal = chain.journal_id(at, self._name, self._nonce())
        detail = f"{previous} boot={self._boot}".strip()
        raw = encode(NoticeEntry(FORMAT, journal, 0, at, "journal.opened", previous.partition(".")[0], detail))
        digest = chain.link(chain.start(journal), raw)
        line = chain.write(digest, raw)
        temporary = self._folder / f".{journal}.new"
        descriptor = self._files.create(temporary)
        try:
            if self._files.write(descriptor, line) != len(line):
                raise OSError(28, "the disk took only a part")
            self._files.sync(descriptor)
            self._files.publish(temporary, self._folder / (journal + chain.SUFFIX))
        except OSError:
            self._files.close(descriptor)
            self._files.remove(temporary)
            raise
        self.journal, self._descriptor = journal, descriptor
        self._seq, self._digest, self._size = 1, digest, len(line)

    def _ending(self) -> bytes:
        """The last line of a journal that ends in order."""
        raw = encode(self._notice("journal.closed"))
        self._digest = chain.link(self._digest, raw)
        self._seq += 1
        return chain.write(self._digest, raw)

    def _rotate(self) -> None:
        """Go on in a new journal that names the last digest of this one."""
        old = (self.journal, self._descriptor, self._seq, self._digest, self._size)
        pending = bytes(self._pending)
        ending = self._ending()
        try:
            self._begin(self._last())
        except OSError:  # no room for a new one: go on in the old one
            self.journal, self._descriptor, self._seq, self._digest, self._size = old
            return
        self._pending.clear()
        self._retired.append(old[1])
        data = pending + ending
        try:
            if self._write(old[1], data) != len(data):
                self._files.truncate(old[1], old[4])
                self._hold(pending)
        except OSError:
            self._hold(pending)

    def _last(self) -> str:
        return f"{self.journal}.{self._seq - 1} digest={self._digest.hex()}"

    def _hold(self, lines: bytes | bytearray) -> None:
        self._held += [json.decode(line[65:]) for line in bytes(lines).splitlines()]

    def _distrust(self, problem: str) -> None:
        """Give this file up. What it holds stays for the sealer; what waits goes to a new one."""
        self.fault = problem
        self._previous = self._last()
        self._hold(self._pending)
        self._pending.clear()
        descriptor, self._descriptor = self._descriptor, -1
        self._thread.submit(self._files.close, descriptor)  # after an fdatasync that may still be running on it
        self._release(False)
        self._open()

    def _finish(self) -> bool:
        if self._descriptor < 0:
            return False
        data = bytes(self._pending) + self._ending()
        try:
            written = self._write(self._descriptor, data) == len(data)
            if not written:
                self._files.truncate(self._descriptor, self._size)
            problem = self._thread.submit(_sync_all, self._files, [], self._descriptor).result()
        except OSError:
            return False
        return written and not problem


def _sync_all(files: Files, retired: list[int], descriptor: int, written: tuple[Path, int] | None = None) -> str:
    """Sync the journals that were left and the one that is written; runs in the sync thread.

    `written`: where that one stands and how long it was. Else whoever removes or cuts the file (an insider, a program that
    tidies up) would have the worker write into nothing as long as it lives.
    """
    problem = ""
    for each in (*retired, descriptor):
        try:
            files.sync(each)
        except OSError as error:
            problem = error.strerror or "the disk failed"
        if each != descriptor:
            files.close(each)
    return problem or ("" if written is None else _gone(files, descriptor, *written))


def _gone(files: Files, descriptor: int, path: Path, size: int) -> str:
    try:
        return "" if files.stands(descriptor, path, size) else "the journal was taken away or cut"
    except OSError as error:
        return error.strerror or "the disk failed"


def _unforwarded(status: int, code: str) -> Outcome:
    return Outcome(status, 0, 0, False, code, NOTHING_REVEALED, 0.0, 0.0)


def boot_id() -> str:
    """What tells one life of this machine's kernel from the next, or "" where it does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
