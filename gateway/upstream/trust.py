"""Is what was permitted still permitted, now that we have waited?

A request waits for its body, and for the service. What is withdrawn meanwhile must not be carried out,
and what comes back must not be given out. Rules:

1. The caller decides how long a body takes: who opens a request while trusted and completes it when
   the trust is gone would step over a revocation that was acknowledged long ago.
2. Asked again only when something changed, or after `DOUBT_SECONDS`: a token ends without a word.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from gateway.facts import Body, Warrant

DOUBT_SECONDS = 30.0


class Trust(Protocol):
    """Judges anew; satisfied by `gateway.app.streams.Streams`."""

    changes: Sequence[int]
    """Its first word is another one once anything changed that a permit rests on."""

    async def withdrawn(self, warrant: Warrant) -> str:
        """Why the permit does not hold any more, a reason code; "" while it does."""

    def guard(self, warrant: Warrant, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The body as long as the permit holds; ends with BodyFailed when it does not."""


class Blind:
    """Trusts for good: where nobody judges anew (checks, trials)."""

    changes: Sequence[int] = (0,)

    async def withdrawn(self, warrant: Warrant) -> str:
        """Never."""
        return ""

    def guard(self, warrant: Warrant, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """As it is."""
        return body


class Watched:
    """A body under guard. Closing it closes what is guarded, also when nothing was read of it."""

    __slots__ = ("_body", "_guarded", "length")

    def __init__(self, trust: Trust, warrant: Warrant, body: AsyncIterator[bytes], length: int | None = None) -> None:
        self.length = length
        self._body = body
        self._guarded = trust.guard(warrant, body)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._guarded

    async def __anext__(self) -> bytes:
        """The next piece. Raises BodyFailed once the permit does not hold any more."""
        return await self._guarded.__anext__()

    async def aclose(self) -> None:
        """Nobody wants the rest."""
        for part in (self._guarded, self._body):
            close = getattr(part, "aclose", None)
            if close is not None:
                await close()


def upload(trust: Trust, warrant: Warrant, body: Body) -> Watched:
    """The body of a request, cut once its caller is not trusted any more."""
    return Watched(trust, warrant, body.chunks(), body.length)
