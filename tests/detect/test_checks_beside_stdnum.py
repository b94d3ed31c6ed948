"""Do our checks say what python-stdnum says? Only where it is installed: nothing of it is shipped."""

import random

import pytest

from gateway.detect.checks import is_imei, is_luhn
from gateway.detect.identifiers import DETECTORS, fits
from tests.detect.made import bank_card, credit_code, imei, resident_id

pytest.importorskip("stdnum")

from stdnum import imei as their_imei
from stdnum import luhn
from stdnum.cn import ric, uscc


def nearly(random_: random.Random, value: str) -> str:
    """The value, or one with a character changed: half of them are no identifier any more."""
    if random_.random() < 0.3:
        return value
    at = random_.randrange(len(value))
    return value[:at] + random_.choice("0123456789X") + value[at + 1 :]


def test_luhn():
    source = random.Random(1)
    for _ in range(2000):
        value = nearly(source, bank_card(source)).replace("X", "0")
        assert is_luhn(value) == luhn.is_valid(value), value


def test_resident_ids():
    """Theirs knows which areas a province had in which year; ours looks at the province, and that the birth was numbered."""
    source = random.Random(2)
    agreed = 0
    for _ in range(2000):
        value = nearly(source, resident_id(source))
        ours, theirs = fits(DETECTORS["resident-id"], value), ric.is_valid(value)
        assert ours or not theirs or value[14:17] == "000", value
        assert not ours or ric.calc_check_digit(value) == value[17], value
        agreed += ours and theirs
    assert agreed > 300


def test_credit_codes():
    """Ours also wants the organisation code inside to be right, and an area that exists."""
    source = random.Random(3)
    agreed = 0
    for _ in range(2000):
        value = nearly(source, credit_code(source))
        ours, theirs = fits(DETECTORS["credit-code"], value), uscc.is_valid(value)
        assert theirs or not ours, value
        agreed += ours and theirs
    assert agreed > 500


def test_imeis():
    source = random.Random(4)
    for _ in range(2000):
        value = nearly(source, imei(source)).replace("X", "1")
        if is_imei(value):
            assert their_imei.is_valid(value), value
        elif their_imei.is_valid(value):
            assert value[:2] not in {"86", "35", "01"}, value
