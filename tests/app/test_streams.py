"""An answer that flows is cut as soon as it is no longer allowed."""

import asyncio
import contextlib
import http.client
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.app.streams import EVERY_SECONDS, Streams, still
from gateway.facts import BodyFailed, Challenge, FieldMask, Mask, Reason, Warrant
from tests.literals import a_deny, a_permit, a_warrant
from tests.running import Gateway, running


class Faucet:
    """A body that gives what it is given."""

    def __init__(self) -> None:
        self.pieces: asyncio.Queue[bytes] = asyncio.Queue()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        return await self.pieces.get()


class Opinion:
    """Says of every stream what it is told to say."""

    def __init__(self) -> None:
        self.code = ""
        self.asked = 0
        self.now = 0.0

    async def judge(self, warrant: Warrant) -> str:
        self.asked += 1
        return self.code


@pytest.mark.anyio
async def test_a_stream_that_waits_is_ended_with_the_reason() -> None:
    opinion, faucet = Opinion(), Faucet()
    streams = Streams(opinion.judge, lambda: opinion.now)
    await streams.look(1)
    guarded = streams.guard(a_warrant(), faucet)
    faucet.pieces.put_nowait(b"one")
    assert await guarded.__anext__() == b"one"
    waiting = asyncio.ensure_future(guarded.__anext__())  # type: ignore[arg-type]  # an awaitable of an async iterator
    await asyncio.sleep(0)
    opinion.code = "session_revoked"
    await streams.look(2)
    with pytest.raises(BodyFailed) as failed:
        await waiting
    assert failed.value.code == "session_revoked"
    assert len(streams) == 0


@pytest.mark.anyio
async def test_a_piece_that_came_before_the_end_is_the_last() -> None:
    opinion, faucet = Opinion(), Faucet()
    streams = Streams(opinion.judge, lambda: opinion.now)
    guarded = streams.guard(a_warrant(), faucet)
    faucet.pieces.put_nowait(b"one")
    faucet.pieces.put_nowait(b"two")
    assert await guarded.__anext__() == b"one"
    opinion.code = "token_expired"
    await streams.look(1)
    with pytest.raises(BodyFailed):
        await guarded.__anext__()


@pytest.mark.anyio
async def test_nothing_is_asked_while_nothing_changes_until_it_is_time() -> None:
    opinion, faucet = Opinion(), Faucet()
    streams = Streams(opinion.judge, lambda: opinion.now)
    await streams.look(7)
    guarded = streams.guard(a_warrant(), faucet)
    faucet.pieces.put_nowait(b"one")
    await guarded.__anext__()
    await streams.look(7)
    await streams.look(7)
    assert opinion.asked == 1  # once, as it is new
    opinion.now = EVERY_SECONDS
    await streams.look(7)
    assert opinion.asked == 2


@pytest.mark.anyio
async def test_what_changed_before_the_first_piece_ends_the_stream_too() -> None:
    opinion, faucet = Opinion(), Faucet()
    streams = Streams(opinion.judge, lambda: opinion.now)
    guarded = streams.guard(a_warrant(), faucet)  # permitted, and the service is slow to answer
    opinion.code = "session_revoked"
    await streams.look(2)
    faucet.pieces.put_nowait(b"one")
    await guarded.__anext__()
    await streams.look(2)  # the generation is the same as before
    with pytest.raises(BodyFailed):
        await guarded.__anext__()


