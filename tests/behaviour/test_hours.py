"""Whose clock, which hour, and is it office time."""

import pytest

from gateway.behaviour.hours import Hours
from tests.behaviour.world import DAY, HOUR, MONDAY

HOURS = Hours("Asia/Shanghai", {"xj": "Asia/Urumqi", "eu/embassy": "Europe/Berlin"}, (420, 1200))


@pytest.mark.parametrize(
    ("org", "at", "hour", "office"),
    [
        ("prov/civil", MONDAY, 9, True),
        ("prov/civil", MONDAY - 2 * HOUR, 7, True),
        ("prov/civil", MONDAY - 2 * HOUR - 1, 6, False),
        ("prov/civil", MONDAY + 11 * HOUR - 1, 19, True),
        ("prov/civil", MONDAY + 11 * HOUR, 20, False),
        ("prov/civil", MONDAY - DAY, 33, False),  # Sunday, nine
        ("xj/civil", MONDAY - HOUR, 6, False),
        ("xj", MONDAY, 7, True),
        ("eu/embassy", MONDAY, 3, False),
        ("eu", MONDAY, 9, True),  # no zone of its own
        ("", MONDAY, 9, True),
    ],
)
def test_the_hour_by_org(org: str, at: float, hour: int, office: bool) -> None:
    assert HOURS.at(org, at) == (hour, office)
    assert HOURS.at(org, at) == (hour, office)


def test_summer_time_begins_at_its_minute() -> None:
    change = 1_806_195_600.0  # 2027-03-28T01:00:00Z
    assert (HOURS.at("eu/embassy", change - 1)[0], HOURS.at("eu/embassy", change)[0]) == (25, 27)


def test_orgs_invented_by_tokens_are_not_collected_for_ever() -> None:
    hours = Hours("Asia/Shanghai", {}, (420, 1200))
    for n in range(5_000):
        hours.at(f"org-{n}", MONDAY)
    assert len(hours._of_org) == 4096
