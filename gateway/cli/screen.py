"""How does a command speak?

Answers go to stdout, everything said about them to stderr. With `-o json` stdout is one JSON value and
nothing else. Colour only on a terminal, and never with NO_COLOR.
"""

import argparse
import os
import sys
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.texts import TEXTS, Language

if TYPE_CHECKING:  # heavy: only the commands that need it pay
    from gateway.document import FileFault
    from gateway.policy import TestResult

_COLOURS = {"error": "31", "warning": "33", "good": "32", "dim": "2", "bold": "1"}
_ANY_WIDTH = 1_000_000
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # some programs take the wide forms too
_SECRET_CODES = frozenset(("C020", "C023"))


class Counted(int):
    """A number that brings its noun along: `{count:fault}` is `1 fault` or `2 faults`, `entry|entries` names both."""

    def __format__(self, noun: str) -> str:
        one, _, many = noun.partition("|")
        return f"{int(self)} {one if self == 1 else many or one + 's'}" if noun else str(int(self))


class Screen:
    """One command's voice."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.language: Language = args.lang
        self.json = args.output == "json"
        self.colour = sys.stdout.isatty() and sys.stderr.isatty() and not os.environ.get("NO_COLOR")

    def text(self, key: str, /, **values: object) -> str:
        """A text in the chosen language. What was put into it stays within its line."""
        counted = {name: Counted(value) if type(value) is int else self._said(value) for name, value in values.items()}
        return TEXTS[key][self.language == "zh-CN"].format_map(counted)

    def _said(self, value: object) -> object:
        """A value in a text; a fault that a room made, and one of a file, speaks both languages."""
        if isinstance(value, OSError) and value.errno:
            from gateway.document import why

            said = self.choose(*why(value))
            value = said if value.filename is None else f"{value.filename}{self.choose(': ', '：')}{said}"
        elif isinstance(value, Exception) and self.language == "zh-CN":
            value = str(getattr(value, "zh", value))
        return _within(value)

    def choose(self, en: str, zh: str) -> str:
        """One of two texts that a room made itself."""
        return zh if self.language == "zh-CN" else en

    def paint(self, text: str, colour: str) -> str:
        """The text in colour, where there is colour."""
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self.colour else text

    def say(self, key: str, colour: str = "", /, **values: object) -> None:
        """A line of the answer; silent when the answer is JSON."""
        self.line(self.text(key, **values), colour)

    def line(self, text: str, colour: str = "") -> None:
        """A line of the answer as it is; silent when the answer is JSON."""
        if not self.json:
            print(self.paint(text, colour) if colour else text)

    def warn(self, key: str, colour: str = "", /, **values: object) -> None:
        """A line about the answer, on stderr."""
        text = self.text(key, **values)
        print(self.paint(text, colour) if colour else text, file=sys.stderr)

    def result(self, value: Any) -> None:
        """The answer as JSON, when that is what was asked for."""
        if self.json:
            import msgspec

            encoded = msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2)
            print(encoded.decode())

    def faults(self, faults: Iterable["FileFault"]) -> None:
        """Faults with line, caret and remedy, on stderr."""
        found = sorted(set(faults))
        hidden = {(one.file, one.line) for one in found if one.code in _SECRET_CODES}
        for one in found:
            # a line that holds a secret is not printed: terminals scroll into logs
            source = "" if (one.file, one.line) in hidden else source_of(one.file)
            head, *rest = _within_lines(one).render(source, self.language).split("\n")
            lines = [self.paint(head, "warning" if one.warning else "error"), *map(_calm, rest)]
            print("\n".join(lines), file=sys.stderr)

    def failures(self, tests: Iterable["TestResult"]) -> None:
        """Policy tests that came out otherwise, on stderr."""
        for one in tests:
            self.warn("policy.failed", "error", name=one.name, place=one.place, why=self.choose(one.en, one.zh))
            if one.remedy[0]:
                self.warn("policy.mend", how=self.choose(*one.remedy))

    def table(self, head: Sequence[str], rows: Iterable[Sequence[object]], whole: Collection[str] = ()) -> None:
        """A table on stdout whose columns also fit Chinese; silent when the answer is JSON.

        The columns in `whole` are not folded; none is where no terminal reads it: a line is a row.
        """
        if not self.json:
            print(self.tabled(head, rows, whole))

    def tabled(self, head: Sequence[str], rows: Iterable[Sequence[object]], whole: Collection[str] = ()) -> str:
        """The lines of a table, as wide as the terminal where there is one."""
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        narrow = sys.stdout.isatty()
        made = Table(box=None, pad_edge=False, collapse_padding=narrow, header_style="bold")
        for name in head:
            made.add_column(name, overflow="fold", no_wrap=name in whole)
        for row in rows:
            made.add_row(*(Text(_plain(cell)) for cell in row))
        if narrow:
            console = Console(no_color=not self.colour, highlight=False)
            with console.capture() as captured:
                console.print(made)
            return captured.get().removesuffix("\n")
        text = StringIO()  # in a file or a pipe the padding after the last cell is only ballast
        Console(file=text, no_color=True, highlight=False, width=_ANY_WIDTH).print(made)
        return "\n".join(line.rstrip() for line in text.getvalue().splitlines())

    def csv(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A table for a spreadsheet: UTF-8 with the mark by which spreadsheets know it."""
        print(comma_separated(head, rows, mark=True), end="")


def comma_separated(head: Sequence[str], rows: Iterable[Sequence[object]], mark: bool) -> str:
    """A table in which no cell is a formula; `mark`: with the one by which spreadsheets know UTF-8."""
    import csv

    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([head, *([_inert(_plain(cell)) for cell in row] for row in rows)] if head else [])
    return ("\ufeff" if mark else "") + text.getvalue()


def _inert(cell: str) -> str:
    """Formula injection: a path like `=HYPERLINK(…)` that a caller sent must not run in the auditor's spreadsheet."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _within(value: object) -> object:
    """A name that an author wrote must not begin a line of its own: build servers take `::` and `##` for commands."""
    return _plain(value) if isinstance(value, str) and not value.isprintable() else value


def _within_lines(fault: "FileFault") -> "FileFault":
    """The same of what an author wrote into a file that a fault quotes, or into its name."""
    from msgspec.structs import replace

    texts = ("file", "en", "zh", "remedy_en", "remedy_zh")
    return replace(fault, **{name: _plain(getattr(fault, name)) for name in texts})


def _calm(line: str) -> str:
    """A line of a file that somebody else wrote, with its tabs: the caret below counts on them."""
    return "\t".join(map(_plain, line.split("\t")))


def _plain(cell: object) -> str:
    """A cell without control characters: what a caller sent must not move the operator's cursor."""
    return "".join(c if c.isprintable() else "�" for c in str(cell))


@lru_cache(maxsize=64)
def source_of(file: str) -> str:
    """The text of a file that a fault names; empty for a variable, and for what cannot be read or is no text."""
    from gateway.document import content

    try:
        text = content(Path(file)).decode("utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError):
        return ""
    return "" if "\0" in text else text


def fault_values(faults: Iterable["FileFault"]) -> list[dict[str, object]]:
    """Faults as JSON values."""
    names = ("file", "line", "column", "code", "en", "zh", "remedy_en", "remedy_zh", "warning")
    return [{name: getattr(one, name) for name in names} for one in sorted(set(faults))]
