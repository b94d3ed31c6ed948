"""In what does an interface differ from what the ledger says of it?"""

import pytest

from gateway.document import parse
from gateway.facts import GRADES
from gateway.inventory.drift import Drift, drift
from gateway.inventory.openapi import described
from tests.inventory.documents import of_schema

L = "x-data-classification"
SCHEMA = f"{{properties: {{name: {{{L}: {{level: general-4, identifier: name}}}}, note: {{type: string}}, at: {{{L}: general-1}}}}}}"
AGREEING = {
    "id": "a",
    "grade": "general-1",
    "endpoints": ["GET /a"],
    "fields": [{"path": "$..name", "identifier": "name", "grade": "general-4"}, {"path": "$.at"}, {"path": "$.note"}],
}


def test_what_agrees_is_no_drift() -> None:
    assert drift(AGREEING, of_schema(SCHEMA), GRADES) == ()


def test_an_unlabelled_property_is_a_finding() -> None:
    asset = AGREEING | {"fields": AGREEING["fields"][:2]}
    assert drift(asset, of_schema(SCHEMA), GRADES) == (Drift("unlabelled", "field", "$.note", line=3),)


def test_new_gone_and_graded_otherwise() -> None:
    asset = AGREEING | {
        "endpoints": [{"path": "POST /a"}],
        "fields": [
            {"path": "$.name", "identifier": "phone", "grade": "core"},
            {"path": "$['note']"},
            {"path": "$..old"},
        ],
    }
    assert drift(asset, of_schema(SCHEMA), GRADES) == (
        Drift("new", "endpoint", "GET /a", line=3),
        Drift("gone", "endpoint", "POST /a", "general-1"),
        Drift("otherwise", "field", "$.name", "core phone", "general-4 name", 3),
        Drift("new", "field", "$.at", "", "general-1", 3),
        Drift("gone", "field", "$..old", "general-1"),
    )


def test_an_asset_that_the_document_grades_otherwise() -> None:
    found = described(parse(f"openapi: 3.0.0\ninfo:\n  {L}: core\npaths: {{}}\n", "s"), "", GRADES)
    assert drift({"id": "a", "grade": "important"}, found, GRADES) == (
        Drift("otherwise", "asset", "a", "important", "core", 3),
    )
    assert drift({"id": "a", "grade": "core"}, found, GRADES) == ()


def test_the_grade_of_an_override_is_the_one_that_is_compared() -> None:
    found = described(parse(f"openapi: 3.0.0\npaths: {{/a: {{get: {{{L}: core}}}}}}\n", "s"), "", GRADES)
    lowered = {"path": "GET /a", "override": {"grade": "general-2", "ticket": "T-1"}}
    assert drift({"grade": "core", "endpoints": [lowered]}, found, GRADES) == (
        Drift("otherwise", "endpoint", "GET /a", "general-2", "core", 2),
    )


@pytest.mark.parametrize(
    ("endpoint", "found"),
    [
        ("GET /a/**", [("new", "GET /a"), ("new", "GET /a/b")]),  # what lies below it is a part of it
        ("GET /c/**", [("new", "GET /a"), ("new", "GET /a/b"), ("gone", "GET /c/**")]),
        ("GET /a/{id}", [("new", "GET /a"), ("new", "GET /a/b"), ("gone", "GET /a/{id}")]),
        ("GET /a/b", [("new", "GET /a")]),
    ],
)
def test_an_endpoint_for_everything_below_a_path(endpoint: str, found: list[tuple[str, str]]) -> None:
    document = described(parse("openapi: 3.0.0\npaths: {/a: {get: {}}, /a/b: {get: {}}}\n", "s"), "", GRADES)
    assert [(one.kind, one.name) for one in drift({"endpoints": [endpoint]}, document, GRADES)] == found


def test_parameters_are_told_apart_by_their_place_not_their_name() -> None:
    text = (
        "openapi: 3.0.0\npaths: {'/p/{personId}': {get: {x-data-classification: core, parameters: "
        "[{name: personId, in: path, x-data-classification: {identifier: resident-id}}]}}}\n"
    )
    found = described(parse(text, "s"), "", GRADES)
    endpoint = {"path": "GET /p/{id}", "grade": "core", "identifier": {"id": "resident-id"}}
    assert drift({"endpoints": [endpoint]}, found, GRADES) == ()
    assert [one.kind for one in drift({"endpoints": [endpoint | {"grade": "important"}]}, found, GRADES)] == [
        "otherwise"
    ]
    assert [one.kind for one in drift({"endpoints": [endpoint | {"identifier": {}}]}, found, GRADES)] == ["otherwise"]


def test_labels_of_requests_are_compared() -> None:
    body = f"{{content: {{application/json: {{schema: {{properties: {{a: {{{L}: core}}}}}}}}}}}}"
    text = f"openapi: 3.0.0\npaths: {{/a: {{post: {{parameters: [{{name: q, in: query, {L}: important}}], requestBody: {body}}}}}}}\n"
    found = described(parse(text, "s"), "", GRADES)
    assert drift({"grade": "general-1", "endpoints": ["POST /a"]}, found, GRADES) == (
        Drift("otherwise", "endpoint", "POST /a", "general-1", "important", 2),
        Drift("new", "field", "$.a", "", "core", 2),
    )


def test_a_label_of_the_ledger_on_an_object_labels_none_of_its_members() -> None:
    found = of_schema(f"{{items: {{properties: {{a: {{type: string}}, b: {{{L}: core}}}}}}}}")
    asset = {"grade": "general-1", "endpoints": ["GET /a"], "fields": [{"path": "$[*]", "grade": "core"}]}
    assert drift(asset, found, GRADES) == (
        Drift("unlabelled", "field", "$[*].a", line=3),
        Drift("new", "field", "$[*].b", "", "core", 3),
    )
