"""How does one connection of HTTP/1.1 stay honest?

An `asyncio.Protocol` for uvicorn's `http=` seam. It frames requests, keeps their time, bounds what
they take, and starts the ASGI application once for each. Rules:

1. One request at a time; what a caller sends ahead is held, up to a limit, and answered in order.
2. What has arrived of a body is checked before the application is started, so that broken framing
   is answered 400 and reaches nobody.
3. After anything doubtful the answer is the last one: the connection is closed, but only after the
   caller had a moment to read it (a reset would take it away).
4. Every wait for a caller has a deadline: head, body, next request, reading the answer, closing.
5. An answer that cannot be finished is cut with a reset, so that no end looks like its end.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from functools import lru_cache
from math import inf
from os import urandom
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, cast
from urllib.parse import unquote

from gateway.edge.door import Door, Gauges
from gateway.edge.exchange import BUFFER_MAX, App, Exchange, status_line
from gateway.edge.framing import END, Chunked, Counted, Head, HeadReader, Malformed
from gateway.edge.refusal import turn_away
from gateway.edge.settings import Settings
from gateway.facts import Notice, Unreadable

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

LINGER_SECONDS = 2.0
LINGER_BYTES = 4 * 1024 * 1024
DRAIN_IDLE_SECONDS = 1.0
HALF_OPEN_SECONDS = 5.0
"""An answer is silent so long at most for a caller who may be gone; what is sent to one who is tells it."""
DAWDLE_SECONDS = 1.0  # a head that is not complete after so long does not keep a newcomer out
_ASGI = {"version": "3.0", "spec_version": "2.4"}
_ID = "\x01" * 20  # where the id of a request will stand; nothing else in an answer looks like it
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close with a reset


# what the connection waits for; plain numbers, because reading an enum member costs 0.09 µs, ten times a name
HEAD: Final = 0  # a request head, or its rest
BODY: Final = 1  # the rest of a request body
BUSY: Final = 2  # the answer of the application
LAST: Final = 3  # the caller, to take the last answer and hang up


def protocol_class(settings: Settings, notice: Callable[[Notice], None], gauges: Gauges) -> "type[GatewayProtocol]":
    """The protocol class of one worker: its connections share limits, gauges and notices."""

    class Bound(GatewayProtocol):
        __slots__ = ()
        door = Door(settings, notice, gauges)

    return Bound


class GatewayProtocol(asyncio.Protocol):
    """One connection."""

    __slots__ = (
        "_app", "_body", "_body_until", "_client", "_drain", "_exchange", "_extensions", "_held", "_left_behind",
        "_loop", "_peer_done", "_reader", "_reading", "_scheme", "_server", "_stage", "_state", "_transport", "_worker",
        "deadline", "keep_alive", "write_deadline", "write_paused",
    )  # fmt: skip
    door: ClassVar[Door]

    def __init__(
        self,
        config: "Config",
        server_state: "ServerState",
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        if not config.loaded:
            config.load()
        self._app: App = config.loaded_app
        self._worker = server_state
        self._state = app_state
        self._loop = _loop or asyncio.get_running_loop()
        self._reader = HeadReader(self.door.limits)
        self._stage: int = HEAD
        self._held = b""
        self._exchange: Exchange | None = None
        self._body: Counted | Chunked | None = None
        self._body_until = inf
        self._drain: asyncio.Future[None] | None = None
        self._reading = True
        self._peer_done = False
        self._left_behind = 0
        self.keep_alive = True
        self.write_paused = False
        self.deadline = inf
        self.write_deadline = inf

    # --- the transport's side ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller is there."""
        self._transport = cast(asyncio.Transport, transport)
        self._client = _address(transport.get_extra_info("peername"))
        self._server = _address(transport.get_extra_info("sockname"))
        tls = transport.get_extra_info("ssl_object")
        self._scheme = "https" if tls is not None else "http"
        self._extensions: dict[str, Any] = {}
        if tls is not None:
            certificate = tls.getpeercert(binary_form=True)
            self._extensions = {"tls": {"client_cert_der": certificate, "version": tls.version()}}
        self._worker.connections.add(self)  # type: ignore[arg-type]  # uvicorn names its own classes
        why = self.door.enter(self, self._loop, self._source())
        if why:
            self._one_too_many(why)
        else:
            self.deadline = self.door.after(self.door.limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed, by whom ever."""
        self.door.leave(self)
        self._worker.connections.discard(self)
        self._stage = LAST
        self._reader.close()
        if self._exchange is not None:
            self._exchange.leave()
            self._exchange = None
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Bytes have arrived."""
        stage = self._stage
        if stage == HEAD:
            self._take_head(data)
        elif stage == BODY:
            self._take_body(data)
        elif stage == BUSY:
            self._hold(data)
        else:
            self._discard(len(data))

    def eof_received(self) -> bool | None:
        """The caller sends nothing more; it may still wait for its answer (not over TLS)."""
        self._peer_done = True
        self.keep_alive = False
        if self._stage == HEAD and self._held:
            self._refuse("bad_framing")
        elif self._stage == BODY:
            self._break("body_incomplete")
        elif self._exchange is not None:
            self._exchange.fail("client_gone")  # perhaps: it looks the same when the caller is gone for good
            self._exchange.release()  # so its work goes on, but takes no place from those who are surely there
            begun = self._exchange.begun
            self.deadline = self.door.after(HALF_OPEN_SECONDS if begun else self.door.limits.body_seconds)
        return self._exchange is not None and self._scheme == "http"

    def pause_writing(self) -> None:
        """The caller reads more slowly than we write."""
        self.write_paused = True
        self.write_deadline = self.door.after(self.door.limits.write_idle_seconds)

    def resume_writing(self) -> None:
        """The caller has caught up, or is gone."""
        self.write_paused = False
        self.write_deadline = inf
        drain, self._drain = self._drain, None
        if drain is not None and not drain.done():
            drain.set_result(None)
        if self._stage == BUSY and self._exchange is None:
            self._next()

    # --- the door's and uvicorn's side -------------------------------------------------------

    def overdue(self, now: float) -> None:
        """A deadline has passed."""
        if self.write_deadline <= now:
            self.door.tally.add("edge.refused", self._source(), "client_gone")
            self._cut()
        elif self._stage == LAST and not self._transport.is_closing():
            self._close()
        elif self._stage == BUSY and self.write_paused:
            self.deadline = self.write_deadline  # it is there, and reads slowly
        elif self._stage in (BUSY, LAST):
            self._cut()
        elif self._stage == BODY:
            self._break("request_timeout")
        elif self._held:
            self._refuse("request_timeout")
        else:
            self._close()

    def cut_off(self) -> None:
        """Others need the memory that this answer takes: its caller has been reading it for the longest."""
        self.door.tally.add("edge.shed", self._source(), "slow_reader")
        self._cut()

    def give_way(self) -> bool:
        """Close when nothing is under way, or nothing that comes on: a newcomer needs the place."""
        if self._stage == LAST:  # it was told why; a full house of those who do not hang up must not stay full
            gives = not (self._transport.is_closing() or self._transport.get_write_buffer_size())
        else:
            gives = self._stage == HEAD and not (self._held and self._since_head_began() < DAWDLE_SECONDS)
        if gives:
            if self._held:
                self.door.tally.add("edge.refused", self._source(), "request_timeout")
                self._answer("request_timeout")
            self._close()
        return gives

    def _since_head_began(self) -> float:
        return self.door.after(self.door.limits.header_seconds) - self.deadline

    def shutdown(self) -> None:
        """The worker drains: finish what is begun, take one more request that may be on its way, then close."""
        self.keep_alive = False
        if self._stage == HEAD and not self._held:
            self.deadline = min(self.deadline, self.door.after(DRAIN_IDLE_SECONDS))

    # --- requests ----------------------------------------------------------------------------

    def _take_head(self, data: bytes) -> None:
        held = self._held
        if held:
            start = max(len(held) - 3, 0)
            data, self._held = held + data, b""
        else:
            start = 0
        end = data.find(END, start) + len(END)
        try:
            if end < len(END):
                self._wait_for_head(data, not held)
                return
            if end > self.door.limits.header_bytes:
                self._reader.request_line(data[: data.find(b"\r\n")])
                raise Malformed("headers_too_large")
            head = self._reader.read(data[:end] if end < len(data) else data)
        except Malformed as fault:
            self._refuse(fault.code)
            return
        self._begin(head, data[end:])

    def _wait_for_head(self, data: bytes, fresh: bool) -> None:
        self._reader.check_start(data)
        self._held = data
        if fresh:
            self.deadline = self.door.after(self.door.limits.header_seconds)

    def _begin(self, head: Head, rest: bytes) -> None:
        if not head.keep_alive:
            self.keep_alive = False
        if head.length == 0:
            self._stage = BUSY
            self.deadline = inf
            self._held = rest  # at most what one read gave
            if self.door.full():
                self._shed(head)
                return
            exchange = self._exchange = Exchange(self, head, self._loop, self.door.gauges)
            exchange.complete = True
        else:
            exchange = self._exchange = Exchange(self, head, self._loop, self.door.gauges)
            self._await_body(head, rest)
            if exchange.closed:
                return
            if self.door.full():
                self._shed(head)
                return
        exchange.start(self._app, self._scope(head), self._worker.tasks)

    def _await_body(self, head: Head, rest: bytes) -> None:
        limits = self.door.limits
        self._body = Chunked(limits) if head.length is None else Counted(head.length)
        self._body_until = self.door.after(limits.body_seconds)
        self._stage = BODY
        if rest:
            self._take_body(rest)
        else:
            self._expect_more_body()

    def _take_body(self, data: bytes) -> None:
        exchange, body = self._exchange, self._body
        if exchange is None or body is None:
            return
        try:
            piece, rest = body.feed(data)
        except Malformed as fault:
            self._break(fault.code)
            return
        exchange.feed(piece, rest is not None)
        if rest is not None:
            self._await_answer(rest)
        else:
            self._expect_more_body()

    def _expect_more_body(self) -> None:
        exchange = self._exchange
        if exchange is not None and exchange.buffered > BUFFER_MAX:
            self._read(False)
            self.deadline = self._body_until  # the caller waits for us, not we for it
        else:
            self.deadline = min(self.door.after(self.door.limits.body_idle_seconds), self._body_until)

    def _await_answer(self, rest: bytes) -> None:
        self._stage = BUSY
        self._body = None
        self.deadline = inf
        if rest:
            self._hold(rest)

    def _hold(self, data: bytes) -> None:
        """Keep what was sent ahead; stop listening when it is more than one head."""
        self._held += data
        if len(self._held) > self.door.limits.header_bytes:
            self._read(False)

    def _scope(self, head: Head) -> dict[str, Any]:
        path, _, query = head.target.partition(b"?")
        text = path.decode("latin-1")
        return {
            "type": "http",
            "asgi": _ASGI,
            "http_version": head.version,
            "method": head.method,
            "scheme": self._scheme,
            "path": unquote(text) if "%" in text else text,
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": head.headers,
            "client": self._client,
            "server": self._server,
            "state": self._state.copy(),
            "extensions": self._extensions,
        }

    # --- the exchange's side -----------------------------------------------------------------

    def write(self, data: bytes | memoryview) -> None:
        """Hand bytes to the transport."""
        if self._peer_done:
            self.deadline = self.door.after(HALF_OPEN_SECONDS)
        self._transport.write(data)

    async def drained(self) -> None:
        """Wait until the transport wants more, or the connection is lost."""
        while self.write_paused:
            if self._drain is None:
                self._drain = self._loop.create_future()
            await self._drain

    def owes(self, size: int) -> None:
        """So many bytes of an answer wait until the caller has taken them."""
        if size:
            self.door.backlog.begin(self, size, self.door.now)
        else:
            self.door.backlog.end(self)

    def common_headers(self) -> bytes:
        """What uvicorn adds to every answer (the date), as it goes on the wire."""
        fields = self._worker.default_headers
        if fields is not self.door.common[0]:  # uvicorn replaces the list once a second
            self.door.common = (fields, b"".join([b"%b: %b\r\n" % field for field in fields]))
        return self.door.common[1]

    def body_taken(self) -> None:
        """There is room for more of the request body."""
        if not self._reading and self._stage == BODY:
            self._read(True)
            self._expect_more_body()

    def finished(self) -> None:
        """The answer is complete: on to the next request, or hang up."""
        self._worker.total_requests += 1
        self._exchange = None
        if self._stage == BODY:
            self._last_answer()  # the rest of a body nobody wants must not be read as a request
        elif not self.keep_alive:
            self._last_answer() if self._held else self._close()
        else:
            self._next()

    def unfinished(self, begun: bool) -> None:
        """The application is done, its answer is not."""
        if self._exchange is None:
            return
        if begun:
            self._cut()
        else:
            self._answer("internal_error")
            self._last_answer()

    def _next(self) -> None:
        if self.write_paused:  # answers that nobody reads must not pile up: the next waits until these are taken
            self._stage = BUSY
            return
        self._stage = HEAD
        self.deadline = self.door.now + self.door.keep_alive
        if not self._reading:
            self._read(True)
        if self._held:
            data, self._held = self._held, b""
            self._take_head(data)

    # --- endings -----------------------------------------------------------------------------

    def _refuse(self, code: str) -> None:
        """Answer a request that cannot be read, as the last one."""
        self.door.tally.add("edge.refused", self._source(), code)
        self._answer(code)
        self._last_answer()

    def _break(self, code: str) -> None:
        """The request body will never be complete. An answer that has begun may still end."""
        exchange = self._exchange
        if exchange is None:
            return
        self.keep_alive = False
        if exchange.begun:
            self.door.tally.add("edge.refused", self._source(), code)
            exchange.fail(code)
            self._read(False)
            self._stage, self._held, self.deadline = BUSY, b"", inf
        else:
            exchange.why = code
            self._refuse(code)

    def _shed(self, head: Head) -> None:
        """Too much work at the moment: say so without starting anything."""
        self.door.tally.add("edge.shed", "", "in_flight")
        stays = self.keep_alive and self._stage == BUSY
        self.keep_alive = stays
        self._answer("overloaded", head)
        if not stays:
            self._last_answer()
        elif self._held:
            self._loop.call_soon(self._next_unless_last)  # not deeper and deeper for what was sent ahead
        else:
            self._next()

    def _next_unless_last(self) -> None:
        if self._stage == BUSY and self._exchange is None:
            self._next()

    def _one_too_many(self, why: str) -> None:
        self.door.tally.add("edge.shed", self._source() if why == "address" else "", why)
        if self.door.crowded():
            self._cut()
        else:
            self.keep_alive = False
            self._answer("overloaded")
            self._last_answer()

    def _answer(self, code: str, head: Head | None = None) -> None:
        """Write a refusal ourselves; the application, if it runs, finds the exchange closed."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            head = exchange.head
            exchange.close(code)
            exchange.release()
        accepted = dict(head.headers).get(b"accept-language", b"") if head is not None else b""
        language: Literal["zh-CN", "en"] = "zh-CN" if accepted[:2].lower() == b"zh" else "en"
        last = not self.keep_alive or self._stage != BUSY
        silent = head is not None and head.method == "HEAD"
        pieces = _refusal(code, language, last, silent, self.common_headers(), self.door.settings.public_url)
        self._transport.write(urandom(10).hex().encode("ascii").join(pieces))

    def _last_answer(self) -> None:
        """Let the caller read what we said, take no more from it, then close."""
        self._stage, self._held, self._body = LAST, b"", None
        pending = self._transport.get_write_buffer_size()
        self.deadline = self.door.after(self.door.limits.write_idle_seconds if pending else LINGER_SECONDS)
        if self._peer_done:
            self._transport.close()
            return
        self._read(True)
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def _discard(self, size: int) -> None:
        self._left_behind += size
        if self._left_behind > LINGER_BYTES:
            self._cut()

    def _close(self) -> None:
        """Close once all is written; a caller that does not read is cut off when that takes too long."""
        self._stage = LAST
        self.deadline = self.door.after(self.door.limits.write_idle_seconds)
        self._transport.close()

    def _cut(self) -> None:
        """Close now, with a reset: whatever was not finished must not look finished."""
        self._stage = LAST
        self.deadline = inf
        sock = self._transport.get_extra_info("socket")
        if sock is not None and sock.family != getattr(socket, "AF_UNIX", None):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    # --- small things ------------------------------------------------------------------------

    def _read(self, on: bool) -> None:
        if self._reading is not on and not self._transport.is_closing():
            self._reading = on
            (self._transport.resume_reading if on else self._transport.pause_reading)()

    def _source(self) -> str:
        return self._client[0] if self._client is not None else ""


@lru_cache(maxsize=64)
def _refusal(
    code: str, language: Literal["zh-CN", "en"], last: bool, silent: bool, common: bytes, public_url: str
) -> list[bytes]:
    """A refusal as it goes on the wire, in the pieces between which its id stands."""
    reply = turn_away(Unreadable(_ID, 0.0, code, "", language=language), Settings(public_url=public_url))
    lines = [part for name, value in reply.headers for part in (name, b": ", value, b"\r\n")]
    lines += (b"x-request-id: ", _ID.encode(), b"\r\nx-content-type-options: nosniff\r\n")
    if last:
        lines.append(b"connection: close\r\n")
    body = b"" if silent or not isinstance(reply.body, bytes) else reply.body
    return b"".join((status_line(reply.status), common, *lines, b"\r\n", body)).split(_ID.encode())


def _address(name: Any) -> tuple[str, int] | None:
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) and len(name) >= 2 else None
