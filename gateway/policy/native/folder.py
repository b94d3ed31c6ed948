"""Is the native policy of this folder good, and what is it?

Reads `casbin/model.conf`, `policy.csv` and `request.yaml`, and tries everything that casbin would find only on a
request: all expressions, all patterns, all role trees. All faults at once, each with its place and remedy.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from msgspec.structs import asdict

from gateway.document import Faulty, FileFault, Node, read, why
from gateway.policy.names import Name
from gateway.policy.native.enforcer import managers, scope_of
from gateway.policy.native.expression import Expression, Pinned, Scope, compile_expression
from gateway.policy.native.functions import FUNCTIONS, Function
from gateway.policy.native.model import (
    ALLOW_AND_DENY,
    ALLOW_OVERRIDE,
    DENY_OVERRIDE,
    SUBJECT_PRIORITY,
    Blanks,
    Definition,
    blanks,
    effect,
    read_model,
)
from gateway.policy.native.request import never, read_request
from gateway.policy.native.source import FOLDER, LAYER, MAX_BYTES, Source, columns
from gateway.policy.native.syntax import Faulty as Unusable
from gateway.policy.native.syntax import Problem
from gateway.policy.native.table import Line, Value, Width, decoded, read_table
from gateway.policy.rules import Rule
from gateway.policy.shapes import Faults

READ = ("model.conf", "policy.csv", "request.yaml")
SLOW_MICROSECONDS = 2000.0
SHOWN = 5
_IN_PATTERNS = "".join(map(chr, range(0x21, 0x7F)))
PREFIX = ":"  # a role name with one (`role:admin`) cannot be somebody's id


def read_native(folder: Path, table: dict[str, Name], faults: Faults) -> Source | None:
    """The native policy below `folder`, None when there is none or it has faults. `table`: the names of conditions."""
    place = folder / FOLDER
    if not place.exists():
        return None
    before = len(faults)
    _check_strays(place, faults)
    reading = _Reading(place, table, faults)
    source = reading.source()
    return source if all(fault.warning for fault in faults[before:]) else None


def _check_strays(place: Path, faults: Faults) -> None:
    for path in sorted(place.iterdir()) if place.is_dir() else ():
        if path.name not in READ and path.suffix.lower() in (".csv", ".conf", ".yaml", ".yml"):
            faults.append(
                FileFault(
                    str(path), 1, 1, "P131", "is not read: native mode reads " + ", ".join(READ),
                    "不会被读取：原生模式只读取 " + "、".join(READ), "rename or remove it", "请改名或移走",
                )
            )  # fmt: skip


def _text(path: Path, faults: Faults, needed: bool = True) -> str | None:
    """The text of a file, None when it cannot be read (or is not there and need not be)."""
    if not needed and not path.exists():
        return None
    try:
        if path.exists() and not path.is_file():
            raise OSError(0, "not a regular file")
        raw = path.read_bytes()
    except OSError as error:
        en, zh = why(error)
        faults.append(
            FileFault(
                str(path), 1, 1, "P130", f"cannot be read: {en}", f"无法读取：{zh}",
                "restore it, or remove the folder casbin/ to leave native mode", "请恢复该文件，或删除 casbin/ 目录以退出原生模式",
            )
        )  # fmt: skip
        return None
    if len(raw) > MAX_BYTES:
        faults.append(FileFault(str(path), 1, 1, "P130", "is larger than 16 MiB", "超过 16 MiB"))
        return None
    before = len(faults)
    text = decoded(raw, str(path), faults)
    return text if len(faults) == before else None


class _Reading:
    """One reading of the three files; faults are noted and reading goes on as far as it makes sense."""

    def __init__(self, place: Path, table: dict[str, Name], faults: Faults) -> None:
        self.table, self.faults = table, faults
        self.model_file, self.table_file = str(place / "model.conf"), str(place / "policy.csv")
        self.request_path = place / "request.yaml"
        self.model: dict[str, Definition] = {}
        self.shapes: dict[str, Blanks] = {}
        self.rows: list[Line] = []

    def source(self) -> Source | None:
        """The whole policy, None where reading it further would make no sense."""
        if not self.read_model():
            return None
        source = self.requested()
        self.check_effect(source)
        matcher = self.matcher(source)
        if matcher is None:  # the columns that hold rules are not known: rows could not be read rightly
            return None
        before = len(self.faults)
        self.read_rows(matcher)
        source = self.whole(source)
        rules = self.rules(matcher, source)
        self.check_patterns(matcher)
        self.check_paths(source, matcher)
        self.check_links(source)
        if all(fault.warning for fault in self.faults[before:]):  # a rule that is left out may be what uses it
            self.check_use(matcher, rules)
            self.check_words(source, matcher)
        self.check_names(source, matcher)
        self.check_cost(matcher, rules)
        return source

    # --- reading --------------------------------------------------------------------------

    def read_model(self) -> bool:
        """Whether the model could be read."""
        before = len(self.faults)
        text = _text(Path(self.model_file), self.faults)
        if text is not None:
            self.model = read_model(text, self.model_file, self.faults)
        self.shapes = {key: shape for key, one in self.model.items() if key[0] == "g" and (shape := blanks(one.text))}
        return len(self.faults) == before

    def requested(self) -> Source:
        """What the model and `request.yaml` say together, without rows."""
        root = Node(None, str(self.request_path), 1, 1)
        if self.request_path.exists():
            try:
                root = read(self.request_path)
            except Faulty as faulty:
                self.faults.extend(faulty.faults)
        request = read_request(root, columns(self.model["r"].text), self.shapes, self.table, self.faults)
        return Source(
            {key: one.text for key, one in self.model.items()},
            (),
            request.names,
            request.matching,
            request.domain_matching,
            request.conditions,
            request.allow_by_default,
            self.model["m"].places[0][0],
        )

    def matcher(self, source: Source) -> Expression | None:
        """The matcher, None when it has faults."""
        found, problems = _tried(source.definitions["m"], scope_of(source, self.table, {}))
        for one in problems:
            fault = self.model["m"].fault(self.model_file, one.at, one.code, one.en, one.zh, one.hint)
            self.faults.append(_warning(fault) if one.warning else fault)
        return found

    def read_rows(self, matcher: Expression) -> None:
        """The rows; a model whose matcher reads none needs no table."""
        text = _text(Path(self.table_file), self.faults, needed=bool(matcher.columns))
        if text is None:
            return
        denies = effect(self.model["e"].text) != ALLOW_OVERRIDE
        widths = {"p": Width(columns(self.model["p"].text), frozenset(matcher.rules), denies)}
        for key, shape in self.shapes.items():
            names = ("user", "role", "domain")[: shape.names]
            widths[key] = Width((*names, *(f"condition {n}" for n in range(1, shape.conditions + 1))))
        before = len(self.faults)
        self.rows = read_table(text, self.table_file, widths, self.faults)
        if matcher.columns and len(self.faults) == before and not any(self.policy()):
            self.faults.append(
                FileFault(
                    self.table_file, 1, 1, "P133", "there is no row of `p`: casbin would ask the matcher with empty values",
                    "没有 `p` 行：casbin 会以空值运行匹配器", "restore the rows", "请恢复各行",
                )
            )  # fmt: skip

    def whole(self, source: Source) -> Source:
        """The source with its rows."""
        rows = tuple((str(row.number), row.kind.text, *(value.text for value in row.values)) for row in self.rows)
        return Source(**(asdict(source) | {"rows": rows}))

    def policy(self) -> Iterator[Line]:
        """The rows of `p`."""
        return (row for row in self.rows if row.kind.text == "p")

    # --- trying ---------------------------------------------------------------------------

    def rules(self, matcher: Expression, source: Source) -> list[Expression]:
        """The rules that stand in columns, each held against its patterns."""
        scope = scope_of(source, self.table, {}, rules=False)
        names = columns(source.definitions["p"])
        found = []
        for row in self.policy() if matcher.rules else ():
            for name in matcher.rules:
                value = row.values[names.index(name)]
                rule = self.rule(row, value, scope)
                if rule is not None:
                    found.append(rule)
                    self.check_row(rule.pinned, row, value)
        return found

    def rule(self, row: Line, value: Value, scope: Scope) -> Expression | None:
        """The rule in one value, None when it has faults."""
        found, problems = _tried(value.text, scope)
        for one in problems:
            fault = row.fault(self.table_file, value, one.code, one.en, one.zh, one.hint, one.at)
            self.faults.append(_warning(fault) if one.warning else fault)
        return found

    def check_patterns(self, matcher: Expression) -> None:
        """Every pattern of the matcher: those it writes out once, those it takes from a row in each row."""
        for one in matcher.pinned:
            refused = one.refused({}) if one.literal else None
            if refused is not None:
                en, zh = refused.en, refused.zh
                self.faults.append(self.model["m"].fault(self.model_file, one.at, "P144", en, zh, refused.hint))
        taken = tuple(one for one in matcher.pinned if not one.literal)
        for row in self.policy() if taken else ():
            self.check_row(taken, row)

    def check_row(self, pinned: tuple[Pinned, ...], row: Line, rule: Value | None = None) -> None:
        """The patterns that one row gives, in its columns or in the rule that stands in one of them."""
        names = [f"p_{name}" for name in columns(self.model["p"].text)]
        values: dict[str, object] = {name: value.text for name, value in zip(names, row.values, strict=True)}
        for one in pinned:
            refused = one.refused(values)
            if refused is not None:
                at = row.values[names.index(one.key)] if one.key in names else rule or row.kind
                into = one.at if at is rule else 0
                fault = row.fault(self.table_file, at, "P144", refused.en, refused.zh, refused.hint, into)
                self.faults.append(fault)

    def check_paths(self, source: Source, matcher: Expression) -> None:
        """A path is decided on as it is sent: with Chinese text in clear a deny would never match."""
        if "path" not in source.request.values():
            return
        names = columns(source.definitions["p"])
        rules = {names.index(name) for name in matcher.rules}
        for row in self.rows:
            for index, value in enumerate(row.values):
                if value.text.isascii() or not value.text.lstrip("^").startswith("/"):
                    continue
                if row.kind.text == "p" and index in rules:
                    continue
                sent = quote(value.text, safe=_IN_PATTERNS)
                self.faults.append(
                    row.fault(
                        self.table_file, value, "P148", "a path arrives with such text escaped: this never matches",
                        "路径中的此类文字以转义形式到达：该值永不匹配", (f"write {sent}", f"请写 {sent}"),
                    )
                )  # fmt: skip

    def check_effect(self, source: Source) -> None:
        """An effect that allows what no row speaks about is not casbin's to choose in silence."""
        definition, chosen = self.model["e"], effect(source.definitions["e"])
        names = columns(source.definitions["p"])
        if chosen not in ("", ALLOW_OVERRIDE) and "eft" not in names:
            self.faults.append(
                definition.fault(
                    self.model_file, 0, "P135", "`p` has no column `eft`: nothing would ever be denied",
                    "`p` 没有 `eft` 列：永远不会拒绝任何请求", ("add `eft` to `p`", "请在 `p` 中添加 `eft`"),
                )
            )  # fmt: skip
        if chosen == DENY_OVERRIDE:
            fault = definition.fault(
                self.model_file, 0, "P136", "this effect allows whatever no row denies, and everything when the file is empty",
                "该效果会允许一切未被拒绝的请求；文件为空时允许所有请求",
                (
                    f"write `e = {ALLOW_AND_DENY}`, or say `allow_by_default: true` in casbin/request.yaml",
                    f"请写 `e = {ALLOW_AND_DENY}`，或在 casbin/request.yaml 中写 `allow_by_default: true`",
                ),
            )  # fmt: skip
            self.faults.append(_warning(fault) if source.allow_by_default else fault)
        if chosen == SUBJECT_PRIORITY and not self.ordered(source, names):
            self.faults.append(
                definition.fault(
                    self.model_file, 0, "P135", "this effect orders rows by `g` and by their first column, `sub`; here it would not",
                    "该效果按 `g` 与首列 `sub` 排序；此处不会排序",
                    (
                        "begin `p` with `sub`; give it a column `dom` just when `g` is `_, _, _`; no conditions or matching functions for `g`",
                        "以 `sub` 作为 `p` 的首列；仅当 `g` 为 `_, _, _` 时 `p` 才有 `dom` 列；`g` 不带条件与匹配函数",
                    ),
                )
            )  # fmt: skip

    def ordered(self, source: Source, names: tuple[str, ...]) -> bool:
        """Whether casbin would order the rows by subject: else the role's allow outranks somebody's own deny."""
        shape = self.shapes.get("g")
        plain = shape is not None and not shape.conditions and (shape.names > 2) is ("dom" in names)
        return plain and names[0] == "sub" and "g" not in source.matching and "g" not in source.domain_matching

    def check_links(self, source: Source) -> None:
        """Role trees: no circle, conditions that can be asked, names that can be patterns."""
        links = managers(source)
        for key, shape in self.shapes.items():
            rows = [row for row in self.rows if row.kind.text == key]
            for row in rows:
                links[key].add_link(*(value.text for value in row.values))
            circle = links[key].circle()
            if circle:
                self.faults.append(self.circle(rows, circle))
            self.check_conditions(key, shape, rows, source)
            for column, function in (((0, 1), source.matching.get(key)), ((2,), source.domain_matching.get(key))):
                if function:
                    self.check_names_as_patterns(rows, column, function)

    def circle(self, rows: list[Line], circle: tuple[str, ...]) -> FileFault:
        """A circle, at the row that closes it."""
        closing = next(row for row in rows if (row.values[0].text, row.values[1].text) == circle[-2:])
        path = " → ".join(circle)
        return closing.fault(
            self.table_file, closing.values[0], "P153", f"roles include each other in a circle: {path}",
            f"角色之间形成循环：{path}", ("remove one of the steps", "请去掉其中一步"),
        )  # fmt: skip

    def check_conditions(self, key: str, shape: Blanks, rows: list[Line], source: Source) -> None:
        """Columns of a condition that nobody asks would give the role for ever."""
        function = FUNCTIONS[source.conditions[key]] if key in source.conditions else None
        if shape.conditions and (function is None or function.arity != shape.conditions):
            self.faults.append(
                self.model[key].fault(
                    self.model_file, 0, "P156", f"nothing asks the condition of `{key}`: the role would be held for ever",
                    f"没有函数检查 `{key}` 的条件：角色会永久有效",
                    (
                        f"write `conditions: {{{key}: timeMatch}}` in casbin/request.yaml, with two columns: start and end",
                        f"请在 casbin/request.yaml 中写 `conditions: {{{key}: timeMatch}}`，条件含起止两列",
                    ),
                )
            )  # fmt: skip
            return
        if function is None:
            return
        seen: set[tuple[str, ...]] = set()
        for row in rows:
            self.check_values(row, row.values[shape.names :], function)
            link = tuple(value.text for value in row.values[: shape.names])
            if link in seen:
                self.faults.append(
                    row.fault(
                        self.table_file, row.kind, "P156", "this link stands twice; casbin keeps the last condition",
                        "该关联重复；casbin 只保留最后一个条件", ("keep one", "请只保留一个"),
                    )
                )  # fmt: skip
            seen.add(link)

    def check_names_as_patterns(self, rows: list[Line], indexes: tuple[int, ...], function: str) -> None:
        """With a matching function every name of a row is a pattern."""
        for row in rows:
            self.check_values(row, tuple(row.values[index] for index in indexes), FUNCTIONS[function])

    def check_values(self, row: Line, values: tuple[Value, ...], function: Function) -> None:
        """Each of these values as a pattern of the function."""
        for value in values:
            refused = Pinned(0, lambda row, text=value.text: text, function).refused({})  # type: ignore[misc]  # bound now
            if refused is not None:
                self.faults.append(row.fault(self.table_file, value, "P144", refused.en, refused.zh, refused.hint))

    # --- warnings -------------------------------------------------------------------------

    def check_use(self, matcher: Expression, rules: list[Expression]) -> None:
        """What is defined and never looked at: somebody believes that it is."""
        whole = (matcher, *rules)
        used = {
            "r": frozenset().union(*(one.tokens for one in whole)),
            "p": frozenset().union(*(one.columns for one in whole)) | {"eft", "priority"},
        }
        for key, seen in used.items():
            for name in columns(self.model[key].text):
                if name not in seen:
                    self.unused(key, f"{key}.{name}", self.model[key].text.index(name))
                    self.check_unread(key, name)
        calls: frozenset[str] = frozenset().union(*(one.calls for one in whole))
        for key in self.shapes:
            if key not in calls and effect(self.model["e"].text) != SUBJECT_PRIORITY:
                self.unused(key, key, 0)

    def check_unread(self, key: str, name: str) -> None:
        """A `deny` in a column that is not called `eft`: the row would allow."""
        at = columns(self.model[key].text).index(name)
        for row in self.policy() if key == "p" else ():
            value = row.values[at]
            if value.text.casefold() == "deny":
                fault = row.fault(
                    self.table_file, value, "P147", f"`{value.text}` in `{name}`, which nobody reads: this row allows",
                    f"`{name}` 列中的 `{value.text}` 无人读取：该行会允许", ("call the column `eft`", "请把该列命名为 `eft`"),
                )  # fmt: skip
                self.faults.append(fault)

    def unused(self, key: str, shown: str, at: int) -> None:
        """One definition that no matcher looks at."""
        fault = self.model[key].fault(
            self.model_file, at, "P157", f"`{shown}` is defined, and the matcher never looks at it",
            f"定义了 `{shown}`，但匹配器从不使用", ("use it, or remove it", "请使用或删除"),
        )  # fmt: skip
        self.faults.append(_warning(fault))

    def check_words(self, source: Source, matcher: Expression) -> None:
        """A value that what it is compared with can never take: `read` where `GET` arrives."""
        names = columns(source.definitions["p"])
        for token, column in sorted(matcher.equal):
            seen: set[str] = set()
            for row in self.policy():
                value = row.values[names.index(column)]
                if value.text in seen or (column, value.text) in matcher.literals:
                    continue
                seen.add(value.text)
                hint = never(source.request[token], value.text, self.table)
                if hint is not None:
                    fault = row.fault(
                        self.table_file, value, "P143", f"`{source.request[token]}` is never `{value.text}`",
                        f"`{source.request[token]}` 永远不会是 `{value.text}`", hint,
                    )  # fmt: skip
                    self.faults.append(_warning(fault))

    def check_names(self, source: Source, matcher: Expression) -> None:
        """casbin keeps people and roles in one name space: somebody whose id is `admin` gets the role's access."""
        if not any(source.request[token] == "subject.id" for token in matcher.role_names):
            return
        rows = [row for row in self.rows if row.kind.text == "g" and PREFIX not in row.values[1].text]
        names = list(dict.fromkeys(row.values[1].text for row in rows))
        if names:
            shown = ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
            fault = rows[0].fault(
                self.table_file, rows[0].values[1], "P158", f"somebody who signs in with the id of a role holds it: {shown}",
                f"登录标识与角色同名者即拥有该角色：{shown}",
                ("give roles a prefix that no sign-in carries: role:admin", "请给角色加登录标识不会有的前缀：role:admin"),
            )  # fmt: skip
            self.faults.append(_warning(fault))

    def check_cost(self, matcher: Expression, rules: list[Expression]) -> None:
        """A decision asks every row: said before anybody waits for it."""
        count = sum(1 for _ in self.policy())
        micros = count * matcher.microseconds + sum(rule.microseconds for rule in rules)
        if micros > SLOW_MICROSECONDS:
            fault = FileFault(
                self.table_file, 1, 1, "P159", f"{count} rows: a decision may take {micros / 1000:.1f} ms",
                f"共 {count} 行：一次判定可能耗时 {micros / 1000:.1f} 毫秒",
                "move rules to YAML: they are indexed, and cost microseconds at any number",
                "请将规则改写为 YAML：它们建有索引，数量再多也只需数微秒", True,
            )  # fmt: skip
            self.faults.append(fault)


