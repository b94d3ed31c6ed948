"""The disk's few calls."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.audit.disk import DISK, alive, replace


def test_a_new_file_is_private_locked_and_never_an_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a"
    descriptor = DISK.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert alive(path)
    with pytest.raises(FileExistsError):
        DISK.create(path)
    DISK.close(descriptor)
    assert not alive(path)


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("precious")
    (tmp_path / "a").symlink_to(tmp_path / "target")
    with pytest.raises(FileExistsError):
        DISK.create(tmp_path / "a")
    (tmp_path / ".b.new").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="symbolic"):
        replace(tmp_path / "b", b"x")
    assert (tmp_path / "target").read_text() == "precious"


def test_death_opens_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "a"
    code = (
        "import sys,pathlib;from gateway.audit.disk import DISK;"
        "DISK.create(pathlib.Path(sys.argv[1]));print('ready',flush=True);sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path.cwd()
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        assert alive(path)
        writer.kill()
        writer.wait()
    assert not alive(path)


def test_new_content_replaces_the_old_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    replace(path, b"one")
    replace(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["a"]


def test_publishing_renames_and_removing_forgives(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    DISK.publish(tmp_path / "a", tmp_path / "b")
    DISK.remove(tmp_path / "a")
    assert (tmp_path / "b").read_text() == "x"
