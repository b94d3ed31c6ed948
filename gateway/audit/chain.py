"""Is this journal what its writer wrote, line after line?

A line is `<digest> <json>` and a newline; the digest covers the digest before it and the json. The
first line rests on the digest of the journal's own name, so that no line can move to another journal.
The chain carries no secret: it finds accidents and careless hands at once. What it cannot stop, a
writer of the file who recomputes it all, is stopped a second later by the signed checkpoint.
"""

import re
from binascii import hexlify, unhexlify
from hashlib import sha256
from time import gmtime, strftime

from gateway.audit.entry import Malformed

SUFFIX = ".log"
_JOURNAL = re.compile(r"[0-9]{8}T[0-9]{6}-[a-z]{1,16}[0-9]{0,6}-[0-9a-f]{6}\Z")
_LINE = re.compile(rb"([0-9a-f]{64}) (\{[^\n]*\})\Z")


def journal_id(at: float, name: str, nonce: str) -> str:
    """The name of one journal: `20260921T133320-worker0-9f3a1c`; `at` on the wall clock.

    Raises ValueError when the parts do not make a name, because it becomes a file name.
    """
    journal = f"{strftime('%Y%m%dT%H%M%S', gmtime(at))}-{name}-{nonce}"
    if not is_journal(journal):
        raise ValueError(f"`{journal}` is not the name of a journal")
    return journal


def is_journal(text: str) -> bool:
    """Whether this is the name of a journal, and nothing that could lead to another folder."""
    return _JOURNAL.match(text) is not None


def start(journal: str) -> bytes:
    """The digest on which the first line rests."""
    return sha256(journal.encode()).digest()


def link(previous: bytes, raw: bytes) -> bytes:
    """The digest of the line with these json bytes after the line with the digest `previous`."""
    return sha256(previous + raw).digest()


def write(digest: bytes, raw: bytes) -> bytes:
    """The line as it stands in the file."""
    return b"%b %b\n" % (hexlify(digest), raw)


def read(line: bytes) -> tuple[bytes, bytes]:
    """Digest and json of a line without its newline. Raises Malformed."""
    match = _LINE.match(line)
    if match is None:
        raise Malformed("not a line of a journal")
    return unhexlify(match[1]), match[2]
