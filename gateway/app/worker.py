"""How is one worker put together, and what does it do beside requests?

Every room is made here once and handed to the journey. Beside requests, ten times a second:
say that it lives, take in what siblings recorded, prepare the candidate revision, renew
certificates, hold a sample of decisions against casbin, and notice when the supervisor is gone.
"""

import asyncio
import gc
import os
import signal
import socket
import sys
import time

import uvloop
from msgspec import Struct

from gateway.app import reveals, revisions
from gateway.app.boundary import DataPort, place, unforeseen
from gateway.app.counting import AT_START, EACH_TICK, Counting, asks
from gateway.app.discovering import Discovering
from gateway.app.emergency import Expiry, in_force
from gateway.app.knowledge import Knowledge
from gateway.app.pages import pages, refusing
from gateway.app.reveals import Reveals
from gateway.app.revisions import Compiled
from gateway.app.server import DataServer, Gauges, data_server
from gateway.app.shadow import Shadow
from gateway.app.streams import Streams, still
from gateway.audit import Ledger, Tail
from gateway.behaviour import Watcher
from gateway.config import Config, mask_keys
from gateway.crypto import keys
from gateway.crypto.suite import suite
from gateway.device import Devices
from gateway.document import Faulty
from gateway.edge import Tally, again
from gateway.edge.accept import Acceptor
from gateway.edge.tls import Renewal, server_context
from gateway.entries import Entry
from gateway.exposure import Exposures
from gateway.exposure import Settings as ExposureSettings
from gateway.facts import Notice, Warrant
from gateway.identity import Recogniser
from gateway.identity.fetch import Fetcher
from gateway.journey import Journey, Revision
from gateway.masking import Masking
from gateway.masking import Settings as MaskingSettings
from gateway.policy import Damaged, Policy, disagreement
from gateway.stores import Board, Pilot, Postures, Revocations, State, instant
from gateway.upstream import Upstream

TICK_SECONDS = 0.1
BUSY_SECONDS = 0.05  # the store is read on the loop: better to doubt than to wait
CHECK_SHARE = 0.002  # of a core: casbin takes 7 µs per rule, under the interpreter's lock
CHECK_PAUSE = 2.0  # seconds between two samples, at least
SAMPLE_EVERY = 512  # one decision in so many is judged again by casbin, off the loop
YOUNG_OBJECTS = 20_000  # new containers before the collector looks: at 700 it took 7 µs of each request
SWITCH_SECONDS = 0.0005  # a thread beside the loop (casbin) gives the interpreter back after this, not after 5 ms
REMEMBERED = 10_000  # entries that a new worker learns from: half a second, 50 MB while it lasts


class Place(Struct, frozen=True, eq=False):
    """What a worker inherits: its slot, the sockets, and the revision that was active when it was forked."""

    slot: int
    listeners: tuple[socket.socket, ...]
    start: Compiled


