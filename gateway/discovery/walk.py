"""Which values of an answer are looked at?

A few of each path, found without walking the rest: of an array elements spread over its length, of an object its first
members, level by level, within fixed bounds whatever the service sends.
"""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import TypeVar

from gateway.discovery.paths import EVERY, step
from gateway.discovery.places import Leaf, Value, placed
from gateway.jsonpath import MAX_LENGTH, MAX_STEPS

PER_PATH = 8
MAX_MEMBERS = 256  # of one object
MAX_NODES = 2048  # of one answer

One = TypeVar("One")


def leaves(*roots: Value) -> Iterator[tuple[str, Leaf]]:
    """Paths and values, at most `PER_PATH` of each path; what lies too deep for a label is left out.

    Of an answer in lines each has its own root.
    """
    waiting: deque[tuple[str, int, Value]] = deque(("$", 0, root) for root in roots)
    taken: dict[str, int] = {}
    nodes = len(roots)
    while waiting:
        path, depth, value = waiting.popleft()
        if not isinstance(value, dict | list):
            if taken.setdefault(path, 0) < PER_PATH:
                taken[path] += 1
                yield path, value
        elif depth < MAX_STEPS:
            for way, child in islice(_below(path, value), MAX_NODES - nodes):
                nodes += 1
                if len(way) <= MAX_LENGTH:
                    waiting.append((way, depth + 1, child))


def _below(path: str, value: dict[str, Value] | list[Value]) -> Iterator[tuple[str, Value]]:
    value = placed(value)
    if isinstance(value, dict):
        return ((path + step(name), member) for name, member in islice(value.items(), MAX_MEMBERS))
    return ((path + EVERY, element) for element in spread(value))


def spread(every: list[One]) -> list[One]:
    """A few of them, from all over the list."""
    return every[:: max(1, len(every) // PER_PATH)][:PER_PATH]
