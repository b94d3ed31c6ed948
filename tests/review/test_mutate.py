"""Would the tests notice if a rule were wrong?

| what must not pass for a good score | test |
|---|---|
| tests that reach a rule and hold nothing | test_a_test_that_holds_little_kills_little |
| tests that fail anyway | test_a_test_that_fails_as_things_are_kills_nothing |
| a folder without tests | test_without_tests_everything_survives |
| rules of an emergency that no test is asked under | test_rules_of_an_emergency_need_tests_under_it |
| what cannot be told apart counted as killed | test_what_is_equal_is_not_counted |
| a native policy that nobody looked at | test_rows_of_a_native_policy_are_left_out_and_turned_round |
"""

import shutil
import textwrap
from pathlib import Path

from gateway import catalog
from gateway.policy import load
from gateway.policy.examples import read_tests
from gateway.review.mutate import NATIVE_MOST, Mutant, Score, changed, left_aside, mutants, score, slips
from tests.policy.world import CLERK_READS
from tests.review.native_folder import ROWS, native_folder
from tests.review.small import made
from tests.test_layout import ROOT

POLICIES = Path(__file__).parents[2] / "policies"
STRONG = """\
- {name: a clerk reads, given: {role: clerk}, request: GET /households, expect: permit, mask: pii-standard}
- {name: nobody else, given: {role: auditor}, request: GET /households, expect: deny}
- {name: no change, given: {role: clerk}, request: PUT /households/1, expect: deny}
- {name: no visit, given: {role: clerk, assurance: aal3}, request: GET /visits/1, expect: deny}
"""


def brought(tmp_path: Path, tests: str, rules: str = CLERK_READS, suggest: bool = False) -> list[Mutant]:
    bundle, listed = made(tmp_path, tests, rules)
    return list(mutants(bundle, listed, read_tests(tmp_path), suggest))


def survivors(found: list[Mutant]) -> set[str]:
    return {mutant.en for mutant in found if mutant.fate == "survived"}


def test_tests_on_both_sides_of_every_word_kill_everything(tmp_path: Path) -> None:
    found = brought(tmp_path, STRONG)
    assert survivors(found) == set()
    assert score(found).percent == 100.0
    assert {mutant.killed_by for mutant in found if mutant.key == "who"} == {"nobody else"}


def test_a_test_that_holds_little_kills_little(tmp_path: Path) -> None:
    found = brought(tmp_path, "- {name: a, given: {role: clerk}, request: GET /households, expect: permit}\n")
    assert survivors(found) == {
        "`who: clerk` becomes `signed-in`",
        "`action: read` becomes `*`",
        "`mask: pii-standard` becomes `none`",
    }
    assert {mutant.place for mutant in found} == {"rules/10-test.yaml:2"}


def test_a_test_that_fails_as_things_are_kills_nothing(tmp_path: Path) -> None:
    wrong = "- {name: a, given: {role: clerk}, request: GET /households, expect: deny}\n- {name: b, request: nowhere, expect: deny}\n"
    assert score(brought(tmp_path, wrong)).killed == 0


def test_without_tests_everything_survives(tmp_path: Path) -> None:
    told = score(brought(tmp_path, ""))
    assert (told.killed, told.percent) == (0, 0.0)
    assert told.survived > 4


def test_what_is_equal_is_not_counted(tmp_path: Path) -> None:
    found = brought(tmp_path, STRONG)
    assert {mutant.en for mutant in found if mutant.fate == "equivalent"} == {
        "`data: population` becomes `*`",  # the level ends below all other data
        "`level: <= important` becomes `any`",  # no data of this category is core
    }
    assert score(found) == Score(killed=6, survived=0, equivalent=2)
    assert (Score(3, 1, 90).percent, Score(0, 0, 5).percent) == (75.0, 100.0)


def test_a_mutant_is_its_rule_in_its_place(tmp_path: Path) -> None:
    bundle, _ = made(
        tmp_path,
        rules="- {id: first, effect: deny, who: auditor}\n"
        + CLERK_READS
        + "- {id: last, effect: deny, who: auditor}\n",
    )
    for slip in slips(bundle):
        ids = [row[0] for row in changed(bundle.content, slip, "").rules]
        whole = ["first", "clerk-reads", "last"]
        assert ids == (whole if slip.rows else [rule for rule in whole if rule != slip.rule])


def test_rules_of_an_emergency_need_tests_under_it(tmp_path: Path) -> None:
    (tmp_path / "emergency").mkdir()
    (tmp_path / "emergency" / "I.yaml").write_text(
        "level: I\nrules:\n  - {id: sealed, effect: deny}\n", encoding="utf-8"
    )
    quiet = [mutant for mutant in brought(tmp_path, STRONG) if mutant.rule == "sealed"]
    assert "the rule is left out" in survivors(quiet)
    under = STRONG + "- {name: sealed, emergency: I, given: {role: clerk}, request: GET /households, expect: deny}\n"
    asked = [mutant for mutant in brought(tmp_path, under) if mutant.rule == "sealed"]
    assert "the rule is left out" not in survivors(asked)


def test_a_survivor_brings_a_test_and_the_test_kills_it(tmp_path: Path) -> None:
    tests = ""
    for _ in range(20):
        found = brought(tmp_path, tests, suggest=True)
        left = [mutant for mutant in found if mutant.fate == "survived"]
        if not left:
            break
        assert left[0].suggestion
        tests += left[0].suggestion.replace("\n    ", "\n  ").replace("  - name", "- name", 1)
        assert left[0].en not in survivors(brought(tmp_path, tests))
    assert left == []


