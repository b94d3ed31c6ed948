"""Which grade holds, and who says so?

1. On the way department → service → asset → endpoint the highest label wins (GB/T 43697-2024: 就高从严).
2. A child that says less than what stands above it is a fault, unless an `override` records who answers for it and until when.
3. An override holds on the days it names and on no other: before and after, what stands above holds, or the child's own label
   where that is higher.
4. What nobody labelled is general-3 until somebody reviews it. That is a presumption and no label: a child may say less.
"""

from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from gateway.catalog.attributes import Override
from gateway.catalog.declarations import Declaration, Default, Endpoint
from gateway.catalog.offices import Offices
from gateway.document import FileFault, Node
from gateway.facts import Grade

By = Literal["department", "service", "asset", "endpoint", "override", "unlabelled", "field", "api", "aggregation"]
_BY: dict[By, tuple[str, str]] = {
    "department": ("department", "部门"),
    "service": ("service", "服务"),
    "asset": ("asset", "资产"),
    "override": ("override", "override"),
}


class Label(Struct, frozen=True):
    """A grade and who says it: `name` is the office, API, asset, route, field, ticket or rule; "" of `unlabelled`."""

    grade: Grade
    by: By
    name: str = ""


UNLABELLED = Label(Grade.GENERAL_3, "unlabelled")


def highest(labels: Iterable[Label]) -> Label | None:
    """The highest of these labels, the first of several; None of none."""
    return max(labels, key=lambda label: label.grade, default=None)


def from_above(owner: str, services: Iterable[str], defaults: Iterable[Default], offices: Offices) -> Label | None:
    """What department and services say of an asset, the highest; None when they say nothing."""
    departments, named = set(offices.upwards(owner)), set(services)
    return highest(
        Label(one.grade, "department", one.owner) if one.owner else Label(one.grade, "service", one.service)
        for one in defaults
        if (one.owner in departments if one.owner else one.service in named)
    )


def of_asset(asset: Declaration, above: Label | None, at: float) -> Label:
    """The label of an asset at this time."""
    own = None if asset.grade is None else Label(asset.grade, "asset", asset.id)
    return _settled(own, asset.override, above, at)


def of_endpoint(endpoint: Endpoint, asset: Label, at: float) -> Label:
    """The label of an endpoint of an asset with this label."""
    own = None if endpoint.grade is None else Label(endpoint.grade, "endpoint", endpoint.route)
    return _settled(own, endpoint.override, None if asset.by == "unlabelled" else asset, at)


def _settled(own: Label | None, override: Override | None, above: Label | None, at: float) -> Label:
    if override is not None and override.grade is not None and override.in_force(at):
        return Label(override.grade, "override", override.ticket)
    return highest(filter(None, (own, above))) or UNLABELLED


def moments(overrides: Iterable[Override | None]) -> tuple[float, ...]:
    """When a grade may change: where an override begins and where it is over, in order."""
    return tuple(sorted({time for one in overrides if one for time in (one.on.begins, one.until.ends)}))


# --- what careless authors are told ---------------------------------------------------------------


def below(asset: Declaration, above: Label | None) -> Iterator[FileFault]:
    """Labels of an asset and its endpoints that stand below what their parents say, without a record of who let them."""
    if asset.grade is not None and asset.override is None and above is not None:
        yield from _below(asset.place.at(["grade"]), asset.grade, above)
    label = of_asset(asset, above, asset.override.on.begins if asset.override else 0.0)
    for endpoint in asset.endpoints if label.by != "unlabelled" else ():
        if endpoint.grade is not None and endpoint.override is None:
            yield from _below(endpoint.place, endpoint.grade, label)


def _below(place: Node, grade: Grade, above: Label) -> Iterator[FileFault]:
    if grade < above.grade:
        en, zh = _BY[above.by]
        yield place.fault(
            "K030",
            f"`{grade.text}` is below what the {en} `{above.name}` says: {above.grade.text}",
            f"`{grade.text}` 低于{zh} `{above.name}` 的级别 {above.grade.text}",
            f"write {above.grade.text}, or record who lets it: `override: {{grade: {grade.text}, ticket, approver, on, until}}`",
            f"请写 {above.grade.text}，或记录批准：`override: {{grade: {grade.text}, ticket, approver, on, until}}`",
        )


def over(overrides: Iterable[Override | None], now: float) -> Iterator[FileFault]:
    """Overrides that are over: what stands above holds again."""
    for one in overrides:
        if one is not None and one.until.ends <= now:
            yield warning(
                one.place.at(["until"]),
                "K033",
                f"the override of {one.ticket} ended {one.until.text} and lowers nothing any more",
                f"{one.ticket} 的 override 已于 {one.until.text} 到期，不再降低级别",
                "remove it, or record a new approval",
                "请将其删除，或记录新的批准",
            )


def warning(place: Node, code: str, en: str, zh: str, remedy_en: str, remedy_zh: str) -> FileFault:
    """A fault that stops nothing."""
    return FileFault(place.file, place.line, place.column, code, en, zh, remedy_en, remedy_zh, warning=True)
