"""What does a state directory need before the first start?"""

import os
from pathlib import Path

import pytest

from gateway.config.state import Exposed, exposed, faults, forgotten, prepare, verifier_of, verifiers
from gateway.crypto import sm2
from gateway.crypto.jws import SigningKey
from gateway.crypto.keys import KeyFault, create, read_verifier


def test_a_prepared_state_is_whole_and_closed(tmp_path: Path) -> None:
    prepared = prepare(tmp_path / "state", "gw.example.gov/audit")
    assert faults(tmp_path / "state", "gw.example.gov/audit") == []
    assert read_verifier(prepared.verifier).name == "gw.example.gov/audit"
    for path in prepared.made:
        assert path.stat().st_mode & 0o077 == 0, path


def test_preparing_again_changes_nothing(tmp_path: Path) -> None:
    first = prepare(tmp_path / "state", "gw/audit")
    again = prepare(tmp_path / "state", "other/audit")
    assert again.made == ()
    assert again.verifier == first.verifier == verifier_of(tmp_path / "state", "gw/audit")


def test_every_lost_or_open_or_damaged_key_is_named(tmp_path: Path) -> None:
    state = tmp_path / "state"
    prepare(state, "gw/audit")
    (state / "keys" / "ledger.key").unlink()
    (state / "keys" / "mask.key").chmod(0o644)
    (state / "keys" / "object.key").write_bytes(b"short")
    (state / "keys" / "assertion.key").write_bytes(b"no key")
    found = faults(state, "gw/audit")
    assert len(found) == 4
    assert all(
        any(name in fault.en and name in fault.zh for fault in found)
        for name in ("ledger.key", "mask.key", "object.key", "assertion.key")
    )


def test_a_ledger_under_another_name_is_noticed(tmp_path: Path) -> None:
    prepare(tmp_path / "state", "gw/audit")
    assert "handed out under another name" in str(faults(tmp_path / "state", "new/audit")[0])


def test_a_link_in_the_place_of_a_key_is_not_followed(tmp_path: Path) -> None:
    keys = tmp_path / "state" / "keys"
    keys.mkdir(parents=True)
    (keys / "ledger.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises((KeyFault, OSError)):
        prepare(tmp_path / "state", "gw/audit")
    assert not (tmp_path / "elsewhere").exists()


def test_a_lost_ledger_key_is_not_made_again(tmp_path: Path) -> None:
    prepare(tmp_path / "state", "gateway/audit")
    (tmp_path / "state" / "keys" / "ledger.key").unlink()
    with pytest.raises(KeyFault, match="restore it from a backup"):
        prepare(tmp_path / "state", "gateway/audit")
    assert not (tmp_path / "state" / "keys" / "ledger.key").exists()


def test_a_key_that_is_not_the_published_one_is_a_fault(tmp_path: Path) -> None:
    prepare(tmp_path / "one", "gateway/audit")
    prepare(tmp_path / "two", "gateway/audit")
    assert faults(tmp_path / "one", "gateway/audit") == []
    other = (tmp_path / "two" / "keys" / "ledger.key").read_bytes()
    (tmp_path / "one" / "keys" / "ledger.key").write_bytes(other)
    (found,) = faults(tmp_path / "one", "gateway/audit")
    assert "is not the public half" in found.en


@pytest.mark.parametrize("name", ["", "keys", "journal", "ledger", "bundles"])
def test_a_folder_that_others_can_change_is_a_way_in(tmp_path: Path, name: str) -> None:
    state = tmp_path / "state"
    prepare(state, "gateway/test")
    assert exposed(state) is None
    (state / name).chmod(0o770)
    assert exposed(state) == Exposed("writable", state / name)


def test_a_link_is_followed_to_where_everybody_can_rename(tmp_path: Path) -> None:
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    state = tmp_path / "state"
    prepare(state, "gateway/test")
    (state / "journal").rmdir()
    (open_to_all / "journal").mkdir(mode=0o700)
    (state / "journal").symlink_to(open_to_all / "journal")
    assert exposed(state) == Exposed("replaceable", open_to_all)
    open_to_all.chmod(0o1777)  # sticky, as /tmp is: only the owner renames
    assert exposed(state) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_account_is_a_way_in(tmp_path: Path) -> None:
    state = tmp_path / "state"
    prepare(state, "gateway/test")
    os.chown(state / "ledger", 12345, 12345)
    assert exposed(state) == Exposed("foreign", state / "ledger")


here = pytest.mark.skipif(bool(sm2.unavailable()), reason="no SM2 on this machine")


@here
def test_the_national_profile_has_a_key_of_its_own(tmp_path: Path) -> None:
    state = tmp_path / "state"
    prepare(state, "gw/audit")
    assert faults(state, "gw/audit", "dual") == []  # the first start makes it
    prepared = prepare(state, "gw/audit", "dual")
    assert [path.name for path in prepared.made] == ["ledger-sm2.key", "ledger-sm2.pub"]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in prepared.made)
    assert verifiers(state) == (prepared.verifier, prepared.sm2_verifier)
    assert read_verifier(prepared.sm2_verifier).algorithm == "SM2"
    assert prepare(state, "gw/audit", "sm").made == ()
    assert faults(state, "gw/audit", "sm") == []


@here
def test_a_lost_or_swapped_key_of_sm2_is_not_made_again(tmp_path: Path) -> None:
    state = tmp_path / "state"
    prepare(state, "gw/audit", "sm")
    key = state / "keys" / "ledger-sm2.key"
    key.rename(tmp_path / "away")
    with pytest.raises(KeyFault, match="restore it from a backup"):
        prepare(state, "gw/audit", "sm")
    assert faults(state, "gw/audit", "sm") != []
    assert faults(state, "gw/audit") == []  # of no use in `intl`
    create(key, sm2.PrivateKey.generate())
    assert "is not the public half" in str(faults(state, "gw/audit", "sm")[0])
    key.unlink()
    create(key, SigningKey.generate("EdDSA"))
    assert "not an SM2 key" in str(faults(state, "gw/audit", "sm")[0])


def test_a_state_store_is_forgotten_where_there_is_a_record_and_no_store(tmp_path: Path) -> None:
    prepare(tmp_path, "test/audit")
    assert not forgotten(tmp_path)  # a new gateway
    (tmp_path / "journal" / "control-1.log").write_bytes(b"")
    assert forgotten(tmp_path)
    (tmp_path / "state.db").touch()
    assert forgotten(tmp_path)
    (tmp_path / "state.db").write_bytes(b"SQLite format 3\0")
    assert not forgotten(tmp_path)
    (tmp_path / "journal" / "control-1.log").unlink()
    (tmp_path / "state.db").unlink()
    (tmp_path / "ledger" / "checkpoint").touch()
    assert forgotten(tmp_path)
