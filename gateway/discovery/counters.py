"""What is counted on one path?

Each value is looked at once and forgotten.
"""

from bisect import bisect_left
from typing import Final

from gateway.detect import recognise
from gateway.discovery.distinct import Distinct
from gateway.discovery.paths import names
from gateway.discovery.places import Coordinate, Leaf
from gateway.discovery.records import LENGTHS, PathRecord

SHORTEST_NUMBER: Final = 10**7
"""A number of fewer than eight digits is no identifier."""


class Counters:
    """The live counters of one path, which go on from those that were kept."""

    __slots__ = (
        "_before", "_blanks", "_distinct", "_hits", "_lengths", "_names", "_nulls", "_numbers", "_texts", "_truths",
        "answers", "first", "label", "last", "path",
    )  # fmt: skip

    def __init__(self, kept: PathRecord) -> None:
        self.path, self.label, self.answers, self.first, self.last = (
            kept.path, kept.label, kept.answers, kept.first, kept.last,
        )  # fmt: skip
        self._nulls, self._blanks, self._texts = kept.nulls, kept.blanks, kept.texts
        self._numbers, self._truths = kept.numbers, kept.truths
        self._lengths = list(kept.lengths)
        self._hits = dict(kept.hits)
        self._before = kept.distinct  # counted with a key that is gone: the larger of both stands
        self._distinct = Distinct()
        self._names = names(kept.path)

    def met(self, day: str) -> None:
        """One answer more that has the path."""
        self.answers += 1
        self.last = max(self.last, day)

    def add(self, value: Leaf, key: bytes) -> None:
        """One value more."""
        match value:
            case None:
                self._nulls += 1
            case bool():
                self._truths += 1
            case str():
                self._text(value, key)
            case Coordinate():
                self._numbers += 1
                self._distinct.add(value.pair, key)
                self._recognise(value.pair)
            case _:
                self._numbers += 1
                self._distinct.add(repr(value), key)
                if isinstance(value, int) and value >= SHORTEST_NUMBER:
                    self._recognise(str(value))

    def _text(self, value: str, key: bytes) -> None:
        if not value.strip():
            self._blanks += 1
            return
        self._texts += 1
        self._lengths[bisect_left(LENGTHS, len(value))] += 1
        self._distinct.add(value, key)
        self._recognise(value)

    def _recognise(self, text: str) -> None:
        for one in recognise(text, self._names):
            self._hits[one.identifier] = self._hits.get(one.identifier, 0) + 1

    def record(self) -> PathRecord:
        """The counts so far."""
        return PathRecord(
            self.path,
            self.first,
            self.last,
            self.answers,
            self._nulls,
            self._blanks,
            self._texts,
            self._numbers,
            self._truths,
            tuple(self._lengths),
            dict(self._hits),
            max(self._before, self._distinct.estimate()),
            self.label,
        )
