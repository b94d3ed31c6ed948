"""Attacks on the edge, over the wire: framing, targets, hosts, header spellings. Did the service hear of it?"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.hostile import PLAIN, Stage, staged

POST = b"POST /evil/x"
GET = b"GET /evil/x"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("edge")) as set_up:
        yield set_up


@pytest.fixture(autouse=True)
def plain(stage: Stage) -> None:
    stage.service.answer = PLAIN


FRAMING: list[tuple[str, list[bytes], bytes]] = [
    ("length and coding", [b"Content-Length: 4", b"Transfer-Encoding: chunked"], b"0\r\n\r\n"),
    ("coding and length", [b"Transfer-Encoding: chunked", b"Content-Length: 4"], b"0\r\n\r\n"),
    ("a coding that only ends so", [b"Transfer-Encoding: xchunked"], b"0\r\n\r\n"),
    ("stacked codings", [b"Transfer-Encoding: gzip, chunked"], b"0\r\n\r\n"),
    ("an empty member", [b"Transfer-Encoding: ,chunked"], b"0\r\n\r\n"),
    ("two codings", [b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"], b"0\r\n\r\n"),
    ("blank before the colon", [b"Transfer-Encoding : chunked"], b"0\r\n\r\n"),
    ("vertical tab", [b"Transfer-Encoding:\x0bchunked"], b"0\r\n\r\n"),
    ("two lengths", [b"Content-Length: 5", b"Content-Length: 5"], b"hello"),
    ("a list of lengths", [b"Content-Length: 5, 5"], b"hello"),
    ("a signed length", [b"Content-Length: +5"], b"hello"),
    ("a negative length", [b"Content-Length: -5"], b"hello"),
    ("a hexadecimal length", [b"Content-Length: 0x5"], b"hello"),
    ("underscore in a length", [b"Content-Length: 0_5"], b"hello"),
    ("no length in a length", [b"Content-Length:"], b"hello"),
    ("2**64 + 5", [b"Content-Length: 18446744073709551621"], b"hello"),
    ("bytes after a chunk (CVE-2025-43859)", [b"Transfer-Encoding: chunked"], b"5\r\nhelloXX0\r\n\r\n"),
    ("bare LF in chunks", [b"Transfer-Encoding: chunked"], b"5\nhello\n0\n\n"),
    ("LF in an extension", [b"Transfer-Encoding: chunked"], b"5;a\nb\r\nhello\r\n0\r\n\r\n"),
    ("0x chunk size", [b"Transfer-Encoding: chunked"], b"0x5\r\nhello\r\n0\r\n\r\n"),
    ("negative chunk size", [b"Transfer-Encoding: chunked"], b"-5\r\nhello\r\n0\r\n\r\n"),
    ("blank before a chunk size", [b"Transfer-Encoding: chunked"], b" 5\r\nhello\r\n0\r\n\r\n"),
    ("chunk size beyond 64 bits", [b"Transfer-Encoding: chunked"], b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
    ("folded line", [b"X-A: b\r\n c"], b""),
    ("bare LF between fields", [b"X-A: b\nX-B: c"], b""),
    ("bare CR in a field", [b"X-A: b\rX-B: c"], b""),
    ("NUL in a field (CVE-2019-9900)", [b"X-A: b\0c"], b""),
    ("a line without a colon", [b"X-A"], b""),
    ("a field without a name", [b": x"], b""),
    ("a second Host", [b"Host: other"], b""),
]


@pytest.mark.parametrize(("fields", "body"), [case[1:] for case in FRAMING], ids=[case[0] for case in FRAMING])
def test_framing_with_two_readings_is_400_and_nobody_hears_of_it(
    stage: Stage, fields: list[bytes], body: bytes
) -> None:
    smuggled = b"GET /evil/smuggled HTTP/1.1\r\nHost: gw\r\n\r\n"
    reply, reached = stage.reached(stage.request(POST, *fields) + body + smuggled)
    assert (reply.status, reply.reason, reached) == (400, "bad_framing", 0)
    assert b"connection: close" in reply.head
    assert reply.raw.count(b"x-request-id:") == 1  # one answer: what came behind was never read as a request


LINES = [
    (b"GET http://gw/evil/x HTTP/1.1", 400), (b"GET @evil.example/evil/x HTTP/1.1", 400), (b"GET foo HTTP/1.1", 400),
    (b"CONNECT gw:443 HTTP/1.1", 400), (b"OPTIONS * HTTP/1.1", 400), (b"GET\t/evil/x\tHTTP/1.1", 400),
    (b"GET  /evil/x HTTP/1.1", 400), (b"GET /evil/x y HTTP/1.1", 400), (b"GET /evil/x", 400), (b"get /evil/x HTTP/1.1", 400),
    (b"GET /evil/x HTTP/1.2", 400), (b"GET /evil/x HTTP/2.0", 400), (b"GET /evil/x http/1.1", 400), (b"\r\nGET /evil/x HTTP/1.1", 400),
    (b"TRACE /evil/x HTTP/1.1", 501), (b"PROPFIND /evil/x HTTP/1.1", 501), (b"GET /evil/" + b"a" * 20_000 + b" HTTP/1.1", 414),
    (b"PRI * HTTP/2.0", 400), ("GET /evil/中 HTTP/1.1".encode(), 400), (b"GET /evil/x?\xff HTTP/1.1", 400),
    (b"GET /evil/x#/y HTTP/1.1", 400), (b"GET /evil/x?a#b HTTP/1.1", 400),
]  # fmt: skip


@pytest.mark.parametrize(("line", "status"), LINES, ids=[repr(line[:24]) for line, _ in LINES])
def test_a_request_line_out_of_form_goes_nowhere(stage: Stage, line: bytes, status: int) -> None:
    fields = b"\r\nHost: gw\r\nConnection: close\r\nAuthorization: Bearer " + stage.token.encode() + b"\r\n\r\n"
    reply, reached = stage.reached(line + fields)
    assert (reply.status, reached) == (status, 0)


HOSTS = [b"", b"Host:", b"Host: gw/?x=", b"Host: gw/evil/x?x=", b"Host: gw:x", b"Host: gw:99999", b"Host: a@gw", b"Host: gw,gw",
         b"Host: [::1", b"Host: gw..x", b"Host: -gw", b"Host: g w", b"Host: gw#x", b"Host: 127.0.0.1."]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS, ids=map(repr, HOSTS))
def test_a_host_that_is_none_goes_nowhere(stage: Stage, host: bytes) -> None:
    reply, reached = stage.reached(stage.request(GET, host=host))
    assert (reply.status, reached) == (400, 0)


PATHS = """
//evil/x /evil//x /evil/./x /evil/../evil/x /evil/.. /evil/. /evil/%2e%2e/x /evil/%2E%2E/x /evil/..%2fx /evil/..%2Fx
/evil/..;/x /evil/x;a=b /evil/x%3Ba /evil/x%2Fy /evil/x%2fy /evil/x%5Cy /evil/x%5cy /evil/x\\y /evil/%78 /evil/%78y /evi%6C/x
/evil/x%00 /evil/x%0A /evil/x%0d /evil/x%7F /evil/x%252F /evil/x%2541 /evil/x%25%32%46 /evil/x%2 /evil/x% /evil/x%zz /evil/x%u002f
/evil/%e4%b8%ad /evil/%C0%AF /evil/%C0%AE%C0%AE/x /evil/%ED%A0%80 /evil/%FF /evil/e%CC%81 /evil/%E2%80%AEx /evil/%E2%80%8Bx
/evil/x%EF%BC%8Fy /evil/%EF%BC%8E%EF%BC%8E/x /evil/%E2%80%A5/x /evil/x|y /evil/x^y /evil/<x> /evil/"x" /evil/`x` /evil/{x} /evil/[x]
/%2Egateway/health /.gateway/../evil/x /.gateway/%2e%2e/evil/x /evil/x%09 /evil/x%EF%BB%BF
""".split()  # noqa: SIM905 - a page of strings in quotes cannot be read


@pytest.mark.parametrize("path", PATHS)
def test_another_spelling_of_a_path_is_400(stage: Stage, path: str) -> None:
    reply, reached = stage.reached(stage.request(b"GET " + path.encode()))
    assert (reply.status, reply.reason, reached) == (400, "bad_target", 0)


@pytest.mark.parametrize(
    "target",
    ["/evil/x", "/evil/%E4%B8%AD", "/evil/a%20b", "/evil/x?a=%00&a=../..&/../", "/evil/x??", "/evil/x:443,(y)"],
)
def test_the_service_sees_the_bytes_that_were_decided_on(stage: Stage, target: str) -> None:
    reply = stage.ask(target)
    assert reply.status == 200
    assert stage.service.got[-1][0].split(b" ")[1] == target.encode()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/evil",
        "/evil/",
        "/evil/x/",
        "/evil/x/y",
        "/evilx/x",
        "/EVIL/x",
        "/.gateway",
        "/metrics",
        "/debug/pprof",
        "/healthz",
    ],
)
def test_a_path_that_is_not_listed_is_denied(stage: Stage, path: str) -> None:
    reply, reached = stage.reached(stage.request(b"GET " + path.encode()))
    assert (reply.status, reply.reason, reached) == (403, "unlisted", 0)


@pytest.mark.parametrize(
    "path",
    [
        "/.gateway/",
        "/.gateway/metrics",
        "/.gateway/health/",
        "/.gateway/v1/revocations",
        "/.gateway/reasons/x",
        "/.well-known/oauth-protected-resource/x",
    ],
)
def test_nothing_operational_is_on_the_data_port(stage: Stage, path: str) -> None:
    assert stage.ask(path).status == 404


NO_TOKEN = [
    b"X-Forwarded-Uri: /.gateway/health", b"X-Original-URL: /.gateway/health", b"X-Rewrite-URL: /.gateway/health",
    b"X-Forwarded-Prefix: /.gateway", b"User-Agent: GoogleHC/1.0", b"X-Forwarded-User: admin", b"X-Gateway-Subject: admin",
    b"X_Gateway_Subject: admin", b"Remote-User: admin", b"Authorization_: Bearer x", b"Proxy-Authorization: Bearer TOKEN",
    b"Cookie: access_token=TOKEN", b"X-Forwarded-Authorization: Bearer TOKEN", b"X-Forwarded-For: 127.0.0.1",
    b'X-Forwarded-Client-Cert: Hash=00;Subject="CN=admin"', b"Client-Cert: :AAAA:", b"X-SSL-Client-Verify: SUCCESS",
    b"X-HTTP-Method-Override: OPTIONS",
]  # fmt: skip


@pytest.mark.parametrize("field", NO_TOKEN, ids=[repr(field[:28]) for field in NO_TOKEN])
def test_no_header_replaces_a_token(stage: Stage, field: bytes) -> None:
    field = field.replace(b"TOKEN", stage.token.encode())
    for target in (b"/evil/x", b"/evil/x?access_token=" + stage.token.encode(), b"/evil/x?/.gateway/health"):
        raw = b"GET " + target + b" HTTP/1.1\r\nHost: gw\r\nConnection: close\r\n" + field + b"\r\n\r\n"
        reply, reached = stage.reached(raw)
        assert (reply.status, reply.reason, reached) == (401, "credential_missing", 0)


SPOOFED = [b"X-Gateway-Subject", b"X_Gateway_Subject", b"X.Gateway.Subject", b"x-gateway-SUBJECT", b"X-Gateway-Roles", b"X_Gateway_Roles",
           b"X-Gateway-Assertion", b"X_Gateway_Assertion", b"X-Gateway-Device", b"X-Gateway-Org", b"X-Forwarded-For", b"X_Forwarded_For",
           b"X.Forwarded.For", b"X-Forwarded-Proto", b"X-Forwarded-Host", b"X_Forwarded_Host", b"X-Request-Id"]  # fmt: skip


@pytest.mark.parametrize("name", SPOOFED, ids=repr)
def test_what_the_gateway_says_is_said_once_and_by_the_gateway(stage: Stage, name: bytes) -> None:
    assert stage.ask("/open/x", name + b": spoofed", b"Connection: close, " + name).status == 200
    lines = stage.service.heads(name.lower())
    assert len(lines) == 1
    assert b"spoofed" not in lines[0]


UNWANTED = [b"Authorization", b"Cookie: a=b", b"Forwarded: for=6.6.6.6", b"X-Real-IP: 6.6.6.6", b"TE: trailers", b"Upgrade: h2c",
            b"HTTP2-Settings: AAMAAABkAAQ", b"Proxy-Connection: keep-alive", b"X-HTTP-Method-Override: DELETE", b"X-Method-Override: DELETE",
            b"Trailer: X-A", b"Keep-Alive: timeout=9", b"Client-Cert: :AAAA:", b"Expect: 100-continue", b"Max-Forwards: 0"]  # fmt: skip


def test_only_listed_headers_reach_the_service(stage: Stage) -> None:
    assert stage.ask("/open/x", *UNWANTED[1:], b"Connection: Upgrade, HTTP2-Settings").status == 200
    for field in UNWANTED:
        assert stage.service.heads(field.partition(b":")[0].lower()) == []


def test_trailers_and_extensions_end_at_the_edge(stage: Stage) -> None:
    body = b"5;a=b\r\nhello\r\n0\r\nAuthorization: x\r\nContent-Length: 9\r\nX-Gateway-Subject: x\r\n\r\n"
    assert stage.ask("/evil/x", b"Transfer-Encoding: chunked", method="POST", body=body).status == 200
    head, got = stage.service.got[-1]
    assert got == b"hello"
    assert (head.lower().count(b"content-length:"), b"Authorization" in head) == (1, False)


def test_an_offer_to_upgrade_is_not_taken(stage: Stage) -> None:
    for offer in (b"h2c", b"websocket", b"TLS/1.3"):
        assert (
            stage.ask("/evil/x", b"Upgrade: " + offer, b"Connection: Upgrade", b"HTTP2-Settings: AAMAAABk").status
            == 200
        )


def test_requests_sent_ahead_are_judged_one_by_one_and_answered_in_order(stage: Stage) -> None:
    token = b"Authorization: Bearer " + stage.token.encode() + b"\r\n"
    one = b"GET /evil/1 HTTP/1.1\r\nHost: gw\r\n" + token + b"\r\n"
    nobody = b"GET /evil/2 HTTP/1.1\r\nHost: gw\r\n\r\n"
    last = b"GET /nowhere HTTP/1.1\r\nHost: gw\r\nConnection: close\r\n" + token + b"\r\n"
    reply, reached = stage.reached(one + nobody + last)
    statuses = [line[9:12] for line in reply.raw.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    statuses += [part[:3] for part in reply.raw.split(b"}HTTP/1.1 ")[1:]]
    assert (statuses, reached) == ([b"200", b"401", b"403"], 1)


def test_a_request_in_single_bytes_is_the_same_request(stage: Stage) -> None:
    raw = stage.request(POST, b"Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", stage.gateway.port), timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in raw:
            connection.sendall(bytes([byte]))
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert stage.service.got[-1][1] == b"hello"


def test_too_much_of_anything_is_431_at_once(stage: Stage) -> None:
    started = time.monotonic()
    for fields in ([b"X-A: " + b"a" * 100_000], [b"X-%d: a" % n for n in range(300)], [b"a" * 100_000 + b": b"]):
        reply, reached = stage.reached(stage.request(GET, *fields))
        assert (reply.status, reached) == (431, 0)
    assert time.monotonic() - started < 2


def test_slow_callers_do_not_keep_others_waiting(stage: Stage) -> None:
    starts = (b"GET /evil/x HT", b"POST /evil/x HTTP/1.1\r\nHost: gw\r\nContent-Length: 100\r\n\r\nabc", b"")
    slow = [socket.create_connection(("127.0.0.1", stage.gateway.port)) for _ in range(150)]
    try:
        for number, connection in enumerate(slow):
            connection.sendall(starts[number % 3])
        started = time.monotonic()
        assert stage.ask().status == 200
        assert time.monotonic() - started < 1
    finally:
        for connection in slow:
            connection.close()


def test_a_body_that_breaks_half_way_never_reaches_the_service(stage: Stage) -> None:
    raw = stage.request(b"POST /open/x", b"Content-Length: 100") + b"abc"
    before = len(stage.service.got)
    with socket.create_connection(("127.0.0.1", stage.gateway.port)) as connection:
        connection.sendall(raw)
    assert stage.ask().status == 200
    assert [head[:9] for head, _ in stage.service.got[before:]] == [b"GET /evil"]


def test_a_service_that_hangs_takes_no_other_service_along(tmp_path: Path) -> None:
    """One caller asks it on sixty connections, again and again, at a worker with forty places."""
    with staged(tmp_path, extra="limits: {in_flight: 40, drain_seconds: 2}\n") as here:
        hangs, done = threading.Event(), threading.Event()

        def hang(connection: socket.socket) -> None:
            hangs.set()
            done.wait(20)

        def insist() -> None:
            raw = here.request(b"GET /open/x", host=b"Host: gw").replace(b"Connection: close\r\n", b"")
            while not done.is_set():
                address = ("127.0.0.1", here.gateway.port)
                with contextlib.suppress(OSError), socket.create_connection(address, timeout=20) as connection:
                    connection.sendall(raw)
                    while connection.recv(65536) and not done.wait(0.2):
                        connection.sendall(raw)

        here.service.answer = hang
        callers = [threading.Thread(target=insist, daemon=True) for _ in range(60)]
        for caller in callers:
            caller.start()
        assert hangs.wait(10)
        try:
            deadline = time.monotonic() + 5  # longer than a request may wait in line
            token = here.gateway.issuer.token("somebody-else")
            answers = []
            while time.monotonic() < deadline:
                answers.append(here.gateway.get("/market/enterprises", token).status)
        finally:
            done.set()
            here.service.answer = PLAIN
        assert answers.count(200) > 0.95 * len(answers)
