"""How does somebody learn what a token stands for?

`POST /.gateway/reveal` with `{"token": "t1.…"}`, the caller's own credential and `X-Purpose`. It is a request like any
other and goes through the same rooms; only what is asked for is not in the path. Rules:

1. What cannot be opened is `not_a_token`, whatever the cause: another department's, another key's, one of a field that
   the catalog does not know any more, or a text. Who proved nothing is not even told that.
2. The decision is on record before anything is opened, the opening is in the store before the value is sent. A caller
   who is gone in between has used up the token: twice told is worse than not told.
3. A value is told once under each approved grant, also when a later key or another algorithm made another token of it.
4. A body that does not fit is told what fits, never what it was.
5. What changed while the store was written (a revocation, a reload, an emergency) counts: the value stays hidden.
"""

import asyncio
from asyncio import CancelledError
from collections.abc import Callable

from msgspec import MsgspecError, Struct, ValidationError
from msgspec.json import Decoder
from starlette.types import Receive, Scope, Send

from gateway.app.streams import still
from gateway.catalog import reveals
from gateway.crypto.digest import b64url, sha256
from gateway.edge import again, read, refusal, turn_away, write
from gateway.facts import Ask, Asset, Decision, Deny, Facts, Fault, Outcome, Reason, Reply, Subject, Unreadable, Warrant
from gateway.journey import Journey, Revision, cut_off, interrupted
from gateway.stores import StateFault

PATH = reveals.PREFIX.encode()
MAX_BODY = 32 * 1024
JSON = b"application/json"
_NO_JSON = ("the body is not JSON in UTF-8", "请求体不是 UTF-8 编码的 JSON")
_OTHER = (
    'the body has one member, the token as a text, and no other: {"token": "t1.…"}',
    '请求体只能有一个成员，即文本形式的令牌：{"token": "t1.…"}',
)  # what was sent instead is not repeated

OpenToken = Callable[[str, tuple[str, ...], str, float], str]
"""Keeps that a token is opened, see `State.open_token`. Raises StateFault; called in a thread."""


class Wish(Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked for."""

    token: str


_wish = Decoder(Wish).decode


class Reveals:
    """The page behind the path, as an ASGI application."""

    def __init__(self, journey: Journey, open_token: OpenToken) -> None:
        self._journey = journey
        self._open_token = open_token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge one request, and answer it."""
        journey = self._journey
        asked = await _asked(read(scope, receive, journey.edge))
        if isinstance(asked, Unreadable):
            journey.tally.add("edge.refused", asked.source, asked.code)
            allow = reveals.METHOD if asked.code == "method_not_allowed" else ""
            wrong = (asked.detail,) if asked.code == "bad_request" else ()
            await write(asked, turn_away(asked, journey.edge, allow, wrong), send)
            return
        ask, token = asked
        since = journey.streams.changes[0]
        revision = journey.knowledge.current()
        facts = await self._gather(ask, revision, token)
        verdict = await journey.ledger.commit(facts, _decided(facts, revision))
        outcome: Outcome | None = None
        try:
            if isinstance(verdict, Warrant):
                said = await self._revealed(verdict, revision, since, token)
                reply = refusal(ask, said, journey.edge, verdict.id) if isinstance(said, Fault) else said
            else:
                reply = refusal(ask, verdict, journey.edge)
            outcome = await write(ask, reply, send, journey.marks(facts, verdict, reply))
        except CancelledError as why:
            outcome = cut_off(ask, why)
            raise
        finally:
            if isinstance(verdict, Warrant):
                journey.ledger.conclude(verdict.id, interrupted(ask) if outcome is None else outcome)

    async def _gather(self, ask: Ask, revision: Revision, token: str) -> Facts:
        """Everything the policy may look at."""
        subject = await self._journey.identity.recognise(ask)
        return self._journey.known(ask, subject, self._asset(subject, revision, token, ask.at), revision)

    def _asset(self, subject: Subject, revision: Revision, token: str, at: float) -> Asset:
        """What the token stands for; of somebody who proved nothing, none is looked at."""
        proven = subject.rejection is None and subject.kind != "anonymous"
        origin = self._journey.masking.origin(token, subject.org) if proven else None
        asset, path = ("", "") if origin is None else (origin.asset, origin.path)
        return revision.catalog.revealing(asset, path, at, token)

    async def _revealed(self, warrant: Warrant, revision: Revision, since: int, token: str) -> Reply | Fault:
        held = set(warrant.facts.grant.ids)
        grants = revision.policy.bundle.content.grants
        approved = tuple(grant.id for grant in grants if grant.approved_by and grant.id in held)
        try:
            first = self._journey.masking.first_token(token, warrant.facts.subject.org)
            name = b64url(sha256(first.encode()))  # a rotated key gives the value another token, and no second look
            spent = await asyncio.to_thread(self._open_token, name, approved, warrant.id, warrant.facts.ask.at)
        except StateFault:
            return Fault("state_unavailable")
        if not spent:
            return Fault("already_revealed")
        code = await self._withdrawn(warrant, token) if self._journey.streams.changes[0] != since else ""
        return Fault(code) if code else self._journey.masking.reveal(warrant)

    async def _withdrawn(self, warrant: Warrant, token: str) -> str:
        """Why what was permitted is not permitted any more: "" or the reason code."""
        revision = self._journey.knowledge.current()
        facts = await self._gather(again(warrant.facts.ask), revision, token)
        return still(warrant.permit, _decided(facts, revision))


def _decided(facts: Facts, revision: Revision) -> Decision:
    """The decision of the policy; about what no asset stands behind it is not asked."""
    subject = facts.subject
    if facts.asset.listed or subject.rejection is not None:
        return revision.policy.decide(facts)
    code = "credential_missing" if subject.kind == "anonymous" else "not_a_token"
    return Deny((Reason(code),), revision.policy.bundle.digest)


async def _asked(ask: Ask | Unreadable) -> tuple[Ask, str] | Unreadable:
    """The request and the token that was sent, or why it cannot be understood."""
    if isinstance(ask, Unreadable):
        return ask
    body, code, wrong = b"", _odd(ask), ""
    if not code:
        code = await ask.body.settle() or ""
        body = ask.body.whole() or b""
    try:
        if not code and len(body) <= MAX_BODY:
            return ask, _wish(body).token
    except (MsgspecError, UnicodeDecodeError) as error:
        en, zh = _OTHER if isinstance(error, ValidationError) else _NO_JSON
        code, wrong = "bad_request", zh if ask.language == "zh-CN" else en
    return Unreadable(ask.id, ask.at, code or "body_too_large", ask.source, wrong, ask.language, ask.browser)


def _odd(ask: Ask) -> str:
    """What of the head does not fit, as a reason code; "" for nothing."""
    if ask.method != reveals.METHOD:
        return "method_not_allowed"
    if ask.query:
        return "bad_target"  # a token in a query would stand in the logs of every proxy on the way
    if (ask.header(b"content-type") or b"").partition(b";")[0].strip().lower() != JSON:
        return "media_type"
    return "body_too_large" if (ask.body.length or 0) > MAX_BODY else ""
