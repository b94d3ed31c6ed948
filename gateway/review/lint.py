"""What in these policies is probably not what its author meant?

The policies can be used, and decide as they are written: what is said here are warnings, but for what gives away a
masked value (L009), which is an error. Rules:

1. A finding names its rule by file and line, says why, names the other rule or an example, and how to mend it.
2. What is said of a rule holds for every request (`overlap`), never for samples. Where the search had to give up it
   says so (L099), instead of keeping silent as if all were well.
3. A rule of an emergency level is looked at as if its level were in force.
4. With a record of decisions (`Record`), rules that none of them names are reported.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from gateway.catalog import Catalog
from gateway.document import Faulty, FileFault, Node, read
from gateway.jsonpath import BadPath, parse, spell
from gateway.policy import Bundle
from gateway.policy.content import Row
from gateway.policy.overlays import FROZEN
from gateway.policy.people import PERSON
from gateway.review.cells import cells
from gateway.review.likeness import alike
from gateway.review.linkage import leaks
from gateway.review.overlap import Relation, relations
from gateway.review.unmet import Unmet, unmet

FOLDERS = ("rules", "departments", "cities", "emergency")
PEOPLE = "people.yaml"
MASKS = "masks.yaml"
WHOLE = ("any", ">= general", ">= general-1", "<= core")
UNSIGNED = (
    ("owner", "nobody answers for this rule", "该规则没有负责机构"),
    ("title", "nobody is told what this rule is for", "没有说明该规则的用途"),
)
_UNSETTLED = (
    "not everything about this rule could be settled: findings may be missing", "关于该规则仍有未决之处：可能遗漏问题",
    "split its condition, or name fewer roles", "请拆分其条件，或减少所列角色",
)  # fmt: skip


class Sources(Struct, frozen=True):
    """Where everything stands: the node of each rule by its id, and the roots of people.yaml and masks.yaml."""

    rules: dict[str, Node] = {}
    people: Node | None = None
    masks: Node | None = None

    def profile(self, name: str) -> Node:
        """A mask profile."""
        return (self.masks or Node(None, MASKS, 1, 1)).at(["profiles", name])


class Record(Struct, frozen=True):
    """Decisions that were made: how many, and how many of them named each rule."""

    decisions: int
    hits: Mapping[str, int]


def sources(folder: Path) -> Sources:
    """The nodes of a policy folder; what cannot be read is left out, `policy check` reports it."""
    found: dict[str, Node] = {}
    for path in (path for kind in FOLDERS for path in sorted((folder / kind).glob("*.yaml"))):
        root = _root(path)
        rules = root.at(["rules"]).value if root is not None else None
        for node in rules if isinstance(rules, list) else ():
            identity = node.at(["id"]).value
            if isinstance(identity, str):
                found.setdefault(identity, node)
    return Sources(found, _root(folder / PEOPLE), _root(folder / MASKS))


def _root(path: Path) -> Node | None:
    try:
        return read(path)
    except Faulty:
        return None


def lint(
    bundle: Bundle,
    catalog: Catalog,
    written: Sources | None = None,
    now: float = 0.0,
    record: Record | None = None,
) -> tuple[FileFault, ...]:
    """All findings, in the order of files. `now` is in seconds since 1970: what is over by then does not count."""
    lint_ = _Lint(bundle, catalog, written or Sources(), now)
    found = [
        *lint_.rules(),
        *lint_.names(),
        *lint_.linkage(),
        *lint_.unlabelled(),
        *unnamed(bundle, catalog, lint_.written),
        *(lint_.never_hit(record) if record is not None else ()),
    ]
    return tuple(sorted(set(found)))


class _Lint:
    """One look at one bundle."""

    def __init__(self, bundle: Bundle, catalog: Catalog, written: Sources, now: float) -> None:
        self.bundle = bundle
        self.catalog = catalog
        self.written = written
        self.now = now
        self.content = bundle.content
        overlays = self.content.overlays.items()
        self.levels = {row[0]: level for level, overlay in overlays for row in overlay.rows}
        self.rows: dict[str, list[Row]] = {}
        for row in (*self.content.rules, *(row for _, overlay in overlays for row in overlay.rows)):
            self.rows.setdefault(row[0], []).append(row)
        self.order = {identity: number for number, identity in enumerate(self.rows)}

    # --- places -----------------------------------------------------------------------------

    def at(self, rule: str, key: str = "") -> Node:
        """Where a rule stands, or a key of it."""
        return _at(self.bundle, self.written, rule, [key] if key else [])

    def named(self, rule: str) -> str:
        """A rule as messages name it."""
        return f"`{rule}` ({self.content.places.get(rule, '')})"

    # --- rules ------------------------------------------------------------------------------

    def rules(self) -> Iterator[FileFault]:
        """What can be said of each rule."""
        found = {
            level: relations(self.bundle.raised(level), self.catalog, self.now) for level in set(self.levels.values())
        }
        base = relations(self.bundle, self.catalog, self.now)
        for rule, rows in self.rows.items():
            yield from self.unsigned(rule)
            until = rows[0][7]
            if until and int(until) <= self.now:
                yield _warned(
                    self.at(rule, "expires"), "L007", "the rule has expired and no longer applies", "该规则已过期，不再生效",
                    "remove it, or renew it with those who asked for it", "请删除，或与申请方确认后续期",
                )  # fmt: skip
                continue
            among = found[self.levels[rule]] if rule in self.levels else base
            if rule in among and not self.freezes(rule):
                yield from self.related(rule, among[rule], among)
            if rows[0][1] == "allow" and any(row[4] == "*" and row[6] in WHOLE for row in rows):
                yield _warned(
                    self.at(rule, "data"), "L010", "it allows every asset at every level", "它允许访问所有级别的所有数据",
                    "name the data, or a level such as \"<= important\"", "请写明数据，或限定级别，例如 \"<= important\"",
                )  # fmt: skip

    def freezes(self, rule: str) -> bool:
        """Whether it stands for `freeze_grants`: a precaution, also while there is no grant that it could freeze."""
        return rule in self.levels and self.rows[rule][0][8] == FROZEN

    def unsigned(self, rule: str) -> Iterator[FileFault]:
        """Who answers for it, and what is it for?"""
        node = self.written.rules.get(rule)
        if node is None or not isinstance(node.value, dict):
            return
        for key, en, zh in UNSIGNED:
            if key not in node.value:
                yield _warned(
                    node,
                    "L008",
                    f"{en}: `{key}` is missing",
                    f"{zh}：缺少 `{key}`",
                    f"add `{key}:`",
                    f"请添加 `{key}:`",
                )

    def related(self, rule: str, relation: Relation, among: Mapping[str, Relation]) -> Iterator[FileFault]:
        """Dead, constant, contradicted, shadowed or redundant; the first that holds, comparisons each."""
        yield from self.constant(rule, relation)
        if not relation.reached or not (relation.alive or relation.open or relation.never):
            yield self.dead(rule, relation)
        elif not relation.deny and relation.alive and not relation.effective and not relation.open:
            yield self.shadowed(rule, relation)
        elif other := self.first(rule, relation, among):
            yield _warned(
                self.at(rule), "L004", f"{self.named(other)} always applies with it and asks for the same: it adds nothing",
                f"凡其适用之处 {self.named(other)} 均已适用且要求相同：该规则没有作用",
                "remove one of them, or say what should differ", "请删除其一，或写明两者应有的区别",
            )  # fmt: skip
        if relation.open:
            yield _warned(self.at(rule), "L099", *_UNSETTLED)

    def constant(self, rule: str, relation: Relation) -> Iterator[FileFault]:
        """Comparisons that come out the same for every request."""
        for text, en, zh in (
            *((text, "never", "从不") for text in relation.never),
            *((text, "always", "总是") for text in relation.always),
        ):
            yield _warned(
                self.at(rule, "when"), "L002", f"`{text}` is {en} true here", f"`{text}` 在此处{zh}成立",
                "correct the value, or leave the comparison out", "请更正取值，或去掉该比较",
            )  # fmt: skip

    def dead(self, rule: str, relation: Relation) -> FileFault:
        """No request meets it."""
        if not relation.reached and all(row[5] == "reveal" for row in self.rows[rule]):
            return _warned(
                self.at(rule, "data"), "L001", "no labelled field of the catalog has this data and level: it never applies",
                "目录中没有符合该数据与级别的标注字段：该规则永不生效",
                "label the field whose tokens are opened, or correct data or level", "请标注其令牌需要还原的字段，或更正数据或级别",
            )  # fmt: skip
        if not relation.reached:
            return _warned(
                self.at(rule, "data"), "L001", "no endpoint of the catalog has this data, action and level: it never applies",
                "目录中没有符合该数据、操作与级别的接口：该规则永不生效",
                "list the endpoint, or correct data, action or level", "请登记相应接口，或更正数据、操作或级别",
            )  # fmt: skip
        return _warned(
            self.at(rule, "when"), "L001", "no request can meet its condition and its `who` and `org`: it never applies",
            "没有请求能同时满足其条件、`who` 与 `org`：该规则永不生效",
            "correct the condition, or remove the rule", "请更正条件，或删除该规则",
        )  # fmt: skip

    def shadowed(self, rule: str, relation: Relation) -> FileFault:
        """An allow that lets nobody in."""
        if relation.equal:
            other = self.named(relation.equal[0])
            return _warned(
                self.at(rule, "effect"), "L005", f"{other} denies just what this rule allows", f"{other} 恰好拒绝该规则所允许的请求",
                "keep the one that is meant", "请只保留符合本意的一条",
            )  # fmt: skip
        others = " ".join(map(self.named, relation.covered[:1]))
        return _warned(
            self.at(rule, "effect"), "L003",
            f"every request that it allows is denied by {others or 'several denies together'}",
            f"它允许的每个请求都被{f' {others} ' if others else '多条拒绝规则共同'}拒绝",
            "narrow the deny, or remove this rule", "请收窄拒绝规则，或删除该规则",
        )  # fmt: skip

    def first(self, rule: str, relation: Relation, among: Mapping[str, Relation]) -> str:
        """The rule that makes this one redundant; of two that make each other so, the later one is redundant."""
        for other in sorted(relation.implied, key=lambda name: self.order[name]):
            mutual = other in among and rule in among[other].implied
            if not mutual or self.order[other] < self.order[rule]:
                return other
        return ""

    # --- names, masks, record ---------------------------------------------------------------

    def names(self) -> Iterator[FileFault]:
        """Roles, and people named in rules, that a reader could take for each other."""
        people: dict[str, str] = {}
        for rule, rows in self.rows.items():
            for row in rows:
                if row[2].startswith(PERSON):
                    people.setdefault(row[2].removeprefix(PERSON), rule)
        for one, other in alike((*self.content.declared, *sorted(people))):
            if other in people:
                place = self.at(people[other], "who")
                what = (
                    f"`{PERSON}{other}`",
                    f"the role `{one}`" if one in self.content.declared else f"`{PERSON}{one}`",
                )
                zh = f"角色 `{one}`" if one in self.content.declared else what[1]
            else:
                place = self.role(other)
                what, zh = (f"the role `{other}`", f"the role `{one}`"), f"角色 `{one}`"
            yield _warned(
                place, "L006", f"{what[0]} looks like {what[1]}", f"`{other}` 与 {zh} 看起来相同",
                "rename one of them, or make sure that both are meant", "请改名，或确认两者确为不同对象",
            )  # fmt: skip

    def role(self, name: str) -> Node:
        """Where a role is declared."""
        roles = self.written.people.at(["roles"]) if self.written.people is not None else None
        if roles is None or name not in roles.keys:
            return Node(None, PEOPLE, 1, 1)
        line, column = roles.keys[name]
        return Node(None, roles.file, line, column)

    def linkage(self) -> Iterator[FileFault]:
        """Masked resident ids that the other fields of an answer give away."""
        for leak in leaks(self.bundle, self.catalog):
            node = self.at(leak.rule, "then")
            beside, zh_beside = (f" and {leak.shown}", f" 与 {leak.shown}") if leak.shown else ("", "")
            yield FileFault(
                node.file, node.line, node.column, "L009",
                f"`{leak.profile}` shows {leak.technique} of {leak.masked}{beside} of `{leak.asset}`: "
                "the whole number can be worked out",
                f"`{leak.profile}` 在 `{leak.asset}` 中{'同时' if leak.shown else ''}显示 {leak.masked} 的 {leak.technique}{zh_beside}："
                "可推算出完整号码",
                f"show at most partial(1,1) of the number{', or hide the day of birth' if leak.shown else ''}",
                f"证件号最多显示 partial(1,1){'，或隐藏出生日期' if leak.shown else ''}",
            )  # fmt: skip

    def unlabelled(self) -> Iterator[FileFault]:
        """Identifiers by which a profile suppresses, and that no asset has: nothing would be suppressed by them."""
        labels = {field.identifier for cell in cells((self.catalog,)) for field in cell.assets[0].fields}
        for profile, rare in self.content.suppress.items():
            for identifier in sorted({one for one in rare.fields if not one.startswith("$")} - labels):
                yield _warned(
                    self.written.profile(profile).at(["suppress"]), "L012",
                    f"`{profile}` suppresses by `{identifier}`, and no asset has a field that is labelled so",
                    f"`{profile}` 按 `{identifier}` 抑制，但没有资产带有该标注的字段",
                    "label the fields in the catalog, or write their path", "请在目录中标注字段，或写出路径",
                )  # fmt: skip

    def never_hit(self, record: Record) -> Iterator[FileFault]:
        """Rules that no decision of the record names."""
        for rule in self.rows if record.decisions else ():
            if not record.hits.get(rule) and rule not in self.levels:
                yield _warned(
                    self.at(rule), "L011", f"none of {record.decisions} recorded decisions names it",
                    f"{record.decisions} 个已记录的判定中没有一个涉及它",
                    "remove it if nobody needs it; a deny may just never have been needed yet",
                    "若无人需要请删除；拒绝规则也可能只是尚未触发",
                )  # fmt: skip


def unnamed(bundle: Bundle, catalog: Catalog, written: Sources) -> Iterator[FileFault]:
    """Paths of masks and row filters that no label of the catalog meets."""
    said = {
        "profile": ("the profile `{}` masks `{}`", "方案 `{}` 对 `{}` 脱敏"),
        "suppress": ("the profile `{}` suppresses by `{}`", "方案 `{}` 按 `{}` 抑制"),
        "rows": ("the rule `{}` shows records by `{}`", "规则 `{}` 按 `{}` 筛选记录"),
    }
    for one in unmet(bundle, catalog):
        en, zh = (text.format(one.of, one.path) for text in said[one.kind])
        data, zh_data = ("its data", "其数据中") if one.kind == "rows" else ("the catalog", "目录中")
        yield _warned(
            _place(one, bundle, written), "L013", f"{en}, and no field of {data} is labelled so", f"{zh}，但{zh_data}没有这样标注的字段",
            *one.remedy,
        )  # fmt: skip


def _place(one: Unmet, bundle: Bundle, written: Sources) -> Node:
    """Where a path stands that meets nothing."""
    if one.kind == "rows":
        return _key(_at(bundle, written, one.of, ["then", "rows"]), one.path)
    profile = written.profile(one.of)
    if one.kind == "profile":
        return _key(profile, one.path)
    by = profile.at(["suppress", "by"])
    words = by.value if isinstance(by.value, list) else ()
    return next((word for word in words if _spelled(str(word.value)) == one.path), by)


def _at(bundle: Bundle, written: Sources, rule: str, path: list[str]) -> Node:
    """Where a rule stands, or a part of it; without its file as near as the bundle knows."""
    if rule in written.rules:
        return written.rules[rule].at(path)
    file, _, line = bundle.content.places.get(rule, rule).rpartition(":")
    return Node(None, file or rule, int(line) if line.isdigit() else 1, 1)


def _key(node: Node, path: str) -> Node:
    """The key of a mapping that spells this path."""
    line, column = next((at for key, at in node.keys.items() if _spelled(key) == path), (node.line, node.column))
    return Node(None, node.file, line, column)


def _spelled(text: str) -> str:
    try:
        return spell(parse(text))
    except BadPath:
        return ""


def counted(reasons: Iterable[tuple[str, ...]]) -> Record:
    """A record from the rule ids that each decision names."""
    hits: dict[str, int] = {}
    decisions = 0
    for named in reasons:
        decisions += 1
        for rule in set(named):
            hits[rule] = hits.get(rule, 0) + 1
    return Record(decisions, hits)


def _warned(node: Node, code: str, en: str, zh: str, remedy_en: str = "", remedy_zh: str = "") -> FileFault:
    return FileFault(node.file, node.line, node.column, code, en, zh, remedy_en, remedy_zh, True)
