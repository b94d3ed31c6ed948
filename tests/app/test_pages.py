"""The data port's own pages, and nothing else under its prefix."""

from html import escape
from typing import Any

import pytest
from msgspec import json

from gateway.app.pages import pages, refusing
from gateway.edge import Settings
from gateway.reasons import REASONS

pytestmark = pytest.mark.anyio

SETTINGS = Settings(public_url="https://api.example.gov")


async def get(page: Any, path: bytes, method: str = "GET", host: bytes = b"api.example.gov") -> tuple[int, bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "raw_path": path,
        "query_string": b"",
        "headers": [(b"host", host)],
        "client": ("10.0.0.1", 1000),
    }
    await page(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def served(healthy: bool = True) -> dict[bytes, Any]:
    return dict(pages(SETTINGS, ("https://sso.example.gov",), b'{"keys":[]}', lambda: healthy))


async def test_health_says_ok_and_while_draining_not() -> None:
    path = b"/.gateway/health"
    assert await get(served()[path], path) == (200, b"ok\n")
    assert await get(served(False)[path], path) == (503, b"draining\n")


async def test_the_key_set_of_assertions_is_public() -> None:
    assert await get(served()[b"/.gateway/jwks.json"], b"/.gateway/jwks.json") == (200, b'{"keys":[]}')


async def test_where_to_get_a_token_is_told() -> None:
    path = b"/.well-known/oauth-protected-resource"
    status, body = await get(served()[path], path)
    told = json.decode(body)
    assert (status, told["resource"]) == (200, "https://api.example.gov")
    assert told["authorization_servers"] == ["https://sso.example.gov"]


@pytest.mark.parametrize("code", REASONS)
async def test_every_reason_has_a_page(code: str) -> None:
    path = b"/.gateway/reasons/" + code.encode()
    status, body = await get(served()[path], path)
    assert status == 200
    assert escape(REASONS[code].en).encode() in body


async def test_a_page_is_only_read() -> None:
    status, _ = await get(served()[b"/.gateway/health"], b"/.gateway/health", "POST")
    assert status == 405


async def test_a_refusing_page_refuses_with_its_reason() -> None:
    status, body = await get(refusing(SETTINGS, "not_found"), b"/.gateway/metrics")
    assert (status, json.decode(body)["reason"]) == (404, "not_found")


async def test_what_cannot_be_read_is_refused_for_that_reason_first() -> None:
    status, body = await get(refusing(SETTINGS, "not_found"), b"/.gateway/x", host=b"a/?x=")
    assert (status, json.decode(body)["reason"]) == (400, "bad_host")
