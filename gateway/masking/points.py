"""Is this a place on a map, and no record?

A border of twelve hundred points is one record with a shape, not twelve hundred records. A point is a list of two to four
numbers, one of which has a fraction: identifiers are whole numbers or texts.
"""

import re
from collections.abc import Sequence

_NUMBERS = frozenset((int, float))
_NUMBER = rb"-?[0-9]{1,20}(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
_TEXT = re.compile(rb"\[\s*%b(?:\s*,\s*%b){1,3}\s*\]" % (_NUMBER, _NUMBER))
_FRACTION = re.compile(rb"[.eE]")
_MOST = 128  # bytes


def is_point(value: Sequence[object]) -> bool:
    """Whether a list that was read is a point."""
    if not 2 <= len(value) <= 4:
        return False
    kinds = {type(number) for number in value}
    return kinds <= _NUMBERS and float in kinds


def is_point_text(text: bytes) -> bool:
    """The same of a list as it stands."""
    return len(text) <= _MOST and _FRACTION.search(text) is not None and _TEXT.fullmatch(text) is not None
