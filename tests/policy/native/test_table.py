"""What do the rows of a `policy.csv` say?"""

from hypothesis import given
from hypothesis import strategies as st

from gateway.document import FileFault
from gateway.policy.native.table import Line, Width, decoded, read_table

WIDTHS = {"p": Width(("rule", "obj", "eft"), frozenset(("rule",))), "g": Width(("user", "role"))}


def read(text: str) -> tuple[list[Line], list[FileFault]]:
    faults: list[FileFault] = []
    return read_table(text, "policy.csv", WIDTHS, faults), faults


def test_rows_with_their_lines_and_columns() -> None:
    rows, faults = read("# people\n\np, r.sub.id in ('a', 'b'), /x,  allow \r\n  g,alice,clerk\n")
    assert faults == []
    assert [(row.number, row.kind.text, [value.text for value in row.values]) for row in rows] == [
        (3, "p", ["r.sub.id in ('a', 'b')", "/x", "allow"]),
        (4, "g", ["alice", "clerk"]),
    ]
    assert [value.column for value in rows[0].values] == [4, 28, 33]


def test_a_bad_row_is_left_out_and_the_others_are_read() -> None:
    rows, faults = read("p, true, /x, allow\nq, a\np, true, /x, deny\n")
    assert [row.number for row in rows] == [1, 3]
    assert [(fault.code, fault.line, fault.column) for fault in faults] == [("P145", 2, 1)]


def test_full_width_letters_are_allowed_in_a_quoted_text_of_a_rule_only() -> None:
    rows, faults = read("p, r.sub.id == '张，三', /x, allow\n")
    assert (len(rows), faults) == (1, [])
    assert [fault.code for fault in read("g, 张，三, clerk\n")[1]] == ["P148"]
    assert read("g, 张三, 科员\n")[1] == []


def test_bytes() -> None:
    faults: list[FileFault] = []
    assert decoded("\ufeffp, a".encode(), "x", faults) == "p, a"
    assert decoded(b"p, \xff\xfe", "x", faults) == ""
    assert [(fault.code, fault.line, fault.column) for fault in faults] == [("P130", 1, 4)]


@given(st.text())
def test_every_text_is_read_and_nothing_is_dropped_in_silence(text: str) -> None:
    """Each line that says something becomes a row or a fault."""
    rows, faults = read(text)
    told = {row.number for row in rows} | {fault.line for fault in faults}
    wanted = {
        number for number, line in enumerate(text.split("\n"), 1) if line.strip() and not line.lstrip().startswith("#")
    }
    assert told == wanted


@given(
    st.lists(st.sampled_from(["p", "g", ",", " ", "a", "(", ")", "[", "]", '"', "deny", "allow", "#", "，", "'"])).map(
        "".join
    )
)
def test_what_is_accepted_is_what_casbin_reads(text: str) -> None:
    from casbin.persist.adapter import _extract_tokens

    rows, _ = read(text)
    for row in rows:
        assert [row.kind.text, *(value.text for value in row.values)] == _extract_tokens(text.strip())
