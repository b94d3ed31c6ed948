"""How is work done that pauses after each slice?

At once where it is short, or with turns for others in between. What it gives is what the generator returns.
"""

from collections.abc import Generator
from types import coroutine
from typing import TypeVar

Done = TypeVar("Done")


@coroutine
def turn() -> Generator[None, None, None]:
    """Let the event loop run whatever else is ready."""
    yield


def at_once(work: Generator[None, None, Done]) -> Done:
    """The outcome of short work. What the work raises is raised."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            done: Done = end.value
            return done


@coroutine
def with_turns(work: Generator[None, None, Done]) -> Generator[None, None, Done]:
    """The outcome of long work, after each slice of which the event loop runs whatever else is ready."""
    return (yield from work)
