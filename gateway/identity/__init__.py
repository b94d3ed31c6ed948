"""Who is asking?

Recognises the subject from the credential presented, and never falls through a bad credential to
anonymous. `recognise` is the door; `bearer` and `claims` judge tokens, `certificate` judges client
certificates, `keys` keeps the issuers' key sets fresh, `fetch` brings them.
"""

from gateway.identity.keys import Fetch, Fetched, Unfetched
from gateway.identity.recognise import Recogniser, Revocations
from gateway.identity.settings import DEFAULT_ALGORITHMS, Authority, Claims, Issuer, Settings

__all__ = [
    "DEFAULT_ALGORITHMS",
    "Authority",
    "Claims",
    "Fetch",
    "Fetched",
    "Issuer",
    "Recogniser",
    "Revocations",
    "Settings",
    "Unfetched",
]
