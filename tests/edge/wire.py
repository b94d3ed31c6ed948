"""A small application behind the protocol class, and a caller that speaks raw bytes."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

import uvicorn
from uvicorn.server import ServerState

from gateway.edge import Limits, Settings
from gateway.edge.protocol import protocol_class
from gateway.facts import Notice

QUICK = Limits(
    header_seconds=0.1,
    body_idle_seconds=0.1,
    body_seconds=0.3,
    keep_alive_seconds=0.1,
    write_idle_seconds=0.1,
)
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Figures:
    connections = 0
    in_flight = 0
    queued = 0


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Serving:
    """What a test may look at and touch while the application is served."""

    def __init__(self) -> None:
        self.port = 0
        self.notices: list[Notice] = []
        self.figures = Figures()
        self.worker = ServerState()
        self.server: Any = None

    async def open(self, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, **options)

    async def say(self, *parts: bytes, pause: float = 0.0, half_close: bool = False) -> bytes:
        """Send the parts and read until the connection is closed."""
        reader, writer = await self.open()
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
                if pause:
                    await asyncio.sleep(pause)
            if half_close:
                writer.write_eof()
            return await asyncio.wait_for(reader.read(), 5)
        finally:
            await hang_up(writer)

    async def ask(self, *parts: bytes, pause: float = 0.0) -> Answer:
        """Send one request and read one answer."""
        reader, writer = await self.open()
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
                if pause:
                    await asyncio.sleep(pause)
            return await read_answer(reader)
        finally:
            await hang_up(writer)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError, ssl.SSLError):
        await writer.wait_closed()


async def read_answer(reader: asyncio.StreamReader, method: str = "GET") -> Answer:
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    status = int(first.split(" ")[1])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if status < 200:
        return await read_answer(reader, method)
    if method == "HEAD" or status in (204, 304):
        body = b""
    elif "content-length" in headers:
        body = await asyncio.wait_for(reader.readexactly(int(headers["content-length"])), 5)
    elif headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await asyncio.wait_for(reader.readline(), 5), 16):
            body += await reader.readexactly(size)
            assert await reader.readexactly(2) == b"\r\n"
        assert await reader.readexactly(2) == b"\r\n"
    else:
        body = await asyncio.wait_for(reader.read(), 5)
    return Answer(status, headers, body)


@asynccontextmanager
async def serving(
    app: Any,
    settings: Settings | None = None,
    tls: ssl.SSLContext | None = None,
    **limits: Any,
) -> AsyncIterator[Serving]:
    """Serve `app` on a loopback port through uvicorn's seam, in this loop."""
    here = Serving()
    config = uvicorn.Config(app, proxy_headers=False, lifespan="off", log_config=None)
    config.load()
    bound = protocol_class(settings or Settings(limits=Limits(**limits)), here.notices.append, here.figures)
    loop = asyncio.get_running_loop()
    factory: Callable[[], asyncio.Protocol] = lambda: bound(  # noqa: E731 - as uvicorn does it
        config=config, server_state=here.worker, app_state={}, _loop=loop
    )
    here.server = await loop.create_server(factory, "127.0.0.1", 0, ssl=tls)
    here.port = here.server.sockets[0].getsockname()[1]
    try:
        yield here
    finally:
        here.server.close()
        for connection in list(here.worker.connections):
            connection._transport.abort()  # type: ignore[union-attr]
        for task in list(here.worker.tasks):
            task.cancel()
        await until(lambda: not (here.worker.connections or here.worker.tasks))
        bound.door.stop()


async def until(condition: Callable[[], bool], seconds: float = 3.0) -> None:
    """Wait for a condition, in small steps; fails when it does not come."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


class Recorder:
    """An application that reads the whole body and tells what it saw."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes, bytes]] = []
        self.scopes: list[dict[str, Any]] = []
        self.broken: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        body = b""
        while True:
            event = await receive()
            if event["type"] == "http.disconnect":
                self.broken.append(event["code"])
                return
            body += event["body"]
            if not event["more_body"]:
                break
        self.seen.append((scope["method"], scope["raw_path"], body))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-app", b"1")]})
        await send({"type": "http.response.body", "body": b"%s %s" % (scope["raw_path"], body)})


def answers_in(raw: bytes) -> int:
    return len(re.findall(rb"HTTP/1\.1 \d\d\d ", raw))


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


def answering(*messages: dict[str, Any]) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    return app


def start(*headers: tuple[bytes, bytes], status: int = 200) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def piece(body: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}
