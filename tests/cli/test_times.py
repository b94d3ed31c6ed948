"""How is a time typed, and how is it told?"""

from datetime import datetime
from pathlib import Path

import pytest

from gateway.cli.times import moment, spelled, zone_of
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


def test_times_stand_in_the_zone_of_the_policies_where_these_can_be_read(tmp_path: Path) -> None:
    config = tmp_path / "gateway.yaml"
    assert zone_of(str(config)) is None
    config.write_text("policies: ./policies\n", "utf-8")
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "people.yaml").write_text("timezone: Asia/Urumqi\n", "utf-8")
    assert spelled(0.0, zone_of(str(config))) == "1970-01-01 06:00:00+06:00"
