"""Abuse: a body that never ends, ends early, grows past its announcement, or past what the API takes."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.edge.body import AsgiBody
from gateway.facts import Body, BodyBroken

pytestmark = pytest.mark.anyio


def receiving(*pieces: bytes, end: str | None = None) -> Callable[[], Any]:
    """ASGI `receive` that gives these pieces, then the end or a disconnect with this code."""
    events: list[dict[str, Any]] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    if end is None:
        events.append({"type": "http.request", "body": b"", "more_body": False})
    else:
        events.append({"type": "http.disconnect", "code": end} if end else {"type": "http.disconnect"})

    async def receive() -> dict[str, Any]:
        return events.pop(0)

    return receive


def a_body(
    *pieces: bytes, length: int | None = None, small: int = 8, limit: int = 20, end: str | None = None
) -> AsgiBody:
    return AsgiBody(receiving(*pieces, end=end), length, small, limit)


async def drain(body: Body) -> bytes:
    return b"".join([piece async for piece in body.chunks()])


async def test_no_body_is_complete_without_asking() -> None:
    body = AsgiBody(None, 0, 8, 20)  # type: ignore[arg-type]  # never called
    assert await body.settle() is None
    assert body.whole() == b""
    assert await drain(body) == b""


@pytest.mark.parametrize("length", [6, None])
async def test_a_small_body_is_whole_after_it_settled_and_can_be_read_again(length: int | None) -> None:
    body = a_body(b"abc", b"def", length=length)
    assert body.whole() is None
    assert await body.settle() is None
    assert await body.settle() is None
    assert body.whole() == b"abcdef"
    assert (await drain(body), await drain(body)) == (b"abcdef", b"abcdef")
    assert body.received == 6


async def test_a_large_body_settles_at_once_and_streams_once() -> None:
    body = a_body(b"abcdefgh", b"ijkl", length=12)
    assert await body.settle() is None
    assert (body.received, body.whole()) == (0, None)
    assert await drain(body) == b"abcdefghijkl"
    assert body.whole() is None
    with pytest.raises(BodyBroken):
        await drain(body)


async def test_a_chunked_body_that_grows_large_streams_with_what_was_kept() -> None:
    body = a_body(b"abcde", b"fghij", b"klmno")
    assert await body.settle() is None
    assert body.whole() is None
    assert await drain(body) == b"abcdefghijklmno"


async def test_too_large_is_said_before_anything_is_read() -> None:
    body = a_body(length=21)
    assert await body.settle() == "body_too_large"
    assert body.received == 0


async def test_a_chunked_body_is_counted_while_it_streams() -> None:
    body = a_body(b"a" * 15, b"b" * 15)
    assert await body.settle() is None
    with pytest.raises(BodyBroken) as caught:
        await drain(body)
    assert caught.value.code == "body_too_large"


@pytest.mark.parametrize(
    ("pieces", "length"),
    [((b"abc",), 6), ((b"abc", b"defg"), 6), ((), 6)],
)
async def test_more_or_less_than_announced_is_broken(pieces: tuple[bytes, ...], length: int) -> None:
    assert await a_body(*pieces, length=length).settle() == "body_incomplete"
    with pytest.raises(BodyBroken) as caught:
        await drain(a_body(*pieces, length=length, small=1))
    assert caught.value.code == "body_incomplete"


@pytest.mark.parametrize(("end", "code"), [("", "client_gone"), ("request_timeout", "request_timeout")])
async def test_a_caller_that_breaks_off_says_why_when_the_server_knows(end: str, code: str) -> None:
    body = a_body(b"abc", length=6, end=end)
    assert await body.settle() == code
    assert body.whole() is None
    with pytest.raises(BodyBroken) as caught:
        await drain(body)
    assert caught.value.code == code
