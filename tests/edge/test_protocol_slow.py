"""Abuse: a caller that sends or reads drop by drop, or not at all.

Raw bytes over a real socket, on both event loops.
"""

import asyncio
import socket
from typing import Any

import pytest

from gateway.edge import Settings
from tests.edge.wire import GET, QUICK, Recorder, hang_up, hello, read_answer, serving, until

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": request.param}


SLOW = {
    "nothing at all": ([], b""),
    "request line": ([b"GE", b"T "], b"HTTP/1.1 408"),
    "headers": ([b"GET / HTTP/1.1\r\nHost: a\r\n", b"X-A: b\r\n", b"X-B: c\r\n"], b"HTTP/1.1 408"),
    "body": ([b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n", b"a"], b"HTTP/1.1 408"),
    "chunk": ([b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"5\r\nab"], b"HTTP/1.1 408"),
    "chunk size": ([b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"5"], b"HTTP/1.1 408"),
    "trailer": ([b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X"], b"HTTP/1.1 408"),
    "next request": ([GET], b"HTTP/1.1 200"),
    "next request, begun": ([GET + b"GET / HT"], b"HTTP/1.1 200"),
}


@pytest.mark.parametrize("name", SLOW)
async def test_a_slow_caller_is_cut(name: str) -> None:
    parts, expected = SLOW[name]
    async with serving(Recorder(), Settings(limits=QUICK)) as here:
        started = asyncio.get_running_loop().time()
        answer = await here.say(*parts)
        assert answer.startswith(expected)
        assert asyncio.get_running_loop().time() - started < 1.0
        await until(lambda: here.figures.connections == 0 and here.figures.in_flight == 0)


@pytest.mark.parametrize("drip", [b"X-A: b\r\n", b""])
async def test_a_dripping_caller_is_cut_by_the_whole_time(drip: bytes) -> None:
    """Each byte is in time, the whole is not: header lines one by one, or a body byte by byte."""
    async with serving(Recorder(), Settings(limits=QUICK)) as here:
        reader, writer = await here.open()
        start = (
            b"GET / HTTP/1.1\r\nHost: a\r\n" if drip else b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n"
        )
        writer.write(start)
        answer = asyncio.ensure_future(reader.read())
        for _ in range(40):
            if answer.done():
                break
            writer.write(drip or b"x")
            await asyncio.sleep(0.03)
        assert (await asyncio.wait_for(answer, 1)).startswith(b"HTTP/1.1 408")
        await hang_up(writer)


async def test_many_slow_callers_do_not_slow_a_good_one() -> None:
    async with serving(Recorder(), in_flight=4) as here:
        slow = [await here.open() for _ in range(60)]
        for number, (_, writer) in enumerate(slow):
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx" if number % 2 else b"GET / HT")
        await until(lambda: len(here.worker.tasks) == 4 or len(here.worker.tasks) == 30)
        started = asyncio.get_running_loop().time()
        assert (await here.ask(GET)).status == 200
        assert asyncio.get_running_loop().time() - started < 0.5
        for _, writer in slow:
            await hang_up(writer)


async def endless(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})


@pytest.mark.parametrize("app", [endless, None])
async def test_a_caller_that_does_not_read_is_cut(app: Any) -> None:
    gone: list[str] = []

    async def large(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 50_000_000})

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        try:
            await (app or large)(scope, receive, send)
        except OSError:
            gone.append("gone")

    async with serving(watched, Settings(limits=QUICK)) as here:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", here.port))
        await asyncio.get_running_loop().sock_sendall(sock, GET)
        await until(lambda: here.figures.connections == 1)
        await until(lambda: here.figures.connections == 0)
        await until(lambda: gone == ["gone"])
        sock.close()


async def test_writing_waits_for_a_slow_reader() -> None:
    offered = 0

    async def counting(scope: Any, receive: Any, send: Any) -> None:
        nonlocal offered
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while offered < 64_000_000:
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
            offered += 65536
        await send({"type": "http.response.body", "body": b""})

    async with serving(counting) as here:
        _, writer = await here.open(limit=4096)
        writer.write(GET)
        await asyncio.sleep(0.2)
        assert 0 < offered < 32_000_000  # what fits into socket buffers, not what the application has
        await hang_up(writer)


async def test_reading_waits_for_a_slow_application() -> None:
    go = asyncio.Event()
    total = 0

    async def lazy(scope: Any, receive: Any, send: Any) -> None:
        nonlocal total
        await go.wait()
        while (event := await receive())["more_body"]:
            total += len(event["body"])
        total += len(event["body"])
        await hello(scope, receive, send)

    async with serving(lazy, body_idle_seconds=0.1) as here:
        reader, writer = await here.open()
        size = 8_000_000
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
        sending = asyncio.ensure_future(_send(writer, b"x" * size))
        await asyncio.sleep(0.2)  # longer than the idle limit: the caller waits for us and is not cut
        (connection,) = here.worker.connections
        assert connection._exchange.buffered < 1_000_000  # type: ignore[union-attr]
        go.set()
        assert (await read_answer(reader)).body == b"hello"
        await sending
        assert total == size
        await hang_up(writer)


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


async def test_answers_that_nobody_reads_do_not_pile_up() -> None:
    served = 0

    async def large(scope: Any, receive: Any, send: Any) -> None:
        nonlocal served
        served += 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 100_000})

    async with serving(large) as here:
        reader, writer = await here.open(limit=4096)
        writer.write(GET * 500)
        await until(lambda: served > 0)
        await asyncio.sleep(0.1)
        assert served < 250  # what socket buffers hold
        for _ in range(500):
            assert len((await read_answer(reader)).body) == 100_000
        assert served == 500
        await hang_up(writer)
