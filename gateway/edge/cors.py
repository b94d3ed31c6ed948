"""May a page of another origin read this API?

Only origins that the API names, compared byte for byte: no suffix match, no reflection of whatever
was sent. A preflight tells the browser and grants nothing: the request that follows is judged in full.
"""

from gateway.edge.settings import Cors, Settings
from gateway.facts import Ask, Headers, Reply

_VARY = (b"vary", b"origin, access-control-request-method, access-control-request-headers")


def preflight(ask: Ask, settings: Settings) -> Reply | None:
    """The answer to a preflight of an API that allows this origin, else None: then it is a request like any."""
    cors = _of(ask, settings)
    if cors is None or ask.method != "OPTIONS" or ask.header(b"access-control-request-method") is None:
        return None
    allowed = _origin(ask, cors)
    if not allowed:
        return None
    headers: Headers = (
        *allowed,
        (b"access-control-allow-methods", ", ".join(cors.methods).encode("ascii")),
        (b"access-control-allow-headers", ", ".join(cors.headers).encode("ascii")),
        (b"access-control-max-age", b"%d" % cors.max_age),
        _VARY,
    )
    return Reply(204, tuple(field for field in headers if field[1]), b"", 0)


def cors_headers(ask: Ask, settings: Settings) -> Headers:
    """What goes with the actual answer so that the browser lets the page read it."""
    cors = _of(ask, settings)
    if cors is None:
        return ()
    allowed = _origin(ask, cors)
    if allowed and cors.exposed:
        allowed += ((b"access-control-expose-headers", ", ".join(cors.exposed).encode("ascii")),)
    return (*allowed, (b"vary", b"origin"))  # also without the origin: a cache must not mix them up


def _of(ask: Ask, settings: Settings) -> Cors | None:
    api = settings.by_name.get(ask.api)
    return api.cors if api is not None else None


def _origin(ask: Ask, cors: Cors) -> Headers:
    origins = [value for name, value in ask.headers if name == b"origin"]
    if len(origins) != 1:
        return ()
    origin = origins[0].decode("latin-1")
    if origin not in cors.origins and "*" not in cors.origins:
        return ()
    headers: Headers = ((b"access-control-allow-origin", b"*" if "*" in cors.origins else origins[0]),)
    return (*headers, (b"access-control-allow-credentials", b"true")) if cors.credentials else headers
