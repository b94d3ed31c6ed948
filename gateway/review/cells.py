"""Which kinds of requests do these catalogs tell apart?

A cell is a method and a path that stands for all paths that the same endpoints match, with the asset that each
catalog finds there. Rules:

1. A path is made for every combination of templates that one path can match, of all catalogs together: an endpoint
   that only one of them lists, or lists under a `/**`, is looked at on its own.
2. Cells in which every catalog says the same are one cell: rules see the asset, never the path.
3. In observe a denied request passes so that it can be watched; what is compared here is what the rules say, so every
   API counts as enforced.
4. An answer with many records is judged for a higher grade as well: for each number of records at which that changes
   there is a cell of its own, with the asset of that grade and, as `whole`, the asset that is decided on.
5. A token is asked for beside the endpoints (`/.gateway/reveal`): no path of the catalog leads there (`opened`).
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import asdict, replace

from gateway.catalog import Catalog
from gateway.catalog.reveals import METHOD, spelled
from gateway.catalog.templates import Template, parse_endpoint
from gateway.facts import Asset, Grade

UNSEEN = ("api", "route", "parameters", "revision", "discreet", "honey", "mode")
"""What of an asset no rule and no mask looks at."""


class Cell(Struct, frozen=True, eq=False):
    """One kind of request, and what each catalog says of it."""

    method: str
    path: str
    api: str
    assets: tuple[Asset, ...]
    whole: tuple[Asset, ...] = ()

    @property
    def verbs(self) -> tuple[str, ...]:
        """The methods that are judged alike but for `env.method`."""
        return ("GET", "HEAD") if self.method == "GET" else (self.method,)


def cells(catalogs: Sequence[Catalog]) -> Iterator[Cell]:
    """Every cell that at least one of the catalogs lists."""
    seen: set[tuple[object, ...]] = set()
    for api in sorted({"", *(name for catalog in catalogs for name in catalog.apis)}):
        for method, path in requests(endpoint for catalog in catalogs for endpoint in _endpoints(catalog)):
            assets = tuple(_enforced(catalog.find(method, path, api)) for catalog in catalogs)
            key = (method, *(tuple(_said(asset)) for asset in assets))
            if key not in seen and any(asset.listed for asset in assets):
                seen.add(key)
                yield Cell(method, path, api, assets, assets)
                for records in sorted({bulk.records for asset in assets for bulk in asset.bulk}):
                    raised = tuple(_with_more(asset, records) for asset in assets)
                    if raised != assets:
                        yield Cell(method, path, api, raised, assets)


def opened(catalog: Catalog) -> Iterator[Cell]:
    """A cell for each asset and grade under which a token of one of its fields is opened; no rule sees which field."""
    seen: set[tuple[str, Grade]] = set()
    served = {(asset.id, field.path) for cell in cells((catalog,)) for asset in cell.assets for field in asset.fields}
    for asset, label in sorted(served):
        path = spelled(asset, label)
        found = catalog.find(METHOD, path)
        if found.listed and (asset, found.grade) not in seen:
            seen.add((asset, found.grade))
            yield Cell(METHOD, path, "", (found,), (found,))


def _with_more(asset: Asset, records: int) -> Asset:
    """The asset as more than so many records of it are graded."""
    grade = max(asset.grade, *(bulk.grade for bulk in asset.bulk if bulk.records <= records), asset.grade)
    return replace(asset, grade=grade)


def requests(endpoints: Iterable[str]) -> Iterator[tuple[str, str]]:
    """A method and a path for each combination of endpoints (`GET /a/{b}`) that one request can match."""
    by_method: dict[str, dict[str, Template]] = {}
    for text in endpoints:
        method, template = parse_endpoint(text)
        by_method.setdefault(method, {})[template.text] = template
    for method, templates in sorted(by_method.items()):
        for path in _paths(tuple(templates.values())):
            yield method, path


def _paths(templates: tuple[Template, ...]) -> Iterator[str]:
    found: set[frozenset[str]] = set()
    walked: set[tuple[int, frozenset[str]]] = set()
    queue: list[tuple[tuple[str, ...], tuple[Template, ...]]] = [((), templates)]
    deepest = 1 + max((len(template.segments) for template in templates), default=0)  # there only open ones are left
    while queue:
        path, alive = queue.pop(0)
        depth = len(path)
        names = frozenset(template.text for template in alive)
        if (depth, names) in walked:
            continue
        walked.add((depth, names))
        ends = frozenset(one.text for one in alive if _ends(one, depth))
        if ends and depth and ends not in found:
            found.add(ends)
            yield "/" + "/".join(path)
        longer = [one for one in alive if len(one.segments) > depth or (one.open and depth < deepest)]
        for segment in _segments(longer, depth):
            still = tuple(one for one in alive if _goes_on(one, depth, segment))
            if still:
                queue.append(((*path, segment), still))


def _ends(one: Template, depth: int) -> bool:
    return len(one.segments) == depth or (one.open and len(one.segments) < depth)


def _segments(alive: list[Template], depth: int) -> list[str]:
    """The literals that stand here, and one segment that none of them is."""
    literals = [one.segments[depth] for one in alive if len(one.segments) > depth]
    named = [literal for literal in literals if literal is not None]
    if len(named) < len(alive):
        named.append(next(text for text in map(str, range(1, len(named) + 2)) if text not in named))
    return list(dict.fromkeys(named))


def _goes_on(one: Template, depth: int, segment: str) -> bool:
    if len(one.segments) <= depth:
        return one.open
    return one.segments[depth] in (None, segment)


def _endpoints(catalog: Catalog) -> Iterator[str]:
    for listing in catalog.assets:
        yield from listing.endpoints


def _enforced(asset: Asset) -> Asset:
    return Asset(**(asdict(asset) | {"mode": "enforce"}))


def _said(asset: Asset) -> Iterator[object]:
    for name, value in asdict(asset).items():
        if name not in UNSEEN:
            yield value
