"""Is it still allowed, while the answer flows?

Trust is never granted once: an answer that streams is judged again whenever anything it rests on
changes (a revocation, a posture, a policy, the caller's behaviour), and every half minute besides. The
same holds for an upload that streams, and for a request that waited for its body or for the service.
Rules:

1. The same question is asked as at the beginning, at the present time: an expired token ends the stream too.
2. A stream that is no longer allowed, or only under other masks, is cut, and the outcome says why.
   The caller sees a truncation, never an answer that looks whole.
3. What cannot be judged again is cut: doubt denies.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from gateway.facts import BodyFailed, Permit, Warrant

EVERY_SECONDS = 30.0

Judge = Callable[[Warrant], Awaitable[str]]
"""Asks again: "" while the stream is allowed, else the reason code."""


class Flow:
    """One open stream: its body, and the way to end it from outside."""

    __slots__ = ("_body", "_task", "code", "warrant")

    def __init__(self, warrant: Warrant, body: AsyncIterator[bytes]) -> None:
        self.warrant = warrant
        self._body = body
        self.code = ""  # why it was ended
        self._task: asyncio.Task[object] | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """The next piece. Raises BodyFailed once the stream is no longer allowed."""
        self._refuse_when_ended()
        task = self._task = asyncio.current_task()
        try:
            return await self._body.__anext__()
        except asyncio.CancelledError:
            if task is not None and self.code:
                task.uncancel()  # it was us: end the answer in order, with the reason on record
            self._refuse_when_ended()
            raise
        finally:
            self._task = None

    def _refuse_when_ended(self) -> None:
        if self.code:
            raise BodyFailed(self.code) from None

    def end(self, code: str) -> None:
        """Let no further piece through; a piece that is waited for is not waited for any longer."""
        self.code = code
        if self._task is not None:
            self._task.cancel()


class Streams:
    """The open streams of one worker. `changes` is the board's word that moves with anything (`any`)."""

    def __init__(self, judge: Judge, clock: Callable[[], float], changes: Sequence[int] = (0,)) -> None:
        self.changes = changes
        self._judge = judge
        self._clock = clock
        self._open: set[Flow] = set()
        self._fresh: set[Flow] = set()  # what changed while the service was silent was not looked at yet
        self._seen = -1
        self._looked_at = clock()

    def __len__(self) -> int:
        return len(self._open)

    async def guard(self, warrant: Warrant, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The body as long as it is allowed."""
        flow = Flow(warrant, body)
        self._open.add(flow)
        self._fresh.add(flow)
        try:
            async for piece in flow:
                yield piece
        finally:
            self._open.discard(flow)
            self._fresh.discard(flow)

    async def look(self, generation: int) -> None:
        """Judge new streams once, and all of them when the generation is another one or it is time to."""
        now = self._clock()
        flows, self._fresh = self._fresh, set()
        if generation != self._seen or now - self._looked_at >= EVERY_SECONDS:
            self._seen, self._looked_at = generation, now
            flows = set(self._open)
        for flow in flows:
            code = await self.withdrawn(flow.warrant)
            if code:
                flow.end(code)

    async def withdrawn(self, warrant: Warrant) -> str:
        """Why what was permitted is not permitted any more: "" or the reason code."""
        try:
            return await self._judge(warrant)
        except Exception:  # noqa: BLE001 - rule 3: one stream that cannot be judged is cut, the others are judged
            return "policy_error"


def still(before: Permit, now: object) -> str:
    """Whether a new decision upholds the old permit: "" or the reason code why not."""
    if isinstance(now, Permit):
        same = now.mask == before.mask and now.forwarding == before.forwarding
        return "" if same else "rule_denied"
    reasons = getattr(now, "reasons", ())
    return str(reasons[0].code) if reasons else "policy_error"
