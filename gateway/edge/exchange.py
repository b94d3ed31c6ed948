"""How does one request meet the application, and how does its answer get out?

The ASGI side of one request. Rules:

1. The framing of the answer is decided here, from what the application says it sends. An answer that
   is longer or shorter than announced cuts the connection: a desync would hand it to the next caller.
2. Head and first piece leave in one write; a head that waits for its first piece leaves with the next
   turn of the loop when it may be a long wait.
3. A name or value with CR, LF or NUL never leaves: response splitting ends here (CWE-113).
4. A request holds one of the worker's places while it is worked on. It gives the place back while it
   waits for its own caller and once its answer begins, so slow callers cannot use the places up.
5. Work for a caller who has left is stopped, also when its answer has begun: callers who ask a slow service and hang up,
   again and again, would fill all places, or hold all connections to that service, without a single one of their own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any, Protocol

from gateway.edge.door import Gauges
from gateway.edge.framing import Head

Message = MutableMapping[str, Any]
App = Callable[[Any, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

NUL, LF, CR = 0, 10, 13  # as numbers: three times as fast to look for as bytes
SLICE = 131072  # a large piece is handed to the transport in slices, so that back-pressure works inside it
BUFFER_MAX = 65536  # request body that has arrived and was not yet taken
_USUAL = (
    "accept-ranges", "cache-control", "content-disposition", "content-encoding", "content-language", "content-type",
    "etag", "expires", "last-modified", "location", "vary", "x-content-type-options", "x-gateway-decision",
    "x-request-id",
)  # fmt: skip
_STARTS: dict[bytes, bytes] = {name.encode(): f"{name}: ".encode() for name in _USUAL}
_OURS = frozenset((b"content-length", b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"trailer"))
_NO_BODY = frozenset((204, 304))
_STATUS: dict[int, bytes] = {
    **{code: b"HTTP/1.1 %d \r\n" % code for code in range(100, 600)},
    **{status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus},
}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Gone(ConnectionError):
    """The caller is gone; ASGI 2.4 wants an OSError from `send` then."""


class Line(Protocol):
    """The connection as its exchange sees it."""

    keep_alive: bool
    write_paused: bool

    def write(self, data: bytes | memoryview) -> None:
        """Hand bytes to the transport."""

    def drained(self) -> Awaitable[None]:
        """Wait until the transport wants more; returns also when the connection is lost."""

    def owes(self, size: int) -> None:
        """So many bytes of a long answer wait for the caller; 0: none any more."""

    def common_headers(self) -> bytes:
        """Headers of every answer, as they go on the wire."""

    def body_taken(self) -> None:
        """The application took what had arrived of the request body."""

    def finished(self) -> None:
        """The answer is complete."""

    def unfinished(self, begun: bool) -> None:
        """The application is done, its answer is not; `begun` when part of it was sent."""


class Exchange:
    """One request and its answer."""

    complete = False  # the request body has arrived
    buffered = 0  # bytes of it that were not taken yet
    begun = False  # part of the answer is on its way
    closed = False  # nothing more can be sent
    why = ""  # reason code why the request body will never be complete
    _holds = False
    _told = False  # the application knows that the body is complete
    _task: asyncio.Task[None] | None = None
    _waiter: asyncio.Future[None] | None = None
    _drains = False  # the application waits until the caller has read
    _block = b""  # headers of the answer as they go on the wire
    _status = 0  # the application has begun its answer with this status
    _left: int | None = None  # bytes still owed of Content-Length
    _chunked = False
    _silent = False  # the answer has no body by its nature
    _done = False

    def __init__(self, line: Line, head: Head, loop: asyncio.AbstractEventLoop, gauges: Gauges) -> None:
        self.head = head
        self._line = line
        self._loop = loop
        self._gauges = gauges
        self._parts: list[bytes] = []
        self._invite = head.expects  # 100 (Continue) is owed

    def start(self, app: App, scope: dict[str, Any], tasks: set[asyncio.Task[None]]) -> None:
        """Stand in line for the processor; the application answers when it is our turn."""
        self.hold()
        self._gauges.queued += 1
        tasks.add(asyncio.Task(self._run(app, scope, tasks), loop=self._loop, name="request"))

    async def _run(self, app: App, scope: dict[str, Any], tasks: set[asyncio.Task[None]]) -> None:
        """Let the application answer. What it raises is the task's, the connection is dealt with here."""
        self._gauges.queued -= 1
        self._task = task = asyncio.current_task()
        try:
            await app(scope, self.receive, self.send)
        finally:
            self._task = None
            if self._holds:
                self.release()
            if not (self._done or self.closed):
                self._line.unfinished(self.begun)
            tasks.discard(task)

    # --- the worker's places -----------------------------------------------------------------

    def hold(self) -> None:
        """Take a place."""
        if not self._holds:
            self._holds = True
            self._gauges.in_flight += 1

    def release(self) -> None:
        """Give the place back."""
        if self._holds:
            self._holds = False
            self._gauges.in_flight -= 1

    # --- the request body --------------------------------------------------------------------

    def feed(self, piece: bytes, complete: bool) -> None:
        """A piece of the request body has arrived."""
        if piece:
            self._invite = False
            self._parts.append(piece)
            self.buffered += len(piece)
        self.complete = complete
        self.wake()

    def fail(self, why: str) -> None:
        """The request body will never be complete."""
        self.why = why
        self.wake()

    def close(self, why: str) -> None:
        """Nothing more can be sent."""
        self.closed = True
        self.why = self.why or why
        self._parts.clear()
        self.wake()

    def leave(self) -> None:
        """The caller is gone. The application hears of it where it waits for the caller; elsewhere it is stopped."""
        waiter = self._waiter
        listens = self._drains or (waiter is not None and not waiter.done())  # done and not woken: it was cancelled
        self.close("client_gone")
        if self._task is not None and not listens:
            self._task.cancel("client_gone")  # rule 5

    def wake(self) -> None:
        """Let the application look again."""
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    async def receive(self) -> Message:
        """ASGI: the next piece of the body, or that there will be none."""
        while True:
            if self._done or self.closed or (self.why and not self.complete):
                break
            if self._parts or (self.complete and not self._told):
                return self._take()
            if self.why:
                break
            await self._arrival()
        return {"type": "http.disconnect", "code": self.why}

    def _take(self) -> Message:
        parts = self._parts
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        self.buffered = 0
        self._told = self.complete
        self._line.body_taken()
        return {"type": "http.request", "body": body, "more_body": not self.complete}

    async def _arrival(self) -> None:
        if self._invite:
            self._invite = False
            self._line.write(_CONTINUE)
        waits_for_caller = self._holds and not self.complete
        if waits_for_caller:
            self.release()
        waiter = self._waiter
        if waiter is None:
            waiter = self._waiter = self._loop.create_future()
        try:
            await waiter
        finally:
            if waits_for_caller and not self.begun:
                self.hold()

    # --- the answer --------------------------------------------------------------------------

    async def send(self, message: Message) -> None:
        """ASGI: the next part of the answer. Raises Gone (an OSError) when nobody is there to take it."""
        if self.closed:
            raise Gone("the connection is closed")
        kind = message["type"]
        if kind == "http.response.body" and self._status and not self._done:
            body, more = message.get("body", b""), message.get("more_body", False)
            if len(body) > SLICE:
                body = await self._all_but_last_slice(body)
            self._piece(body, more)
            if more and self._line.write_paused:
                await self._drained()
        elif kind == "http.response.start" and not self._status:
            self._start(message["status"], message.get("headers", ()))
        else:
            raise RuntimeError(f"`{kind}` does not come next in an answer")

    def _start(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        parts: list[bytes] = []  # three for each line
        for name, value in headers:
            start = _STARTS.get(name)
            if start is not None:
                parts += (start, value, b"\r\n")
            elif (name := name.lower()) not in _OURS:
                parts += (name + b": ", value, b"\r\n")
            elif name == b"content-length":
                self._announce(value)
            elif name == b"connection" and b"close" in value.lower():
                self._line.keep_alive = False
        block = b"".join(parts)
        lines = len(parts) // 3
        if block.count(LF) != lines or block.count(CR) != lines or NUL in block:
            raise RuntimeError("a header of the answer holds a line end or NUL")
        self._block = block
        self._silent = self.head.method == "HEAD" or status in _NO_BODY
        self._status = status
        if self._left is None and not self._silent:
            self._loop.call_soon(self._flush)

    def _announce(self, value: bytes) -> None:
        if self._left is not None or not value.isdigit():
            raise RuntimeError("an answer has one content-length, in digits")
        self._left = int(value)

    def _flush(self) -> None:
        """Send the head alone when the first piece did not come at once (a stream of events)."""
        if not (self.begun or self.closed):
            self._line.write(self._top(0, True))

    def _top(self, size: int, more: bool) -> bytes:
        """The head of the answer as it goes on the wire, with the framing for a first piece of this size."""
        line = self._line
        framing = b""
        if not self._silent and self._left is None:
            if not more:
                self._left = size
            elif self.head.version == "1.1":
                self._chunked = True
                framing = b"transfer-encoding: chunked\r\n"
            else:
                line.keep_alive = False  # only the end of the connection ends such an answer
        if self._left is not None and self._status != 204:
            framing = b"content-length: %d\r\n" % self._left
        if not line.keep_alive:
            framing += b"connection: close\r\n"
        elif self.head.version == "1.0":
            framing += b"connection: keep-alive\r\n"
        self._invite = False
        self.begun = True
        if self._holds:
            self.release()
        return b"".join((_STATUS[self._status], line.common_headers(), self._block, framing, b"\r\n"))

    def _piece(self, body: bytes | memoryview, more: bool) -> None:
        left = self._left
        if left is not None and not self._silent:
            self._check_length(left, len(body), more)
        top = b"" if self.begun else self._top(len(body), more)
        if self._silent:
            payload: bytes | memoryview = top
        elif self._chunked:
            payload = top + _chunk(body, more)
        else:
            payload = b"".join((top, body)) if top else body
            if self._left is not None:
                self._left -= len(body)
        if payload:
            self._line.write(payload)
        if not more:
            self._done = True
            self._line.finished()

    def _check_length(self, left: int, size: int, more: bool) -> None:
        if size > left or (not more and size < left):
            self._line.unfinished(self.begun)
            raise RuntimeError("an answer is not as long as its content-length says")

    async def _all_but_last_slice(self, body: bytes) -> memoryview:
        view = memoryview(body)
        self._line.owes(len(view))
        try:
            while len(view) > SLICE:
                self._piece(view[:SLICE], True)
                view = view[SLICE:]
                if self._line.write_paused:
                    await self._drained()
        finally:
            self._line.owes(0)
        return view

    async def _drained(self) -> None:
        self._drains = True
        try:
            await self._line.drained()
        finally:
            self._drains = False
        if self.closed:
            raise Gone("the connection is closed")


def _chunk(body: bytes | memoryview, more: bool) -> bytes:
    if not body:
        return b"" if more else b"0\r\n\r\n"
    return b"".join((b"%x\r\n" % len(body), body, b"\r\n" if more else b"\r\n0\r\n\r\n"))


def status_line(status: int) -> bytes:
    """`HTTP/1.1 404 Not Found` with its line end."""
    return _STATUS[status]
