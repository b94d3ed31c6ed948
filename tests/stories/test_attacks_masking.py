"""Attacks by the service: answers that hide what must be masked, desynchronise, or cost too much."""

import base64
import gzip
import json
import re
import socket
import time
import zlib
from collections.abc import Iterator

import brotli
import pytest
import zstandard

from tests.running import until
from tests.stories.hostile import PLAIN, Reply, Stage, answer, chunks, staged

ID = "330106199003072319"
NAME = "王小明"
RECORD = json.dumps({"name": NAME, "id_number": ID, "note": ID}, ensure_ascii=False).encode()
ASCII = json.dumps({"name": NAME, "id_number": ID}).encode()
SECRET, PERSON = ID.encode(), NAME.encode()
_RAW = zlib.compressobj(wbits=-15)
MARKUP = f'<?xml version="1.0" encoding="GBK"?><list id_number="{ID}"><name>{NAME}</name><note>{ID}</note></list>'
FORM = b"application/x-www-form-urlencoded"
RAW_DEFLATE = _RAW.compress(RECORD) + _RAW.flush()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("masking")) as set_up:
        yield set_up


@pytest.fixture(autouse=True)
def plain(stage: Stage) -> Iterator[None]:
    stage.service.answer, stage.service.hangs_up = PLAIN, False
    yield
    stage.service.answer, stage.service.hangs_up = PLAIN, False


def tells(reply: Reply) -> list[str]:
    """What of the secrets is in the answer, in any spelling."""
    secrets = (ID, NAME, ID[6:14], ID[2:16], "MzMwMTA2")
    spellings = [
        (each, spelling)
        for each in secrets
        for spelling in (each.encode(), each.encode("gbk"), json.dumps(each)[1:-1].encode())
    ]
    return [each for each, spelling in spellings if spelling in reply.raw]


