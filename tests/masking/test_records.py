"""Records of an answer, found and left out."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import DecodeError

from gateway.masking import records
from gateway.masking.records import MAP, NoRecords, at_most, counted, opened, way_of
from gateway.masking.turns import at_once


def texts(body: bytes, path: str = "") -> list[bytes]:
    return [bytes(raw) for raw in opened(body, path).records]


@pytest.mark.parametrize(
    ("body", "records"),
    [
        (b'[{"a":1.10},{"a":2}]', [b'{"a":1.10}', b'{"a":2}']),
        (b'{"total":2,"items":[{"a":1},{"a":2}]}', [b'{"a":1}', b'{"a":2}']),
        (b" \xef\xbb\xbf".strip() + b'{"a":1}', [b'{"a":1}']),
        (b'{"x":[1],"y":[2]}', [b'{"x":[1],"y":[2]}']),
        (b'"text"', [b'"text"']),
        (b"[]", []),
    ],
)
def test_where_nothing_is_declared(body, records):
    assert texts(body) == records


def test_where_the_catalog_says():
    body = b'{"data":{"items":[{"a":1},{"a":2}],"more":[3]}}'
    assert texts(body, "$.data.items") == texts(body, "$.data.items[*]") == [b'{"a":1}', b'{"a":2}']


@pytest.mark.parametrize("body", [b'{"data":[]}', b'{"data":{"items":{}}}', b"[]", b'{"data":null}', b'"x"'])
def test_records_that_are_not_there_are_told(body):
    with pytest.raises(NoRecords):
        opened(body, "$.data.items")


def test_what_is_no_json_is_for_others_to_tell():
    with pytest.raises(DecodeError):
        opened(b'{"a":')


@pytest.mark.parametrize("path", ["$.data.items", ""])
def test_what_is_kept_stays_byte_for_byte(path):
    body = b'{"data":{"items":[{"a":12345678901234567890123},{"b":"\\u0041"},{"c":1.10}],"n":1.0}}'
    found = opened(body, "$.data.items")
    assert found.without(found.records[1:]) == b'{"data":{"items":[{"b":"\\u0041"},{"c":1.10}],"n":1.0}}'
    assert found.without([]) == b'{"data":{"items":[],"n":1.0}}'
    plain = opened(b"[1, 2,3]")
    assert plain.without(plain.records[:2]) == b"[1,2]"


@pytest.mark.parametrize(
    ("path", "way"),
    [("$", ()), ("$[*]", ()), ("$.a.b[*]", ("a", "b")), ("$..a", None), ("$.a[0]", None), ("$[*].a", None)],
)
def test_a_way_is_made_of_names(path, way):
    assert way_of(path) == way


@pytest.mark.parametrize(
    ("body", "most"),
    [
        (b"[{},{},{}]", 3),
        (b'{"data":{"page":{"rows":[{},{}]}}}', 2),
        (b"[[{},{}],[{}]]", 2),
        (b"[1,2,3,4]", 1),
        (b'{"shape":[[[120.1,30.2],[120.1,30.3],[120.2,30.3]]]}', 1),
        (b'[["a",1],["b",2]]', 2),
        (b'{"a":1}', 1),
        (b'{"a":[{"b":[{},{},{},{}]}]}', 4),
        (b'"x"', 1),
    ],
)
def test_no_shape_makes_many_records_into_one(body, most):
    assert at_once(counted(body)) == most


@pytest.mark.parametrize(
    ("body", "most"),
    [
        (b"{%b}" % b",".join(b'"k%d":{"a":1}' % number for number in range(50)), 50),
        (b'{"data":{"n":1,"by":{%b}}}' % b",".join(b'"k%d":{"a":1}' % number for number in range(50)), 50),
        (b"{%b}" % b",".join(b'"part%d":{"a":1}' % number for number in range(MAP - 1)), 1),
    ],
)
def test_a_map_of_records_is_a_list_by_another_name(body, most):
    assert at_once(counted(body)) == most


NESTED = st.recursive(
    st.none() | st.integers(0, 9) | st.text('a[{"\\', max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=4),
    max_leaves=40,
)


@given(NESTED)
def test_both_ways_to_count_agree_and_no_count_is_beyond_the_brackets(value):
    body = json.dumps(value).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "SLICE", 0)  # nothing is short enough to be read at once
        apart = at_once(counted(body))
    assert apart == at_once(counted(body)) <= max(1, at_most(body))
