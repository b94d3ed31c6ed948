"""What is asked for at this endpoint, through this API, at this time?

1. The grade of a request is the highest of its label (`inheritance`), the API's own `level`, its labelled fields, and what
   these together raise (`aggregation`). No override reaches below a field, or below what gateway.yaml says.
2. A field without a grade is graded as its asset; at an endpoint that may stand lower, as the endpoint.
3. The contract is what endpoint or asset name, else it follows the grade. An endpoint is laxer than its asset only while an
   override of it is in force.
4. Records are told apart by the field with the strongest identifier.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from gateway.catalog.aggregation import Rule, combined, default_contract, stricter
from gateway.catalog.bindings import Bound
from gateway.catalog.declarations import Declaration, Default, Endpoint
from gateway.catalog.inheritance import Label, from_above, highest, moments, of_asset, of_endpoint, warning
from gateway.catalog.offices import Offices
from gateway.document import FileFault, Node
from gateway.facts import Asset, Contract, Field, Grade

KEYS = (
    "resident-id",
    "old-resident-id",
    "passport",
    "permit",
    "officer-id",
    "social-card",
    "credit-code",
    "org-code",
    "phone",
    "email",
    "plate",
    "vin",
    "imei",
    "bank-card",
)
"""Identifiers that tell a person or organisation apart, the strongest first."""


class Surroundings(Struct, frozen=True):
    """What stands around all assets: labels from above, the tree of offices, and aggregation rules."""

    defaults: Sequence[Default] = ()
    offices: Offices = Offices()
    rules: Sequence[Rule] = ()

    def above(self, one: Declaration, services: Iterable[str]) -> Label | None:
        """What department and services say of an asset."""
        return from_above(one.owner, services, self.defaults, self.offices)


class Resolved(Struct, frozen=True):
    """An endpoint at one time: what policy is told, the label it has, and what gives it the grade in the end."""

    asset: Asset
    label: Label
    because: Label


def resolve(one: Declaration, endpoint: Endpoint, bound: Bound, around: Surroundings, at: float) -> Resolved:
    """The asset behind an endpoint; its `revision` is still to come."""
    above = of_asset(one, around.above(one, (bound.api.name,)), at)
    label = of_endpoint(endpoint, above, at)
    fields = fields_of(one, bound.fields, min(above.grade, label.grade))
    said = [label]
    if bound.floor is not None:
        said.append(Label(bound.floor, "api", bound.api.name))
    if fields:
        top = max(fields, key=lambda field: field.grade)
        said.append(Label(top.grade, "field", top.path))
    because = highest(said) or label
    plain = _asset(one, endpoint, bound, because.grade, fields, at)
    asset = combined(plain, (identifier for _, identifier in endpoint.identifiers), around.rules)
    return Resolved(asset, label, Label(asset.grade, "aggregation", asset.raised[0]) if asset.raised else because)


def states(one: Declaration, endpoint: Endpoint, bound: Bound, around: Surroundings) -> Iterator[tuple[float, Asset]]:
    """The asset over time: each with the time, in seconds since 1970, at which it is over."""
    times = moments((one.override, endpoint.override))
    for begins, ends in zip((0.0, *times), (*times, float("inf")), strict=True):
        yield ends, resolve(one, endpoint, bound, around, begins).asset


def _asset(
    one: Declaration, endpoint: Endpoint, bound: Bound, grade: Grade, fields: tuple[Field, ...], at: float
) -> Asset:
    return Asset(
        id=one.id,
        api=bound.api.name,
        route=endpoint.route,
        action=endpoint.action,
        grade=grade,
        category=one.category,
        owner=one.owner,
        fields=fields,
        contract=_contract(one, endpoint, grade, at),
        opaque=endpoint.opaque,
        parameters=(),
        revision="",
        discreet=bool(endpoint.identifiers),
        honey=endpoint.honey,
        mode=bound.api.mode,
        records=one.records,
        total=one.total,
        key=key(fields),
    )


def _contract(one: Declaration, endpoint: Endpoint, grade: Grade, at: float) -> Contract:
    inherited = one.contract or default_contract(grade)
    if endpoint.contract is None:
        return inherited
    free = endpoint.override is not None and endpoint.override.in_force(at)
    return endpoint.contract if free else stricter(endpoint.contract, inherited)


def fields_of(one: Declaration, inline: Iterable[Field], inherited: Grade) -> tuple[Field, ...]:
    """Labels of the catalog and of the API. For one path the catalog names what it is, the higher grade wins."""
    fields = {label.path: Field(label.path, label.identifier, label.grade or inherited) for label in one.fields}
    for field in inline:
        known = fields.get(field.path, field)
        fields[field.path] = Field(field.path, known.identifier or field.identifier, max(known.grade, field.grade))
    return tuple(fields.values())


def key(fields: Iterable[Field]) -> str:
    """The path of the field that tells records, and whom they are about, apart; "" when no label says."""
    paths = {field.identifier: field.path for field in reversed(tuple(fields))}
    return next((paths[identifier] for identifier in KEYS if identifier in paths), "")


# --- what careless authors are told ---------------------------------------------------------------


def laxer(one: Declaration, endpoint: Endpoint, bound: Bound, around: Surroundings) -> Iterator[FileFault]:
    """An endpoint that lets more of what nobody labelled through than its asset does."""
    if endpoint.contract is None or endpoint.override is not None:
        return
    grade = resolve(one, endpoint, bound, around, 0.0).because.grade
    inherited = one.contract or default_contract(grade)
    if stricter(endpoint.contract, inherited) != endpoint.contract:
        yield endpoint.place.fault(
            "K035",
            f"the contract `{endpoint.contract}` is laxer than `{inherited}` of asset `{one.id}`",
            f"应答约定 `{endpoint.contract}` 比资产 `{one.id}` 的 `{inherited}` 宽松",
            f"write {inherited} or a stricter one, or record who lets it: `override: {{ticket, approver, on, until}}`",
            f"请写 {inherited} 或更严格的应答约定，或记录批准：`override: {{ticket, approver, on, until}}`",
        )


def idle(one: Declaration, bounds: Sequence[Bound], around: Surroundings) -> Iterator[FileFault]:
    """Overrides that lower nothing: they would begin to once something above is raised, and nobody approved that."""
    if one.override is not None:
        above = around.above(one, [bound.api.name for bound in bounds])
        if above is None or (one.override.grade or above.grade) >= above.grade:
            yield from _idle(one.override.place, one.override.ticket)
    for endpoint in one.endpoints:
        override = endpoint.override
        if override is None or endpoint.contract is not None:
            continue
        without = replace(endpoint, override=None, grade=None)
        if all(_same(one, endpoint, without, bound, around, override.on.begins) for bound in bounds):
            yield from _idle(override.place, override.ticket)


def _same(
    one: Declaration, endpoint: Endpoint, without: Endpoint, bound: Bound, around: Surroundings, at: float
) -> bool:
    before, after = (resolve(one, each, bound, around, at).asset for each in (without, endpoint))
    return after.grade >= before.grade


def _idle(place: Node, ticket: str) -> Iterator[FileFault]:
    yield warning(
        place,
        "K034",
        f"the override of {ticket} lowers nothing: what stands above, a field or an aggregation rule says as much or more",
        f"{ticket} 的 override 未降低任何级别：上级标注并不更高，或由字段标注、汇聚规则决定",
        "remove it: it would lower what nobody approved as soon as something above is raised",
        "请将其删除：上级标注一旦提高，它会降低未经批准的级别",
    )
