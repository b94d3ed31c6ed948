"""What does an OpenAPI document say about endpoints, fields and how sensitive they are?"""

import pytest

from gateway.document import Faulty, parse
from gateway.facts import GRADES, Grade
from gateway.inventory.openapi import Described, described, served_below
from tests.inventory.documents import HEAD, told

L = "x-data-classification"


def read(text: str, prefix: str = "") -> Described:
    return described(parse(text, "spec.yaml"), prefix, GRADES)


def test_every_operation_becomes_an_endpoint_below_the_prefix() -> None:
    found = read(
        f"{HEAD}paths: {{/a: {{get: {{}}, head: {{}}, post: {{}}, x-internal: {{}}}}, /a/: {{get: {{}}}}, /b/{{id}}: {{delete: {{}}}}}}\n".replace(
            "{id}", "'{id}'"
        ).replace("/b/'{id}'", "'/b/{id}'"),
        "/civil",
    )
    assert [one.route for one in found.operations] == ["GET /civil/a", "POST /civil/a", "DELETE /civil/b/{id}"]


def test_labels_of_operation_parameter_and_document() -> None:
    found = read(
        f"openapi: 3.1.0\ninfo: {{title: E, version: '1', {L}: important}}\npaths:\n"
        "  /p/{personId}/{n}:\n"
        f"    parameters: [{{name: personId, in: path, schema: {{$ref: '#/components/schemas/Id'}}}}, {{name: q, in: query}}]\n"
        f"    get: {{{L}: {{level: general-4}}, parameters: [{{$ref: '#/components/parameters/N'}}]}}\n"
        f"components: {{parameters: {{N: {{name: n, in: path, {L}: {{identifier: phone}}}}}},\n"
        f"  schemas: {{Id: {{type: string, {L}: {{level: important, identifier: resident-id}}}}}}}}\n"
    )
    (one,) = found.operations
    assert (one.route, one.grade, one.least, one.identifiers) == (
        "GET /p/{person_id}/{n}",
        Grade.GENERAL_4,
        Grade.IMPORTANT,
        (("person_id", "resident-id"), ("n", "phone")),
    )
    assert (found.title, found.grade) == ("E", Grade.IMPORTANT)


def test_every_status_and_media_type_answers() -> None:
    found = read(
        f"{HEAD}paths: {{/a: {{get: {{responses: {{'200': {{content: {{application/json: {{schema: {{properties: {{a: {{type: string}}}}}}}},\n"
        " text/csv: {schema: {properties: {b: {type: string}}}}}}, default: {$ref: '#/components/responses/Error'}}}}}\n"
        f"components: {{responses: {{Error: {{content: {{application/problem+json: {{schema: {{properties: {{detail: {{{L}: general-1}}}}}}}}}}}}}}}}\n"
    )
    assert told(found) == {"$.a": "", "$.b": "", "$.detail": "general-1"}


@pytest.mark.parametrize(
    ("text", "line"), [("swagger: '2.0'\n", 1), ("openapi: 2.9.9\n", 1), ("info: {}\n", 1), ("- a\n", 1), ("", 1)]
)
def test_other_documents_are_refused(text: str, line: int) -> None:
    with pytest.raises(Faulty) as caught:
        read(text)
    assert [(fault.code, fault.line) for fault in caught.value.faults] == [("I001", line)]


def test_a_path_that_the_catalog_cannot_say_is_left_out_with_a_warning() -> None:
    found = read(f"{HEAD}paths:\n  /a/{{x}}.json: {{get: {{}}}}\n  /b: {{get: {{}}}}\n")
    assert [one.route for one in found.operations] == ["GET /b"]
    assert [(fault.code, fault.line, fault.warning) for fault in found.warnings] == [("I009", 4, True)]


def codes(text: str) -> list[str]:
    with pytest.raises(Faulty) as caught:
        read(text)
    return [fault.code for fault in caught.value.faults]


def test_an_operation_carries_no_identifier() -> None:
    assert codes(f"{HEAD}paths: {{/a: {{get: {{{L}: {{identifier: phone}}}}}}}}\n") == ["I004"]
    assert codes(f"openapi: 3.0.0\ninfo: {{{L}: {{identifier: phone}}}}\n") == ["I004"]


