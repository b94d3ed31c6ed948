"""How should a YAML file look, so that everybody's looks the same?

Writes the parts of a file in one layout. Rules:

1. The text means what it meant, and no comment is lost: the result is read again and compared before it is handed
   out; when anything differs, `Unsafe` is raised and there is no result.
2. Laid out again it stays as it is.
3. A `Form` says which keys come first and what is written between brackets. Keys that no form names keep their order;
   only keys are ever moved, never the items of a list.
4. Plain where plain is safe for every YAML reader, else double quotes, single ones where that spares backslashes.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

import yaml
from msgspec import Struct

from gateway.document.node import Faulty, Node, Plain
from gateway.document.parts import Comment, Item, Part, Unsafe, read_parts
from gateway.document.reader import parse

WIDTH = 120  # characters between the brackets of one line; cells of a terminal when text is folded
ALIGNED = 72  # comments behind longer lines are not lined up
MAX_KEY = 512
_STEP = 2


class Form(Struct, frozen=True):
    """How one kind of value is written. `order` and `keys` are of a mapping, `each` of list items or unnamed keys."""

    order: tuple[str, ...] = ()
    keys: "dict[str, Form]" = {}
    each: "Form | None" = None
    style: Literal["", "flow", "block"] = ""  # "": lists of words between brackets, all else as the author wrote it
    apart: bool = False  # a blank line between items
    quoted: bool = False  # whatever is more than one word stands in quotes

    def of(self, key: str) -> "Form":
        """The form of the value of this key."""
        return self.keys.get(key) or self.each or FREE


FREE = Form()


class Line(NamedTuple):
    """A line to be: its indentation, what it says, the comment behind it, further lines of a block of text."""

    indent: int
    text: str
    comment: str = ""
    blank: bool = False
    more: tuple[str, ...] = ()


def lay_out(text: str, file: str, form: Form = FREE) -> str:
    """The text in its layout. Raises Faulty for what the reader refuses, Unsafe when something would be lost."""
    before = parse(text, file)
    text = text.replace("\r\n", "\n").replace("\r", "\n")  # what they mean to YAML
    head, root = read_parts(text)
    owned = _owned(head, root)
    moved = _arrange(root, form)
    out = _file(head, root, form)
    try:
        after, (head, root) = parse(out, file), read_parts(out)
    except Faulty as faulty:
        raise Unsafe(faulty.faults[0].line, "the result could not be read", "结果无法读取") from faulty
    if not _same(before, after):
        raise Unsafe(1, "the values would change", "内容会改变")
    again = _owned(head, root)
    if owned != again and not (moved and sorted(owned) == sorted(again)):
        raise Unsafe(1, "a comment would be lost or change its place", "注释会丢失或移位")
    if _arrange(root, form) or _file(head, root, form) != out:
        raise Unsafe(1, "the layout is not stable", "排版结果不稳定")
    return out


def written(value: Plain, form: Form = FREE, head: tuple[str, ...] = ()) -> str:
    """The text of a value; `head` is comment lines without their `#`. Raises Unsafe when it cannot be written."""
    comments = [Comment(f"# {line}".rstrip(), 0, False, False) for line in head]
    root = _part(value)
    _arrange(root, form)
    out = _file(comments, root, form)
    if parse(out, "").plain() != value:
        raise Unsafe(1, "the value cannot be written as YAML", "该值无法写成 YAML")
    return out


def amended(text: str, file: str, value: Plain, form: Form = FREE) -> str:
    """The text with another value: what stays of it keeps its comments. Raises Faulty, and Unsafe when one would be lost.

    The items of a list are known by their `id` or `path`, or by what they say when they are no mapping.
    """
    parse(text, file)
    head, old = read_parts(text.replace("\r\n", "\n").replace("\r", "\n"))
    root = _graft(_part(value), old)
    before, after = _owned(head, old), _owned(head, root)
    if sorted(said for _, said in before) != sorted(said for _, said in after):
        raise Unsafe(1, "a comment would be lost with what it belongs to", "注释会随其所属内容一同丢失")
    _arrange(root, form)
    out = _file(head, root, form)
    if parse(out, file).plain() != value or len(_owned(*read_parts(out))) != len(before):
        raise Unsafe(1, "the value cannot be written beside its comments", "无法在保留注释的同时写入该值")
    return out


def _graft(new: Part, old: Part) -> Part:
    """The new part with the comments of the old one, as far as they are of one kind."""
    if new.kind != old.kind:
        return new
    if new.kind == "scalar":
        return old if (new.value, new.source or old.source) == (old.value, old.source) else new
    known = {_known_by(item): item for item in old.items}
    items = []
    for item in new.items:
        before = known.get(_known_by(item))
        part = item.part if before is None else _graft(item.part, before.part)
        items.append(Item(part, item.key) if before is None else _beside(before, part))
    return Part(new.kind, flow=old.flow, items=items, feet=old.feet)


def _beside(item: Item, part: Part) -> Item:
    return Item(part, item.key, item.lead, item.trail, item.blank)


def _known_by(item: Item) -> object:
    """By what an item is found again: its key, its `id` or `path`, or what it says."""
    if item.key:
        return item.key
    names = (inner.part.value for inner in item.part.items if inner.key in ("id", "path"))
    return next(names, item.part.value)


def _part(value: Plain) -> Part:
    if isinstance(value, dict):
        return Part("mapping", items=[Item(_part(inner), key) for key, inner in value.items()])
    if isinstance(value, list):
        return Part("list", items=[Item(_part(inner)) for inner in value])
    source = "" if isinstance(value, str) or value is None else str(value).lower()
    return Part("scalar", value, source)


# --- the proof ------------------------------------------------------------------------------------


def _same(one: Node, two: Node) -> bool:
    """Whether two values are the same in every kind: 1, 1.0, true and "1" are four values."""
    a, b = one.value, two.value
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    return type(a) is type(b) and repr(a) == repr(b)


_Owner = tuple[int, ...]


def _owned(head: list[Comment], root: Part) -> list[tuple[_Owner, str]]:
    """Every comment with the list item it belongs to, in the order in which they stand."""
    found: list[tuple[_Owner, str]] = [((), comment.text) for comment in head]
    found += [(owner, comment.text) for owner, comment in _comments(root, (), True)]
    return found


def _comments(part: Part, owner: _Owner, begins: bool) -> Iterator[tuple[_Owner, Comment]]:
    """`begins`: the part begins where its owner begins (`- - a`): a comment above the one is above the other."""
    for at, item in enumerate(part.items):
        own = (*owner, at) if part.kind == "list" and (at or not begins) else owner
        yield from ((own, comment) for comment in [*item.lead, *item.trail])
        yield from _comments(item.part, own, part.kind == "list")
    yield from ((owner, comment) for comment in part.feet)


# --- lines ----------------------------------------------------------------------------------------


def _file(head: list[Comment], root: Part, form: Form) -> str:
    lines = [Line(0, "", comment.text, comment.blank) for comment in head]
    if root.kind == "scalar":
        lines += [Line(0, *_text(root, form, 0))._replace(blank=bool(head))] if root.value is not None else []
    elif not root.items:
        lines.append(Line(0, _EMPTY[root.kind], blank=bool(head)))
    else:
        body = _block(root, form, 0, gap=True)
        if head and root.items[0].lead:  # else they would become part of the head
            body[0] = body[0]._replace(blank=True)
        lines += body
    if root.kind == "scalar" or not root.items:
        lines += _above(root.feet, 0)
    if lines:
        lines[0] = lines[0]._replace(blank=False)
    return "".join(_print(lines))


_EMPTY = {"list": "[]", "mapping": "{}"}


def _above(comments: list[Comment], indent: int) -> list[Line]:
    return [Line(indent, "", comment.text, comment.blank) for comment in comments]


def _arrange(part: Part, form: Form) -> bool:
    """Put keys in order and comments where a line can hold them; whether any key has moved."""
    places = {key: at for at, key in enumerate(form.order)} if part.kind == "mapping" else {}
    items = sorted(part.items, key=lambda item: places.get(item.key, len(places)))
    moved = items != part.items
    part.items = items
    for item in items:
        moved |= _arrange(item.part, form.of(item.key))
        item.lead, item.trail = item.lead + item.trail[:-1], item.trail[-1:]
        if part.kind == "list" and item.part.items:  # `- # why` is not a line of its own: it goes above the dash
            first = item.part.items[0]
            pulled, first.lead = first.lead, []
            if pulled:  # a blank line stays above all of it
                item.lead = [*item.lead, pulled[0]._replace(blank=item.blank), *pulled[1:]]
                item.blank = False
    return moved


def _block(part: Part, form: Form, indent: int, gap: bool = False) -> list[Line]:
    """The lines of a collection, an item at a time; `gap`: a blank line may stand before the first."""
    lines: list[Line] = []
    for item in part.items:
        inner = form.of(item.key)
        mapping = part.kind == "mapping"
        made = _pair(item, _key(item.key, form), inner, indent) if mapping else _entry(item, inner, indent)
        apart = form.apart and bool(lines) and item.part.kind != "scalar" and not _is_line(made)
        made[0] = made[0]._replace(blank=apart or (made[0].blank and (gap or bool(lines))))
        lines += made
    return lines + _above(part.feet, indent)


def _is_line(made: list[Line]) -> bool:
    return made[-1].text.startswith(("- {", "- ["))


def _pair(item: Item, name: str, form: Form, indent: int) -> list[Line]:
    line, rest = _value(item.part, form, name + ": ", indent)
    return [*_above(item.lead, indent), _behind(line, item), *rest]


def _behind(line: Line, item: Item) -> Line:
    return line._replace(comment=item.trail[0].text if item.trail else "", blank=item.blank)


def _value(part: Part, form: Form, start: str, indent: int) -> tuple[Line, list[Line]]:
    """The line that begins with `start`, and the lines of a block below it."""
    if part.kind == "scalar":
        if part.value is None and start != "- ":
            return Line(indent, start.rstrip()), []
        text, comment, blank, more = _text(part, form, indent, indent + len(start))
        return Line(indent, start + text, comment, blank, more), []
    if not part.items:
        return Line(indent, start + _EMPTY[part.kind]), []
    if form.style == "flow" or (form.style == "" and (part.flow or _words(part))):
        line = _inline(part, form)
        if line is not None and indent + len(start) + len(line) <= WIDTH:
            return Line(indent, start + line), []
    return Line(indent, start.rstrip()), _block(part, form, indent + _STEP)


def _entry(item: Item, form: Form, indent: int) -> list[Line]:
    line, rest = _value(item.part, form, "- ", indent)
    if not rest:
        return [*_above(item.lead, indent), _behind(line, item)]
    # a block hangs on its dash; the comments that came to stand above its first line go above the dash
    count = next(at for at, inner in enumerate(rest) if inner.text)
    pulled = [*_above(item.trail, indent), *(inner._replace(indent=indent) for inner in rest[:count])]
    pulled = [line._replace(blank=item.blank and not at) for at, line in enumerate(pulled)]
    hung = rest[count]._replace(
        indent=indent, text="- " + rest[count].text, blank=rest[count].blank if pulled else item.blank
    )
    return [*_above(item.lead, indent), *pulled, hung, *rest[count + 1 :]]


def _words(part: Part) -> bool:
    return part.kind == "list" and all(item.part.kind == "scalar" for item in part.items)


def _inline(part: Part, form: Form) -> str | None:
    """The part between brackets, or None when it holds comments or text of several lines."""
    if part.kind == "scalar":
        value = part.value
        return None if isinstance(value, str) and "\n" in value else _word(part, form, flow=True)
    if part.feet or (form.style == "block" and part.items):
        return None
    found = []
    for item in part.items:
        text = None if item.lead or item.trail else _inline(item.part, form.of(item.key))
        if text is None:
            return None
        found.append(f"{_key(item.key, form)}: {text}" if part.kind == "mapping" else text)
    return "{" + ", ".join(found) + "}" if part.kind == "mapping" else "[" + ", ".join(found) + "]"


# --- scalars --------------------------------------------------------------------------------------

_INDICATORS = "-?:,[]{}#&*!|>'\"%@`"
_UNPRINTABLE = re.compile(r"[^\t\x20-\x7e\xa1-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_NOT_PLAIN = re.compile(r": |:\Z| #|\t")
_NOT_IN_FLOW = re.compile(r"[\[\]{},]|:(?![\w./-])")
_ODD = re.compile(
    r"[-+]?[0-9][0-9_]*(:[0-9_]+)+(\.[0-9_]*)?|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|[yYnN]"
)
_BARE = re.compile(r"[\w.-]+")
_RESOLVER = yaml.SafeLoader("")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


def _text(part: Part, form: Form, indent: int, used: int = 0) -> tuple[str, str, bool, tuple[str, ...]]:
    """Text and further lines of a scalar that has its line to itself (a `Line` without its indentation)."""
    value = part.value
    if isinstance(value, str):
        body = value.removesuffix("\n")
        mark = "" if body != value else "-"
        if "\n" in body or body != value:
            if _may_be_literal(body):
                lines = tuple(" " * (indent + _STEP) + line if line else "" for line in body.split("\n"))
                return "|" + mark, "", False, lines
        elif part.long and used + len(_word(part, form)) > WIDTH and _may_fold(value):
            return ">-", "", False, tuple(_fold(value, indent + _STEP))
    return _word(part, form), "", False, ()


def _may_be_literal(body: str) -> bool:
    lines = body.split("\n")
    odd = any(line.isspace() or line.startswith("\t") or _UNPRINTABLE.search(line) for line in lines)
    return bool(body) and not odd and body[0] not in " \n" and body[-1] != "\n"


def _may_fold(value: str) -> bool:
    return "  " not in value and value == value.strip() and "\t" not in value and not _UNPRINTABLE.search(value)


def _fold(value: str, indent: int) -> Iterator[str]:
    line = ""
    for word in value.split(" "):
        if line and indent + _cells(line) + 1 + _cells(word) > WIDTH:
            yield " " * indent + line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield " " * indent + line


def _word(part: Part, form: Form, flow: bool = False) -> str:
    value = part.value
    if value is None:
        return "null"
    if not isinstance(value, str):
        return part.source
    if _is_plain(value, flow) and not (form.quoted and not _BARE.fullmatch(value)):
        return value
    return _quoted(value)


def _is_plain(value: str, flow: bool) -> bool:
    """Whether no YAML reader, old or new, would take the plain text for anything else."""
    if not value or value != value.strip() or value[0] in _INDICATORS or _NOT_PLAIN.search(value):
        return False
    if _UNPRINTABLE.search(value) or (flow and _NOT_IN_FLOW.search(value)) or _ODD.fullmatch(value):
        return False
    tag = _RESOLVER.resolve(yaml.ScalarNode, value, (True, False))  # type: ignore[no-untyped-call]  # yaml is half typed
    return str(tag).rpartition(":")[2] in ("str", "timestamp")


def _key(key: str, form: Form) -> str:
    """A key; one that the form names is plain, whatever other readers make of `on`."""
    if len(key) > MAX_KEY:
        raise Unsafe(1, f"a key of more than {MAX_KEY} characters", f"键超过 {MAX_KEY} 个字符")
    return key if key in form.order or _is_plain(key, flow=True) else _quoted(key)


def _quoted(value: str) -> str:
    spares = '"' in value or "\\" in value
    if spares and "'" not in value and "\t" not in value and not _UNPRINTABLE.search(value):
        return f"'{value}'"
    return '"' + "".join(_ESCAPES.get(c) or (_escape(c) if _UNPRINTABLE.match(c) else c) for c in value) + '"'


def _escape(c: str) -> str:
    code = ord(c)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


# --- printing -------------------------------------------------------------------------------------


def _cells(text: str) -> int:
    """How many cells of a terminal the text takes; a wide Chinese character takes two."""
    return sum(2 if ord(c) > 0x2E7F else 1 for c in text)


def _print(lines: list[Line]) -> Iterator[str]:
    columns = _columns(lines)
    for line, column in zip(lines, columns, strict=True):
        if line.blank:
            yield "\n"
        text = " " * line.indent + line.text
        if not line.text:
            text += line.comment
        elif line.comment:
            text += " " * (column - _cells(text)) + line.comment
        yield text + "\n"
        yield from (more + "\n" for more in line.more)


def _columns(lines: list[Line]) -> list[int]:
    """Where the comment behind each line begins: in one column for neighbours of one level."""
    columns = [line.indent + _cells(line.text) + 2 for line in lines]
    start = 0
    for end in range(1, len(lines) + 1):
        if end < len(lines) and _neighbours(lines[end - 1], lines[end]):
            continue
        widest = max(columns[start:end], default=0)
        if widest <= ALIGNED:
            columns[start:end] = [widest] * (end - start)
        start = end
    return columns


def _neighbours(one: Line, two: Line) -> bool:
    said = one.text and one.comment and two.text and two.comment
    return bool(said) and one.indent == two.indent and not two.blank and not one.more
