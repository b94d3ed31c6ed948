"""What does a `model.conf` define?"""

import pytest

from gateway.document import FileFault
from gateway.policy.native.model import ALLOW_AND_DENY, Blanks, blanks, effect, read_model
from tests.policy.native.world import ACL


def read(text: str) -> tuple[dict[str, str], list[FileFault]]:
    faults: list[FileFault] = []
    return {key: one.text for key, one in read_model(text, "model.conf", faults).items()}, faults


def test_definitions_by_key() -> None:
    found, faults = read(ACL)
    assert faults == []
    assert found == {
        "r": "sub, obj, act",
        "p": "sub, obj, act",
        "e": "some(where (p.eft == allow))",
        "m": "r.sub == p.sub && r.obj == p.obj && r.act == p.act",
    }


def test_comments_and_long_lines() -> None:
    text = ACL.replace(
        "[matchers]\nm = ", "# all of it\n[matchers] # here\n; and\nm = r.act != '#x' && \\\n   "
    ).replace("p = sub, obj, act", "p = sub, obj, act # the columns")
    found, faults = read(text.replace("\n", "\r\n"))
    assert faults == []
    assert found["p"] == "sub, obj, act"
    assert found["m"].split() == [
        "r.act",
        "!=",
        "'#x'",
        "&&",
        "r.sub",
        "==",
        "p.sub",
        "&&",
        "r.obj",
        "==",
        "p.obj",
        "&&",
        "r.act",
        "==",
        "p.act",
    ]


def test_every_character_knows_its_place() -> None:
    faults: list[FileFault] = []
    model = read_model(ACL.replace("&& r.act", "\\\n     && r.act"), "model.conf", faults)
    at = model["m"].text.index("r.act")
    assert model["m"].places[at] == (12, 9)
    fault = model["m"].fault("model.conf", at, "P141", "x", "x")
    assert (fault.line, fault.column) == (12, 9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("some(where (p.eft == allow))&&!some(where(p.eft==deny))", ALLOW_AND_DENY),
        ("priority( p.eft ) || deny", "priority(p.eft) || deny"),
        ("some(where (p.eft == Allow))", ""),
        ("som e(where (p.eft == allow))", ""),
        ("", ""),
    ],
)
def test_white_space_in_an_effect_means_nothing(text: str, expected: str) -> None:
    assert effect(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("_, _", Blanks(2, 0)),
        ("_,_,_", Blanks(3, 0)),
        ("_, _, (_, _)", Blanks(2, 2)),
        ("_, _, _, (_, _)", Blanks(3, 2)),
        ("_", None),
        ("_, _, _, _", None),
        ("_, x", None),
        ("(_, _)", None),
    ],
)
def test_role_definitions(text: str, expected: Blanks | None) -> None:
    assert blanks(text) == expected


def test_a_line_before_any_section() -> None:
    _, faults = read("r = sub\n" + ACL)
    assert [(fault.code, fault.line) for fault in faults] == [("P132", 1)]
