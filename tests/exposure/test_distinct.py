"""Is a record counted once, however often and in whatever order it comes, and how wrong is a large count?"""

from array import array
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.exposure.distinct import EXACT, REGISTERS, Distinct


def digests(count: int, salt: str = "") -> list[int]:
    return [int.from_bytes(sha256(f"{salt}/{number}".encode()).digest()[:8]) for number in range(count)]


def counted(*parts: list[int]) -> int:
    distinct = Distinct()
    for part in parts:
        distinct.add(array("Q", part))
    return distinct.count


@given(st.lists(st.sets(st.integers(0, 2**64 - 1), max_size=40), max_size=6))
def test_few_are_counted_exactly(parts: list[set[int]]) -> None:
    assert counted(*map(list, parts)) == len(set().union(*parts))


def test_none_are_none_and_one_that_comes_again_is_one() -> None:
    one = digests(1)
    assert (counted(), counted([]), counted(one), counted(one, one, one)) == (0, 0, 1, 1)


def test_the_bound_itself_is_exact_and_the_next_one_is_more() -> None:
    assert counted(digests(EXACT)) == EXACT
    assert counted(digests(EXACT + 1)) > EXACT


@pytest.mark.parametrize("count", [300, 1_000, 3_000, 5_000, 7_000, 20_000, 100_000])
def test_many_are_right_within_four_standard_errors(count: int) -> None:
    errors = [counted(digests(count, salt)) / count - 1 for salt in "abcdefgh"]
    assert max(map(abs, errors)) < 4 * 1.04 / REGISTERS**0.5
    assert abs(sum(errors) / len(errors)) < 0.03  # and not always wrong in the same way


@given(st.randoms(use_true_random=False), st.integers(1, 900))
def test_order_repetition_and_slices_do_not_matter(random: object, cut: int) -> None:
    whole = digests(900)
    mixed = [*whole, *whole[:100]]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert counted(mixed[:cut], mixed[cut:]) == counted(whole)


def test_a_copy_goes_on_by_itself() -> None:
    for count in (10, 1_000):
        first = Distinct()
        first.add(array("Q", digests(count)))
        before, second = first.count, first.copy()
        second.add(array("Q", digests(500, "more")))
        assert (first.count, second.count > before) == (before, True)


def test_the_highest_and_the_lowest_digest_have_their_place() -> None:
    assert counted(digests(EXACT), [0, 2**64 - 1]) > EXACT


@pytest.mark.parametrize(("one", "other"), [(3, 5), (200, 200), (300, 5), (5, 300), (3_000, 4_000)])
def test_a_set_that_takes_in_another_is_the_set_of_both(one: int, other: int) -> None:
    first, second, both = Distinct(), Distinct(), Distinct()
    for distinct, parts in (
        (first, [digests(one)]),
        (second, [digests(other, "o")]),
        (both, [digests(one), digests(other, "o")]),
    ):
        for part in parts:
            distinct.add(array("Q", part))
    first.absorb(second)
    assert first.count == both.count
