"""What should the ledger say of an asset once its interface was read?"""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.document import parse
from gateway.facts import GRADES, Grade
from gateway.inventory.drift import drift
from gateway.inventory.merge import entered, moved
from gateway.inventory.openapi import Described, described
from tests.inventory.documents import of_schema

L = "x-data-classification"
NEW: dict[str, Any] = {"id": "a", "owner": "prov", "grade": "general-3"}
SCHEMA = f"{{properties: {{name: {{{L}: {{level: general-4, identifier: name, mask: hash}}}}, at: {{{L}: general-3}}, x: {{type: string}}}}}}"


def test_a_new_asset() -> None:
    assert entered(NEW, of_schema(SCHEMA), GRADES) == NEW | {
        "title": "Estates",
        "endpoints": ["GET /a"],
        "fields": [
            {"path": "$.name", "identifier": "name", "grade": "general-4", "note": "the interface suggests hash"},
            {"path": "$.at"},
        ],
    }


def test_what_people_wrote_stays_and_nothing_is_lowered_or_removed() -> None:
    before = NEW | {
        "owner": "prov/civil",
        "title": {"zh": "台账"},
        "contract": "learn",
        "reviewed": {"by": "wang.li", "on": "2026-01-10"},
        "endpoints": [{"path": "GET /a", "honey": True, "note": "n"}, "GET /gone"],
        "fields": [
            {"path": "$.name", "identifier": "other", "grade": "core", "note": "raised by us"},
            {"path": "$.gone", "grade": "core"},
        ],
    }
    after = entered(before, of_schema(SCHEMA), GRADES)
    assert after == before | {"fields": [*before["fields"], {"path": "$.at"}]}


def grading(paths: str, info: str = "{}") -> Described:
    return described(parse(f"openapi: 3.0.0\ninfo: {info}\npaths: {paths}\n", "s"), "", GRADES)


def test_grades_are_raised_but_not_over_an_override() -> None:
    found = grading(f"{{/a: {{get: {{{L}: core}}}}}}", f"{{{L}: important}}")
    assert entered(NEW | {"endpoints": ["GET /a"]}, found, GRADES) == NEW | {
        "grade": "important",
        "endpoints": [{"path": "GET /a", "grade": "core"}],
    }
    override = {"grade": "general-2", "ticket": "T-1"}
    lowered = {"path": "GET /a", "grade": "general-2", "override": override}
    asset = NEW | {"grade": "general-2", "override": override, "endpoints": [lowered]}
    assert entered(asset, found, GRADES) == asset
    laxer = {"path": "GET /a", "contract": "learn", "override": {"ticket": "T-1"}}  # says nothing of the grade
    assert entered(NEW | {"endpoints": [laxer]}, found, GRADES)["endpoints"] == [laxer | {"grade": "core"}]


@pytest.mark.parametrize(
    ("own", "part", "endpoint"),
    [
        ({}, "general-1", "GET /a"),  # general-3 until somebody looks: an error that anybody may see says nothing of it
        ({}, "core", {"path": "GET /a", "grade": "core"}),
        ({"grade": "general-1"}, "general-2", {"path": "GET /a", "grade": "general-2"}),
        ({"grade": "important"}, "general-2", "GET /a"),
    ],
)
def test_a_part_of_an_endpoint_raises_it_and_never_lowers_it(own: dict[str, str], part: str, endpoint: Any) -> None:
    for paths in (
        f"{{/a: {{get: {{responses: {{default: {{{L}: {part}}}}}}}}}}}",
        f"{{/a: {{get: {{parameters: [{{name: x, in: path, {L}: {part}}}]}}}}}}",
    ):
        found = grading(paths)
        asset = entered({"id": "a", "owner": "prov"} | own, found, GRADES)
        assert asset["endpoints"] == [endpoint]
        assert drift(asset, found, GRADES) == ()


def test_the_lowest_grade_of_a_document_is_a_label_too() -> None:
    found = grading("{}", f"{{{L}: general-1}}")
    assert entered({"id": "a", "owner": "prov"}, found, GRADES)["grade"] == "general-1"


def test_what_is_named_alone_stays_as_strict_as_what_answered_for_it() -> None:
    rest = {"path": "GET /a/**", "grade": "core", "contract": "enforce"}
    one = {"path": "GET /a/{id}", "grade": "important", "contract": "learn", "override": {"ticket": "T-1"}}
    other = {"path": "POST /a/**", "grade": "core"}
    found = grading("{/a: {get: {}}, /a/b: {get: {}}, /b: {get: {}}}")
    for known in ([rest, one, other], [one, other, rest]):
        assert entered(NEW | {"endpoints": known}, found, GRADES)["endpoints"] == [
            *known,
            {"path": "GET /a", "grade": "core", "contract": "enforce"},
            {"path": "GET /a/b", "grade": "core", "contract": "enforce"},
            "GET /b",
        ]


