"""What a label missed does not go out."""

import pytest

from gateway.detect import Gate
from gateway.masking.second_look import OVERLAP, SLICE, Residual, look, look_long

pytestmark = pytest.mark.anyio
GATE = Gate(["resident-id"])
ID = b"330106199003072319"


def test_what_is_left_is_named_by_its_kind():
    with pytest.raises(Residual) as why:
        look(b'{"remark":"' + ID + b'"}', GATE)
    assert why.value.identifiers == ("resident-id",)
    assert ID.decode() not in str(why.value)


def test_what_is_clean_passes():
    look(b'{"remark":"3****9"}', GATE)


@pytest.mark.parametrize("at", [0, SLICE - 9, SLICE, SLICE - OVERLAP - 9, 2 * SLICE - 1])
async def test_no_place_of_a_long_answer_is_missed(at):
    body = b" " * at + ID + b" " * SLICE
    with pytest.raises(Residual):
        await look_long(body, GATE)


NUMBERS = b"20260115123456" + ID + b"20260115123456"


@pytest.mark.parametrize("at", [SLICE, SLICE - OVERLAP])
async def test_a_longer_number_is_no_identifier_because_a_slice_ends_in_it(at):
    for cut in (14, 32):
        await look_long(b" " * (at - cut) + NUMBERS + b" " * SLICE, GATE)
