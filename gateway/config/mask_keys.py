"""Which keys mask, and how does the next one come in?

1. `mask.key` is key 1, `mask-2.key` the one after it. The newest masks; the older ones still open what they sealed.
2. Key 1 stays for ever: whom a record is about and the watermark are keyed by it, and would not be found again.
3. A key that is missing between others is a fault: what it sealed could not be opened, and its number would be given
   to another key some day.
4. No key is made while a gateway works on this state: a worker that is started anew would mask with the new one, the
   others with the old one, and equal values would not stay equal.
"""

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.crypto.keys import KeyFault, read_private, write_private

BYTES = 32
_LATER = re.compile(r"mask-([1-9][0-9]{0,5})\.key")


class Working(Exception):
    """A gateway works on this state directory."""


def numbered(folder: Path) -> dict[int, Path]:
    """The files of the mask keys by their number, oldest first; of the folder `keys`."""
    later = {int(match[1]): path for path in folder.iterdir() if (match := _LATER.fullmatch(path.name))}
    return dict(sorted((later | {1: folder / "mask.key"}).items()))


def faults(folder: Path) -> list[KeyFault]:
    """What is wrong with the keys."""
    found: list[KeyFault] = []
    for expected, (number, path) in enumerate(numbered(folder).items(), 1):
        if number != expected:
            lost = folder / name(expected)
            en = f"`{lost}` is missing before `{path.name}`: restore it from a backup"
            return [*found, KeyFault(en, f"`{path.name}` 之前缺少 `{lost}`：请从备份恢复")]
        try:
            read_random(path)
        except KeyFault as fault:
            found.append(fault)
    return found


def read_random(path: Path) -> bytes:
    """The bytes of a key that is nothing but chance. Raises KeyFault."""
    data = read_private(path)
    if len(data) != BYTES:
        raise KeyFault(f"`{path}` must hold {BYTES} bytes", f"`{path}` 应为 {BYTES} 字节")
    return data


def read(folder: Path) -> tuple[bytes, ...]:
    """The keys, the first first. Raises KeyFault."""
    for fault in faults(folder):
        raise fault
    return tuple(read_private(path) for path in numbered(folder).values())


def rotate(state: Path) -> Path:
    """Make the next key; the next start masks with it. Raises KeyFault, Working, OSError."""
    folder = state / "keys"
    with _alone(state):
        path = folder / name(len(read(folder)) + 1)
        write_private(path, secrets.token_bytes(BYTES))
    return path


def name(number: int) -> str:
    """The name of the file of this key."""
    return "mask.key" if number == 1 else f"mask-{number}.key"


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """While no gateway works here, and none starts."""
    lock = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Working from None
    finally:
        os.close(lock)
