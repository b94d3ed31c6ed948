"""What does a token stand for?

`t1.…` is the value itself, sealed for one department: there is no vault that could be read, and nothing to keep in step.
Sealed with it are the asset and the label it came from, so that a token is judged as the data that it is, under the
catalog and the rules of today. Rules:

1. Whoever changes a bit, brings a token to another department, or seals something else as a token (`e1.…`) gets the
   same nothing.
2. One value has one token, spelled in one way: another spelling of the same bytes would be revealed a second time.
"""

import re

from msgspec import Struct

from gateway.masking.keys import TOKEN, Keys, Ring, unsealed
from gateway.masking.techniques import REDACTED, Apply

MAX_TOKEN = 16 * 1024
_HEAD = re.compile(r"([0-9]{1,5}) ([0-9]{1,5}) ", re.ASCII)


class Origin(Struct, frozen=True):
    """Where the value behind a token came from: asset and label."""

    asset: str
    path: str


class Opened(Struct, frozen=True):
    """A token that was opened."""

    origin: Origin
    value: str


def tokens(origin: Origin) -> Apply:
    """What makes tokens of the values under one label."""
    # lengths first: neither an asset nor a path can run over into what follows
    head = f"{len(origin.asset)} {len(origin.path)} {origin.asset}{origin.path}"

    def apply(text: str, keys: Keys) -> str:
        token = keys.sealed(head + text, TOKEN)
        return token if len(token) <= MAX_TOKEN else REDACTED  # it could never be brought back

    return apply


def opened(token: str, keys: Ring) -> Opened | None:
    """What is behind a token, or None; `keys` are those of the caller's department."""
    text = unsealed(token, TOKEN, keys)
    head = _HEAD.match(text) if text is not None else None
    if text is None or head is None:
        return None
    at = head.end()
    middle, end = at + int(head[1]), at + int(head[1]) + int(head[2])
    return Opened(Origin(text[at:middle], text[middle:end]), text[end:]) if end <= len(text) else None
