"""Where is a secret, and can only we read it?

A secret never stands in a configuration: configurations are copied, committed and mailed. The file
says where it is: `file:PATH`, `env:NAME` or `systemd:NAME` (a file in $CREDENTIALS_DIRECTORY).
"""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from gateway.document import why

_REFERENCE = re.compile(r"(file:.{1,4096}|env:[A-Za-z_][A-Za-z0-9_]*|systemd:[A-Za-z0-9_.@-]{1,255})\Z")
MAX_BYTES = 1024 * 1024


class Unreadable(ValueError):
    """The secret cannot be had: a kind of `gateway.config.codes` and why, in two languages. Never the secret."""

    def __init__(self, kind: str, en: str = "", zh: str = "", mode: str = "") -> None:
        super().__init__(en)
        self.kind, self.en, self.zh, self.mode = kind, en, zh, mode


def is_reference(text: str) -> bool:
    """Whether this says where a secret is, instead of being one."""
    return _REFERENCE.match(text) is not None


def place(reference: str, folder: Path, environ: Mapping[str, str]) -> Path | None:
    """The file behind a reference; None for `env:`. Relative paths start at the configuration's folder."""
    scheme, _, rest = reference.partition(":")
    if scheme == "file":
        return folder / rest
    if scheme == "systemd":
        credentials = environ.get("CREDENTIALS_DIRECTORY", "")
        if not credentials:
            raise Unreadable("secret_unreadable", "$CREDENTIALS_DIRECTORY is not set", "未设置 $CREDENTIALS_DIRECTORY")
        return Path(credentials) / rest
    return None


def resolve(reference: str, folder: Path, environ: Mapping[str, str]) -> bytes:
    """The secret itself, without a trailing line end. Raises Unreadable."""
    path = place(reference, folder, environ)
    if path is None:
        value = environ.get(reference.removeprefix("env:"), "")
        if not value:
            raise Unreadable("secret_unreadable", "the variable is not set", "未设置该环境变量")
        return value.encode()
    return read(path)


def read(path: Path) -> bytes:
    """The content of a secret file. Raises Unreadable, also when another user could replace it."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a fifo must not hold the start
    except OSError as error:
        raise Unreadable("secret_unreadable", *why(error)) from None
    try:
        status = os.fstat(handle)  # of the open file, not the path: nothing can be swapped in between
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable("secret_unreadable", "not a regular file", "不是普通文件")
        if status.st_mode & 0o022:
            raise Unreadable("secret_writable", mode=mode_text(status))
        data = os.read(handle, MAX_BYTES + 1)
    finally:
        os.close(handle)
    if len(data) > MAX_BYTES or not data.strip():
        raise Unreadable("secret_unreadable", "empty or larger than 1 MiB", "为空或超过 1 MiB")
    return data.rstrip(b"\r\n")


def open_to_all(path: Path) -> str:
    """The mode of a file that every user of the machine can read, else an empty text.

    Only a warning: container platforms hand out secrets as 0444 inside a container that holds nobody else.
    """
    try:
        status = path.stat()
    except OSError:
        return ""
    return mode_text(status) if status.st_mode & 0o004 else ""


def mode_text(status: os.stat_result) -> str:
    """The permission bits as `chmod` takes them."""
    return f"{stat.S_IMODE(status.st_mode):04o}"
