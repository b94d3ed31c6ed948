"""What in a native policy is probably not meant?"""

from pathlib import Path

import pytest

from tests.policy.native.pairs import ALLOW, SAME, model
from tests.policy.native.world import (
    ACL,
    DENYING,
    ROWS,
    SAFE,
    errors,
    faults,
    stock_allows,
    write,
)

MANY = "".join(f"p, zhang.wei, /a/{n}, GET\n" for n in range(3000))


def test_a_deny_in_a_column_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    text = model("sub, obj, act", "sub, obj, act, effect", ALLOW, SAME)
    rows = "p, zhang.wei, /civil/households/42, GET, Deny\n"
    write(tmp_path, text, rows)
    assert stock_allows(tmp_path)
    assert errors(tmp_path, text, rows) == [("P147", 1, 42)]


@pytest.mark.parametrize(
    ("text", "rows", "expected"),
    [
        (ACL, ROWS, []),
        (SAFE, DENYING + "g, zhang.wei, role:clerk\n", []),
        (SAFE, DENYING + "g, zhang.wei, clerk\n", ["P158"]),
        (ACL.replace(" && r.act == p.act", ""), ROWS, ["P157", "P157"]),
        (model("sub, obj, act", "sub, obj, act", ALLOW, SAME, "g = _, _"), ROWS, ["P157"]),
        (ACL.replace("r.act == p.act", "r.act in p.act"), ROWS, ["P143"]),
        (ACL, "p, zhang.wei, /a,\n", ["P146"]),
        (ACL, "p, zhang.wei, /a, read\np, li.na, /a, read\np, li.na, /a, *\n", ["P143"]),
        (ACL.replace("r.act == p.act", "(p.act == 'any' || r.act == p.act)"), "p, li.na, /a, any\n", []),
        (ACL, MANY, []),  # indexed
        (ACL.replace("r.obj == p.obj", "keyMatch(r.obj, p.obj)"), MANY, ["P159"]),  # only by the one subject
    ],
)
def test_warnings(tmp_path: Path, text: str, rows: str, expected: list[str]) -> None:
    found = faults(tmp_path, text, rows)
    assert [fault.code for fault in found] == expected
    assert all(fault.warning for fault in found)
