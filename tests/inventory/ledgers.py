"""A ledger of two assets."""

from gateway.catalog import Listing, Reviewed
from gateway.catalog.attributes import About
from gateway.catalog.inheritance import Label
from gateway.catalog.listing import EndpointListing, FieldListing, Lowered
from gateway.facts import Contract, Field, Grade

ROUTE = "GET /civil/households/{id}"


def endpoint(route: str = ROUTE, contract: Contract = "learn", by: str = "asset") -> EndpointListing:
    """One endpoint as people see it."""
    label = Label(Grade.IMPORTANT, by)  # type: ignore[arg-type]  # one of its words
    lowered = Lowered(Grade.GENERAL_2, "T-17", "li.min", "2026-01-10", "2027-01-10", True)
    return EndpointListing(
        route=route, action="read", grade=Grade.IMPORTANT, label=label, because=label, contract=contract, opaque=False,
        honey=False, discreet=False, override=lowered if by == "asset" else None, reviewed=None, note="",
    )  # fmt: skip


def listings() -> list[Listing]:
    """Households with an overdue review, and parcels that nobody has labelled."""
    return [
        Listing(
            "household", "households", "户籍", "prov/civil", "population", Grade.IMPORTANT, "learn", (ROUTE,),
            (Field("$..name", "name", Grade.GENERAL_4), Field("$..phone", "phone", Grade.IMPORTANT)),
            about=About(share="conditional", open="closed", reviewed=Reviewed("wang.li", "2025-01-10", "2026-01-10")),
            routes=(endpoint(),),
            labels=(FieldListing("$..name", "name", Grade.GENERAL_4, True, Reviewed("wang.li", "2026-01-01"), ""),),
        ),
        Listing(
            "parcel", "<b>parcels</b>", "=不动产", "prov/land", "", Grade.GENERAL_3, "warn", ("GET /parcels",), (),
            routes=(endpoint("GET /parcels", "warn", "unlabelled"),),
        ),
    ]  # fmt: skip
