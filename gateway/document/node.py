"""Where does each value of a file stand, and what is wrong with it there?

A `Node` is a value and its place; a `FileFault` points at such a place and says how to mend it, in two languages.
"""

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType

from msgspec import Struct

Scalar = str | int | float | bool | None
MAX_SHOWN = 160
MAX_LISTED = 24  # words, where none is like the one that was written: all identifiers
Plain = Scalar | list["Plain"] | dict[str, "Plain"]


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
            source, column = _around(lines[self.line - 1], self.column)
            out.append(f"{self.line:6} | {source}")
            out.append(f"       | {_caret_indent(source, column)}^")
        remedy = self.remedy_zh if zh else self.remedy_en
        if remedy:
            out.append(f"         {remedy}")
        return "\n".join(out)


def _around(source: str, column: int) -> tuple[str, int]:
    """What of a line is shown, and where in it the column is: a document may be one line of a million characters."""
    if len(source) <= MAX_SHOWN:
        return source, column
    start = max(0, min(column - 1 - MAX_SHOWN // 2, len(source) - MAX_SHOWN))
    before, after = ("…" if start else ""), ("…" if start + MAX_SHOWN < len(source) else "")
    return before + source[start : start + MAX_SHOWN] + after, column - start + len(before)


def _caret_indent(source: str, column: int) -> str:
    """Spaces up to the column; wide Chinese characters take two cells of a terminal."""
    return "".join("\t" if c == "\t" else "  " if ord(c) > 0x2E7F else " " for c in source[: column - 1])


class Faulty(Exception):
    """The file cannot be used; `faults` names everything wrong with it."""

    def __init__(self, faults: Iterable[FileFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(fault.render() for fault in self.faults))


class Node(Struct, eq=False, gc=False):
    """A value and where it stands. `value` is a scalar, a list of nodes or a mapping of nodes."""

    value: "Scalar | list[Node] | dict[str, Node]"
    file: str
    line: int
    column: int
    keys: Mapping[str, tuple[int, int]] = MappingProxyType({})  # where each key of a mapping stands

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
    if known and len(known) <= MAX_LISTED:
        return "possible: " + ", ".join(sorted(known)), "可用值：" + "、".join(sorted(known))
    return "", ""
