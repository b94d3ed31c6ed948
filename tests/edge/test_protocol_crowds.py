"""Abuse: more callers than there are places, from one address or from many, who ask nothing or do not hang up.

Raw bytes over a real socket, on both event loops.
"""

import asyncio
import json
from typing import Any

import pytest

from tests.edge.wire import GET, Recorder, answers_in, hang_up, hello, piece, read_answer, serving, start, until

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": request.param}


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
