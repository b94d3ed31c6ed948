"""What do the files of the catalog say?

Reads `policies/catalog/*.yaml` into declarations. Nothing is guessed: a key, grade, identifier,
contract or action that is not known is a fault at its place, with a suggestion. All faults of all
files are found in one run.
"""

import re
from pathlib import Path
from typing import Literal, TypeVar, get_args

from msgspec import Struct

from gateway.catalog.templates import BadTemplate, Template, parse_endpoint
from gateway.document import Faulty, FileFault, Node, did_you_mean, read
from gateway.facts import GRADES, Contract, Field, Grade
from gateway.jsonpath import BadPath, parse, spell
from gateway.masks import IDENTIFIERS

Action = Literal["read", "create", "update", "delete", "other"]
ACTIONS: dict[str, Action] = {
    "GET": "read",
    "POST": "create",
    "PUT": "update",
    "PATCH": "update",
    "DELETE": "delete",
}
GRADE_WORDS: dict[str, Grade] = GRADES | {"general": Grade.GENERAL_3}
"""`general` alone is general-3: data nobody has looked at closely counts as restricted."""

_ID = re.compile(r"[a-z][a-z0-9]*(?:[-_.][a-z0-9]+)*\Z", re.ASCII)
_ASSET_KEYS = ("id", "title", "owner", "category", "grade", "contract", "endpoints", "fields", "note")
_ENDPOINT_KEYS = ("path", "identifier", "grade", "action", "opaque", "honey", "note")
_FIELD_KEYS = ("path", "identifier", "grade", "note")
_ACTION_WORDS: dict[str, Action] = {word: word for word in get_args(Action)}
_CONTRACT_WORDS: dict[str, Contract] = {word: word for word in get_args(Contract)}
_BOOLEANS = (True, False)

V = TypeVar("V")


class Endpoint(Struct, frozen=True):
    """One endpoint as declared; `place` is where, for faults."""

    method: str
    template: Template
    action: Action
    grade: Grade | None
    identifiers: tuple[tuple[str, str], ...]  # (path parameter, identifier)
    opaque: bool
    honey: bool
    place: Node


class Declaration(Struct, frozen=True):
    """One asset as declared."""

    id: str
    title_en: str
    title_zh: str
    owner: str
    category: str
    grade: Grade
    contract: Contract | None  # None: by grade
    endpoints: tuple[Endpoint, ...]
    fields: tuple[Field, ...]
    place: Node


class Reading(Struct):
    """What was read so far, and every fault met on the way."""

    orgs: frozenset[str] | None
    faults: list[FileFault] = []
    declarations: list[Declaration] = []
    places: dict[str, Node] = {}  # asset id -> where it was declared first


def default_contract(grade: Grade) -> Contract:
    """Unlabelled fields of important and core data are hidden, of general data noticed."""
    return "enforce" if grade >= Grade.IMPORTANT else "warn"


def read_folder(folder: Path, orgs: frozenset[str] | None) -> Reading:
    """Read every `*.yaml` of the folder in the order of names, hidden ones aside. A missing folder declares nothing."""
    reading = Reading(orgs)
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
    reading.faults.extend(root.unknown_keys(("assets",), "K001"))
    for node in _items(root, "assets", reading):
        if _is_mapping(node, reading):
            _asset(node, reading)


