"""Has anything changed, and who is alive?

One small file, mapped into the memory of the supervisor, the control process and every worker.
Rules:

1. Every word is eight aligned bytes and is written by one store: a reader never sees half of it.
2. Generation words only grow. A writer commits to the store first and bumps the word after, so a
   reader that compares the word before each decision misses nothing that was acknowledged.
3. A topic's own word is stored before `any`, and the lock between them orders the two stores.
4. The file is mended and grown in place, never replaced: a process that outlived the supervisor
   still looks at the same memory. When it was replaced all the same, `bump` refuses rather than
   acknowledge what no worker would see.
5. A slot belongs to the process that claimed it: pid and start time. A pid that was given out
   again is not mistaken for the worker that died.
"""

import fcntl
import mmap
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Literal

Topic = Literal["state", "bundle", "posture"]
Role = Literal["worker", "control", "supervisor"]

WORDS: dict[str, int] = {"any": 0, "state": 1, "bundle": 2, "posture": 3}
GAUGES: dict[str, int] = {
    name: place
    for place, name in enumerate(
        (
            "connections",
            "in_flight",
            "loop_lag",  # seconds, the latest
            "requests",
            "refused",
            "shed",
            "handshakes_failed",
            "bytes_in",
            "bytes_out",
            "identities",
            "unsealed",
            "interrupted",
        )
    )
}
SLOTS_MAX = 256

_MAGIC = 0x31_44_52_41_4F_42_57_47  # "GWBOARD1" as a little-endian word
_VERSION = 1
_HEAD = struct.Struct("<QQQ")  # magic, version, slots
_WORDS_AT = 64  # a cache line of their own
_SLOTS_AT = 4096
_SLOT_BYTES = 512
_ROLES: tuple[Role, ...] = ("worker", "control", "supervisor")
# Words of a slot. Gauges follow from _GAUGES_AT.
_PID, _TICKS, _STARTED, _HEARTBEAT, _GENERATION, _ROLE, _READY = range(7)
_DIGEST, _GAUGES_AT = 8, 16


class BoardFault(Exception):
    """The board cannot be used; the text says what and how to mend it."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh


class Slot:
    """What one process says about itself. Only its owner writes; anyone reads."""

    def __init__(self, index: int, memory: memoryview) -> None:
        self.index = index
        self._words = memory.cast("Q")
        self._floats = memory.cast("d")
        self._digest = memory[_DIGEST * 8 : _DIGEST * 8 + 32]
        self.gauges = self._floats[_GAUGES_AT : _GAUGES_AT + len(GAUGES)]
        """The gauges in the order of `GAUGES`: `slot.gauges[CONNECTIONS] += 1.0` costs 0.1 µs."""

    def claim(self, pid: int, started_at: float, role: Role = "worker") -> None:
        """Make the slot this process's own; everything its predecessor said is gone."""
        self.release()
        for place in range(_STARTED, len(self._words)):
            self._words[place] = 0
        self._floats[_STARTED] = started_at
        self._floats[_HEARTBEAT] = started_at
        self._words[_ROLE] = _ROLES.index(role)
        self._words[_TICKS] = _start_ticks(pid) or 0
        self._words[_PID] = pid  # last: from here on the slot counts

    def release(self) -> None:
        """Give the slot up."""
        self._words[_PID] = 0

    @property
    def pid(self) -> int:
        """The process that claimed it, 0 when nobody did."""
        return int(self._words[_PID])

    @property
    def role(self) -> Role:
        """What the process is."""
        return _ROLES[self._words[_ROLE] % len(_ROLES)]

    @property
    def started_at(self) -> float:
        """When it was claimed, wall clock."""
        return float(self._floats[_STARTED])

    @property
    def heartbeat(self) -> float:
        """When the owner last said that it runs, wall clock."""
        return float(self._floats[_HEARTBEAT])

    def beat(self, at: float) -> None:
        """Say that this process runs."""
        self._floats[_HEARTBEAT] = at

    @property
    def generation(self) -> int:
        """The generation (`any`) that the owner acts on."""
        return int(self._words[_GENERATION])

    def acknowledge(self, generation: int) -> None:
        """Say that decisions from now on rest on this generation."""
        self._words[_GENERATION] = generation

    @property
    def ready(self) -> bool:
        """Whether the owner takes requests."""
        return bool(self._words[_READY])

    def set_ready(self, ready: bool) -> None:
        """Say whether this process takes requests (False while it starts and drains)."""
        self._words[_READY] = int(ready)

    @property
    def prepared(self) -> str:
        """What marks the revision that the owner has compiled, "" for none; ask `has_prepared` about a name.

        Read while it is written it is a mixture that equals no digest: not prepared, which is safe.
        """
        digest = bytes(self._digest)
        return digest.hex() if any(digest) else ""

    def prepare(self, name: str) -> None:
        """Say that this revision is compiled and can be switched to."""
        self._digest[:] = _mark(name)

    def has_prepared(self, name: str) -> bool:
        """Whether the owner has compiled this revision."""
        return bytes(self._digest) == _mark(name)

    def set(self, gauge: str, value: float) -> None:
        """Publish a gauge of `GAUGES`."""
        self.gauges[GAUGES[gauge]] = value

    def get(self, gauge: str) -> float:
        """The latest value of a gauge of `GAUGES`."""
        return float(self.gauges[GAUGES[gauge]])

    @property
    def alive(self) -> bool:
        """Whether the very process that claimed the slot still runs."""
        pid = self.pid
        try:
            return pid != 0 and _start_ticks(pid) == self._words[_TICKS]
        except OSError:  # no descriptor left to look with: who may be alive is waited for
            return True


