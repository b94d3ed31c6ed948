"""What has been done to an answer that is still being sent?"""

from collections import defaultdict

from gateway.facts import MAX_SEEN, UNLABELLED, Revealed
from gateway.masking.names import MAX_UNLABELLED
from gateway.masking.whom import DIGEST


class Tally:
    """Counts over the units of one answer: what the record says once the last of them is sent."""

    __slots__ = (
        "_clear",
        "_keyless",
        "_masked",
        "_records",
        "_removed",
        "_residual",
        "_seen",
        "_unlabelled",
        "_unlisted",
    )

    def __init__(self) -> None:
        self._masked: defaultdict[str, int] = defaultdict(int)
        self._unlabelled: dict[str, None] = {}
        self._records = self._clear = self._removed = self._unlisted = self._keyless = 0
        self._residual: tuple[str, ...] = ()
        self._seen: dict[bytes, None] = {}

    def add(self, revealed: Revealed) -> None:
        """One unit more."""
        for path, count in revealed.masked:
            self._masked[path] += count
        self._records += revealed.records
        self._clear += revealed.clear
        self._removed += revealed.removed
        self._unlisted += revealed.unlisted
        self._keyless += revealed.keyless
        if not revealed.seen and (revealed.clear or any(path != UNLABELLED for path, _ in revealed.masked)):
            self._keyless += revealed.records
        self._residual += revealed.residual
        for at in range(0, len(revealed.seen), DIGEST):
            self._see(revealed.seen[at : at + DIGEST])
        for path in revealed.unlabelled:
            if len(self._unlabelled) < MAX_UNLABELLED:
                self._unlabelled[path] = None

    def revealed(self) -> Revealed:
        """All units so far."""
        return Revealed(
            tuple(self._masked.items()),
            tuple(self._unlabelled),
            self._records,
            b"".join(self._seen),
            self._unlisted,
            self._clear,
            self._removed,
            self._residual,
            self._keyless if self._seen else 0,
        )

    def _see(self, digest: bytes) -> None:
        if len(self._seen) < MAX_SEEN:
            self._seen[digest] = None
        elif digest not in self._seen:
            self._unlisted += 1
