"""Is more never taken for less?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts import FieldMask, Mask, RowFilter, Suppress
from gateway.masks import parse_technique, strictest
from gateway.review.exposure import UNKNOWN, Shift, shifts

TECHNIQUES = (
    "keep",
    "truncate(2)",
    "truncate(6)",
    "partial(1,1)",
    "partial(3,0)",
    "partial(0,4)",
    "hash",
    "redact",
    "drop",
)


def mask(technique: str = "", unlabelled: str = "redact") -> Mask:
    fields = (FieldMask("$.id", technique),) if technique else ()
    return Mask("p", fields, unlabelled)  # type: ignore[arg-type]  # the texts are its own


@pytest.mark.parametrize(
    ("before", "after", "more", "less"),
    [
        ("redact", "keep", True, False),
        ("keep", "partial(1,1)", False, True),
        ("partial(1,1)", "partial(3,4)", True, False),
        ("partial(3,0)", "partial(0,4)", True, True),
        ("redact", "hash", True, False),
    ],
)
def test_a_field_is_shown_more_or_less(before: str, after: str, more: bool, less: bool) -> None:
    assert shifts(mask(before), mask(after)) == (Shift("$.id", before, after, more, less),)


def test_a_field_that_one_mask_does_not_name_is_shown_as_the_unknown_are() -> None:
    assert shifts(mask("keep"), mask()) == (Shift("$.id", "keep", "redact", False, True),)
    assert shifts(mask("redact"), mask("", "warn")) == (
        Shift("$.id", "redact", "keep", True, False),
        Shift(UNKNOWN, "redact", "keep", True, False),
    )
    assert shifts(mask("keep"), mask("keep", "pass"))[0].path == UNKNOWN


@pytest.mark.parametrize("unlabelled", ["learn", "warn", "pass"])
def test_noting_an_unknown_field_shows_it(unlabelled: str) -> None:
    assert shifts(mask("", "pass"), mask("", unlabelled)) == ()


@given(st.sampled_from(TECHNIQUES), st.sampled_from(TECHNIQUES))
def test_more_one_way_is_less_the_other_way(one: str, two: str) -> None:
    there, back = shifts(mask(one), mask(two)), shifts(mask(two), mask(one))
    assert [(shift.more, shift.less) for shift in there] == [(shift.less, shift.more) for shift in back]
    hides = strictest(parse_technique(one), parse_technique(two)).text
    assert any(shift.more for shift in there) is (hides != parse_technique(two).text)


def of(*districts: str, **changes: object) -> Mask:
    return Mask("p", (), "pass", (RowFilter("$.district", districts),), **changes)  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    ("before", "after", "shift"),
    [
        (of("hz"), mask("", "pass"), ("[hz]", "*", True, False)),
        (mask("", "pass"), of("hz"), ("*", "[hz]", False, True)),
        (of("hz"), of("hz", "nb"), ("[hz]", "[hz, nb]", True, False)),
        (of("hz"), of("nb"), ("[hz]", "[nb]", True, True)),
        (of("hz"), of(), ("[hz]", "[]", False, True)),
    ],
)
def test_a_filter_is_compared_like_a_field(before: Mask, after: Mask, shift: tuple[str, str, bool, bool]) -> None:
    assert shifts(Mask("p", (), "pass", before.rows), Mask("p", (), "pass", after.rows)) == (
        Shift("rows $.district", *shift),
    )


def test_what_becomes_of_many_records_is_compared_at_each_number() -> None:
    few, more = Mask("p", (), "pass", most=5), Mask("p", (), "pass", most=9)
    assert shifts(few, more) == (Shift("* (6 records)", "withheld", "shown", True, False),)
    assert shifts(more, few) == (Shift("* (6 records)", "shown", "withheld", False, True),)
    assert shifts(few, Mask("p", (), "pass", most=5, beyond=of("hz"))) == (
        Shift("* (6 records)", "withheld", "shown", True, False),
    )


def rare(k: int, *fields: str) -> Mask:
    return Mask("p", (), "pass", suppress=Suppress(k, fields) if k else None)


@pytest.mark.parametrize(
    ("before", "after", "more", "less"),
    [
        (rare(5, "$.a"), rare(0), True, False),
        (rare(5, "$.a"), rare(4, "$.a"), True, False),
        (rare(5, "$.a", "$.b"), rare(5, "$.a"), True, False),
        (rare(5, "$.a"), rare(6, "$.b"), True, True),
        (rare(5, "$.a", "$.b"), rare(6, "$.b"), True, True),
    ],
)
def test_a_smaller_k_or_fewer_fields_show_more(before: Mask, after: Mask, more: bool, less: bool) -> None:
    (there,), (back,) = shifts(before, after), shifts(after, before)
    assert (there.path, there.more, there.less) == ("suppress", more, less)
    assert (back.more, back.less) == (less, more)
    assert (there.before, there.after) == (back.after, back.before)


def test_what_is_suppressed_is_told_in_words() -> None:
    (shift,) = shifts(rare(5, "$.a", "$.b"), rare(0))
    assert (shift.before, shift.after) == ("k 5 by [$.a, $.b]", "none")
