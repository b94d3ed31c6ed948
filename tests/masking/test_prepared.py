import pytest

from gateway.facts import Field, FieldMask, Grade, Mask, RowFilter, Suppress
from gateway.masking.prepared import Prepared, shape
from tests.literals import an_asset

FIELDS = (
    Field("$..id", "resident-id", Grade.IMPORTANT),
    Field("$..phone", "phone", Grade.GENERAL_4),
    Field("$..work_phone", "phone", Grade.GENERAL_2),
    Field("$..name", "name", Grade.GENERAL_4),
)


def promised(*fields: tuple[str, str]) -> tuple[str, ...]:
    mask = Mask("pii", tuple(FieldMask(*field) for field in fields), "pass")
    return Prepared(mask, an_asset(fields=FIELDS)).gate.identifiers


def test_what_is_hidden_everywhere_is_promised():
    assert promised(("$..id", "partial(1,1)"), ("$..phone", "redact"), ("$..work_phone", "drop")) == (
        "phone",
        "resident-id",
    )


@pytest.mark.parametrize("how", ["keep", "fpe"])
def test_what_is_shown_somewhere_is_not(how):
    assert promised(("$..id", how), ("$..phone", "redact"), ("$..work_phone", how)) == ()


def test_what_no_value_tells_cannot_be_promised():
    assert promised(("$..name", "redact")) == ()


def test_a_mask_that_cannot_be_read_is_refused():
    with pytest.raises(ValueError, match="blur"):
        Prepared(Mask("bad", (FieldMask("$.a", "blur"),), "pass"), an_asset())


# --- masks that were made for one request --------------------------------------------------------------

HZ, NB = (RowFilter("$.district", ("hz",)),), (RowFilter("$.district", ("nb",)),)


def one(**changes: object) -> Mask:
    return Mask("pii", (FieldMask("$..id", "redact"),), "pass", **changes)


def test_whose_records_are_shown_is_no_part_of_the_shape():
    assert shape(one(rows=HZ, most=5, beyond=one(rows=NB))) == shape(one(rows=NB, most=5, beyond=one()))
    assert shape(one(most=5)) != shape(one(most=6))
    assert shape(one(most=5)) != shape(one(most=5, beyond=one()))
    assert shape(one()) != shape(Mask("pii", (), "pass"))
    assert shape(one(suppress=Suppress(5, ("$.a",)))) != shape(one(suppress=Suppress(6, ("$.a",))))


def test_one_is_prepared_for_all_callers_and_each_keeps_its_own_records():
    prepared = Prepared(one(rows=HZ, most=5, beyond=one(rows=HZ)), an_asset(fields=FIELDS))
    other = prepared.whose(one(rows=NB, most=5, beyond=one(rows=NB)))
    assert (prepared.mask.rows, other.mask.rows) == (HZ, NB)
    assert (prepared.beyond.mask.rows, other.beyond.mask.rows) == (HZ, NB)
    for name in ("plan", "record", "columns", "by_value", "gate", "asset"):
        assert getattr(other, name) is getattr(prepared, name)


def test_how_many_there_are_says_which_one():
    prepared = Prepared(one(most=5, beyond=one(most=9, beyond=one())), an_asset(fields=FIELDS))
    assert [prepared.covering(records).mask.most for records in (1, 5, 6, 9, 10)] == [5, 5, 9, 9, 0]
