"""A file says one thing, at one place, and everything wrong with it is told at once."""

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.document import Faulty, parse, read, reader


def faults(text: str) -> list[tuple[int, int, str]]:
    with pytest.raises(Faulty) as caught:
        parse(text, "x.yaml")
    return [(fault.line, fault.column, fault.code) for fault in caught.value.faults]


def test_every_value_knows_its_place() -> None:
    node = parse("a: 1\nb:\n  - c: [x, y]\n", "x.yaml")
    place = node.at(["b", 0, "c", 1])
    assert (place.value, place.line, place.column) == ("y", 3, 12)


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x 1\nb: *x\n", [(1, 4, "Y012"), (2, 4, "Y012")]),
        ("note: &staff\n", [(1, 7, "Y012")]),
        ("who: *all\n", [(1, 6, "Y012")]),
        ("x: 1\n*a : 1\n", [(2, 1, "Y012")]),
        ("&a k: 1\n", [(1, 1, "Y012")]),
        ("a: !!python/object:os.system ls\n", [(1, 4, "Y015")]),
        ("a: !!str 5\n", [(1, 4, "Y015")]),  # would be the number
        ("!x k: 1\nb: !x {c: [1, *d]}\n", [(1, 1, "Y015"), (2, 4, "Y015")]),
        ("a: 1\n---\nb: 2\n", [(2, 1, "Y010")]),
    ],
)
def test_anchors_aliases_tags_and_second_documents_are_refused(text: str, expected: list[tuple[int, int, str]]) -> None:
    assert faults(text) == expected


def test_what_is_refused_is_read_over_to_its_end() -> None:
    text = "a: !x [1, {b: [2]}]\na: {c: {d: 1, d: 2}}\n? [e, {f: 1}]\n: [g]\nh: 1\nh: 2\n"
    assert faults(text) == [(1, 4, "Y015"), (2, 1, "Y014"), (3, 3, "Y013"), (6, 1, "Y014")]


def test_the_reader_in_python_alone_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: 'x'\nb:\n  - c: [0755, 1.5]\n  - |\n    d\n"
    fast = parse(text, "x.yaml")
    monkeypatch.setattr(reader, "_PARSER", yaml.SafeLoader)
    slow = parse(text, "x.yaml")
    assert slow.plain() == fast.plain() == {"a": "x", "b": [{"c": ["0755", 1.5]}, "d\n"]}
    assert slow.at(["b", 0, "c", 1]).column == fast.at(["b", 0, "c", 1]).column == 15


def test_a_bomb_of_aliases_is_refused_before_it_grows() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join(['*' + a] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    assert {code for _, _, code in faults("\n".join(lines))} == {"Y012"}


def test_deep_nesting_is_a_fault_and_not_a_crash() -> None:
    assert {code for _, _, code in faults("[" * 500 + "]" * 500)} == {"Y011"}


@pytest.mark.parametrize("before", ["", "a: 1\na: ", "a: &b ", "a: !b ", "? "])
def test_what_is_too_deep_is_read_no_further(before: str) -> None:
    found = faults(before + "[" * 200)  # whoever reads on finds that nothing is closed
    assert found[-1][2] == "Y011"


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
