"""What must every process know, and survive all of them?

`State` keeps what operators decided (revocations, posture reports, the active bundle) on disk;
`Board` tells every process in shared memory that something changed and who is alive; `Revocations`
and `Postures` are what one worker knows, compared with the board at each decision.
"""

from gateway.stores.board import GAUGES, Board, BoardFault, Slot
from gateway.stores.memory import MemoryState
from gateway.stores.records import Activation, Kind, Revocation, StateFault
from gateway.stores.snapshot import Postures, Revocations
from gateway.stores.sqlite import State

__all__ = [
    "GAUGES",
    "Activation",
    "Board",
    "BoardFault",
    "Kind",
    "MemoryState",
    "Postures",
    "Revocation",
    "Revocations",
    "Slot",
    "State",
    "StateFault",
]
