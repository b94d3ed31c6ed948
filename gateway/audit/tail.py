"""What have the processes of this machine just recorded?

Reads the journals as they grow. The reader waits for a line's newline, finds new journals by itself and
follows rotation. It proves nothing (that is the sealer's work): a line it cannot read is passed over.
"""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from msgspec import DecodeError
from msgspec.json import Decoder

from gateway.audit import chain
from gateway.audit.entry import FORMAT, MAX_ENTRY, Malformed, decode
from gateway.entries import Brief, Entry

_CHUNK = 4 * 1024 * 1024
_SLICE = 1024 * 1024
_LINE = MAX_ENTRY + 128  # no line is longer: what is, belongs to no journal

_brief = Decoder(Brief).decode


class Tail:
    """Follows the journals under the state directory `directory`, from their present end on.

    `without` names journals that are not read: a worker's own, which it knows already.
    """

    def __init__(self, directory: Path, without: Collection[str] = ()) -> None:
        self._folder = directory / "journal"
        self._without = set(without)
        self._offsets: dict[str, int] = {}
        for name in self._names():
            self._offsets[name] = _whole(self._folder / (name + chain.SUFFIX))

    def poll(self) -> list[Entry]:
        """The entries since the last call, in order within each journal.

        How far a journal was read is never forgotten: the folder may be away for a moment, and nothing is told twice.
        """
        found: list[Entry] = []
        names = self._names()
        for name in names:
            if name not in self._without:
                found += self._read(name)
        return found

    def skip(self, journal: str) -> None:
        """Leave out this journal from now on; a writer calls it after each rotation of its own."""
        self._without.add(journal)

    def last(self, count: int) -> list[Entry]:
        """The last `count` entries of all journals, oldest first; for a start with a memory."""
        if count <= 0:
            return []
        found: list[Entry] = []
        for written, name in sorted(((self._written(name), name) for name in self._names()), reverse=True):
            if len(found) >= count and written < found[-count].at:
                break  # no journal from here on holds anything as young: a start must not read a day of journals
            found += _last(self._folder / (name + chain.SUFFIX), self._offsets.get(name), count)
            found.sort(key=lambda entry: entry.at)
            del found[:-count]
        return found

    def since(self, at: float) -> Iterator[list[Brief]]:
        """What was recorded from this moment (seconds since 1970) on and up to where `poll` goes on, in slices, in brief.

        Each journal in its own order; what is not polled, up to its present end.
        """
        names = [name for name in self._names() if self._written(name) >= at or self._youngest(name) >= at]
        paths = {name: self._folder / (name + chain.SUFFIX) for name in names}
        ends = {
            name: _whole(path) if name in self._without else self._offsets.get(name, 0) for name, path in paths.items()
        }
        return (
            [entry for entry in entries if entry.at >= at]
            for name, path in paths.items()
            for entries in _slices(path, ends[name])
        )

    def _written(self, name: str) -> float:
        try:
            return (self._folder / (name + chain.SUFFIX)).stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def _youngest(self, name: str) -> float:
        """When the last entry of a journal was made: anybody who owns a file can say that it is old."""
        return max((entry.at for entry in _last(self._folder / (name + chain.SUFFIX), None, 1)), default=0.0)

    def _names(self) -> list[str]:
        """The journals; a link, a folder or a pipe under such a name is none, and nobody waits for it."""
        try:
            names = sorted(entry.name for entry in os.scandir(self._folder) if entry.is_file(follow_symlinks=False))
        except FileNotFoundError:
            return []
        journals = [name.removesuffix(chain.SUFFIX) for name in names if name.endswith(chain.SUFFIX)]
        return [name for name in journals if chain.is_journal(name)]

    def _read(self, name: str) -> list[Entry]:
        offset = self._offsets.get(name, 0)
        try:
            with (self._folder / (name + chain.SUFFIX)).open("rb") as file:
                file.seek(offset)
                data = file.read(_CHUNK)
        except FileNotFoundError:
            return []
        whole = data.rfind(b"\n") + 1
        if not whole and len(data) == _CHUNK:
            whole = len(data)  # no line is that long: this is not a journal any more
        self._offsets[name] = offset + whole
        return _entries(data[:whole])


def _whole(path: Path) -> int:
    """Where the last whole line ends."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            start = max(0, end - 128 * 1024)
            file.seek(start)
            return start + file.read(end - start).rfind(b"\n") + 1
    except FileNotFoundError:
        return 0


def _slices(path: Path, end: int) -> Iterator[list[Brief]]:
    """The entries of a journal before `end`, so many at a time that nothing waits long for them."""
    start, rest = 0, b""
    while start < end:
        try:
            with path.open("rb") as file:  # opened anew: between two slices others run, and it may be gone
                file.seek(start)
                data = file.read(min(_SLICE, end - start))
        except FileNotFoundError:
            return
        except OSError:  # a flood took all descriptors: nothing may be left out, so the next slice tries again
            yield []
            continue
        if not data:
            return
        start += len(data)
        lines = rest + data
        whole = lines.rfind(b"\n") + 1
        rest = lines[whole:] if len(lines) - whole < _LINE else b""
        yield _briefs(lines, whole)


def _briefs(lines: bytes, end: int) -> list[Brief]:
    """The entries of the lines before `end`; nothing is copied on the way (split into lines it takes half as long again)."""
    found: list[Brief] = []
    view, start = memoryview(lines), 0
    while start < end:
        stop = lines.index(b"\n", start)
        try:
            entry = _brief(view[start + 65 : stop])
        except (DecodeError, UnicodeDecodeError, RecursionError):
            pass
        else:
            if entry.v == FORMAT:
                found.append(entry)
        start = stop + 1
    return found


def _last(path: Path, end: int | None, count: int) -> list[Entry]:
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END) if end is None else end
            start, lines = end, b""
            while start > 0 and lines.count(b"\n") <= count:
                step = min(start, 1024 * 1024)
                start -= step
                file.seek(start)
                lines = file.read(step) + lines
    except FileNotFoundError:
        return []
    if start > 0:
        lines = lines.partition(b"\n")[2]
    return _entries(lines)[-count:]


def _entries(data: bytes) -> list[Entry]:
    found: list[Entry] = []
    for line in data.split(b"\n"):
        if line:
            try:
                found.append(decode(line[65:]))
            except Malformed:
                continue
    return found
