"""Abuse: a caller that leaves half way, a service that breaks off, a stream nobody closes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.edge import Interrupted, write
from gateway.facts import BodyBroken, BodyFailed, Reply, Revealed, Unreadable
from tests.edge.wire import GET, serving, until
from tests.literals import NOW, WholeBody, an_ask

pytestmark = pytest.mark.anyio


class Wire:
    """ASGI `send` that remembers, and fails after `room` messages."""

    def __init__(self, room: int = 99) -> None:
        self.messages: list[dict[str, Any]] = []
        self.room = room

    async def __call__(self, message: Any) -> None:
        if len(self.messages) >= self.room:
            raise OSError("gone")
        self.messages.append(message)

    @property
    def finished(self) -> bool:
        return bool(self.messages) and not self.messages[-1].get("more_body", False) and len(self.messages) > 1

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)


class Stream:
    """Pieces that may break off; knows whether it was closed."""

    def __init__(self, *pieces: bytes, end: Exception | None = None) -> None:
        self.pieces = list(pieces)
        self.end = end
        self.closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self.pieces:
            return self.pieces.pop(0)
        if self.end is not None:
            raise self.end
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed = True


def a_reply(body: bytes | AsyncIterator[bytes] = b"hello", code: str = "", **changes: Any) -> Reply:
    return Reply(200, ((b"content-type", b"text/plain"),), body, None, code=code, **changes)


async def test_a_whole_answer_is_sent_in_two_messages() -> None:
    wire = Wire()
    revealed = Revealed((("$.id", 1),))
    outcome = await write(
        an_ask(body=WholeBody(b"abc")), a_reply(revealed=revealed, waited=0.25), wire, ((b"x-also", b"1"),)
    )
    assert wire.messages == [
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", b"text/plain"),
                (b"x-also", b"1"),
                (b"x-request-id", b"req-1"),
                (b"x-content-type-options", b"nosniff"),
            ],
        },
        {"type": "http.response.body", "body": b"hello"},
    ]
    assert (outcome.status, outcome.sent, outcome.received, outcome.complete, outcome.code) == (200, 5, 3, True, "")
    assert (outcome.revealed, outcome.waited) == (revealed, 0.25)
    assert outcome.took > 0


async def test_a_stream_is_sent_piece_by_piece_and_closed() -> None:
    wire, stream = Wire(), Stream(b"ab", b"cd")
    outcome = await write(an_ask(), a_reply(stream), wire)
    assert (outcome.sent, outcome.complete, wire.body, wire.finished, stream.closed) == (4, True, b"abcd", True, True)


@pytest.mark.parametrize(
    ("end", "code", "detail"),
    [
        (BodyFailed("cannot_inspect", "a row cannot be read"), "cannot_inspect", "a row cannot be read"),
        (BodyBroken("body_too_large"), "body_too_large", ""),
    ],
)
async def test_a_stream_that_breaks_off_is_left_unfinished(end: Exception, code: str, detail: str) -> None:
    wire, stream = Wire(), Stream(b"ab", end=end)
    outcome = await write(an_ask(), a_reply(stream), wire)
    assert (outcome.sent, outcome.complete, outcome.code, stream.closed) == (2, False, code, True)
    assert outcome.detail == detail
    assert not wire.finished


async def test_what_a_refusal_came_of_is_its_outcome_and_not_sent() -> None:
    wire = Wire()
    outcome = await write(an_ask(), a_reply(code="cannot_inspect", detail="it has a DTD"), wire)
    assert (outcome.code, outcome.detail) == ("cannot_inspect", "it has a DTD")
    assert "DTD" not in str(wire.messages)


@pytest.mark.parametrize("room", [0, 1, 2])
async def test_a_caller_that_leaves_ends_the_stream(room: int) -> None:
    wire, stream = Wire(room), Stream(b"ab", b"cd", b"ef")
    outcome = await write(an_ask(), a_reply(stream), wire)
    assert (outcome.complete, outcome.code, stream.closed) == (False, "client_gone", True)
    assert outcome.sent == max(room - 1, 0) * 2


async def test_a_refusal_nobody_waited_for_keeps_its_reason() -> None:
    outcome = await write(an_ask(), a_reply(code="no_rule"), Wire(0))
    assert (outcome.complete, outcome.code) == (False, "no_rule")


async def test_head_sends_no_body_and_closes_the_stream() -> None:
    wire, stream = Wire(), Stream(b"ab")
    outcome = await write(an_ask(method="HEAD"), a_reply(stream), wire)
    assert (outcome.sent, outcome.complete, wire.body, stream.closed) == (0, True, b"", True)


async def test_what_could_not_be_read_is_answered_too() -> None:
    wire = Wire()
    outcome = await write(Unreadable("req-9", NOW, "bad_host", ""), a_reply(code="bad_host"), wire)
    assert (outcome.received, outcome.complete, outcome.code) == (0, True, "bad_host")
    assert (b"x-request-id", b"req-9") in wire.messages[0]["headers"]


async def test_a_defect_is_not_an_outcome_but_the_stream_is_closed() -> None:
    stream = Stream(end=ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await write(an_ask(), a_reply(stream), Wire())
    assert stream.closed


async def test_the_caller_sees_the_break(anyio_backend: str) -> None:
    outcomes: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        outcome = await write(an_ask(), a_reply(Stream(b"partial", end=BodyFailed("upstream_reset"))), send)
        outcomes.append(outcome.complete)

    async with serving(app) as here:
        with pytest.raises(ConnectionResetError):
            await here.say(GET)
        await until(lambda: outcomes == [False])


async def test_what_breaks_off_before_its_first_piece_is_seen_to_break_off() -> None:
    wire = Wire()
    outcome = await write(an_ask(), a_reply(Stream(end=BodyFailed("residual_identifier"))), wire)
    assert (outcome.status, outcome.sent, outcome.code) == (200, 0, "residual_identifier")
    assert wire.messages[-1] == {
        "type": "http.response.body",
        "body": b"",
        "more_body": True,
    }  # the status of the record


class Endless(Stream):
    """Pieces, and then a wait without end."""

    async def __anext__(self) -> bytes:
        if self.pieces:
            return self.pieces.pop(0)
        await asyncio.Event().wait()
        raise AssertionError


@pytest.mark.parametrize(("args", "code"), [((), "interrupted"), (("client_gone",), "client_gone")])
async def test_who_is_stopped_tells_how_far_it_came(args: tuple[str, ...], code: str) -> None:
    shown = Revealed(records=2, clear=2, seen=b"12345678")
    wire, stream = Wire(), Endless(b"ab", b"cd")
    sending = asyncio.ensure_future(write(an_ask(), a_reply(stream, revealing=lambda: shown), wire))
    while not wire.body.endswith(b"cd"):
        await asyncio.sleep(0)
    sending.cancel(*args)
    with pytest.raises(Interrupted) as stopped:
        await sending
    outcome = stopped.value.outcome
    assert (outcome.status, outcome.sent, outcome.complete, outcome.code) == (200, 4, False, code)
    assert (outcome.revealed, stream.closed, sending.cancelled()) == (shown, True, True)
