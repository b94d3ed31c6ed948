import asyncio
import gzip
import json
import random
import socket
import tracemalloc
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.facts import BodyBroken, BodyFailed, Concealed, Fault, Mask, RawReply
from gateway.upstream import Health, Timeouts
from gateway.upstream.reader import INTERIM_MAX
from tests.literals import WholeBody, a_permit, a_warrant, an_ask
from tests.upstream.backend import KEY, OK, QUICK, backend, carrying, says, warrant_for, whole

pytestmark = pytest.mark.anyio
HEAD = b"HTTP/1.1 200 OK\r\n"


class Streamed:
    """A large request body: `pieces` come one by one, an exception among them is raised."""

    received = 0

    def __init__(self, *pieces, length=None, settled=None):
        self.pieces, self.length, self.settled = pieces, length, settled
        self.closed = False

    async def settle(self):
        return self.settled

    def whole(self):
        return None

    async def chunks(self):
        try:
            for piece in self.pieces:
                if isinstance(piece, Exception):
                    raise piece
                if isinstance(piece, asyncio.Event):
                    await piece.wait()
                else:
                    yield piece
        finally:
            self.closed = True


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


# --- the plain way ------------------------------------------------------------------------------


async def test_a_permitted_request_reaches_the_service_and_its_answer_comes_back():
    answer = HEAD + b"content-type: text/plain\r\nserver: x\r\ncontent-length: 2\r\n\r\nhi"
    async with backend(says(answer)) as service, carrying(service.url) as carried:
        reply = await carried.forward()
    assert (reply.status, reply.body, reply.length) == (200, b"hi", 2)
    assert reply.headers == ((b"content-type", b"text/plain"), (b"content-length", b"2"))
    assert 0 < reply.waited < 5
    assert service.requests[0].startswith(b"GET /civil/households/42 HTTP/1.1\r\nhost: 127.0.0.1:")


async def test_the_service_can_verify_who_asks():
    async with backend(says(OK)) as service, carrying(service.url) as carried:
        await carried.forward()
        keys = json.loads(carried.upstream.jwks())
    assert keys["keys"] == [KEY.public_jwk()]
    assert b"\r\nx-gateway-subject: zhang.wei\r\n" in service.requests[0]
    assert b"\r\nx-gateway-assertion: ey" in service.requests[0]


async def test_a_warrant_opens_the_way_for_its_own_request_only():
    async with backend(says(OK)) as service, carrying(service.url) as carried:
        answer = await carried.upstream.forward(an_ask(path="/civil/households/1"), a_warrant())
    assert answer.code == "internal_error"
    assert service.requests == []


async def test_an_api_without_a_service_is_a_fault():
    async with backend(says(OK)) as service, carrying(service.url) as carried:
        assert (await carried.forward(an_ask(api="tax"))).code == "upstream_unavailable"
        assert (await carried.forward(an_ask(path="/other"))).code == "internal_error"
    assert service.requests == []


async def test_one_connection_carries_many_requests():
    async with backend(says(OK)) as service, carrying(service.url) as carried:
        for _ in range(5):
            assert await carried.read() == (200, b"{}")
    assert (service.connections, len(service.requests)) == (1, 5)


async def test_a_coded_answer_passes_as_it_is():
    body = gzip.compress(b"x" * 100_000)
    answer = HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    async with backend(says(answer)) as service, carrying(service.url) as carried:
        reply = await carried.forward()
        assert (b"content-encoding", b"gzip") in reply.headers
        assert await whole(reply) == body


@pytest.mark.parametrize("size", [65_536, 65_537, 3_000_000])
@pytest.mark.parametrize("chunked", [False, True])
async def test_bodies_of_any_size_come_whole(size, chunked):
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    parts = [body[at : at + 9000] for at in range(0, size, 9000)]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    answer = HEAD + (
        b"transfer-encoding: chunked\r\n\r\n" + framed if chunked else b"content-length: %d\r\n\r\n" % size + body
    )
    async with backend(says(answer)) as service, carrying(service.url) as carried:
        for _ in range(2):
            assert await carried.read() == (200, body)
    assert service.connections == 1


