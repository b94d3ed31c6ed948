"""What did the service really send?

The bytes of an answer, unpacked and in UTF-8, or a clear no. Rules:

1. Never more than the limit of the API (`inspect_max`) are held, packed or unpacked; the stream is left at the
   first byte too many (337 bytes of brotli are 200 MiB of zeros).
2. One coding of gzip, deflate, br or zstd is undone. Stacked, unknown, cut-off or over-long
   codings are not guessed at.
3. UTF-8, or a Chinese charset that is declared: GB 18030 and its subsets. Nothing is sniffed:
   two readers that guess differently see two answers. What says GB 18030 and reads as UTF-8 is either, and so is
   what holds the name of a label in UTF-8 (a template beside a database): read as declared, no label would find it.
"""

import re
import zlib
from codecs import IncrementalDecoder, getincrementaldecoder
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from types import ModuleType
from typing import Literal

from gateway.facts import Headers
from gateway.masking.room import Seat
from gateway.masking.turns import turn

PIECE = 64 * 1024
RATIO = 300
"""Unpacked to packed: a list of like records packs 50 : 1, a bomb 1000 : 1 and more."""
RATIO_FREE = 1024 * 1024  # below this many bytes the ratio does not matter
_ZSTD_STEP = 256  # packed bytes at a time: 64 blocks of four bytes, each 128 KiB of one byte, are 8 MiB
_CHINESE = frozenset({"gbk", "gb2312", "gb18030", "cp936", "x-gbk", "gb_2312-80", "euc-cn"})
_THREE_BYTES = re.compile(rb"[\xe0-\xef]")
_CHINESE_TEXT = re.compile("[\u0800-\uffff]")  # three bytes in UTF-8
_EITHER = "it declares GB 18030 and reads as UTF-8"
_UNICODE = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii"})


class Withheld(ValueError):
    """The answer cannot be inspected; the text says why, without any of its content."""


async def gather(body: bytes | AsyncIterator[bytes], length: int | None, limit: int, seat: Seat) -> bytes:
    """The whole body. Raises Withheld beyond the limit, Crowded, and whatever the stream raises."""
    if length is not None and length > limit:
        raise Withheld(f"longer than {limit} bytes")
    seat.holds(length or 0)
    if isinstance(body, bytes):
        pieces, size = [body], len(body)
    else:
        pieces, size = [], 0
        async for piece in body:
            size += len(piece)
            if size > limit:
                break
            seat.holds(max(size, length or 0))
            pieces.append(piece)
    if size > limit:
        raise Withheld(f"longer than {limit} bytes")
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def unpacked(body: bytes, headers: Headers, limit: int, seat: Seat) -> bytes:
    """The body without its Content-Encoding. Raises Withheld, Crowded."""
    named = [value.strip().lower() for name, value in headers if name == b"content-encoding"]
    if not named or named == [b"identity"] or not body:
        return body
    opener = _CODINGS.get(named[0]) if len(named) == 1 else None
    if opener is None:
        raise Withheld("its content coding is stacked or unknown")
    out: list[bytes] = []
    size = 0
    try:
        for piece in opener(body):
            size += len(piece)
            if size > limit:
                raise Withheld(f"longer than {limit} bytes unpacked")
            if size > RATIO_FREE and size > RATIO * len(body):
                raise Withheld(f"unpacks to more than {RATIO} times its length")
            seat.holds(len(body) + size)
            out.append(piece)
            if size > PIECE:
                await turn()
    except _BROKEN as error:
        raise Withheld("its content coding is broken") from error
    return b"".join(out)


async def arriving(
    body: bytes | AsyncIterator[bytes], headers: Headers, limit: int, seat: Seat, names: Iterable[str] = ()
) -> AsyncIterator[bytes]:
    """A body piece by piece, in UTF-8, checked. `names` are those of labels. Raises Withheld.

    One that is packed is unpacked whole, and takes its seat as long as it comes: raises Crowded.
    """
    codec = codec_of(declared_charset(headers))
    if any(name == b"content-encoding" for name, _ in headers):
        body = await unpacked(await gather(body, None, limit, seat), headers, limit, seat)
    decoder = getincrementaldecoder(codec)("strict")
    other = _Other(names) if codec == "gb18030" else None
    try:
        async for piece in _sliced(body):
            if other is not None and other.reads(piece):
                raise Withheld(_EITHER)
            yield decoder.decode(piece).encode("utf-8")
            await turn()
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise Withheld("not in the charset it declares") from None


