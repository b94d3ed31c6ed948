"""What do `30s`, `10MiB`, `10.20.0.0/16` and `0.0.0.0:8443` mean?

Plain functions from text to value; each raises `Odd` with the kind of fault (`gateway.config.codes`).
"""

import ipaddress
import re
import zoneinfo
from urllib.parse import urlsplit

from msgspec import Struct

DAY = 86400.0
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": DAY, "w": 7 * DAY, "mo": 30.5 * DAY, "y": 365 * DAY}
_SIZES = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "kB": 1000, "MB": 1000**2, "GB": 1000**3}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h|d|w|mo|y)\Z")
_SIZE = re.compile(r"([0-9]{1,15})(B|KiB|MiB|GiB|kB|MB|GB)\Z")
_HOST = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?)*\Z"
)
_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])\Z")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
_SEGMENTS = re.compile(r"(?:/[A-Za-z0-9_~!$&'()*+,=:@.-]+)*\Z")
_TOKEN = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,64}\Z")

RESERVED = ("/.gateway", "/.well-known")
_OURS = ("x-gateway-", "x-forwarded-")
_NEVER = frozenset(
    (
        "authorization", "proxy-authorization", "forwarded", "connection", "keep-alive", "te", "trailer", "upgrade",
        "transfer-encoding", "content-length", "host", "proxy-connection", "x-real-ip", "x-request-id",
    )
)  # fmt: skip


class Odd(ValueError):
    """The text is not such a value; `kind` is a key of `gateway.config.codes.CODES`."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Address(Struct, frozen=True):
    """Where to listen: a host name or address without brackets, and a port (0: any free one)."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def duration(text: str) -> float:
    """Seconds: `30s`, `24h`, `6mo` (30.5 days each), `3y` (365 days each)."""
    found = _DURATION.match(text)
    if found is None:
        raise Odd("duration")
    return float(found[1]) * _UNITS[found[2]]


def size(text: str) -> int:
    """Bytes: `512KiB`, `10MiB`, `10MB`."""
    found = _SIZE.match(text)
    if found is None:
        raise Odd("size")
    return int(found[1]) * _SIZES[found[2]]


def spelled(number: float, like: str) -> str:
    """A number in the units of a size or a duration like this one, or as it is: 1024 like `10B` is `1KiB`."""
    for pattern, table in ((_SIZE, _SIZES), (_DURATION, _UNITS)):
        if number and pattern.match(like):
            whole = {name: worth for name, worth in table.items() if (number / worth).is_integer()} or table
            unit = max(whole, key=whole.__getitem__)
            return f"{number / table[unit]:g}{unit}"
    return f"{number:g}" if isinstance(number, float) else str(number)


def network(text: str) -> str:
    """A network in canonical form. Nobody may trust everybody (CVE-2026-76835)."""
    try:
        found = ipaddress.ip_network(text)
    except ValueError:
        raise Odd("cidr") from None
    if found.prefixlen == 0:
        raise Odd("cidr_everyone")
    return str(found)


def address(text: str) -> Address:
    """An address and a port; a name other than `localhost` is not resolved and not accepted."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    if not colon or not port.isascii() or not port.isdigit() or len(port) > 5 or int(port) > 65535:
        raise Odd("address")
    if host == "localhost":
        return Address(host, int(port))
    try:
        if (ipaddress.ip_address(host).version == 6) is not bracketed:
            raise Odd("address")
    except ValueError:
        raise Odd("address") from None
    return Address(host, int(port))


def is_loopback(host: str) -> bool:
    """Whether this host is the machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host(text: str) -> str:
    """A host name or address in lower case; with a port only that port is served."""
    if _HOST.match(re.sub(r":[1-9][0-9]{0,4}\Z", "", text)):
        return text
    try:
        return str(ipaddress.ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        raise Odd("host") from None


def url(text: str) -> str:
    """An http(s) address with a host, without credentials, query and fragment."""
    parts = _split(text, "url")
    if parts[0] not in ("http", "https") or "?" in text or "#" in text:
        raise Odd("url")
    return text


def upstream_url(text: str) -> str:
    """Scheme, host and port of a service: the path is the request's own."""
    parts = _split(text, "upstream_url")
    if parts[0] not in ("http", "https") or parts[2] not in ("", "/") or "?" in text or "#" in text:
        raise Odd("upstream_url")
    return text.removesuffix("/")


def url_host(text: str) -> str:
    """The host of an address that `url` or `upstream_url` has accepted."""
    return urlsplit(text).hostname or ""


def _split(text: str, kind: str) -> tuple[str, str, str]:
    try:
        parts = urlsplit(text)
        port, name = parts.port, parts.hostname
    except ValueError:
        raise Odd(kind) from None
    if "@" in parts.netloc:
        raise Odd("secret_in_url")
    if not name or port == 0 or any(c <= " " or c == "\x7f" for c in text):
        raise Odd(kind)
    return parts.scheme, name, parts.path


def match(text: str) -> str:
    """The prefix of `/civil/households/**`: whole segments, `""` for everything."""
    if not text.endswith("/**"):
        raise Odd("match_form")
    prefix = text[:-3]
    if not _SEGMENTS.match(prefix) or {".", "..", "*", "**"} & set(prefix.split("/")):
        raise Odd("match_form")
    if any(prefix == taken or prefix.startswith(taken + "/") for taken in RESERVED):
        raise Odd("match_reserved")
    return prefix


def path(text: str) -> str:
    """A path in canonical form, without query."""
    if not text.startswith("/") or {".", ".."} & set(text.split("/")):
        raise Odd("path")
    if text != "/" and not _SEGMENTS.match(text):
        raise Odd("path")
    return text


def name(text: str) -> str:
    """A plain name: it becomes a metric label and stands in entries."""
    if not _NAME.match(text):
        raise Odd("name")
    return text


def header_name(text: str) -> str:
    """A header that an API may let pass. What the gateway itself says about the caller never comes from outside.

    Compared after mapping every separator to `-`, as some servers do (CVE-2025-64484, CVE-2026-54763).
    """
    lower = text.lower()
    plain = re.sub(r"[^a-z0-9]", "-", lower)
    if not _TOKEN.match(lower) or plain in _NEVER or plain.startswith(_OURS):
        raise Odd("header_name")
    return lower


def zone(text: str) -> str:
    """The name of a time zone this machine knows."""
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise Odd("timezone") from None
    return text


def hours(text: str) -> tuple[int, int]:
    """Minutes since midnight: `07:00-20:00` is (420, 1200)."""
    found = _HOURS.match(text)
    if found is None:
        raise Odd("hours")
    begin, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if begin >= end:
        raise Odd("hours")
    return begin, end
