"""What do the rows of a `policy.csv` say?

casbin splits lines at commas and drops what it does not know. Each way in which a deny has vanished like that is a
fault here. Rules:

1. UTF-8, with or without a byte order mark; GBK is refused, since nothing tells where it would be read wrongly.
2. Every row begins with a kind that the model defines and has as many values as it defines.
3. A value never begins with a quote, holds no full-width punctuation and no comment: casbin compares them as text.
4. Commas inside of brackets do not part values, as in casbin; brackets must close.
5. An effect is `allow` or `deny`, a priority a whole number. A deny needs an effect that asks for denies.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from gateway.document import FileFault, did_you_mean
from gateway.policy.shapes import Faults

_ODD = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f\u00a0\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\u3000\ufeff\uff01-\uff5e\u3001\u3002\u2018\u2019\u201c\u201d]"
)
_CLOSES = {"(": ")", "[": "]"}


class Value(Struct, frozen=True):
    """One value and the column where it begins."""

    text: str
    column: int


class Line(Struct, frozen=True):
    """One row: its line, its kind (`p`, `g`, …) and its values."""

    number: int
    kind: Value
    values: tuple[Value, ...]

    def fault(
        self, file: str, value: Value, code: str, en: str, zh: str, hint: tuple[str, str] = ("", ""), at: int = 0
    ) -> FileFault:
        """A fault at a character of a value."""
        return FileFault(file, self.number, value.column + at, code, en, zh, hint[0], hint[1])


class Width(Struct, frozen=True):
    """What the model defines for one kind: the names of its values, and which of them hold rules."""

    names: tuple[str, ...]
    rules: frozenset[str] = frozenset()
    denies: bool = True  # whether the effect asks for denies


def decoded(raw: bytes, file: str, faults: Faults) -> str:
    """The text of a file, without a byte order mark; faults for what is not UTF-8."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        hint = ("save it as UTF-8; it may be GBK, as Excel writes", "请另存为 UTF-8 编码；可能是 Excel 保存的 GBK")
        faults.append(FileFault(file, line, column, "P130", "is not UTF-8", "不是 UTF-8 编码", hint[0], hint[1]))
        return ""


def read_table(text: str, file: str, widths: dict[str, Width], faults: Faults) -> list[Line]:
    """The good rows; every fault goes to `faults`."""
    rows = []
    for number, raw in enumerate(text.split("\n"), 1):
        if not raw.strip() or raw.lstrip().startswith("#"):
            continue
        before = len(faults)
        line = _line(raw, number, file, faults)
        if line is None:
            continue
        _check(line, file, widths, faults)
        if all(fault.warning for fault in faults[before:]):
            rows.append(line)
    return rows


def _line(raw: str, number: int, file: str, faults: Faults) -> Line | None:
    parts = list(_parts(raw.rstrip("\r"), number, file, faults))
    if not parts:
        return None
    values = [Value(part.strip(), start + len(part) - len(part.lstrip()) + 1) for start, part in parts]
    return Line(number, values[0], tuple(values[1:]))


def _parts(raw: str, number: int, file: str, faults: Faults) -> Iterator[tuple[int, str]]:
    """The values with their starts, split at commas outside of brackets; nothing when a bracket is at fault."""
    open_: list[tuple[str, int]] = []
    cuts = [-1]
    for index, letter in enumerate(raw):
        if letter in _CLOSES:
            open_.append((letter, index))
        elif letter in ")]":
            if not open_ or _CLOSES[open_.pop()[0]] != letter:
                faults.append(_bracket(file, number, index, letter))
                return
        elif letter == "," and not open_:
            cuts.append(index)
    if open_:
        letter, index = open_[0]
        faults.append(_bracket(file, number, index, letter))
        return
    for start, end in zip(cuts, [*cuts[1:], len(raw)], strict=True):
        yield start + 1, raw[start + 1 : end]


def _bracket(file: str, number: int, index: int, letter: str) -> FileFault:
    return FileFault(
        file, number, index + 1, "P151", f"`{letter}` has no partner on this line", f"`{letter}` 在该行没有配对",
        "close every bracket that is opened: casbin takes the commas in between for text",
        "括号须成对：casbin 会把其间的逗号当作文本",
    )  # fmt: skip


def _check(line: Line, file: str, widths: dict[str, Width], faults: Faults) -> None:
    odd = _odd(line, file, widths)
    if odd is not None:
        faults.append(odd)
        return
    width = widths.get(line.kind.text)
    if width is None:
        en, zh = did_you_mean(line.kind.text.lower(), widths)
        shown = line.kind.text[:40]
        faults.append(
            line.fault(
                file, line.kind, "P145", f"no `{shown}` in the model: casbin would drop this row",
                f"模型中没有 `{shown}`：casbin 会丢弃该行", (en, zh),
            )
        )  # fmt: skip
        return
    if len(line.values) != len(width.names):
        faults.append(_other_width(line, file, width))
        return
    for name, value in zip(width.names, line.values, strict=True):
        _check_value(line, file, name, value, width, faults)