@pytest.mark.anyio
async def test_a_stream_that_cannot_be_judged_is_cut_and_the_others_are_judged() -> None:
    judged: list[Warrant] = []

    async def fails_once(warrant: Warrant) -> str:
        judged.append(warrant)
        if len(judged) == 1:
            raise KeyError("history")
        return ""

    streams = Streams(fails_once, lambda: 0.0)
    faucets = [Faucet(), Faucet()]
    guarded = [streams.guard(a_warrant(), faucet) for faucet in faucets]
    for faucet, stream in zip(faucets, guarded, strict=True):
        faucet.pieces.put_nowait(b"one")
        await stream.__anext__()
        faucet.pieces.put_nowait(b"two")
    await streams.look(1)
    assert len(judged) == 2
    answers = await asyncio.gather(*(anext(stream) for stream in guarded), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["BodyFailed", "bytes"]


@pytest.mark.anyio
async def test_a_cancelled_caller_stays_cancelled() -> None:
    streams = Streams(Opinion().judge, lambda: 0.0)
    guarded = streams.guard(a_warrant(), Faucet())
    waiting = asyncio.ensure_future(guarded.__anext__())  # type: ignore[arg-type]  # as above
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


def test_only_the_same_permit_upholds_a_stream() -> None:
    permit = a_permit()
    assert still(permit, a_permit()) == ""
    assert still(permit, a_permit(mask=Mask("x", (FieldMask("$.a", "redact"),), "redact"))) == "rule_denied"
    hidden = Mask(
        "x", (FieldMask("$.a", "drop"),), "pass"
    )  # the service must not have any more what it is about to get
    assert still(permit, a_permit(forwarding=hidden)) == "rule_denied"
    assert still(permit, a_deny(reasons=(Reason("device_revoked"),))) == "device_revoked"
    assert still(permit, Challenge((Reason("step_up_required"),), "b", "aal3")) == "step_up_required"


class Ticker:
    """A service that sends one event each few milliseconds and never ends."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._tick, args=(connection,), daemon=True).start()

    def _tick(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            )
            while True:
                connection.sendall(b"9\r\ndata: x\n\n\r\n")
                time.sleep(0.01)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread out of accept
        self._listener.close()
        self._thread.join(5)


API = """\
  - name: events
    match: /events/**
    upstream: http://127.0.0.1:{port}
    level: general-1
limits:
  drain_seconds: 1
"""
RULE = """\
rules:
  - {id: events, title: {zh: 事件, en: events}, effect: allow, who: signed-in, org: '*', data: events, action: read, level: any}
"""


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    ticker = Ticker()
    (tmp_path / "policies" / "rules").mkdir(parents=True)
    (tmp_path / "policies" / "rules" / "50-events.yaml").write_text(RULE)
    with running(tmp_path, workers=2, extra=API.format(port=ticker.port)) as started:
        yield started
    ticker.close()


@contextlib.contextmanager
def open_stream(gateway: Gateway, token: str) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    try:
        connection.request("GET", "/events/all", headers={"authorization": f"Bearer {token}"})
        with connection.getresponse() as stream:
            yield stream
    finally:
        connection.close()


def test_a_revocation_cuts_an_open_stream_within_two_seconds_and_says_why_on_record(gateway: Gateway) -> None:
    with open_stream(gateway, gateway.issuer.token("anna", sid="s-anna")) as stream:
        assert stream.status == 200
        assert stream.read(9) == b"data: x\n\n"
        decision = stream.getheader("x-gateway-decision")
        began = time.monotonic()
        assert gateway.door("POST", "/v1/revocations", {"kind": "session", "id": "s-anna"}).status == 200
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            while stream.read(900):
                assert time.monotonic() - began < 2
    gateway.stop()
    outcomes = [entry for entry in gateway.entries() if entry.get("verdict") == decision]
    assert [(entry["code"], entry["complete"]) for entry in outcomes] == [("session_revoked", False)]


def test_a_stream_goes_on_while_others_are_revoked(gateway: Gateway) -> None:
    with open_stream(gateway, gateway.issuer.token("bert")) as stream:
        assert stream.read(9) == b"data: x\n\n"
        assert gateway.door("POST", "/v1/revocations", {"kind": "subject", "id": "somebody"}).status == 200
        assert len(stream.read(9 * 100)) == 900  # a second and more of events


def test_a_stream_that_a_stop_cuts_is_on_record_as_far_as_it_came(gateway: Gateway) -> None:
    with open_stream(gateway, gateway.issuer.token("carl")) as stream:
        assert stream.read(9 * 10) == b"data: x\n\n" * 10
        decision = stream.getheader("x-gateway-decision")
        gateway.stop()
        (outcome,) = [entry for entry in gateway.entries() if entry.get("verdict") == decision]
    assert (outcome["status"], outcome["code"], outcome["complete"]) == (200, "interrupted", False)
    assert outcome["sent"] >= 90
