"""Which asset is behind a request: highest wins, unlisted is never nothing, careless files are refused."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog import ApiBinding, Raised, load
from gateway.facts import Asset, Bulk, Exposure, Field, Grade
from tests.catalog.ledgers import CIVIL, HOUSEHOLD, A, catalog, faults, located, time

# --- finding ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "route", "grade", "action"),
    [
        ("GET", "/civil/households", "GET /civil/households", Grade.IMPORTANT, "read"),
        ("HEAD", "/civil/households", "GET /civil/households", Grade.IMPORTANT, "read"),
        ("POST", "/civil/households", "POST /civil/households", Grade.IMPORTANT, "create"),
        ("GET", "/civil/households/42", "GET /civil/households/{id}", Grade.IMPORTANT, "read"),
        ("GET", "/civil/households/42/history", "GET /civil/households/{id}/history", Grade.CORE, "other"),
        ("GET", "/civil/households/export", "GET /civil/households/export", Grade.IMPORTANT, "read"),
        ("GET", "/civil/households/export/history", "GET /civil/households/{id}/history", Grade.CORE, "other"),
        ("GET", "/civil/photos", "GET /civil/photos/**", Grade.IMPORTANT, "read"),
        ("GET", "/civil/photos/a/b.jpg", "GET /civil/photos/**", Grade.IMPORTANT, "read"),
        ("DELETE", "/civil/households/42", "DELETE /civil/households/{id}", Grade.IMPORTANT, "delete"),
    ],
)
def test_a_request_finds_its_endpoint(
    tmp_path: Path, method: str, path: str, route: str, grade: Grade, action: str
) -> None:
    asset = located(catalog(tmp_path, HOUSEHOLD), method, path)
    assert (asset.listed, asset.id, asset.route, asset.grade, asset.action) == (True, "household", route, grade, action)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/civil"),
        ("GET", "/"),
        ("GET", ""),
        ("GET", "/civil/households/"),
        ("GET", "/civil/households/42/"),
        ("GET", "/civil/households//history"),
        ("GET", "/Civil/households"),
        ("GET", "/civil/households/42/other"),
        ("PUT", "/civil/households/42"),
        ("PATCH", "/civil/households"),
        ("OPTIONS", "/civil/households"),
        ("BREW", "/civil/households"),
        ("GET", "/civil/photosx"),
        ("GET", "/civil/households/{id}/x"),
        ("GET", "/civil/households/Export"),
        ("GET", "/civil/households/export%20"),
        ("GET", "/civil/households/Export/history"),
    ],
)
def test_what_is_not_listed_is_an_unlisted_asset_of_the_highest_grade(tmp_path: Path, method: str, path: str) -> None:
    asset = located(catalog(tmp_path, HOUSEHOLD), method, path)
    assert not asset.listed
    assert (asset.id, asset.grade, asset.contract, asset.route) == ("", Grade.CORE, "enforce", "unlisted")


def test_an_asset_is_found_only_through_the_api_that_carries_it(tmp_path: Path) -> None:
    one = catalog(tmp_path, HOUSEHOLD, apis=(CIVIL, ApiBinding("other", "/other", (), grade="general")))
    assert located(one, "GET", "/civil/households").listed
    for api in ("other", "", "nobody"):
        assert not located(one, "GET", "/civil/households", api).listed
    assert one.find("GET", "/civil/households").id == "household"


def test_path_parameters_are_as_they_stand_in_the_path(tmp_path: Path) -> None:
    asset = located(catalog(tmp_path, HOUSEHOLD), "GET", "/civil/households/%E7%8E%8B")
    assert asset.parameters == (("id", "%E7%8E%8B"),)
    assert asset.discreet


def test_marks_of_an_endpoint_reach_the_asset(tmp_path: Path) -> None:
    one = catalog(tmp_path, HOUSEHOLD)
    assert located(one, "GET", "/civil/households/export").honey
    assert located(one, "GET", "/civil/photos/1").opaque
    assert not located(one, "GET", "/civil/households").discreet
    assert located(one, "GET", "/civil/households").fields == (
        Field("$..id_number", "resident-id", Grade.IMPORTANT),
        Field("$.name", "name", Grade.GENERAL_3),
    )


def test_the_path_of_an_unlisted_request_is_kept_unless_it_may_tell_who(tmp_path: Path) -> None:
    one = catalog(tmp_path, HOUSEHOLD)
    assert not located(one, "GET", "/civil/reports/2026").discreet
    assert located(one, "GET", "/civil/people/330106199003072319").discreet
    assert located(one, "GET", "/civil/people/%E7%8E%8B").discreet


def test_the_mode_of_the_api_is_told_also_for_what_is_unlisted(tmp_path: Path) -> None:
    one = catalog(tmp_path, HOUSEHOLD, apis=(ApiBinding("civil", "/civil", ("household",), "observe"),))
    assert located(one, "GET", "/civil/households").mode == "observe"
    assert located(one, "GET", "/civil/x").mode == "observe"


@given(st.text(max_size=60), st.sampled_from(["GET", "HEAD", "POST", "", "\x00"]))
def test_any_path_gives_an_asset(path: str, method: str) -> None:
    one = load(Path("policies/catalog"), (ApiBinding("civil", "/civil", ("household",)),))
    assert isinstance(located(one, method, "/civil/" + path), Asset)


# --- grades and contracts ---------------------------------------------------------------------------


def an_asset_file(grade: str, more: str = "", fields: str = "") -> str:
    return (
        f"assets:\n  - id: a\n    owner: o\n    grade: {grade}\n{more}"
        f"    endpoints: [GET /a, {{path: GET /a/core, grade: core}}]\n{fields}"
    )


@pytest.mark.parametrize(
    ("text", "path", "grade", "contract"),
    [
        (an_asset_file("general"), "/a", Grade.GENERAL_3, "warn"),
        (an_asset_file("general-1"), "/a", Grade.GENERAL_1, "warn"),
        (an_asset_file("important"), "/a", Grade.IMPORTANT, "enforce"),
        (an_asset_file("core"), "/a", Grade.CORE, "enforce"),
        (an_asset_file("general-1"), "/a/core", Grade.CORE, "enforce"),
        (an_asset_file("important", "    contract: learn\n"), "/a", Grade.IMPORTANT, "learn"),
        (an_asset_file("general", "    contract: enforce\n"), "/a", Grade.GENERAL_3, "enforce"),
        (
            an_asset_file("general-2", "", "    fields: [{path: $.x, grade: important}]\n"),
            "/a",
            Grade.IMPORTANT,
            "enforce",
        ),
    ],
)
def test_the_highest_grade_wins_and_sets_the_contract(
    tmp_path: Path, text: str, path: str, grade: Grade, contract: str
) -> None:
    asset = located(catalog(tmp_path, text, apis=A), "GET", path, "a")
    assert (asset.grade, asset.contract) == (grade, contract)


FIELD = "    fields: [{path: $.y, grade: general-3}, {path: $.x, grade: important}]\n"


@pytest.mark.parametrize(
    ("text", "path", "raised"),
    [
        (an_asset_file("general-2", "", FIELD), "/a", Raised(Grade.GENERAL_2, "field", "$.x")),
        (an_asset_file("general-2", "", FIELD), "/a/core", Raised(Grade.GENERAL_2, "endpoint", "GET /a/core")),
        (an_asset_file("important", "", FIELD), "/a", None),
        (an_asset_file("core"), "/a/core", None),
        (an_asset_file("important"), "/nowhere", None),
    ],
)
def test_what_raises_a_grade_above_that_of_the_asset_is_known(
    tmp_path: Path, text: str, path: str, raised: Raised | None
) -> None:
    one = catalog(tmp_path, text, apis=A)
    assert one.raised(located(one, "GET", path, "a")) == raised


def test_the_api_that_carries_an_asset_may_raise_its_grade(tmp_path: Path) -> None:
    one = catalog(tmp_path, an_asset_file("general-2"), apis=(ApiBinding("a", "/a", ("a",), grade="important"),))
    assert one.raised(located(one, "GET", "/a", "a")) == Raised(Grade.GENERAL_2, "api", "a")


# --- careless authors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code", "line"),
    [
        (("grade: important", "grade: importent"), "K004", 6),
        (("category:", "categry:"), "K001", 5),
        (("identifier: {id: resident-id}", "identifier: {id: residentid}"), "K006", 10),
        (("identifier: {id: resident-id}", "identifier: {no: resident-id}"), "K015", 10),
        (("grade: core, action: other", "grade: hot"), "K004", 11),
        (("action: other", "action: look"), "K018", 11),
        (("honey: true", "honey: maybe"), "K003", 12),
        (("$..id_number, identifier: resident-id", "'$..id_number[?@]', identifier: resident-id"), "K009", 16),
        (("$.name, identifier: name", "$..id_number, identifier: name"), "K016", 17),
        (("DELETE /civil", "REMOVE /civil"), "K007", 14),
        (("DELETE /civil", "HEAD /civil"), "K007", 14),
        (("DELETE /civil/households/{id}", "GET /civil/households/{other}"), "K011", 14),
        (("DELETE /civil/households/{id}", "GET /civil/{what}/export"), "K012", 14),
        (("DELETE /civil/households/{id}", "GET /elsewhere"), "K014", 14),
        (("owner: prov/civil", "owner: prov/civl"), "K008", 4),
        (("    owner: prov/civil\n", ""), "K002", 2),
        (("id: household", "id: House Hold"), "K003", 2),
        (("id: household", f"id: {'x' * 121}"), "K003", 2),
        (("grade: important", "grade: important\n    contract: enforced"), "K005", 7),
        (("endpoints:\n", "endpoints: x\n    note:\n"), "K003", 7),
    ],
)
def test_a_mistake_is_refused_at_its_place(tmp_path: Path, change: tuple[str, str], code: str, line: int) -> None:
    text = HOUSEHOLD.replace(*change)
    assert text != HOUSEHOLD
    found = faults(tmp_path, text, apis=(CIVIL,), orgs=frozenset({"prov/civil"}))
    assert (code, line) in {(fault.code, fault.line) for fault in found}


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    other = "assets:\n  - {id: b, owner: o, grade: nope, endpoints: [nope], fields: [{path: nope}]}\n"
    found = faults(tmp_path, HOUSEHOLD.replace("grade: important", "grade: nope"), other, "- not a mapping\n")
    assert {fault.code for fault in found} >= {"K003", "K004", "K007", "K009"}
    assert len({fault.file for fault in found}) == 3


def test_a_suggestion_helps(tmp_path: Path) -> None:
    found = faults(tmp_path, HOUSEHOLD.replace("owner: prov/civil", "ownr: prov/civil"))
    assert any('did you mean "owner"' in fault.remedy_en for fault in found)


def test_an_asset_declared_twice_names_the_first_place(tmp_path: Path) -> None:
    (fault, *_) = [one for one in faults(tmp_path, HOUSEHOLD, HOUSEHOLD) if one.code == "K010"]
    assert "0.yaml:2" in fault.en
    assert fault.file.endswith("1.yaml")


# --- the digest, and what is shipped ----------------------------------------------------------------------


def test_the_digest_tells_every_change_and_nothing_else(tmp_path: Path) -> None:
    one = catalog(tmp_path, HOUSEHOLD).digest
    assert catalog(tmp_path, HOUSEHOLD + "# a comment\n").digest == one
    changes = [("important", "core"), ("honey: true", "honey: false"), ("$.name", "$.nam"), ("prov/civil", "prov/x")]
    digests = {catalog(tmp_path, HOUSEHOLD.replace(*change)).digest for change in changes}
    assert len(digests | {one}) == len(changes) + 1
    assert len(one) == 64
    assert located(catalog(tmp_path, HOUSEHOLD), "GET", "/civil/households").revision == one


def test_the_shipped_catalog_is_sound() -> None:
    orgs = frozenset({"prov", "prov/civil", "prov/market", "prov/health", "hz", "hz/civil"})
    apis = (
        ApiBinding("civil-households", "/civil/households", ("household",)),
        ApiBinding("market-enterprises", "/market/enterprises", ("enterprise",)),
        ApiBinding("health-visits", "/health/visits", ("health-visit",)),
    )
    one = load(Path("policies/catalog"), apis, orgs)
    assert {listing.id for listing in one.assets} == {"household", "enterprise", "health-visit"}
    assert one.faults == ()
    graded = {
        "/civil/households": Grade.IMPORTANT,
        "/market/enterprises": Grade.GENERAL_2,
        "/health/visits": Grade.CORE,
    }
    assert (one.names["L4"], one.names["敏感"]) == (Grade.GENERAL_4, Grade.GENERAL_4)
    assert {rule.id for rule in one.rules} == {
        "named-person",
        "bulk-population",
        "day-population",
        "population-with-health",
    }
    assert not any(listing.unlabelled or listing.about.reviewed is None for listing in one.assets)
    for path, grade in graded.items():
        for found in (one.find("GET", path), one.find("GET", path + "/1")):
            assert (found.listed, found.grade) == (True, grade)
    assert one.find("GET", "/civil/households/export").honey


# --- finding without knowing the API ----------------------------------------------------------------

INLINE = ApiBinding("first-try", "/civil", grade="general-2")
HOUSEHOLDS = ApiBinding("civil", "/civil/households", ("household",))


def test_what_a_test_asks_for_is_what_a_caller_gets(tmp_path: Path) -> None:
    """An asset that the API does not carry: a test that trusted the catalog would promise a denial that nobody gets."""
    ledger = catalog(tmp_path, HOUSEHOLD, apis=(INLINE,))
    found = ledger.find("GET", "/civil/households/42")
    assert (found.id, found.grade) == ("first-try", Grade.GENERAL_2)
    assert found == located(ledger, "GET", "/civil/households/42", "first-try")
    observing = catalog(tmp_path, HOUSEHOLD, apis=(ApiBinding("civil", "/civil", ("household",), mode="observe"),))
    assert observing.find("GET", "/civil/households").mode == "enforce"
    assert [fault.code for fault in ledger.faults] == ["K022"] * 7


def test_the_api_with_the_longest_prefix_answers(tmp_path: Path) -> None:
    ledger = catalog(
        tmp_path,
        HOUSEHOLD.replace('      - {path: "GET /civil/photos/**", opaque: true}\n', ""),
        apis=(INLINE, HOUSEHOLDS),
    )
    assert ledger.find("GET", "/civil/households/42").api == "civil"
    assert ledger.find("GET", "/civil/households").api == "civil"
    assert ledger.find("GET", "/civil/householdsx").api == "first-try"
    assert ledger.find("GET", "/civilian").listed is False
    assert ledger.faults == ()


def test_of_two_hosts_the_one_that_lists_the_path_answers(tmp_path: Path) -> None:
    ledger = catalog(tmp_path, HOUSEHOLD, apis=(ApiBinding("a", "/civil"), ApiBinding("b", "/civil", ("household",))))
    assert ledger.find("GET", "/civil/households").api == "b"


def test_where_there_is_no_api_every_asset_is_looked_at(tmp_path: Path) -> None:
    ledger = catalog(tmp_path, HOUSEHOLD, apis=(ApiBinding("health", "/health", grade="general-2"),))
    assert ledger.find("GET", "/civil/households/42").id == "household"


# --- the guide ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("page", "section"), [("data.md", "Grades and ledger"), ("data.zh-CN.md", "级别与台账")])
def test_the_example_of_the_guide_means_what_it_says(tmp_path: Path, page: str, section: str) -> None:
    text = Path("docs", page).read_text(encoding="utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    names, file = re.findall(r"^```yaml\n(.*?)^```$", text, re.M | re.S)
    api = ApiBinding("civil-api", "/civil", ("marriage",))
    one = catalog(tmp_path, file, apis=(api,), orgs=frozenset({"prov/civil"}), beside={"grades.yaml": names})
    assert one.faults == ()
    days = {"2026-01-09": 4, "2026-01-10": 2, "2027-01-10": 2, "2027-01-11": 4}
    found = {day: located(one, "GET", "/civil/marriages/by-district", "civil-api", at=time(day)).grade for day in days}
    assert found == days
    register = located(one, "GET", "/civil/marriages", "civil-api")
    assert (register.grade, register.key, register.records) == (Grade.GENERAL_4, "$..id_number", "$.data.items")
    assert register.bulk == (Bulk(100, Grade.IMPORTANT, "bulk"),)
    assert one.aggregated(register, Exposure(records=10_000)).grade == Grade.IMPORTANT
    assert set(re.findall(r"^\| `([a-z`, ]+)` \|", text, re.M)) >= {"categories", "subject", "share", "open", "source"}
