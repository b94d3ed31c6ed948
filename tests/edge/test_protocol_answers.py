"""Abuse: an application whose answer breaks off, lies about its length, or goes on for a caller who has left.

Raw bytes over a real socket, on both event loops.
"""

import asyncio
import socket
import struct
from typing import Any

import pytest

from tests.edge.wire import GET, answering, answers_in, hang_up, hello, piece, read_answer, serving, start, until

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": request.param}


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