class Board:
    """The mapped file. Made by the supervisor with `create`, opened by everyone else with `open`."""

    def __init__(self, path: Path, memory: mmap.mmap, inode: int, slots: int) -> None:
        self.path = path
        self._inode = inode
        self._fence = threading.Lock()
        view = memoryview(memory)
        self.words = view[_WORDS_AT:_SLOTS_AT].cast("Q")
        """The generation words, in the places of `WORDS`."""
        self.any = self.words[0:1]
        """`board.any[0]` changes when anything does: the one read before a decision."""
        self.slots = tuple(
            Slot(index, view[_SLOTS_AT + index * _SLOT_BYTES : _SLOTS_AT + (index + 1) * _SLOT_BYTES])
            for index in range(slots)
        )

    @classmethod
    def create(cls, path: Path, slots: int) -> "Board":
        """Make the board, or take over the one that is there. Raises BoardFault."""
        if not 1 <= slots <= SLOTS_MAX:
            raise BoardFault(
                f"a board has 1 to {SLOTS_MAX} slots, not {slots}", f"槽位数须为 1 至 {SLOTS_MAX}，而非 {slots}"
            )
        descriptor = _open(path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _format(descriptor, path, slots)
        finally:
            os.close(descriptor)
        board = cls.open(path)
        for slot in board.slots:
            if slot.pid and not slot.alive:
                slot.release()
        return board

    @classmethod
    def open(cls, path: Path) -> "Board":
        """Map an existing board. Raises BoardFault."""
        descriptor = _open(path, os.O_RDWR)
        try:
            slots = _slots(descriptor, path)
            size = _SLOTS_AT + slots * _SLOT_BYTES
            memory = mmap.mmap(descriptor, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
            return cls(path, memory, os.fstat(descriptor).st_ino, slots)
        finally:
            os.close(descriptor)

    def bump(self, topic: Topic) -> int:
        """Tell every process that this topic changed; the new generation. Raises BoardFault.

        Call it after the store has committed: once it returns, each worker's next look sees it.
        """
        with self._locked():
            with self._fence:  # its release and acquire keep the two stores in order (rule 3)
                self.words[WORDS[topic]] += 1
            with self._fence:
                self.words[0] += 1
                return int(self.words[0])

    def slot(self, index: int) -> Slot:
        """The slot with this number."""
        return self.slots[index]

    def live(self, role: Role = "worker") -> list[Slot]:
        """Slots whose owners run now; those of the dead are left out."""
        return [slot for slot in self.slots if slot.alive and slot.role == role]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time, across processes; a fresh descriptor, as a forked one shares its lock."""
        descriptor = _open(self.path, os.O_RDWR)
        try:
            if os.fstat(descriptor).st_ino != self._inode:
                raise BoardFault(
                    f"`{self.path}` was replaced while processes use it; restart the gateway",
                    f"`{self.path}` 在使用中被替换；请重启网关",
                )
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _mark(name: str) -> bytes:
    """The 32 bytes that stand for a revision: its digest, and of `<digest>+II` the SHA-256."""
    return sha256(name.encode()).digest() if "+" in name else bytes.fromhex(name)


def _open(path: Path, flags: int) -> int:
    try:
        return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise BoardFault(
            f"`{path}` cannot be opened: {error.strerror}; it is made by gateway serve",
            f"无法打开 `{path}`：{error.strerror}；该文件由 gateway serve 创建",
        ) from error


def _format(descriptor: int, path: Path, slots: int) -> None:
    """Write the head of a new board, or keep the words of an old one and grow it."""
    if os.fstat(descriptor).st_size:
        slots = max(slots, _slots(descriptor, path))
    try:
        # Without blocks behind it, a store into the map on a full disk kills the process (SIGBUS).
        os.posix_fallocate(descriptor, 0, _SLOTS_AT + slots * _SLOT_BYTES)
    except OSError as error:
        raise BoardFault(
            f"`{path}` cannot be made: {error.strerror}", f"无法创建 `{path}`：{error.strerror}"
        ) from error
    os.pwrite(descriptor, _HEAD.pack(_MAGIC, _VERSION, slots), 0)


def _slots(descriptor: int, path: Path) -> int:
    """How many slots the board has, once its head is known to be sound."""
    head = os.pread(descriptor, _HEAD.size, 0)
    if len(head) == _HEAD.size:
        magic, version, slots = _HEAD.unpack(head)
        whole = os.fstat(descriptor).st_size >= _SLOTS_AT + slots * _SLOT_BYTES
        if magic == _MAGIC and version == _VERSION and 1 <= slots <= SLOTS_MAX and whole:
            return int(slots)
    raise BoardFault(
        f"`{path}` is not a board of this version; stop the gateway, remove it and start again",
        f"`{path}` 不是当前版本的共享板文件；请停止网关，删除后重新启动",
    )


def _start_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks since boot (proc(5), stat, field 22); None once it is dead.

    Raises OSError when it cannot be told.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat[stat.rindex(b")") + 2 :].split()  # the name before it may hold spaces and brackets
    return None if fields[0] in (b"Z", b"X") else int(fields[19])
