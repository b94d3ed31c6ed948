"""What must every process know, and survive all of them?

`State` keeps what operators decided (revocations, posture reports, the active bundle) on disk;
`Board` tells every process in shared memory that something changed and who is alive; `Revocations`
and `Postures` are what one worker knows, compared with the board at each decision.
"""

from gateway.stores.board import GAUGES, Board, BoardFault, Slot
from gateway.stores.instant import Instant, instant
from gateway.stores.memory import MemoryState
from gateway.stores.records import (
    CONFIRM_SECONDS,
    LEVELS,
    Activation,
    Emergency,
    Kind,
    Pilot,
    Revocation,
    StateFault,
    Way,
)
from gateway.stores.snapshot import Postures, Revocations
from gateway.stores.sqlite import State

__all__ = [
    "CONFIRM_SECONDS",
    "GAUGES",
    "LEVELS",
    "Activation",
    "Board",
    "BoardFault",
    "Emergency",
    "Instant",
    "Kind",
    "MemoryState",
    "Pilot",
    "Postures",
    "Revocation",
    "Revocations",
    "Slot",
    "State",
    "StateFault",
    "Way",
    "instant",
]
