"""How is the control process put together, and what does it do all day?

It seals what the workers recorded, feeds the index, the metrics and the log lines from the same
entries, watches the policy folder, and answers at the operators' door. It is never on the
request path: workers decide, record and forward while it is away.
"""

import asyncio
import contextlib
import gc
import os
import platform
import signal
import sqlite3
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import uvicorn
import uvloop

from gateway import __version__
from gateway.app.desk import Desk
from gateway.app.revisions import Compiled, Watch
from gateway.app.set_back import set_back
from gateway.audit import Batch, Index, Ledger, Sealer, Sm2Signer, is_damaged, load_signer
from gateway.config import Config, mask_keys
from gateway.config.state import load_sm2
from gateway.control import Credential, Settings, control_app, server_config, unix_socket
from gateway.crypto import keys
from gateway.edge import Tally
from gateway.edge.tls import Renewal, server_context
from gateway.entries import Entry, NoticeEntry, VerdictEntry
from gateway.facts import Notice
from gateway.serve import listen
from gateway.stores import LEVELS, Board, State, StateFault
from gateway.telemetry import Gauges, Lines, Meter, Pairs, Told

TICK_SECONDS = 0.1
SEAL_EVERY = 3  # ticks between two checkpoints: a decision can be asked for within half a second
WARN_EVERY = 600  # ticks between two notices of the same: a minute
SLOT = 0
SETTLE_SECONDS = 5.0  # a question waits no longer for the record to catch up
CATCH_UP = 50_000  # entries that an index which lacks more than this step's is given per step
YOUNG_OBJECTS = 50_000
NICENESS = 10  # workers come first: what waits in the journals is safe there


class Clerk:
    """Seals and indexes, in one thread of its own: both touch the disk, and the doors must not wait."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._thread = ThreadPoolExecutor(1, "clerk")
        self.size = 0
        self.signed_at = 0.0
        self.unsealed = 0
        self.behind = False  # whether the index lacks what is sealed
        self.stuck = False  # whether the last step could not seal: what came since is in no answer
        self.faults: list[tuple[str, str]] = []  # what befell ledger and index and is not told yet, and where
        self._fault = ""
        self._entries: tuple[Entry, ...] = ()  # sealed and not handed on yet
        self._thread.submit(self._open).result()

    def _open(self) -> None:
        audit = self._config.audit
        signer = load_signer(keys.read_private(self._config.keys / "ledger.key"), audit.origin)
        self._sealer = Sealer(audit, signer, beside=_national(self._config))
        self._index = Index(self._config.state / "index.db")
        try:
            self._index.catch_up(self._config.state / "ledger", self._sealer.size)
        except sqlite3.Error as error:
            self._mend(error)  # the steps to come fill it

    async def step(self) -> tuple[Entry, ...]:
        """Seal and index what is new; the entries, with those of a step whose caller did not stay to take them."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._step)
        entries, self._entries = self._entries, ()
        return entries

    def _step(self) -> None:
        try:
            batch = self._sealer.step()
        except OSError as error:  # the disk is full: entries wait in their journals, and the next step tries again
            self.stuck = True
            self._tell(error, "ledger")
            return
        self.stuck = False
        self._entries += batch.entries
        self.size, self.signed_at, self.unsealed = batch.size, batch.signed_at, batch.unsealed
        try:
            self._put(batch)
            self._fault = ""
        except (OSError, sqlite3.Error, ValueError) as error:
            self._mend(error)  # what is sealed is read from the ledger at the next step

    def _put(self, batch: Batch) -> None:
        """Index this batch, or what comes before it: sealing must not wait until a lost index is made again."""
        index = self._index
        index.catch_up(self._config.state / "ledger", batch.first, CATCH_UP)
        self.behind = index.size < batch.first
        if not self.behind:
            index.add(batch.first, batch.entries)

    def _mend(self, error: Exception) -> None:
        """Tell of it, once; what cannot be read is made anew, else answers would be stale for ever."""
        self.behind = True
        self._tell(error, "index.db")
        if is_damaged(error):
            with contextlib.suppress(OSError, sqlite3.Error):  # as above: the next step tries again
                self._index.start_over()

    def _tell(self, error: Exception, where: str) -> None:
        if type(error).__name__ != self._fault:
            self._fault = type(error).__name__
            self.faults.append((self._fault, where))

    async def close(self) -> tuple[Entry, ...]:
        """Seal what is left, then close; the last entries."""
        entries = await self.step()
        while self.unsealed and (more := await self.step()):
            entries += more
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()
        return entries

    def _close(self) -> None:
        self._sealer.close()
        self._index.close()