def _odd(line: Line, file: str, widths: dict[str, Width]) -> FileFault | None:
    """Full-width punctuation and what cannot be seen; in a rule only outside of quotes."""
    width = widths.get(line.kind.text)
    for index, value in enumerate((line.kind, *line.values)):
        name = width.names[index - 1] if width is not None and 0 < index <= len(width.names) else ""
        text = value.text
        if width is not None and name in width.rules:
            text = re.sub(r"\"[^\"]*\"|'[^']*'", lambda quoted: "x" * len(quoted[0]), text)
        found = _ODD.search(text)
        if found is not None:
            shown = found[0] if found[0].isprintable() and not found[0].isspace() else f"U+{ord(found[0]):04X}"
            return line.fault(
                file, value, "P148", f"`{shown}` looks like another character; casbin would not part the values by it",
                f"`{shown}` 易与其他字符混淆；casbin 不会以它分隔各列",
                ("use plain ASCII punctuation and spaces", "请使用半角标点与空格"), found.start(),
            )  # fmt: skip
    return None


def _other_width(line: Line, file: str, width: Width) -> FileFault:
    has, wants = len(line.values), len(width.names)
    value = line.values[wants] if has > wants else (line.values[-1] if line.values else line.kind)
    inside = any(one.text.count(quote) % 2 for one in line.values for quote in "\"'")
    hint = (
        ("a comma inside quotes parts values as well: put it in brackets", "引号内的逗号同样会分列：请放入括号")
        if inside
        else ("expected: " + ", ".join(width.names), "应为：" + "、".join(width.names))
    )
    return line.fault(
        file, value, "P146", f"{has} values where `{line.kind.text}` has {wants}; casbin would fail on each request",
        f"`{line.kind.text}` 应有 {wants} 列，此处为 {has} 列；casbin 会对每个请求报错", hint,
    )  # fmt: skip


def _check_value(line: Line, file: str, name: str, value: Value, width: Width, faults: Faults) -> None:
    text = value.text
    if name in width.rules:
        if len(text) > 1 and text[0] == text[-1] == '"' and '"' not in text[1:-1].replace('""', ""):
            faults.append(_quoted(line, file, value))
        return
    if text[:1] in ('"', "'") or text[-1:] in ('"', "'"):
        faults.append(_quoted(line, file, value))
    elif re.search(r"(^|\s)#|\s(//|;)", text):
        faults.append(
            line.fault(
                file, value, "P150", "a comment behind a value is part of it for casbin", "值后的注释会被 casbin 当作值的一部分",
                ("put it on a line of its own", "请另起一行"),
            )
        )  # fmt: skip
    elif name == "eft":
        _check_effect(line, file, value, width, faults)
    elif name == "priority" and not re.fullmatch(r"[0-9]{1,9}", text):
        faults.append(
            line.fault(
                file, value, "P152", f"`{text}` is not a whole number from 0", f"`{text}` 不是从 0 起的整数",
                ("smaller numbers are asked first", "数字越小越先判断"),
            )
        )  # fmt: skip
    elif not text:
        faults.append(_empty(line, file, value, name))


def _quoted(line: Line, file: str, value: Value) -> FileFault:
    return line.fault(
        file, value, "P149", "casbin keeps quotes as part of the value", "casbin 会把引号当作值的一部分",
        ("remove the quotes around it", "请去掉两端的引号"),
    )  # fmt: skip


def _empty(line: Line, file: str, value: Value, name: str) -> FileFault:
    return FileFault(
        file, line.number, value.column, "P146", f"`{name}` is empty: a pattern that is empty matches everything",
        f"`{name}` 为空：空的模式会匹配一切", "write what is meant", "请写明含义", True,
    )  # fmt: skip


def _check_effect(line: Line, file: str, value: Value, width: Width, faults: Faults) -> None:
    if value.text not in ("allow", "deny"):
        hint = did_you_mean(value.text.lower(), ("allow", "deny"))
        faults.append(
            line.fault(
                file, value, "P147", f"the effect must be allow or deny, not `{value.text}`; casbin would ignore this row",
                f"效果只能是 allow 或 deny，不能是 `{value.text}`；casbin 会忽略该行", hint,
            )
        )  # fmt: skip
    elif value.text == "deny" and not width.denies:
        faults.append(
            line.fault(
                file, value, "P147", "the effect of the model asks for no deny: this row would change nothing",
                "模型的效果不考虑拒绝：该行不起作用",
                (
                    "write `e = some(where (p.eft == allow)) && !some(where (p.eft == deny))`",
                    "请写 `e = some(where (p.eft == allow)) && !some(where (p.eft == deny))`",
                ),
            )
        )  # fmt: skip
