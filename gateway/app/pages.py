"""Which pages of its own does the data port have?

Health, the key set of our assertions, the meaning of reason codes, and where to get a token
(RFC 9728). Each is public by nature and tells nothing about who may do what.
"""

from collections.abc import Callable

from starlette.types import Receive, Scope, Send

from gateway.app.boundary import Page
from gateway.edge import Settings, plain, read, reason_page, resource_metadata, turn_away, write
from gateway.facts import Ask, Reply, Unreadable
from gateway.reasons import REASONS


def pages(settings: Settings, issuers: tuple[str, ...], jwks: bytes, healthy: Callable[[], bool]) -> dict[bytes, Page]:
    """The pages by raw path."""
    metadata = resource_metadata(settings, issuers)
    keys = plain(200, b"application/json", jwks, b"max-age=60")
    found: dict[bytes, Page] = {
        b"/.gateway/health": _page(settings, lambda _: _health(healthy())),
        b"/.gateway/jwks.json": _page(settings, lambda _: keys),
        b"/.well-known/oauth-protected-resource": _page(settings, lambda _: metadata),
    }
    for code in REASONS:
        found[b"/.gateway/reasons/" + code.encode()] = _page(settings, _explain(code))
    return found


def refusing(settings: Settings, code: str) -> Page:
    """A page that refuses everything with one reason."""

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        ask = read(scope, receive, settings)
        if isinstance(ask, Ask):
            ask = Unreadable(ask.id, ask.at, code, ask.source, "", ask.language, ask.browser)
        await write(ask, turn_away(ask, settings), send)

    return page


def _page(settings: Settings, answer: Callable[[Ask], Reply]) -> Page:
    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        ask = read(scope, receive, settings)
        if isinstance(ask, Unreadable):
            await write(ask, turn_away(ask, settings), send)
        elif ask.method not in ("GET", "HEAD"):
            away = Unreadable(ask.id, ask.at, "method_not_allowed", ask.source, "", ask.language, ask.browser)
            await write(away, turn_away(away, settings, "GET, HEAD"), send)
        else:
            await write(ask, answer(ask), send)

    return page


def _explain(code: str) -> Callable[[Ask], Reply]:
    def answer(ask: Ask) -> Reply:
        return reason_page(code, ask.language) or plain(404, b"text/plain", b"", b"no-store")

    return answer


def _health(healthy: bool) -> Reply:
    if healthy:
        return plain(200, b"text/plain", b"ok\n", b"no-store")
    return plain(503, b"text/plain", b"draining\n", b"no-store")
