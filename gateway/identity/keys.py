"""Which keys does this issuer sign with today, and how sure are we?

One keyring for each issuer. Requests read it; fetching happens beside them. Rules:

1. A request waits for a fetch at most `PATIENCE` seconds, and only when it would be refused otherwise.
2. The last good set is kept while the issuer is down, slow or sends garbage, for at most `MAX_STALE`.
   A set that is empty or void never replaces a good one.
3. An unknown key id starts at most one fetch in `ON_DEMAND` seconds: else whoever invents key ids
   makes us attack the issuer (the storm of GHSA-fhv5-28vv-h8m8).
4. The set is due again before its Cache-Control ends, clamped to `MIN_LIFE` … `MAX_LIFE`.
5. `generation` changes whenever the set does: what was verified with an older set is verified again.
6. Metadata must name the issuer that was asked (RFC 8414 section 3.3, mix-up), and keys come over https.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from re import compile as pattern
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from gateway.crypto.jws import Inadmissible, KeySet, VerificationKey, admit
from gateway.crypto.strict import NotStrict, read_object
from gateway.facts import Notice
from gateway.identity.settings import Issuer, url_fault

MIN_LIFE: Final = 60.0
MAX_LIFE: Final = 86_400.0
USUAL_LIFE: Final = 60.0  # when the issuer says nothing: a key that is withdrawn must not live on for long
MAX_STALE: Final = 86_400.0
ON_DEMAND: Final = 30.0
FETCH_SECONDS: Final = 2.0  # for one answer, its last byte included
PATIENCE: Final = 1.8
EARLY: Final = 0.8  # the part of its life after which a set is refreshed
MAX_BYTES: Final = 256 * 1024
_STRAY: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError)
_MAX_AGE: Final = pattern(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,9})")
REDISCOVER: Final = 3600.0
TOLD_EVERY: Final = 20  # failures in one notice after the first: ten minutes of them


class Fetched(Struct, frozen=True):
    """An answer to GET: the status, header fields with names in lower case, and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Unfetched(OSError):
    """There is no usable answer; the message says why."""


class _Absent(Unfetched):
    """The issuer answers, but there is nothing at this address."""


Fetch = Callable[[str], Awaitable[Fetched]]
"""GET without redirects. Raises OSError (TimeoutError included) when there is no answer."""


