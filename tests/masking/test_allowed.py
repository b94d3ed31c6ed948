"""Streams: nobody counted them before they were sent."""

import pytest

from gateway.facts import FieldMask, Mask, RowFilter
from gateway.masking.about import TooMany
from gateway.masking.allowed import Allowed
from gateway.masking.json_body import NotJson
from gateway.masking.prepared import Prepared
from tests.literals import an_asset

ROWS = (RowFilter("$.district", ("330100",)),)
NESTED = (RowFilter("$.address.city", ("hz",)),)


def mask(how: str = "keep", **changes: object) -> Mask:
    return Mask("pii", (FieldMask("$.name", how),), "pass", **changes)


def allowed(of: Mask) -> Allowed:
    return Allowed(Prepared(of, an_asset(fields=())))


def test_a_record_of_others_has_no_plan():
    stream = allowed(mask(rows=ROWS))
    assert stream.plan(b'{"district":"330100"}') is stream.prepared.record
    for record in (b'{"district":"440100"}', b"{}", b"[]", b'[{"district":"330100"}]', b'"330100"', b"330100"):
        assert stream.plan(record) is None


def test_a_line_that_wraps_a_list_of_others_has_none_either():
    stream = allowed(mask(rows=ROWS))
    assert stream.plan(b'{"district":"330100","items":[{"district":"440100"}]}') is None


def test_what_is_no_json_is_not_taken_for_a_record():
    for text in (b'{"district":', b'{"district":"330100"', b'{"district":"330100"}}'):
        with pytest.raises(NotJson):
            allowed(mask(rows=ROWS)).plan(text)
    with pytest.raises(NotJson):
        allowed(mask(most=5)).plan(b'{"a":[}')


def test_beyond_what_the_grade_covers_the_answer_ends():
    stream = allowed(mask(most=2))
    stream.plan(b"{}")
    stream.plan(b"{}")
    with pytest.raises(TooMany):
        stream.plan(b"{}")


def test_many_records_in_one_line_are_many():
    with pytest.raises(TooMany):
        allowed(mask(most=2)).plan(b'{"items":[{},{},{}]}')
    with pytest.raises(TooMany):
        allowed(mask(most=2)).plan(b"[" * 40 + b"{},{},{}" + b"]" * 40)


def test_or_the_rest_is_shown_through_the_mask_for_the_higher_grade():
    stream = allowed(mask(most=1, beyond=mask("redact", rows=ROWS)))
    first = stream.plan(b'{"name":"a"}')
    second = stream.plan(b'{"name":"b","district":"330100"}')
    assert first is not None and second is not None
    assert [one.covers[0][0].name for one in (first, second)] == ["keep", "redact"]
    assert stream.plan(b'{"name":"c","district":"440100"}') is None


def test_those_taken_out_do_not_count():
    stream = allowed(mask(rows=ROWS, most=1))
    for _ in range(5):
        assert stream.plan(b'{"district":"440100"}') is None
    assert stream.plan(b'{"district":"330100"}') is not None


def test_a_row_is_told_by_its_column():
    stream = allowed(mask(rows=ROWS))
    assert stream.row(["name", "district"], ["a", "330100"])
    assert not stream.row(["name", "district"], ["a", "440100"])
    assert not stream.row(["name", "district"], ["a"])
    assert not stream.row(["name", "District"], ["a", "330100"])
    assert allowed(mask(rows=NESTED)).row(["address.city"], ["hz"])
    assert not allowed(mask(rows=NESTED)).row(["city"], ["hz"])


def test_rows_are_counted():
    stream = allowed(mask(most=1))
    assert stream.row(["a"], ["1"])
    with pytest.raises(TooMany):
        stream.row(["a"], ["2"])
