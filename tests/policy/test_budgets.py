"""Is a budget read as its author meant it, or refused with a word on how to mend it; and for whom does it count?"""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.document import Faulty, FileFault
from gateway.facts import Budget, Exposure, Limit
from gateway.policy import Bundle, Damaged, load
from gateway.policy.budgets import reckoned, weakened
from tests.literals import a_subject, an_ask, an_asset
from tests.policy.world import ASSETS, CLERK_READS, visit, write

DAY = """\
budgets:
  - id: civil-day
    title: {zh: 每日额度, en: the day of a clerk}
    who: [clerk]
    org: prov/civil
    data: [household]
    purpose: counter-service
    per: day
    by: subject
    soft: {records: 200}
    hard: {records: 1000, fields: 5000}
    mask: pii-strict
"""
LEAST = "budgets:\n  - {id: least, data: population, hard: {records: 10}}\n"


def bundle(folder: Path, budgets: str = DAY) -> Bundle:
    write(folder, CLERK_READS)
    (folder / "budgets.yaml").write_text(budgets, encoding="utf-8")
    return load(folder, ASSETS)


def faults(folder: Path, budgets: str) -> list[FileFault]:
    with pytest.raises(Faulty) as raised:
        bundle(folder, budgets)
    return list(raised.value.faults)


def test_a_budget_is_read_as_written(tmp_path: Path) -> None:
    assert bundle(tmp_path).content.budgets == (
        Budget(
            "civil-day", ("clerk",), "prov/civil", ("household",), "counter-service", "subject",
            Limit(200), Limit(1000, 5000), "pii-strict",
        ),
    )  # fmt: skip


def test_what_is_left_out_means_any(tmp_path: Path) -> None:
    assert bundle(tmp_path, LEAST).content.budgets == (
        Budget("least", ("*",), "", ("population",), "", "subject", Limit(), Limit(10)),
    )


@pytest.mark.parametrize(
    ("budget", "code", "line", "remedy"),
    [
        ("{id: x, data: household}", "P171", 2, "write soft: {records: 200}, hard: {records: 1000}, or one of them"),
        ("{id: x, data: household, soft: {records: 2}}", "P172", 2, "add `mask: PROFILE`, or write `hard` instead"),
        (
            "{id: x, data: household, soft: {records: 9}, hard: {records: 9}, mask: none}",
            "P173",
            2,
            "write less than 9",
        ),
        ("{id: x, data: household, soft: {fields: 9}, hard: {fields: 3}, mask: none}", "P173", 2, "write less than 3"),
        ("{id: x, data: household, per: week, hard: {records: 1}}", "P170", 2, "possible: day"),
        ("{id: x, data: household, by: session, hard: {records: 1}}", "P170", 2, "possible: "),
        (
            "{id: x, data: hausehold, hard: {records: 1}}",
            "P012",
            2,
            'did you mean "household"?; or declare it in catalog/',
        ),
        ("{id: x, data: household, who: clrek, hard: {records: 1}}", "P010", 2, 'did you mean "clerk"?'),
        ("{id: x, data: household, who: 'user:clerk', hard: {records: 1}}", "P010", 2, ""),
        ("{id: x, data: household, org: prov/cvil, hard: {records: 1}}", "P011", 2, 'did you mean "prov/civil"?'),
        ("{id: x, data: household, soft: {records: 1}, mask: pii-stric}", "P014", 2, 'did you mean "pii-strict"?'),
        ("{id: x, data: household, hard: {records: 0}}", "P004", 2, ""),
        ("{id: x, data: household, soft: {records: 5}, mask: none, hard: {}}", "P171", 2, "write soft: "),
        ("{id: x, data: household, soft: , hard: {records: 5}}", "P171", 2, "write soft: "),
        ("{id: x, data: household, hard: {records: many}}", "P004", 2, ""),
        ("{id: x, data: household, hard: {recrods: 1}}", "P001", 2, 'did you mean "records"?'),
        ("{id: x, data: household, hard: {records: 1}, mode: x}", "P001", 2, ""),
        ("{data: household, hard: {records: 1}}", "P003", 2, "add `id:`"),
        ("{id: x, hard: {records: 1}}", "P003", 2, "add `data:`"),
        ("{id: x, data: [], hard: {records: 1}}", "P004", 2, "name at least one"),
    ],
)
def test_a_budget_that_cannot_be_meant_is_refused_where_it_stands(
    tmp_path: Path, budget: str, code: str, line: int, remedy: str
) -> None:
    found = faults(tmp_path, f"budgets:\n  - {budget}\n")
    told = [fault for fault in found if fault.code == code]
    assert told and told[0].line == line and told[0].file.endswith("budgets.yaml")
    assert told[0].zh and remedy[:20] in told[0].remedy_en


def test_an_id_that_stands_twice_is_refused(tmp_path: Path) -> None:
    twice = "budgets:\n" + "  - {id: x, data: household, hard: {records: 1}}\n" * 2
    assert [fault.code for fault in faults(tmp_path, twice)] == ["P005"]


# --- in the bundle -------------------------------------------------------------------------------


def test_a_changed_limit_is_another_bundle(tmp_path: Path) -> None:
    digests = {bundle(tmp_path, text).digest for text in (DAY, DAY.replace("1000", "1001"), "budgets: []\n")}
    assert len(digests) == 3


