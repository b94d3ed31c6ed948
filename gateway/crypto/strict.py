"""What does this JSON object say, if there is only one way to read it?

Signed JSON is read by several programs; where two of them may differ, it is refused. Rules:

1. UTF-8 without a byte order mark: `json.loads` on bytes also guesses UTF-16 and UTF-32.
2. No member twice, at any depth: parsers keep the first or the last, as they please.
3. No NaN, no Infinity, no number that overflows to one (`1e400`).
4. No lone surrogate: it cannot be written to a header, a log or a database.
5. Nesting is bounded.
"""

import json
from collections.abc import Mapping
from math import isfinite

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]

MAX_DEPTH = 16


class NotStrict(ValueError):
    """The text has no single meaning as a JSON object; the message says why."""


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrict("a member stands twice")
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise NotStrict("a number is too large")
    return number


def _no_constant(text: str) -> float:
    raise NotStrict(f"`{text}` is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=_finite, parse_constant=_no_constant)


def read_object(data: bytes) -> dict[str, Json]:
    """The JSON object in these bytes. Raises NotStrict."""
    try:
        text = data.decode("utf-8")  # strict: a surrogate in UTF-8 or an overlong form is refused here
        value: Json = _DECODER.decode(text)
    except NotStrict:
        raise
    except RecursionError:
        raise NotStrict("nested too deeply") from None
    except ValueError:  # not UTF-8, not JSON, or an integer of thousands of digits
        raise NotStrict("is not JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise NotStrict("is not an object")
    if not shallow(value):
        raise NotStrict("nested too deeply")
    if "\\u" in text and not _encodable(value):
        raise NotStrict("holds half of a surrogate pair")
    return value


def shallow(value: Json, depth: int = MAX_DEPTH) -> bool:
    """Whether nesting stays within `depth` levels."""
    if isinstance(value, dict):
        return depth > 0 and all(shallow(item, depth - 1) for item in value.values())
    if isinstance(value, list):
        return depth > 0 and all(shallow(item, depth - 1) for item in value)
    return True


def _encodable(value: Mapping[str, Json]) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
