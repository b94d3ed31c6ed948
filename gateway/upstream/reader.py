"""What exactly did the service answer, and where does its answer end?

One `ResponseReader` reads one response; it knows nothing of sockets. Rules:

1. The head is gathered before anything parses it: the parser gives no sign of life during megabytes
   of one header, so bytes are counted here.
2. A message has one framing or it is malformed: not both Content-Length and Transfer-Encoding, not
   two lengths, no coding but `chunked`, none of it on HTTP/1.0 (RFC 9112 section 6.3, response splitting).
3. Interim answers are counted and dropped; 101 was never asked for.
4. A connection may be used again only when the answer ended exactly where it said, with not a byte
   after it and no doubt that a body could still follow.
5. Trailers are read over and never merged into the head.
"""

import httptools

HEAD_MAX = 65536  # bytes of one head
FIELDS_MAX = 256
INTERIM_MAX = 16  # 1xx answers before the final one
FRAMING_MAX = 16384  # bytes of chunk extensions and trailers without a byte of body between them
LENGTH_DIGITS_MAX = 15

_HEAD, _LENGTH, _CHUNKED, _UNTIL_CLOSE, _DONE = range(5)
_END = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection"})


class Malformed(Exception):
    """The answer cannot be read without ambiguity; the text says why, for operators."""


class _Sink:
    """What the parser calls. It must not know its reader: a cycle would be left behind by each response."""

    __slots__ = ("_pieces", "begun", "done", "fields", "kept", "on_body")

    def __init__(self, pieces: list[bytes]) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self._pieces = pieces
        self.on_body = pieces.append
        self.kept = 0  # pieces that belong to this answer, once it is done
        self.begun = 0
        self.done = False

    def on_message_begin(self) -> None:
        self.begun += 1

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value.strip(b" \t")))

    def on_message_complete(self) -> None:
        if not self.done:
            self.done = True
            self.kept = len(self._pieces)


