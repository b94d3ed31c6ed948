"""Does what we are about to send hold an identifier that we promised to hide?

A second look at our own output, by somebody who knows nothing of paths and labels: a label that misses a field, a
service that moved one, a number inside a text. Rules:

1. Only identifiers that a value tells by itself are looked for (`WATCHED`): a gate that guessed would stop answers
   that are in order.
2. It is looked at in the spelling in which it stands, single spaces or hyphens between digits included; and where that
   may hide one (`spelling`) once more as a reader sees it. What is found in either is found.
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
    fits,
)
from gateway.detect.spelling import PLATE_SIGNS, read_out, signs

try:
    import re2
except ImportError:  # an optional extra: the gate is as strict without it
    re2 = None

ENGINE: Final = "re2" if re2 is not None else "re"
"""Which engine looks for candidates: `re2`, or `re` where google-re2 is not installed."""

_DIGIT = "[0-9]"
_YEAR = ("(?:1[ -]?[89]|2[ -]?0)", _DIGIT, _DIGIT)
_DAY = ("(?:0[ -]?[1-9]|1[ -]?[0-2])", "(?:0[ -]?[1-9]|[12][ -]?[0-9]|3[ -]?[01])")
_PARTED_ID = "[ -]?".join(("[1-9]", *[_DIGIT] * 5, *_YEAR, *_DAY, *[_DIGIT] * 3, "[0-9Xx]"))
"""A resident id as people part it: `330106 19900307 2319`, `3301 0619 9003 0723 19`."""
_NO_DIGIT = "[^0-9]"
_NO_WORD = "[^0-9A-Za-z]"
_ESCAPE = r"\\(?:u[0-9A-Fa-f]{4}|[bfnrt])|%[0-9A-Fa-f]{2}"
"""What may stand in front although it ends like a word or a number: `\\n13800138000`, `\\u8bdd13800138000`."""


class _Form(Struct, frozen=True):
    """How an identifier looks in bytes: its pattern, what may not touch it, whether it has a run of eleven digits."""

    pattern: str
    beside: str
    digits: bool = True

    @property
    def bytes(self) -> bytes:
        """The pattern over bytes, with what may not touch it."""
        return f"(?:^|{self.beside}|{_ESCAPE})({self.pattern})(?:{self.beside}|$)".encode()


_FORMS: dict[str, _Form] = {
    # a resident id is looked for inside longer words too (`ID330106…`): eighteen digits with three checks are no accident
    "resident-id": _Form(_PARTED_ID, _NO_DIGIT),
    "phone": _Form(MOBILE, _NO_WORD),
    "bank-card": _Form(CARD, _NO_WORD),
    "credit-code": _Form(CREDIT_CODE, _NO_WORD, digits=False),
    "email": _Form(EMAIL, _NO_WORD, digits=False),
    "plate": _Form(PLATE_BYTES, _NO_WORD, digits=False),
}
WATCHED: Final = frozenset(_FORMS)
"""The identifiers that a gate can look for."""

_WIDE = "[Ff]{2}(?:0[DdEe]|1[0-9]|2[0-9A-Fa-f]|3[0-9Aa]|[45][0-9A-Fa-f])"
_SPELLED = (
    rf"\\u(?:00[0-7]|{_WIDE})".encode() + rb"|\xef\xbc[\x8d\x8e\x90-\x99\xa0-\xba]|\xef\xbd[\x81-\x9a]",
    *signs(),
)
"""Where digits and letters may be written otherwise: an escape of JSON, full-width (in UTF-8), and what `spelling` knows."""
_SPELLED_PLATE = rf"\\u(?i:{PLATE_SIGNS})[A-HJ-Z]".encode()
_IS_SPELLED = re.compile(b"|".join((*_SPELLED, _SPELLED_PLATE)))
_BEFORE_POINT = re.compile(rb"[\[,:][ \t\r\n]{0,8}-?[0-9]{1,17}\.\Z")
_OPENING = frozenset(b",:[{\\ \t\r\n")  # before a mark that opens a text, or is written in one
_CLOSING = frozenset((b"", b",", b":", b"]", b"}", b" ", b"\t", b"\r", b"\n"))  # behind a mark that ends a text
_AFTER_NUMBER = frozenset({b",", b"]", b"}", b" ", b"\r", b"\n", b"\t", b"e", b"E"})
_RUNS = bytes(48 if 48 <= byte <= 57 else 32 for byte in range(256))
_RUN = b"0" * 11
_BETWEEN = b"- \x7f" + bytes(range(9)) + bytes(range(14, 32))  # what may stand between digits and is ASCII


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
        spelled = [*_SPELLED, _SPELLED_PLATE] if "plate" in parts else _SPELLED
        self._any_spelling = _candidates([*spelled, *parts.values()])
        self._plain = _candidates(parts.values())
        self._only_digits = re2 is None and all(_FORMS[one].digits for one in self.identifiers)

    def found(self, body: bytes) -> tuple[str, ...]:
        """The identifiers that stand in the body, each once."""
        if not self.identifiers or (self._only_digits and not _may_hold_digits(body)):
            return ()
        found: set[str] = set()
        if self._look(body, self._any_spelling, found):
            self._look(read_out(body), self._plain, found)
        return tuple(sorted(found))

    def _look(self, body: bytes, pattern: _Pattern, found: set[str]) -> bool:
        """Add what stands in one reading of the body; whether another reading may show more."""
        at, otherwise = 0, False
        while len(found) < len(self.identifiers) and (match := pattern.search(body, at)) is not None:
            start = match.start()
            if pattern is self._any_spelling and _IS_SPELLED.match(body, start) is not None:
                otherwise, at, pattern = True, start, self._plain
            else:
                found.update(self._begin_at(body, start))
                at = start + 1
        return otherwise

    def _begin_at(self, body: bytes, start: int) -> Iterator[str]:
        """Every identifier that begins here: a resident id must not hide behind a credit code that it also looks like."""
        for identifier, form in self._forms.items():
            match = form.match(body, start)
            if match is None or (identifier != "resident-id" and _is_fraction(body, *match.span(1))):
                continue  # a day and a check digit besides: no share looks like a resident id
            if fits(DETECTORS[identifier], _bare(match[1])):
                yield identifier


def _is_fraction(body: bytes, start: int, end: int) -> bool:
    """Whether this is what follows the point of a number: every thousandth share looks like a bank card."""
    if body[start - 1 : start] != b"." or body[end : end + 1] not in _AFTER_NUMBER or not body[start:end].isdigit():
        return False
    return _BEFORE_POINT.search(body[max(0, start - 32) : start]) is not None and not _in_text(body, start)


def _in_text(body: bytes, at: int) -> bool:
    """Whether this stands in a text of JSON: a list that somebody wrote (`名单:1.6222…`) is no number.

    The mark before it opens a text or ends one; where the body is a part that has none before it, the one behind it tells.
    """
    mark = body.rfind(b'"', 0, at)
    if mark >= 0:
        return mark == 0 or body[mark - 1] in _OPENING
    mark = body.find(b'"', at)
    return mark >= 0 and (body[mark - 1 : mark] == b"\\" or body[mark + 1 : mark + 2] in _CLOSING)


def _bare(found: bytes) -> str:
    """A candidate without the separators that people write."""
    return found.translate(None, b"- ").decode("utf-8", "replace")


def _may_hold_digits(body: bytes) -> bool:
    """Whether eleven digits may stand in a row, whatever their spelling; told quickly where all is ASCII."""
    if _RUN in body.translate(_RUNS, _BETWEEN):
        return True
    plain = body.isascii() and not any(sign in body for sign in (b"\\u", b"&", b"%"))
    return not plain and _IS_SPELLED.search(body) is not None
