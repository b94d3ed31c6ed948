"""Which records stand out on this page, and what is left of them?

A combination of values that few people share tells who they are, whatever else is masked (k-anonymity, Sweeney 2002).
Looked at is what is about to be sent, after the walk, so that values which the mask has made alike count as alike. Rules:

1. A record whose combination of the named values is that of fewer than k people on this page loses these values: null in
   JSON, empty in a table. All others stay, byte for byte. People are told apart by the key of the asset, as it came:
   five visits of one person are no crowd of five. Records that lack it are one person; where the asset has no key, or none
   of the page has it, each record counts.
2. Records are those of `records`. What stands beside them, and an answer that is one record, is a page of one: a service
   that wraps its list, or moves a value out of it, shows nothing by it.
3. Values count as alike only where they are spelled alike, stand under the same names, and as often. So doubt suppresses.
4. Only a whole page can be counted. Tables are held; lines and events, which may never end, and forms in which records
   cannot be told apart are withheld.
5. An answer in a stream may change its mask on the way (`allowed`): it is held to the strictest.

It knows this page only: a caller who may ask for many pages meets the same person in another crowd.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Generator, Hashable, Iterable, Sequence

import msgspec
from msgspec import Raw
from msgspec.json import Decoder, decode, encode

from gateway.facts import FieldMask, Mask, Suppress
from gateway.masking.columns import Columns
from gateway.masking.json_body import MAX_VALUES, MAX_WORK, MEMBER, TOO_DEEP
from gateway.masking.json_tree import MAX_DEPTH
from gateway.masking.plan import Plan, State
from gateway.masking.records import NoRecords, Opened, opened
from gateway.masking.room import Seat
from gateway.masking.turns import at_once, with_turns
from gateway.masking.unpack import PIECE, Withheld, gather
from gateway.masking.whom import same

UNCOUNTED = "rare records cannot be told in this form"
"""Why an answer is withheld in which nobody can count."""
SLICE = 128 * 1024
MAX_ROWS = 100_000  # of a table that is held
HELD_ROWS = 8  # bytes that are held of a table for each of its text, as rows and values
STEP = 8192  # records that are counted before others get their turn
_NULL = Raw(b"null")
_ARRAY = b"["[0]
_CONTAINERS = frozenset(b"{[")
_members: Callable[[bytes | Raw], dict[str, Raw]] = Decoder(dict[str, Raw]).decode
_elements: Callable[[bytes | Raw], list[Raw]] = Decoder(list[Raw]).decode

Way = tuple[str, ...]
Values = list[tuple[Way, bytes]]
Key = tuple[tuple[Way, bytes], ...]
"""What of a record counts: where each value stands, and how it is spelled."""
Person = tuple[str, ...]
"""Whom a record is about: the values of its key, () where it has none."""
_UNTOLD: Person = ("",)


def strictest(mask: Mask) -> Suppress | None:
    """What is suppressed of an answer that may be shown through any of the masks for many records."""
    found: Suppress | None = None
    step: Mask | None = mask
    while step is not None:
        if step.suppress is not None:
            fields = {*step.suppress.fields, *(found.fields if found else ())}
            found = Suppress(max(step.suppress.k, found.k if found else 0), tuple(sorted(fields)))
        step = step.beyond
    return found


class Rare:
    """What is suppressed of the answers of one asset, made ready."""

    def __init__(self, suppress: Suppress, records: str, keys: Iterable[str] = ()) -> None:
        self.k = suppress.k
        self.records = records
        whom = Mask("whom", tuple(FieldMask(key, "null") for key in sorted(keys)), "pass")
        self.whom = Plan(whom)
        self.key_columns = Columns(whom, self.whom)
        mask = Mask("suppress", tuple(FieldMask(path, "null") for path in suppress.fields), "pass")
        self.plan = Plan(mask)
        self.columns = Columns(mask, self.plan)


def suppressed(body: bytes, rare: Rare, before: bytes = b"") -> tuple[bytes, int]:
    """A short answer in JSON without its rare combinations, and how many values it lost. Raises Withheld.

    `before` is the answer before the mask was laid over it; without it records are counted, not people.
    """
    return at_once(_slowly(body, rare, before))


async def suppressed_long(body: bytes, rare: Rare, before: bytes = b"") -> tuple[bytes, int]:
    """The same for a long one, with turns for others in between. Raises Withheld."""
    return await with_turns(_slowly(body, rare, before))


def _slowly(body: bytes, rare: Rare, before: bytes) -> Generator[None, None, tuple[bytes, int]]:
    lost: Values = []
    walk = _Walk()
    try:
        found = _opened(body, rare.records)
        state = rare.plan.root
        if found.way is None:
            shown = yield from walk.without(found.records[0], state, lost, ())
            return bytes(shown), len(lost)
        around: list[dict[str, Raw]] = []
        for name, members in zip(found.way, found.around, strict=True):
            beside: dict[str, Raw] = {}
            for one, raw in members.items():  # rule 2: a value that a service puts beside its records is in no crowd
                to = _lead(state, one)
                beside[one] = raw if one == name else (yield from walk.without(raw, to, lost, (one,)))
            around.append(beside)
            state = _lead(state, name)
        records: list[tuple[Raw, Raw, Key]] = []
        for at, raw in enumerate(found.records):
            taken: Values = []
            bare = yield from walk.without(raw, state.element(at), taken, ())
            records.append((raw, bare, tuple(sorted(taken))))
        people = yield from _people(before, rare, walk, len(records))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Withheld("not JSON") from None
    crowd = yield from _crowds([key for _, _, key in records], people)
    yield
    kept = [bare if crowd[key] < rare.k else raw for raw, bare, key in records]
    count = len(lost) + sum(len(key) for _, _, key in records if crowd[key] < rare.k)
    return Opened(found.records, found.way, tuple(around)).without(kept), count


def _people(before: bytes, rare: Rare, walk: "_Walk", count: int) -> Generator[None, None, list[Person]]:
    """Whom each of so many records is about."""
    if not before or rare.whom.root.inert:
        return [()] * count
    found = _opened(before, rare.records)
    if found.way is None or len(found.records) != count:
        return [_UNTOLD] * count  # the mask, or a second reader, has made other records of it: doubt suppresses
    state = rare.whom.root
    for name in found.way:
        state = _lead(state, name)
    people: list[Person] = []
    for at, raw in enumerate(found.records):
        taken: Values = []
        yield from walk.without(raw, state.element(at), taken, ())
        own = min((len(way) for way, _ in taken), default=0)  # whom a record is about, not who stands in it besides
        people.append(tuple(sorted(same(str(decode(text))) for way, text in taken if len(way) == own)))
    return people


def _crowds(keys: Sequence[Hashable], people: Sequence[Person]) -> Generator[None, None, Counter[Hashable]]:
    """How many people have each combination (rule 1)."""
    told: Sequence[Hashable] = people if any(people) else range(len(keys))
    met: set[tuple[Hashable, Hashable]] = set()
    for at in range(0, len(keys), STEP):
        met.update(zip(keys[at : at + STEP], told[at : at + STEP], strict=True))
        yield
    crowd: Counter[Hashable] = Counter()
    for number, (key, _) in enumerate(met):
        crowd[key] += 1
        if number % STEP == 0:
            yield
    return crowd


def _opened(body: bytes, path: str) -> Opened:
    try:
        return opened(body, path)
    except NoRecords:  # the answer, or what the mask has left of it, has another shape: one record
        return Opened([Raw(body)], None)


class _Walk:
    """One walk over one answer, that stops after each slice of it."""

    __slots__ = ("_pending",)

    def __init__(self) -> None:
        self._pending = 0  # bytes since the last stop

    def without(self, raw: Raw, state: State, taken: Values, way: Way) -> Generator[None, None, Raw]:
        """A value without what is named in it; what was taken out of it, but null, goes to `taken`."""
        size = len(memoryview(raw))
        if size <= SLICE:
            self._pending += size + MEMBER
            if self._pending >= SLICE:
                self._pending = 0
                yield
            return _without(raw, state, taken, way)
        if not _holds(raw, state, len(way)):
            return _without(raw, state, taken, way)
        if memoryview(raw)[0] == _ARRAY:
            elements: list[Raw] = []
            for at, one in enumerate(_elements(raw)):
                elements.append((yield from self.without(one, state.element(at), taken, (*way, ""))))
            return Raw(encode(elements))
        members = _members(raw)
        for name, one in members.items():
            members[name] = yield from self.without(one, _lead(state, name), taken, (*way, name))
        return Raw(encode(members))


def _without(raw: Raw, state: State, taken: Values, way: Way) -> Raw:
    """The same for a short value."""
    if state.rule is not None:
        text = bytes(raw)
        if text != b"null":
            taken.append((way, text))
        return _NULL
    if not _holds(raw, state, len(way)):
        return raw
    if memoryview(raw)[0] == _ARRAY:
        each = enumerate(_elements(raw))
        return Raw(encode([_without(one, state.element(at), taken, (*way, "")) for at, one in each]))
    members = _members(raw)
    for name, one in members.items():
        to = _lead(state, name)
        if to.rule is not None or (not to.inert and memoryview(one)[0] in _CONTAINERS):  # most members are neither
            members[name] = _without(one, to, taken, (*way, name))
    return Raw(encode(members))


def _holds(raw: Raw, state: State, depth: int) -> bool:
    """Whether something that is named may be inside of a value. Raises Withheld."""
    view = memoryview(raw)
    if state.rule is not None or state.inert or view[0] not in _CONTAINERS:
        return False
    if depth > MAX_DEPTH or depth * len(view) > MAX_WORK:  # each level reads what lies below it once more
        raise Withheld(TOO_DEEP)
    return True


def _lead(state: State, name: str) -> State:
    if not state.opened:
        state.open()
    return state.edges.get(name, state.other)


# --- tables -----------------------------------------------------------------------------------------


async def held(pieces: AsyncIterator[bytes], limit: int, seat: Seat) -> AsyncIterator[bytes]:
    """A stream that goes on once all of it is there. Raises Withheld beyond the limit, Crowded."""
    text = await gather(pieces, None, limit, seat)
    seat.holds(len(text) * HELD_ROWS)
    for at in range(0, len(text), PIECE):
        yield text[at : at + PIECE]


class Crowd:
    """The rows of a table, held until all of them are known."""

    def __init__(self, rare: Rare, names: list[str]) -> None:
        self._k = rare.k
        self._named = _places(names, rare.columns)
        self._whom = _places(names, rare.key_columns)
        self._rows: list[tuple[list[str], tuple[str, ...]]] = []
        self._people: list[Person] = []
        self._values = 0

    def add(self, row: list[str], came: list[str]) -> None:
        """One row more, as the mask left it and as it came. Raises Withheld."""
        self._values += len(row)
        if len(self._rows) >= MAX_ROWS or self._values > MAX_VALUES:
            raise Withheld(f"not inspected: more than {MAX_ROWS} rows or {MAX_VALUES} values")
        key = tuple(row[at] if at < len(row) else "" for at in self._named)
        self._rows.append((row, key))
        self._people.append(tuple(sorted(same(came[at]) for at in self._whom if at < len(came) and came[at])))

    async def rows(self) -> AsyncIterator[tuple[list[str], int]]:
        """The rows as they may be shown, each with how many values it lost."""
        crowd = await with_turns(_crowds([key for _, key in self._rows], self._people))
        for row, key in self._rows:
            if crowd[key] >= self._k:
                yield row, 0
            else:
                yield ["" if at in self._named else value for at, value in enumerate(row)], sum(map(bool, key))


def _places(names: list[str], columns: Columns) -> list[int]:
    return [at for at, name in enumerate(names) if columns.rule(name) or columns.rule(name.rpartition(".")[2])]
