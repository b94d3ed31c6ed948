"""What does a YAML file say, and where exactly does it say it?

One strict reader for every file a person writes. Rules:

1. Every value knows its line and column, so that a fault can point at it.
2. Scalars follow the YAML 1.2 core schema: `no`, `on` and `0755` are not silently something else.
3. A key that stands twice, an alias, a tag or a second document is a fault, never "last one wins".
4. All faults of a file are reported at once.
"""

import difflib
import errno
import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import yaml
from msgspec import Struct

Scalar = str | int | float | bool | None
Plain = Scalar | list["Plain"] | dict[str, "Plain"]

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+([eE][-+]?[0-9]+)?\Z")
_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp", "merge", "value")
)
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None, "~": None, "": None}


class FileFault(Struct, frozen=True, order=True):
    """One fault in a file: where (line and column from 1), what, and how to mend it."""

    file: str
    line: int
    column: int
    code: str
    en: str
    zh: str
    remedy_en: str = ""
    remedy_zh: str = ""
    warning: bool = False

    def render(self, text: str = "", language: str = "en") -> str:
        """`file:line:col: error CODE: what` with the line and a caret below, as compilers print it."""
        zh = language == "zh-CN"
        word = ("警告" if zh else "warning") if self.warning else ("错误" if zh else "error")
        said = f"：{self.zh}" if zh else f": {self.en}"
        out = [f"{self.file}:{self.line}:{self.column}: {word} {self.code}{said}"]
        lines = text.splitlines()
        if 0 < self.line <= len(lines):
            source = lines[self.line - 1]
            out.append(f"{self.line:6} | {source}")
            out.append(f"       | {_caret_indent(source, self.column)}^")
        remedy = self.remedy_zh if zh else self.remedy_en
        if remedy:
            out.append(f"         {remedy}")
        return "\n".join(out)


def _caret_indent(source: str, column: int) -> str:
    """Spaces up to the column; wide Chinese characters take two cells of a terminal."""
    return "".join("\t" if c == "\t" else "  " if ord(c) > 0x2E7F else " " for c in source[: column - 1])


