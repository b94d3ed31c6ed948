"""Which records of an answer may this caller see?

The `rows` of an allow: for a member of a record the values that it may have, written out or taken from the caller
(`subject.org`). Rules:

1. Several allows: a record must pass the filters of all of them. Filters are a set, and two about the same member are
   what both let through, so that neither order nor repetition matters.
2. What the caller does not have lets nothing through: no office, no record.
3. A name of the caller that this gateway does not know is a fault when the rule is read, never a text that happens to
   match nothing, or a record in which somebody wrote `subject.org`.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct

from gateway.document import Node, did_you_mean
from gateway.facts import RowFilter, Subject
from gateway.jsonpath import BadPath, Member, parse, spell
from gateway.policy.shapes import Faults, mapping, texts

OF_THE_CALLER = "subject."
ROLES = "subject.roles"
_TEXTS: dict[str, Callable[[Subject], str]] = {
    "subject.id": lambda subject: subject.id,
    "subject.org": lambda subject: subject.org,
    "subject.purpose": lambda subject: subject.purpose,
}
_WAY = (
    "write the way from the record: `$.district`, `$.address.city`",
    "请写从记录开始的路径：`$.district`、`$.address.city`",
)
NAMES = (*_TEXTS, ROLES)
"""What a filter may take from the caller. Not the display name: two people may have the same."""


class RowRule(Struct, frozen=True, gc=False, order=True):
    """A filter as a rule says it: among `values` may stand names of the caller."""

    field: str
    values: tuple[str, ...]

    @property
    def text(self) -> str:
        """The one spelling of it."""
        return f"{self.field}: {', '.join(self.values)}"


def read_rows(node: Node, faults: Faults) -> tuple[RowRule, ...]:
    """Read `rows: {$.district: [subject.org, "330100"]}`; every fault goes to `faults`."""
    found: dict[str, frozenset[str]] = {}
    members = mapping(node, faults)
    if not members:
        faults.append(
            node.fault(
                "P180", "`rows` names no member", "`rows` 没有指定字段",
                "write `rows: {$.district: subject.org}`", "请写 `rows: {$.district: subject.org}`",
            )
        )  # fmt: skip
    for key, value in members.items():
        path = _path(node, key, faults)
        values = frozenset(_value(word, place, faults) for word, place in texts(value, faults))
        if path in found:
            faults.append(
                node.key_fault(
                    key, "P180", f"`{path}` stands twice", f"`{path}` 重复", "name each member once", "每个字段只写一次"
                )
            )
        elif path and values:
            found[path] = values
    return tuple(RowRule(path, tuple(sorted(found[path]))) for path in sorted(found))


def _path(node: Node, key: str, faults: Faults) -> str:
    try:
        steps = parse(key)
    except BadPath as error:
        faults.append(node.key_fault(key, "P180", f"`{key}`: {error.en}", f"`{key}`：{error.zh}", *_WAY))
        return ""
    if steps and all(isinstance(step, Member) for step in steps):
        return spell(steps)
    faults.append(
        node.key_fault(
            key, "P180", f"`{key}` does not name one member of a record", f"`{key}` 不是一条记录中的单个字段", *_WAY
        )
    )  # fmt: skip
    return ""


def _value(word: str, place: Node, faults: Faults) -> str:
    if word.startswith(OF_THE_CALLER) and word not in NAMES:
        hint = did_you_mean(word, NAMES)
        faults.append(
            place.fault("P181", f"a filter cannot take `{word}` from the caller", f"过滤条件不能取调用方的 `{word}`", *hint)
        )  # fmt: skip
    return word


def filters(
    rules: Iterable[RowRule], subject: Subject, roles: Callable[[Subject], frozenset[str]]
) -> tuple[RowFilter, ...]:
    """The filters for this caller: one for each member, in a fixed order."""
    found: dict[str, frozenset[str]] = {}
    for rule in rules:
        values = frozenset(said for value in rule.values for said in _said(value, subject, roles))
        found[rule.field] = found[rule.field] & values if rule.field in found else values
    return tuple(RowFilter(field, tuple(sorted(found[field]))) for field in sorted(found))


def _said(value: str, subject: Subject, roles: Callable[[Subject], frozenset[str]]) -> Iterable[str]:
    """What stands for a value; whatever an anonymous caller carries was proven by nobody."""
    if value not in NAMES:
        return (value,)
    if subject.kind == "anonymous":
        return ()
    if value == ROLES:
        return roles(subject)
    text = _TEXTS[value](subject)
    return (text,) if text else ()


def lets_more(before: tuple[RowFilter, ...], after: tuple[RowFilter, ...]) -> bool:
    """Whether a record may pass these filters that did not pass those before."""
    now = {row.field: frozenset(row.values) for row in after}
    return any(row.field not in now or not now[row.field] <= frozenset(row.values) for row in before) and all(
        now.values()
    )
