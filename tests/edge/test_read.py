"""Abuse: a host, path, header or certificate that another reader would read differently."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge import Api, Limits, Settings, read
from gateway.facts import Ask, Unreadable

SETTINGS = Settings(
    apis=(
        Api("civil-households", "/civil/households", body_max=1000),
        Api("civil", "/civil"),
        Api("tax", "/tax/", hosts=("tax.example.gov",)),
    ),
    hosts=("api.example.gov",),
    limits=Limits(target_bytes=100),
)
PROXIED = Settings(apis=SETTINGS.apis, hosts=SETTINGS.hosts, trusted_proxies=("10.0.0.0/8", "fd00::/8"))


async def receive() -> Any:
    raise AssertionError("the body is not read here")


def a_scope(*headers: tuple[bytes, bytes], host: bytes | None = b"api.example.gov", **changes: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "raw_path": b"/civil/households/42",
        "query_string": b"",
        "headers": [*([(b"host", host)] if host is not None else []), *headers],
        "client": ("192.0.2.7", 50000),
    } | changes


def asked(*headers: tuple[bytes, bytes], settings: Settings = SETTINGS, **changes: Any) -> Ask:
    found = read(a_scope(*headers, **changes), receive, settings)
    assert isinstance(found, Ask), found
    return found


def fault(*headers: tuple[bytes, bytes], settings: Settings = SETTINGS, **changes: Any) -> str:
    found = read(a_scope(*headers, **changes), receive, settings)
    assert isinstance(found, Unreadable), found
    return found.code


def test_a_request_is_read() -> None:
    ask = asked((b"accept", b"application/json"), query_string=b"a=%20&b")
    assert (ask.method, ask.scheme, ask.host, ask.path, ask.query) == (
        "GET",
        "https",
        "api.example.gov",
        "/civil/households/42",
        "a=%20&b",
    )
    assert (ask.api, ask.source, ask.peer, ask.certificate) == ("civil-households", "192.0.2.7", "192.0.2.7", None)
    assert ask.headers == ((b"host", b"api.example.gov"), (b"accept", b"application/json"))
    assert (ask.purpose, ask.language, ask.browser, ask.body.length) == ("", "en", False, 0)


def test_ids_differ_from_request_to_request() -> None:
    asks = [asked() for _ in range(100)]
    assert len({ask.id for ask in asks}) == len({ask.trace for ask in asks}) == 100


# --- host ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "scheme", "read_as"),
    [
        (b"api.example.gov", "https", "api.example.gov"),
        (b"API.Example.GOV", "https", "api.example.gov"),
        (b"api.example.gov:443", "https", "api.example.gov"),
        (b"api.example.gov:80", "http", "api.example.gov"),
        (b"api.example.gov:8443", "https", "api.example.gov:8443"),
    ],
)
def test_a_served_host_is_read_in_one_spelling(host: bytes, scheme: str, read_as: str) -> None:
    assert asked(host=host, scheme=scheme).host == read_as


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b"evil.example",
        b"a/?x=",  # CVE-2026-48710
        b"api.example.gov/healthz?x=",
        b"api.example.gov:x",  # CVE-2026-88877
        b"api.example.gov:",
        b"api.example.gov:0",
        b"api.example.gov:080",
        b"api.example.gov:65536",
        b"api.example.gov:443:443",
        b"api.example.gov.",
        b"user@api.example.gov",
        b"user:pw@api.example.gov",
        b"api.example.gov#",
        b"api.example.gov,evil.example",
        b"api.example.gov evil.example",
        b".api.example.gov",
        b"api..example.gov",
        b"-api.example.gov",
        b"xn--api.example.gov\x00",
        b"api.example.gov\\",
        b"[::1",
        b"[::1]x",
        b"[1::2::3]",
        b"2130706433",
        "api。example。gov".encode(),
        b"a" * 300,
    ],
)
def test_any_other_host_is_refused(host: bytes) -> None:
    assert fault(host=host) == "bad_host"


def test_without_host_or_with_two_nothing_is_read() -> None:
    assert fault(host=None) == "bad_host"
    assert fault((b"host", b"api.example.gov")) == "bad_framing"


def test_without_a_list_any_well_formed_host_is_served() -> None:
    loopback = Settings(apis=(Api("a", "/"),))
    assert asked(host=b"127.0.0.1:8080", settings=loopback).host == "127.0.0.1:8080"
    assert asked(host=b"[::1]:8080", settings=loopback).host == "[::1]:8080"
    assert asked(host=b"[0:0::1]", settings=loopback).host == "[::1]"
    assert fault(host=b"a/?x=", settings=loopback) == "bad_host"


def test_an_api_answers_only_under_its_own_hosts() -> None:
    assert asked(raw_path=b"/tax/1").api == ""
    assert asked(raw_path=b"/tax/1", host=b"tax.example.gov").api == "tax"
    assert asked(host=b"tax.example.gov").api == ""


@pytest.mark.parametrize(
    ("path", "api"),
    [
        (b"/civil/households", "civil-households"),
        (b"/civil/households/", "civil-households"),
        (b"/civil/households/42", "civil-households"),
        (b"/civil/householdsx", "civil"),
        (b"/civil/household", "civil"),
        (b"/civil", "civil"),
        (b"/civilx", ""),
        (b"/", ""),
        (b"/Civil/households", ""),
        (b"/a/b/c/d/e/civil/households", ""),
    ],
)
def test_the_longest_prefix_wins_by_whole_segments(path: bytes, api: str) -> None:
    assert asked(raw_path=path).api == api


# --- target ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"raw_path": b"/public/../admin/secrets"},
        {"raw_path": b"/user/..;foo=bar/admin"},
        {"raw_path": b"/info%2F..%2Fadmin"},
        {"raw_path": b"/admin#x"},
        {"raw_path": b"/api/%73ecret"},
        {"raw_path": b"@evil.example/"},
        {"raw_path": b"*"},
        {"raw_path": b""},
        {"raw_path": None},
        {"query_string": b"a#b"},
        {"query_string": b"a b"},
        {"query_string": "户".encode()},
    ],
)
def test_a_target_that_is_not_canonical_is_refused(changes: dict[str, Any]) -> None:
    assert fault(**changes) == "bad_target"


def test_the_decoded_path_of_the_scope_is_never_used() -> None:
    assert asked(path="/admin/secrets").path == "/civil/households/42"
    scope = a_scope(path="/civil/households/42")
    del scope["raw_path"]
    found = read(scope, receive, SETTINGS)
    assert isinstance(found, Unreadable)
    assert found.code == "bad_target"


def test_a_query_never_takes_part_in_the_match() -> None:
    ask = asked(raw_path=b"/secret", query_string=b"/civil/households")  # CVE-2025-54576
    assert (ask.path, ask.api) == ("/secret", "")


def test_a_long_target_is_refused() -> None:
    assert fault(raw_path=b"/" + b"a" * 100) == "target_too_long"
    assert fault(query_string=b"a" * 100) == "target_too_long"


# --- framing, again, for servers that are not ours ---------------------------------------------


@pytest.mark.parametrize(
    ("headers", "version"),
    [
        (((b"content-length", b"5"), (b"transfer-encoding", b"chunked")), "1.1"),
        (((b"transfer-encoding", b"gzip, chunked"),), "1.1"),
        (((b"transfer-encoding", b"chunked"),), "1.0"),
        (((b"content-length", b"5"), (b"content-length", b"5")), "1.1"),
        (((b"content-length", b"18446744073709551621"),), "1.1"),
        (((b"content-length", b"+5"),), "1.1"),
    ],
)
def test_doubtful_framing_is_refused_whatever_the_server_let_through(headers: Any, version: str) -> None:
    assert fault(*headers, http_version=version) == "bad_framing"


def test_the_body_is_as_long_as_announced() -> None:
    assert asked((b"content-length", b"7")).body.length == 7
    assert asked((b"transfer-encoding", b"chunked")).body.length is None


@pytest.mark.parametrize("name", [b"content-type", b"x-purpose", b"traceparent", b"x-request-id", b"client-cert"])
def test_a_single_header_sent_twice_is_refused(name: bytes) -> None:
    assert fault((name, b"a"), (name, b"a")) == "bad_header"


def test_methods_and_expectations_are_few() -> None:
    assert fault(method="TRACE") == "method_not_supported"
    assert fault(method="get") == "method_not_supported"
    assert fault((b"expect", b"wonders")) == "expectation_failed"


# --- who and how -----------------------------------------------------------------------------

SPOOFED = (
    (b"x-forwarded-for", b"10.9.9.9"),
    (b"x-forwarded-proto", b"http"),
    (b"x-forwarded-host", b"evil.example"),
    (b"x-forwarded-prefix", b"/public"),
    (b"x-forwarded-uri", b"/healthz"),
    (b"x-original-url", b"/healthz"),
    (b"forwarded", b"for=10.9.9.9;host=evil.example"),
    (b"x-real-ip", b"10.9.9.9"),
    (b"client-cert", b":AAAA:"),
    (b"x-forwarded-client-cert", b"Cert=x"),
    (b"x-request-id", b"chosen-by-the-caller"),
)


@pytest.mark.parametrize("settings", [SETTINGS, PROXIED])
def test_a_stranger_says_nothing_about_himself(settings: Settings) -> None:
    ask = asked(*SPOOFED, settings=settings)
    assert (ask.source, ask.scheme, ask.host, ask.path) == (
        "192.0.2.7",
        "https",
        "api.example.gov",
        "/civil/households/42",
    )
    assert ask.certificate is None
    assert ask.id != "chosen-by-the-caller"


def test_a_trusted_proxy_names_the_caller() -> None:
    ask = asked(
        (b"x-forwarded-for", b"203.0.113.9, 198.51.100.4, 10.0.0.2"),
        (b"x-forwarded-proto", b"http"),
        (b"x-request-id", b"proxy-id-12345"),
        settings=PROXIED,
        client=("10.0.0.1", 1),
    )
    assert (ask.source, ask.peer, ask.scheme, ask.id) == ("198.51.100.4", "10.0.0.1", "http", "proxy-id-12345")


@pytest.mark.parametrize("shape", [b"short", b"a" * 65, b"with blank1", b"new\nline1", b'quo"te123', b"<script>1"])
def test_a_request_id_of_doubtful_shape_is_replaced(shape: bytes) -> None:
    ask = asked((b"x-request-id", shape), settings=PROXIED, client=("10.0.0.1", 1))
    assert ask.id != shape.decode()


def test_one_address_has_one_spelling() -> None:
    assert asked(client=("::ffff:192.0.2.7", 1)).source == "192.0.2.7"
    assert asked(client=("FE80:0::1%eth0", 1)).source == "fe80::1"
    assert asked(client=None).source == ""


def test_the_tls_certificate_is_taken_from_the_connection() -> None:
    ask = asked(extensions={"tls": {"client_cert_der": b"der", "version": "TLSv1.3"}})
    assert ask.certificate is not None
    assert (ask.certificate.der, ask.certificate.via) == (b"der", "tls")
    assert ask.certificate.thumbprint == urlsafe_b64encode(sha256(b"der").digest()).decode().rstrip("=")
    assert asked(extensions={"tls": {"client_cert_der": None}}).certificate is None


# --- small headers ---------------------------------------------------------------------------

PARENT = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_trace_is_continued_with_a_parent_of_our_own() -> None:
    trace = asked((b"traceparent", PARENT)).trace
    assert trace.startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
    assert trace.endswith("-01")
    assert "00f067aa0ba902b7" not in trace
    assert asked((b"traceparent", PARENT[:-2] + b"00")).trace.endswith("-00")
    assert "4bf92f35" in asked((b"traceparent", b"01" + PARENT[2:] + b"-future")).trace


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"x",
        PARENT + b"-more",
        b"ff" + PARENT[2:],
        PARENT.upper(),
        b"00-" + b"0" * 32 + b"-00f067aa0ba902b7-01",
        b"00-4bf92f3577b34da6a3ce929d0e0e4736-" + b"0" * 16 + b"-01",
        PARENT[:-1],
        PARENT + b"\n",
        b"01" + PARENT[2:] + b"-" + b"x" * 200,
    ],
)
def test_a_bad_trace_is_replaced(told: bytes) -> None:
    trace = asked((b"traceparent", told)).trace
    assert "4bf92f35" not in trace.lower()
    assert len(trace) == 55


@pytest.mark.parametrize(
    ("raw", "purpose"),
    [
        (b"case 4711", "case 4711"),
        ("户籍核查".encode(), "户籍核查"),
        (b"%E6%88%B7%E7%B1%8D", "户籍"),
        (b"", ""),
    ],
)
def test_a_purpose_is_text(raw: bytes, purpose: str) -> None:
    assert asked((b"x-purpose", raw)).purpose == purpose


@pytest.mark.parametrize("raw", [b"%0A", b"a\x00b", b"%E2%80%AE", b"\xff", b"%FF", b"a" * 257, b"%41" * 300, b"%C2%85"])
def test_a_purpose_that_would_spoil_a_log_is_refused(raw: bytes) -> None:
    assert fault((b"x-purpose", raw)) == "bad_header"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (b"zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        (b"en-US,en;q=0.9,zh;q=0.8", "en"),
        (b"zh;q=0.1, en;q=0", "zh-CN"),
        (b"ZH-hans", "zh-CN"),
        (b"fr", "en"),
        (b"*", "en"),
        (b"zhx", "en"),
        (b"zh;q=nan", "en"),
        (b"zh;q=banana", "en"),
        (b"", "en"),
    ],
)
def test_the_better_liked_language_is_taken(accepted: bytes, language: str) -> None:
    assert asked((b"accept-language", accepted)).language == language


@pytest.mark.parametrize(
    ("accepted", "browser"),
    [
        (b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        (b"application/json", False),
        (b"application/json, text/html;q=0.5", False),
        (b"*/*", False),
        (b"", False),
    ],
)
def test_a_browser_likes_pages_better(accepted: bytes, browser: bool) -> None:
    assert asked((b"accept", accepted)).browser is browser


def test_what_cannot_be_read_still_knows_how_to_be_told() -> None:
    found = read(a_scope((b"accept-language", b"zh"), (b"accept", b"text/html"), raw_path=b"/a//b"), receive, SETTINGS)
    assert isinstance(found, Unreadable)
    assert (found.code, found.source, found.language, found.browser) == ("bad_target", "192.0.2.7", "zh-CN", True)


names = st.sampled_from(
    [b"host", b"content-length", b"transfer-encoding", b"traceparent", b"x-purpose", b"accept", b"accept-language",
     b"x-forwarded-for", b"client-cert", b"x-forwarded-client-cert", b"expect", b"x-request-id", b"x-other"]
)  # fmt: skip


@given(
    headers=st.lists(st.tuples(names, st.binary(max_size=40)), max_size=8),
    path=st.binary(max_size=60),
    query=st.binary(max_size=20),
    peer=st.sampled_from(["10.0.0.1", "192.0.2.7", "fd00::1", "", "nonsense"]),
    mode=st.sampled_from(["", "client-cert", "xfcc"]),
)
def test_no_request_makes_it_fail(headers: Any, path: bytes, query: bytes, peer: str, mode: Any) -> None:
    settings = Settings(
        apis=SETTINGS.apis, trusted_proxies=("10.0.0.0/8", "fd00::/8"), terminated_client_certificate=mode
    )
    scope = a_scope(*headers, host=None, raw_path=b"/" + path, query_string=query, client=(peer, 1))
    assert isinstance(read(scope, receive, settings), Ask | Unreadable)
