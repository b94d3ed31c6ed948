"""What did the author of a text that is not YAML most likely mean?

The parser stumbles where it can no longer go on; the slip is often lines above: a quote that was not closed, a colon
that is missing, a tab. Each guess has a place and a remedy; the parser's own words stand when nothing is likely.
"""

import re
from typing import NamedTuple

from gateway.document.node import FileFault

Words = tuple[str, str, str, str]
"""What is wrong and how to mend it, each in English and Chinese."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_KEY = re.compile(r"\s*(?:- +)*[^\s:#\"'\[\]{}]+")
_OPEN_QUOTE = re.compile(r"""(?:^|[\s:,\[{])(["'])(?:(?!\1).)*$""")
_PATH = re.compile(r"""[\[{,]\s*(?:[\w-]+:\s+)?(\$[^\s\[\]{},"']*\[)""")
_CLOSES = {"[": "]", "{": "}"}
WRITE = ("write `key: value`", "请写成 `键: 值`")
QUOTE = ("put the value in quotes", "请给该值加引号")
_TAB: Words = (
    "a tab indents this line", "该行用制表符缩进", "indent with spaces: two for each level", "请用空格缩进，每级两个",
)  # fmt: skip
_WIDE: Words = ("`：` is not the colon of YAML", "全角冒号 `：` 不是 YAML 的冒号", *WRITE)
_NO_SPACE: Words = ("a space is missing after the colon", "冒号后缺少空格", *WRITE)
_NO_COLON: Words = ("a colon is missing after the key", "键的后面缺少冒号", *WRITE)
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
_BRACKETS: Words = (
    "a path with `[ ]` stands inside `[ ]` or `{ }`, where brackets have a meaning of their own",
    "含 `[ ]` 的路径位于 `[ ]` 或 `{ }` 之内，方括号在此另有含义",
    "put the whole path in quotes: \"$.items[*].name\"", "请将整个路径放入引号中：\"$.items[*].name\"",
)  # fmt: skip
_INNER: Words = ("a value with `: ` in it", "值中含有 `: `", *QUOTE)
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


def malformed(file: str, text: str, error: Exception) -> FileFault:
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
    found = (
        _control_character(seen) or _layout(seen) or _quotes(seen) or _path(seen) or _brackets(seen) or _colons(seen)
    )
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


def _path(seen: _Stumble) -> _Found:
    """A path whose brackets were taken for those of a list."""
    for row in range(seen.begun[0] if seen.begun else seen.row, seen.row + 1):
        if path := _PATH.search(seen.lines[row]):
            return row, path.start(1), _BRACKETS
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
        row, column = seen.begun or (seen.row, seen.column)
        mark = seen.lines[row][column : column + 1]
        shown = mark if mark == "`" else f"`{mark}`"
        return row, column, (f"a value cannot begin with {shown}", f"值不能以 {shown} 开头", *QUOTE)
    return None
