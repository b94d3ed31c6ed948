"""How does one exchange go over one connection, and may the connection be used again?

A `Connection` carries one request at a time. Rules:

1. Bytes that nobody asked for end the connection: an answer must never reach the next question.
2. It goes back to its owner only when the request was fully sent and the answer was read to its exact
   end. Everything else closes it.
3. A request that cannot be completed is broken off, so that it never looks complete to the service.
4. It holds no timer: its owner calls `tick` now and then, and time is charged to whom we wait for.
5. A small body whose length is known is gathered before the answer is given out: one that breaks off
   is then a clean refusal instead of a cut reply.
"""

import asyncio
import select
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Protocol

from gateway.facts import BodyBroken, BodyFailed, Fault
from gateway.upstream.reader import Malformed, ResponseReader
from gateway.upstream.settings import Timeouts
from gateway.upstream.trust import Watched

SMALL_BODY = 65536  # bytes that are gathered before the answer is given out
HIGH_WATER = 131072  # bytes of a streamed body that wait for the caller before reading stops


class Owner(Protocol):
    """Where connections come from and go back to."""

    def release(self, connection: "Connection") -> None:
        """It is clean and free."""

    def forget(self, connection: "Connection") -> None:
        """It is no more."""


class Stream:
    """The body of an answer, piece by piece. Read it to its end or call `aclose()`."""

    __slots__ = ("_buffered", "_connection", "_fault", "_reader", "_wake")

    def __init__(self, connection: "Connection", reader: ResponseReader, buffered: int) -> None:
        self._connection = connection
        self._reader = reader
        self._buffered = buffered
        self._fault: Fault | None = None
        self._wake: asyncio.Future[None] | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """The next piece. Raises BodyFailed when the service broke off or took too long."""
        while not self._reader.pieces:
            if self._reader.complete:
                raise StopAsyncIteration
            if self._fault is not None:
                raise BodyFailed(self._fault.code, self._fault.detail)
            await self._more()
        self._buffered = 0
        data = self._reader.take()
        if not self._reader.complete and self._fault is None:
            self._connection.resume()
        return data

    async def _more(self) -> None:
        self._wake = asyncio.get_running_loop().create_future()
        try:
            await self._wake
        finally:
            self._wake = None

    async def aclose(self) -> None:
        """Nobody wants the rest: the connection goes with it."""
        self._connection.abandon(self._reader, "the reply was not read to its end")

    def arrived(self, size: int) -> bool:
        """Bytes have come; false when reading must stop until they are taken."""
        self._buffered += size
        self._rouse()
        return self._buffered <= HIGH_WATER

    def ended(self, fault: Fault | None) -> None:
        """No more will come."""
        self._fault = fault
        self._rouse()

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


Answer = Stream | Fault | None
"""A body to come, what went wrong, or None: the whole body is in the reader."""


