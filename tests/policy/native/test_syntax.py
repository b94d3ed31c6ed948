"""How is the text of a matcher read?"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.native.syntax import (
    All,
    Call,
    Compared,
    Faulty,
    Foreign,
    Minus,
    Named,
    Not,
    Several,
    Some,
    Syntax,
    Value,
    read_expression,
    walk,
)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("r.sub == p.sub", Compared(0, ("==",), (Named(0, "r.sub"), Named(9, "p.sub")))),
        ("  r.a&&!r.b", All(2, (Named(2, "r.a"), Not(7, (Named(8, "r.b"),))))),
        ("!r.a == 'z'", Not(0, (Compared(1, ("==",), (Named(1, "r.a"), Value(8, "z"))),))),
        ("r.a || r.b and r.c", Some(0, (Named(0, "r.a"), All(7, (Named(7, "r.b"), Named(15, "r.c")))))),
        ("1 < r.n <= -2.5", Compared(0, ("<", "<="), (Value(0, 1), Named(4, "r.n"), Minus(11, (Value(12, 2.5),))))),
        ("r.a not in ('张', \"b\")", Compared(0, ("not in",), (Named(0, "r.a"), Several(11, (Value(12, "张"), Value(17, "b")))))),
        ("g(r.sub.id, True)", Call(0, "g", (Named(2, "r.sub.id"), Value(12, True)))),
        ("().x", Named(0, "")),
        ("p.from == r.class.id", Compared(0, ("==",), (Named(0, "p.from"), Named(10, "r.class.id")))),  # words of Python
        ("r.a == '&&!||#'", Compared(0, ("==",), (Named(0, "r.a"), Value(7, "&&!||#")))),
    ],
)  # fmt: skip
def test_what_is_read(text: str, tree: Syntax) -> None:
    assert read_expression(text) == tree


@pytest.mark.parametrize(
    "text",
    [
        "2 ** 9", "1 << 9", "~1", "+1", "r.a[0]", "f'{r.a}'", "b'a'", "None", "1j", "[x for x in r.l]", "(lambda: 1)", "{'a': 1}",
        "{1, 2}", "(y := 1)", "1 if r.a else 2", "keyMatch(*r.l)", "keyMatch(r.a, pattern='*')", "99999999999999999999",
        "0x" + "f" * 3900,  # Python refuses to print so many digits
    ],
)  # fmt: skip
def test_what_is_no_part_of_matchers(text: str) -> None:
    assert [type(part) for part in walk(read_expression(text))] == [Foreign]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", 0),
        ("r.a == ", 7),
        ("r.a = p.x", 4),
        ("r.a == 'x", 7),
        ("r.a　== p.x", 3),
        ("r.a == p.x # all", 11),
        ("r.a == p.x; r.b == p.y", 10),  # casbin asks the first half
        ("r.a in ('alice' 'bob')", 16),  # one name that nobody has
        ("not " * 40 + "r.t", 0),
        ("r.n == " + "1 + " * 300 + "1", 0),
        ("(" * 500 + "r.t" + ")" * 500, 200),
        ("r.a == '" + "x" * 4000 + "'", 0),
    ],
)
def test_what_cannot_be_read(text: str, at: int) -> None:
    with pytest.raises(Faulty) as caught:
        read_expression(text)
    assert [(problem.code, problem.at) for problem in caught.value.problems] == [("P140", at)]


@settings(max_examples=150, deadline=None)
@given(st.text("rp.ab x=!&|()'\"+-*/%<>in[]{}:,_01λ\\@", max_size=40))
def test_every_text_is_read_or_refused(text: str) -> None:
    try:
        places = [part.at for part in walk(read_expression(text))]
    except Faulty as faulty:
        places = [problem.at for problem in faulty.problems]
    assert all(0 <= at <= len(text) for at in places)
