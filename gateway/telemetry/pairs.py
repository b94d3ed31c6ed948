"""Which decision does this outcome belong to?

An outcome names its verdict by id and tells nothing else about it. The verdicts whose outcome is still
to come are kept here, a bounded number: the one that waits longest gives way.
"""

from collections.abc import Iterable

from msgspec import Struct

from gateway.entries import ActEntry, Entry, NoticeEntry, OutcomeEntry, VerdictEntry


class Told(Struct, frozen=True, gc=False):
    """What is known of one request now.

    `fresh` means that the verdict is told of for the first time. `verdict` is None when an outcome's
    verdict is not known here. `outcome` is None for a refusal, for a permit that waits, and for one
    that gave way (which is not fresh).
    """

    id: str
    verdict: VerdictEntry | None
    outcome: OutcomeEntry | None
    fresh: bool

    @property
    def is_complete(self) -> bool:
        """Whether nothing more is to come: not a permit that waits for its outcome."""
        return (
            self.outcome is not None
            or not self.fresh
            or (self.verdict is not None and self.verdict.outcome != "permit")
        )


Story = Told | NoticeEntry | ActEntry


class Pairs:
    """Permits that wait for their outcome, at most `limit`."""

    def __init__(self, limit: int = 65_536) -> None:
        self._limit = limit
        self._waiting: dict[str, VerdictEntry] = {}

    def join(self, entries: Iterable[Entry]) -> list[Story]:
        """Verdicts and outcomes as the requests that they tell of, in order of what completes them.

        A permit whose outcome is among the entries is told of once, there; one without is told of as
        fresh at the end and again when its outcome comes.
        """
        stories: list[Story] = []
        tell = stories.append
        fresh: dict[str, VerdictEntry] = {}
        waiting = self._waiting
        for entry in entries:
            if isinstance(entry, OutcomeEntry):
                identity = entry.verdict
                verdict = fresh.pop(identity, None)
                if verdict is not None:
                    tell(Told(identity, verdict, entry, True))
                else:
                    tell(Told(identity, waiting.pop(identity, None), entry, False))
            elif isinstance(entry, VerdictEntry):
                identity = f"{entry.journal}.{entry.seq}"
                if entry.outcome == "permit":
                    fresh[identity] = entry
                else:
                    tell(Told(identity, entry, None, True))
            else:
                tell(entry)
        for identity, verdict in fresh.items():
            tell(Told(identity, verdict, None, True))
        waiting.update(fresh)
        while len(waiting) > self._limit:
            identity = next(iter(waiting))
            tell(Told(identity, waiting.pop(identity), None, False))
        return stories
