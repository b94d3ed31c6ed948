"""What applies to a value that has a name and nothing around it: a column, a form field, an attribute?

Labels are paths of JSON; a table has no paths. A column, a field or an attribute is covered by every label whose last
name is its own: `$.items[*].id_number` also means the column `id_number` of the same records, as a table; a label
without a name (`$`, `$[*]`) means all of them. The strictest applies. So an answer shows nothing by coming in
another form. A name with points (`patient.name`) is a way: it is covered by what covers its last name, and by what hides
any name on it.
"""

from collections.abc import Iterable
from functools import reduce

from gateway.detect import has_form
from gateway.facts import Mask
from gateway.jsonpath import Element, Every, parse
from gateway.masking.keys import Keys
from gateway.masking.names import folded, is_name
from gateway.masking.plan import Plan, Rule
from gateway.masking.techniques import REDACTED
from gateway.masks import Technique, parse_technique, strictest

_EVERY = ""


class Columns:
    """The rules of a mask by name."""

    def __init__(self, mask: Mask, plan: Plan, keys: Iterable[str] = ()) -> None:
        self._keys = frozenset(map(_last_name, keys))
        self.clear = plan.clear
        self._plan = plan
        self.noted = mask.unlabelled in ("learn", "warn")
        self._redacts = mask.unlabelled == "redact"
        self._unknown = plan.unknown if self._redacts else None
        covers: dict[str, tuple[Technique, str]] = {}
        for field in mask.fields:
            how, name = parse_technique(field.technique), _last_name(field.path)
            known = covers.get(name)
            covers[name] = (how, field.path) if known is None else (strictest(known[0], how), known[1])
        everywhere = covers.pop(_EVERY, None)
        if everywhere is not None:
            self._unknown = _ruled(plan, everywhere)
            covers = {name: (strictest(how, everywhere[0]), path) for name, (how, path) in covers.items()}
        self._all = everywhere is not None and self._unknown is not None
        self._known = {name: _ruled(plan, cover) for name, cover in covers.items()}
        self._folded: dict[str, list[str]] = {}
        for name in self._known:
            self._folded.setdefault(folded(name), []).append(name)

    @property
    def names(self) -> frozenset[str]:
        """The names of labels."""
        return self._plan.names

    def tells(self, name: str) -> bool:
        """Whether a value of this name tells whom its record is about."""
        return name in self._keys or ("." in name and name.rpartition(".")[2] in self._keys)

    def knows(self, name: str) -> bool:
        """Whether a label names this."""
        return name in self._known or ("." in name and bool(self._on_the_way(name)))

    def alike(self, name: str) -> list[str]:
        """The names of labels that some readers take for this one: those that differ in case alone."""
        return self._folded.get(folded(name), [])

    def rule(self, name: str) -> Rule | None:
        """What to do with a value of this name; None when it is shown."""
        if name in self._known or "." not in name:
            return self._known.get(name, self._unknown)
        found = self._on_the_way(name)
        return reduce(self._both, found) if found else self._unknown

    def _on_the_way(self, name: str) -> list[Rule | None]:
        """The rules for the parts of a name with points; what is kept is named itself, and not only what it is in."""
        *above, last = name.split(".")
        found: list[Rule | None] = [rule for part in above if (rule := self._known.get(part)) is not None]
        return [*found, self._known[last]] if last in self._known else found

    def _both(self, one: Rule | None, other: Rule | None) -> Rule | None:
        """The rule that hides what either hides."""
        if one is None or other is None:
            return one or other
        both = strictest(one.technique, other.technique)
        return one if both == one.technique else self._plan.rule((both, other.label))

    def below(self, above: Rule | None, name: str) -> Rule | None:
        """What to do with a value of this name that stands inside of what is under the rule `above`."""
        if above is None:
            return self.rule(name)
        own = self.rule(name) if self.knows(name) else None
        return above if own is above else self._both(above, own)

    def inside(self, above: Rule | None, name: str) -> Rule | None:
        """The rule that goes on to whatever stands inside of a value of this name."""
        return self.below(above, name) if self.knows(name) else above

    def strange(self, above: Rule | None, name: str) -> bool:
        """Whether a name may be data and stands where data is hidden (rule 3 of `json_body`)."""
        covered = above is not None or self._all
        return (covered or self._redacts) and name not in self._plan.names and not is_name(name, covered)

    def is_header(self, names: list[str]) -> bool:
        """Whether these are names, each once, and one of them a label's: a row of data (`王小明,女`) is no header."""
        if len(set(names)) != len(names):
            return False
        if self._known:  # the name of a label vouches for the row: another that may be data is hidden by itself
            return any(map(self.knows, names)) and all(self.knows(one) or has_form(one) for one in names)
        hides = self._all or self._redacts
        return all(is_name(one, strictly=True) if hides else has_form(one) for one in names)

    def header(self, names: list[str]) -> list[str]:
        """The names as they are shown."""
        return [REDACTED if self.strange(None, name) else name for name in names]


def _ruled(plan: Plan, cover: tuple[Technique, str]) -> Rule | None:
    return None if cover[0].name == "keep" else plan.rule(cover)


def _last_name(path: str) -> str:
    """The name that a path ends with, `_EVERY` when it has none; of an element its place."""
    steps = [step for step in parse(path) if not isinstance(step, Every)]
    if not steps:
        return _EVERY
    last = steps[-1]
    return str(last.index) if isinstance(last, Element) else last.name


def shown(text: str, rule: Rule | None, keys: Keys) -> str:
    """What stands in the place of a text where there is only text; what is dropped or null is empty."""
    if rule is None or not text:
        return text
    return "" if rule.drop or rule.nulls else rule.apply(text, keys)
