"""How do new connections come in, fairly and in bounded number?

uvloop accepts one connection per turn of its loop: under a storm of new connections the
queue of the listening socket starves (measured: p99 over 4 s). So the socket is drained
here, up to `batch` connections each time it is readable. Rules:

1. A worker that shares the socket takes few at once, so that the others get their share.
2. A failed TLS handshake is told with the caller's address and the cause, never silence, and counted like
   all that is turned away: a flood of them makes few notices.
3. Out of file descriptors is not out of service: wait a moment, then go on.
4. A connection that is ready only after `stop` is told to end like all others: else its caller keeps the
   worker from leaving for as long as it goes on asking.
5. Handshakes under way are bounded: they are no guests at the door yet, and who opens connections and says
   nothing would take all descriptors. The longest under way gives way to a newcomer.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from gateway.edge.door import Tally

PAUSE_SECONDS = 0.05
HANDSHAKES = 512


@runtime_checkable
class Drainable(Protocol):
    """A connection that can be told to end."""

    def shutdown(self) -> None:
        """Finish what is begun, then close."""


class Acceptor:
    """Takes connections from one listening socket and gives each a protocol of its own."""

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        tally: Tally,
        *,
        context: ssl.SSLContext | None = None,
        batch: int = 64,
        handshake_seconds: float = 10.0,
        handshakes: int = HANDSHAKES,
    ) -> None:
        self._listener = listener
        self._protocol = protocol
        self._tally = tally
        self._context = context
        self._batch = batch
        self._handshake_seconds = handshake_seconds
        self._handshakes = handshakes
        self._loop: asyncio.AbstractEventLoop | None = None
        self._joining: dict[asyncio.Task[None], None] = {}  # the longest under way first

    def start(self) -> None:
        """Begin to accept on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._listener.setblocking(False)
        self._loop.add_reader(self._listener.fileno(), self._drain)

    def stop(self) -> None:
        """Accept nothing more; the socket itself stays open for the other workers."""
        if self._loop is not None:
            self._loop.remove_reader(self._listener.fileno())
            self._loop = None

    def _drain(self) -> None:
        for _ in range(self._batch):
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # EMFILE, ENFILE, ENOBUFS, ENOMEM
                self._pause(error)
                return
            self._join(connection)

    def _pause(self, error: OSError) -> None:
        self._tally.add("edge.accept_paused", "", error.strerror or "")
        loop = self._loop
        if loop is not None:
            loop.remove_reader(self._listener.fileno())
            loop.call_later(PAUSE_SECONDS, self._resume)

    def _resume(self) -> None:
        if self._loop is not None:
            self._loop.add_reader(self._listener.fileno(), self._drain)

    def _join(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        if connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._handshake(loop, connection))
        self._joining[task] = None
        task.add_done_callback(self._joined)
        if self._context is not None and len(self._joining) > self._handshakes:
            longest = next(iter(self._joining))
            del self._joining[longest]
            longest.cancel()

    def _joined(self, task: asyncio.Task[None]) -> None:
        self._joining.pop(task, None)

    async def _handshake(self, loop: asyncio.AbstractEventLoop, connection: socket.socket) -> None:
        seconds = self._handshake_seconds if self._context is not None else None
        source = _address(connection)
        try:
            _, protocol = await loop.connect_accepted_socket(
                self._protocol, connection, ssl=self._context, ssl_handshake_timeout=seconds
            )
        except (OSError, asyncio.CancelledError) as error:  # ssl.SSLError and TimeoutError are OSErrors
            with contextlib.suppress(OSError):
                connection.close()
            if self._context is not None:
                self._tally.add("tls.handshake_failed", source, _cause(error))
            if isinstance(error, asyncio.CancelledError):
                raise
        else:
            if self._loop is None and isinstance(protocol, Drainable):
                protocol.shutdown()  # accepted just before the worker began to drain, which told all but this one


def _address(connection: socket.socket) -> str:
    try:
        peer = connection.getpeername()
    except OSError:
        return ""
    return str(peer[0]) if isinstance(peer, tuple) else ""


def _cause(error: OSError | asyncio.CancelledError) -> str:
    if isinstance(error, asyncio.CancelledError):
        return "gave way"
    if isinstance(error, ssl.SSLError):
        return (error.reason or "tls error").lower().replace("_", " ")
    return "timeout" if isinstance(error, TimeoutError) else "connection lost"
