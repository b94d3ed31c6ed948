"""Is the native policy of this folder good, and what is it?

Reads `casbin/model.conf`, `policy.csv` and `request.yaml`, and tries everything that casbin would find only on a
request: all expressions, all patterns, all role trees. All faults at once, each with its place and remedy.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from msgspec.structs import replace

from gateway.document import Faulty, FileFault, Node, read, why
from gateway.policy.names import Name
from gateway.policy.native.draft import Draft, shapes, warning
from gateway.policy.native.enforcer import scope_of
from gateway.policy.native.expression import Expression, Pinned, Scope, compile_expression
from gateway.policy.native.lint import check_cost, check_names, check_use, check_words
from gateway.policy.native.model import (
    ALLOW_AND_DENY,
    ALLOW_OVERRIDE,
    DENY_OVERRIDE,
    SUBJECT_PRIORITY,
    Definition,
    effect,
    read_model,
)
from gateway.policy.native.request import read_request
from gateway.policy.native.source import FOLDER, LAYER, MAX_BYTES, Source, columns
from gateway.policy.native.syntax import Faulty as Unusable
from gateway.policy.native.syntax import Problem
from gateway.policy.native.table import Line, Value, Width, decoded, read_table
from gateway.policy.native.trees import check_trees
from gateway.policy.rules import Rule
from gateway.policy.shapes import Faults

MODEL, TABLE, REQUEST = READ = ("model.conf", "policy.csv", "request.yaml")
_IN_PATTERNS = "".join(map(chr, range(0x21, 0x7F)))


def read_native(folder: Path, table: dict[str, Name], faults: Faults) -> Source | None:
    """The native policy below `folder`, None when there is none or it has faults. `table`: the names of conditions."""
    place = folder / FOLDER
    if not place.exists():
        return None
    before = len(faults)
    _check_strays(place, faults)
    draft = _draft(place, table, faults)
    if draft is None:  # the columns that hold rules are not known: rows could not be read rightly
        return None
    draft = replace(draft, rules=tuple(_rules(draft, table, faults)))
    faults.extend((*_check_patterns(draft), *_check_paths(draft), *check_trees(draft)))
    if all(fault.warning for fault in faults[before:] if fault.file == draft.table_file):  # a row left out may use it
        faults.extend((*check_use(draft), *check_words(draft, table)))
    faults.extend((*check_names(draft), *check_cost(draft)))
    return draft.source if all(fault.warning for fault in faults[before:]) else None


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


# --- reading --------------------------------------------------------------------------------------


def _draft(place: Path, table: dict[str, Name], faults: Faults) -> Draft | None:
    """What the three files say, None where reading on would make no sense."""
    file = str(place / MODEL)
    before = len(faults)
    text = _text(place / MODEL, faults)
    model = read_model(text, file, faults) if text is not None else {}
    if len(faults) > before:
        return None
    source = _requested(place / REQUEST, model, table, faults)
    faults.extend(_check_effect(model, file, source))
    matcher, problems = _tried(model["m"].text, scope_of(source, table, {}))
    for one in problems:
        faults.append(_as_told(one, model["m"].fault(file, one.at, one.code, one.en, one.zh, one.hint)))
    if matcher is None:
        return None
    rows = _rows(place / TABLE, model, matcher, faults)
    values = tuple((str(row.number), row.kind.text, *(value.text for value in row.values)) for row in rows)
    return Draft(file, str(place / TABLE), model, tuple(rows), replace(source, rows=values), matcher)


def _requested(path: Path, model: dict[str, Definition], table: dict[str, Name], faults: Faults) -> Source:
    """What the model and `request.yaml` say together, without rows."""
    root = Node(None, str(path), 1, 1)
    if path.exists():
        try:
            root = read(path)
        except Faulty as faulty:
            faults.extend(faulty.faults)
    request = read_request(root, columns(model["r"].text), shapes(model), table, faults)
    return Source(
        {key: one.text for key, one in model.items()},
        (),
        request.names,
        request.matching,
        request.domain_matching,
        request.conditions,
        request.allow_by_default,
        model["m"].places[0][0],
    )


def _rows(path: Path, model: dict[str, Definition], matcher: Expression, faults: Faults) -> list[Line]:
    """The rows; a model whose matcher reads none needs no table."""
    text = _text(path, faults, needed=bool(matcher.columns))
    if text is None:
        return []
    denies = effect(model["e"].text) != ALLOW_OVERRIDE
    widths = {"p": Width(columns(model["p"].text), frozenset(matcher.rules), denies)}
    for key, shape in shapes(model).items():
        names = ("user", "role", "domain")[: shape.names]
        widths[key] = Width((*names, *(f"condition {n}" for n in range(1, shape.conditions + 1))))
    before = len(faults)
    rows = read_table(text, str(path), widths, faults)
    if matcher.columns and len(faults) == before and not any(row.kind.text == "p" for row in rows):
        faults.append(
            FileFault(
                str(path), 1, 1, "P133", "there is no row of `p`: casbin would ask the matcher with empty values",
                "没有 `p` 行：casbin 会以空值运行匹配器", "restore the rows", "请恢复各行",
            )
        )  # fmt: skip
    return rows


def _tried(text: str, scope: Scope) -> tuple[Expression | None, tuple[Problem, ...]]:
    """The expression, or None; and all that is to be said about it."""
    try:
        found = compile_expression(text, scope, lambda column: _true)
    except Unusable as unusable:
        return None, unusable.problems
    return found, found.warnings


def _true(row: object) -> bool:
    return True


def _as_told(problem: Problem, fault: FileFault) -> FileFault:
    return warning(fault) if problem.warning else fault


# --- trying ---------------------------------------------------------------------------------------


def _check_effect(model: dict[str, Definition], file: str, source: Source) -> Iterator[FileFault]:
    """An effect that allows what no row speaks about is not casbin's to choose in silence."""
    chosen, names = effect(model["e"].text), columns(model["p"].text)
    if chosen not in ("", ALLOW_OVERRIDE) and "eft" not in names:
        yield model["e"].fault(
            file, 0, "P135", "`p` has no column `eft`: nothing would ever be denied", "`p` 没有 `eft` 列：永远不会拒绝任何请求",
            ("add `eft` to `p`", "请在 `p` 中添加 `eft`"),
        )  # fmt: skip
    if chosen == DENY_OVERRIDE:
        fault = model["e"].fault(
            file, 0, "P136", "this effect allows whatever no row denies, and everything when the file is empty",
            "该效果会允许一切未被拒绝的请求；文件为空时允许所有请求",
            (
                f"write `e = {ALLOW_AND_DENY}`, or say `allow_by_default: true` in casbin/request.yaml",
                f"请写 `e = {ALLOW_AND_DENY}`，或在 casbin/request.yaml 中写 `allow_by_default: true`",
            ),
        )  # fmt: skip
        yield warning(fault) if source.allow_by_default else fault
    if chosen == SUBJECT_PRIORITY and not _ordered(model, source):
        yield model["e"].fault(
            file, 0, "P135", "this effect orders rows by `g` and by their first column, `sub`; here it would not",
            "该效果按 `g` 与首列 `sub` 排序；此处不会排序",
            (
                "begin `p` with `sub`; give it a column `dom` just when `g` is `_, _, _`; no conditions or matching functions for `g`",
                "以 `sub` 作为 `p` 的首列；仅当 `g` 为 `_, _, _` 时 `p` 才有 `dom` 列；`g` 不带条件与匹配函数",
            ),
        )  # fmt: skip


