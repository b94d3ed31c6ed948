"""Which decision does this outcome belong to?

An outcome names its verdict by id and tells nothing else about it. The verdicts whose outcome is still
to come are kept here, a bounded number: the one that waits longest gives way.
"""

from gateway.facts import OutcomeEntry, VerdictEntry


class Pairs:
    """Permits that wait for their outcome, at most `limit`."""

    def __init__(self, limit: int = 65_536) -> None:
        self._limit = limit
        self._waiting: dict[tuple[str, int], VerdictEntry] = {}

    def wait(self, verdict: VerdictEntry) -> VerdictEntry | None:
        """Keep a permit; returns the one that gave way for it, if the room was full."""
        waiting = self._waiting
        waiting[verdict.journal, verdict.seq] = verdict
        return waiting.pop(next(iter(waiting))) if len(waiting) > self._limit else None

    def match(self, outcome: OutcomeEntry) -> VerdictEntry | None:
        """The permit of this outcome; None when it is not known here."""
        journal, _, seq = outcome.verdict.rpartition(".")
        if not (seq.isascii() and seq.isdigit()) or len(seq) > 18:
            return None
        return self._waiting.pop((journal, int(seq)), None)
