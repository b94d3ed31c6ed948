import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.reply import RETURNED, Returns
from gateway.upstream.settings import Service
from tests.literals import an_ask


def returns(**changes):
    values = {
        "addresses": ("http://127.0.0.1:8001", "https://svc.civil.internal"),
        "prefix": "/civil/households",
        "strip_prefix": "/civil",
    } | changes
    service = Service("civil", **values)
    return Returns(service, frozenset({"127.0.0.1", "svc.civil.internal", "other.internal.gov"}))


def passed(name, value, scheme="https", **changes):
    found = returns(**changes).headers([(name, value)], an_ask(scheme=scheme))
    return found[0][1] if found else None


def test_listed_fields_pass_in_their_order_and_no_others():
    fields = [(name.encode(), b"/x") for name in sorted(RETURNED) if name != "link"]
    others = [
        b"server", b"x-powered-by", b"connection", b"transfer-encoding", b"keep-alive", b"set-cookie", b"x-request-id",
        b"x-gateway-decision", b"access-control-allow-origin", b"proxy-authenticate", b"refresh", b"alt-svc", b"x-accel-redirect",
    ]  # fmt: skip
    kept = returns().headers([*fields, *((name, b"x") for name in others)], an_ask())
    assert [name for name, _ in kept] == [name for name, _ in fields]


def test_named_fields_pass():
    assert passed(b"x-total-count", b"7", return_headers=("x-total-count",)) == b"7"


@pytest.mark.parametrize(
    ("said", "public"),
    [
        ("/households/7", "/civil/households/7"),
        ("/households?a=/b", "/civil/households?a=/b"),
        ("/", "/civil/"),
        ("http://127.0.0.1:8001/households/7", "/civil/households/7"),
        ("HTTP://127.0.0.1:8001", "/civil/"),
        ("http://u:p@127.0.0.1:8001/x", "/civil/x"),
        ("https://svc.civil.internal/x#f", "/civil/x#f"),
        ("https://svc.civil.internal:443?a", "/civil/?a"),
        ("//svc.civil.internal/x", "/civil/x"),
        ("https://api.example.gov/households/7", "/civil/households/7"),
        ("7", "7"),
        ("?page=2", "?page=2"),
        ("../x", "../x"),
        ("#f", "#f"),
        ("https://portal.example.com/login?x=1", "https://portal.example.com/login?x=1"),
        ("https://8.8.8.8/x", "https://8.8.8.8/x"),
        ("http://127.0.0.1:9999/x", None),
        ("http://other.internal.gov/x", None),
        ("http://other.internal.gov.:8080/x", None),
        ("http://localhost/x", None),
        ("http://backend/x", None),
        ("http://10.20.0.5/x", None),
        ("http://[::1]:80/x", None),
        ("http://[fd00::5]/x", None),
        ("http://169.254.169.254/latest", None),
        ("http://192.168.1.1", None),
        ("http://a@10.0.0.1:80/x", None),
        ("http://0x7f.1/x", None),
        ("http://2130706433/x", None),
        ("http://127.1/x", None),
        ("http://%31%30.0.0.1/x", None),
        ("ftp://files.example.com/x", None),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("http:/10.0.0.1/x", None),
        ("http:10.0.0.1", None),
        ("/\\evil.example", None),
        ("\\\\evil.example", None),
        ("/a b", None),
        ("/é", None),
        ("", None),
        ("///10.0.0.5/x", None),
        ("http:///x", None),
    ],
)
def test_a_location_shows_public_places_only(said, public):
    for name in (b"location", b"content-location"):
        value = passed(name, said.encode("latin-1"))
        assert value == (None if public is None else public.encode())


@pytest.mark.parametrize(
    ("said", "public"),
    [("/v1/households/7", b"/civil/households/7"), ("/v1", b"/civil/"), ("/v10/x", None), ("/admin", None)],
)
def test_a_location_outside_what_is_exposed_is_dropped(said, public):
    assert passed(b"location", said.encode(), add_prefix="/v1") == public


@pytest.mark.parametrize("said", ["////10.0.0.5/x", "http://127.0.0.1:8001//10.0.0.5/x", "//127.0.0.1:8001//a"])
def test_a_path_never_becomes_a_host(said):
    assert passed(b"location", said.encode(), strip_prefix="") is None
    assert passed(b"location", said.replace("8001", "8001/v1").encode(), strip_prefix="", add_prefix="/v1") is None


def test_a_lone_slash_as_a_prefix_is_none():
    root = {"prefix": "/", "strip_prefix": "/", "add_prefix": "/"}
    assert passed(b"location", b"/a", **root) == b"/a"
    assert passed(b"set-cookie", b"a=b; Path=/x", return_headers=("set-cookie",), **root) == b"a=b; Path=/x; Secure"


def test_a_named_host_counts_as_the_services_own():
    assert passed(b"location", b"https://Civil.example.gov/x", host="civil.example.gov") == b"/civil/x"


def test_links_are_mapped_or_dropped():
    assert passed(b"link", b'</h?p=2>; rel="next", <http://127.0.0.1:8001/h>; rel="first"') == (
        b'</civil/h?p=2>; rel="next", </civil/h>; rel="first"'
    )
    assert passed(b"link", b"</h>; rel=next, <http://10.0.0.1/h>; rel=prev") is None
    assert passed(b"link", b"http://10.0.0.1/h") is None
    assert passed(b"link", b"<http://10.0.0.1/<a>; rel=next") is None


def test_a_link_of_brackets_takes_no_time():
    started = time.monotonic()
    assert passed(b"link", b"<" * 60_000) is None
    assert time.monotonic() - started < 1  # it was 21 seconds


@pytest.mark.parametrize(
    ("said", "public"),
    [
        (b"a=b", b"a=b; Path=/civil/households; Secure"),
        (b"a=b; Path=/; Domain=.gov; HttpOnly", b"a=b; HttpOnly; Path=/civil/households; Secure"),
        (b"a=b; path=/households/x; secure", b"a=b; Path=/civil/households/x; Secure"),
        (b"a=b; PATH = /other ;domain=x", b"a=b; Path=/civil/households; Secure"),
        (b"a=b; Path=/a\xff", b"a=b; Path=/civil/households; Secure"),
        (b"a=b; SameSite=Strict; Max-Age=5", b"a=b; SameSite=Strict; Max-Age=5; Path=/civil/households; Secure"),
        (b"nonsense; Path=/", None),
    ],
)
def test_a_cookie_stays_within_the_api(said, public):
    assert passed(b"set-cookie", said, return_headers=("set-cookie",)) == public


def test_a_cookie_over_plain_http_keeps_its_own_secure_only():
    named = {"return_headers": ("set-cookie",)}
    assert passed(b"set-cookie", b"a=b", scheme="http", **named) == b"a=b; Path=/civil/households"
    assert passed(b"set-cookie", b"a=b; Secure", scheme="http", **named) == b"a=b; Path=/civil/households; Secure"


@given(st.text(st.sampled_from("htps:/\\@.%[]?#a0127x \t"), max_size=30))
def test_no_reference_shows_an_internal_host(text):
    public = returns().reference(text, "api.example.gov")
    if public is not None:
        assert "127.0.0.1" not in public.split("?")[0].split("#")[0] or not public.startswith(("//", "http"))
        assert "\\" not in public
        assert public.isascii()
