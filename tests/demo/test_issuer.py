"""The development issuer signs real tokens that its key set proves."""

import sys

import httpx
import pytest
from msgspec import json

from gateway.crypto.jws import Parsed, admit, parse, verify
from gateway.demo.issuer import Issuer, application, main

pytestmark = pytest.mark.anyio

URL = "http://127.0.0.1:9302"


async def ask(method: str, path: str, issuer: Issuer, **options: object) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=application(issuer)), base_url=URL) as client:
        return await client.request(method, path, **options)  # type: ignore[arg-type]  # options of httpx


async def test_a_token_is_proven_by_the_published_keys() -> None:
    issuer = Issuer(URL)
    token = (await ask("POST", "/token", issuer, data={"user": "zhang.wei", "acr": "aal3"})).json()["access_token"]
    keys = admit((await ask("GET", "/jwks", issuer)).content, ("ES256",))
    parsed = parse(token)
    assert isinstance(parsed, Parsed)
    key = keys.find(parsed.kid, parsed.alg)
    assert key is not None
    assert verify(parsed, key)
    assert (parsed.claims["sub"], parsed.claims["acr"], parsed.typ) == ("zhang.wei", "aal3", "at+jwt")


async def test_metadata_names_the_issuer_itself() -> None:
    metadata = json.decode((await ask("GET", "/.well-known/openid-configuration", Issuer(URL))).content)
    assert (metadata["issuer"], metadata["jwks_uri"]) == (URL, f"{URL}/jwks")


async def test_nobody_unknown_gets_a_token() -> None:
    answer = await ask("POST", "/token", Issuer(URL), data={"user": "mallory"})
    assert answer.status_code == 400


@pytest.mark.parametrize(("words", "code"), [(["--help"], 0), ([], 2), (["port"], 2)])
def test_it_says_how_it_is_called(
    words: list[str], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["issuer", *words])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == code
    said = capsys.readouterr()
    assert "usage: python -m gateway.demo.issuer" in said.out + said.err
