"""What is left of a JSON answer that reads the same when it is parsed and written again?

Most answers do. They are walked as a tree of values, twice as fast as raw text is (`json_body`,
which looks at whatever is left to it here). Promised:

1. Only when the tree, written again, is the text itself apart from its white space may it stand for
   the text. A number of 23 digits, `1.10`, `-0`, `\\u0041`, a member that stands twice are written
   otherwise: such an answer is left to the other walk, and what is not masked stays byte for byte.
2. What is sent is written from the tree, and every value of the tree was looked at on its own path.
   Nothing is concluded from one record about the next.
3. What is unusual (depth, names that may be data, faults) is left to the other walk as well.
"""

from collections.abc import Callable
from operator import itemgetter

import orjson

from gateway.facts import Revealed
from gateway.masking.keyless import keyless
from gateway.masking.keys import Keys
from gateway.masking.names import MAX_NAME, MAX_UNLABELLED, Trail, spelled
from gateway.masking.plan import Plan, Rule, State
from gateway.masking.points import is_point
from gateway.masking.whom import DIGEST, digests

MAX_DEPTH = 100
SPACE = b" \t\n\r"
_BREAKS = (b"\n", b"\r", b"\t")

Value = str | int | float | bool | None | dict[str, "Value"] | list["Value"]

_read: Callable[[bytes], Value] = orjson.loads
_write: Callable[[Value], bytes] = orjson.dumps
_COUNT = itemgetter(1)

Branch = tuple[bytes, tuple[tuple[str, int], ...], dict[Trail, None], list[str], int]
"""What is shown of a part of an answer, how many values each label hid, the ways to what no label covers, whom it is about,
and its longest list of records."""


class Unlike(Exception):
    """The tree cannot stand for the text, or holds what the other walk knows better."""


_LEFT = (Unlike, orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError)  # to the other walk


def mask_tree(text: bytes, plan: Plan, keys: Keys) -> tuple[bytes, Revealed] | None:
    """The text with the plan applied, and what was done; None when the other walk has to look at it."""
    try:
        root = _tree(text, plan)
        if type(root) is str:
            return None  # it may hold JSON once more: the other walk looks into it
        records = _records(root)  # before the walk: it takes members away
        walk = _Walk(plan, keys)
        shown = walk.value(root, plan.root, 0, None)
        counted = walk.counted(plan)
        return _write(shown), told(plan, counted, walk.met, max(records, walk.longest), digests(walk.heard, keys), text)
    except _LEFT:
        return None


def mask_branch(text: bytes, plan: Plan, keys: Keys, state: State, depth: int, trail: Trail) -> Branch | None:
    """The same for a part of an answer, which this way leads to."""
    try:
        walk = _Walk(plan, keys)
        shown = walk.value(_tree(text, plan), state, depth, trail)
        return _write(shown), walk.counted(plan), walk.met, walk.heard, walk.longest
    except _LEFT:
        return None


def told(
    plan: Plan,
    masked: tuple[tuple[str, int], ...],
    met: dict[Trail, None],
    records: int,
    about: tuple[bytes, int],
    text: bytes,
) -> Revealed:
    """What goes on record of a walk over this text. `records`: the longest list that was met.

    A list beside the record that is empty makes nothing free, nor do records in the form of a map, or without a key.
    What has no name of a label (`{"ok": true}`) shows no labelled value.
    """
    seen, unlisted = about
    people = len(seen) // DIGEST + unlisted
    records = max(records, 1 if people or masked else 0)
    without = keyless(text, plan.told_by, records, people)
    named = plan.nameless or b"\\" in text or any(name.encode() in text for name in plan.names)
    bare = not (people or masked or named)
    clear = 0 if bare else plan.clear * max(records, people)
    return Revealed(masked, spelled(met), records, seen, unlisted, clear, keyless=without)


def _tree(text: bytes, plan: Plan) -> Value:
    """The values of the text, if they may stand for it. Raises Unlike."""
    root = _read(text)
    written = _write(root)
    if written == text or _same(written, text, plan):
        return root
    raise Unlike


def _same(written: bytes, text: bytes, plan: Plan) -> bool:
    """Whether they differ in nothing but white space around tokens.

    White space inside a text is left out as well, on both sides: a text that is written without escapes
    stands for itself, and an escape is never written longer than it was read, so that nothing can make up for it.
    """
    if plan.unlabelled == "pass":
        return False  # branches that are passed keep their white space
    if written.replace(b" ", b"") == text.replace(b" ", b""):  # the common case: quicker than the next line
        return True
    if not any(byte in text for byte in _BREAKS):
        return False
    return written.translate(None, SPACE) == text.translate(None, SPACE)


def _records(root: Value) -> int:
    """The length of the outermost array, or of the only one in the outermost object."""
    if type(root) is list:
        return len(root)
    if type(root) is not dict:
        return 1
    arrays = [value for value in root.values() if type(value) is list]
    if len(arrays) != 1:
        return 1
    return len(arrays[0]) if not arrays[0] or _has_record(arrays[0]) else 1  # the tags of a record are one record's


