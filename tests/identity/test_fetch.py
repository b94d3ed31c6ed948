import asyncio
import time
from collections.abc import AsyncIterator

import orjson
import pytest

from gateway.crypto.jws import SigningKey
from gateway.facts import Notice
from gateway.identity import Issuer, Recogniser, Settings, Unfetched, keys
from gateway.identity.fetch import Fetcher
from tests.identity.host import Host, Mood, hosting
from tests.identity.world import Time, Withdrawn, bearing, claims, jwks

pytestmark = pytest.mark.anyio


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    async with hosting() as server:
        yield server


@pytest.fixture
async def fetch() -> AsyncIterator[Fetcher]:
    fetcher = Fetcher()
    yield fetcher
    await fetcher.close()


async def test_what_is_there_is_brought(host: Host, fetch: Fetcher) -> None:
    host.pages["/keys"] = b'{"keys":[]}'
    host.headers = "Cache-Control: max-age=600\r\n"
    fetched = await fetch(host.url + "/keys")
    assert (fetched.status, fetched.body) == (200, b'{"keys":[]}')
    assert fetched.headers["cache-control"] == "max-age=600"
    assert (await fetch(host.url + "/nothing")).status == 404


async def test_a_redirect_is_an_answer_not_an_order(host: Host, fetch: Fetcher) -> None:
    host.pages["/elsewhere"] = b"secret"
    host.mood = "redirect"
    assert (await fetch(host.url + "/keys")).status == 302
    assert host.asked == ["/keys"]


@pytest.mark.parametrize("mood", ["reset", "nonsense", "compressed", "short", "endless"])
async def test_a_broken_answer_is_none(host: Host, fetch: Fetcher, mood: Mood) -> None:
    host.pages["/keys"] = b'{"keys":[]}'
    host.mood = mood
    with pytest.raises(Unfetched):
        await fetch(host.url + "/keys")


@pytest.mark.parametrize("host", ["xn--zz--", "a" * 70 + ".example", "a..b", "xn--\u0131.example"])
async def test_a_name_that_cannot_be_one_is_no_answer(fetch: Fetcher, host: str) -> None:
    with pytest.raises(Unfetched):
        await fetch(f"https://{host}/keys")


async def test_nobody_listening_is_no_answer(fetch: Fetcher) -> None:
    async with hosting() as gone:
        url = gone.url
    with pytest.raises(Unfetched):
        await fetch(url)


@pytest.mark.parametrize("url", ["http://sso.example.gov/keys", "file:///etc/passwd", "gopher://127.0.0.1/", "x"])
async def test_only_https_or_this_machine_is_asked(fetch: Fetcher, url: str) -> None:
    with pytest.raises(Unfetched):
        await fetch(url)


async def test_the_environment_does_not_choose_a_proxy(monkeypatch: pytest.MonkeyPatch, host: Host) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    fetcher = Fetcher()
    host.pages["/keys"] = b"x"
    assert (await fetcher(host.url + "/keys")).body == b"x"
    await fetcher.close()


# --- the whole way: an issuer on a real socket --------------------------------------------------


class Real:
    """A recogniser whose issuer is the host."""

    def __init__(self, host: Host, fetch: Fetcher) -> None:
        self.host, self.key, self.time = host, SigningKey.generate(), Time()
        self.notices: list[Notice] = []
        self.publish(self.key)
        metadata = {"issuer": host.url, "jwks_uri": host.url + "/keys"}
        host.pages["/.well-known/openid-configuration"] = orjson.dumps(metadata)
        settings = Settings(issuers=(Issuer(host.url, ("gateway",)),))
        self.recogniser = Recogniser(settings, Withdrawn(), fetch, self.notices.append, self.time)

    def publish(self, *signing: SigningKey) -> None:
        self.host.pages["/keys"] = jwks(*signing)

    async def code(self, key: SigningKey | None = None) -> str:
        token = (key or self.key).sign(claims(iss=self.host.url, jti=None), "at+jwt")
        subject = await self.recogniser.recognise(bearing(token, clock=self.time.now))
        return subject.rejection.code if subject.rejection else ""


@pytest.fixture
async def real(host: Host, fetch: Fetcher) -> AsyncIterator[Real]:
    world = Real(host, fetch)
    yield world
    await world.recogniser.close()


async def test_discovery_keys_and_rotation(real: Real) -> None:
    assert await real.code() == ""
    following = SigningKey.generate()
    real.publish(real.key, following)
    assert await real.code(following) == ""
    real.publish(following)
    real.time.now += keys.USUAL_LIFE
    assert await real.code() == "token_key_unknown"
    assert await real.code(following) == ""


@pytest.mark.parametrize("mood", ["hang", "drip", "reset", "redirect", "endless", "compressed", "short", "nonsense"])
async def test_a_sick_issuer_harms_nobody_whom_we_know(real: Real, mood: Mood, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "FETCH_SECONDS", 0.2)
    assert await real.code() == ""
    real.host.mood = mood
    real.time.now += 3600
    began = time.perf_counter()
    assert await real.code() == ""
    assert await real.code(SigningKey.generate()) == "token_key_unknown"
    assert await real.code() == ""
    assert time.perf_counter() - began < 2
    assert real.notices[-1].name == "jwks.failed"
    real.host.mood = "good"
    following = SigningKey.generate()
    real.publish(real.key, following)
    real.time.now += 60
    assert await real.code(following) == ""


async def test_a_sick_issuer_at_the_start_is_unavailable_and_recovers(
    real: Real, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "FETCH_SECONDS", 0.2)
    real.host.mood = "hang"
    assert await asyncio.gather(*(real.code() for _ in range(20))) == ["identity_unavailable"] * 20
    assert len(real.host.asked) == 1
    real.host.mood = "good"
    real.time.now += 5
    assert await real.code() == ""
