"""What the service really sent: bounded, in UTF-8, or a clear no."""

import asyncio
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import brotli
import pytest
import zstandard

from gateway.masking.room import Crowded, Room
from gateway.masking.unpack import Withheld, arriving, declared_charset, gather, in_utf8, unpacked

SEAT = Room(1 << 30).seat("civil")


@pytest.mark.parametrize(
    ("value", "charset"),
    [
        (b"application/json", ""),
        (b"application/json; charset=UTF-8", "utf-8"),
        (b'application/json; x=1; Charset = "GBK"', "gbk"),
    ],
)
def test_the_declared_charset_is_read(value: bytes, charset: str) -> None:
    assert declared_charset(((b"content-type", value),)) == charset


@pytest.mark.parametrize(
    "value", [b"a/b; charset=gbk; charset=utf-8", b"a/b; xcharset=gbk", b"a/b; charset*=utf-8''gbk"]
)
def test_a_charset_that_readers_may_read_differently_is_withheld(value: bytes) -> None:
    with pytest.raises(Withheld):
        declared_charset(((b"content-type", value),))


def test_a_bomb_is_unpacked_in_bounded_memory() -> None:
    packer = brotli.Compressor()
    bomb = b"".join(packer.process(b" " * (1 << 20)) for _ in range(100)) + packer.finish()
    assert len(bomb) < 2000
    tracemalloc.start()
    with pytest.raises(Withheld):
        asyncio.run(unpacked(bomb, ((b"content-encoding", b"br"),), 8 << 20, SEAT))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 << 20


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_what_is_cut_off_between_blocks_of_zstd_is_withheld(blocks: int) -> None:
    packer = zstandard.ZstdCompressor().compressobj()
    begun = b"".join(
        packer.compress(b"name,district\r\n") + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK) for _ in range(blocks)
    )
    zstd = ((b"content-encoding", b"zstd"),)
    with pytest.raises(Withheld, match="cut off"):
        asyncio.run(unpacked(begun, zstd, 8 << 20, SEAT))
    whole = begun + packer.flush()
    assert asyncio.run(unpacked(whole, zstd, 8 << 20, SEAT)) == b"name,district\r\n" * blocks
    with pytest.raises(Withheld, match="something follows"):
        asyncio.run(unpacked(whole * 40, zstd, 8 << 20, SEAT))


def test_a_high_ratio_is_withheld_below_the_limit_already() -> None:
    bomb = zlib.compress(b" " * (4 << 20), 9)
    with pytest.raises(Withheld, match="times its length"):
        asyncio.run(unpacked(bomb, ((b"content-encoding", b"deflate"),), 8 << 20, SEAT))


def test_what_is_gathered_and_unpacked_needs_room() -> None:
    packed = zlib.compress(bytes(range(256)) * 40, 9)
    seat = Room(1000).seat("civil")
    with pytest.raises(Crowded):
        asyncio.run(gather(b"x", 900, 1000, seat))  # announced, and nothing is read
    with pytest.raises(Crowded):
        asyncio.run(unpacked(packed, ((b"content-encoding", b"deflate"),), 1 << 20, seat))


def test_no_more_than_the_limit_is_gathered() -> None:
    with pytest.raises(Withheld):
        asyncio.run(gather(b"x" * 11, None, 10, SEAT))
    assert asyncio.run(gather(b"x" * 10, 10, 10, SEAT)) == b"x" * 10


@pytest.mark.parametrize("cut", range(1, 4))
def test_a_character_across_slices_is_still_a_character(cut: int) -> None:
    body = b"x" * (256 * 1024 - cut) + "户籍😀".encode() * 10
    assert asyncio.run(in_utf8(body, ())) == body
    with pytest.raises(Withheld):
        asyncio.run(in_utf8(body[:-1], ()))


async def _arrived(body: bytes, charset: bytes, step: int) -> bytes:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), step):
            yield body[at : at + step]

    head = ((b"content-type", b"text/csv; charset=" + charset),)
    return b"".join([piece async for piece in arriving(pieces(), head, 1 << 20, SEAT)])


@pytest.mark.parametrize("step", [1, 2, 5, 1000])
def test_a_chinese_charset_arrives_in_utf8_wherever_the_pieces_end(step: int) -> None:
    text = "id,姓名,说明\n1,王小明,女 联通 plain\n"
    assert asyncio.run(_arrived(text.encode("gbk"), b"gbk", step)) == text.encode()


@pytest.mark.parametrize("step", [1, 2, 5, 1000])
def test_a_chinese_charset_that_is_not_the_truth_ends_it_before_its_names_are_read(step: int) -> None:
    # read as GB 18030 the first column would have a name that no label names
    with pytest.raises(Withheld):
        asyncio.run(_arrived("身份证\n330106199003072319\n".encode(), b"gbk", step))


MIXED = '{"姓名":"李明","note":"'.encode() + "中国".encode("gbk") + b'"}'


@pytest.mark.parametrize("step", [1, 3, 7, 1000])
def test_a_label_in_utf8_in_what_declares_a_chinese_charset_is_withheld(step: int) -> None:
    """A template in UTF-8 beside a database in GBK: read as declared, no label would find its name."""
    head = ((b"content-type", b"application/json; charset=gbk"),)
    with pytest.raises(Withheld):
        asyncio.run(in_utf8(MIXED, head, {"姓名", "id"}))

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(MIXED), step):
            yield MIXED[at : at + step]

    async def arrived() -> bytes:
        return b"".join([piece async for piece in arriving(pieces(), head, 1 << 20, SEAT, {"姓名", "id"})])

    with pytest.raises(Withheld):
        asyncio.run(arrived())


def test_chinese_text_in_its_charset_is_read() -> None:
    head = ((b"content-type", b"application/json; charset=gbk"),)
    assert asyncio.run(in_utf8('{"姓名":"李明"}'.encode("gbk"), head, {"姓名"})).decode() == '{"姓名":"李明"}'
