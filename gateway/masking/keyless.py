"""How many records of this answer does no key tell apart?

A page of infants without a number, and one record with one: whoever counts people would count one. Rules:

1. What stands in a record that has its key is that record: the visits of a patient are no records without a key.
2. Every other element of a list that holds no key counts, at any depth; points of a border do not.
3. It is asked only where an answer has a key and more records than keys, and answered from the text as it came. A text
   that is too long to be read at once has as many as there are records without a key of their own, at most.
"""

import orjson

from gateway.masking.points import is_point
from gateway.masking.whom import same

MOST = 64 * 1024  # bytes: some milliseconds, whatever stands in them
_NESTS = frozenset((dict, list))
MAX_DEPTH = 100

Value = str | int | float | bool | None | dict[str, "Value"] | list["Value"]


def keyless(text: bytes, names: frozenset[str], records: int, people: int) -> int:
    """How many; `names` are those of the members that hold a key, `people` how many keys there are."""
    if not people or records <= people:
        return 0
    try:
        return records - people if len(text) > MOST else _count(orjson.loads(text), names, 0)[1]
    except (orjson.JSONDecodeError, RecursionError):
        return records - people


def _count(value: Value, names: frozenset[str], depth: int) -> tuple[bool, int]:
    """Whether a key stands in it, and how many records without one. Plain loops: half the time of what reads nicer."""
    if depth > MAX_DEPTH:
        raise RecursionError
    keyed, without = False, 0
    if isinstance(value, dict):
        for name in names:
            key = value.get(name)
            if type(key) is int or (type(key) is str and (key.isalnum() or same(key))):
                return True, 0
        for inside in value.values():
            if type(inside) in _NESTS:
                has, count = _count(inside, names, depth + 1)
                keyed, without = keyed or has, without + count
    elif isinstance(value, list):
        for inside in value:
            if isinstance(inside, dict) or (isinstance(inside, list) and not is_point(inside)):
                has, count = _count(inside, names, depth + 1)
                keyed, without = keyed or has, without + (count if has or count else 1)
    return keyed, without
