"""How is a file of a person replaced without ever being half there, or lost?

1. The new text stands complete and synced in a file beside it before it takes the name, with the same mode and owner.
2. A symbolic link is not followed: whoever can place one in the folder would choose which file is overwritten. A file
   with further hard links would come apart from them. Both are refused with the reason.
3. What was changed since it was read is left alone: somebody is editing it.
"""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gateway.cli.screen import Screen
from gateway.document import FileFault, why
from gateway.document.reader import MAX_BYTES


class Refused(Exception):
    """The file is left alone: why, in English and Chinese."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh


class Original(NamedTuple):
    """A file as it was read."""

    path: Path
    data: bytes
    status: os.stat_result


def take(path: Path) -> Original:
    """Read a file that may be replaced afterwards. Raises Refused."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise Refused("is not a regular file", "不是普通文件")
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        en, zh = why(error)
        raise Refused(f"cannot be read: {en}", f"无法读取：{zh}") from error
    if len(data) > MAX_BYTES:
        raise Refused("is larger than 16 MiB", "超过 16 MiB")
    return Original(path, data, status)


def put(original: Original, data: bytes) -> None:
    """Replace the file. Raises Refused; then it is as it was."""
    path, status = original.path, original.status
    if path.is_symlink():
        raise Refused("is a symbolic link: name the file that it points to", "是符号链接：请直接指定它指向的文件")
    if status.st_nlink > 1:
        raise Refused("has further hard links, which would keep the old text", "存在其他硬链接，它们会保留旧内容")
    if not os.access(path, os.W_OK):
        raise Refused("is read-only", "是只读文件")
    _place(path, data, status)


def create(path: Path, data: bytes) -> None:
    """Write a file that is not there yet. Raises Refused."""
    if path.is_symlink() or path.exists():
        raise Refused("is there already", "已存在")
    _place(path, data, None)


def put_new(path: Path, text: str, screen: Screen) -> bool:
    """Write a file that is not there yet; False after saying why not."""
    try:
        create(path, text.encode())
    except Refused as refused:
        screen.faults([not_written(path, refused, "write elsewhere", "请写到别处")])
        return False
    return True


def not_written(path: Path, error: Refused | OSError, remedy_en: str = "", remedy_zh: str = "") -> FileFault:
    """The fault of a file that is not as somebody wanted it to be."""
    en, zh = (error.en, error.zh) if isinstance(error, Refused) else why(error)
    return FileFault(str(path), 1, 1, "P111", f"not written: it {en}", f"未写入：{zh}", remedy_en, remedy_zh)


def _place(path: Path, data: bytes, status: os.stat_result | None) -> None:
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise Refused(f"its folder cannot be written: {error.strerror}", f"目录无法写入：{error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            _like(handle, status)
            file.write(data)
            file.flush()
            os.fsync(handle)
        if status is not None and _mark(path.lstat()) != _mark(status):
            raise Refused("was changed by somebody else meanwhile", "期间被他人修改")
        if status is None:
            os.link(name, path, follow_symlinks=False)  # unlike a rename this never overwrites
            Path(name).unlink()
        else:
            Path(name).replace(path)
        _sync(path.parent)
    except OSError as error:
        raise Refused(f"cannot be written: {error.strerror}", f"无法写入：{error.strerror}") from error
    finally:
        with suppress(OSError):
            Path(name).unlink(missing_ok=True)


def _mark(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _like(handle: int, status: os.stat_result | None) -> None:
    """The mode and owner of what is replaced; of a new file those that any new file gets."""
    if status is None:
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(handle, 0o666 & ~mask)
        return
    os.fchmod(handle, stat.S_IMODE(status.st_mode))
    mine = os.fstat(handle)
    if (mine.st_uid, mine.st_gid) != (status.st_uid, status.st_gid):
        os.fchown(handle, status.st_uid, status.st_gid)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
