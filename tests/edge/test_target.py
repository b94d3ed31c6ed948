"""Abuse: a path that means one thing to the policy and another to the service."""

import re
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.target import canonical, query_is_plain

GOOD = [
    "/",
    "/a",
    "/a/",
    "/civil/households/42",
    "/a-b._~/c!$&'()*+,=:@d",
    "/%E6%88%B7%E7%B1%8D",  # 户籍
    "/a%20b",
    "/100%25",
    "/...",
    "/.well-known/oauth-protected-resource",
    "/C%23",
    "/a%2Bb",
]

BAD = {
    "empty": "",
    "no slash": "foo",
    "authority (PYSEC-2026-248)": "@evil.example/x",
    "asterisk": "*",
    "absolute": "http://a/b",
    "empty segment": "/a//b",
    "leading empty segment": "//a",
    "trailing empty segment": "/a//",
    "dot": "/a/./b",
    "last dot": "/a/.",
    "dot dot (CVE-2026-33494)": "/public/../admin/secrets",
    "last dot dot": "/a/..",
    "only dot dot": "/..",
    "dot dot and slash": "/../",
    "parameter (CVE-2026-73551)": "/user/..;foo=bar/admin",
    "plain parameter": "/user;v=1/admin",
    "escaped parameter": "/user%3Bv=1",
    "escaped slash (CVE-2021-29492)": "/info%2F..%2Fadmin",
    "escaped slash, lower case": "/info%2fadmin",
    "backslash": "/a\\b",
    "escaped backslash": "/a%5Cb",
    "escaped backslash, lower case": "/a%5cb",
    "escaped dots": "/a/%2E%2E/b",
    "escaped dots, lower case": "/a/%2e%2e/b",
    "half escaped dots": "/a/.%2e/b",
    "twice escaped dots": "/a/%252e%252e/b",
    "twice escaped slash": "/a%252Fb",
    "fragment (CVE-2021-32779)": "/admin#x",
    "fragment alone": "/#/../admin",
    "escaped letter (CVE-2026-40912)": "/api/%73ecret",
    "escaped tilde": "/%7Euser",
    "lower-case escape": "/a%c3%a4",
    "cut escape": "/a%",
    "cut escape, one digit": "/a%4",
    "no escape": "/a%zz",
    "unicode escape": "/a%u002e",
    "NUL": "/a%00b",
    "line end": "/a%0D%0Ab",
    "escape character": "/a%1B",
    "delete": "/a%7F",
    "overlong slash": "/a%C0%AFb",
    "overlong dot": "/%C0%AE%C0%AE/a",
    "surrogate": "/%ED%A0%80",
    "GBK": "/%BB%A7%BC%AE",
    "cut UTF-8": "/%E6%88",
    "decomposed": "/e%CC%81",
    "C1 control": "/%C2%85",
    "direction override": "/%E2%80%AEcod",
    "zero width space": "/a%E2%80%8Bb",
    "line separator": "/a%E2%80%A8b",
    "byte order mark": "/%EF%BB%BFa",
    "fullwidth dots": "/%EF%BC%8E%EF%BC%8E/a",
    "fullwidth slash": "/a%EF%BC%8Fb",
    "fullwidth backslash": "/a%EF%BC%BCb",
    "two dot leader": "/%E2%80%A5/a",
    "blank": "/a b",
    "tab": "/a\tb",
    "raw NUL": "/a\0b",
    "raw UTF-8": "/户籍",
    "quote": '/a"b',
    "angle": "/a<b",
    "brace": "/{id}",
    "bar": "/a|b",
    "caret": "/a^b",
    "bracket": "/a[b]",
    "question mark": "/a?b",
    "line end at the end": "/a\n",
}


@pytest.mark.parametrize("path", GOOD)
def test_a_canonical_path_is_taken_as_it_stands(path: str) -> None:
    assert canonical(path.encode()) == path


@pytest.mark.parametrize("name", BAD)
def test_any_other_path_is_refused(name: str) -> None:
    assert canonical(BAD[name].encode()) is None


_pieces = st.sampled_from(
    [
        "/",
        "a",
        "B",
        "7",
        ".",
        "..",
        "%2F",
        "%2f",
        "%5C",
        "%00",
        "%20",
        "%25",
        "41",
        "%E6",
        "%88",
        "%B7",
        "%c3",
        ";",
        "\\",
        "#",
        "?",
        "~",
        "-",
        "%7E",
        "%2E",
        "%252e",
        "=",
        "@",
        ":",
        "ä",
        "%C3%A4",
        "%EF%BC%8E",
        "//",
        "%",
    ]
)
paths = st.lists(_pieces, max_size=12).map(lambda pieces: "/" + "".join(pieces))


def segments(path: str) -> list[bytes]:
    """The segments as a service sees them that decodes after it splits."""
    return [unquote_to_bytes(segment) for segment in path.split("/")]


@given(paths)
def test_what_is_accepted_means_the_same_to_every_reader(path: str) -> None:
    found = canonical(path.encode())
    if found is None:
        return
    assert found == path  # a fixed point: nothing was normalised
    decoded = unquote_to_bytes(path)
    assert decoded.split(b"/") == segments(path)  # decoding before or after the split: the same list
    assert unquote_to_bytes(decoded).count(b"/") == decoded.count(b"/")  # even for one who decodes twice
    assert not {b".", b".."} & set(segments(path))
    assert b"" not in segments(path)[1:-1]
    text = decoded.decode("utf-8")
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\\;]", text)


@given(st.text(min_size=1, max_size=8))
def test_a_name_has_at_most_one_accepted_spelling(name: str) -> None:
    raw = name.encode("utf-8", "surrogatepass")
    every = "/" + "".join(f"%{byte:02X}" for byte in raw)
    unreserved = re.compile(r"%(4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9A]|3[0-9]|2D|2E|5F|7E)")
    minimal = unreserved.sub(lambda found: chr(int(found[1], 16)), every)
    spellings = {every, minimal, every.lower(), minimal.replace("%", "%25")}
    accepted = [spelling for spelling in spellings if canonical(spelling.encode()) is not None]
    same = [spelling for spelling in accepted if unquote_to_bytes(spelling[1:]) == raw]
    assert len(same) <= 1


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail(raw: bytes) -> None:
    found = canonical(raw)
    assert found is None or found.encode() == raw


def test_a_long_hostile_path_takes_no_time() -> None:
    for raw in (b"/" + b"a" * 8000 + b"\\", b"/a" * 4000 + b"\\", b"/%41" * 2000, b"/%20" * 2000 + b"%"):
        assert canonical(raw) is None


@pytest.mark.parametrize(
    ("query", "plain"),
    [
        (b"a=1&b=%20", True),
        (b'filter[name]=x|y&q={"a":1}', True),
        (b"/healthz?", True),
        (b"a#b", False),
        (b"a b", False),
        (b"a\x00", False),
        (b"a\r\nb", False),
        ("a=户".encode(), False),
        (b"\x7f", False),
    ],
)
def test_a_query_is_printable_text(query: bytes, plain: bool) -> None:
    assert query_is_plain(query) is plain
