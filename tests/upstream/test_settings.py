import pytest

from gateway.upstream.settings import Assertion, Health, Service, Settings, Timeouts, endpoint, is_reserved, under


def a_service(**changes):
    return Service(**({"name": "civil", "addresses": ("https://10.20.0.5:8443",)} | changes))


@pytest.mark.parametrize(
    ("address", "authority"),
    [
        ("http://127.0.0.1:8001", "127.0.0.1:8001"),
        ("https://svc.example.gov", "svc.example.gov"),
        ("https://civil_service:8443", "civil_service:8443"),
        ("https://svc.example.gov:443/", "svc.example.gov"),
        ("http://Localhost:80", "localhost"),
        ("https://[fd00::5]:8443", "[fd00::5]:8443"),
    ],
)
def test_an_address_is_taken_apart(address, authority):
    assert endpoint(address).authority == authority


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.5:80", "ftp://a", "http://a/b", "http://a?b", "http://u@a", "http://a:0", "http://a:65536", "http://",
        "http://a b", "http://a\r\nx", "http://[::zz]", "http://[1.2.3.4]:x", "https://a:", "http://-a", "http://a..b", "http://a.", "http://" + "a" * 64,
    ],
)  # fmt: skip
def test_an_address_of_another_form_is_refused_with_its_text(address):
    with pytest.raises(ValueError, match="service `civil`: address"):
        a_service(addresses=(address,))


@pytest.mark.parametrize("address", ["http://10.20.0.5:80", "http://svc.example.gov", "http://127.evil.example"])
def test_plain_http_beyond_loopback_needs_its_switch(address):
    with pytest.raises(ValueError, match="not encrypted; use https, or the switch `plaintext-upstream`"):
        a_service(addresses=(address,))
    assert a_service(addresses=(address,), insecure=("plaintext-upstream",)).endpoints[0].scheme == "http"


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1", "http://127.9.9.9:1", "http://localhost:1", "http://[::1]:1"]
)
def test_loopback_needs_no_switch(address):
    assert a_service(addresses=(address,)).endpoints[0].loopback


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "needs a name"),
        ({"addresses": ()}, "at least one address"),
        ({"addresses": ("https://a", "https://A:443")}, "stands twice"),
        ({"insecure": ("plaintext",)}, "unknown switch `plaintext`; possible: plaintext-upstream, unverified-upstream"),
        ({"prefix": "/civil/"}, "prefix `/civil/`"),
        ({"prefix": "/a/../b"}, "no dot segments"),
        ({"prefix": "/civil", "strip_prefix": "/ci"}, "must be the beginning of the prefix"),
        ({"add_prefix": "v1"}, "add_prefix `v1`"),
        ({"add_prefix": "/v1?x="}, "add_prefix"),
        ({"host": "a b"}, "host `a b`"),
        ({"host": "a\r\nx: y"}, "must be `upstream`"),
        ({"server_name": "a/b"}, "server name"),
        ({"pool_size": 0}, "pool size is `0`"),
        ({"client_cert": b"x"}, "given together"),
        ({"forward_headers": ("X-Tenant",)}, "not a header name in lower case"),
        ({"return_headers": ("a b",)}, "not a header name"),
    ],
)
def test_a_careless_author_is_told_what_is_wrong(changes, said):
    with pytest.raises(ValueError, match=r".*") as told:
        a_service(**changes)
    assert said in str(told.value)


@pytest.mark.parametrize(
    "name",
    [
        "x-gateway-subject", "x_gateway_subject", "x.gateway.subject", "x-gateway.roles", "x_forwarded_for", "x!forwarded!user",
        "forwarded", "authorization", "connection", "te", "transfer_encoding", "content-length", "host", "expect",
        "proxy-authorization", "client_cert", "traceparent", "x_request_id", "upgrade", "keep_alive",
    ],
)  # fmt: skip
def test_no_spelling_of_a_reserved_header_can_be_named(name):
    assert is_reserved(name)
    for which in ("forward_headers", "return_headers"):
        with pytest.raises(ValueError, match="belongs to the gateway"):
            a_service(**{which: (name,)})


def test_other_headers_can_be_named():
    assert a_service(forward_headers=("cookie", "x-tenant"), return_headers=("set-cookie", "x-total-count"))


@pytest.mark.parametrize("value", [0, -1, 86401, float("nan"), float("inf")])
def test_a_timeout_is_a_positive_time(value):
    with pytest.raises(ValueError, match="timeout `idle`"):
        Timeouts(idle=value)


def test_other_values_are_checked_too():
    with pytest.raises(ValueError, match="health path"):
        Health("healthz")
    with pytest.raises(ValueError, match="health path"):
        Health("/a b")
    with pytest.raises(ValueError, match="must be more than 0"):
        Health("/", every=0)
    with pytest.raises(ValueError, match="1 to 60 s"):
        Assertion(lifetime=61)
    with pytest.raises(ValueError, match="reuse"):
        Assertion(lifetime=10, reuse=30)
    with pytest.raises(ValueError, match="cache_entries"):
        Assertion(cache_entries=0)
    with pytest.raises(ValueError, match="service `civil` stands twice"):
        Settings((a_service(), a_service()))


@pytest.mark.parametrize(
    ("path", "prefix", "answer"),
    [("/a/b", "/a", True), ("/a", "/a", True), ("/ab", "/a", False), ("/", "", True), ("/b", "/a", False)],
)
def test_prefixes_match_by_whole_segments(path, prefix, answer):
    assert under(path, prefix) is answer
