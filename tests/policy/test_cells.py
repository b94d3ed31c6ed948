"""What stands in the cells of a table, and where exactly?"""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.document import Faulty, FileFault
from gateway.policy.cells import MARK, Cell, decode, guarded, rows, unguarded, written

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8) | st.sampled_from(
    ["", "a,b", 'say "no"', "a\nb", " x ", "=1+1", "'=1", "''", "'x'", "+86", "@sum", "-1", "＝1", "\t=1", "\n=1", "\n"]
)


def texts(text: str) -> list[list[str]]:
    return [[cell.text for cell in row] for row in rows(text, "t.csv")]


def fault(text: str) -> FileFault:
    with pytest.raises(Faulty) as raised:
        rows(text, "t.csv")
    (found,) = raised.value.faults
    return found


def test_cells_know_their_places() -> None:
    (first, second) = rows('a,"b ""c""",d\r\n\r\n"x\ny",z\n', "t.csv")
    assert first == [Cell("a", 1, 1, 0, 0), Cell('b "c"', 1, 4, 0, 1), Cell("d", 1, 13, 0, 2)]
    assert second == [Cell("x\ny", 3, 2, 2, 0), Cell("z", 4, 4, 2, 1)]
    assert [cell.name for cell in first] == ["A1", "B1", "C1"]
    assert Cell("", 1, 1, 9, 26).name == "AA10"
    assert Cell("", 1, 1, 0, 25).name == "Z1"


def test_empty_rows_are_nothing() -> None:
    assert texts("") == texts("\n\n") == texts(",,\r\n\r\n") == []
    assert texts("a,\n,,\nb,") == [["a", ""], ["b", ""]]


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "what"),
    [
        ('a,b\n"c,d\ne,f\n', "P115", 2, 1, "never closed"),
        ('a\nb "c" d\n', "P115", 2, 3, "inside a cell"),
        ('a\n"b" c,d\n', "P115", 2, 4, "behind the closing quote"),
        ('"deny" # why\n', "P115", 1, 7, "behind the closing quote"),
        ("a\nb\0c\n", "P114", 2, 2, "U+0000"),
        ("a\rb\r", "P114", 1, 2, "U+000D"),
        ("a\x1bb", "P114", 1, 2, "U+001B"),
    ],
)
def test_what_would_be_read_as_something_else_is_a_fault(
    text: str, code: str, line: int, column: int, what: str
) -> None:
    found = fault(text)
    assert (found.code, found.line, found.column) == (code, line, column)
    assert what in found.en
    assert found.zh and found.remedy_zh


@pytest.mark.parametrize(
    ("data", "encoding", "what"),
    [
        ("id,标题\n".encode("gbk"), "utf-8", "looks like GBK"),
        ("id,标题\n".encode("utf-16"), "utf-8", "UTF-16"),
        ("id,title\n".encode("utf-16-le"), "utf-8", "UTF-16"),
        (b"id\n\xff\xff", "utf-8", "not UTF-8 (byte 3)"),
        (b"id\n\xff\xff", "gb18030", "not UTF-8 (byte 3)"),
        ("id,标题\n".encode(), "gb18030", "is UTF-8, not GBK"),
        ("\ufeffid,标题\n".encode(), "gb18030", "is UTF-8, not GBK"),
    ],
)
def test_an_encoding_is_never_guessed_at(data: bytes, encoding: str, what: str) -> None:
    with pytest.raises(Faulty) as raised:
        decode(data, "t.csv", encoding)
    assert [one.code for one in raised.value.faults] == ["P112"]
    assert what in raised.value.faults[0].en


def test_marks_are_taken_off_and_gbk_is_read_when_it_is_said() -> None:
    assert decode("\ufeffid,标题".encode(), "t.csv") == "id,标题"
    assert decode("id,标题，㐀".encode("gb18030"), "t.csv", "gb18030") == "id,标题，㐀"
    assert decode(b"id", "t.csv", "gb18030") == "id"
    assert decode(b"", "t.csv") == ""


@pytest.mark.parametrize(
    "formula", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x", "'=1", "''@"]
)
def test_no_cell_runs_in_a_spreadsheet(formula: str) -> None:
    assert guarded(formula) == f"'{formula}"
    assert unguarded(f"'{formula}") == formula


@pytest.mark.parametrize("text", ["'", "''", "'a' in subject.roles", "a=1", " =1", ""])
def test_an_apostrophe_of_an_author_stays(text: str) -> None:
    assert guarded(text) == unguarded(text) == text


@given(st.lists(st.lists(TEXT, min_size=1, max_size=4), max_size=4), st.booleans())
def test_a_table_is_read_as_it_was_written_here_and_by_others(table: list[list[str]], excel: bool) -> None:
    kept = [row for row in table if any(row)]
    text = written(kept, excel)
    assert text.startswith(MARK) is excel
    assert texts(decode(text.encode(), "t.csv")) == kept
    theirs = list(csv.reader(io.StringIO(text.removeprefix(MARK), newline=""), strict=True))
    assert [[unguarded(cell) for cell in row] for row in theirs] == kept


@given(TEXT)
def test_guarding_is_undone(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in set("=+-@\t\r\n＝＋－＠")
