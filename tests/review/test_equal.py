"""Could any request tell these two rules apart? What is called equal must be, or a hole would not be counted.

| what must not be hidden | test |
|---|---|
| a wider level, where a route has that grade | test_a_level_is_equal_where_no_route_has_the_grade |
| a weaker log on data that needs the rule for it | test_a_log_is_equal_where_the_grade_demands_it |
| a weaker step-up where somebody gets in with it | test_a_step_up_is_equal_where_the_weaker_one_is_barred |
| any of them, by any request that can be found | test_no_suggestion_is_ever_found_for_what_is_called_equal |
"""

from pathlib import Path

import pytest

from gateway.policy import Bundle
from gateway.policy.content import Row
from gateway.review.equal import Bars, said
from gateway.review.mutate import changed, slips
from gateway.review.routes import routes
from gateway.review.suggest import Search
from tests.policy.world import CLERK_READS
from tests.review.small import made


def equal(tmp_path: Path, rule: str, before: str, after: str) -> bool:
    """Whether a rule is called equal when a part of its text is another."""
    spoken = []
    for name, text in (("a", rule), ("b", rule.replace(before, after))):
        assert before in rule
        bundle, catalog = made(tmp_path / name, rules=text)
        rows: tuple[Row, ...] = tuple(row for row in bundle.content.rules if row[0] == "r")
        spoken.append(said(rows, routes(catalog), Bars(bundle)))
    return spoken[0] == spoken[1]


ALLOW = '- {id: r, effect: allow, who: clerk, data: [population, health], action: read, level: "<= core", then: {log: synced}}\n'


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("<= core", "any", True),
        ("<= core", ">= general-2", True),
        ("<= core", "<= important", False),
        ("[population, health]", '"*"', True),  # there is nothing else
        ("[population, health]", "health", False),
        ("[population, health]", "[population, visit]", True),
        ("action: read", "action: [read, delete]", True),
        ("action: read", "action: [read, update]", False),
        ("who: clerk", "who: signed-in", False),
        ("action: read", "action: read, org: prov", False),
    ],
)
def test_a_level_is_equal_where_no_route_has_the_grade(tmp_path: Path, before: str, after: str, same: bool) -> None:
    assert equal(tmp_path, ALLOW, before, after) is same


def test_a_log_is_equal_where_the_grade_demands_it(tmp_path: Path) -> None:
    core = ALLOW.replace("[population, health]", "health")
    assert equal(tmp_path / "core", core, "log: synced", "log: written")
    assert not equal(tmp_path / "all", ALLOW, "log: synced", "log: written")


STEP = (
    CLERK_READS
    + "- {id: r, effect: deny, who: person, data: population, when: subject.auth_age > 300, then: {step_up: aal2}}\n"
)


@pytest.mark.parametrize(
    ("bar", "same"),
    [
        ("when: subject.assurance < 2", True),
        ("when: not device.fresh or subject.assurance < 2", True),
        ("when: subject.assurance <= 0", False),
        ("when: subject.assurance < 2 and device.fresh", False),
        ("who: clerk, when: subject.assurance < 2", False),
        ("org: prov, when: subject.assurance < 2", False),
        ("data: health, when: subject.assurance < 2", False),
        ('level: ">= core", when: subject.assurance < 2', False),
        ("expires: 2026-12-31, when: subject.assurance < 2", False),
        ("when: subject.assurance < 2 or device.fresh", True),
    ],
)
def test_a_step_up_is_equal_where_the_weaker_one_is_barred(tmp_path: Path, bar: str, same: bool) -> None:
    rules = STEP + f"- {{id: bar, effect: deny, {bar}}}\n"
    assert equal(tmp_path, rules, "step_up: aal2", "step_up: aal1") is same


def test_no_suggestion_is_ever_found_for_what_is_called_equal(tmp_path: Path) -> None:
    rules = STEP.replace("data: population, when", 'level: ">= important", when') + (
        '- {id: bar, effect: deny, when: subject.assurance < 2, level: "<= important"}\n'
        "- {id: all, effect: allow, who: auditor, data: health, action: read, level: any, then: {log: synced}}\n"
    )
    bundle, catalog = made(tmp_path, rules=rules)
    known, bars, tried = routes(catalog), Bars(bundle), 0
    for slip in slips(bundle):
        rows = tuple(row for row in bundle.content.rules if row[0] == slip.rule)
        if said(rows, known, bars) == said(slip.rows, known, bars):
            tried += 1
            mutant = Bundle(changed(bundle.content, slip, ""))
            assert Search(known, catalog.find, 500).test(bundle, mutant, slip, rows, "") == ""
    assert tried > 5