def _national(config: Config) -> tuple[Sm2Signer, ...]:
    """Who signs checkpoints beside the key of Ed25519."""
    if config.crypto == "intl":
        return ()
    return (Sm2Signer(config.audit.origin, load_sm2(config.state)),)


class Control:
    """The control process, from its rooms to its doors."""

    def __init__(self, config: Config, start: Compiled, anew: bool = False) -> None:
        self._config = config
        self._anew = anew
        self._parent = os.getppid()
        self._board = Board.open(config.state / "board")
        self._slot = self._board.slot(SLOT)
        self._slot.claim(os.getpid(), time.time(), "control")
        self._ledger = Ledger(config.audit, "control", keys.read_private(config.keys / "object.key"))
        self._notice = self._ledger.note
        self._clerk = Clerk(config)
        self._pairs = Pairs()
        self._meter = Meter(__version__, platform.python_version())
        self._lines = Lines(sys.stdout)
        self._state = State(config.state / "state.db", make=False)
        self._watch = Watch(config.policies)
        self._warned = Tally(self._notice)
        self._pids: dict[int, int] = {}
        self._keys_at: dict[str, float] = {}  # when the keys of each issuer were last fetched
        self._rounds, self._sealing, self._hurry = 0, False, asyncio.Event()
        self._compared = False  # whether the store was looked at beside the record
        self._desk = Desk(config, start, self._board, self._state, self._ledger, self._exposition, self.settle)
        self._servers: list[uvicorn.Server] = []
        self._renewal: Renewal | None = None

    # --- the doors ---------------------------------------------------------------------------------

    def _doors(self) -> list[tuple[uvicorn.Server, "list[object]"]]:
        config = self._config.control
        settings = Settings(
            tuple(Credential(*one) for one in config.tokens),
            tuple(Credential(*one) for one in config.certificates),
            config.operators,
            os.getuid(),
        )
        app = control_app(self._desk.door(), settings, time.time, self._notice)
        doors: list[tuple[uvicorn.Server, list[object]]] = [
            (_Door(server_config(app)), [unix_socket(config.socket, shared=bool(config.operators))])
        ]
        if config.listen is not None:
            context = server_context(config.tls) if config.tls is not None else None
            if context is not None and config.tls is not None:
                self._renewal = Renewal(context, config.tls)
            doors.append((_Door(server_config(app, context)), [listen(config.listen.host, config.listen.port)]))
        return doors

    # --- running -----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Run until SIGTERM, then seal what is left."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._desk.reload_soon)
        self._say_what_is_weak()
        self._say_which_keys()
        if self._anew:
            self._notice(Notice("state.anew"))
        for topic in ("state", "posture", "bundle"):
            self._board.bump(topic)  # should the predecessor have died between a commit and its word
        doors = self._doors()
        tasks = [asyncio.create_task(server.serve(sockets=sockets)) for server, sockets in doors]  # type: ignore[arg-type]  # sockets of two families
        ticking = asyncio.gather(self._tick(stop), self._seal(), self._desk.follow())
        ticking.add_done_callback(lambda _: stop.set())  # a sealer that cannot go on must be seen: leave with its fault
        self._slot.set_ready(True)
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS, 10, 10)  # entries leave no cycle behind: there is little to find
        try:
            await stop.wait()
        finally:
            self._slot.set_ready(False)
            for server, _ in doors:
                server.should_exit = True
            await asyncio.gather(*tasks)
            ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticking
            await self._finish()

    async def _finish(self) -> None:
        self._warned.tell()
        self._ledger.close()
        self._take(await self._clerk.close())
        self._state.close()
        self._slot.release()

    async def _tick(self, stop: asyncio.Event) -> None:
        turn = 0
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._slot.beat(time.time())
            turn += 1
            self._notice_deaths()
            if turn % 10 == 0:
                self._every_second()
            if turn % WARN_EVERY == 0:
                self._warned.tell()
            await self._desk.tick()
            if os.getppid() != self._parent:
                stop.set()  # the supervisor is gone: seal and leave
            if self._state.replaced():
                stop.set()  # a backup was restored: the successor begins with what stands there now

    async def _seal(self) -> None:
        """On its own: neither a slow disk nor a reload that waits for workers may hold the other up."""
        while True:
            pause = TICK_SECONDS if self._clerk.unsealed or self._clerk.behind else TICK_SECONDS * SEAL_EVERY
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), pause)
            self._hurry.clear()
            self._sealing = True
            self._take(await self._clerk.step())
            while self._clerk.faults:
                self._notice(Notice("gateway.fault", *self._clerk.faults.pop()))
            if not (self._compared or self._clerk.behind or self._clerk.unsealed):
                self._compared = True
                await self._compare()
            self._sealing, self._rounds = False, self._rounds + 1

    async def _compare(self) -> None:
        """Tell of a state store that lacks what the record has; a doubtful index or store tells of itself."""
        with contextlib.suppress(sqlite3.Error, StateFault):
            lacking = await asyncio.to_thread(set_back, self._config.state / "index.db", self._state)
            if lacking is not None:
                self._notice(lacking)

    async def settle(self) -> bool:
        """Wait until what happened before this call is sealed and can be asked for; whether it can."""
        await asyncio.sleep(self._config.audit.batch_interval + TICK_SECONDS / 5)  # refusals and outcomes come late
        enough = self._rounds + (2 if self._sealing else 1)  # a round that has begun may have read too early
        deadline = time.monotonic() + SETTLE_SECONDS
        while self._rounds < enough and time.monotonic() < deadline:
            self._hurry.set()
            await asyncio.sleep(TICK_SECONDS / 10)
        return self._rounds >= enough and not (self._clerk.behind or self._clerk.stuck)

    def _take(self, entries: tuple[Entry, ...]) -> None:
        stories = self._pairs.join(entries)
        for story in stories:
            if isinstance(story, NoticeEntry) and story.name == "jwks.refreshed":
                self._keys_at[story.subject] = story.at
            elif isinstance(story, Told) and story.outcome is not None and story.outcome.unlabelled:
                self._warn(story.verdict)
        self._meter.take(stories)
        self._desk.pilots.take(stories)
        with contextlib.suppress(OSError):  # nobody reads the lines any more; the record stands
            self._lines.take(stories)

    def _warn(self, verdict: VerdictEntry | None) -> None:
        """Raise the alarm where the contract asks for it: an answer showed what nobody labelled."""
        if verdict is not None and verdict.mask is not None and verdict.mask.unlabelled == "warn":
            self._warned.add("answer.unlabelled", verdict.route, f"contract warn, asset {verdict.asset}")

    def _notice_deaths(self) -> None:
        """A worker whose slot changed hands has died; its replacement cannot tell of it."""
        for slot in self._board.slots[1:]:
            known, now = self._pids.get(slot.index, 0), slot.pid
            if now and known and now != known:
                self._notice(Notice("worker.died", f"w{slot.index}", f"pid {known}, replaced by {now}"))
            if now:
                self._pids[slot.index] = now

    def _every_second(self) -> None:
        if self._watch.changed():
            self._desk.reload_soon()
        said = self._renewal.check() if self._renewal is not None else None
        if said is not None:
            self._notice(Notice("tls.renewal_failed" if said else "tls.renewed", "control", said))

    def _say_what_is_weak(self) -> None:
        for api in self._config.observing:
            self._notice(Notice("mode.observe", api))
        for switch in self._config.insecure:
            self._notice(Notice("switch.insecure", switch))

    def _say_which_keys(self) -> None:
        newest = max(mask_keys.numbered(self._config.keys))
        if self._config.crypto != "intl" or newest > 1:
            self._notice(Notice("crypto.keys", self._config.crypto, f"mask key {newest}"))

    def _exposition(self, accept: str) -> tuple[bytes, str]:
        workers = self._board.live("worker")
        latest = self._state.activations(1)
        self._meter.gauges(
            Gauges(
                workers=len(workers),
                inflight=int(sum(slot.get("in_flight") for slot in workers)),
                connections=int(sum(slot.get("connections") for slot in workers)),
                loop_lag=max((slot.get("loop_lag") for slot in workers), default=0.0),
                revocations=len(self._state.revocations(time.time())),
                sealed_size=self._clerk.size,
                checkpoint_at=self._clerk.signed_at,
                unsealed=self._clerk.unsealed,
                policy=latest[0].digest if latest else "",
                policy_loaded_at=latest[0].at if latest else 0.0,
                emergency=LEVELS.index(level) + 1 if (level := self._desk.releases.level) else 0,
                observing=self._config.observing,
                enforcing=tuple(api.name for api in self._config.apis if api.name not in self._config.observing),
                switches=self._config.insecure,
                jwks_age=tuple((issuer, time.time() - at) for issuer, at in self._keys_at.items()),
            )
        )
        return self._meter.render(accept)


class _Door(uvicorn.Server):
    """A server that leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]  # as declared by uvicorn
        yield


def control(config: Config, start: Compiled, anew: bool = False) -> None:
    """Be the control process until SIGTERM. Runs in the forked process."""
    os.nice(NICENESS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_control(config, start, anew))


async def _control(config: Config, start: Compiled, anew: bool) -> None:
    await Control(config, start, anew).run()
