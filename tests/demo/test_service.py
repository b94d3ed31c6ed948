"""The sample service gives every record whole: that is why it needs a gateway."""

import sys

import httpx
import pytest

from gateway.demo.records import make_records
from gateway.demo.service import application, main

pytestmark = pytest.mark.anyio


async def get(path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=application(make_records()))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return await client.get(path)


async def test_a_record_is_given_whole() -> None:
    answer = await get("/civil/households/h-1001")
    assert answer.json() == make_records().households["h-1001"]


async def test_a_collection_is_limited() -> None:
    answer = await get("/market/enterprises?limit=3")
    assert (len(answer.json()["items"]), answer.json()["total"]) == (3, 20)


async def test_an_unknown_record_is_not_found() -> None:
    assert (await get("/health/visits/v-1")).status_code == 404


async def test_it_is_alive() -> None:
    assert (await get("/healthz")).json() == {"status": "ok"}


@pytest.mark.parametrize(("words", "code"), [(["--help"], 0), ([], 2), (["port"], 2)])
def test_it_says_how_it_is_called(
    words: list[str], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["service", *words])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == code
    said = capsys.readouterr()
    assert "usage: python -m gateway.demo.service" in said.out + said.err
