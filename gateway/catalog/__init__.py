"""What is asked for, and how sensitive is it?

The ledger of data assets, read from `policies/catalog/*.yaml` once and looked at for every request.
"""

from gateway.catalog.bindings import ApiBinding
from gateway.catalog.ledger import Catalog, Listing, Raised, load

__all__ = ["ApiBinding", "Catalog", "Listing", "Raised", "load"]
