"""What was asked, if it can be read in one way only?

Turns an ASGI scope into an `Ask`, or says why it cannot be read. The gateway may run under any
ASGI server, so what the scope can show is checked here even if our protocol class did it before.

1. Exactly one Host, and it is one that is served (CVE-2026-48710, CVE-2026-88877).
2. Content-Length or Transfer-Encoding, never both, each in its one plain form.
3. The path is canonical (`target`), taken from the raw bytes; `scope["path"]` is never used.
4. A header that must be single is single. Forwarding headers count only from a trusted proxy
   (CVE-2026-40575, CVE-2026-39858).
"""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from os import urandom
from time import monotonic, time
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

from msgspec.structs import asdict
from starlette.types import Receive, Scope

from gateway.edge.body import AsgiBody
from gateway.edge.framing import METHODS, Malformed, body_length
from gateway.edge.proxies import Misread, certificate, certificate_of, is_trusted, plain_address, scheme, source
from gateway.edge.settings import Routes, Settings
from gateway.edge.target import canonical, query_is_plain
from gateway.facts import Ask, Certificate, Headers, Unreadable

SINGLE = frozenset(
    (
        b"host", b"content-length", b"transfer-encoding", b"content-type", b"expect", b"range",
        b"x-request-id", b"traceparent", b"x-purpose", b"x-forwarded-proto", b"client-cert",
    )
)  # fmt: skip
PURPOSE_MAX = 256
_REQUEST_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_TRACE = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]([0-9a-f])(?:-.*)?")
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.(?!\Z)|\Z))+")
_HOST = re.compile(rb"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::([1-9][0-9]{0,4}))?")
DEFAULT_PORT = {"http": "80", "https": "443"}


def read(scope: Scope, receive: Receive, settings: Settings) -> Ask | Unreadable:
    """The request as a value; its body is read later, through `receive`."""
    at, clock = time(), monotonic()
    headers: Headers = tuple(scope["headers"])
    fields = dict(headers)
    client = scope.get("client")
    peer = client[0] if client else ""
    if ":" in peer:
        peer = plain_address(peer.partition("%")[0])  # one spelling of an address, whatever the socket family
    draw = urandom(34).hex()
    try:
        return _ask(scope, receive, settings, headers, fields, peer, draw, at, clock)
    except (Malformed, Misread) as fault:
        code, detail = (fault.code, "") if isinstance(fault, Malformed) else ("bad_header", str(fault))
        language = _language(fields.get(b"accept-language", b"")[:256])
        return Unreadable(draw[48:], at, code, peer, detail, language, _browser(fields.get(b"accept", b"")[:256]))


def again(ask: Ask) -> Ask:
    """The same request at the present time: an answer that streams is judged anew."""
    return Ask(**{**asdict(ask), "at": time(), "clock": monotonic()})


def _ask(
    scope: Scope,
    receive: Receive,
    settings: Settings,
    headers: Headers,
    fields: dict[bytes, bytes],
    peer: str,
    draw: str,
    at: float,
    clock: float,
) -> Ask:
    get = fields.get
    if len(fields) != len(headers):
        _check_single(headers)
    length = body_length(fields, scope.get("http_version", "1.1"))
    method: str = scope["method"]
    if method not in METHODS:
        raise Malformed("method_not_supported")
    trusted = is_trusted(peer, settings)
    given: str = scope["scheme"]
    spoken = scheme(given, fields) if trusted else given
    host, routes = _host(get(b"host", b""), spoken, settings)
    path, query = _target(scope, settings)
    api = routes.find(path)
    name, body_max = (api.name, api.body_max) if api is not None else ("", settings.limits.small_body)
    told = get(b"x-request-id") if trusted else None
    return Ask(
        draw[48:] if told is None or _REQUEST_ID.fullmatch(told) is None else told.decode("ascii"),
        at,
        clock,
        method,
        spoken,
        host,
        name,
        path,
        query,
        headers,
        source(peer, headers, settings) if trusted else peer,
        peer,
        _certificate(scope, headers, settings, trusted),
        _trace(get(b"traceparent"), draw),
        _purpose(get(b"x-purpose")),
        _language(get(b"accept-language", b"")[:256]),
        _browser(get(b"accept", b"")[:256]),
        AsgiBody(receive, length, settings.limits.small_body, body_max),
    )


