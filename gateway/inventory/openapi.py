"""What does an OpenAPI document say about endpoints, fields and how sensitive they are?

Reads OpenAPI 3.0 and 3.1. Rules:

1. Every operation becomes an endpoint; what answers it, under any status and media type, becomes fields. Requests are not
   read: the catalog labels what is shown.
2. A label on an operation or on one of its path parameters grades the endpoint; one on the document grades the asset.
3. Parameters are called as the catalog calls them (`{householdId}` becomes `{household_id}`); a path that the catalog cannot
   say is left out, with a warning: what is not listed is denied.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from gateway.catalog.templates import METHODS, BadTemplate, Template, parse_template
from gateway.document import Faulty, FileFault, Node
from gateway.facts import Grade
from gateway.inventory.labels import Label, joined
from gateway.inventory.schema import Property, Schemas, placed

MAX_OPERATIONS: Final = 2_000
_PARAMETER = re.compile(r"\{([^{}/]+)\}")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Operation(Struct, frozen=True):
    """An endpoint as the document describes it; `grade` is None where it says nothing."""

    method: str
    template: Template
    grade: Grade | None
    identifiers: tuple[tuple[str, str], ...]  # (path parameter, identifier)
    place: Node

    @property
    def route(self) -> str:
        """Method and template, as the catalog writes it."""
        return f"{self.method} {self.template.text}"


class Described(Struct, frozen=True):
    """What a document describes."""

    title: str
    grade: Grade | None
    operations: tuple[Operation, ...]
    properties: tuple[Property, ...]
    warnings: tuple[FileFault, ...] = ()

    @property
    def unlabelled(self) -> tuple[Property, ...]:
        """The fields that nobody classified."""
        return tuple(one for one in self.properties if one.label is None)


def described(root: Node, prefix: str, words: Mapping[str, Grade]) -> Described:
    """Read a document; its paths lie below `prefix`. Raises Faulty with every fault there is."""
    _check_version(root)
    schemas = Schemas(root, words)
    whole = joined(schemas.label(root), schemas.label(root.at(["info"])) if "info" in _members(root) else None)
    warnings: list[FileFault] = []
    operations: list[Operation] = []
    answers: list[Node] = []
    for path, item in _members(root.at(["paths"]) if "paths" in _members(root) else Node({}, root.file, 1, 1)).items():
        opened = schemas.followed(item)
        for method, node in _operations(opened) if opened is not None else ():
            template = _template(prefix + path, node, warnings)
            if template is not None and opened is not None:
                operations.append(_operation(method, template, node, opened, schemas))
                answers += _answers(node, schemas)
    if len(operations) > MAX_OPERATIONS:
        raise Faulty([root.fault("I008", f"more than {MAX_OPERATIONS} operations", f"超过 {MAX_OPERATIONS} 个操作")])
    properties = schemas.properties(answers)
    if schemas.faults:
        raise Faulty(sorted(set(schemas.faults)))
    title = _text(root.at(["info", "title"]))
    return Described(title, whole.grade if whole else None, _once(operations), properties, tuple(warnings))


def served_below(root: Node) -> str:
    """The path of the first server that the document names, "" where it has none or holds variables."""
    url = _text(root.at(["servers", 0, "url"]))
    path = re.sub(r"^[a-z][a-z0-9+.-]*://[^/]*", "", url).rstrip("/")
    return path if path.startswith("/") and "{" not in path else ""


def _check_version(root: Node) -> None:
    found = _members(root)
    version = _text(found["openapi"]) if "openapi" in found else ""
    if version.startswith(("3.0.", "3.1.")):
        return
    if "swagger" in found:
        fault = found["swagger"].fault(
            "I001", "this is Swagger 2.0: OpenAPI 3.0 and 3.1 are read", "这是 Swagger 2.0：只读取 OpenAPI 3.0 与 3.1",
            "convert it to 3.0; most editors of OpenAPI do", "请先转换为 3.0，多数 OpenAPI 编辑器支持",
        )  # fmt: skip
    else:
        fault = root.at(["openapi"]).fault(
            "I001", "not an OpenAPI 3.0 or 3.1 document", "不是 OpenAPI 3.0 或 3.1 文档",
            "it begins with `openapi: 3.0.3` or the like", "文档应以 `openapi: 3.0.3` 之类开头",
        )  # fmt: skip
    raise Faulty([fault])


def _members(node: Node) -> dict[str, Node]:
    return node.value if isinstance(node.value, dict) else {}


def _text(node: Node) -> str:
    return node.value if isinstance(node.value, str) else ""


def _list(node: Node, key: str) -> list[Node]:
    found = _members(node).get(key)
    return found.value if found is not None and isinstance(found.value, list) else []


def _operations(item: Node) -> Iterator[tuple[str, Node]]:
    for key, node in placed(item):
        if key.upper() in METHODS and key.islower():
            yield key.upper(), node


def _template(path: str, node: Node, warnings: list[FileFault]) -> Template | None:
    spelled = _PARAMETER.sub(lambda match: "{" + _parameter(match[1]) + "}", path)
    spelled = spelled.rstrip("/") or "/"  # the gateway knows one spelling of a path
    try:
        return parse_template(spelled)
    except BadTemplate as bad:
        remedy = "left out: list it by hand, it is denied until then", "未登记：请手工登记，在此之前会被拒绝"
        warnings.append(FileFault(node.file, node.line, node.column, "I009", bad.en, bad.zh, *remedy, warning=True))
        return None


def _parameter(name: str) -> str:
    """A parameter as the catalog may call it: lower case with underscores."""
    plain = re.sub(r"[^a-z0-9]+", "_", _HUMP.sub("_", name).lower()).strip("_")
    return plain if plain[:1].isascii() and plain[:1].isalpha() else f"p_{plain}".rstrip("_")


def _operation(method: str, template: Template, node: Node, item: Node, schemas: Schemas) -> Operation:
    own = schemas.label(node)
    if own is not None and own.identifier:
        schemas.faults.append(
            node.fault(
                "I004", "an operation carries no identifier", "操作本身不携带标识",
                "put it beside a parameter or a property", "请标注在参数或字段上",
            )
        )  # fmt: skip
    grades = [own.grade] if own is not None else []
    identifiers: dict[str, str] = {}
    for name, label in _parameters(node, item, schemas):
        grades.append(label.grade)
        if label.identifier and name in template.parameters:
            identifiers[name] = label.identifier
    grade = max((one for one in grades if one is not None), default=None)
    return Operation(method, template, grade, tuple(identifiers.items()), node)


def _parameters(node: Node, item: Node, schemas: Schemas) -> Iterator[tuple[str, Label]]:
    """The labelled path parameters of an operation and of the path it stands under."""
    for written in (*_list(item, "parameters"), *_list(node, "parameters")):
        parameter = schemas.followed(written)
        if parameter is None or _text(parameter.at(["in"])) != "path":
            continue
        label = schemas.label(parameter)
        if "schema" in _members(parameter):
            schema = schemas.followed(_members(parameter)["schema"])
            label = joined(label, schemas.label(schema) if schema is not None else None)
        if label is not None:
            yield _parameter(_text(parameter.at(["name"]))), label


def _answers(operation: Node, schemas: Schemas) -> Iterator[Node]:
    """The schemas of all answers to an operation."""
    for written in _members(_members(operation).get("responses", operation)).values():
        response = schemas.followed(written) if isinstance(written.value, dict) else None
        content = _members(response).get("content") if response is not None else None
        for media in _members(content).values() if content is not None else ():
            if "schema" in _members(media):
                yield _members(media)["schema"]


def _once(operations: list[Operation]) -> tuple[Operation, ...]:
    """Each endpoint once: two paths may differ only in what they call a parameter, or in a slash at the end."""
    found: dict[tuple[str, tuple[str | None, ...]], Operation] = {}
    for one in operations:
        key = (one.method, one.template.segments)
        known = found.get(key)
        if known is None:
            found[key] = one
        else:
            grade = max((grade for grade in (known.grade, one.grade) if grade is not None), default=None)
            found[key] = Operation(one.method, known.template, grade, known.identifiers or one.identifiers, known.place)
    return tuple(found.values())
