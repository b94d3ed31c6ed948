"""How is a time typed, and how is it told?"""

from datetime import datetime

import pytest

from gateway.cli.times import moment, spelled
from tests.literals import NOW


def test_until_is_a_span_or_a_moment() -> None:
    assert moment("24h", NOW) == NOW + 86400
    assert moment("2026-12-31T18:00:00+08:00", NOW) == 1798711200.0


@pytest.mark.parametrize("text", ["tomorrow", "2026-12-31T18:00", "12", "-1h"])
def test_what_could_mean_two_times_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        moment(text, NOW)


def test_times_carry_their_offset() -> None:
    assert datetime.fromisoformat(spelled(NOW)).timestamp() == NOW
