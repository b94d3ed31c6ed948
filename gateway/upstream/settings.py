"""Which services are there, where, and how long may each step take?

Everything is checked here once, so that nothing is checked per request. Rules:

1. Plain http leads to loopback only, unless `plaintext-upstream` says otherwise.
2. A header that the gateway itself sets, frames messages with, or treats as a credential cannot be
   named by an operator, in whatever spelling: `X_Gateway.Subject` is `x-gateway-subject` to many
   services (CVE-2025-64484, CVE-2026-54763, CVE-2026-88011).
3. All times are seconds.
"""

import re
from ipaddress import ip_address

from msgspec import Struct

SWITCHES = frozenset({"plaintext-upstream", "unverified-upstream"})

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = rf"{_LABEL}(?:\.{_LABEL})*"
_ADDRESS = re.compile(rf"(https?)://(\[[0-9A-Fa-f:.]+\]|{_NAME})(?::([0-9]{{1,5}}))?/?")
_HOST = re.compile(rf"{_NAME}(?::[0-9]{{1,5}})?")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,=:@%-]+)*")
_TARGET = re.compile(r"/[!-\"$-~]*")  # visible ASCII, no fragment
_TOKEN = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_SPELLING = re.compile(r"[^a-z0-9]")

HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-connection",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "http2-settings",
    ]
)
_OURS = frozenset(
    [
        "host",
        "content-length",
        "expect",
        "authorization",
        "x-request-id",
        "traceparent",
        "x-content-type-options",
        "client-cert",
        "client-cert-chain",
        "x-real-ip",
        "forwarded",
    ]
)
_OUR_FAMILIES = ("x-gateway-", "x-forwarded-", "proxy-")


def canonical_name(name: str) -> str:
    """The spelling in which names are compared: lower case, everything but letters and digits a dash."""
    return _SPELLING.sub("-", name.lower())


def is_reserved(name: str) -> bool:
    """Whether some service could take this name for one that only the gateway may set."""
    spelled = canonical_name(name)
    return spelled in HOP_BY_HOP or spelled in _OURS or spelled.startswith(_OUR_FAMILIES)


class Endpoint(Struct, frozen=True):
    """One address of a service, taken apart."""

    scheme: str
    host: str  # lower case, without brackets
    port: int

    @property
    def authority(self) -> str:
        """As in a Host header: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether nothing on a network can listen in."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


def endpoint(address: str) -> Endpoint:
    """Take `https://host:port` apart. Raises ValueError that says what is wrong."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise ValueError(f"address `{address}` is not of the form https://host:port (a path goes into `add_prefix`)")
    scheme, host, port = found.groups()
    number = int(port) if port else (443 if scheme == "https" else 80)
    if not 0 < number < 65536:
        raise ValueError(f"address `{address}` has a port outside 1 to 65535")
    if host.startswith("["):
        _must_be_ipv6(host[1:-1], address)
    return Endpoint(scheme, host.strip("[]").lower(), number)


def _must_be_ipv6(host: str, address: str) -> None:
    try:
        ip_address(host)
    except ValueError as error:
        raise ValueError(f"address `{address}` has no IPv6 address between its brackets") from error


class Timeouts(Struct, frozen=True):
    """How long each step may take, in seconds. Time in which the gateway itself stood still is not charged."""

    connect: float = 3.0  # TCP and TLS; also how long a request waits for a free connection
    first_byte: float = 30.0  # from the last byte of the request to the complete head of the reply
    idle: float = 30.0  # between two pieces of a body, either way
    total: float = 300.0  # the whole exchange, however busy
    keep_alive: float = 4.0  # an unused connection; below the 5 s after which uvicorn and node hang up

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if not 0 < value <= 86400:
                raise ValueError(f"timeout `{name}` is `{value}`; it must be more than 0 s and at most a day")


class Health(Struct, frozen=True):
    """An active check: GET `path` must answer 2xx or 3xx within `timeout`."""

    path: str
    every: float = 5.0
    timeout: float = 2.0
    failures: int = 2  # in a row, before the address is taken out

    def __post_init__(self) -> None:
        if not _TARGET.fullmatch(self.path):
            raise ValueError(f"health path `{self.path}` must start with / and hold no spaces")
        if self.every <= 0 or self.timeout <= 0 or self.failures < 1:
            raise ValueError("health `every` and `timeout` must be more than 0 s, `failures` at least 1")


