"""A small HTTP/1.1 server on a real socket that answers as badly as it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

Mood = Literal["good", "hang", "drip", "reset", "redirect", "endless", "compressed", "short", "nonsense"]


class Host:
    """Serves `pages`; `mood` says how, `status` with which status; `asked` keeps the targets."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.mood: Mood = "good"
        self.status = 200
        self.headers = ""
        self.asked: list[str] = []
        self.url = ""
        self._serving: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                head = await reader.readuntil(b"\r\n\r\n")
                target = head.split(b" ", 2)[1].decode()
                self.asked.append(target)
                await self._answer(target, reader, writer)
        finally:
            writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def close(self) -> None:
        """Wait until every connection is gone."""
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _answer(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = self.pages.get(target, b"")
        status = self.status if target in self.pages else 404
        head = f"HTTP/1.1 {status} x\r\nconnection: close\r\n{self.headers}"
        if self.mood == "hang":
            await reader.read()
        elif self.mood == "reset":
            writer.transport.abort()
        elif self.mood == "nonsense":
            writer.write(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        elif self.mood == "redirect":
            writer.write(f"HTTP/1.1 302 x\r\nlocation: {self.url}/elsewhere\r\ncontent-length: 0\r\n\r\n".encode())
        elif self.mood == "compressed":
            writer.write(f"{head}content-encoding: gzip\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        elif self.mood == "short":
            writer.write(f"{head}content-length: {len(body) + 10}\r\n\r\n".encode() + body)
        elif self.mood == "endless":
            writer.write(f"{head}\r\n".encode())
            while not writer.is_closing():
                writer.write(b" " * 65_536)
                await writer.drain()
        elif self.mood == "drip":
            writer.write(f"{head}content-length: 100000\r\n\r\n".encode())
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        else:
            writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()


@asynccontextmanager
async def hosting() -> AsyncIterator[Host]:
    """The server on a free port of loopback."""
    host = Host()
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0)
    host.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield host
    finally:
        server.close()
        await server.wait_closed()
        await host.close()
        await asyncio.sleep(0)  # an aborted connection lets go of its socket on the next turn
