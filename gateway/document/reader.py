"""What does a YAML file say, and where exactly does it say it?

One strict reader for every file a person writes. Rules:

1. Every value knows its line and column, so that a fault can point at it.
2. Scalars follow the YAML 1.2 core schema: `no`, `on` and `0755` are not silently something else.
3. A key that stands twice, an anchor, an alias, a tag or a second document is a fault, never "last one wins".
4. All faults of a file are reported at once.

The parser's events become nodes as they come: a tree between the two would cost more than all the rest.
"""

import errno
import os
import re
import stat
from pathlib import Path
from typing import Protocol

import yaml
from yaml.composer import ComposerError

from gateway.document.node import Faulty, FileFault, Node, Scalar
from gateway.document.slips import QUOTE, WRITE, malformed

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64
_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+([eE][-+]?[0-9]+)?\Z")
_NUMERIC = frozenset("+-0123456789")
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None, "~": None, "": None}
_SCALAR: type[object] = yaml.ScalarEvent
_ALIAS: type[object] = yaml.AliasEvent
_MAPPING: type[object] = yaml.MappingStartEvent
_END: type[object] = yaml.CollectionEndEvent
_BEGIN: type[object] = yaml.CollectionStartEvent
_STREAM_END: type[object] = yaml.StreamEndEvent


def read(path: Path) -> Node:
    """Read a file. Raises Faulty, also when it is missing, too large or not UTF-8."""
    try:
        raw = content(path)
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
    errno.EFBIG: "文件过大",
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


def content(path: Path) -> bytes:
    """The bytes of a regular file, one more than allowed at most. A pipe of that name would be waited for for ever.

    Raises OSError.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return file.read(MAX_BYTES + 1)


def parse(text: str, file: str) -> Node:
    """Parse the text of one document. Raises Faulty with all faults."""
    try:
        descent = _Descent(text, file)
        root = descent.root()
    except (yaml.YAMLError, ValueError) as error:
        raise Faulty([malformed(file, text, error)]) from error
    if descent.faults:
        raise Faulty(sorted(descent.faults))
    return root


class _Event(Protocol):
    """An event of the parser, whose own types tell half of it; an alias has no tag, only scalars have value and style."""

    start_mark: yaml.Mark
    anchor: str | None
    tag: str | None
    value: str
    style: str | None


class _Descent:
    """Reads the events from left to right into nodes; what is at fault is read over."""

    def __init__(self, text: str, file: str) -> None:
        self._next = _PARSER(text).get_event
        self._file = file
        self.faults: list[FileFault] = []

    def root(self) -> Node:
        self._next()  # the stream begins
        begun = self._next()
        if isinstance(begun, _STREAM_END):
            return Node(None, self._file, 1, 1)
        root = self._node(self._next(), 0)
        self._next()  # the document ends
        after = self._next()
        if not isinstance(after, _STREAM_END):
            raise ComposerError(None, None, "but found another document", after.start_mark)
        return root

    def _node(self, event: _Event, depth: int) -> Node:
        mark = event.start_mark
        here = Node(None, self._file, mark.line + 1, mark.column + 1)
        kind = type(event)
        if depth > MAX_DEPTH:
            raise self._too_deep(here)
        if event.anchor is not None or event.tag is not None:
            self._refuse(event, _reference_or_tag(event, here))
        elif kind is _SCALAR:
            here.value = scalar(event.value, bool(event.style))
        elif kind is _MAPPING:
            here.keys = {}
            here.value = self._mapping(here.keys, depth + 1)
        else:
            here.value = self._list(depth + 1)
        return here

    def _list(self, depth: int) -> list[Node]:
        items = []
        while not isinstance(event := self._next(), _END):
            items.append(self._node(event, depth))
        return items

    def _mapping(self, places: dict[str, tuple[int, int]], depth: int) -> dict[str, Node]:
        """The values by their keys; where the keys stand goes to `places`."""
        values: dict[str, Node] = {}
        while not isinstance(event := self._next(), _END):
            if fault := self._odd_key(event, places):
                self._refuse(event, fault)
                self._skip(self._next())
                continue
            mark = event.start_mark
            places[event.value] = mark.line + 1, mark.column + 1
            values[event.value] = self._node(self._next(), depth)
        return values

    def _odd_key(self, event: _Event, places: dict[str, tuple[int, int]]) -> FileFault | None:
        if type(event) is _SCALAR and event.value not in places and event.anchor is event.tag is None:
            return None
        here = Node(None, self._file, event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, _BEGIN):
            return here.fault("Y013", "a key must be a word", "键必须是单个词", *WRITE)
        if event.anchor is not None or event.tag is not None:
            return _reference_or_tag(event, here)
        key, first = event.value, places[event.value][0]
        return here.fault(
            "Y014", f"key `{key}` stands twice (first on line {first})", f"键 `{key}` 重复（首次出现在第 {first} 行）",
            "keep one of them", "请只保留其中之一",
        )  # fmt: skip

    def _refuse(self, event: _Event, fault: FileFault) -> None:
        self.faults.append(fault)
        self._skip(event)

    def _skip(self, event: _Event) -> None:
        """Read over all that this event begins."""
        depth = 0
        while depth := depth + isinstance(event, _BEGIN) - isinstance(event, _END):
            if depth > MAX_DEPTH:
                raise self._too_deep(Node(None, self._file, event.start_mark.line + 1, event.start_mark.column + 1))
            event = self._next()

    def _too_deep(self, here: Node) -> Faulty:
        """Ends the reading: the parser takes the square of the depth in time, and 16 MiB hold very many brackets."""
        levels = f"at most {MAX_DEPTH} levels", f"最多 {MAX_DEPTH} 层"
        return Faulty(sorted([*self.faults, here.fault("Y011", "nested too deeply", "嵌套过深", *levels)]))


def _reference_or_tag(event: _Event, here: Node) -> FileFault:
    """The fault of what YAML would make into something other than what stands there."""
    if isinstance(event, _ALIAS):  # billion laughs start here
        remedy = "write the value out; put a text in quotes", "请直接写出值；文本请加引号"
        return here.fault("Y012", "aliases are not allowed", "不允许使用别名", *remedy)
    if event.anchor is not None:  # the value of `&staff` alone is nothing
        shown = f"`&{event.anchor}`"
        return here.fault("Y012", f"the anchor {shown} is not allowed", f"不允许使用锚点 {shown}", *QUOTE)
    shown = f"`{event.tag}`"  # `!!str 5` would be a number
    return here.fault("Y015", f"the tag {shown} is not allowed", f"不允许使用标签 {shown}", *QUOTE)


def scalar(text: str, quoted: bool) -> Scalar:
    """What a scalar means; quoted or in a block it is always text."""
    if quoted:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    if _INTEGER.match(text):
        return int(text) if len(text) < 20 else text
    return float(text) if _FLOAT.match(text) else text


def _file_fault(path: Path, code: str, en: str, zh: str, remedy_en: str = "", remedy_zh: str = "") -> FileFault:
    return FileFault(str(path), 1, 1, code, en, zh, remedy_en, remedy_zh)
