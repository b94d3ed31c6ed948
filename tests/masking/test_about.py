"""Whom an answer is about: filters, bulks, digests; nothing of a value."""

import pytest

from gateway.facts import MAX_SEEN, FieldMask, Mask, Revealed, RowFilter
from gateway.masking.about import Looked, TooMany, concerned, looked_into, same
from gateway.masking.keys import Keys
from gateway.masking.unpack import Withheld
from tests.literals import an_asset

KEYS = Keys(b"k" * 32, "prov/civil")
ID, OTHER = "330106199003072319", "110101200002291280"
ROWS = (RowFilter("$.district", ("330100", "330200")),)
ASSET = an_asset(key="$..id_number", total="$.total")


def mask(**changes: object) -> Mask:
    return Mask("pii", (FieldMask("$..id_number", "redact"),), "pass", **changes)


def looked(body: bytes, of: Mask, asset=ASSET) -> Looked:
    return looked_into(body, of, asset, KEYS)


# --- row filters ------------------------------------------------------------------------------------


def test_records_of_others_are_taken_out_and_the_count_is_put_right():
    body = b'{"total":3,"items":[{"district":"330100","n":1.10},{"district":"440100"},{"district":330200}]}'
    found = looked(body, mask(rows=ROWS))
    assert found.body == b'{"total":2,"items":[{"district":"330100","n":1.10},{"district":330200}]}'
    assert (found.removed, found.records) == (1, 2)


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


# --- who was seen -----------------------------------------------------------------------------------


def test_those_whom_the_records_are_about_become_digests_each_once():
    body = f'[{{"id_number":"{ID}"}},{{"person":{{"id_number":"{OTHER}"}}}},{{"id_number":"{ID}"}}]'.encode()
    found = looked(body, mask())
    assert len(found.seen) == 16
    assert found.seen[:8] == KEYS.about(ID)
    assert ID.encode() not in found.seen


def test_the_same_person_is_the_same_digest_however_written_and_for_whomever():
    other = Keys(b"k" * 32, "prov/health")
    spellings = ["44030519851231019x", "４４０３０５１９８５１２３１０１９Ｘ", " 440305 19851231 019X"]
    found = {looked_into(f'{{"id_number":"{text}"}}'.encode(), mask(), ASSET, other).seen for text in spellings}
    assert found == {KEYS.about(same("44030519851231019X"))}


def test_a_number_counts_as_it_is_spelled():
    assert looked(b'{"id_number":330106199003072319}', mask()).seen == KEYS.about(ID)


@pytest.mark.parametrize("value", [b'""', b"null", b"true", b"{}", b"[]"])
def test_nobody_is_nobody(value):
    assert looked(b'{"id_number":' + value + b"}", mask()).seen == b""


def test_as_many_as_fit_are_listed_and_the_others_counted():
    body = b"[" + b",".join(b'{"id_number":"%d"}' % number for number in range(MAX_SEEN + 5)) + b"]"
    found = looked(body, mask())
    assert (len(found.seen), found.unlisted) == (8 * MAX_SEEN, 5)


def test_what_goes_on_record():
    told = Looked(b"", seen=b"x" * 8, unlisted=1, removed=2, records=3).told(Revealed((("$.a", 1),), ("$.b",), 5), 2)
    assert told == Revealed((("$.a", 1),), ("$.b",), 5, b"x" * 8, 1, 6, 2)


def test_most_answers_need_no_such_look():
    assert not concerned(mask(), an_asset())
    assert concerned(mask(), ASSET)
    assert concerned(mask(rows=ROWS), an_asset())
    assert concerned(mask(most=1), an_asset())