def _check_single(headers: Headers) -> None:
    seen: set[bytes] = set()
    for name, _ in headers:
        if name in SINGLE:
            if name in seen:
                framing = name in (b"host", b"content-length", b"transfer-encoding")
                raise Malformed("bad_framing" if framing else "bad_header")
            seen.add(name)


def _host(raw: bytes, spoken: str, settings: Settings) -> tuple[str, Routes]:
    host, bare = _canonical_host(raw, spoken)
    routes = settings.routes
    found = routes.get(host) or routes.get(bare) or (settings.any_host if host else None)
    if found is None:
        raise Malformed("bad_host")
    return host, found


@lru_cache(maxsize=1024)
def _canonical_host(raw: bytes, spoken: str) -> tuple[str, str]:
    """The host in lower case without a default port, and without any port; ("", "") when it is not a host."""
    match = _HOST.fullmatch(raw)
    if match is None:
        return "", ""
    bare = match[1].decode("ascii").lower()
    if bare.startswith("["):
        try:
            bare = f"[{IPv6Address(bare[1:-1])}]"
        except AddressValueError:
            return "", ""
    elif _NAME.fullmatch(bare) is None:
        return "", ""
    port = (match[2] or b"").decode("ascii")
    if port and int(port) > 65535:
        return "", ""
    return (f"{bare}:{port}" if port and port != DEFAULT_PORT.get(spoken) else bare), bare


def _target(scope: Scope, settings: Settings) -> tuple[str, str]:
    raw: bytes | None = scope.get("raw_path")
    query: bytes = scope.get("query_string", b"")
    if raw is None:  # a server that only shows the decoded path cannot be judged by its bytes
        raise Malformed("bad_target")
    if len(raw) + len(query) >= settings.limits.target_bytes:
        raise Malformed("target_too_long")
    path = canonical(raw)
    if path is None or not (query == b"" or query_is_plain(query)):
        raise Malformed("bad_target")
    return path, query.decode("ascii") if query else ""


def _certificate(scope: Scope, headers: Headers, settings: Settings, trusted: bool) -> Certificate | None:
    if trusted and settings.terminated_client_certificate:
        return certificate(headers, settings)
    extensions: dict[str, Any] | None = scope.get("extensions")
    tls = extensions.get("tls") if extensions else None
    der = tls.get("client_cert_der") if tls else None
    return certificate_of(der, "tls") if der else None


def _trace(told: bytes | None, draw: str) -> str:
    """The trace continued with a new parent (W3C Trace Context), or a new one. Bad ones are not errors there."""
    match = _TRACE.fullmatch(told) if told is not None and len(told) <= 128 else None
    if match is None or (told is not None and told[:2] == b"00" and len(told) != 55):
        return f"00-{draw[:32]}-{draw[32:48]}-01"
    return f"00-{match[1].decode('ascii')}-{draw[32:48]}-0{int(match[2], 16) & 1}"


def _purpose(raw: bytes | None) -> str:
    if raw is None:
        return ""
    try:
        text = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("bad_header") from None
    if len(raw) > PURPOSE_MAX * 3 or len(text) > PURPOSE_MAX or not text.isprintable():
        raise Malformed("bad_header")
    return text


@lru_cache(maxsize=256)
def _language(accepted: bytes) -> Literal["zh-CN", "en"]:
    """The better liked of the two languages (RFC 9110 section 12.5.4); English when there is no liking."""
    best = _liked(accepted, (b"zh", b"en"))
    return "zh-CN" if best == b"zh" else "en"


@lru_cache(maxsize=256)
def _browser(accepted: bytes) -> bool:
    """Whether a page is liked better than JSON; `*/*` is nobody's wish for a page."""
    return _liked(accepted, (b"text/html", b"application/json", b"application/problem+json")) == b"text/html"


def _liked(accepted: bytes, wanted: tuple[bytes, ...]) -> bytes:
    best, weight = b"", 0.0
    for item in accepted.lower().split(b","):
        name, _, parameters = item.strip().partition(b";")
        found = next((word for word in wanted if name.strip() == word or name.strip().startswith(word + b"-")), b"")
        quality = _quality(parameters)
        if found and quality > weight:
            best, weight = found, quality
    return best


def _quality(parameters: bytes) -> float:
    for parameter in parameters.split(b";"):
        name, _, value = parameter.strip().partition(b"=")
        if name.strip() == b"q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
