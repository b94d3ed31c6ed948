import pytest

from gateway.detect.checks import (
    is_bank_card,
    is_credit_code,
    is_date,
    is_imei,
    is_luhn,
    is_old_resident_id,
    is_org_code,
    is_resident_id,
    is_vin,
)


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (is_resident_id, "330106199003072319"),
        (is_resident_id, "110101200002291280"),
        (is_resident_id, "44030519851231019X"),
        (is_resident_id, "44030519851231019x"),
        (is_old_resident_id, "330106900307231"),
        (is_old_resident_id, "440305851231001"),
        (is_credit_code, "91330106MA2B3C4D11"),
        (is_credit_code, "1144030000754123XD"),
        (is_credit_code, "5211000050001234XD"),
        (is_org_code, "00754123X"),
        (is_org_code, "MA2B3C4D1"),
        (is_bank_card, "6222021234567890128"),
        (is_bank_card, "4501012345678909"),
        (is_vin, "LSVAA49J5R2123456"),
        (is_vin, "LHGCM8262P8001234"),
        (is_vin, "1M8GDM9AXKP042788"),
        (is_imei, "860123456789014"),
        (is_imei, "990000123456784"),
        (is_date, "20000229"),
    ],
)
def test_is_made_as_its_standard_says(check, text):
    assert check(text)


@pytest.mark.parametrize(
    ("check", "text", "why"),
    [
        (is_resident_id, "330106199003072310", "check digit"),
        (is_resident_id, "330106199002302311", "30 February, check digit right"),
        (is_resident_id, "990000199003072318", "no such province, check digit right"),
        (is_old_resident_id, "330106901307231", "month 13"),
        (is_old_resident_id, "990106900307231", "no such province"),
        (is_old_resident_id, "330106900307000", "sequence 000"),
        (is_credit_code, "91330106MA2B3C4D12", "check character"),
        (is_credit_code, "91330106MA2B3C4I00", "the letter I"),
        (is_org_code, "007541230", "check character"),
        (is_bank_card, "6222021234567890129", "Luhn"),
        (is_bank_card, "6222222222222222222", "one digit over and over"),
        (is_vin, "LSVAA49J0R2123456", "check at the ninth place"),
        (is_imei, "860123456789015", "Luhn"),
        (is_imei, "000000000000000", "no such body, Luhn right"),
        (is_date, "19000229", "1900 was no leap year"),
    ],
)
def test_is_not(check, text, why):
    assert not check(text), why


@pytest.mark.parametrize("at", range(17))
def test_every_single_slip_in_a_resident_id_is_noticed(at):
    right = "330106199003072319"
    for digit in "0123456789":
        if digit != right[at]:
            assert not is_resident_id(right[:at] + digit + right[at + 1 :])


def test_luhn_notices_every_single_slip():
    right = "6222021234567890128"
    assert is_luhn(right)
    assert not any(
        is_luhn(right[:at] + digit + right[at + 1 :])
        for at in range(len(right))
        for digit in "0123456789"
        if digit != right[at]
    )
