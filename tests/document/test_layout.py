"""How should a YAML file look, so that everybody's looks the same?"""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from gateway.document import Faulty, Node, Plain, amended, parse
from gateway.document.layout import FREE, Form, lay_out, written
from gateway.document.parts import Unsafe
from tests.document.texts import VALUES, files

RULE = Form(
    ("id", "title", "effect", "level", "when"), {"level": Form(quoted=True), "title": Form(style="flow")}, style="block"
)
RULES = Form(("locked", "rules"), {"rules": Form(each=RULE, style="block", apart=True)}, style="block")


def laid(text: str, form: Form = RULES) -> str:
    return lay_out(text, "a.yaml", form)


def kinds(node: Node) -> object:
    """The value with the kind of each scalar, without the order of keys."""
    if isinstance(node.value, dict):
        return {key: kinds(inner) for key, inner in node.value.items()}
    if isinstance(node.value, list):
        return [kinds(inner) for inner in node.value]
    return type(node.value).__name__, repr(node.value)


def test_keys_come_in_order_with_their_comments_and_rules_stand_apart() -> None:
    text = """\
# The province.

# Nobody may try these ids.
rules:
    -   effect:   'deny'    # never allow
        # what it is called
        id: "base-1"
        level: '>= core'
        # a note for later
    # the second
    - {id: b, title: {zh: 一, en: one}, effect: allow, when: 'device.trust == "managed"', level: any}
# the end
locked: true   # says who
"""
    assert (
        laid(text)
        == """\
# The province.

# the end
locked: true  # says who

# Nobody may try these ids.
rules:
  # what it is called
  - id: base-1
    effect: deny  # never allow
    level: ">= core"
    # a note for later

  # the second
  - id: b
    title: {zh: 一, en: one}
    effect: allow
    level: any
    when: device.trust == "managed"
"""
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a:   1 #c", "a: 1  #c\n"),
        ("a: # c\n  b", "a: b  # c\n"),
        ("a:\n  # c\n  b", "# c\na: b\n"),
        ("a:\n- x\n- z", "a: [x, z]\n"),
        ("a:\n- x # c\n- z", "a:\n  - x  # c\n  - z\n"),
        ("a: [x, # c\n z]", "a:\n  - x  # c\n  - z\n"),
        ("a: [x # one\n , # two\n z]", "a:\n  # one\n  - x  # two\n  - z\n"),
        ("a: [x,\n # foot\n]", "a:\n  - x\n  # foot\n"),
        ("a: [ # none yet\n]", "a: []  # none yet\n"),
        ("a: {b: 1, # c\n c: 2}", "a:\n  b: 1  # c\n  c: 2\n"),
        ("-\n  # c\n  a: 1\n- # d\n  b: 2", "# c\n- a: 1\n# d\n- b: 2\n"),
        ("- - # c\n    - a", "# c\n- - [a]\n"),
        ("a: |  # c\n   x\n    y\n\n\nb: 1", "a: |  # c\n  x\n   y\n\nb: 1\n"),
        ("a: |# c\n   x\n   y\n", "a: |  # c\n  x\n  y\n"),
        ("a: >-\n  x\n  y", "a: x y\n"),
        ('a: "x\\ny"', "a: |-\n  x\n  y\n"),
        ('a: "x\\n\\n"', 'a: "x\\n\\n"\n'),
        ('a: " x"', 'a: " x"\n'),
        ("a: '\"'", "a: '\"'\n"),
        ("a: yes\nb: 'yes'\nc: '1'\nd: 2027-01-01\ne: '22:30'\nf: 0755",
         'a: "yes"\nb: "yes"\nc: "1"\nd: 2027-01-01\ne: "22:30"\nf: "0755"\n'),
        ("a: ~\nb: [~]\nc: null", "a:\nb: [null]\nc:\n"),
        ("a:\n\n\n  b: 1\n\n\n  c: 2", "a:\n  b: 1\n\n  c: 2\n"),
        ("a: 1    # x\nbcd: 2 # y\n\ne: 3 # z", "a: 1    # x\nbcd: 2  # y\n\ne: 3  # z\n"),
        ("# only\n\n# words", "# only\n\n# words\n"),
        ("---\na: 1\n...\n# after", "a: 1\n# after\n"),
        ("# c\n---  # d\na: 1", "# c\n# d\na: 1\n"),
        ("a: 1\r\nb: 2\r\n", "a: 1\nb: 2\n"),
        ("a: b\t# c", "a: b  # c\n"),
        ("a:\n- '*'\n- $.a[*]\n- user:li.na\n- a b", 'a: ["*", "$.a[*]", user:li.na, a b]\n'),
        ("{a: 1}", "a: 1\n"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_is_written_how(before: str, after: str) -> None:
    assert laid(before, FREE) == after
    assert laid(after, FREE) == after


def test_a_long_list_takes_a_line_for_each_and_a_long_text_is_folded() -> None:
    names = [f"department-{number:02}" for number in range(12)]
    assert laid(f"who: [{', '.join(names)}]", FREE) == "who:\n" + "".join(f"  - {name}\n" for name in names)
    words = " ".join(["民政承办人"] * 20)
    folded = laid("note: >-\n  " + words.replace(" ", "\n  "), FREE)
    assert folded.startswith("note: >-\n  民政承办人 民政承办人")
    assert parse(folded, "").plain() == {"note": words}
    assert laid(f"note: {words}", FREE) == f"note: {words}\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [("a:\n\tb: 1", "Y010"), ("a: &x 1", "Y012"), ("a: !!str 1", "Y015"), ("a: 1\na: 2", "Y014"), ("a: !x 1", "Y015"), ("a: [", "Y010"),
     ("? [a]\n: 1", "Y013")],
)  # fmt: skip
def test_what_the_reader_refuses_is_refused(text: str, code: str) -> None:
    with pytest.raises(Faulty) as raised:
        laid(text)
    assert [fault.code for fault in raised.value.faults] == [code]


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("%YAML 1.1\n---\na: 1", 1, "directive"),
        ("# x\u2028a: 1", 1, "U+2028"),
        ("a: 1\n\nb: '\x85'", 3, "U+0085"),
        (f"{'k' * 600}: 1", 1, "512"),
    ],
)
def test_what_would_be_lost_is_refused(text: str, line: int, why: str) -> None:
    with pytest.raises(Unsafe, match=re.escape(why)) as raised:
        laid(text)
    assert raised.value.line == line
    assert raised.value.zh


