"""`gateway policy`: are the rules good, do they do what they should, and why this decision?"""

import shutil
from pathlib import Path

from tests.cli.shell import Run
from tests.control.doors import Behind

GIVEN = ("--given", "role=clerk", "--given", "org=prov/civil")


def test_the_shipped_policies_are_good(run: Run, made: Path) -> None:
    done = run("policy", "check", made / "policies")
    assert done.code == 0, done.err
    assert "good:" in done.out
    assert run("policy", "check", "-c", made / "gateway.yaml", "-o", "json").json["ok"] is True


def test_faults_are_1_with_their_places(run: Run, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "policies", tmp_path / "policies")
    people = tmp_path / "policies" / "people.yaml"
    people.write_text(people.read_text() + "odd: 1\n")
    done = run("policy", "check", "policies", "-o", "json")
    assert done.code == 1
    assert done.json["faults"][0]["file"].endswith("people.yaml")
    assert "people.yaml:" in done.err


def test_tests_run_and_can_be_chosen(run: Run, made: Path) -> None:
    whole = run("policy", "test", made / "policies", "-o", "json").json
    assert whole["ok"] is True
    assert whole["passed"] == len(whole["tests"]) > 10
    name = whole["tests"][0]["name"]
    one = run("policy", "test", made / "policies", "-k", name, "-v")
    assert name in one.out
    assert run("policy", "test", made / "policies", "-k", "no such test").code == 1


def test_an_allowed_and_a_denied_request_are_explained(run: Run, made: Path) -> None:
    config = ("-c", made / "gateway.yaml")
    allowed = run("policy", "explain", "--as", "zhang.wei", "--do", "GET /civil/households/1", *GIVEN, *config)
    assert (allowed.code, "ALLOW" in allowed.out) == (0, True), allowed.out
    denied = run(
        "policy", "explain", "--as", "wang.fang", "--do", "GET /civil/households/1", *config, "--lang", "zh-CN"
    )
    assert (denied.code, "拒绝" in denied.out) == (1, True)
    assert (
        run("policy", "explain", "--as", "a", "--do", "GET /civil/households/1", *config, "-o", "json").json["outcome"]
        == "deny"
    )
    unlisted = run("policy", "explain", "--as", "a", "--do", "GET /nowhere", *config)
    assert "in no asset of the catalog" in unlisted.err


def test_what_cannot_be_supposed_is_2(run: Run, made: Path) -> None:
    config = ("-c", made / "gateway.yaml")
    assert run("policy", "explain", *config).code == 2
    assert run("policy", "explain", "--as", "a", "--do", "households", *config).code == 2
    assert run("policy", "explain", "--as", "a", "--do", "GET /x", "--given", "risk", *config).code == 2
    odd = run("policy", "explain", "--as", "a", "--do", "GET /x", "--given", "rsk=85", *config)
    assert (odd.code, "risk" in odd.err) == (2, True)


def test_a_recorded_decision_is_told(run: Run, behind: Behind) -> None:
    done = run("policy", "explain", "j.1", "--socket", "c.sock")
    assert (done.code, "j.1" in done.out) == (0, True)
    assert run("policy", "explain", "j.9", "--socket", "c.sock").code == 1
    assert run("policy", "explain", "j.1", "--socket", "none.sock").code == 3


def test_rules_are_shown_with_their_places(run: Run, made: Path) -> None:
    shown = run("policy", "show", made / "policies", "--lang", "zh-CN")
    assert "rules/00-province.yaml:" in shown.out
    assert "规则" in shown.out
    assert run("policy", "show", made / "policies", "-o", "json").json["rules"]


def test_no_folder_and_no_file_is_3(run: Run) -> None:
    assert run("policy", "check", "nowhere").code == 3
    assert run("policy", "test").code == 3
