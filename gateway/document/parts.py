"""Which values and which comments does a YAML file have, and what does each comment belong to?

Reads the tokens of a text that the reader has accepted into a tree of parts: values as they were written, and the
comments between them, each with its owner. Rules:

1. A comment on a line of its own belongs to the item below it; one that is indented deeper than that item closes the
   block above it (`feet`). A comment at the end of a line belongs to the item on that line.
2. The comments above the first item are the head of the file, except the last group when a blank line parts it.
3. What a layout could not give back is refused (`Unsafe`): directives, odd line breaks.
"""

import re
from typing import Literal, NamedTuple

import yaml
from msgspec import Struct

from gateway.document.node import Scalar
from gateway.document.reader import scalar

_COMMENT = re.compile(r"#[^\n]*")
_HEADER = re.compile(r"[|>][-+0-9]*[ \t]*(#[^\n]*)")
_ODD_BREAK = re.compile("[\x85\u2028\u2029]")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ZERO_LENGTH = (yaml.BlockEndToken, yaml.BlockMappingStartToken, yaml.BlockSequenceStartToken, yaml.StreamEndToken)


class Unsafe(Exception):
    """The file cannot be laid out without a risk: where (line from 1), and why in English and Chinese."""

    def __init__(self, line: int, en: str, zh: str) -> None:
        super().__init__(en)
        self.line, self.en, self.zh = line, en, zh


class Comment(NamedTuple):
    """A comment with its `#`, where it began (column from 0), and how it stood."""

    text: str
    column: int
    blank: bool  # after a blank line
    same: bool  # on a line with something before it


class Part(Struct, eq=False):
    """A value as it was written."""

    kind: Literal["scalar", "list", "mapping"]
    value: Scalar = None  # of a scalar, as the reader understands it
    source: str = ""  # of a plain scalar, as it was written
    flow: bool = False  # a collection between brackets
    long: bool = False  # a scalar over several lines
    items: "list[Item]" = []
    feet: list[Comment] = []  # comments after the last item


class Item(Struct, eq=False):
    """An item of a list, or a key with its value, and the comments that go along with it."""

    part: Part
    key: str = ""
    lead: list[Comment] = []  # above it
    trail: list[Comment] = []  # at the end of its line
    blank: bool = False  # after a blank line


class File(NamedTuple):
    """A whole file."""

    head: list[Comment]
    root: Part


class _Token(NamedTuple):
    raw: yaml.Token
    line: int
    column: int
    end: int  # the line it ends on
    before: list[Comment]
    blank: bool

    def is_(self, *kinds: type[yaml.Token]) -> bool:
        return isinstance(self.raw, kinds)


def read_parts(text: str) -> File:
    """The parts of a text; line breaks are `\\n`. Raises Unsafe, and yaml's errors for what the reader refuses."""
    odd = _ODD_BREAK.search(text)
    if odd:  # to YAML a line break, to most editors none: a comment would end where nobody sees it
        line = text.count("\n", 0, odd.start()) + 1
        raise Unsafe(line, f"a line break that editors do not show (U+{ord(odd.group()):04X})",
                     f"编辑器不显示的换行符（U+{ord(odd.group()):04X}）")  # fmt: skip
    return _Descent(text, _tokens(text)).file()


# --- tokens and the comments between them ---------------------------------------------------------


def _tokens(text: str) -> list[_Token]:
    lines = text.split("\n")
    found: list[_Token] = []
    end, real, waiting = 0, False, list[Comment]()
    for raw in yaml.scan(text, Loader=_LOADER):
        start = raw.start_mark
        if isinstance(raw, yaml.DirectiveToken):
            raise Unsafe(start.line + 1, "a directive (`%…`)", "指令（`%…`）")
        waiting += _between(text, lines, end, start, real)
        if isinstance(raw, yaml.StreamStartToken):
            continue
        if not isinstance(raw, yaml.DocumentStartToken | yaml.DocumentEndToken):
            blank = start.line > 0 and not lines[start.line - 1].strip()
            found.append(_Token(raw, start.line, start.column, raw.end_mark.line, waiting, blank))
            waiting = []
        end = max(end, raw.end_mark.index)
        if raw.end_mark.index > start.index:
            real = not (isinstance(raw, yaml.ScalarToken) and raw.style in ("|", ">"))  # they end where a line begins
    return found


