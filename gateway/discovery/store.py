"""Where are the counters of the workers kept?

`state/discovery/w<slot>.json`: each worker writes its own, whoever asks reads all. Rules:

1. 0600 in a folder of 0700 from the first byte on, written beside and renamed: no reader sees half a file, no other account
   sees any.
2. A link in the place of a file is not followed.
"""

import os
import re
from pathlib import Path
from typing import Final

from gateway.discovery.found import Found, found
from gateway.discovery.records import EMPTY, MAX_FILE, Record, Unreadable, decoded, encoded, merged

FOLDER: Final = "discovery"
_FILE = re.compile(r"w([0-9]{1,4})\.json")


def write(state: Path, slot: int, record: Record) -> None:
    """Put the counters of a worker in the place of its earlier ones. Raises OSError."""
    folder = state / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    draft = folder / f".w{slot}.new"
    draft.unlink(missing_ok=True)  # left by a worker that was killed
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(encoded(record))
        file.flush()
        os.fsync(handle)  # after a power cut there is the old file or the new one, never an empty one
    draft.rename(folder / f"w{slot}.json")


def kept(state: Path, slot: int) -> Record:
    """What a worker of this slot has learnt before; nothing where it is the first. Raises Unreadable."""
    path = state / FOLDER / f"w{slot}.json"
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return EMPTY
    except OSError as error:
        raise Unreadable(f"`{path}` cannot be read: {error.strerror}") from None
    with os.fdopen(handle, "rb") as file:
        data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise Unreadable(f"`{path}` is longer than {MAX_FILE} bytes: remove it, it fills again")
    return decoded(data, path)


def read(state: Path) -> tuple[Found, ...]:
    """What the workers of this state directory have found: labels to propose, and labels that their values contradict.

    Empty where nothing was learnt yet. Raises Unreadable.
    """
    return found(merged(_all(state)))


def met(state: Path) -> dict[str, frozenset[str]]:
    """Every path that the sampled answers of an asset held, labelled or not, by its id. Raises Unreadable."""
    found: dict[str, frozenset[str]] = {}
    for route in merged(_all(state)).routes:
        found[route.asset] = found.get(route.asset, frozenset()).union(path.path for path in route.paths)
    return found


def _all(state: Path) -> list[Record]:
    folder = state / FOLDER
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Unreadable(f"`{folder}` cannot be read: {error.strerror}") from None
    slots = (match[1] for match in map(_FILE.fullmatch, names) if match is not None)
    return [kept(state, int(slot)) for slot in sorted(slots)]
