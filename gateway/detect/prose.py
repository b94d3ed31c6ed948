"""Where in a text that people wrote does an identifier stand?

For answers without fields: plain text, HTML, a remark. Only identifiers whose form is their own are looked for; names
and addresses are not told from other words, so a text that must not show them is not shown at all.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from msgspec import Struct

from gateway.detect.identifiers import CARD, CREDIT_CODE, DETECTORS, EMAIL, MOBILE, PLATE, RESIDENT_ID, fits

_NO_WORD = r"(?<![0-9A-Za-z]){}(?![0-9A-Za-z])"
_FORMS: dict[str, str] = {
    "resident-id": rf"(?<![0-9]){RESIDENT_ID}(?![0-9])",
    "email": _NO_WORD.format(EMAIL),
    "plate": _NO_WORD.format(f"(?:{PLATE})"),
    "bank-card": _NO_WORD.format(CARD),
    "phone": _NO_WORD.format(MOBILE),
    "credit-code": _NO_WORD.format(CREDIT_CODE),
    "landline": _NO_WORD.format(
        r"(?:0(?:10|2[0-9])[- ][2-8][0-9]{7}|0[3-9][0-9]{2}[- ][2-8][0-9]{6,7}|[48]00[- ][0-9]{3}[- ][0-9]{4})"
    ),
}
FOUND_IN_PROSE = frozenset(_FORMS)
"""The identifiers that can be told in a text."""

_FULL_WIDTH = {0xFF10 + digit: 0x30 + digit for digit in range(10)} | {
    0xFF21 + letter: 0x41 + letter for letter in range(26)
}


class Span(Struct, frozen=True):
    """An identifier in a text: from `start` to before `end`, in characters."""

    identifier: str
    start: int
    end: int


@lru_cache(maxsize=256)
def _pattern(wanted: frozenset[str]) -> tuple[re.Pattern[str], tuple[str, ...]]:
    order = tuple(one for one in _FORMS if one in wanted)
    return re.compile("|".join(f"({_FORMS[one]})" for one in order)), order


def spans(text: str, wanted: Iterable[str] = FOUND_IN_PROSE) -> tuple[Span, ...]:
    """The identifiers in a text, in order and without overlap; those not told in prose are not looked for."""
    pattern, order = _pattern(FOUND_IN_PROSE.intersection(wanted))
    if not order:
        return ()
    flat = text.translate(_FULL_WIDTH) if not text.isascii() else text  # one character for one: places stay
    found: list[Span] = []
    at = 0
    while (match := pattern.search(flat, at)) is not None:
        place = match.lastindex or 1
        identifier = order[place - 1]
        start, end = match.span(place)
        if fits(DETECTORS[identifier], match[place]):
            found.append(Span(identifier, start, end))
            at = end
        else:
            at = start + 1
    return tuple(found)


def masked(text: str, shown: Callable[[Span, str], str], wanted: Iterable[str] = FOUND_IN_PROSE) -> str:
    """The text with every identifier replaced by what `shown` makes of it."""
    parts: list[str] = []
    at = 0
    for span in spans(text, wanted):
        parts += (text[at : span.start], shown(span, text[span.start : span.end]))
        at = span.end
    return "".join((*parts, text[at:]))
