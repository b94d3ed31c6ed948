"""Streams: nobody counted them before they were sent."""

import pytest

from gateway.facts import FieldMask, Mask, RowFilter
from gateway.masking.about import TooMany
from gateway.masking.allowed import Allowed
from gateway.masking.json_body import NotJson
from gateway.masking.plan import Plan
from gateway.masking.prepared import Prepared
from gateway.masking.turns import at_once
from tests.literals import an_asset

ROWS = (RowFilter("$.district", ("330100",)),)
NESTED = (RowFilter("$.address.city", ("hz",)),)


def mask(how: str = "keep", **changes: object) -> Mask:
    return Mask("pii", (FieldMask("$.name", how),), "pass", **changes)


def allowed(of: Mask) -> Allowed:
    return Allowed(Prepared(of, an_asset(fields=())))


def plan(stream: Allowed, record: bytes) -> Plan | None:
    return at_once(stream.plan(record))


def test_a_record_of_others_has_no_plan():
    stream = allowed(mask(rows=ROWS))
    assert plan(stream, b'{"district":"330100"}') is stream.prepared.record
    for record in (b'{"district":"440100"}', b"{}", b"[]", b'[{"district":"330100"}]', b'"330100"', b"330100"):
        assert plan(stream, record) is None


def test_a_line_that_wraps_a_list_of_others_has_none_either():
    stream = allowed(mask(rows=ROWS))
    assert plan(stream, b'{"district":"330100","items":[{"district":"440100"}]}') is None


def test_what_is_no_json_is_not_taken_for_a_record():
    for text in (b'{"district":', b'{"district":"330100"', b'{"district":"330100"}}'):
        with pytest.raises(NotJson):
            plan(allowed(mask(rows=ROWS)), text)
    with pytest.raises(NotJson):
        plan(allowed(mask(most=5)), b'{"a":[}')


def test_beyond_what_the_grade_covers_the_answer_ends():
    stream = allowed(mask(most=2))
    plan(stream, b"{}")
    plan(stream, b"{}")
    with pytest.raises(TooMany):
        plan(stream, b"{}")


def test_many_records_in_one_line_are_many():
    with pytest.raises(TooMany):
        plan(allowed(mask(most=2)), b'{"items":[{},{},{}]}')
    with pytest.raises(TooMany):
        plan(allowed(mask(most=2)), b"[" * 40 + b"{},{},{}" + b"]" * 40)


def test_or_the_rest_is_shown_through_the_mask_for_the_higher_grade():
    stream = allowed(mask(most=1, beyond=mask("redact", rows=ROWS)))
    first = plan(stream, b'{"name":"a"}')
    second = plan(stream, b'{"name":"b","district":"330100"}')
    assert first is not None and second is not None
    assert [one.covers[0][0].name for one in (first, second)] == ["keep", "redact"]
    assert plan(stream, b'{"name":"c","district":"440100"}') is None


def test_those_taken_out_do_not_count():
    stream = allowed(mask(rows=ROWS, most=1))
    for _ in range(5):
        assert plan(stream, b'{"district":"440100"}') is None
    assert plan(stream, b'{"district":"330100"}') is not None


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