class Worker:
    """One worker, from its rooms to its server."""

    def __init__(self, config: Config, place: Place) -> None:
        self._config = config
        self._parent = os.getppid()
        self._board = Board.open(config.state / "board")
        self._slot = self._board.slot(place.slot)
        self._slot.claim(os.getpid(), time.time(), "worker")
        self._gauges = Gauges()
        self._watcher = Watcher(config.behaviour.with_sites(place.start.sites))
        self._exposures = Exposures(ExposureSettings(place.start.bundle.content.timezone))
        self._tail = Tail(config.state)
        longest = max((service.timeouts.total for service in config.upstream.services), default=0.0)
        self._counting = Counting(self._exposures, self._tail, longest)
        object_key = keys.read_private(config.keys / "object.key")
        self._ledger = Ledger(config.audit, f"w{place.slot}", object_key, heard=self._learn)
        self._notice = self._ledger.note
        self._tally = Tally(self._notice)
        self._state: State | None = None
        self._unprepared = ""
        self._distrusted: set[str] = set()
        self._fetch = Fetcher(plaintext_allowed="plaintext-issuer" in config.insecure)
        self._revocations = Revocations(self._board, self._open_state, time.time, self._notice)
        self._postures = Postures(self._board, self._open_state, self._revocations, time.time, self._notice)
        self._shadow = Shadow(self._pilot, self._notice)
        self._knowledge = Knowledge(
            self._board, place.start, self._active, self._recall, self._revision, self._notice, self._shadow
        )
        self._expiry = Expiry(self._knowledge, self._recall, self._notice)
        self._identity = Recogniser(config.identity, self._revocations, self._fetch, self._notice)
        self._streams = Streams(self._judge_again, time.monotonic, self._board.any)
        signing = keys.load(config.keys / "assertion.key")
        places, gauges = config.edge.limits.in_flight, self._gauges
        *older, newest = mask_keys.read(config.keys)
        self._discovering = (
            Discovering(config.state, place.slot, config.sample, self._notice) if config.sample else None
        )
        self._masking = Masking(
            MaskingSettings(
                hash_key=newest,
                older=tuple(older),
                suite=suite(config.crypto),
                inspect_max_of=config.inspect_max,
                held_bytes=config.edge.limits.held_bytes,
            ),
            self._discovering.observe if self._discovering else None,
        )
        self._upstream = Upstream(
            config.upstream,
            signing,
            self._notice,
            trust=self._streams,
            free=lambda: places - gauges.in_flight,
            conceal=self._masking.conceal,
        )
        self._journey = Journey(
            edge=config.edge,
            tally=self._tally,
            knowledge=self._knowledge,
            identity=self._identity,
            watcher=self._watcher,
            exposures=self._exposures,
            ledger=self._ledger,
            upstream=self._upstream,
            masking=self._masking,
            streams=self._streams,
        )
        self._server = self._serve_with(place.listeners)

    # --- what the rooms are given ----------------------------------------------------------------

    def _open_state(self) -> State:
        return State(self._config.state / "state.db", busy=BUSY_SECONDS, make=False)

    def _store(self) -> State:
        if self._state is None or self._state.replaced():
            self._state = self._open_state()
        return self._state

    def _open_token(self, token: str, grants: tuple[str, ...], decision: str, at: float) -> str:
        """Keep that a token is opened. In a thread: other than what is read, this waits for the disk."""
        state = State(self._config.state / "state.db", make=False)
        try:
            return state.open_token(token, grants, decision, at)
        finally:
            state.close()

    def _active(self) -> str:
        now = instant()
        standing = in_force(self._store(), now)
        self._expiry.until = now.clock + standing.left
        return standing.name

    def _pilot(self) -> Pilot | None:
        return self._store().pilot()

    def _recall(self, digest: str) -> Compiled:
        return revisions.recall(self._config.state, digest, self._config.apis)

    def _revision(self, compiled: Compiled) -> Revision:
        strength = self._config.audit.strength
        policy = Policy(compiled.bundle, strength, self._distrusted)  # type: ignore[arg-type]  # checked by its settings
        policy.sample(SAMPLE_EVERY)
        devices = Devices(self._config.device, compiled.register, self._postures)
        return Revision(compiled.catalog, policy, devices, asks(compiled.catalog, compiled.bundle))

    def _serve_with(self, listeners: tuple[socket.socket, ...]) -> DataServer:
        config = self._config
        server = data_server(self._port(), config.edge, self._notice, self._gauges)
        context = server_context(config.tls) if config.tls is not None else None
        self._renewal = Renewal(context, config.tls) if context is not None and config.tls is not None else None
        batch = 64 if config.workers == 1 else 8
        for listener in listeners:
            server.accept(Acceptor(listener, server.protocol, self._tally, context=context, batch=batch))
        return server

    def _port(self) -> DataPort:
        config = self._config
        issuers = tuple(issuer.url for issuer in config.identity.issuers)
        return DataPort(
            self._journey,
            pages(config.edge, issuers, self._upstream.jwks(), lambda: not self._server.should_exit)
            | {reveals.PATH: Reveals(self._journey, self._open_token)},
            refusing(config.edge, "not_found"),
            refusing(config.edge, "internal_error"),
            self._notice,
        )

    # --- running ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve until SIGTERM."""
        asyncio.get_running_loop().set_exception_handler(unforeseen(self._notice))
        self._watcher.load(self._tail.last(REMEMBERED))
        self._counting.follow(self._knowledge.current(), time.time())
        self._counting.read_for(AT_START)
        self._upstream.start()
        await self._identity.start()
        self._notice(Notice("worker.started", f"w{self._slot.index}", f"pid {os.getpid()}"))
        ticking = asyncio.create_task(self._look_after())
        ticking.add_done_callback(lambda _: self._leave())
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS, 10, 10)  # a request leaves no cycle behind: there is little to find
        try:
            await self._server.serve(sockets=[])
        finally:
            self._slot.set_ready(False)
            ticking.cancel()
            await asyncio.wait([ticking])
            await self._close()
        if not ticking.cancelled():
            ticking.result()  # raises what ended it: the supervisor tells of it and forks another

    def _leave(self) -> None:
        """A worker that nobody looks after any more (streams, siblings, candidates) must not serve on."""
        self._server.should_exit = True

    async def _close(self) -> None:
        self._tally.tell()
        self._shadow.tell()
        await self._identity.close()
        await self._upstream.close()
        await self._fetch.close()
        if self._discovering is not None:
            self._discovering.close()
        self._ledger.close()
        self._slot.release()

    async def _look_after(self) -> None:
        async with asyncio.TaskGroup() as both:
            both.create_task(self._beat())
            both.create_task(self._tick())
            if self._discovering is not None:
                both.create_task(self._discovering.run())

    async def _beat(self) -> None:
        """Apart from all that may wait for a disk or an issuer: whoever shows no life is killed."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TICK_SECONDS
            await asyncio.sleep(TICK_SECONDS)
            self._show(loop.time() - due)

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        turn = 0
        check_due = 0.0
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._learn_from_siblings()
            self._counting.read_for(EACH_TICK)
            await self._prepare()
            await self._expiry.look(instant().clock)
            await self._streams.look(self._board.any[0])
            turn += 1
            if turn % 10 == 0:
                self._every_second()
            if (began := loop.time()) >= check_due:
                await self._check_sample()
                check_due = began + max(CHECK_PAUSE, (loop.time() - began) / CHECK_SHARE)
            if os.getppid() != self._parent:
                signal.raise_signal(signal.SIGTERM)  # the supervisor is gone: finish and leave

    def _show(self, lag: float) -> None:
        slot = self._slot
        slot.beat(time.time())
        slot.set_ready(self._server.started and not self._server.should_exit and not self._ledger.fault)
        slot.set("connections", self._gauges.connections)
        slot.set("in_flight", self._gauges.in_flight)
        slot.set("loop_lag", max(0.0, lag))
        slot.acknowledge(self._board.any[0])

    def _learn(self, entry: Entry) -> None:
        self._watcher.learn(entry)
        self._counting.learn(entry)

    def _learn_from_siblings(self) -> None:
        self._tail.skip(self._ledger.journal)
        try:
            for entry in self._tail.poll():
                self._learn(entry)
        except OSError as fault:  # a flood took all descriptors: learn later, and do not leave because of it
            self._tally.add("gateway.fault", type(fault).__name__, place(fault))

    async def _prepare(self) -> None:
        digest = revisions.candidate(self._config.state)
        if not digest or self._slot.has_prepared(digest):
            return
        if not self._knowledge.prepared(digest):
            try:
                self._knowledge.prepare(await asyncio.to_thread(self._recall, digest))
            except (Faulty, Damaged, OSError) as fault:
                if self._unprepared != digest:  # told once, tried again: what cannot be read now may be later
                    self._unprepared = digest
                    self._notice(Notice("policy.unprepared", digest[:12], type(fault).__name__))
                return
        self._slot.prepare(digest)

    def _every_second(self) -> None:
        self._tally.tell()
        self._shadow.tell()
        self._knowledge.try_again()
        self._counting.follow(self._knowledge.current(), time.time())
        self._revocations.refresh()  # should a writer have died between its commit and its word
        self._postures.refresh()
        said = self._renewal.check() if self._renewal is not None else None
        if said is not None:
            self._notice(Notice("tls.renewal_failed" if said else "tls.renewed", detail=said))

    async def _judge_again(self, warrant: Warrant) -> str:
        """Whether a stream that was permitted once still is: "" or the reason code."""
        ask = warrant.facts.ask
        revision = self._knowledge.current()
        facts = await self._journey.gather(again(ask), revision)
        return still(warrant.permit, self._shadow.judge_again(revision, facts, warrant.permit.bundle))

    async def _check_sample(self) -> None:
        for policy in self._shadow.policies(self._knowledge.current()):
            differs = await asyncio.to_thread(first_difference, policy)
            if not differs:
                continue
            policy.distrust(policy.bundle.digest)  # a candidate too: it may come into force by another way
            if not self._shadow.withdraws(policy, differs):
                self._notice(Notice("policy.mismatch", policy.bundle.digest, differs))


def first_difference(policy: Policy) -> str:
    """Hold a sampled decision against casbin; "" when both agree."""
    differences = (disagreement(policy.bundle, facts, decision) for facts, decision in policy.samples(1))
    return next(filter(None, differences), "")


def work(config: Config, place: Place) -> None:
    """Be a worker until SIGTERM. Runs in the forked process."""
    sys.setswitchinterval(SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(config, place))


async def _work(config: Config, place: Place) -> None:
    await Worker(config, place).run()
