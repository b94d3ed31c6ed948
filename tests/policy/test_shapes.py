"""Is a value of the wrong shape always a fault, and never a default in silence?"""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.document import FileFault, Node, parse
from gateway.policy import shapes


def take(reader: Callable[..., Any], text: str, *arguments: Any) -> tuple[Any, list[str]]:
    faults: list[FileFault] = []
    return reader(parse(text, "x.yaml"), faults, *arguments), [fault.code for fault in faults]


@pytest.mark.parametrize(
    ("reader", "text", "value", "codes"),
    [
        (shapes.text, "a", "a", []),
        (shapes.text, "7", "", ["P004"]),
        (shapes.text, "''", "", ["P004"]),
        (shapes.text, "x" * 2001, "", ["P004"]),
        (shapes.mapping, "null", {}, []),
        (shapes.mapping, "[a]", {}, ["P004"]),
        (shapes.items, "null", [], []),
        (shapes.items, "{a: b}", [], ["P004"]),
        (shapes.texts, "[]", [], ["P004"]),
        (shapes.texts, "{a: b}", [], ["P004"]),
    ],
)
def test_one_shape_each(reader: Callable[..., Any], text: str, value: object, codes: list[str]) -> None:
    assert take(reader, text) == (value, codes)


def test_one_text_or_a_list_of_texts() -> None:
    assert [word for word, _ in take(shapes.texts, "a")[0]] == ["a"]
    assert [word for word, _ in take(shapes.texts, "[a, b]")[0]] == ["a", "b"]
    assert take(shapes.texts, "[a, 7]")[1] == ["P004"]


@pytest.mark.parametrize(
    ("text", "codes"), [("5", []), ("0", ["P004"]), ("11", ["P004"]), ("true", ["P004"]), ("1.5", ["P004"])]
)
def test_whole_numbers_have_bounds(text: str, codes: list[str]) -> None:
    assert take(shapes.whole_number, text, 1, 10)[1] == codes


def test_an_unknown_word_gets_a_suggestion_in_both_languages() -> None:
    faults: list[FileFault] = []
    node = parse("clrek", "x.yaml")
    assert shapes.one_of(node, faults, ("clerk",), "P010", "role", "角色") == ""
    assert ("clerk" in faults[0].remedy_en, "clerk" in faults[0].remedy_zh) == (True, True)


@pytest.mark.parametrize(
    ("text", "title"),
    [("甲", ("甲", "甲")), ("{en: a}", ("a", "a")), ("{zh: 甲, en: a}", ("a", "甲")), ("{zh: 甲}", ("甲", "甲"))],
)
def test_a_title_has_two_languages(text: str, title: tuple[str, str]) -> None:
    assert shapes.title(parse(text, "x.yaml"), []) == title


def test_no_title_is_no_fault() -> None:
    assert shapes.title(None, []) == ("", "")


def test_what_is_shown_is_short() -> None:
    assert shapes.plain(Node("a\nb", "x", 1, 1)) == "a"
    assert shapes.plain(Node(None, "x", 1, 1)) == "null"
    assert shapes.plain(Node("", "x", 1, 1)) == ""
    assert shapes.plain(Node([], "x", 1, 1)) == "…"


def test_a_remedy_names_the_wide_comma_and_where_names_are_declared() -> None:
    assert shapes.remedy("clerk， auditor", ("clerk", "auditor"), "P010") == (
        "full-width `，` does not part names: write [clerk, auditor]",
        "全角 `，` 不能分隔名称：请写 [clerk, auditor]",
    )
    assert shapes.remedy("clrek", ("clerk",), "P010")[0] == 'did you mean "clerk"? or declare it in people.yaml'
    assert shapes.remedy("zzz", ("clerk",), "P011")[0] == "possible: clerk; or declare it in people.yaml"
    assert shapes.remedy("zzz", (), "P011") == ("declare it in people.yaml", "请在 people.yaml 中声明")
    assert shapes.remedy("zzz", (), "P012") == ("declare it in catalog/", "请在 catalog/ 中声明")
    assert shapes.remedy("raed", ("read",), "P013")[0] == 'did you mean "read"?'


def test_true_or_false_is_neither_a_word_nor_a_number() -> None:
    faults: list[FileFault] = []
    nodes = [*map(parse, ("true", "false", "'true'", "1"), "xxxx"), None]
    assert [shapes.flag(node, faults) for node in nodes] == [True, False, False, False, False]
    assert [(one.code, one.remedy_en) for one in faults] == [("P004", "write `true` or `false`, without quotes")] * 2


def test_each_key_that_is_missing_is_a_fault_with_its_remedy() -> None:
    node = parse("{a: 1, b: null}", "x.yaml")
    faults: list[FileFault] = []
    shapes.required(node, shapes.mapping(node, faults), ("a", "b", "c", "d"), faults)
    assert [(fault.code, fault.remedy_en) for fault in faults] == [("P003", "add `c:`"), ("P003", "add `d:`")]
