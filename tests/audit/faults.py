"""A disk that can be filled, torn, refused and unplugged; for the tests of the promises."""

import errno
import os
import random
from pathlib import Path

from gateway.audit.disk import DISK


class FaultyDisk:
    """The real disk, with faults to order. Remembers what a power cut would take.

    `room`: bytes that still fit (None: no limit). `torn`: a write that does not fit is taken in part.
    `broken_sync`, `broken_write`, `broken_truncate`, `broken_create`: errno to fail with, or 0.
    """

    def __init__(self, room: int | None = None, torn: bool = False) -> None:
        self.room, self.torn = room, torn
        self.broken_sync = self.broken_write = self.broken_truncate = self.broken_create = 0
        self.paths: dict[int, Path] = {}
        self.size: dict[Path, int] = {}
        self.synced: dict[Path, int] = {}
        self.named: set[Path] = set()
        self.syncs = 0
        self.before_sync = lambda: None

    def create(self, path: Path) -> int:
        if self.broken_create:
            raise OSError(self.broken_create, os.strerror(self.broken_create))
        descriptor = DISK.create(path)
        self.paths[descriptor] = path
        self.size[path] = self.synced[path] = 0
        return descriptor

    def write(self, descriptor: int, data: bytes | bytearray) -> int:
        if self.broken_write:
            raise OSError(self.broken_write, os.strerror(self.broken_write))
        if self.room is not None and len(data) > self.room:
            if not self.torn or not self.room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            data = data[: self.room]
        count = DISK.write(descriptor, data)
        self.size[self.paths[descriptor]] += count
        if self.room is not None:
            self.room -= count
        return count

    def truncate(self, descriptor: int, size: int) -> None:
        if self.broken_truncate:
            raise OSError(self.broken_truncate, os.strerror(self.broken_truncate))
        DISK.truncate(descriptor, size)
        path = self.paths[descriptor]
        if self.room is not None:
            self.room += self.size[path] - size
        self.size[path] = size

    def sync(self, descriptor: int) -> None:
        self.before_sync()
        path = self.paths[descriptor]
        size = self.size[path]
        if self.broken_sync:
            raise OSError(self.broken_sync, os.strerror(self.broken_sync))
        self.synced[path] = size
        self.syncs += 1

    def stands(self, descriptor: int, path: Path, size: int) -> bool:
        return DISK.stands(descriptor, path, size)

    def publish(self, path: Path, name: Path) -> None:
        DISK.publish(path, name)
        for descriptor, old in self.paths.items():
            if old == path:
                self.paths[descriptor] = name
        self.size[name], self.synced[name] = self.size.pop(path), self.synced.pop(path)

    def remove(self, path: Path) -> None:
        DISK.remove(path)

    def close(self, descriptor: int) -> None:
        DISK.close(descriptor)
        del self.paths[descriptor]

    def cut_power(self, chance: random.Random, holes: bool = False) -> int:
        """Drop un-synced bytes at random; with `holes` some blocks before kept ones too. Returns the bytes lost."""
        lost = 0
        for descriptor in list(self.paths):  # the process is gone
            self.close(descriptor)
        for path, size in self.size.items():
            if not path.exists():
                continue
            kept = chance.randint(self.synced[path], size)
            lost += size - kept
            data = bytearray(path.read_bytes()[:kept])
            if holes:
                for block in range(self.synced[path], kept, 512):
                    if chance.random() < 0.3:
                        end = min(block + 512, kept)
                        lost += end - block
                        data[block:end] = bytes(end - block)
            path.write_bytes(data)
        return lost
