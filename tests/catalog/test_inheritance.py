"""The highest label on the way down wins; a child stands lower only on record, and only on the days of the record."""

from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog import ApiBinding, Label
from gateway.catalog.inheritance import highest
from gateway.facts import Grade
from tests.catalog.ledgers import A, asset, catalog, faults, located, override, time

PEOPLE = {"people.yaml": "orgs: {prov: {}, prov/civil: {parent: prov}, hz: {parent: prov}, hz/civil: {parent: hz}}\n"}
PROV = "defaults: [{owner: prov, grade: general-4}]\n"
SERVICE = "defaults: [{service: a, grade: important}]\n"
DURING, AFTER, BEFORE = time("2026-03-01"), time("2026-07-01"), time("2026-01-09")


@pytest.mark.parametrize("owner", ["prov", "prov/civil", "hz/civil"])
def test_a_label_of_a_department_holds_for_all_below_it(tmp_path: Path, owner: str) -> None:
    one = catalog(tmp_path, PROV + asset(owner=owner), apis=A, beside=PEOPLE)
    assert located(one, "GET", "/a", "a").grade == Grade.GENERAL_4
    assert one.assets[0].label == Label(Grade.GENERAL_4, "department", "prov")
    assert not one.assets[0].unlabelled


def test_a_label_of_a_department_holds_for_no_other(tmp_path: Path) -> None:
    """`province` begins with the same letters as `prov`, and nothing else."""
    one = catalog(tmp_path, PROV + asset("grade: general-1", owner="province"), apis=A, beside=PEOPLE)
    assert located(one, "GET", "/a", "a").grade == Grade.GENERAL_1


def test_a_label_of_a_department_holds_for_no_other_asset_that_no_api_carries(tmp_path: Path) -> None:
    text = "defaults: [{owner: other, grade: core}]\n" + asset("grade: general-1")
    assert catalog(tmp_path, text, apis=()).find("GET", "/a").grade == Grade.GENERAL_1


def test_a_label_of_a_service_holds_for_what_it_carries(tmp_path: Path) -> None:
    apis = (*A, ApiBinding("other", "/a", ("a",)))
    one = catalog(tmp_path, SERVICE + asset(), apis=apis)
    assert [located(one, "GET", "/a", api).grade for api in ("a", "other")] == [Grade.IMPORTANT, Grade.GENERAL_3]
    assert one.assets[0].label == Label(Grade.IMPORTANT, "service", "a")


