"""How many resident ids can stand behind what an answer shows of one?

GB 11643: six digits of a district, eight of a day of birth, three of a sequence whose last is odd for men, and a check
character; the old form has two digits for the year and no check. Rules:

1. The check character is worked out from the others: whether it is hidden makes no difference. That it also rules out
   ten of eleven candidates where it is shown is not counted: those who are left are few enough then.
2. What is counted holds for somebody of middle age; the days of a hundred years count as possible.
3. A date or an age tells what its shortest common form tells of it: `truncate(6)` of 19510307 is the month.
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import lru_cache

from msgspec import Struct

from gateway.masks import Technique

FORMS = {"resident-id": "DDDDDDyyyymmddSSSC", "old-resident-id": "DDDDDDyymmddSSS"}
"""Districts, the day of birth, the sequence, the check character."""

_DISTRICTS = (2850, 400, 92, 40, 9, 5)
"""How many districts begin with as many known digits as the place in this row."""
_SOMEBODY = date(1970, 5, 15)
_DAYS = tuple(date(1926, 1, 1) + timedelta(days=day) for day in range(36525))


class Known(Struct, frozen=True):
    """What another field tells of the same person: parts of the day of birth as they are spelled, or the sex."""

    form: str = ""  # of strftime
    start: int = 0  # so many characters of its beginning
    end: int = 0  # and of its end
    years: int = 0  # or: the age, told in steps of so many years
    quarter: bool = False
    sex: bool = False

    def told(self, day: date) -> object:
        """What is told of somebody born on this day."""
        if self.years:
            return day.year // self.years
        if self.quarter:
            return day.year, (day.month - 1) // 3
        text = day.strftime(self.form)
        return text[: self.start], text[len(text) - self.end :]


MONTH = Known("%Y%m%d", 6)
QUARTER = Known(quarter=True)
YEAR = Known(years=1)
DECADE = Known(years=10)
SEX = Known(sex=True)
_OF_DATES = {"keep": Known("%Y%m%d", 8), "month": MONTH, "quarter": QUARTER, "year": YEAR, "decade": DECADE}


def of_birth(how: Technique) -> Known | None:
    """What a date of birth, or an age, tells through this technique; None for nothing."""
    if how.name == "bucket":
        return Known(years=how.numbers[0])
    if how.name in ("truncate", "partial"):
        start, end = shown(how)
        return Known("%Y%m%d", min(start, 8), min(end, 8))
    return _OF_DATES.get(how.name)


def shown(how: Technique) -> tuple[int, int]:
    """How many characters of the beginning and of the end a technique shows."""
    return how.numbers[0], how.numbers[1] if how.name == "partial" else 0


@lru_cache(maxsize=4096)
def left(identifier: str, how: Technique, known: frozenset[Known] = frozenset()) -> int | None:
    """How many numbers are left for whoever sees this of one, and this beside it; None where it is shown or hidden whole."""
    form = FORMS.get(identifier, "")
    if how.name not in ("truncate", "partial"):
        return None
    start, end = shown(how)
    if start + end >= len(form):  # a value that is as short as what is shown of it is hidden
        return None
    hidden = form[start : len(form) - end]
    told = [_digits(form, start, end), *(one.told for one in known if not one.sex)]
    districts = min(_ten_to(hidden.count("D")), _DISTRICTS[start]) if "D" in hidden else 1
    halves = 2 if SEX in known and start <= form.rindex("S") < len(form) - end else 1
    return districts * _days(told) * _ten_to(hidden.count("S")) // halves


def _ten_to(digits: int) -> int:
    return int(10**digits)


def _digits(form: str, start: int, end: int) -> Callable[[date], object]:
    """The digits of the day of birth that the number itself shows."""
    first, last = form.index("y"), form.rindex("d") + 1
    begun, rest = max(0, start - first), max(0, end - (len(form) - last))
    spelling = "%Y%m%d" if last - first == 8 else "%y%m%d"

    def told(day: date) -> object:
        text = day.strftime(spelling)
        return text[:begun], text[max(0, len(text) - rest) :]

    return told


def _days(told: Iterable[Callable[[date], object]]) -> int:
    """How many days of birth look the same."""
    alike: Iterable[date] = _DAYS
    for one in told:
        same = one(_SOMEBODY)
        alike = [day for day in alike if one(day) == same]
    return len(list(alike))
