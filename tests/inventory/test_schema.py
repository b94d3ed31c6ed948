"""Which values does a schema describe, and which of them are labelled?"""

import pytest

from gateway.document import Faulty, parse
from gateway.facts import GRADES
from gateway.inventory.openapi import described
from tests.inventory.documents import HEAD, of_schema, told

L = "x-data-classification"


def codes(schema: str, components: str = "{}") -> list[str]:
    with pytest.raises(Faulty) as caught:
        of_schema(schema, components)
    return [fault.code for fault in caught.value.faults]


def test_objects_and_arrays_become_paths() -> None:
    schema = (
        "{type: object, properties: {total: {type: integer}, items: {type: array, items: {type: object, properties: "
        f"{{id: {{type: string, {L}: general-2}}, 'id-card': {{type: string, {L}: {{level: core, identifier: resident-id}}}}}}}}}}}}}}"
    )
    assert told(of_schema(schema)) == {
        "$.total": "",
        "$.items[*].id": "general-2",
        "$.items[*].id-card": "core resident-id",
    }


def test_every_branch_counts_and_the_higher_grade_holds() -> None:
    schema = (
        f"{{allOf: [{{$ref: '#/components/schemas/A'}}, {{type: object, properties: {{a: {{{L}: general-2}}}}}}],"
        f" oneOf: [{{properties: {{b: {{{L}: general-3}}}}}}, {{properties: {{b: {{type: string}}, c: {{type: string}}}}}}],"
        " anyOf: [{type: 'null'}, {additionalProperties: {properties: {d: {type: string}}}}]}"
    )
    components = f"{{A: {{properties: {{a: {{type: string, {L}: {{level: general-4, identifier: name}}}}}}}}}}"
    assert told(of_schema(schema, components)) == {
        "$.a": "general-4 name",
        "$.b": "general-3",
        "$.c": "",
        "$[*].d": "",
    }


def test_a_label_beside_a_reference_and_one_behind_it() -> None:
    schema = f"{{properties: {{x: {{$ref: '#/components/schemas/Id', {L}: general-2}}, y: {{$ref: '#/components/schemas/Id'}}}}}}"
    components = f"{{Id: {{type: string, {L}: {{level: important, identifier: resident-id}}}}}}"
    assert told(of_schema(schema, components)) == {"$.x": "important resident-id", "$.y": "important resident-id"}


def test_what_lies_in_a_labelled_object_has_its_grade() -> None:
    schema = (
        f"{{properties: {{address: {{{L}: general-4, properties: {{city: {{type: string}}, no: {{{L}: core}}}}}}}}}}"
    )
    assert told(of_schema(schema)) == {
        "$.address": "general-4",
        "$.address.city": "general-4",
        "$.address.no": "core",
    }


def test_of_a_labelled_array_of_objects_each_member_has_its_grade_and_of_values_the_array_says_it() -> None:
    items = "{properties: {a: {}, b: {items: {properties: {c: {}}}}}}"
    assert told(of_schema(f"{{items: {items}, {L}: {{level: core, identifier: address}}}}")) == {
        "$": "core address",
        "$[*].a": "core",
        "$[*].b[*].c": "core",
    }
    assert told(of_schema(f"{{properties: {{tags: {{items: {{items: {{type: string}}}}, {L}: core}}}}}}")) == {
        "$.tags": "core"
    }
    assert told(of_schema(f"{{additionalProperties: {{type: string}}, {L}: core}}")) == {"$": "core", "$[*]": "core"}


def test_the_grade_of_a_whole_answer_goes_to_its_members_alone() -> None:
    record = f"{{properties: {{a: {{}}, b: {{{L}: general-1}}}}, {L}: core}}"
    assert told(of_schema(record)) == {"$.a": "core", "$.b": "general-1"}
    assert told(of_schema(f"{{items: {record}}}")) == {"$[*].a": "core", "$[*].b": "general-1"}
    assert told(of_schema(f"{{type: object, {L}: core}}")) == {"$": "core"}  # it has none
    low = f"{{properties: {{b: {{{L}: general-1}}}}, {L}: core}}"
    assert told(of_schema(low)) == {"$": "core", "$.b": "general-1"}  # none of them carries it


def test_what_lies_in_two_labelled_objects_has_the_higher_grade() -> None:
    inner = f"{{{L}: general-2, properties: {{x: {{}}}}}}"
    assert told(of_schema(f"{{properties: {{a: {{{L}: core, properties: {{b: {inner}}}}}}}}}")) == {
        "$.a": "core",
        "$.a.b": "general-2",
        "$.a.b.x": "core",
    }


def test_what_contains_itself_is_found_at_any_depth() -> None:
    components = (
        "{Person: {properties: {name: {type: string, x-data-classification: general-4}, remark: {type: string},"
        " children: {type: array, items: {$ref: '#/components/schemas/Person'}},"
        " spouse: {$ref: '#/components/schemas/Spouse'}}},"
        " Spouse: {properties: {of: {$ref: '#/components/schemas/Person'}, since: {type: string}}}}"
    )
    assert told(of_schema("{properties: {data: {$ref: '#/components/schemas/Person'}}}", components)) == {
        "$.data..name": "general-4",
        "$.data..remark": "",
        "$.data..spouse.since": "",
    }


def test_a_dictionary_of_itself_is_labelled_as_a_whole() -> None:
    components = "{Tree: {additionalProperties: {oneOf: [{$ref: '#/components/schemas/Tree'}, {type: string, x-data-classification: core}]}}}"
    assert told(of_schema("{$ref: '#/components/schemas/Tree'}", components)) == {"$": "core"}


