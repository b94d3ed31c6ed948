"""Where in an answer does what apply?

A mask is compiled into states that are walked together with the answer: each member or element of a
value leads from its state to the next. Rules:

1. All paths are followed at once; a state is the set of places they have reached, made when the
   walk first comes by, and kept. Below a technique only paths are followed that would hide more: else
   an answer could make a state of each order in which its names may be nested, and take seconds.
2. Arrays are seen through: `$[*].name` also names the name in `[[{…}]]` and in a lone `{…}`, and
   `$.list[1]` the second in `[[…]]` and the member `1` of an object. A service that wraps or unwraps
   its answer (shape drift) shows nothing by it.
3. A technique covers everything below the value it names. `keep` covers only values and arrays of
   values: an object where a text was expected is unknown again.
4. Where several labels cover one value, the strictest technique applies.
5. A value no label covers is unlabelled: passed, noted or redacted, as the contract says.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec import Raw, Struct

from gateway.detect import has_form
from gateway.facts import UNLABELLED, Mask
from gateway.jsonpath import Anywhere, Element, Every, Member, Step, parse
from gateway.masking.names import is_name
from gateway.masking.registry import compiled
from gateway.masking.techniques import REDACTED, Apply, Number
from gateway.masking.tokens import Origin, tokens
from gateway.masks import Technique, parse_technique, strictest

MAX_STATES = 10_000
KEPT_NAMES = 256  # of one state: names without a label that were looked at before


class TooManyStates(ValueError):
    """The paths of a mask multiply beyond what can be walked."""


class Rule(Struct, frozen=True, eq=False):
    """What to do with a value, and the path of the label that says so."""

    label: str
    technique: Technique
    apply: Apply
    number: Number
    constant: Raw | None  # the answer when it does not depend on the value
    drop: bool
    nulls: bool


Position = tuple[int, int]  # (which path, how many of its steps are done; `~done` when only an array goes on)
_Cover = tuple[Technique, str]  # a technique and the path that brought it


class State:
    """What is known about one value from the way that led to it."""

    __slots__ = (
        "_plan",
        "apply",
        "cover",
        "deep",
        "dropped",
        "drops",
        "edges",
        "elements",
        "flat",
        "hears",
        "hides",
        "inert",
        "key",
        "known",
        "leads",
        "names",
        "noted",
        "opened",
        "other",
        "rare",
        "rule",
        "shown",
        "slot",
        "told",
        "uniform",
    )

    def __init__(self, plan: "Plan", key: tuple[frozenset[Position], _Cover | None]) -> None:
        self._plan = plan
        self.key = key
        places, inherited = key
        covers = [plan.covers[path] for path, done in _reach(plan, places) if done == len(plan.paths[path])]
        masking = [cover for cover in [*covers, *([inherited] if inherited else [])] if cover[0].name != "keep"]
        self.cover: _Cover | None = _strictest(masking)
        self.known = bool(covers) or inherited is not None  # a label covers it
        self.noted = not self.known and plan.unlabelled != "pass"
        self.rule: Rule | None = plan.rule(self.cover)
        if self.noted and plan.unlabelled == "redact":
            self.rule = plan.unknown
        ended = [path for path, done in places if done == len(plan.paths[path])]
        self.hears = any(path in plan.keys for path in ended)  # whom a record is about is told here
        self.inert = plan.unlabelled == "pass" and self.rule is None and not self.hears and not _alive(plan, places)
        ends = [plan.covers[path] for path in ended]
        whole = _strictest([*ends, *([inherited] if inherited else [])])
        self.dropped = whole is not None and whole[0].name == "drop"  # the value itself, an array included
        nothing = self.rule is not None and (self.rule.drop or self.rule.nulls)
        self.rare = self.noted or nothing or self.hears  # a text here needs more than its technique
        self.drops = self.rule is not None and self.rule.drop
        self.hides = self.cover is not None or plan.unlabelled == "redact"  # names of members that may be data
        self.names = plan.names  # names of labels are not data
        # a text, number, truth value or null stays as it is
        self.shown = self.rule is None and not self.noted and not self.hears
        self.told = self.rule is None and self.noted  # such a value stays, and its path is told
        self.slot = plan.slots[self.rule.label] if self.rule is not None else -1  # where its values are counted
        self.apply: Apply | None = None if self.rule is None or self.noted or nothing else self.rule.apply  # to a text
        self.edges: dict[str, State] = {}
        self.leads: dict[str, State] = {}  # the edges, and names without a label as they are met
        self.other: State = self
        self.opened = False
        self.deep: tuple[tuple[str, State], ...] = ()
        self.flat: tuple[tuple[str, State], ...] = ()
        self.elements: State | None = None  # where every element leads, once known
        self.uniform = not any(_at(plan, place) is Element for place in places)

    def open(self) -> None:
        """Work out where the members of an object lead. Done once, when the walk first needs it."""
        plan, below = self._plan, self.cover
        reached = plan.adding(_reach(plan, self.key[0]), below)
        beside, named = _follow(plan, reached)
        self.other = plan.state(beside, below)
        self.edges = {name: plan.state(beside | named[name], below) for name in sorted(named)}
        self.flat = tuple((name, to) for name, to in self.edges.items() if not to.shown)
        self.deep = tuple((name, to) for name, to in self.edges.items() if not to.inert)
        self.leads = dict(self.edges)
        self.opened = True  # last: a state that could not be finished must not be walked as an empty one

    def is_named(self, name: str) -> bool:
        """Whether what no edge is called is the name of a member, and no data. What is one is kept, and not asked for again."""
        found = name in self.names or (is_name(name, self.cover is not None) if self.hides else has_form(name))
        if found and len(self.leads) < KEPT_NAMES:
            self.leads[name] = self.other
        return found

    def element(self, index: int) -> "State":
        """Where the element of an array leads."""
        if self.elements is not None:
            return self.elements
        plan, (places, inherited) = self._plan, self.key
        direct = _strictest([inherited] if inherited else [])
        state = plan.state(frozenset(_enter(plan, places, index)), direct)
        if self.uniform:
            self.elements = state
        return state


class Plan:
    """A compiled mask."""

    def __init__(self, mask: Mask, keys: frozenset[str] = frozenset(), clear: int = 0, asset: str = "") -> None:
        """`keys` are the paths that tell whom a record is about, `clear` how many labelled fields of it are shown in clear.

        `asset` goes into tokens, so that they are judged as what they stand for.

        Raises ValueError when a path or a technique cannot be read.
        """
        self.clear = clear
        self._asset = asset
        self.told_by = frozenset(filter(None, map(_last, keys)))  # names of members that tell whom a record is about
        self.keys = frozenset(at for at, field in enumerate(mask.fields) if field.path in keys)
        self.paths: tuple[tuple[Step, ...], ...] = tuple(parse(field.path) for field in mask.fields)
        self.covers: tuple[_Cover, ...] = tuple((parse_technique(field.technique), field.path) for field in mask.fields)
        self.unlabelled: Literal["pass", "learn", "warn", "redact"] = mask.unlabelled
        self.unknown = _rule(Technique("redact"), UNLABELLED, asset)
        hiding = [path for technique, path in self.covers if technique.name != "keep"]
        self.slots: dict[str, int] = {label: at for at, label in enumerate(dict.fromkeys([*hiding, UNLABELLED]))}
        self._rules: dict[_Cover, Rule] = {}
        self._states: dict[tuple[frozenset[Position], _Cover | None], State] = {}
        self.names: frozenset[str] = frozenset(
            name for steps in self.paths for step in steps if (name := _name(step)) is not None
        )
        self.nameless = not all(any(isinstance(step, Member | Anywhere) for step in steps) for steps in self.paths)
        """Whether a label has no name by which it could be found in a text: `$[*][1]`."""
        self._begin()

    def _begin(self) -> None:
        """Forget what was made on the way. Who walks goes on with what he holds."""
        self._states.clear()
        self.root = self.state(frozenset((path, 0) for path in range(len(self.paths))), None)

    def adding(self, places: frozenset[Position], inherited: _Cover | None) -> frozenset[Position]:
        """The places from where a path may hide more than the technique from above does."""
        if inherited is None:
            return places
        above = inherited[0]
        return frozenset(place for place in places if strictest(above, self.covers[place[0]][0]) != above)

    def state(self, places: frozenset[Position], inherited: _Cover | None) -> State:
        """The state for these places; the same one for the same places."""
        key = (self.adding(places, inherited), inherited)
        found = self._states.get(key)
        if found is None:
            if len(self._states) >= MAX_STATES:
                self._begin()  # or a hostile answer would have had the last word for all that follow
                raise TooManyStates(f"the paths of the mask lead to more than {MAX_STATES} places")
            found = self._states[key] = State(self, key)
        return found

    def rule(self, cover: _Cover | None) -> Rule | None:
        """What to do where this technique applies."""
        if cover is None:
            return None
        found = self._rules.get(cover)
        if found is None:
            found = self._rules[cover] = _rule(*cover, self._asset)
        return found


_CONSTANTS = {"redact": Raw(f'"{REDACTED}"'.encode()), "null": Raw(b"null")}


def _rule(technique: Technique, label: str, asset: str) -> Rule:
    text, number = compiled(technique)
    if technique.name == "tokenise":
        text = number = tokens(Origin(asset, label))
    return Rule(
        label,
        technique,
        text,
        number,
        _CONSTANTS.get(technique.name),
        technique.name == "drop",
        technique.name == "null",
    )


def _last(path: str) -> str:
    """The name that a path ends with, "" when it has none."""
    steps = parse(path) if path else ()
    return (_name(steps[-1]) or "") if steps else ""


def _strictest(covers: Iterable[_Cover]) -> _Cover | None:
    """What hides all that any of them hides, under the label of the first that decides."""
    best: _Cover | None = None
    for cover in covers:
        if best is None:
            best = cover
        else:
            technique = strictest(best[0], cover[0])
            best = best if technique == best[0] else (technique, cover[1])
    return best


def _alive(plan: Plan, places: Iterable[Position]) -> bool:
    """Whether a path may still find something below."""
    return any(done < len(plan.paths[path]) for path, done in places)


def _at(plan: Plan, place: Position) -> type[Step] | None:
    path, done = place
    steps = plan.paths[path]
    if done < 0:
        done = ~done
    return type(steps[done]) if done < len(steps) else None


def _reach(plan: Plan, places: Iterable[Position]) -> frozenset[Position]:
    """The places themselves, and those behind steps into arrays where no array came (rule 2)."""
    reached = {place for place in places if place[1] >= 0}
    for path, done in tuple(reached):
        while _at(plan, (path, done)) in (Every, Element):
            done += 1
            reached.add((path, done))
    return frozenset(reached)


def _follow(plan: Plan, reached: frozenset[Position]) -> tuple[frozenset[Position], dict[str, set[Position]]]:
    """Where a member of an object leads: any member, and further for each name that a path mentions here."""
    beside: set[Position] = set()
    named: dict[str, set[Position]] = {}
    for path, done in reached:
        steps = plan.paths[path]
        if done == len(steps):
            continue
        step = steps[done]
        if isinstance(step, Anywhere):
            beside.add((path, done))
        name = _name(step)
        if name is None:
            beside.add((path, done + 1))
        else:
            named.setdefault(name, set()).add((path, done + 1))
    return frozenset(beside), named


def _name(step: Step) -> str | None:
    """The name of the member that this step leads to; a list may be written as an object by its places."""
    if isinstance(step, Element):
        return str(step.index)
    return None if isinstance(step, Every) else step.name


def _enter(plan: Plan, places: frozenset[Position], index: int) -> Iterable[Position]:
    """Where an element of an array leads: one array is entered by one step, or seen through."""
    for path, done in places:
        steps = plan.paths[path]
        at = ~done if done < 0 else done
        step = steps[at] if at < len(steps) else None
        if isinstance(step, Every) or (isinstance(step, Element) and step.index == index):
            yield path, at + 1
        elif isinstance(step, Element):
            yield path, ~at  # not this one; in an array in its place it may be
        else:
            yield path, done
