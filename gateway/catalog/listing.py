"""What do people see of an asset, and who said each part of it?

The ledger of assets as reports, policy checks and the console show it. Grades are those of one moment, with who says so: nobody
has to work out which of five labels won.
"""

from collections.abc import Sequence

from msgspec import Struct

from gateway.catalog.aggregation import default_contract
from gateway.catalog.attributes import About, Reviewed
from gateway.catalog.bindings import Bound
from gateway.catalog.declarations import Declaration, Endpoint
from gateway.catalog.inheritance import Label, of_asset
from gateway.catalog.resolution import Surroundings, fields_of, key, resolve
from gateway.facts import Contract, Field, Grade


class Lowered(Struct, frozen=True):
    """A recorded override: `grade` None when it is about the contract alone; days as written."""

    grade: Grade | None
    ticket: str
    approver: str
    on: str
    until: str
    in_force: bool


class EndpointListing(Struct, frozen=True):
    """One endpoint as people see it. `label` is what it is labelled, `because` what gives it its grade in the end."""

    route: str
    action: str
    grade: Grade
    label: Label
    because: Label
    contract: Contract
    opaque: bool
    honey: bool
    discreet: bool
    override: Lowered | None
    reviewed: Reviewed | None
    note: str

    @property
    def unlabelled(self) -> bool:
        """Whether nobody labelled it: general-3 until reviewed."""
        return self.label.by == "unlabelled"


class FieldListing(Struct, frozen=True):
    """One labelled field as people see it; `own` when its grade is its own, not that of its asset."""

    path: str
    identifier: str
    grade: Grade
    own: bool
    reviewed: Reviewed | None
    note: str


class Listing(Struct, frozen=True):
    """One asset as people see it: reports, policy checks, the console."""

    id: str
    title_en: str
    title_zh: str
    owner: str
    category: str
    grade: Grade
    contract: Contract
    endpoints: tuple[str, ...]
    fields: tuple[Field, ...]
    label: Label = Label(Grade.GENERAL_3, "unlabelled")  # who says its grade
    records: str = ""
    total: str = ""
    key: str = ""
    override: Lowered | None = None
    about: About = About()
    routes: tuple[EndpointListing, ...] = ()
    labels: tuple[FieldListing, ...] = ()
    apis: tuple[str, ...] = ()  # that carry it

    @property
    def unlabelled(self) -> bool:
        """Whether nobody labelled it: general-3 until reviewed."""
        return self.label.by == "unlabelled"


def listing(one: Declaration, bounds: Sequence[Bound], around: Surroundings, now: float) -> Listing:
    """An asset as it stands now, through those of the APIs that carry it where it is graded highest."""
    label = of_asset(one, around.above(one, [bound.api.name for bound in bounds]), now)
    fields = fields_of(one, (field for bound in bounds for field in bound.fields), label.grade)
    return Listing(
        id=one.id,
        title_en=one.title_en,
        title_zh=one.title_zh,
        owner=one.owner,
        category=one.category,
        grade=label.grade,
        contract=one.contract or default_contract(label.grade),
        endpoints=tuple(endpoint.route for endpoint in one.endpoints),
        fields=fields,
        label=label,
        records=one.records,
        total=one.total,
        key=key(fields),
        override=_lowered(one, now),
        about=one.about,
        routes=tuple(_endpoint(one, endpoint, bounds, around, now) for endpoint in one.endpoints),
        labels=tuple(_field(field, one) for field in fields),
        apis=tuple(sorted(bound.api.name for bound in bounds if bound.api.name)),
    )


def _field(field: Field, one: Declaration) -> FieldListing:
    said = next((label for label in one.fields if label.path == field.path), None)
    if said is None:  # written at the API
        return FieldListing(field.path, field.identifier, field.grade, True, None, "")
    return FieldListing(field.path, field.identifier, field.grade, said.grade is not None, said.reviewed, said.note)


def _endpoint(
    one: Declaration, endpoint: Endpoint, bounds: Sequence[Bound], around: Surroundings, now: float
) -> EndpointListing:
    through = (resolve(one, endpoint, bound, around, now) for bound in bounds)
    found = max(through, key=lambda each: each.asset.grade)
    return EndpointListing(
        endpoint.route,
        endpoint.action,
        found.asset.grade,
        found.label,
        found.because,
        found.asset.contract,
        endpoint.opaque,
        endpoint.honey,
        bool(endpoint.identifiers),
        _lowered(endpoint, now),
        endpoint.reviewed,
        endpoint.note,
    )


def _lowered(of: Declaration | Endpoint, now: float) -> Lowered | None:
    said = of.override
    if said is None:
        return None
    return Lowered(said.grade, said.ticket, said.approver, said.on.text, said.until.text, said.in_force(now))
