"""How much has this caller been shown today?

Counts what went out, per subject and per department, from the entries of the ledger: the same entries give
the same counts. What was shown is known by keyed digests only.
"""

from gateway.exposure.exposures import Exposures
from gateway.exposure.settings import Settings

__all__ = ["Exposures", "Settings"]
