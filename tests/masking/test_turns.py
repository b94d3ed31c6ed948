"""Work in slices: at once, or with turns for others."""

import asyncio
from collections.abc import Generator

import pytest

from gateway.masking.turns import at_once, with_turns

pytestmark = pytest.mark.anyio


def work(told: list[str], slices: int = 3) -> Generator[None, None, int]:
    for _ in range(slices):
        told.append("slice")
        yield
    if slices > 3:
        raise ValueError("too much")
    return slices


async def test_others_run_between_two_slices_and_the_outcome_is_the_same() -> None:
    told: list[str] = []

    async def other() -> None:
        told.append("other")

    beside = asyncio.ensure_future(other())
    assert await with_turns(work(told)) == at_once(work([])) == 3
    assert told == ["slice", "other", "slice", "slice"]
    await beside


async def test_what_the_work_raises_is_raised() -> None:
    with pytest.raises(ValueError, match="too much"):
        at_once(work([], 4))
    with pytest.raises(ValueError, match="too much"):
        await with_turns(work([], 4))