LABELS = st.one_of(st.none(), st.sampled_from(sorted(GRADES)))
LEAVES = LABELS.map(lambda grade: {} if grade is None else {L: grade})
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(["a", "b", "id-card", "身份证"]), inner, min_size=1, max_size=3).map(
            lambda members: {"type": "object", "properties": members}
        ),
        inner.map(lambda items: {"type": "array", "items": items}),
        st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"oneOf": parts}),
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([NEW, {"id": "a", "owner": "prov"}]), SCHEMAS, SCHEMAS)
def test_entering_is_idempotent_never_lowers_and_leaves_nothing_new(new: Any, one: Any, two: Any) -> None:
    first, second = of_schema(json.dumps(one)), of_schema(json.dumps(two))
    asset = entered(new, first, GRADES)
    assert entered(asset, first, GRADES) == asset
    assert {change.kind for change in drift(asset, first, GRADES)} <= {"unlabelled"}
    later = entered(asset, second, GRADES)
    assert entered(later, second, GRADES) == later
    assert {change.kind for change in drift(later, second, GRADES)} <= {"unlabelled", "gone", "otherwise"}
    grades = {field["path"]: GRADES[field.get("grade", "general-3")] for field in later.get("fields", [])}
    for field in asset.get("fields", []):
        assert grades[field["path"]] >= GRADES[field.get("grade", "general-3")] >= Grade.GENERAL_1


def test_what_a_wrong_prefix_put_out_of_reach_is_moved_with_what_people_recorded() -> None:
    found = described(
        parse("openapi: 3.0.3\npaths: {/a: {get: {}}, '/a/{xId}': {get: {}}, /b: {get: {}}, /c: {get: {}}}\n", "s"),
        "/api",
        GRADES,
    )
    there = {"path": "GET /old/a/{id}", "identifier": {"id": "phone"}, "grade": "core"}
    before = NEW | {"endpoints": ["GET /old/a", there, "GET /api/b", "GET /old/b", "GET /other/c", "POST /old/c"]}
    after, ways = moved(before, found, ["/api"])
    assert after["endpoints"] == [
        "GET /api/a", there | {"path": "GET /api/a/{id}"}, "GET /api/b", "GET /old/b", "GET /other/c", "POST /old/c",
    ]  # fmt: skip
    assert ways == [("GET /old/a", "GET /api/a"), ("GET /old/a/{id}", "GET /api/a/{id}")]
    for prefixes in ([], ["/old", "/other", "/api"], ["/elsewhere"]):
        assert moved(before, found, prefixes) == (before, [])


@pytest.mark.parametrize("said", [{"override": {"grade": "general-1"}}, {"opaque": True}, {"honey": True}])
def test_what_was_said_of_one_path_alone_is_not_carried_to_another(said: dict[str, Any]) -> None:
    found = described(parse("openapi: 3.0.3\npaths: {/a: {get: {}}}\n", "s"), "/secret", GRADES)
    before = NEW | {"endpoints": [{"path": "GET /a"} | said]}
    assert moved(before, found, ["/secret"]) == (before, [])


def test_the_members_of_a_labelled_object_are_entered_with_its_grade() -> None:
    inner = f"{{items: {{properties: {{a: {{type: string}}, b: {{{L}: general-1}}}}, {L}: core}}}}"
    found = of_schema(f"{{properties: {{c: {inner}}}}}")
    fields = [
        {"path": "$.c[*]", "grade": "core"},
        {"path": "$.c[*].a", "grade": "core"},
        {"path": "$.c[*].b", "grade": "general-1"},
    ]
    after = entered(NEW, found, GRADES)
    assert after["fields"] == fields
    assert (entered(after, found, GRADES), drift(after, found, GRADES)) == (after, ())
    assert entered(NEW | {"fields": fields[:1]}, found, GRADES)["fields"] == fields


def test_what_an_earlier_import_wrote_of_a_whole_answer_stays() -> None:
    found = of_schema(f"{{items: {{properties: {{a: {{type: string}}}}, {L}: general-4}}}}")
    before = NEW | {"title": "t", "endpoints": ["GET /a"], "fields": [{"path": "$[*]", "grade": "general-4"}]}
    after = before | {"fields": [*before["fields"], {"path": "$[*].a", "grade": "general-4"}]}
    assert entered(before, found, GRADES) == after
    assert drift(after, found, GRADES) == ()
