"""Whom an answer is about: filters and bulks."""

import pytest

from gateway.facts import FieldMask, Mask, Revealed, RowFilter
from gateway.masking.about import Looked, TooMany, concerned, looked_into
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


def test_where_nothing_is_taken_out_nothing_changes():
    body = b'{"total": 9, "items": [{"district": "330100"}]}'
    assert looked(body, mask(rows=ROWS)).body == body


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


def test_a_lone_record_of_another_is_withheld():
    with pytest.raises(Withheld):
        looked(b'{"district":"440100"}', mask(rows=ROWS))


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
    assert looked(b"[{},{},{}]", mask(most=2, beyond=mask())).bulk
    assert not looked(b"[{},{}]", mask(most=2, beyond=mask())).bulk


def test_wrapping_it_often_hides_no_bulk():
    with pytest.raises(Withheld):
        looked(b"[" * 40 + b"{},{},{}" + b"]" * 40, mask(most=2))


def test_what_goes_on_record():
    told = Looked(b"", removed=2).told(Revealed((("$.a", 1),), ("$.b",), 5, b"x" * 8, 1, 6))
    assert told == Revealed((("$.a", 1),), ("$.b",), 5, b"x" * 8, 1, 6, 2)


def test_most_answers_need_no_such_look():
    assert not concerned(mask())
    assert concerned(mask(rows=ROWS))
    assert concerned(mask(most=1))
