import asyncio
import time

import pytest

from gateway.facts import Fault
from gateway.upstream.pool import WAITERS_PER_CONNECTION, Pool
from gateway.upstream.reader import ResponseReader
from gateway.upstream.settings import Timeouts, endpoint
from tests.upstream.backend import OK, backend, says

pytestmark = pytest.mark.anyio
REQUEST = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"


class Attempts(list):
    def __call__(self, pool, why):
        self.append(why)


def a_pool(url, size=4, opened=None, **limits):
    values = {"connect": 1.0, "first_byte": 1.0, "idle": 1.0, "total": 5.0, "keep_alive": 5.0} | limits
    heard = opened if opened is not None else Attempts()
    return Pool(endpoint(url), size, Timeouts(**values), None, "", heard, time.monotonic)


async def ask(connection):
    reader = ResponseReader("GET")
    assert await connection.send(REQUEST, reader) is None
    return reader.take()


async def test_the_connection_used_last_is_used_first():
    async with backend(says(OK)) as service:
        pool = a_pool(service.url)
        one, two = await pool.obtain(), await pool.obtain()
        await ask(one)
        await ask(two)
        assert pool.take() is two
        assert pool.take() is one
        assert pool.take() is None
        await pool.close()


async def test_unused_connections_are_closed_after_a_while():
    async with backend(says(OK)) as service:
        pool = a_pool(service.url, keep_alive=0.04)
        await ask(await pool.obtain())
        assert pool.free == 1
        async with asyncio.timeout(2):
            await service.closed.wait()
        assert (pool.free, pool.take(), pool.pending) == (0, None, 0)
        await pool.close()


async def test_a_closed_connection_makes_room_for_the_next_in_line():
    async with backend(says(OK)) as service:
        pool = a_pool(service.url, size=1)
        held = await pool.obtain()
        waiting = asyncio.create_task(pool.obtain())
        await asyncio.sleep(0)
        held.abort()
        got = await waiting
        assert got is not held
        assert await ask(got) == b"{}"
        assert service.connections == 2
        await pool.close()


async def test_a_connection_given_to_someone_who_just_left_goes_to_the_next():
    async with backend(says(OK)) as service:
        pool = a_pool(service.url, size=1)
        held = await pool.obtain()
        leaver, stayer = asyncio.create_task(pool.obtain()), asyncio.create_task(pool.obtain())
        await asyncio.sleep(0)
        pool.release(held)  # given to the leaver, who has not run yet
        leaver.cancel()
        assert await stayer is held
        await pool.close()


async def test_leave_to_open_given_to_someone_who_just_left_is_not_lost():
    async with backend(says(OK)) as service:
        pool = a_pool(service.url, size=1)
        held = await pool.obtain()
        leaver, stayer = asyncio.create_task(pool.obtain()), asyncio.create_task(pool.obtain())
        await asyncio.sleep(0)
        held.abort()
        pool.forget(held)
        leaver.cancel()
        assert await ask(await stayer) == b"{}"
        assert pool.pending == 0
        await pool.close()


async def test_a_cancelled_attempt_to_connect_leaves_no_trace():
    async with backend(says(OK)) as service:
        pool = a_pool(service.url, size=1)
        for _ in range(5):
            task = asyncio.create_task(pool.obtain())
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(2):
            assert await ask(await pool.obtain()) == b"{}"
        await pool.close()


async def test_the_line_is_bounded():
    async with backend(says(OK)) as service:
        pool = a_pool(service.url, size=1)
        await pool.obtain()
        line = [asyncio.create_task(pool.obtain()) for _ in range(WAITERS_PER_CONNECTION)]
        await asyncio.sleep(0)
        assert (await pool.obtain()).code == "upstream_unavailable"
        assert pool.pending == 1 + len(line)
        await pool.close()
        assert {fault.code for fault in await asyncio.gather(*line)} == {"upstream_unavailable"}


async def test_each_attempt_is_told():
    heard = Attempts()
    async with backend(says(OK)) as service:
        pool = a_pool(service.url, opened=heard)
        assert not isinstance(await pool.obtain(), Fault)
        await pool.close()
    gone = a_pool(service.url, opened=heard)
    assert (await gone.obtain()).code == "upstream_unreachable"
    await gone.close()
    assert heard[0] == ""
    assert "refused" in heard[1] or "connect" in heard[1]


async def test_a_connection_that_takes_too_long_is_given_up():
    """A listener whose queue is full answers no more SYNs."""
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        stuffing = [socket.socket() for _ in range(4)]
        for sock in stuffing:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        pool = a_pool(f"http://127.0.0.1:{port}", connect=0.1)
        assert (await pool.obtain()).code == "upstream_timeout"
        await pool.close()
        for sock in stuffing:
            sock.close()


async def test_a_stalled_process_does_not_cut_what_is_under_way():
    async with backend(says(OK)) as service:
        pool = a_pool(service.url, first_byte=0.4)
        connection = await pool.obtain()
        answer = connection.send(REQUEST, ResponseReader("GET"))
        time.sleep(0.6)  # as a long collection or a stopped process would
        async with asyncio.timeout(2):
            assert await answer is None
        await pool.close()


async def test_a_closed_pool_gives_nothing():
    async with backend(says(OK)) as service:
        pool = a_pool(service.url)
        await ask(await pool.obtain())
        await pool.close()
        assert (await pool.obtain()).code == "upstream_unavailable"
        await pool.close()
