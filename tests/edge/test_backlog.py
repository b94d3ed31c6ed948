"""Abuse: ask for a thousand long answers and read a byte of each now and then."""

from typing import Any

import pytest

from gateway.edge.backlog import PATIENCE, Backlog
from tests.edge.wire import GET, hang_up, serving, until

MB = 1_000_000


def backlog(*sizes: int, most: int = 100 * MB) -> "Backlog[str]":
    found: Backlog[str] = Backlog(most)
    for number, size in enumerate(sizes):
        found.begin(f"guest-{number}", size, float(number))
    return found


def test_as_long_as_there_is_room_nobody_gives_way() -> None:
    assert backlog(50 * MB, 50 * MB).slowest(1e9) == []


def test_the_longest_give_way_until_there_is_room() -> None:
    assert backlog(40 * MB, 40 * MB, 30 * MB, 30 * MB).slowest(1e9) == ["guest-0"]
    assert backlog(10 * MB, 10 * MB, 90 * MB, 30 * MB).slowest(1e9) == ["guest-0", "guest-1", "guest-2"]


def test_nobody_gives_way_before_a_while() -> None:
    crowd = backlog(80 * MB, 80 * MB, 80 * MB)
    assert crowd.slowest(PATIENCE - 0.1) == []
    assert crowd.slowest(PATIENCE + 0.9) == ["guest-0"]


def test_what_is_taken_counts_no_more() -> None:
    crowd = backlog(80 * MB, 80 * MB)
    crowd.end("guest-0")
    crowd.end("guest-0")
    crowd.end("nobody")
    assert (crowd.bytes, crowd.slowest(1e9)) == (80 * MB, [])


def test_the_next_answer_of_a_guest_takes_the_place_of_the_one_before() -> None:
    crowd = backlog(80 * MB, 30 * MB)
    crowd.begin("guest-0", 10 * MB, 5.0)
    assert crowd.bytes == 40 * MB


LONG = b"x" * 16_000_000


async def long_answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": LONG})


@pytest.mark.anyio
async def test_who_reads_nothing_of_a_long_answer_gives_way_to_who_comes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.edge.backlog.PATIENCE", 0.0)
    async with serving(long_answer, held_bytes=len(LONG) * 2) as here:
        callers = [await here.open(limit=4096) for _ in range(3)]
        for number, (_, writer) in enumerate(callers, 1):
            writer.write(GET)
            await until(lambda number=number: len(here.worker.tasks) == number or here.figures.connections < 3)  # type: ignore[misc]  # bound now
        await until(lambda: here.figures.connections == 2)
        with pytest.raises(ConnectionError):  # a reset: no end of it looks like its end
            while await callers[0][0].read(65536):
                pass
        for _, writer in callers:
            await hang_up(writer)
    assert [(notice.name, notice.detail) for notice in here.notices] == [("edge.shed", "slow_reader")]


@pytest.mark.anyio
async def test_answers_that_are_taken_leave_nothing_behind() -> None:
    async with serving(long_answer) as here:
        assert len((await here.ask(GET)).body) == len(LONG)
        assert next(iter(here.worker.connections)).door.backlog.bytes == 0
