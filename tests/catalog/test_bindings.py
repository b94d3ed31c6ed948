"""What an API says inline, which endpoints it carries, and what of it is refused."""

from pathlib import Path

import pytest

from gateway.catalog import ApiBinding
from gateway.document import parse
from gateway.facts import Field, Grade
from tests.catalog.ledgers import HOUSEHOLD, A, catalog, faults, located


def test_an_api_without_catalog_files_lists_all_below_its_prefix(tmp_path: Path) -> None:
    api = ApiBinding("first-try", "/x", grade="important", fields={"$..id_number": "resident-id", "/name": "name"})
    one = catalog(tmp_path, apis=(api,))
    for path in ("/x", "/x/", "/x/a/b"):
        asset = located(one, "GET", path, "first-try")
        assert (asset.listed, asset.id, asset.grade, asset.contract) == (True, "first-try", Grade.IMPORTANT, "enforce")
    assert [field.path for field in asset.fields] == ["$..id_number", "$.name"]
    assert located(one, "DELETE", "/x/1", "first-try").action == "delete"
    assert not located(one, "GET", "/y", "first-try").listed


def test_inline_keys_beside_catalog_files_only_raise_and_add(tmp_path: Path) -> None:
    api = ApiBinding("civil", "/civil", ("household",), grade="core", fields={"$.name": "name", "$.extra": "phone"})
    one = catalog(tmp_path, HOUSEHOLD, apis=(api,))
    asset = located(one, "GET", "/civil/households")
    assert asset.grade is Grade.CORE
    assert asset.fields[1:] == (Field("$.name", "name", Grade.CORE), Field("$.extra", "phone", Grade.CORE))
    assert not located(one, "GET", "/civil/unknown").listed
    lower = catalog(tmp_path, apis=(ApiBinding("civil", "/civil", ("household",), grade="general-1"),))
    assert located(lower, "GET", "/civil/households").grade is Grade.IMPORTANT


def test_an_api_that_names_no_data_is_a_warning_and_lists_nothing(tmp_path: Path) -> None:
    one = catalog(tmp_path, apis=(ApiBinding("bare", "/bare"),))
    assert [(fault.code, fault.warning) for fault in one.faults] == [("K021", True)]
    assert not located(one, "GET", "/bare", "bare").listed


def test_an_unknown_asset_of_an_api_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    found = faults(tmp_path, HOUSEHOLD, apis=(ApiBinding("civil", "/civil", ("houshold",)),))
    assert [fault.code for fault in found] == ["K013"]
    assert "household" in found[0].remedy_en


def test_where_an_api_is_written_is_told_and_is_no_part_of_the_digest(tmp_path: Path) -> None:
    place = parse("# a line\nname: civil\ndata: [household, parcel]\nstrip_prefix: /civil\n", "gateway.yaml")
    written = ApiBinding("civil", "/civil", ("household",), place=place)
    told = catalog(tmp_path, HOUSEHOLD, apis=(written,)).digest
    assert told == catalog(tmp_path, HOUSEHOLD, apis=(written.unplaced,)).digest
    found = faults(tmp_path, HOUSEHOLD, apis=(ApiBinding("civil", "/civil", ("household", "parcel"), place=place),))
    assert [(one.code, one.file, one.line, one.column) for one in found] == [("K013", "gateway.yaml", 3, 19)]


@pytest.mark.parametrize(
    ("api", "code"),
    [
        (ApiBinding("x", "/x", grade="sehr"), "K004"),
        (ApiBinding("x", "/x", fields={"id": "resident-id"}), "K009"),
        (ApiBinding("x", "/x", fields={"$.id": "resident"}), "K006"),
        (ApiBinding("x", "/x", fields={"$.id": "resident-id", "/id": "name"}), "K016"),
        (ApiBinding("civil", "/civil", ("household",), opaque=True), "K017"),
    ],
)
def test_an_inline_mistake_is_refused(tmp_path: Path, api: ApiBinding, code: str) -> None:
    assert code in {fault.code for fault in faults(tmp_path, HOUSEHOLD, apis=(api,))}


def test_templates_that_cross_are_fine_once_the_crossing_is_listed(tmp_path: Path) -> None:
    text = "assets:\n  - {id: a, owner: o, grade: general, endpoints: [%s]}\n"
    crossing = "'GET /a/{x}/c', 'GET /a/b/{y}'"
    assert {fault.code for fault in faults(tmp_path, text % crossing)} == {"K012"}
    one = catalog(tmp_path, text % (crossing + ", GET /a/b/c"), apis=A)
    assert located(one, "GET", "/a/b/c", "a").route == "GET /a/b/c"
    assert located(one, "GET", "/a/z/c", "a").route == "GET /a/{x}/c"
