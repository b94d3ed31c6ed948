import asyncio
import time
from typing import Any

import orjson
import pytest

from gateway.crypto.jws import SigningKey, VerificationKey
from gateway.facts import Notice
from gateway.identity import keys as module
from gateway.identity.keys import MAX_STALE, MIN_LIFE, ON_DEMAND, Keyring, life, metadata_addresses
from tests.identity.world import ISSUER, JWKS, Site, Time, an_issuer, down, jwks, settled

OPENID = f"{ISSUER}/.well-known/openid-configuration"
OAUTH = "https://sso.example.gov/.well-known/oauth-authorization-server/realms/staff"

pytestmark = pytest.mark.anyio

KEY = SigningKey.generate()
NEXT = SigningKey.generate()


class Ring:
    """A keyring with its site, its clock and its notices."""

    def __init__(self, pages: dict[str, Any] | None = None, **issuer: Any) -> None:
        self.site = Site({JWKS: jwks(KEY)} if pages is None else pages)
        self.time = Time()
        self.notices: list[Notice] = []
        self.ring = Keyring(an_issuer(**issuer), self.site, self.notices.append, self.time)

    async def find(self, key: SigningKey = KEY) -> VerificationKey | str:
        return await self.ring.find(key.kid, "ES256")

    async def knows(self, key: SigningKey = KEY) -> bool:
        return isinstance(await self.find(key), VerificationKey)

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, and whatever was started finish."""
        self.time.now += seconds
        await settled(lambda: self.ring._refreshing is None)


async def test_the_first_request_brings_the_keys() -> None:
    ring = Ring()
    assert await ring.knows()
    assert await ring.knows()
    assert ring.site.asked == [JWKS]
    assert [notice.name for notice in ring.notices] == ["jwks.refreshed"]


async def test_an_issuer_never_reached_is_unavailable_not_unknown() -> None:
    ring = Ring({JWKS: down()})
    assert await ring.find() == "identity_unavailable"
    assert ring.ring.age() is None
    assert [(notice.name, notice.subject) for notice in ring.notices] == [("jwks.failed", ISSUER)]


async def test_while_nobody_can_come_in_the_issuer_is_asked_again_soon_and_not_often() -> None:
    ring = Ring({JWKS: down()})
    for _ in range(200):
        assert await ring.find() == "identity_unavailable"
        await ring.pass_time(0.1)
    assert 4 <= len(ring.site.asked) <= 6  # at 0, 1, 3, 7, 15 s
    ring.site.pages[JWKS] = jwks(KEY)
    await ring.pass_time(ON_DEMAND)
    assert await ring.knows()


async def test_a_fault_nobody_thought_of_is_a_failure_like_any() -> None:
    """Else nothing would be told, the last attempt would not count, and the issuer be asked ten times a second."""
    ring = Ring()
    assert await ring.knows()
    ring.site.pages[JWKS] = RuntimeError("of a library below, with words of the issuer")
    await ring.pass_time(MIN_LIFE)
    for _ in range(100):
        assert await ring.knows()
        await ring.pass_time(0.1)
    assert len(ring.site.asked) == 2
    assert [(notice.name, notice.detail) for notice in ring.notices[1:]] == [("jwks.failed", "RuntimeError")]


async def test_a_new_key_is_found_on_demand() -> None:
    ring = Ring()
    assert await ring.knows()
    ring.site.pages[JWKS] = jwks(KEY, NEXT)
    await ring.pass_time(1)
    assert await ring.knows(NEXT)
    assert ring.ring.generation == 2


async def test_invented_key_ids_do_not_become_a_storm() -> None:
    ring = Ring()
    assert await ring.knows()
    for number in range(500):
        assert await ring.ring.find(f"invented-{number}", "ES256") == "token_key_unknown"
        await ring.pass_time(0.1)
    assert len(ring.site.asked) <= 1 + 50 / ON_DEMAND + 1


async def test_a_thousand_at_once_fetch_once() -> None:
    ring = Ring()
    found = await asyncio.gather(*(ring.find() for _ in range(1000)))
    assert all(isinstance(key, VerificationKey) for key in found)
    assert ring.site.asked == [JWKS]


@pytest.mark.parametrize(
    "page",
    [
        down(),
        TimeoutError(),
        500,
        503,
        302,
        404,
        b"",
        b"<html>",
        b'{"keys":[]}',
        b'{"keys":[{"kty":"oct","k":"AAAA","kid":"x"}]}',
        jwks(NEXT, {**NEXT.public_jwk()}),
        b" " * 300_000,
        orjson.dumps({"keys": [{**KEY.public_jwk(), "d": "AAAA"}]}),
    ],
    ids=[
        "down",
        "slow",
        "500",
        "503",
        "redirect",
        "404",
        "empty",
        "html",
        "no-keys",
        "oct",
        "twice",
        "huge",
        "private",
    ],
)
async def test_a_bad_answer_never_replaces_a_good_set(page: bytes | int | OSError) -> None:
    ring = Ring()
    assert await ring.knows()
    ring.site.pages[JWKS] = page
    for _ in range(20):
        await ring.pass_time(600)
        assert await ring.knows()
        assert await ring.find(NEXT) == "token_key_unknown"
    assert ring.ring.generation == 1
    assert ring.notices[1].name == "jwks.failed"
    assert ring.notices[1].detail


async def test_the_last_good_set_ends_after_a_day() -> None:
    ring = Ring()
    assert await ring.knows()
    ring.site.pages[JWKS] = down()
    await ring.pass_time(MAX_STALE - 1)
    assert await ring.knows()
    await ring.pass_time(2)
    assert await ring.find() == "identity_unavailable"
    ring.site.pages[JWKS] = jwks(KEY)
    await ring.pass_time(ON_DEMAND)
    assert await ring.knows()


async def test_a_removed_key_is_gone_when_the_set_is_due() -> None:
    ring = Ring()
    ring.site.headers = {"cache-control": "max-age=120"}
    assert await ring.knows()
    ring.site.pages[JWKS] = jwks(NEXT)
    await ring.pass_time(120)
    assert not await ring.knows()
    assert ring.ring.generation == 2


async def test_the_same_set_again_is_no_new_generation() -> None:
    ring = Ring()
    assert await ring.knows()
    await ring.pass_time(3600)
    assert await ring.knows()
    assert (len(ring.site.asked), ring.ring.generation, len(ring.notices)) == (2, 1, 1)
    assert ring.ring.age() == 0


async def test_a_refresh_before_the_end_holds_nobody_up() -> None:
    ring = Ring()
    assert await ring.knows()
    ring.site.gate = asyncio.Event()
    ring.time.now += module.USUAL_LIFE * 0.9
    assert await ring.knows()  # answered although the fetch hangs
    assert len(ring.site.asked) == 1 or ring.ring._refreshing is not None
    ring.site.gate.set()
    await settled(lambda: ring.ring._refreshing is None)
    assert ring.ring.age() == 0


async def test_no_request_waits_longer_than_its_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    monkeypatch.setattr(module, "FETCH_SECONDS", 0.2)
    ring = Ring()
    ring.site.gate = asyncio.Event()  # never set: the issuer hangs
    began = time.perf_counter()
    assert await asyncio.gather(*(ring.find() for _ in range(50))) == ["identity_unavailable"] * 50
    assert time.perf_counter() - began < 0.19
    await asyncio.wait({ring.ring._begin(ring.time.now)})
    assert ring.notices[-1].detail == "no answer in time"


async def test_the_patience_and_a_fetch_fit_into_the_promise() -> None:
    assert module.PATIENCE < 2.0
    assert module.FETCH_SECONDS <= 2.0


async def test_a_request_that_is_cancelled_does_not_cancel_the_fetch() -> None:
    ring = Ring()
    ring.site.gate = asyncio.Event()
    asking = asyncio.create_task(ring.find())
    await settled(lambda: bool(ring.site.asked))
    asking.cancel()
    ring.site.gate.set()
    await settled(lambda: ring.ring._refreshing is None)
    assert await ring.knows()
    assert ring.site.asked == [JWKS]


async def test_failures_are_told_once_and_then_in_sums() -> None:
    ring = Ring()
    assert await ring.knows()
    ring.site.pages[JWKS] = 500
    for _ in range(45):
        await ring.pass_time(module.USUAL_LIFE + ON_DEMAND)
        assert await ring.knows()
        await ring.pass_time(0)
    assert [(notice.name, notice.count) for notice in ring.notices] == [
        ("jwks.refreshed", 1),
        ("jwks.failed", 1),
        ("jwks.failed", 20),
        ("jwks.failed", 20),
    ]
    ring.site.pages[JWKS] = jwks(KEY)
    await ring.pass_time(ON_DEMAND)
    assert await ring.knows()
    await ring.pass_time(0)
    assert ring.notices[-1].name == "jwks.refreshed"


async def test_keys_left_out_are_told() -> None:
    ring = Ring({JWKS: jwks(KEY, {"kty": "oct", "k": "AAAA", "kid": "secret-1"})})
    assert await ring.knows()
    assert "secret-1" in ring.notices[0].detail


async def test_the_background_keeps_the_set_fresh_until_it_is_closed() -> None:
    ring = Ring()
    await ring.ring.load()
    ring.time.now += module.USUAL_LIFE
    ring.site.pages[JWKS] = jwks(NEXT)
    keeping = asyncio.create_task(ring.ring.keep())
    await asyncio.wait_for(_until(lambda: ring.ring.generation == 2), 5)
    keeping.cancel()
    await ring.ring.close()
    await asyncio.wait({keeping})


async def _until(ready: Any) -> None:
    while not ready():
        await asyncio.sleep(0.01)


async def test_closing_stops_a_fetch_under_way() -> None:
    ring = Ring()
    ring.site.gate = asyncio.Event()
    asking = asyncio.create_task(ring.find())
    await settled(lambda: bool(ring.site.asked))
    await ring.ring.close()
    assert await asking == "identity_unavailable"


# --- discovery --------------------------------------------------------------------------------


def metadata(**changes: Any) -> bytes:
    return orjson.dumps({"issuer": ISSUER, "jwks_uri": JWKS} | changes)


async def test_the_metadata_says_where_the_keys_are() -> None:
    ring = Ring({OPENID: metadata(), JWKS: jwks(KEY)}, jwks_uri="")
    assert await ring.knows()
    assert ring.site.asked == [OPENID, JWKS]
    await ring.pass_time(600)
    assert await ring.knows()
    assert ring.site.asked == [OPENID, JWKS, JWKS]


async def test_the_metadata_may_be_an_authorization_servers() -> None:
    ring = Ring({OAUTH: metadata(), JWKS: jwks(KEY)}, jwks_uri="")
    assert await ring.knows()
    assert ring.site.asked == [OPENID, OAUTH, JWKS]


@pytest.mark.parametrize(
    "page",
    [
        metadata(issuer="https://evil.example"),
        metadata(issuer=ISSUER + "/"),
        metadata(issuer=None),
        metadata(issuer=[ISSUER]),
        metadata(jwks_uri=None),
        metadata(jwks_uri=5),
        metadata(jwks_uri="http://sso.example.gov/certs"),
        metadata(jwks_uri="file:///etc/passwd"),
        metadata(jwks_uri="http://169.254.169.254/latest/meta-data"),
        b"[]",
        b'{"issuer":"' + ISSUER.encode() + b'","issuer":"x","jwks_uri":"' + JWKS.encode() + b'"}',
    ],
)
async def test_metadata_of_another_issuer_or_without_https_is_not_believed(page: bytes) -> None:
    ring = Ring({OPENID: page, JWKS: jwks(KEY)}, jwks_uri="")
    assert await ring.find() == "identity_unavailable"
    assert JWKS not in ring.site.asked
    assert set(ring.site.asked) <= {OPENID, OAUTH}


async def test_moved_keys_are_looked_for_after_a_failure() -> None:
    moved = f"{ISSUER}/moved"
    ring = Ring({OPENID: metadata(), JWKS: jwks(KEY)}, jwks_uri="")
    assert await ring.knows()
    ring.site.pages |= {OPENID: metadata(jwks_uri=moved), JWKS: 404, moved: jwks(NEXT)}
    await ring.pass_time(600)
    assert await ring.knows()
    await ring.pass_time(ON_DEMAND)
    await ring.find()
    await ring.pass_time(0)
    assert await ring.knows(NEXT)


async def test_keys_are_still_found_where_they_were_while_the_metadata_is_down() -> None:
    ring = Ring({OPENID: metadata(), JWKS: jwks(KEY)}, jwks_uri="")
    assert await ring.knows()
    ring.site.pages |= {OPENID: down(), JWKS: jwks(NEXT)}
    await ring.pass_time(module.REDISCOVER + 1)
    assert await ring.knows(NEXT)
    assert not await ring.knows()


async def test_keys_on_loopback_may_come_over_http() -> None:
    issuer, keys = "http://127.0.0.1:9000", "http://127.0.0.1:9000/jwks"
    pages = {
        f"{issuer}/.well-known/openid-configuration": orjson.dumps({"issuer": issuer, "jwks_uri": keys}),
        keys: jwks(KEY),
    }
    assert await Ring(pages, url=issuer, jwks_uri="").knows()


@pytest.mark.parametrize(
    ("issuer", "openid", "oauth"),
    [
        (ISSUER, OPENID, OAUTH),
        (
            "https://a.example",
            "https://a.example/.well-known/openid-configuration",
            "https://a.example/.well-known/oauth-authorization-server",
        ),
        (
            "https://a.example/",
            "https://a.example/.well-known/openid-configuration",
            "https://a.example/.well-known/oauth-authorization-server",
        ),
    ],
)
def test_where_metadata_is(issuer: str, openid: str, oauth: str) -> None:
    assert metadata_addresses(issuer) == (openid, oauth)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 60),
        ({"cache-control": "public, max-age=600"}, 600),
        ({"cache-control": "Max-Age=600"}, 600),
        ({"cache-control": 'max-age="600"'}, 600),
        ({"cache-control": "max-age=600", "age": "100"}, 500),
        ({"cache-control": "max-age=600", "age": "-100"}, 600),
        ({"cache-control": "max-age=600", "age": "²"}, 600),
        ({"cache-control": "max-age=600", "age": "9999999999999"}, 600),
        ({"cache-control": "max-age=0"}, 60),
        ({"cache-control": "no-store"}, 60),
        ({"cache-control": "no-cache, max-age=600"}, 60),
        ({"cache-control": "max-age=999999999"}, 86400),
        ({"cache-control": "max-age=" + "9" * 5000}, 86400),
        ({"cache-control": "max-age=-5"}, 60),
        ({"cache-control": "max-age=soon"}, 60),
        ({"cache-control": "x-max-age=5000"}, 60),
    ],
)
def test_how_long_a_set_lives(headers: dict[str, str], seconds: float) -> None:
    assert life(headers) == seconds
