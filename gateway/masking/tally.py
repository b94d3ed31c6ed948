"""What has been done to an answer that is still being sent?"""

from collections import defaultdict

from gateway.facts import Revealed
from gateway.masking.names import MAX_UNLABELLED


class Tally:
    """Counts over the units of one answer: what the record says once the last of them is sent."""

    __slots__ = ("_masked", "_records", "_unlabelled")

    def __init__(self) -> None:
        self._masked: defaultdict[str, int] = defaultdict(int)
        self._unlabelled: dict[str, None] = {}
        self._records = 0

    def add(self, revealed: Revealed) -> None:
        """One unit more."""
        for path, count in revealed.masked:
            self._masked[path] += count
        self._records += revealed.records
        for path in revealed.unlabelled:
            if len(self._unlabelled) < MAX_UNLABELLED:
                self._unlabelled[path] = None

    def revealed(self) -> Revealed:
        """All units so far."""
        return Revealed(tuple(self._masked.items()), tuple(self._unlabelled), self._records)
