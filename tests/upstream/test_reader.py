import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.upstream.reader import FRAMING_MAX, HEAD_MAX, INTERIM_MAX, Malformed, ResponseReader

OK = b"HTTP/1.1 200 OK\r\n"


def read(data: bytes, method: str = "GET") -> ResponseReader:
    reader = ResponseReader(method)
    reader.feed(data)
    return reader


def test_an_answer_with_a_length_is_read_to_its_end():
    reader = read(OK + b"Content-Type: text/plain\r\nX-A:  b \t\r\nContent-Length: 2\r\n\r\nhi")
    assert (reader.status, reader.length, reader.complete, reader.reusable) == (200, 2, True, True)
    assert reader.take() == b"hi"
    assert reader.fields == [(b"content-type", b"text/plain"), (b"x-a", b"b"), (b"content-length", b"2")]


def test_a_chunked_answer_is_read_to_its_end():
    reader = read(OK + b"transfer-encoding: Chunked\r\n\r\n2\r\nhi\r\n3;ext=1\r\n yo\r\n0\r\n\r\n")
    assert (reader.complete, reader.reusable, reader.length) == (True, True, None)
    assert reader.take() == b"hi yo"


def test_without_any_length_the_end_of_the_connection_is_the_end():
    reader = read(OK + b"\r\nhello")
    assert (reader.headed, reader.complete) == (True, False)
    assert reader.finish()
    assert (reader.complete, reader.reusable, reader.take()) == (True, False, b"hello")


