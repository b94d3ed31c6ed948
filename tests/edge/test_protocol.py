"""Abuse: a caller that sends too much, too slowly, too early, or in a framing that can be read twice.

Every test speaks raw bytes over a real socket, on both event loops.
"""

import asyncio
import json
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.edge import Settings
from gateway.edge.protocol import protocol_class
from tests.edge.wire import GET, QUICK, Figures, Recorder, answers_in, hang_up, hello, read_answer, serving, until

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": request.param}


# --- plain requests --------------------------------------------------------------------------


async def test_a_request_is_answered_and_the_connection_stays() -> None:
    async with serving(hello) as here:
        reader, writer = await here.open()
        for _ in range(3):
            writer.write(GET)
            answer = await read_answer(reader)
            assert (answer.status, answer.body) == (200, b"hello")
            assert "connection" not in answer.headers
        assert here.worker.total_requests == 3
        assert len(here.worker.connections) == here.figures.connections == 1
        await hang_up(writer)
        await until(lambda: here.figures.connections == 0)
        assert not here.worker.connections
        assert not here.worker.tasks
        assert here.figures.in_flight == 0


async def test_the_scope_shows_the_request_as_it_came() -> None:
    app = Recorder()
    async with serving(app) as here:
        await here.ask(b"POST /a%2Fb?c=%20 HTTP/1.1\r\nHost: A\r\nX-Y:  z \r\nContent-Length: 2\r\n\r\nhi")
        scope = app.scopes[0]
        assert scope["type"] == "http"
        assert scope["raw_path"] == b"/a%2Fb"
        assert scope["query_string"] == b"c=%20"
        assert scope["path"] == "/a/b"
        assert (scope["method"], scope["http_version"], scope["scheme"]) == ("POST", "1.1", "http")
        assert scope["headers"] == [(b"host", b"A"), (b"x-y", b"z"), (b"content-length", b"2")]
        assert scope["client"][0] == "127.0.0.1"
        assert scope["server"] == ("127.0.0.1", here.port)
        assert app.seen == [("POST", b"/a%2Fb", b"hi")]


