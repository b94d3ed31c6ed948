"""A fault points at its place and says how to mend it."""

import pytest

from gateway.document import FileFault, did_you_mean, parse


def test_a_path_that_does_not_exist_leads_to_the_deepest_value_on_the_way() -> None:
    assert parse("a:\n  b: 1\n", "x.yaml").at(["a", "c", "d"]).line == 2


def test_unknown_keys_come_with_a_suggestion() -> None:
    node = parse("upsteam: x\n", "x.yaml")
    (fault,) = node.unknown_keys({"upstream", "name"}, "C001")
    assert (fault.line, fault.column, fault.remedy_en) == (1, 1, 'did you mean "upstream"?')


def test_when_nothing_is_close_the_possible_words_are_named() -> None:
    assert did_you_mean("zzz", ["allow", "deny"])[0] == "possible: allow, deny"


def test_a_fault_is_printed_with_line_caret_and_remedy() -> None:
    fault = FileFault("a.yaml", 2, 8, "P010", "no role `clrek`", "没有角色 `clrek`", 'did you mean "clerk"?', "")
    assert fault.render("x: 1\n  who: clrek\n") == (
        "a.yaml:2:8: error P010: no role `clrek`\n"
        "     2 |   who: clrek\n"
        "       |        ^\n"
        '         did you mean "clerk"?'
    )


@pytest.mark.parametrize(
    ("column", "shown"),
    [(1, "a" + "." * 159 + "…"), (500, "…" + "." * 80 + "b" + "." * 79 + "…"), (1000, "…" + "." * 159 + "c")],
)
def test_of_a_very_long_line_what_stands_around_is_printed(column: int, shown: str) -> None:
    line = "a" + "." * 498 + "b" + "." * 499 + "c"
    _, source, caret = FileFault("a.json", 1, column, "I005", "x", "错").render(line).split("\n")
    assert source == f"     1 | {shown}"
    assert source[caret.index("^")] in "abc"


def test_the_caret_stands_under_chinese_text() -> None:
    printed = FileFault("a.yaml", 1, 4, "P001", "x", "错误的值").render("名称: 值\n", "zh-CN")
    assert printed.splitlines()[2].index("^") == len("       | ") + 5  # two wide characters and a colon
