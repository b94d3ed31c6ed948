"""Where does an address stand?

The longest prefix among the operator's networks names the site. An address that is on no list is a
place of its own: its /24 (IPv4) or /48 (IPv6). Rules:

1. `vpn`, `nat` and `mobile` are places where addresses say nothing about people: they are never new,
   and nobody moves by changing to them.
2. An IPv4 address inside IPv6 (`::ffff:10.0.0.1`) is the IPv4 address; an IPv6 host is its /64, for a
   single host can have all of those.
3. Answers are remembered, bounded: sources are free to invent.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from msgspec import Struct

from gateway.document import Faulty, FileFault, Node, parse, read

SiteKind = Literal["office", "dc", "vpn", "nat", "mobile"]
KINDS: tuple[SiteKind, ...] = get_args(SiteKind)
VAGUE = frozenset(("vpn", "nat", "mobile"))
REMEMBERED = 20_000
_KEYS = ("name", "networks", "kind")


class Site(Struct, frozen=True):
    """A place of the operator's: its networks as CIDR, and what kind of place it is."""

    name: str
    networks: tuple[str, ...]
    kind: SiteKind = "office"

    def __post_init__(self) -> None:
        for network in self.networks:
            ip_network(network)  # raises ValueError, as does a network with host bits


class Place(NamedTuple):
    """Where a request comes from."""

    source: str  # the address, or the /64 of it
    site: str
    vague: bool  # the place says nothing about the person
    listed: bool  # many may share it, and the operator knows it


class Sites:
    """The operator's networks, ready to be asked."""

    def __init__(self, sites: tuple[Site, ...]) -> None:
        self._by_length: dict[tuple[int, int], dict[int, Site]] = {}
        for site in sites:
            for text in site.networks:
                network = ip_network(text)
                prefixes = self._by_length.setdefault((network.version, network.prefixlen), {})
                prefixes[int(network.network_address)] = site
        self._order = sorted(self._by_length, key=lambda key: -key[1])
        self._known: dict[str, Place] = {}

    def place(self, source: str) -> Place:
        """The place of an address."""
        place = self._known.get(source)
        if place is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            place = self._known[source] = self._find(source)
        return place

    def _find(self, source: str) -> Place:
        try:
            address = ip_address(source)
        except ValueError:  # a Unix socket, or nothing: one place for all of them
            return Place(source[:64], "none", vague=True, listed=False)
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        name = _host(address)
        site = self._site(address)
        if site is not None:
            return Place(name, site.name, site.kind in VAGUE, listed=True)
        return Place(name, f"net:{_neighbourhood(address)}", vague=False, listed=False)

    def _site(self, address: IPv4Address | IPv6Address) -> Site | None:
        bits, number = address.max_prefixlen, int(address)
        for version, length in self._order:
            if version == address.version:
                site = self._by_length[version, length].get(number >> (bits - length) << (bits - length))
                if site is not None:
                    return site
        return None


def _host(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address, 64), strict=False))


def _neighbourhood(address: IPv4Address | IPv6Address) -> str:
    length = 24 if address.version == 4 else 48
    return str(ip_network(f"{address}/{length}", strict=False))


# --- policies/sites.yaml ----------------------------------------------------------------------


def load_sites(path: Path) -> tuple[Site, ...]:
    """Read the sites. Raises Faulty with every fault (B001 … B006)."""
    return _sites(read(path))


def parse_sites(text: str, file: str) -> tuple[Site, ...]:
    """Read the sites from text. Raises Faulty."""
    return _sites(parse(text, file))


def _sites(root: Node) -> tuple[Site, ...]:
    if root.value is None:
        return ()
    if not isinstance(root.value, dict):
        raise Faulty([root.fault("B001", "expected `sites:` with a list", "应为 `sites:` 及其列表")])
    faults = list(root.unknown_keys(("sites",), "B001"))
    listed = root.value.get("sites")
    rows = listed.value if listed is not None else None
    if rows is not None and not isinstance(rows, list):
        faults.append(root.fault("B001", "`sites` must be a list", "`sites` 必须是列表"))
        rows = None
    sound = [row for row in rows or () if not _gather(_row_faults(row), faults)]
    faults.extend(_repeated(sound))
    if faults:
        raise Faulty(sorted(faults))
    return tuple(_site(row) for row in sound)


def _gather(found: Iterator[FileFault], faults: list[FileFault]) -> bool:
    """Add what was found; whether anything was."""
    before = len(faults)
    faults.extend(found)
    return len(faults) > before


def _row_faults(row: Node) -> Iterator[FileFault]:
    if not isinstance(row.value, dict):
        yield row.fault("B002", "a site needs `name` and `networks`", "地点条目需要 `name` 和 `networks`")
        return
    yield from row.unknown_keys(_KEYS, "B001")
    name, networks, kind = (row.value.get(key) for key in _KEYS)
    if name is None or not isinstance(name.value, str) or not 0 < len(name.value) <= 64:
        yield (name or row).fault("B002", "a site has a `name` of 1 to 64 characters", "`name` 须为 1 至 64 个字符")
    if networks is None or not isinstance(networks.value, list) or not networks.value:
        yield (networks or row).fault("B003", "a site has a list of `networks`", "地点须有 `networks` 列表")
    else:
        for network in networks.value:
            yield from _network_faults(network)
    if kind is not None and kind.value not in KINDS:
        yield kind.fault("B005", f"`kind` is one of {', '.join(KINDS)}", f"`kind` 可用值：{'、'.join(KINDS)}")


def _network_faults(network: Node) -> Iterator[FileFault]:
    text = network.value
    try:
        ip_network(str(text))
    except ValueError:
        hint = _without_host_bits(str(text))
        yield network.fault(
            "B004",
            f"`{text}` is not a network",
            f"`{text}` 不是网段",
            f"write `{hint}`" if hint else "write it as 10.20.0.0/16",
            f"请写作 `{hint}`" if hint else "请写作 10.20.0.0/16 的形式",
        )


def _without_host_bits(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        return ""


def _repeated(rows: list[Node]) -> Iterator[FileFault]:
    """One network at two sites, or one name twice: which one it is would be chance."""
    seen: dict[str, int] = {}
    for row in rows:
        values = row.value if isinstance(row.value, dict) else {}
        networks = values["networks"].value
        for node in (values["name"], *(networks if isinstance(networks, list) else ())):
            word = str(node.value)
            first = seen.setdefault(word, node.line)
            if first != node.line:
                yield node.fault("B006", f"`{word}` stands on line {first} already", f"`{word}` 已在第 {first} 行出现")


def _site(row: Node) -> Site:
    values = row.value if isinstance(row.value, dict) else {}
    networks = values["networks"].value
    kind = values["kind"].value if "kind" in values else "office"
    return Site(
        str(values["name"].value),
        tuple(str(node.value) for node in networks) if isinstance(networks, list) else (),
        next(known for known in KINDS if known == kind),
    )
