"""Which keys mask, and how does the next one come in?"""

import fcntl
import os
from pathlib import Path

import pytest

from gateway.config.mask_keys import Working, faults, name, numbered, read, rotate
from gateway.config.state import faults as state_faults
from gateway.config.state import prepare
from gateway.crypto.keys import KeyFault


@pytest.fixture
def state(tmp_path: Path) -> Path:
    prepare(tmp_path / "state", "gw/audit")
    return tmp_path / "state"


def test_the_next_key_is_new_closed_and_last(state: Path) -> None:
    first = read(state / "keys")
    made = rotate(state)
    assert made == state / "keys" / "mask-2.key"
    assert made.stat().st_mode & 0o777 == 0o600
    (one, two) = read(state / "keys")
    assert (one,) == first
    assert len(two) == 32
    assert two != one
    assert rotate(state).name == "mask-3.key"
    assert list(numbered(state / "keys")) == [1, 2, 3]
    assert state_faults(state, "gw/audit") == []


def test_numbers_are_told_as_numbers(state: Path) -> None:
    for _ in range(10):
        rotate(state)
    assert list(numbered(state / "keys")) == list(range(1, 12))


def test_a_lost_key_stops_the_start_and_the_next_key(state: Path) -> None:
    """Its number would be given to another key, and what it sealed be taken for altered."""
    rotate(state)
    rotate(state)
    (state / "keys" / "mask-2.key").unlink()
    (fault,) = faults(state / "keys")
    assert "mask-2.key` is missing" in fault.en
    assert "之前缺少" in fault.zh
    assert [str(one) for one in state_faults(state, "gw/audit")] == [fault.en]
    with pytest.raises(KeyFault, match=r"mask-2\.key"):
        read(state / "keys")
    with pytest.raises(KeyFault, match=r"mask-2\.key"):
        rotate(state)


def test_a_key_that_others_read_or_that_is_cut_is_a_fault(state: Path) -> None:
    rotate(state).chmod(0o644)
    assert "mask-2.key` can be reached by other accounts" in str(faults(state / "keys")[0])
    (state / "keys" / "mask-2.key").chmod(0o600)
    (state / "keys" / "mask-2.key").write_bytes(b"short")
    assert "must hold 32 bytes" in str(faults(state / "keys")[0])


def test_a_link_in_the_place_of_the_next_key_is_not_followed(state: Path, tmp_path: Path) -> None:
    (state / "keys" / "mask-2.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyFault):
        rotate(state)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("odd", ["mask-0.key", "mask-02.key", "mask-2.key.bak", "mask-x.key", "mask-２.key"])
def test_other_names_are_no_keys(state: Path, odd: str) -> None:
    (state / "keys" / odd).write_bytes(b"x" * 32)
    assert list(numbered(state / "keys")) == [1]


def test_mask_1_is_not_a_second_first_key(state: Path) -> None:
    (state / "keys" / "mask-1.key").write_bytes(b"x" * 32)
    assert numbered(state / "keys")[1].name == name(1) == "mask.key"


def test_no_key_is_made_while_a_gateway_works(state: Path) -> None:
    lock = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(Working):
        rotate(state)
    os.close(lock)
    assert not (state / "keys" / "mask-2.key").exists()
    assert rotate(state).exists()
