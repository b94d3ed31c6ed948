"""What a revocation must be before it is kept, and when it holds."""

import pytest

from gateway.stores.records import Revocation, StateFault, check_revocation
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
