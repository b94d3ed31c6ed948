"""Settings that cannot mean what they say stop the start."""

from typing import Any

import pytest

from gateway.behaviour import Settings, Site


@pytest.mark.parametrize(
    "changes",
    [
        {"timezone": "Asia/Nowhere"},
        {"timezone": "../etc/passwd"},
        {"timezones": {"xj": ""}},
        {"office_hours": (1200, 420)},
        {"office_hours": (0, 1441)},
        {"weights": {"new_devise": 5}},
        {"weights": {"new_device": 101}},
        {"identities_max": 0},
        {"service_factor": 0.5},
        {"bulk_purposes": {"x": 0.1}},
    ],
)
def test_settings_that_contradict_themselves_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"`|or more"):
        Settings(**changes)


def test_a_site_with_an_unreadable_network_is_refused() -> None:
    with pytest.raises(ValueError, match="host bits"):
        Site("x", ("10.0.0.1/8",))
