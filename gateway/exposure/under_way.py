"""What is being shown to a caller at this moment?

An answer is on record when it ends; a stream of events may not end for hours, and a long answer is held open by whoever reads a
byte of it a minute. So each open answer of this worker is asked what it has shown so far, whenever something turns on it.
"""

from array import array
from collections.abc import Iterable
from typing import Literal, NamedTuple

from msgspec import Struct

from gateway.facts import UNLABELLED, Asset, Budget, Reply, Revealed, Warrant

By = Literal["subject", "department"]
AT_ONCE = 16 * 1024  # bytes: the connection takes as many whatever its caller does
_DIGEST = 8
_REFUSED = 400


class Told(NamedTuple):
    """What one answer shows: digests of records, how many records more, and how many labelled values in clear."""

    digests: "array[int]"
    more: int
    fields: int


def labelled(masked: Iterable[tuple[str, int]]) -> bool:
    """Whether a value was masked that the catalog labels: what a contract hides of `{"ok": true}` is nobody's record."""
    return any(path != UNLABELLED for path, _ in masked)


def counts(seen: bytes, unlisted: int, records: int, clear: int) -> Told:
    """How an answer is counted; records without a key, beside those with one, are among the unlisted."""
    digests = array("Q", seen[: len(seen) // _DIGEST * _DIGEST])
    return Told(digests, unlisted if digests else max(unlisted, records), clear)


class Flow(Struct, frozen=True, eq=False):
    """One open answer."""

    warrant: Warrant
    reply: Reply

    @property
    def asset(self) -> Asset:
        """What it shows."""
        return self.warrant.facts.asset

    def concerns(self, budget: Budget) -> bool:
        """Whether this budget counts it."""
        facts, asset = self.warrant.facts, self.asset
        named = asset.id in budget.data or asset.category in budget.data
        return named and budget.purpose in ("", facts.subject.purpose or facts.ask.purpose)

    @property
    def revealed(self) -> Revealed:
        """What it has shown so far."""
        return self.reply.revealed if self.reply.revealing is None else self.reply.revealing()

    @property
    def shows(self) -> bool:
        """Whether it has shown anything that is a record."""
        shown = self.revealed
        return bool(shown.seen or shown.clear or (shown.records and self.reply.status < _REFUSED))

    def told(self) -> Told:
        """The same, as `exposures` counts it at the end."""
        reply, shown = self.reply, self.revealed
        if not (shown.seen or shown.clear or labelled(shown.masked)):
            return Told(array("Q"), 0, 0)
        records = shown.records if reply.status < _REFUSED else 0
        return counts(shown.seen, shown.unlisted + shown.keyless, records, shown.clear)


class UnderWay:
    """The open answers, by whom they are shown to."""

    def __init__(self) -> None:
        self._by: dict[tuple[By, str], dict[str, Flow]] = {}

    def __bool__(self) -> bool:
        return bool(self._by)

    def begin(self, warrant: Warrant, reply: Reply) -> None:
        """From here on this is being shown. A short answer is handed over at once, and on record before anybody asks."""
        if isinstance(reply.body, bytes) and len(reply.body) <= AT_ONCE:
            return
        flow = Flow(warrant, reply)
        for whom in _whom(warrant):
            self._by.setdefault(whom, {})[warrant.id] = flow

    def end(self, warrant: Warrant) -> None:
        """It is on record now, or was never begun."""
        for whom in _whom(warrant):
            flows = self._by.get(whom)
            if flows is not None and flows.pop(warrant.id, None) is not None and not flows:
                del self._by[whom]

    def of(self, by: By, whom: str) -> Iterable[Flow]:
        """What is open of a caller or a department."""
        return self._by.get((by, whom), {}).values()


def _whom(warrant: Warrant) -> tuple[tuple[By, str], tuple[By, str]]:
    subject = warrant.facts.subject
    return ("subject", subject.id), ("department", subject.org)
