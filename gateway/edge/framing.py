"""Where does a request end, and is every byte up to there beyond doubt?

The head is read twice: by llhttp, and by counting its raw bytes. Both must agree. Rules:

1. The head is complete before it is parsed, and bounded before it is complete: llhttp gives no
   callback during megabytes of one name or value.
2. It has as many fields as line ends. A bare CR or LF, a folded line (RFC 9112 section 5.2) or a
   control character breaks that sum, so no second reader can find another field or request in it.
3. One request line `METHOD SP /path SP HTTP/1.x`; one Host; Content-Length or chunked, never both.
4. A chunk is its size, its bytes and CRLF, nothing else (CVE-2025-43859: the terminator unchecked).
   Extensions and trailers are counted and dropped.
"""

import re

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from msgspec import Struct

from gateway.edge.settings import Limits

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_METHODS = {method.encode("ascii"): method for method in METHODS}
END = b"\r\n\r\n"
_TEXT = bytes(byte for byte in range(256) if byte == 9 or (byte >= 32 and byte != 127))
_LENGTH = re.compile(rb"[0-9]{1,15}")  # 2**64 + 5 would wrap in a naive reader
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,12})(?:[ \t]*;[\t -~\x80-\xff]*)?")
_TRAILER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*")
_CHUNK_LINE_MAX = 4096
_FRAMING_FIELDS = frozenset((b"content-length", b"transfer-encoding", b"expect", b"connection"))
_SINGLE = (b"host", b"content-length", b"transfer-encoding", b"expect")


class Malformed(Exception):
    """The bytes cannot be read in one way only; `code` is the reason code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Head(Struct, frozen=True, eq=False):
    """A request head. `length` counts the body's bytes, None when it is chunked."""

    method: str
    target: bytes
    version: str  # "1.0" or "1.1"
    headers: list[tuple[bytes, bytes]]
    length: int | None
    keep_alive: bool
    expects: bool  # waits for 100 (Continue) before it sends the body


class HeadReader:
    """Reads the heads of one connection, one after the other."""

    __slots__ = ("_headers", "_limits", "_parser")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._headers: list[tuple[bytes, bytes]] = []
        self._parser: HttpRequestParser | None = None

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by llhttp for each field."""
        self._headers.append((name.lower(), value.strip()))  # blanks and tabs: no other space passed the count

    def read(self, head: bytes) -> Head:
        """The head, from its first byte up to and with the empty line. Raises Malformed."""
        method, target, version = self.request_line(head[: head.find(b"\r")])
        fields_expected = _line_ends(head) - 2
        if fields_expected > self._limits.header_count:
            raise Malformed("headers_too_large")
        headers = self._headers = []
        self._parse(head)
        if len(headers) != fields_expected:
            raise Malformed("bad_framing")
        fields = dict(headers)
        if len(fields) != len(headers):
            _refuse_doubles(headers)
        if b"host" not in fields:
            raise Malformed("bad_framing")
        if _FRAMING_FIELDS.isdisjoint(fields) and version == "1.1":
            return Head(method, target, version, headers, 0, True, False)
        length = body_length(fields, version)
        expects = length != 0 and b"expect" in fields and version == "1.1"
        keep_alive = _keeps_alive(headers, version)
        if length != 0 or not keep_alive:
            self._parser = None  # llhttp would wait for the body, which is read here
        return Head(method, target, version, headers, length, keep_alive, expects)

    def request_line(self, line: bytes) -> tuple[str, bytes, str]:
        """Method, target and version of a complete request line. Raises Malformed."""
        if len(line) > self._limits.target_bytes + 32:
            raise Malformed("target_too_long")
        parts = line.split(b" ")
        if len(parts) != 3 or parts[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
            raise Malformed("bad_framing")  # HTTP/0.9, the HTTP/2 preface, blanks inside the target
        method, target, version = parts
        if target[:1] != b"/":
            raise Malformed("bad_target")  # absolute, authority and `*` form (PYSEC-2026-248)
        if len(target) > self._limits.target_bytes:
            raise Malformed("target_too_long")
        name = _METHODS.get(method)
        if name is None:
            raise Malformed("method_not_supported" if method.isalpha() and method.isupper() else "bad_framing")
        return name, target, "1.1" if version == b"HTTP/1.1" else "1.0"

    def check_start(self, start: bytes) -> None:
        """Refuse as early as possible what can never become a head. Raises Malformed."""
        if not 65 <= start[0] <= 90:
            raise Malformed("bad_framing")  # TLS, SSH, a leading line end: no method starts so
        if start.count(b"\n") != start.count(b"\r\n"):
            raise Malformed("bad_framing")  # bare LF as a line end would never meet the end of a head
        end = start.find(b"\r\n")
        if end >= 0:
            self.request_line(start[:end])
        elif len(start) > self._limits.target_bytes + 32:
            raise Malformed("target_too_long")
        if len(start) > self._limits.header_bytes:
            raise Malformed("headers_too_large")

    def close(self) -> None:
        """Let go of the parser, which refers back to this reader."""
        self._parser = None

    def _parse(self, head: bytes) -> None:
        parser = self._parser
        if parser is None:
            parser = self._parser = HttpRequestParser(self)
        try:
            parser.feed_data(head)
        except HttpParserUpgrade:
            self._parser = None  # an offer we do not take (RFC 9110 section 7.8): h2c, websocket
        except HttpParserError as error:
            self._parser = None
            raise Malformed("bad_framing") from error


def body_length(fields: dict[bytes, bytes], version: str) -> int | None:
    """Bytes the body has: 0 without one, None when chunked. Raises Malformed."""
    expectation = fields.get(b"expect")
    if expectation is not None and expectation.lower() != b"100-continue":
        raise Malformed("expectation_failed")
    length, coding = fields.get(b"content-length"), fields.get(b"transfer-encoding")
    if coding is not None:
        if length is not None or version == "1.0" or coding.lower() != b"chunked":
            raise Malformed("bad_framing")
        return None
    if length is None:
        return 0
    if _LENGTH.fullmatch(length) is None:
        raise Malformed("bad_framing")
    return int(length)


def _line_ends(head: bytes) -> int:
    """How many lines there are. A CR or LF that stands alone breaks the sum of lines and fields, see `read`."""
    left = head.translate(None, _TEXT)
    count = len(left) // 2
    if left != b"\r\n" * count:
        raise Malformed("bad_framing")
    return count


def _refuse_doubles(headers: list[tuple[bytes, bytes]]) -> None:
    names = [name for name, _ in headers]
    if any(names.count(name) > 1 for name in _SINGLE):
        raise Malformed("bad_framing")


def _keeps_alive(headers: list[tuple[bytes, bytes]], version: str) -> bool:
    wishes = b",".join(value for name, value in headers if name == b"connection").lower()
    tokens = [token.strip() for token in wishes.split(b",")]
    return b"close" not in tokens and (version == "1.1" or b"keep-alive" in tokens)


class Counted:
    """A body of known length."""

    __slots__ = ("_left",)

    def __init__(self, length: int) -> None:
        self._left = length

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """The body's bytes in `data`, and what follows the body (None while it is not complete)."""
        if len(data) < self._left:
            self._left -= len(data)
            return data, None
        return data[: self._left], data[self._left :]


