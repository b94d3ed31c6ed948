"""What is left of a JSON answer once the mask has been laid over it?

One walk over the raw text. Promised:

1. A value that is not masked stays as it was, byte for byte: numbers of any length and spelling,
   escapes, and everything inside a branch in which nothing is masked. The order of members stays.
   The white space between members that were walked does not stay, and of a member that stands
   several times the last one does: readers disagree about which one counts, so only one is sent.
2. What is not one JSON text in UTF-8, or nests deeper than `MAX_DEPTH`, is not shown at all; nor is an
   answer that was written as a text once more (`"{\\"id\\": …}"`), unless that text is masked as a whole.
3. Below a mask, and where unlabelled values are redacted, a name that does not look like a name is
   data (`{"330106199003072319": {…}}`) and is hidden as well.

msgspec hands out the members of an object as raw text (`Raw`), so that only labelled branches are
ever decoded; parsing and writing everything again would change numbers the gateway does not own.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from msgspec import MsgspecError, Raw
from msgspec.json import Decoder, encode

from gateway.facts import Revealed
from gateway.masking.json_tree import MAX_DEPTH, SPACE, mask_branch, mask_tree, told
from gateway.masking.keys import Keys
from gateway.masking.names import MAX_NAME, MAX_UNLABELLED, Trail
from gateway.masking.plan import Plan, Rule, State
from gateway.masking.points import is_point_text
from gateway.masking.techniques import REDACTED
from gateway.masking.turns import turn
from gateway.masking.whom import digests

MAX_VALUES = 500_000  # each costs about 200 bytes while it is walked: eight megabytes of `1,` would take a gigabyte
DENSEST = 20  # bytes per value of an answer that may have more of them, because its API allows for a longer one
MAX_MEMBERS = 50_000  # of one object: its names are looked at in one go
MAX_ASKED = 2_000  # names of one object that no label names: of more than those each may be data
MAX_WORK = 128 * 1024 * 1024  # bytes times levels: each level reads what lies below it once more
TOO_DEEP = "not inspected: nested too deeply"
SLICE = 64 * 1024  # bytes walked before others get their turn: about a millisecond
MISSES = 3  # runs of a list that failed as trees, after which the rest is not tried
MEMBER = 128  # bytes whose walk costs as much as meeting one more member

_members: Callable[[bytes | Raw], dict[str, Raw]] = Decoder(dict[str, Raw]).decode
_elements: Callable[[bytes | Raw], list[Raw]] = Decoder(list[Raw]).decode
_text: Callable[[bytes | Raw], str] = Decoder(str).decode
_scalar: Callable[[bytes | Raw], object] = Decoder(str | float | bool | None).decode

_OBJECT, _ARRAY, _QUOTE = b'{["'
_CONTAINERS = frozenset(b"{[")
_DIGITS = frozenset(b"-0123456789")
_NOTHING = frozenset({b"null", b'""'})  # nothing to hide, and hiding it would claim there was something
_NULL = Raw(b"null")

Shown = Raw | str | int | float | None | dict[str, "Shown"] | list["Shown"]


class NotJson(ValueError):
    """The body cannot be inspected; the text says why, without any of its content."""


def mask_json(body: bytes, plan: Plan, keys: Keys) -> tuple[bytes, Revealed]:
    """The body with the plan applied, and what was done. Raises NotJson."""
    return mask_tree(body, plan, keys) or mask_raw(body, plan, keys)


def mask_raw(body: bytes, plan: Plan, keys: Keys) -> tuple[bytes, Revealed]:
    """The same for a text that does not read the same when it is written again. Raises NotJson."""
    text = _stripped(body, plan)
    walk = _Walk(plan, keys)
    try:
        shown = walk.value(text, plan.root, 0, None)
        return encode(shown), walk.revealed(text)
    except (MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotJson(_why(error)) from None


async def mask_long_json(body: bytes, plan: Plan, keys: Keys) -> tuple[bytes, Revealed]:
    """The same for a long body, in slices between which other requests get their turn."""
    text = _stripped(body, plan)
    walk = _Walk(plan, keys)
    try:
        shown = await walk.long_value(text, plan.root, 0, None)
        await turn()
        return encode(shown), walk.revealed(text)
    except (MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotJson(_why(error)) from None


def _stripped(body: bytes, plan: Plan) -> bytes:
    """The text itself: a byte order mark or white space in front must not hide what follows."""
    text = body.removeprefix(b"\xef\xbb\xbf").strip(SPACE)
    if not text:
        raise NotJson("not JSON: nothing but white space")
    if text[0] not in _CONTAINERS:
        _whole(text)
        if plan.root.rule is None and _holds_json(text):
            raise NotJson("not inspected: a text that holds JSON")
    check_values(text)
    return text


def check_values(text: bytes) -> None:
    """Raises NotJson where the values of a text would take too much room; looked at before anything is taken apart."""
    most = max(MAX_VALUES, len(text) // DENSEST)
    if len(text) > most and sum(map(text.count, (b",", b"[", b"{"))) > most:
        raise NotJson(f"not inspected: more than {most} values")


def _whole(text: bytes) -> None:
    """A lone value must be one value and nothing else; objects and arrays are checked as they are opened."""
    try:
        _scalar(text)
    except (MsgspecError, UnicodeDecodeError) as error:
        raise NotJson(_why(error)) from None


def _holds_json(text: bytes) -> bool:
    """Whether a text is an answer that was written as a text once more, or several times."""
    try:
        while text[:1] == b'"':
            text = _text(text).strip(" \t\n\r\ufeff").encode()
        if text[:1] == b"{":
            _members(text)
        elif text[:1] == b"[":
            _elements(text)
        else:
            return False
    except RecursionError:
        return True
    except MsgspecError:
        return False
    return True


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return TOO_DEEP
    if isinstance(error, UnicodeDecodeError):
        return "not JSON: a name is not UTF-8"
    return f"not JSON: {error}"  # msgspec names the fault and its place, never the content


class _Walk:
    """One walk over one answer: the plan, and what was met on the way."""

    __slots__ = ("_heard", "_keys", "_lengths", "_longest", "_met", "_pending", "_plan", "counts")

    def __init__(self, plan: Plan, keys: Keys) -> None:
        self._plan = plan
        self._keys = keys
        self._met: dict[Trail, None] = {}
        self._heard: list[str] = []  # whom the records are about
        self._lengths: dict[str | None, int] = {}  # of the outermost arrays, by name
        self._longest = 0  # list of objects or lists in which a label may be
        self._pending = 0  # bytes walked since the last turn
        self.counts: defaultdict[str, int] = defaultdict(int)

    def value(self, raw: bytes | Raw, state: State, depth: int, trail: Trail) -> Shown:
        """What is shown of one value."""
        text = bytes(raw)
        first = text[0]
        if first == _ARRAY:
            return self._array(text, state, depth, trail)
        rule = state.rule
        if first == _OBJECT and (rule is None or not rule.drop):
            return self._object(text, state, depth, trail)
        if state.noted:
            self._note(trail)
        if state.hears:
            self._hear(text)
        return self._masked(text, rule) if rule is not None else Raw(text)

    def _object(self, text: bytes, state: State, depth: int, trail: Trail) -> Shown:
        """What is shown of an object. The busiest lines of the room: written for speed, inside one call."""
        if depth >= MAX_DEPTH:
            raise NotJson(TOO_DEEP)
        members = _members(text)
        if not state.opened:
            state.open()
        known = members.keys() <= state.edges.keys()
        targets: Iterable[tuple[str, State]]
        if state.other.inert:
            targets = state.deep
        elif not known:
            leads, other = state.edges.get, state.other
            targets = [(name, leads(name, other)) for name in members]
        elif text.find(b"{", 1) < 0 and text.find(b"[", 1) < 0:
            targets = state.flat  # no bracket inside: nothing can hide below a value that is shown
        else:
            targets = state.deep
        counts, keys = self.counts, self._keys
        for name, to in targets:
            raw = members.get(name)
            if raw is None:
                continue
            inside = bytes(raw)
            rule = to.rule
            if inside[0] != _QUOTE or to.rare:
                if rule is not None or to.noted or to.hears or inside[0] in _CONTAINERS:
                    self._member(members, name, inside, to, depth, trail)
            elif rule is not None and len(inside) > 2:  # the common case, unrolled: a text under a technique
                members[name] = rule.constant or rule.apply(_text(raw), keys)  # type: ignore[assignment]  # as below
                counts[rule.label] += 1
        return members if known else self._named(members, state)  # type: ignore[return-value]  # now holds what is shown

    def _named(self, members: dict[str, Raw], state: State) -> Shown:
        """The members under the names they are shown with (rule 3)."""
        if state.hides:
            unknown = [name for name in members if name not in state.leads]
            # a map of thousands is keyed by data: to ask for each name would take seconds
            asks = len(unknown) <= MAX_ASKED
            strange = {name for name in unknown if not (asks and state.is_named(name))}
            if strange:
                return _renamed(members, strange)
        return members  # type: ignore[return-value]  # the same dict now holds what is shown

    def _member(self, members: dict[str, Raw], name: str, text: bytes, to: State, depth: int, trail: Trail) -> None:
        """Put what is shown in the place of one member, or take the member away."""
        rule = to.rule
        first = text[0]
        if to.hears and first not in _CONTAINERS:
            self._hear(text)
        if rule is not None and rule.drop and (to.dropped or first != _ARRAY):
            del members[name]
            self.counts[rule.label] += 1
        elif first in _CONTAINERS:
            members[name] = self.value(text, to, depth + 1, (trail, name[:MAX_NAME]))  # type: ignore[assignment]  # as above
        else:
            if to.noted:
                self._note((trail, name[:MAX_NAME]))
            if rule is not None:
                members[name] = self._masked(text, rule)  # type: ignore[assignment]  # as above

    def _array(self, text: bytes, state: State, depth: int, trail: Trail) -> Shown:
        elements = self._entered(text, state, depth, trail)
        inside: Trail = (trail, None)
        value = self.value
        if not state.uniform:
            return [value(raw, state.element(index), depth + 1, inside) for index, raw in enumerate(elements)]
        to = state.elements or state.element(0)
        return Raw(text) if to.inert else [value(raw, to, depth + 1, inside) for raw in elements]

    def _masked(self, text: bytes, rule: Rule) -> Shown:
        """What is shown of a text, number, truth value or null under a rule."""
        if text in _NOTHING:
            return Raw(text)
        self.counts[rule.label] += 1
        first = text[0]
        if first == _QUOTE and not rule.drop:
            return rule.constant or rule.apply(_text(text), self._keys)
        if rule.drop or first not in _DIGITS:
            return _NULL  # a truth value has two states: any other text would tell which
        return rule.constant or rule.number(text.decode("ascii"), self._keys)

    # --- long answers -----------------------------------------------------------------------

    async def long_value(self, raw: bytes | Raw, state: State, depth: int, trail: Trail, tried: bool = False) -> Shown:
        """As `value`; branches longer than a slice are walked with turns in between. `tried` as a tree, in vain."""
        text = bytes(raw)
        if len(text) <= SLICE or text[0] not in _CONTAINERS:
            as_tree = text[0] in _CONTAINERS and not tried
            branch = self._branch(text, state, depth, trail) if as_tree else None
            shown = self.value(text, state, depth, trail) if branch is None else Raw(branch)
            self._pending += len(text) + MEMBER
            if self._pending >= SLICE:
                self._pending = 0
                await turn()
            # written at once: the objects of a long answer need ten times its bytes
            return Raw(encode(shown)) if isinstance(shown, dict | list) else shown
        if depth * len(text) > MAX_WORK:
            raise NotJson(TOO_DEEP)
        if text[0] == _OBJECT and (state.rule is None or not state.rule.drop):
            return await self._long_object(text, state, depth, trail)
        if text[0] == _ARRAY:
            return await self._long_array(text, state, depth, trail)
        return self.value(text, state, depth, trail)

    def _branch(self, text: bytes, state: State, depth: int, trail: Trail) -> bytes | None:
        """What is shown of a short branch that can be walked as a tree."""
        found = mask_branch(text, self._plan, self._keys, state, depth, trail)
        if found is None:
            return None
        shown, counted, met, heard, longest = found
        self._heard += heard
        self._longest = max(self._longest, longest)
        for label, count in counted:
            self.counts[label] += count
        for way in met:
            self._note(way)
        return shown

    async def _long_object(self, text: bytes, state: State, depth: int, trail: Trail) -> Shown:
        if depth >= MAX_DEPTH:
            raise NotJson(TOO_DEEP)
        members = _members(text)
        if len(members) > MAX_MEMBERS:
            raise NotJson(f"not inspected: an object of more than {MAX_MEMBERS} members")
        if not state.opened:
            state.open()
        for name, raw in list(members.items()):
            to = state.edges.get(name, state.other)
            if not to.inert:
                await self._long_member(members, name, raw, to, depth, trail)
        return self._named(members, state)

    async def _long_member(
        self, members: dict[str, Raw], name: str, raw: Raw, to: State, depth: int, trail: Trail
    ) -> None:
        rule, view = to.rule, memoryview(raw)
        gone = rule is not None and rule.drop and (to.dropped or view[0] != _ARRAY)
        if gone or view[0] not in _CONTAINERS:
            self._member(members, name, bytes(raw), to, depth, trail)
            self._pending += len(view) + MEMBER
        else:
            members[name] = await self.long_value(raw, to, depth + 1, (trail, name[:MAX_NAME]))  # type: ignore[assignment]  # as above
        if self._pending >= SLICE:
            self._pending = 0
            await turn()

    async def _long_array(self, text: bytes, state: State, depth: int, trail: Trail) -> Shown:
        elements = self._entered(text, state, depth, trail)
        await turn()
        inside: Trail = (trail, None)
        if not state.uniform:
            return [await self.long_value(raw, state.element(at), depth + 1, inside) for at, raw in enumerate(elements)]
        to = state.element(0)
        if to.inert:
            return Raw(text)
        shown: list[Shown] = []
        misses = 0  # in a row: speed alone depends on it
        for run in runs(elements):
            as_tree = len(run) > 1 and misses < MISSES
            together = self._branch(b"[%b]" % b",".join(run), state, depth, trail) if as_tree else None
            if together is not None:
                misses = 0
                shown.append(Raw(together[1:-1]))  # several elements with the commas between them
                await turn()
            else:
                misses += as_tree
                shown += [await self.long_value(raw, to, depth + 1, inside, len(run) > 1) for raw in run]
        return shown

    # --- what was met ---------------------------------------------------------------------------

    def _entered(self, text: bytes, state: State, depth: int, trail: Trail) -> list[Raw]:
        """The elements of an array; those of an outermost one are counted, and those of the longest with anything labelled."""
        if depth >= MAX_DEPTH:
            raise NotJson(TOO_DEEP)
        elements = _elements(text)
        if len(elements) > self._longest and self._counts(elements, state):
            self._longest = len(elements)
        if depth == 0:
            self._lengths[None] = len(elements)
        elif depth == 1 and trail is not None and trail[1] is not None:
            self._lengths[trail[1]] = _listed(elements)
        return elements

    def _counts(self, elements: list[Raw], state: State) -> bool:
        """Whether such a list is one of records, or a column: values that a label names."""
        return not state.inert and (any(map(_is_record, elements)) or state.element(0).known)

    def _hear(self, text: bytes) -> None:
        if text[0] == _QUOTE:
            self._heard.append(_text(text))
        elif text[0] in _DIGITS:
            self._heard.append(text.decode("ascii"))

    def _note(self, trail: Trail) -> None:
        if len(self._met) < MAX_UNLABELLED:
            self._met[trail] = None

    def revealed(self, text: bytes) -> Revealed:
        """What was done, for the record."""
        records = max(self._records(text), self._longest)
        return told(self._plan, tuple(self.counts.items()), self._met, records, digests(self._heard, self._keys), text)

    def _records(self, text: bytes) -> int:
        """Records in the answer: the length of its outermost array, or of the only one in its outermost object."""
        if None in self._lengths:
            return self._lengths[None]
        if text[0] != _OBJECT or b"[" not in text:
            return 1
        arrays = [name for name, raw in _members(text).items() if memoryview(raw)[0] == _ARRAY]
        if len(arrays) != 1:
            return 1
        known = self._lengths.get(arrays[0])
        return known if known is not None else _listed(_elements(_members(text)[arrays[0]]))


def _listed(elements: list[Raw]) -> int:
    """How many records these are; plain values are those of one."""
    return len(elements) if not elements or any(map(_is_record, elements)) else 1


def _is_record(raw: Raw) -> bool:
    first = memoryview(raw)[0]
    return first == _OBJECT or (first == _ARRAY and not is_point_text(bytes(raw)))


def runs(elements: list[Raw], each: int = 0) -> Iterator[list[Raw]]:
    """Elements in a row, together half a slice; a longer one stands alone. `each`: what one costs besides its bytes."""
    run: list[Raw] = []
    size = 0
    for raw in elements:
        length = len(memoryview(raw)) + each
        if run and size + length > SLICE // 2:
            yield run
            run, size = [], 0
        run.append(raw)
        size += length
    if run:
        yield run


def _renamed(members: dict[str, Raw], strange: set[str]) -> Shown:
    shown: dict[str, Shown] = {}
    for name, value in members.items():
        if name in strange:
            number = len(shown)
            name = REDACTED if REDACTED not in shown else f"{REDACTED}{number}"
        shown[name] = value
    return shown
