"""How does a worker accept, serve and stop?

uvicorn's loop and its care for connections, under our own protocol and our own way of accepting. On SIGTERM nothing more is
accepted, what is in flight is finished, and the process goes on to close its journal.
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from gateway.edge import Settings
from gateway.edge.accept import Acceptor
from gateway.edge.protocol import protocol_class
from gateway.facts import Notice


class Gauges:
    """What the protocol class counts and the board shows."""

    __slots__ = ("connections", "in_flight", "queued")

    def __init__(self) -> None:
        self.connections = 0
        self.in_flight = 0
        self.queued = 0


class DataServer(uvicorn.Server):
    """uvicorn with acceptors in place of its listeners."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._acceptors: list[Acceptor] = []

    def accept(self, acceptor: Acceptor) -> None:
        """Accept by this as well, from the start on."""
        self._acceptors.append(acceptor)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start without uvicorn's listeners, then accept."""
        await super().startup(sockets=[])
        for acceptor in self._acceptors:
            acceptor.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing more, finish what is in flight."""
        for acceptor in self._acceptors:
            acceptor.stop()
        await super().shutdown(sockets=[])

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal. uvicorn would raise it once more at the end, and die of it with its journal open."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    def protocol(self) -> asyncio.Protocol:
        """The protocol of one new connection."""
        made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]  # as uvicorn itself calls it
            config=self.config, server_state=self.server_state, app_state={}
        )
        return made


def data_server(application: ASGIApp, edge: Settings, notice: Callable[[Notice], None], gauges: Gauges) -> DataServer:
    """A server for this application; it accepts nothing yet."""
    return DataServer(
        uvicorn.Config(
            application,
            http=protocol_class(edge, notice, gauges),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=int(edge.limits.drain_seconds),
        )
    )
