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
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from gateway.catalog.declarations import (
    ACTIONS,
    GRADE_WORDS,
    Declaration,
    Endpoint,
    canonical_path,
    default_contract,
    read_folder,
)
from gateway.catalog.templates import REST, Branch, Template, below, crossing, same
from gateway.document import Faulty, FileFault, Node, did_you_mean
from gateway.facts import Ask, Asset, Contract, Field, Grade
from gateway.masks import IDENTIFIERS


class ApiBinding(Struct, frozen=True):
    """One API of the configuration, as far as the catalog needs it."""

    name: str
    prefix: str = "/"
    data: tuple[str, ...] = ()  # asset ids
    mode: Literal["observe", "enforce"] = "enforce"
    grade: str | None = None  # `level` of a first try
    fields: dict[str, str] = {}  # path -> identifier, of a first try
    opaque: bool = False


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

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all assets."""
        return frozenset(listing.id for listing in self.assets)

    @property
    def categories(self) -> frozenset[str]:
        """The categories that assets carry."""
        return frozenset(listing.category for listing in self.assets if listing.category)

    def locate(self, ask: Ask) -> Asset:
        """The asset behind a request; `listed` is False when the catalog does not know it."""
        return self._look(ask.api, ask.method, ask.path) if ask.api else self._unlisted("", ask.method, ask.path)

    def find(self, method: str, path: str, api: str = "") -> Asset:
        """The same for explanations and policy tests, which may not know the API: "" looks in every asset."""
        return self._look(api, method, path)

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
    bound: list[_Bound] = []
    for api in apis:
        here = Node(None, f"{folder} (api {api.name})", 1, 1)
        bound.append(_bind(api, declared, known, here, faults))
    faults.extend(_outside(apis, declared))
    groups = [*(one.endpoints for one in bound), _free(declared, apis)]
    faults.extend(_overlaps(groups))
    stopping = [fault for fault in faults if not fault.warning]
    if stopping:
        raise Faulty(sorted(set(faults)))
    return _build(declared, bound, tuple(sorted(set(faults))), apis)


class _Bound(Struct, frozen=True):
    """One API with the endpoints it carries and what it says inline."""

    api: ApiBinding
    endpoints: tuple[tuple[Declaration, Endpoint], ...]
    floor: Grade | None
    fields: tuple[Field, ...]
    fragment: Declaration | None = None


def _bind(
    api: ApiBinding, declared: dict[str, Declaration], known: frozenset[str], here: Node, faults: list[FileFault]
) -> _Bound:
    for name in api.data:
        if name not in known:
            hint_en, hint_zh = did_you_mean(name, known)
            faults.append(
                here.fault(
                    "K013",
                    f"api `{api.name}` names the unknown asset `{name}`",
                    f"接口 `{api.name}` 引用了未登记的资产 `{name}`",
                    hint_en,
                    hint_zh,
                )
            )
    floor = _inline_grade(api, here, faults)
    fields = _inline_fields(api, floor, here, faults)
    endpoints = tuple(
        (declared[name], endpoint)
        for name in dict.fromkeys(api.data)
        if name in declared
        for endpoint in declared[name].endpoints
        if below(endpoint.template, api.prefix)
    )
    if api.data:
        if api.opaque:
            faults.append(
                here.fault(
                    "K017",
                    f"api `{api.name}` says `opaque` beside `data`",
                    f"接口 `{api.name}` 同时设置了 `opaque` 和 `data`",
                    "say `opaque: true` at the endpoint in the catalog",
                    "请在目录的 endpoint 上设置 `opaque: true`",
                )
            )
        return _Bound(api, endpoints, floor, fields)
    if floor is None and not fields and not api.opaque:
        faults.append(_nothing_listed(api, here))
        return _Bound(api, (), None, ())
    fragment = _fragment(api, floor or Grade.GENERAL_3, fields, here)
    return _Bound(api, tuple((fragment, endpoint) for endpoint in fragment.endpoints), floor, fields, fragment)


def _nothing_listed(api: ApiBinding, here: Node) -> FileFault:
    return FileFault(
        here.file,
        here.line,
        here.column,
        "K021",
        f"api `{api.name}` names no data: every request to it is denied",
        f"接口 `{api.name}` 未指定数据资产：所有请求都会被拒绝",
        "name an asset under `data`, or give a `level` for a first try",
        "请在 `data` 中指定资产，或先填写 `level`",
        warning=True,
    )


def _inline_grade(api: ApiBinding, here: Node, faults: list[FileFault]) -> Grade | None:
    if api.grade is None:
        return None
    grade = GRADE_WORDS.get(api.grade)
    if grade is None:
        hint_en, hint_zh = did_you_mean(api.grade, GRADE_WORDS)
        faults.append(
            here.fault(
                "K004",
                f"api `{api.name}`: no grade `{api.grade}`",
                f"接口 `{api.name}`：没有级别 `{api.grade}`",
                hint_en,
                hint_zh,
            )
        )
    return grade


def _inline_fields(api: ApiBinding, floor: Grade | None, here: Node, faults: list[FileFault]) -> tuple[Field, ...]:
    fields: dict[str, Field] = {}
    for text, identifier in api.fields.items():
        path = canonical_path(here, text, faults)
        if identifier not in IDENTIFIERS:
            hint_en, hint_zh = did_you_mean(identifier, IDENTIFIERS)
            faults.append(
                here.fault(
                    "K006",
                    f"api `{api.name}`: no identifier `{identifier}`",
                    f"接口 `{api.name}`：没有标识类型 `{identifier}`",
                    hint_en,
                    hint_zh,
                )
            )
        if path:
            fields[path] = Field(path, identifier, floor or Grade.GENERAL_3)
    return tuple(fields.values())


def _fragment(api: ApiBinding, grade: Grade, fields: tuple[Field, ...], here: Node) -> Declaration:
    """What an API without catalog files lists: everything under its prefix, for every method."""
    template = Template(api.prefix.rstrip("/") + "/" + REST, _segments(api.prefix), (), True)
    endpoints = tuple(
        Endpoint(method, template, action, None, (), api.opaque, False, here) for method, action in ACTIONS.items()
    )
    return Declaration(api.name, api.name, api.name, "", "", grade, None, endpoints, fields, here)


def _segments(prefix: str) -> tuple[str | None, ...]:
    return tuple(prefix.strip("/").split("/")) if prefix.strip("/") else ()


def _outside(apis: tuple[ApiBinding, ...], declared: dict[str, Declaration]) -> Iterator[FileFault]:
    """Endpoints that no API naming their asset can ever carry."""
    for name, declaration in declared.items():
        carriers = [api for api in apis if name in api.data]
        for endpoint in declaration.endpoints if carriers else ():
            if not any(below(endpoint.template, api.prefix) for api in carriers):
                prefixes = ", ".join(sorted({f"{api.prefix} ({api.name})" for api in carriers}))
                yield endpoint.place.fault(
                    "K014",
                    f"`{endpoint.template.text}` lies outside its API: {prefixes}",
                    f"`{endpoint.template.text}` 不在其接口的路径范围内：{prefixes}",
                    "move the endpoint to another asset, or widen `match` of the API",
                    "请将该端点移到其他资产，或放宽接口的 `match`",
                )


def _free(declared: dict[str, Declaration], apis: tuple[ApiBinding, ...]) -> tuple[tuple[Declaration, Endpoint], ...]:
    """The endpoints of assets that no API carries yet: they are held against each other all the same."""
    carried = {name for api in apis for name in api.data}
    return tuple((one, endpoint) for one in declared.values() if one.id not in carried for endpoint in one.endpoints)


def _overlaps(groups: Iterable[tuple[tuple[Declaration, Endpoint], ...]]) -> Iterator[FileFault]:
    for group in groups:
        trees: dict[str, Branch[Endpoint]] = {}
        listed = {(endpoint.method, endpoint.template.segments, endpoint.template.open) for _, endpoint in group}
        for _, endpoint in group:
            tree = trees.setdefault(endpoint.method, Branch())
            for other in tree.meeting(endpoint.template):
                yield from _overlap(other, endpoint, listed)
            tree.add(endpoint.template, endpoint)


def _overlap(
    one: Endpoint, other: Endpoint, listed: set[tuple[str, tuple[str | None, ...], bool]]
) -> Iterator[FileFault]:
    first = f"{one.place.file}:{one.place.line}"
    if same(one.template, other.template):
        yield other.place.fault(
            "K011",
            f"`{other.method} {other.template.text}` stands for the same requests as the one in {first}",
            f"`{other.method} {other.template.text}` 与 {first} 表示相同的请求",
            "keep one of them",
            "请只保留一个",
        )
        return
    meet = crossing(one.template, other.template)
    if meet is not None and (one.method, meet.segments, meet.open) not in listed:
        yield other.place.fault(
            "K012",
            f"`{other.template.text}` and `{one.template.text}` ({first}) both match `{meet.text}`, neither is the more specific",
            f"`{other.template.text}` 与 `{one.template.text}`（{first}）都匹配 `{meet.text}`，无法判断哪个更具体",
            f"list `{other.method} {meet.text}` as an endpoint of its own",
            f"请单独登记 `{other.method} {meet.text}`",
        )


def _build(
    declared: dict[str, Declaration],
    bound: list[_Bound],
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
        loose = _Bound(ApiBinding(_ANY_API), (), None, ())
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


def _prepare(declaration: Declaration, endpoint: Endpoint, bound: _Bound, digest: str) -> _Prepared:
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
