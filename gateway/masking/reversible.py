"""How is a value hidden so that the holder of the key gets it back?

1. `encrypt` and `tokenise` seal any text (`gateway.crypto.siv`); equal values give equal texts within one department.
2. `fpe` keeps the form, so that programs that check it go on working: other digits, as many, and check digits that
   are right. What stays readable is what the form needs: of a resident id the area, of a phone the network, of a
   card the bank. Fewer than a million possibilities are not enciphered but redacted.
3. What is enciphered with its form kept looks real. That is what it is for, and why `fpe` is not for what is shown
   to people.
"""

import datetime
import re
from collections.abc import Callable

from gateway.crypto.ff1 import SmallDomain
from gateway.masking.keys import TOKEN, Keys
from gateway.masking.techniques import REDACTED, technique

_RESIDENT = re.compile(r"([1-9][0-9]{5})([0-9]{8})([0-9]{3})([0-9Xx])", re.ASCII)
_MOBILE = re.compile(r"((?:\+?86[- ]?)?1[3-9][0-9])([- ]?)([0-9]{4})([- ]?)([0-9]{4})", re.ASCII)
_CARD = re.compile(r"([0-9]{6})([0-9]{6,12})([0-9])", re.ASCII)
_DIGITS = re.compile(r"[0-9]{6,40}", re.ASCII)
_FIRST_DAY = datetime.date(1900, 1, 1)
_DAYS = (datetime.date(2100, 1, 1) - _FIRST_DAY).days
_PEOPLE = _DAYS * 999
_WIDTH = len(str(_PEOPLE - 1))
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@technique("encrypt")
def _encrypt() -> Callable[[str, Keys], str]:
    return lambda text, keys: keys.sealed(text)


@technique("tokenise")
def _tokenise() -> Callable[[str, Keys], str]:
    return lambda text, keys: keys.sealed(text, TOKEN)  # of an answer, asset and label go in with it (`plan`, `tokens`)


@technique("fpe")
def _fpe() -> Callable[[str, Keys], str]:
    return lambda text, keys: _moved(text, keys, forward=True)


def restored(text: str, keys: Keys) -> str:
    """What `fpe` made this of, for the same department."""
    return _moved(text, keys, forward=False)


def _moved(text: str, keys: Keys, forward: bool) -> str:
    """The text of the same form that this one becomes, or became from; redacted where there is no form."""
    form = _form_of(text)
    if form is None:
        return REDACTED
    pattern, _, move = form
    try:
        while (match := pattern.fullmatch(text)) is not None:
            text = move(match, keys, forward)
            # else on (cycle walking): digits that look like a phone would not be found again
            if _form_of(text) is form:
                return text
    except SmallDomain:
        pass
    return REDACTED


def _form_of(text: str) -> "_Form | None":
    """The first form that a text has: each text has one, and what becomes of it has the same."""
    for form in _FORMS:
        match = form[0].fullmatch(text)
        if match is not None and form[1](match):
            return form
    return None


def _is_resident(match: re.Match[str]) -> bool:
    return _day(match[2]) is not None and match[3] != "000" and _check_digit(match[0]) == match[0][17].upper()


def _day(text: str) -> int | None:
    """Days since 1900, None for what is no day of the two centuries."""
    try:
        day = (datetime.date(int(text[:4]), int(text[4:6]), int(text[6:])) - _FIRST_DAY).days
    except ValueError:
        return None
    return day if 0 <= day < _DAYS else None


def _resident(match: re.Match[str], keys: Keys, forward: bool) -> str:
    """Day of birth and sequence as one number; the area stays, the check digit follows."""
    number = (_day(match[2]) or 0) * 999 + int(match[3]) - 1
    permutation = keys.permutation(_WIDTH, match[1].encode())
    step = permutation.encrypt if forward else permutation.decrypt
    number = step(number)
    while number >= _PEOPLE:  # cycle walking: on until a number that is a person again
        number = step(number)
    born = _FIRST_DAY + datetime.timedelta(days=number // 999)
    head = f"{match[1]}{born:%Y%m%d}{number % 999 + 1:03d}"
    return head + _check_digit(head)


def _check_digit(text: str) -> str:
    return "10X98765432"[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, text, strict=False)) % 11]


def _mobile(match: re.Match[str], keys: Keys, forward: bool) -> str:
    digits = _permuted(match[3] + match[5], keys, match[1][-3:].encode(), forward)
    return f"{match[1]}{match[2]}{digits[:4]}{match[4]}{digits[4:]}"


def _card(match: re.Match[str], keys: Keys, forward: bool) -> str:
    head = match[1] + _permuted(match[2], keys, match[1].encode(), forward)
    return head + _luhn(head)


def _luhn(text: str) -> str:
    """The check digit that belongs behind this."""
    total = 0
    for at, char in enumerate(reversed(text)):
        digit = int(char) << (1 - (at & 1))
        total += digit - 9 if digit > 9 else digit
    return str(-total % 10)


def _digits(match: re.Match[str], keys: Keys, forward: bool) -> str:
    return _permuted(match[0], keys, b"", forward)


def _permuted(digits: str, keys: Keys, tweak: bytes, forward: bool) -> str:
    permutation = keys.permutation(len(digits), tweak)
    number = permutation.encrypt(int(digits)) if forward else permutation.decrypt(int(digits))
    return f"{number:0{len(digits)}d}"


_Form = tuple[re.Pattern[str], Callable[[re.Match[str]], bool], Callable[[re.Match[str], Keys, bool], str]]
_FORMS: tuple[_Form, ...] = (
    (_RESIDENT, _is_resident, _resident),
    (_MOBILE, lambda _: True, _mobile),
    (_CARD, lambda match: _luhn(match[1] + match[2]) == match[3], _card),
    (_DIGITS, lambda _: True, _digits),
)
