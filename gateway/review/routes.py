"""Which requests does the catalog know, and which rules can be about them?

1. One request stands for a route: parameters are written as `1`, or as another word where that would be another route.
2. A rule reaches a route when its data, action and level do, whoever asks. The grade of a route is fixed by the
   catalog and a bundle refuses data that it was not made for, so a rule that reaches no route decides nothing.
"""

from collections.abc import Iterable

from msgspec import Struct

from gateway.catalog import Catalog
from gateway.facts import Asset
from gateway.policy.content import Row
from gateway.policy.levels import span

DATA, ACTION, LEVEL = 4, 5, 6
WORDS = ("1", "a", "0", "x1")


class Route(Struct, frozen=True):
    """One endpoint of the catalog: a request for it, and what is asked for."""

    method: str
    path: str
    asset: Asset

    @property
    def name(self) -> str:
        """Method and template."""
        return self.asset.route


def routes(catalog: Catalog) -> tuple[Route, ...]:
    """Every endpoint of the catalog, in its order; without those that no request can reach."""
    found = []
    for endpoint in (endpoint for listing in catalog.assets for endpoint in listing.endpoints):
        method, _, template = endpoint.partition(" ")
        for word in WORDS:
            path = "/".join(_written(segment, word) for segment in template.split("/"))
            asset = catalog.find(method, path)
            if asset.listed and asset.route == endpoint:
                found.append(Route(method, path, asset))
                break
    return tuple(found)


def _written(segment: str, word: str) -> str:
    return word if segment == "**" or segment.startswith("{") else segment


def reaches(row: Row, asset: Asset) -> bool:
    """Whether a row can be about this route."""
    low, high = span(row[LEVEL]) or (1, 0)
    return (
        row[DATA] in ("*", asset.id, asset.category)
        and (row[ACTION] == "*" or asset.action in row[ACTION].split("|"))
        and low <= asset.grade <= high
    )


def reached(rows: Iterable[Row], known: tuple[Route, ...]) -> tuple[Route, ...]:
    """The routes that one of the rows can be about."""
    every = tuple(rows)
    return tuple(route for route in known if any(reaches(row, route.asset) for row in every))
