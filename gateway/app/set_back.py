"""Does the state store hold what the record says was done?

An older copy of `state.db` forgets revocations that were acknowledged and tokens that were told. The ledger knows of both:
each is counted there and here. Rules:

1. More in the record than in the store is a store that was set back: told once, as `state.set_back`, with both numbers.
2. What was told is the beginning of the next count: the operator knows, and the next loss is told again.
3. Only the numbers are compared: which ones are missing is asked of the record (`name:revocation.add`).
"""

import sqlite3
from pathlib import Path

from gateway.facts import Notice
from gateway.stores import State

NAME = "state.set_back"
_LAST = (
    "SELECT n, target, detail FROM entries WHERE kind = 'notice' AND name IN ('state.anew', 'state.set_back')"
    " ORDER BY n DESC LIMIT 1"
)
_REVOKED = (
    "SELECT count(*) FROM entries WHERE kind = 'act' AND name = 'revocation.add' AND outcome = 'permit' AND n > ?"
)
_TOLD = "SELECT count(*) FROM entries WHERE kind = 'verdict' AND action = 'reveal' AND status = 200 AND n > ?"


def set_back(index: Path, state: State) -> Notice | None:
    """What to tell of a store that lacks what the record in this index has. Raises sqlite3.Error, StateFault."""
    connection = sqlite3.connect(f"{index.resolve().as_uri()}?mode=ro", uri=True)
    try:
        number, *before = connection.execute(_LAST).fetchone() or (-1, "", "")
        done = [connection.execute(question, (number,)).fetchone()[0] for question in (_REVOKED, _TOLD)]
    finally:
        connection.close()
    held = (len(state.revocations_since(0)), state.opened())  # after the record, which comes second: never too few
    known = [_first(text) + count for text, count in zip(before, done, strict=True)]
    if held[0] >= known[0] and held[1] >= known[1]:
        return None
    return Notice(NAME, f"{held[0]} of {known[0]} revocations", f"{held[1]} of {known[1]} told tokens")


def _first(text: str) -> int:
    """The number that a text begins with, 0 without one."""
    word = text.partition(" ")[0]
    return int(word) if word.isascii() and word.isdigit() else 0
