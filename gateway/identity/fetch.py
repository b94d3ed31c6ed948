"""How is a key set fetched from an issuer?

One GET, and nothing that the answer could make of it. Rules:

1. No redirect is followed: the address that was configured is the one that is believed
   (CVE-2026-48522 was a key fetch that went wherever it was sent).
2. Only https, or http to this machine; the proxy variables of the environment are ignored.
3. The answer is cut off at 256 KiB, and a compressed one is refused: what is small on the wire
   may be large in memory.
"""

import ssl
from pathlib import Path

import httpx

from gateway.identity.keys import FETCH_SECONDS, MAX_BYTES, Fetched, Unfetched
from gateway.identity.settings import url_fault


class Fetcher:
    """GET over HTTP/1.1 with one pool of connections. Call it with an address; close it at the end.

    `ca` is a file of authorities for issuers with certificates of their own; the system's otherwise.
    """

    def __init__(self, ca: Path | None = None, plaintext_allowed: bool = False) -> None:
        self._plaintext_allowed = plaintext_allowed
        self._client = httpx.AsyncClient(
            verify=ssl.create_default_context(cafile=None if ca is None else str(ca)),
            trust_env=False,
            follow_redirects=False,
            timeout=FETCH_SECONDS,
            limits=httpx.Limits(max_connections=8, max_keepalive_connections=0),
            headers={"accept": "application/json", "accept-encoding": "identity", "user-agent": "gateway"},
        )

    async def __call__(self, url: str) -> Fetched:
        """The answer, whatever its status. Raises Unfetched when there is none."""
        fault = url_fault(url, self._plaintext_allowed)
        if fault:
            raise Unfetched(fault)
        try:
            async with self._client.stream("GET", url) as answer:
                return Fetched(answer.status_code, dict(answer.headers), await _body(answer))
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, UnicodeError) as why:  # also: a name that is none
            raise Unfetched(f"`{url}`: {str(why) or 'no answer in time'}") from why

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()


async def _body(answer: httpx.Response) -> bytes:
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise Unfetched(f"`{answer.url}` answered in a compressed form that was not asked for")
    body = bytearray()
    async for chunk in answer.aiter_raw(16_384):
        body += chunk
        if len(body) > MAX_BYTES:
            raise Unfetched(f"`{answer.url}` is larger than 256 KiB")
    return bytes(body)
