"""How is a file of a person replaced without ever being half there, or lost?"""

import os
from pathlib import Path

import pytest

from gateway.cli.policy.rewrite import Refused, create, put, take


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o604)
    before = path.stat().st_ino
    put(take(path), b"new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o604)
    assert path.stat().st_ino != before
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_what_somebody_else_changed_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    original = take(path)
    path.write_text("theirs")
    with pytest.raises(Refused, match="meanwhile"):
        put(original, b"new")
    assert path.read_text() == "theirs"
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_a_link_that_was_put_there_meanwhile_is_not_followed(tmp_path: Path) -> None:
    path, secret = tmp_path / "a", tmp_path / "secret"
    path.write_text("old")
    secret.write_text("theirs")
    original = take(path)
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(Refused, match="symbolic link"):
        put(original, b"new")
    assert secret.read_text() == "theirs"


def test_a_new_file_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "a"
    mask = os.umask(0o027)
    try:
        create(path, b"first")
    finally:
        os.umask(mask)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"first", 0o640)
    with pytest.raises(Refused, match="already"):
        create(path, b"second")
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(Refused, match="already"):
        create(tmp_path / "dangling", b"x")
    assert path.read_bytes() == b"first"
    with pytest.raises(Refused, match="folder"):
        create(tmp_path / "none" / "b", b"x")


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "none", "."):
        with pytest.raises(Refused):
            take(tmp_path / name)
