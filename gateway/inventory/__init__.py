"""What does the ledger of data assets say, what is missing from it, and what would complete it?

Never on the request path: reads OpenAPI documents, what is on record and the catalog, and makes values of them. Nothing
here changes a file; a person does, through `gateway asset`.
"""

from typing import Final

VIEWS: Final = (
    "assets", "owners", "grades", "endpoints", "identifiers", "unlabelled", "expired", "overrides", "exposed", "reads",
    "masking", "drift", "unlisted",
)  # fmt: skip
"""The tables of the report, in its order."""
