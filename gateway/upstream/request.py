"""What exactly is sent to the service?

Everything that can be is prepared when the service is made. Rules:

1. The path is the one that was decided on, byte for byte, apart from the configured prefixes.
2. The caller's headers pass by allow-list, in their one lower-case spelling: `X_Gateway_Subject`,
   `X.Forwarded.For` and whatever spelling comes next are simply not on it.
3. What the gateway says is written by the gateway, always, also when there is nothing to say
   (GHSA-7r4p-vjf4-gxv4); `Connection: x-forwarded-for` cannot strip it (CVE-2024-45410,
   CVE-2022-31813): the caller's Connection header only strips the caller's own fields.
4. Where the answer will be inspected, nothing is forwarded that would make it partial, conditional
   or coded.
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
NOT_ON_INSPECTED = frozenset({"range", "if-range", "if-none-match", "if-modified-since", "accept-encoding"})

_LINE = re.compile(r"[A-Z]{1,20} /[!-\"$-~]*")  # no space, control, fragment or anything beyond ASCII
_LENGTH_EXPECTED = frozenset({"POST", "PUT", "PATCH"})


class Requests:
    """Writes the requests to one service."""

    def __init__(self, service: Service) -> None:
        names = FORWARDED | set(service.forward_headers)
        self._open = _prepared(names)
        self._inspected = _prepared(names - NOT_ON_INSPECTED)
        self._prefix = service.prefix
        self._strip = len(service.strip_prefix)
        self._add = service.add_prefix
        self._host = "" if service.host in {"upstream", "preserve"} else service.host
        self._preserve = service.host == "preserve"

    def head(self, warrant: Warrant, identity: bytes, authority: str, length: int | None) -> bytes | None:
        """The request up to its body of `length` bytes (None: chunked); None when it cannot be written safely."""
        ask = warrant.facts.ask
        if not under(ask.path, self._prefix):
            return None
        target = self._target(ask)
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
        parts = [start, identity]
        lines = 8 + identity.count(b"\n")
        lines += _forward(ask, self._inspected if inspects else self._open, parts)
        if inspects:
            parts.append(b"accept-encoding: identity\r\n")
            lines += 1
        if length is None:
            parts.append(b"transfer-encoding: chunked\r\n")
            lines += 1
        elif length or ask.method in _LENGTH_EXPECTED:
            parts.append(b"content-length: %d\r\n" % length)
            lines += 1
        parts.append(b"\r\n")
        head = b"".join(parts)
        safe = (
            head.count(b"\n") == head.count(b"\r") == lines + 1
            and b"\0" not in head
            and _LINE.fullmatch(target)  # rule 5
        )
        return head if safe else None

    def host(self, public: str, authority: str) -> str:
        """The Host header: the configured name, the caller's, or the address's own."""
        return self._host or (public if self._preserve and public else authority)

    def _target(self, ask: Ask) -> str:
        path = ask.path
        if self._strip:
            path = path[self._strip :] or "/"
        if self._add:
            path = self._add + path
        return f"{ask.method} {path}?{ask.query}" if ask.query else f"{ask.method} {path}"


def _prepared(names: "frozenset[str] | set[str]") -> dict[bytes, bytes]:
    return {name.encode("ascii"): f"{name}: ".encode("ascii") for name in names}


def _forward(ask: Ask, allowed: dict[bytes, bytes], parts: list[bytes]) -> int:
    """Add the caller's headers that are allowed; returns how many lines that were."""
    lines = 0
    named = b""
    for name, value in ask.headers:
        start = allowed.get(name)
        if start is not None:
            parts.append(b"%b%b\r\n" % (start, value))
            lines += 1
        elif name == b"connection":
            named += b"," + value
    if named and named.lower() not in {b",close", b",keep-alive"}:
        return lines - _strip_named(named, allowed, parts)
    return lines


def _strip_named(named: bytes, allowed: dict[bytes, bytes], parts: list[bytes]) -> int:
    """Take out the caller's fields that its Connection header declares hop-by-hop (RFC 9110 section 7.6.1)."""
    tokens = {token.strip(b" \t") for token in named.lower().split(b",")}
    starts = tuple(start for name, start in allowed.items() if name in tokens)
    if not starts:
        return 0
    ours, caller = parts[:2], parts[2:]
    kept = [part for part in caller if not part.startswith(starts)]
    parts[:] = ours + kept
    return len(caller) - len(kept)
