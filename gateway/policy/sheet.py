"""How do rules look as a table, and what do the rows of a table say as rules?

One row for each rule, one column for each key (`title`, `basis` and `then` take several). A table becomes the same
nodes that a YAML file would, with the places of its cells, and the reader of rules judges them: nothing is accepted
here that YAML would refuse. Rules:

1. Every column that can narrow a rule must be there. A table that lost its column `when` would allow what the
   conditions withheld, and each row of it would look complete.
2. An empty cell says nothing, as a key that is left out. Lists are parted by `;`; `\\;` is one inside a name. Row filters
   are a list of members with one value each: `$.district=subject.org;$.district=330100`.
3. Words are taken as they are: full-width punctuation, invisible characters and spaces around a word are faults, since
   a deny for `auditor ` would never apply. Only titles, notes and legal bases are free text.
4. `layer` and `file` say where a rule stands: `base`, `province`, `city:hz`, `department:prov/civil`; a table without
   them is one file of the province.
5. What a table cannot carry is not exported: every row is read back and compared first.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from gateway.document import Faulty, FileFault, Node, Plain, did_you_mean
from gateway.jsonpath import BadPath, parse
from gateway.policy import cells
from gateway.policy.cells import Cell
from gateway.policy.rules import KEYS

THEN = ("mask", "rows", "step_up", "max_age", "log", "notify", "request", "watermark")
SPREAD = {"title": ("title_zh", "title_en"), "basis": ("basis_zh", "basis_en"), "then": THEN}
PLACE = ("layer", "file")
COLUMNS = (*(column for key in KEYS for column in SPREAD.get(key, (key,))), *PLACE)
FREE = frozenset(("title_zh", "title_en", "basis_zh", "basis_en", "note", "when"))
OPTIONAL = frozenset(("title_zh", "title_en", "basis_zh", "basis_en", "note", "owner", "request", "watermark", *PLACE))
LISTS = frozenset(("who", "org", "data", "action", "notify"))
ROWS = "rows"
PROVINCE = "province"
FOLDERS = {"base": "rules", PROVINCE: "rules", "city": "cities", "department": "departments"}

_ODD = re.compile("[，；：、。（）“”‘’！？＝＜＞＊｜　\n\t\u00a0\u200b-\u200f\u2028-\u202f\u2060\ufeff]")
_NARROW = dict(zip("，；：、。（）“”‘’！？＝＜＞＊｜　", ",;:,.()\"\"''!?=<>*| ", strict=True))
_ESCAPED = re.compile(r"\\([\\;])")
_ITEM = re.compile(r"(?:\\[\\;]|[^;])*")
_TO_ESCAPE = re.compile(r"\\(?=[\\;]|\Z)|;")
_SEPARATORS = {";": ("semicolons", "分号"), "\t": ("tabs", "制表符"), "，": ("full-width commas", "全角逗号"), "|": ("bars", "竖线")}  # fmt: skip

_HEADER = (
    "write the names that `gateway policy export --csv` writes",
    "请使用 `gateway policy export --csv` 写出的列名",
)

Row = dict[str, str]


class Table(NamedTuple):
    """The rule files that a table speaks for, the layer of each, and its cells by row."""

    files: dict[str, Node]
    layers: dict[str, str]
    rows: list[list[Cell]]

    @property
    def rules(self) -> int:
        """How many rules there are."""
        return len(self.rows) - 1

    def named(self, fault: FileFault) -> FileFault:
        """The fault with the name of the cell it points at."""
        at = (fault.line, fault.column)
        before = [cell for row in self.rows for cell in row if (cell.line, cell.column) <= at]
        if not before:
            return fault
        cell = max(before, key=lambda cell: (cell.line, cell.column))
        en, zh = f"{fault.en} (cell {cell.name})", f"{fault.zh}（单元格 {cell.name}）"
        return FileFault(
            fault.file, fault.line, fault.column, fault.code, en, zh, fault.remedy_en, fault.remedy_zh, fault.warning
        )


# --- from rules to rows ----------------------------------------------------------------------------


def exported(files: Iterable[tuple[str, Node]]) -> list[Row]:
    """The rows of all rules of these files (`rules/20-civil.yaml` and its root). Raises Faulty for what no table carries.

    The files are good: the reader of rules has taken them.
    """
    found, faults = [], []
    for name, root in files:
        layer = _layer_of(name, root)
        nodes = root.at(["rules"]).value
        for node in nodes if isinstance(nodes, list) else ():
            row = _row(node.plain()) | {"layer": layer, "file": name}
            if not _comes_back(row, node):
                faults.append(_not_carried(node))
            found.append(row)
    if faults:
        raise Faulty(sorted(faults))
    return found


def text_of(rows: list[Row], excel: bool = False) -> str:
    """The table of these rows."""
    return cells.written([list(COLUMNS), *([row.get(column, "") for column in COLUMNS] for row in rows)], excel)


def _layer_of(name: str, root: Node) -> str:
    """The layer of a file as decisions name it."""
    folder = PurePosixPath(name).parts[0]
    if folder == "rules":
        return "base" if root.at(["locked"]).value is True else PROVINCE
    return f"{'city' if folder == 'cities' else 'department'}:{root.at(['org']).value}"


def _row(rule: Plain) -> Row:
    row: Row = {}
    for key, value in rule.items() if isinstance(rule, dict) else ():
        if key == "then":
            row |= {name: _then_cell(name, inner) for name, inner in value.items()} if isinstance(value, dict) else {}
        elif key in SPREAD:
            both = value if isinstance(value, dict) else {"zh": value, "en": value}
            row |= {f"{key}_{language}": _cell(inner) for language, inner in both.items()}
        else:
            row[key] = _list(value) if key in LISTS else _cell(value)
    return row


def _then_cell(name: str, value: Plain) -> str:
    if name != ROWS or not isinstance(value, dict):
        return _cell(value)
    return _list([f"{path}={word}" for path, words in value.items() for word in _several(words)])


def _several(value: Plain) -> list[Plain]:
    return value if isinstance(value, list) else [value]


def _cell(value: Plain) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return _list(value) if isinstance(value, list) else "" if value is None else str(value)


def _list(value: Plain) -> str:
    return ";".join(_TO_ESCAPE.sub(r"\\\g<0>", str(item)) for item in _several(value))


def _comes_back(row: Row, node: Node) -> bool:
    """Whether the table says the very same rule."""
    try:
        (root,) = read_table(text_of([row]), "").files.values()
    except (Faulty, ValueError):
        return False
    return [_same_form(node.plain())] == [_same_form(one) for one in _plain_list(root)]


def _plain_list(root: Node) -> list[Plain]:
    value = root.at(["rules"]).plain()
    return value if isinstance(value, list) else []


def _same_form(rule: Plain) -> Plain:
    """The rule without the choices that mean the same: one word or a list of it, one title for both languages."""
    if not isinstance(rule, dict):
        return rule
    form: dict[str, Plain] = {}
    for key, value in rule.items():
        if key in ("title", "basis") and not isinstance(value, dict):
            form[key] = {"zh": value, "en": value}
        elif key == "then" and isinstance(value, dict | None):
            form |= {key: _same_form(value)} if value else {}
        elif key == ROWS and isinstance(value, dict):
            form[key] = {path: list[Plain](sorted(map(str, _several(words)))) for path, words in value.items()}
        else:
            form[key] = value[0] if key in LISTS and isinstance(value, list) and len(value) == 1 else value
    return form


def _not_carried(node: Node) -> FileFault:
    return node.fault(
        "P122", "a table cannot carry this rule as it is", "表格无法原样表达该规则",
        "look for spaces around words, full-width punctuation in names, control characters",
        "请检查词语首尾的空格、名称中的全角标点与控制字符",
    )  # fmt: skip


# --- from rows to rules ----------------------------------------------------------------------------


def read_table(text: str, file: str, target: str = "rules/table.yaml") -> Table:
    """The rule files of a table; `target` is the file of rows that name none. Raises Faulty, cells named."""
    _check_separator(text, file)
    rows = cells.rows(text, file)
    table = Table({}, {}, rows)
    faults: list[FileFault] = []
    columns = _header(rows, file, faults)
    if not faults:
        for row in rows[1:]:
            if len(row) == len(columns):
                _place(dict(zip(columns, row, strict=True)), target, table, file, faults)
            else:
                faults.append(_length(row, columns, file))
    if faults:
        raise Faulty(sorted(table.named(fault) for fault in faults))
    return table


def _fault(
    cell: Cell, file: str, code: str, en: str, zh: str, hint: tuple[str, str] = ("", ""), at: int = 0
) -> FileFault:
    return FileFault(file, cell.line, cell.column + at, code, en, zh, *hint)


def _check_separator(text: str, file: str) -> None:
    """A table that another mark parts, told where it begins: its quotes would else be faults row by row. Raises Faulty."""
    first = text.removeprefix(cells.MARK).split("\n", 1)[0]
    if "," in first:
        return
    for mark, (en, zh) in _SEPARATORS.items():
        if mark in first:
            hint = ("save it with commas: “CSV UTF-8”", "请另存为以半角逗号分隔的“CSV UTF-8”")
            en, zh = f"the table is parted by {en} (cell A1)", f"表格以{zh}分隔（单元格 A1）"
            raise Faulty([FileFault(file, 1, 1, "P113", en, zh, *hint)])


def _header(rows: list[list[Cell]], file: str, faults: list[FileFault]) -> list[str]:
    """The names of the columns."""
    first = rows[0] if rows else [Cell("", 1, 1, 0, 0)]
    seen: dict[str, Cell] = {}
    for cell in first if rows else ():
        if cell.text not in COLUMNS:
            shown, hint = cell.text[:60], did_you_mean(cell.text.strip().lower(), COLUMNS)
            hint = hint if any(hint) else _HEADER
            hint = hint if cell.text else ("delete the empty column", "请删除空列")
            faults.append(_fault(cell, file, "P116", f"unknown column `{shown}`", f"未知的列 `{shown}`", hint))
        elif cell.text in seen:
            first_name = seen[cell.text].name
            hint = ("keep one of them", "请只保留一个")
            en, zh = (
                f"column `{cell.text}` stands twice (first in {first_name})",
                f"列 `{cell.text}` 重复（首次为 {first_name}）",
            )
            faults.append(_fault(cell, file, "P117", en, zh, hint))
        seen.setdefault(cell.text, cell)
    missing = [column for column in COLUMNS if column not in seen and column not in OPTIONAL]
    if missing:
        shown = ", ".join(missing)
        hint = ("add it to the first row; an empty cell says nothing", "请补入首行；空单元格表示不作规定")
        faults.append(
            _fault(first[0], file, "P117", f"columns are missing: {shown}", f"缺少列：{'、'.join(missing)}", hint)
        )
    return [cell.text for cell in first]


def _length(row: list[Cell], columns: list[str], file: str) -> FileFault:
    cell = row[len(columns)] if len(row) > len(columns) else row[-1]
    return _fault(
        cell, file, "P118", f"the row has {len(row)} cells, the header {len(columns)}",
        f"该行有 {len(row)} 个单元格，表头有 {len(columns)} 个",
        ("a comma inside a cell needs quotes around the cell", "含逗号的单元格须加引号"),
    )  # fmt: skip


def _place(row: dict[str, Cell], target: str, table: Table, file: str, faults: list[FileFault]) -> None:
    """Put the rule of a row into its file."""
    before = len(faults)
    parts = {column: _value(column, cell, file, faults) for column, cell in row.items() if cell.text}
    layer = parts.pop("layer", None)
    named = parts.pop("file", None)
    first = next(iter(row.values()))
    name = str(named.value) if named else target
    spoken = str(layer.value) if layer else PROVINCE
    if not _fits(name, spoken):
        faults.append(_misplaced(row.get("file") or row.get("layer") or first, file, name, spoken))
        return
    root = table.files.setdefault(name, _root(spoken, first, file))
    before_it = table.layers.setdefault(name, spoken)
    if before_it != spoken:
        cell = row.get("layer") or first
        en, zh = f"`{name}` is of `{before_it}` in a row above", f"`{name}` 在上文属于 `{before_it}`"
        faults.append(_fault(cell, file, "P121", en, zh, ("a file is of one layer", "一个文件只属于一个层级")))
    rules = root.at(["rules"]).value
    if len(faults) == before and isinstance(rules, list):
        rules.append(_rule(parts, first, file))


def _fits(name: str, layer: str) -> bool:
    """Whether a file of this layer may have this name: a rule must not be written where nobody reads it."""
    kind, colon, org = layer.partition(":")
    path = PurePosixPath(name)
    plain = path.suffix == ".yaml" and len(path.parts) == 2 and not path.name.startswith(".") and "\\" not in name
    return plain and FOLDERS.get(kind) == path.parts[0] and bool(colon and org) is (kind in ("city", "department"))


def _misplaced(cell: Cell, file: str, name: str, layer: str) -> FileFault:
    return _fault(
        cell, file, "P121", f"a rule of `{layer}` cannot stand in `{name}`", f"`{layer}` 的规则不能写在 `{name}` 中",
        (
            "base and province stand in rules/NAME.yaml, city:ORG in cities/, department:ORG in departments/",
            "`base` 与 `province` 写在 rules/名称.yaml，`city:机构` 在 cities/，`department:机构` 在 departments/",
        ),
    )  # fmt: skip


def _root(layer: str, cell: Cell, file: str) -> Node:
    kind, _, org = layer.partition(":")
    top: dict[str, Node] = {}
    if kind == "base":
        top["locked"] = Node(True, file, cell.line, cell.column)
    elif org:
        top["org"] = Node(org, file, cell.line, cell.column)
    top["rules"] = Node([], file, cell.line, cell.column)
    return Node(top, file, cell.line, cell.column)


def _value(column: str, cell: Cell, file: str, faults: list[FileFault]) -> Node:
    """The node of a cell; what is odd about its words goes to `faults`."""
    node = Node(cell.text, file, cell.line, cell.column)
    if column in FREE:
        return node
    odd = _ODD.search(cell.text)
    if odd:
        faults.append(_odd(cell, file, odd))
    elif column in LISTS:
        items = list(_items(cell, file, faults))
        node.value = items[0].value if len(items) == 1 else list[Node](items)
    elif column == ROWS:
        return _filters(cell, file, faults)
    elif cell.text != cell.text.strip():
        faults.append(_spaced(cell, file))
    elif column == "max_age" and re.fullmatch(r"0|[1-9][0-9]{0,8}", cell.text):
        node.value = int(cell.text)
    elif column == "watermark" and cell.text in ("true", "false"):
        node.value = cell.text == "true"
    return node


def _odd(cell: Cell, file: str, odd: re.Match[str]) -> FileFault:
    mark = odd.group()
    if mark not in _NARROW or mark == "　":
        code = f"U+{ord(mark):04X}"
        en, zh = f"a character that cannot be seen ({code})", f"不可见的字符（{code}）"
        return _fault(cell, file, "P119", en, zh, ("remove it", "请删除"), odd.start())
    hint = (f"write `{_NARROW[mark]}`, or `;` between names", f"请写 `{_NARROW[mark]}`；名称之间用 `;`")
    return _fault(cell, file, "P119", f"full-width `{mark}`", f"全角标点 `{mark}`", hint, odd.start())


def _spaced(cell: Cell, file: str, at: int = 0) -> FileFault:
    hint = ("remove it: the word would match nothing", "请删除：带空格的词匹配不到任何内容")
    return _fault(cell, file, "P120", "a space stands before or after a word", "词语首尾有空格", hint, at)


def _items(cell: Cell, file: str, faults: list[FileFault]) -> Iterator[Node]:
    """The names of a list, each at its place in the cell."""
    at = 0
    for raw in _split(cell.text):
        word = _ESCAPED.sub(r"\1", raw)
        if not raw:
            hint = ("remove the `;` too many", "请删除多余的 `;`")
            faults.append(_fault(cell, file, "P120", "an empty name in a list", "列表中有空名称", hint, at))
        elif word != word.strip():
            faults.append(_spaced(cell, file, at))
        yield Node(word, file, cell.line, cell.column + at)
        at += len(raw) + 1


def _filters(cell: Cell, file: str, faults: list[FileFault]) -> Node:
    """The filters of a cell, as a YAML file would say them: the values of each member."""
    found: dict[str, list[Node]] = {}
    for item in _items(cell, file, faults):
        path, value = _parted(str(item.value))
        if not value:
            hint = ("write `$.district=330100`", "请写 `$.district=330100`")
            at = item.column - cell.column
            faults.append(_fault(cell, file, "P180", "a filter without a value", "过滤条件没有取值", hint, at))
        found.setdefault(path, []).append(Node(value, file, item.line, item.column))
    keys = {path: (words[0].line, words[0].column) for path, words in found.items()}
    members: dict[str, Node] = {
        path: Node(list[Node](words), file, words[0].line, words[0].column) for path, words in found.items()
    }
    return Node(members, file, cell.line, cell.column, keys)


def _parted(text: str) -> tuple[str, str]:
    """Member and value; an equals sign may also stand in the quoted name of a member."""
    for at, char in enumerate(text):
        if char == "=":
            try:
                parse(text[:at])
            except BadPath:
                continue
            return text[:at], text[at + 1 :]
    path, _, value = text.partition("=")
    return path, value


def _split(text: str) -> list[str]:
    """The items as they were written: a `;` parts them unless a backslash takes it."""
    found, at = [], 0
    while at <= len(text):
        item = _ITEM.match(text, at)
        found.append(item.group() if item else "")
        at += len(found[-1]) + 1
    return found


def _rule(parts: dict[str, Node], first: Cell, file: str) -> Node:
    """The rule of a row, as a YAML file would say it."""
    value: dict[str, Node] = {}
    for key in KEYS:
        columns = SPREAD.get(key)
        if columns is None:
            value |= {key: parts[key]} if key in parts else {}
            continue
        inner = {column.removeprefix(f"{key}_"): parts[column] for column in columns if column in parts}
        if inner:
            at = next(iter(inner.values()))
            value[key] = Node(inner, file, at.line, at.column, {name: (n.line, n.column) for name, n in inner.items()})
    return Node(value, file, first.line, first.column, {key: (n.line, n.column) for key, n in value.items()})
