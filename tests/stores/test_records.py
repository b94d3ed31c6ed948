"""What a revocation must be before it is kept, and when it holds."""

import pytest

from gateway.stores import Instant
from gateway.stores.records import Emergency, Revocation, StateFault, check_revocation
from tests.literals import NOW


@pytest.mark.parametrize(
    ("until", "lifted_at", "holds"),
    [(None, None, True), (NOW + 1, None, True), (NOW, None, False), (NOW - 1, None, False), (None, NOW - 1, False)],
)
def test_a_revocation_holds_until_lifted_or_over(until: float | None, lifted_at: float | None, holds: bool) -> None:
    assert Revocation(1, 1, "token", "t", "", "op", NOW - 9, until, lifted_at).holds(NOW) is holds


def test_the_fault_names_the_kinds_there_are_in_both_languages() -> None:
    with pytest.raises(StateFault) as caught:
        check_revocation("user", "x", "", "op", NOW, None)
    assert caught.value.en == "`user` cannot be revoked; possible: token, session, subject, device"
    assert "不能吊销" in caught.value.zh


def test_texts_have_a_limit() -> None:
    with pytest.raises(StateFault, match="2048"):
        check_revocation("token", "x", "r" * 2049, "op", NOW, None)


@pytest.mark.parametrize(
    ("confirmed_at", "ended_at", "now", "holds"),
    [
        (None, None, NOW + 1, False),  # asked for only
        (NOW + 1, None, NOW + 59, True),
        (NOW + 1, None, NOW + 60, False),  # expired to the second
        (NOW + 1, NOW + 5, NOW + 6, False),  # ended early
    ],
)
def test_a_level_holds_from_its_confirmation_to_its_end(
    confirmed_at: float | None, ended_at: float | None, now: float, holds: bool
) -> None:
    asked = Emergency(
        1, "II", "flood", "op.li", NOW, NOW + 60, "op.wang" if confirmed_at else "", confirmed_at, ended_at
    )
    assert asked.holds(Instant(now)) is holds


def test_a_confirmed_wish_to_end_is_no_level() -> None:
    assert Emergency(1, "", "over", "op.li", NOW, NOW + 600, "op.wang", NOW + 1).holds(Instant(NOW + 2)) is False
