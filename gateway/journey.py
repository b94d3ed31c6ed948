"""What happens to one request, in order?

read → recognise → assess → locate → count → weigh → decide → commit → forward → mask → write → conclude

Rules:

1. Each step needs the value of the step before it; the types make another order impossible
   (`tests/test_journey.py` keeps the wrong orders as tests).
2. Nothing is forwarded that is not on record: only a Warrant opens the upstream, and only the
   ledger issues one.
3. One request sees exactly one revision of catalog and policy, taken once at its start.
"""

from asyncio import CancelledError
from collections.abc import AsyncIterator, Sequence
from math import ceil
from typing import Protocol

from msgspec import Struct
from starlette.types import Receive, Scope, Send

from gateway.audit import Ledger
from gateway.behaviour import Watcher
from gateway.catalog import Catalog
from gateway.device import Devices
from gateway.edge import Interrupted, Tally, cors_headers, preflight, read, refusal, turn_away, write
from gateway.edge import Settings as Edge
from gateway.exposure import Exposures
from gateway.facts import (
    Ask,
    Asset,
    Decision,
    Facts,
    Fault,
    Granted,
    Headers,
    Outcome,
    Refused,
    Reply,
    Revealed,
    Subject,
    Unreadable,
    Warrant,
)
from gateway.identity import Recogniser
from gateway.masking import Masking
from gateway.policy import Bundle
from gateway.upstream import Upstream

SPENT = "budget_spent"
A_DAY_AND_MORE = 26 * 3600.0  # from midnight it leads into the next day, also where clocks are put back


class Decider(Protocol):
    """What decides: the active policy, or it and a candidate beside it while a pilot runs."""

    @property
    def bundle(self) -> Bundle:
        """The active bundle."""

    def granted(self, ask: Ask, subject: Subject, asset: Asset) -> Granted:
        """Which sharing grants cover this request."""

    def decide(self, facts: Facts) -> Decision:
        """The decision, by exactly one bundle."""


class Revision(Struct, frozen=True, eq=False):
    """Catalog, policy and device register that were checked together; flipped together."""

    catalog: Catalog
    policy: Decider
    devices: Devices
    asks: bool  # whether anything of it turns on what was shown today


class Knowledge(Protocol):
    """What this worker knows of what all workers know."""

    def current(self) -> Revision:
        """The revision to judge by. Takes in revocations and reloads acknowledged before this call."""


class Streams(Protocol):
    """Open answers, judged again while they flow."""

    @property
    def changes(self) -> Sequence[int]:
        """Its first word moves with anything that a permit rests on."""

    def guard(self, warrant: Warrant, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The body as long as it is allowed."""


class Journey(Struct, frozen=True, eq=False):
    """The path of one request through the rooms, as an ASGI application."""

    edge: Edge
    tally: Tally
    knowledge: Knowledge
    identity: Recogniser
    watcher: Watcher
    exposures: Exposures
    ledger: Ledger
    upstream: Upstream
    masking: Masking
    streams: Streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge and carry one request."""
        ask = read(scope, receive, self.edge)
        if isinstance(ask, Unreadable):
            self.tally.add("edge.refused", ask.source, ask.code)
            await write(ask, turn_away(ask, self.edge), send)
            return
        if ask.method == "OPTIONS" and (permission := preflight(ask, self.edge)) is not None:
            await write(ask, permission, send)
            return
        since = self.streams.changes[0]  # what moves from here on is asked about again before anything is sent
        revision = self.knowledge.current()
        facts = await self.gather(ask, revision)
        decision = revision.policy.decide(facts)
        verdict = await self.ledger.commit(facts, decision)
        outcome: Outcome | None = None
        try:
            reply = await self.answer(ask, verdict, since)
            if revision.asks and isinstance(verdict, Warrant):
                self.exposures.begin(verdict, reply)
            outcome = await write(ask, reply, send, self.marks(facts, verdict, reply), self.guard(verdict, reply))
        except CancelledError as why:
            outcome = cut_off(ask, why)
            raise
        finally:
            if isinstance(verdict, Warrant):
                self.ledger.conclude(verdict.id, interrupted(ask) if outcome is None else outcome)
                self.exposures.end(verdict)

    async def gather(self, ask: Ask, revision: Revision) -> Facts:
        """Everything the policy may look at."""
        subject = await self.identity.recognise(ask)
        return self.known(ask, subject, revision.catalog.locate(ask), revision)

    def known(self, ask: Ask, subject: Subject, asset: Asset, revision: Revision) -> Facts:
        """The same, once it is known who asks and what for."""
        posture = revision.devices.assess(ask, subject)
        budgets = revision.policy.bundle.budgets(ask, subject, asset)
        exposure = self.exposures.spent(ask, subject, asset, budgets, asked=revision.asks)
        asset = revision.catalog.aggregated(asset, exposure)
        risk = self.watcher.weigh(ask, subject, posture, asset)
        return Facts(ask, subject, posture, risk, asset, revision.policy.granted(ask, subject, asset), exposure)

    async def answer(self, ask: Ask, verdict: Warrant | Refused | Fault, since: int) -> Reply:
        """Carry out the verdict; whatever goes wrong on the way is a refusal, never a bare reply."""
        if not isinstance(verdict, Warrant):
            return refusal(ask, verdict, self.edge)
        raw = await self.upstream.forward(ask, verdict, since)
        if isinstance(raw, Fault):
            return refusal(ask, raw, self.edge, verdict.id)
        reply = await self.masking.apply(raw, verdict)
        if isinstance(reply, Fault):
            return refusal(ask, reply, self.edge, verdict.id)
        return reply

    def guard(self, verdict: Warrant | Refused | Fault, reply: Reply) -> AsyncIterator[bytes] | None:
        """The body of an answer that streams, cut as soon as it is no longer allowed."""
        if isinstance(verdict, Warrant) and not isinstance(reply.body, bytes):
            return self.streams.guard(verdict, reply.body)
        return None

    def marks(self, facts: Facts, verdict: Warrant | Refused | Fault, reply: Reply) -> Headers:
        """What every answer carries besides its own headers: CORS of the API, and the decision id of a reply."""
        cors = cors_headers(facts.ask, self.edge)
        if reply.code or not isinstance(verdict, Warrant):  # a refusal names its decision itself
            return (*cors, (b"retry-after", b"%d" % self.until_anew(facts))) if reply.code == SPENT else cors
        return (*cors, (b"x-gateway-decision", verdict.id.encode()))

    def until_anew(self, facts: Facts) -> int:
        """Seconds until a budget that is spent is anew: midnight of the policies' time zone."""
        if facts.exposure.unread:
            return 1  # it is not known yet what was shown
        at = facts.ask.at
        began = self.exposures.midnight(at)
        return max(1, ceil(self.exposures.midnight(began + A_DAY_AND_MORE) - at))


def cut_off(ask: Ask, why: CancelledError) -> Outcome:
    """The outcome on record when the request was stopped: how far its answer came, if it had begun."""
    if isinstance(why, Interrupted):
        return why.outcome
    return interrupted(ask, 499, "client_gone") if "client_gone" in why.args else interrupted(ask)  # as edge says it


def interrupted(ask: Ask, status: int = 500, code: str = "interrupted") -> Outcome:
    """The outcome on record when neither a reply nor a fault was reached."""
    return Outcome(status, 0, ask.body.received, False, code, Revealed(), 0.0, 0.0)