class Chunked:
    """A chunked body (RFC 9112 section 7.1)."""

    __slots__ = ("_held", "_left", "_spare", "_stage")

    def __init__(self, limits: Limits) -> None:
        self._held = b""
        self._left = 0
        self._spare = limits.header_bytes  # extensions and trailers together
        self._stage = self._size

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """The body's bytes in `data`, and what follows the body (None while it is not complete). Raises Malformed."""
        if self._held:
            data, self._held = self._held + data, b""
        pieces: list[bytes] = []
        position: int | None = 0
        while position is not None:
            if self._stage == self._done:
                return b"".join(pieces), data[position:]
            position = self._stage(data, position, pieces)
        return b"".join(pieces), None

    def _size(self, data: bytes, start: int, pieces: list[bytes]) -> int | None:
        end = self._line(data, start)
        if end is None:
            return None
        match = _CHUNK.fullmatch(data, start, end)
        if match is None:
            raise Malformed("bad_framing")
        self._spend(end - match.end(1))
        self._left = int(match[1], 16)
        self._stage = self._bytes if self._left else self._trailer
        return end + 2

    def _bytes(self, data: bytes, start: int, pieces: list[bytes]) -> int | None:
        piece = data[start : start + self._left]
        if piece:
            pieces.append(piece)
            self._left -= len(piece)
        if self._left:
            return None
        self._stage = self._after
        return start + len(piece)

    def _after(self, data: bytes, start: int, pieces: list[bytes]) -> int | None:
        end = data[start : start + 2]
        if not b"\r\n".startswith(end):
            raise Malformed("bad_framing")
        if len(end) < 2:
            self._held = end
            return None
        self._stage = self._size
        return start + 2

    def _trailer(self, data: bytes, start: int, pieces: list[bytes]) -> int | None:
        end = self._line(data, start)
        if end is None:
            return None
        if end == start:
            self._stage = self._done
            return end + 2
        if _TRAILER.fullmatch(data, start, end) is None:
            raise Malformed("bad_framing")
        self._spend(end + 2 - start)
        return end + 2

    def _done(self, data: bytes, start: int, pieces: list[bytes]) -> int | None:
        return None

    def _line(self, data: bytes, start: int) -> int | None:
        """Where the line ends; None when it goes on in data yet to come. Bare CR and LF end nothing."""
        end = data.find(b"\n", start, start + _CHUNK_LINE_MAX)
        if end > start and data[end - 1] == 13:
            return end - 1
        if end >= 0 or len(data) - start >= _CHUNK_LINE_MAX:
            raise Malformed("bad_framing")
        self._held = data[start:]
        return None

    def _spend(self, amount: int) -> None:
        self._spare -= amount
        if self._spare < 0:
            raise Malformed("headers_too_large")
