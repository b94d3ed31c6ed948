"""How does an answer say whom it was given to, without saying anything else?

By the order of the members in its objects. JSON gives that order no meaning, parsing and writing again keep it, and a
record that is taken out of the answer takes it along. Promised:

1. Values stay byte for byte, elements of arrays stay where they are, nothing is added: whoever compares two answers
   sees two orders.
2. The order of an object is drawn by a keyed function from the recipient and from what stands in the object: its names
   and plain values. Without the key neither can be told from an order that was thrown by dice, and no two records of a
   recipient share one. What is nested inside has a mark of its own, so that a list that was shortened keeps the marks
   of its wrapper.
3. Numbers count by their value: `100`, `100.0` and `1e2` are the same to most programs that hand data on.
4. An object of fewer than three members carries nothing. Nor do tables: the order of rows and columns has a meaning.
"""

from collections.abc import AsyncIterator, Generator
from math import factorial

import msgspec
import orjson
from msgspec import Raw, Struct
from msgspec.json import Decoder, encode

from gateway.crypto.suite import INTL, Digest, Suite
from gateway.masking.json_body import MEMBER, SLICE, runs
from gateway.masking.json_tree import MAX_DEPTH
from gateway.masking.turns import with_turns

LEAST = 3
"""Members below which an order tells nothing worth noting."""
MOST = 32
"""Members of one object that are put in another order, the first by name: 32! is below 2^118, half of a digest."""

_members = Decoder(dict[str, Raw]).decode
_elements = Decoder(list[Raw]).decode
_plain = Decoder(str | float | bool | None).decode
_ARRAY = b"["[0]
_CONTAINERS = frozenset(b"{[")
_EXACT = 1 << 53
_SEPARATOR = b"\x1e"
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

Value = str | int | float | bool | None | dict[str, "Value"] | list["Value"]


class Mark:
    """The order that belongs to one recipient."""

    __slots__ = ("_keyed", "_who", "digest")

    def __init__(self, keyed: Digest, digest: Digest, recipient: str) -> None:
        self._keyed = keyed
        self._who = digest(recipient.encode("utf-8", "surrogatepass"))  # of fixed length: no two pairs run together
        self.digest = digest

    def order(self, content: bytes, count: int) -> int:
        """Which of the `count`! orders belongs to an object with this content, given as a digest."""
        return int.from_bytes(self._keyed(self._who + content)) % ORDERS[count]


class Marks:
    """Makes the mark of each recipient, under one key."""

    def __init__(self, secret: bytes, suite: Suite = INTL) -> None:
        self._keyed: Digest = suite.keyed(suite.derived(secret, "mask/watermark", 32))
        self.digest: Digest = suite.digest

    def of(self, recipient: str) -> Mark:
        """The mark of this subject."""
        return Mark(self._keyed, self.digest, recipient)


ORDERS = tuple(factorial(count) for count in range(MOST + 1))


class Seen(Struct, frozen=True):
    """One object as it was found: what stands in it (a digest), how many members, in which order they came."""

    content: bytes
    count: int
    order: int


def marked(text: bytes, mark: Mark) -> bytes:
    """The same JSON text with the mark in the order of its members; what is no JSON is left as it is."""
    tree = _tree(text)
    try:
        return _raw(text, mark, 0) if tree is None else orjson.dumps(_ordered(tree, mark))
    except _BROKEN:
        return text


async def marked_long(text: bytes, mark: Mark) -> bytes:
    """The same for a long text, in slices between which other requests get their turn."""
    try:
        return await with_turns(_slices(text, mark, 0, [0]))
    except _BROKEN:
        return text


async def marked_lines(units: AsyncIterator[bytes], mark: Mark) -> AsyncIterator[bytes]:
    """Texts that come one by one, each with its mark; a record separator in front stays."""
    async for unit in units:
        lead = _SEPARATOR if unit.startswith(_SEPARATOR) else b""
        yield lead + marked(unit.removeprefix(_SEPARATOR).removesuffix(b"\n"), mark) + b"\n"


def _tree(text: bytes) -> Value:
    """The values of a text that reads the same when it is written again; None for any other."""
    try:
        tree: Value = orjson.loads(text)
        return tree if orjson.dumps(tree) == text else None
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError):
        return None


def _ordered(value: Value, mark: Mark) -> Value:
    if type(value) is list:
        return [_ordered(each, mark) if type(each) in _NESTS else each for each in value]
    if type(value) is not dict:
        return value
    for name, inside in value.items():
        if type(inside) in _NESTS:
            value[name] = _ordered(inside, mark)
    if len(value) < LEAST:
        return value
    return {name: value[name] for name in _placed(sorted(value), _order(value, mark))}


