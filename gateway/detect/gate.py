"""Does what we are about to send hold an identifier that we promised to hide?

A second look at our own output, by somebody who knows nothing of paths and labels: a label that misses a field, a
service that moved one, a number inside a text. Rules:

1. Only identifiers that a value tells by itself are looked for (`WATCHED`): a gate that guessed would stop answers
   that are in order.
2. Whatever spelling a reader sees is looked at: `\\u0033`, full-width digits and digits with single spaces or hyphens
   between them are read as digits.
3. The answer is yes or no, which identifiers: never a value.

One regular expression over the bytes finds candidates, the checks of `identifiers` confirm them. RE2 runs it at
650 MB/s; where it is not installed Python's own engine takes its place, some fifty times slower, behind a quick
look for any run of digits.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from msgspec import Struct

from gateway.detect.identifiers import (
    CARD,
    CREDIT_CODE,
    DETECTORS,
    EMAIL,
    MOBILE,
    PLATE_BYTES,
    RESIDENT_ID,
    fits,
    plain,
)

try:
    import re2
except ImportError:  # an optional extra: the gate is as strict without it
    re2 = None

ENGINE: Final = "re2" if re2 is not None else "re"
"""Which engine looks for candidates: `re2`, or `re` where google-re2 is not installed."""

_NO_DIGIT = "[^0-9]"
_NO_WORD = "[^0-9A-Za-z]"


class _Form(Struct, frozen=True):
    """How an identifier looks in bytes: its pattern, what may not touch it, whether it has a run of eleven digits."""

    pattern: str
    beside: str
    digits: bool = True

    @property
    def bytes(self) -> bytes:
        """The pattern over bytes, with what may not touch it."""
        return f"(?:^|{self.beside})({self.pattern})(?:{self.beside}|$)".encode()


_FORMS: dict[str, _Form] = {
    # a resident id is looked for inside longer words too (`ID330106…`): eighteen digits with three checks are no accident
    "resident-id": _Form(RESIDENT_ID, _NO_DIGIT),
    "phone": _Form(MOBILE, _NO_WORD),
    "bank-card": _Form(CARD, _NO_WORD),
    "credit-code": _Form(CREDIT_CODE, _NO_WORD, digits=False),
    "email": _Form(EMAIL, _NO_WORD, digits=False),
    "plate": _Form(PLATE_BYTES, _NO_WORD, digits=False),
}
WATCHED: Final = frozenset(_FORMS)
"""The identifiers that a gate can look for."""

_ESCAPED = re.compile(rb"\\u00([0-7][0-9A-Fa-f])")
_SPELLED = rb"\\u00[0-7]|\xef\xbc[\x90-\x99\xa1-\xba]"
_IS_SPELLED = re.compile(_SPELLED)
"""Digits and letters that are not written as such: an escape of JSON, or full-width (in UTF-8)."""
_RUNS = bytes(48 if 48 <= byte <= 57 else 32 for byte in range(256))
_RUN = b"0" * 11


class _Pattern(Protocol):
    def search(self, body: bytes, pos: int = 0) -> "re.Match[bytes] | None": ...


def _candidates(parts: Iterable[bytes]) -> _Pattern:
    """Where any of these begins."""
    pattern = b"|".join(parts)
    if re2 is None:
        return re.compile(pattern)
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes as they are: whatever is not UTF-8 is looked at too
    options.never_capture = True
    made: _Pattern = re2.compile(pattern, options)
    return made


class Gate:
    """The look for some identifiers; those that cannot be told by their value are not looked for."""

    def __init__(self, identifiers: Iterable[str]) -> None:
        self.identifiers = tuple(sorted(WATCHED.intersection(identifiers)))
        parts = {one: _FORMS[one].bytes for one in self.identifiers}
        self._forms = {one: re.compile(part) for one, part in parts.items()}
        self._any_spelling = _candidates([_SPELLED, *parts.values()])
        self._plain = _candidates(parts.values())
        self._only_digits = re2 is None and all(_FORMS[one].digits for one in self.identifiers)

    def found(self, body: bytes) -> tuple[str, ...]:
        """The identifiers that stand in the body, each once."""
        if not self.identifiers or (self._only_digits and not _may_hold_digits(body)):
            return ()
        found: set[str] = set()
        at, pattern = 0, self._any_spelling
        while len(found) < len(self.identifiers) and (match := pattern.search(body, at)) is not None:
            start = match.start()
            if pattern is self._any_spelling and _IS_SPELLED.match(body, start) is not None:
                # a raw member keeps the spelling of the service; it is read as a reader would
                body, at, pattern = _spelled_out(body), 0, self._plain
            else:
                found.update(self._begin_at(body, start))
                at = start + 1
        return tuple(sorted(found))

    def _begin_at(self, body: bytes, start: int) -> Iterator[str]:
        """Every identifier that begins here: a resident id must not hide behind a credit code that it also looks like."""
        for identifier, form in self._forms.items():
            match = form.match(body, start)
            if match is not None and fits(DETECTORS[identifier], match[1].decode("utf-8", "replace")):
                yield identifier


def _may_hold_digits(body: bytes) -> bool:
    """Whether eleven digits may stand in a row, whatever their spelling; told quickly."""
    return _RUN in body.translate(_RUNS, b"- ") or b"\\u00" in body or b"\xef\xbc" in body


def _spelled_out(body: bytes) -> bytes:
    """The body with plain digits and letters where they were escaped or full-width."""
    text = _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), body).decode("utf-8", "replace")
    return plain(text).encode()
