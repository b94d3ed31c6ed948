"""What should the ledger say of an asset once its interface was read?"""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts import GRADES, Grade
from gateway.inventory.drift import drift
from gateway.inventory.merge import entered
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


def test_grades_are_raised_but_not_over_an_override() -> None:
    from gateway.document import parse
    from gateway.inventory.openapi import described

    found = described(parse("openapi: 3.0.0\npaths: {/a: {get: {x-data-classification: core}}}\n", "s"), "", GRADES)
    assert entered(NEW | {"endpoints": ["GET /a"]}, found, GRADES)["endpoints"] == [{"path": "GET /a", "grade": "core"}]
    lowered = {"path": "GET /a", "grade": "general-2", "override": {"ticket": "T-1"}}
    assert entered(NEW | {"endpoints": [lowered]}, found, GRADES)["endpoints"] == [lowered]


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
    import json

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
