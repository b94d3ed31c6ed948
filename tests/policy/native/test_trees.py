"""Can the role trees of a native policy be walked, and do their conditions and patterns hold what they promise?"""

from pathlib import Path

import pytest
from casbin.util.builtin_operators import key_match2

from gateway.policy import Bundle
from tests.literals import an_ask, some_facts
from tests.policy.native.pairs import ALLOW, model
from tests.policy.native.world import DENYING, SAFE, a_bundle, answer, errors, faults, stock, stock_allows


def allowed(bundle: Bundle) -> bool:
    assert bundle.native is not None
    return bundle.native.enforcer.judge(some_facts()).allowed


def test_a_role_tree_of_any_depth(tmp_path: Path) -> None:
    chain = "".join(f"g, step-{n}, step-{n + 1}\n" for n in range(40)) + "g, zhang.wei, step-0\n"
    rows = DENYING + "p, step-40, /civil/*, GET, deny\n" + chain
    assert not allowed(a_bundle(tmp_path, SAFE, rows))
    assert stock_allows(tmp_path)


def test_a_condition_of_a_link_that_nobody_asks(tmp_path: Path) -> None:
    text = SAFE.replace("g = _, _", "g = _, _, (_, _)")
    rows = "p, clerk, /civil/*, GET, allow\ng, zhang.wei, clerk, 2020-01-01 00:00:00, 2020-12-31 00:00:00\n"
    assert errors(tmp_path, text, rows) == [("P156", 8, 5)]
    assert stock_allows(tmp_path)  # three hundred years later, too
    assert not allowed(a_bundle(tmp_path / "b", text, rows, "conditions: {g: timeMatch}"))
    assert allowed(
        a_bundle(tmp_path / "c", text, rows.replace("2020-12-31", "2099-12-31"), "conditions: {g: timeMatch}")
    )


def test_roles_in_a_circle(tmp_path: Path) -> None:
    rows = DENYING + "g, a, b\ng, b, c\ng, c, a\n"
    (fault,) = [one for one in faults(tmp_path, SAFE, rows) if not one.warning]
    assert (fault.code, fault.line, "a → b → c → a" in fault.en) == ("P153", 4, True)
    assert [code for code, _, _ in errors(tmp_path / "b", SAFE, DENYING + "g, a, a\n")] == ["P153"]


def test_the_same_names_in_two_domains_are_no_circle(tmp_path: Path) -> None:
    text = model(
        "sub, dom, obj",
        "sub, dom, obj",
        ALLOW,
        "g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj",
        "g = _, _, _",
    )
    assert errors(tmp_path, text, "p, a, x, /c\ng, a, b, x\ng, b, a, y\n") == []


@pytest.mark.parametrize(
    ("matching", "row", "code"),
    [
        ("matching: {g: regexMatch}", "g, (a+)+, clerk", "P144"),
        ("matching: {g: sum}", "g, a, clerk", "P156"),
        ("domain_matching: {g: keyMatch}", "g, a, clerk", "P156"),
    ],
)
def test_functions_for_roles(tmp_path: Path, matching: str, row: str, code: str) -> None:
    assert [c for c, _, _ in errors(tmp_path, SAFE, DENYING + row + "\n", matching)] == [code]


GROUPS = model("sub, obj", "sub, obj", ALLOW, "r.sub == p.sub && g2(r.obj, p.obj)", "g = _, _\ng2 = _, _")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("g2, /civil/:what, names\ng2, /civil/*, all\n", [("P137", 3, 5)]),
        ("g2, /civil/*, all\ng2, /civil/:what, names\n", [("P137", 2, 5)]),
        ("g2, /civil/*, all\ng2, /civil/:what, all\n", []),
        ("g2, /civil/*, all\ng2, /*, names\n", []),  # whatever the first matches, the second does
        ("g2, /civil/*, all\ng2, /civil/households/:id, names\n", []),
        (f"g2, /civil/{'a' * 5000}*, all\ng2, /civil/:what, names\n", []),  # too long to be held against another
    ],
)
def test_a_pattern_that_casbin_takes_for_a_name(
    tmp_path: Path, rows: str, expected: list[tuple[str, int, int]]
) -> None:
    """`/civil/x/y` is no `/civil/:what`, but casbin lets whoever may read the names read it."""
    rows = "p, zhang.wei, names\n" + rows
    bundle = a_bundle(tmp_path, GROUPS, rows, "matching: {g2: keyMatch2}")
    assert [(one.code, one.line, one.column) for one in bundle.warnings if one.code == "P137"] == expected
    enforcer = stock(tmp_path)
    enforcer.add_named_matching_func("g2", key_match2)
    assert (answer(enforcer, ["zhang.wei", "/civil/x/y"])[0] is True) is (bool(expected) or "/*, names" in rows)
    assert bundle.native is not None
    said = bundle.native.enforcer.judge(some_facts(ask=an_ask(path="/civil/x/y")))
    assert said.allowed is ("/*, names" in rows)
