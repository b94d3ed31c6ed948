"""How is a permitted request carried to its service, and what came back?

Rules:

1. Only a warrant opens the way, and only for the request it was issued for.
2. A small body is complete before the service hears of the request.
3. A request is sent a second time only when it cannot have been heard: the connection was used before
   and died without a byte of answer, and the method is one that may be repeated (RFC 9110 section
   9.2.2) with its whole body at hand. POST and PATCH are never sent twice.
4. Bad news is a `Fault`; nothing is raised but the cancellation of the caller.
5. One service does not take all places of the worker: what waits for it may be `SHARE` times what is
   still free. Else whoever asks a service that hangs often enough takes all others away from everyone.
6. Whoever was waited for, the permit is looked at again before anything is sent or given out (`trust`).
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial

import orjson
from msgspec import Struct

from gateway.facts import Ask, Concealed, Fault, Notice, RawReply, Warrant
from gateway.upstream.assertion import Asserter, SigningKey
from gateway.upstream.balance import Balance
from gateway.upstream.connection import Connection, Stream
from gateway.upstream.health import watch
from gateway.upstream.pool import WAITERS_PER_CONNECTION, Pool
from gateway.upstream.reader import ResponseReader
from gateway.upstream.reply import Returns
from gateway.upstream.request import Requests
from gateway.upstream.settings import Endpoint, Health, Service, Settings
from gateway.upstream.tls import context
from gateway.upstream.trust import DOUBT_SECONDS, Blind, Trust, Watched, upload

REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
SHARE = 4
ATTEMPTS = 3  # addresses that are tried when there is no connection to be had


Conceal = Callable[[Warrant, bytes | None], Concealed | Fault]
"""What of a request and its whole body (None: too long to be held) may be forwarded."""
_UNCONCEALED = Fault("cannot_conceal", "nothing takes out what the service must not have")


class Road(Struct, frozen=True, eq=False):
    """What is prepared for one service."""

    service: Service
    balance: Balance
    requests: Requests
    returns: Returns
    most: int  # requests that its connections and their lines can hold


class Upstream:
    """The services behind the gateway. `clock` is monotonic, in seconds."""

    def __init__(
        self,
        settings: Settings,
        signing_key: SigningKey,
        notice: Callable[[Notice], None],
        clock: Callable[[], float] = time.monotonic,
        trust: Trust | None = None,
        free: Callable[[], int] = lambda: 1 << 30,
        conceal: Conceal | None = None,
    ) -> None:
        """Prepare everything; raises ValueError when a certificate or key cannot be used.

        `free` tells how many more requests the worker would take. `conceal` takes out of a request what its permit says
        the service must not have; without it such a request is not forwarded.
        """
        self._conceal = conceal
        self._clock = clock
        self._free = free
        self._notice = notice
        self._trust: Trust = Blind() if trust is None else trust  # an empty `Streams` is false
        self._changes = self._trust.changes
        self._asserter = Asserter(settings.assertion, signing_key)
        self._jwks = orjson.dumps({"keys": [signing_key.public_jwk()]})
        internal = frozenset(end.host for service in settings.services for end in service.endpoints)
        self._roads = {service.name: self._road(service, internal) for service in settings.services}
        self._checks: dict[asyncio.Task[None], Pool] = {}

    def _road(self, service: Service, internal: frozenset[str]) -> Road:
        balance = Balance(service.name, self._notice, self._clock)
        for end in service.endpoints:
            balance.add(self._pool(service, end, service.pool_size, balance.opened))
        most = len(service.endpoints) * service.pool_size * (1 + WAITERS_PER_CONNECTION)
        return Road(service, balance, Requests(service), Returns(service, internal), most)

    def _pool(self, service: Service, end: Endpoint, size: int, opened: Callable[[Pool, str], None]) -> Pool:
        tls = context(service) if end.scheme == "https" else None
        return Pool(end, size, service.timeouts, tls, service.server_name, opened, self._clock)

    def start(self) -> None:
        """Begin the active checks, where configured. Needs a running loop."""
        for road in self._roads.values():
            if road.service.health is not None:
                for spot in road.balance.spots:
                    self._watch(road, spot.pool, road.service.health)

    def _watch(self, road: Road, watched: Pool, health: Health) -> None:
        asking = self._pool(road.service, watched.endpoint, 1, _unheard)
        host = road.requests.host("", watched.authority)
        report = partial(road.balance.checked, watched, health.failures)
        self._checks[asyncio.get_running_loop().create_task(watch(asking, health, host, report))] = asking

    async def close(self) -> None:
        """End the checks and every connection, also those in use."""
        for task in self._checks:
            task.cancel()
        await asyncio.gather(*self._checks, return_exceptions=True)
        for pool in (
            *self._checks.values(),
            *(spot.pool for road in self._roads.values() for spot in road.balance.spots),
        ):
            await pool.close()

    def jwks(self) -> bytes:
        """The key set with which services verify assertions, as JSON."""
        return self._jwks

    async def forward(self, ask: Ask, warrant: Warrant, since: int | None = None) -> RawReply | Fault:
        """Carry the request to its service and bring back what it said, unread.

        `since` is the word of `trust.changes` under which the permit was decided: the disk was waited for after that.
        """
        if ask is not warrant.facts.ask:
            return Fault("internal_error", "the warrant was issued for another request")
        road = self._roads.get(ask.api)
        if road is None:
            return Fault("upstream_unavailable", f"no service is configured for `{ask.api}`")
        share = SHARE * (self._free() + 1)
        if share < road.most and road.balance.pending() > share:
            return Fault("upstream_unavailable", f"too much waits for `{road.service.name}` already")
        changes = self._changes
        judged = seen = changes[0] if since is None else since
        body = ask.body
        content: bytes | None = b""
        if body.length != 0:
            began = self._clock()
            code = await body.settle()
            if code is None and (changes[0] != judged or self._clock() - began > DOUBT_SECONDS):
                seen = changes[0]
                code = await self._trust.withdrawn(warrant)
            if code:
                return Fault(code)
            content = body.whole()
        query = ask.query
        if warrant.permit.forwarding is not None:
            concealed = self._conceal(warrant, content) if self._conceal is not None else _UNCONCEALED
            if isinstance(concealed, Fault):
                return concealed
            content, query = concealed.content, concealed.query
        identity = self._asserter.headers(warrant, road.service.name)
        reply = await self._carry(road, warrant, identity, query, content, seen)
        if isinstance(reply, RawReply) and (changes[0] != judged or reply.waited > DOUBT_SECONDS):
            return await self._still(warrant, reply)
        return reply

    async def _still(self, warrant: Warrant, reply: RawReply) -> RawReply | Fault:
        """The reply, unless its caller may not have it any more."""
        code = await self._trust.withdrawn(warrant)
        if not code:
            return reply
        if not isinstance(reply.body, bytes):
            await reply.body.aclose()  # type: ignore[attr-defined]  # of `Stream` and `Watched`
        return Fault(code)

    async def _carry(
        self, road: Road, warrant: Warrant, identity: bytes, query: str, content: bytes | None, seen: int
    ) -> RawReply | Fault:
        ask = warrant.facts.ask
        body = ask.body
        length = body.length if content is None else len(content)
        fault = Fault("upstream_unavailable", f"every address of `{road.service.name}` is left out for now")
        unreachable: list[Pool] = []
        died: list[Pool] = []  # at most one: rule 3
        while len(unreachable) < ATTEMPTS:
            pool = road.balance.choose(unreachable or died)
            if pool is None or pool in unreachable:
                break
            head = road.requests.head(warrant, identity, pool.authority, length, query)
            if head is None:
                return Fault("internal_error", "the request cannot be written without ambiguity")
            connection = pool.take() or await pool.obtain()
            if isinstance(connection, Fault):
                fault = connection
                unreachable.append(pool)  # nothing was sent: any method may try elsewhere
                continue
            if self._changes[0] != seen:  # a place in the line was waited for, or the disk
                seen = self._changes[0]
                code = await self._withdrawn_before(warrant, connection)
                if code:
                    pool.release(connection)
                    return Fault(code)
            repeatable = connection.used and not died and content is not None and ask.method in REPEATABLE
            reader = ResponseReader(ask.method)
            sent = self._clock()
            try:
                answer = (
                    await connection.send(head, reader, upload(self._trust, warrant, body))
                    if content is None
                    else await connection.send(head + content, reader)
                )
            except asyncio.CancelledError:
                connection.abandon(reader, "the caller left")
                raise
            if not isinstance(answer, Fault):
                return RawReply(
                    reader.status,
                    road.returns.headers(reader.fields, ask),
                    reader.take() if answer is None else self._watched(warrant, answer),
                    reader.length,
                    self._clock() - sent,
                )
            fault = answer
            if not repeatable or reader.started or answer.code != "upstream_reset":
                break
            died.append(pool)
            pool.retire_idle()
        return fault

    async def _withdrawn_before(self, warrant: Warrant, connection: Connection) -> str:
        """Why this request must not be sent any more, or ""; a caller who leaves meanwhile keeps no connection."""
        try:
            return await self._trust.withdrawn(warrant)
        except asyncio.CancelledError:
            connection.abort()
            raise

    def _watched(self, warrant: Warrant, body: Stream) -> Stream | Watched:
        """A body that is gathered to be inspected is guarded here; one that streams through, where it is written."""
        return Watched(self._trust, warrant, body) if warrant.permit.mask.inspects else body


def _unheard(pool: Pool, why: str) -> None:
    """A check reports what it found itself."""
