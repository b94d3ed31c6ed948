"""Where do the sealed entries stand?

The ledger's files, laid out so that a verifier of fifty lines can read them:

    entries/000000000000.bin   65 536 entries, each behind its length in two bytes, big-endian
    leaves/000000000000.bin    their leaf hashes, 32 bytes each: the tree outlives entries that were removed
    roots                      the root of each full file, 32 bytes each: proofs need not read everything
    checkpoints                every signed checkpoint, an empty line after each
    checkpoint                 the latest one

A file of entries is named after its first entry and is a complete subtree, so its root is a node of the
tree. The framing is that of c2sp.org/tlog-tiles entry bundles; larger files spare millions of inodes.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from struct import Struct

from gateway.audit.disk import sync_directory
from gateway.audit.entry import Malformed
from gateway.audit.merkle import Subtree, node, root_of

FILE = 65_536
"""Entries per file; a power of two."""

HASH = 32
_LENGTH = Struct(">H")
_FLAGS = os.O_CREAT | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


class Shelf:
    """The files of entries and leaf hashes, for the one process that appends to them.

    Opening cuts away what was appended after `size` entries and `tail` bytes of the last file: it was
    never signed, and it stands in a journal still.
    """

    def __init__(self, folder: Path, size: int = 0, tail: int = 0) -> None:
        self.folder, self.size, self.tail = folder, size, tail
        for name in ("entries", "leaves"):
            (folder / name).mkdir(0o700, parents=True, exist_ok=True)
        self._entries = self._leaves = self._roots = -1
        try:
            self._roots = os.open(folder / "roots", _FLAGS, 0o600)
            self._open()
            self._cut()
        except (OSError, Malformed):
            self.close()
            raise

    def append(self, entries: Sequence[bytes], leaves: Sequence[bytes]) -> None:
        """Append entries with their leaf hashes; call `sync` before anything is said about them."""
        start = 0
        while start < len(entries):
            end = min(len(entries), start + FILE - self.size % FILE)
            framed = _frame(entries[start:end])
            _write(self._entries, framed)
            _write(self._leaves, b"".join(leaves[start:end]))
            self.size += end - start
            self.tail += len(framed)
            start = end
            if self.size % FILE == 0:
                self._next()

    def sync(self) -> None:
        """Return once everything that was appended survives a power cut."""
        for descriptor in (self._entries, self._leaves, self._roots):
            os.fdatasync(descriptor)

    def close(self) -> None:
        """Close the files; a second time does nothing."""
        for descriptor in (self._entries, self._leaves, self._roots):
            if descriptor >= 0:
                os.close(descriptor)
        self._entries = self._leaves = self._roots = -1

    def _next(self) -> None:
        self.sync()
        root = root_of(read_leaves(self.folder, self.size - FILE, self.size))
        _write(self._roots, root)
        self.tail = 0
        left = (self._entries, self._leaves)
        self._open()
        for descriptor in left:
            os.close(descriptor)

    def _open(self) -> None:
        first = self.size - self.size % FILE
        self._entries = os.open(_path(self.folder, "entries", first), _FLAGS, 0o600)
        self._leaves = os.open(_path(self.folder, "leaves", first), _FLAGS, 0o600)
        for name in ("entries", "leaves"):
            sync_directory(self.folder / name)

    def _cut(self) -> None:
        for descriptor, size in (
            (self._entries, self.tail),
            (self._leaves, self.size % FILE * HASH),
            (self._roots, self.size // FILE * HASH),
        ):
            if os.fstat(descriptor).st_size < size:
                raise Malformed("the ledger is shorter than its last checkpoint says")
            os.ftruncate(descriptor, size)
        for name in ("entries", "leaves"):
            for path in (self.folder / name).glob("*.bin"):
                if int(path.stem) > self.size:
                    path.unlink()


def read_leaves(folder: Path, start: int, end: int) -> list[bytes]:
    """The leaf hashes from `start` up to `end`. Raises Malformed when some are missing."""
    found: list[bytes] = []
    while start < end:
        first = start - start % FILE
        stop = min(end, first + FILE)
        data = _read(_path(folder, "leaves", first), (start - first) * HASH, (stop - start) * HASH)
        if len(data) != (stop - start) * HASH:
            raise Malformed(f"the leaf hash of entry {start + len(data) // HASH} is missing")
        found += [data[at : at + HASH] for at in range(0, len(data), HASH)]
        start = stop
    return found


class Leaves:
    """The leaf hashes one after the other; a missing one is empty."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._number, self._data = folder, 0, b""

    def next(self) -> bytes:
        """The next leaf hash."""
        at = self._number % FILE * HASH
        if at == 0:
            self._data = _read(_path(self._folder, "leaves", self._number), 0, FILE * HASH)
        self._number += 1
        return self._data[at : at + HASH]