async def test_a_small_body_that_comes_after_its_head_is_gathered():
    async def script(talk):
        await talk.request()
        for piece in (HEAD + b"content-length: 4\r\n\r\n", b"ab", b"cd"):
            await talk.send(piece)
            await asyncio.sleep(0.005)
        await talk.gone()

    async with backend(script) as service, carrying(service.url) as carried:
        assert (await carried.forward()).body == b"abcd"


async def test_a_stream_is_given_out_as_it_comes():
    go_on = asyncio.Event()

    async def script(talk):
        await talk.request()
        await talk.send(HEAD + b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n5\r\ndata1\r\n")
        await go_on.wait()
        await talk.send(b"5\r\ndata2\r\n0\r\n\r\n")
        await talk.gone()

    async with backend(script) as service, carrying(service.url) as carried:
        reply = await carried.forward()
        assert await anext(reply.body) == b"data1"
        go_on.set()
        assert await whole(reply) == b"data2"


async def test_a_body_without_length_ends_with_the_connection():
    async with backend(says(HEAD + b"\r\nhello", then="close")) as service, carrying(service.url) as carried:
        for _ in range(2):
            assert await carried.read() == (200, b"hello")
    assert service.connections == 2


async def test_interim_answers_are_not_the_answer():
    async with backend(says(b"HTTP/1.1 103 X\r\nlink: </a>\r\n\r\n" + OK)) as service, carrying(service.url) as carried:
        assert await carried.read() == (200, b"{}")


async def test_head_and_no_content_have_no_body():
    async with backend(says(HEAD + b"content-length: 5\r\n\r\n")) as service, carrying(service.url) as carried:
        reply = await carried.forward(an_ask(method="HEAD"))
        assert (reply.body, reply.length) == (b"", 5)
    async with backend(says(b"HTTP/1.1 304 X\r\netag: a\r\n\r\n")) as service, carrying(service.url) as carried:
        for _ in range(2):
            assert await carried.read() == (304, b"")
    assert service.connections == 1


# --- bodies of requests -------------------------------------------------------------------------


async def test_a_small_body_goes_with_its_head():
    async with backend(says(OK)) as service, carrying(service.url) as carried:
        await carried.read(an_ask(method="POST", body=WholeBody(b"a=1")))
    assert service.requests[0].endswith(b"content-length: 3\r\n\r\na=1")


@pytest.mark.parametrize("code", ["body_incomplete", "body_too_large", "request_timeout", "client_gone"])
async def test_a_body_that_cannot_be_complete_never_reaches_the_service(code):
    async with backend(says(OK)) as service, carrying(service.url) as carried:
        assert await carried.forward(an_ask(method="POST", body=Streamed(settled=code))) == Fault(code)
    assert service.connections == 0


@pytest.mark.parametrize("length", [None, 200_003])
async def test_a_large_body_streams(length):
    body = Streamed(b"abc", b"", b"x" * 200_000, length=length)
    async with backend(says(OK)) as service, carrying(service.url) as carried:
        assert await carried.read(an_ask(method="PUT", body=body)) == (200, b"{}")
        assert await carried.read() == (200, b"{}")
    assert service.requests[0].split(b"\r\n\r\n", 1)[1] == b"abc" + b"x" * 200_000
    assert (b"transfer-encoding: chunked" in service.requests[0]) == (length is None)
    assert service.connections == 1


@pytest.mark.parametrize(
    ("pieces", "length", "code"),
    [
        ((b"ab", BodyBroken("client_gone")), None, "client_gone"),
        ((b"ab", BodyBroken("body_too_large")), 5, "body_too_large"),
        ((b"ab",), 5, "body_incomplete"),
        ((b"abc", b"GET /admin HTTP/1.1\r\n\r\n"), 5, "body_incomplete"),
        ((b"ab", RuntimeError("a bug elsewhere")), None, "internal_error"),
    ],
)
async def test_a_body_that_breaks_off_never_looks_complete(pieces, length, code):
    heard = bytearray()

    async def script(talk):
        while data := await talk.reader.read(65536):
            heard.extend(data)

    async with backend(script) as service, carrying(service.url) as carried:
        answer = await carried.forward(an_ask(method="POST", body=Streamed(*pieces, length=length)))
        assert answer.code == code
        await service.closed.wait()
    sent = bytes(heard).partition(b"\r\n\r\n")[2]
    assert not sent.endswith(b"0\r\n\r\n")
    assert b"/admin" not in sent
    assert length is None or len(sent) < length


async def test_an_early_refusal_is_heard_while_the_caller_still_sends():
    async def script(talk):
        await talk.reader.readuntil(b"\r\n\r\n")
        await talk.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        await talk.gone()

    body = Streamed(b"x" * 10, asyncio.Event())  # the caller never finishes
    async with backend(script) as service, carrying(service.url) as carried:
        assert await carried.read(an_ask(method="POST", body=body)) == (413, b"big")
        await service.closed.wait()
    assert body.closed


async def test_a_service_that_answers_while_it_reads_gets_the_rest():
    more = asyncio.Event()

    async def script(talk):
        await talk.reader.readuntil(b"\r\n\r\n")
        await talk.send(HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n")
        assert await talk.reader.readuntil(b"0\r\n\r\n") == b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"
        await talk.send(b"0\r\n\r\n")
        await talk.gone()

    async with backend(script) as service, carrying(service.url) as carried:
        reply = await carried.forward(an_ask(method="POST", body=Streamed(b"a", more, b"b")))
        assert await anext(reply.body) == b"hi"
        more.set()
        assert await whole(reply) == b""


async def test_a_service_that_stops_reading_is_cut_off():
    async def script(talk):
        await asyncio.Event().wait()

    body = Streamed(*[b"x" * 262_144] * 200)
    async with backend(script) as service, carrying(service.url, timeouts=QUICK) as carried:
        assert (await carried.forward(an_ask(method="POST", body=body))).code == "upstream_timeout"


# --- hostile services ---------------------------------------------------------------------------

FAULTY = {
    "reset before the head": (b"", "reset", "upstream_reset"),
    "closed before the head": (b"", "close", "upstream_reset"),
    "closed in the head": (HEAD + b"content-le", "close", "upstream_reset"),
    "reset in a small body": (HEAD + b"content-length: 9\r\n\r\nabc", "reset", "upstream_reset"),
    "a small body too short": (HEAD + b"content-length: 9\r\n\r\nabc", "close", "upstream_reset"),
    "silence": (b"", "stay", "upstream_timeout"),
    "silence in the head": (HEAD, "stay", "upstream_timeout"),
    "silence in a small body": (HEAD + b"content-length: 9\r\n\r\nabc", "stay", "upstream_timeout"),
    "garbage": (b"\x16\x03\x01\x00", "stay", "upstream_malformed"),
    "both framings": (HEAD + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n", "stay", "upstream_malformed"),
    "switching protocols": (
        b"HTTP/1.1 101 S\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
        "stay",
        "upstream_malformed",
    ),
    "a head of 2 MB": (HEAD + b"a: " + b"x" * 2_000_000, "stay", "upstream_malformed"),
    "a 1xx flood": (b"HTTP/1.1 102 P\r\n\r\n" * (INTERIM_MAX + 1), "stay", "upstream_malformed"),
}


@pytest.mark.parametrize(("answer", "then", "code"), FAULTY.values(), ids=FAULTY)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_broken_answer_is_a_fault_in_time_and_is_asked_for_once(answer, then, code, method):
    async with backend(says(answer, then=then)) as service, carrying(service.url, timeouts=QUICK) as carried:
        async with asyncio.timeout(5):
            fault = await carried.forward(an_ask(method=method))
        assert isinstance(fault, Fault)
        assert fault.code == code
        await service.closed.wait()  # and its connection is not kept
    assert len(service.requests) == 1


@pytest.mark.parametrize("banner", [b"", b"220 ready\r\n", b"HTTP/1.1 408 X"])
async def test_a_service_that_speaks_or_leaves_unasked_is_a_fault_and_never_a_hang(banner):
    async def script(talk):
        await talk.send(banner)

    async with backend(script) as service, carrying(service.url) as carried:
        async with asyncio.timeout(5):
            faults = [await carried.forward() for _ in range(30)]
    assert {fault.code for fault in faults} <= {"upstream_reset", "upstream_malformed"}


async def test_a_busy_service_is_not_sick():
    async def script(talk):
        while True:
            if (await talk.request()).startswith(b"GET /healthz "):
                await talk.send(OK)

    health = Health("/healthz", every=0.01, timeout=0.2, failures=1)
    async with backend(script) as service, carrying(service.url, health=health, pool_size=1) as carried:
        busy = asyncio.create_task(carried.forward())
        while sum(request.startswith(b"GET /healthz ") for request in service.requests) < 5:
            await asyncio.sleep(0.005)
        busy.cancel()
        assert carried.notices == []


@pytest.mark.parametrize("piece", [b"x", b"a: b\r\n", b"HTTP/1.1 100 C\r\n\r\n"])
async def test_a_dripping_head_is_cut(piece):
    async def script(talk):
        await talk.request()
        await talk.send(b"" if piece.startswith(b"HTTP") else HEAD + b"x")
        while True:
            await talk.send(piece)
            await asyncio.sleep(0.02)

    async with backend(script) as service, carrying(service.url, timeouts=QUICK) as carried:
        async with asyncio.timeout(5):
            assert (await carried.forward()).code == "upstream_timeout"


async def test_a_dripping_body_is_cut_by_the_total_time():
    async def script(talk):
        await talk.request()
        await talk.send(HEAD + b"content-length: 100000\r\n\r\n")
        while True:
            await talk.send(b"x")
            await asyncio.sleep(0.02)

    async with backend(script) as service, carrying(service.url, timeouts=QUICK) as carried:
        reply = await carried.forward()
        async with asyncio.timeout(5):
            with pytest.raises(BodyFailed, match="upstream_timeout"):
                await whole(reply)


BROKEN_BODIES = {
    "short length": (HEAD + b"content-length: 100000\r\n\r\nabc", "close", "upstream_reset"),
    "reset in a chunk": (HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nabc", "close", "upstream_reset"),
    "closed between chunks": (HEAD + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", "close", "upstream_reset"),
    "silence": (HEAD + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", "stay", "upstream_timeout"),
}


@pytest.mark.parametrize(("answer", "then", "code"), BROKEN_BODIES.values(), ids=BROKEN_BODIES)
async def test_a_body_that_breaks_off_is_never_taken_for_whole(answer, then, code):
    async with backend(says(answer, then=then)) as service, carrying(service.url, timeouts=QUICK) as carried:
        reply = await carried.forward()
        assert await anext(reply.body) == b"abc"
        with pytest.raises(BodyFailed) as failed:
            await anext(reply.body)
        assert failed.value.code == code
        with pytest.raises(BodyFailed):
            await anext(reply.body)


async def test_a_bad_chunk_in_the_middle_ends_the_body():
    async def script(talk):
        await talk.request()
        await talk.send(HEAD + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await asyncio.sleep(0.01)
        await talk.send(b"zz\r\n")
        await talk.gone()

    async with backend(script) as service, carrying(service.url) as carried:
        reply = await carried.forward()
        with pytest.raises(BodyFailed, match="upstream_malformed"):
            await whole(reply)


async def test_an_endless_body_is_read_only_as_fast_as_it_is_taken():
    async def script(talk):
        await talk.request()
        await talk.send(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        while True:
            await talk.send(chunk)

    async with backend(script) as service, carrying(service.url) as carried:
        reply = await carried.forward()
        tracemalloc.start()
        taken = 0
        while taken < 64 * 1024 * 1024:
            taken += len(await anext(reply.body))
            await asyncio.sleep(0)  # a slow caller lets the service run ahead
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        await reply.body.aclose()
        await service.closed.wait()
    assert peak < 3 * 1024 * 1024


async def test_a_slow_caller_is_not_charged_to_the_service():
    size = 2_000_000
    answer = HEAD + b"content-length: %d\r\n\r\n" % size + b"x" * size
    limits = Timeouts(connect=0.4, first_byte=0.1, idle=0.1, total=10, keep_alive=10)
    async with backend(says(answer)) as service, carrying(service.url, timeouts=limits) as carried:
        reply = await carried.forward()
        await asyncio.sleep(0.3)  # thrice the idle limit
        assert len(await whole(reply)) == size


UNCLEAN = {
    "bytes after the end": OK + b"X",
    "a whole answer after the end": OK + b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen",
    "a body after 204": b"HTTP/1.1 204 X\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen",
    "204 that announces a body": b"HTTP/1.1 204 X\r\ncontent-length: 6\r\n\r\n",
    "connection: close": HEAD + b"connection: close\r\ncontent-length: 0\r\n\r\n",
    "http/1.0": b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
}


@pytest.mark.parametrize("answer", UNCLEAN.values(), ids=UNCLEAN)
async def test_nothing_is_used_again_after_anything_unclean(answer):
    async with backend(says(answer)) as service, carrying(service.url) as carried:
        for _ in range(3):
            assert b"stolen" not in (await carried.read())[1]
    assert service.connections == len(service.requests) == 3


async def test_head_is_never_followed_on_its_connection():
    async with backend(says(HEAD + b"content-length: 5\r\n\r\n")) as service, carrying(service.url) as carried:
        for _ in range(2):
            assert (await carried.forward(an_ask(method="HEAD"))).status == 200
    assert service.connections == 2


async def test_bytes_that_come_later_never_become_an_answer():
    poisoned = asyncio.Event()

    async def script(talk):
        await talk.request()
        await talk.send(OK)
        if talk.backend.connections == 1:
            await asyncio.sleep(0.01)
            await talk.send(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen")
            poisoned.set()
        await talk.request()
        await talk.send(OK)
        await talk.gone()

    async with backend(script) as service, carrying(service.url) as carried:
        assert await carried.read() == (200, b"{}")
        await poisoned.wait()
        for _ in range(2):
            assert await carried.read() == (200, b"{}")
    assert service.connections == 2


# --- leaving ------------------------------------------------------------------------------------


async def test_a_caller_who_leaves_takes_the_connection_along():
    heard = asyncio.Event()

    async def script(talk):
        await talk.request()
        heard.set()
        await talk.gone()

    async with backend(script) as service, carrying(service.url) as carried:
        task = asyncio.create_task(carried.forward())
        await heard.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            await service.closed.wait()


async def test_closing_a_body_closes_its_connection():
    answer = HEAD + b"content-length: 9000000\r\n\r\n" + b"x" * 9_000_000
    async with backend(says(answer)) as service, carrying(service.url) as carried:
        reply = await carried.forward()
        await anext(reply.body)
        await reply.body.aclose()
        await service.closed.wait()
        with pytest.raises(BodyFailed, match="client_gone"):
            while True:
                await anext(reply.body)


async def test_closing_a_body_that_is_complete_keeps_the_connection():
    answer = HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"

    async def script(talk):
        while True:
            await talk.request()
            await talk.send(answer)
            await asyncio.sleep(0.005)
            await talk.send(b"0\r\n\r\n")

    async with backend(script) as service, carrying(service.url) as carried:
        for _ in range(2):
            reply = await carried.forward()
            assert await whole(reply) == b"hello"
            await reply.body.aclose()
    assert service.connections == 1


async def test_shutting_down_ends_what_is_under_way():
    heard = asyncio.Event()

    async def script(talk):
        await talk.request()
        heard.set()
        await talk.gone()

    async with backend(script) as service:
        async with carrying(service.url) as carried:
            task = asyncio.create_task(carried.forward())
            await heard.wait()
        assert (await task).code == "upstream_unavailable"
        assert (await carried.forward()).code == "upstream_unavailable"


# --- never twice --------------------------------------------------------------------------------


def dies_on(turn, reset=False):
    """Answers, but hears request number `turn` of its first connection and dies without a byte."""

    async def script(talk):
        heard = 0
        first = talk.backend.connections == 1
        while True:
            await talk.request()
            heard += 1
            if first and heard == turn:
                if reset:
                    talk.reset()
                return
            await talk.send(OK)

    return script


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
async def test_a_repeatable_request_is_sent_once_more_when_an_old_connection_dies(method, reset):
    async with backend(dies_on(2, reset)) as service, carrying(service.url) as carried:
        await carried.read()
        reply = await carried.forward(an_ask(method=method, body=WholeBody(b"x" if method == "PUT" else b"")))
    assert isinstance(reply, RawReply)
    assert len(service.requests) == 3


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_request_that_may_not_be_repeated_is_heard_once(method, reset):
    async with backend(dies_on(2, reset)) as service, carrying(service.url) as carried:
        await carried.read()
        fault = await carried.forward(an_ask(method=method, body=WholeBody(b"pay=1")))
    assert fault.code == "upstream_reset"
    assert [request[:4] for request in service.requests].count(method.encode()[:4]) == 1


async def test_a_streamed_body_is_never_sent_twice():
    async with backend(dies_on(2)) as service, carrying(service.url) as carried:
        await carried.read()
        fault = await carried.forward(an_ask(method="PUT", body=Streamed(b"abc")))
    assert fault.code == "upstream_reset"
    assert len(service.requests) == 2


async def test_nothing_is_repeated_once_a_byte_of_answer_has_come():
    async def script(talk):
        await talk.request()
        await talk.send(OK)
        await talk.request()
        await talk.send(b"H")

    async with backend(script) as service, carrying(service.url) as carried:
        await carried.read()
        assert (await carried.forward()).code == "upstream_reset"
    assert len(service.requests) == 2


async def test_nothing_is_repeated_on_a_new_connection():
    async with backend(dies_on(1)) as service, carrying(service.url) as carried:
        assert (await carried.forward()).code == "upstream_reset"
    assert len(service.requests) == 1


async def test_nothing_is_repeated_because_it_took_long():
    async def script(talk):
        await talk.request()
        await talk.send(OK)
        await talk.request()
        await talk.gone()

    async with backend(script) as service, carrying(service.url, timeouts=QUICK) as carried:
        await carried.read()
        assert (await carried.forward()).code == "upstream_timeout"
    assert len(service.requests) == 2


async def test_a_request_is_repeated_once_at_most():
    async def script(talk):  # every connection answers once, then dies unheard
        if talk.backend.connections < 3:
            await talk.request()
            await talk.send(OK)
        await talk.request()

    async with backend(script) as service, carrying(service.url) as carried:
        await asyncio.gather(carried.read(), carried.read())
        assert (await carried.forward()).code == "upstream_reset"
    assert len(service.requests) == 4


async def test_a_request_is_repeated_once_at_most_over_all_addresses():
    async with (
        backend(dies_on(2)) as one,
        backend(dies_on(2)) as two,
        backend(dies_on(2)) as three,
        carrying(one.url, two.url, three.url) as carried,
    ):
        for _ in range(3):
            await carried.read()
        assert (await carried.forward()).code == "upstream_reset"
        assert sum(len(service.requests) for service in (one, two, three)) == 5


async def test_a_connection_that_died_while_idle_is_not_used_even_for_a_post():
    async with backend(says(OK, then="close")) as service, carrying(service.url) as carried:
        for _ in range(20):
            assert await carried.read(an_ask(method="POST", body=WholeBody(b"x"))) == (200, b"{}")
            await asyncio.sleep(0.002)
    assert len(service.requests) == 20


# --- several addresses --------------------------------------------------------------------------


async def test_requests_go_to_both_addresses():
    async with backend(says(OK)) as one, backend(says(OK)) as two, carrying(one.url, two.url) as carried:
        for _ in range(10):
            await carried.read()
    assert (len(one.requests), len(two.requests)) == (5, 5)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_address_that_cannot_be_reached_is_passed_over_and_left_out(method):
    dead = f"http://127.0.0.1:{free_port()}"
    async with backend(says(OK)) as service, carrying(dead, service.url) as carried:
        for _ in range(12):
            assert await carried.read(an_ask(method=method)) == (200, b"{}")
    assert [(notice.name, notice.subject) for notice in carried.notices] == [
        ("upstream.ejected", f"civil-households {dead}")
    ]
    assert len(service.requests) == 12


async def test_two_of_three_addresses_may_be_gone():
    dead = [f"http://127.0.0.1:{free_port()}" for _ in range(2)]
    async with backend(says(OK)) as service, carrying(*dead, service.url) as carried:
        for _ in range(9):
            assert await carried.read() == (200, b"{}")


async def test_an_old_connection_that_dies_is_made_good_at_another_address():
    async with backend(dies_on(2)) as one, backend(says(OK)) as two, carrying(one.url, two.url) as carried:
        for _ in range(6):
            assert await carried.read() == (200, b"{}")
    assert len(one.requests) + len(two.requests) == 7


async def test_no_address_at_all_is_unreachable():
    async with carrying(f"http://127.0.0.1:{free_port()}") as carried:
        codes = [(await carried.forward()).code for _ in range(4)]
    assert codes == ["upstream_unreachable"] * 3 + ["upstream_unavailable"]


async def test_a_name_that_does_not_exist_is_unreachable():
    async with carrying("https://no-such-host.invalid") as carried:
        assert (await carried.forward()).code in {"upstream_unreachable", "upstream_timeout"}


async def test_a_sick_address_gets_nothing_until_it_is_well():
    well = asyncio.Event()

    async def script(talk):
        while True:
            request = await talk.request()
            sick = request.startswith(b"GET /healthz ") and not well.is_set()
            await talk.send(b"HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n" if sick else OK)

    health = Health("/healthz", every=0.01, timeout=1, failures=2)
    async with backend(script) as service, carrying(service.url, health=health) as carried:
        async with asyncio.timeout(5):
            while not carried.notices:
                await asyncio.sleep(0.005)
            assert (await carried.forward()).code == "upstream_unavailable"
            well.set()
            while len(carried.notices) < 2:
                await asyncio.sleep(0.005)
            assert await carried.read() == (200, b"{}")
    assert [notice.name for notice in carried.notices] == ["upstream.ejected", "upstream.returned"]


# --- capacity -----------------------------------------------------------------------------------


async def test_a_full_pool_makes_requests_wait_their_turn():
    async with backend(says(OK)) as service, carrying(service.url, pool_size=2) as carried:
        answers = await asyncio.gather(*(carried.read() for _ in range(10)))
    assert answers == [(200, b"{}")] * 10
    assert service.connections == 2


async def test_who_waits_too_long_or_too_far_back_is_turned_away():
    limits = Timeouts(connect=0.1, first_byte=2, idle=2, total=2, keep_alive=2)
    async with backend(says(b"")) as service, carrying(service.url, pool_size=1, timeouts=limits) as carried:
        tasks = [asyncio.create_task(carried.forward()) for _ in range(7)]
        done, waiting = await asyncio.wait(tasks, timeout=0.4)
        assert [task.result().code for task in done] == ["upstream_unavailable"] * 6
        assert len(waiting) == 1
    assert len(service.requests) == 1


async def test_a_service_that_hangs_leaves_places_for_others():
    """What waits for it is at most four times what is free, of its connections and of its line together."""
    places = 40

    async def script(talk):
        await talk.gone()

    waiting = set()
    async with (
        backend(script) as service,
        carrying(service.url, pool_size=8, free=lambda: places - len(waiting)) as carried,
    ):
        for _ in range(100):
            asked = asyncio.ensure_future(carried.forward())
            waiting.add(asked)
            asked.add_done_callback(waiting.discard)
            await asyncio.sleep(0)
        for _ in range(5):
            await asyncio.sleep(0)  # the refused ones leave
        assert 30 <= len(waiting) <= 33
        refused = await carried.forward()
        assert (refused.code, refused.detail) == (
            "upstream_unavailable",
            "too much waits for `civil-households` already",
        )
    await asyncio.gather(*waiting)


async def test_who_leaves_the_line_keeps_nobody_else_from_it():
    release = asyncio.Event()

    async def script(talk):
        while True:
            await talk.request()
            await release.wait()
            await talk.send(OK)

    async with backend(script) as service, carrying(service.url, pool_size=1) as carried:
        tasks = [asyncio.create_task(carried.read()) for _ in range(4)]
        while not service.requests:
            await asyncio.sleep(0.001)
        tasks[1].cancel()
        release.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [answers[0], *answers[2:]] == [(200, b"{}")] * 3
    assert service.connections == 1


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_however_the_answer_is_cut_on_the_wire_it_is_the_same_reply(data):
    answer = HEAD + b"etag: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    cuts = sorted(data.draw(st.sets(st.integers(1, len(answer) - 1), max_size=6)))
    pieces = [answer[start:end] for start, end in zip([0, *cuts], [*cuts, len(answer)], strict=True)]

    async def script(talk):
        await talk.request()
        for piece in pieces:
            await talk.send(piece)
            await asyncio.sleep(0)
        await talk.gone()

    async def main():
        async with backend(script) as service, carrying(service.url) as carried:
            reply = await carried.forward()
            assert (reply.status, reply.headers, await whole(reply)) == (200, ((b"etag", b"a"),), b"hello world")

    asyncio.run(main())


async def test_a_warrant_cannot_be_used_for_an_equal_request():
    ask = an_ask()
    async with backend(says(OK)) as service, carrying(service.url) as carried:
        assert isinstance(await carried.upstream.forward(ask, warrant_for(ask)), RawReply)
        assert isinstance(await carried.upstream.forward(an_ask(), warrant_for(ask)), Fault)


async def test_in_any_turmoil_nothing_is_heard_twice_and_nothing_leaks():
    """Services that reset, close, poison, stall and lie, callers that leave: judged by the witness."""
    chance = random.Random(7)

    async def script(talk):
        while True:
            await talk.request()
            match chance.randrange(10):
                case 0:
                    return talk.reset()
                case 1:
                    return None
                case 2:
                    await talk.send(OK + b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen")
                case 3:
                    await talk.send(OK[:30])
                    return talk.reset()
                case 4:
                    await asyncio.Event().wait()
                case 5:
                    await talk.send(HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n")
                    await asyncio.sleep(0)
                    await talk.send(b"0\r\n\r\n")
                case _:
                    await talk.send(OK)

    async def caller(carried, number):
        method = chance.choice(["GET", "POST", "PUT", "PATCH"])
        body = WholeBody(b"x" * chance.randrange(1, 2000)) if method != "GET" else WholeBody(b"")
        work = carried.forward(an_ask(method=method, path=f"/civil/households/{number}", body=body))
        if chance.random() < 0.2:
            task = asyncio.create_task(work)
            for _ in range(chance.randrange(8)):
                await asyncio.sleep(0)
            task.cancel()
            return (await asyncio.gather(task, return_exceptions=True))[0]
        return await work

    async def one_after_another(carried, numbers):
        for number in numbers:
            answer = await caller(carried, number)
            if isinstance(answer, RawReply):
                seen.append(await whole(answer))

    seen = []
    limits = Timeouts(connect=1, first_byte=0.08, idle=0.08, total=1, keep_alive=1)
    async with backend(script) as service, carrying(service.url, timeouts=limits, pool_size=4) as carried:
        async with asyncio.timeout(25):
            await asyncio.gather(*(one_after_another(carried, range(at, 300, 8)) for at in range(8)))
        (spot,) = carried.upstream._roads["civil-households"].balance.spots
        assert spot.pool.pending == 0
        assert spot.pool.free <= 4
    assert set(seen) == {b"{}"}
    assert len(seen) > 60
    heard = Counter(tuple(request.split(b" ", 2)[:2]) for request in service.requests)
    assert all(times == 1 for (method, _), times in heard.items() if method in {b"POST", b"PATCH"})
    assert all(times <= 2 for times in heard.values())


# --- what the service must not have -----------------------------------------------------------------

OUT = a_permit(forwarding=Mask("out", (), "pass"))


async def test_what_was_concealed_is_what_the_service_gets():
    ask = an_ask(method="POST", query="a=1&b=2", body=WholeBody(b'{"name":"secret"}'))
    concealed = Concealed("a=1", b'{"name":"***"}')
    async with backend(says(OK)) as service, carrying(service.url, conceal=lambda *_: concealed) as carried:
        assert isinstance(await carried.forward(ask, permit=OUT), RawReply)
    (request,) = service.requests
    assert request.startswith(b"POST /civil/households/42?a=1 HTTP/1.1")
    assert b"content-length: 14\r\n" in request
    assert b"secret" not in request


@pytest.mark.parametrize("conceal", [None, lambda *_: Fault("cannot_conceal", "x")])
async def test_what_cannot_be_concealed_is_not_sent(conceal):
    ask = an_ask(method="POST", body=WholeBody(b"{}"))
    async with backend(says(OK)) as service, carrying(service.url, conceal=conceal) as carried:
        answer = await carried.forward(ask, permit=OUT)
    assert answer.code == "cannot_conceal"
    assert service.requests == []
