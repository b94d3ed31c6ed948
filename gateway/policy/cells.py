"""What stands in the cells of a table, and where exactly?

Reads comma-separated values strictly (RFC 4180), because spreadsheets write a dozen other things under that name and
most readers guess. Rules:

1. UTF-8, with or without a mark. What Excel calls "CSV" is GBK on a Chinese machine: it is refused with the way out, or
   read when its author says so. Text that fits both is never guessed at.
2. A quote belongs around a whole cell; one that is never closed would swallow every row below it, so it is a fault.
3. Every cell knows its line and column, and its name in the spreadsheet (`D7`).
4. A cell that a spreadsheet would run as a formula carries an apostrophe in front (`guarded`, `unguarded`: each undoes
   the other).
"""

import codecs
import re
from typing import NamedTuple

from gateway.document import Faulty, FileFault

MARK = "\ufeff"
ENCODINGS = ("utf-8", "gb18030")
_UTF16 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")
_PLAIN = re.compile(r"[^,\r\n]*")
_END = re.compile(r",|\r?\n|\Z")
_FORMULA = re.compile(
    "'*[=+\\-@\t\r\n＝＋－＠]"
)  # also the wide forms, which some spreadsheets take for the narrow ones
_SAVE = (
    "save it as “CSV UTF-8”, or say --encoding gb18030 if it is GBK",
    "请另存为“CSV UTF-8”；若确为 GBK 编码，请加 --encoding gb18030",
)


class Cell(NamedTuple):
    """The text of a cell, where its text begins (line and column from 1), and its row and place in the row (from 0)."""

    text: str
    line: int
    column: int
    row: int
    place: int

    @property
    def name(self) -> str:
        """What a spreadsheet calls it: `D7`."""
        letters, rest = "", self.place + 1
        while rest:
            rest, letter = divmod(rest - 1, 26)
            letters = chr(ord("A") + letter) + letters
        return f"{letters}{self.row + 1}"


def decode(data: bytes, file: str, encoding: str = "utf-8") -> str:
    """The text of a table, without a mark. Raises Faulty."""
    if data.startswith(_UTF16) or data[:200].count(0) > len(data[:200]) // 4:
        raise _not_text(file, 1, "is UTF-16 or UTF-32", "是 UTF-16 或 UTF-32 编码")
    wide = encoding == "gb18030"
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        if not _is_gb18030(data):
            raise _not_text(
                file, line, f"is not UTF-8 (byte {error.start})", f"不是 UTF-8 编码（第 {error.start} 字节）"
            ) from error
        if not wide:
            raise _not_text(
                file, line, "is not UTF-8; it looks like GBK, which Excel writes as “CSV”",
                "不是 UTF-8 编码，像是 Excel 以“CSV”保存的 GBK",
            ) from error  # fmt: skip
        text = data.decode("gb18030")
    else:
        if wide and not text.isascii():  # a text that is both would come out as other characters, and nobody would see
            raise _not_text(
                file, 1, "is UTF-8, not GBK", "是 UTF-8 编码，不是 GBK", ("leave --encoding out", "请去掉 --encoding")
            )
    return text


def _is_gb18030(data: bytes) -> bool:
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


def _not_text(file: str, line: int, en: str, zh: str, remedy: tuple[str, str] = _SAVE) -> Faulty:
    return Faulty([FileFault(file, line, 1, "P112", f"the table {en}", f"表格{zh}", *remedy)])


def rows(text: str, file: str) -> list[list[Cell]]:
    """The rows of a table; empty ones are left out. Raises Faulty."""
    odd = _CONTROL.search(text)
    if odd:
        line = text.count("\n", 0, odd.start()) + 1
        code = f"U+{ord(odd.group()):04X}"
        column = odd.start() - text.rfind("\n", 0, odd.start())
        raise Faulty(
            [
                FileFault(
                    file, line, column, "P114", f"a control character ({code}) stands here", f"此处有控制字符（{code}）",
                    "remove it; lines end in LF or CRLF", "请删除；行尾用 LF 或 CRLF",
                )
            ]
        )  # fmt: skip
    return [row for row in _Scan(text, file).rows() if any(cell.text for cell in row)]


class _Scan:
    """Walks through a text, cell by cell."""

    def __init__(self, text: str, file: str) -> None:
        self._text, self._file = text, file
        self._at, self._line, self._begun = 0, 1, 0  # where the line begins

    def rows(self) -> list[list[Cell]]:
        found: list[list[Cell]] = []
        while self._at < len(self._text):
            row: list[Cell] = []
            going = True
            while going:
                row.append(self._cell(len(found), len(row)))
                going = self._delimiter()
            found.append(row)
        return found

    def _cell(self, row: int, place: int) -> Cell:
        quoted = self._text.startswith('"', self._at)
        line, column = self._line, self._at - self._begun + 1 + quoted
        text = self._quoted() if quoted else self._bare()
        return Cell(unguarded(text), line, column, row, place)

    def _bare(self) -> str:
        match = _PLAIN.match(self._text, self._at)
        text = match.group() if match else ""
        quote = text.find('"')
        if quote >= 0:
            raise self._fault(
                self._at + quote, "a quote inside a cell that does not begin with one", "单元格中间出现引号",
                'put the whole cell in quotes and write each inner one twice: `"say ""no"""`',
                '请给整个单元格加引号，内部的引号写两次：`"say ""no"""`',
            )  # fmt: skip
        self._at += len(text)
        return text

    def _quoted(self) -> str:
        start = self._at
        end = start + 1
        while True:
            end = self._text.find('"', end)
            if end < 0:
                raise self._fault(
                    start, "the quote that begins here is never closed", "此处的引号没有闭合",
                    "close it; an inner quote is written twice", "请闭合；内部的引号写两次",
                )  # fmt: skip
            if not self._text.startswith('"', end + 1):
                break
            end += 2
        raw = self._text[start + 1 : end]
        self._at = end + 1
        if "\n" in raw:
            self._line += raw.count("\n")
            self._begun = start + 1 + raw.rfind("\n") + 1
        return raw.replace('""', '"').replace("\r\n", "\n")

    def _delimiter(self) -> bool:
        """Step over what ends a cell; whether the row goes on."""
        match = _END.match(self._text, self._at)
        if match is None:
            raise self._fault(
                self._at, "something stands behind the closing quote", "引号之后还有内容",
                "put the whole cell in quotes; a comment has no place in a table",
                "请给整个单元格加引号；表格中没有注释",
            )  # fmt: skip
        self._at = match.end()
        if match.group() == ",":
            return True
        self._line, self._begun = self._line + 1, self._at
        return False

    def _fault(self, at: int, en: str, zh: str, remedy_en: str, remedy_zh: str) -> Faulty:
        fault = FileFault(self._file, self._line, at - self._begun + 1, "P115", en, zh, remedy_en, remedy_zh)
        return Faulty([fault])


def written(table: list[list[str]], excel: bool = False) -> str:
    """The text of a table, lines ending in CRLF; `excel`: with the mark by which Excel knows UTF-8."""
    lines = (",".join(_quote(guarded(cell)) for cell in row) + "\r\n" for row in table)
    return (MARK if excel else "") + "".join(lines)


def _quote(cell: str) -> str:
    odd = any(c in '",\r\n' for c in cell) or cell != cell.strip()
    return '"' + cell.replace('"', '""') + '"' if odd else cell


def guarded(cell: str) -> str:
    """Formula injection: `=HYPERLINK(…)` in a note must not run on the desk of whoever opens the table."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """What was meant by a cell with an apostrophe in front of a formula."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
