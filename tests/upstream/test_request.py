import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts import FieldMask, Mask
from gateway.upstream.request import Requests
from gateway.upstream.settings import Service
from tests.literals import a_permit, a_warrant, an_ask, some_facts

IDENTITY = b"x-gateway-assertion: a.b.c\r\nx-gateway-subject: zhang.wei\r\n"
PLAIN = a_permit()
MASKED = a_permit(mask=Mask("pii", (FieldMask("$.id", "redact"),), "pass"))


def written(service=None, permit=PLAIN, length=0, **changes):
    requests = Requests(Service("civil", ("http://127.0.0.1:8001",), **({"prefix": "/civil"} | (service or {}))))
    warrant = a_warrant(facts=some_facts(ask=an_ask(**changes)), permit=permit)
    return requests.head(warrant, IDENTITY, "127.0.0.1:8001", length)


def fields(head):
    lines = head.split(b"\r\n")
    assert lines[-2:] == [b"", b""]
    return [tuple(line.split(b": ", 1)) for line in lines[1:-2]]


def test_the_request_is_what_was_decided_and_who_asks():
    head = written(query="a=1&b=%20", headers=((b"accept", b"text/html"), (b"x-unknown", b"1")))
    assert head.split(b"\r\n", 1)[0] == b"GET /civil/households/42?a=1&b=%20 HTTP/1.1"
    assert fields(head) == [
        (b"host", b"127.0.0.1:8001"),
        (b"x-request-id", b"req-1"),
        (b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        (b"x-gateway-decision", b"20260921T133320-w0-abc123.7"),
        (b"x-forwarded-for", b"10.23.4.5"),
        (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-host", b"api.example.gov"),
        (b"x-gateway-assertion", b"a.b.c"),
        (b"x-gateway-subject", b"zhang.wei"),
        (b"accept", b"text/html"),
    ]


@pytest.mark.parametrize(
    ("service", "path", "target"),
    [
        ({"strip_prefix": "/civil"}, "/civil/households/42", b"/households/42"),
        ({"strip_prefix": "/civil"}, "/civil", b"/"),
        ({"strip_prefix": "/civil"}, "/civil/", b"/"),
        ({"add_prefix": "/v1"}, "/civil/a", b"/v1/civil/a"),
        ({"strip_prefix": "/civil", "add_prefix": "/api/v1"}, "/civil/a%20b", b"/api/v1/a%20b"),
        ({"prefix": ""}, "/anything", b"/anything"),
        ({"prefix": "/", "strip_prefix": "/", "add_prefix": "/"}, "/anything", b"/anything"),
    ],
)
def test_prefixes_are_the_only_change_to_a_path(service, path, target):
    assert written(service=service, path=path).split(b" ")[1] == target


@pytest.mark.parametrize("path", ["/civilian", "/other", "/", "/Civil/a"])
def test_a_path_outside_the_api_is_never_written(path):
    assert written(path=path) is None


@pytest.mark.parametrize(
    ("host", "sent"),
    [("upstream", b"127.0.0.1:8001"), ("preserve", b"api.example.gov"), ("svc.internal", b"svc.internal")],
)
def test_the_host_is_the_configured_one(host, sent):
    assert fields(written(service={"host": host}))[0] == (b"host", sent)


@pytest.mark.parametrize(
    "name",
    [
        b"x-gateway-subject", b"x_gateway_subject", b"x.gateway.subject", b"x-gateway-roles", b"x_forwarded_user",
        b"x.forwarded.user", b"x-forwarded-for", b"x-forwarded-prefix", b"x-forwarded-uri", b"forwarded", b"authorization",
        b"proxy-authorization", b"cookie", b"te", b"trailer", b"upgrade", b"expect", b"transfer-encoding", b"keep-alive",
        b"connection", b"x-request-id", b"traceparent", b"x-original-url", b"x-rewrite-url", b"x-http-method-override",
        b"client-cert", b"x-real-ip", b"content-length", b"host", b"x-purpose",
    ],
)  # fmt: skip
def test_what_is_not_on_the_list_does_not_pass_in_any_spelling(name):
    assert b"mallory" not in written(headers=((name, b"mallory"),))


def test_named_headers_pass():
    head = written(
        service={"forward_headers": ("x-tenant", "cookie")}, headers=((b"x-tenant", b"a"), (b"cookie", b"b=c"))
    )
    assert fields(head)[-2:] == [(b"x-tenant", b"a"), (b"cookie", b"b=c")]


@pytest.mark.parametrize(
    "named",
    [b"x-forwarded-for", b"close, X-Gateway-Subject, x-forwarded-host", b"x-gateway-assertion, host, x-request-id"],
)
def test_a_connection_header_cannot_strip_ours(named):
    assert fields(written(headers=((b"connection", named),))) == fields(written(headers=()))


@pytest.mark.parametrize("name", [b"content-type", b"content-encoding", b"content-language"])
def test_a_connection_header_does_not_strip_what_the_body_is(name):
    sent = ((name, b"x"), (b"connection", b"close, " + name.title()))
    assert (name, b"x") in fields(written(method="POST", headers=sent))


def test_a_connection_header_strips_what_the_caller_sent_itself():
    head = written(
        service={"forward_headers": ("x-tenant",)},
        headers=((b"x-tenant", b"a"), (b"accept", b"b"), (b"connection", b"keep-alive, X-Tenant")),
    )
    assert fields(head)[-1] == (b"accept", b"b")
    assert b"x-tenant" not in head


PARTIAL = tuple((name, b"1") for name in (b"range", b"if-range", b"if-modified-since", b"accept-encoding"))
CONDITIONS = tuple((name, b"1") for name in (b"if-match", b"if-none-match", b"if-unmodified-since"))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_an_inspected_answer_is_asked_for_whole_and_plain_and_without_conditions(method):
    """`If-Match` with a guess asks which value the mask hides: the tag of a service is often a digest of its answer."""
    head = written(method=method, headers=PARTIAL + CONDITIONS, permit=MASKED)
    assert [name for name, _ in fields(head)][9:] == [b"accept-encoding"]
    assert b"accept-encoding: identity\r\n" in head


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_writing_keeps_its_conditions(method):
    """Without them it would overwrite what somebody else wrote meanwhile."""
    head = written(method=method, length=7, headers=PARTIAL + CONDITIONS, permit=MASKED)
    names = [name for name, _ in fields(head)][9:]
    assert names == [b"if-match", b"if-none-match", b"if-unmodified-since", b"accept-encoding", b"content-length"]


def test_a_posting_keeps_what_it_expects_to_be_there():
    names = [name for name, _ in fields(written(method="POST", length=7, headers=CONDITIONS, permit=MASKED))][9:]
    assert names == [b"if-match", b"if-unmodified-since", b"accept-encoding", b"content-length"]


def test_another_answer_is_asked_for_as_the_caller_does():
    assert tuple(fields(written(headers=PARTIAL + CONDITIONS))[9:]) == PARTIAL + CONDITIONS


@pytest.mark.parametrize(
    ("method", "length", "framing"),
    [
        ("GET", 0, []),
        ("POST", 0, [(b"content-length", b"0")]),
        ("POST", 7, [(b"content-length", b"7")]),
        ("DELETE", 7, [(b"content-length", b"7")]),
        ("PUT", None, [(b"transfer-encoding", b"chunked")]),
    ],
)
def test_a_body_is_framed_by_us(method, length, framing):
    caller = ((b"content-length", b"99"), (b"transfer-encoding", b"gzip"))
    assert fields(written(method=method, length=length, headers=caller))[9:] == framing


@pytest.mark.parametrize(
    "changes",
    [
        {"path": "/civil/a b"},
        {"path": "/civil/a\r\nx: y"},
        {"path": "/civil/a#b"},
        {"path": "/civil/a\x00"},
        {"path": "/civil/é"},
        {"query": "a b"},
        {"query": "a\nb"},
        {"method": "GET\r\nx: y"},
        {"method": "get"},
        {"host": "a\r\nx: y"},
        {"source": "a\nb"},
        {"trace": "a\rb"},
        {"id": "é"},
        {"headers": ((b"accept", b"a\r\nx-gateway-subject: root"),)},
        {"headers": ((b"accept", b"a\nb"),)},
        {"headers": ((b"accept", b"a\rb"),)},
        {"headers": ((b"accept", b"a\x00b"),)},
    ],
)
def test_what_could_become_another_line_is_never_written(changes):
    assert written(**changes) is None


@given(st.binary(max_size=30), st.text(max_size=30), st.text(max_size=20))
def test_whatever_comes_there_are_as_many_lines_as_fields(value, path, query):
    head = written(path="/civil/" + path, query=query, headers=((b"accept", value),))
    if head is not None:
        assert head.count(b"\r\n") == head.count(b"\n") == head.count(b"\r") == 12
        assert head.split(b"\r\n")[0].count(b" ") == 2
