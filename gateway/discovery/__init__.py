"""What do answers hold that nobody has labelled yet?"""

from gateway.discovery.found import Evidence, Found
from gateway.discovery.learner import Learner
from gateway.discovery.records import Record, Unreadable
from gateway.discovery.store import kept, met, read, write

__all__ = ["Evidence", "Found", "Learner", "Record", "Unreadable", "kept", "met", "read", "write"]
