"""Are tests of policies run, and never passed by testing nothing? Is the starter as green as it says?"""

from pathlib import Path

import pytest

from gateway import catalog
from gateway.facts import Asset, Field, Grade
from gateway.policy import Bundle, TestResult, failure, load, run_tests
from tests.literals import an_asset
from tests.policy.world import CLERK_READS, MASKS, a_bundle

POLICIES = Path(__file__).parents[2] / "policies"
GREEN = "{name: a, given: {role: clerk}, request: GET /x, expect: permit}"


def run(folder: Path, tests: str, rules: str = CLERK_READS, asset: Asset | None = None) -> tuple[TestResult, ...]:
    bundle = a_bundle(folder, rules)
    (folder / "tests").mkdir()
    (folder / "tests" / "10.yaml").write_text(tests, encoding="utf-8")
    return run_tests(folder, bundle, lambda method, path: asset or an_asset())


def test_a_test_that_holds_passes(tmp_path: Path) -> None:
    (result,) = run(tmp_path, f"tests:\n  - {GREEN}\n")
    assert (result.passed, result.name, result.place, result.outcome) == (True, "a", "tests/10.yaml:2", "permit")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("expect: deny", "expect: expected deny, got permit"),
        ("expect: permit, reason: no_rule", "reason: expected no_rule, got rule_allowed"),
        ("expect: permit, mask: none", "mask: expected none, got pii-standard"),
        ("expect: permit, mask: {$.name: keep}", "mask: expected $.name=keep"),
        ("expect: permit, watermark: true", "watermark: expected true, got false"),
        ("expect: permit, notify: security", "notify: expected security, got nothing"),
        ("expect: permit, log: synced", "log: expected synced, got written"),
        ("expect: permit, rule: other", "rule: expected other"),
        ("expect: maybe", "no outcome `maybe`"),
        ("expect: permit, rule: clerk-raeds", "no rule `clerk-raeds`"),
        ("expect: permit, reason: no_ruel", "no reason `no_ruel`"),
        ("expect: permit, marsk: none", "unknown key `marsk`"),
        ("expect: permit, given: {rule: clerk}", "stands twice"),
        ("expect: permit, step_up: aal2", "step_up: expected aal2, got nothing"),
        ("expect: permit, max_age: 300", "max_age: expected 300, got nothing"),
        ("expect: permit, step_up: aal9", "no assurance `aal9`"),
        ("expect: permit, max_age: soon", "expected a whole number"),
        ("expect: permit, log: sometimes", "no log strength `sometimes`"),
        ("expect: permit, mask: {}", "expected a text"),
        ("expect: permit, suppress: {k: 5}", "suppress: expected k=5, got nothing"),
        ("expect: permit, suppress: {k: 1}", "expected a whole number"),
        ("expect: permit, suppress: {by: []}", "the list is empty"),
        ("expect: permit, suppress: {n: 5}", "unknown key `n`"),
        ("expect: permit, suppress: 5", "expected keys with values"),
        ("expect: permit, rules: other", "rules: expected other, got clerk-reads"),
        ("expect: permit, rules: [clerk-reads, other]", "rules: expected clerk-reads, other, got clerk-reads"),
        ("expect: permit, rules: [clerk-raeds]", "no rule `clerk-raeds`"),
        ("expect: permit, rule: {a: b}", "expected a text"),
        ("expect: permit, emergency: V", "no emergency level `V`"),
        ("expect: permit, emergency: II", "the policies have no emergency level `II`"),
    ],
)
def test_a_test_that_does_not_hold_or_cannot_be_read_fails_and_says_why(tmp_path: Path, change: str, says: str) -> None:
    other = "- {id: other, effect: deny, who: auditor}\n"
    (result,) = run(tmp_path, f"tests:\n  - {GREEN.replace('expect: permit', change)}\n", CLERK_READS + other)
    assert not result.passed
    assert says in result.en
    assert result.zh


