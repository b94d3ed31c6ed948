"""How many resident ids are left; each number counted by hand."""

import pytest

from gateway.masks import parse_technique
from gateway.review.resident import DECADE, QUARTER, SEX, YEAR, Known, left, of_birth


@pytest.mark.parametrize(
    ("masked", "known", "numbers"),
    [
        ("partial(17,0)", [], 1),  # the check character
        ("truncate(17)", [], 1),
        ("partial(16,0)", [], 10),
        ("partial(15,0)", [], 100),
        ("partial(15,0)", [SEX], 50),  # odd for men
        ("partial(16,1)", [SEX], 5),
        ("partial(14,2)", [SEX], 100),  # the digit that tells the sex is shown already
        ("partial(14,1)", [], 1000),
        ("partial(6,8)", [], 100),  # a hundred years
        ("partial(6,10)", [], 1),  # 1970 is the only year of these hundred that ends with 70
        ("partial(6,8)", [QUARTER], 1),
        ("partial(6,8)", [YEAR], 1),
        ("partial(6,8)", [DECADE], 10),
        ("partial(6,4)", [QUARTER], 91),
        ("partial(6,4)", [YEAR], 365),
        ("partial(6,0)", [Known("%Y%m%d", 8)], 1000),
        ("partial(6,0)", [Known("%Y%m%d", 8), SEX], 500),
        ("partial(5,12)", [], 5),
        ("partial(0,12)", [], 2850),
        ("partial(1,1)", [Known("%Y%m%d", 8)], 400_000),
        ("partial(9,9)", [], None),  # of 18 characters nothing is shown
        ("redact", [], None),
        ("keep", [], None),
    ],
)
def test_how_many_are_left(masked: str, known: list[Known], numbers: int | None) -> None:
    assert left("resident-id", parse_technique(masked), frozenset(known)) == numbers


def test_the_old_form_has_no_check_character() -> None:
    assert left("old-resident-id", parse_technique("partial(14,0)")) == 10
    assert left("old-resident-id", parse_technique("partial(6,3)"), frozenset((DECADE,))) == 3652
    assert left("old-resident-id", parse_technique("partial(6,7)"), frozenset((DECADE,))) == 10
    assert left("phone", parse_technique("partial(3,4)")) is None


@pytest.mark.parametrize(
    ("technique", "days"),
    [("keep", 1), ("truncate(8)", 1), ("truncate(6)", 31), ("month", 31), ("quarter", 91), ("truncate(4)", 365),
     ("year", 365), ("bucket(5)", 1826), ("truncate(3)", 3652), ("decade", 3652), ("partial(0,4)", 100)],
)  # fmt: skip
def test_what_a_day_of_birth_tells_through_each_technique(technique: str, days: int) -> None:
    known = of_birth(parse_technique(technique))
    assert known is not None
    assert left("resident-id", parse_technique("partial(6,4)"), frozenset((known,))) == days


def test_what_tells_nothing() -> None:
    assert [of_birth(parse_technique(how)) for how in ("redact", "hash", "drop", "noise(10)")] == [None] * 4
