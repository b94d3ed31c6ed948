from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gateway.discovery.walk import MAX_NODES, PER_PATH, leaves
from gateway.jsonpath import parse

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(st.text(), inner, max_size=6),
    max_leaves=60,
)


def test_values_stand_on_their_paths():
    answer = {"total": 2, "items": [{"name": "王小明", "tags": ["a", "b"]}, {"name": None}], "13800138000": {"x": True}}
    assert sorted(leaves(answer), key=repr) == sorted(
        [
            ("$.total", 2),
            ("$.items[*].name", "王小明"),
            ("$.items[*].name", None),
            ("$.items[*].tags[*]", "a"),
            ("$.items[*].tags[*]", "b"),
            ("$[*].x", True),
        ],
        key=repr,
    )


def test_an_answer_may_be_a_single_value():
    assert list(leaves("13800138000")) == [("$", "13800138000")]


def test_of_a_long_list_elements_are_taken_from_all_over_it():
    taken = [value for _, value in leaves(list(range(1000)))]
    assert (len(taken), taken[0], taken[-1]) == (PER_PATH, 0, 875)


def test_the_upper_levels_are_seen_before_a_service_that_nests_without_end_uses_up_the_bounds():
    wide = {"deep": {f"m{a}": {f"n{b}": b for b in "abcdefgh" * 1} for a in range(4000)}, "idCard": "x"}
    assert ("$.idCard", "x") in set(leaves(wide))


@given(VALUES)
def test_whatever_comes_stays_within_bounds_and_every_path_can_be_read(answer):
    found = list(leaves(answer))
    assert len(found) <= MAX_NODES
    assert all(count <= PER_PATH for count in Counter(path for path, _ in found).values())
    for path, _ in found:
        parse(path)


def test_what_lies_too_deep_for_a_label_is_left_out():
    deep = "x"
    for _ in range(1000):
        deep = [deep]
    assert list(leaves({"deep": deep, "near": 1})) == [("$.near", 1)]
    assert (
        list(
            leaves(
                {
                    "n" * 60: {
                        "m" * 60: {"o" * 60: {"p" * 60: {"q" * 60: {"r" * 60: {"s" * 60: {"t" * 60: {"u" * 60: 1}}}}}}}
                    }
                }
            )
        )
        == []
    )
