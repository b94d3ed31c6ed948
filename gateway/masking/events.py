"""What is left of a stream of events?

Server-sent events (`text/event-stream`, HTML standard), each masked as it arrives. Rules:

1. The data of an event is an answer of its own in JSON, or a record of a list. What is no JSON is a text (`prose`): shown
   where that is enough, else it ends the stream.
2. `event`, `id` and `retry` go on where they cannot carry an identifier: an event without its number can still be read, a
   number that is a resident id cannot be taken back. Fields that the standard does not know are left out. Of an event
   whose record is not for this caller nothing goes on: its kind and number tell of the records of others.
3. A comment may say anything, so nothing of it is left but that it was there: it keeps the connection alive.
4. An event is held until its empty line, 256 KiB at most. One that was cut off is not an event.
"""

import re
from collections.abc import AsyncIterator

from gateway.facts import Headers
from gateway.masking.allowed import Allowed
from gateway.masking.headers import tells
from gateway.masking.json_body import NotJson
from gateway.masking.keys import Keys
from gateway.masking.names import is_name
from gateway.masking.prepared import Prepared
from gateway.masking.prose import like_json, mask_prose
from gateway.masking.second_look import look_long
from gateway.masking.tally import Tally
from gateway.masking.unpack import Withheld, codec_of, declared_charset

MAX_EVENT = 256 * 1024
HEARTBEAT = b":\n\n"
_LAST = b"[DONE]"
"""What many streams end with; it says nothing, and is no JSON."""
_MARK = b"\xef\xbb\xbf"
_RETRY = re.compile(rb"[0-9]{1,6}")
_ID = re.compile(rb"[A-Za-z0-9_.:-]{1,64}")
_KEPT = {
    b"event": lambda value: is_name(value.decode("latin-1"), True) and not tells(value),
    b"id": lambda value: not value or (_ID.fullmatch(value) is not None and not tells(value)),
    b"retry": lambda value: _RETRY.fullmatch(value) is not None,
}


def readable(headers: Headers) -> None:
    """Say no while it can still be said with a status: the head of a stream goes out before its first event. Raises Withheld."""
    codec_of(declared_charset(headers))
    if any(name == b"content-encoding" and value.strip().lower() != b"identity" for name, value in headers):
        raise Withheld("a stream of events in a content coding")  # it would have to be held until its end


async def masked_events(
    pieces: AsyncIterator[bytes], prepared: Prepared, keys: Keys, tally: Tally
) -> AsyncIterator[bytes]:
    """Each event with the mask laid over its data, as soon as it is complete. Raises Withheld, NotJson, TooMany, Residual."""
    about: list[bytes] = []  # lines of what the event says besides its data
    data: list[bytes] = []
    size = 0
    stream = _Stream(prepared, keys, tally)
    async for line in _lines(pieces):
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        size += len(line) + 1 if name else 0  # a heartbeat belongs to no event
        if size > MAX_EVENT:
            raise Withheld(f"an event is longer than {MAX_EVENT} bytes")
        if not line:
            shown = await stream.shown(b"\n".join(data)) if data else []
            lines = [] if shown is None else [*about, *shown]
            about, data, size = [], [], 0
            if lines:
                event = b"\n".join(lines) + b"\n\n"
                await look_long(event, stream.allowed.prepared.gate)
                yield event
        elif not name:
            yield HEARTBEAT
        elif name == b"data":
            data.append(value)
        elif name in _KEPT and _KEPT[name](value):
            about.append(name + b": " + value)


class _Stream:
    """What is known of a stream across its events: how many records it has shown, and through which mask."""

    def __init__(self, prepared: Prepared, keys: Keys, tally: Tally) -> None:
        self.allowed = Allowed(prepared)
        self._keys = keys
        self._tally = tally

    async def shown(self, data: bytes) -> list[bytes] | None:
        """The lines of the data of one event, None when it is not for this caller."""
        if data == _LAST or not data.strip():
            return [b"data: " + data.strip()]
        try:
            shown, revealed = await self.allowed.record(data, self._keys)
        except NotJson:
            if like_json(data):
                raise
            shown, revealed = await mask_prose(data, self.allowed.prepared.by_value, self._keys)
        self._tally.add(revealed)
        if revealed.removed:
            return None
        return [b"data: " + line for line in shown.split(b"\n")] if shown else []


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The lines of a stream; CR, LF and both together end one. What comes after the last end is no line."""
    rest: list[bytes] = []
    size, first, returned = 0, True, False
    async for piece in pieces:
        if not piece:
            continue
        text = piece.removeprefix(b"\n") if returned else piece
        returned = piece.endswith(b"\r")
        *whole, last = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in whole:
            rest.append(line)
            joined = b"".join(rest)
            rest.clear()
            size = 0
            yield joined.removeprefix(_MARK) if first else joined
            first = False
        rest.append(last)
        size += len(last)
        if size > MAX_EVENT:
            raise Withheld(f"an event is longer than {MAX_EVENT} bytes")
