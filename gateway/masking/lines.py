"""What is left of JSON texts that come one after the other?

NDJSON and JSON text sequences (RFC 7464). Each text is masked as an answer of its own, as it arrives, and sent before
the next is looked at. Rules:

1. A text that is broken or longer than `MAX_UNIT` ends the answer where it stands: the caller sees a truncation.
2. A text is one record of a list: a label of a list's records (`$.items[*].name`) names the record's member too.
3. A record that a row filter does not let through is left out; where more come than the grade covers, the rest is shown
   through the mask for the higher grade, or the answer ends (`allowed`).
4. What the service sends in pieces of a byte each is put together once, not once for each piece.
"""

from collections.abc import AsyncIterator

from gateway.masking.allowed import Allowed
from gateway.masking.keys import Keys
from gateway.masking.prepared import Prepared
from gateway.masking.second_look import look_long
from gateway.masking.tally import Tally
from gateway.masking.unpack import Withheld

MAX_UNIT = 1024 * 1024
_BLANK = b" \t\r"
_RECORD_SEPARATOR = b"\x1e"


async def masked_lines(
    pieces: AsyncIterator[bytes], prepared: Prepared, keys: Keys, tally: Tally
) -> AsyncIterator[bytes]:
    """Each text with the mask laid over it, as soon as it is complete. Raises Withheld, NotJson, TooMany, Residual."""
    allowed = Allowed(prepared)
    async for line in lines(pieces):
        lead = _RECORD_SEPARATOR if line.startswith(_RECORD_SEPARATOR) else b""
        text = line.removeprefix(_RECORD_SEPARATOR).strip(_BLANK)
        if not text:
            continue
        shown, revealed = await allowed.record(text, keys)
        await look_long(shown, allowed.prepared.gate)
        tally.add(revealed)
        if shown:
            yield lead + shown + b"\n"


async def lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The lines of a body without their ends, none longer than `MAX_UNIT`. Raises Withheld."""
    rest: list[bytes] = []  # of the line that has no end yet
    size = 0
    async for piece in pieces:
        *whole, last = piece.split(b"\n")
        for line in whole:
            _short(size + len(line))
            yield b"".join((*rest, line))
            rest.clear()
            size = 0
        rest.append(last)
        size += len(last)
        _short(size)
    if size:
        yield b"".join(rest)


def _short(size: int) -> None:
    if size > MAX_UNIT:
        raise Withheld(f"a line is longer than {MAX_UNIT} bytes")
