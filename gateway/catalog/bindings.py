"""Which endpoints does each API carry, and what does it say inline?

1. An endpoint belongs to the APIs that name its asset and whose prefix it lies under; one that lies
   under none of them is a fault.
2. Within one API no two endpoints may stand for the same requests, nor cross without the crossing
   being listed.
3. An API that names no data may carry `level`, `fields` and `opaque`: a fragment of the ledger that
   lists everything under its prefix. Beside `data` these keys only raise and add.
"""

from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from gateway.catalog import shapes
from gateway.catalog.declarations import ACTIONS, Declaration, Endpoint
from gateway.catalog.grades import Names
from gateway.catalog.templates import REST, Branch, Template, below, crossing, same
from gateway.document import FileFault, Node, did_you_mean
from gateway.facts import Field, Grade
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
    place: Node | UnsetType = UNSET  # where the configuration writes it, for faults: no part of any digest

    @property
    def unplaced(self) -> "ApiBinding":
        """The same wherever it is written: what is stored and hashed."""
        return replace(self, place=UNSET)

    def written(self, *path: str | int) -> str:
        """The text at this path of the API as the configuration writes it, "" for none."""
        found = self.place.at(path).value if isinstance(self.place, Node) else ""
        return found if isinstance(found, str) else ""


class Bound(Struct, frozen=True):
    """One API with the endpoints it carries and what it says inline."""

    api: ApiBinding
    endpoints: tuple[tuple[Declaration, Endpoint], ...]
    floor: Grade | None
    fields: tuple[Field, ...]
    fragment: Declaration | None = None


def bind(
    api: ApiBinding,
    declared: dict[str, Declaration],
    known: frozenset[str],
    names: Names,
    here: Node,
    faults: list[FileFault],
) -> Bound:
    """Tie an API to the assets it names; `known` are all ids declared, `here` is where its faults point."""
    for at, name in enumerate(api.data):
        if name not in known:
            hint_en, hint_zh = did_you_mean(name, known)
            faults.append(
                here.at(["data", at]).fault(
                    "K013",
                    f"api `{api.name}` names the unknown asset `{name}`",
                    f"接口 `{api.name}` 引用了未登记的资产 `{name}`",
                    hint_en,
                    hint_zh,
                )
            )
    floor = _inline_grade(api, names, here, faults)
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
                here.at(["opaque"]).fault(
                    "K017",
                    f"api `{api.name}` says `opaque` beside `data`",
                    f"接口 `{api.name}` 同时设置了 `opaque` 和 `data`",
                    "say `opaque: true` at the endpoint in the catalog",
                    "请在目录的 endpoint 上设置 `opaque: true`",
                )
            )
        return Bound(api, endpoints, floor, fields)
    if floor is None and not fields and not api.opaque:
        faults.append(_nothing_listed(api, here))
        return Bound(api, (), None, ())
    fragment = _fragment(api, floor, here)
    return Bound(api, tuple((fragment, endpoint) for endpoint in fragment.endpoints), floor, fields, fragment)


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


def _inline_grade(api: ApiBinding, names: Names, here: Node, faults: list[FileFault]) -> Grade | None:
    if api.grade is None:
        return None
    named = (f"grade (api `{api.name}`)", f"级别（接口 `{api.name}`）")
    return shapes.meaning(here.at(["level"]), api.grade, names, "K004", named, faults)


def _inline_fields(api: ApiBinding, floor: Grade | None, here: Node, faults: list[FileFault]) -> tuple[Field, ...]:
    fields: dict[str, Field] = {}
    for text, identifier in api.fields.items():
        place = here.at(["fields", text])
        path = shapes.path(place, text, faults)
        if identifier not in IDENTIFIERS:
            hint_en, hint_zh = did_you_mean(identifier, IDENTIFIERS)
            faults.append(
                place.fault(
                    "K006",
                    f"api `{api.name}`: no identifier `{identifier}`",
                    f"接口 `{api.name}`：没有标识类型 `{identifier}`",
                    hint_en,
                    hint_zh,
                )
            )
        if path in fields:  # in two spellings; the last would win, however little it hides
            faults.append(
                place.fault(
                    "K016",
                    f"api `{api.name}`: field `{path}` is labelled twice",
                    f"接口 `{api.name}`：字段 `{path}` 重复标注",
                )
            )
        if path:
            fields[path] = Field(path, identifier, floor or Grade.GENERAL_3)
    return tuple(fields.values())