WITHHELD = {
    "two content types": answer(RECORD, b"Content-Type: text/plain"),
    "two byte order marks": answer(b"\xef\xbb\xbf\xef\xbb\xbf" + RECORD),
    "UTF-16": answer(RECORD.decode().encode("utf-16")),
    "UTF-16 as declared": answer(RECORD.decode().encode("utf-16"), kind=b"application/json; charset=utf-16"),
    "UTF-16 without a mark": answer(ASCII.decode().encode("utf-16-le")),
    "UTF-32": answer(RECORD.decode().encode("utf-32")),
    "UTF-7": answer(RECORD.decode().encode("utf-7"), kind=b"application/json; charset=utf-7"),
    "GBK undeclared": answer(RECORD.decode().encode("gbk")),
    "two charsets": answer(RECORD, kind=b"application/json; charset=utf-8; charset=gbk"),
    "extended charset": answer(RECORD, kind=b"application/json; charset*=utf-7''x"),
    "gzip in gzip": answer(gzip.compress(gzip.compress(RECORD)), b"Content-Encoding: gzip, gzip"),
    "two codings": answer(gzip.compress(gzip.compress(RECORD)), b"Content-Encoding: gzip", b"Content-Encoding: gzip"),
    "gzip undeclared": answer(gzip.compress(RECORD)),
    "two gzip members": answer(gzip.compress(RECORD) * 2, b"Content-Encoding: gzip"),
    "more behind brotli": answer(brotli.compress(RECORD) + RECORD, b"Content-Encoding: br"),
    "two zstd frames": answer(zstandard.compress(RECORD) * 2, b"Content-Encoding: zstd"),
    "a coding nobody knows": answer(RECORD, b"Content-Encoding: aws-chunked"),
    "a part": answer(RECORD[3:], b"Content-Range: bytes 3-9/99", status=b"206 Partial Content"),
    "a part that says 200": answer(RECORD, b"Content-Range: bytes 3-9/99"),
    "lines that say JSON": answer(RECORD + b"\n" + RECORD),
    "a line that is none": answer(RECORD[:-1] + b"\n", kind=b"application/x-ndjson"),
    "a table without names": answer(PERSON + b"," + SECRET + b"\n", kind=b"text/csv"),
    "a table read in two ways": answer(b'n,m,id_number\n"a\\",b",' + SECRET + b"\n", kind=b"text/csv"),
    "a form read in two ways": answer(b"n=1;id_number=" + SECRET, kind=FORM),
    "a DTD": answer(b"<!DOCTYPE a [<!ENTITY x '" + SECRET + b"'>]><a>&x;</a>", kind=b"application/xml"),
    "two charsets of a document": answer(MARKUP.encode("gbk"), kind=b"text/xml; charset=utf-8"),
    "UTF-16 markup": answer(MARKUP.encode("utf-16"), kind=b"text/xml"),
    "a page": answer(b"<h1>" + PERSON, kind=b"text/html", status=b"500 Error"),
    "a page that says JSON": answer(b"<h1>" + PERSON),
    "multipart": answer(b"--x\r\n\r\n" + RECORD + b"\r\n--x--\r\n", kind=b"multipart/mixed; boundary=x"),
    "a document": answer(b"%PDF-1.7 " + RECORD, kind=b"application/pdf"),
    "JSONP": answer(b"cb(" + RECORD + b")", kind=b"text/javascript"),
    "JSONP as a text": answer(b"cb(" + RECORD + b")", kind=b"text/plain"),
    "a guard in front": answer(b")]}',\n" + RECORD),
    "two texts": answer(RECORD + RECORD),
    "NUL behind": answer(RECORD + b"\0"),
    "a comment": answer(b"/*" + SECRET + b"*/" + RECORD),
    "a comma too many": answer(RECORD[:-1] + b",}"),
    "not UTF-8": answer(RECORD[:-1] + b',"z":"\xff"}'),
    "an overlong name": answer(b'{"id_number\xc0\xaf":"' + SECRET + b'"}'),
    "half a surrogate": answer(b'{"id_number":"\\ud800' + SECRET + b'"}'),
    "half a surrogate as name": answer(b'{"\\ud800id_number":"' + SECRET + b'"}'),
    "NaN": answer(b'{"id_number":NaN,"x":"' + SECRET + b'"}'),
    "a leading zero": answer(b'{"id_number":0' + SECRET + b"}"),
    "5 000 levels": answer(b"[" * 5000 + RECORD + b"]" * 5000),
    "HTML": answer(b"<html>" + RECORD, kind=b"text/html"),
    "UTF-8 that says GBK": answer('{"证件":"'.encode() + SECRET + b'"}', kind=b"application/json; charset=gbk"),
    "cut by its length": b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n" + RECORD,
}
MALFORMED = {
    "length and coding": answer(RECORD, b"Transfer-Encoding: chunked"),
    "two lengths": answer(RECORD, b"Content-Length: 2"),
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + RECORD,
    "switched protocols": b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n" + RECORD,
    "50 interim answers": b"HTTP/1.1 103 E\r\n\r\n" * 50 + answer(RECORD),
    "status 600": answer(RECORD, status=b"600 X"),
    "folded line": answer(RECORD, b"Warning: a\r\n b"),
    "NUL in a field": answer(RECORD, b"Warning: a\0b"),
    "CR in a field": answer(RECORD, b"Warning: a\rb"),
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
    "ICY": b"ICY 200 OK\r\n\r\n" + RECORD,
    "HTTP/2": b"HTTP/2 200\r\n\r\n" + RECORD,
    "300 fields": answer(RECORD, *[b"X-%d: a" % n for n in range(300)]),
    "100 kB of head": answer(RECORD, b"X-A: " + b"a" * 100_000),
    "a broken chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", WITHHELD)
