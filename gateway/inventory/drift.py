"""In what does an interface differ from what the ledger says of it?

Compares what an OpenAPI document describes with an asset as its catalog file declares it. Rules:

1. `$..phone` labels `$.items[*].phone`. A label on an object grades what lies in it and labels none of it, as in masking.
2. An unlabelled property that no label of the ledger covers is a finding: whoever changed the interface has not said what it is.
3. What the ledger knows and the document does not is told as gone; nobody removes it but a person.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct

from gateway.catalog.inheritance import UNLABELLED
from gateway.catalog.templates import Template, parse_endpoint, same
from gateway.document import Plain
from gateway.facts import Grade
from gateway.inventory.openapi import Described, Operation
from gateway.inventory.paths import Steps, covering, covers, filed, meets
from gateway.inventory.schema import Property
from gateway.jsonpath import parse, spell

Kind = Literal["new", "gone", "otherwise", "unlabelled"]


class Drift(Struct, frozen=True):
    """One difference; `line` is where the document says so, 0 where it does not."""

    kind: Kind
    what: Literal["asset", "endpoint", "field"]
    name: str
    ledger: str = ""
    document: str = ""
    line: int = 0


class Recorded(Struct, frozen=True):
    """One endpoint or field as a catalog file declares it; `grade` is the asset's where it has none of its own."""

    name: str
    grade: Grade | None
    identifiers: tuple[str, ...]
    steps: Steps = ()
    method: str = ""
    template: Template | None = None


def items(asset: Mapping[str, Plain], key: str) -> list[dict[str, Plain]]:
    """The endpoints or fields of an asset as mappings; a text alone is a path."""
    found = asset.get(key)
    written = found if isinstance(found, list) else []
    return [one if isinstance(one, dict) else {"path": one} for one in written]


def grade_of(item: Mapping[str, Plain], words: Mapping[str, Grade]) -> Grade | None:
    """The grade that an item of a catalog file names, itself or in its override; None where it names none."""
    override = item.get("override")
    lowered = override.get("grade") if isinstance(override, dict) else None
    return words.get(str(item.get("grade", lowered)))


def fields_of(asset: Mapping[str, Plain], words: Mapping[str, Grade]) -> tuple[Recorded, ...]:
    """The labelled fields of an asset that the catalog's reader has accepted."""
    own = grade_of(asset, words)
    found = []
    for one in items(asset, "fields"):
        steps = parse(str(one["path"]))
        found.append(Recorded(spell(steps), grade_of(one, words) or own, _identifiers(one), steps))
    return tuple(found)


def endpoints_of(asset: Mapping[str, Plain], words: Mapping[str, Grade]) -> tuple[Recorded, ...]:
    """The endpoints of an asset that the catalog's reader has accepted."""
    own = grade_of(asset, words)
    found = []
    for one in items(asset, "endpoints"):
        method, template = parse_endpoint(str(one["path"]))
        route = f"{method} {template.text}"
        found.append(Recorded(route, grade_of(one, words) or own, _identifiers(one), (), method, template))
    return tuple(found)


def _identifiers(item: Mapping[str, Plain]) -> tuple[str, ...]:
    said = item.get("identifier")
    if isinstance(said, dict):
        return tuple(f"{name}={value}" for name, value in said.items())
    return (str(said),) if said else ()


def same_requests(one: Recorded, other: Operation) -> bool:
    """Whether an endpoint of the ledger and an operation stand for the same requests."""
    return one.template is not None and one.method == other.method and same(one.template, other.template)


def stands_over(one: Recorded, other: Operation) -> bool:
    """Whether an endpoint of the ledger stands for all requests of an operation."""
    if one.template is None or one.method != other.method:
        return False
    ours, theirs = one.template.segments, other.template.segments
    long_enough = len(ours) <= len(theirs) if one.template.open else len(ours) == len(theirs)
    return long_enough and all(our in (None, their) for our, their in zip(ours, theirs, strict=False))


