"""What is left of JSON texts that come one after the other?

NDJSON and JSON text sequences (RFC 7464). Each text is masked as an answer of its own, as it arrives, and sent before
the next is looked at. Rules:

1. A text that is broken or longer than `MAX_UNIT` ends the answer where it stands: the caller sees a truncation.
2. A text is one record of a list: a label of a list's records (`$.items[*].name`) names the record's member too.
3. What the service sends in pieces of a byte each is put together once, not once for each piece.
"""

from collections.abc import AsyncIterator

from gateway.facts import FieldMask, Mask
from gateway.jsonpath import Element, Every, parse, spell
from gateway.masking.json_body import SLICE, mask_json, mask_long_json
from gateway.masking.keys import Keys
from gateway.masking.plan import Plan
from gateway.masking.tally import Tally
from gateway.masking.unpack import Withheld

MAX_UNIT = 1024 * 1024
_BLANK = b" \t\r"
_RECORD_SEPARATOR = b"\x1e"


def records(mask: Mask) -> Mask:
    """The mask of one record: every label also without what leads to the list that the record stood in."""
    fields = dict.fromkeys(FieldMask(path, field.technique) for field in mask.fields for path in as_record(field.path))
    return Mask(mask.profile, tuple(fields), mask.unlabelled)


def as_record(path: str) -> tuple[str, ...]:
    """A path, and what it is in one record of a list that it leads through; nothing for no path."""
    if not path:
        return ()
    steps = parse(path)
    return (path, *(spell(steps[at + 1 :]) for at, step in enumerate(steps[:-1]) if isinstance(step, Every | Element)))


async def masked_lines(pieces: AsyncIterator[bytes], plan: Plan, keys: Keys, tally: Tally) -> AsyncIterator[bytes]:
    """Each text with the mask laid over it, as soon as it is complete. Raises Withheld, NotJson."""
    async for line in lines(pieces):
        lead = _RECORD_SEPARATOR if line.startswith(_RECORD_SEPARATOR) else b""
        text = line.removeprefix(_RECORD_SEPARATOR).strip(_BLANK)
        if not text:
            continue
        long = len(text) > SLICE
        shown, revealed = await mask_long_json(text, plan, keys) if long else mask_json(text, plan, keys)
        tally.add(revealed)
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
