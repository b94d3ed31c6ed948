"""Abuse: a page of a foreign origin, an origin that merely looks like an allowed one."""

import pytest

from gateway.edge import Api, Cors, Settings, cors_headers, preflight
from gateway.facts import Ask
from tests.literals import an_ask

CORS = Cors(("https://portal.example.gov",), ("GET", "PUT"), ("authorization",), True, 600.0, ("x-total-count",))
SETTINGS = Settings(apis=(Api("civil-households", "/civil/households", cors=CORS), Api("other", "/other")))
ORIGIN = b"https://portal.example.gov"


def asking(
    origin: bytes | None = ORIGIN, method: str = "OPTIONS", api: str = "civil-households", more: bool = True
) -> Ask:
    headers = ((b"origin", origin),) if origin is not None else ()
    wanted = ((b"access-control-request-method", b"PUT"),) if more else ()
    return an_ask(method=method, api=api, headers=(*headers, *wanted))


def test_a_preflight_of_an_allowed_origin_is_answered() -> None:
    reply = preflight(asking(), SETTINGS)
    assert reply is not None
    assert (reply.status, reply.body) == (204, b"")
    assert dict(reply.headers) == {
        b"access-control-allow-origin": ORIGIN,
        b"access-control-allow-credentials": b"true",
        b"access-control-allow-methods": b"GET, PUT",
        b"access-control-allow-headers": b"authorization",
        b"access-control-max-age": b"600",
        b"vary": b"origin, access-control-request-method, access-control-request-headers",
    }


@pytest.mark.parametrize(
    "ask",
    [
        asking(b"https://evil.example"),
        asking(b"https://portal.example.gov.evil.example"),
        asking(b"https://xportal.example.gov"),
        asking(b"http://portal.example.gov"),
        asking(b"null"),
        asking(b"HTTPS://PORTAL.EXAMPLE.GOV"),
        asking(None),
        asking(method="GET"),
        asking(more=False),
        asking(api="other"),
        asking(api=""),
    ],
)
def test_anything_else_is_a_request_like_any(ask: Ask) -> None:
    assert preflight(ask, SETTINGS) is None


def test_two_origins_are_none() -> None:
    ask = an_ask(headers=((b"origin", ORIGIN), (b"origin", ORIGIN)))
    assert b"access-control-allow-origin" not in dict(cors_headers(ask, SETTINGS))


def test_an_answer_names_the_origin_and_varies_by_it() -> None:
    assert cors_headers(asking(method="GET"), SETTINGS) == (
        (b"access-control-allow-origin", ORIGIN),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", b"x-total-count"),
        (b"vary", b"origin"),
    )
    assert cors_headers(asking(b"https://evil.example"), SETTINGS) == ((b"vary", b"origin"),)
    assert cors_headers(asking(api="other"), SETTINGS) == ()


def test_any_origin_never_goes_with_credentials() -> None:
    with pytest.raises(ValueError, match="credentials"):
        Cors(("*",), credentials=True)
    open_data = Settings(apis=(Api("civil-households", "/civil", cors=Cors(("*",))),))
    assert dict(cors_headers(asking(b"https://any.example"), open_data))[b"access-control-allow-origin"] == b"*"


@pytest.mark.parametrize("origin", ["portal.example.gov", "https://portal.example.gov/", "https://*.example.gov", ""])
def test_an_origin_that_can_never_match_stops_the_start(origin: str) -> None:
    with pytest.raises(ValueError, match="is not an origin"):
        Cors((origin,))


def test_a_header_name_cannot_split_the_answer() -> None:
    with pytest.raises(ValueError, match="is not a method or header name"):
        Cors(("https://a.example",), headers=("x\r\nset-cookie",))