def _ordered(model: dict[str, Definition], source: Source) -> bool:
    """Whether casbin would order the rows by subject: else the role's allow outranks somebody's own deny."""
    shape, names = shapes(model).get("g"), columns(model["p"].text)
    plain = shape is not None and not shape.conditions and (shape.names > 2) is ("dom" in names)
    return plain and names[0] == "sub" and "g" not in source.matching and "g" not in source.domain_matching


def _rules(draft: Draft, table: dict[str, Name], faults: Faults) -> Iterator[Expression]:
    """The rules that stand in columns, each held against its patterns."""
    scope = scope_of(draft.source, table, {}, rules=False)
    places = [draft.columns.index(name) for name in draft.matcher.rules]
    for row in draft.of("p") if places else ():
        for place in places:
            value = row.values[place]
            rule, problems = _tried(value.text, scope)
            for one in problems:
                faults.append(_as_told(one, draft.told(row, value, one.code, one.en, one.zh, one.hint, one.at)))
            if rule is not None:
                yield rule
                faults.extend(_check_row(draft, rule.pinned, row, value))


def _check_patterns(draft: Draft) -> Iterator[FileFault]:
    """Every pattern of the matcher: those it writes out once, those it takes from a row in each row."""
    for one in draft.matcher.pinned:
        refused = one.refused({}) if one.literal else None
        if refused is not None:
            yield draft.defined("m", "P144", refused.en, refused.zh, refused.hint, one.at)
    taken = tuple(one for one in draft.matcher.pinned if not one.literal)
    for row in draft.of("p") if taken else ():
        yield from _check_row(draft, taken, row)


def _check_row(draft: Draft, pinned: tuple[Pinned, ...], row: Line, rule: Value | None = None) -> Iterator[FileFault]:
    """The patterns that one row gives, in its columns or in the rule that stands in one of them."""
    values = {f"p_{name}": value for name, value in zip(draft.columns, row.values, strict=True)}
    texts = {name: value.text for name, value in values.items()}
    for one in pinned:
        refused = one.refused(texts)
        if refused is not None:
            at = values.get(one.key) or rule or row.kind
            yield draft.told(row, at, "P144", refused.en, refused.zh, refused.hint, one.at if at is rule else 0)


def _check_paths(draft: Draft) -> Iterator[FileFault]:
    """A path is decided on as it is sent: with Chinese text in clear a deny would never match."""
    if "path" not in draft.source.request.values():
        return
    rules = [draft.columns.index(name) for name in draft.matcher.rules]
    for row in draft.rows:
        for index, value in enumerate(row.values):
            if value.text.isascii() or not value.text.lstrip("^").startswith("/"):
                continue
            if row.kind.text == "p" and index in rules:
                continue
            sent = quote(value.text, safe=_IN_PATTERNS)
            yield draft.told(
                row, value, "P148", "a path arrives with such text escaped: this never matches",
                "路径中的此类文字以转义形式到达：该值永不匹配", (f"write {sent}", f"请写 {sent}"),
            )  # fmt: skip


# --- beside it ------------------------------------------------------------------------------------


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
