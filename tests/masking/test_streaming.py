"""An answer that is masked while it arrives ends in order, or visibly."""

from collections.abc import AsyncIterator

import pytest

from gateway.facts import BodyFailed
from gateway.masking.json_body import NotJson
from gateway.masking.plan import TooManyStates
from gateway.masking.room import Room
from gateway.masking.second_look import Residual
from gateway.masking.streaming import begun, going_on
from gateway.masking.tally import Tally
from gateway.masking.unpack import Withheld

pytestmark = pytest.mark.anyio
SEAT = Room(1 << 30).seat("civil")


class Source:
    closed = False

    async def aclose(self) -> None:
        self.closed = True


async def units(*parts: bytes, breaks: Exception | None = None) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if breaks is not None:
        raise breaks


async def test_pieces_come_in_order_and_the_service_is_let_go():
    source, stream = Source(), units(b"a", b"", b"b")
    first = await begun(stream)
    assert [piece async for piece in going_on(first, stream, source, Tally(), SEAT)] == [b"a", b"b"]
    assert source.closed


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Withheld("x"), "cannot_inspect"),
        (NotJson("x"), "cannot_inspect"),
        (Residual(("phone",)), "residual_identifier"),
        (TooManyStates("x"), "masking_failed"),
        (UnicodeDecodeError("utf-8", b"secret", 0, 1, "secret"), "masking_failed"),
        (RecursionError(), "masking_failed"),
    ],
)
async def test_what_stands_in_the_way_ends_it_with_its_reason(error, code):
    source, stream = Source(), units(b"a", breaks=error)
    body = going_on(await begun(stream), stream, source, Tally(), SEAT)
    assert await anext(body) == b"a"
    with pytest.raises(BodyFailed) as why:
        await anext(body)
    assert why.value.code == code
    assert "secret" not in why.value.detail
    assert source.closed


async def test_before_the_first_piece_it_can_still_be_told():
    with pytest.raises(Withheld):
        await begun(units(breaks=Withheld("x")))
    assert await begun(units()) == b""


async def test_a_caller_who_leaves_before_the_first_piece_closes_everything():
    source, stream = Source(), units(b"a", b"b")
    await going_on(await begun(stream), stream, source, Tally(), SEAT).aclose()
    assert source.closed


async def test_a_caller_who_leaves_closes_everything():
    source, stream = Source(), units(b"a", b"b")
    body = going_on(await begun(stream), stream, source, Tally(), SEAT)
    await anext(body)
    await body.aclose()
    assert source.closed


async def test_the_room_it_took_is_free_again_when_it_ends():
    room = Room(1000)
    seat = room.seat("civil")
    seat.holds(800)
    source, stream = Source(), units(b"a")
    await going_on(await begun(stream), stream, source, Tally(), seat).aclose()
    room.seat("civil").holds(800)