@settings(max_examples=150, deadline=None)
@given(files())
def test_any_file_keeps_its_values_and_comments_and_stays_as_it_is(text: str) -> None:
    out = laid(text, FREE)
    assert kinds(parse(out, "")) == kinds(parse(text, ""))
    assert comments(out) == comments(text)
    assert laid(out, FREE) == out
    assert "\r" not in out and "\t" not in out and "\n\n\n" not in out
    assert all(line == line.rstrip() for line in out.splitlines() if "#" not in line)


@settings(max_examples=100, deadline=None)
@given(files(keys=("effect", "id", "title", "level", "note", "rules", "locked")))
def test_keys_that_move_lose_nothing_either(text: str) -> None:
    every = Form(("id", "title", "effect", "level"), style="block")
    for _ in range(4):
        every = Form(every.order, each=every, apart=True)
    out = laid(text, every)
    assert kinds(parse(out, "")) == kinds(parse(text, ""))
    assert sorted(comments(out)) == sorted(comments(text))
    assert laid(out, every) == out


def comments(text: str) -> list[str]:
    """The comments of a generated text, which are unlike everything else in it; one in a block of text is none."""
    words = "\n".join(texts(parse(text, "").plain()))
    return [one for one in re.findall(r"#⟦[0-9]+⟧[^\n\r]*", text) if one.rstrip("'\"") not in words]


def texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from (key, *texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


@given(VALUES)
def test_a_value_is_written_so_that_it_is_read_back(value: object) -> None:
    out = written({"a": value}, FREE)  # type: ignore[dict-item]
    assert parse(out, "").plain() == {"a": value}
    assert laid(out, FREE) == out


def test_a_head_is_written_above() -> None:
    assert written({"b": [1, None], "a": True}, Form(("a",)), ("made from t.csv", "")) == (
        "# made from t.csv\n#\na: true\nb: [1, null]\n"
    )


AMENDED = """\
# the head

assets:
  # above a
  - id: a  # beside a
    fields:
      - {path: $.x, grade: core}  # beside x
      - {path: $.y}
      # at the end
"""


def test_another_value_keeps_the_comments_of_what_stays() -> None:
    value: Plain = {
        "assets": [
            {"id": "a", "fields": [{"path": "$.x", "grade": "core", "note": "why"}, {"path": "$.y"}, {"path": "$.z"}]},
            {"id": "b"},
        ]
    }
    assert amended(AMENDED, "f", value) == AMENDED.replace("grade: core}", "grade: core, note: why}").replace(
        "      # at the end\n", "      - path: $.z\n      # at the end\n  - id: b\n"
    )


def test_a_comment_is_never_lost_with_what_it_belongs_to() -> None:
    with pytest.raises(Unsafe):
        amended(AMENDED, "f", {"assets": [{"id": "a", "fields": [{"path": "$.y"}]}]})
    assert amended("a: 1\n", "f", {"b": [1, "x"]}) == "b: [1, x]\n"