def test_what_cannot_be_inspected_is_withheld(stage: Stage, name: str) -> None:
    stage.service.answer = WITHHELD[name]
    reply = stage.ask()
    assert (reply.status, reply.reason, tells(reply)) == (502, "cannot_inspect", [])


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        (answer(b"%PDF-" + RECORD, kind=b"application/pdf"), "application/pdf"),
        (answer(b"%PDF-" + RECORD, kind=b"text/x-" + SECRET), "not JSON"),
        (answer(b'{"' + SECRET + b'": ' + SECRET + b"," + RECORD), "not JSON"),
        (answer(b'<?xml version="1.0"?><a ' + SECRET + b"><" + PERSON, kind=b"application/xml"), "not XML"),
        (answer(b"\x1f\x8b" + RECORD, b"Content-Encoding: gzip"), "content coding"),
        (b"HTTP/1.1 200 " + SECRET + b"\r\n" + PERSON + b"\r\n\r\n" + RECORD, ""),
    ],
    ids=["pdf", "media type", "JSON", "XML", "gzip", "head"],
)
def test_the_record_says_why_and_holds_nothing_of_the_answer(stage: Stage, said: bytes, detail: str) -> None:
    stage.service.answer = said
    reply = stage.ask()
    assert reply.status == 502
    decision = re.search(rb"x-gateway-decision: (\S+)", reply.head, re.IGNORECASE)
    assert decision is not None
    (told,) = until(lambda: [one for one in stage.gateway.entries() if one.get("verdict") == decision[1].decode()])
    assert detail in told["detail"]
    assert tells(Reply(0, "", b"", json.dumps(told, ensure_ascii=False).encode())) == []


@pytest.mark.parametrize("path", ["/evil/x", "/open/x"])
@pytest.mark.parametrize("name", MALFORMED)
def test_an_answer_with_two_readings_is_no_answer(stage: Stage, name: str, path: str) -> None:
    stage.service.answer = MALFORMED[name]
    started = time.monotonic()
    reply = stage.ask(path)
    assert (reply.status, reply.reason, tells(reply)) == (502, "upstream_malformed", [])
    assert time.monotonic() - started < 2
    stage.service.answer = PLAIN
    assert stage.ask(path).body == b"{}"  # the connection was not used again


MASKED = {
    "plain": answer(RECORD),
    "called text": answer(RECORD, kind=b"text/plain"),
    "called HTML": answer(RECORD, kind=b"text/html; charset=utf-8"),
    "called nothing": answer(RECORD, kind=None),
    "an error": answer(RECORD, status=b"500 Error", kind=b"application/problem+json"),
    "not found": answer(RECORD, status=b"404 Not Found"),
    "status 299": answer(RECORD, status=b"299 " + SECRET),
    "byte order mark": answer(b"\xef\xbb\xbf" + RECORD),
    "white space": answer(b" \n\t\r" + RECORD),
    "GBK": answer(RECORD.decode().encode("gbk"), kind=b"application/json; charset=gbk"),
    "gzip": answer(gzip.compress(RECORD), b"Content-Encoding: gzip"),
    "deflate": answer(zlib.compress(RECORD), b"Content-Encoding: deflate"),
    "raw deflate": answer(RAW_DEFLATE, b"Content-Encoding: deflate"),
    "brotli": answer(brotli.compress(RECORD), b"Content-Encoding: br"),
    "zstd": answer(zstandard.compress(RECORD), b"Content-Encoding: zstd"),
    "single bytes": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(RECORD),
    "trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + chunks(RECORD, 9)[:-2]
    + b"X-A: "
    + SECRET
    + b"\r\n\r\n",
    "interim answers": b"HTTP/1.1 103 Early Hints\r\nLink: </" + SECRET + b">\r\n\r\n" + answer(RECORD),
    "a name twice": answer(b'{"id_number":"' + SECRET + b'","id_number":"1"}'),
    "a name twice, the secret last": answer(b'{"id_number":"1","id\\u005fnumber":"' + SECRET + b'"}'),
    "an escaped name": answer(b'{"id\\u005fnumber":"' + SECRET + b'"}'),
    "an escaped value": answer(b'{"id_number":"\\u0033\\u0033' + SECRET[2:] + b'"}'),
    "padded": answer(b'{"name":"' + PERSON[:3] + b"\\u3000" * 30 + b'","id_number":"' + SECRET + b" " * 30 + b'"}'),
    "JSON written as a text once more": answer(json.dumps(RECORD.decode()).encode()),
    "another case": answer(b'{"ID_NUMBER":"' + SECRET + b'","Id_Number":"' + SECRET + b'"}'),
    "unseen letters in a name": answer(
        '{"id_number\u200b":"'.encode() + SECRET + b'","id_number\\u0000":"' + SECRET + b'"}'
    ),
    "the secret as a name": answer(b'{"' + SECRET + b'":1,"name":{"' + SECRET + b'":{"' + PERSON + b'":1}}}'),
    "a number": answer(b'{"id_number":' + SECRET + b',"name":' + SECRET + b"}"),
    "a number with an exponent": answer(b'{"id_number":3.30106199003072319e17}'),
    "an object for a text": answer(b'{"id_number":{"v":"' + SECRET + b'"}}'),
    "arrays in arrays": answer(b'[[[{"id_number":["' + SECRET + b'",[["' + SECRET + b'"]]]}]]]'),
    "single digits": answer(json.dumps({"id_number": list(ID), "name": [int(c) for c in ID]}).encode()),
    "JSON in a text": answer(json.dumps({"data": RECORD.decode(), "name": RECORD.decode()}).encode()),
    "a lone text": answer(b'"' + SECRET + b'"'),
    "a lone number": answer(SECRET),
    "90 levels": answer(b"[" * 90 + RECORD + b"]" * 90),
}