def read_entries(folder: Path, start: int = 0) -> Iterator[bytes]:
    """The entries from number `start` on, until the last whole one."""
    while True:
        first = start - start % FILE
        path = _path(folder, "entries", first)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return
        count = first
        for entry in split(data):
            if count >= start:
                yield entry
            count += 1
        if count < first + FILE:
            return
        start = count


def strays(folder: Path, filled: Sequence[int], size: int) -> bool:
    """Whether anything stands behind the `size` entries, whose files hold `filled` bytes each."""
    for number, length in enumerate(filled):
        first = number * FILE
        leaves = min(FILE, size - first) * HASH
        if _length(folder, "entries", first) > length or _length(folder, "leaves", first) > leaves:
            return True
    if _size(folder / "roots") > size // FILE * HASH:
        return True
    found = (path for kind in ("entries", "leaves") for path in (folder / kind).glob("*"))
    known = {f"{number * FILE:012d}.bin" for number in range(len(filled))}
    return any(path.name not in known for path in found) or _has_loose_note(folder)


def split(data: bytes) -> Iterator[bytes]:
    """The whole entries in the bytes of one file."""
    at, end = 0, len(data)
    unpack = _LENGTH.unpack_from
    while at + 2 <= end:
        stop = at + 2 + unpack(data, at)[0]
        if stop > end:
            return
        yield data[at + 2 : stop]
        at = stop


def subtree(folder: Path) -> Subtree:
    """Subtree hashes out of the files: whole files by their root, the rest by its leaf hashes."""

    def hash_of(start: int, end: int) -> bytes:
        if end - start <= FILE:
            if end - start == FILE and start % FILE == 0:
                return _read(folder / "roots", start // FILE * HASH, HASH) or root_of(read_leaves(folder, start, end))
            return root_of(read_leaves(folder, start, end))
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        return node(hash_of(start, middle), hash_of(middle, end))

    return hash_of


def read_notes(folder: Path) -> list[str]:
    """All signed checkpoints, oldest first."""
    try:
        text = (folder / "checkpoints").read_text("utf-8", "surrogateescape")
    except FileNotFoundError:
        return []
    parts = text.split("\n\n")
    return [f"{parts[at]}\n\n{parts[at + 1]}\n" for at in range(0, len(parts) - 1, 2)]


def _has_loose_note(folder: Path) -> bool:
    notes = "".join(f"{note}\n" for note in read_notes(folder)).encode("utf-8", "surrogateescape")
    return len(notes) != _size(folder / "checkpoints")


def _frame(entries: Sequence[bytes]) -> bytes:
    """The entries one after the other, each behind its length."""
    parts = [b""] * (2 * len(entries))
    parts[::2] = map(_LENGTH.pack, map(len, entries))
    parts[1::2] = entries
    return b"".join(parts)


def _length(folder: Path, kind: str, first: int) -> int:
    return _size(_path(folder, kind, first))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _path(folder: Path, kind: str, first: int) -> Path:
    return folder / kind / f"{first:012d}.bin"


def _read(path: Path, offset: int, count: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(count)
    except FileNotFoundError:
        return b""


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
