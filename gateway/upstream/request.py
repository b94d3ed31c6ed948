"""What exactly is sent to the service?

Everything that can be is prepared when the service is made. Rules:

1. The path is the one that was decided on, byte for byte, apart from the configured prefixes.
2. The caller's headers pass by allow-list, in their one lower-case spelling: `X_Gateway_Subject`,
   `X.Forwarded.For` and whatever spelling comes next are simply not on it.
3. What the gateway says is written by the gateway, always, also when there is nothing to say
   (GHSA-7r4p-vjf4-gxv4); `Connection: x-forwarded-for` cannot strip it (CVE-2024-45410,
   CVE-2022-31813): the caller's Connection header only strips the caller's own fields.
4. Where the answer will be inspected, nothing is forwarded that would make it partial or coded, and
   nothing that would make a reading conditional: the entity tag of the service is often a digest of what
   the mask hides, and `If-Match` with a thousand guesses asks which of them is right. A writing keeps
   its conditions: without them it would overwrite what somebody else wrote.
5. Nothing that could end a line gets into the head, whatever the rooms before let through.
"""

import re

from gateway.facts import Ask, Warrant
from gateway.upstream.settings import Service, under

FORWARDED = frozenset(
    [
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "content-type",
        "content-language",
        "content-encoding",
        "if-match",
        "if-none-match",
        "if-modified-since",
        "if-unmodified-since",
        "if-range",
        "range",
        "user-agent",
        "origin",
        "prefer",
        "idempotency-key",
        "tracestate",
        "baggage",
    ]
)
NOT_ON_INSPECTED = frozenset({"range", "if-range", "if-modified-since", "accept-encoding"})
CONDITIONS = frozenset({"if-match", "if-none-match", "if-unmodified-since"})

NUL, LF, CR = 0, 10, 13  # as numbers: a search for one is three times as fast as for a string
_LINE = re.compile(r"[A-Z]{1,20} /[!-\"$-~]*")  # no space, control, fragment or anything beyond ASCII
_IDENTITY_CODING = (b"accept-encoding: ", b"identity", b"\r\n")
_CHUNKED = (b"transfer-encoding: ", b"chunked", b"\r\n")
_LENGTH_EXPECTED = frozenset({"POST", "PUT", "PATCH"})


class Requests:
    """Writes the requests to one service."""

    def __init__(self, service: Service) -> None:
        names = FORWARDED | set(service.forward_headers)
        self._open = _prepared(names)
        written = _prepared(names - NOT_ON_INSPECTED)
        posted = _prepared(names - NOT_ON_INSPECTED - {"if-none-match"})  # many a POST is a search
        self._inspected = {"PUT": written, "PATCH": written, "DELETE": written, "POST": posted}
        self._read = _prepared(names - NOT_ON_INSPECTED - CONDITIONS)
        self._prefix = service.prefix.rstrip("/")
        self._strip = len(service.strip_prefix.rstrip("/"))
        self._add = service.add_prefix.rstrip("/")
        self._host = "" if service.host in {"upstream", "preserve"} else service.host
        self._preserve = service.host == "preserve"

    def head(
        self, warrant: Warrant, identity: bytes, authority: str, length: int | None, query: str | None = None
    ) -> bytes | None:
        """The request up to its body of `length` bytes (None: chunked); None when it cannot be written safely.

        `query` takes the place of the caller's.
        """
        ask = warrant.facts.ask
        if not under(ask.path, self._prefix):
            return None
        target = self._target(ask, ask.query if query is None else query)
        host = self.host(ask.host, authority)
        try:
            start = (
                f"{target} HTTP/1.1\r\nhost: {host}\r\n"
                f"x-request-id: {ask.id}\r\ntraceparent: {ask.trace}\r\nx-gateway-decision: {warrant.id}\r\n"
                f"x-forwarded-for: {ask.source}\r\nx-forwarded-proto: {ask.scheme}\r\nx-forwarded-host: {ask.host}\r\n"
            ).encode("ascii")
        except UnicodeEncodeError:
            return None
        inspects = warrant.permit.mask.inspects
        if inspects:
            parts = _forward(ask, self._inspected.get(ask.method, self._read))
            parts += _IDENTITY_CODING
        else:
            parts = _forward(ask, self._open)
        if length is None:
            parts += _CHUNKED
        elif length or ask.method in _LENGTH_EXPECTED:
            parts += (b"content-length: ", b"%d" % length, b"\r\n")
        values = b"".join(parts[1::3])
        if (
            start.count(CR) != 8
            or start.count(LF) != 8
            or CR in values
            or LF in values
            or NUL in start
            or NUL in values
        ):
            return None  # rule 5
        return b"".join((start, identity, *parts, b"\r\n")) if _LINE.fullmatch(target) else None

    def host(self, public: str, authority: str) -> str:
        """The Host header: the configured name, the caller's, or the address's own."""
        return self._host or (public if self._preserve and public else authority)

    def _target(self, ask: Ask, query: str) -> str:
        path = ask.path
        if self._strip:
            path = path[self._strip :] or "/"
        if self._add:
            path = self._add + path
        return f"{ask.method} {path}?{query}" if query else f"{ask.method} {path}"


def _prepared(names: "frozenset[str] | set[str]") -> dict[bytes, bytes]:
    return {name.encode("ascii"): f"{name}: ".encode("ascii") for name in names}


def _forward(ask: Ask, allowed: dict[bytes, bytes]) -> list[bytes]:
    """The caller's headers that are allowed, each as three parts: name, value, line end."""
    parts: list[bytes] = []
    named = b""
    for name, value in ask.headers:
        start = allowed.get(name)
        if start is not None:
            parts += (start, value, b"\r\n")
        elif name == b"connection":
            named += b"," + value
    return _without(named, parts) if named else parts


def _without(named: bytes, parts: list[bytes]) -> list[bytes]:
    """Without the fields that the caller's Connection header declares hop-by-hop (RFC 9110 section 7.6.1).

    What says how the body is to be read is for all who read it, and stays: `Connection: content-type` would have the service
    guess, and read as JSON what we took for a form.
    """
    tokens = {token.strip(b" \t") for token in named.lower().split(b",")}
    kept: list[bytes] = []
    for at in range(0, len(parts), 3):
        if parts[at][:-2] not in tokens or parts[at].startswith(b"content-"):
            kept += parts[at : at + 3]
    return kept
