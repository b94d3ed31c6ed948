"""An issuer for tests: real keys, real tokens, a key set that can be rotated, spoilt and counted."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from gateway.crypto.jws import SigningKey
from gateway.facts import Ask, Notice, Reason, Subject
from gateway.identity import Authority, Fetched, Issuer, Recogniser, Settings, Unfetched
from tests.literals import NOW, an_ask

ISSUER = "https://sso.example.gov/realms/staff"
JWKS = f"{ISSUER}/certs"
AUDIENCE = "gateway"


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good token; a claim set to None is left out."""
    values: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "zhang.wei",
        "client_id": "portal",
        "iat": int(NOW) - 60,
        "exp": int(NOW) + 300,
        "jti": "jti-1",
        "sid": "sid-1",
        "auth_time": int(NOW) - 120,
        "acr": "aal2",
        "name": "张伟",
        "org": "prov/civil",
        "roles": ["clerk"],
        "clearance": "important",
        "device_id": "laptop-7",
    }
    return {name: value for name, value in (values | changes).items() if value is not None}


def an_issuer(**changes: Any) -> Issuer:
    values: dict[str, Any] = {"url": ISSUER, "audiences": (AUDIENCE,), "jwks_uri": JWKS}
    return Issuer(**(values | changes))


def bearing(token: str | bytes, **changes: Any) -> Ask:
    """A request that shows this token."""
    raw = token.encode() if isinstance(token, str) else token
    return an_ask(headers=((b"host", b"api.example.gov"), (b"authorization", b"Bearer " + raw)), **changes)


def jwks(*keys: SigningKey | Mapping[str, Any]) -> bytes:
    return orjson.dumps({"keys": [key.public_jwk() if isinstance(key, SigningKey) else dict(key) for key in keys]})


class Site:
    """What answers GET: a body, a status or a fault for each address; every address asked is kept."""

    def __init__(self, pages: Mapping[str, bytes | int | Exception] | None = None) -> None:
        self.pages: dict[str, bytes | int | Exception] = dict(pages or {})
        self.headers: dict[str, str] = {}
        self.asked: list[str] = []
        self.gate: asyncio.Event | None = None  # while set and not released, nothing is answered

    async def __call__(self, url: str) -> Fetched:
        self.asked.append(url)
        if self.gate is not None:
            await self.gate.wait()
        page = self.pages.get(url, 404)
        if isinstance(page, Exception):
            raise page
        if isinstance(page, int):
            return Fetched(page, self.headers, b"")
        return Fetched(200, self.headers, page)


class Time:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Withdrawn:
    """Revocations by subject, session and token."""

    def __init__(self) -> None:
        self.subjects: dict[str, Reason] = {}
        self.tokens: dict[str, Reason] = {}
        self.asked = 0

    def refuses(self, subject: Subject) -> Reason | None:
        self.asked += 1
        return self.subjects.get(subject.id) or self.tokens.get(subject.proof.token)


class World:
    """One issuer, one recogniser, and everything that a test wants to turn."""

    def __init__(
        self,
        issuers: Iterable[Issuer] | None = None,
        authorities: tuple[Authority, ...] = (),
        alg: str = "ES256",
        **settings: Any,
    ) -> None:
        self.key = SigningKey.generate(alg)
        self.site = Site({JWKS: jwks(self.key)})
        self.time = Time()
        self.withdrawn = Withdrawn()
        self.notices: list[Notice] = []
        known = (an_issuer(),) if issuers is None else tuple(issuers)
        self.recogniser = Recogniser(
            Settings(issuers=known, authorities=authorities, **settings),
            self.withdrawn,
            self.site,
            self.notices.append,
            self.time,
        )

    def token(self, header: str = "at+jwt", **changes: Any) -> str:
        """A token of this issuer; `header` is the type in its header."""
        return self.key.sign(claims(**changes), header)

    async def recognise(self, token: str | bytes, **changes: Any) -> Subject:
        return await self.recogniser.recognise(bearing(token, **({"clock": self.time.now} | changes)))

    async def code(self, token: str | bytes, **changes: Any) -> str:
        """The reason code of the rejection, or `` for a subject; a rejected caller is never somebody."""
        subject = await self.recognise(token, **changes)
        if subject.rejection is None:
            assert subject.id
            return ""
        assert subject.kind == "anonymous"
        assert subject.id == ""
        assert subject.roles == ()
        return subject.rejection.code


def down() -> OSError:
    return Unfetched("connection refused")


async def settled(ready: Callable[[], bool]) -> None:
    """Let the loop run until something holds."""
    for _ in range(1000):
        if ready():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to hold")
