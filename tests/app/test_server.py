"""A worker that is told to stop finishes what it has begun, and begins nothing more."""

import asyncio
import os
import signal
import socket

import pytest
from starlette.types import Receive, Scope, Send

from gateway.app.server import Gauges, data_server
from gateway.edge import Settings, Tally
from gateway.edge.accept import Acceptor
from gateway.facts import Notice

pytestmark = pytest.mark.anyio
REQUEST = b"GET /slow HTTP/1.1\r\nhost: gateway\r\n\r\n"


class Slow:
    """Answers when it is allowed to."""

    def __init__(self) -> None:
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.set()
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"done"})


def unheard(notice: Notice) -> None:
    raise AssertionError(notice)


async def test_on_sigterm_what_is_in_flight_is_finished_and_nothing_more_is_accepted() -> None:
    slow = Slow()
    server = data_server(slow, Settings(), unheard, Gauges())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.accept(Acceptor(listener, server.protocol, Tally(unheard)))
        serving = asyncio.create_task(server.serve(sockets=[]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(REQUEST)
        await slow.asked.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        slow.may_answer.set()
        answer = await reader.read()
        await serving
        _, late = await asyncio.open_connection(*listener.getsockname())  # by the kernel: nobody takes it
        listener.accept()[0].close()
        late.close()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"\r\n\r\ndone")
