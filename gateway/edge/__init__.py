"""What came in, and may it be read?

The only room that speaks HTTP and ASGI towards callers. `protocol` keeps the connection honest,
`read` turns a request into an `Ask` or says why it cannot be read, `write` hands the answer over.
"""

from gateway.edge.cors import cors_headers, preflight
from gateway.edge.door import Tally
from gateway.edge.read import again, read
from gateway.edge.refusal import plain, reason_page, refusal, resource_metadata, turn_away
from gateway.edge.settings import Api, Cors, Limits, Settings
from gateway.edge.write import Interrupted, write

__all__ = [
    "Api",
    "Cors",
    "Interrupted",
    "Limits",
    "Settings",
    "Tally",
    "again",
    "cors_headers",
    "plain",
    "preflight",
    "read",
    "reason_page",
    "refusal",
    "resource_metadata",
    "turn_away",
    "write",
]
