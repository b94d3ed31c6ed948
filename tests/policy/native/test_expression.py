"""What does a matcher ask for?"""

from types import SimpleNamespace
from typing import Any

import pytest
from casbin.core_enforcer import CoreEnforcer
from casbin.util import util
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.native.expression import Scope, Slot, compile_expression
from gateway.policy.native.functions import FUNCTIONS
from gateway.policy.native.syntax import Faulty

SCOPE = Scope(
    {"a": Slot("text"), "b": Slot("text"), "n": Slot("number"), "k": Slot("number"), "t": Slot("bool")}, ("x", "y"), {}
)
VALUES = {"r_a": "alice", "r_b": "/a/1", "r_n": 3, "r_k": 5, "r_t": True, "p_x": "alice", "p_y": "/a/*"}


def ours(text: str) -> Any:
    return compile_expression(text, SCOPE).test(dict(VALUES))


def of_casbin(text: str) -> Any:
    functions = {name: function.call for name, function in FUNCTIONS.items()}
    return CoreEnforcer._get_expression(util.escape_assertion(text), functions).eval(dict(VALUES))


texts = st.sampled_from(["r.a", "r.b", "p.x", "p.y", "'alice'", '"/a/1"', "'z'", "r.a + p.x"])
numbers = st.recursive(
    st.sampled_from(["r.n", "r.k", "3", "0", "2.5", "-1"]),
    lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*", "//", "%", "/"]), inner).map(
        lambda t: f"({t[0]} {t[1]} {t[2]})"
    ),
    max_leaves=3,
)
atoms = st.one_of(
    st.tuples(texts, st.sampled_from(["==", "!=", "<", ">=", "in", "not in"]), texts).map(" ".join),
    st.tuples(numbers, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), numbers).map(" ".join),
    st.tuples(numbers, numbers, numbers).map(lambda t: f"{t[0]} < {t[1]} <= {t[2]}"),
    texts.map(lambda one: f"{one} in ('alice', 'bob')"),
    st.sampled_from(["r.t", "True", "False", "keyMatch(r.b, p.y)", "keyMatch2(r.b, '/a/:id')"]),
)
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||", "and", "or"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"{t[0]} || {t[1]} && {t[2]}"),
        inner.map(lambda one: f"!({one})"),
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(expressions)
def test_the_answers_are_those_of_simpleeval(text: str) -> None:
    try:
        expected = of_casbin(text)
    except ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):
            ours(text)
        return
    assert ours(text) is expected


@pytest.mark.parametrize(
    "text", ["r.a == 'a && b'", "r.a != 'x || y'", "r.a == '!'", "r.a == 'p.x'", "'#' == r.a", "r.a == 'r.b'"]
)
def test_operators_inside_of_quotes_are_letters(text: str) -> None:
    quoted = text.split("'")[1]
    row = VALUES | {"r_a": quoted}
    assert compile_expression(text, SCOPE).test(row) is ("==" in text)


def test_a_negation_reaches_as_far_as_in_casbin() -> None:
    assert ours("!r.a == 'z'") is True is of_casbin("!r.a == 'z'")


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        ("r.a == p.z", "P141", 7),
        ("r.z == p.x", "P141", 0),
        ("r.a == 3", "P143", 7),
        ("r.n > p.x", "P143", 6),
        ("r.t > r.t", "P143", 6),
        ("r.a && r.t", "P143", 0),
        ("r.a", "P143", 0),
        ("r.a ** 2 == 1", "P142", 0),
        ("r.a == p.x && r.b.c == 1", "P141", 14),
        ("'张三' == r.a && r.a == p.z", "P141", 22),
        ("r.a　== p.x", "P140", 3),
        ("r.a == ()", "P143", 7),
        ("r.t in ('a', 'b')", "P143", 7),
        ("keyMatch(r.a, p.x, p.y)", "P143", 0),
        ("keyMatch(r.n, p.x)", "P143", 9),
        ("keyMatch(p.x, 'a' + r.a)", "P144", 14),
        ("eval(p.x)", None, 0),
        ("eval('r.t')", "P142", 0),
        ("r.n == 99999999999999999999", "P142", 7),
    ],
)
def test_faults_and_their_places(text: str, code: str | None, at: int) -> None:
    if code is None:
        compile_expression(text, SCOPE, lambda column: lambda row: True)
        return
    with pytest.raises(Faulty) as caught:
        compile_expression(text, SCOPE, lambda column: lambda row: True)
    assert [(problem.code, problem.at) for problem in caught.value.problems] == [(code, at)]


def test_all_faults_of_an_expression_at_once() -> None:
    with pytest.raises(Faulty) as caught:
        compile_expression("r.z == 1 && p.q == 'a' && sum(r.a)", SCOPE)
    assert [problem.at for problem in caught.value.problems] == [0, 12, 26]


def test_what_an_expression_looks_at() -> None:
    found = compile_expression("r.a == p.x && keyMatch2(r.b, p.y)", SCOPE)
    assert (found.tokens, found.columns) == ({"a", "b"}, {"x", "y"})
    assert [one.key for one in found.pinned] == ["p_y"]


@settings(max_examples=120, deadline=None)
@given(st.text("rp.ab x=!&|()'\"+-*/%<>in[]{}:,_01λ\\@", max_size=40))
def test_every_text_is_compiled_or_refused(text: str) -> None:
    try:
        compile_expression(text, SCOPE)
    except Faulty as faulty:
        assert all(0 <= problem.at <= len(text) for problem in faulty.problems)


def test_an_object_is_read_through_its_attributes_only() -> None:
    from gateway.policy.names import Name
    from gateway.policy.native.expression import ASKED

    scope = Scope({"sub": Slot("object", {"age": Name("number", lambda facts: 30)})}, (), {})
    row = {ASKED: SimpleNamespace(facts=None), "r_sub": None}
    assert compile_expression("r.sub.age > 18", scope).test(row) is True  # type: ignore[arg-type]
    with pytest.raises(Faulty):
        compile_expression("r.sub.__class__ == 1", scope)
