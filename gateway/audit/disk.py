"""What does the journal ask of the disk?

A handful of calls, gathered here so that a test can take the disk's place: fill it up, cut its power,
tear a write in two. Each function does one system call's worth of work and raises OSError as it comes.
"""

import fcntl
import os
from pathlib import Path
from typing import Protocol


class Files(Protocol):
    """The disk as the journal sees it. Every call may raise OSError."""

    def create(self, path: Path) -> int:
        """Make a new file for appending, locked by this process; its descriptor."""

    def write(self, descriptor: int, data: bytes | bytearray) -> int:
        """Append; the number of bytes that were taken, which may be fewer than offered."""

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut the file to this many bytes."""

    def sync(self, descriptor: int) -> None:
        """Return once the bytes survive a power cut."""

    def stands(self, descriptor: int, path: Path, size: int) -> bool:
        """Whether the open file is still the one under this name, and has at least so many bytes."""

    def publish(self, path: Path, name: Path) -> None:
        """Rename, and return once the new name survives a power cut."""

    def remove(self, path: Path) -> None:
        """Remove the file if it is there."""

    def close(self, descriptor: int) -> None:
        """Close the file and give up its lock."""


class Disk:
    """The disk itself."""

    write = staticmethod(os.write)
    truncate = staticmethod(os.ftruncate)
    sync = staticmethod(os.fdatasync)
    close = staticmethod(os.close)

    @staticmethod
    def create(path: Path) -> int:
        """O_EXCL and O_NOFOLLOW: nobody can have put a link there that leads to another file."""
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path, flags, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return descriptor

    @staticmethod
    def stands(descriptor: int, path: Path, size: int) -> bool:
        """A file that was removed takes all that is written to it, and keeps nothing."""
        ours = os.fstat(descriptor)
        return ours.st_size >= size and os.path.samestat(ours, path.lstat())

    @staticmethod
    def publish(path: Path, name: Path) -> None:
        """A new name is lost in a power cut unless its directory was synced too."""
        path.rename(name)
        sync_directory(name.parent)

    @staticmethod
    def remove(path: Path) -> None:
        """Missing is fine."""
        path.unlink(missing_ok=True)


DISK = Disk()


def sync_directory(folder: Path) -> None:
    """Return once the names in this folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(path: Path, data: bytes) -> None:
    """Give a file new content, all or nothing, durable on return."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.rename(path)
    sync_directory(path.parent)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def alive(path: Path) -> bool:
    """Whether a living process holds this journal: its writer locks it, and death opens every lock."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
