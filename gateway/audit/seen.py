"""Who was shown records about this citizen?

Asked by keyed digests, never by the identifier: who has the index, and not the key, learns nothing about anybody. Rules:

1. What is told is what stands in the record: every answer that had a record about this digest, refused ones have none.
2. An answer with more records than fit into an entry lists the first of them. How many such answers there were is told
   beside: the citizen may be in any of them.
3. The index may lag behind by a moment and may be rebuilt at any time; it proves nothing. The decision ids lead to what
   can be proved.
"""

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

MOST = 10_000
_SECONDS = 10.0


class Look(Struct, frozen=True):
    """One answer that was about somebody. `clear`: some labelled value of the answer was shown in clear."""

    at: float
    id: str
    subject: str
    person: str
    org: str
    purpose: str
    asset: str
    category: str
    route: str
    clear: bool


class Looks(Struct, frozen=True):
    """The answers about somebody, newest first; `larger`: how many more may have been, `cut`: there are more than these."""

    looks: tuple[Look, ...]
    larger: int
    cut: bool


class TooSlow(Exception):
    """The question took too long: it has to be about a shorter time."""


def seen(path: Path, digests: Sequence[bytes], since: float, most: int = MOST, seconds: float = _SECONDS) -> Looks:
    """What the index in `path` knows since this moment (seconds since 1970). Raises TooSlow."""
    marks = ", ".join("?" * len(digests))
    mine = f"SELECT n FROM seen WHERE digest IN ({marks})"  # noqa: S608  # only question marks
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        connection.execute("PRAGMA query_only = 1")
        deadline = time.monotonic() + seconds
        connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        rows = connection.execute(
            "SELECT at, id || '.' || seq, subject, person, org, purpose, asset, category, route, clear > 0"  # noqa: S608  # only question marks
            f" FROM entries LEFT JOIN journals USING (j) WHERE n IN ({mine}) AND at >= ? ORDER BY n DESC LIMIT ?",
            (*digests, since, most + 1),
        ).fetchall()
        larger = connection.execute(
            f"SELECT count(*) FROM rows WHERE unlisted > 0 AND at >= ? AND n NOT IN ({mine})",  # noqa: S608  # only question marks
            (since, *digests),
        ).fetchone()[0]
    except sqlite3.OperationalError as error:
        if str(error) == "interrupted":
            raise TooSlow from None
        raise
    finally:
        connection.close()
    looks = tuple(_look(row) for row in rows[:most])
    return Looks(looks, larger, len(rows) > most)


def _look(row: Sequence[Any]) -> Look:
    at, id, subject, person, org, purpose, asset, category, route, clear = row
    return Look(at, id or "", subject or "", person or "", org or "", purpose, asset, category, route, bool(clear))
