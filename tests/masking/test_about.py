"""Which records may go: filters and bulks, in whatever shape they come."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts import FieldMask, Mask, RowFilter
from gateway.masking.about import SLICE, Looked, NotFound, TooMany, concerned, look_slowly, looked_into
from gateway.masking.json_body import MAX_VALUES, NotJson
from gateway.masking.records import counted
from gateway.masking.unpack import Withheld
from tests.literals import an_asset

ROWS = (RowFilter("$.district", ("330100", "330200")),)
ASSET = an_asset(key="$..id_number", total="$.total")


def mask(**changes: object) -> Mask:
    return Mask("pii", (FieldMask("$..id_number", "redact"),), "pass", **changes)


def looked(body: bytes, of: Mask, asset=ASSET) -> Looked:
    return looked_into(body, of, asset)


# --- row filters ------------------------------------------------------------------------------------


def test_records_of_others_are_taken_out_and_the_count_is_put_right():
    body = b'{"total":3,"items":[{"district":"330100","n":1.10},{"district":"440100"},{"district":330200}]}'
    found = looked(body, mask(rows=ROWS))
    assert found.body == b'{"total":2,"items":[{"district":"330100","n":1.10},{"district":330200}]}'
    assert found.removed == 1


def test_a_count_of_more_than_the_answer_holds_is_not_told():
    found = looked(b'{"total":900,"items":[{"district":"330100"},{"district":"440100"}]}', mask(rows=ROWS))
    assert found.body == b'{"total":null,"items":[{"district":"330100"}]}'


def test_where_nothing_is_taken_out_nothing_changes_but_white_space_around_records():
    body = b'{"total": 1, "items": [ {"district": "330100"} ]}'
    assert looked(body, mask(rows=ROWS)).body == b'{"total":1,"items":[{"district": "330100"}]}'


def test_a_page_of_which_nothing_is_taken_out_does_not_tell_how_many_there_are_elsewhere():
    found = looked(b'{"total":9,"items":[{"district":"330100"}]}', mask(rows=ROWS))
    assert found.body == b'{"total":null,"items":[{"district":"330100"}]}'
    assert found.removed == 0


@pytest.mark.parametrize("total", [b"0", b"1", b"900"])
@pytest.mark.parametrize("items", [b"[]", b'[{"district":"440100"}]'])
def test_an_answer_of_which_nothing_is_left_looks_like_one_that_was_empty(total, items):
    found = looked(b'{"total": %b, "items": %b }' % (total, items), mask(rows=ROWS))
    assert found.body == b'{"total":0,"items":[]}'


@pytest.mark.parametrize(
    "record",
    [
        b'{"n":1}',
        b'{"district":null}',
        b'{"district":["330100"]}',
        b'{"district":{"x":"330100"}}',
        b'"330100"',
        b"[]",
        b'{"district":"330100 "}',
        b'{"District":"330100"}',
        b'{"district":true}',
        b'{"district":"330100","district":"x"}',
    ],
)
def test_a_record_that_does_not_plainly_say_so_is_not_shown(record):
    assert looked(b"[" + record + b"]", mask(rows=ROWS)).body == b"[]"


def test_a_lone_record_of_another_is_told_as_none():
    with pytest.raises(NotFound) as why:
        looked(b'{"district":"440100"}', mask(rows=ROWS))
    assert why.value.removed == 1
    assert "440100" not in str(why.value)


def test_every_filter_has_to_let_it_through():
    rows = (*ROWS, RowFilter("$.open", ("yes",)))
    assert looked(b'[{"district":"330100","open":"no"}]', mask(rows=rows)).body == b"[]"


@pytest.mark.parametrize("body", [b'{"data":{"items":[]}}', b"<html>", b"", b'{"items":', b"\xff"])
def test_records_that_are_not_where_the_catalog_says_withhold_the_answer(body):
    with pytest.raises(Withheld) as why:
        looked(body, mask(rows=ROWS), an_asset(records="$.data.list"))
    assert "html" not in str(why.value)


# --- bulks ------------------------------------------------------------------------------------------


def test_more_records_than_the_grade_covers_are_withheld_in_any_shape():
    for body in (b"[{},{},{}]", b'{"items":[{},{},{}]}', b'{"a":{"b":[[{},{},{}]]}}', b'{"x":[{}],"y":[{},{},{}]}'):
        with pytest.raises(TooMany):
            looked(body, mask(most=2))


def test_or_shown_through_the_mask_of_the_higher_grade():
    assert looked(b"[{},{},{}]", mask(most=2, beyond=mask())).records == 3
    with pytest.raises(TooMany):
        looked(b"[{},{},{},{}]", mask(most=1, beyond=mask(most=3)))


def test_only_those_count_that_are_left():
    body = b'[{"district":"330100"},{"district":"440100"},{"district":"440100"}]'
    assert looked(body, mask(rows=ROWS, most=1)).body == b'[{"district":"330100"}]'


def test_many_records_have_to_pass_what_is_asked_for_many():
    body = b'[{"district":"330100"},{"district":"330200"}]'
    narrow = mask(rows=(RowFilter("$.district", ("330200",)),))
    assert looked(body, mask(rows=ROWS, most=1, beyond=narrow)).body == b'[{"district":"330200"}]'


# --- whatever shape it comes in -----------------------------------------------------------------------

OTHER = b'{"district":"440100","name":"SECRET"}'
OWN = b'{"district":"330100","name":"own"}'


@pytest.mark.parametrize(
    "body",
    [
        b'{"district":"330100","data":{"rows":[%b]}}',
        b'{"district":"330100","rows":[%b],"more":[]}',
        b'{"district":"330100","name":{"inner":%b}}',
        b'{"items":[{"district":"330100"}],"first":%b}',
        b'{"items":[{"district":"330100"}],"page":{"first":%b}}',
        b'{"items":[{"district":"330100"}],"others":[%b]}',
        b'{"items":[[%b]]}',
        b"[[%b]]",
        b"[[[[%b]]]]",
        b'{"a":{"b":%b}}',
        b'{"330106199003072319":%b}',
        b"%b",
        b'{"district":"440100","name":"SECRET","members":[{"district":"330100"}]}',
    ],
)
@pytest.mark.parametrize("path", ["", "$.items", "$.data.items"])
def test_no_wrapping_brings_a_record_of_others_through(body, path):
    asset = an_asset(records=path)
    body = body % OTHER if b"%b" in body else body
    try:
        assert b"SECRET" not in looked(body, mask(rows=ROWS), asset).body
    except (Withheld, NotFound) as why:
        assert "SECRET" not in str(why)


def test_what_stands_beside_the_only_array_is_single_values_unless_the_catalog_says_where_the_records_are():
    body = b'{"page":{"size":20},"items":[%b,%b]}' % (OWN, OTHER)
    with pytest.raises(Withheld):
        looked(body, mask(rows=ROWS))
    assert b"own" in looked(body, mask(rows=ROWS), an_asset(records="$.items")).body


def test_an_answer_that_is_one_record_needs_no_list():
    asset = an_asset(records="$.items")
    assert looked(OWN, mask(rows=ROWS), asset).body == OWN
    with pytest.raises(NotFound):
        looked(OTHER, mask(rows=ROWS), asset)


SHAPES = st.sampled_from(
    [b"%b", b"[%b]", b'{"items":%b}', b'{"total":2,"items":[%b]}', b'{"a":1,"b":{"c":%b}}', b'[1,%b,"x"]']
)
RECORDS = st.fixed_dictionaries(
    {"name": st.sampled_from(["SECRET", "own"])},
    optional={
        "district": st.sampled_from(["330100", "440100", 330100, 440100, None, ["330100"], {"district": "330100"}])
    },
)


@given(st.lists(RECORDS, max_size=4), st.lists(SHAPES, max_size=3), st.sampled_from(["", "$.items", "$.b.c"]))
def test_no_record_that_does_not_pass_is_sent_in_any_shape(found, shapes, path):
    own = [one | {"name": "SECRET" if one.get("district") not in ("330100", 330100) else "own"} for one in found]
    body = json.dumps(own).encode()
    for around in shapes:
        body = around % body
    with contextlib.suppress(Withheld, NotFound):
        assert b"SECRET" not in looked(body, mask(rows=ROWS), an_asset(records=path)).body


FILTER = st.builds(
    RowFilter,
    st.sampled_from(["$.district", "$.name"]),
    st.lists(st.sampled_from(["330100", "440100", "own"]), max_size=3, unique=True).map(tuple),
)


@given(st.lists(RECORDS, max_size=6), FILTER, FILTER)
def test_filters_commute(found, one, two):
    body = json.dumps(found).encode()

    def after(*rows):
        return looked(body, mask(rows=rows)).body

    assert json.loads(after(one, two)) == json.loads(after(two, one))
    assert json.loads(after(one, two)) == [r for r in json.loads(after(one)) if r in json.loads(after(two))]


def test_a_long_answer_stops_for_others():
    body = json.dumps([{"district": "440100", "pad": "x" * 500}] * 2000).encode()
    looking = look_slowly(body, mask(rows=ROWS, most=5), ASSET)
    stops = sum(1 for _ in looking)
    assert stops > len(body) // SLICE


def test_wrapping_it_often_hides_no_bulk():
    with pytest.raises(TooMany):
        looked(b"[" * 40 + b"{},{},{}" + b"]" * 40, mask(most=2))
    with pytest.raises(Withheld):  # what is too long to be read at once is taken apart, and not without end
        looked(b"[" * 40 + b",".join([b'{"a":1}'] * SLICE) + b"]" * 40, mask(most=2))


def test_most_answers_need_no_such_look():
    assert not concerned(mask())
    assert concerned(mask(rows=ROWS))
    assert concerned(mask(most=1))


def test_what_has_too_many_values_is_not_taken_apart():
    with pytest.raises(NotJson):
        looked(b"[" + b",".join([b"{}"] * MAX_VALUES) + b"]", mask(most=2))


def test_no_more_is_counted_than_is_asked_for():
    walk = counted(b"[" + b",".join([b'{"a":["%b"]}' % (b"x" * 4096)] * 300) + b"]", 100)
    assert sum(1 for _ in walk) == 1  # the list was long enough: nothing in it was looked at


@pytest.mark.parametrize("levels", [150, 900])
def test_what_nests_deeply_beside_a_record_is_withheld_and_keeps_nobody_waiting(levels):
    inner = b'{"a":' * levels + b'"%b"' % (b"x" * (1 << 20)) + b"}" * levels
    with pytest.raises(Withheld):
        looked(b'{"district":"330100","x":%b}' % inner, mask(rows=ROWS))


def test_a_long_record_is_looked_through_with_turns():
    body = b'{"district":"330100","x":[%b]}' % b",".join([b'{"y":"%b"}' % (b"x" * 1024)] * 1000)
    assert sum(1 for _ in look_slowly(body, mask(rows=ROWS), ASSET)) > 6
