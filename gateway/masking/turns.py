"""How is work done that pauses after each slice?

At once where it is short, or with turns for others in between. What it gives is what the generator returns.
"""

from collections.abc import Generator
from typing import TypeVar

from gateway.masking.json_body import turn

Done = TypeVar("Done")


def at_once(work: Generator[None, None, Done]) -> Done:
    """The outcome of short work. What the work raises is raised."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            done: Done = end.value
            return done


async def with_turns(work: Generator[None, None, Done]) -> Done:
    """The outcome of long work, after each slice of which the event loop runs whatever else is ready."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            done: Done = end.value
            return done
        await turn()
