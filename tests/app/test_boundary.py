"""What nobody expected becomes a 500 without its text, and a notice with type and place."""

import asyncio
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from gateway.app.boundary import DataPort, place, unforeseen
from gateway.facts import Notice

pytestmark = pytest.mark.anyio


def page(status: int) -> Any:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return answer


async def fails(scope: Scope, receive: Receive, send: Send) -> None:
    raise KeyError("330106199003072319")


async def asked(raw: bytes, journey: Any) -> tuple[int, list[Notice]]:
    told: list[Notice] = []
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    port = DataPort(journey, {b"/.gateway/health": page(200)}, page(404), page(500), told.append)
    await port({"type": "http", "raw_path": raw}, receive, send)
    return sent[0]["status"], told


async def test_a_request_goes_through_the_journey() -> None:
    assert await asked(b"/civil/households/1", page(299)) == (299, [])


async def test_a_reserved_page_is_answered_beside_it() -> None:
    assert await asked(b"/.gateway/health", fails) == (200, [])


@pytest.mark.parametrize("raw", [b"/.gateway/metrics", b"/.gateway/", b"/.well-known/oauth-protected-resource/../x"])
async def test_nothing_else_is_there(raw: bytes) -> None:
    assert await asked(raw, fails) == (404, [])


async def test_an_unexpected_fault_is_a_500_and_a_notice_without_values() -> None:
    status, told = await asked(b"/civil/households/1", fails)
    assert status == 500
    assert [(notice.name, notice.subject) for notice in told] == [("gateway.fault", "KeyError")]
    assert "330106199003072319" not in told[0].detail


def test_the_place_is_the_innermost_frame_of_ours() -> None:
    try:
        int("x")
    except ValueError as error:
        assert place(error) == ""  # no frame of the gateway is in it


async def test_a_fault_beside_the_requests_is_told_without_its_text(capfd: pytest.CaptureFixture[str]) -> None:
    told: list[Notice] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(unforeseen(told.append))
    try:
        loop.call_soon({}.__getitem__, "330106199003072319")
        await asyncio.sleep(0)
    finally:
        loop.set_exception_handler(None)
    assert [(notice.name, notice.subject) for notice in told] == [("gateway.fault", "KeyError")]
    assert "330106199003072319" not in told[0].detail
    assert "330106199003072319" not in capfd.readouterr().err