@pytest.mark.parametrize(
    "item",
    [
        f"{{{L}: core, get: {{}}}}",
        f"{{get: {{responses: {{default: {{{L}: core}}}}}}}}",
        f"{{get: {{responses: {{default: {{content: {{text/csv: {{{L}: core}}}}}}}}}}}}",
    ],
    ids=["path", "answer", "media type"],
)
def test_a_label_on_a_path_or_a_whole_answer_grades_the_endpoint(item: str) -> None:
    (one,) = read(f"{HEAD}paths: {{/a: {item}}}\n").operations
    assert {one.grade, one.least} == {None, Grade.CORE}


def test_what_nobody_labelled_of_a_request_is_not_an_answer() -> None:
    body = "requestBody: {content: {application/json: {schema: {properties: {secret: {type: string}}}}}}"
    assert read(f"{HEAD}paths: {{/a: {{post: {{{body}}}}}}}\n").properties == ()


def told_of(found: Described) -> list[tuple[str, str]]:
    return [(fault.code, fault.en) for fault in found.warnings]


@pytest.mark.parametrize("place", ["path", "query", "header", "cookie"])
@pytest.mark.parametrize(
    "said",
    [
        f"{L}: core",
        f"schema: {{{L}: core}}",
        f"schema: {{items: {{{L}: core}}}}",
        f"content: {{application/json: {{schema: {{properties: {{a: {{{L}: core}}}}}}}}}}",
    ],
    ids=["parameter", "schema", "items", "content"],
)
def test_a_label_on_any_parameter_raises_its_endpoint(place: str, said: str) -> None:
    found = read(f"{HEAD}paths: {{'/a/{{x}}': {{get: {{parameters: [{{name: x, in: {place}, {said}}}]}}}}}}\n")
    assert [(one.grade, one.least) for one in found.operations] == [(None, Grade.CORE)]
    assert (found.properties, found.warnings) == ((), ())


def test_a_label_beside_the_reference_to_a_parameter_counts() -> None:
    found = read(
        f"{HEAD}paths: {{/a: {{get: {{parameters: [{{$ref: '#/components/parameters/Q', {L}: core}}]}}}}}}\n"
        "components: {parameters: {Q: {name: q, in: query}}}\n"
    )
    assert found.operations[0].least == Grade.CORE


def test_an_identifier_that_the_ledger_has_no_place_for_is_told() -> None:
    label = f"{L}: {{level: general-4, identifier: phone, mask: hash}}"
    found = read(f"{HEAD}paths: {{/a: {{get: {{parameters: [{{name: q, in: query, {label}}}]}}}}}}\n")
    assert (found.operations[0].least, found.operations[0].identifiers) == (Grade.GENERAL_4, ())
    assert told_of(found) == [
        ("I011", "`phone` of this label is not entered"),
        ("I011", "`hash` of this label is not entered"),
    ]
    assert {fault.warning for fault in found.warnings} == {True}


@pytest.mark.parametrize(
    "body",
    [
        f"{{{L}: core}}",
        f"{{content: {{application/json: {{{L}: core}}}}}}",
        f"{{content: {{text/plain: {{schema: {{type: string, {L}: core}}}}}}}}",
        f"{{$ref: '#/components/requestBodies/B', {L}: core}}",
    ],
    ids=["body", "media type", "a body that is one value", "reference"],
)
def test_a_label_on_a_whole_request_raises_its_endpoint(body: str) -> None:
    found = read(
        f"{HEAD}paths: {{/a: {{post: {{requestBody: {body}}}}}}}\ncomponents: {{requestBodies: {{B: {{}}}}}}\n"
    )
    assert [(one.grade, one.least) for one in found.operations] == [(None, Grade.CORE)]
    assert (found.properties, found.warnings) == ((), ())


