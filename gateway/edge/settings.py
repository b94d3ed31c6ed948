"""What may come in, under which names, in which amounts?

Checked once when made; what a request needs is prepared here and looked up later. Rules:

1. A host or prefix that is not canonical stops the start, never a request at night.
2. Nobody is a trusted proxy unless named (CVE-2026-76835: a default of 0.0.0.0/0 undid a fix).
3. The longest prefix wins, by whole segments; an API answers only under its own hosts.
"""

import re
from collections.abc import Iterable
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal

from msgspec import Struct

from gateway.edge.target import canonical

Network = IPv4Network | IPv6Network
Mode = Literal["", "client-cert", "xfcc"]

MIB = 1024 * 1024
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?(?:\.(?!$)|$))+|\[[0-9a-f:.]+\]")
_PORT = re.compile(r":[1-9][0-9]{0,4}\Z")
_ORIGIN = re.compile(r"https?://[a-z0-9.\[\]:_-]+|null")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class Cors(Struct, frozen=True):
    """Which pages of other origins a browser may let read this API (fetch standard)."""

    origins: tuple[str, ...]
    methods: tuple[str, ...] = ("GET",)
    headers: tuple[str, ...] = ()
    credentials: bool = False
    max_age: float = 600.0  # seconds a browser may remember the answer
    exposed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for origin in self.origins:
            if origin == "*" and self.credentials:
                raise ValueError("origin `*` cannot go with credentials: name the origins")
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(f"`{origin}` is not an origin such as https://portal.example.gov")
        for name in (*self.methods, *self.headers, *self.exposed):
            if not _TOKEN.fullmatch(name):
                raise ValueError(f"`{name}` is not a method or header name")


class Api(Struct, frozen=True):
    """One protected API: every path at or below `prefix`, under `hosts` (none: all that are served)."""

    name: str
    prefix: str
    hosts: tuple[str, ...] = ()
    body_max: int = 10 * MIB
    cors: Cors | None = None

    def __post_init__(self) -> None:
        if canonical(self.prefix.encode("utf-8", "replace")) is None:
            raise ValueError(f"prefix `{self.prefix}` of API `{self.name}` is not a canonical path")
        _check_hosts(self.hosts)
        if self.body_max < 0:
            raise ValueError(f"body_max of API `{self.name}` is negative")


class Limits(Struct, frozen=True):
    """What one caller may take: bytes, counts, seconds."""

    header_bytes: int = 32768  # request line and headers together; also trailers, also chunk extensions
    header_count: int = 100
    target_bytes: int = 8192
    header_seconds: float = 10.0  # from the first byte (or the connection) to the end of the headers
    body_idle_seconds: float = 15.0
    body_seconds: float = 300.0
    keep_alive_seconds: float = 75.0
    write_idle_seconds: float = 30.0  # for the caller to take what one write left waiting
    small_body: int = 65536
    connections: int = 2000  # of one worker
    connections_per_address: int = 1000  # of one worker; trusted proxies speak for many and may take all
    in_flight: int = 256  # requests of one worker that are under way, not those that wait for their caller
    held_bytes: int = 256 * MIB  # of long answers that wait in one worker for callers who read slowly
    drain_seconds: float = 30.0

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if not getattr(self, name) > 0:
                raise ValueError(f"limit `{name}` must be greater than zero")
        if self.target_bytes > self.header_bytes:
            raise ValueError("limit `target_bytes` is larger than `header_bytes`")


class Settings(Struct, frozen=True, dict=True):
    """What edge needs to know. Empty `hosts` serves any host: allowed on loopback only (checked by config)."""

    apis: tuple[Api, ...] = ()
    hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    public_url: str = ""
    limits: Limits = Limits()
    terminated_client_certificate: Mode = ""

    def __post_init__(self) -> None:
        _check_hosts(self.hosts)
        if len({api.name for api in self.apis}) != len(self.apis):
            raise ValueError("two APIs have the same name")
        if self.terminated_client_certificate and not self.trusted_proxies:
            raise ValueError("a client certificate header needs trusted_proxies: nobody else may send it")
        if self.public_url.endswith("/"):
            raise ValueError(f"public_url `{self.public_url}` must not end with a slash")
        _ = self.networks, self.routes, self.any_host  # faults show at start

    @cached_property
    def networks(self) -> tuple[Network, ...]:
        """The networks of trusted proxies."""
        return tuple(_network(text) for text in self.trusted_proxies)

    @cached_property
    def routes(self) -> "dict[str, Routes]":
        """The APIs of each host by name, as `routes_of` looks them up."""
        hosts = {*self.hosts, *(host for api in self.apis for host in api.hosts)}
        return {host: Routes(api for api in self.apis if host in (api.hosts or self.hosts)) for host in hosts}

    @cached_property
    def any_host(self) -> "Routes | None":
        """The APIs under a host that is not listed; None when hosts are listed."""
        return None if self.hosts else Routes(api for api in self.apis if not api.hosts)

    @cached_property
    def by_name(self) -> dict[str, Api]:
        """The APIs by name."""
        return {api.name: api for api in self.apis}


class Routes:
    """The APIs of one host by path prefix, whole segments only, the longest first."""

    __slots__ = ("_apis", "_depth")

    def __init__(self, apis: Iterable[Api]) -> None:
        self._apis: dict[str, Api] = {}
        for api in apis:
            prefix = api.prefix.rstrip("/")
            if prefix in self._apis:
                raise ValueError(f"APIs `{self._apis[prefix].name}` and `{api.name}` share the prefix `{api.prefix}`")
            self._apis[prefix] = api
        self._depth = max((prefix.count("/") for prefix in self._apis), default=0)

    def find(self, path: str) -> Api | None:
        """The API with the longest prefix of this canonical path, or None."""
        apis = self._apis
        best = apis.get("")
        end = 0
        for _ in range(self._depth):  # never as deep as a hostile path
            end = path.find("/", end + 1)
            if end < 0:
                return apis.get(path, best)
            best = apis.get(path[:end], best)
        return best


def _check_hosts(hosts: tuple[str, ...]) -> None:
    for host in hosts:
        if not _HOST.fullmatch(_PORT.sub("", host)):
            raise ValueError(f"host `{host}` is not a lower-case host name, optionally with a port")


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ValueError(f"trusted proxy `{text}` is not an address or network: {error}") from error
