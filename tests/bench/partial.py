"""What does the journey cost with rooms left out?

The real rooms under uvicorn with the real protocol class, in one process: `pass` reads, forwards and writes;
`identity` also recognises; `policy` also locates and decides; `journal` also records. What is left out is replaced by
one value that was made before. Seals are made by hand here: this is a bench, nothing is protected.

`python -m tests.bench.partial CONFIG LEVEL PORT POLICIES STATE`
"""

import socket
import sys
from pathlib import Path

import uvloop
from msgspec import structs
from starlette.types import Receive, Scope, Send

from gateway.app.revisions import compile_folder
from gateway.app.server import Gauges, data_server
from gateway.audit import Ledger
from gateway.config import Config, load
from gateway.crypto import keys
from gateway.edge import read, write
from gateway.edge.accept import Acceptor
from gateway.edge.door import Tally
from gateway.facts import Ask, Facts, Notice, RawReply, Reason, Reply, Risk, Subject, Warrant
from gateway.identity import Recogniser
from gateway.identity.fetch import Fetcher
from gateway.policy import Policy
from gateway.upstream import Upstream
from tests.literals import a_permit, a_posture, a_subject, an_asset

LEVELS = ("pass", "identity", "policy", "journal")


def nothing(notice: Notice) -> None:
    """Nobody listens."""


class NothingRevoked:
    """Every credential still holds."""

    def refuses(self, subject: Subject) -> Reason | None:
        return None


class Partial:
    """The journey up to a level, as an ASGI application."""

    def __init__(self, config: Config, level: str, policies: Path, state: Path) -> None:
        depth = LEVELS.index(level)
        self._edge = config.edge
        self._upstream = Upstream(config.upstream, keys.load(config.keys / "assertion.key"), nothing)
        self._subject, self._posture, self._asset = a_subject(), a_posture(), an_asset(api="plain", id="plain")
        self._permit, self._risk = a_permit(), Risk(0.0, "normal")
        self._identity = Recogniser(config.identity, NothingRevoked(), Fetcher(), nothing) if depth > 0 else None
        self._catalog = self._policy = self._ledger = None
        if depth > 1:
            compiled = compile_folder(policies, config.apis, 0.0)
            self._catalog, self._policy = compiled.catalog, Policy(compiled.bundle)
        if depth > 2:
            settings = structs.replace(config.audit, directory=state)
            self._ledger = Ledger(settings, "w1", keys.read_private(config.keys / "object.key"))

    async def start(self) -> None:
        """Begin what runs beside requests."""
        self._upstream.start()
        if self._identity is not None:
            await self._identity.start()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one request; anything unexpected raises, and the figures are void."""
        ask = read(scope, receive, self._edge)
        assert isinstance(ask, Ask), ask
        warrant = await self._permitted(await self._facts(ask))
        raw = await self._upstream.forward(ask, warrant)
        assert isinstance(raw, RawReply), raw
        outcome = await write(ask, Reply(raw.status, raw.headers, raw.body, raw.length, waited=raw.waited), send)
        if self._ledger is not None:
            self._ledger.conclude(warrant.id, outcome)

    async def _facts(self, ask: Ask) -> Facts:
        subject = self._subject if self._identity is None else await self._identity.recognise(ask)
        asset = self._asset if self._catalog is None else self._catalog.locate(ask)
        return Facts(ask, subject, self._posture, self._risk, asset)

    async def _permitted(self, facts: Facts) -> Warrant:
        assert facts.subject.rejection is None, facts.subject.rejection
        decision = self._permit if self._policy is None else self._policy.decide(facts)
        if self._ledger is None:
            return Warrant("20260921T133320-w0-abc123.7", facts, decision)
        verdict = await self._ledger.commit(facts, decision)
        assert isinstance(verdict, Warrant), verdict
        return verdict


async def serve(config: Config, level: str, port: int, policies: Path, state: Path) -> None:
    """Serve until SIGTERM."""
    application = Partial(config, level, policies, state)
    await application.start()
    server = data_server(application, config.edge, nothing, Gauges())
    listener = socket.create_server(("127.0.0.1", port), backlog=2048)
    server.accept(Acceptor(listener, server.protocol, Tally(nothing)))
    await server.serve(sockets=[])


if __name__ == "__main__":
    file, level, port, policies, state = sys.argv[1:]
    uvloop.run(serve(load(Path(file), {}), level, int(port), Path(policies), Path(state)))