def under(one: Recorded, other: Operation, prefix: str) -> Iterator[tuple[str | None, ...]]:
    """The segments below which the recorded endpoint is this operation of a document that lies below `prefix`, if it is."""
    if one.template is None or one.method != other.method or one.template.open:
        return
    own = other.template.segments[len([piece for piece in prefix.split("/") if piece]) :]
    before = one.template.segments[: len(one.template.segments) - len(own)]
    if own and (*before, *own) == one.template.segments and None not in before:
        yield before


def drift(asset: Mapping[str, Plain], found: Described, words: Mapping[str, Grade]) -> tuple[Drift, ...]:
    """Every difference: of the asset, its endpoints, its fields."""
    endpoints, fields = endpoints_of(asset, words), fields_of(asset, words)
    differ = _whole(asset, found, words)
    differ += [one for operation in found.operations for one in _operation(operation, endpoints)]
    differ += [
        Drift("gone", "endpoint", one.name, _shown(one.grade))
        for one in endpoints
        if not any(_is_still(one, operation) for operation in found.operations)
    ]
    known, said = filed(fields), filed(found.properties)
    differ += [one for prop in found.properties for one in _property(prop, covering(prop.steps, known), said)]
    paths = {prop.path for prop in found.properties}
    differ += [
        Drift("gone", "field", one.name, _shown(one.grade, one.identifiers))
        for one in fields
        if one.name not in paths and not any(meets(one.steps, prop.steps) for prop in found.properties)
    ]
    return tuple(differ)


def _whole(asset: Mapping[str, Plain], found: Described, words: Mapping[str, Grade]) -> list[Drift]:
    own = grade_of(asset, words)
    if found.grade in (None, own):
        return []
    return [Drift("otherwise", "asset", str(asset.get("id", "")), _shown(own), _shown(found.grade), found.line)]


def _is_still(one: Recorded, operation: Operation) -> bool:
    whole = one.template is not None and one.template.open  # `/**`: what lies below it is a part of it
    return stands_over(one, operation) if whole else same_requests(one, operation)


def _operation(operation: Operation, endpoints: tuple[Recorded, ...]) -> list[Drift]:
    line = operation.place.line
    identifiers = tuple(f"{name}={value}" for name, value in operation.identifiers)
    known = next((one for one in endpoints if same_requests(one, operation)), None)
    said = operation.grade
    usual = said or (known.grade if known is not None else None) or UNLABELLED.grade
    if operation.least is not None and operation.least > usual:
        said = operation.least
    document = _shown(said, identifiers)
    if known is None:
        return [Drift("new", "endpoint", operation.route, "", document, line)]
    wanted = {value for _, value in operation.identifiers}
    missing = wanted - {one.partition("=")[2] for one in known.identifiers}
    if said not in (None, known.grade) or missing:
        return [Drift("otherwise", "endpoint", known.name, _shown(known.grade, known.identifiers), document, line)]
    return []


def _property(prop: Property, over: list[Recorded], others: Mapping[str, list[Property]]) -> list[Drift]:
    line = prop.place.line
    labelled = any(covers(one.steps, prop.steps, exactly=True) for one in over)
    if prop.label is None:
        return [] if labelled else [Drift("unlabelled", "field", prop.path, line=line)]
    said = _grade(prop, others)
    document = _shown(said, (prop.label.identifier,))
    if not labelled:
        return [Drift("new", "field", prop.path, "", document, line)]
    grade = max((one.grade for one in over if one.grade is not None), default=None)
    identifiers = tuple(dict.fromkeys(name for one in over for name in one.identifiers))
    missing = prop.label.identifier and prop.label.identifier not in identifiers
    if said not in (None, grade) or missing:
        return [Drift("otherwise", "field", prop.path, _shown(grade, identifiers), document, line)]
    return []


def _grade(prop: Property, others: Mapping[str, list[Property]]) -> Grade | None:
    """What the document says of a property: its own grade, or a higher one of what it lies in."""
    if prop.label is None or prop.label.grade is None:
        return None
    labels = (one.label for one in covering(prop.steps, others))
    return max(label.grade for label in labels if label is not None and label.grade is not None)


def _shown(grade: Grade | None, identifiers: tuple[str, ...] = ()) -> str:
    return " ".join(filter(None, (grade.text if grade is not None else "", *identifiers)))