class _Walk:
    """One walk over one tree, which becomes what is shown; and what was met on the way."""

    __slots__ = ("counts", "heard", "keys", "longest", "met", "near")

    def __init__(self, plan: Plan, keys: Keys) -> None:
        self.keys = keys
        self.counts = [0] * len(plan.slots)
        self.heard: list[str] = []  # whom the records are about
        self.longest = 0  # list of objects or lists in which a label may be
        self.met: dict[Trail, None] = {}
        self.near: dict[Trail, set[str]] = {}  # what was met, by the way to the object it was met in

    def counted(self, plan: Plan) -> tuple[tuple[str, int], ...]:
        """How many values each label hid."""
        return tuple(filter(_COUNT, zip(plan.slots, self.counts, strict=True)))

    def value(self, value: Value, state: State, depth: int, trail: Trail) -> Value:
        """What is shown of one value."""
        kind = type(value)
        if kind is list:
            self._array(value, state, depth, trail)  # type: ignore[arg-type]  # by its type, told quickly
            return value
        rule = state.rule
        if kind is dict and (rule is None or not rule.drop):
            self._object(value, state, depth, trail)  # type: ignore[arg-type]  # as above
            return value
        if state.noted:
            self._note(trail)
        if state.hears:
            self._hear(value)
        return value if rule is None else self._masked(value, state, rule)

    def _object(self, members: dict[str, Value], state: State, depth: int, trail: Trail) -> None:
        """Put what is shown in the place of each member. The busiest lines of the room, written for speed."""
        if depth >= MAX_DEPTH:
            raise Unlike
        if not state.opened:
            state.open()
        leads, counts, keys = state.leads, self.counts, self.keys
        gone: list[str] = []
        near: set[str] | None = None
        for name, value in members.items():  # values are replaced below, the names stay
            try:
                to = leads[name]
            except KeyError:
                to = _lead(state, name)
            apply, kind = to.apply, type(value)
            if apply is not None and kind is str:  # the common case, unrolled: a text under a technique
                if value:
                    if to.hears:
                        self.heard.append(value)  # type: ignore[arg-type]  # a text
                    members[name] = apply(value, keys)  # type: ignore[arg-type]  # a text: told quickly
                    counts[to.slot] += 1
            elif to.drops and (to.dropped or kind is not list):
                gone.append(name)
            elif to.told and kind is not dict and kind is not list:
                near = self.near.setdefault(trail, set()) if near is None else near
                if name not in near:  # quicker than to spell out the way each time
                    near.add(name)
                    self._note((trail, name[:MAX_NAME]))
            elif not to.shown or kind is dict or kind is list:  # nothing hides below a value that is shown
                members[name] = self.value(value, to, depth + 1, (trail, name[:MAX_NAME]))
        for name in gone:
            to = leads.get(name, state.other)
            if to.hears:
                self._hear(members[name])
            del members[name]
            counts[to.slot] += 1

    def _array(self, elements: list[Value], state: State, depth: int, trail: Trail) -> None:
        if depth >= MAX_DEPTH:
            raise Unlike
        inside: Trail = (trail, None)
        every = state.element(0) if state.uniform else None
        if len(elements) > self.longest and self._counts(elements, state):
            self.longest = len(elements)
        for index, value in enumerate(elements):
            to = every or state.element(index)
            if type(value) is dict and not to.drops:
                self._object(value, to, depth + 1, inside)
            else:
                elements[index] = self.value(value, to, depth + 1, inside)

    def _counts(self, elements: list[Value], state: State) -> bool:
        """Whether such a list is one of records, or a column: values that a label names."""
        return not state.inert and (_has_record(elements) or state.element(0).known)

    def _masked(self, value: Value, state: State, rule: Rule) -> Value:
        """What is shown of a text, number, truth value or null under a rule."""
        if value is None or value == "":
            return value  # nothing to hide, and hiding it would claim there was something
        self.counts[state.slot] += 1
        if rule.drop or rule.nulls or value is True or value is False:
            return None  # a truth value has two states: any other text would tell which
        if type(value) is str:
            return rule.apply(value, self.keys)
        return rule.number(_write(value).decode("ascii"), self.keys)

    def _hear(self, value: Value) -> None:
        if type(value) is str:
            self.heard.append(value)
        elif type(value) is int:
            self.heard.append(str(value))

    def _note(self, trail: Trail) -> None:
        if len(self.met) < MAX_UNLABELLED:
            self.met[trail] = None


def _has_record(elements: list[Value]) -> bool:
    """Whether any of them is a record: a null in front makes no list into one of plain values."""
    kinds = set(map(type, elements))
    if dict in kinds:
        return True
    return list in kinds and any(type(value) is list and not is_point(value) for value in elements)


def _lead(state: State, name: str) -> State:
    """Where a name without a label leads. Raises Unlike where it is hidden because it may be data."""
    if not state.is_named(name) and state.hides:
        raise Unlike
    return state.other
