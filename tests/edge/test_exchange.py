"""Abuse: an application that says too much, too little, or after the end. Wire tests: test_protocol.py."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from gateway.edge.exchange import SLICE, Exchange, Gone
from gateway.edge.framing import Head
from tests.edge.wire import Figures

pytestmark = pytest.mark.anyio


class Cable:
    """A connection that keeps what it is told."""

    def __init__(self) -> None:
        self.keep_alive = True
        self.write_paused = False
        self.out: list[bytes] = []
        self.ended = ""
        self.waits = 0
        self.owed: list[int] = []

    def write(self, data: bytes | memoryview) -> None:
        self.out.append(bytes(data))

    async def _resume(self) -> None:
        self.waits += 1
        self.write_paused = False

    def drained(self) -> Awaitable[None]:
        return self._resume()

    def owes(self, size: int) -> None:
        self.owed.append(size)

    def common_headers(self) -> bytes:
        return b"date: now\r\n"

    def body_taken(self) -> None:
        pass

    def finished(self) -> None:
        self.ended = "finished"

    def unfinished(self, begun: bool) -> None:
        self.ended = "cut" if begun else "500"


def an_exchange(**changes: Any) -> tuple[Exchange, Cable, Figures]:
    values = {
        "method": "GET",
        "target": b"/",
        "version": "1.1",
        "headers": [],
        "length": 0,
        "keep_alive": True,
        "expects": False,
    }
    cable, figures = Cable(), Figures()
    return Exchange(cable, Head(**(values | changes)), asyncio.get_running_loop(), figures), cable, figures


def start(*headers: tuple[bytes, bytes], status: int = 200) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": headers}


def piece(body: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def test_head_and_first_piece_leave_in_one_write() -> None:
    exchange, cable, _ = an_exchange()
    await exchange.send(start((b"Content-Type", b"text/plain")))
    await exchange.send(piece(b"hello"))
    assert cable.out == [b"HTTP/1.1 200 OK\r\ndate: now\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello"]
    assert cable.ended == "finished"


async def test_a_stream_without_length_is_chunked() -> None:
    exchange, cable, _ = an_exchange()
    await exchange.send(start())
    await exchange.send(piece(b"hello", True))
    await exchange.send(piece(b"", True))
    await exchange.send(piece(b"!"))
    assert b"".join(cable.out).endswith(b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n")


async def test_a_large_piece_leaves_in_slices_with_waits_between() -> None:
    exchange, cable, _ = an_exchange()
    body = bytes(range(256)) * (SLICE * 3 // 256) + b"end"
    await exchange.send(start((b"content-length", b"%d" % len(body))))
    cable.write_paused = True
    await exchange.send(piece(body))
    raw = b"".join(cable.out)
    assert raw.partition(b"\r\n\r\n")[2] == body
    assert len(cable.out) == 4
    assert cable.waits == 1


@pytest.mark.parametrize(
    "messages",
    [
        [piece(b"x")],
        [start(), start()],
        [start(), piece(b"x"), piece(b"y")],
        [start(), piece(b"x"), start()],
        [{"type": "http.response.trailers"}],
        [{"type": "websocket.accept"}],
    ],
)
async def test_what_does_not_come_next_is_refused(messages: list[dict[str, Any]]) -> None:
    exchange, _, _ = an_exchange()
    with pytest.raises(RuntimeError):
        for message in messages:
            await exchange.send(message)


async def test_a_wrong_length_never_leaves() -> None:
    for body in (b"hell", b"hello!"):
        exchange, cable, _ = an_exchange()
        await exchange.send(start((b"content-length", b"5")))
        with pytest.raises(RuntimeError):
            await exchange.send(piece(body))
        assert (cable.out, cable.ended) == ([], "500")
    exchange, cable, _ = an_exchange()
    await exchange.send(start((b"content-length", b"5")))
    await exchange.send(piece(b"hel", True))
    with pytest.raises(RuntimeError):
        await exchange.send(piece(b"lo!"))
    assert cable.ended == "cut"
    assert b"".join(cable.out).endswith(b"hel")


async def test_a_place_is_held_while_working_and_given_back_while_waiting_for_the_caller() -> None:
    exchange, cable, figures = an_exchange(length=5, expects=True)
    exchange.hold()
    exchange.hold()
    assert figures.in_flight == 1
    waiting = asyncio.ensure_future(exchange.receive())
    await asyncio.sleep(0)
    assert figures.in_flight == 0
    assert cable.out == [b"HTTP/1.1 100 Continue\r\n\r\n"]
    exchange.feed(b"hello", True)
    assert await waiting == {"type": "http.request", "body": b"hello", "more_body": False}
    assert figures.in_flight == 1
    await exchange.send(start())
    await exchange.send(piece(b"x", True))
    assert figures.in_flight == 0
    exchange.release()
    assert figures.in_flight == 0


async def test_an_application_that_raises_gives_its_place_back() -> None:
    exchange, cable, figures = an_exchange()

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    tasks: set[asyncio.Task[None]] = set()
    exchange.start(broken, {}, tasks)
    assert (figures.in_flight, figures.queued) == (1, 1)
    with pytest.raises(ZeroDivisionError):
        await next(iter(tasks))
    assert (figures.in_flight, figures.queued, cable.ended, tasks) == (0, 0, "500", set())


async def test_after_the_end_there_is_only_a_disconnect() -> None:
    exchange, _, _ = an_exchange()
    exchange.close("client_gone")
    assert await exchange.receive() == {"type": "http.disconnect", "code": "client_gone"}
    with pytest.raises(Gone):
        await exchange.send(start())


async def test_a_body_that_breaks_says_why_before_its_pieces() -> None:
    exchange, _, _ = an_exchange(length=9)
    exchange.feed(b"part", False)
    exchange.fail("request_timeout")
    assert await exchange.receive() == {"type": "http.disconnect", "code": "request_timeout"}


async def test_a_complete_body_is_handed_over_though_the_caller_hung_up() -> None:
    exchange, _, _ = an_exchange(length=4)
    exchange.feed(b"part", True)
    exchange.fail("client_gone")
    assert (await exchange.receive())["body"] == b"part"
    assert (await exchange.receive())["type"] == "http.disconnect"


async def test_who_stopped_waiting_for_the_caller_does_not_hear_of_it_and_is_stopped() -> None:
    exchange, _, _ = an_exchange(length=9)
    ends: list[Any] = []

    async def working(scope: Any, receive: Any, send: Any) -> None:
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        waiting.cancel()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as why:
            ends.append(why.args)
            raise

    tasks: set[asyncio.Task[None]] = set()
    exchange.start(working, {}, tasks)
    for _ in range(4):
        await asyncio.sleep(0)
    exchange.leave()
    await asyncio.wait(tasks, timeout=5)
    assert ends == [("client_gone",)]