@pytest.mark.parametrize("name", MASKED)
def test_what_is_shown_is_masked_whatever_it_is_wrapped_in(stage: Stage, name: str) -> None:
    stage.service.answer = MASKED[name]
    reply = stage.ask()
    assert (reply.reason, tells(reply)) == ("", [])
    assert b"content-type: application/" in reply.head
    json.loads(reply.body)


FORMS = {
    "NDJSON": answer(b"\xef\xbb\xbf" + RECORD + b"\n" + RECORD, kind=b"application/x-ndjson"),
    "JSON sequence": answer(b"\x1e" + RECORD + b"\n", kind=b"application/json-seq"),
    "a table": answer(f"name,id_number,note\n{NAME},{ID},{ID}\n".encode(), kind=b"text/csv"),
    "a table in GBK": answer(f"name,id_number\n{NAME},{ID}\n".encode("gbk"), kind=b"text/csv; charset=gbk"),
    "markup": answer(MARKUP.encode("gbk"), kind=b"application/xml"),
    "markup in pieces": answer(
        f"<a><id_number>{ID[:9]}<b/>{ID[9:]}</id_number><name><![CDATA[{NAME}]]></name></a>".encode(), kind=b"text/xml"
    ),
    "a form": answer(f"name={NAME}&id%5Fnumber={ID}&id_number={ID}&note={ID}".encode(), kind=FORM),
    "events": answer(b": " + SECRET + b"\ndata: " + RECORD + b"\nid: " + SECRET + b"\n\n", kind=b"text/event-stream"),
    "events that are texts": answer(b"data: {}\n\ndata: " + PERSON + b"\n\n", kind=b"text/event-stream"),
}


@pytest.mark.parametrize("name", FORMS)
def test_no_form_tells_what_another_hides(stage: Stage, name: str) -> None:
    stage.service.answer = FORMS[name]
    reply = stage.ask()
    assert (reply.status, reply.reason, tells(reply)) == (200, "", [])
    assert reply.body


TELLING = [
    b"Location: /evil/" + SECRET, b"Location: /evil/330.106.1990.0307.2319", b"Location: /evil/x?n=%E7%8E%8B", b"Location: http://127.0.0.1:9/x",
    b"Content-Location: /evil/" + SECRET, b"Link: </evil/" + SECRET + b">; rel=x", b"Content-Disposition: attachment; filename=" + SECRET,
    b"Content-Disposition: attachment; filename=xiaoming", b'Warning: 199 - "xiaoming"', b"Content-Language: " + SECRET, b"Retry-After: " + SECRET,
    b"Allow: X" + SECRET, b"Sunset: " + SECRET, b"Deprecation: @" + SECRET, b"Set-Cookie: a=" + SECRET, b"Server: " + SECRET, b"Date: " + SECRET, b"Via: " + SECRET,
    b"X-Accel-Redirect: /" + SECRET, b"X-Sendfile: /" + SECRET, b"X-Debug: " + SECRET, b"Server-Timing: a;desc=" + SECRET, b"WWW-Authenticate: Basic realm=" + SECRET,
    b'ETag: "' + SECRET + b'"', b"Last-Modified: " + SECRET, b"Content-MD5: " + base64.b64encode(SECRET), b"Expires: " + SECRET, b"Vary: " + SECRET,
    b"Access-Control-Allow-Origin: *", b"X-Gateway-Decision: " + SECRET, b"X-Request-Id: " + SECRET, b"Refresh: 0; url=/" + SECRET,
]  # fmt: skip