def _between(text: str, lines: list[str], begin: int, mark: yaml.Mark, real: bool) -> list[Comment]:
    """The comments before a token; `real` when something stands before them on the first line."""
    gap = text[begin : mark.index]
    if not gap.strip(" \t\n"):
        return []
    if _COMMENT.sub("", gap).strip(" \t\n"):
        raise Unsafe(mark.line + 1, "something between values that is no comment", "值之间存在非注释内容")
    found = []
    for match in _COMMENT.finditer(gap):
        at = begin + match.start()
        line = min(mark.line, len(lines) - 1) - gap.count("\n", match.start())  # a last line may lack its end
        same = real and "\n" not in gap[: match.start()]
        blank = not same and line > 0 and not lines[line - 1].strip()
        found.append(Comment(match.group().rstrip(), at - text.rfind("\n", 0, at) - 1, blank, same))
    return found


# --- the tree -------------------------------------------------------------------------------------

_COLLECTION = (yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken, yaml.BlockEntryToken)
_FLOW_END = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)


class _Descent:
    """Reads the tokens from left to right; comments wait until it is clear whose they are."""

    def __init__(self, text: str, tokens: list[_Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._at = 0
        self._waiting: list[Comment] = list(tokens[0].before)

    def file(self) -> File:
        head: list[Comment] = []
        if self._now.is_(*_COLLECTION):
            head, self._waiting = _head(self._waiting, self._now.blank)
        else:
            head, self._waiting = self._waiting, []
        root = self._value()
        if not self._now.is_(yaml.StreamEndToken):
            raise Unsafe(self._now.line + 1, "a form that is not known", "未知的写法")
        root.feet += self._take()
        return File(head, root)

    @property
    def _now(self) -> _Token:
        return self._tokens[self._at]

    def _step(self) -> _Token:
        token = self._now
        self._at += 1
        self._waiting += self._now.before
        return token

    def _take(self) -> list[Comment]:
        taken, self._waiting = self._waiting, []
        return taken

    def _take_same(self) -> list[Comment]:
        """The comments on the line that has just been read."""
        count = next((at for at, comment in enumerate(self._waiting) if not comment.same), len(self._waiting))
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    def _trail(self, item: Item) -> None:
        """The comment behind an item; behind brackets that hold comments it becomes the last of them."""
        (item.part.feet if item.part.flow and _holds_comments(item.part) else item.trail).extend(self._take_same())

    def _value(self) -> Part:
        token = self._now
        if token.is_(yaml.ScalarToken):
            return self._scalar()
        if token.is_(yaml.BlockSequenceStartToken):
            self._step()
            return self._list(token.column, closed=True)
        if token.is_(yaml.BlockEntryToken):
            return self._list(token.column, closed=False)
        if token.is_(yaml.BlockMappingStartToken):
            self._step()
            return self._mapping(token.column)
        if token.is_(yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken):
            return self._flow()
        return Part("scalar")

    def _scalar(self) -> Part:
        token = self._now
        raw = token.raw
        assert isinstance(raw, yaml.ScalarToken)
        value = scalar(raw.value, not raw.plain)
        part = Part("scalar", value, raw.value if raw.plain else "", long=token.end > token.line)
        self._step()
        return part

    def _mapping(self, column: int) -> Part:
        part = Part("mapping")
        while self._now.is_(yaml.KeyToken):
            part.items.append(self._pair())
        self._close(part, column, closed=True)
        return part

    def _pair(self, flow: bool = False) -> Item:
        token = self._now
        item = Item(Part("scalar"), lead=self._take(), blank=token.blank)
        if token.is_(yaml.KeyToken):
            self._step()
        if not self._now.is_(yaml.ScalarToken):
            raise Unsafe(self._now.line + 1, "a key that is not a word", "不是单词的键")
        raw = self._step().raw
        assert isinstance(raw, yaml.ScalarToken)
        if raw.style in ("|", ">"):
            raise Unsafe(self._now.line + 1, "a key that is a block of text", "键是文本块")
        item.key = str(raw.value)
        if self._now.is_(yaml.ValueToken):
            between = self._take()
            self._step()
            self._fill(item, between, flow, pair=True)
            _settle(item, between)
        elif not flow:
            self._trail(item)
        return item

    def _fill(self, item: Item, between: list[Comment], flow: bool, pair: bool) -> None:
        """Read the value of a key or of a list item, and the comments around it."""
        block = self._now.is_(*_COLLECTION) and (pair or not self._now.is_(yaml.BlockEntryToken))
        if block:
            item.trail += self._take_same()
        elif self._now.is_(yaml.ScalarToken, yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken):
            between += self._take()
        begun = self._now
        item.part = self._value() if block or not begun.is_(*_COLLECTION) else Part("scalar")
        if begun.is_(yaml.ScalarToken):  # the comment behind the `|` of a block is inside the scanner's token
            header = _HEADER.match(self._text, begun.raw.start_mark.index)
            item.trail += [Comment(header[1].rstrip(), 0, False, True)] if header else []
        if item.part.feet and not item.part.items:  # `[ # nothing yet` can only stay as one line
            between += item.part.feet
            item.part.feet = []
        if not block and not flow:
            self._trail(item)

    def _list(self, column: int, closed: bool) -> Part:
        part = Part("list")
        while self._now.is_(yaml.BlockEntryToken):
            item = Item(Part("scalar"), lead=self._take(), blank=self._now.blank)
            self._step()
            between: list[Comment] = []
            self._fill(item, between, flow=False, pair=False)
            if item.part.kind != "scalar" and not item.part.flow:  # `- # why` has no line of its own
                item.lead += item.trail
                item.trail = []
            _settle(item, between)
            part.items.append(item)
        self._close(part, column, closed)
        return part

    def _close(self, part: Part, column: int, closed: bool) -> None:
        """The end of a block: comments that are indented deeper than what follows are its last lines."""
        below = self._below()
        while self._waiting:
            at = self._waiting[0].column
            if at <= below or at < column + (not closed):
                break
            part.feet.append(self._waiting.pop(0))
        if closed:
            self._step()

    def _below(self) -> int:
        """The column of the next item, -1 at the end."""
        at = self._at
        while self._tokens[at].is_(yaml.BlockEndToken):
            at += 1
        return -1 if self._tokens[at].is_(yaml.StreamEndToken) else self._tokens[at].column

    def _flow(self) -> Part:
        kind: Literal["list", "mapping"] = "mapping" if self._now.is_(yaml.FlowMappingStartToken) else "list"
        part = Part(kind, flow=True)
        self._step()
        while True:
            if part.items:
                self._trail(part.items[-1])
            if self._now.is_(*_FLOW_END):
                part.feet = self._take()
                self._step()
                return part
            if self._now.is_(yaml.FlowEntryToken):
                self._step()
            else:
                part.items.append(self._flow_item(kind))

    def _flow_item(self, kind: str) -> Item:
        if kind == "mapping":
            return self._pair(flow=True)
        if self._now.is_(yaml.KeyToken):  # `[a: b]` is a mapping of one pair
            pair = self._pair(flow=True)
            lead, pair.lead = pair.lead, []
            return Item(Part("mapping", flow=True, items=[pair]), lead=lead)
        item = Item(Part("scalar"), lead=self._take())
        between: list[Comment] = []
        self._fill(item, between, flow=True, pair=False)
        _settle(item, between)
        return item


def _head(waiting: list[Comment], blank: bool) -> tuple[list[Comment], list[Comment]]:
    """The head of the file, and what belongs to the first item: the last group, when there are several."""
    cuts = [at for at, comment in enumerate(waiting) if comment.blank and at]
    if blank or not cuts:
        return waiting, []
    return waiting[: cuts[-1]], waiting[cuts[-1] :]


def _holds_comments(part: Part) -> bool:
    return bool(part.feet) or any(item.lead or item.trail or _holds_comments(item.part) for item in part.items)


def _settle(item: Item, between: list[Comment]) -> None:
    """Comments between a key and its value: at the end of the line when it is the only one, else above."""
    if len(between) == 1 and between[0].same and not item.trail and not _holds_comments(item.part):
        item.trail = between
    else:
        item.lead = item.lead + between
