import os
import random
import stat

import pytest

from gateway.discovery import Unreadable, kept, read, write
from gateway.discovery.records import EMPTY
from tests.detect.made import MADE
from tests.discovery.answers import asset, learnt


def some(seed=1, count=10):
    source = random.Random(seed)
    return [{name: make(source) for name, make in MADE.items()} | {"note": "x"} for _ in range(count)]


def test_what_all_workers_learnt_is_found(tmp_path):
    write(tmp_path, 0, learnt(some(1)).record())
    write(tmp_path, 1, learnt(some(2), asset(route="GET /market/other")).record())
    found = read(tmp_path)
    assert {one.route for one in found} == {"GET /market/shops", "GET /market/other"}
    assert {one.identifier for one in found} == set(MADE)


def test_two_workers_of_one_route_are_one_finding(tmp_path):
    for slot in range(2):
        write(tmp_path, slot, learnt(some(slot)).record())
    (phone,) = (one for one in read(tmp_path) if one.identifier == "phone")
    assert (phone.evidence.answers, phone.evidence.hits) == (20, 20)


def test_nothing_learnt_is_nothing_found(tmp_path):
    assert read(tmp_path) == ()
    assert kept(tmp_path, 0) == EMPTY


def test_nobody_else_can_read_it(tmp_path):
    before = os.umask(0)
    try:
        write(tmp_path, 3, learnt(some()).record())
    finally:
        os.umask(before)
    file = tmp_path / "discovery" / "w3.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert os.listdir(file.parent) == ["w3.json"]


def test_a_worker_goes_on_from_its_own(tmp_path):
    record = learnt(some()).record()
    write(tmp_path, 0, EMPTY)
    write(tmp_path, 0, record)
    assert kept(tmp_path, 0) == record
    assert kept(tmp_path, 1) == EMPTY


def test_a_draft_that_a_killed_worker_left_is_not_in_the_way(tmp_path):
    (tmp_path / "discovery").mkdir()
    (tmp_path / "discovery" / ".w0.new").write_text("half a fi")
    assert read(tmp_path) == ()
    write(tmp_path, 0, EMPTY)
    assert kept(tmp_path, 0) == EMPTY


def test_a_link_in_its_place_is_not_followed(tmp_path):
    write(tmp_path, 0, learnt(some()).record())
    (tmp_path / "discovery" / "w1.json").symlink_to(tmp_path / "discovery" / "w0.json")
    with pytest.raises(Unreadable, match=r"w1\.json` cannot be read"):
        read(tmp_path)


def test_a_link_in_the_place_of_the_draft_is_not_written_through(tmp_path):
    (tmp_path / "discovery").mkdir()
    (tmp_path / "victim").write_text("kept")
    (tmp_path / "discovery" / ".w0.new").symlink_to(tmp_path / "victim")
    write(tmp_path, 0, EMPTY)
    assert (tmp_path / "victim").read_text() == "kept"


def test_a_damaged_file_is_named(tmp_path):
    write(tmp_path, 0, EMPTY)
    (tmp_path / "discovery" / "w0.json").write_text("{")
    with pytest.raises(Unreadable, match=r"w0\.json.*remove it"):
        read(tmp_path)


def test_other_files_are_left_alone(tmp_path):
    write(tmp_path, 0, EMPTY)
    (tmp_path / "discovery" / "notes.json").write_text("{")
    assert read(tmp_path) == ()


def test_no_planted_value_is_in_any_byte_of_the_state_directory(tmp_path):
    """Every planted value, and every part of one of six characters."""
    source = random.Random(9)
    planted = [make(source) for make in MADE.values() for _ in range(20)] + ["王小明", "欧阳修远"]
    answers = [{"v": value, "list": [value], value: {"deep": value}, "text": f"找{value}。"} for value in planted]
    write(tmp_path, 0, learnt(answers * 3).record())
    bytes_ = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert len(bytes_) > 300
    parts = {value[at : at + 6] for value in planted for at in range(max(1, len(value) - 5))}
    assert [part for part in parts if part.encode() in bytes_] == []
