"""`--junit` and `--sarif` of the commands that check policies."""

import argparse
import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from gateway.cli.policy.reports import meaning, percent
from tests.cli.shell import Run
from tests.review.small import folder

GOOD = "- {name: a, given: {role: clerk}, request: GET /households, expect: permit}\n"
BAD = "- {name: ']]><b>', request: GET /households, expect: permit}\n- {name: c, request: 7, expect: permit}\n"


def test_check_writes_faults_and_tests(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", GOOD + BAD)
    done = run("policy", "check", "p", "--junit", "j.xml", "--sarif", "s.json")
    assert done.code == 1
    root = Xml.parse(tmp_path / "j.xml").getroot()
    assert [suite.get("name") for suite in root] == ["policy files", "policy tests"]
    assert [case.get("name") for case in root[1]] == ["a", "]]><b>", "c"]
    assert [[child.tag for child in case] for case in root[1]] == [[], ["failure"], ["error"]]
    results = json.loads((tmp_path / "s.json").read_text())["runs"][0]["results"]
    assert {result["ruleId"] for result in results} >= {"P098", "P004"}
    (failed,) = (result for result in results if result["ruleId"] == "P098")
    place = failed["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("p/tests/10.yaml", 3)


def test_a_folder_named_in_full_is_told_from_here(run: Run, tmp_path: Path) -> None:
    folder(tmp_path / "p", BAD)
    run("policy", "test", tmp_path / "p", "--sarif", "s.json")
    results = json.loads((tmp_path / "s.json").read_text())["runs"][0]["results"]
    uris = {result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results}
    assert uris == {"p/tests/10.yaml"}


@pytest.mark.parametrize("command", ["check", "test", "mutate"])
def test_a_report_that_cannot_be_written_is_no_success(run: Run, tmp_path: Path, command: str) -> None:
    folder(tmp_path / "p", GOOD)
    done = run("policy", command, "p", "--sarif", ".")
    assert (done.code, "cannot write" in done.err) == (3, True)


def test_a_share_is_a_number_from_0_to_100() -> None:
    assert [percent(text) for text in ("0", "79.5", "100")] == [0.0, 79.5, 100.0]
    for text in ("-1", "100.1", "nan", "inf", "x"):
        with pytest.raises((ValueError, argparse.ArgumentTypeError)):
            percent(text)


def test_codes_are_explained_as_explain_code_does() -> None:
    told = meaning("P002")
    assert told is not None
    assert (told.en, told.zh) == ("effect is not allow or deny", "effect 不是 allow 或 deny")
    assert meaning("X999") is None