class Keyring:
    """The keys of one issuer. All times on the monotonic clock."""

    __slots__ = (
        "_asked_at",
        "_body",
        "_clock",
        "_failures",
        "_fetch",
        "_found_at",
        "_good_at",
        "_jwks_uri",
        "_keys",
        "_life",
        "_notice",
        "_refreshing",
        "_retry_at",
        "generation",
        "issuer",
    )

    def __init__(
        self, issuer: Issuer, fetch: Fetch, notice: Callable[[Notice], None], clock: Callable[[], float]
    ) -> None:
        self.issuer = issuer
        self.generation = 0
        self._fetch, self._notice, self._clock = fetch, notice, clock
        self._keys: KeySet | None = None
        self._body = b""
        self._good_at = 0.0
        self._life = 0.0
        self._retry_at = float("-inf")
        self._asked_at = float("-inf")
        self._failures = 0
        self._jwks_uri = issuer.jwks_uri
        self._found_at = float("-inf")
        self._refreshing: asyncio.Task[None] | None = None

    def age(self) -> float | None:
        """Seconds since the set in use was confirmed by the issuer; None when there is none."""
        return None if self._keys is None else self._clock() - self._good_at

    def due(self) -> float:
        """When the next fetch in the background should start."""
        if self._failures or self._keys is None:
            return self._retry_at
        return self._good_at + self._life * EARLY

    async def find(self, kid: str, alg: str) -> VerificationKey | str:
        """The key, or the reason code: `token_key_unknown`, or `identity_unavailable` while there are no keys."""
        now = self._clock()
        if now >= self.due():
            self._begin(now)
        key = self._look_up(kid, alg, now)
        if key is None and self._usable(now) is not None and now >= self._asked_at + ON_DEMAND:
            self._asked_at = now
            self._begin(now)
        outlived = not self._failures and now >= self._good_at + self._life
        if self._refreshing is not None and (key is None or outlived):
            await asyncio.wait({self._refreshing}, timeout=PATIENCE)  # leaves the fetch running
            key = self._look_up(kid, alg, now)
        if key is not None:
            return key
        return "identity_unavailable" if self._usable(now) is None else "token_key_unknown"

    async def keep(self) -> None:
        """Keep the set fresh for as long as this runs."""
        while True:
            await asyncio.sleep(max(self.due() - self._clock(), 0.1))
            await asyncio.wait({self._begin(self._clock())})

    async def load(self, patience: float = PATIENCE) -> None:
        """Fetch now, waiting no longer than `patience` seconds for it."""
        await asyncio.wait({self._begin(self._clock())}, timeout=patience)

    async def close(self) -> None:
        """Stop a fetch that is under way."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait({self._refreshing})

    def _usable(self, now: float) -> KeySet | None:
        return self._keys if now < self._good_at + MAX_STALE else None

    def _look_up(self, kid: str, alg: str, now: float) -> VerificationKey | None:
        keys = self._usable(now)
        return None if keys is None else keys.find(kid, alg)

    def _begin(self, now: float) -> asyncio.Task[None]:
        """The fetch under way, or a new one: never two at a time."""
        if self._refreshing is None:
            self._retry_at = now + ON_DEMAND
            self._refreshing = asyncio.create_task(self._refresh())
        return self._refreshing

    async def _refresh(self) -> None:
        try:
            self._take(await self._get(await self._address()))
        except (OSError, Inadmissible, NotStrict) as why:
            self._fail(str(why) or "no answer in time")
        except _STRAY as fault:  # what a library lets through must not make us ask without end
            self._fail(type(fault).__name__)
        finally:
            self._refreshing = None

    async def _get(self, url: str) -> Fetched:
        fault = url_fault(url, self.issuer.plaintext_allowed)
        if fault:
            raise Unfetched(fault)
        async with asyncio.timeout(FETCH_SECONDS):  # a body that drips is cut off too
            fetched = await self._fetch(url)
        if len(fetched.body) > MAX_BYTES:
            raise Unfetched(f"`{url}` is larger than 256 KiB")
        if fetched.status != 200:
            kind = _Absent if 400 <= fetched.status < 500 else Unfetched
            raise kind(f"`{url}` answered {fetched.status}")
        return fetched

    async def _address(self) -> str:
        """Where the key set is: as configured, or as the issuer's metadata says."""
        if self.issuer.jwks_uri:
            return self.issuer.jwks_uri
        if self._failures or self._clock() >= self._found_at + REDISCOVER:
            try:
                self._jwks_uri = await self._discover()
                self._found_at = self._clock()
            except (OSError, NotStrict):
                if not self._jwks_uri:
                    raise  # else the keys may still be where they were
        return self._jwks_uri

    async def _discover(self) -> str:
        openid, oauth = metadata_addresses(self.issuer.url)
        try:
            fetched = await self._get(openid)
        except _Absent:
            fetched = await self._get(oauth)
        metadata = read_object(fetched.body)
        if metadata.get("issuer") != self.issuer.url:
            raise Unfetched(f"the metadata is of the issuer `{str(metadata.get('issuer'))[:200]}`")
        uri = metadata.get("jwks_uri")
        if not isinstance(uri, str):
            raise Unfetched("the metadata names no `jwks_uri`")
        return uri

    def _take(self, fetched: Fetched) -> None:
        if self._keys is None or fetched.body != self._body:
            self._keys = admit(fetched.body, self.issuer.algorithms)
            self._body = fetched.body
            self.generation += 1
            self._tell(self._keys)
        elif self._failures:
            self._tell(self._keys)
        self._good_at = self._clock()
        self._life = life(fetched.headers)
        self._failures = 0

    def _tell(self, keys: KeySet) -> None:
        told = f"{len(keys.keys) + len(keys.nameless)} keys"
        if keys.dropped:
            told = f"{told}; left out: {'; '.join(keys.dropped)}"
        self._notice(Notice("jwks.refreshed", self.issuer.url, told[:500]))

    def _fail(self, why: str) -> None:
        now = self._clock()
        self._failures += 1
        waiting = self._usable(now) is None  # nobody can come in: ask sooner, then less and less often
        self._retry_at = now + (min(2.0 ** (self._failures - 1), ON_DEMAND) if waiting else ON_DEMAND)
        if self._failures == 1:
            self._notice(Notice("jwks.failed", self.issuer.url, why[:500]))
        elif self._failures % TOLD_EVERY == 0:
            self._notice(Notice("jwks.failed", self.issuer.url, why[:500], TOLD_EVERY))


def metadata_addresses(issuer: str) -> tuple[str, str]:
    """Where the metadata of this issuer is, by OpenID Connect Discovery 1.0 section 4 and by RFC 8414 section 3."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    root = f"{parts.scheme}://{parts.netloc}"
    return (
        f"{root}{path}/.well-known/openid-configuration",
        f"{root}/.well-known/oauth-authorization-server{path}",
    )


def life(headers: Mapping[str, str]) -> float:
    """How long a key set may be used before it is asked for again, in seconds (RFC 9111 section 5.2.2)."""
    control = headers.get("cache-control", "").lower()
    if "no-store" in control or "no-cache" in control:
        return MIN_LIFE
    found = _MAX_AGE.search(control)
    if found is None:
        return USUAL_LIFE
    age = headers.get("age", "0")
    spent = int(age) if age.isascii() and age.isdigit() and len(age) < 10 else 0
    return min(max(float(int(found[1]) - spent), MIN_LIFE), MAX_LIFE)
