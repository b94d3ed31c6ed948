"""What was learnt lately, without remembering too much?

Two generations of a dictionary: when the younger is full the elder is dropped and the younger takes
its place. A look-up that finds something in the elder moves it to the younger, so what is used stays.
It is bounded in entries and in weight, and needs no list, no clock and no lock.
"""

from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """A bounded memory of values by key; at most `entries` and `weight` in all."""

    __slots__ = ("_elder", "_entries", "_load", "_weight", "_younger")

    def __init__(self, entries: int, weight: int = 1 << 25) -> None:
        self._entries = max(1, entries // 2)
        self._weight = weight // 2
        self._younger: dict[Key, tuple[Value, int]] = {}
        self._elder: dict[Key, tuple[Value, int]] = {}
        self._load = 0

    def get(self, key: Key) -> Value | None:
        """The value, or None when it was never put or has been forgotten."""
        found = self._younger.get(key)
        if found is not None:
            return found[0]
        found = self._elder.pop(key, None)
        if found is None:
            return None
        self.put(key, *found)
        return found[0]

    def put(self, key: Key, value: Value, weight: int = 1) -> None:
        """Remember a value that weighs this much (bytes, say)."""
        if len(self._younger) >= self._entries or self._load + weight > self._weight:
            self._elder, self._younger, self._load = self._younger, {}, 0
        self._younger[key] = (value, weight)
        self._load += weight

    def drop(self, key: Key) -> None:
        """Forget one value."""
        self._younger.pop(key, None)
        self._elder.pop(key, None)

    def __len__(self) -> int:
        return len(self._younger) + len(self._elder)
