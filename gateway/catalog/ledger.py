"""Which asset is behind this request?

1. A request that matches no endpoint of its API gets an unlisted asset of the highest grade: policy
   denies it. `locate` never returns nothing.
2. The grade of a request is the highest of asset, endpoint, labelled fields and the API's own
   `level` (GB/T 43697: 就高从严). No child lowers it.
3. HEAD is judged as GET: the head of an answer tells about its body.
4. An API without catalog files may carry `level` and `fields` inline: they list everything under its
   prefix. Beside catalog files the same keys only raise and add.
"""

import re
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gateway.catalog.bindings import ApiBinding, Bound, bind, covers, free, outside, overlaps, uncarried
from gateway.catalog.declarations import (
    ACTIONS,
    GRADE_WORDS,
    Declaration,
    Endpoint,
    default_contract,
    read_folder,
)
from gateway.catalog.templates import Branch
from gateway.document import Faulty, FileFault, Node
from gateway.facts import Ask, Asset, Contract, Field, Grade


class Listing(Struct, frozen=True):
    """One asset as people see it: reports, policy checks, the console."""

    id: str
    title_en: str
    title_zh: str
    owner: str
    category: str
    grade: Grade
    contract: Contract
    endpoints: tuple[str, ...]
    fields: tuple[Field, ...]


class Raised(Struct, frozen=True):
    """Why a request has a higher grade than its asset: a labelled field, its endpoint, or the API that carries it."""

    own: Grade
    by: Literal["field", "endpoint", "api"]
    name: str


class _Prepared(Struct, frozen=True):
    """An endpoint ready to answer: the asset, and which segments are its parameters."""

    asset: Asset
    parameters: tuple[tuple[str, int], ...]  # (name, index of the segment)


_PERSONAL = re.compile(r"(?:[0-9][^0-9/]{0,2}){6}|[@%]", re.ASCII)
"""What may be an identifier in a path nobody has listed: six digits, an address, anything escaped."""

_Roots = dict[tuple[str, str], Branch[_Prepared]]
_ANY_API = ""


class Catalog:
    """The ledger, prepared for looking up. Never changes; a reload makes a new one."""

    def __init__(
        self,
        assets: tuple[Listing, ...],
        digest: str,
        faults: tuple[FileFault, ...],
        roots: _Roots,
        apis: Iterable[ApiBinding],
    ) -> None:
        self.assets = assets
        self.digest = digest
        self.faults = faults  # warnings: nothing that stops the start
        self._roots = roots
        self._modes = {api.name: api.mode for api in apis}
        self._floors = {api.name: GRADE_WORDS.get(api.grade or "") for api in apis}
        self._prefixes = sorted(((api.prefix, api.name) for api in apis), key=lambda one: -len(one[0]))

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all assets."""
        return frozenset(listing.id for listing in self.assets)

    @property
    def categories(self) -> frozenset[str]:
        """The categories that assets carry."""
        return frozenset(listing.category for listing in self.assets if listing.category)

    @property
    def apis(self) -> frozenset[str]:
        """The names of the APIs that it was tied to."""
        return frozenset(self._modes)

    def raised(self, asset: Asset) -> Raised | None:
        """What raises the grade of a request above that of its asset, for explanations; None when nothing does."""
        own = next((listing.grade for listing in self.assets if listing.id == asset.id), asset.grade)
        if asset.grade <= own:
            return None
        field = next((field.path for field in asset.fields if field.grade == asset.grade), None)
        if field is not None:
            return Raised(own, "field", field)
        if self._floors.get(asset.api) == asset.grade:
            return Raised(own, "api", asset.api)
        return Raised(own, "endpoint", asset.route)

    def locate(self, ask: Ask) -> Asset:
        """The asset behind a request; `listed` is False when the catalog does not know it."""
        return self._look(ask.api, ask.method, ask.path) if ask.api else self._unlisted("", ask.method, ask.path)

    def find(self, method: str, path: str, api: str = "") -> Asset:
        """The same for explanations and policy tests, which may not know the API.

        "": the API under whose prefix the path lies, as a request would be answered; every asset only where there is none.
        What a test promises of an asset that its API does not carry would not be what a caller gets. Whether the API only
        observes is not asked: what enforce would say is.
        """
        if api:
            return self._look(api, method, path)
        return replace(self._look(self._carrier(method, path), method, path), mode="enforce")

    def _carrier(self, method: str, path: str) -> str:
        """The API of a path: the longest prefix; of several hosts' APIs with this prefix the one that lists it."""
        under = [(prefix, name) for prefix, name in self._prefixes if covers(prefix, path)]
        names = [name for prefix, name in under if len(prefix) == len(under[0][0])]
        return next((name for name in names if self._look(name, method, path).listed), names[0] if names else "")

    def _look(self, api: str, method: str, path: str) -> Asset:
        root = self._roots.get((api, "GET" if method == "HEAD" else method))
        if root is None:
            return self._unlisted(api, method, path)
        segments = path.split("/")
        found = root.find(segments, 1)
        if found is None:
            return self._unlisted(api, method, path)
        if not found.parameters:
            return found.asset
        asset = found.asset
        parameters = tuple([(name, segments[index]) for name, index in found.parameters])
        return Asset(
            asset.id,
            asset.api,
            asset.route,
            asset.action,
            asset.grade,
            asset.category,
            asset.owner,
            asset.fields,
            asset.contract,
            asset.opaque,
            parameters,
            asset.revision,
            asset.discreet,
            asset.honey,
            asset.mode,
        )

    def _unlisted(self, api: str, method: str, path: str) -> Asset:
        return Asset(
            id="",
            api=api,
            route="unlisted",
            action=ACTIONS.get("GET" if method == "HEAD" else method, "other"),
            grade=Grade.CORE,  # nothing is known about it: the strictest reading
            category="",
            owner="",
            fields=(),
            contract="enforce",
            opaque=False,
            parameters=(),
            revision=self.digest,
            discreet=_PERSONAL.search(path) is not None,
            mode=self._modes.get(api, "enforce"),
            listed=False,
        )


