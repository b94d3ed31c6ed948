import asyncio
import time

import pytest

from gateway.upstream.health import check, watch
from gateway.upstream.pool import Pool
from gateway.upstream.settings import Health, Timeouts, endpoint
from tests.upstream.backend import OK, backend, says

pytestmark = pytest.mark.anyio
REQUEST = b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"


def a_pool(url):
    return Pool(endpoint(url), 4, Timeouts(), None, "", lambda pool, why: None, time.monotonic)


async def checked(script, limit=1.0):
    async with backend(script) as service:
        pool = a_pool(service.url)
        found = await check(pool, REQUEST, limit)
        await pool.close()
    return found


@pytest.mark.parametrize("status", [200, 204, 302, 304])
async def test_an_answer_is_well(status):
    assert await checked(says(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % status)) == ""


async def test_an_endless_answer_is_well_and_is_not_read():
    assert await checked(says(b"HTTP/1.1 200 X\r\n\r\nabc")) == ""


@pytest.mark.parametrize("status", [400, 404, 500, 503])
async def test_an_error_is_sick(status):
    assert await checked(says(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % status)) == f"status {status}"


async def test_silence_and_garbage_are_sick():
    assert await checked(says(b""), limit=0.05) == "no answer within 0.05 s"
    assert await checked(says(b"garbage\r\n\r\n")) != ""
    assert await checked(says(b"", then="close")) != ""


async def test_nobody_there_is_sick():
    async with backend(says(OK)) as service:
        pass
    pool = a_pool(service.url)
    assert await check(pool, REQUEST, 1) != ""
    await pool.close()


async def test_it_asks_again_and_again():
    reports = []
    async with backend(says(OK)) as service:
        pool = a_pool(service.url)
        naps = []

        async def nap(seconds):
            naps.append(seconds)
            if len(naps) == 3:
                raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await watch(pool, Health("/healthz", every=7), "svc", reports.append, nap)
        await pool.close()
    assert naps == [7, 7, 7]
    assert reports == [""] * 3
    assert service.requests[0].startswith(b"GET /healthz HTTP/1.1\r\nhost: svc\r\n")
    assert b"x-gateway" not in service.requests[0]
