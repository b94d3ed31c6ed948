"""Which values does a schema describe, and which of them are labelled?

Walks the schemas of an OpenAPI document (3.0, 3.1) down to paths of the masking subset. Rules:

1. Whatever may be in an answer counts: every branch of `allOf`, `oneOf`, `anyOf`, `then`, `else`, and what a `discriminator`
   leads to. What stands where a schema should and is none is a fault.
2. Only references into the same document are followed. Any other is a fault: what it describes would go unseen.
3. A schema that contains itself is walked once; what is below it is found at any depth (`..name`).
4. What lies in a labelled object and has no label of its own has its grade: masking takes it for unlabelled where only the
   object is named. A grade of a whole answer goes to its members alone: as a label, `$` would name every answer of the asset.
5. A document is somebody else's: how much and how deep is read has limits, and reaching one is a fault, never a short answer.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote

from msgspec import Struct
from msgspec.structs import replace

from gateway.document import Faulty, FileFault, Node
from gateway.facts import Grade
from gateway.inventory.labels import KEY, Label, joined, label_of
from gateway.inventory.paths import Steps, covers, loosened, names
from gateway.jsonpath import MAX_LENGTH, MAX_STEPS, Anywhere, Element, Every, Member, spell

MAX_SCHEMAS: Final = 50_000
MAX_DEPTH: Final = 100
MAX_FIELDS: Final = 2_000
_BRANCHES: Final = ("allOf", "oneOf", "anyOf", "prefixItems")
_ONE: Final = ("then", "else")
_EACH: Final = (
    "items",
    "additionalItems",
    "unevaluatedItems",
    "contains",
    "additionalProperties",
    "unevaluatedProperties",
)
_BARE: Final = (None, "object", "array", "null")


class Property(Struct, frozen=True):
    """A value that an answer may hold, or a labelled one of a request; `place` is where the document says so."""

    path: str
    steps: Steps
    label: Label | None
    place: Node


class Seen(NamedTuple):
    """A value that one schema describes, by its way from there."""

    steps: Steps
    label: Label | None
    place: Node


class Schemas:
    """Walks the schemas of one document and collects what is wrong with them."""

    def __init__(self, root: Node, words: Mapping[str, Grade]) -> None:
        self._root, self._words = root, words
        self.faults: list[FileFault] = []
        self.warnings: list[FileFault] = []
        self._read: set[tuple[int, int]] = set()  # where the labels stand that were read
        # a document of a thousand operations may answer all of them with the same ten schemas
        self._seen: dict[str, list[Seen]] = {}
        self._left = MAX_SCHEMAS
        # references that are being walked, with how many steps from the root they stand
        self._open: dict[str, int] = {}
        self._heirs = _heirs(root)
        self._recursive: set[str] = set()

    def label(self, node: Node) -> Label | None:
        """The label beside this node."""
        self._read.update(map(_place, _labels(node)))
        return label_of(node, self._words, self.faults)

    def unread(self) -> list[FileFault]:
        """A warning for each label that stands beside nothing that was read: in a callback, in a part that nothing refers to."""
        found: dict[tuple[int, int], FileFault] = {}
        for said in (said for node in _below(self._root) for said in _labels(node)):
            fault = said.fault(
                "I011", "this label is not entered: no request or answer that is read has it",
                "该标注未录入：不属于所读取的任何请求或应答",
                "put it beside a parameter, a header or a schema that an operation uses",
                "请写在操作所用的参数、标头或结构旁",
            )  # fmt: skip
            if _place(said) not in self._read:
                found[_place(said)] = replace(fault, warning=True)
        return list(found.values())

    def seen(self, root: Node) -> list[Seen]:
        """What one schema describes."""
        key = repr(root.plain())
        if key in self._seen:
            self._read.update(_place(said) for node in _below(root) for said in _labels(node))
        else:
            self._seen[key] = self._visit(root, 0, 0)
        return self._seen[key]

    def properties(self, answers: Iterable[Node], requests: Iterable[Node] = ()) -> tuple[Property, ...]:
        """What these schemas describe together, each path once; of requests what is labelled. Raises Faulty when that is too much."""
        found: dict[str, Property] = {}
        # the same list for the same schema: each is gone through once
        shown = {id(seen): (root, seen, False) for root in answers for seen in (self.seen(root),)}
        asked = {id(seen): (root, seen, True) for root in requests for seen in (self.seen(root),)}
        for root, every, labelled_only in (*shown.values(), *asked.values()):
            for seen in every:
                if labelled_only and (seen.label is None or not seen.steps):  # at `$` it would name every answer
                    continue
                path = spell(seen.steps)
                if len(path) > MAX_LENGTH or len(seen.steps) > MAX_STEPS:
                    raise _too_much(seen.place)
                known = found.get(path)
                label = joined(known.label, seen.label) if known else seen.label
                found[path] = Property(path, seen.steps, label, known.place if known else seen.place)
                if len(found) > MAX_FIELDS:
                    raise _too_much(root)
        labelled = {path: one for path, one in found.items() if one.label is not None}
        told = [each for one in found.values() if (each := _with_grade(one, labelled)) is not None]
        told = [one for one in told if not _is_handed_on(one, told)]
        deep = [one for one in told if any(isinstance(step, Anywhere) for step in one.steps)]
        return tuple(one for one in told if not any(_repeats(one, other) for other in deep))

    def followed(self, node: Node) -> Node | None:
        """What a node stands for: itself, or what its `$ref` names; None after reporting that it names nothing."""
        for _ in range(MAX_DEPTH):
            if not isinstance(node.value, dict):
                self.refuse(node)
                return None
            if "$ref" not in node.value:
                return node
            target = self._target(node.value["$ref"])
            if target is None:
                return None
            node = target
        self.faults.append(node.fault("I003", "the reference leads in a circle", "引用形成循环"))
        return None

    def _target(self, reference: Node) -> Node | None:
        text = reference.value
        if not isinstance(text, str) or (text != "#" and not text.startswith("#/")):
            self.faults.append(
                reference.fault(
                    "I002",
                    f"`{text}` does not lead into this document: other files and the network are not read",
                    f"`{text}` 不指向本文档：不会读取其他文件或访问网络",
                    "bundle the parts into one file first",
                    "请先将各部分合并为一个文件",
                )
            )
            return None
        node = self._root
        for part in text[2:].split("/") if text != "#" else ():
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            key: str | int = int(name) if isinstance(node.value, list) and name.isdecimal() else name
            below = node.at([key])
            if below is node:
                self.faults.append(reference.fault("I003", f"`{text}` names nothing here", f"`{text}` 在文档中不存在"))
                return None
            node = below
        return node

    def _visit(self, node: Node, depth: int, way: int) -> list[Seen]:
        """What a schema describes, by paths from itself; it stands `way` steps from the root."""
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise _too_much(node)
        if not isinstance(node.value, dict):
            if not isinstance(node.value, bool | None):
                self.refuse(node)
            return [Seen((), None, node)]
        own = self.label(node)
        deeper = self._reference(node.value["$ref"], depth, way) if "$ref" in node.value else []
        recursion = node.value.get("$dynamicRef") or node.value.get("$recursiveRef")
        if recursion is not None:
            self._target(Node("$dynamicRef", recursion.file, recursion.line, recursion.column))
        parts = list(self._parts(node))
        for steps, schema in parts:
            deeper += [
                Seen((*steps, *seen.steps), seen.label, seen.place)
                for seen in self._visit(schema, depth + 1, way + len(steps))
            ]
        if any(seen.steps for seen in deeper):
            # `allOf: [{$ref: …}, {type: object}]`: the second describes nothing of its own
            deeper = [seen for seen in deeper if seen.steps or seen.label is not None or not _is_bare(seen.place)]
        if own is None and (parts or "$ref" in node.value):  # recursion may have left nothing to tell of its parts
            return deeper
        return [Seen((), own, node), *deeper]

    def _reference(self, reference: Node, depth: int, way: int) -> list[Seen]:
        text = str(reference.value)
        if text in self._open:
            if way > self._open[text]:  # at the same place it would say the same again
                self._recursive.add(text)
            return []
        target = self._target(reference)
        if target is None:
            return []
        self._open[text] = way
        seen = self._visit(target, depth + 1, way)
        for kind in self._kinds(target, text, way):
            seen += self._reference(kind, depth + 1, way)
        del self._open[text]
        if text not in self._recursive:
            return seen
        self._recursive.discard(text)
        return [Seen(loosened(one.steps), one.label, one.place) for one in seen]

    def _kinds(self, base: Node, text: str, way: int) -> list[Node]:
        """References to what else stands where this schema does, by its `discriminator`: what that names, and what inherits."""
        discriminator = base.value.get("discriminator") if isinstance(base.value, dict) else None
        if discriminator is None:
            return []
        found = [_to_schema(one) for one in self.members(discriminator, "mapping").values()] + self._heirs.get(text, [])
        kinds = {str(one.value): one for one in found if one.value != text}
        if any(self._open.get(name) == way for name in kinds):  # it is only a part of one of them here
            return []
        chosen = {_referred(one) for key in ("oneOf", "anyOf") for one in self.listed(base, key)}
        return [one for name, one in kinds.items() if name not in chosen]

    def _parts(self, schema: Node) -> Iterator[tuple[Steps, Node]]:
        """The schemas in a schema, each with the way to what it describes."""
        for key in _BRANCHES:
            for at, branch in enumerate(self.listed(schema, key)):
                yield ((Element(at),) if key == "prefixItems" else ()), branch
        yield from (((Member(name),), inner) for name, inner in self.members(schema, "properties").items())
        yield from (((Every(),), inner) for inner in self.members(schema, "patternProperties").values())
        yield from (((), inner) for inner in self.members(schema, "dependentSchemas").values())
        inside = schema.value if isinstance(schema.value, dict) else {}
        yield from (((), inside[key]) for key in _ONE if key in inside)
        yield from (
            ((Every(),), inside[key]) for key in _EACH if key in inside and not isinstance(inside[key].value, bool)
        )

    def members(self, node: Node, key: str) -> dict[str, Node]:
        """The members of the mapping under this key; what stands in another that is no mapping would go unseen."""
        found = node.value.get(key) if isinstance(node.value, dict) else None
        if found is None or found.value is None:
            return {}
        if not isinstance(found.value, dict):
            self.refuse(found)
        return dict(placed(found))

    def listed(self, node: Node, key: str) -> list[Node]:
        """The elements of the list under this key."""
        found = node.value.get(key) if isinstance(node.value, dict) else None
        if found is None or found.value is None:
            return []
        if isinstance(found.value, list):
            return found.value
        self.faults.append(found.fault("I010", f"`{key}` is a list", f"`{key}` 应为列表"))
        return []

    def refuse(self, node: Node) -> None:
        """Tell that something else stands where a mapping should."""
        self.faults.append(node.fault("I010", "`key: value` pairs are expected here", "此处应为 `键: 值`"))


def _labels(node: Node) -> Iterator[Node]:
    """The label beside this node, if there is one."""
    if isinstance(node.value, dict) and KEY in node.value:
        yield node.value[KEY]


def _place(node: Node) -> tuple[int, int]:
    return node.line, node.column


def _below(root: Node) -> Iterator[Node]:
    """A node and all that it holds."""
    left = [root]
    while left:
        node = left.pop()
        yield node
        held = node.value if isinstance(node.value, list | dict) else ()
        left += held.values() if isinstance(held, dict) else held


def _heirs(root: Node) -> dict[str, list[Node]]:
    """References to the schemas that take another one into their `allOf`, by the reference to that one."""
    schemas = root.at(["components", "schemas"])
    found: dict[str, list[Node]] = {}
    for name, schema in placed(schemas):
        parts = schema.at(["allOf"]).value
        for part in parts if isinstance(parts, list) else ():
            found.setdefault(_referred(part), []).append(
                _to_schema(Node(name, schema.file, schema.line, schema.column))
            )
    return found


def _referred(schema: Node) -> str:
    """What a schema refers to, "" for nothing."""
    found = schema.value.get("$ref") if isinstance(schema.value, dict) else None
    return str(found.value) if found is not None else ""


def _to_schema(named: Node) -> Node:
    """The reference that a `discriminator` writes, perhaps as a name alone."""
    text = str(named.value)
    return Node(
        text if "/" in text or "#" in text else f"#/components/schemas/{text}", named.file, named.line, named.column
    )


def placed(node: Node) -> Iterator[tuple[str, Node]]:
    """The members of a mapping, each standing where its key does: in a block its value begins a line later."""
    for key, inner in node.value.items() if isinstance(node.value, dict) else ():
        line, column = node.keys.get(key, (inner.line, inner.column))
        yield key, Node(inner.value, inner.file, line, column, inner.keys)


def _is_bare(node: Node) -> bool:
    """Whether a schema says nothing but that there is an object, an array, null or anything."""
    kind = node.value.get("type") if isinstance(node.value, dict) else None
    return (kind.value if kind else None) in _BARE


def _with_grade(one: Property, labelled: Mapping[str, Property]) -> Property | None:
    """It with the highest grade of what it lies in, where it has no label; None where a label on its array says it already."""
    if one.label is not None:
        return one
    around = [labelled[path] for end in range(len(one.steps)) if (path := spell(one.steps[:end])) in labelled]
    if any(_is_array(each.place) and covers(each.steps, one.steps, exactly=True) for each in around):
        return None
    grades = [each.label.grade for each in around if each.label is not None and each.label.grade is not None]
    return replace(one, label=Label(max(grades, default=None))) if around else one


def _is_handed_on(one: Property, told: list[Property]) -> bool:
    """Whether it is the grade of a whole answer, or of each of its records, that a member of it carries on."""
    if names(one.steps) or one.label is None or one.label.grade is None or one.label != Label(one.label.grade):
        return False
    below = (other.label for other in told if names(other.steps) and covers(one.steps, other.steps))
    return any(label is not None and label.grade is not None and label.grade >= one.label.grade for label in below)


def _is_array(node: Node) -> bool:
    return isinstance(node.value, dict) and "items" in node.value


def _repeats(one: Property, other: Property) -> bool:
    """Whether the other one, at any depth, says the same of it."""
    return one is not other and one.label == other.label and covers(other.steps, one.steps, exactly=True)


def _too_much(node: Node) -> Faulty:
    fault = node.fault(
        "I008",
        f"the document describes too much: at most {MAX_FIELDS} fields, {MAX_STEPS} levels, {MAX_SCHEMAS} schemas",
        f"文档描述的内容过多：最多 {MAX_FIELDS} 个字段、{MAX_STEPS} 层、{MAX_SCHEMAS} 个结构",
        "import it in parts, an asset each",
        "请拆分后分别导入，每部分一项资产",
    )
    return Faulty([fault])
