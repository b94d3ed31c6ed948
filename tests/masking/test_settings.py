"""Limits of masking that make no sense stop the start."""

from typing import Any

import pytest

from gateway.masking import Settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"hash_key": b"short"},
        {"older": (b"short",)},
        {"inspect_max": 0},
        {"offload_over": 0},
        {"offload_over": 1 << 30},
        {"inspect_max": -1},
        {"inspect_max": 33 * 1024 * 1024},
        {"inspect_max_of": {"civil": 0}},
        {"inspect_max_of": {"civil": 33 * 1024 * 1024}},
    ],
)
def test_a_setting_that_weakens_masking_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Settings(**({"hash_key": b"k" * 32} | wrong))


def test_the_limits_are_those_of_the_contract() -> None:
    settings = Settings(hash_key=b"k" * 32)
    assert (settings.inspect_max, settings.offload_over) == (8 * 1024 * 1024, 64 * 1024)


def test_keys_have_numbers_and_the_first_stays_the_first() -> None:
    one = Settings(hash_key=b"a" * 32)
    three = Settings(hash_key=b"c" * 32, older=(b"a" * 32, b"b" * 32))
    assert (one.key_number, three.key_number) == (1, 3)
    assert one.first_key == three.first_key == b"a" * 32
    assert three.secrets == (b"a" * 32, b"b" * 32, b"c" * 32)
