"""What can be opened again: form kept, check digits right, one department only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.detect.checks import is_luhn, is_resident_id
from gateway.masking.keys import Keys
from gateway.masking.registry import compiled
from gateway.masking.reversible import restored
from gateway.masks import parse_technique

KEYS = Keys(b"k" * 32, "prov/civil")
FPE = compiled(parse_technique("fpe"))[0]


def test_a_resident_id_becomes_another_of_the_same_area():
    shown = FPE("330106199003072319", KEYS)
    assert shown != "330106199003072319"
    assert shown.startswith("330106")
    assert is_resident_id(shown)
    assert restored(shown, KEYS) == "330106199003072319"


def test_a_phone_keeps_its_network_and_its_spelling():
    shown = FPE("+86 138-0013-8000", KEYS)
    assert shown.startswith("+86 138-")
    assert shown != "+86 138-0013-8000"
    assert restored(shown, KEYS) == "+86 138-0013-8000"


def test_a_card_keeps_its_bank_and_its_check_digit():
    shown = FPE("6222021234567890128", KEYS)
    assert shown.startswith("622202")
    assert shown != "6222021234567890128"
    assert is_luhn(shown)
    assert restored(shown, KEYS) == "6222021234567890128"


@pytest.mark.parametrize("value", ["12345", "", "abc", "1" * 41, "330106 199003072319", "王小明", "１２３４５６７８"])
def test_what_has_no_form_or_too_few_possibilities_is_redacted(value):
    assert FPE(value, KEYS) == "***"


def test_a_number_of_the_form_of_an_id_that_is_none_is_still_enciphered():
    shown = FPE("330106199003072310", KEYS)  # a wrong check digit
    assert shown not in ("330106199003072310", "***")
    assert len(shown) == 18


def test_departments_see_different_digits():
    assert FPE("13800138000", KEYS) != FPE("13800138000", Keys(b"k" * 32, "prov/health"))


@given(st.integers(10**5, 10**18 - 1))
def test_digits_come_back(number):
    value = str(number)
    shown = FPE(value, KEYS)
    assert (len(shown) == len(value) and restored(shown, KEYS) == value) or (shown == "***" and len(value) < 6)


@pytest.mark.parametrize(("spec", "start"), [("encrypt", "e1."), ("tokenise", "t1.")])
def test_anything_is_sealed_and_equal_values_stay_equal(spec, start):
    apply, number = compiled(parse_technique(spec))
    assert apply("王小明", KEYS).startswith(start)
    assert apply("王小明", KEYS) == apply("王小明", KEYS) != apply("王小红", KEYS)
    assert number("42", KEYS) == apply("42", KEYS)
