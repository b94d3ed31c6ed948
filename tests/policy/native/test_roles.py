"""Who holds which role, in which domain, at this time?"""

from datetime import datetime

import pytest
from casbin.rbac.default_role_manager import RoleManager
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.native.functions import FUNCTIONS, within
from gateway.policy.native.patterns import TooLong
from gateway.policy.native.roles import Links

names = st.sampled_from("abcdefgh")


def linked(links: Links, *rows: tuple[str, ...]) -> Links:
    for row in rows:
        links.add_link(*row)
    return links


@given(st.lists(st.tuples(names, names), max_size=8), names, names)
def test_what_casbin_holds_is_held(rows: list[tuple[str, str]], one: str, two: str) -> None:
    stock = RoleManager(100)
    for row in rows:
        stock.add_link(*row)
    assert linked(Links(2), *rows).has_link(one, two) is stock.has_link(one, two)


def test_a_chain_of_ten_thousand() -> None:
    links = linked(Links(2), *((f"n{n}", f"n{n + 1}") for n in range(10000)))
    assert links.has_link("n0", "n10000")
    assert not links.has_link("n1", "n0")
    assert links.circle() == ()


def test_circles_are_found_in_their_domain() -> None:
    assert linked(Links(2), ("a", "b"), ("b", "c"), ("x", "a")).circle() == ()
    assert linked(Links(2), ("x", "a"), ("a", "b"), ("b", "c"), ("c", "a")).circle() in (
        ("a", "b", "c", "a"),
        ("b", "c", "a", "b"),
        ("c", "a", "b", "c"),
    )
    assert linked(Links(3), ("a", "b", "x"), ("b", "a", "y")).circle() == ()
    assert linked(Links(3), ("a", "b", "x"), ("b", "a", "x")).circle() != ()


def test_domains_are_apart() -> None:
    links = linked(Links(3), ("a", "b", "x"), ("b", "c", "y"))
    assert links.has_link("a", "b", "x")
    assert not links.has_link("a", "b", "y")
    assert not links.has_link("a", "c", "x")
    assert links.has_link("a", "a", "nowhere")


def test_a_domain_that_matches() -> None:
    links = linked(
        Links(3, domain_match=lambda text, pattern: FUNCTIONS["keyMatch"].call(text, pattern) is True),
        ("a", "b", "prov/*"),
    )
    assert links.has_link("a", "b", "prov/hz")
    assert not links.has_link("a", "b", "other")


def test_names_that_match_and_nothing_of_a_request_is_kept() -> None:
    links = linked(
        Links(2, match=lambda text, pattern: FUNCTIONS["keyMatch2"].call(text, pattern) is True),
        ("/book/:id", "books"),
        ("alice", "/pen/*"),
        ("/pen/9", "nines"),
    )
    assert links.has_link("/book/1", "books")
    assert not links.has_link("/book/1/x", "books")
    assert links.has_link("alice", "/pen/1")  # a role that is a pattern
    assert links.has_link("alice", "nines")
    assert not links.has_link("*", "/book/2")
    assert not links.has_link("/book/1", "/book/2")
    assert not links.has_link("/*", "books")  # casbin may take this for a pattern from now on


def test_a_match_that_fails_is_none() -> None:
    links = linked(
        Links(2, match=lambda text, pattern: FUNCTIONS["ipMatch"].call(text, pattern) is True), ("10.0.0.0/8", "office")
    )
    assert links.has_link("10.1.2.3", "office")
    assert not links.has_link("nobody", "office")


def test_a_long_name_does_not_slip_past() -> None:
    links = linked(
        Links(2, match=lambda text, pattern: FUNCTIONS["keyMatch2"].call(text, pattern) is True),
        ("/secret/*/x/*", "secrets"),
    )
    assert links.has_link("/secret/1/x/2", "secrets")
    with pytest.raises(TooLong):
        links.has_link("/secret/1/x/" + "2" * 600, "secrets")


def test_conditions_hold_while_they_say_so() -> None:
    links = linked(Links(2, condition=within), ("a", "b", "_", "2026-01-01 00:00:00"), ("b", "c", "_", "_"))
    assert links.has_link("a", "c", "", datetime(2025, 12, 31))
    assert not links.has_link("a", "c", "", datetime(2026, 1, 2))
    assert links.has_link("a", "a", "", datetime(2026, 1, 2))
    assert links.circle() == ()
