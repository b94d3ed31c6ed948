"""Labels of JSON paths, for what has only a name."""

import pytest

from gateway.facts import FieldMask, Mask
from gateway.masking.columns import Columns, shown
from gateway.masking.keys import Keys
from gateway.masking.plan import Plan

KEYS = Keys(b"k" * 32, "prov/civil")


def columns(*fields: tuple[str, str], unlabelled: str = "pass") -> Columns:
    mask = Mask("pii", tuple(FieldMask(*field) for field in fields), unlabelled)
    return Columns(mask, Plan(mask))


def value(of: Columns, name: str, text: str = "330106199003072319") -> str:
    return shown(text, of.rule(name), KEYS)


@pytest.mark.parametrize(
    "path", ["$..id_number", "$.id_number", "$[*].id_number", "$.data.items[*].id_number", "$..person.id_number"]
)
def test_a_label_means_the_column_of_its_last_name(path):
    assert value(columns((path, "partial(1,1)")), "id_number") == "3****9"


def test_a_label_without_a_name_means_every_column():
    every = columns(("$", "redact"), ("$.name", "keep"))
    assert value(every, "name") == "***"
    assert value(every, "whatever") == "***"


def test_the_strictest_of_several_labels_applies():
    assert value(columns(("$.a.id", "partial(1,1)"), ("$.b.id", "redact"), ("$.c.id", "keep")), "id") == "***"


def test_what_no_label_names_follows_the_contract():
    assert value(columns(("$.id", "redact"), unlabelled="warn"), "remark") == "330106199003072319"
    assert columns(("$.id", "redact"), unlabelled="warn").noted
    assert value(columns(("$.id", "redact"), unlabelled="redact"), "remark") == "***"


def test_a_kept_column_is_shown_under_an_enforced_contract():
    assert value(columns(("$.id", "keep"), unlabelled="redact"), "id") == "330106199003072319"


@pytest.mark.parametrize("how", ["drop", "null"])
def test_what_is_dropped_is_empty(how):
    assert value(columns(("$.id", how)), "id") == ""


def test_an_empty_value_stays_empty():
    assert value(columns(("$.id", "redact")), "id", "") == ""


def test_where_nothing_unlabelled_is_shown_no_column_is_called_like_a_person():
    enforced = columns(("$.name", "redact"), ("$.方向", "keep"), unlabelled="redact")
    row = ["name", "王小明", "方向", "季度", "remark"]
    assert enforced.is_header(row)  # the name of a label vouches for it
    assert enforced.header(row) == ["name", "***", "方向", "***", "remark"]
    assert columns(("$.name", "redact"), unlabelled="warn").header(["name", "王小明"]) == ["name", "王小明"]
    assert not columns(unlabelled="redact").is_header(["王小明", "女"])


@pytest.mark.parametrize(
    ("names", "header"),
    [
        (["id", "name"], True),
        (["id", "姓名"], True),
        (["王小明", "女"], False),  # a row of data: no label names a column of it
        (["name", "sex"], False),
        (["id", "id"], False),
        (["330106199003072319", "name"], False),
        (["id|name|phone"], False),
        (["1", "2"], False),
        ([""], False),
    ],
)
def test_a_header_is_made_of_names(names, header):
    assert columns(("$.id", "redact")).is_header(names) is header


def test_where_all_is_hidden_no_label_vouches_for_a_header():
    everything = columns(("$", "redact"))
    assert everything.is_header(["name", "sex"])
    assert not everything.is_header(["王小明", "女"])


def test_what_nobody_labelled_may_have_any_header():
    assert columns(unlabelled="warn").is_header(["姓名", "数量"])


@pytest.mark.parametrize(
    ("above", "own", "shown_as"),
    [
        ("redact", "keep", "***"),
        ("partial(1,1)", "redact", "***"),
        ("partial(1,1)", "partial(3,0)", "3****"),
        ("truncate(2)", "partial(6,4)", "33****"),
        ("keep", "redact", "***"),
        ("keep", "keep", "330106199003072319"),
    ],
)
def test_what_stands_inside_is_hidden_as_strictly_as_either_says(above, own, shown_as):
    of = columns(("$.person", above), ("$..id", own))
    assert shown("330106199003072319", of.below(of.rule("person"), "id"), KEYS) == shown_as


def test_a_place_is_a_name_where_a_label_says_so():
    assert columns(("$[0]", "redact"), ("$[1]", "keep")).is_header(["0", "1"])


@pytest.mark.parametrize(
    ("fields", "name", "said"),
    [
        ([("$..name", "redact")], "patient.name", "***"),
        ([("$..patient", "redact")], "patient.name", "***"),
        ([("$..patient", "redact"), ("$..name", "keep")], "patient.name", "***"),
        ([("$..name", "redact"), ("$..patient", "partial(1,1)")], "patient.name", "***"),
        ([("$..name", "keep")], "patient.name", "330106199003072319"),
        ([("$..name", "redact")], "name.of.place", "***"),
        ([("$['patient.name']", "keep"), ("$..name", "redact")], "patient.name", "330106199003072319"),
        ([("$..name", "redact")], "patient.names", "330106199003072319"),
    ],
)
def test_a_name_with_points_is_a_way(fields, name, said):
    assert value(columns(*fields, unlabelled="warn"), name) == said


def test_what_is_kept_is_named_itself():
    assert value(columns(("$..patient", "keep"), unlabelled="redact"), "patient.name") == "***"


def test_a_column_with_points_tells_whom_a_row_is_about():
    mask = Mask("pii", (), "pass")
    of = Columns(mask, Plan(mask), ["$.items[*].id_number", "$.id_number"])
    assert [of.tells(name) for name in ("id_number", "patient.id_number", "id", "id_number.x")] == [
        True,
        True,
        False,
        False,
    ]