def test_labels_of_request_bodies_join_those_of_answers() -> None:
    asked = f"properties: {{a: {{{L}: {{level: core, identifier: phone}}}}, b: {{{L}: general-4}}, c: {{}}}}"
    given = f"properties: {{a: {{{L}: general-2}}, b: {{type: string}}}}"
    found = read(
        f"{HEAD}paths: {{/a: {{post: {{requestBody: {{content: {{application/json: {{schema: {{{asked}}}}}}}}},\n"
        f"  responses: {{'200': {{content: {{application/json: {{schema: {{{given}}}}}}}}}}}}}}}}}\n"
    )
    assert told(found) == {"$.a": "core phone", "$.b": "general-4"}


@pytest.mark.parametrize(
    "header",
    [f"{{{L}: core}}", f"{{schema: {{{L}: core}}}}", f"{{$ref: '#/components/headers/H', {L}: core}}"],
    ids=["header", "schema", "reference"],
)
def test_a_label_on_a_header_of_an_answer_raises_its_endpoint(header: str) -> None:
    found = read(
        f"{HEAD}paths: {{/a: {{get: {{responses: {{'200': {{headers: {{X-Id: {header}}}}}}}}}}}}}\n"
        "components: {headers: {H: {}}}\n"
    )
    assert [(one.grade, one.least) for one in found.operations] == [(None, Grade.CORE)]
    assert found.warnings == ()


@pytest.mark.parametrize(
    "rest",
    [
        f"webhooks: {{w: {{post: {{requestBody: {{{L}: core}}}}}}}}",
        f"components: {{schemas: {{Unused: {{{L}: core}}}}}}",
    ],
)
def test_a_label_beside_nothing_that_is_read_is_told(rest: str) -> None:
    found = read(f"{HEAD}paths: {{/a: {{get: {{}}}}}}\n{rest}\n")
    assert [(fault.code, fault.line, fault.warning) for fault in found.warnings] == [("I011", 4, True)]


def test_labels_of_schemas_that_are_the_same_are_all_read() -> None:
    answer = f"responses: {{'200': {{content: {{a/json: {{schema: {{properties: {{a: {{{L}: core}}}}}}}}}}}}}}"
    assert read(f"{HEAD}paths: {{/a: {{get: {{{answer}}}, post: {{{answer}}}}}}}\n").warnings == ()


@pytest.mark.parametrize(
    "paths",
    [
        "[/a]",
        "{/a: get}",
        "{/a: {get: text}}",
        "{/a: {get: {responses: [200]}}}",
        "{/a: {get: {responses: {'200': text}}}}",
        "{/a: {get: {responses: {'200': {content: [a]}}}}}",
        "{/a: {get: {parameters: {in: path}}}}",
        "{/a: {parameters: [a], get: {}}}",
    ],
)
def test_what_has_another_form_is_a_fault_and_nothing_goes_unseen(paths: str) -> None:
    assert codes(f"{HEAD}paths: {paths}\n") == ["I010"]


def test_what_somebody_added_to_the_standard_is_passed_over() -> None:
    paths = "{x-note: text, /a: {x-note: text, get: {responses: {x-note: text}}}, b: {get: {}}}"
    found = read(f"{HEAD}paths: {paths}\n", "/civil")
    assert [one.route for one in found.operations] == ["GET /civil/a"]
    assert [fault.en.split(":")[0] for fault in found.warnings] == ["`b` is not a path"]


def test_paths_that_differ_in_the_name_of_a_parameter_are_one_endpoint() -> None:
    labelled = f"parameters: [{{name: y, in: path, {L}: {{level: core, identifier: phone}}}}]"
    found = read(f"{HEAD}paths: {{'/a/{{x}}': {{get: {{}}}}, '/a/{{y}}': {{get: {{{labelled}}}}}}}\n")
    assert [(one.route, one.least, one.identifiers) for one in found.operations] == [
        ("GET /a/{x}", Grade.CORE, (("x", "phone"),))
    ]


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://a.gov/civil/", "/civil"),
        ("/v1", "/v1"),
        ("https://a.gov", ""),
        ("https://{host}/x", "/x"),
        ("/{v}", ""),
        ("x", ""),
    ],
)
def test_where_its_server_begins(url: str, found: str) -> None:
    assert served_below(parse(f"servers: [{{url: '{url}'}}]", "s")) == found
