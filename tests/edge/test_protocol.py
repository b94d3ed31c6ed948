"""Abuse: a caller that sends too much, too slowly, too early, or in a framing that can be read twice.

Every test speaks raw bytes over a real socket, on both event loops.
"""

import asyncio
import json
import re
import socket
import ssl
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.edge import Settings
from gateway.edge.protocol import protocol_class
from tests.edge.wire import GET, QUICK, Figures, Recorder, hang_up, read_answer, serving, until

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": request.param}


def answers_in(raw: bytes) -> int:
    return len(re.findall(rb"HTTP/1\.1 \d\d\d ", raw))


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


# --- plain requests --------------------------------------------------------------------------


async def test_a_request_is_answered_and_the_connection_stays() -> None:
    async with serving(hello) as here:
        reader, writer = await here.open()
        for _ in range(3):
            writer.write(GET)
            answer = await read_answer(reader)
            assert (answer.status, answer.body) == (200, b"hello")
            assert "connection" not in answer.headers
        assert here.worker.total_requests == 3
        assert len(here.worker.connections) == here.figures.connections == 1
        await hang_up(writer)
        await until(lambda: here.figures.connections == 0)
        assert not here.worker.connections
        assert not here.worker.tasks
        assert here.figures.in_flight == 0


async def test_the_scope_shows_the_request_as_it_came() -> None:
    app = Recorder()
    async with serving(app) as here:
        await here.ask(b"POST /a%2Fb?c=%20 HTTP/1.1\r\nHost: A\r\nX-Y:  z \r\nContent-Length: 2\r\n\r\nhi")
        scope = app.scopes[0]
        assert scope["type"] == "http"
        assert scope["raw_path"] == b"/a%2Fb"
        assert scope["query_string"] == b"c=%20"
        assert scope["path"] == "/a/b"
        assert (scope["method"], scope["http_version"], scope["scheme"]) == ("POST", "1.1", "http")
        assert scope["headers"] == [(b"host", b"A"), (b"x-y", b"z"), (b"content-length", b"2")]
        assert scope["client"][0] == "127.0.0.1"
        assert scope["server"] == ("127.0.0.1", here.port)
        assert app.seen == [("POST", b"/a%2Fb", b"hi")]


