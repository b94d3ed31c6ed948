"""Settings that could not mean what they say stop the start."""

import pytest

from gateway.device import Settings


@pytest.mark.parametrize(
    "changes", [{"freshness": 0.0}, {"freshness": 9.0, "stale": 8.0}, {"required": ("antivirs",)}, {"leeway": 301.0}]
)
def test_settings_that_contradict_themselves_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="`"):
        Settings(**changes)  # type: ignore[arg-type]  # literals of a test


def test_an_authority_that_is_no_certificate_is_refused() -> None:
    with pytest.raises(ValueError, match="not a certificate"):
        Settings(authorities=(b"-----BEGIN CERTIFICATE-----",))
