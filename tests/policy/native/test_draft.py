"""What has been read of a native policy, before anybody knows whether it is good?"""

from gateway.policy.native.draft import Draft, shapes, warning
from gateway.policy.native.expression import Scope, Slot, compile_expression
from gateway.policy.native.model import Blanks, read_model
from gateway.policy.native.source import Source
from gateway.policy.native.table import Width, read_table
from tests.policy.native.pairs import ALLOW, model

TEXT = model("sub, obj", "sub, obj", ALLOW, "g(r.sub, p.sub) && r.obj == p.obj", "g = _, _, (_, _)")
SCOPE = Scope({"sub": Slot("text"), "obj": Slot("text")}, ("sub", "obj"), {"g": 2})


def a_draft() -> Draft:
    read = read_model(TEXT, "model.conf", [])
    rows = read_table(
        "p, a, /b\ng, a, b, _, _\n", "policy.csv", {"p": Width(("sub", "obj")), "g": Width(("a",) * 4)}, []
    )
    matcher = compile_expression(read["m"].text, SCOPE)
    return Draft("model.conf", "policy.csv", read, tuple(rows), Source({}, (), {}), matcher)


def test_what_a_draft_tells() -> None:
    draft = a_draft()
    assert (draft.columns, draft.effect, shapes(draft.model)) == (("sub", "obj"), ALLOW, {"g": Blanks(2, 2)})
    assert [row.number for row in draft.of("p")] == [1]
    assert [row.number for row in draft.of("g")] == [2]
    assert list(draft.whole()) == [draft.matcher]


def test_faults_know_their_places() -> None:
    draft = a_draft()
    (row,) = draft.of("p")
    fault = draft.told(row, row.values[1], "P144", "x", "x", at=1)
    assert (fault.file, fault.line, fault.column, fault.warning) == ("policy.csv", 1, 8, False)
    fault = warning(draft.defined("m", "P157", "x", "x", at=2))
    assert (fault.file, fault.line, fault.column, fault.warning) == ("model.conf", 14, 7, True)
