"""Whom is this answer about?

The field that tells records apart (a resident id, a credit code) becomes a keyed digest of eight bytes for the record of
who saw whom, the same for every department and however the value is written. The value itself is kept nowhere.
"""

from collections.abc import Iterable

from gateway.detect.spelling import as_seen
from gateway.facts import MAX_SEEN, Revealed
from gateway.masking.keys import Keys

LONG = 1024  # characters: no identifier is as long, and so each of them counts by itself, however it is written
DIGEST = 8  # bytes


def same(text: str) -> str:
    """One spelling for an identifier however it is written: full-width, with spaces, dashes or controls, in small letters."""
    if not (text.isascii() and text.isprintable()):
        text = as_seen(text)
    return "".join(text.upper().replace("-", "").split())


def digests(heard: Iterable[object], keys: Keys) -> tuple[bytes, int]:
    """The digests of these texts, each once, and how many more there are than are listed. A blank one is nobody's.

    Those that are not listed are not compared with each other: written in two ways they count twice, and it is done soon.
    """
    found: dict[bytes, None] = {}
    values = iter(dict.fromkeys(heard))
    for value in values:
        whom = _whom(value)
        if whom:
            found[keys.about(whom)] = None
            if len(found) == MAX_SEEN:
                break
    return b"".join(found), sum(1 for value in values if type(value) is str and value.strip())


def _whom(value: object) -> str:
    if type(value) is not str:
        return ""
    return same(value) if len(value) <= LONG else value


def told_apart(revealed: Revealed) -> int:
    """About how many of them an answer is, whatever its shape: a list, columns, groups of lists; 0 where nothing tells."""
    return len(revealed.seen) // DIGEST + revealed.unlisted