def _fragment(api: ApiBinding, grade: Grade | None, here: Node) -> Declaration:
    """What an API without catalog files lists: everything under its prefix, for every method."""
    template = Template(api.prefix.rstrip("/") + "/" + REST, _segments(api.prefix), (), True)
    endpoints = tuple(
        Endpoint(method=method, template=template, action=action, place=here, opaque=api.opaque)
        for method, action in ACTIONS.items()
    )
    return Declaration(
        id=api.name,
        title_en=api.name,
        title_zh=api.name,
        owner="",
        category="",
        place=here,
        grade=grade,
        endpoints=endpoints,
    )


def _segments(prefix: str) -> tuple[str | None, ...]:
    return tuple(prefix.strip("/").split("/")) if prefix.strip("/") else ()


def outside(apis: tuple[ApiBinding, ...], declared: dict[str, Declaration]) -> Iterator[FileFault]:
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
                    *_inside(endpoint, carriers[0]),
                )


def _inside(endpoint: Endpoint, api: ApiBinding) -> tuple[str, str]:
    """How the endpoint is probably meant: most often its service lists it, which does not know its prefix here."""
    path, stripped = endpoint.template.text, api.written("strip_prefix").rstrip("/")
    prefix = stripped if stripped and covers(api.prefix, stripped + path) else api.prefix.rstrip("/")
    why = (f", before `strip_prefix: {stripped}`", f"（`strip_prefix: {stripped}` 之前）") if stripped else ("", "")
    return (
        f"endpoints are written as callers ask for them{why[0]}: `{endpoint.method} {prefix}{path}`; "
        f"`gateway asset import --prefix {prefix}` does so. If callers ask for it as it is: widen `match`, or move it to another asset",
        f"端点应写成调用方请求的路径{why[1]}：`{endpoint.method} {prefix}{path}`；可用 `gateway asset import --prefix {prefix}` 录入。"
        "若调用方确实如此请求，请放宽 `match`，或移到其他资产",
    )


def uncarried(apis: tuple[ApiBinding, ...], declared: dict[str, Declaration]) -> Iterator[FileFault]:
    """Endpoints below an API that lists everything itself and so answers them otherwise than the catalog says."""
    for name, declaration in declared.items():
        for endpoint in declaration.endpoints:
            under = [api for api in apis if below(endpoint.template, api.prefix)]
            inline = [api for api in under if not api.data and (api.grade or api.fields or api.opaque)]
            if inline and not any(name in api.data for api in under):
                api = inline[0]
                at = endpoint.place
                yield FileFault(
                    at.file, at.line, at.column, "K022",
                    f"`{endpoint.template.text}` lies below API `{api.name}`, which does not carry `{name}`: "
                    "it is answered with the level and fields that are written at the API",
                    f"`{endpoint.template.text}` 位于接口 `{api.name}` 之下，而该接口未承载 `{name}`："
                    "将按接口上所写的级别与字段应答",
                    f"write `data: {name}` at the API instead of its `level`",
                    f"请在该接口写 `data: {name}`，取代其 `level`", True,
                )  # fmt: skip


def covers(prefix: str, path: str) -> bool:
    """Whether a path lies under a prefix, by whole segments."""
    bare = prefix.rstrip("/")
    return path == bare or path.startswith(bare + "/")


def free(declared: dict[str, Declaration], apis: tuple[ApiBinding, ...]) -> tuple[tuple[Declaration, Endpoint], ...]:
    """The endpoints of assets that no API carries yet: they are held against each other all the same."""
    carried = {name for api in apis for name in api.data}
    return tuple((one, endpoint) for one in declared.values() if one.id not in carried for endpoint in one.endpoints)


def overlaps(groups: Iterable[tuple[tuple[Declaration, Endpoint], ...]]) -> Iterator[FileFault]:
    """Endpoints of one group that stand for the same requests, or cross."""
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
