"""What do the tests of a policy folder reach?

| what must not look covered | test |
|---|---|
| a route that only a failing test asks | test_a_test_that_fails_covers_nothing |
| an outcome that cannot be | test_impossible_cells_do_not_count |
| a rule that was about the route and said nothing | test_a_rule_is_seen_when_it_decides |
"""

from pathlib import Path

from gateway.catalog import load as load_catalog
from gateway.policy import load, run_tests
from gateway.review.coverage import Coverage, coverage, uncovered
from tests.policy.world import CLERK_READS
from tests.review.native_folder import native_folder
from tests.review.small import made

READS = "- {name: a, given: {role: clerk}, request: GET /households, expect: permit}\n"
STEP = (
    CLERK_READS + "- {id: strong, effect: deny, data: population, when: subject.assurance < 2, then: {step_up: aal2}}\n"
)


def covered(tmp_path: Path, tests: str, rules: str = CLERK_READS) -> Coverage:
    bundle, catalog = made(tmp_path, tests, rules)
    return coverage(bundle, catalog, run_tests(tmp_path, bundle, catalog.find))


def reached(found: Coverage) -> set[tuple[str, str]]:
    return {(cell.route, cell.outcome) for cell in found.cells if cell.tests}


def test_a_cell_is_route_action_grade_and_outcome(tmp_path: Path) -> None:
    found = covered(tmp_path, READS)
    (cell,) = (cell for cell in found.cells if cell.tests)
    assert (cell.route, cell.action, cell.grade, cell.outcome, cell.tests) == (
        "GET /households",
        "read",
        "important",
        "permit",
        1,
    )
    assert found.unasked == ("PUT /households/{id}", "GET /visits/{id}", "GET /visits/1", "GET /records/**")


def test_impossible_cells_do_not_count(tmp_path: Path) -> None:
    possible = {(cell.route, cell.outcome) for cell in covered(tmp_path, READS, STEP).cells if cell.possible}
    assert possible == {
        ("GET /households", "permit"),
        ("GET /households", "challenge"),
        ("GET /households", "deny"),
        ("PUT /households/{id}", "deny"),
        ("GET /visits/{id}", "deny"),
        ("GET /visits/1", "deny"),
        ("GET /records/**", "deny"),
    }


def test_a_rule_is_seen_when_it_decides(tmp_path: Path) -> None:
    weak = "- {name: b, given: {role: clerk, assurance: aal1}, request: GET /households, expect: challenge}\n"
    one, two = covered(tmp_path / "1", READS, STEP), covered(tmp_path / "2", weak, STEP)
    assert [rule.rule for rule in one.unseen] == ["strong"]
    assert [rule.rule for rule in two.unseen] == ["clerk-reads"]
    assert covered(tmp_path / "3", READS + weak, STEP).unseen == ()


def test_the_share_is_of_cells_and_rules(tmp_path: Path) -> None:
    found = covered(tmp_path, READS)  # a permit and five denials can be reached, and one rule seen
    assert (found.reached, found.reachable, round(found.percent, 1)) == (2, 7, 28.6)


def test_a_test_that_fails_covers_nothing(tmp_path: Path) -> None:
    assert reached(covered(tmp_path, READS.replace("permit", "deny"))) == set()


def test_a_path_nobody_listed_is_no_cell(tmp_path: Path) -> None:
    assert reached(covered(tmp_path, "- {name: a, request: GET /elsewhere, expect: deny}\n")) == set()


def test_a_rule_of_an_emergency_is_seen_under_it(tmp_path: Path) -> None:
    (tmp_path / "emergency").mkdir()
    level = "level: I\nrules:\n  - {id: sealed, effect: deny}\n"
    (tmp_path / "emergency" / "I.yaml").write_text(level, encoding="utf-8")
    assert [rule.rule for rule in covered(tmp_path, READS).unseen] == ["sealed"]
    under = READS + "- {name: b, emergency: I, given: {role: clerk}, request: GET /households, expect: deny}\n"
    assert covered(tmp_path, under).unseen == ()


def test_what_is_not_seen_is_a_warning_at_its_place(tmp_path: Path) -> None:
    (fault,) = uncovered(covered(tmp_path, READS, STEP), "policies")
    assert (fault.file, fault.line, fault.code, fault.warning) == ("policies/rules/10-test.yaml", 8, "M002", True)
    assert (fault.en, fault.zh) == ("no test shows that `strong` denies", "没有测试表明 `strong` 会拒绝")


def test_rows_of_a_native_policy_are_rules(tmp_path: Path) -> None:
    native_folder(tmp_path)
    listed = load_catalog(tmp_path / "catalog")
    bundle = load(tmp_path, listed.assets)
    found = coverage(bundle, listed, run_tests(tmp_path, bundle, listed.find))
    assert [(one.rule, one.effect, one.place, one.tests) for one in found.rules] == [
        ("casbin:1", "allow", "casbin/policy.csv:1", 1),
        ("casbin:2", "deny", "casbin/policy.csv:2", 1),
        ("casbin:3", "allow", "casbin/policy.csv:3", 0),
    ]
    assert all(cell.possible for cell in found.cells if cell.outcome == "permit")
