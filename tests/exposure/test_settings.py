"""Is a setting that cannot be meant refused?"""

import pytest

from gateway.exposure import Settings


def test_a_time_zone_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="`Beijing` is not a time zone; write it as in Asia/Shanghai"):
        Settings(timezone="Beijing")


@pytest.mark.parametrize("change", [{"people": 0}, {"departments": 0}, {"assets": 0}])
def test_without_any_room_nothing_could_be_counted(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="are 1 or more"):
        Settings(**change)
