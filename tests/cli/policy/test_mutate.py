"""`gateway policy mutate`."""

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from tests.cli.shell import Run
from tests.review.native_folder import native_folder
from tests.review.small import folder
from tests.review.test_mutate import STRONG

WEAK = "- {name: a, given: {role: clerk}, request: GET /households, expect: permit}\n"


def test_good_tests_are_good(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", STRONG)
    done = run("policy", "mutate", "p")
    assert done.code == 0, done
    assert "6 of 6 mutants killed: 100.0 % (wanted 100 %); 2 more decide as before" in done.out
    assert done.err == ""  # progress is for terminals


def test_what_survives_is_shown_with_a_test_that_can_be_pasted(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", WEAK)
    done = run("policy", "mutate", "p", "-o", "json")
    assert done.code == 1
    assert {one["en"] for one in done.json["survived"]} == {
        "`who: clerk` becomes `signed-in`",
        "`action: read` becomes `*`",
        "`mask: pii-standard` becomes `none`",
    }
    suggestions = "".join(one["suggestion"] for one in done.json["survived"])
    (tmp_path / "p" / "tests" / "20.yaml").write_text(f"tests:\n{suggestions}", encoding="utf-8")
    assert run("policy", "mutate", "p").code == 0


def test_it_speaks_chinese(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", WEAK)
    told = run("policy", "mutate", "p", "--lang", "zh-CN", "--quick").out
    assert "存活  clerk-reads  rules/10-test.yaml:2\n      `who: clerk` 改为 `signed-in`" in told
    assert "6 个变异中发现 3 个：50.0 %（要求 100 %）；另有 2 个与原规则等价" in told


@pytest.mark.parametrize(("wanted", "code"), [("50", 0), ("50.1", 1), ("101", 2), ("nan", 2), ("much", 2)])
def test_at_least_is_a_gate(run: Run, tmp_path: Path, wanted: str, code: int) -> None:
    folder(tmp_path / "p", WEAK)
    assert run("policy", "mutate", "p", "--quick", "--at-least", wanted).code == code


def test_no_tests_or_no_rules_are_never_good(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", "")
    assert run("policy", "mutate", "p", "--at-least", "0", "--quick").code == 1
    folder(tmp_path / "q", "", rules="")
    done = run("policy", "mutate", "q", "--at-least", "0")
    assert (done.code, "there is no rule to change" in done.out) == (1, True)


def test_tests_that_fail_are_mended_first(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", WEAK.replace("permit", "deny"))
    done = run("policy", "mutate", "p", "--junit", "j.xml")
    assert done.code == 1
    assert "1 test failed as things are: mend that first" in done.err
    assert Xml.parse(tmp_path / "j.xml").getroot().get("failures") == "1"


def test_faults_are_told_and_there_is_no_folder(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", WEAK, rules="- {id: a, effect: Deny}\n")
    done = run("policy", "mutate", "p", "--sarif", "s.json")
    assert (done.code, "P002" in done.err) == (1, True)
    assert "P002" in (tmp_path / "s.json").read_text()
    assert run("policy", "mutate", "nowhere").code == 3


def test_reports_name_every_mutant(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", WEAK)
    assert run("policy", "mutate", "p", "--junit", "j.xml", "--sarif", "s.json").code == 1
    root = Xml.parse(tmp_path / "j.xml").getroot()
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("8", "3", "2")
    assert root[0][2].attrib == {
        "name": "clerk-reads: `who: clerk` becomes `signed-in`",
        "classname": "policy mutants",
        "file": "p/rules/10-test.yaml",
        "line": "2",
    }
    results = json.loads((tmp_path / "s.json").read_text())["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["M001"] * 3
    assert "request: GET /households" in results[2]["message"]["text"]


def test_a_report_that_cannot_be_written_is_no_success(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", STRONG)
    done = run("policy", "mutate", "p", "--junit", "nowhere/j.xml")
    assert (done.code, "cannot write" in done.err) == (3, True)


def test_the_starter_holds_what_it_promises(run: Run, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "policies", tmp_path / "policies")
    done = run("policy", "mutate", "policies", "-o", "json", "--quick")
    assert (done.code, done.json["score"], done.json["survived"]) == (0, 100.0, [])


def test_what_was_not_varied_of_a_native_policy_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    native_folder(tmp_path / "p", "p, reader, /households, GET, allow\ng, alice, reader\n")
    whole = run("policy", "mutate", "p")
    assert (whole.code, "3 of 3 mutants killed: 100.0 %" in whole.out) == (0, True)
    assert "its matcher was not varied" in whole.err
    monkeypatch.setattr("gateway.review.mutate.NATIVE_MOST", 1)
    part = run("policy", "mutate", "p", "--lang", "zh-CN")
    assert (part.code, "casbin/ 中有 1 行未检查" in part.err) == (1, True)
    assert run("policy", "mutate", "p", "-o", "json").json["left"] == 1
    assert run("policy", "mutate", "p", "--at-least", "90").code == 0
