"""Whom is this answer about?

The field that tells records apart (a resident id, a credit code) becomes a keyed digest of eight bytes for the record of
who saw whom, the same for every department and however the value is written. The value itself is kept nowhere.
"""

from collections.abc import Iterable

from gateway.detect.spelling import as_seen
from gateway.facts import MAX_SEEN, Revealed
from gateway.masking.keys import Keys

MAX_LENGTH = 128
DIGEST = 8  # bytes


def same(text: str) -> str:
    """One spelling for an identifier however it is written: full-width, with spaces, dashes or controls, in small letters."""
    if not (text.isascii() and text.isprintable()):
        text = as_seen(text)
    return "".join(text.upper().replace("-", "").split())


def digests(heard: Iterable[object], keys: Keys) -> tuple[bytes, int]:
    """The digests of these texts and numbers, each once, and how many more there are than are listed."""
    found: dict[bytes, None] = {}
    unlisted = 0
    for value in dict.fromkeys(heard):
        if type(value) is not str or not value:
            continue
        digest = keys.about(same(value[:MAX_LENGTH]))
        if len(found) < MAX_SEEN:
            found[digest] = None
        elif digest not in found:
            unlisted += 1
    return b"".join(found), unlisted


def told_apart(revealed: Revealed) -> int:
    """About how many of them an answer is, whatever its shape: a list, columns, groups of lists; 0 where nothing tells."""
    return len(revealed.seen) // DIGEST + revealed.unlisted