@pytest.mark.parametrize(
    "tests",
    ["tests: 7", "test: []", "tests:\n  - {}", "tests:\n  - 5", "tests:\n  - {name: a, request: nowhere, expect: deny}",
     "tests:\n  - {name: a, request: GET /x, expect: deny, given: {devise: unknown}}", "tests: [",
     "tests:\n  - {name: a, request: GET /x, expect: deny, given: clerk}"],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_a_failure(tmp_path: Path, tests: str) -> None:
    results = run(tmp_path, tests)
    assert results and not any(result.passed for result in results)


@pytest.mark.parametrize(
    ("wish", "passed"),
    [
        ("{k: 5, by: [$..sex, '$.items[*].phone']}", True),
        ("{k: 5}", True),
        ("{by: ['$.items[*].phone', $..sex]}", True),
        ("{k: 6}", False),
        ("{k: 5, by: [$..sex]}", False),
        ("{}", False),
    ],
)
def test_what_is_suppressed_is_named_by_its_paths(tmp_path: Path, wish: str, passed: bool) -> None:
    masks = MASKS.replace('"*": keep}', '"*": keep, suppress: {k: 5, by: [$..sex, phone]}}')
    (tmp_path / "tests").mkdir()
    test = GREEN.replace("expect: permit", f"expect: permit, suppress: {wish}")
    (tmp_path / "tests" / "10.yaml").write_text(f"tests:\n  - {test}\n", encoding="utf-8")
    asset = an_asset(fields=(Field("$.items[*].phone", "phone", Grade.GENERAL_2),))
    (result,) = run_tests(tmp_path, a_bundle(tmp_path, CLERK_READS, masks=masks), lambda method, path: asset)
    assert result.passed is passed, result.en


def test_what_came_out_is_told_as_far_as_it_was_asked_for(tmp_path: Path) -> None:
    rows = CLERK_READS.rstrip("\n") + "\n  then: {rows: {$.district: ['330106', '330108']}}\n"
    wishes = (
        "mask: none",
        "mask: {$.id_number: keep}",
        "rows: {$.district: '330106'}",
        "suppress: {k: 5, by: [phone]}",
    )
    tests = "".join(f"  - {GREEN.replace('expect: permit', f'expect: permit, {wish}')}\n" for wish in wishes)
    assert [one.en for one in run(tmp_path, f"tests:\n{tests}", rows)] == [
        "mask: expected none, got pii-standard",
        "mask: expected $.id_number=keep, got $.id_number=partial(1,1)",
        "rows: expected $.district=330106, got $.district=330106, $.district=330108",
        "suppress: expected k=5, by=phone, got nothing",
    ]


def test_the_profiles_of_a_mask_are_named_in_any_order(tmp_path: Path) -> None:
    strict = CLERK_READS.replace("id: clerk-reads", "id: strict").rstrip("\n") + "\n  then: {mask: pii-strict}\n"
    rules = CLERK_READS.rstrip("\n") + "\n  then: {mask: none}\n" + strict
    wishes = ("none+pii-strict", "pii-strict+none", "none")
    tests = "".join(f"  - {GREEN.replace('expect: permit', f'expect: permit, mask: {wish}')}\n" for wish in wishes)
    assert [one.en for one in run(tmp_path, f"tests:\n{tests}", rules)] == [
        "", "", "mask: expected none, got none+pii-strict",
    ]  # fmt: skip


def test_in_observe_tests_say_what_enforce_says(tmp_path: Path) -> None:
    tests = "tests:\n  - {name: a, request: GET /x, expect: deny, reason: no_rule}\n"
    (result,) = run(tmp_path, tests, asset=an_asset(mode="observe"))
    assert result.passed


def test_a_challenge_is_held_to_what_it_asks_for(tmp_path: Path) -> None:
    fresh = "- {id: fresh, effect: deny, when: subject.auth_age > 300, then: {step_up: aal2, max_age: 300}}\n"
    old = "{name: a, given: {role: clerk, auth_age: 301}, request: GET /x, expect: challenge, step_up: aal2, max_age: 300}"
    stronger = old.replace("step_up: aal2", "step_up: aal3")
    right, wrong = run(tmp_path, f"tests:\n  - {old}\n  - {stronger}\n", CLERK_READS + fresh)
    assert right.passed
    assert wrong.en == "step_up: expected aal3, got aal2"


def test_a_test_may_be_asked_under_an_emergency_level(tmp_path: Path) -> None:
    (tmp_path / "emergency").mkdir()
    level = "level: II\nrules:\n  - {id: sealed, effect: deny}\n"
    (tmp_path / "emergency" / "II.yaml").write_text(level, encoding="utf-8")
    sealed = GREEN.replace("expect: permit", "expect: deny, rule: sealed, emergency: II")
    quiet, crisis, unknown = run(
        tmp_path, f"tests:\n  - {GREEN}\n  - {sealed}\n  - {GREEN.replace('permit}', 'deny, rule: sealed}')}\n"
    )
    assert quiet.passed and crisis.passed
    assert unknown.faults[0].code == "P093"  # a rule of a level that is not on has no say


def starter() -> tuple[Bundle, catalog.Catalog]:
    ledger = catalog.load(POLICIES / "catalog")
    return load(POLICIES, ledger.assets), ledger


def test_the_starter_loads_without_a_warning_and_all_its_examples_are_green() -> None:
    bundle, ledger = starter()
    assert bundle.warnings == ()
    results = run_tests(POLICIES, bundle, lambda method, path: ledger.find(method, path))
    assert [result for result in results if not result.passed] == []
    assert len(results) >= 30


def test_every_rule_of_the_starter_is_named_by_an_example() -> None:
    bundle, _ = starter()
    text = "".join(path.read_text(encoding="utf-8") for path in (POLICIES / "tests").glob("*.yaml"))
    assert [rule for rule in bundle.denies if f"rule: {rule}\n" not in text] == []


def test_every_rule_of_the_starter_matters() -> None:
    """Let one rule speak of nothing: some example must notice, or nobody would notice its loss."""
    bundle, ledger = starter()
    content = bundle.content
    words = {name: getattr(content, name) for name in content.__struct_fields__}
    unnoticed = []
    for rule in bundle.denies:
        rows = tuple((*row[:5], "nothing", *row[6:]) if row[0] == rule else row for row in content.rules)
        silenced = Bundle(type(content)(**(words | {"rules": rows})))
        if all(
            result.passed for result in run_tests(POLICIES, silenced, lambda method, path: ledger.find(method, path))
        ):
            unnoticed.append(rule)
    assert unnoticed == []


def test_a_test_about_a_path_that_is_not_listed_says_so(tmp_path: Path) -> None:
    (wrong,) = run(tmp_path, f"tests:\n  - {GREEN}\n", asset=an_asset(listed=False))
    assert wrong.en == "expect: expected permit, got deny; the catalog lists no `GET /x`"
    assert wrong.zh == "expect：预期 permit，实际 deny；目录未登记 `GET /x`"
    fault = failure(tmp_path, wrong)
    assert fault.remedy_en.endswith(
        "gone from gateway.yaml, edit or remove the tests in tests/10.yaml that speak of it"
    )
    assert "请修改或删除 tests/10.yaml 中涉及它的测试" in fault.remedy_zh
    (other,) = run(tmp_path / "listed", f"tests:\n  - {GREEN.replace('permit', 'deny')}\n")
    assert (other.passed, other.remedy) == (False, ("", ""))
