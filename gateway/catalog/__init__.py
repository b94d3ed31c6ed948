"""What is asked for, and how sensitive is it?

The ledger of data assets, read from `policies/catalog/*.yaml` once and looked at for every request.
"""

from gateway.catalog.aggregation import Rule
from gateway.catalog.attributes import About, Reviewed
from gateway.catalog.bindings import ApiBinding
from gateway.catalog.inheritance import Label
from gateway.catalog.ledger import Catalog, Raised, load
from gateway.catalog.listing import EndpointListing, FieldListing, Listing, Lowered

__all__ = [
    "About",
    "ApiBinding",
    "Catalog",
    "EndpointListing",
    "FieldListing",
    "Label",
    "Listing",
    "Lowered",
    "Raised",
    "Reviewed",
    "Rule",
    "load",
]
