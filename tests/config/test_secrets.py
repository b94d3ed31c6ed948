"""Where is a secret, and can only we read it?"""

import os
from pathlib import Path

import pytest

from gateway.config.secrets import Unreadable, is_reference, open_to_all, place, resolve


@pytest.mark.parametrize("text", ["file:/run/x", "file:rel", "env:NAME", "systemd:tls.key"])
def test_a_reference_says_where(text: str) -> None:
    assert is_reference(text)


@pytest.mark.parametrize("text", ["", "hunter2", "/run/x", "file:", "env:a b", "env:", "systemd:../x", "systemd:/etc/x", "FILE:/x", "file:a\nb"])  # fmt: skip
def test_everything_else_is_the_secret_itself(text: str) -> None:
    assert not is_reference(text)


def test_secrets_come_from_files_variables_and_systemd(tmp_path: Path) -> None:
    (tmp_path / "key").touch(mode=0o600)
    (tmp_path / "key").write_bytes(b"s3cret\n")
    environ = {"KEY": "from-env", "CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert resolve("file:key", tmp_path, environ) == b"s3cret"
    assert resolve(f"file:{tmp_path}/key", Path("/"), environ) == b"s3cret"
    assert resolve("systemd:key", Path("/"), environ) == b"s3cret"
    assert resolve("env:KEY", Path("/"), environ) == b"from-env"
    assert place("env:KEY", tmp_path, environ) is None


def test_what_cannot_be_read_says_why_and_never_what(tmp_path: Path) -> None:
    for reference in ("file:missing", "env:MISSING", "systemd:key"):
        with pytest.raises(Unreadable) as caught:
            resolve(reference, tmp_path, {})
        assert caught.value.kind == "secret_unreadable"
        assert caught.value.en


def test_a_secret_that_others_can_replace_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"s3cret")
    path.chmod(0o666)
    with pytest.raises(Unreadable) as caught:
        resolve("file:key", tmp_path, {})
    assert (caught.value.kind, caught.value.mode) == ("secret_writable", "0666")


def test_a_fifo_a_folder_and_an_empty_file_do_not_hold_the_start(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    (tmp_path / "empty").touch(mode=0o600)
    for name in ("fifo", "empty", "."):
        with pytest.raises(Unreadable):
            resolve(f"file:{name}", tmp_path, {})


def test_a_secret_that_everybody_can_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"s3cret")
    path.chmod(0o644)
    assert open_to_all(path) == "0644"
    path.chmod(0o640)
    assert open_to_all(path) == ""
