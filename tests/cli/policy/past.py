"""A gateway's folder with a past: stored revisions, an active one, and a ledger of decisions."""

import os
import shutil
import time
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from gateway.app.revisions import Compiled, store
from gateway.audit import encode
from gateway.audit.index import Index
from gateway.audit.shelf import Shelf
from gateway.config import load
from gateway.config.state import prepare
from gateway.entries import VerdictEntry
from gateway.stores import State
from tests.review.history import SHIPPED, record

CONFIG = """\
version: 1
listen: 127.0.0.1:8080
identity: {issuer: "http://127.0.0.1:8082", audience: gateway}
policies: ./policies
state: ./state
mode: enforce
apis:
  - {name: households, match: /civil/households/**, upstream: "http://127.0.0.1:8081", data: household}
  - {name: visits, match: /health/visits/**, upstream: "http://127.0.0.1:8081", data: health-visit}
  - {name: enterprises, match: /market/**, upstream: "http://127.0.0.1:8081", data: enterprise}
"""


DAY = 86_400.0
_SQLITE = ("-shm", "-wal")


class Past(Struct):
    """Where it is, what was in force, and what was decided."""

    folder: Path
    compiled: Compiled
    entries: list[VerdictEntry]

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def ids(self) -> list[str]:
        return [f"{entry.journal}.{entry.seq}" for entry in self.entries]

    def digest(self) -> str:
        """Of every byte of the state directory, with the time of each file.

        SQLite makes `-shm` and `-wal` beside a store that is read, and leaves the store alone.
        """
        files = sorted(path for path in self.state.rglob("*") if path.is_file() and path.suffix[-4:] not in _SQLITE)
        parts = [f"{path} {path.stat().st_mtime_ns} ".encode() + path.read_bytes() for path in files]
        return sha256(b"".join(parts)).hexdigest()


def a_past(folder: Path, count: int = 120) -> Past:
    """Decisions of the last month by the shipped policies."""
    (folder / "gateway.yaml").write_text(CONFIG)
    shutil.copytree(SHIPPED, folder / "policies")
    prepare(folder / "state", "gateway/audit")
    config = load(folder / "gateway.yaml", os.environ)
    now = time.time()
    compiled = store(config.state, config.policies, config.apis, now)
    state = State(config.state / "state.db")
    state.activate(compiled.digest, "test", now)
    state.close()
    entries = list(record(compiled, count, start=now - 20 * DAY, length=20 * DAY))
    keep(config.state, entries)
    return Past(folder, compiled, entries)


def keep(state: Path, entries: list[VerdictEntry]) -> None:
    """Write these entries into ledger and index."""
    raws = [encode(entry) for entry in entries]
    shelf = Shelf(state / "ledger")
    shelf.append(raws, [sha256(b"\0" + raw).digest() for raw in raws])
    shelf.sync()
    shelf.close()
    index = Index(state / "index.db")
    index.add(0, entries)
    index.close()
