"""People see every part of an asset with who said it."""

from pathlib import Path

from gateway.catalog import ApiBinding, Label, Lowered, Reviewed
from gateway.facts import Grade
from tests.catalog.ledgers import A, asset, catalog, override, time

ENDPOINTS = f"""
      - GET /a
      - {{path: GET /a/x, {override()}, note: counts only, reviewed: {{by: wang.li, on: 2026-01-10}}}}
      - {{path: "GET /a/{{id}}", identifier: {{id: phone}}, grade: core, opaque: true, honey: true, contract: enforce}}"""
FIELDS = "fields: [{path: $.n, grade: general-1, note: free text}, {path: $.m, reviewed: {by: zhao, on: 2026-02-01}}]"
TEXT = asset("grade: general-3", FIELDS, endpoints=ENDPOINTS)


def test_each_grade_says_where_it_came_from(tmp_path: Path) -> None:
    (listing,) = catalog(tmp_path, TEXT, apis=A, now=time("2026-03-01")).assets
    plain, lowered, decoy = listing.routes
    assert listing.label == Label(Grade.GENERAL_3, "asset", "a")
    assert (plain.label, plain.because) == (listing.label, listing.label)
    assert lowered.label == Label(Grade.GENERAL_2, "override", "T-17")
    assert lowered.override == Lowered(Grade.GENERAL_2, "T-17", "li.min", "2026-01-10", "2026-06-30", True)
    assert (lowered.note, lowered.reviewed) == ("counts only", Reviewed("wang.li", "2026-01-10"))
    assert decoy.label == Label(Grade.CORE, "endpoint", "GET /a/{id}")
    assert (decoy.opaque, decoy.honey, decoy.discreet, decoy.contract) == (True, True, True, "enforce")


def test_an_override_that_is_over_is_shown_as_over(tmp_path: Path) -> None:
    (listing,) = catalog(tmp_path, TEXT, apis=A, now=time("2026-09-01")).assets
    lowered = listing.routes[1]
    assert lowered.override is not None
    assert (lowered.grade, lowered.override.in_force) == (Grade.GENERAL_3, False)


def test_fields_tell_whether_their_grade_is_their_own(tmp_path: Path) -> None:
    (listing,) = catalog(tmp_path, TEXT, apis=A).assets
    said = [(one.path, one.grade, one.own, one.note, one.reviewed) for one in listing.labels]
    assert said == [
        ("$.n", Grade.GENERAL_1, True, "free text", None),
        ("$.m", Grade.GENERAL_3, False, "", Reviewed("zhao", "2026-02-01")),
    ]


def test_what_raises_an_endpoint_is_named(tmp_path: Path) -> None:
    field = asset("grade: general-1", "fields: [{path: $.x, grade: core}]")
    (listing,) = catalog(tmp_path, field, apis=A).assets
    assert listing.routes[0].because == Label(Grade.CORE, "field", "$.x")
    (listing,) = catalog(
        tmp_path, asset("grade: general-1"), apis=(ApiBinding("a", "/a", ("a",), grade="core"),)
    ).assets
    assert listing.routes[0].because == Label(Grade.CORE, "api", "a")


def test_an_endpoint_is_shown_as_it_is_where_it_is_graded_highest(tmp_path: Path) -> None:
    apis = (*A, ApiBinding("b", "/a", ("a",), grade="core"))
    (listing,) = catalog(tmp_path, asset("grade: general-1"), apis=apis).assets
    assert (listing.routes[0].grade, listing.apis) == (Grade.CORE, ("a", "b"))


def test_an_api_that_lists_everything_itself_is_an_asset(tmp_path: Path) -> None:
    apis = (ApiBinding("try", "/t", fields={"$.x": "name"}), ApiBinding("low", "/l", grade="general-1"))
    low, tried = catalog(tmp_path, apis=apis).assets
    assert (tried.unlabelled, tried.labels[0].own, low.unlabelled, low.grade) == (True, True, False, Grade.GENERAL_1)
