"""Is this address well?

Asks on its own at intervals, with a request that carries nobody's data, over a connection of its own:
a service that is merely busy is not sick.
"""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.facts import Fault
from gateway.upstream.connection import Stream
from gateway.upstream.pool import Pool
from gateway.upstream.reader import ResponseReader
from gateway.upstream.settings import Health


async def watch(
    pool: Pool,
    health: Health,
    host: str,
    report: Callable[[str], None],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Check again and again, until cancelled."""
    request = (
        f"GET {health.path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: gateway-health\r\naccept: */*\r\n\r\n".encode()
    )
    while True:
        report(await check(pool, request, health.timeout))
        await sleep(health.every)


async def check(pool: Pool, request: bytes, limit: float) -> str:
    """Ask once; returns "" when it is well, else what is wrong."""
    try:
        async with asyncio.timeout(limit):
            return await _ask(pool, request)
    except TimeoutError:
        return f"no answer within {limit:g} s"


async def _ask(pool: Pool, request: bytes) -> str:
    connection = await pool.obtain()
    if isinstance(connection, Fault):
        return connection.detail
    reader = ResponseReader("GET")
    try:
        answer = await connection.send(request, reader)
    except asyncio.CancelledError:
        connection.abandon(reader, "the check took too long")
        raise
    if isinstance(answer, Fault):
        return answer.detail
    if isinstance(answer, Stream):
        await answer.aclose()  # the status is enough
    return "" if reader.status < 400 else f"status {reader.status}"
