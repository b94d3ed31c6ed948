"""Is what we are about to send what we promised?

The gate of `gateway.detect`, held over our own output. A label that misses a field, a service that moved one, a number
in the middle of a remark: the walk cannot see them, the second look does. What it finds is not sent.
"""

from gateway.detect import Gate
from gateway.masking.turns import turn

SLICE = 256 * 1024
OVERLAP = 512  # longer than any identifier that is looked for
_CUT = b"0"  # what stands where a slice was cut off: `^` and `$` are the ends of the answer, not those of a slice
_CUT_OFF = _CUT * 64  # more than an identifier could take up


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
        before = _CUT if at > OVERLAP else b""
        after = _CUT_OFF if at + SLICE < len(shown) else b""
        look(before + shown[max(0, at - OVERLAP) : at + SLICE] + after, gate)
        await turn()
