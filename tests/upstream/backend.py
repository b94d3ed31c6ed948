"""A service that says exactly the bytes it is told to, and remembers what it heard."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from gateway.crypto.jws import SigningKey
from gateway.facts import Ask, Notice, RawReply, Warrant
from gateway.upstream import Assertion, Service, Settings, Timeouts, Upstream
from gateway.upstream.client import Conceal
from gateway.upstream.trust import Trust
from tests.literals import a_warrant, an_ask, some_facts

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
KEY = SigningKey.generate()
QUICK = Timeouts(connect=0.4, first_byte=0.16, idle=0.16, total=0.6, keep_alive=30.0)


class Talk:
    """One connection as the service sees it."""

    def __init__(self, backend: "Backend", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.backend, self.reader, self.writer = backend, reader, writer

    async def request(self) -> bytes:
        """Read one request to its end; it is on the witness's list from its first byte on."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.backend.requests.append(head)
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        body = b""
        if b"content-length" in fields:
            body = await self.reader.readexactly(int(fields[b"content-length"]))
        elif b"transfer-encoding" in fields:
            while (size := int(await self.reader.readuntil(b"\r\n"), 16)) or not await self.reader.readexactly(2):
                body += await self.reader.readexactly(size)
                await self.reader.readexactly(2)
        self.backend.requests[-1] = head + body
        return head + body

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Close with RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the gateway has closed."""
        while await self.reader.read(65536):
            pass


Script = Callable[[Talk], Awaitable[None]]


class Backend:
    """What the service saw."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self.connections = 0
        self.url = ""
        self.closed = asyncio.Event()  # some connection has ended
        self.tasks: set[asyncio.Task[Any]] = set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            await self.script(Talk(self, reader, writer))
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self.tasks.discard(task)
            self.closed.set()


@asynccontextmanager
async def backend(script: Script, tls: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[Backend]:
    made = Backend(script)
    server = await asyncio.start_server(made, "127.0.0.1", port, ssl=tls)
    made.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
        tasks = tuple(made.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def says(*answers: bytes, then: str = "stay") -> Script:
    """Answers each request with the next of these bytes, the last one again and again; then stays, closes or resets."""

    async def script(talk: Talk) -> None:
        turn = 0
        while True:
            await talk.request()
            await talk.send(answers[min(turn, len(answers) - 1)])
            turn += 1
            if then == "close":
                return
            if then == "reset":
                talk.reset()
                return

    return script


class Carried:
    """An Upstream in front of test services."""

    def __init__(self, upstream: Upstream, notices: list[Notice]) -> None:
        self.upstream, self.notices = upstream, notices

    async def forward(self, ask: Ask | None = None, **warrant: Any) -> Any:
        request = ask or an_ask()
        return await self.upstream.forward(request, a_warrant(facts=some_facts(ask=request), **warrant))

    async def read(self, ask: Ask | None = None) -> tuple[int, bytes]:
        reply = await self.forward(ask)
        assert isinstance(reply, RawReply), reply
        return reply.status, await whole(reply)


async def whole(reply: RawReply) -> bytes:
    """The body, whichever form it has."""
    if isinstance(reply.body, bytes):
        return reply.body
    return b"".join([piece async for piece in reply.body])


@asynccontextmanager
async def carrying(
    *addresses: str,
    trust: Trust | None = None,
    free: Callable[[], int] = lambda: 1000,
    conceal: Conceal | None = None,
    **changes: Any,
) -> AsyncIterator[Carried]:
    notices: list[Notice] = []
    service = Service("civil-households", addresses, **({"prefix": "/civil/households"} | changes))
    settings = Settings((service,), Assertion(issuer="https://api.example.gov"))
    upstream = Upstream(settings, KEY, notices.append, trust=trust, free=free, conceal=conceal)
    upstream.start()
    try:
        yield Carried(upstream, notices)
    finally:
        await upstream.close()


def warrant_for(ask: Ask, **facts: Any) -> Warrant:
    return a_warrant(facts=some_facts(ask=ask, **facts))
