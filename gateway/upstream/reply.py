"""What of the service's answer may reach the caller's browser?

Header fields pass by allow-list; some are rewritten on the way. Rules:

1. A reference into the service's own address space is mapped back into the public one, the inverse of
   `strip_prefix` and `add_prefix`.
2. An address from behind the gateway is never told: a reference to one that cannot be mapped is dropped.
   A reference to a foreign public site passes unchanged.
3. A cookie passes only when the API names `set-cookie`; it then lives under the API's prefix, on this
   host only, and over https only with Secure.
4. Framing and hop-by-hop fields never pass, but for Content-Length, which the reader has found to be true or unprovable.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address

from gateway.facts import Ask, Headers
from gateway.upstream.settings import Service, under

RETURNED = frozenset(
    [
        "content-type",
        "content-length",
        "content-language",
        "content-encoding",
        "content-disposition",
        "cache-control",
        "expires",
        "etag",
        "last-modified",
        "vary",
        "accept-ranges",
        "content-range",
        "location",
        "content-location",
        "retry-after",
        "link",
        "allow",
        "deprecation",
        "sunset",
        "warning",
    ]
)

_ABSOLUTE = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?//([^/?#]*)([/?#].*)?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_REFERENCE = re.compile(r"(?![<>\"\\^`{|}])[!-~]+")
_UNSAFE = frozenset('<>"\\^`{|}')
_TARGET = re.compile(r"<([^<>]*)>")  # with `<` inside, 60 kB of `<` took 21 seconds
_PORT = re.compile(r":[0-9]*\Z")

Rewrite = Callable[[bytes, Ask], bytes | None]


class Returns:
    """Reads the headers of one service's answers. `internal` holds the hosts of all services."""

    def __init__(self, service: Service, internal: frozenset[str]) -> None:
        self._strip, self._add = service.strip_prefix.rstrip("/"), service.add_prefix.rstrip("/")
        self._prefix = service.prefix or "/"
        self._internal = internal
        named = () if service.host in {"upstream", "preserve"} else (service.host.lower(),)
        self._origins = frozenset((*(end.authority for end in service.endpoints), *named))
        rules: dict[bytes, Rewrite | None] = {name.encode(): None for name in (*RETURNED, *service.return_headers)}
        rules[b"location"] = rules[b"content-location"] = self._location
        rules[b"link"] = self._link
        if b"set-cookie" in rules:
            rules[b"set-cookie"] = self._cookie
        self._rules = rules

    def headers(self, fields: list[tuple[bytes, bytes]], ask: Ask) -> Headers:
        """The fields that may pass, rewritten where they must be."""
        rules = self._rules
        passed = []
        for pair in fields:
            if pair[0] not in rules:
                continue
            rewrite = rules[pair[0]]
            if rewrite is None:
                passed.append(pair)
            elif (value := rewrite(pair[1], ask)) is not None:
                passed.append((pair[0], value))
        return tuple(passed)

    def _location(self, value: bytes, ask: Ask) -> bytes | None:
        public = self.reference(value.decode("latin-1"), ask.host)
        return None if public is None else public.encode("ascii")

    def _link(self, value: bytes, ask: Ask) -> bytes | None:
        text = value.decode("latin-1")
        mapped = [self.reference(found, ask.host) for found in _TARGET.findall(text)]
        if not mapped or None in mapped or not len(mapped) == text.count("<") == text.count(">"):
            return None  # what stands outside of a pair was not looked at
        public = iter(mapped)
        return _TARGET.sub(lambda _: f"<{next(public)}>", text).encode("latin-1")

    def reference(self, text: str, public_host: str) -> str | None:
        """The reference as the caller may see it; None when it must not be told."""
        if not _REFERENCE.fullmatch(text) or not _UNSAFE.isdisjoint(text):
            return None  # browsers read `/\\host` and tabs in ways of their own
        absolute = _ABSOLUTE.fullmatch(text)
        if absolute is not None:
            return self._foreign_or_mapped(text, absolute, public_host)
        if text.startswith("/"):
            return self._public_path(text)
        # `mailto:` and its like name no place here; `http:host` does, to some browsers
        return None if _SCHEME.match(text) else text

    def _foreign_or_mapped(self, text: str, absolute: "re.Match[str]", public_host: str) -> str | None:
        scheme, authority, rest = (
            (absolute[1] or "").lower(),
            absolute[2].rpartition("@")[2].lower(),
            absolute[3] or "/",
        )
        authority = authority.removesuffix(":443" if scheme == "https" else ":80")
        if authority in self._origins or (authority and authority == public_host):
            return self._public_path(rest if rest.startswith("/") else "/" + rest)
        if scheme not in {"http", "https", ""} or "%" in authority or self._is_internal(authority):
            return None
        return text

    def _is_internal(self, authority: str) -> bool:
        host = _PORT.sub("", authority).strip("[]").rstrip(".")
        if host in self._internal or host == "localhost" or ("." not in host and ":" not in host):
            return True
        try:
            return not ip_address(host).is_global
        except ValueError:  # a name; or digits that some resolvers take for an address: 0x7f.1
            return host.rpartition(".")[2][:1].isdigit()

    def _public_path(self, reference: str) -> str | None:
        """The inverse of what the request's path went through."""
        end = min((at for at in map(reference.find, "?#") if at >= 0), default=len(reference))
        path, rest = reference[:end], reference[end:]
        if not under(path, self._add):
            return None
        public = self._strip + (path[len(self._add) :] or "/") + rest
        return None if public.startswith("//") else public  # `//10.0.0.5/x` would name a host

    def _cookie(self, value: bytes, ask: Ask) -> bytes | None:
        pair, *attributes = [part.strip() for part in value.split(b";")]
        path, secure, kept = self._prefix, ask.scheme == "https", [pair]
        for attribute in attributes:
            name, _, said = attribute.partition(b"=")
            match name.strip().lower():
                case b"domain":
                    continue  # the cookie is for this host alone
                case b"path":
                    path = self._cookie_path(said.strip().decode("latin-1"))
                case b"secure":
                    secure = True
                case _:
                    kept.append(attribute)
        kept.append(b"Path=" + path.encode("ascii"))
        if secure:
            kept.append(b"Secure")
        return b"; ".join(kept) if b"=" in pair else None

    def _cookie_path(self, said: str) -> str:
        """The public form of the path; nothing outside the API's own prefix."""
        public = self._public_path(said) if said.startswith("/") and _REFERENCE.fullmatch(said) else None
        return public if public is not None and under(public, self._prefix.rstrip("/")) else self._prefix
