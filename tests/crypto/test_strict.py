import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.crypto.strict import MAX_DEPTH, NotStrict, read_object

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_what_is_plain_json_reads_as_it_is(value: dict[str, Any]) -> None:
    assert read_object(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=60))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    try:
        assert isinstance(read_object(data), dict)
    except NotStrict as why:
        assert str(why)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"a":1,"a":1}', "twice"),
        (b'{"x":{"a":1,"a":2}}', "twice"),
        (b'{"a":1,"\\u0061":2}', "twice"),  # the same name, escaped
        (b"\xef\xbb\xbf{}", "JSON"),  # byte order mark
        ('{"a":1}'.encode("utf-16"), "JSON"),
        ('{"a":1}'.encode("utf-16-le"), "JSON"),
        ('{"a":1}'.encode("utf-32-be"), "JSON"),
        (b'{"a":"\xff"}', "JSON"),
        (b'{"a":"\xc0\xaf"}', "JSON"),  # overlong slash
        (b'{"a":"\xed\xa0\x80"}', "JSON"),  # a surrogate in UTF-8
        (b'{"a":1e400}', "too large"),
        (b'{"a":-1e400}', "too large"),
        (b'{"a":NaN}', "not JSON"),
        (b'{"a":[Infinity]}', "not JSON"),
        (b'{"a":-Infinity}', "not JSON"),
        (b'{"a":' + b"9" * 5000 + b"}", "JSON"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"\\udfff":1}', "surrogate"),
        (b"[]", "object"),
        (b'"text"', "object"),
        (b"null", "object"),
        (b"", "JSON"),
        (b"{} {}", "JSON"),
        (b"{'a':1}", "JSON"),
        (b'{"a":01}', "JSON"),
        (b'{"a":1,}', "JSON"),
        (b'{"a":"\n"}', "JSON"),
        (b'{"a":1}\x00', "JSON"),
        (b'{"a":' + b"[" * 17 + b"]" * 17 + b"}", "deep"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "deep"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "deep"),
    ],
)
def test_whatever_two_readers_may_see_differently_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(NotStrict, match=why):
        read_object(data)


def test_a_surrogate_pair_is_one_character() -> None:
    assert read_object(b'{"a":"\\ud83d\\ude00"}') == {"a": "\N{GRINNING FACE}"}


def test_nesting_up_to_the_limit_is_read() -> None:
    inside = MAX_DEPTH - 1
    assert read_object(b'{"a":' + b"[" * inside + b"]" * inside + b"}")
