import pytest

from gateway.facts import Field, FieldMask, Grade, Mask
from gateway.masking.prepared import Prepared
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