class Faulty(Exception):
    """The file cannot be used; `faults` names everything wrong with it."""

    def __init__(self, faults: Iterable[FileFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(fault.render() for fault in self.faults))


class Node(Struct, eq=False):
    """A value and where it stands. `value` is a scalar, a list of nodes or a mapping of nodes."""

    value: "Scalar | list[Node] | dict[str, Node]"
    file: str
    line: int
    column: int
    keys: dict[str, tuple[int, int]] = {}  # where each key of a mapping stands

    def plain(self) -> Plain:
        """The value without its places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def at(self, path: Iterable[str | int]) -> "Node":
        """The node at this path, or the deepest one that exists on the way to it."""
        node = self
        for step in path:
            if isinstance(node.value, dict) and isinstance(step, str) and step in node.value:
                node = node.value[step]
            elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
            else:
                return node
        return node

    def fault(self, code: str, en: str, zh: str, remedy_en: str = "", remedy_zh: str = "") -> FileFault:
        """A fault that points at this value."""
        return FileFault(self.file, self.line, self.column, code, en, zh, remedy_en, remedy_zh)

    def key_fault(self, key: str, code: str, en: str, zh: str, remedy_en: str = "", remedy_zh: str = "") -> FileFault:
        """A fault that points at a key of this mapping."""
        line, column = self.keys.get(key, (self.line, self.column))
        return FileFault(self.file, line, column, code, en, zh, remedy_en, remedy_zh)

    def unknown_keys(self, allowed: Collection[str], code: str) -> Iterator[FileFault]:
        """A fault with a suggestion for each key that is not allowed here."""
        if not isinstance(self.value, dict):
            return
        for key in self.value:
            if key not in allowed:
                hint_en, hint_zh = did_you_mean(key, allowed)
                yield self.key_fault(key, code, f"unknown key `{key}`", f"未知的键 `{key}`", hint_en, hint_zh)


def did_you_mean(word: str, known: Collection[str]) -> tuple[str, str]:
    """The suggestion in English and Chinese, or what is possible when nothing is close."""
    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f'did you mean "{close[0]}"?', f"您是不是想写“{close[0]}”？"
    if known and len(known) <= 16:
        return "possible: " + ", ".join(sorted(known)), "可用值：" + "、".join(sorted(known))
    return "", ""


def read(path: Path) -> Node:
    """Read a file. Raises Faulty, also when it is missing, too large or not UTF-8."""
    try:
        raw = _bytes(path)
    except OSError as error:
        en, zh = why(error)
        missing = _MISSING if error.errno == errno.ENOENT else ()
        raise Faulty([_file_fault(path, "Y001", f"cannot be read: {en}", f"无法读取：{zh}", *missing)]) from error
    if len(raw) > MAX_BYTES:
        raise Faulty([_file_fault(path, "Y002", "is larger than 16 MiB", "超过 16 MiB")])
    try:
        text = raw.decode("utf-8-sig")  # Excel and Notepad put a byte order mark in front
    except UnicodeDecodeError as error:
        raise Faulty(
            [
                _file_fault(
                    path,
                    "Y003",
                    f"is not UTF-8 (byte {error.start})",
                    f"不是 UTF-8 编码（第 {error.start} 字节）",
                    "save it as UTF-8; GBK is not read",
                    "请另存为 UTF-8 编码，不支持 GBK",
                )
            ]
        ) from error
    return parse(text, str(path))


_MISSING = (
    "restore it; `gateway init` writes a starter into an empty folder",
    "请恢复该文件；`gateway init` 会在空目录中生成初始文件",
)
_WHY_ZH = {
    errno.ENOENT: "文件不存在",
    errno.EACCES: "没有权限",
    errno.EPERM: "没有权限",
    errno.EISDIR: "这是目录",
    errno.ENOTDIR: "上级不是目录",
    errno.ELOOP: "符号链接过多",
    errno.EINVAL: "不是普通文件",
}


def why(error: OSError) -> tuple[str, str]:
    """Why a file cannot be read, in English and Chinese."""
    en = "there is no such file" if error.errno == errno.ENOENT else error.strerror or "it cannot be opened"
    return en, _WHY_ZH.get(error.errno or 0, en)


def changeable(path: Path) -> str:
    """The mode of a file or folder that every account of this machine may change, else "".

    A mount that nobody can write (a Kubernetes ConfigMap) is exempt; what cannot be looked at is its reader's affair.
    """
    try:
        mode = path.stat().st_mode
        open_to_all = mode & stat.S_IWOTH and not os.statvfs(path).f_flag & os.ST_RDONLY
    except OSError:
        return ""
    return f"{stat.S_IMODE(mode):04o}" if open_to_all else ""


def _bytes(path: Path) -> bytes:
    """The bytes of a regular file, one more than allowed at most. A pipe of that name would be waited for for ever."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return file.read(MAX_BYTES + 1)


def parse(text: str, file: str) -> Node:
    """Parse the text of one document. Raises Faulty with all faults."""
    try:
        root = _compose(text)
    except (yaml.YAMLError, ValueError) as error:
        raise Faulty([_malformed(file, text, error)]) from error
    if root is None:
        return Node(None, file, 1, 1)
    faults: list[FileFault] = []
    node = _node(root, file, faults, 0, set())
    if faults:
        raise Faulty(sorted(faults))
    return node


def _compose(text: str) -> yaml.Node | None:
    loader = yaml.CSafeLoader(text) if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader(text)
    try:
        return loader.get_single_node()  # raises on a second document
    finally:
        loader.dispose()


# --- what is wrong with a text that is not YAML --------------------------------------------------


Words = tuple[str, str, str, str]
"""What is wrong and how to mend it, each in English and Chinese."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_KEY = re.compile(r"\s*(?:- +)*[^\s:#\"'\[\]{}]+")
_OPEN_QUOTE = re.compile(r"""(?:^|[\s:,\[{])(["'])(?:(?!\1).)*$""")
_CLOSES = {"[": "]", "{": "}"}
_WRITE = ("write `key: value`", "请写成 `键: 值`")
_QUOTE = ("put the value in quotes", "请给该值加引号")
_TAB: Words = (
    "a tab indents this line", "该行用制表符缩进", "indent with spaces: two for each level", "请用空格缩进，每级两个",
)  # fmt: skip
_WIDE: Words = ("`：` is not the colon of YAML", "全角冒号 `：` 不是 YAML 的冒号", *_WRITE)
_NO_SPACE: Words = ("a space is missing after the colon", "冒号后缺少空格", *_WRITE)
_NO_COLON: Words = ("a colon is missing after the key", "键的后面缺少冒号", *_WRITE)
_INDENTED: Words = (
    "its indentation fits no line above it", "缩进与上文任何一行都不对齐",
    "begin it in the same column as the other keys or items of its level, with spaces only",
    "请与同级的其他键或列表项对齐，且只用空格缩进",
)  # fmt: skip
_OPEN: Words = (
    "the quote that begins here is not closed on its line", "此处的引号没有在本行闭合",
    "close it with the same quote", "请用相同的引号闭合",
)  # fmt: skip
_AFTER: Words = (
    "something stands after the closing quote", "引号之后还有内容", "put the whole value in quotes", "请把整个值放入引号中",
)  # fmt: skip
_INNER: Words = ("a value with `: ` in it", "值中含有 `: `", *_QUOTE)
_SECOND: Words = (
    "a second document begins here", "此处开始了第二个文档", "keep one document in each file", "每个文件只保留一个文档",
)  # fmt: skip
_NOTHING_HERE: Words = (
    "a value is missing, or a mark stands where none can", "此处缺少值，或多了一个符号",
    "complete it, or put the value in quotes", "请补全，或给值加引号",
)  # fmt: skip
_ITEM: Words = (
    "a list item begins in the middle of a line", "列表项不能从行中间开始",
    "begin it on a line of its own", "请另起一行",
)  # fmt: skip
_ESCAPE: Words = (
    "a backslash in double quotes begins an escape that does not exist", "双引号中的反斜杠构成了不存在的转义",
    "use single quotes, or double the backslash", "请改用单引号，或将反斜杠写两次",
)  # fmt: skip


class _Stumble(NamedTuple):
    """What the parser says: the lines, where it stumbled and where that began (from 0), and its own words."""

    lines: list[str]
    row: int
    column: int
    begun: tuple[int, int] | None
    problem: str
    context: str

    @property
    def line(self) -> str:
        return self.lines[self.row] if self.row < len(self.lines) else ""


def _malformed(file: str, text: str, error: Exception) -> FileFault:
    """What the author most likely did, at its place; the parser's own words when nothing is likely."""
    mark, begun = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    seen = _Stumble(
        [*text.splitlines(), ""],  # it may stumble over the end
        mark.line if mark else 0,
        mark.column if mark else 0,
        (begun.line, begun.column) if begun else None,
        str(getattr(error, "problem", None) or error).splitlines()[0],
        str(getattr(error, "context", None) or ""),
    )
    plain: Words = (f"not valid YAML: {seen.problem}", f"不是有效的 YAML：{seen.problem}", "", "")
    found = _control_character(seen) or _layout(seen) or _quotes(seen) or _brackets(seen) or _colons(seen)
    row, column, words = found or _rest(seen) or (seen.row, seen.column, plain)
    return FileFault(file, row + 1, column + 1, "Y010", *words)


_Found = tuple[int, int, Words] | None


def _control_character(seen: _Stumble) -> _Found:
    for row, line in enumerate(seen.lines):
        if odd := _CONTROL.search(line):
            code = f"U+{ord(odd.group()):04X}"
            words = (f"a control character ({code}) stands here", f"此处有控制字符（{code}）", "remove it", "请删除")
            return row, odd.start(), words
    return None


def _layout(seen: _Stumble) -> _Found:
    """A tab in the indentation, or a Chinese colon where the one of YAML should stand."""
    if "\t" in seen.line[: len(seen.line) - len(seen.line.lstrip("\t -"))]:
        return seen.row, seen.line.index("\t"), _TAB
    first = seen.begun[0] if seen.begun else max(seen.row - 1, 0)
    for row in range(first, min(seen.row + 1, len(seen.lines))):
        key = _KEY.match(seen.lines[row])
        if key and "：" in key.group():
            return row, seen.lines[row].index("："), _WIDE
    return None


def _quotes(seen: _Stumble) -> _Found:
    """A quote that was not closed: the parser stumbles over the next one, or over the end of the file."""
    if "end of stream" in seen.problem and seen.begun:
        return *seen.begun, _OPEN
    if "escape" in seen.problem:
        return seen.row, seen.column, _ESCAPE
    if seen.line[: seen.column].rstrip().endswith(('"', "'")):
        for row in range(seen.row):
            opened = _OPEN_QUOTE.search(seen.lines[row].partition(" #")[0])
            if opened and not seen.lines[row].lstrip().startswith("#"):
                return row, opened.start(1), _OPEN
        return seen.row, seen.column, _AFTER
    return None


def _brackets(seen: _Stumble) -> _Found:
    at = seen.line[seen.column : seen.column + 1]
    if ("flow sequence" in seen.context or "flow mapping" in seen.context) and seen.begun:
        row, column = seen.begun
        return row, column, _unclosed(seen.lines[row][column : column + 1])
    if "flow node" in seen.context and not seen.line.strip() and (open_ := _left_open(seen.lines)) is not None:
        row, column = open_
        mark = seen.lines[row][column]
        return row, column, _unclosed(mark)
    if at and at in "]}":
        return seen.row, seen.column, (f"`{at}` closes nothing", f"`{at}` 没有对应的开头", "remove it", "请删除")
    return None


def _unclosed(mark: str) -> Words:
    close = _CLOSES.get(mark, mark)
    return (
        f"`{mark}` is never closed, or a comma is missing", f"`{mark}` 没有闭合，或缺少逗号",
        f"close it with `{close}`, and part its items with commas", f"请用 `{close}` 闭合，各项之间用逗号分隔",
    )  # fmt: skip


def _left_open(lines: list[str]) -> tuple[int, int] | None:
    """The last bracket that nothing closes, as far as it can be told without reading quotes."""
    open_: list[tuple[int, int]] = []
    for row, line in enumerate(lines):
        for column, c in enumerate(line.partition(" #")[0]):
            if c in _CLOSES:
                open_.append((row, column))
            elif c in "]}" and open_:
                open_.pop()
    return open_[-1] if open_ else None


def _colons(seen: _Stumble) -> _Found:
    """A colon where none can be, or none where one must be: which of the lines made it so?"""
    if "mapping values" not in seen.problem and "expected ':'" not in seen.problem:
        return None
    key = _KEY.match(seen.line)
    if seen.begun is None and key is not None and key.end() < seen.column:  # `a: b: c`
        return seen.row, seen.column, _INNER
    above = next((row for row in range(seen.row - 1, -1, -1) if seen.lines[row].strip()), seen.row)
    above = seen.begun[0] if seen.begun else above
    key = _KEY.match(seen.lines[above])
    rest = seen.lines[above][key.end() :] if key is not None else ""
    if key is not None and rest[:1] == ":" and rest[1:2].strip():
        return above, key.end(), _NO_SPACE
    if key is not None and not re.search(r":(\s|$)", rest) and rest.strip() and not rest.lstrip().startswith("#"):
        return above, key.end(), _NO_COLON
    return seen.row, len(seen.line) - len(seen.line.lstrip()), _INDENTED


def _rest(seen: _Stumble) -> _Found:
    if "expected key" in seen.problem or "expected '-'" in seen.problem:
        return seen.row, seen.column, _INDENTED
    if "another document" in seen.problem:
        return seen.row, seen.column, _SECOND
    if "node content" in seen.problem:
        return seen.row, seen.column, _NOTHING_HERE
    if "block sequence entries" in seen.problem:
        return seen.row, seen.column, _ITEM
    if re.search("alias|anchor|block scalar|cannot start", f"{seen.context} {seen.problem}"):
        column = seen.line.find("*") if "undefined alias" in seen.problem else seen.column
        row, column = seen.begun or (seen.row, column)
        mark = seen.lines[row][column : column + 1]
        shown = mark if mark == "`" else f"`{mark}`"
        return row, column, (f"a value cannot begin with {shown}", f"值不能以 {shown} 开头", *_QUOTE)
    return None


def _node(raw: yaml.Node, file: str, faults: list[FileFault], depth: int, seen: set[int]) -> Node:
    line, column = raw.start_mark.line + 1, raw.start_mark.column + 1
    here = Node(None, file, line, column)
    if depth > MAX_DEPTH:
        faults.append(
            here.fault("Y011", "nested too deeply", "嵌套过深", f"at most {MAX_DEPTH} levels", f"最多 {MAX_DEPTH} 层")
        )
        return here
    if id(raw) in seen:  # an alias composes to the same object: billion laughs start here
        faults.append(
            here.fault("Y012", "aliases are not allowed", "不允许使用别名", "write the value out", "请直接写出值")
        )
        return here
    seen.add(id(raw))
    if raw.tag not in _TAGS:
        faults.append(here.fault("Y015", f"the tag `{raw.tag}` is not allowed", f"不允许使用标签 `{raw.tag}`", *_QUOTE))
        return here
    if isinstance(raw, yaml.MappingNode):
        return _mapping(raw, here, faults, depth, seen)
    if isinstance(raw, yaml.SequenceNode):
        here.value = [_node(item, file, faults, depth + 1, seen) for item in raw.value]
        return here
    if isinstance(raw, yaml.ScalarNode):
        here.value = scalar(str(raw.value), bool(raw.style))
    return here


def _mapping(raw: yaml.MappingNode, here: Node, faults: list[FileFault], depth: int, seen: set[int]) -> Node:
    mapping: dict[str, Node] = {}
    keys: dict[str, tuple[int, int]] = {}
    for raw_key, raw_value in raw.value:
        line, column = raw_key.start_mark.line + 1, raw_key.start_mark.column + 1
        place = Node(None, here.file, line, column)
        if not isinstance(raw_key, yaml.ScalarNode):
            faults.append(place.fault("Y013", "a key must be a word", "键必须是单个词", *_WRITE))
            continue
        key = str(raw_key.value)
        if key in mapping:
            first = keys[key][0]
            faults.append(
                place.fault(
                    "Y014",
                    f"key `{key}` stands twice (first on line {first})",
                    f"键 `{key}` 重复（首次出现在第 {first} 行）",
                    "keep one of them",
                    "请只保留其中之一",
                )
            )
            continue
        keys[key] = (line, column)
        mapping[key] = _node(raw_value, here.file, faults, depth + 1, seen)
    here.value = mapping
    here.keys = keys
    return here


def scalar(text: str, quoted: bool) -> Scalar:
    """What a scalar means; quoted or in a block it is always text."""
    if quoted:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text) if len(text) < 20 else text
    if _FLOAT.match(text):
        return float(text)
    return text


def _file_fault(path: Path, code: str, en: str, zh: str, remedy_en: str = "", remedy_zh: str = "") -> FileFault:
    return FileFault(str(path), 1, 1, code, en, zh, remedy_en, remedy_zh)
