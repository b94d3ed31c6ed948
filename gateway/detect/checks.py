"""Is this number made as its standard says?

Check digits and dates of Chinese and international identifiers. Each function takes the text as it is
written, without separators, and is plain arithmetic: no clock (a birth date in the future is still one),
no table of issued numbers. A check digit proves nothing about a person; it tells an identifier from a
number that looks like one: of random eighteen digits one in a thousand has the form of a resident
id, one in seventy-five thousand passes all three checks.
"""

import datetime

PROVINCES = frozenset(
    [*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83]
)
"""The first two digits of an area code (GB/T 2260); 83 is given to residents from Taiwan."""

_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_CHECK = "10X98765432"
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # no I O S V Z
_CREDIT_VALUE = {char: at for at, char in enumerate(_CREDIT)}
_CREDIT_WEIGHTS = tuple(pow(3, at, 31) for at in range(17))
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_VIN_VALUE = dict(zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "012345678912345678123457923456789"), strict=True))
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_IMEI_BODIES = frozenset((1, 10, 30, 33, 35, 44, 45, *range(49, 55), 86, 91, 98, 99))
"""Reporting bodies that allocate type codes (3GPP TS 23.003)."""


def is_resident_id(text: str) -> bool:
    """Eighteen characters: area, birth date, sequence, check by ISO 7064 MOD 11-2 (GB 11643-1999)."""
    if int(text[:2]) not in PROVINCES or text[14:17] == "000" or not is_date(text[6:14]):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_RESIDENT_WEIGHTS, text, strict=False))
    return _RESIDENT_CHECK[total % 11] == text[17].upper()


def is_old_resident_id(text: str) -> bool:
    """Fifteen digits, as issued until 1999: area, date in the twentieth century, sequence; no check digit."""
    return int(text[:2]) in PROVINCES and text[12:15] != "000" and is_date("19" + text[6:12])


def is_date(text: str) -> bool:
    """Eight digits that are a day of the calendar."""
    try:
        datetime.date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return False
    return True


def is_credit_code(text: str) -> bool:
    """Eighteen characters, MOD 31, of an area that exists, with a valid organisation code inside (GB 32100-2015).

    Of random digits one in a hundred passes MOD 31, one in five thousand all of it.
    """
    if text[1] not in "123459" or not (text[2:4].isdigit() and (int(text[2:4]) in PROVINCES or text[2:8] == "100000")):
        return False  # who registered it, and where; 100000 stands for the whole country
    try:
        values = [_CREDIT_VALUE[char] for char in text]
    except KeyError:
        return False
    total = sum(weight * value for weight, value in zip(_CREDIT_WEIGHTS, values, strict=False))
    return (31 - total % 31) % 31 == values[17] and is_org_code(text[8:17])


def is_org_code(text: str) -> bool:
    """Nine characters without the hyphen, MOD 11 (GB 11714-1997)."""
    total = sum(weight * int(char, 36) for weight, char in zip(_ORG_WEIGHTS, text, strict=False))
    return "0123456789X0"[11 - total % 11] == text[8]


def is_luhn(text: str) -> bool:
    """The check digit of cards and IMEIs (ISO/IEC 7812-1 annex B)."""
    total = 0
    for at, char in enumerate(reversed(text)):
        digit = int(char) << (at & 1)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0


def is_bank_card(text: str) -> bool:
    """A card number: Luhn, and more than two different digits (`6222222222222222222` is a test, not a card)."""
    return len(set(text)) > 2 and is_luhn(text)


def is_vin(text: str) -> bool:
    """Seventeen characters with the check at the ninth and a model year at the tenth (GB 16735-2019)."""
    if text[9] in "UZ0":
        return False
    total = sum(weight * _VIN_VALUE[char] for weight, char in zip(_VIN_WEIGHTS, text, strict=True))
    return "0123456789X"[total % 11] == text[8]


def is_imei(text: str) -> bool:
    """Fifteen digits: a reporting body that exists, and Luhn (3GPP TS 23.003)."""
    return int(text[:2]) in _IMEI_BODIES and is_luhn(text)