def test_the_tests_of_the_starter_notice_every_mistake() -> None:
    listed = catalog.load(POLICIES / "catalog")
    bundle = load(POLICIES, listed.assets)
    found = list(mutants(bundle, listed, read_tests(POLICIES), suggest=False))
    assert [(mutant.rule, mutant.en) for mutant in found if mutant.fate == "survived"] == []
    told = score(found)
    assert told.killed > 250
    assert told.equivalent < 60


def test_rows_of_a_native_policy_are_left_out_and_turned_round(tmp_path: Path) -> None:
    native_folder(tmp_path)
    listed = catalog.load(tmp_path / "catalog")
    bundle = load(tmp_path, listed.assets)
    found = list(mutants(bundle, listed, read_tests(tmp_path)))
    assert {(one.place, one.en) for one in found if one.fate == "survived"} == {
        ("casbin/policy.csv:3", "`p: dave, /visits/1, GET, allow` is left out"),
        ("casbin/policy.csv:3", "`eft: allow` becomes `deny`"),
        ("casbin/policy.csv:5", "`g: bob, reader` is left out"),
    }
    assert {one.killed_by for one in found if one.place == "casbin/policy.csv:2"} == {"not bob"}
    assert {one.killed_by for one in found if one.place == "casbin/policy.csv:4"} == {"a reader reads"}


def test_a_budget_is_left_out_and_its_limits_are_moved(tmp_path: Path) -> None:
    tests = """\
        - {name: before, given: {role: clerk, org: prov/civil, exposure: {records: 1}}, request: GET /civil/households/1, expect: permit, mask: pii-standard}
        - {name: soft, given: {role: clerk, org: prov/civil, exposure: {records: 2}}, request: GET /civil/households/1, expect: permit, mask: pii-standard+pii-strict}
    """
    budget = (
        "budgets: [{id: day, who: clerk, data: household, soft: {records: 2}, hard: {records: 5}, mask: pii-strict}]\n"
    )
    folder = tmp_path / "policies"
    shutil.copytree(ROOT / "policies", folder)
    for path in (folder / "tests").iterdir():
        path.unlink()
    (folder / "budgets.yaml").write_text(budget)
    (folder / "tests" / "10.yaml").write_text("tests:\n" + textwrap.dedent(tests))
    ledger = catalog.load(folder / "catalog")
    bundle = load(folder, ledger.assets)
    found = [one for one in mutants(bundle, ledger, read_tests(folder), suggest=False) if one.rule == "budget:day"]
    assert [(one.key, one.before, one.after, one.fate, one.killed_by) for one in found] == [
        ("budget", "day", "", "killed", "soft"),
        ("soft.records", "2", "3", "killed", "soft"),
        ("hard.records", "5", "6", "survived", ""),
    ]
    assert {one.place for one in found} == {"budgets.yaml:1"}


def test_what_a_profile_suppresses_is_left_out_and_its_k_is_moved(tmp_path: Path) -> None:
    tests = """\
        - {name: crowd, given: {role: clerk, org: prov/civil}, request: GET /civil/households/1, expect: permit, suppress: {by: [$..sex]}}
    """
    folder = tmp_path / "policies"
    shutil.copytree(ROOT / "policies", folder)
    for path in (folder / "tests").iterdir():
        path.unlink()
    masks = (folder / "masks.yaml").read_text(encoding="utf-8")
    words = "serve the person at the counter\n"
    assert words in masks
    rare = f"{words}    suppress: {{k: 3, by: $..sex}}\n"
    (folder / "masks.yaml").write_text(masks.replace(words, rare), encoding="utf-8")
    (folder / "tests" / "10.yaml").write_text("tests:\n" + textwrap.dedent(tests))
    ledger = catalog.load(folder / "catalog")
    bundle = load(folder, ledger.assets)
    found = [one for one in mutants(bundle, ledger, read_tests(folder), suggest=False) if one.rule.startswith("mask:")]
    assert [(one.rule, one.key, one.before, one.after, one.fate, one.killed_by) for one in found] == [
        ("mask:pii-standard", "suppress", "k 3 by [$..sex]", "", "killed", "crowd"),
        ("mask:pii-standard", "suppress.k", "3", "2", "survived", ""),
    ]
    assert {one.place for one in found} == {"masks.yaml"}


def test_rows_beyond_the_bound_are_counted_as_left_aside(tmp_path: Path) -> None:
    native_folder(tmp_path, ROWS + "".join(f"p, u{n}, /households, GET, allow\n" for n in range(NATIVE_MOST)))
    bundle = load(tmp_path, catalog.load(tmp_path / "catalog").assets)
    assert left_aside(bundle) == 5
    assert len({slip.rule for slip in slips(bundle)}) == NATIVE_MOST


def test_a_rule_that_has_expired_is_left_to_lint(tmp_path: Path) -> None:
    bundle, _ = made(tmp_path, rules=CLERK_READS + "- {id: old, effect: deny, data: health, expires: 2020-01-01}\n")
    assert "old" in {slip.rule for slip in slips(bundle)}
    assert {slip.rule for slip in slips(bundle, 1_600_000_000.0)} == {"clerk-reads"}
