"""Abuse: two hundred long answers, each a byte short of its end, by one service or by all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.masking.room import Crowded, Room


def test_one_api_leaves_room_for_others_and_all_together_take_no_more_than_there_is() -> None:
    room = Room(1000)
    first, second = room.seat("civil"), room.seat("health")
    first.holds(800)  # four times what is free then
    with pytest.raises(Crowded):
        room.seat("civil").holds(1)
    second.holds(160)
    with pytest.raises(Crowded):
        second.holds(161)


def test_what_was_refused_takes_nothing_and_what_is_left_is_free_again() -> None:
    room = Room(1000)
    one = room.seat("civil")
    one.holds(500)
    with pytest.raises(Crowded):
        one.holds(801)
    one.holds(100)
    one.holds(800)
    one.leave()
    one.leave()
    room.seat("civil").holds(800)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 400)), max_size=60))
def test_never_more_is_held_than_there_is_and_everything_comes_back(steps: list[tuple[int, int]]) -> None:
    room = Room(1000)
    seats = [room.seat(f"api-{number % 3}") for number in range(6)]
    held = [0] * 6
    for at, size in steps:
        try:
            seats[at].holds(size)
            held[at] = size
        except Crowded:
            pass
        assert sum(held) <= 1000
        assert all(held[api] + held[api + 3] <= 800 for api in range(3))
    for seat in seats:
        seat.leave()
    room.seat("any").holds(800)
