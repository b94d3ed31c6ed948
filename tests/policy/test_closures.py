"""Do the pieces of a condition mean what they are called, and raise where they cannot tell?"""

from collections.abc import Callable
from ipaddress import ip_network
from operator import eq, ge, ne

import pytest

from gateway.facts import Facts
from gateway.policy import closures
from tests.literals import some_facts

FACTS = some_facts()


def yes(facts: Facts) -> bool:
    return True


def no(facts: Facts) -> bool:
    return False


def never(facts: Facts) -> bool:
    raise AssertionError("asked in vain")


def is_(value: object) -> Callable[[Facts], object]:
    return lambda facts: value


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_every_and_some_of_any_length(count: int) -> None:
    assert closures.every([yes] * count)(FACTS)
    for place in range(count):
        assert not closures.every([yes] * place + [no] + [never] * (count - place - 1))(FACTS)
        if count > 1:
            assert closures.some([no] * place + [yes] + [never] * (count - place - 1))(FACTS)
    assert count == 1 or not closures.some([no] * count)(FACTS)


def test_negation_and_comparisons() -> None:
    assert closures.negation(no)(FACTS)
    assert closures.against(is_(2), eq, 2)(FACTS) and closures.against(is_(2), ne, 3)(FACTS)
    assert closures.against(is_(2), ge, 2)(FACTS) and closures.between_two(is_(3), ge, is_(2))(FACTS)


def test_membership() -> None:
    assert closures.one_of(is_("a"), frozenset({"a", "b"}))(FACTS)
    assert closures.member(is_("a"), is_(frozenset({"a"})))(FACTS)
    assert closures.holds_one(is_(frozenset({"a", "b"})), frozenset({"b", "c"}))(FACTS)
    assert not closures.holds_one(is_(frozenset({"a"})), frozenset({"b"}))(FACTS)


@pytest.mark.parametrize(
    ("address", "inside"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("11.0.0.1", False), ("2001:db8::1", True), ("2001:db9::1", False)],
)
def test_networks_of_both_versions(address: str, inside: bool) -> None:
    networks = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))
    assert closures.in_networks(is_(address), networks)(FACTS) is inside


@pytest.mark.parametrize(
    ("start", "end", "time", "inside"),
    [
        ("08:00", "18:00", "08:00", True),
        ("08:00", "18:00", "17:59", True),
        ("08:00", "18:00", "18:00", False),
        ("08:00", "18:00", "07:59", False),
        ("22:00", "06:00", "22:00", True),
        ("22:00", "06:00", "00:00", True),
        ("22:00", "06:00", "05:59", True),
        ("22:00", "06:00", "06:00", False),
        ("22:00", "06:00", "12:00", False),
    ],
)
def test_hours_begin_with_the_first_and_end_before_the_last(start: str, end: str, time: str, inside: bool) -> None:
    assert closures.in_hours(is_(time), start, end)(FACTS) is inside


@pytest.mark.parametrize(
    "test",
    [
        closures.in_networks(is_("nowhere"), (ip_network("10.0.0.0/8"),)),
        closures.in_networks(is_(None), (ip_network("10.0.0.0/8"),)),
        closures.in_hours(is_(7), "08:00", "18:00"),
        closures.member(is_("a"), is_("abc")),
        closures.holds_one(is_("abc"), frozenset({"a"})),
        closures.against(is_(None), ge, 2),
    ],
)
def test_what_cannot_be_told_raises_instead_of_being_false(test: closures.Test) -> None:
    with pytest.raises((TypeError, ValueError)):
        test(FACTS)
