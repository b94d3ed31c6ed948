"""Which rows can match a request at all?"""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.native.index import equalities, indexed
from gateway.policy.native.source import Source
from gateway.policy.native.syntax import read_expression
from tests.literals import a_subject as a_person
from tests.literals import an_ask, some_facts
from tests.policy.native import generated
from tests.policy.native.pairs import ALLOW, BOTH, SAME, model
from tests.policy.native.world import a_bundle

SOURCE = Source(
    {"r": "sub, dom, obj, act", "p": "sub, dom, obj, act", "g": "_, _", "g2": "_, _", "g3": "_, _, (_, _)"}, (),
    {"sub": "subject.id", "dom": "subject.org", "obj": "path", "act": "method"}, {"g2": "keyMatch2"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("r.sub == p.sub && r.obj == p.obj", (("sub", "sub"), ("obj", "obj"))),
        ("p.obj == r.obj", (("obj", "obj"),)),
        ("g(r.sub, p.sub) && r.obj == p.obj && keyMatch(r.act, p.act) && r.dom == p.dom", (("obj", "obj"),)),
        ("r.sub != 'root' && (p.dom == '*' || r.act in ('GET', p.act)) && r.obj == p.obj", (("obj", "obj"),)),
        ("g2(r.obj, p.obj) && r.sub == p.sub", ()),  # refuses a long name
        ("g3(r.sub, p.sub) && r.sub == p.sub", ()),
        ("keyMatch2(r.obj, p.obj) && r.sub == p.sub", ()),  # refuses a long path
        ("r.sub.age == p.sub && r.obj == p.obj", ()),  # may not be known
        ("r.risk < 5 && r.obj == p.obj", ()),
        ("eval(p.sub) && r.obj == p.obj", ()),
        ("r.act in p.act && r.obj == p.obj", ()),
        ("r.sub == p.sub || r.obj == p.obj", ()),
        ("!(r.sub == p.sub)", ()),
        ("r.sub == p.sub == p.obj", ()),
        ("r.sub == 'root' && r.act == r.obj", ()),
    ],
)
def test_what_every_matching_row_meets(text: str, expected: tuple[tuple[str, str], ...]) -> None:
    assert equalities(read_expression(text), SOURCE) == expected


def test_rows_keep_their_order_and_there_is_always_one() -> None:
    rows = [["a", "x", "/1", "GET", "1"], ["b", "x", "/1", "GET", "2"], ["a", "y", "/1", "PUT", "3"]]
    index = indexed(rows, read_expression("r.obj == p.obj && r.sub == p.sub"), SOURCE)
    assert index is not None
    assert index.rows(["a", "?", "/1", "?"]) == [rows[0], rows[2]]
    assert index.rows(["c", "?", "/1", "?"]) == [rows[0]]  # it cannot match
    assert indexed([], read_expression("r.obj == p.obj"), SOURCE) is None
    assert indexed(rows, read_expression("r.obj != p.obj"), SOURCE) is None


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_index_answers_what_a_walk_answers(tmp_path_factory: pytest.TempPathFactory, random: Random) -> None:
    """The same answer, the same rows, the same row at fault."""
    folder = tmp_path_factory.mktemp("native")
    generated.write(generated.a_policy(random, indexed=True), folder)
    native, faults = generated.ours(folder)
    assert native is not None, faults
    for _ in range(10):
        facts = generated.a_request(random)
        assert native.enforcer.judge(facts) == native.enforcer.judge(facts, every=True)


@pytest.mark.parametrize("effect", [ALLOW, BOTH])
def test_nobody_is_let_in_where_no_row_is_left(tmp_path: Path, effect: str) -> None:
    """casbin takes an empty table for a row of empty values: somebody without an office would be that row's."""
    columns = "sub, obj, act" if effect == ALLOW else "sub, obj, act, eft"
    rows = "p, prov, /a, GET" + (", allow" if effect == BOTH else "") + "\n"
    request = "request: [subject.org, env.purpose, env.purpose]"
    bundle = a_bundle(tmp_path, model("sub, obj, act", columns, effect, SAME), rows, request)
    assert bundle.native is not None
    assert not bundle.native.enforcer.judge(some_facts(subject=a_person(org=""), ask=an_ask(purpose=""))).allowed