def test_a_coded_body_passes_byte_for_byte():
    body = gzip.compress(b"x" * 1000)
    reader = read(OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    assert reader.take() == body


@pytest.mark.parametrize("cut", [b"", b"HT", OK, OK + b"a: b\r\n\r"])
def test_an_end_before_the_body_is_complete_is_no_end(cut):
    assert not read(cut).finish()
    assert not read(OK + b"content-length: 3\r\n\r\nhi").finish()
    assert not read(OK + b"transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n").finish()


MALFORMED = {
    "both framings": OK + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "both framings turned": OK + b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n0\r\n\r\n",
    "two lengths": OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\nhi",
    "the same length twice": OK + b"content-length: 2\r\ncontent-length: 2\r\n\r\nhi",
    "a list of lengths": OK + b"content-length: 2, 2\r\n\r\nhi",
    "a signed length": OK + b"content-length: +2\r\n\r\nhi",
    "a negative length": OK + b"content-length: -2\r\n\r\nhi",
    "a hex length": OK + b"content-length: 0x2\r\n\r\nhi",
    "no length": OK + b"content-length:\r\n\r\nhi",
    "a length beyond 64 bits": OK + b"content-length: 18446744073709551621\r\n\r\nhi",
    "a length of 16 digits": OK + b"content-length: 0000000000000002\r\n\r\nhi",
    "gzip coding": OK + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": OK + b"transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "two codings": OK + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "identity coding": OK + b"transfer-encoding: identity\r\n\r\nhi",
    "unknown coding": OK + b"transfer-encoding: xchunked\r\n\r\nhi",
    "chunked on 1.0": b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "obs-fold": OK + b"a: b\r\n c\r\ncontent-length: 0\r\n\r\n",
    "fold first": OK + b" a: b\r\ncontent-length: 0\r\n\r\n",
    "bare LF": OK + b"a: b\ncontent-length: 0\r\n\r\n",
    "bare CR": OK + b"a: b\rc: d\r\ncontent-length: 0\r\n\r\n",
    "NUL in a value": OK + b"a: b\0c\r\ncontent-length: 0\r\n\r\n",
    "control in a value": OK + b"a: \x01\r\ncontent-length: 0\r\n\r\n",
    "space before the colon": OK + b"content-length : 0\r\n\r\n",
    "no name": OK + b": b\r\n\r\n",
    "no colon": OK + b"abc\r\n\r\n",
    "HTTP/0.9": b"<html>hello</html>",
    "HTTP/2": b"HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\ncontent-length: 0\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a blank line first": b"\r\n" + OK + b"content-length: 0\r\n\r\n",
    "status 99": b"HTTP/1.1 99 X\r\n\r\n",
    "status 099": b"HTTP/1.1 099 X\r\ncontent-length: 0\r\n\r\n",
    "status 600": b"HTTP/1.1 600 X\r\ncontent-length: 0\r\n\r\n",
    "status 1000": b"HTTP/1.1 1000 X\r\n\r\n",
    "101 with upgrade": b"HTTP/1.1 101 S\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\nxx",
    "bare 101": b"HTTP/1.1 101 S\r\n\r\n",
    "chunk size with a sign": OK + b"transfer-encoding: chunked\r\n\r\n-2\r\nhi\r\n0\r\n\r\n",
    "chunk size with 0x": OK + b"transfer-encoding: chunked\r\n\r\n0x2\r\nhi\r\n0\r\n\r\n",
    "chunk size beyond 64 bits": OK + b"transfer-encoding: chunked\r\n\r\n1FFFFFFFFFFFFFFFF\r\nhi\r\n0\r\n\r\n",
    "chunk end unmarked (CVE-2025-43859)": OK + b"transfer-encoding: chunked\r\n\r\n2\r\nhiXX0\r\n\r\n",
    "LF after chunk size": OK + b"transfer-encoding: chunked\r\n\r\n2\nhi\r\n0\r\n\r\n",
    "LF in chunk extension": OK + b"transfer-encoding: chunked\r\n\r\n2;a\nb\r\nhi\r\n0\r\n\r\n",
    "length among trailers": OK + b"transfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 5\r\n\r\n",
    "endless head": OK + b"a: " + b"x" * HEAD_MAX,
    "head of 2 MB": OK + b"a: " + b"x" * 2_000_000 + b"\r\ncontent-length: 0\r\n\r\n",
    "1,000 fields": OK + b"a: b\r\n" * 1000 + b"\r\n",
    "1xx flood": b"HTTP/1.1 100 Continue\r\n\r\n" * (INTERIM_MAX + 1) + OK + b"content-length: 0\r\n\r\n",
    "endless chunk extension": OK + b"transfer-encoding: chunked\r\n\r\n2;" + b"x" * (FRAMING_MAX + 1),
    "endless trailers": OK + b"transfer-encoding: chunked\r\n\r\n0\r\n" + b"x: y\r\n" * FRAMING_MAX,
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_an_ambiguous_answer_is_malformed(data):
    with pytest.raises(Malformed):
        read(data)


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_and_stays_malformed_in_small_pieces(data):
    reader = ResponseReader("GET")
    step = 7 if len(data) < 10_000 else 1021
    with pytest.raises(Malformed):
        for start in range(0, len(data), step):
            reader.feed(data[start : start + step])


UNCLEAN = {
    "bytes after a length": (OK + b"content-length: 2\r\n\r\nhiX", "GET", b"hi"),
    "a blank line after a length": (OK + b"content-length: 2\r\n\r\nhi\r\n", "GET", b"hi"),
    "a second answer": (OK + b"content-length: 2\r\n\r\nhi" + OK + b"content-length: 0\r\n\r\n", "GET", b"hi"),
    "bytes after chunks": (OK + b"transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nX", "GET", b"hi"),
    "a blank line after chunks": (OK + b"transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n\r\n", "GET", b"hi"),
    "a second answer after chunks": (
        OK + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n" + OK + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET",
        b"",
    ),
    "a second answer with a body after chunks": (
        OK
        + b"transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
        + OK
        + b"transfer-encoding: chunked\r\n\r\n4\r\nmine\r\n0\r\n\r\n",
        "GET",
        b"hi",
    ),
    "a third with a length after it": (
        OK + b"transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n" + 2 * (OK + b"content-length: 4\r\n\r\nmine"),
        "GET",
        b"hi",
    ),
    "connection: close": (OK + b"connection: close\r\ncontent-length: 2\r\n\r\nhi", "GET", b"hi"),
    "close among others": (OK + b"connection: keep-alive, Close\r\ncontent-length: 2\r\n\r\nhi", "GET", b"hi"),
    "http/1.0": (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi", "GET", b"hi"),
    "204 with a length": (b"HTTP/1.1 204 X\r\ncontent-length: 2\r\n\r\n", "GET", b""),
    "204 with chunks": (b"HTTP/1.1 204 X\r\ntransfer-encoding: chunked\r\n\r\n", "GET", b""),
    "204 with a body": (b"HTTP/1.1 204 X\r\n\r\nhi", "GET", b""),
    "304 with a length": (b"HTTP/1.1 304 X\r\ncontent-length: 2\r\n\r\n", "GET", b""),
    "304 with a body": (b"HTTP/1.1 304 X\r\n\r\nHTTP/1.1 200 OK\r\n", "GET", b""),
    "HEAD": (OK + b"content-length: 2\r\n\r\n", "HEAD", b""),
    "HEAD with a body": (OK + b"content-length: 2\r\n\r\nhi", "HEAD", b""),
    "HEAD chunked": (OK + b"transfer-encoding: chunked\r\n\r\n", "HEAD", b""),
}


@pytest.mark.parametrize(("data", "method", "body"), UNCLEAN.values(), ids=UNCLEAN)
def test_an_unclean_answer_is_given_but_its_connection_is_not_used_again(data, method, body):
    reader = read(data, method)
    assert (reader.complete, reader.reusable, reader.take()) == (True, False, body)


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 204 X\r\n\r\n", b"HTTP/1.1 304 X\r\netag: a\r\n\r\n", OK + b"content-length: 0\r\n\r\n"]
)
def test_an_answer_without_a_body_is_complete_with_its_head(data):
    reader = read(data)
    assert (reader.complete, reader.reusable, reader.take()) == (True, True, b"")


def test_http_1_0_may_ask_to_be_kept():
    assert read(b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n").reusable


def test_interim_answers_are_read_over():
    reader = read(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 3 + OK + b"content-length: 0\r\n\r\n")
    assert (reader.status, reader.fields) == (200, [(b"content-length", b"0")])


def test_an_interim_answer_alone_is_not_an_answer():
    assert not read(b"HTTP/1.1 100 Continue\r\n\r\n").headed


def test_trailers_are_not_headers():
    reader = read(OK + b"transfer-encoding: chunked\r\n\r\n0\r\nset-cookie: a=b\r\n\r\n")
    assert reader.fields == [(b"transfer-encoding", b"chunked")]
    assert reader.complete


def test_what_the_service_declares_hop_by_hop_is_taken_out():
    reader = read(OK + b"connection: x-private\r\nx-private: 1\r\ncontent-length: 0\r\n\r\n")
    assert reader.fields == [(b"connection", b"x-private"), (b"content-length", b"0")]


VALID = [
    (OK + b"a: b\r\ncontent-length: 11\r\n\r\nhello world", "GET"),
    (OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n", "GET"),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"content-length: 3\r\n\r\n\r\n\r", "POST"),
    (b"HTTP/1.1 204 No Content\r\ndate: x\r\n\r\n", "DELETE"),
    (OK + b"content-length: 5\r\n\r\n", "HEAD"),
    (OK + b"transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nt: 1\r\n\r\n", "GET"),
]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(VALID), st.data())
def test_however_an_answer_is_cut_into_reads_it_is_the_same_answer(case, data):
    answer, method = case
    cuts = sorted(data.draw(st.sets(st.integers(1, len(answer) - 1))))
    whole, cut = read(answer, method), ResponseReader(method)
    for start, end in zip([0, *cuts], [*cuts, len(answer)], strict=True):
        cut.feed(answer[start:end])
    for name in ("status", "fields", "length", "headed", "complete", "reusable"):
        assert getattr(cut, name) == getattr(whole, name)
    assert cut.take() == whole.take()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([b"HTTP/1.1 ", b"200 ", b"204", b"\r\n", b"\n", b"a: b", b"content-length: 3",
                                 b"transfer-encoding: chunked", b"\r\n\r\n", b"3\r\n", b"abc", b"0\r\n\r\n", b"\0", b":"]),
                max_size=20))  # fmt: skip
def test_no_bytes_do_anything_but_read_or_be_malformed(parts):
    reader = ResponseReader("GET")
    try:
        for part in parts:
            reader.feed(part)
    except Malformed:
        return
    assert not reader.complete or reader.headed
