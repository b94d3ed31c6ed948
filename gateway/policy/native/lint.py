"""What in a native policy is probably not meant?

Nothing here is ever needed to judge a request. All but one are warnings: a `deny` that no effect reads allows.
"""

from collections import Counter
from collections.abc import Iterator

from gateway.document import FileFault
from gateway.policy.names import Name
from gateway.policy.native.draft import Draft, shapes, warning
from gateway.policy.native.functions import FUNCTIONS
from gateway.policy.native.index import equalities
from gateway.policy.native.model import SUBJECT_PRIORITY
from gateway.policy.native.request import never
from gateway.policy.native.source import columns

SLOW_MICROSECONDS = 2000.0
SHOWN = 5
PREFIX = ":"  # a role name with one (`role:admin`) cannot be somebody's id


def check_use(draft: Draft) -> Iterator[FileFault]:
    """What is defined and never looked at: somebody believes that it is."""
    used = {
        "r": frozenset[str]().union(*(one.tokens for one in draft.whole())),
        "p": frozenset[str]().union(*(one.columns for one in draft.whole())) | {"eft", "priority"},
    }
    for key, seen in used.items():
        for name in columns(draft.model[key].text):
            if name not in seen:
                yield _unused(draft, key, f"{key}.{name}", draft.model[key].text.index(name))
                yield from _check_unread(draft, key, name)
    called = frozenset[str]().union(*(one.calls for one in draft.whole()))
    for key in shapes(draft.model):
        if key not in called and draft.effect != SUBJECT_PRIORITY:
            yield _unused(draft, key, key, 0)


def _check_unread(draft: Draft, key: str, name: str) -> Iterator[FileFault]:
    """A `deny` in a column that is not called `eft`: the row would allow."""
    for row in draft.of("p") if key == "p" else ():
        value = row.values[draft.columns.index(name)]
        if value.text.casefold() == "deny":
            yield draft.told(
                row, value, "P147", f"`{value.text}` in `{name}`, which nobody reads: this row allows",
                f"`{name}` 列中的 `{value.text}` 无人读取：该行会允许", ("call the column `eft`", "请把该列命名为 `eft`"),
            )  # fmt: skip


def _unused(draft: Draft, key: str, shown: str, at: int) -> FileFault:
    """One definition that no matcher looks at."""
    return warning(
        draft.defined(
            key, "P157", f"`{shown}` is defined, and the matcher never looks at it", f"定义了 `{shown}`，但匹配器从不使用",
            ("use it, or remove it", "请使用或删除"), at,
        )
    )  # fmt: skip


def check_words(draft: Draft, table: dict[str, Name]) -> Iterator[FileFault]:
    """A value that what it is compared with can never take: `read` where `GET` arrives."""
    literals = draft.matcher.literals
    for token, column in sorted(draft.matcher.equal):
        name, at = draft.source.request[token], draft.columns.index(column)
        for text, row in {row.values[at].text: row for row in reversed(draft.of("p"))}.items():
            hint = never(name, text, table) if (column, text) not in literals else None
            if hint is not None:
                en, zh = f"`{name}` is never `{text}`", f"`{name}` 永远不会是 `{text}`"
                yield warning(draft.told(row, row.values[at], "P143", en, zh, hint))


def check_names(draft: Draft) -> Iterator[FileFault]:
    """casbin keeps people and roles in one name space: somebody whose id is `admin` gets the role's access."""
    if not any(draft.source.request[token] == "subject.id" for token in draft.matcher.role_names):
        return
    rows = [row for row in draft.of("g") if PREFIX not in row.values[1].text]
    names = list(dict.fromkeys(row.values[1].text for row in rows))
    if names:
        shown = ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
        yield warning(
            draft.told(
                rows[0], rows[0].values[1], "P158", f"somebody who signs in with the id of a role holds it: {shown}",
                f"登录标识与角色同名者即拥有该角色：{shown}",
                ("give roles a prefix that no sign-in carries: role:admin", "请给角色加登录标识不会有的前缀：role:admin"),
            )
        )  # fmt: skip


def check_cost(draft: Draft) -> Iterator[FileFault]:
    """A decision asks every row that the index cannot leave out: said before anybody waits for it."""
    rows = draft.of("p")
    places = [draft.columns.index(column) for _, column in equalities(draft.matcher.tree, draft.source)]
    count = max(Counter(tuple(row.values[at].text for at in places) for row in rows).values(), default=0)
    rules = sum(rule.microseconds for rule in draft.rules) / max(len(rows), 1)
    links = sum(len(draft.of(key)) * FUNCTIONS[name].microseconds for key, name in draft.source.matching.items())
    micros = count * (draft.matcher.microseconds + rules + links)
    if micros > SLOW_MICROSECONDS:
        yield FileFault(
            draft.table_file, 1, 1, "P159", f"{count} rows: a decision may take {micros / 1000:.1f} ms",
            f"共 {count} 行：一次判定可能耗时 {micros / 1000:.1f} 毫秒",
            "begin the matcher with `r.obj == p.obj` or the like, so that rows are indexed, or move rules to YAML",
            "匹配器以 `r.obj == p.obj` 一类的相等比较开头即可建立索引，或将规则改写为 YAML", True,
        )  # fmt: skip
