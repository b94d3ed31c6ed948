"""What a request is in the end: labels, fields, contracts, and what tells its records apart."""

from pathlib import Path

import pytest

from gateway.catalog import ApiBinding
from gateway.catalog.resolution import KEYS
from gateway.facts import Grade
from gateway.masks import IDENTIFIERS
from tests.catalog.ledgers import A, asset, catalog, faults, located, override, time

DURING, AFTER = time("2026-03-01"), time("2026-07-01")
LOWERED = f"[{{path: GET /a, {override()}}}]"


def test_no_override_reaches_below_a_field(tmp_path: Path) -> None:
    """A field says what it is by itself, wherever it stands."""
    text = asset("grade: core", "fields: [{path: $.x, grade: important}, {path: $.y}]", endpoints=LOWERED)
    found = located(catalog(tmp_path, text, apis=A), "GET", "/a", "a", at=DURING)
    assert found.grade == Grade.IMPORTANT
    assert [field.grade for field in found.fields] == [Grade.IMPORTANT, Grade.GENERAL_2]


def test_no_override_reaches_below_what_the_configuration_says(tmp_path: Path) -> None:
    text = asset("grade: core", endpoints=LOWERED)
    one = catalog(tmp_path, text, apis=(ApiBinding("a", "/a", ("a",), grade="general-4"),))
    assert located(one, "GET", "/a", "a", at=DURING).grade == Grade.GENERAL_4
    assert one.assets[0].apis == ("a",)


def test_a_field_that_says_less_lowers_nothing(tmp_path: Path) -> None:
    text = asset("grade: important", "fields: [{path: $.x, grade: general-1}]")
    found = located(catalog(tmp_path, text, apis=A), "GET", "/a", "a")
    assert (found.grade, found.fields[0].grade) == (Grade.IMPORTANT, Grade.GENERAL_1)


def test_a_field_without_a_grade_is_graded_as_its_asset_also_where_the_endpoint_is_higher(tmp_path: Path) -> None:
    text = asset("grade: general-2", "fields: [{path: $.x}]", endpoints="[{path: GET /a, grade: core}]")
    assert located(catalog(tmp_path, text, apis=A), "GET", "/a", "a").fields[0].grade == Grade.GENERAL_2


# --- contracts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "said", "contract"),
    [
        (["grade: general-3"], "contract: enforce", "enforce"),
        (["grade: general-3", "contract: learn"], "contract: warn", "warn"),
        (["grade: core", "contract: learn"], "contract: learn", "learn"),
        (["grade: general-3"], "grade: core", "enforce"),
        (["grade: core"], f"contract: learn, {override('')}", "learn"),
        (["grade: core"], override(), "warn"),
    ],
)
def test_an_endpoint_may_be_stricter_than_its_asset(tmp_path: Path, lines: list[str], said: str, contract: str) -> None:
    one = catalog(tmp_path, asset(*lines, endpoints=f"[{{path: GET /a, {said}}}]"), apis=A)
    assert located(one, "GET", "/a", "a", at=DURING).contract == contract
    assert one.faults == ()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["grade: general-3", "contract: enforce"], "contract: warn"),
        (["grade: general-3"], "contract: learn"),
        (["grade: core"], "contract: warn"),
        (["grade: general-1"], "contract: warn, grade: core"),
        (["grade: general-1", "fields: [{path: $.x, grade: core}]"], "contract: warn"),
    ],
)
def test_an_endpoint_laxer_than_its_asset_is_refused(tmp_path: Path, lines: list[str], said: str) -> None:
    (fault,) = faults(tmp_path, asset(*lines, endpoints=f"[{{path: GET /a, {said}}}]"), apis=A)
    assert (fault.code, fault.line) == ("K035", 4)


def test_a_laxer_contract_ends_with_its_override(tmp_path: Path) -> None:
    endpoints = f"[{{path: GET /a, contract: learn, {override('')}}}]"
    one = catalog(tmp_path, asset("grade: core", endpoints=endpoints), apis=A)
    assert [located(one, "GET", "/a", "a", at=at).contract for at in (DURING, AFTER)] == ["learn", "enforce"]


# --- records -------------------------------------------------------------------------------------------


def test_where_records_are_reaches_the_asset_also_through_a_parameter(tmp_path: Path) -> None:
    fields = "fields: [{path: $..id_number, identifier: resident-id}]"
    text = asset(
        "grade: core", "records: $.data.items", "total: /data/total", fields, endpoints="[GET /a, 'GET /a/{id}']"
    )
    one = catalog(tmp_path, text, apis=A)
    for path in ("/a", "/a/1"):
        found = located(one, "GET", path, "a")
        assert (found.records, found.total, found.key) == ("$.data.items", "$.data.total", "$..id_number")


@pytest.mark.parametrize(
    ("identifiers", "key"),
    [
        (["phone", "resident-id", "email"], "$.f1"),
        (["phone", "email"], "$.f0"),
        (["credit-code", "officer-id"], "$.f1"),
        (["bank-card", "imei"], "$.f1"),
        (["resident-id", "resident-id"], "$.f0"),
        (["name", "birth-date", "address", "gps", "ip", "secret", "other"], ""),  # many people share one
        ([], ""),
    ],
)
def test_the_strongest_identifier_tells_records_apart(tmp_path: Path, identifiers: list[str], key: str) -> None:
    fields = ", ".join(f"{{path: $.f{at}, identifier: {name}}}" for at, name in enumerate(identifiers))
    one = catalog(tmp_path, asset("grade: core", f"fields: [{fields}]"), apis=A)
    assert located(one, "GET", "/a", "a").key == key
    assert one.assets[0].key == key


def test_every_key_is_an_identifier() -> None:
    assert set(KEYS) < IDENTIFIERS
    assert len(set(KEYS)) == len(KEYS) == 14


def test_the_digest_tells_where_records_are(tmp_path: Path) -> None:
    texts = [asset("grade: core", line) for line in ("records: $.a", "records: $.b", "total: $.a", "note: x")]
    assert len({catalog(tmp_path, text, apis=A).digest for text in texts}) == 4
