"""What was permitted is looked at again wherever somebody was waited for."""

import asyncio

import pytest

from gateway.facts import BodyFailed, Fault, Mask, RawReply
from gateway.upstream.trust import DOUBT_SECONDS, Blind, Watched
from tests.literals import a_permit, a_warrant, an_ask, some_facts
from tests.upstream.backend import OK, backend, carrying, says, whole
from tests.upstream.test_client import HEAD, Streamed

pytestmark = pytest.mark.anyio
INSPECTED = a_permit(mask=Mask("pii-standard", (), "redact"))


class Doubt:
    """Moves the word when told to, and then says what it is told to say."""

    def __init__(self, code=""):
        self.changes, self.code, self.asked, self.guarded = [7], code, 0, 0

    def change(self, code):
        self.code = code
        self.changes[0] += 1

    async def withdrawn(self, warrant):
        self.asked += 1
        return self.code

    async def guard(self, warrant, body):
        self.guarded += 1
        async for piece in body:
            if self.code:
                raise BodyFailed(self.code)
            yield piece


class Awaited(Streamed):
    """A small body that comes when it is let."""

    def __init__(self, arrived):
        super().__init__(length=2)
        self.arrived = arrived

    async def settle(self):
        await self.arrived.wait()

    def whole(self):
        return b"hi"


async def asked(doubt, code):
    """The answer to a POST whose body comes after the word has moved, and what the service heard."""
    arrived = asyncio.Event()
    async with backend(says(OK)) as service, carrying(service.url, trust=doubt) as carried:
        waiting = asyncio.ensure_future(carried.forward(an_ask(method="POST", body=Awaited(arrived))))
        await asyncio.sleep(0)
        doubt.change(code)
        arrived.set()
        return await waiting, len(service.requests)


async def test_a_body_that_came_too_late_for_its_permit_reaches_nobody():
    doubt = Doubt()
    assert await asked(doubt, "session_revoked") == (Fault("session_revoked"), 0)


async def test_who_waited_in_line_for_a_connection_is_asked_again_before_anything_is_sent():
    doubt, go = Doubt(), asyncio.Event()

    async def script(talk):
        await talk.request()
        await go.wait()
        await talk.send(OK)
        await talk.gone()

    async with backend(script) as service, carrying(service.url, trust=doubt, pool_size=1) as carried:
        first = asyncio.ensure_future(carried.forward())
        while not service.requests:
            await asyncio.sleep(0)
        second = asyncio.ensure_future(carried.forward())
        await asyncio.sleep(0)
        doubt.change("session_revoked")
        go.set()
        assert await asyncio.gather(first, second) == [Fault("session_revoked")] * 2
        assert len(service.requests) == 1


async def test_what_moved_while_the_disk_was_waited_for_is_asked_about_before_anything_is_sent():
    doubt = Doubt("device_revoked")
    async with backend(says(OK)) as service, carrying(service.url, trust=doubt) as carried:
        ask = an_ask()
        warrant = a_warrant(facts=some_facts(ask=ask))
        assert await carried.upstream.forward(ask, warrant, since=6) == Fault("device_revoked")
        assert service.requests == []


async def test_a_permit_that_still_holds_is_carried_out():
    doubt = Doubt()
    reply, heard = await asked(doubt, "")
    assert (reply.status, heard, doubt.asked) == (200, 1, 2)  # before it was sent, and before it was given out


async def test_nobody_is_asked_while_nothing_changes():
    doubt = Doubt("session_revoked")
    async with backend(says(OK)) as service, carrying(service.url, trust=doubt) as carried:
        assert await carried.read() == (200, b"{}")
    assert (doubt.asked, doubt.guarded) == (0, 0)


async def test_time_alone_is_a_reason_to_ask():
    doubt, times = Doubt("token_expired"), iter((0.0, DOUBT_SECONDS + 1))
    async with backend(says(OK)) as service, carrying(service.url, trust=doubt) as carried:
        carried.upstream._clock = lambda: next(times)
        arrived = asyncio.Event()
        arrived.set()
        assert await carried.forward(an_ask(method="POST", body=Awaited(arrived))) == Fault("token_expired")
        assert service.requests == []


@pytest.mark.parametrize("answer", [OK, HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n"], ids=["whole", "begun"])
async def test_an_answer_that_came_too_late_is_kept_back_and_its_connection_closed(answer):
    doubt = Doubt()

    async def script(talk):
        await talk.request()
        doubt.change("subject_revoked")
        await talk.send(answer)
        await talk.gone()

    async with backend(script) as service, carrying(service.url, trust=doubt) as carried:
        assert await carried.forward() == Fault("subject_revoked")
        if answer != OK:
            await service.closed.wait()


async def test_an_upload_ends_with_the_reason_and_never_looks_complete():
    doubt, more = Doubt(), asyncio.Event()

    async def script(talk):
        await talk.reader.readuntil(b"1\r\na\r\n")
        doubt.code = "device_revoked"
        more.set()
        await talk.gone()

    body = Streamed(b"a", more, b"b")
    async with backend(script) as service, carrying(service.url, trust=doubt) as carried:
        assert (await carried.forward(an_ask(method="POST", body=body))).code == "device_revoked"
        await service.closed.wait()
    assert body.closed


@pytest.mark.parametrize("permit", [INSPECTED, a_permit()], ids=["inspected", "open"])
async def test_a_body_that_is_gathered_is_guarded_where_it_is_gathered(permit):
    """One that streams through is guarded by whoever writes it."""
    doubt, more = Doubt(), asyncio.Event()

    async def script(talk):
        await talk.request()
        await talk.send(HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n")
        await more.wait()
        await talk.send(b"1\r\n}\r\n0\r\n\r\n")

    async with backend(script) as service, carrying(service.url, trust=doubt) as carried:
        reply = await carried.forward(permit=permit)
        assert isinstance(reply, RawReply)
        more.set()
        assert await whole(reply) == b"{}"
    assert doubt.guarded == (1 if permit.mask.inspects else 0)


async def test_closing_what_was_never_read_closes_what_is_under_it():
    body = Streamed(b"a", b"b")
    pieces = body.chunks()
    await anext(pieces)
    await Watched(Doubt(), a_warrant(), pieces).aclose()
    assert body.closed


async def test_the_blind_trust_for_good():
    assert await Blind().withdrawn(a_warrant()) == ""
    assert [piece async for piece in Blind().guard(a_warrant(), Streamed(b"a").chunks())] == [b"a"]