def test_the_highest_of_all_labels_wins(tmp_path: Path) -> None:
    """Whatever stands where: the labels of department, service, asset and endpoint in every order that is no fault."""
    grades = ["general-1", "general-3", "important", "core"]
    for department, service, own, endpoint in permutations(grades):
        text = f"defaults: [{{owner: o, grade: {department}}}, {{service: a, grade: {service}}}]\n" + asset(
            f"grade: {own}", endpoints=f"[{{path: GET /a, grade: {endpoint}}}]"
        )
        order = [grades.index(one) for one in (department, service, own, endpoint)]
        if order[3] > order[2] > max(order[:2]):
            assert located(catalog(tmp_path, text, apis=A), "GET", "/a", "a").grade == Grade.CORE
        else:
            assert "K030" in {fault.code for fault in faults(tmp_path, text, apis=A)}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (PROV + asset("grade: general-1", owner="hz/civil"), 6, "the department `prov` says: general-4"),
        (SERVICE + asset("grade: general-4"), 6, "the service `a` says: important"),
        (asset("grade: core", endpoints="[{path: GET /a, grade: important}]"), 4, "the asset `a` says: core"),
        (PROV + asset(owner="prov", endpoints="[{path: GET /a, grade: general-1}]"), 5, "the department `prov` says"),
    ],
)
def test_a_child_below_its_parents_is_refused_and_told_how_to_mend_it(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    (fault,) = faults(tmp_path, text, apis=A, beside=PEOPLE)
    assert (fault.code, fault.line, says in fault.en) == ("K030", line, True)
    assert "override: {grade: " in fault.remedy_en


@pytest.mark.parametrize(
    ("at", "grade"),
    [
        (BEFORE, Grade.IMPORTANT),
        (time("2026-01-10"), Grade.GENERAL_2),
        (DURING, Grade.GENERAL_2),
        (time("2026-06-30"), Grade.GENERAL_2),
        (AFTER, Grade.IMPORTANT),
    ],
)
def test_an_override_lowers_on_its_days_and_on_no_other(tmp_path: Path, at: float, grade: Grade) -> None:
    """Asked with the time of the request: a gateway that is not reloaded for a year keeps no approval alive."""
    for text in (
        SERVICE + asset("grade: general-2", override()),
        SERVICE + asset(override()),
        asset("grade: important", endpoints=f"[{{path: GET /a, {override()}}}]"),
        asset("grade: important", endpoints=f"[{{path: GET /a, grade: general-2, {override()}}}]"),
    ):
        one = catalog(tmp_path, text, apis=A)
        assert located(one, "GET", "/a", "a", at=at).grade == grade
        assert one.find("GET", "/a", "a", at).grade == grade
        assert catalog(tmp_path, text, apis=A, now=at).find("GET", "/a", "a").grade == grade
        assert catalog(tmp_path, text, apis=A, now=at).assets[0].routes[0].grade == grade


def test_overrides_end_one_after_the_other(tmp_path: Path) -> None:
    endpoint = f"[{{path: 'GET /a/{{id}}', {override('general-1', until='2026-02-28')}}}]"
    text = SERVICE + asset(override("general-3"), endpoints=endpoint)
    one = catalog(tmp_path, text, apis=A)
    days = {"2026-01-01": 5, "2026-02-28": 1, "2026-03-01": 3, "2026-06-30": 3, "2026-07-01": 5}
    assert {day: located(one, "GET", "/a/1", "a", at=time(day)).grade for day in days} == days
    assert located(one, "GET", "/a/1", "a", at=time("2026-03-01")).parameters == (("id", "1"),)


def test_an_override_that_is_over_is_told(tmp_path: Path) -> None:
    text = SERVICE + asset(override())
    assert [fault.code for fault in catalog(tmp_path, text, apis=A, now=DURING).faults] == []
    (fault,) = catalog(tmp_path, text, apis=A, now=AFTER).faults
    assert (fault.code, fault.line, fault.warning) == ("K033", 6, True)
    assert "T-17 ended 2026-06-30" in fault.en


def test_time_changes_no_digest(tmp_path: Path) -> None:
    """A stored revision is read again months later: it must still be what its name says."""
    text = SERVICE + asset(override())
    assert len({catalog(tmp_path, text, apis=A, now=at).digest for at in (0.0, DURING, AFTER)}) == 1


@pytest.mark.parametrize(
    "change", [("T-17", "T-18"), ("li.min", "mallory"), ("2026-06-30", "2036-06-30"), ("general-2", "general-1"), ("2026-01-10", "2025-01-10")]
)  # fmt: skip
def test_the_digest_tells_every_part_of_an_override(tmp_path: Path, change: tuple[str, str]) -> None:
    text = SERVICE + asset(override())
    assert catalog(tmp_path, text, apis=A).digest != catalog(tmp_path, text.replace(*change), apis=A).digest


@pytest.mark.parametrize(
    "change",
    [("owner: prov, grade: general-4", "owner: prov, grade: general-3"), ("{parent: hz}", "{}")],
)
def test_the_digest_tells_what_stands_above(tmp_path: Path, change: tuple[str, str]) -> None:
    """Also a tree of offices that somebody cut: `hz/civil` is no longer below `prov`."""
    text = PROV + asset(owner="hz/civil")
    people = {name: said.replace(*change) for name, said in PEOPLE.items()}
    before = catalog(tmp_path, text, apis=A, beside=PEOPLE).digest
    assert catalog(tmp_path, text.replace(*change), apis=A, beside=people).digest != before


def test_what_nobody_labelled_is_general_3_and_told(tmp_path: Path) -> None:
    one = catalog(tmp_path, asset(), apis=A)
    assert located(one, "GET", "/a", "a").grade == Grade.GENERAL_3
    assert (one.assets[0].unlabelled, one.assets[0].routes[0].unlabelled) == (True, True)
    assert one.assets[0].label == Label(Grade.GENERAL_3, "unlabelled")


def test_a_presumption_is_no_label_that_a_child_must_reach(tmp_path: Path) -> None:
    endpoints = "[{path: GET /a, grade: general-1}, GET /a/b]"
    one = catalog(tmp_path, asset("fields: [{path: $.x}]", endpoints=endpoints), apis=A)
    assert [located(one, "GET", path, "a").grade for path in ("/a", "/a/b")] == [Grade.GENERAL_1, Grade.GENERAL_3]
    assert [route.unlabelled for route in one.assets[0].routes] == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        asset("grade: general-2", override()),
        PROV + asset("grade: general-4", override("general-4"), owner="prov"),
        asset("grade: important", endpoints=f"[{{path: GET /a, {override('core')}}}]"),
        asset("grade: core", "fields: [{path: $.x, grade: core}]", endpoints=f"[{{path: GET /a, {override()}}}]"),
    ],
)
def test_an_override_that_lowers_nothing_is_told(tmp_path: Path, text: str) -> None:
    """It would sleep until something above is raised, and then lower what its approver never saw."""
    (fault,) = catalog(tmp_path, text, apis=A, beside=PEOPLE).faults
    assert (fault.code, fault.warning) == ("K034", True)


