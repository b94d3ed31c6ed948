"""Can the role trees of a native policy be walked, and do their conditions and patterns hold what they promise?"""

from collections.abc import Iterator

from gateway.document import FileFault
from gateway.policy.native.draft import Draft, shapes, warning
from gateway.policy.native.enforcer import managers
from gateway.policy.native.functions import FUNCTIONS, Function
from gateway.policy.native.model import Blanks
from gateway.policy.native.patterns import Refused
from gateway.policy.native.roles import FAILURES, Match
from gateway.policy.native.table import Line, Value

COMPARED = 1000  # rows; with more patterns each request would take milliseconds (P159)


def check_trees(draft: Draft) -> Iterator[FileFault]:
    """Role trees: no circle, conditions that can be asked, names that can be patterns."""
    links = managers(draft.source)
    for key, shape in shapes(draft.model).items():
        rows = draft.of(key)
        for row in rows:
            links[key].add_link(*(value.text for value in row.values))
        circle = links[key].circle()
        if circle:
            yield _circle(draft, rows, circle)
        yield from _check_conditions(draft, key, shape)
        for indexes, name in (((0, 1), draft.source.matching.get(key)), ((2,), draft.source.domain_matching.get(key))):
            for row in rows if name else ():  # with a matching function every name of a row is a pattern
                yield from _check_values(draft, row, [row.values[index] for index in indexes], FUNCTIONS[name or ""])
        match = links[key].match
        if match is not None:
            yield from _check_overlaps(draft, rows, match)


def _circle(draft: Draft, rows: tuple[Line, ...], circle: tuple[str, ...]) -> FileFault:
    """A circle, at the row that closes it."""
    closing = next(row for row in rows if (row.values[0].text, row.values[1].text) == circle[-2:])
    path = " → ".join(circle)
    return draft.told(
        closing, closing.values[0], "P153", f"roles include each other in a circle: {path}",
        f"角色之间形成循环：{path}", ("remove one of the steps", "请去掉其中一步"),
    )  # fmt: skip


def _check_overlaps(draft: Draft, rows: tuple[Line, ...], match: Match) -> Iterator[FileFault]:
    """casbin holds the patterns of rows against each other too: `/a/:id` matches the *text* `/a/*`, so that whatever
    `/a/*` matches gets the roles of both. Here a pattern stands for the names that it matches; told with one of them."""
    first: dict[str, Line] = {}
    roles: dict[str, set[str]] = {}
    for row in rows[:COMPARED]:
        name, role = row.values[0].text, row.values[1].text
        first.setdefault(name, row)
        roles.setdefault(name, set()).add(role)
    for name, row in first.items():
        shown = name.replace("*", "x/y")
        for other in roles if shown != name and _fits(match, shown, name) else ():
            if roles[other] - roles[name] and _fits(match, name, other) and not _fits(match, shown, other):
                fault = draft.told(
                    row, row.values[0], "P137", f"casbin takes `{name}` for a name that `{other}` matches, and gives its roles to `{shown}`; here it has none of them",
                    f"casbin 会把 `{name}` 当作 `{other}` 所匹配的名称，并将其角色给予 `{shown}`；此处不会",
                    ("if that is meant, give both patterns the same roles", "若确需如此，请给两个模式相同的角色"),
                )  # fmt: skip
                yield warning(fault)
                break


def _fits(match: Match, text: str, pattern: str) -> bool:
    try:
        return match(text, pattern)
    except FAILURES:
        return False


def _check_conditions(draft: Draft, key: str, shape: Blanks) -> Iterator[FileFault]:
    """Columns of a condition that nobody asks would give the role for ever."""
    name = draft.source.conditions.get(key, "")
    function = FUNCTIONS.get(name)
    if shape.conditions and (function is None or function.arity != shape.conditions):
        yield draft.defined(
            key, "P156", f"nothing asks the condition of `{key}`: the role would be held for ever",
            f"没有函数检查 `{key}` 的条件：角色会永久有效",
            (
                f"write `conditions: {{{key}: timeMatch}}` in casbin/request.yaml, with two columns: start and end",
                f"请在 casbin/request.yaml 中写 `conditions: {{{key}: timeMatch}}`，条件含起止两列",
            ),
        )  # fmt: skip
    elif function is not None:
        seen: set[tuple[str, ...]] = set()
        for row in draft.of(key):
            yield from _check_values(draft, row, row.values[shape.names :], function)
            link = tuple(value.text for value in row.values[: shape.names])
            if link in seen:
                yield draft.told(
                    row, row.kind, "P156", "this link stands twice; casbin keeps the last condition",
                    "该关联重复；casbin 只保留最后一个条件", ("keep one", "请只保留一个"),
                )  # fmt: skip
            seen.add(link)


def _check_values(
    draft: Draft, row: Line, values: tuple[Value, ...] | list[Value], function: Function
) -> Iterator[FileFault]:
    """Each of these values as a pattern of the function."""
    for value in values:
        try:
            if function.check is not None:
                function.check(value.text)
        except Refused as refused:
            yield draft.told(row, value, "P144", refused.en, refused.zh, refused.hint)