def test_a_worker_makes_the_same_budgets_from_the_snapshot(tmp_path: Path) -> None:
    made = bundle(tmp_path)
    again = Bundle.from_bytes(made.dump())
    assert (again.digest, again.content.budgets) == (made.digest, made.content.budgets)


def test_a_budget_that_was_taken_out_of_the_snapshot_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(Damaged):
        Bundle.from_bytes(bundle(tmp_path).dump().replace(b"civil-day", b"civil-dax"))


def test_a_misspelt_file_of_budgets_is_told(tmp_path: Path) -> None:
    write(tmp_path, CLERK_READS)
    (tmp_path / "budget.yaml").write_text(DAY, encoding="utf-8")
    with pytest.raises(Faulty) as raised:
        load(tmp_path, ASSETS)
    assert [fault.code for fault in raised.value.faults] == ["P088"]


# --- for whom -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({}, True),
        ({"roles": ("auditor",)}, False),
        ({"roles": ()}, False),
        ({"org": "prov"}, False),
        ({"org": "hz/civil"}, False),
        ({"purpose": "census"}, False),  # vouched for: it hides the stated one
        ({"purpose": "counter-service"}, True),
    ],
)
def test_a_budget_counts_for_those_it_names(tmp_path: Path, change: dict[str, Any], counts: bool) -> None:
    subject = a_subject(**({"purpose": "", "org": "prov/civil"} | change))
    found = bundle(tmp_path).budgets(an_ask(purpose="counter-service"), subject, an_asset())
    assert [budget.id for budget in found] == (["civil-day"] if counts else [])


def test_other_data_and_another_stated_purpose_are_not_counted(tmp_path: Path) -> None:
    policy, subject = bundle(tmp_path), a_subject(purpose="")
    assert policy.budgets(an_ask(purpose="census"), subject, an_asset()) == ()
    assert policy.budgets(an_ask(purpose="counter-service"), subject, visit()) == ()


def test_a_category_means_all_its_assets_and_nobody_escapes_a_budget_for_all(tmp_path: Path) -> None:
    policy = bundle(tmp_path, LEAST)
    nobody = a_subject(id="", kind="anonymous", roles=(), org="")
    for asset in (an_asset(), an_asset(id="marriage")):
        assert [one.id for one in policy.budgets(an_ask(), nobody, asset)] == ["least"]


def test_a_role_that_includes_another_is_counted_as_it(tmp_path: Path) -> None:
    policy = bundle(tmp_path, "budgets: [{id: all, who: auditor, data: health, hard: {records: 1}}]\n")
    assert policy.budgets(an_ask(), a_subject(roles=("senior-auditor",)), visit())


# --- how far it is spent -------------------------------------------------------------------------


BUDGET = Budget("b", ("*",), "", ("household",), "", "subject", Limit(2), Limit(4, 9), "pii-strict")


@pytest.mark.parametrize(
    ("records", "fields", "spent"),
    [(0, 0, ""), (1, 8, ""), (2, 0, "soft"), (3, 8, "soft"), (4, 0, "hard"), (0, 9, "hard")],
)
def test_a_limit_is_reached_by_what_was_shown_before(records: int, fields: int, spent: str) -> None:
    assert reckoned((BUDGET,), Exposure(records, fields)).spent == spent


def test_what_is_on_record_as_spent_stays_spent() -> None:
    assert reckoned((BUDGET,), Exposure(0, 0, (), ("b",), "hard")).spent == "hard"
    assert reckoned((BUDGET,), Exposure(2, 0, (), ("other",), "hard")).spent == "soft"


def test_what_was_not_known_when_it_was_decided_is_not_known_when_it_is_judged_again() -> None:
    """Else a replay would say that a condition holds that failed, since nobody knew how much was shown."""
    assert reckoned((BUDGET,), Exposure(unread=True)).unread
    assert reckoned((), Exposure(2, unread=True)).unread


# --- whether another binds less --------------------------------------------------------------------


def changed(**changes: Any) -> Budget:
    return replace(BUDGET, **changes)


@pytest.mark.parametrize(
    ("after", "binds"),
    [
        (BUDGET, True),
        (changed(id="renamed"), True),
        (changed(soft=Limit(1), hard=Limit(3, 9)), True),
        (changed(data=("household", "marriage")), True),
        (changed(soft=Limit(2, 5)), True),  # one limit more
        (changed(soft=Limit(3)), False),
        (changed(hard=Limit(4)), False),
        (changed(hard=Limit(4, 10)), False),
        (changed(soft=Limit()), False),
        (changed(mask="none"), False),
        (changed(who=("clerk",)), False),
        (changed(org="prov"), False),
        (changed(purpose="aid"), False),
        (changed(by="department"), False),
        (changed(data=("marriage",)), False),
    ],
)
def test_a_budget_that_binds_less_is_told(after: Budget, binds: bool) -> None:
    assert weakened((BUDGET,), (after,)) == (() if binds else ("b",))


def test_a_budget_that_is_gone_binds_less_and_a_new_one_more() -> None:
    assert weakened((BUDGET,), ()) == ("b",)
    assert weakened((), (BUDGET,)) == ()