def load(folder: Path, apis: tuple[ApiBinding, ...] = (), orgs: frozenset[str] | None = None) -> Catalog:
    """Read the catalog and tie it to the APIs. Raises Faulty with every fault there is.

    `orgs` are the organisations of people.yaml; None leaves owners unchecked.
    """
    reading = read_folder(folder, orgs)
    declared = {declaration.id: declaration for declaration in reading.declarations}
    known = frozenset(reading.places)
    faults = list(reading.faults)
    bound: list[Bound] = []
    for api in apis:
        here = Node(None, f"{folder} (api {api.name})", 1, 1)
        bound.append(bind(api, declared, known, here, faults))
    faults.extend(outside(apis, declared))
    faults.extend(uncarried(apis, declared))
    groups = [*(one.endpoints for one in bound), free(declared, apis)]
    faults.extend(overlaps(groups))
    stopping = [fault for fault in faults if not fault.warning]
    if stopping:
        raise Faulty(sorted(set(faults)))
    return _build(declared, bound, tuple(sorted(set(faults))), apis)


def _build(
    declared: dict[str, Declaration],
    bound: list[Bound],
    warnings: tuple[FileFault, ...],
    apis: tuple[ApiBinding, ...],
) -> Catalog:
    declarations = [*declared.values(), *(one.fragment for one in bound if one.fragment is not None)]
    assets = tuple(sorted((_listing(one) for one in declarations), key=lambda listing: listing.id))
    content = msgspec.json.encode((assets, [_said(one) for one in declarations], apis), order="deterministic")
    digest = sha256(content).hexdigest()
    roots: _Roots = {}
    for one in bound:
        for declaration, endpoint in one.endpoints:
            _hang(roots, one.api.name, _prepare(declaration, endpoint, one, digest), endpoint)
    for declaration in declarations:
        loose = Bound(ApiBinding(_ANY_API), (), None, ())
        for endpoint in declaration.endpoints:
            _hang(roots, _ANY_API, _prepare(declaration, endpoint, loose, digest), endpoint)
    return Catalog(assets, digest, warnings, roots, apis)


def _said(declaration: Declaration) -> list[tuple[object, ...]]:
    """What the endpoints say, for the digest."""
    return [
        (
            one.method,
            one.template.text,
            one.action,
            one.grade,
            one.identifiers,
            one.opaque,
            one.honey,
            declaration.contract,
        )
        for one in declaration.endpoints
    ]


def _listing(one: Declaration) -> Listing:
    endpoints = tuple(f"{endpoint.method} {endpoint.template.text}" for endpoint in one.endpoints)
    return Listing(
        one.id,
        one.title_en,
        one.title_zh,
        one.owner,
        one.category,
        one.grade,
        one.contract or default_contract(one.grade),
        endpoints,
        one.fields,
    )


def _hang(roots: _Roots, api: str, prepared: _Prepared, endpoint: Endpoint) -> None:
    roots.setdefault((api, endpoint.method), Branch()).add(endpoint.template, prepared)


def _prepare(declaration: Declaration, endpoint: Endpoint, bound: Bound, digest: str) -> _Prepared:
    fields = _merged(declaration.fields, bound.fields)
    grades = [declaration.grade, *(field.grade for field in fields)]
    grade = max(grades + [one for one in (endpoint.grade, bound.floor) if one is not None])
    template = endpoint.template
    places = [index + 1 for index, segment in enumerate(template.segments) if segment is None]
    asset = Asset(
        id=declaration.id,
        api=bound.api.name,
        route=f"{endpoint.method} {template.text}",
        action=endpoint.action,
        grade=grade,
        category=declaration.category,
        owner=declaration.owner,
        fields=fields,
        contract=declaration.contract or default_contract(grade),
        opaque=endpoint.opaque,
        parameters=(),
        revision=digest,
        discreet=bool(endpoint.identifiers),
        honey=endpoint.honey,
        mode=bound.api.mode,
    )
    return _Prepared(asset, tuple(zip(template.parameters, places, strict=True)))


def _merged(declared: tuple[Field, ...], inline: tuple[Field, ...]) -> tuple[Field, ...]:
    """Labels of the catalog and of the API. For one path the catalog names what it is, the higher grade wins."""
    fields = {field.path: field for field in declared}
    for field in inline:
        known = fields.get(field.path)
        fields[field.path] = (
            field
            if known is None
            else Field(field.path, known.identifier or field.identifier, max(known.grade, field.grade))
        )
    return tuple(fields.values())