async def test_every_cut_of_a_request_reads_the_same() -> None:
    raw = (
        b"POST /one HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nT: x\r\n\r\n"
        b"PUT /two HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nput"
        b"GET /three HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    app = Recorder()
    async with serving(app) as here:
        loop = asyncio.get_running_loop()
        for cut in range(1, len(raw)):
            app.seen.clear()
            reader, writer = await here.open()
            (connection,) = await _connections(here)
            for part in (raw[:cut], raw[cut:]):  # exactly two reads, as the transport would hand them over
                connection.data_received(part)
                await asyncio.sleep(0)
            await asyncio.wait_for(reader.read(), 3)
            assert app.seen == [("POST", b"/one", b"body"), ("PUT", b"/two", b"put"), ("GET", b"/three", b"")], cut
            await hang_up(writer)
            await until(lambda: not here.worker.connections)
        assert loop.is_running()


async def _connections(here: Any) -> list[Any]:
    await until(lambda: bool(here.worker.connections))
    return list(here.worker.connections)


async def test_requests_sent_ahead_are_answered_in_order() -> None:
    app = Recorder()
    async with serving(app) as here:
        raw = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(2000))
        answer = await here.say(raw + b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert [path for _, path, _ in app.seen] == [b"/%d" % n for n in range(2000)] + [b"/last"]
        assert answer.count(b"HTTP/1.1 200") == 2001


async def test_a_request_after_a_close_is_never_read() -> None:
    app = Recorder()
    async with serving(app) as here:
        await here.say(b"GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert [path for _, path, _ in app.seen] == [b"/1"]


async def test_a_head_request_gets_no_body_but_its_length() -> None:
    async with serving(hello) as here:
        reader, writer = await here.open()
        writer.write(GET.replace(b"GET", b"HEAD") + GET)
        first = await read_answer(reader, "HEAD")
        assert first.headers["content-length"] == "5"
        assert (await read_answer(reader)).body == b"hello"
        await hang_up(writer)


async def test_an_old_client_is_answered_and_closed_unless_it_asks_to_stay() -> None:
    async with serving(hello) as here:
        old = b"GET / HTTP/1.0\r\nHost: a\r\n"
        assert (await here.say(old + b"\r\n")).endswith(b"connection: close\r\n\r\nhello")
        answer = await here.ask(old + b"Connection: keep-alive\r\n\r\n")
        assert answer.headers["connection"] == "keep-alive"


async def test_a_stream_to_an_old_client_ends_with_the_connection() -> None:
    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(3):
            await send({"type": "http.response.body", "body": b"ab", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async with serving(stream) as here:
        assert (await here.say(b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")).endswith(
            b"connection: close\r\n\r\nababab"
        )
        assert (await here.ask(GET)).headers["transfer-encoding"] == "chunked"
        assert (await here.ask(GET)).body == b"ababab"


async def test_an_upgrade_is_ignored() -> None:
    app = Recorder()
    async with serving(app) as here:
        for upgrade in (b"h2c", b"websocket"):
            answer = await here.ask(
                b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: " + upgrade + b"\r\n\r\n"
            )
            assert answer.status == 200
            assert "upgrade" not in answer.headers


async def test_half_a_closed_connection_still_gets_its_answer() -> None:
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.05)
        await hello(scope, receive, send)

    async with serving(slow) as here:
        assert (await here.say(GET, half_close=True)).endswith(b"hello")


# --- framing ---------------------------------------------------------------------------------

DOUBTFUL = {
    "both lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding on 1.0": b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "odd coding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n",
    "long length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551621\r\n\r\nhello",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS on a plain port": b"\x16\x03\x01\x00\xa5\x01\x00",
    "bare LF": b"GET / HTTP/1.1\nHost: a\n\n",
    "bare LF at the end": b"GET / HTTP/1.1\r\nHost: a\r\n\n",
    "NUL": b"GET / HTTP/1.1\r\nHost: a\r\nX-A: a\x00b\r\n\r\n",
    "folded": b"GET / HTTP/1.1\r\nHost: a\r\nX-A: a\r\n b\r\n\r\n",
    "chunk terminator": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
    "chunk size": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "authority form": b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    "absolute form": b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "no slash": b"GET @evil.example/ HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("name", DOUBTFUL)
async def test_doubtful_framing_is_answered_400_closed_and_reaches_nobody(name: str) -> None:
    app = Recorder()
    async with serving(app) as here:
        answer = await here.say(DOUBTFUL[name] + GET)
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert answers_in(answer) == 1
        assert b"connection: close\r\n" in answer
        problem = json.loads(answer.partition(b"\r\n\r\n")[2])
        assert problem["status"] == 400
        assert app.scopes == []


async def test_what_was_refused_is_told_once_with_a_count() -> None:
    async with serving(hello) as here:
        for _ in range(3):
            await here.say(DOUBTFUL["no host"])
        await here.say(DOUBTFUL["asterisk"])
        await until(lambda: sum(notice.count for notice in here.notices) == 4)
    found = {(n.name, n.subject, n.detail) for n in here.notices}
    assert found == {("edge.refused", "127.0.0.1", "bad_framing"), ("edge.refused", "127.0.0.1", "bad_target")}
    assert len(here.notices) <= 4


async def test_framing_that_breaks_later_ends_a_waiting_application() -> None:
    app = Recorder()
    async with serving(app) as here:
        answer = await here.say(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"XX\r\n", pause=0.03
        )
        assert answer.startswith(b"HTTP/1.1 400")
        await until(lambda: not here.worker.tasks)
        assert app.broken == ["bad_framing"]
        assert app.seen == []


async def test_a_body_that_ends_early_reaches_nobody_as_complete() -> None:
    app = Recorder()
    async with serving(app) as here:
        answer = await here.say(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhi", half_close=True)
        assert answer.startswith(b"HTTP/1.1 400")
        await until(lambda: not here.worker.tasks)
        assert app.broken == ["body_incomplete"]


async def test_a_head_that_ends_early_is_refused() -> None:
    async with serving(hello) as here:
        assert (await here.say(b"GET / HTTP/1.1\r\nHost", half_close=True)).startswith(b"HTTP/1.1 400")


# --- sizes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a" * 1_000_000, 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nCookie: " + b"a" * 40_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 101 + b"\r\n", 431),
        (b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET /" + b"a" * 100_000, 414),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"e" * 100_000, 400),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            + (b"1;" + b"e" * 999 + b"\r\nx\r\n") * 40,
            431,
        ),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"T: t\r\n" * 9000, 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n", 417),
        (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    ],
)
async def test_too_much_is_refused_and_the_caller_can_read_why(raw: bytes, status: int) -> None:
    async with serving(Recorder()) as here:
        assert (await here.say(raw)).startswith(b"HTTP/1.1 %d " % status)


async def test_a_flood_after_the_refusal_is_cut() -> None:
    async with serving(hello) as here:
        reader, writer = await here.open()
        writer.write(b"?")
        with pytest.raises(ConnectionError):
            for _ in range(1000):
                writer.write(b"x" * 65536)
                await writer.drain()
            await reader.read()
        await hang_up(writer)


# --- time ------------------------------------------------------------------------------------

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


# --- bodies and expectations -----------------------------------------------------------------


async def test_100_is_sent_when_the_body_is_wanted() -> None:
    app = Recorder()
    async with serving(app) as here:
        reader, writer = await here.open()
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 2) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"hi")
        assert (await read_answer(reader)).body == b"/ hi"
        await hang_up(writer)


async def test_100_is_not_sent_when_the_answer_needs_no_body() -> None:
    async with serving(hello) as here:
        answer = await here.say(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"connection: close\r\n" in answer or answer.endswith(b"hello")


async def test_a_body_nobody_read_is_never_taken_for_a_request() -> None:
    app = hello
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    async with serving(app) as here:
        answer = await here.say(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (2 * len(smuggled)),
            smuggled,
            smuggled,
            pause=0.03,
        )
        assert answer.count(b"HTTP/1.1 200") == 1
        assert here.worker.total_requests == 1


async def test_the_rest_of_an_unread_small_body_is_skipped() -> None:
    async with serving(hello) as here:
        reader, writer = await here.open()
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + GET)
        assert (await read_answer(reader)).status == 200
        assert (await read_answer(reader)).status == 200
        await hang_up(writer)


# --- answers ---------------------------------------------------------------------------------


def answering(*messages: dict[str, Any]) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    return app


def start(*headers: tuple[bytes, bytes], status: int = 200) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def piece(body: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


LENGTH_5 = (b"content-length", b"5")


@pytest.mark.parametrize(
    "messages",
    [
        (start(LENGTH_5), piece(b"hel", True)),  # leaves early
        (start(LENGTH_5), piece(b"hel", True), piece(b"")),
        (start(LENGTH_5), piece(b"hel", True), piece(b"lo!!", True)),
        (start(), piece(b"hel", True)),  # chunked, never finished
    ],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_an_answer_that_breaks_off_is_cut_with_a_reset(messages: Any) -> None:
    async with serving(answering(*messages)) as here:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        reader, writer = await here.open()
        writer.write(GET + GET)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await read_answer(reader)
        await hang_up(writer)
        await until(lambda: here.figures.connections == 0)


async def test_a_close_delimited_answer_that_breaks_off_does_not_look_complete() -> None:
    async with serving(answering(start(), piece(b"hel", True))) as here:
        reader, writer = await here.open()
        writer.write(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 2)
        await hang_up(writer)


@pytest.mark.parametrize(
    "messages",
    [
        (),
        (start(LENGTH_5),),
        (start(LENGTH_5), piece(b"hello!")),
        (start(LENGTH_5), piece(b"hell")),
        (start(LENGTH_5, LENGTH_5), piece(b"hello")),
        (start((b"content-length", b"+5")), piece(b"hello")),
        (start((b"x-a", b"a\r\nset-cookie: x=1")), piece(b"hello")),
        (start((b"x-a", b"a\nb")), piece(b"hello")),
        (start((b"x-a", b"a\rb")), piece(b"hello")),
        (start((b"x-a", b"a\0b")), piece(b"hello")),
        (start((b"x-a\r\nx-b", b"c")), piece(b"hello")),
    ],
)
async def test_an_answer_that_cannot_be_sent_as_it_is_becomes_500(messages: Any) -> None:
    async with serving(answering(*messages)) as here:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        answer = await here.say(GET)
        assert answer.startswith(b"HTTP/1.1 500")
        assert b"set-cookie" not in answer
        assert answers_in(answer) == 1


async def test_connection_headers_of_the_application_are_ours_to_set() -> None:
    app = answering(
        start((b"Transfer-Encoding", b"gzip"), (b"Keep-Alive", b"9"), (b"Upgrade", b"h2c"), (b"Content-Length", b"5")),
        piece(b"hello"),
    )
    async with serving(app) as here:
        answer = await here.ask(GET)
        assert answer.headers == {"content-length": "5"}
    async with serving(answering(start(LENGTH_5, (b"connection", b"close")), piece(b"hello"))) as here:
        assert (await here.say(GET)).count(b"connection: close") == 1


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_without_a_body_has_none(status: int) -> None:
    async with serving(answering(start(LENGTH_5, status=status), piece(b"hello"))) as here:
        reader, writer = await here.open()
        writer.write(GET + GET)
        for _ in range(2):
            answer = await read_answer(reader)
            assert answer.status == status
            assert "transfer-encoding" not in answer.headers
            assert ("content-length" in answer.headers) is (status == 304)
        await hang_up(writer)


async def test_the_head_of_a_stream_does_not_wait_for_its_first_piece() -> None:
    async def events(scope: Any, receive: Any, send: Any) -> None:
        await send(start((b"content-type", b"text/event-stream")))
        assert (await receive())["type"] == "http.request"
        await receive()

    async with serving(events) as here:
        reader, writer = await here.open()
        writer.write(GET)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 2)
        assert b"text/event-stream" in head
        await hang_up(writer)
        await until(lambda: not here.worker.tasks)


async def test_a_stale_application_cannot_write_into_the_next_answer() -> None:
    kept: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        kept.append(send)
        await hello(scope, receive, send)

    async with serving(app) as here:
        reader, writer = await here.open()
        writer.write(GET)
        await read_answer(reader)
        with pytest.raises(RuntimeError):
            await kept[0](piece(b"injected"))
        writer.write(GET)
        assert (await read_answer(reader)).body == b"hello"
        await hang_up(writer)
        await until(lambda: not here.worker.connections)
        with pytest.raises((OSError, RuntimeError)):
            await kept[1](piece(b"late"))


async def test_a_caller_that_leaves_is_noticed() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["more_body"] is False
        seen.append(await receive())
        seen.append("done")

    async with serving(app) as here:
        _, writer = await here.open()
        writer.write(GET)
        await until(lambda: bool(here.worker.tasks))
        writer.transport.abort()
        await until(lambda: len(seen) == 2)
        assert seen[0]["type"] == "http.disconnect"


async def test_work_for_a_caller_who_left_is_stopped_and_its_place_is_free() -> None:
    ends: list[Any] = []

    async def asking_a_slow_service(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as why:
            ends.append(why.args)
            raise

    async with serving(asking_a_slow_service, in_flight=1) as here:
        for count in (1, 2):
            _, writer = await here.open()
            writer.write(GET)
            await until(lambda: bool(here.worker.tasks))
            reset = struct.pack("ii", 1, 0)  # close with RST: a mere FIN may be the end of what is sent
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            await hang_up(writer)
            await until(lambda count=count: len(ends) == count and not here.worker.tasks)
    assert ends == [("client_gone",)] * 2


async def test_an_answer_that_has_begun_is_stopped_when_its_caller_left() -> None:
    """Abuse: ask for a stream, take its beginning, reset; the service's connection would be held until it says more."""
    ends: list[Any] = []

    async def streaming(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(start())
        await send(piece(b"data: 1\n\n", True))
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as why:
            ends.append(why.args)
            raise

    async with serving(streaming) as here:
        reader, writer = await here.open()
        writer.write(GET)
        await reader.readuntil(b"data: 1")
        reset = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        await hang_up(writer)
        await until(lambda: not here.worker.tasks)
    assert ends == [("client_gone",)]


async def test_a_silent_answer_does_not_go_on_for_a_caller_who_may_be_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Abuse: the same with an ordinary close, which looks like the end of what is sent."""
    monkeypatch.setattr("gateway.edge.protocol.HALF_OPEN_SECONDS", 0.1)
    ends: list[Any] = []

    async def streaming(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(start())
        await send(piece(b"data: 1\n\n", True))
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as why:
            ends.append(why.args)
            raise

    async with serving(streaming) as here:
        reader, writer = await here.open()
        writer.write(GET)
        await reader.readuntil(b"data: 1")
        await hang_up(writer)
        await until(lambda: not here.worker.tasks)
    assert ends == [("client_gone",)]


async def test_an_answer_that_goes_on_is_whole_also_for_a_caller_who_sends_no_more() -> None:
    go = asyncio.Event()

    async def streaming(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(start())
        await send(piece(b"one", True))
        await go.wait()
        await send(piece(b"two", True))
        await send(piece(b"three"))

    async with serving(streaming) as here:
        reader, writer = await here.open()
        writer.write(GET)
        await reader.readuntil(b"one")
        writer.write_eof()
        await until(lambda: any(connection._peer_done for connection in here.worker.connections))
        go.set()
        assert (await reader.read()).endswith(b"3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n")
        await hang_up(writer)


async def test_a_caller_who_may_be_gone_takes_no_place_and_still_gets_the_answer() -> None:
    go = asyncio.Event()

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/slow":
            await go.wait()
        await hello(scope, receive, send)

    async with serving(waiting, in_flight=1) as here:
        slow, writer = await here.open()
        writer.write(GET.replace(b"GET / ", b"GET /slow "))
        await until(lambda: bool(here.worker.tasks))
        writer.write_eof()
        while True:
            reader, other = await here.open()
            other.write(GET)
            status = (await read_answer(reader)).status
            await hang_up(other)
            if status == 200:
                break
        go.set()
        assert (await read_answer(slow)).body == b"hello"
        await hang_up(writer)


# --- how many --------------------------------------------------------------------------------


async def test_work_above_the_limit_is_shed_at_once_and_the_connection_stays() -> None:
    go = asyncio.Event()

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        await go.wait()
        await hello(scope, receive, send)

    async with serving(waiting, in_flight=2) as here:
        busy = [await here.open() for _ in range(2)]
        for _, writer in busy:
            writer.write(GET)
        await until(lambda: here.figures.in_flight == 2)
        reader, writer = await here.open()
        for _ in range(3):
            writer.write(GET)
            answer = await read_answer(reader)
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
            assert json.loads(answer.body)["reason"] == "overloaded"
        writer.write(GET.replace(b"GET", b"HEAD"))
        assert (await read_answer(reader, "HEAD")).status == 503
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" + GET * 500)
        for _ in range(501):
            assert (await read_answer(reader)).status == 503
        go.set()
        for other, _ in busy:
            assert (await read_answer(other)).status == 200
        writer.write(GET)
        assert (await read_answer(reader)).status == 200
        for _, each in [*busy, (reader, writer)]:
            await hang_up(each)
        await until(lambda: any(n.name == "edge.shed" and n.detail == "in_flight" for n in here.notices))
        assert here.figures.in_flight == 0


async def test_a_shed_upload_is_closed_not_read_as_a_request() -> None:
    async with serving(Recorder(), in_flight=1) as here:
        here.figures.in_flight = 1
        answer = await here.say(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nhi", GET, pause=0.02)
        assert answer.startswith(b"HTTP/1.1 503")
        assert answers_in(answer) == 1
        here.figures.in_flight = 0


async def test_a_stream_gives_its_place_back_once_it_answers() -> None:
    async def events(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        await send(piece(b"x", True))
        await receive()
        await receive()

    async with serving(events, in_flight=1) as here:
        streams = [await here.open() for _ in range(5)]
        for reader, writer in streams:
            writer.write(GET)
            assert b"200" in await asyncio.wait_for(reader.readline(), 2)
        assert here.figures.in_flight == 0
        for _, writer in streams:
            await hang_up(writer)


async def half_asked(here: Any, count: int) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connections on which a request has begun."""
    held = [await here.open() for _ in range(count)]
    for _, writer in held:
        writer.write(b"GET / HT")
    await until(lambda: sum(bool(one._held) for one in here.worker.connections) == count)  # type: ignore[union-attr]
    return held


async def test_connections_above_the_limit_are_told_and_closed() -> None:
    async with serving(hello, connections=3) as here:
        held = await half_asked(here, 3)
        answer = await here.say()
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 1\r\n" in answer
        for _, writer in held:
            await hang_up(writer)
        await until(lambda: here.figures.connections == 0)
        assert (await here.ask(GET)).status == 200


async def test_one_address_has_its_share_of_the_connections() -> None:
    async with serving(hello, connections_per_address=2) as here:
        held = await half_asked(here, 2)
        assert (await here.say()).startswith(b"HTTP/1.1 503")
        await hang_up(held.pop()[1])
        await until(lambda: here.figures.connections == 1)
        assert (await here.ask(GET)).status == 200
        await until(lambda: any(n.name == "edge.shed" and n.detail == "address" for n in here.notices))
        assert {n.subject for n in here.notices if n.detail == "address"} == {"127.0.0.1"}
        for _, writer in held:
            await hang_up(writer)


async def test_connections_that_ask_nothing_keep_nobody_out() -> None:
    async with serving(hello, connections=3) as here:
        idle = [await here.open() for _ in range(3)]
        await until(lambda: here.figures.connections == 3)
        for _ in range(3):
            assert (await here.ask(GET)).status == 200
        assert await asyncio.wait_for(idle[0][0].read(), 2) == b""
        for _, writer in idle:
            await hang_up(writer)


async def test_heads_that_do_not_come_on_keep_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """From as many addresses as it takes: a head may take ten seconds, and is sent anew then."""
    monkeypatch.setattr("gateway.edge.protocol.DAWDLE_SECONDS", 0.0)
    async with serving(hello, connections=3) as here:
        held = await half_asked(here, 3)
        for _ in range(3):
            assert (await here.ask(GET)).status == 200
        told = await asyncio.wait_for(held[0][0].read(), 2)
        assert told.startswith(b"HTTP/1.1 408 ")
        for _, writer in held:
            await hang_up(writer)
        await until(lambda: any(n.detail == "request_timeout" for n in here.notices))


async def test_who_was_refused_and_does_not_hang_up_keeps_nobody_out() -> None:
    async with serving(hello, connections=3) as here:
        told = []
        for _ in range(3):
            reader, writer = await here.open()
            writer.write(b"nonsense\r\n\r\n")
            told.append((await reader.read(), writer))  # our end is closed, theirs stays open
        for _ in range(3):
            assert (await here.ask(GET)).status == 200
        assert {answer[:13] for answer, _ in told} == {b"HTTP/1.1 400 "}
        for _, writer in told:
            await hang_up(writer)


async def test_a_crowd_above_the_limit_is_cut_without_words() -> None:
    async with serving(hello, connections=1) as here:
        held = await half_asked(here, 1)
        many = [await here.open() for _ in range(60)]
        await until(lambda: here.figures.connections <= 18)
        for _, writer in (*held, *many):
            await hang_up(writer)
        await until(lambda: here.figures.connections == 0)


# --- the end ---------------------------------------------------------------------------------


async def test_draining_finishes_what_is_begun_and_takes_one_more_request() -> None:
    go = asyncio.Event()

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        if scope["raw_path"] == b"/wait":
            await go.wait()
        await hello(scope, receive, send)

    async with serving(waiting) as here:
        busy, idle = await here.open(), await here.open()
        busy[1].write(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: here.figures.in_flight == 1 and here.figures.connections == 2)
        for connection in list(here.worker.connections):
            connection.shutdown()
        idle[1].write(GET)
        last = await read_answer(idle[0])
        assert (last.status, last.headers["connection"]) == (200, "close")
        assert await asyncio.wait_for(idle[0].read(), 2) == b""
        go.set()
        assert (await read_answer(busy[0])).headers["connection"] == "close"
        assert await asyncio.wait_for(busy[0].read(), 2) == b""
        for _, writer in (busy, idle):
            await hang_up(writer)


async def test_draining_closes_an_idle_connection_soon() -> None:
    async with serving(hello, Settings(limits=QUICK)) as here:
        reader, writer = await here.open()
        await until(lambda: here.figures.connections == 1)
        next(iter(here.worker.connections)).shutdown()
        assert await asyncio.wait_for(reader.read(), 3) == b""
        await hang_up(writer)


async def test_uvicorn_serves_with_this_class_and_drains_it() -> None:
    figures = Figures()
    bound = protocol_class(Settings(), lambda _: None, figures)
    config = uvicorn.Config(
        hello,
        host="127.0.0.1",
        port=0,
        http=bound,
        lifespan="off",
        log_config=None,
        proxy_headers=False,
        server_header=False,
    )
    server = uvicorn.Server(config)
    running = asyncio.ensure_future(server._serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await until(lambda: bool(server.server_state.default_headers))
    writer.write(GET)
    answer = await read_answer(reader)
    assert answer.body == b"hello"
    assert set(answer.headers) == {"content-length", "date"}
    server.should_exit = True
    assert await asyncio.wait_for(reader.read(), 4) == b""
    await asyncio.wait_for(running, 4)
    await hang_up(writer)
    bound.door.stop()
    assert figures.connections == 0


# --- TLS -------------------------------------------------------------------------------------


def _issue(name: str, folder: Path) -> tuple[Path, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path, certificate


async def test_the_client_certificate_is_shown_to_the_application(tmp_path: Path) -> None:
    ours, _ = _issue("localhost", tmp_path)
    theirs, certificate = _issue("clerk", tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ours)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(theirs)
    app = Recorder()
    async with serving(app, tls=context) as here:
        for with_certificate in (True, False):
            client = ssl.create_default_context(cafile=str(ours))
            client.check_hostname = False
            if with_certificate:
                client.load_cert_chain(theirs)
            reader, writer = await here.open(ssl=client)
            writer.write(GET)
            assert (await read_answer(reader)).status == 200
            tls = app.scopes[-1]["extensions"]["tls"]
            assert tls["version"] == "TLSv1.3"
            der = certificate.public_bytes(serialization.Encoding.DER)
            assert tls["client_cert_der"] == (der if with_certificate else None)
            assert app.scopes[-1]["scheme"] == "https"
            await hang_up(writer)
        client = ssl.create_default_context(cafile=str(ours))
        client.check_hostname = False
        reader, writer = await here.open(ssl=client)
        writer.write(DOUBTFUL["two hosts"])
        assert (await read_answer(reader)).status == 400
        await hang_up(writer)
