"""Names that a reader could take for each other."""

import pytest

from gateway.review.likeness import alike, skeleton


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("clerk", "Clerk"),
        ("clerk", "c1erk"),
        ("clerk", "сlerk"),  # a Cyrillic с
        ("senior-auditor", "senior_auditor"),
        ("admin", "adrnin"),
        ("officer", "0fficer"),
        ("admin", "ａｄｍｉｎ"),
    ],
)
def test_names_that_look_alike(one: str, other: str) -> None:
    assert list(alike([one, "something", other])) == [(one, other)]


@pytest.mark.parametrize(
    ("one", "other"),
    [("clerk", "clerks"), ("doctor", "director"), ("auditor", "editor"), ("张伟", "张玮"), ("r1", "r2")],
)
def test_names_that_do_not(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)
    assert list(alike([one, other, one])) == []
