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
        out = [f"{self.file}:{self.line}:{self.column}: {word} {self.code}: {self.zh if zh else self.en}"]
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
        raise Faulty(
            [_file_fault(path, "Y001", f"cannot be read: {error.strerror}", f"无法读取：{error.strerror}")]
        ) from error
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
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = error.problem or "cannot be parsed"
        raise Faulty(
            [FileFault(file, line, column, "Y010", f"not valid YAML: {problem}", f"不是有效的 YAML:{problem}")]
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        problem = str(error).splitlines()[0]
        raise Faulty(
            [FileFault(file, 1, 1, "Y010", f"not valid YAML: {problem}", f"不是有效的 YAML:{problem}")]
        ) from error
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


def _node(raw: yaml.Node, file: str, faults: list[FileFault], depth: int, seen: set[int]) -> Node:
    line, column = raw.start_mark.line + 1, raw.start_mark.column + 1
    here = Node(None, file, line, column)
    if depth > MAX_DEPTH:
        faults.append(here.fault("Y011", "nested too deeply", "嵌套过深"))
        return here
    if id(raw) in seen:  # an alias composes to the same object: billion laughs start here
        faults.append(
            here.fault("Y012", "aliases are not allowed", "不允许使用别名", "write the value out", "请直接写出值")
        )
        return here
    seen.add(id(raw))
    if raw.tag not in _TAGS:
        faults.append(here.fault("Y015", f"the tag `{raw.tag}` is not allowed", f"不允许使用标签 `{raw.tag}`"))
        return here
    if isinstance(raw, yaml.MappingNode):
        return _mapping(raw, here, faults, depth, seen)
    if isinstance(raw, yaml.SequenceNode):
        here.value = [_node(item, file, faults, depth + 1, seen) for item in raw.value]
        return here
    if isinstance(raw, yaml.ScalarNode):
        here.value = _scalar(raw)
    return here


def _mapping(raw: yaml.MappingNode, here: Node, faults: list[FileFault], depth: int, seen: set[int]) -> Node:
    mapping: dict[str, Node] = {}
    keys: dict[str, tuple[int, int]] = {}
    for raw_key, raw_value in raw.value:
        line, column = raw_key.start_mark.line + 1, raw_key.start_mark.column + 1
        place = Node(None, here.file, line, column)
        if not isinstance(raw_key, yaml.ScalarNode):
            faults.append(place.fault("Y013", "a key must be a word", "键必须是单个词"))
            continue
        key = str(raw_key.value)
        if key in mapping:
            first = keys[key][0]
            faults.append(
                place.fault(
                    "Y014",
                    f"key `{key}` stands twice (first on line {first})",
                    f"键 `{key}` 重复（首次出现在第 {first} 行）",
                )
            )
            continue
        keys[key] = (line, column)
        mapping[key] = _node(raw_value, here.file, faults, depth + 1, seen)
    here.value = mapping
    here.keys = keys
    return here


def _scalar(raw: yaml.ScalarNode) -> Scalar:
    text = str(raw.value)
    if raw.style:  # quoted or block: always text
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
