"""Whom do we believe, and what do their words mean here?

The issuers of tokens and the authorities of certificates, checked once at start. Rules:

1. An issuer is one exact string. Nothing is matched by prefix or part (CVE-2024-53861).
2. Two issuers never share a realm: else one could speak for the people of the other.
3. Keys travel over https. Plain http is for loopback, or for a switch that is named for what it does.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from re import compile as pattern
from typing import Final, Literal
from urllib.parse import urlsplit

from msgspec import Struct, field

from gateway.crypto.jws import ALGORITHMS

DEFAULT_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519")
_REALM: Final = pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
MAX_LEEWAY: Final = 60.0


class Claims(Struct, frozen=True):
    """Where the issuer keeps what we need: a claim's name, or a path such as `realm_access.roles`."""

    org: str = "org"
    roles: str = "roles"
    name: str = "name"
    clearance: str = "clearance"
    device: str = "device_id"
    session: str = "sid"
    purpose: str = "purpose"
    kind: str = ""  # a claim that says `person` or `service`; empty: told from `sub` and `client_id`


class Issuer(Struct, frozen=True):
    """One identity provider.

    `acr` maps its authentication context classes to assurance 0–3 and replaces the usual spellings.
    """

    url: str
    audiences: tuple[str, ...]
    jwks_uri: str = ""
    realm: str = ""
    typ: Literal["at+jwt", "any"] = "at+jwt"
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    claims: Claims = Claims()
    plaintext_allowed: bool = False
    acr: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        _require(not (parts.query or parts.fragment), f"issuer `{self.url}` has a query or fragment")
        for url in (self.url, self.jwks_uri) if self.jwks_uri else (self.url,):
            fault = url_fault(url, self.plaintext_allowed)
            _require(not fault, f"issuer `{self.url}`: {fault}")
        _require(bool(self.audiences) and all(self.audiences), f"issuer `{self.url}` has no audience")
        _require(not self.realm or bool(_REALM.match(self.realm)), f"realm `{self.realm}` is not a short word")
        unknown = [name for name in self.algorithms if name not in ALGORITHMS]
        _require(bool(self.algorithms) and not unknown, f"issuer `{self.url}`: cannot accept algorithms {unknown}")
        _require(all(0 <= level <= 3 for level in self.acr.values()), f"issuer `{self.url}`: assurance is 0 to 3")


class Authority(Struct, frozen=True):
    """A certificate authority and what its certificates prove; `certificates` are DER."""

    certificates: tuple[bytes, ...]
    realm: str = "cert"
    kind: Literal["person", "service", "device"] = "person"
    assurance: int = 3

    def __post_init__(self) -> None:
        _require(bool(self.certificates), f"the authority of realm `{self.realm}` has no certificate")
        _require(bool(_REALM.match(self.realm)), f"realm `{self.realm}` is not a short word")
        _require(0 <= self.assurance <= 3, f"the authority of realm `{self.realm}`: assurance is 0 to 3")


class Settings(Struct, frozen=True):
    """Everyone whose word counts. `leeway` and `cache_seconds` in seconds, each at most 60."""

    issuers: tuple[Issuer, ...] = ()
    authorities: tuple[Authority, ...] = ()
    leeway: float = 30.0
    cache_entries: int = 20_000
    cache_seconds: float = 60.0

    def __post_init__(self) -> None:
        urls = [issuer.url for issuer in self.issuers]
        realms = [issuer.realm for issuer in self.issuers]
        services = [one.realm for one in self.authorities if one.kind == "service"]
        _require(len(set(urls)) == len(urls), "an issuer stands twice")
        _require(len(set(realms)) == len(realms), "two issuers share a realm: give each its own")
        _require(set(services).isdisjoint(realms), "a realm belongs to an issuer and to an authority of services")
        anchors = [der for one in self.authorities for der in one.certificates]
        _require(len(set(anchors)) == len(anchors), "a certificate authority stands twice: what it proves is unclear")
        _require(0 <= self.leeway <= MAX_LEEWAY, f"leeway `{self.leeway}` is not within 0 to 60 seconds")
        _require(0 < self.cache_seconds <= 60, f"cache_seconds `{self.cache_seconds}` is not within 0 to 60 seconds")
        _require(self.cache_entries > 0, f"cache_entries `{self.cache_entries}` is not positive")


def _require(held: bool, fault: str) -> None:
    if not held:
        raise ValueError(fault)


def url_fault(url: str, plaintext_allowed: bool = False) -> str:
    """Why keys must not be fetched from this address; empty when they may be."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return f"`{url}` is not a URL"
    if not host or not url.isprintable() or " " in url or "\\" in url:
        return f"`{url}` is not a URL"
    if parts.username is not None or parts.fragment:
        return f"`{url}` has a user name or a fragment"
    if parts.scheme == "https" or (parts.scheme == "http" and (plaintext_allowed or is_loopback(host))):
        return ""
    return f"`{url}` is not https"


def is_loopback(host: str) -> bool:
    """Whether the name can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
