"""`gateway policy test`."""

import shlex
from pathlib import Path
from xml.etree import ElementTree as Xml

from tests.cli.shell import Run
from tests.review.small import folder


def test_tests_run_and_can_be_chosen(run: Run, made: Path) -> None:
    whole = run("policy", "test", made / "policies", "-o", "json").json
    assert whole["ok"] is True
    assert whole["passed"] == len(whole["tests"]) > 10
    name = whole["tests"][0]["name"]
    one = run("policy", "test", made / "policies", "-k", name, "-v")
    assert name in one.out
    assert run("policy", "test", made / "policies", "-k", "no such test").code == 1


def test_coverage_shows_what_is_reached_and_is_a_gate(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", "- {name: a, given: {role: clerk}, request: GET /households, expect: permit}\n")
    done = run("policy", "test", "p", "--coverage")
    assert done.code == 0
    assert [line.split() for line in done.out.splitlines()[1:3]] == [
        ["route", "action", "grade", "permit", "challenge", "deny"],
        ["GET", "/households", "read", "important", "1", "-", "0"],
    ]
    assert "never asked: PUT /households/{id}" in done.out
    assert "coverage 28.6 %: 2 of 7 cells and rules" in done.out
    assert [run("policy", "test", "p", "--at-least", n).code for n in ("28.5", "28.6", "101", "nan")] == [0, 1, 2, 2]
    assert "coverage 28.6 % is less than the 80 % that are wanted" in run("policy", "test", "p", "--at-least", "80").out


def test_coverage_as_json_and_in_chinese(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", "- {name: a, request: GET /households, expect: deny}\n")
    value = run("policy", "test", "p", "--at-least", "50", "-o", "json").json
    assert value["ok"] is False
    assert value["coverage"]["cells"][2] == {
        "route": "GET /households", "action": "read", "grade": "important", "outcome": "deny", "tests": 1, "possible": True,
    }  # fmt: skip
    assert value["coverage"]["rules"][0] == {
        "rule": "clerk-reads", "effect": "allow", "place": "rules/10-test.yaml:2", "tests": 0,
    }  # fmt: skip
    told = run("policy", "test", "p", "--coverage", "--lang", "zh-CN").out
    assert "从未放行：clerk-reads  rules/10-test.yaml:2" in told
    assert "覆盖率 14.3 %：7 个单元与规则中已覆盖 1 个" in told


def test_the_gate_and_every_rule_are_cases(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", "- {name: a, request: GET /households, expect: deny}\n")
    assert run("policy", "test", "p", "--at-least", "50", "--junit", "j.xml", "--sarif", "s.json").code == 1
    root = Xml.parse(tmp_path / "j.xml").getroot()
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("3", "1", "1")
    assert "M002" in (tmp_path / "s.json").read_text()


def test_the_starter_is_covered_whole(run: Run, made: Path) -> None:
    assert run("policy", "test", made / "policies", "--at-least", "100").code == 0


def test_a_test_that_fails_says_why_and_how_to_ask(run: Run, tmp_path: Path) -> None:
    folder(
        tmp_path / "p", "- {name: a, given: {roles: [auditor], org: prov}, request: GET /households, expect: permit}\n"
    )
    told = run("policy", "test", "p").out
    assert "no_rule: no rule allows this request" in told
    assert "nearest  clerk-reads  rules/10-test.yaml:2" in told
    assert "who: asks for clerk, is auditor" in told
    command = (
        "policy explain --as somebody --do 'GET /households' --given 'roles=[auditor]' --given org=prov --policies p"
    )
    assert f"gateway {command}" in told
    assert run(*shlex.split(command)).out.startswith("DENY  no rule allows this request")
    assert "最接近  clerk-reads" in run("policy", "test", "p", "--lang", "zh-CN").out
    assert run("policy", "test", "p", "-o", "json").json["tests"][0]["grounds"][0].startswith("no_rule")


def test_a_test_that_cannot_be_read_says_what_was_meant(run: Run, tmp_path: Path) -> None:
    odd = "- {name: a, request: GET /households, expect: allow}\n- {name: b, request: GET /households, expect: deny, rule: clerk-raeds}\n"
    folder(tmp_path / "p", odd)
    told = run("policy", "test", "p").out
    assert 'FAILED  a  tests/10.yaml:2\n        line 2: no outcome `allow` (did you mean "permit"?)' in told
    assert 'no rule `clerk-raeds` (did you mean "clerk-reads"?)' in told