def _asset(node: Node, reading: Reading) -> None:
    reading.faults.extend(node.unknown_keys(_ASSET_KEYS, "K001"))
    before = len(reading.faults)
    identity = _text(node, "id", reading, required=True)
    if identity and not _ID.match(identity):
        reading.faults.append(
            node.at(["id"]).fault(
                "K003",
                f"`{identity}` is not an id: lower case letters, digits and hyphens",
                f"`{identity}` 不是有效编号：仅限小写字母、数字和连字符",
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
    grade = _word(node, "grade", GRADE_WORDS, "K004", "grade", "级别", reading, required=True)
    contract = _word(node, "contract", _CONTRACT_WORDS, "K005", "contract", "契约", reading)
    title_en, title_zh = _title(node, reading)
    owner = _owner(node, reading)
    category = _text(node, "category", reading)
    endpoints = tuple(filter(None, (_endpoint(item, reading) for item in _items(node, "endpoints", reading))))
    fields = _fields(node, grade or Grade.CORE, reading)
    if identity:
        reading.places.setdefault(identity, node.at(["id"]))
    if grade is not None and len(reading.faults) == before:
        reading.declarations.append(
            Declaration(identity, title_en, title_zh, owner, category, grade, contract, endpoints, fields, node)
        )


def _owner(node: Node, reading: Reading) -> str:
    owner = _text(node, "owner", reading, required=True)
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


def _title(node: Node, reading: Reading) -> tuple[str, str]:
    """A title in one or two languages: `title: text` or `title: {en, zh}`."""
    place = node.at(["title"])
    if place is node:
        return "", ""
    if isinstance(place.value, str):
        return place.value, place.value
    if not _is_mapping(place, reading):
        return "", ""
    reading.faults.extend(place.unknown_keys(("en", "zh"), "K001"))
    return _text(place, "en", reading), _text(place, "zh", reading)


def _endpoint(node: Node, reading: Reading) -> Endpoint | None:
    if isinstance(node.value, str):
        parsed = _template(node, node.value, reading)
        return Endpoint(*parsed, ACTIONS.get(parsed[0], "other"), None, (), False, False, node) if parsed else None
    if not _is_mapping(node, reading):
        return None
    reading.faults.extend(node.unknown_keys(_ENDPOINT_KEYS, "K001"))
    text = _text(node, "path", reading, required=True)
    parsed = _template(node.at(["path"]), text, reading) if text else None
    if parsed is None:
        return None
    method, template = parsed
    action = _word(node, "action", _ACTION_WORDS, "K018", "action", "操作", reading)
    grade = _word(node, "grade", GRADE_WORDS, "K004", "grade", "级别", reading)
    identifiers = _parameters(node, template, reading)
    opaque, honey = _flag(node, "opaque", reading), _flag(node, "honey", reading)
    return Endpoint(
        method, template, action or ACTIONS.get(method, "other"), grade, identifiers, opaque, honey, node.at(["path"])
    )


def _template(place: Node, text: str, reading: Reading) -> tuple[str, Template] | None:
    try:
        return parse_endpoint(text)
    except BadTemplate as bad:
        reading.faults.append(place.fault("K007", bad.en, bad.zh))
        return None


def _parameters(node: Node, template: Template, reading: Reading) -> tuple[tuple[str, str], ...]:
    """`identifier: {id: resident-id}`: what a path parameter carries."""
    place = node.at(["identifier"])
    if place is node or not _is_mapping(place, reading):
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
        identifier = identifier_of(place, str(name), reading, required=True)
        found.append((str(name), identifier))
    return tuple(found)


def identifier_of(node: Node, key: str, reading: Reading, required: bool = False) -> str:
    """The identifier named under this key, "" for none; an unknown one is a fault."""
    words = {word: word for word in IDENTIFIERS}
    return _word(node, key, words, "K006", "identifier", "标识类型", reading, required) or ""


def _fields(node: Node, grade: Grade, reading: Reading) -> tuple[Field, ...]:
    fields: dict[str, Field] = {}
    for item in _items(node, "fields", reading):
        if not _is_mapping(item, reading):
            continue
        reading.faults.extend(item.unknown_keys(_FIELD_KEYS, "K001"))
        path = canonical_path(item.at(["path"]), _text(item, "path", reading, required=True), reading.faults)
        identifier = identifier_of(item, "identifier", reading)
        own = _word(item, "grade", GRADE_WORDS, "K004", "grade", "级别", reading)
        if path in fields:
            reading.faults.append(
                item.at(["path"]).fault("K016", f"field `{path}` is labelled twice", f"字段 `{path}` 重复标注")
            )
        if path:
            fields[path] = Field(path, identifier, own or grade)
    return tuple(fields.values())


def canonical_path(place: Node, text: str, faults: list[FileFault]) -> str:
    """The one spelling of a field's path; "" after reporting that it cannot be read."""
    try:
        return spell(parse(text)) if text else ""
    except BadPath as bad:
        faults.append(
            place.fault(
                "K009",
                f"`{text}` is not a path: {bad.en}",
                f"`{text}` 不是有效路径：{bad.zh}",
                "write $.name, $..name, $.list[*].name",
                "写法如 $.name、$..name、$.list[*].name",
            )
        )
        return ""


# --- small readers: a value of the right form, or a fault and something harmless -----------------


def _is_mapping(node: Node, reading: Reading) -> bool:
    if isinstance(node.value, dict):
        return True
    reading.faults.append(node.fault("K003", "`key: value` pairs are expected here", "此处应为 `键: 值`"))
    return False


def _items(node: Node, key: str, reading: Reading) -> list[Node]:
    place = node.at([key])
    if place is node or place.value is None:
        return []
    if isinstance(place.value, list):
        return place.value
    reading.faults.append(place.fault("K003", f"`{key}` is a list", f"`{key}` 应为列表"))
    return []


def _text(node: Node, key: str, reading: Reading, required: bool = False) -> str:
    place = node.at([key])
    if place is node or place.value is None:
        if required:
            reading.faults.append(node.fault("K002", f"`{key}` is missing", f"缺少 `{key}`"))
        return ""
    if isinstance(place.value, str) and place.value:
        return place.value
    reading.faults.append(place.fault("K003", f"`{key}` is a text", f"`{key}` 应为文本"))
    return ""


def _flag(node: Node, key: str, reading: Reading) -> bool:
    place = node.at([key])
    if place is node:
        return False
    if place.value in _BOOLEANS and isinstance(place.value, bool):
        return place.value
    reading.faults.append(place.fault("K003", f"`{key}` is true or false", f"`{key}` 应为 true 或 false"))
    return False


def _word(
    node: Node,
    key: str,
    words: dict[str, V],
    code: str,
    en: str,
    zh: str,
    reading: Reading,
    required: bool = False,
) -> V | None:
    """The value that the word under this key stands for, or a fault with what may stand there."""
    text = _text(node, key, reading, required)
    if not text:
        return None
    if text in words:
        return words[text]
    hint_en, hint_zh = did_you_mean(text, words)
    reading.faults.append(node.at([key]).fault(code, f"no {en} `{text}`", f"没有{zh} `{text}`", hint_en, hint_zh))
    return None