@pytest.mark.parametrize(
    "reference", ["other.yaml#/A", "https://evil.example/x.json", "file:///etc/passwd", "#anchor", "//evil.example/x"]
)
def test_references_elsewhere_are_refused(reference: str) -> None:
    assert codes(f"{{$ref: '{reference}'}}") == ["I002"]


def test_references_to_nothing_and_in_a_circle_are_refused() -> None:
    assert codes("{$ref: '#/components/schemas/None'}") == ["I003"]
    assert told(of_schema("{$ref: '#/components/schemas/A'}", "{A: {$ref: '#/components/schemas/A'}}")) == {}
    assert codes("{$dynamicRef: '#node'}") == ["I002"]


def test_a_label_that_is_misspelt_is_a_fault_at_its_place_and_never_no_label() -> None:
    with pytest.raises(Faulty) as caught:
        of_schema(f"{{properties: {{a: {{{L}: genral-3}}, b: {{{L}: {{identifer: phone}}}}}}}}")
    assert [(fault.code, fault.line) for fault in caught.value.faults] == [("I005", 3), ("I004", 3)]


@pytest.mark.parametrize(
    "schema",
    [
        "text",
        "[]",
        "{allOf: {properties: {a: {type: string}}}}",
        "{properties: [a]}",
        "{properties: {a: [string]}}",
        "{items: [{type: string}]}",
        "{additionalProperties: 1}",
    ],
)
def test_what_is_no_schema_is_a_fault_and_nothing_goes_unseen(schema: str) -> None:
    assert codes("{$ref: '#/components/schemas/A'}", f"{{A: {schema}}}") == ["I010"]


PETS = (
    "{Pet: {properties: {t: {}}, discriminator: {propertyName: t%s}}, Cat: {properties: {lives: {}}},"
    " Dog: {allOf: [{$ref: '#/components/schemas/Pet'}, {properties: {chip: {}, friend: {$ref: '#/components/schemas/Pet'}}}]}}"
)


@pytest.mark.parametrize(
    ("mapping", "found"),
    [
        ("", {"$..t", "$..chip"}),
        (", mapping: {cat: Cat, dog: '#/components/schemas/Dog'}", {"$..t", "$..chip", "$..lives"}),
    ],
)
def test_what_a_discriminator_leads_to_may_be_in_the_answer(mapping: str, found: set[str]) -> None:
    assert set(told(of_schema("{$ref: '#/components/schemas/Pet'}", PETS % mapping))) == found


def test_a_part_of_a_schema_brings_no_others_of_its_kind() -> None:
    components = PETS.replace(", friend: {$ref: '#/components/schemas/Pet'}", "") % ", mapping: {cat: Cat, dog: Dog}"
    assert set(told(of_schema("{$ref: '#/components/schemas/Dog'}", components))) == {"$.t", "$.chip"}
    assert codes("{$ref: '#/components/schemas/Pet'}", PETS % ", mapping: {cat: other.yaml#/Cat}") == ["I002"]


def doubling(count: int) -> str:
    """Schemas of which each holds the next one twice: 2 ** count paths."""
    refs = [
        f"S{at}: {{properties: {{a: {{$ref: '#/components/schemas/S{at + 1}'}}, b: {{$ref: '#/components/schemas/S{at + 1}'}}}}}}"
        for at in range(count)
    ]
    return "{" + ", ".join([*refs, f"S{count}: {{type: string}}"]) + "}"


@pytest.mark.parametrize(
    ("schema", "components"),
    [
        ("{$ref: '#/components/schemas/S0'}", doubling(30)),  # a bomb
        ("{$ref: '#/components/schemas/S0'}", doubling(12)),
        ("{properties: {" + ", ".join(f"f{at}: {{type: string}}" for at in range(2001)) + "}}", "{}"),
        (
            "{$ref: '#/components/schemas/S0'}",
            "{" + ", ".join(f"S{at}: {{$ref: '#/components/schemas/S{at + 1}'}}" for at in range(300)) + ", S300: {}}",
        ),
        (
            "{$ref: '#/components/schemas/S0'}",
            "{"
            + ", ".join(f"S{at}: {{properties: {{a: {{$ref: '#/components/schemas/S{at + 1}'}}}}}}" for at in range(40))
            + ", S40: {}}",
        ),
        ("{properties: {" + "x" * 600 + ": {type: string}}}", "{}"),
    ],
    ids=["bomb", "fields", "wide", "chain", "deep", "long"],
)
def test_too_much_is_a_fault_and_never_a_short_answer(schema: str, components: str) -> None:
    assert codes(schema, components) == ["I008"]


def test_as_much_as_is_allowed_is_read() -> None:
    assert len(of_schema("{$ref: '#/components/schemas/S0'}", doubling(10)).properties) == 1024


def test_a_schema_that_answers_a_thousand_operations_is_read_once() -> None:
    page = "{schema: {type: array, items: {$ref: '#/components/schemas/S'}}}"
    paths = ", ".join(f"/p{at}: {{get: {{responses: {{'200': {{content: {{a: {page}}}}}}}}}}}" for at in range(1000))
    fields = ", ".join(f"f{at}: {{type: string}}" for at in range(100))  # together more than MAX_SCHEMAS
    text = f"{HEAD}paths: {{{paths}}}\ncomponents: {{schemas: {{S: {{properties: {{{fields}}}}}}}}}\n"
    assert len(described(parse(text, "spec.yaml"), "", GRADES).properties) == 100
