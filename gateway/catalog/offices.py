"""Which offices stand above this one, and in whose days does the catalog reckon?

A label for a department holds for all below it, so the catalog needs the tree of `people.yaml`; its days begin where those
of the rules begin. What is wrong in that file is told by the room that owns it: here it only leaves out.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct

from gateway.document import Faulty, Node, read

ZONE = ZoneInfo("Asia/Shanghai")


class Offices(Struct, frozen=True):
    """Each office with the one above it and its title, and the time zone of the policies."""

    parents: Mapping[str, str] = {}
    zone: ZoneInfo = ZONE
    titles: Mapping[str, str] = {}  # in Chinese, of those that have one

    def upwards(self, office: str) -> Iterator[str]:
        """The office and those above it; ends also where they stand in a circle."""
        seen: set[str] = set()
        while office and office not in seen:
            seen.add(office)
            yield office
            office = self.parents.get(office, "")


def read_offices(path: Path) -> Offices:
    """Read `people.yaml`; no office stands above another where there is none."""
    if not path.exists():
        return Offices()
    try:
        root = read(path)
    except Faulty:
        return Offices()
    orgs = _at(root, "orgs")
    named = orgs.value if orgs is not None and isinstance(orgs.value, dict) else {}
    return Offices(
        {name: _text(_at(node, "parent")) for name, node in named.items()},
        _zone(_text(_at(root, "timezone"))),
        {name: title for name, node in named.items() if (title := _title(_at(node, "title")))},
    )


def _at(node: Node, key: str) -> Node | None:
    return node.value.get(key) if isinstance(node.value, dict) else None


def _title(node: Node | None) -> str:
    return _text(node) or (_text(_at(node, "zh")) if node is not None else "")


def _text(node: Node | None) -> str:
    return node.value if node is not None and isinstance(node.value, str) else ""


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name) if name else ZONE
    except (ValueError, OSError, LookupError):  # unknown, or no name of a zone at all
        return ZONE
