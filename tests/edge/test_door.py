"""Abuse: a crowd at the door, a flood that would drown the log."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.edge import Limits, Settings
from gateway.edge.door import OTHERS, TALLY_MAX, Door, Tally
from gateway.facts import Notice
from tests.edge.wire import Figures, until

pytestmark = pytest.mark.anyio


class Visitor:
    """A guest that remembers when it was overdue."""

    def __init__(self, deadline: float = float("inf"), write_deadline: float = float("inf"), busy: bool = True) -> None:
        self.deadline = deadline
        self.write_deadline = write_deadline
        self.late: list[float] = []
        self.busy = busy

    def give_way(self) -> bool:
        gives, self.busy = not self.busy, True
        return gives

    def overdue(self, now: float) -> None:
        self.deadline = self.write_deadline = float("inf")
        self.late.append(now)


def a_door(notices: list[Notice], **limits: float) -> Door:
    return Door(Settings(limits=Limits(**limits)), notices.append, Figures())  # type: ignore[arg-type]  # counts are floats here


async def test_one_sweep_finds_who_is_late_never_early() -> None:
    loop = asyncio.get_running_loop()
    door = a_door([], keep_alive_seconds=0.1)
    read, write, patient = Visitor(), Visitor(), Visitor()
    for guest in (read, write, patient):
        assert door.enter(guest, loop, "192.0.2.1") == ""
    started = loop.time()
    read.deadline, write.write_deadline = door.after(0.1), door.after(0.1)
    await until(lambda: bool(read.late and write.late))
    assert 0.1 <= read.late[0] - started <= 0.1 + 3 * door.sweep + 0.1
    assert patient.late == []
    for guest in (read, write, patient):
        door.leave(guest)
    assert door.gauges.connections == 0
    door.stop()


async def test_guests_are_counted_and_bounded() -> None:
    loop = asyncio.get_running_loop()
    door = a_door([], connections=2)
    guests = [Visitor() for _ in range(40)]
    assert [door.enter(guest, loop, "192.0.2.1") for guest in guests[:3]] == ["", "", "connections"]
    assert not door.crowded()
    for guest in guests[3:]:
        assert door.enter(guest, loop, "192.0.2.1") == "connections"
    assert door.crowded()
    assert door.gauges.connections == 40
    for guest in guests:
        door.leave(guest)
    assert door.gauges.connections == 0
    door.stop()


async def test_one_address_cannot_take_all_places_but_a_trusted_proxy_may() -> None:
    loop = asyncio.get_running_loop()
    limits = Limits(connections=8, connections_per_address=2)
    door = Door(Settings(trusted_proxies=("192.0.2.9",), limits=limits), lambda notice: None, Figures())
    greedy = [Visitor() for _ in range(3)]
    assert [door.enter(guest, loop, "192.0.2.1") for guest in greedy] == ["", "", "address"]
    assert door.enter(Visitor(), loop, "192.0.2.2") == ""
    assert [door.enter(Visitor(), loop, "192.0.2.9") for _ in range(4)] == ["", "", "", ""]
    for guest in greedy:
        door.leave(guest)
    idle, working = Visitor(busy=False), Visitor()
    assert [door.enter(guest, loop, "192.0.2.1") for guest in (working, idle, Visitor())] == ["", "", ""]
    assert (working.busy, idle.busy) == (True, True)  # the idle one gave way to its neighbour
    assert door.enter(Visitor(), loop, "192.0.2.1") == "address"
    door.stop()


async def test_who_asks_nothing_gives_way_to_a_newcomer_the_oldest_first() -> None:
    loop = asyncio.get_running_loop()
    door = a_door([], connections=3)
    working, older, newer = Visitor(), Visitor(busy=False), Visitor(busy=False)
    for guest in (working, older, newer):
        door.enter(guest, loop, "192.0.2.1")
    assert door.enter(Visitor(), loop, "192.0.2.2") == ""
    assert (working.busy, older.busy, newer.busy) == (True, True, False)
    door.stop()


async def test_a_newcomer_never_gives_way_to_itself() -> None:
    loop = asyncio.get_running_loop()
    door = a_door([], connections=1)
    door.enter(Visitor(), loop, "192.0.2.1")
    newcomer = Visitor(busy=False)
    assert door.enter(newcomer, loop, "192.0.2.2") == "connections"
    assert not newcomer.busy
    door.stop()


def test_work_is_bounded() -> None:
    door = a_door([], in_flight=2)
    assert not door.full()
    door.gauges.in_flight = 2
    assert door.full()


class Clock:
    """The loop, as far as the door asks it for the time."""

    def __init__(self) -> None:
        self.at = 100.0

    def time(self) -> float:
        return self.at

    def call_later(self, seconds: float, call: Any) -> Any:
        return SimpleNamespace(cancel=lambda: None)


@pytest.mark.parametrize(
    ("queued", "seconds", "full"),
    [
        (63, 10.0, False),  # a short line may stand for ever
        (64, 0.09, False),  # a rush is let in
        (127, 0.09, False),
        (128, 0.0, True),  # but not without end
        (64, 0.11, True),  # a line that stands is kept short
    ],
)
def test_a_rush_is_let_in_and_a_line_that_stands_is_kept_short(queued: int, seconds: float, full: bool) -> None:
    door, clock = a_door([]), Clock()
    door.enter(Visitor(), cast(asyncio.AbstractEventLoop, clock), "192.0.2.1")
    door.gauges.queued = queued
    answers = []
    until = clock.at + seconds
    while clock.at < until:
        answers.append(door.full())
        clock.at += 0.01
    clock.at = until
    answers.append(door.full())
    assert answers[-1] is full
    clock.at += 0.06  # the line was gone for a moment: what comes now is a new rush
    assert door.full() is (queued >= 128)


async def test_a_flood_of_refusals_makes_few_notices() -> None:
    notices: list[Notice] = []
    door = a_door(notices, keep_alive_seconds=0.1)
    guest = Visitor()
    door.enter(guest, asyncio.get_running_loop(), "192.0.2.1")
    for _ in range(1000):
        door.tally.add("edge.refused", "192.0.2.7", "bad_framing")
    door.leave(guest)  # what was counted is told though nobody is there any more
    await until(lambda: bool(notices))
    assert notices == [Notice("edge.refused", "192.0.2.7", "bad_framing", 1000)]
    door.stop()


def test_a_flood_of_sources_is_bounded_and_nothing_is_lost() -> None:
    notices: list[Notice] = []
    tally = Tally(notices.append)
    for number in range(3 * TALLY_MAX):
        tally.add("edge.refused", f"192.0.{number // 256}.{number % 256}", "bad_framing")
    assert tally
    tally.tell()
    assert len(notices) == TALLY_MAX + 1
    assert sum(notice.count for notice in notices) == 3 * TALLY_MAX
    assert notices[-1] == Notice("edge.refused", OTHERS, "bad_framing", 2 * TALLY_MAX)
    assert not tally
