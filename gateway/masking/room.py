"""How much of long answers may a worker hold while it masks them?

Each answer is bounded, and so are requests under way; two hundred answers of eight megabytes, each a byte short of its end,
are not. Rules:

1. Counted is what is held of an answer that is read as a whole, from its first byte to its reply: as it came, and unpacked.
2. What has no room is refused (`overloaded`), never held back: a service that sends slowly would stop the others.
3. One API holds at most four times what is still free, as with places in flight: none takes the room of all others.
"""

from collections import Counter

SHARE = 4


class Crowded(Exception):
    """There is no room for more of this answer now."""


class Room:
    """The room of one worker."""

    def __init__(self, most: int) -> None:
        """`most` in bytes."""
        self._free = most
        self._of: Counter[str] = Counter()

    def seat(self, api: str) -> "Seat":
        """The place of one answer of an API, empty at first."""
        return Seat(self, api)

    def take(self, api: str, size: int) -> None:
        """So many bytes more for this API, or fewer. Raises Crowded."""
        if size > 0 and self._of[api] + size > SHARE * (self._free - size):
            raise Crowded
        self._free -= size
        self._of[api] += size
        if not self._of[api]:
            del self._of[api]


class Seat:
    """What is held of one answer."""

    __slots__ = ("_api", "_room", "_size")

    def __init__(self, room: Room, api: str) -> None:
        self._room = room
        self._api = api
        self._size = 0

    def holds(self, size: int) -> None:
        """So many bytes are held from now on. Raises Crowded."""
        self._room.take(self._api, size - self._size)
        self._size = size

    def leave(self) -> None:
        """Nothing is held any more."""
        self.holds(0)

    async def aclose(self) -> None:
        """The same, at the end of a stream that is held."""
        self.leave()
