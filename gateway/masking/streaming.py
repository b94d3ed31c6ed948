"""How is an answer masked while it arrives?

Lines, tables and events come unit by unit and may never end. Each unit is masked as it comes and sent before the next
is looked at; nothing is held but the unit. Rules:

1. What cannot be inspected ends the answer where it stands, with the reason on record; the caller sees a truncation,
   never an answer that looks whole. Only before the first byte is it still a refusal with its own status.
2. The stream of the service is closed on every way out.
3. Others get their turn between two pieces, however fast the service sends.
"""

from collections.abc import AsyncIterator

from gateway.facts import BodyFailed, Revealed
from gateway.masking.about import TooMany
from gateway.masking.json_body import NotJson
from gateway.masking.plan import TooManyStates
from gateway.masking.room import Seat
from gateway.masking.second_look import Residual
from gateway.masking.tally import Tally
from gateway.masking.turns import turn
from gateway.masking.unpack import Withheld


async def begun(units: AsyncIterator[bytes]) -> bytes:
    """The first piece, b"" when there is none. Raises what stands in its way, as long as it can still be told."""
    return await anext(units, b"")


class Going:
    """The pieces of an answer; closing it closes the stream of the service, also before the first piece was asked for.

    An asynchronous generator alone would not: one that was never begun has no way out that it could take.
    """

    __slots__ = ("_closing", "_pieces")

    def __init__(self, pieces: AsyncIterator[bytes], *closing: bytes | AsyncIterator[bytes] | Seat) -> None:
        self._pieces = pieces
        self._closing = (pieces, *closing)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """The next piece. Raises BodyFailed where the answer has to end."""
        return await anext(self._pieces)

    async def aclose(self) -> None:
        """Let the service go."""
        for stream in self._closing:
            await closed(stream)


def going_on(
    first: bytes, units: AsyncIterator[bytes], source: bytes | AsyncIterator[bytes], tally: Tally, seat: Seat
) -> AsyncIterator[bytes]:
    """The pieces from the first on; `seat` is left at the end. Raises BodyFailed where the answer has to end."""
    return Going(_pieces(first, units, source, tally), units, source, seat)


async def _pieces(
    first: bytes, units: AsyncIterator[bytes], source: bytes | AsyncIterator[bytes], tally: Tally
) -> AsyncIterator[bytes]:
    try:
        if first:
            yield first
        async for piece in units:
            if piece:
                yield piece
            await turn()
    except (Withheld, NotJson) as error:
        raise BodyFailed("cannot_inspect", str(error)) from None
    except Residual as error:
        tally.add(Revealed(residual=error.identifiers))
        raise BodyFailed("residual_identifier", str(error)) from None
    except TooMany as error:
        raise BodyFailed("too_many_records", str(error)) from None
    except TooManyStates as error:
        raise BodyFailed("masking_failed", str(error)) from None
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise BodyFailed("masking_failed", type(error).__name__) from None  # its text may quote the answer
    finally:
        await closed(units)
        await closed(source)


async def closed(stream: bytes | AsyncIterator[bytes] | Seat) -> None:
    """Close a stream that can be closed."""
    close = getattr(stream, "aclose", None)
    if close is not None:
        await close()