class Assertion(Struct, frozen=True):
    """The signed statement about the caller that goes with each request."""

    issuer: str = ""  # public_url
    lifetime: float = 60.0
    reuse: float = 30.0
    per_request: bool = False  # bind each one to its decision, method and path: 50 µs more per request
    cache_entries: int = 4096

    def __post_init__(self) -> None:
        if not 1 <= self.lifetime <= 60:
            raise ValueError(f"assertion lifetime is `{self.lifetime}`; it must be 1 to 60 s")
        if not 0 <= self.reuse <= min(30.0, self.lifetime):
            raise ValueError(f"assertion reuse is `{self.reuse}`; it must be 0 to 30 s and not exceed the lifetime")
        if self.cache_entries < 1:
            raise ValueError("assertion `cache_entries` must be at least 1")


class Service(Struct, frozen=True):
    """One API's service: its addresses and everything that is said to it and heard from it."""

    name: str
    addresses: tuple[str, ...]
    prefix: str = ""  # the public prefix of the API; in this and the next two, `/` is the same as nothing
    strip_prefix: str = ""  # taken off the path before forwarding
    add_prefix: str = ""  # then put in front
    host: str = "upstream"  # Host sent: `upstream`, `preserve`, or a name
    ca: bytes = b""  # PEM; empty: the system's authorities
    client_cert: bytes = b""  # PEM
    client_key: bytes = b""  # PEM
    timeouts: Timeouts = Timeouts()
    forward_headers: tuple[str, ...] = ()  # beyond the defaults
    return_headers: tuple[str, ...] = ()  # beyond the defaults
    pool_size: int = 64  # connections per address
    health: Health | None = None
    insecure: tuple[str, ...] = ()
    server_name: str = ""  # name in the certificate, where it is not the address's host

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a service needs a name")
        try:
            self._check()
        except ValueError as error:
            raise ValueError(f"service `{self.name}`: {error}") from error

    def _check(self) -> None:
        self._check_addresses()
        self._check_prefixes()
        self._check_headers()
        if self.host not in {"upstream", "preserve"} and not _HOST.fullmatch(self.host):
            raise ValueError(f"host `{self.host}` must be `upstream`, `preserve` or a host name")
        if self.server_name and not _HOST.fullmatch(self.server_name):
            raise ValueError(f"server name `{self.server_name}` is not a host name")
        if not 1 <= self.pool_size <= 10_000:
            raise ValueError(f"pool size is `{self.pool_size}`; it must be 1 to 10000")
        if bool(self.client_cert) != bool(self.client_key):
            raise ValueError("a client certificate and its key must be given together")

    def _check_addresses(self) -> None:
        unknown = set(self.insecure) - SWITCHES
        if unknown:
            raise ValueError(f"unknown switch `{min(unknown)}`; possible: {', '.join(sorted(SWITCHES))}")
        if not self.addresses:
            raise ValueError("at least one address is needed")
        if len(set(self.endpoints)) != len(self.addresses):
            raise ValueError("the same address stands twice")
        for end in self.endpoints:
            if end.scheme == "http" and not end.loopback and "plaintext-upstream" not in self.insecure:
                raise ValueError(f"address `{end}` is not encrypted; use https, or the switch `plaintext-upstream`")

    def _check_prefixes(self) -> None:
        for name in ("prefix", "strip_prefix", "add_prefix"):
            value = getattr(self, name)
            if value != "/" and (not _PREFIX.fullmatch(value) or {".", ".."} & set(value.split("/"))):
                raise ValueError(f"{name} `{value}` must be like /a/b: no slash at the end, no dot segments")
        if not under(self.prefix, self.strip_prefix.rstrip("/")):
            raise ValueError(f"strip_prefix `{self.strip_prefix}` must be the beginning of the prefix `{self.prefix}`")

    def _check_headers(self) -> None:
        for name in (*self.forward_headers, *self.return_headers):
            if not _TOKEN.fullmatch(name):
                raise ValueError(f"`{name}` is not a header name in lower case")
            if is_reserved(name):
                raise ValueError(f"header `{name}` belongs to the gateway and cannot be named here")

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The addresses, taken apart."""
        return tuple(endpoint(address) for address in self.addresses)


class Settings(Struct, frozen=True):
    """All services and the assertion they get."""

    services: tuple[Service, ...]
    assertion: Assertion = Assertion()

    def __post_init__(self) -> None:
        names = [service.name for service in self.services]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"service `{min(twice)}` stands twice")


def under(path: str, prefix: str) -> bool:
    """Whether the path lies under the prefix, segment by segment: `/civilian` is not under `/civil`."""
    return not prefix or path == prefix or path.startswith(prefix + "/")