@pytest.mark.parametrize("field", TELLING, ids=[repr(field[:40]) for field in TELLING])
@pytest.mark.parametrize("status", [b"200 OK", b"302 Found", b"304 Not Modified"])
def test_no_header_of_the_service_tells_what_the_body_hides(stage: Stage, field: bytes, status: bytes) -> None:
    body = b"" if status.startswith(b"304") else ASCII
    stage.service.answer = answer(body, field, status=status)
    reply = stage.ask()
    assert tells(reply) == []
    for secret in (b"xiaoming", b"127.0.0.1:9", b"allow-origin"):
        assert secret not in reply.head.lower()


FOREIGN = json.dumps({"id_number": ID, "district": "nb"}).encode()
NONE_THERE = {
    "a record of others": answer(FOREIGN, b"X-Total-Count: 1"),
    "a record of others, packed": answer(gzip.compress(FOREIGN), b"Content-Encoding: gzip"),
    "none": answer(b'{"error":"no such person"}', status=b"404 Not Found"),
    "none, as a page": answer(b"<h1>Not Found</h1>", kind=b"text/html", status=b"404 Not Found"),
    "none any more": answer(b"", status=b"410 Gone", kind=None),
    "somebody else's": answer(b"{}", status=b"403 Forbidden"),
    "nothing": answer(b"", status=b"204 No Content", kind=None),
}


def test_nobody_learns_whether_a_record_of_others_is_there(stage: Stage) -> None:
    stage.service.answer = answer(FOREIGN.replace(b"nb", b"hz"))
    assert stage.ask("/own/1").status == 200
    for method in ("GET", "HEAD"):
        heard = set()
        for said in NONE_THERE.values():
            stage.service.answer = said if method == "GET" else said.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            reply = stage.ask("/own/1", method=method)
            assert (reply.status, tells(reply)) == (404, [])
            names = tuple(line.partition(b":")[0] for line in reply.head.split(b"\r\n"))
            heard.add((names, re.sub(rb'"[a-z]+_id":"[^"]*"', b"", reply.body)))
        assert len(heard) == 1


def test_a_content_type_carries_nothing(stage: Stage) -> None:
    stage.service.answer = answer(RECORD, kind=b"application/json; name=" + SECRET)
    reply = stage.ask()
    assert (reply.status, tells(reply)) == (200, [])


@pytest.mark.parametrize("status", [b"204 No Content", b"205 Reset Content", b"304 Not Modified"])
@pytest.mark.parametrize("path", ["/evil/x", "/open/x"])
def test_a_body_where_none_may_be_reaches_nobody(stage: Stage, status: bytes, path: str) -> None:
    stage.service.answer = answer(RECORD, status=status)
    assert path == "/open/x" or tells(stage.ask(path)) == []
    assert b"id_number" not in stage.ask(path).body or status.startswith(b"205")
    stage.service.answer = PLAIN
    assert stage.ask(path).body == b"{}"


def test_head_tells_no_more_than_get(stage: Stage) -> None:
    stage.service.answer = answer(RECORD, b'ETag: "' + SECRET + b'"', b"Location: /" + SECRET)
    reply = stage.ask(method="HEAD")
    assert (reply.status, reply.body, tells(reply), b"content-length" in reply.head) == (200, b"", [], False)


def test_conditions_and_ranges_do_not_reach_an_inspected_service(stage: Stage) -> None:
    fields = [
        b"Range: bytes=3-9",
        b'If-Range: "x"',
        b'If-None-Match: "x"',
        b"If-Modified-Since: x",
        b'If-Match: "guess", "guess"',  # which of them is the digest of what is hidden?
        b"If-Unmodified-Since: x",
        b"Accept-Encoding: br",
    ]
    for method in ("GET", "HEAD"):
        assert stage.ask("/evil/x", *fields, method=method).status == 200
        for field in fields[:-1]:
            assert stage.service.heads(field.partition(b":")[0].lower()) == []
        assert stage.service.heads(b"accept-encoding") == [b"accept-encoding: identity"]


