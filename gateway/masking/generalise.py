"""What is left of a date, a number or a place when it is told less exactly?

1. What cannot be read as what the technique works on is redacted: a technique never passes what it does not know.
2. A number stays a number, a text a text: programs that read the answer go on working.
3. Nothing here depends on chance: noise is drawn from the value and the key, so that whoever asks a hundred times
   sees the same hundred times and cannot take the mean.
"""

import re
from collections.abc import Callable
from datetime import date

from gateway.masking.keys import Keys
from gateway.masking.techniques import REDACTED, Number, Shown, technique

_DATE = re.compile(
    r"\s*((?:18|19|20)[0-9]{2})(?:[-/.年]\s?([0-9]{1,2})[-/.月]\s?([0-9]{1,2})日?|([0-9]{2})([0-9]{2}))(?![0-9]).*",
    re.ASCII | re.DOTALL,
)
_MONTH = re.compile(r"\s*((?:18|19|20)[0-9]{2})[-/.年]([0-9]{1,2})月?\s*", re.ASCII)
_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,10})?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_PLACE = re.compile(  # nothing is tried twice: of a text of spaces each would else begin anew, and a worker stand still
    r"\s*(-?[0-9]{1,3}\.[0-9]{1,20})(\s*+[,;]\s*+|\s++)(-?[0-9]{1,3}\.[0-9]{1,20})\s*", re.ASCII
)
_COORDINATE = re.compile(r"-?[0-9]{1,3}(?:\.[0-9]{1,20})?", re.ASCII)


def _day(text: str) -> tuple[int, int] | None:
    """Year and month of a date in the common forms, checked against the calendar."""
    match = _DATE.fullmatch(text)
    if match is None:
        month = _MONTH.fullmatch(text)
        return (int(month[1]), int(month[2])) if month and 1 <= int(month[2]) <= 12 else None
    year, number, day = int(match[1]), int(match[2] or match[4]), int(match[3] or match[5])
    try:
        date(year, number, day)
    except ValueError:
        return None
    return year, number


def _date(shown: Callable[[int, int], str]) -> Callable[[str, Keys], str]:
    def apply(text: str, _: Keys) -> str:
        found = _day(text)
        return REDACTED if found is None else shown(*found)

    return apply


def _year_number(text: str, _: Keys) -> Shown:
    found = _day(text) if len(text) == 8 else None
    return REDACTED if found is None else found[0]


@technique("year", number=lambda: _year_number)
def _year() -> Callable[[str, Keys], str]:
    return _date(lambda year, _: f"{year}")


@technique("decade", number=lambda: _decade_number)
def _decade() -> Callable[[str, Keys], str]:
    return _date(lambda year, _: f"{year // 10}0s")


def _decade_number(text: str, keys: Keys) -> Shown:
    year = _year_number(text, keys)
    return year // 10 * 10 if isinstance(year, int) else year


@technique("month")
def _month() -> Callable[[str, Keys], str]:
    return _date(lambda year, month: f"{year}-{month:02d}")


@technique("quarter")
def _quarter() -> Callable[[str, Keys], str]:
    return _date(lambda year, month: f"{year}-Q{(month + 2) // 3}")


def _number(text: str) -> float | int | None:
    """A number of ordinary size, None for everything else."""
    if _PLAIN_NUMBER.fullmatch(text) is None:
        return None
    value = float(text) if any(char in ".eE" for char in text) else int(text)
    return value if abs(value) < 1e15 else None


def _bucketed(step: int) -> Number:
    def apply(text: str, _: Keys) -> Shown:
        value = _number(text)
        return REDACTED if value is None else int(value // step) * step

    return apply


@technique("bucket", number=_bucketed)
def _bucket(step: int) -> Callable[[str, Keys], str]:
    return _as_text(_bucketed(step))


def _noised(per_cent: int) -> Number:
    def apply(text: str, keys: Keys) -> Shown:
        value = _number(text)
        if value is None:
            return REDACTED
        spelled = str(int(value) if value == int(value) else value)  # `5e3` and `5000.0` would tell two noises of 5000
        changed = value * (1 + keys.share(spelled) * per_cent / 100)
        decimals = len(text.partition(".")[2])
        return round(changed) if isinstance(value, int) else round(changed, min(decimals, 10))

    return apply


@technique("noise", number=_noised)
def _noise(per_cent: int) -> Callable[[str, Keys], str]:
    return _as_text(_noised(per_cent))


def _as_text(number: Number) -> Callable[[str, Keys], str]:
    """The same for a number that is written as a text."""
    return lambda text, keys: str(number(text.strip(), keys))


def _cut(text: str, decimals: int) -> str:
    """A coordinate with fewer decimals, cut and not rounded: 30.2799 is in the square of 30.27."""
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest[:decimals]}" if decimals and rest else whole


def _placed(decimals: int) -> Number:
    def apply(text: str, _: Keys) -> Shown:
        if _COORDINATE.fullmatch(text) is None or abs(float(text)) > 180:
            return REDACTED
        return float(_cut(text, decimals))

    return apply


@technique("geo", number=_placed)
def _geo(decimals: int) -> Callable[[str, Keys], str]:
    def apply(text: str, _: Keys) -> str:
        pair = _PLACE.fullmatch(text)
        if pair is not None:
            parts = [pair[1], pair[3]]
            between = "," if "," in pair[2] else ";" if ";" in pair[2] else " "
        elif _COORDINATE.fullmatch(text.strip()):
            parts, between = [text.strip()], ""
        else:
            return REDACTED
        if any(abs(float(part)) > 180 for part in parts):
            return REDACTED
        return between.join(_cut(part, decimals) for part in parts)

    return apply
