"""What do the files of the catalog say?

Reads `policies/catalog/*.yaml` into declarations. Nothing is guessed: a key, grade, identifier,
contract or action that is not known is a fault at its place, with a suggestion. All faults of all
files are found in one run.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from msgspec import Struct

from gateway.catalog import shapes
from gateway.catalog.aggregation import Rule, read_rule
from gateway.catalog.attributes import ABOUT_KEYS, About, Override, Reviewed, read_about, read_override, read_reviewed
from gateway.catalog.grades import GRADE_WORDS, Names
from gateway.catalog.offices import ZONE
from gateway.catalog.templates import BadTemplate, Template, parse_endpoint
from gateway.document import Faulty, FileFault, Node, did_you_mean, read
from gateway.facts import Contract, Grade

Action = Literal["read", "create", "update", "delete", "other"]
ACTIONS: dict[str, Action] = {
    "GET": "read",
    "POST": "create",
    "PUT": "update",
    "PATCH": "update",
    "DELETE": "delete",
}

ID = re.compile(r"(?=.{1,120}\Z)[a-z][a-z0-9]*(?:[-_.][a-z0-9]+)*\Z", re.ASCII)
_WRITE = ("write `GET /households/{id}`", "请写成 `GET /households/{id}`")
_FILE_KEYS = ("defaults", "assets", "aggregation")
DEFAULT_KEYS = ("owner", "service", "grade", "note")
ASSET_KEYS = (
    "id", "title", "owner", "category", "grade", "override", "contract", *ABOUT_KEYS, "records", "total", "endpoints", "fields", "note",
)  # fmt: skip
ENDPOINT_KEYS = (
    "path", "identifier", "grade", "override", "contract", "action", "opaque", "honey", "reviewed", "note",
)  # fmt: skip
FIELD_KEYS = ("path", "identifier", "grade", "reviewed", "note")
_ACTION_WORDS: dict[str, Action] = {word: word for word in get_args(Action)}


class Endpoint(Struct, frozen=True, kw_only=True):
    """One endpoint as declared; `place` is where, for faults."""

    method: str
    template: Template
    action: Action
    place: Node
    grade: Grade | None = None
    override: Override | None = None
    contract: Contract | None = None
    identifiers: tuple[tuple[str, str], ...] = ()  # (path parameter, identifier)
    opaque: bool = False
    honey: bool = False
    reviewed: Reviewed | None = None
    note: str = ""

    @property
    def route(self) -> str:
        """Method and template."""
        return f"{self.method} {self.template.text}"


class FieldLabel(Struct, frozen=True):
    """One labelled field as declared; a `grade` of None is that of its asset."""

    path: str
    identifier: str
    grade: Grade | None
    reviewed: Reviewed | None = None
    note: str = ""


class Declaration(Struct, frozen=True, kw_only=True):
    """One asset as declared."""

    id: str
    title_en: str
    title_zh: str
    owner: str
    category: str
    place: Node
    grade: Grade | None = None  # None: what stands above it says
    override: Override | None = None
    contract: Contract | None = None  # None: by grade
    endpoints: tuple[Endpoint, ...] = ()
    fields: tuple[FieldLabel, ...] = ()
    records: str = ""
    total: str = ""
    about: About = About()

    @property
    def overrides(self) -> tuple[Override | None, ...]:
        """Those of the asset and of its endpoints."""
        return (self.override, *(endpoint.override for endpoint in self.endpoints))


class Default(Struct, frozen=True):
    """A label from above: for the data of an office and those below it, or for what an API carries."""

    owner: str
    service: str
    grade: Grade
    place: Node


class Reading(Struct):
    """What was read so far, and every fault met on the way."""

    orgs: frozenset[str] | None
    names: Names
    zone: ZoneInfo
    faults: list[FileFault] = []
    declarations: list[Declaration] = []
    defaults: list[Default] = []
    rules: dict[str, tuple[Node, Rule]] = {}  # aggregation rules by id, and where they stand
    places: dict[str, Node] = {}  # asset id -> where it was declared first


def read_folder(
    folder: Path, orgs: frozenset[str] | None, names: Names = GRADE_WORDS, zone: ZoneInfo = ZONE
) -> Reading:
    """Read every `*.yaml` of the folder in the order of names, hidden ones aside. A missing folder declares nothing."""
    reading = Reading(orgs, names, zone)
    for path in sorted(folder.glob("[!.]*.yaml")):
        try:
            _file(read(path), reading)
        except Faulty as faulty:
            reading.faults.extend(faulty.faults)
    return reading


def _file(root: Node, reading: Reading) -> None:
    if root.value is None:
        return
    if not isinstance(root.value, dict):
        reading.faults.append(root.fault("K003", "a catalog file starts with `assets:`", "目录文件应以 `assets:` 开头"))
        return
    reading.faults.extend(root.unknown_keys(_FILE_KEYS, "K001"))
    readers: dict[str, Callable[[Node, Reading], None]] = {"defaults": _default, "assets": _asset, "aggregation": _rule}
    for key, read_one in readers.items():
        for node in shapes.items(root, key, reading.faults):
            if shapes.is_mapping(node, reading.faults):
                read_one(node, reading)


def _default(node: Node, reading: Reading) -> None:
    reading.faults.extend(node.unknown_keys(DEFAULT_KEYS, "K001"))
    owner = _org(node, reading)
    service = shapes.text(node, "service", reading.faults)
    grade = shapes.grade(node, "grade", reading.names, reading.faults, required=True)
    if bool(owner) == bool(service):
        reading.faults.append(
            node.fault(
                "K003", "a default is for one `owner` or one `service`", "默认标注应恰写 `owner` 或 `service` 之一"
            )
        )
    elif grade is not None:
        reading.defaults.append(Default(owner, service, grade, node))


def _rule(node: Node, reading: Reading) -> None:
    rule = read_rule(node, reading.names, reading.faults)
    if rule is None:
        return
    if rule.id in reading.rules:
        first = reading.rules[rule.id][0]
        reading.faults.append(
            node.at(["id"]).fault(
                "K010",
                f"rule `{rule.id}` stands twice (first in {first.file}:{first.line})",
                f"规则 `{rule.id}` 重复（首次见 `{first.file}:{first.line}`）",
            )
        )
    reading.rules.setdefault(rule.id, (node, rule))


def _asset(node: Node, reading: Reading) -> None:
    faults = reading.faults
    faults.extend(node.unknown_keys(ASSET_KEYS, "K001"))
    before = len(faults)
    identity = _id(node, reading)
    grade = shapes.grade(node, "grade", reading.names, faults)
    title_en, title_zh = shapes.title(node, "title", faults)
    declaration = Declaration(
        id=identity,
        title_en=title_en,
        title_zh=title_zh,
        owner=_org(node, reading, required=True),
        category=shapes.text(node, "category", faults),
        place=node,
        grade=grade,
        override=read_override(node, grade, reading.names, reading.zone, faults),
        contract=shapes.word(node, "contract", shapes.CONTRACTS, "K005", ("contract", "应答约定"), faults),
        endpoints=tuple(filter(None, (_endpoint(item, reading) for item in shapes.items(node, "endpoints", faults)))),
        fields=_fields(node, reading),
        records=shapes.names_only(node, "records", faults),
        total=shapes.names_only(node, "total", faults),
        about=read_about(node, reading.zone, faults),
    )
    if identity:
        reading.places.setdefault(identity, node.at(["id"]))
    if len(faults) == before:
        reading.declarations.append(declaration)


def _id(node: Node, reading: Reading) -> str:
    identity = shapes.text(node, "id", reading.faults, required=True)
    if identity and not ID.match(identity):
        reading.faults.append(
            node.at(["id"]).fault(
                "K003",
                f"`{identity}` is not an id: lower case letters, digits and hyphens, at most 120",
                f"`{identity}` 不是有效编号：仅限小写字母、数字和连字符，最多 120 个",
            )
        )
    if identity in reading.places:
        first = reading.places[identity]
        reading.faults.append(
            node.at(["id"]).fault(
                "K010",
                f"asset `{identity}` is declared twice (first in {first.file}:{first.line})",
                f"资产 `{identity}` 重复登记（首次见 `{first.file}:{first.line}`）",
            )
        )
    return identity


def _org(node: Node, reading: Reading, required: bool = False) -> str:
    owner = shapes.text(node, "owner", reading.faults, required)
    if owner and reading.orgs is not None and owner not in reading.orgs:
        hint_en, hint_zh = did_you_mean(owner, reading.orgs)
        reading.faults.append(
            node.at(["owner"]).fault(
                "K008",
                f"no organisation `{owner}` in people.yaml",
                f"people.yaml 中没有机构 `{owner}`",
                hint_en,
                hint_zh,
            )
        )
    return owner


def _endpoint(node: Node, reading: Reading) -> Endpoint | None:
    faults = reading.faults
    if isinstance(node.value, str):
        parsed = _template(node, node.value, reading)
        if parsed is None:
            return None
        return Endpoint(method=parsed[0], template=parsed[1], action=ACTIONS.get(parsed[0], "other"), place=node)
    if not shapes.is_mapping(node, faults):
        return None
    faults.extend(node.unknown_keys(ENDPOINT_KEYS, "K001"))
    said = shapes.text(node, "path", faults, required=True)
    parsed = _template(node.at(["path"]), said, reading) if said else None
    if parsed is None:
        return None
    method, template = parsed
    grade = shapes.grade(node, "grade", reading.names, faults)
    action = shapes.word(node, "action", _ACTION_WORDS, "K018", ("action", "操作"), faults)
    return Endpoint(
        method=method,
        template=template,
        action=action or ACTIONS.get(method, "other"),
        place=node.at(["path"]),
        grade=grade,
        override=read_override(node, grade, reading.names, reading.zone, faults),
        contract=shapes.word(node, "contract", shapes.CONTRACTS, "K005", ("contract", "应答约定"), faults),
        identifiers=_parameters(node, template, reading),
        opaque=shapes.flag(node, "opaque", faults),
        honey=shapes.flag(node, "honey", faults),
        reviewed=read_reviewed(node, reading.zone, faults),
        note=shapes.text(node, "note", faults),
    )


def _template(place: Node, text: str, reading: Reading) -> tuple[str, Template] | None:
    try:
        return parse_endpoint(text)
    except BadTemplate as bad:
        reading.faults.append(place.fault("K007", bad.en, bad.zh, *_WRITE))
        return None


def _parameters(node: Node, template: Template, reading: Reading) -> tuple[tuple[str, str], ...]:
    """`identifier: {id: resident-id}`: what a path parameter carries."""
    place = node.at(["identifier"])
    if place is node or not shapes.is_mapping(place, reading.faults):
        return ()
    found: list[tuple[str, str]] = []
    for name in place.plain() if isinstance(place.value, dict) else ():  # type: ignore[union-attr]  # checked to be a mapping
        if name not in template.parameters:
            hint_en, hint_zh = did_you_mean(str(name), template.parameters)
            reading.faults.append(
                place.key_fault(
                    str(name),
                    "K015",
                    f"`{template.text}` has no parameter `{{{name}}}`",
                    f"`{template.text}` 没有参数 `{{{name}}}`",
                    hint_en,
                    hint_zh,
                )
            )
        identifier = shapes.identifier(place, str(name), reading.faults, required=True)
        found.append((str(name), identifier))
    return tuple(found)


def _fields(node: Node, reading: Reading) -> tuple[FieldLabel, ...]:
    faults = reading.faults
    fields: dict[str, FieldLabel] = {}
    for item in shapes.items(node, "fields", faults):
        if not shapes.is_mapping(item, faults):
            continue
        faults.extend(item.unknown_keys(FIELD_KEYS, "K001"))
        label = FieldLabel(
            shapes.path(item.at(["path"]), shapes.text(item, "path", faults, required=True), faults),
            shapes.identifier(item, "identifier", faults),
            shapes.grade(item, "grade", reading.names, faults),
            read_reviewed(item, reading.zone, faults),
            shapes.text(item, "note", faults),
        )
        if label.path in fields:
            faults.append(
                item.at(["path"]).fault(
                    "K016", f"field `{label.path}` is labelled twice", f"字段 `{label.path}` 重复标注"
                )
            )
        if label.path:
            fields[label.path] = label
    return tuple(fields.values())