def _tried(text: str, scope: Scope) -> tuple[Expression | None, tuple[Problem, ...]]:
    """The expression, or None; and all that is to be said about it."""
    try:
        found = compile_expression(text, scope, lambda column: _true)
    except Unusable as unusable:
        return None, unusable.problems
    return found, found.warnings


def _true(row: object) -> bool:
    return True


def _warning(fault: FileFault) -> FileFault:
    return FileFault(**(asdict(fault) | {"warning": True}))


def check_rules(folder: Path, rules: Iterable[Rule], faults: Faults) -> None:
    """Beside a native policy a YAML rule may only deny: else nobody could tell which of the two allows."""
    if not (folder / FOLDER).exists():
        return
    for rule in rules:
        file, _, line = rule.place.rpartition(":")
        if rule.id.startswith(f"{LAYER}:"):
            faults.append(
                FileFault(
                    str(folder / file), int(line), 1, "P154", f"`{rule.id}` is how a row of casbin/policy.csv is named",
                    f"`{rule.id}` 是 casbin/policy.csv 中行的名称", "choose another id", "请换一个标识",
                )
            )  # fmt: skip
        if rule.effect == "allow":
            faults.append(
                FileFault(
                    str(folder / file), int(line), 1, "P154", f"`{rule.id}` allows: beside casbin/ rules only deny",
                    f"`{rule.id}` 是允许规则：与 casbin/ 并用时规则只能拒绝",
                    "write it as a row of casbin/policy.csv, or remove casbin/ once all rows are rules",
                    "请写成 casbin/policy.csv 的行；若各行均已改写为规则，请删除 casbin/",
                )
            )  # fmt: skip