_NESTS = (dict, list)


def _raw(text: bytes | Raw, mark: Mark, depth: int) -> bytes:
    """The same for a text whose values would be written otherwise than they came; what nests too deeply stays."""
    first = memoryview(text)[0]
    if first not in _CONTAINERS or depth > MAX_DEPTH:
        return bytes(text)
    if first == _ARRAY:
        return encode([Raw(_raw(each, mark, depth + 1)) for each in _elements(text)])
    return _rewritten({name: Raw(_raw(each, mark, depth + 1)) for name, each in _members(text).items()}, mark)


def _rewritten(members: dict[str, Raw], mark: Mark) -> bytes:
    if len(members) < LEAST:
        return encode(members)
    order = _order({name: _opened(raw) for name, raw in members.items()}, mark)
    return encode({name: members[name] for name in _placed(sorted(members), order)})


def _opened(raw: Raw) -> Value:
    """A plain value; an empty list in the place of what is nested, or a number beyond all bounds."""
    try:
        return [] if memoryview(raw)[0] in _CONTAINERS else _plain(raw)
    except msgspec.MsgspecError:
        return []


def _slices(text: bytes | Raw, mark: Mark, depth: int, pending: list[int]) -> Generator[None, None, bytes]:
    """As `marked`, with a pause after each slice; `pending` counts the bytes since the last one, and what a member costs."""
    size, first = len(memoryview(text)), memoryview(text)[0]
    pending[0] += size
    if pending[0] >= SLICE:
        pending[0] = 0
        yield
    if size <= SLICE or first not in _CONTAINERS or depth > MAX_DEPTH:
        return marked(bytes(text), mark) if size <= SLICE else bytes(text)
    if b"{" not in bytes(text):
        return bytes(text)  # half a million numbers hold no object that could carry a mark
    if first == _ARRAY:
        shown: list[Raw] = []
        # many small objects are written together: one by one, each keeps a page of memory
        for run in runs(_elements(text), MEMBER):
            pending[0] += MEMBER * len(run)
            together = bytes(run[0]) if len(run) == 1 else b"[%b]" % b",".join(run)
            done = yield from _slices(together, mark, depth + 1, pending)
            shown.append(Raw(done if len(run) == 1 else done[1:-1]))
        return encode(shown)
    members = _members(text)
    for name, inside in members.items():
        pending[0] += MEMBER
        if memoryview(inside)[0] in _CONTAINERS or pending[0] >= SLICE:
            members[name] = Raw((yield from _slices(inside, mark, depth + 1, pending)))
    return _rewritten(members, mark)


def _order(members: dict[str, Value], mark: Mark) -> int:
    return mark.order(mark.digest(_content(members)), min(len(members), MOST))


def _content(members: dict[str, Value]) -> bytes:
    """The names and plain values of an object in one spelling."""
    plain = {name: value if type(value) is str else _same(value) for name, value in members.items()}
    try:
        return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # half a surrogate pair: no program hands that on as it is
        return b""


def _same(value: Value) -> Value:
    """A plain value in one spelling; what is nested is not looked at."""
    if value is None or value is True or value is False or type(value) is str:
        return value
    if type(value) is int:
        return value if -_EXACT < value < _EXACT else float(value)
    if type(value) is float:
        return int(value) if value.is_integer() and -_EXACT < value < _EXACT else value
    return []


def _placed(names: list[str], order: int) -> list[str]:
    """The names in the order with this number: each digit, in the factorial number system, takes one name away."""
    left, placed = names[:MOST], []
    for count in range(len(left), 0, -1):
        order, at = divmod(order, count)
        placed.append(left.pop(at))
    return placed + names[MOST:]


def order_of(found: list[str]) -> int:
    """The number of the order in which names were found: what `_placed` was given."""
    left = sorted(found)[:MOST]
    movable = set(left)
    order, weight = 0, 1
    for name in [name for name in found if name in movable]:
        at = left.index(name)
        order += at * weight
        weight *= len(left)
        del left[at]
    return order


def seen(value: Value, digest: Digest = INTL.digest) -> Generator[Seen, None, None]:
    """Every object in a value that can carry a mark, as it is."""
    waiting: list[Value] = [value]
    while waiting:
        here = waiting.pop()
        if type(here) is list:
            waiting += [each for each in here if type(each) in _NESTS]
        elif type(here) is dict:
            waiting += [each for each in here.values() if type(each) in _NESTS]
            if len(here) >= LEAST:
                content = digest(_content(here))
                yield Seen(content, min(len(here), MOST), order_of(list(here)))
