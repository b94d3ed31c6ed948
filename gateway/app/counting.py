"""What was shown today before this worker began, and is anything counted at all?

Rules:

1. Nothing is counted, and nothing costs, while no budget, no condition and no rule of the catalog asks for it.
2. From the first that does on, every entry is heard of; what was recorded earlier today is read back from the journals,
   a slice at a time, so that no request waits for it. Until that is done the room doubts (`gateway.exposure`, rule 6).
3. Journals that cannot be read now are read later: until then it is doubt, and never a day on which nothing was shown.
"""

from collections.abc import Iterator
from time import monotonic

from gateway.audit import Tail
from gateway.catalog import Catalog
from gateway.entries import Brief, Entry
from gateway.exposure import Exposures
from gateway.journey import Revision
from gateway.policy import Bundle

LONGEST = 3600.0  # seconds before midnight that are read too, at least: an answer that began then may have ended today
AT_START = 5.0  # seconds of reading before the first request, at most: a million of them, while siblings serve
EACH_TICK = 0.04  # seconds of it, ten times a second, until the day is read: while it is not, the room doubts


class Counting:
    """The counts of this worker, from the entries that it hears of and those of the day before it began."""

    def __init__(self, exposures: Exposures, tail: Tail, longest: float = LONGEST) -> None:
        """`longest`: seconds that an answer may take."""
        self._exposures = exposures
        self._tail = tail
        self._before = max(LONGEST, longest)
        self._judged_by = ""
        self._counts = False
        self._slices: Iterator[list[Brief]] | None = None

    def learn(self, entry: Entry) -> None:
        """Take one entry in."""
        if self._counts:
            self._exposures.learn(entry)

    def follow(self, revision: Revision, now: float) -> None:
        """Count what this revision asks for; `now` in seconds since 1970."""
        bundle = revision.policy.bundle
        if bundle.digest != self._judged_by:
            self._judged_by = bundle.digest
            purposes = frozenset(budget.purpose for budget in bundle.content.budgets if budget.purpose)
            self._exposures.follow(bundle.content.timezone, purposes)
        if revision.asks and not self._counts:
            try:
                self._slices = self._tail.since(self._exposures.opens(now) - self._before)
            except OSError:  # a flood took all descriptors (rule 3)
                return
            self._counts = True

    def read_for(self, seconds: float) -> None:
        """Read for so long, at least a slice, of what was recorded earlier today."""
        end = monotonic() + seconds
        self.read_back()
        while self._slices is not None and monotonic() < end:
            self.read_back()

    def read_back(self, slices: int = 1) -> None:
        """Read so many slices of what was recorded earlier today."""
        for _ in range(slices):
            if self._slices is None:
                return
            entries = next(self._slices, None)
            if entries is None:
                self._slices = None
                self._exposures.settled()
                return
            for entry in entries:
                self._exposures.learn(entry)


def asks(catalog: Catalog, bundle: Bundle) -> bool:
    """Whether anything that these say turns on what was shown."""
    content = bundle.content
    if content.budgets or any(rule.per == "day" for rule in catalog.rules):
        return True
    if content.native is not None and any(name.startswith("exposure") for name in content.native.request.values()):
        return True
    rows = (*content.rules, *(row for overlay in content.overlays.values() for row in overlay.rows))
    return any("exposure." in column for row in rows for column in row)