def test_a_writing_keeps_what_it_makes_its_condition(stage: Stage) -> None:
    """Without it, it would overwrite what somebody else wrote meanwhile."""
    assert stage.ask("/evil/x", b'If-Match: "v1"', b"Content-Length: 2", method="PUT", body=b"{}").status == 200
    assert stage.service.heads(b"if-match") == [b'if-match: "v1"']


BOMBS = {
    "gzip": answer(gzip.compress(bytes(100_000_000), 1), b"Content-Encoding: gzip"),
    "brotli": answer(brotli.compress(b" " * 50_000_000, quality=1), b"Content-Encoding: br"),
    "zstd": answer(zstandard.compress(bytes(100_000_000)), b"Content-Encoding: zstd"),
    "nine megabytes": answer(b"[" + b" " * 9_000_000 + b"]"),
    "many values": answer(b"[" + b"1," * 600_000 + b"1]"),
    "many brackets": answer(b"[" + b",".join([b"[" * 90 + b"]" * 90] * 20_000) + b"]"),
    "many members": answer(b"{" + b",".join(b'"k%d":1' % n for n in range(200_000)) + b"}"),
    "a Link of brackets": answer(b"{}", b"Link: " + b"<" * 60_000),
    "a Location of slashes": answer(b"{}", b"Location: " + b"/" * 60_000),
    "digits in a header": answer(b"{}", b"Link: </" + b"1 " * 28_000 + b">"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_no_answer_costs_more_than_a_moment(stage: Stage, name: str) -> None:
    stage.service.answer = BOMBS[name]
    for path in ("/evil/x", "/open/x") if len(BOMBS[name]) < 100_000 else ("/evil/x",):
        started = time.monotonic()
        reply = stage.ask(path)
        assert reply.status in (200, 502)
        assert time.monotonic() - started < 2.5
    resident = max(memory(pid) for pid in stage.gateway.workers())
    assert resident < 400  # MiB


def memory(pid: int) -> int:
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) // 1024 for line in file if line.startswith("VmRSS"))


def test_a_second_answer_reaches_nobody(stage: Stage) -> None:
    stage.service.answer = PLAIN + answer(b'{"total":1,"poison":"POISON"}')
    for path in ("/evil/x", "/open/x"):
        assert [stage.ask(path).body for _ in range(6)] == [b"{}"] * 6
    before = len(stage.service.got)
    stage.service.answer = PLAIN
    assert [stage.ask("/open/x").body for _ in range(3)] == [b"{}"] * 3
    assert len(stage.service.got) == before + 3


def test_an_answer_before_the_question_is_complete_is_not_kept(stage: Stage) -> None:
    def early(connection: socket.socket) -> None:
        connection.sendall(answer(b'{"total":0}', status=b"413 Too Large"))

    stage.service.answer = early
    assert stage.ask("/open/x", b"Content-Length: 200000", method="POST", body=b"a" * 200_000).status == 413
    stage.service.answer = PLAIN
    assert stage.ask("/open/x").body == b"{}"


@pytest.mark.parametrize(("method", "times"), [("POST", 1), ("GET", 2), ("PUT", 2)])
def test_only_what_may_be_repeated_is_sent_again(stage: Stage, method: str, times: int) -> None:
    """On a connection that was used before and dies without a byte of answer."""
    assert stage.ask().status == 200
    stage.service.answer = lambda connection: connection.shutdown(socket.SHUT_RDWR)
    before = len(stage.service.got)
    fields = () if method == "GET" else (b"Content-Length: 1",)
    reply = stage.ask("/evil/x", *fields, method=method, body=b"x"[: len(fields)])
    assert (reply.status, reply.reason, len(stage.service.got) - before) == (502, "upstream_reset", times)


@pytest.mark.parametrize(
    "cut",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"a" * 70_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
)
def test_a_reply_that_breaks_off_never_looks_complete(stage: Stage, cut: bytes) -> None:
    stage.service.answer, stage.service.hangs_up = cut, True
    reply = stage.ask("/open/x")
    whole = reply.body.endswith(b"0\r\n\r\n") or b"content-length: %d" % len(reply.body) in reply.head
    assert not whole or reply.status == 502
    assert stage.ask("/evil/x").reason == "upstream_reset"
