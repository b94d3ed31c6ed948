"""What is being shown to a caller at this moment?

An answer is on record when it ends; a stream of events may not end for hours, and a long answer is held open by whoever reads a
byte of it a minute. So each open answer of this worker is asked what it has shown so far, whenever something turns on it.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from gateway.facts import Asset, Budget, Exposure, Reply, Revealed, Warrant

By = Literal["subject", "department"]
AT_ONCE = 16 * 1024  # bytes: the connection takes as many whatever its caller does
_DIGEST = 8
_REFUSED = 400


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

    def added(self, known: Exposure) -> Exposure:
        """What was shown, and what this shows."""
        records, fields = self.told()
        return replace(known, records=known.records + records, fields=known.fields + fields)

    def told(self) -> tuple[int, int]:
        """How many records it has shown, and how many labelled values in clear; as `exposures` counts them at the end."""
        reply = self.reply
        shown: Revealed = reply.revealed if reply.revealing is None else reply.revealing()
        if not (shown.seen or shown.clear or shown.masked):
            return 0, 0
        records = shown.records if reply.status < _REFUSED else 0
        return max(records, len(shown.seen) // _DIGEST + shown.unlisted), shown.clear


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
