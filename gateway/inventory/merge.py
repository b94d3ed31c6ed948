"""What should the ledger say of an asset once its interface was read?

Makes the entry of a catalog file out of an OpenAPI document and of the entry that is there. Rules:

1. What people wrote stays: owner, title, reviews, overrides, notes, decoys, contracts, and every endpoint and field.
2. Nothing is lowered and nothing removed. A grade is raised where the document says more, but not where an override says
   that somebody answers for less.
3. Entering the same document again changes nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from gateway.catalog.aggregation import stricter
from gateway.catalog.inheritance import UNLABELLED
from gateway.catalog.shapes import CONTRACTS
from gateway.catalog.templates import Template, below
from gateway.document import Plain
from gateway.facts import Grade
from gateway.inventory.drift import (
    Recorded,
    endpoints_of,
    fields_of,
    grade_of,
    items,
    same_requests,
    stands_over,
    under,
)
from gateway.inventory.labels import Label
from gateway.inventory.openapi import Described, Operation
from gateway.inventory.paths import covering, covers, filed
from gateway.inventory.schema import Property

Entry = dict[str, Plain]
_OF_ONE_PATH = frozenset(("override", "opaque", "honey"))


def entered(before: Mapping[str, Plain], found: Described, words: Mapping[str, Grade]) -> Entry:
    """The asset with what the document adds. `before` has at least `id` and `owner`."""
    after: Entry = dict(before)
    if found.title and "title" not in after:
        after["title"] = found.title
    _raise(after, found.grade, grade_of(before, words))
    own = grade_of(after, words)
    endpoints = _endpoints(before, found, own, words)
    if endpoints:
        after["endpoints"] = endpoints
    fields = _fields(before, found, own, words)
    if fields:
        after["fields"] = fields
    return after


def moved(
    before: Mapping[str, Plain], found: Described, prefixes: Sequence[str]
) -> tuple[Entry, list[tuple[str, str]]]:
    """The asset with its lost endpoints where the document has them now, and which those are: (before, after).

    Lost is what lies below none of the prefixes of its APIs: nobody can ask for it. It was entered below another prefix than
    callers use, the same for all of a document, and keeps what people recorded of it. What lowers, opens or baits was said of one
    path and is not carried to another, whatever a document calls it.
    """
    known = list(zip(endpoints_of(before, {}), items(before, "endpoints"), strict=True))
    reached: dict[str | None, list[Operation]] = {}
    for operation in found.operations:
        if _carried(operation.template, prefixes):
            reached.setdefault((operation.template.segments or (None,))[-1], []).append(operation)
    pairs = [
        (one, other, wrong)
        for one, item in known
        if one.template is not None and not _carried(one.template, prefixes) and _OF_ONE_PATH.isdisjoint(item)
        for other in reached.get((one.template.segments or (None,))[-1], ())
        for wrong in under(one, other, found.prefix)
    ]
    if not prefixes or not pairs:
        return dict(before), []
    ((wrong, _),) = Counter(wrong for _, _, wrong in pairs).most_common(1)
    taken = {(one.method, one.template.segments) for one, _ in known if one.template is not None}
    ways = {
        one.name: f"{one.method} {_below(found.prefix, one.name, len(wrong))}"
        for one, other, other_prefix in pairs
        if other_prefix == wrong and (other.method, other.template.segments) not in taken
    }
    written = before.get("endpoints")
    after = [
        kept if recorded.name not in ways else _at(kept, ways[recorded.name])
        for (recorded, _), kept in zip(known, written if isinstance(written, list) else (), strict=True)
    ]
    return dict(before) | {"endpoints": after}, list(ways.items())


def _below(prefix: str, route: str, instead_of: int) -> str:
    """The path of a route with this prefix in the place of its first segments; its parameters keep their names."""
    rest = [piece for piece in route.partition(" ")[2].split("/")[1:] if piece][instead_of:]
    return "/".join((prefix, *rest)) or "/"


def _carried(template: Template, prefixes: Sequence[str]) -> bool:
    return any(below(template, prefix) for prefix in prefixes)


def _at(kept: Plain, route: str) -> Plain:
    return kept | {"path": route} if isinstance(kept, dict) else route


def _endpoints(
    before: Mapping[str, Plain], found: Described, own: Grade | None, words: Mapping[str, Grade]
) -> list[Plain]:
    known = list(zip(endpoints_of(before, words), items(before, "endpoints"), strict=True))
    out: list[Plain] = []
    written = before.get("endpoints")
    for place, (recorded, item) in enumerate(known):
        operation = next((one for one in found.operations if same_requests(recorded, one)), None)
        kept = written[place] if isinstance(written, list) else item
        changed = _endpoint(item, operation, own, words) if operation is not None else item
        out.append(kept if changed == item else changed)
    for operation in found.operations:
        if not any(same_requests(recorded, operation) for recorded, _ in known):
            over = [item for recorded, item in known if stands_over(recorded, operation)]
            item = _endpoint(_like({"path": operation.route}, over, own, words), operation, own, words)
            out.append(operation.route if item == {"path": operation.route} else item)
    return out


def _like(item: Entry, over: Sequence[Entry], own: Grade | None, words: Mapping[str, Grade]) -> Entry:
    """A new endpoint, as strict as those that answered for its path so far: to be named alone lowers nothing."""
    for one in over:
        _raise(item, grade_of(one, words), grade_of(item, words) or own)
        said = CONTRACTS.get(str(one.get("contract")))
        if said is not None and "override" not in one:
            item["contract"] = stricter(CONTRACTS.get(str(item.get("contract")), said), said)
    return item


def _endpoint(item: Entry, operation: Operation, own: Grade | None, words: Mapping[str, Grade]) -> Entry:
    changed = dict(item)
    if operation.identifiers and "identifier" not in item:
        # the ledger's own names of the parameters, by their order in the path
        changed["identifier"] = _named(item, operation)
    _raise(changed, operation.grade, grade_of(item, words) or own)
    _raise(changed, operation.least, grade_of(changed, words) or own or UNLABELLED.grade)
    return changed


def _raise(item: Entry, grade: Grade | None, now: Grade | None) -> None:
    """Let it say this grade where that is more, and nobody answers for less."""
    override = item.get("override")
    answered_for = isinstance(override, dict) and "grade" in override
    if grade is not None and (now is None or grade > now) and not answered_for:
        item["grade"] = grade.text


def _named(item: Entry, operation: Operation) -> Entry:
    (recorded,) = endpoints_of({"endpoints": [item]}, {})
    theirs = recorded.template.parameters if recorded.template is not None else ()
    names = dict(zip(operation.template.parameters, theirs, strict=True))
    return {names[name]: identifier for name, identifier in operation.identifiers}


def _fields(
    before: Mapping[str, Plain], found: Described, own: Grade | None, words: Mapping[str, Grade]
) -> list[Plain]:
    known = fields_of(before, words)
    labelled = {one.path: one for one in found.properties if one.label is not None}
    out: list[Plain] = []
    for recorded, item in zip(known, items(before, "fields"), strict=True):
        prop = labelled.get(recorded.name)
        out.append(_raised(item, prop.label, own, words) if prop is not None and prop.label is not None else item)
    spelled, over = {one.name for one in known}, filed(known)
    new = (one for one in labelled.values() if one.path not in spelled)
    out += [_field(one, own) for one in new if not _said(one, covering(one.steps, over))]
    return out


def _said(prop: Property, over: list[Recorded]) -> bool:
    """Whether the labels that cover it already say as much, and one of them is its own."""
    if prop.label is None or not any(covers(one.steps, prop.steps, exactly=True) for one in over):
        return False
    grade = max((one.grade for one in over if one.grade is not None), default=Grade.GENERAL_1)
    named = not prop.label.identifier or any(prop.label.identifier in one.identifiers for one in over)
    return named and (prop.label.grade is None or prop.label.grade <= grade)


def _raised(item: Entry, label: Label, own: Grade | None, words: Mapping[str, Grade]) -> Entry:
    changed = dict(item)
    if label.identifier and "identifier" not in item:
        changed["identifier"] = label.identifier
    _raise(changed, label.grade, grade_of(item, words) or own)
    return changed


def _field(prop: Property, own: Grade | None) -> Entry:
    label = prop.label or Label()
    item: Entry = {"path": prop.path}
    if label.identifier:
        item["identifier"] = label.identifier
    if label.grade is not None and label.grade != own:
        item["grade"] = label.grade.text
    if label.mask:
        item["note"] = f"the interface suggests {label.mask}"
    return item
