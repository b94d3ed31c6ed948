"""How much of long answers waits for callers who read slowly, and who gives way when it is too much?

An answer in one piece stays in memory until its caller has taken it. Each is bounded, and so are connections; a thousand
answers of eight megabytes are not, and whoever may ask for one may ask for a thousand and read a byte now and then.
Rules:

1. Counted is an answer of more than one slice, from its first slice to its last.
2. When more waits than may, those who have been taking theirs the longest are cut off, one after the other, but nobody
   before `PATIENCE`: newcomers are served, and a crowd that reads as it should takes nothing from each other.
"""

from typing import Generic, TypeVar

Guest = TypeVar("Guest")

PATIENCE = 10.0  # seconds: eight megabytes at 7 Mbit/s


class Backlog(Generic[Guest]):
    """The long answers of one worker that are being taken."""

    def __init__(self, most: int) -> None:
        """`most` in bytes."""
        self._most = most
        self._waiting: dict[Guest, tuple[int, float]] = {}  # bytes, and since when; the longest first
        self.bytes = 0

    def begin(self, guest: Guest, size: int, now: float) -> None:
        """This guest takes an answer of so many bytes from now on."""
        self.end(guest)
        self._waiting[guest] = (size, now)
        self.bytes += size

    def end(self, guest: Guest) -> None:
        """It is taken, or given up."""
        size, _ = self._waiting.pop(guest, (0, 0.0))
        self.bytes -= size

    def slowest(self, now: float) -> list[Guest]:
        """Those who have to give way."""
        over, found = self.bytes - self._most, []
        for guest, (size, since) in self._waiting.items():
            if over <= 0 or now - since < PATIENCE:
                break
            found.append(guest)
            over -= size
        return found