async def _sliced(body: bytes | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if isinstance(body, bytes):
        for at in range(0, len(body), PIECE):
            yield body[at : at + PIECE]
    else:
        async for piece in body:
            yield piece


class _Other:
    """Whether a body that declares GB 18030 has read as Chinese text in UTF-8 so far: its names would be other names."""

    __slots__ = ("_decoder", "_end", "_longest", "_names")

    def __init__(self, names: Iterable[str]) -> None:
        self._decoder: IncrementalDecoder | None = getincrementaldecoder("utf-8")("strict")
        self._names = _foreign(names)
        self._longest = max(map(len, self._names), default=0)
        self._end = b""  # of what came before: a name may be cut by the pieces

    def reads(self, piece: bytes) -> bool:
        if self._names:
            text = self._end + piece
            self._end = text[-self._longest :]
            if any(name in text for name in self._names):
                return True
        if self._decoder is None:
            return False
        try:
            return _CHINESE_TEXT.search(self._decoder.decode(piece)) is not None
        except UnicodeDecodeError:
            self._decoder = None  # it does not, and will not any more
            return False


def codec_of(charset: str) -> Literal["utf-8", "gb18030"]:
    """The codec for a charset. Raises Withheld for one that is not read."""
    if charset in _UNICODE:
        return "utf-8"
    if charset in _CHINESE:
        return "gb18030"  # holds GBK and GB 2312
    raise Withheld("its charset is neither UTF-8 nor GB 18030")


async def in_utf8(body: bytes, headers: Headers, names: Iterable[str] = ()) -> bytes:
    """The body in UTF-8, checked to the last byte. `names` are those of labels. Raises Withheld."""
    return await from_charset(body, declared_charset(headers), names)


async def from_charset(body: bytes, charset: str, names: Iterable[str] = ()) -> bytes:
    """The same of a body in this charset. Raises Withheld."""
    codec = codec_of(charset)
    if codec == "utf-8":
        if len(body) <= PIECE * 4:
            _check(body)
        else:
            await _check_long(body)
        return body
    check_chinese(body, names)
    try:
        return body.decode(codec).encode("utf-8")
    except UnicodeError:
        raise Withheld("not in the charset it declares") from None


def check_chinese(body: bytes, names: Iterable[str]) -> None:
    """Raises Withheld where a body that declares GB 18030 reads as UTF-8: `身份证` would be another name, that no label names."""
    if _is_utf8(body) or any(name in body for name in _foreign(names)):
        raise Withheld(_EITHER)


def _foreign(names: Iterable[str]) -> list[bytes]:
    return [name.encode() for name in names if not name.isascii()]


def _is_utf8(body: bytes) -> bool:
    """Whether Chinese text in UTF-8 is in it. A word or two in GBK may read as UTF-8 too, in pairs of bytes."""
    if _THREE_BYTES.search(body) is None:
        return False
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def declared_charset(headers: Headers) -> str:
    """The charset that Content-Type declares, in lower case, "" for none. Raises Withheld when there are several."""
    found = [value for name, value in headers if name == b"content-type"]
    if len(found) > 1:
        raise Withheld("it has several content types")
    if not found or b"charset" not in found[0].lower():
        return ""
    named = [
        value.strip().strip('"').lower()
        for name, _, value in (part.partition("=") for part in found[0].decode("latin-1").split(";")[1:])
        if name.strip().lower() == "charset"
    ]
    if len(named) != 1:
        raise Withheld("it declares its charset in several ways")
    return named[0]


def _check(body: bytes) -> None:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Withheld(f"not UTF-8 (byte {error.start})") from None


async def _check_long(body: bytes) -> None:
    decoder = getincrementaldecoder("utf-8")("strict")
    step = PIECE * 4
    try:
        for start in range(0, len(body), step):
            decoder.decode(body[start : start + step], final=start + step >= len(body))
            await turn()
    except UnicodeDecodeError:
        raise Withheld("not UTF-8") from None


# --- codings: each gives pieces of bounded size ---------------------------------------------------


def _inflate(body: bytes, window: int) -> Iterator[bytes]:
    stream = zlib.decompressobj(window)
    rest = body
    while not stream.eof:
        piece = stream.decompress(rest, PIECE)
        rest = stream.unconsumed_tail
        if not piece and not rest and not stream.eof:
            raise Withheld("its content coding is cut off")
        yield piece
    if stream.unused_data:
        raise Withheld("something follows its content coding")


def _gzip(body: bytes) -> Iterator[bytes]:
    return _inflate(body, 31)


def _deflate(body: bytes) -> Iterator[bytes]:
    """RFC 9110 means the zlib format; some send raw deflate, which the first two bytes tell apart."""
    zlib_header = len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    return _inflate(body, 15 if zlib_header else -15)


def _brotli(module: ModuleType) -> Callable[[bytes], Iterator[bytes]]:
    def pieces(body: bytes) -> Iterator[bytes]:
        stream = module.Decompressor()
        piece: bytes = stream.process(body, output_buffer_limit=PIECE)
        while True:
            yield piece
            if stream.is_finished():
                return
            if stream.can_accept_more_data() and not piece:
                raise Withheld("its content coding is cut off")
            piece = stream.process(b"", output_buffer_limit=PIECE)

    return pieces


def _zstd(module: ModuleType) -> Callable[[bytes], Iterator[bytes]]:
    def pieces(body: bytes) -> Iterator[bytes]:
        # RFC 9659: 8 MiB of window for content codings
        stream = module.ZstdDecompressor(max_window_size=8 * 1024 * 1024).decompressobj()
        for at in range(0, len(body), _ZSTD_STEP):
            if stream.eof:
                raise Withheld("something follows its content coding")
            if piece := stream.decompress(body[at : at + _ZSTD_STEP]):
                yield piece
        if not stream.eof:  # half a table looks whole to its reader
            raise Withheld("its content coding is cut off")
        if stream.unused_data:
            raise Withheld("something follows its content coding")

    return pieces


_CODINGS: dict[bytes, Callable[[bytes], Iterator[bytes]]] = {b"gzip": _gzip, b"x-gzip": _gzip, b"deflate": _deflate}
_BROKEN: tuple[type[Exception], ...] = (zlib.error,)

try:
    import brotli

    if hasattr(brotli.Decompressor, "can_accept_more_data"):  # older ones cannot bound their output
        _CODINGS[b"br"] = _brotli(brotli)
        _BROKEN += (brotli.error,)
except ImportError:
    pass  # an answer in br is withheld

try:
    import zstandard

    _CODINGS[b"zstd"] = _zstd(zstandard)
    _BROKEN += (zstandard.ZstdError,)
except ImportError:
    pass  # an answer in zstd is withheld
