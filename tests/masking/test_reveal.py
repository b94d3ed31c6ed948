"""How an answer becomes what may be sent: everything a service can do wrong withholds it."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import brotli
import pytest
import zstandard

from gateway.facts import (
    Asset,
    BodyFailed,
    Fault,
    Field,
    FieldMask,
    Grade,
    Headers,
    Mask,
    RawReply,
    Reply,
    Revealed,
    RowFilter,
    Warrant,
)
from gateway.masking import Masking, Settings
from tests.literals import NO_MASK, a_permit, a_subject, a_warrant, an_ask, an_asset, some_facts
from tests.test_layout import ROOT

pytestmark = pytest.mark.anyio

ID = "330106199003072319"
BODY = json.dumps({"id": ID, "n": 12345678901234567890123}).encode()
MASK = Mask("pii", (FieldMask("$..id", "redact"),), "pass")
JSON: Headers = ((b"content-type", b"application/json"),)
SETTINGS = Settings(hash_key=b"k" * 32, inspect_max=64 * 1024)


class Stream:
    """A body in pieces that remembers whether it was closed, and how much was taken."""

    def __init__(self, *pieces: bytes, breaks: BaseException | None = None) -> None:
        self.pieces = list(pieces)
        self.breaks = breaks
        self.closed = False
        self.taken = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self.pieces:
            self.taken += 1
            return self.pieces.pop(0)
        if self.breaks is not None:
            raise self.breaks
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed = True


def a_raw(body: Any = BODY, headers: Headers = JSON, status: int = 200, length: int | None = None) -> RawReply:
    return RawReply(status, headers, body, length, 0.25)


def warranted(mask: Mask = MASK, method: str = "GET", org: str = "prov/civil") -> Warrant:
    facts = some_facts(ask=an_ask(method=method), subject=a_subject(org=org))
    return a_warrant(facts=facts, permit=a_permit(mask=mask))


async def applied(
    raw: RawReply, mask: Mask = MASK, method: str = "GET", settings: Settings = SETTINGS
) -> Reply | Fault:
    return await Masking(settings).apply(raw, warranted(mask, method))


async def reply_of(raw: RawReply, mask: Mask = MASK, method: str = "GET") -> Reply:
    answer = await applied(raw, mask, method)
    assert isinstance(answer, Reply), answer
    return answer


async def fault_of(raw: RawReply, mask: Mask = MASK) -> Fault:
    answer = await applied(raw, mask)
    assert isinstance(answer, Fault), answer
    assert ID not in answer.detail
    return answer


# --- without an obligation ------------------------------------------------------------------------


async def test_without_a_mask_the_stream_is_handed_on_unread() -> None:
    stream = Stream(b"anything", b"\xff\x00")
    headers = ((b"etag", b'"1"'), (b"content-encoding", b"br"), (b"content-type", b"application/pdf"))
    reply = await reply_of(a_raw(stream, headers, 206, 10), NO_MASK)
    assert reply.body is stream
    assert (reply.status, reply.headers, reply.length, reply.waited) == (206, headers, 10, 0.25)
    assert not stream.closed
    assert stream.taken == 0


# --- the common way --------------------------------------------------------------------------------


async def test_an_answer_is_masked_and_described_anew() -> None:
    stream = Stream(BODY[:5], BODY[5:])
    headers = (*JSON, (b"etag", b'"1"'), (b"content-length", b"%d" % len(BODY)), (b"cache-control", b"public"))
    reply = await reply_of(a_raw(stream, headers, length=len(BODY)))
    assert reply.body == b'{"id":"***","n":12345678901234567890123}'
    assert reply.length == len(reply.body)
    fields = dict(reply.headers)
    assert fields[b"content-length"] == b"%d" % len(reply.body)
    assert fields[b"cache-control"] == b"private, no-store"
    assert b"etag" not in fields
    assert reply.revealed.masked == (("$..id", 1),)
    assert stream.closed


@pytest.mark.parametrize("status", [200, 201, 301, 400, 404, 422, 500, 503])
async def test_every_status_takes_the_same_way(status: int) -> None:
    reply = await reply_of(a_raw(status=status))
    assert isinstance(reply.body, bytes)
    assert ID.encode() not in reply.body
    assert (await fault_of(a_raw(b"<p>" + ID.encode(), status=status))).code == "cannot_inspect"


@pytest.mark.parametrize("kind", [b"text/plain", b"text/html", b"application/octet-stream", b"image/png", None])
async def test_json_is_masked_whatever_it_is_called(kind: bytes | None) -> None:
    headers: Headers = ((b"content-type", kind),) if kind else ()
    reply = await reply_of(a_raw(headers=headers))
    assert isinstance(reply.body, bytes)
    assert ID.encode() not in reply.body
    assert dict(reply.headers)[b"content-type"] == b"application/json"  # as a page it could run scripts


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"a,b\n1,2",
        b"%PDF-1.7",
        b"\x89PNG",
        b'{"id":1}{"id":2}',
        b")]}',\n{}",
        b"data: {}\n\n",
        b'{"a":"\xff"}',
    ],
)
async def test_what_is_not_json_is_withheld(body: bytes) -> None:
    stream = Stream(body)
    assert (await fault_of(a_raw(stream))).code == "cannot_inspect"
    assert stream.closed


@pytest.mark.parametrize(
    "body", [b'{"x":"\xff","id":"1"}', b'{"x":"\xed\xa0\x80"}', b'{"x":"\xc0\xaf"}', b'{"\xff":1}']
)
async def test_bytes_that_are_not_utf8_are_withheld_wherever_they_stand(body: bytes) -> None:
    assert (await fault_of(a_raw(body))).code == "cannot_inspect"
    long = body[:-1] + b',"pad":"' + b"x" * 300_000 + b'"}'
    answer = await applied(a_raw(long), settings=Settings(hash_key=b"k" * 32))
    assert isinstance(answer, Fault)


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304), ("GET", 205)])
async def test_an_answer_without_a_body_says_nothing_about_one(method: str, status: int) -> None:
    stream = Stream(b"should not be there")
    headers = (*JSON, (b"content-length", b"4711"), (b"etag", b'"1"'), (b"content-md5", b"x"))
    reply = await reply_of(a_raw(stream, headers, status), method=method)
    assert reply.body == b""
    assert reply.length is None
    assert not {b"content-length", b"etag", b"content-md5"} & set(dict(reply.headers))
    assert stream.closed


async def test_an_empty_body_is_an_empty_body() -> None:
    reply = await reply_of(a_raw(Stream(), status=201))
    assert (reply.body, reply.length) == (b"", 0)


async def test_a_part_of_an_answer_is_withheld() -> None:
    assert (await fault_of(a_raw(status=206))).code == "cannot_inspect"
    assert (await fault_of(a_raw(headers=(*JSON, (b"content-range", b"bytes 5-9/10"))))).code == "cannot_inspect"


# --- length -----------------------------------------------------------------------------------------


async def test_an_announced_length_beyond_the_limit_is_not_even_read() -> None:
    stream = Stream(b"x")
    assert (await fault_of(a_raw(stream, length=SETTINGS.inspect_max + 1))).code == "cannot_inspect"
    assert stream.taken == 0
    assert stream.closed


async def test_an_api_has_a_limit_of_its_own() -> None:
    body = json.dumps({"id": ID, "note": "x" * 100_000}).encode()
    api = warranted().facts.ask.api
    for inspect_max, own, shown in [(64, 128, True), (128, 64, False)]:
        settings = Settings(hash_key=b"k" * 32, inspect_max=inspect_max * 1024, inspect_max_of={api: own * 1024})
        assert isinstance(await applied(a_raw(body), settings=settings), Reply) is shown
        assert (
            isinstance(
                await applied(a_raw(gzip.compress(body), (*JSON, (b"content-encoding", b"gzip"))), settings=settings),
                Reply,
            )
            is shown
        )


class Waiting(Stream):
    """A body that stops before its end until it is told to go on."""

    def __init__(self, body: bytes, go_on: asyncio.Event) -> None:
        super().__init__(body[:-1], body[-1:])
        self.go_on = go_on

    async def __anext__(self) -> bytes:
        if len(self.pieces) == 1:
            await self.go_on.wait()
        return await super().__anext__()


async def test_answers_that_wait_a_byte_before_their_end_do_not_take_the_memory() -> None:
    """Abuse: a service, or many callers of it, with long answers that are never quite there."""
    body = json.dumps({"id": ID, "note": "x" * 8_000_000}).encode()
    masking, go_on = Masking(Settings(hash_key=b"k" * 32, held_bytes=64 * 1024 * 1024)), asyncio.Event()
    waiting = [asyncio.ensure_future(masking.apply(a_raw(Waiting(body, go_on)), warranted())) for _ in range(12)]
    for _ in range(5):
        await asyncio.sleep(0)
    refused = [one.result() for one in waiting if one.done()]
    assert {isinstance(one, Fault) and one.code for one in refused} == {"overloaded"}
    assert len(waiting) - len(refused) == 6  # of 64 MiB: 51.2 for one API
    ask = an_ask(api="another")
    assert isinstance(
        await masking.apply(a_raw(body), a_warrant(facts=some_facts(ask=ask), permit=a_permit(mask=MASK))), Reply
    )
    go_on.set()
    assert [type(one) for one in await asyncio.gather(*waiting)].count(Reply) == 6
    assert isinstance(await masking.apply(a_raw(body), warranted()), Reply)


async def test_an_endless_answer_is_left_at_the_limit() -> None:
    stream = Stream(*[b"x" * 1024] * 1000)
    assert (await fault_of(a_raw(stream))).code == "cannot_inspect"
    assert stream.taken == SETTINGS.inspect_max // 1024 + 1
    assert stream.closed


async def test_an_answer_that_breaks_off_is_a_fault_of_the_service() -> None:
    stream = Stream(BODY[:5], breaks=BodyFailed("upstream_reset", "3 of 9 bytes"))
    fault = await fault_of(a_raw(stream))
    assert (fault.code, fault.detail) == ("upstream_reset", "3 of 9 bytes")
    assert stream.closed


async def test_the_stream_is_closed_even_when_something_unforeseen_happens() -> None:
    stream = Stream(BODY[:5], breaks=KeyError("bug"))
    with pytest.raises(KeyError):
        await applied(a_raw(stream))
    assert stream.closed


# --- codings -------------------------------------------------------------------------------------------

PACKED = {
    b"gzip": gzip.compress(BODY),
    b"x-gzip": gzip.compress(BODY),
    b"GZIP": gzip.compress(BODY),
    b"deflate": zlib.compress(BODY),
    b"br": brotli.compress(BODY),
    b"zstd": zstandard.ZstdCompressor().compress(BODY),
    b"identity": BODY,
}


@pytest.mark.parametrize("coding", PACKED)
async def test_a_packed_answer_is_unpacked_and_masked(coding: bytes) -> None:
    reply = await reply_of(a_raw(PACKED[coding], (*JSON, (b"content-encoding", coding))))
    assert reply.body == b'{"id":"***","n":12345678901234567890123}'
    assert b"content-encoding" not in dict(reply.headers)


async def test_raw_deflate_is_understood() -> None:
    packer = zlib.compressobj(wbits=-15)
    body = packer.compress(BODY) + packer.flush()
    assert ID.encode() not in (await reply_of(a_raw(body, (*JSON, (b"content-encoding", b"deflate"))))).body  # type: ignore[operator]  # bytes


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"zstd"])
@pytest.mark.parametrize("damage", ["cut", "tail", "other", "plain"])
async def test_a_damaged_coding_is_withheld(coding: bytes, damage: str) -> None:
    whole = PACKED[coding]
    body = {"cut": whole[:-6], "tail": whole + b"rest", "other": b"\x00" + whole, "plain": BODY}[damage]
    answer = await applied(a_raw(body, (*JSON, (b"content-encoding", coding))))
    if isinstance(answer, Reply):  # only what unpacks to the whole answer may be shown, and masked
        assert answer.body == b'{"id":"***","n":12345678901234567890123}'
    else:
        assert answer.code == "cannot_inspect"


@pytest.mark.parametrize(
    "headers",
    [
        ((b"content-encoding", b"gzip, gzip"),),
        ((b"content-encoding", b"gzip"), (b"content-encoding", b"gzip")),
        ((b"content-encoding", b"identity"), (b"content-encoding", b"gzip")),
        ((b"content-encoding", b"compress"),),
        ((b"content-encoding", b"aes128gcm"),),
        ((b"content-encoding", b""),),
    ],
)
async def test_stacked_and_unknown_codings_are_withheld(headers: Headers) -> None:
    body = gzip.compress(gzip.compress(BODY))
    assert (await fault_of(a_raw(body, (*JSON, *headers)))).code == "cannot_inspect"


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"zstd"])
async def test_a_bomb_is_left_at_the_limit(coding: bytes) -> None:
    zeros = b" " * (16 * 1024 * 1024)
    bomb = {
        b"gzip": gzip.compress,
        b"deflate": zlib.compress,
        b"br": lambda data: brotli.compress(data, quality=4),
        b"zstd": zstandard.ZstdCompressor().compress,
    }[coding](zeros)
    assert len(bomb) < SETTINGS.inspect_max
    assert (await fault_of(a_raw(bomb, (*JSON, (b"content-encoding", coding))))).code == "cannot_inspect"


# --- charsets --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("charset", ["GBK", "gb2312", '"gb18030"', "GB18030"])
async def test_a_chinese_charset_becomes_utf8(charset: str) -> None:
    body = json.dumps({"id": ID, "name": "王小明"}, ensure_ascii=False).encode("gb18030")
    reply = await reply_of(a_raw(body, ((b"content-type", f"application/json; charset={charset}".encode()),)))
    assert reply.body == '{"id":"***","name":"王小明"}'.encode()
    assert dict(reply.headers)[b"content-type"] == b"application/json; charset=utf-8"


@pytest.mark.parametrize("name", ["证件", "编号", "身份"])
async def test_a_chinese_charset_that_is_not_the_truth_is_withheld(name: str) -> None:
    body = f'{{"{name}":"{ID}"}}'.encode()
    assert body.decode("gb18030")  # it reads as that as well, under a name that nobody labelled
    mask = Mask("pii", (FieldMask(f"$.{name}", "redact"),), "warn")
    assert (await fault_of(a_raw(body, ((b"content-type", b"application/json; charset=gbk"),)), mask)).code == (
        "cannot_inspect"
    )


@pytest.mark.parametrize("word", ["女", "通", "联通", "plain"])
async def test_a_chinese_word_that_reads_as_another_charset_is_still_one(word: str) -> None:
    body = f'{{"id":"{ID}","x":"{word}"}}'.encode("gbk")
    reply = await reply_of(a_raw(body, ((b"content-type", b"application/json; charset=gbk"),)))
    assert reply.body == f'{{"id":"***","x":"{word}"}}'.encode()


@pytest.mark.parametrize(
    "charset", ["utf-16", "utf-16le", "utf-32", "utf-7", "iso-8859-1", "big5", "x-unknown", "utf-8;charset=gbk"]
)
async def test_other_charsets_are_withheld(charset: str) -> None:
    headers: Headers = ((b"content-type", f"application/json;charset={charset}".encode()),)
    assert (await fault_of(a_raw(headers=headers))).code == "cannot_inspect"


async def test_utf16_that_is_not_declared_is_withheld() -> None:
    for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "gbk"):
        body = json.dumps({"id": ID, "name": "王小明"}, ensure_ascii=False).encode(name)
        assert (await fault_of(a_raw(body))).code == "cannot_inspect"


async def test_two_content_types_are_withheld() -> None:
    headers = ((b"content-type", b"application/json"), (b"content-type", b"text/html; charset=gbk"))
    assert (await fault_of(a_raw(headers=headers))).code == "cannot_inspect"


# --- masks ----------------------------------------------------------------------------------------------


async def test_departments_cannot_join_what_they_got() -> None:
    mask = Mask("pii", (FieldMask("$.id", "hash"),), "pass")
    room = Masking(SETTINGS)
    shown = {}
    for org in ("prov/civil", "prov/health"):
        answer = await room.apply(a_raw(), warranted(mask, org=org))
        again = await room.apply(a_raw(), warranted(mask, org=org))
        assert isinstance(answer, Reply)
        assert isinstance(again, Reply)
        assert answer.body == again.body
        shown[org] = answer.body
    assert shown["prov/civil"] != shown["prov/health"]


@pytest.mark.parametrize(
    "field", [FieldMask("$.a[?(@.b)]", "redact"), FieldMask("$.a", "blur"), FieldMask("a", "redact")]
)
async def test_a_mask_that_cannot_be_read_shows_nothing(field: FieldMask) -> None:
    mask = Mask("bad", (field,), "pass")
    assert (await fault_of(a_raw(), mask)).code == "masking_failed"


async def test_a_long_answer_is_masked_like_a_short_one() -> None:
    settings = Settings(hash_key=b"k" * 32, offload_over=1024)
    body = json.dumps([{"id": ID, "n": n} for n in range(20_000)]).encode()
    for raw in (a_raw(body), a_raw(gzip.compress(body), (*JSON, (b"content-encoding", b"gzip")))):
        answer = await applied(raw, settings=settings)
        assert isinstance(answer, Reply)
        assert isinstance(answer.body, bytes)
        assert ID.encode() not in answer.body
        assert answer.revealed.records == 20_000


# --- answers that are masked as they arrive, and the second look --------------------------------------


async def read(reply: Reply) -> bytes:
    assert not isinstance(reply.body, bytes)
    return b"".join([piece async for piece in reply.body])


async def test_lines_are_masked_as_they_arrive() -> None:
    line = b'{"id":"' + ID.encode() + b'","n":1}\n'
    stream = Stream(line, line)
    reply = await reply_of(a_raw(stream, ((b"content-type", b"application/x-ndjson"), (b"etag", b'"1"'))))
    assert stream.taken == 1
    assert reply.length is None
    assert dict(reply.headers)[b"content-type"] == b"application/x-ndjson; charset=utf-8"
    assert b"etag" not in dict(reply.headers)
    assert await read(reply) == b'{"id":"***","n":1}\n' * 2
    assert reply.revealing is not None
    assert reply.revealing().records == 2
    assert stream.closed


async def test_a_line_that_cannot_be_read_cuts_the_answer() -> None:
    stream = Stream(b'{"id":"1"}\n', b'{"id":' + ID.encode() + b"\n")
    reply = await reply_of(a_raw(stream, ((b"content-type", b"application/x-ndjson"),)))
    with pytest.raises(BodyFailed) as why:
        await read(reply)
    assert why.value.code == "cannot_inspect"
    assert ID not in why.value.detail
    assert stream.closed


async def test_a_first_line_that_cannot_be_read_is_a_refusal() -> None:
    stream = Stream(b"<html>\n")
    fault = await fault_of(a_raw(stream, ((b"content-type", b"application/x-ndjson"),)))
    assert fault.code == "cannot_inspect"
    assert stream.closed


async def test_a_table_in_a_chinese_charset_goes_out_in_utf_8() -> None:
    table = f"id,姓名\n{ID},王小明\n".encode("gbk")
    mask = Mask("pii", (FieldMask("$..id", "redact"), FieldMask("$..姓名", "partial(1,0)")), "pass")
    stream = Stream(table[:9], table[9:])
    reply = await reply_of(a_raw(stream, ((b"content-type", b"text/csv; charset=GBK"),)), mask)
    assert (await read(reply)).decode() == "id,姓名\r\n***,王****\r\n"


async def test_a_packed_table_is_unpacked() -> None:
    headers = ((b"content-type", b"text/csv"), (b"content-encoding", b"gzip"))
    reply = await reply_of(a_raw(gzip.compress(f"id,n\n{ID},1\n".encode()), headers))
    assert await read(reply) == b"id,n\r\n***,1\r\n"
    assert b"content-encoding" not in dict(reply.headers)


@pytest.mark.parametrize(
    "raw",
    [
        a_raw(b'{"id":"' + ID.encode() + b'","remark":"see ' + ID.encode() + b'"}'),
        a_raw(b'{"id":"1","remark":"\\u0033\\u00330106199003072319"}'),
        a_raw(b'{"id":"1","n":' + ID.encode() + b"}"),
        a_raw(f"id,remark\n1,见{ID}\n".encode(), ((b"content-type", b"text/csv"),)),
        a_raw(b'{"id":"1","remark":"' + ID.encode() + b'"}\n', ((b"content-type", b"application/x-ndjson"),)),
    ],
)
async def test_what_a_label_missed_is_found_before_it_is_sent(raw: RawReply) -> None:
    mask = Mask("pii", (FieldMask("$.id_number", "redact"), FieldMask("$..remark", "keep")), "pass")
    fault = await fault_of(raw, mask)
    assert (fault.code, fault.detail) == ("residual_identifier", "resident-id")
    assert fault.revealed.residual == ("resident-id",)


async def observed(raw: RawReply, mask: Mask = MASK, method: str = "GET", **asset: Any) -> list[tuple[str, bytes]]:
    """What an observer sees of one answer."""
    seen: list[tuple[str, bytes]] = []
    facts = some_facts(ask=an_ask(method=method), asset=an_asset(**asset))
    room = Masking(SETTINGS, lambda asset, body: seen.append((asset.route, body)))
    await room.apply(raw, a_warrant(facts=facts, permit=a_permit(mask=mask)))
    return seen


ROUTE = "GET /civil/households/{id}"
DOUBLED = b'{"id": 1, "id": 2}'  # looked at twice: the quick walk leaves it to the other


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        (a_raw(b'{"id": "x"}'), b'{"id": "x"}'),
        (a_raw(DOUBLED), DOUBLED),
        (a_raw(Stream(b'{"id"', b': "x"}')), b'{"id": "x"}'),
        (a_raw(gzip.compress(BODY), (*JSON, (b"content-encoding", b"gzip"))), BODY),
        (
            a_raw('{"id": "王"}'.encode("gbk"), ((b"content-type", b"application/json; charset=gbk"),)),
            '{"id": "王"}'.encode(),
        ),
    ],
    ids=["common", "doubled", "stream", "gzip", "gbk"],
)
async def test_an_observer_sees_each_answer_once_as_the_service_meant_it(raw: RawReply, seen: bytes) -> None:
    assert await observed(raw) == [(ROUTE, seen)]


async def test_an_observer_sees_lines_that_came_whole() -> None:
    lines, kind = b'{"name":"x"}\n{"name":"y"}\n', ((b"content-type", b"application/x-ndjson"),)
    assert await observed(a_raw(lines, kind)) == [(ROUTE, lines)]
    assert await observed(a_raw(Stream(lines), kind)) == []
    assert await observed(a_raw(b"name\nx\n", ((b"content-type", b"text/csv"),))) == []


async def test_an_observer_sees_what_passes_without_being_held_and_nothing_that_is_opaque() -> None:
    assert await observed(a_raw(), NO_MASK) == [(ROUTE, BODY)]
    assert await observed(a_raw(Stream(BODY)), NO_MASK) == []
    assert await observed(a_raw(), NO_MASK, opaque=True) == []


@pytest.mark.parametrize("status", [204, 206, 400, 404, 500])
async def test_an_observer_does_not_take_an_error_for_an_answer(status: int) -> None:
    assert await observed(a_raw(status=status)) == []


async def test_an_observer_sees_no_answer_to_a_head() -> None:
    assert await observed(a_raw(b""), method="HEAD") == []


# --- forms, markup, texts, events ------------------------------------------------------------------------

BY_VALUE = an_asset(fields=(Field("$..id", "resident-id", Grade.GENERAL_3),), contract="warn")


async def applied_to(raw: RawReply, mask: Mask = MASK, asset: Asset = BY_VALUE) -> Reply | Fault:
    facts = some_facts(asset=asset)
    return await Masking(SETTINGS).apply(raw, a_warrant(facts=facts, permit=a_permit(mask=mask)))


@pytest.mark.parametrize(
    ("kind", "body", "shown"),
    [
        (b"application/x-www-form-urlencoded", f"id={ID}&n=1", "id=%2A%2A%2A&n=1"),
        (b"application/xml", f"<a><id>{ID}</id></a>", "<a><id>***</id></a>"),
        (b"application/atom+xml", f"<a id='{ID}'/>", '<a id="***"></a>'),
        (b"text/plain", f"id {ID}", "id ***"),
        (b"text/html; charset=gbk", f"<p>编号{ID}", "<p>编号***"),
    ],
)
@pytest.mark.parametrize("status", [200, 404, 500])
async def test_every_form_has_its_own_way(kind: bytes, body: str, shown: str, status: int) -> None:
    charset = "gbk" if b"gbk" in kind else "utf-8"
    stream = Stream(gzip.compress(body.encode(charset)))
    headers = ((b"content-type", kind), (b"content-encoding", b"gzip"), (b"etag", b'"1"'))
    reply = await applied_to(a_raw(stream, headers, status))
    assert isinstance(reply, Reply), reply
    assert reply.body == shown.encode()
    assert reply.length == len(shown.encode())
    assert reply.revealed.masked == (("$..id", 1),)
    assert not {b"etag", b"content-encoding"} & dict(reply.headers).keys()
    assert stream.closed


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"application/x-www-form-urlencoded", "n=%33%33" + ID[2:]),
        (b"application/xml", f"<a>&#51;&#51;{ID[2:]}</a>"),
        (b"text/xml", f"<a n='&#51;&#51;{ID[2:]}'/>"),
    ],
)
async def test_the_second_look_reads_what_a_reader_reads(kind: bytes, body: str) -> None:
    fault = await applied_to(a_raw(body.encode(), ((b"content-type", kind),)))
    assert isinstance(fault, Fault)
    assert (fault.code, fault.detail) == ("residual_identifier", "resident-id")


@pytest.mark.parametrize(
    "kind",
    [
        b"multipart/form-data; boundary=330106199003072319",
        b"multipart/mixed; boundary=x",
        b"application/pdf",
        b"image/png",
        b"application/zip",
        b"application/octet-stream",
        b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        b"application/javascript",
    ],
)
async def test_what_cannot_be_read_is_withheld_and_named_by_its_type_only(kind: bytes) -> None:
    for body in (b"--x\r\ncontent-type: application/json\r\n\r\n" + BODY, b"%PDF " + ID.encode(), b"cb(" + BODY + b")"):
        fault = await applied_to(a_raw(body, ((b"content-type", kind),)))
        assert isinstance(fault, Fault)
        assert fault.code == "cannot_inspect"
        assert kind.partition(b";")[0].decode() in fault.detail
        assert ID not in fault.detail


async def test_a_type_that_tells_something_is_not_named() -> None:
    fault = await applied_to(a_raw(b"x", ((b"content-type", b"application/vnd." + ID.encode()),)))
    assert isinstance(fault, Fault)
    assert ID not in fault.detail


@pytest.mark.parametrize("kind", [b"text/html", b"text/plain"])
async def test_a_page_is_not_shown_where_a_name_must_not_be(kind: bytes) -> None:
    mask = Mask("pii", (FieldMask("$..id", "redact"), FieldMask("$..name", "redact")), "pass")
    fault = await applied_to(a_raw(b"<h1>Error</h1>", ((b"content-type", kind),), 500), mask)
    assert isinstance(fault, Fault)
    assert fault.code == "cannot_inspect"


class Silence(Stream):
    """A service that has sent its head and nothing else yet."""

    async def __anext__(self) -> bytes:
        if not self.pieces:
            raise AssertionError("the head waited for the first event")
        return await super().__anext__()


async def test_the_head_of_a_stream_of_events_does_not_wait_for_the_first() -> None:
    reply = await applied_to(a_raw(Silence(), ((b"content-type", b"text/event-stream"),)))
    assert isinstance(reply, Reply), reply
    assert dict(reply.headers)[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert reply.length is None


async def test_events_are_masked_and_looked_at_again_as_they_arrive() -> None:
    stream = Stream(b"data: " + BODY + b"\n\n", b'data: {"n":"' + ID.encode() + b'"}\n\n')
    reply = await applied_to(a_raw(stream, ((b"content-type", b"text/event-stream"),)))
    assert isinstance(reply, Reply), reply
    assert not isinstance(reply.body, bytes)
    assert await anext(reply.body) == b'data: {"id":"***","n":12345678901234567890123}\n\n'
    with pytest.raises(BodyFailed) as why:
        await anext(reply.body)
    assert why.value.code == "residual_identifier"
    assert stream.closed


async def test_a_stream_of_events_that_cannot_be_read_is_refused_before_its_head() -> None:
    stream = Stream(b"x")
    fault = await applied_to(a_raw(stream, ((b"content-type", b"text/event-stream; charset=utf-16"),)))
    assert isinstance(fault, Fault)
    assert stream.closed


# --- which records, and how many --------------------------------------------------------------------

PEOPLE = b'[{"id":"1","district":"hz"},{"id":"2","district":"nb"},{"id":"3","district":"nb"}]'
AS_LINES = (((b"content-type", b"application/x-ndjson"),), b"\n".join(PEOPLE[1:-1].replace(b"},{", b"}|{").split(b"|")))
AS_TABLE = (((b"content-type", b"text/csv"),), b"id,district\n1,hz\n2,nb\n3,nb\n")
AS_EVENTS = (
    ((b"content-type", b"text/event-stream"),),
    b"".join(b"data: " + x + b"\n\n" for x in AS_LINES[1].split(b"\n")),
)
AS_ARRAY = (JSON, PEOPLE)
LARGE = Settings(hash_key=b"k" * 32)
AS_LONG = (JSON, PEOPLE + b" " * 70_000)


def seeing(*districts: str, **changes: Any) -> Mask:
    """A mask as policy makes it: for one request."""
    return Mask(MASK.profile, MASK.fields, "pass", (RowFilter("$.district", districts),), **changes)


@pytest.mark.parametrize("form", [AS_ARRAY, AS_LONG, AS_LINES, AS_TABLE, AS_EVENTS])
async def test_each_caller_sees_his_own_records_whoever_asked_before(form: tuple[Headers, bytes]) -> None:
    masking = Masking(LARGE)
    for district, shown, removed in (("hz", 1, 2), ("nb", 2, 1), ("hz", 1, 2), ("wz", 0, 3)):
        reply = await masking.apply(a_raw(Stream(form[1]), form[0]), warranted(seeing(district)))
        assert isinstance(reply, Reply)
        body = reply.body if isinstance(reply.body, bytes) else await read(reply)
        told = reply.revealing() if reply.revealing is not None else reply.revealed
        assert body.count(b"hz") + body.count(b"nb") == shown
        assert body.count(district.encode()) == shown
        assert told.removed == removed


@pytest.mark.parametrize("form", [AS_ARRAY, AS_LONG, AS_LINES, AS_TABLE, AS_EVENTS])
@pytest.mark.parametrize("beyond", [False, True])
async def test_no_header_counts_the_records_that_a_caller_does_not_see(
    form: tuple[Headers, bytes], beyond: bool
) -> None:
    telling = ((b"x-total-count", b"3"), (b"link", b'</people?page=3>; rel="last"'), (b"x-pages", b"3"))
    mask = Mask("none", MASK.fields, "pass", most=2, beyond=seeing("hz")) if beyond else seeing("hz")
    for method in ("GET", "HEAD"):
        reply = await applied(a_raw(Stream(form[1]), (*form[0], *telling)), mask, method, LARGE)
        if method == "HEAD" and mask.rows:
            assert reply == Fault("no_record", "no record for this caller")
            continue
        assert isinstance(reply, Reply)
        assert not {name for name, _ in telling} & dict(reply.headers).keys()
    known = await applied(a_raw(Stream(form[1]), (*form[0], *telling)), settings=LARGE)
    assert isinstance(known, Reply)
    assert dict(known.headers)[b"x-total-count"] == b"3"


FOREIGN = b'{"id":"1","district":"nb"}'
PAGE: Headers = ((b"content-type", b"text/html"), (b"x-total-count", b"0"))


@pytest.mark.parametrize(
    ("raw", "method", "removed"),
    [
        (a_raw(FOREIGN), "GET", 1),
        (a_raw(Stream(FOREIGN), length=len(FOREIGN)), "GET", 1),
        (a_raw(gzip.compress(FOREIGN), (*JSON, (b"content-encoding", b"gzip"))), "GET", 1),
        (a_raw(FOREIGN + b" " * 70_000), "GET", 1),
        (a_raw(FOREIGN[:-1] + b',"id":"2"}'), "PUT", 1),
        (a_raw(b'{"code":404,"message":"none","data":null}'), "GET", 1),
        (a_raw(b'{"error":"no such household"}', status=404), "GET", 0),
        (a_raw(b"<h1>Not found</h1>", PAGE, 404), "GET", 0),
        (a_raw(b"", (), 404), "DELETE", 0),
        (a_raw(b"", (), 410), "GET", 0),
        (a_raw(b'{"error":"another office\'s"}', status=403), "GET", 0),
        (a_raw(b"", (), 204), "GET", 0),
        (a_raw(b"", ((b"etag", b'"1"'),), 304), "GET", 0),
        (a_raw(b"", length=0), "GET", 0),
        (a_raw(b"", length=4711), "HEAD", 0),
        (a_raw(b"", (), 404), "HEAD", 0),
    ],
)
async def test_a_record_of_others_is_told_as_one_that_is_not_there(raw: RawReply, method: str, removed: int) -> None:
    fault = await applied(raw, seeing("hz"), method, LARGE)
    assert isinstance(fault, Fault)
    assert (fault.code, fault.revealed) == ("no_record", Revealed(removed=removed))
    if isinstance(raw.body, Stream):
        assert raw.body.closed


async def test_without_a_row_filter_a_status_stays_what_it_was() -> None:
    for mask in (MASK, Mask("none", MASK.fields, "pass", most=2, beyond=seeing("hz"))):
        for status, method in ((404, "GET"), (410, "GET"), (200, "HEAD"), (204, "GET")):
            reply = await reply_of(a_raw(b"", (), status), mask, method)
            assert reply.status == status


async def test_under_a_row_filter_what_was_done_and_what_failed_is_still_told() -> None:
    for status, method in ((204, "DELETE"), (201, "POST"), (302, "GET"), (503, "GET"), (503, "HEAD")):
        assert (await reply_of(a_raw(b"", (), status), seeing("hz"), method)).status == status
    for status in (400, 409, 500):
        assert (await fault_of(a_raw(b'{"error":"x"}', status=status), seeing("hz"))).code == "cannot_inspect"


async def test_more_than_the_grade_covers_is_shown_otherwise_or_not() -> None:
    mask = Mask("none", (FieldMask("$..id", "keep"),), "pass", most=2, beyond=MASK)
    assert b"***" not in (await reply_of(a_raw(b'[{"id":"1"},{"id":"2"}]'), mask)).body
    assert b'"3"' not in (await reply_of(a_raw(PEOPLE), mask)).body
    long = await applied(a_raw(AS_LONG[1]), mask, settings=LARGE)
    assert isinstance(long, Reply)
    assert b'"3"' not in long.body
    refused = Mask("none", (FieldMask("$..id", "keep"),), "pass", most=2)
    assert (await fault_of(a_raw(PEOPLE), refused)).code == "too_many_records"
    withheld = await applied(a_raw(AS_LONG[1]), refused, settings=LARGE)
    assert isinstance(withheld, Fault)
    assert withheld.code == "too_many_records"


@pytest.mark.parametrize("form", [AS_LINES, AS_EVENTS])
async def test_a_stream_ends_where_more_come_than_may_be_shown(form: tuple[Headers, bytes]) -> None:
    reply = await reply_of(a_raw(Stream(form[1]), form[0]), Mask("none", MASK.fields, "pass", most=2))
    with pytest.raises(BodyFailed) as failed:
        await read(reply)
    assert failed.value.code == "too_many_records"


KEYED = an_asset(fields=(Field("$..id", "resident-id", Grade.GENERAL_3),), contract="warn", key="$..id")
THREE = ("330106199003072319", "110101199003074530", "330106199003072386")
MANY = {
    "columns": (JSON, '{"id":["%s","%s","%s"],"name":["a","b","c"]}'),
    "columns, unlike a tree": (JSON, '{"id":["%s","%s","%s"],"n":1.10}'),
    "numbers": (JSON, '{"id":[%s,%s,%s]}'),
    "lists beside each other": (JSON, '{"f":[{"id":"%s"},{"id":"%s"}],"m":[{"id":"%s"}]}'),
    "groups": (JSON, '[{"of":[{"id":"%s"},{"id":"%s"}]},{"of":[{"id":"%s"}]}]'),
    "short maps": (JSON, '{"a":{"id":"%s"},"b":{"id":"%s"},"c":{"id":"%s"}}'),
    "long": (JSON, '{"id":["%s","%s","%s"],"pad":"' + "x" * 70_000 + '"}'),
    "a line": (((b"content-type", b"application/x-ndjson"),), '{"id":["%s","%s","%s"]}\n'),
    "an event": (((b"content-type", b"text/event-stream"),), 'data: {"id":["%s","%s","%s"]}\n\n'),
    "a form": (((b"content-type", b"application/x-www-form-urlencoded"),), "id=%s&id=%s&id=%s"),
    "elements": (((b"content-type", b"text/xml"),), "<l><id>%s</id><id>%s</id><id>%s</id></l>"),
}


@pytest.mark.parametrize("shape", MANY)
async def test_an_answer_about_many_people_is_one_of_many_records_in_any_shape(shape: str) -> None:
    head, body = MANY[shape]
    lax = Mask("none", (FieldMask("$..id", "partial(6,4)"),), "pass", most=2)
    strict = Mask("none", lax.fields, "pass", most=2, beyond=MASK)
    wide = Mask("none", lax.fields, "pass", most=3)
    for mask in (strict, wide):
        reply = await applied_to_long(a_raw((body % THREE).encode(), head), mask)
        assert isinstance(reply, Reply), reply
        sent = reply.body if isinstance(reply.body, bytes) else await read(reply)
        assert (b"330106****" in sent or b"330106%2A" in sent) == (mask is wide)
    refused = await applied_to_long(a_raw((body % THREE).encode(), head), lax)
    if isinstance(refused, Fault):
        assert refused.code == "too_many_records"
    else:  # a stream of events has its head by then
        with pytest.raises(BodyFailed) as failed:
            await read(refused)
        assert failed.value.code == "too_many_records"
    thrice = (body % (THREE[:1] * 3)).encode()
    assert isinstance(await applied_to_long(a_raw(thrice, head), lax), Reply)  # about one person


async def applied_to_long(raw: RawReply, mask: Mask) -> Reply | Fault:
    return await Masking(LARGE).apply(raw, a_warrant(facts=some_facts(asset=KEYED), permit=a_permit(mask=mask)))


@pytest.mark.parametrize(
    "body",
    [
        b'{"id":"1","at":[120.1,30.2],"tags":["a","b","c","d"],"phones":["1","2","3"]}',
        b'{"id":"1","track":{"lon":[1,2,3,4,5],"lat":[1,2,3,4,5]}}',
    ],
)
async def test_one_record_with_lists_of_values_in_it_is_one(body: bytes) -> None:
    reply = await applied_to_long(a_raw(body), Mask("none", MASK.fields, "pass", most=1))
    assert isinstance(reply, Reply), reply


PHONES = an_asset(fields=(Field("$..phone", "phone", Grade.GENERAL_2),), contract="learn")
LAX = Mask(
    "none",
    (FieldMask("$..phone", "keep"),),
    "pass",
    most=2,
    beyond=Mask("pii", (FieldMask("$..phone", "redact"),), "pass"),
)
CALLS = tuple(f"1380013800{number}" for number in range(4))


def remarks(kind: str, fourth: str) -> tuple[bytes, ...]:
    """Four records, of which the first two say their number twice, and the fourth says what it says."""
    said = (CALLS[0], CALLS[1], "", fourth)
    if kind == "text/csv":
        return (b"phone,n\n", *(f"{phone},{also}\n".encode() for phone, also in zip(CALLS, said, strict=True)))
    lines = [json.dumps({"phone": phone, "n": also}) for phone, also in zip(CALLS, said, strict=True)]
    return tuple((f"data: {line}\n\n" if "event" in kind else f"{line}\n").encode() for line in lines)


@pytest.mark.parametrize("kind", ["text/csv", "application/x-ndjson", "text/event-stream"])
async def test_a_stream_is_held_to_what_its_mask_hides_from_then_on(kind: str) -> None:
    head = ((b"content-type", kind.encode()),)
    for pieces in (1, 4):  # all at once, or each by itself
        clean, told = remarks(kind, ""), remarks(kind, CALLS[3])
        whole = [Stream(*(sent if pieces == 4 else (b"".join(sent),))) for sent in (clean, told)]
        reply = await applied_to(a_raw(whole[0], head), LAX, PHONES)
        assert isinstance(reply, Reply), reply
        body = await read(reply)
        assert [body.count(number.encode()) for number in CALLS] == [2, 2, 0, 0]
        reply = await applied_to(a_raw(whole[1], head), LAX, PHONES)
        assert isinstance(reply, Reply), reply
        shown = b""
        with pytest.raises(BodyFailed) as failed:
            async for piece in reply.body:
                shown += piece
        assert failed.value.code == "residual_identifier"
        assert CALLS[3].encode() not in shown


KINDS = (b"text/csv", b"application/x-www-form-urlencoded", b"application/xml", b"text/event-stream")


@pytest.mark.parametrize("page", ["docs/data.md", "docs/data.zh-CN.md"])
async def test_the_examples_of_the_guide_are_true(page: str) -> None:
    table = (ROOT / page).read_text(encoding="utf-8").partition("`$..id_number: partial(1,1)`")[2].partition("\n\n")[0]
    rows = [line.split("|")[2:4] for line in table.splitlines()[2:]]
    mask = Mask("pii", (FieldMask("$..id_number", "partial(1,1)"),), "pass")
    asset = an_asset(fields=(Field("$..id_number", "resident-id", Grade.GENERAL_3),), contract="warn")
    assert len(rows) == len(KINDS)
    for kind, cells in zip(KINDS, rows, strict=True):
        arrives, goes_out = ("\n".join(cell.strip().strip("`").split("`⏎`")) for cell in cells)
        end = "\n\n" if kind == KINDS[-1] else ""
        reply = await applied_to(a_raw((arrives + end).encode(), ((b"content-type", kind),)), mask, asset)
        assert isinstance(reply, Reply), reply
        sent = reply.body if isinstance(reply.body, bytes) else await read(reply)
        assert sent.decode().split() == goes_out.split()