def test_an_override_below_an_aggregation_rule_is_told_why(tmp_path: Path) -> None:
    text = asset(
        "grade: core",
        "fields: [{path: $.n, identifier: name, grade: general-1}, {path: $.i, identifier: resident-id, grade: general-1}]",
        endpoints=f"[{{path: GET /a, {override()}}}]",
    )
    rule = "aggregation: [{id: named, identifiers: [name, resident-id], to: core}]\n"
    assert catalog(tmp_path, text, apis=A).faults == ()
    (fault,) = catalog(tmp_path, rule + text, apis=A).faults
    assert (fault.code, "a field or an aggregation rule says as much or more" in fault.en) == ("K034", True)


def test_a_service_that_is_not_there_is_told(tmp_path: Path) -> None:
    (fault,) = catalog(tmp_path, SERVICE.replace("service: a", "service: aa") + asset(), apis=A).faults
    assert (fault.code, fault.line, fault.warning, fault.remedy_en) == ("K039", 1, True, 'did you mean "a"?')
    assert catalog(tmp_path, SERVICE + asset(override()), apis=()).faults == ()  # without gateway.yaml nobody knows


@pytest.mark.parametrize(
    ("default", "code"),
    [
        ("{owner: nobody, grade: core}", "K008"),
        ("{owner: prov}", "K002"),
        ("{grade: core}", "K003"),
        ("{owner: prov, service: a, grade: core}", "K003"),
        ("{owner: prov, grade: hot}", "K004"),
        ("{office: prov, grade: core}", "K001"),
        ("prov", "K003"),
    ],
)
def test_a_careless_default_is_refused(tmp_path: Path, default: str, code: str) -> None:
    found = faults(tmp_path, f"defaults:\n  - {default}\n", orgs=frozenset({"prov", "prov/civil"}))
    assert (code, 2) in {(fault.code, fault.line) for fault in found}


@given(st.lists(st.builds(Label, st.sampled_from(Grade), st.just("asset"), st.text(max_size=3)), min_size=1))
def test_no_label_is_above_the_highest(labels: list[Label]) -> None:
    found = highest(labels)
    assert found in labels
    assert found is not None
    assert found.grade == max(label.grade for label in labels)
