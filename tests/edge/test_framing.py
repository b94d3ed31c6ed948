"""Abuse: each way to make two readers see two different requests in the same bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge import Limits
from gateway.edge.framing import Chunked, Counted, Head, HeadReader, Malformed

LIMITS = Limits(header_bytes=2048, header_count=10, target_bytes=256)


def head(raw: bytes) -> Head:
    return HeadReader(LIMITS).read(raw)


def fault(raw: bytes) -> str:
    with pytest.raises(Malformed) as caught:
        head(raw)
    return caught.value.code


def request(*lines: bytes, first: bytes = b"GET / HTTP/1.1", host: bytes | None = b"Host: a") -> bytes:
    return b"\r\n".join((first, *((host,) if host else ()), *lines, b"", b""))


def test_a_plain_request_is_read() -> None:
    found = head(request(b"Accept:  text/html \t", b"X-Empty:", first=b"GET /a/b?c=%20 HTTP/1.1"))
    assert (found.method, found.target, found.version) == ("GET", b"/a/b?c=%20", "1.1")
    assert found.headers == [(b"host", b"a"), (b"accept", b"text/html"), (b"x-empty", b"")]
    assert (found.length, found.keep_alive, found.expects) == (0, True, False)


@pytest.mark.parametrize(
    ("lines", "version", "stays"),
    [
        ((), b"1.1", True),
        ((), b"1.0", False),
        ((b"Connection: close",), b"1.1", False),
        ((b"Connection: keep-alive, Close",), b"1.1", False),
        ((b"Connection: keep-alive", b"Connection: close"), b"1.1", False),
        ((b"Connection: x-user",), b"1.1", True),
        ((b"Connection: keep-alive",), b"1.0", True),
        ((b"Connection: close, X-Forwarded-User",), b"1.0", False),
    ],
)
def test_the_connection_stays_when_both_sides_say_so(lines: tuple[bytes, ...], version: bytes, stays: bool) -> None:
    assert head(request(*lines, first=b"GET / HTTP/" + version)).keep_alive is stays


FRAMING = {
    "both lengths": request(b"Content-Length: 5", b"Transfer-Encoding: chunked"),
    "both lengths, other order": request(b"Transfer-Encoding: chunked", b"Content-Length: 5"),
    "coding list": request(b"Transfer-Encoding: gzip, chunked"),
    "coding list with an empty item": request(b"Transfer-Encoding: ,chunked"),
    "coding twice": request(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    "coding split over two fields": request(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
    "identity coding": request(b"Transfer-Encoding: identity"),
    "coding with a vertical tab": request(b"Transfer-Encoding: \x0bchunked"),
    "coding with a parameter": request(b"Transfer-Encoding: chunked;q=1"),
    "quoted coding": request(b'Transfer-Encoding: "chunked"'),
    "coding with a blank before the colon": request(b"Transfer-Encoding : chunked"),
    "coding on 1.0": request(b"Transfer-Encoding: chunked", first=b"POST / HTTP/1.0"),
    "length above 15 digits": request(b"Content-Length: 18446744073709551621"),
    "length of 16 zeros": request(b"Content-Length: 0000000000000005"),
    "length with a sign": request(b"Content-Length: +5"),
    "negative length": request(b"Content-Length: -5"),
    "hexadecimal length": request(b"Content-Length: 0x5"),
    "length list": request(b"Content-Length: 5, 5"),
    "length twice, equal": request(b"Content-Length: 5", b"Content-Length: 5"),
    "length twice, different": request(b"Content-Length: 5", b"Content-Length: 6"),
    "empty length": request(b"Content-Length:"),
    "length with an underscore": request(b"Content-Length: 1_0"),
    "length in other digits": request("Content-Length: ٥".encode()),
    "no host": request(host=None),
    "no host on 1.0": request(first=b"GET / HTTP/1.0", host=None),
    "two hosts": request(b"Host: b"),
    "two equal hosts": request(b"Host: a"),
    "host in another case": request(b"HOST: b"),
    "NUL in a value": request(b"X-A: a\x00b"),
    "NUL in a name": request(b"X\x00A: b"),
    "bare CR in a value": request(b"X-A: a\rX-B: b"),
    "bare LF in a value": request(b"X-A: a\nX-B: b"),
    "CR and LF apart": request(b"X-A: a\rb", b"X-C: c\nd"),
    "escape character": request(b"X-A: \x1b[31m"),
    "delete character": request(b"X-A: \x7f"),
    "folded line": request(b"X-A: a", b" b"),
    "folded line with a tab": request(b"X-A: a", b"\tb"),
    "folded first line": b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "name without colon": request(b"X-A"),
    "empty name": request(b": a"),
    "blank in a name": request(b"X A: b"),
    "non-ASCII name": request(b"X\xe4: b"),
    "blank before the colon": request(b"X-A : b"),
    "no version": request(first=b"GET /"),
    "HTTP/0.9": request(first=b"GET / HTTP/0.9"),
    "HTTP/2.0": request(first=b"GET / HTTP/2.0"),
    "HTTP/1.2": request(first=b"GET / HTTP/1.2"),
    "lower-case protocol": request(first=b"GET / http/1.1"),
    "two blanks in the request line": request(first=b"GET  / HTTP/1.1"),
    "tab in the request line": request(first=b"GET\t/\tHTTP/1.1"),
    "blank in the target": request(first=b"GET /a b HTTP/1.1"),
    "blank after the version": request(first=b"GET / HTTP/1.1 "),
    "lower-case method": request(first=b"get / HTTP/1.1"),
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\n",
    "line end before the request": b"\r\n" + request(),
    "LF only": b"GET / HTTP/1.1\nHost: a\n\r\n\r\n",
}


@pytest.mark.parametrize("name", FRAMING)
def test_what_can_be_read_in_two_ways_is_refused(name: str) -> None:
    assert fault(FRAMING[name]) == "bad_framing"


@pytest.mark.parametrize("byte", [b for b in range(256) if b < 32 or b == 127])
def test_no_control_character_is_read_in_a_value_or_name(byte: int) -> None:
    if byte == 9:  # a tab is white space inside a value
        assert head(request(b"X-A: a\tb")).headers[1] == (b"x-a", b"a\tb")
    else:
        assert fault(request(b"X-A: a" + bytes([byte]) + b"b")) == "bad_framing"
    assert fault(request(b"X" + bytes([byte]) + b"A: b")) == "bad_framing"


TARGETS = [b"http://a/", b"//evil/", b"*", b"a:443", b"foo", b"@evil.example/", b"?x", b"#", b"\\evil"]


@pytest.mark.parametrize("target", [t for t in TARGETS if not t.startswith(b"/")])
@pytest.mark.parametrize("method", [b"GET", b"OPTIONS", b"CONNECT"])
def test_a_target_without_a_path_is_refused(method: bytes, target: bytes) -> None:
    assert fault(request(first=method + b" " + target + b" HTTP/1.1")) == "bad_target"


@pytest.mark.parametrize("method", [b"CONNECT", b"TRACE", b"PROPFIND", b"BREW"])
def test_an_unknown_method_is_not_supported(method: bytes) -> None:
    assert fault(request(first=method + b" / HTTP/1.1")) == "method_not_supported"


def test_any_other_expectation_fails() -> None:
    assert fault(request(b"Expect: 200-maybe")) == "expectation_failed"
    assert head(request(b"Expect: 100-Continue", b"Content-Length: 5")).expects


def test_sizes_are_bounded() -> None:
    assert fault(request(*(b"X: y",) * 10)) == "headers_too_large"
    assert len(head(request(*(b"X: y",) * 9)).headers) == 10
    assert fault(request(first=b"GET /" + b"a" * 256 + b" HTTP/1.1")) == "target_too_long"
    assert head(request(first=b"GET /" + b"a" * 255 + b" HTTP/1.1")).target


def test_an_upgrade_is_not_taken_and_leaves_the_reader_usable() -> None:
    reader = HeadReader(LIMITS)
    upgrade = request(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: x")
    assert reader.read(upgrade).method == "GET"
    assert reader.read(request()).method == "GET"


def test_a_reader_reads_many_heads_also_after_bodies() -> None:
    reader = HeadReader(LIMITS)
    for lines in ((), (b"Content-Length: 5",), (), (b"Transfer-Encoding: chunked",), ()):
        assert reader.read(request(*lines)).version == "1.1"


@pytest.mark.parametrize(
    ("start", "code"),
    [
        (b"\x16\x03\x01\x02\x00", "bad_framing"),
        (b"SSH-2.0-OpenSSH_9.7\r\n", "bad_framing"),
        (b"\r\nGET", "bad_framing"),
        (b"GET /\r\n", "bad_framing"),
        (b"GET / HTTP/1.1\nHost: a\n\n", "bad_framing"),
        (b"GET / HTTP/1.1\r\nHost: a\n", "bad_framing"),
        (b"GET /" + b"a" * 300, "target_too_long"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 2048, "headers_too_large"),
    ],
)
def test_what_can_never_become_a_head_is_refused_before_its_end(start: bytes, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        HeadReader(LIMITS).check_start(start)
    assert caught.value.code == code


def test_a_good_start_is_waited_for() -> None:
    whole = request(b"Accept: */*")
    for end in range(1, len(whole) - 4):
        HeadReader(LIMITS).check_start(whole[:end] if whole[:end][-1:] != b"\r" else whole[: end - 1])


# --- bodies ----------------------------------------------------------------------------------


def unchunk(*parts: bytes, limits: Limits = LIMITS) -> tuple[bytes, bytes | None]:
    body, out = Chunked(limits), b""
    for number, part in enumerate(parts):
        piece, after = body.feed(part)
        out += piece
        if after is not None:
            return out, after + b"".join(parts[number + 1 :])
    return out, None


def test_a_chunked_body_is_read_and_what_follows_is_kept() -> None:
    raw = b"5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\nGET /"
    assert unchunk(raw) == (b"hello world", b"GET /")


@given(st.data())
def test_a_chunked_body_reads_the_same_however_it_is_cut(data: st.DataObject) -> None:
    pieces = data.draw(st.lists(st.binary(min_size=1, max_size=40), max_size=5))
    raw = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nA: b\r\n\r\nnext"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw) - 4), max_size=6)))
    parts = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert unchunk(*parts) == (b"".join(pieces), b"next")


@pytest.mark.parametrize(
    "raw",
    [
        b"5\r\nhelloXX0\r\n\r\n",  # CVE-2025-43859
        b"5\r\nhello\n0\r\n\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"5\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\n\n",
        b"5\r\rhello\r\n0\r\n\r\n",
        b" 5\r\nhello\r\n0\r\n\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"5_\r\nhello\r\n",
        b"\r\nhello",
        b";a\r\n",
        b"fffffffffffff\r\n",
        b"10000000000000005\r\nhello\r\n",
        b"5;a\nb\r\nhello\r\n0\r\n\r\n",  # TERM.EXT
        b"5;a\x00b\r\nhello\r\n0\r\n\r\n",
        b"5\x00\r\nhello\r\n0\r\n\r\n",
        b"0\r\n X: folded\r\n\r\n",
        b"0\r\nX\r\n\r\n",
        b"0\r\nX: a\nY: b\r\n\r\n",
        b"0\r\nX: a\rb\r\n\r\n",
        b"0\r\n: a\r\n\r\n",
        b"0\r\n\n",
    ],
)
def test_a_malformed_chunk_is_refused_however_it_is_cut(raw: bytes) -> None:
    for cut in range(len(raw)):
        with pytest.raises(Malformed):
            unchunk(raw[:cut], raw[cut:])


def test_extensions_and_trailers_are_bounded() -> None:
    with pytest.raises(Malformed):
        unchunk(b"1;" + b"e" * 5000)
    with pytest.raises(Malformed) as caught:
        unchunk(*(b"1;" + b"e" * 1000 + b"\r\nx\r\n",) * 3)
    assert caught.value.code == "headers_too_large"
    with pytest.raises(Malformed) as caught:
        unchunk(b"0\r\n", *(b"T: " + b"t" * 500 + b"\r\n",) * 5)
    assert caught.value.code == "headers_too_large"


@given(st.binary(max_size=60), st.integers(1, 30))
def test_a_counted_body_ends_where_it_was_announced(raw: bytes, length: int) -> None:
    for cut in range(len(raw) + 1):
        body = Counted(length)
        piece, after = body.feed(raw[:cut])
        if after is None:
            more, after = body.feed(raw[cut:])
            piece += more
        else:
            after += raw[cut:]
        assert piece == raw[:length]
        assert after == (raw[length:] if len(raw) >= length else None)