async def test_every_cut_of_a_request_reads_the_same() -> None:
    raw = (
        b"POST /one HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nT: x\r\n\r\n"
        b"PUT /two HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nput"
        b"GET /three HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    app = Recorder()
    async with serving(app) as here:
        loop = asyncio.get_running_loop()
        for cut in range(1, len(raw)):
            app.seen.clear()
            reader, writer = await here.open()
            (connection,) = await _connections(here)
            for part in (raw[:cut], raw[cut:]):  # exactly two reads, as the transport would hand them over
                connection.data_received(part)
                await asyncio.sleep(0)
            await asyncio.wait_for(reader.read(), 3)
            assert app.seen == [("POST", b"/one", b"body"), ("PUT", b"/two", b"put"), ("GET", b"/three", b"")], cut
            await hang_up(writer)
            await until(lambda: not here.worker.connections)
        assert loop.is_running()


async def _connections(here: Any) -> list[Any]:
    await until(lambda: bool(here.worker.connections))
    return list(here.worker.connections)


async def test_requests_sent_ahead_are_answered_in_order() -> None:
    app = Recorder()
    async with serving(app) as here:
        raw = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(2000))
        answer = await here.say(raw + b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert [path for _, path, _ in app.seen] == [b"/%d" % n for n in range(2000)] + [b"/last"]
        assert answer.count(b"HTTP/1.1 200") == 2001


async def test_a_request_after_a_close_is_never_read() -> None:
    app = Recorder()
    async with serving(app) as here:
        await here.say(b"GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert [path for _, path, _ in app.seen] == [b"/1"]


async def test_a_head_request_gets_no_body_but_its_length() -> None:
    async with serving(hello) as here:
        reader, writer = await here.open()
        writer.write(GET.replace(b"GET", b"HEAD") + GET)
        first = await read_answer(reader, "HEAD")
        assert first.headers["content-length"] == "5"
        assert (await read_answer(reader)).body == b"hello"
        await hang_up(writer)


async def test_an_old_client_is_answered_and_closed_unless_it_asks_to_stay() -> None:
    async with serving(hello) as here:
        old = b"GET / HTTP/1.0\r\nHost: a\r\n"
        assert (await here.say(old + b"\r\n")).endswith(b"connection: close\r\n\r\nhello")
        answer = await here.ask(old + b"Connection: keep-alive\r\n\r\n")
        assert answer.headers["connection"] == "keep-alive"


async def test_a_stream_to_an_old_client_ends_with_the_connection() -> None:
    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(3):
            await send({"type": "http.response.body", "body": b"ab", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async with serving(stream) as here:
        assert (await here.say(b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")).endswith(
            b"connection: close\r\n\r\nababab"
        )
        assert (await here.ask(GET)).headers["transfer-encoding"] == "chunked"
        assert (await here.ask(GET)).body == b"ababab"


async def test_an_upgrade_is_ignored() -> None:
    app = Recorder()
    async with serving(app) as here:
        for upgrade in (b"h2c", b"websocket"):
            answer = await here.ask(
                b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: " + upgrade + b"\r\n\r\n"
            )
            assert answer.status == 200
            assert "upgrade" not in answer.headers


async def test_half_a_closed_connection_still_gets_its_answer() -> None:
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.05)
        await hello(scope, receive, send)

    async with serving(slow) as here:
        assert (await here.say(GET, half_close=True)).endswith(b"hello")


# --- framing ---------------------------------------------------------------------------------

DOUBTFUL = {
    "both lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding on 1.0": b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "odd coding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n",
    "long length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551621\r\n\r\nhello",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS on a plain port": b"\x16\x03\x01\x00\xa5\x01\x00",
    "bare LF": b"GET / HTTP/1.1\nHost: a\n\n",
    "bare LF at the end": b"GET / HTTP/1.1\r\nHost: a\r\n\n",
    "NUL": b"GET / HTTP/1.1\r\nHost: a\r\nX-A: a\x00b\r\n\r\n",
    "folded": b"GET / HTTP/1.1\r\nHost: a\r\nX-A: a\r\n b\r\n\r\n",
    "chunk terminator": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
    "chunk size": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "authority form": b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    "absolute form": b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "no slash": b"GET @evil.example/ HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("name", DOUBTFUL)
async def test_doubtful_framing_is_answered_400_closed_and_reaches_nobody(name: str) -> None:
    app = Recorder()
    async with serving(app) as here:
        answer = await here.say(DOUBTFUL[name] + GET)
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert answers_in(answer) == 1
        assert b"connection: close\r\n" in answer
        problem = json.loads(answer.partition(b"\r\n\r\n")[2])
        assert problem["status"] == 400
        assert app.scopes == []


async def test_what_was_refused_is_told_once_with_a_count() -> None:
    async with serving(hello) as here:
        for _ in range(3):
            await here.say(DOUBTFUL["no host"])
        await here.say(DOUBTFUL["asterisk"])
        await until(lambda: sum(notice.count for notice in here.notices) == 4)
    found = {(n.name, n.subject, n.detail) for n in here.notices}
    assert found == {("edge.refused", "127.0.0.1", "bad_framing"), ("edge.refused", "127.0.0.1", "bad_target")}
    assert len(here.notices) <= 4


async def test_framing_that_breaks_later_ends_a_waiting_application() -> None:
    app = Recorder()
    async with serving(app) as here:
        answer = await here.say(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"XX\r\n", pause=0.03
        )
        assert answer.startswith(b"HTTP/1.1 400")
        await until(lambda: not here.worker.tasks)
        assert app.broken == ["bad_framing"]
        assert app.seen == []


async def test_a_body_that_ends_early_reaches_nobody_as_complete() -> None:
    app = Recorder()
    async with serving(app) as here:
        answer = await here.say(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhi", half_close=True)
        assert answer.startswith(b"HTTP/1.1 400")
        await until(lambda: not here.worker.tasks)
        assert app.broken == ["body_incomplete"]


async def test_a_head_that_ends_early_is_refused() -> None:
    async with serving(hello) as here:
        assert (await here.say(b"GET / HTTP/1.1\r\nHost", half_close=True)).startswith(b"HTTP/1.1 400")


# --- sizes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a" * 1_000_000, 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nCookie: " + b"a" * 40_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 101 + b"\r\n", 431),
        (b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET /" + b"a" * 100_000, 414),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"e" * 100_000, 400),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            + (b"1;" + b"e" * 999 + b"\r\nx\r\n") * 40,
            431,
        ),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"T: t\r\n" * 9000, 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n", 417),
        (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    ],
)
async def test_too_much_is_refused_and_the_caller_can_read_why(raw: bytes, status: int) -> None:
    async with serving(Recorder()) as here:
        assert (await here.say(raw)).startswith(b"HTTP/1.1 %d " % status)


async def test_a_flood_after_the_refusal_is_cut() -> None:
    async with serving(hello) as here:
        reader, writer = await here.open()
        writer.write(b"?")
        with pytest.raises(ConnectionError):
            for _ in range(1000):
                writer.write(b"x" * 65536)
                await writer.drain()
            await reader.read()
        await hang_up(writer)


# --- bodies and expectations -----------------------------------------------------------------


async def test_100_is_sent_when_the_body_is_wanted() -> None:
    app = Recorder()
    async with serving(app) as here:
        reader, writer = await here.open()
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 2) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"hi")
        assert (await read_answer(reader)).body == b"/ hi"
        await hang_up(writer)


async def test_100_is_not_sent_when_the_answer_needs_no_body() -> None:
    async with serving(hello) as here:
        answer = await here.say(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"connection: close\r\n" in answer or answer.endswith(b"hello")


async def test_a_body_nobody_read_is_never_taken_for_a_request() -> None:
    app = hello
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    async with serving(app) as here:
        answer = await here.say(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (2 * len(smuggled)),
            smuggled,
            smuggled,
            pause=0.03,
        )
        assert answer.count(b"HTTP/1.1 200") == 1
        assert here.worker.total_requests == 1


async def test_the_rest_of_an_unread_small_body_is_skipped() -> None:
    async with serving(hello) as here:
        reader, writer = await here.open()
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + GET)
        assert (await read_answer(reader)).status == 200
        assert (await read_answer(reader)).status == 200
        await hang_up(writer)


# --- the end ---------------------------------------------------------------------------------


async def test_draining_finishes_what_is_begun_and_takes_one_more_request() -> None:
    go = asyncio.Event()

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        if scope["raw_path"] == b"/wait":
            await go.wait()
        await hello(scope, receive, send)

    async with serving(waiting) as here:
        busy, idle = await here.open(), await here.open()
        busy[1].write(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: here.figures.in_flight == 1 and here.figures.connections == 2)
        for connection in list(here.worker.connections):
            connection.shutdown()
        idle[1].write(GET)
        last = await read_answer(idle[0])
        assert (last.status, last.headers["connection"]) == (200, "close")
        assert await asyncio.wait_for(idle[0].read(), 2) == b""
        go.set()
        assert (await read_answer(busy[0])).headers["connection"] == "close"
        assert await asyncio.wait_for(busy[0].read(), 2) == b""
        for _, writer in (busy, idle):
            await hang_up(writer)


async def test_draining_closes_an_idle_connection_soon() -> None:
    async with serving(hello, Settings(limits=QUICK)) as here:
        reader, writer = await here.open()
        await until(lambda: here.figures.connections == 1)
        next(iter(here.worker.connections)).shutdown()
        assert await asyncio.wait_for(reader.read(), 3) == b""
        await hang_up(writer)


async def test_uvicorn_serves_with_this_class_and_drains_it() -> None:
    figures = Figures()
    bound = protocol_class(Settings(), lambda _: None, figures)
    config = uvicorn.Config(
        hello,
        host="127.0.0.1",
        port=0,
        http=bound,
        lifespan="off",
        log_config=None,
        proxy_headers=False,
        server_header=False,
    )
    server = uvicorn.Server(config)
    running = asyncio.ensure_future(server._serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await until(lambda: bool(server.server_state.default_headers))
    writer.write(GET)
    answer = await read_answer(reader)
    assert answer.body == b"hello"
    assert set(answer.headers) == {"content-length", "date"}
    server.should_exit = True
    assert await asyncio.wait_for(reader.read(), 4) == b""
    await asyncio.wait_for(running, 4)
    await hang_up(writer)
    bound.door.stop()
    assert figures.connections == 0


# --- TLS -------------------------------------------------------------------------------------


def _issue(name: str, folder: Path) -> tuple[Path, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path, certificate


async def test_the_client_certificate_is_shown_to_the_application(tmp_path: Path) -> None:
    ours, _ = _issue("localhost", tmp_path)
    theirs, certificate = _issue("clerk", tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ours)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(theirs)
    app = Recorder()
    async with serving(app, tls=context) as here:
        for with_certificate in (True, False):
            client = ssl.create_default_context(cafile=str(ours))
            client.check_hostname = False
            if with_certificate:
                client.load_cert_chain(theirs)
            reader, writer = await here.open(ssl=client)
            writer.write(GET)
            assert (await read_answer(reader)).status == 200
            tls = app.scopes[-1]["extensions"]["tls"]
            assert tls["version"] == "TLSv1.3"
            der = certificate.public_bytes(serialization.Encoding.DER)
            assert tls["client_cert_der"] == (der if with_certificate else None)
            assert app.scopes[-1]["scheme"] == "https"
            await hang_up(writer)
        client = ssl.create_default_context(cafile=str(ours))
        client.check_hostname = False
        reader, writer = await here.open(ssl=client)
        writer.write(DOUBTFUL["two hosts"])
        assert (await read_answer(reader)).status == 400
        await hang_up(writer)