class ResponseReader:
    """Reads one response from bytes as they come, in whatever pieces.

    `headed` turns true with the final head, `complete` with the last byte of the body;
    `pieces` collects body bytes and is emptied by whoever takes them.
    """

    __slots__ = (
        "_held",
        "_interim",
        "_left",
        "_parser",
        "_silent",
        "_sink",
        "_state",
        "_tail",
        "bodiless",
        "complete",
        "fields",
        "headed",
        "length",
        "pieces",
        "reusable",
        "started",
        "status",
    )

    def __init__(self, method: str) -> None:
        self.bodiless = method == "HEAD"
        self.started = self.headed = self.complete = self.reusable = False
        self.status = 0
        self.fields: list[tuple[bytes, bytes]] = []
        self.length: int | None = None
        self.pieces: list[bytes] = []
        self._state = _HEAD
        self._held: bytearray | None = None
        self._interim = 0
        self._left = 0
        self._silent = 0
        self._tail = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes. Raises Malformed."""
        self.started = True
        while data and self._state == _HEAD:
            data = self._feed_head(data)
        if not data:
            return
        if self._state == _LENGTH:
            self._feed_length(data)
        elif self._state == _CHUNKED:
            self._feed_chunked(data)
        elif self._state == _UNTIL_CLOSE:
            self.pieces.append(data)
        else:
            self.reusable = False  # bytes after the end: the next answer could be taken for ours

    def finish(self) -> bool:
        """The service has closed its side in order; true when that completes the answer."""
        if self._state == _UNTIL_CLOSE:
            self._end(reusable=False)
        return self.complete

    def _feed_head(self, data: bytes) -> bytes:
        """Read a head when it is all there; returns what follows it."""
        held = self._held
        if held is not None:
            seen = max(0, len(held) - 3)
            held += data
            end = held.find(_END, seen)
            if end < 0:
                self._hold(held, seen)
                return b""
            data, self._held = bytes(held), None
        else:
            end = data.find(_END)
            if end < 0:
                self._hold(bytearray(data))
                return b""
        end += 4
        if end > HEAD_MAX:
            raise Malformed(f"a head of {end} bytes")
        self._read_head(data[:end])
        return data[end:]

    def _hold(self, held: bytearray, seen: int = 0) -> None:
        if len(held) > HEAD_MAX:
            raise Malformed(f"a head of more than {HEAD_MAX} bytes")
        if not b"HTTP/1.".startswith(held[:7]):  # also the blank lines that the parser would skip
            raise Malformed("not an HTTP/1 response")
        if held.find(b"\n\n", seen) >= 0:
            raise Malformed("a head that ends in bare line feeds")  # its end would never come
        self._held = held

    def _read_head(self, head: bytes) -> None:
        if not head.startswith(b"HTTP/1."):
            raise Malformed("not an HTTP/1 response")
        self._sink = sink = _Sink(self.pieces)
        self._parser = parser = httptools.HttpResponseParser(sink)
        try:
            parser.feed_data(head)
        except httptools.HttpParserUpgrade as error:
            raise Malformed("switched protocols without being asked") from error
        except httptools.HttpParserError as error:
            raise Malformed(str(error).lower()) from error
        status = parser.get_status_code()
        if len(sink.fields) > FIELDS_MAX:
            raise Malformed(f"{len(sink.fields)} header fields")
        if 200 <= status < 600:
            self.status = status
            fields, sink.fields = sink.fields, []  # rule 5
            self._settle_framing(fields, parser.get_http_version())
        else:
            self._skip_interim(status)

    def _skip_interim(self, status: int) -> None:
        if status == 101:
            raise Malformed("switched protocols without being asked")
        if not 100 <= status < 200:
            raise Malformed(f"status {status}")
        self._interim += 1
        if self._interim > INTERIM_MAX:
            raise Malformed(f"more than {INTERIM_MAX} interim answers")

    def _settle_framing(self, fields: list[tuple[bytes, bytes]], version: str) -> None:
        length = coding = None
        keep = version == "1.1"
        named: set[bytes] = set()
        for name, value in fields:
            if name not in _FRAMING:
                continue
            if name == b"content-length":
                length = _length(value, length)
            elif name == b"transfer-encoding":
                coding = _coding(value, coding, version)
            else:
                named |= {token.strip(b" \t") for token in value.lower().split(b",")}
        if length is not None and coding is not None:
            raise Malformed("both a length and a transfer coding")
        if named:
            keep = b"close" not in named and (keep or b"keep-alive" in named)
            fields = [pair for pair in fields if pair[0] not in named]
        if length is not None and self.status == 204:  # RFC 9110 section 8.6: there can be none
            fields = [pair for pair in fields if pair[0] != b"content-length"]
        self.fields, self.length = fields, length
        self.headed = True
        self._frame(length, coding is not None, keep)

    def _frame(self, length: int | None, chunked: bool, keep: bool) -> None:
        self.reusable = keep
        if self.bodiless or self.status == 204 or self.status == 304:
            # A body may still come although none is allowed: whoever announces one, and everyone who
            # answers HEAD, is not asked again on this connection (response queue poisoning).
            self._end(reusable=keep and not self.bodiless and not length and not chunked)
        elif chunked:
            self._state, self._silent = _CHUNKED, 0
        elif length is None:
            self._state = _UNTIL_CLOSE
            self.reusable = False
        elif length == 0:
            self._end(reusable=keep)
        else:
            self._state, self._left = _LENGTH, length

    def _feed_length(self, data: bytes) -> None:
        left = self._left - len(data)
        if left > 0:
            self.pieces.append(data)
            self._left = left
        elif left == 0:
            self.pieces.append(data)
            self._end(reusable=self.reusable)
        else:
            self.pieces.append(data[: self._left])
            self._end(reusable=False)

    def _feed_chunked(self, data: bytes) -> None:
        pieces, sink = self.pieces, self._sink
        before = len(pieces)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            if not sink.done:
                raise Malformed(str(error).lower()) from error
            self.reusable = False  # the answer itself was whole
        if sink.done:
            del pieces[sink.kept :]  # what follows is another answer, and nobody's (response splitting)
            tail = data[-5:] if len(data) > 4 else (self._tail + data)[-5:]
            self._end(reusable=self.reusable and sink.begun == 1 and tail == _LAST_CHUNK)
        elif len(pieces) > before:
            self._silent, self._tail = 0, data[-5:]
        else:
            self._silent += len(data)
            self._tail = (self._tail + data)[-5:]
            if self._silent > FRAMING_MAX:
                raise Malformed("endless chunk extension or trailers")

    def _end(self, reusable: bool) -> None:
        self._state = _DONE
        self.complete = True
        self.reusable = reusable

    def take(self) -> bytes:
        """The body bytes that have arrived since the last call."""
        pieces = self.pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        return data


def _length(value: bytes, before: int | None) -> int:
    if before is not None:
        raise Malformed("several content-length fields")
    if not value.isdigit() or len(value) > LENGTH_DIGITS_MAX:
        raise Malformed("content-length is not a number of bytes")
    return int(value)


def _coding(value: bytes, before: bytes | None, version: str) -> bytes:
    if before is not None or version != "1.1" or value.lower() != b"chunked":
        raise Malformed("a transfer coding that is not `chunked` alone on http/1.1")
    return value
