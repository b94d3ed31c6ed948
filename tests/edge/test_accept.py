"""Connections are drained from the shared socket, and what fails is told."""

import asyncio
import errno
import socket
from typing import Any, cast

import pytest

from gateway.edge.accept import Acceptor
from gateway.edge.door import Tally
from gateway.facts import Notice
from gateway.serve import listen
from tests.certificates import Authority, contexts

pytestmark = pytest.mark.anyio


class Greeter(asyncio.Protocol):
    """Says hello and closes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        ours = cast(asyncio.Transport, transport)
        ours.write(b"hello")
        ours.close()


class Late(asyncio.Protocol):
    """Remembers whether it was told to end."""

    told = False

    def shutdown(self) -> None:
        self.told = True
        self.transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport


def unheard(notice: Notice) -> None:
    raise AssertionError(notice)


async def hear(port: int, **options: Any) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, **options)
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_every_connection_of_a_storm_is_answered() -> None:
    listener = listen("127.0.0.1", 0)
    acceptor = Acceptor(listener, Greeter, Tally(unheard))
    acceptor.start()
    try:
        port = listener.getsockname()[1]
        answers = await asyncio.gather(*(hear(port) for _ in range(200)))
    finally:
        acceptor.stop()
        listener.close()
    assert answers == [b"hello"] * 200


async def test_after_stop_nothing_is_accepted_but_the_socket_still_listens() -> None:
    listener = listen("127.0.0.1", 0)
    first = Acceptor(listener, Greeter, Tally(unheard))
    first.start()
    first.stop()
    waiting = asyncio.create_task(hear(listener.getsockname()[1]))
    await asyncio.sleep(0)
    second = Acceptor(listener, Greeter, Tally(unheard))  # the worker that replaces the first
    second.start()
    try:
        assert await asyncio.wait_for(waiting, 5) == b"hello"
    finally:
        second.stop()
        listener.close()


class Exhausted(socket.socket):
    """A listening socket in a process without a free file descriptor, once."""

    failures = 1

    def accept(self) -> Any:
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


async def test_out_of_descriptors_is_a_pause_and_not_the_end() -> None:
    listener = Exhausted(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen(8)
    told: list[Notice] = []
    tally = Tally(told.append)
    acceptor = Acceptor(listener, Greeter, tally)
    acceptor.start()
    try:
        assert await asyncio.wait_for(hear(listener.getsockname()[1]), 5) == b"hello"
    finally:
        acceptor.stop()
        listener.close()
    tally.tell()
    assert told == [Notice("edge.accept_paused", detail="Too many open files")]


async def test_a_failed_handshake_is_told_with_address_and_cause(tmp_path: Any) -> None:
    server, client = contexts(tmp_path, Authority("server authority"))
    listener = listen("127.0.0.1", 0)
    told: list[Notice] = []
    tally = Tally(told.append)
    acceptor = Acceptor(listener, Greeter, tally, context=server, handshake_seconds=5.0)
    acceptor.start()
    try:
        port = listener.getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")  # plain HTTP on the TLS port
        await reader.read()
        writer.close()
        assert await hear(port, ssl=client, server_hostname="localhost") == b"hello"
    finally:
        acceptor.stop()
        listener.close()
    tally.tell()
    assert [(notice.name, notice.subject) for notice in told] == [("tls.handshake_failed", "127.0.0.1")]
    assert told[0].detail


async def test_a_connection_that_is_ready_after_stop_is_told_to_end() -> None:
    listener, late = listen("127.0.0.1", 0), Late()
    acceptor = Acceptor(listener, lambda: late, Tally(unheard))
    acceptor.start()
    waiting = asyncio.create_task(hear(listener.getsockname()[1]))
    while not acceptor._joining:
        await asyncio.sleep(0)
    acceptor.stop()
    assert await asyncio.wait_for(waiting, 5) == b""
    assert late.told
    listener.close()


@pytest.mark.parametrize(
    "anyio_backend", [("asyncio", {"use_uvloop": on}) for on in (False, True)], ids=["asyncio", "uvloop"]
)
async def test_who_never_shakes_hands_gives_way_and_is_counted_once(tmp_path: Any, anyio_backend: Any) -> None:
    server, client = contexts(tmp_path, Authority("server authority"))
    listener = listen("127.0.0.1", 0)
    told: list[Notice] = []
    tally = Tally(told.append)
    acceptor = Acceptor(listener, Greeter, tally, context=server, handshakes=2)
    acceptor.start()
    port = listener.getsockname()[1]
    silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(6)]
    try:
        gone = [await asyncio.wait_for(reader.read(), 5) for reader, _ in silent[:4]]
        assert await hear(port, ssl=client, server_hostname="localhost") == b"hello"
        assert len(acceptor._joining) == 1  # the sixth; the fifth gave way to the one who speaks
    finally:
        acceptor.stop()
        for _, writer in silent:
            writer.close()
        listener.close()
    assert gone == [b""] * 4
    tally.tell()
    assert told == [Notice("tls.handshake_failed", "127.0.0.1", "gave way", 5)]
