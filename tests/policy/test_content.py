"""Does the digest name the content, and do bytes come back as they went?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts import Suppress
from gateway.policy.content import Damaged, digest, dump, restore, takes_back
from gateway.policy.overlays import Overlay
from tests.policy.test_engine import content, row


def test_content_comes_back_as_it_went() -> None:
    one = content(row("a"), row("b", "deny"))
    assert restore(dump(one)) == one
    assert dump(one).split(b"\n")[0].decode() == digest(one)


def test_what_a_profile_suppresses_travels_and_is_named() -> None:
    one = content(row("a"), suppress={"p": Suppress(5, ("birth-date",))})
    assert restore(dump(one)) == one
    others = [{"p": Suppress(4, ("birth-date",))}, {"p": Suppress(5, ("phone",))}, {}]
    assert digest(one) not in [digest(content(row("a"), suppress=other)) for other in others]


def test_a_level_whose_mask_suppresses_otherwise_takes_something_back() -> None:
    level = {"II": Overlay(mask="p")}
    one = content(overlays=level, suppress={"p": Suppress(5, ("phone",))})
    assert takes_back(one, content(overlays=level), "II")
    assert not takes_back(one, one, "II")


def test_the_order_of_names_does_not_change_the_digest() -> None:
    one = content(places={"a": "1", "b": "2"})
    two = content(places={"b": "2", "a": "1"})
    assert digest(one) == digest(two)


def test_another_format_is_refused() -> None:
    with pytest.raises(Damaged, match="format"):
        restore(dump(content(format=1)))


@given(st.binary(max_size=200))
def test_any_bytes_are_damaged(data: bytes) -> None:
    with pytest.raises(Damaged):
        restore(data)


@given(st.integers(0, 600), st.integers(1, 255))
def test_one_changed_byte_is_noticed(place: int, change: int) -> None:
    data = bytearray(dump(content(row("a"))))
    data[place % len(data)] ^= change
    with pytest.raises(Damaged):
        restore(bytes(data))
