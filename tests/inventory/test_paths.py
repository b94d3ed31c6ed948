"""Which values do two paths both name?"""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.inventory.paths import covering, covers, filed, loosened, meets, names
from gateway.jsonpath import Anywhere, Element, Every, Member, Step, parse, spell

STEPS = st.lists(
    st.one_of(
        st.builds(Member, st.sampled_from("abc")),
        st.just(Every()),
        st.builds(Element, st.integers(0, 1)),
        st.builds(Anywhere, st.sampled_from("abc")),
    ),
    max_size=4,
).map(tuple)


@pytest.mark.parametrize(
    ("label", "path", "found"),
    [
        ("$..phone", "$.items[*].phone", True),
        ("$..phone", "$.phone.number", True),  # a label on an object names all of it
        ("$.items[*].phone", "$.items[0].phone", True),
        ("$.items[*].phone", "$..phone", False),
        ("$.items[0].phone", "$.items[*].phone", False),
        ("$.items[*].phone", "$.phone", False),
        ("$.data..name", "$.data[*].who.name", True),
        ("$.data..name", "$.other.name", False),
        ("$.a[*]", "$.a.b", True),  # every member, too
        ("$", "$.anything", True),
    ],
)
def test_a_label_covers_what_lies_below_it(label: str, path: str, found: bool) -> None:
    assert covers(parse(label), parse(path)) is found


@pytest.mark.parametrize(
    ("label", "path", "found"),
    [
        ("$..phone", "$.items[*].phone", True),
        ("$..phone", "$.phone[*][0]", True),
        ("$..phone", "$.phone.number", False),
        ("$[*]", "$[*].a", False),
        ("$.a[*]", "$.a.b", True),
        ("$", "$", True),
        ("$", "$..a", False),
    ],
)
def test_what_a_label_covers_exactly(label: str, path: str, found: bool) -> None:
    assert covers(parse(label), parse(path), exactly=True) is found


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("$.items[0].a", "$.items[*].a", True),
        ("$..a", "$.x.y.a", True),
        ("$.x.y.a", "$..a", True),
        ("$.x.a.b", "$..a", True),
        ("$.a.b", "$.a", True),
        ("$.a", "$.b", False),
        ("$..a", "$.x.y.b", False),
        ("$.p..a", "$..a", True),
        ("$.p..a", "$..b", False),
    ],
)
def test_paths_meet_where_one_value_may_have_both(one: str, other: str, found: bool) -> None:
    assert meets(parse(one), parse(other)) is found


@given(STEPS, STEPS, st.lists(st.sampled_from([*map(Member, "abc"), Element(0), Element(1)]), max_size=5).map(tuple))
def test_what_is_covered_by_what_is_covered_is_covered(
    one: tuple[Step, ...], two: tuple[Step, ...], way: tuple[Step, ...]
) -> None:
    if covers(one, two) and covers(two, way):
        assert covers(one, way)
        assert meets(one, way) and meets(two, way)


@pytest.mark.parametrize(
    ("path", "found"),
    [("$.a.b", "$..a.b"), ("$[*].a[*].b", "$..a[*].b"), ("$..a", "$..a"), ("$[*][*]", "$"), ("$", "$")],
)
def test_below_any_number_of_turns(path: str, found: str) -> None:
    assert spell(loosened(parse(path))) == found


def test_a_label_that_may_lie_in_very_many_ways_is_looked_for_once() -> None:
    label, path = parse("$" + "..a" * 15 + ".b"), parse("$" + ".a" * 31)
    assert (covers(label, path), meets(label, path), covers(label[:-1], path)) == (False, True, True)


def test_names_on_the_way() -> None:
    assert names(parse("$.items[*]..idCard.value")) == ("items", "idCard", "value")


@given(st.lists(STEPS, max_size=6), STEPS)
def test_filed_labels_are_found_again(labels: list[tuple[Step, ...]], path: tuple[Step, ...]) -> None:
    class At(NamedTuple):
        steps: tuple[Step, ...]

    found = {one.steps for one in covering(path, filed(map(At, labels)))}
    assert found == {steps for steps in labels if covers(steps, path)}