class Connection(asyncio.Protocol):
    """One connection to a service."""

    __slots__ = (
        "_age",
        "_answer",
        "_gate",
        "_grace",
        "_limits",
        "_look",
        "_loop",
        "_owner",
        "_paused",
        "_quiet",
        "_reader",
        "_stream",
        "_transport",
        "_upload",
        "gone",
        "used",
    )
    _transport: asyncio.Transport

    def __init__(self, owner: Owner, limits: Timeouts, grace: float, sock: socket.socket) -> None:
        self._owner = owner
        self._limits = limits
        self._grace = grace  # how far apart ticks are
        self._loop = asyncio.get_running_loop()
        self._look = select.poll()
        self._look.register(sock, select.POLLIN)
        self._reader: ResponseReader | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._stream: Stream | None = None
        self._upload: asyncio.Task[None] | None = None
        self._gate: asyncio.Future[None] | None = None
        self._paused = self.used = False
        self.gone = True
        self._quiet = self._age = 0.0

    # --- asking --------------------------------------------------------------------------------

    def ready(self) -> bool:
        """Whether a request may be sent: open, and nothing waits in the socket (neither an end nor stray bytes)."""
        return not self.gone and not self._look.poll(0)

    def send(self, request: bytes, reader: ResponseReader, body: Watched | None = None) -> "asyncio.Future[Answer]":
        """Send a request; `body` is streamed after it when it is not part of it already."""
        answer: asyncio.Future[Answer] = self._loop.create_future()
        if self.gone:  # closed between being opened and being used: nobody would ever tell
            answer.set_result(Fault("upstream_reset", "the service closed the connection before it was asked"))
            return answer
        self._reader, self._answer = reader, answer
        self._quiet = -self._grace
        self._age = 0.0
        self._transport.write(request)
        if body is not None:
            self._upload = self._loop.create_task(self._send_body(body))
            self._upload.add_done_callback(self._upload_ended)
        return answer

    async def _send_body(self, body: Watched) -> None:
        try:
            await self._send_pieces(body, body.length)
        finally:
            await body.aclose()

    async def _send_pieces(self, body: Watched, length: int | None) -> None:
        sent = 0
        async for chunk in body:
            if not chunk:  # an empty chunk would end the body
                continue
            sent += len(chunk)
            if length is None:
                self._transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            elif sent > length:  # what is too much would be read as another request
                raise BodyBroken("body_incomplete")
            else:
                self._transport.write(chunk)
            if self._gate is not None:
                await self._gate
        if length is None:
            self._transport.write(b"0\r\n\r\n")
        elif sent < length:
            raise BodyBroken("body_incomplete")

    def _upload_ended(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if task is not self._upload:
            return
        self._upload = None
        self._quiet = -self._grace
        if task.cancelled():
            self.fail("client_gone", "sending the request was cancelled")
        elif error is not None:
            code = error.code if isinstance(error, BodyBroken | BodyFailed) else "internal_error"
            self.fail(code, "the request body broke off")

    # --- hearing -------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Read what came."""
        reader = self._reader
        if reader is None:
            self.abort()  # rule 1
            return
        try:
            reader.feed(data)
        except Malformed as error:
            self.fail("upstream_malformed", str(error))
            return
        if reader.headed:
            self._quiet = -self._grace  # before the head every byte would let a drip go on
            self._give(reader, len(data))

    def _give(self, reader: ResponseReader, size: int) -> None:
        if self._stream is not None:
            if not self._stream.arrived(size) and not reader.complete:
                self._pause()
        elif reader.complete:
            self._resolve(None)
        elif reader.length is None or reader.length > SMALL_BODY:
            self._stream = Stream(self, reader, size)
            self._resolve(self._stream)
        if reader.complete:
            self._finish(reader)

    def _resolve(self, answer: Answer) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    def _finish(self, reader: ResponseReader) -> None:
        self._reader = self._answer = self._stream = None
        if self._paused:
            self.resume()
        unsent = self._upload is not None or self._transport.get_write_buffer_size()
        if unsent or not reader.reusable or self._transport.is_closing():
            self.abort()  # rule 2; an answer may come before the request was all sent
            return
        self.used = True
        self._quiet = -self._grace
        self._owner.release(self)

    # --- ending --------------------------------------------------------------------------------

    def fail(self, code: str, detail: str) -> None:
        """Break the exchange off; whoever waits for it is told why."""
        stream = self._stream
        fault = Fault(code, detail)
        self._resolve(fault)
        self._reader = self._answer = self._stream = None
        if stream is not None:
            stream.ended(fault)
        self.abort()

    def abandon(self, reader: ResponseReader, why: str) -> None:
        """Nobody wants this answer any more. When it is already complete, the connection serves another by now."""
        if self._reader is reader:
            self.fail("client_gone", why)

    def abort(self) -> None:
        """Close without a word."""
        self.gone = True
        upload, self._upload = self._upload, None
        if upload is not None:
            upload.cancel()
        self._transport.abort()

    def eof_received(self) -> None:
        """The service closed its side: the end of a body that has no length, or a broken one."""
        reader = self._reader
        self.gone = True
        if reader is not None and self._said_goodbye() and reader.finish():
            if self._stream is not None:
                self._stream.ended(None)
            self._resolve(None)
            self._finish(reader)

    def _said_goodbye(self) -> bool:
        """Over TLS a FIN may be anyone's: only close_notify ends a body that has no length (RFC 9112 section 9.8)."""
        tls = self._transport.get_extra_info("ssl_object")
        if tls is None:
            return True
        try:
            return not tls.read(1)
        except ssl.SSLZeroReturnError:
            return True
        except ssl.SSLError:  # it still waits for a record
            return False

    def connection_lost(self, error: Exception | None) -> None:
        """Nothing comes any more."""
        self.gone = True
        if self._reader is not None:
            self.fail("upstream_reset", str(error) if error else "the service closed the connection")
        self._owner.forget(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready to be used."""
        self._transport = transport  # type: ignore[assignment] # create_connection makes no other kind
        self.gone = False

    # --- flow and time -------------------------------------------------------------------------

    def pause_writing(self) -> None:
        """The service reads slowly."""
        self._gate = self._loop.create_future()
        self._quiet = -self._grace

    def resume_writing(self) -> None:
        """The service has read on."""
        gate, self._gate = self._gate, None
        if gate is not None and not gate.done():
            gate.set_result(None)

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """The caller has taken what was there."""
        if self._paused:
            self._paused = False
            self._quiet = -self._grace
            if not self._transport.is_closing():
                self._transport.resume_reading()

    def tick(self, elapsed: float) -> None:
        """This much time has passed: end what has taken too long."""
        self._quiet += elapsed
        if self._reader is None:
            if self._quiet > self._limits.keep_alive:
                self.abort()
            return
        self._age += elapsed
        limit = self._limit(self._reader)
        if self._age > self._limits.total:
            self.fail("upstream_timeout", f"not finished after {self._limits.total:g} s")
        elif limit is None:
            self._quiet = 0.0
        elif self._quiet > limit:
            self.fail("upstream_timeout", f"silent for {limit:g} s")

    def _limit(self, reader: ResponseReader) -> float | None:
        """How long the service may be silent now; None while we wait for the caller instead."""
        if self._paused or (self._upload is not None and self._gate is None):
            return None
        return self._limits.idle if reader.headed or self._gate is not None else self._limits.first_byte
