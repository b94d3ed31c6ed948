"""Header fields of an inspected answer: none describes other bytes, none carries what is hidden."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.masking.headers import inspected


@pytest.mark.parametrize(
    "name",
    [
        b"etag",
        b"last-modified",
        b"content-md5",
        b"digest",
        b"content-digest",
        b"repr-digest",
        b"signature",
        b"signature-input",
        b"content-encoding",
        b"content-range",
        b"age",
        b"expires",
        b"transfer-encoding",
    ],
)
def test_what_describes_the_bytes_of_the_service_is_dropped(name: bytes) -> None:
    assert name not in dict(inspected(((name, b"x"),), 5))


def test_the_answer_is_for_one_caller_and_in_one_piece() -> None:
    headers = inspected(((b"cache-control", b"public, max-age=60"), (b"vary", b"*"), (b"accept-ranges", b"bytes")), 5)
    assert sorted(headers) == [
        (b"accept-ranges", b"none"),
        (b"cache-control", b"private, no-store"),
        (b"content-length", b"5"),
        (b"vary", b"Authorization"),
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"location", b"/civil/households/330106199003072319"),
        (b"location", b"/x?phone=138-0013-8000"),
        (b"link", b"</people/13800138000>; rel=self"),
        (b"content-disposition", b"attachment; filename*=UTF-8''%E7%8E%8B.json"),
        (b"content-disposition", "attachment; filename=王.json".encode()),
        (b"x-owner", b"zhang@example.gov"),
        (b"warning", b'299 - "born 19900307"'),
    ],
)
def test_a_field_that_may_carry_an_identifier_is_dropped(name: bytes, value: bytes) -> None:
    assert name not in dict(inspected(((name, value),), 5))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"location", b"/civil/households/h-42"),
        (b"location", b"/x/12345678-1234-1234-1234-123456789012"),
        (b"x-total-count", b"120455"),
        (b"content-type", b"application/json; charset=utf-8"),
        (b"set-cookie", b"s=123456789012; Path=/"),
        (b"retry-after", b"120"),
    ],
)
def test_a_plain_field_stays(name: bytes, value: bytes) -> None:
    assert dict(inspected(((name, value),), 5))[name] == value


names = st.sampled_from([b"etag", b"content-type", b"location", b"x-a", b"vary", b"content-length", b"date"])
fields = st.lists(st.tuples(names, st.binary(max_size=20)), max_size=8).map(tuple)


@given(fields, st.none() | st.integers(0, 10**9))
def test_doing_it_twice_changes_nothing(headers: tuple[tuple[bytes, bytes], ...], length: int | None) -> None:
    once = inspected(headers, length)
    assert inspected(once, length) == once


def test_an_answer_without_a_body_has_no_length() -> None:
    assert b"content-length" not in dict(inspected(((b"content-length", b"9"),), None))
