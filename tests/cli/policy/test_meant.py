"""Which policies are meant?"""

from pathlib import Path

import pytest

from tests.cli.shell import Run
from tests.review.small import folder


def test_no_folder_and_no_file_is_3(run: Run) -> None:
    assert run("policy", "check", "nowhere").code == 3
    assert run("policy", "test").code == 3


def test_a_file_in_place_of_a_folder_is_called_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text("rules: []\n")
    done = run("policy", "check", "rules.yaml")
    assert (done.code, done.err) == (3, "`rules.yaml` is a file, and should be a folder\n")


def test_the_folder_of_the_configuration_is_the_same_when_it_is_named(run: Run) -> None:
    """Its APIs are what the rules are about: without them the same request would come out otherwise."""
    assert run("init", ".", "--api", "http://127.0.0.1:9000/permits").code == 0
    named, meant = (run("policy", "check", *words, "-o", "json").json for words in (("policies",), ()))
    assert named == meant
    assert named["revision"]
    words = ("policy", "explain", "--as", "a", "--do", "GET /permits/1")
    assert run(*words, "--policies", "policies").out == run(*words).out


@pytest.mark.parametrize("command", ["check", "test", "mutate", "lint", "show", "export"])
def test_policies_that_cannot_judge_are_1_with_one_answer_in_json(run: Run, tmp_path: Path, command: str) -> None:
    folder(tmp_path / "p", "[]\n", "- {id: a, effect: Allow}\n")
    done = run("policy", command, "p", "-o", "json")
    assert (done.code, done.json["ok"]) == (1, False)
    assert "P002" in {fault["code"] for fault in done.json["faults"]}


@pytest.mark.parametrize("command", ["check", "test", "mutate", "lint"])
def test_policies_that_cannot_judge_are_in_the_reports(run: Run, tmp_path: Path, command: str) -> None:
    folder(tmp_path / "p", "[]\n", "- {id: a, effect: Allow}\n")
    assert run("policy", command, "p", "--sarif", "s.json", "--junit", "j.xml").code == 1
    assert "P002" in (tmp_path / "s.json").read_text()
    assert "P002" in (tmp_path / "j.xml").read_text()
