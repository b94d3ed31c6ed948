"""Is what we are about to send what we promised?

The gate of `gateway.detect`, held over our own output. A label that misses a field, a service that moved one, a number
in the middle of a remark: the walk cannot see them, the second look does. What it finds is not sent.
"""

from collections.abc import AsyncIterator

from gateway.detect import Gate
from gateway.masking.json_body import turn

SLICE = 256 * 1024
OVERLAP = 256  # longer than any identifier that is looked for


class Residual(ValueError):
    """An identifier that was to be hidden is still there; the text names its kind, never the value."""

    def __init__(self, identifiers: tuple[str, ...]) -> None:
        super().__init__(" ".join(identifiers))
        self.identifiers = identifiers


def look(shown: bytes, gate: Gate) -> None:
    """Let a short answer pass. Raises Residual."""
    found = gate.found(shown)
    if found:
        raise Residual(found)


async def look_long(shown: bytes, gate: Gate) -> None:
    """The same for a long one, with turns for others in between. Raises Residual."""
    if len(shown) <= SLICE:
        look(shown, gate)
        return
    for at in range(0, len(shown), SLICE):
        look(shown[max(0, at - OVERLAP) : at + SLICE], gate)
        await turn()


async def watched(units: AsyncIterator[bytes], gate: Gate) -> AsyncIterator[bytes]:
    """The units of an answer as long as nothing is left in them that was to be hidden. Raises Residual."""
    async for unit in units:
        await look_long(unit, gate)
        yield unit
