"""What may a proxy in front of us say about the caller?

Nothing, unless its address at the other end of the connection is listed. Rules:

1. The caller's address is the rightmost entry of X-Forwarded-For that is not itself a trusted
   proxy: everything left of it was written by the caller.
2. A certificate header counts only from a trusted proxy and only in the one spelling that is
   configured (RFC 9440 `Client-Cert`, or Envoy's XFCC); then the proxy's own TLS certificate
   is never taken for the caller's.
3. What a trusted proxy sends and we cannot read is an error, not "no certificate".
"""

import binascii
import ssl
from base64 import b64decode, urlsafe_b64encode
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal, TypeVar
from urllib.parse import unquote_to_bytes

from gateway.edge.settings import Settings
from gateway.facts import Certificate, Headers

HOPS_MAX = 32
CERTIFICATE_MAX = 16384  # bytes of one DER certificate
CACHE_MAX = 1024

K = TypeVar("K")
V = TypeVar("V")


class Misread(Exception):
    """A trusted proxy said something that cannot be read; the text is for operators."""


def is_trusted(peer: str, settings: Settings) -> bool:
    """Whether this peer is one of the trusted proxies."""
    if not settings.networks:
        return False
    known = _trust.get((peer, settings.trusted_proxies))
    if known is None:
        known = _in_networks(peer, settings)
        _remember(_trust, (peer, settings.trusted_proxies), known)
    return known


def source(peer: str, headers: Headers, settings: Settings) -> str:
    """The caller's address by X-Forwarded-For, seen from a trusted peer. Raises Misread."""
    hops = b",".join(value for name, value in headers if name == b"x-forwarded-for").split(b",")
    if hops == [b""]:
        return peer
    if len(hops) > HOPS_MAX:
        raise Misread("x-forwarded-for names too many hops")
    nearest = peer
    for hop in reversed(hops):
        nearest = plain_address(_without_port(hop.strip().decode("ascii", "replace")))
        if not nearest:
            raise Misread("x-forwarded-for holds something that is not an address")
        if not is_trusted(nearest, settings):
            break
    return nearest


def scheme(given: str, fields: dict[bytes, bytes]) -> str:
    """The scheme the caller used, as the trusted proxy that ended TLS tells it. Raises Misread."""
    told = fields.get(b"x-forwarded-proto")
    if told is None:
        return given
    if told not in (b"http", b"https"):
        raise Misread("x-forwarded-proto is neither http nor https")
    return told.decode("ascii")


def certificate_of(der: bytes, via: Literal["tls", "client-cert", "xfcc"]) -> Certificate:
    """The certificate with its thumbprint x5t#S256; remembered, one connection sends it often."""
    known = _certificates.get((der, via))
    if known is None:
        known = Certificate(der, urlsafe_b64encode(sha256(der).digest()).rstrip(b"=").decode("ascii"), via)
        _remember(_certificates, (der, via), known)
    return known


def certificate(headers: Headers, settings: Settings) -> Certificate | None:
    """The caller's certificate as a trusted proxy passes it on. Raises Misread."""
    if settings.terminated_client_certificate == "client-cert":
        return _client_cert(headers)
    return _xfcc(headers)


def plain_address(text: str) -> str:
    """An address in its usual spelling, IPv4 also when it came mapped into IPv6; "" for anything else."""
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return ""
        return str(address.ipv4_mapped or address)
    return str(address)


_trust: dict[tuple[str, tuple[str, ...]], bool] = {}
_certificates: dict[tuple[bytes, str], Certificate] = {}


def _remember(table: dict[K, V], key: K, value: V) -> None:
    if len(table) >= CACHE_MAX:
        table.clear()  # keys may come from callers: bounded, and rebuilt cheaply
    table[key] = value


def _in_networks(peer: str, settings: Settings) -> bool:
    plain = plain_address(peer)
    if not plain:
        return False
    address = ip_address(plain)
    return any(address.version == network.version and address in network for network in settings.networks)


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _single(headers: Headers, name: bytes) -> bytes | None:
    values = [value for key, value in headers if key == name]
    if len(values) > 1:
        raise Misread(f"{name.decode('ascii')} was sent {len(values)} times")
    return values[0] if values else None


def _client_cert(headers: Headers) -> Certificate | None:
    leaf = _single(headers, b"client-cert")
    chain = b",".join(value for name, value in headers if name == b"client-cert-chain")
    if leaf is None:
        if chain:
            raise Misread("client-cert-chain without client-cert")
        return None
    found = certificate_of(_byte_sequence(leaf), "client-cert")
    if not chain:
        return found
    return Certificate(found.der, found.thumbprint, found.via, tuple(map(_byte_sequence, chain.split(b","))))


def _byte_sequence(item: bytes) -> bytes:
    """A structured-field byte sequence (RFC 9651 section 3.3.5): `:base64:`."""
    item = item.strip(b" \t")
    if len(item) < 3 or item[:1] != b":" or item[-1:] != b":" or len(item) > CERTIFICATE_MAX * 4 // 3:
        raise Misread("client-cert is not a byte sequence `:…:`")
    try:
        return b64decode(item[1:-1], validate=True)
    except binascii.Error as error:
        raise Misread("client-cert is not base64") from error


def _xfcc(headers: Headers) -> Certificate | None:
    text = b",".join(value for name, value in headers if name == b"x-forwarded-client-cert")
    if not text:
        return None
    nearest = _elements(text.decode("ascii", "replace"))[-1]  # the last one was written by our peer
    encoded = nearest.get("cert", "")
    if not encoded:
        raise Misread("x-forwarded-client-cert has no Cert: let the proxy send it")
    try:
        der = ssl.PEM_cert_to_DER_cert(unquote_to_bytes(encoded).decode("ascii"))
    except ValueError as error:
        raise Misread("Cert of x-forwarded-client-cert is not a PEM certificate") from error
    if len(der) > CERTIFICATE_MAX:
        raise Misread("Cert of x-forwarded-client-cert is too large")
    if "hash" in nearest and nearest["hash"].lower() != sha256(der).hexdigest():
        raise Misread("Hash and Cert of x-forwarded-client-cert do not belong together")
    return certificate_of(der, "xfcc")


def _elements(text: str) -> list[dict[str, str]]:
    """XFCC elements. Quotes are honoured: a crafted subject may hold `,` and `;` (identity injection)."""
    elements: list[dict[str, str]] = [{}]
    position = 0
    while position < len(text):
        equals = text.find("=", position)
        key = text[position:equals].strip().lower()
        if equals < 0 or not key.isalpha():
            raise Misread("x-forwarded-client-cert is not a list of key=value")
        value, position = _value(text, equals + 1)
        if key in elements[-1] and key not in ("dns", "uri"):
            raise Misread(f"x-forwarded-client-cert names `{key}` twice")
        elements[-1][key] = value
        if position < len(text):
            if text[position] == ",":
                elements.append({})
            elif text[position] != ";":
                raise Misread("x-forwarded-client-cert is not a list of key=value")
            position += 1
    return elements


def _value(text: str, start: int) -> tuple[str, int]:
    """One value and where it ends: bare up to `,` or `;`, or quoted with backslash escapes."""
    if text[start : start + 1] != '"':
        end = start
        while end < len(text) and text[end] not in ",;":
            end += 1
        return text[start:end].strip(), end
    out: list[str] = []
    position = start + 1
    while position < len(text):
        char = text[position]
        if char == '"':
            return "".join(out), position + 1
        if char == "\\":
            position += 1
            char = text[position : position + 1]
        out.append(char)
        position += 1
    raise Misread("x-forwarded-client-cert has an open quote")
