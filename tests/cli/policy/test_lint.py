"""`gateway policy lint`."""

import shutil
from pathlib import Path

import pytest

from tests.cli.policy.kept import Kept
from tests.cli.shell import ROOT, Run
from tests.review.native_folder import native_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped policies with a rule that nobody answers for."""
    shutil.copytree(ROOT / "policies", tmp_path / "new")
    more = tmp_path / "new" / "rules" / "99.yaml"
    more.write_text(
        "rules:\n  - {id: odd, title: odd, effect: deny, when: not device.fresh and subject.assurance <= 3}\n",
        encoding="utf-8",
    )
    return tmp_path / "new"


def test_nothing_found_is_0(run: Run) -> None:
    done = run("policy", "lint", ROOT / "policies", "--strict")
    assert (done.code, done.err, done.out.startswith("nothing found in ")) == (0, "", True), done.err
    assert run("policy", "lint", ROOT / "policies", "-o", "json").json == {
        "ok": True,
        "faults": [],
        "decisions": None,
        "left": 0,
    }


def test_findings_are_warnings_and_1_only_when_strict(run: Run, folder: Path) -> None:
    done = run("policy", "lint", folder)
    assert (done.code, "2 findings in" in done.out) == (0, True)
    assert "99.yaml:2:47: warning L002: `subject.assurance <= 3` is always true here" in done.err
    assert "warning L008" in done.err
    assert run("policy", "lint", folder, "--strict").code == 1
    chinese = run("policy", "lint", folder, "--lang", "zh-CN")
    assert "警告 L002：`subject.assurance <= 3` 在此处总是成立" in chinese.err
    told = run("policy", "lint", folder, "--strict", "-o", "json").json
    assert (told["ok"], [one["code"] for one in told["faults"]]) == (False, ["L008", "L002"])


def test_a_leak_is_an_error_and_1_without_strict_too(run: Run, folder: Path) -> None:
    masks = folder / "masks.yaml"
    masks.write_text(
        masks.read_text("utf-8").replace("resident-id: partial(1,1)", "resident-id: partial(17,0)", 1), "utf-8"
    )
    done = run("policy", "lint", folder)
    assert (done.code, "error L009: `pii-standard` shows partial(17,0) of $" in done.err) == (1, True), done.err
    assert "错误 L009：`pii-standard` 在 `" in run("policy", "lint", folder, "--lang", "zh-CN").err
    told = run("policy", "lint", folder, "-o", "json").json
    assert (told["ok"], {one["code"] for one in told["faults"]}) == (False, {"L002", "L008", "L009"})


def test_faults_are_1_and_what_cannot_be_read_is_3(run: Run, folder: Path) -> None:
    (folder / "rules" / "99.yaml").write_text("rules: [")
    assert run("policy", "lint", folder).code == 1
    assert run("policy", "lint", "nowhere").code == 3
    assert run("policy", "lint", ROOT / "policies", "--replay", "nowhere").code == 3
    assert run("policy", "lint", ROOT / "policies", "--replay", "30d").code == 3  # no configuration says where


def test_rules_are_held_against_decisions(run: Run, kept: Kept, tmp_path: Path) -> None:
    done = run("policy", "lint", "--replay", "9000d", "-c", kept.config, GATEWAY__STATE=str(kept.state))
    assert (done.code, "held against 5 decisions" in done.out) == (0, True), done.err
    unused = {line.split(":")[1] for line in done.err.splitlines() if "warning L011" in line and "20-civil" in line}
    rules = (ROOT / "policies" / "rules" / "20-civil.yaml").read_text(encoding="utf-8").splitlines()
    assert {rules[int(line) - 1].strip() for line in unused} == {"- id: civil-write", "- id: civil-read-contractor"}
    (tmp_path / "entries.jsonl").write_text("no entry\n")
    odd = run("policy", "lint", ROOT / "policies", "--replay", "entries.jsonl")
    assert (odd.code, "1 entry could not be read" in odd.err, "no decision in" in odd.err) == (3, True, True), odd.err


def test_findings_go_into_a_report(run: Run, folder: Path, tmp_path: Path) -> None:
    assert run("policy", "lint", folder, "--sarif", "lint.sarif").code == 0
    assert '"L002"' in (tmp_path / "lint.sarif").read_text(encoding="utf-8")


def test_rows_of_a_native_policy_are_told_not_passed_over(run: Run, tmp_path: Path) -> None:
    native_folder(tmp_path / "p")
    assert "not looked at: 5 rows of casbin/" in run("policy", "lint", "p").err
    assert run("policy", "lint", "p", "-o", "json").json["left"] == 5


def test_an_odd_span_is_2_and_a_file_that_is_not_there_3(run: Run) -> None:
    assert run("policy", "lint", ROOT / "policies", "--replay", "5x").code == 2
    assert run("policy", "lint", ROOT / "policies", "--replay", "none.jsonl").code == 3
    assert run("policy", "diff", ROOT / "policies", ROOT / "policies", "--replay", "5x").code == 2
