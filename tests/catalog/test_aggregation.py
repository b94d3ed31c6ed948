"""Much, or together, is more sensitive than each alone; never less, never beyond core, never twice for one reason."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog import Raised
from gateway.catalog.aggregation import Rule, accumulated, combined, stricter
from gateway.facts import NOTHING_EXPOSED, Asset, Bulk, Exposure, Field, Grade
from tests.catalog.ledgers import A, asset, catalog, faults, located
from tests.literals import an_asset

FIELDS = "fields: [{path: $.name, identifier: name}, {path: $.id, identifier: resident-id}]"
POPULATION = asset("category: population", "grade: general-3", FIELDS)
TOGETHER = "aggregation: [{id: named, identifiers: [name, resident-id], raise: 1}]\n"
BULK = "aggregation: [{id: bulk, category: population, records: 100, per: reply, raise: 1}]\n"
DAY = "aggregation: [{id: day, category: population, records: 10000, per: day, to: important}]\n"
JOIN = "aggregation: [{id: joined, categories: [population, health], per: day, to: core}]\n"
HEALTH = asset("category: health", "grade: general-2", id="b", endpoints="[GET /b]").removeprefix("assets:\n")


def test_identifiers_labelled_together_raise_their_endpoint(tmp_path: Path) -> None:
    one = catalog(tmp_path, POPULATION + TOGETHER, apis=A)
    found = located(one, "GET", "/a", "a")
    assert (found.grade, found.raised) == (Grade.GENERAL_4, ("named",))
    assert one.raised(found) == Raised(Grade.GENERAL_3, "aggregation", "named")
    (route,) = one.assets[0].routes
    assert (route.grade, route.because.by, route.because.name) == (4, "aggregation", "named")


def test_one_of_them_alone_raises_nothing(tmp_path: Path) -> None:
    text = asset("grade: general-3", "fields: [{path: $.name, identifier: name}]")
    found = located(catalog(tmp_path, text + TOGETHER, apis=A), "GET", "/a", "a")
    assert (found.grade, found.raised) == (Grade.GENERAL_3, ())


def test_an_identifier_in_the_path_counts_as_well(tmp_path: Path) -> None:
    """Who asks for one number and is told the name has both."""
    endpoints = "[{path: 'GET /a/{no}', identifier: {no: resident-id}}]"
    text = asset("grade: general-3", "fields: [{path: $.name, identifier: name}]", endpoints=endpoints)
    assert located(catalog(tmp_path, text + TOGETHER, apis=A), "GET", "/a/1", "a").grade == Grade.GENERAL_4


def test_many_records_in_one_answer_are_told_to_policy(tmp_path: Path) -> None:
    found = located(catalog(tmp_path, POPULATION + BULK, apis=A), "GET", "/a", "a")
    assert (found.grade, found.bulk) == (Grade.GENERAL_3, (Bulk(100, Grade.GENERAL_4, "bulk"),))


def test_the_contract_follows_a_raised_grade_and_is_never_laxer(tmp_path: Path) -> None:
    rule = TOGETHER.replace("raise: 1", "to: important")
    for contract, expected in (
        ("contract: learn", "enforce"),
        ("contract: enforce", "enforce"),
        ("note: x", "enforce"),
    ):
        one = catalog(tmp_path, POPULATION + f"    {contract}\n" + rule, apis=A)
        assert located(one, "GET", "/a", "a").contract == expected


def test_what_was_shown_today_raises_what_comes_next(tmp_path: Path) -> None:
    one = catalog(tmp_path, POPULATION + DAY, apis=A)
    plain = located(one, "GET", "/a", "a")
    assert one.aggregated(plain, NOTHING_EXPOSED) is plain
    assert one.aggregated(plain, Exposure(records=9_999)) is plain
    found = one.aggregated(plain, Exposure(records=10_000))
    assert (found.grade, found.raised, found.contract) == (Grade.IMPORTANT, ("day",), "enforce")
    assert one.raised(found) == Raised(Grade.GENERAL_3, "aggregation", "day")


@pytest.mark.parametrize(
    ("path", "shown", "grade"),
    [
        ("/a", (), Grade.GENERAL_3),
        ("/a", ("population",), Grade.GENERAL_3),
        ("/a", ("health",), Grade.CORE),  # the second of the two is the one that joins
        ("/b", ("population",), Grade.CORE),
        ("/b", ("traffic",), Grade.GENERAL_2),
    ],
)
def test_who_was_shown_one_joins_it_with_the_other(
    tmp_path: Path, path: str, shown: tuple[str, ...], grade: Grade
) -> None:
    one = catalog(tmp_path, POPULATION + HEALTH + JOIN, apis=())
    assert one.aggregated(one.find("GET", path), Exposure(categories=shown)).grade == grade


def test_other_categories_are_not_touched(tmp_path: Path) -> None:
    one = catalog(tmp_path, POPULATION + HEALTH + DAY, apis=())
    health = one.find("GET", "/b")
    assert one.aggregated(health, Exposure(records=1_000_000)) is health
    unlisted = one.find("GET", "/nowhere")
    assert one.aggregated(unlisted, Exposure(records=1_000_000)) is unlisted


def test_a_rule_without_a_category_is_about_all(tmp_path: Path) -> None:
    rule = "aggregation: [{id: day, records: 10, per: day, raise: 1}]\n"
    one = catalog(tmp_path, POPULATION + HEALTH + rule, apis=())
    for path, grade in (("/a", Grade.GENERAL_4), ("/b", Grade.GENERAL_3)):
        assert one.aggregated(one.find("GET", path), Exposure(records=10)).grade == grade


def test_rules_do_not_add_up_and_the_highest_is_named_first() -> None:
    rules = [a_rule("one", records=10, steps=1), a_rule("two", records=20, steps=2), a_rule("no", records=30, steps=3)]
    found = accumulated(an_asset(grade=Grade.GENERAL_2), Exposure(records=20), rules)
    assert (found.grade, found.raised) == (Grade.GENERAL_4, ("two", "one"))


def test_a_bulk_that_raises_nothing_more_is_dropped() -> None:
    plain = an_asset(grade=Grade.GENERAL_2, bulk=(Bulk(10, Grade.GENERAL_3, "x"), Bulk(99, Grade.CORE, "y")))
    found = accumulated(plain, Exposure(records=1), [a_rule("r", records=1, to=Grade.GENERAL_4)])
    assert found.bulk == (Bulk(99, Grade.CORE, "y"),)


def a_rule(id: str, **said: object) -> Rule:
    values = {
        "title": ("", ""),
        "category": "",
        "identifiers": (),
        "records": 0,
        "per": "day",
        "categories": (),
        "steps": 0,
    }
    return Rule(**({"id": id, "to": None} | values | said))  # type: ignore[arg-type]


grades = st.sampled_from(Grade)
rules = st.builds(
    lambda id, steps, to, records, per: a_rule(id, steps=steps, to=to, records=records, per=per),
    st.text("abc", min_size=1, max_size=3), st.integers(1, 5), st.none() | grades, st.integers(1, 9), st.sampled_from(["day", "reply"]),
)  # fmt: skip


@given(grades, st.lists(rules, max_size=5), st.integers(0, 10))
def test_no_rule_lowers_and_more_exposure_never_lowers(grade: Grade, some: list[Rule], records: int) -> None:
    plain: Asset = combined(an_asset(grade=grade, fields=(Field("$.a", "name", grade),)), (), some)
    daily = [rule for rule in some if rule.per == "day"]
    before, after = (accumulated(plain, Exposure(records=count), daily) for count in (records, records + 1))
    assert grade <= plain.grade <= before.grade <= after.grade <= Grade.CORE
    assert all(bulk.grade > after.grade for bulk in after.bulk)
    assert stricter(plain.contract, after.contract) == after.contract


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("{identifiers: [name, phone], raise: 1}", "K002"),
        ("{id: r, raise: 1}", "K040"),
        ("{id: r, identifiers: [name, phone]}", "K040"),
        ("{id: r, identifiers: [name, phone], raise: 1, to: core}", "K040"),
        ("{id: r, identifiers: [name], raise: 1}", "K040"),
        ("{id: r, identifiers: [name, name], raise: 1}", "K040"),
        ("{id: r, identifiers: [name, phone], per: day, raise: 1}", "K040"),
        ("{id: r, identifiers: [name, phone], records: 5, per: day, raise: 1}", "K040"),
        ("{id: r, records: 100, raise: 1}", "K040"),
        ("{id: r, records: 0, per: day, raise: 1}", "K003"),
        ("{id: r, records: -5, per: day, raise: 1}", "K003"),
        ("{id: r, records: 1, per: week, raise: 1}", "K040"),
        ("{id: r, records: 1, per: day, raise: 6}", "K003"),
        ("{id: r, records: 1, per: day, raise: -1}", "K003"),
        ("{id: r, records: 1, per: day, to: hot}", "K004"),
        ("{id: r, identifiers: [name, fone], raise: 1}", "K006"),
        ("{id: r, category: populaton, records: 1, per: day, raise: 1}", "K041"),  # would never hold
        ("{id: r, categories: [population, helth], per: day, raise: 1}", "K041"),
        ("{id: r, categories: [population], per: day, raise: 1}", "K040"),
        ("{id: r, categories: [population, population], per: day, raise: 1}", "K040"),
        ("{id: r, categories: [population, health], per: reply, raise: 1}", "K040"),
        ("{id: r, categories: [population, health], category: health, per: day, raise: 1}", "K040"),
        ("{id: r, recods: 1, per: day, raise: 1}", "K001"),
        ("5", "K003"),
    ],
)
def test_a_rule_that_says_too_little_or_too_much_is_refused(tmp_path: Path, rule: str, code: str) -> None:
    found = faults(tmp_path, POPULATION + HEALTH, f"aggregation:\n  - {rule}\n")
    assert (code, 2) in {(fault.code, fault.line) for fault in found}


def test_a_rule_that_stands_twice_names_the_first(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, POPULATION + BULK, BULK)
    assert (fault.code, "0.yaml:" in fault.en) == ("K010", True)


@pytest.mark.parametrize("rule", [TOGETHER, BULK, DAY])
def test_the_digest_tells_a_rule(tmp_path: Path, rule: str) -> None:
    digests = {
        catalog(tmp_path, POPULATION + text, apis=A).digest
        for text in ("", rule, rule.replace("raise: 1", "raise: 2").replace("10000", "9999"))
    }
    assert len(digests) == 3


def test_a_rule_for_the_day_holds_while_nobody_knows_what_was_shown() -> None:
    rule = Rule("day", ("", ""), "population", (), 10_000, "day", (), 0, Grade.CORE)  # type: ignore[arg-type]  # a span
    one = an_asset(category="population", grade=Grade.IMPORTANT)
    assert accumulated(one, Exposure(), (rule,)) is one
    assert accumulated(one, Exposure(unread=True), (rule,)).grade is Grade.CORE
