"""A file says one thing, at one place, and everything wrong with it is told at once."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.document import Faulty, FileFault, did_you_mean, parse, read


def faults(text: str) -> list[tuple[int, int, str]]:
    with pytest.raises(Faulty) as caught:
        parse(text, "x.yaml")
    return [(fault.line, fault.column, fault.code) for fault in caught.value.faults]


def test_every_value_knows_its_place() -> None:
    node = parse("a: 1\nb:\n  - c: [x, y]\n", "x.yaml")
    place = node.at(["b", 0, "c", 1])
    assert (place.value, place.line, place.column) == ("y", 3, 12)


def test_a_path_that_does_not_exist_leads_to_the_deepest_value_on_the_way() -> None:
    assert parse("a:\n  b: 1\n", "x.yaml").at(["a", "c", "d"]).line == 2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("0755", "0755"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-01-01", "2026-01-01"),
        ("1e3", "1e3"),
        (".5", ".5"),
        ("true", True),
        ("null", None),
        ("~", None),
        ("-7", -7),
        ("1.50", 1.5),
        ("'1'", "1"),
        ("12345678901234567890123", "12345678901234567890123"),
    ],
)
def test_scalars_follow_the_core_schema(text: str, value: object) -> None:
    assert parse(f"a: {text}\n", "x.yaml").plain() == {"a": value}


def test_a_key_that_stands_twice_is_a_fault_with_both_lines() -> None:
    with pytest.raises(Faulty) as caught:
        parse("effect: deny\neffect: allow\n", "x.yaml")
    (fault,) = caught.value.faults
    assert (fault.line, fault.column, fault.code) == (2, 1, "Y014")
    assert "line 1" in fault.en


def test_aliases_tags_and_second_documents_are_refused() -> None:
    assert faults("a: &x 1\nb: *x\n")[0][2] == "Y012"
    assert faults("a: !!python/object:os.system ls\n") == [(1, 4, "Y015")]
    assert faults("a: 1\n---\nb: 2\n")[0][2] == "Y010"


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("a:\n\tb: 1\n", (2, 1), "a tab indents this line"),
        ("a:\n  b: 1\n\tc: 2\n", (3, 1), "a tab indents this line"),
        ("version 1\nlisten: x\n", (1, 8), "a colon is missing after the key"),
        ("a: 1\nlisten 127.0.0.1:80\nc:\n  d: 3\n", (2, 7), "a colon is missing after the key"),
        ("a: 1\nb 2\nc: 3\n", (2, 2), "a colon is missing after the key"),
        ("a:1\nb: 2\n", (1, 2), "a space is missing after the colon"),
        ("a：1\nb: 2\n", (1, 2), "`：` is not the colon of YAML"),
        ('a: "abc\nb: 2\n', (1, 4), "the quote that begins here is not closed on its line"),
        ('a: "abc\nb: "c"\n', (1, 4), "the quote that begins here is not closed on its line"),
        ('a: "abc" def\n', (1, 10), "something stands after the closing quote"),
        ('a: "\\d"\n', (1, 5), "a backslash in double quotes begins an escape that does not exist"),
        ("a: 1\n  b: 2\n", (2, 3), "its indentation fits no line above it"),
        ("a:\n    b: 1\n  c: 2\n", (3, 3), "its indentation fits no line above it"),
        ("a:\n  - b: 1\n - c: 2\n", (3, 2), "its indentation fits no line above it"),
        ("a: [1, 2\nb: 3\n", (1, 4), "`[` is never closed, or a comma is missing"),
        ("a: [", (1, 4), "`[` is never closed, or a comma is missing"),
        ("a: 1\nb: {c: [1, 2],\n", (2, 4), "`{` is never closed, or a comma is missing"),
        ("a: {: b}\n", (1, 5), "a value is missing, or a mark stands where none can"),
        ("a: 1 - b: 2\n", (1, 9), "a value with `: ` in it"),
        ("a:  - b: 2\n", (1, 5), "a list item begins in the middle of a line"),
        ("a: [1]]\n", (1, 7), "`]` closes nothing"),
        ("a: b: c\n", (1, 5), "a value with `: ` in it"),
        ("a: @b\n", (1, 4), "a value cannot begin with `@`"),
        ("who: *\n", (1, 6), "a value cannot begin with `*`"),
        ("level: >= important\n", (1, 8), "a value cannot begin with `>`"),
        ("a: 1\n---\nb: 2\n", (2, 1), "a second document begins here"),
        ("a: \x01\n", (1, 4), "a control character (U+0001) stands here"),
    ],
)
def test_a_slip_of_the_keyboard_is_named_where_it_is(text: str, place: tuple[int, int], said: str) -> None:
    with pytest.raises(Faulty) as caught:
        parse(text, "f.yaml")
    (fault,) = caught.value.faults
    assert ((fault.line, fault.column), fault.en) == (place, said)
    assert fault.code == "Y010"
    assert re.search("[\u4e00-\u9fff]", fault.zh)
    assert fault.remedy_en
    assert re.search("[\u4e00-\u9fff]", fault.remedy_zh)


@given(st.text(alphabet="ab:：- \t\n\"'[]{}*&@>|#,\\", max_size=40))
def test_no_slip_is_too_odd_to_be_named(text: str) -> None:
    try:
        parse(text, "f.yaml")
    except Faulty as faulty:
        for fault in faulty.faults:
            assert fault.line >= 1 <= fault.column
            assert fault.render(text, "zh-CN")


def test_a_bomb_of_aliases_is_refused_before_it_grows() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join(['*' + a] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    assert {code for _, _, code in faults("\n".join(lines))} == {"Y012"}


def test_deep_nesting_is_a_fault_and_not_a_crash() -> None:
    assert {code for _, _, code in faults("[" * 500 + "]" * 500)} == {"Y011"}


def test_all_faults_of_a_file_are_told_at_once() -> None:
    assert [code for _, _, code in faults("a: 1\na: 2\nb: !x 1\n[c]: 3\n")] == ["Y014", "Y015", "Y013"]


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read(path).plain() == {"a": 1}


def test_gbk_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes("title: 户籍\n".encode("gbk"))
    with pytest.raises(Faulty) as caught:
        read(path)
    assert caught.value.faults[0].code == "Y003"
    assert "UTF-8" in caught.value.faults[0].remedy_en


def test_a_missing_file_is_a_fault_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(Faulty) as caught:
        read(tmp_path / "nowhere.yaml")
    assert caught.value.faults[0].file.endswith("nowhere.yaml")


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


def test_the_caret_stands_under_chinese_text() -> None:
    printed = FileFault("a.yaml", 1, 4, "P001", "x", "错误的值").render("名称: 值\n", "zh-CN")
    assert printed.splitlines()[2].index("^") == len("       | ") + 5  # two wide characters and a colon


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text, "x.yaml").plain()
    except Faulty as faulty:
        assert faulty.faults


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(-(10**9), 10**9), min_size=1, max_size=5))
def test_what_was_written_is_what_is_read(mapping: dict[str, int]) -> None:
    text = "".join(f"{key}: {value}\n" for key, value in mapping.items())
    assert parse(text, "x.yaml").plain() == mapping


def test_why_a_file_cannot_be_read_is_said_in_both_languages(tmp_path: Path) -> None:
    for path, en, zh in (
        (tmp_path / "none.yaml", "there is no such file", "文件不存在"),
        (tmp_path, "Is a directory", "这是目录"),
        (tmp_path / "a" / "b", "there is no such file", "文件不存在"),
    ):
        with pytest.raises(Faulty) as caught:
            read(path)
        (fault,) = caught.value.faults
        assert (fault.en, fault.zh) == (f"cannot be read: {en}", f"无法读取：{zh}")
        assert ("gateway init" in fault.remedy_zh) == (zh == "文件不存在")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rules.yaml")
    with pytest.raises(Faulty) as caught:
        read(tmp_path / "rules.yaml")
    assert [fault.code for fault in caught.value.faults] == ["Y001"]
