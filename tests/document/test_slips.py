"""What is not YAML is told as the slip that it most likely is, at its place."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.document import Faulty, parse

BRACKETS = "a path with `[ ]` stands inside `[ ]` or `{ }`, where brackets have a meaning of their own"


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
        ("rows: {$.items[*].a: x}\n", (1, 8), BRACKETS),
        ("by: [phone, $..items[*].b]\n", (1, 13), BRACKETS),
        ("a:\n  b: {path: $.x[*].y, c: d}\n", (2, 13), BRACKETS),
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
