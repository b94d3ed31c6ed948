"""What does an OpenAPI document say about endpoints, fields and how sensitive they are?

Reads OpenAPI 3.0 and 3.1. Rules:

1. Every operation becomes an endpoint; what answers it, under any status and media type, becomes fields. Of a request body
   only what is labelled does, since the mask finds it there too: the catalog labels what is shown.
2. A label on a path or an operation grades the endpoint; one on a parameter, a whole request, a whole answer or a header of
   it raises it, and says nothing where it says less: an error that anybody may see makes no endpoint public. One on the
   document grades the asset.
3. Parameters are called as the catalog calls them (`{householdId}` becomes `{household_id}`); a path that the catalog cannot
   say is left out, with a warning: what is not listed is denied.
4. What a label says and the ledger has no place for, and a label beside something that is not read, is told.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from gateway.catalog.templates import METHODS, BadTemplate, Template, parse_template
from gateway.document import Faulty, FileFault, Node
from gateway.facts import Grade
from gateway.inventory.labels import KEY, Label, joined, misspelt
from gateway.inventory.schema import Property, Schemas, placed

MAX_OPERATIONS: Final = 2_000
_PARAMETER = re.compile(r"\{([^{}/]+)\}")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Operation(Struct, frozen=True):
    """An endpoint as the document describes it; a grade is None where it says nothing."""

    method: str
    template: Template
    grade: Grade | None
    least: Grade | None  # what a parameter, a request or an answer says: it raises, but says nothing of the rest
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
    line: int  # where that stands, 0 for nowhere
    operations: tuple[Operation, ...]
    properties: tuple[Property, ...]
    warnings: tuple[FileFault, ...] = ()
    prefix: str = ""  # below which its paths lie


def described(root: Node, prefix: str, words: Mapping[str, Grade]) -> Described:
    """Read a document; its paths lie below `prefix`. Raises Faulty with every fault there is."""
    _check_version(root)
    schemas = Schemas(root, words)
    labelled = [one for one in (root, root.at(["info"])) if KEY in _members(one)]
    whole = _as_a_whole(labelled, schemas)
    warnings = misspelt(root)
    operations: list[Operation] = []
    answers: list[Node] = []
    requests: list[Node] = []
    for path, written in _plain(schemas.members(root, "paths")):
        item = schemas.followed(written)
        for method, node in _operations(item) if item is not None else ():
            template = _template(prefix + path if path.startswith("/") else path, node, warnings)
            if template is not None and item is not None and schemas.followed(node) is not None:
                given, asked = _answers(node, schemas), _request(node, schemas)
                operations.append(_operation(method, template, (item, node), given, asked, schemas))
                answers += _schemas(given)
                requests += _schemas(asked)
    if len(operations) > MAX_OPERATIONS:
        raise Faulty([root.fault("I008", f"more than {MAX_OPERATIONS} operations", f"超过 {MAX_OPERATIONS} 个操作")])
    properties = schemas.properties(answers, requests)
    if schemas.faults:
        raise Faulty(sorted(set(schemas.faults)))
    warnings += [*dict.fromkeys(schemas.warnings), *schemas.unread()]
    title = _text(root.at(["info", "title"]))
    line = labelled[0].at([KEY]).line if labelled else 0
    return Described(title, whole, line, _once(operations), properties, tuple(warnings), prefix)


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


def _plain(members: dict[str, Node]) -> list[tuple[str, Node]]:
    """The members but for those that somebody added to the standard."""
    return [(key, node) for key, node in members.items() if not key.startswith("x-")]


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


def _operation(
    method: str, template: Template, ways: tuple[Node, Node], given: list[Node], asked: list[Node], schemas: Schemas
) -> Operation:
    """An operation by all that may say how sensitive it is: the path it stands under and itself, its answers and its request."""
    item, node = ways
    grade = _as_a_whole(ways, schemas)
    raising = [_as_a_whole([*given, *asked], schemas)]
    raising += [_of_value(schema, schemas) for schema in _schemas(asked)]
    raising += [_of_header(one, schemas) for answer in given for one in schemas.members(answer, "headers").values()]
    named: dict[str, str] = {}
    for name, identifier, least in _parameters(node, item, template, schemas):
        raising.append(least)
        named |= {name: identifier} if identifier else {}
    return Operation(method, template, grade, _highest(raising), tuple(named.items()), node)


def _highest(grades: Iterable[Grade | None]) -> Grade | None:
    return max((one for one in grades if one is not None), default=None)


def _as_a_whole(places: Iterable[Node], schemas: Schemas) -> Grade | None:
    """The highest grade beside what is no single value, and so carries no identifier."""
    grades: list[Grade] = []
    for place in places:
        label = schemas.label(place)
        if label is not None and label.identifier:
            schemas.faults.append(
                place.fault(
                    "I004", "only one value carries an identifier", "只有单个值才有标识类型",
                    "put it beside a parameter or a property", "请标注在参数或字段上",
                )
            )  # fmt: skip
        grades += [label.grade] if label is not None and label.grade is not None else []
    return max(grades, default=None)


def _parameters(
    node: Node, item: Node, template: Template, schemas: Schemas
) -> Iterator[tuple[str, str, Grade | None]]:
    """The parameters of an operation and of the path it stands under: name, identifier of one in the path, grade."""
    for written in (*schemas.listed(item, "parameters"), *schemas.listed(node, "parameters")):
        parameter = schemas.followed(written)
        if parameter is None:
            continue
        label, parts = _labels(written, parameter, schemas)
        name = _parameter(_text(parameter.at(["name"])))
        in_path = _text(parameter.at(["in"])) == "path" and name in template.parameters
        if label is not None:
            _tell_left_out(parameter, label, schemas, named=in_path)
        for place, part in parts:
            _tell_left_out(place, part, schemas)
        said = [label.grade] if label is not None else []
        identifier = label.identifier if label is not None and in_path else ""
        yield name, identifier, _highest([*said, *(part.grade for _, part in parts)])


def _of_header(written: Node, schemas: Schemas) -> Grade | None:
    """What a header of an answer says."""
    header = schemas.followed(written)
    if header is None:
        return None
    label, parts = _labels(written, header, schemas)
    for place, one in [*([(header, label)] if label is not None else []), *parts]:
        _tell_left_out(place, one, schemas)
    return _highest([label.grade if label is not None else None, *(part.grade for _, part in parts)])


def _of_value(schema: Node, schemas: Schemas) -> Grade | None:
    """What is said of a request as one value: a field of that path would be every answer."""
    found = [seen for seen in schemas.seen(schema) if not seen.steps and seen.label is not None]
    for seen in found:
        _tell_left_out(seen.place, seen.label or Label(), schemas)
    return _highest(seen.label.grade for seen in found if seen.label is not None)


def _labels(written: Node, one: Node, schemas: Schemas) -> tuple[Label | None, list[tuple[Node, Label]]]:
    """The label of a parameter or a header, beside its reference too, and those of the parts of its value."""
    forms = [one, *schemas.members(one, "content").values()]
    seen = [each for schema in _schemas(forms) for each in schemas.seen(schema)]
    label = None
    for each in (*map(schemas.label, (written, *forms)), *(each.label for each in seen if not each.steps)):
        label = joined(label, each)
    return label, [(each.place, each.label) for each in seen if each.steps and each.label is not None]


def _tell_left_out(place: Node, label: Label, schemas: Schemas, named: bool = False) -> None:
    """Warn of what a label says beside its grade: of what is neither a field nor a part of the path the ledger has only that."""
    said = [*([label.identifier] if not named else []), label.mask]
    for word in filter(None, said):
        fault = place.fault(
            "I011", f"`{word}` of this label is not entered", f"该标注中的 `{word}` 未录入",
            "its grade counts; list a field that ends with its name to have the value masked in requests",
            "级别已计入；如需在请求中对其脱敏，请登记以该名称结尾的字段",
        )  # fmt: skip
        schemas.warnings.append(replace(fault, warning=True))


def _answers(operation: Node, schemas: Schemas) -> list[Node]:
    """All answers to an operation, and every form of them."""
    return [one for _, written in _plain(schemas.members(operation, "responses")) for one in _forms(written, schemas)]


def _request(operation: Node, schemas: Schemas) -> list[Node]:
    """The body that an operation takes, and every form of it."""
    written = _members(operation).get("requestBody")
    return _forms(written, schemas) if written is not None else []


def _forms(written: Node, schemas: Schemas) -> list[Node]:
    """A request or an answer with all its media types, and the reference to it, which may have a label beside it."""
    body = schemas.followed(written)
    if body is None:
        return []
    return [*([written] if body is not written else []), body, *schemas.members(body, "content").values()]


def _schemas(forms: Iterable[Node]) -> list[Node]:
    return [_members(one)["schema"] for one in forms if "schema" in _members(one)]


def _once(operations: list[Operation]) -> tuple[Operation, ...]:
    """Each endpoint once: two paths may differ only in what they call a parameter, or in a slash at the end."""
    found: dict[tuple[str, tuple[str | None, ...]], Operation] = {}
    for one in operations:
        known = found.setdefault((one.method, one.template.segments), one)
        if known is not one:
            grade, least = _highest((known.grade, one.grade)), _highest((known.least, one.least))
            names = dict(zip(one.template.parameters, known.template.parameters, strict=True))
            carried = {names[name]: identifier for name, identifier in one.identifiers} | dict(known.identifiers)
            merged = Operation(one.method, known.template, grade, least, tuple(carried.items()), known.place)
            found[one.method, one.template.segments] = merged
    return tuple(found.values())
