"""How does a build server learn what the checks found?

| what a hostile author writes | test |
|---|---|
| a name that ends the text early, or adds a passing test | test_whatever_a_name_holds_it_stays_a_name |
| characters that no XML parser takes, so that nobody sees the failures | test_whatever_a_name_holds_it_stays_a_name |
| a file name that is another address | test_a_file_name_is_never_a_scheme |
| half a character | test_half_a_character_is_replaced |
"""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.document import FileFault
from gateway.review.report import Case, Meaning, Suite, junit, sarif

ROOT = Path("/srv/work")
FAULT = FileFault(
    "policies/rules/10.yaml", 7, 3, "P010", "no role `clrek`", "没有名为 `clrek` 的角色", "mean clerk?", "是否 clerk？"
)
WARNING = FileFault("/srv/work/policies/rules/10 a.yaml", 1, 1, "P095", "there are no tests", "没有测试", warning=True)


def meanings(code: str) -> Meaning | None:
    return Meaning("a role is unknown", "角色未知", "declare it", "请声明") if code == "P010" else None


def log(*faults: FileFault) -> Any:
    return json.loads(sarif(faults, ROOT, meanings, "1.2.3"))


def check_sarif(value: Any) -> None:
    """The parts of the 2.1.0 schema that concern what is written here."""
    assert value["$schema"].endswith("sarif-schema-2.1.0.json")
    assert value["version"] == "2.1.0"
    assert set(value) == {"$schema", "version", "runs"}
    for run in value["runs"]:
        assert set(run) <= {"tool", "language", "columnKind", "translations", "results"}
        assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
        for part in (run["tool"]["driver"], *run["translations"]):
            check_component(part)
        ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert all([rule["id"] for rule in one["rules"]] == ids for one in run["translations"])
        for result in run["results"]:
            check_result(result, ids)


def check_component(part: Any) -> None:
    assert part["name"]
    assert re.fullmatch(r"[a-zA-Z]{2}(-[a-zA-Z]{2})?", part["language"])
    assert set(part.get("contents", [])) <= {"localizedData", "nonLocalizedData"}
    assert len({rule["id"] for rule in part["rules"]}) == len(part["rules"])
    for rule in part["rules"]:
        assert rule["shortDescription"]["text"] and rule["help"]["text"]


def check_result(result: Any, ids: list[str]) -> None:
    assert set(result) == {"ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"}
    assert ids[result["ruleIndex"]] == result["ruleId"]
    assert result["level"] in ("none", "note", "warning", "error")
    assert isinstance(result["message"]["text"], str)
    assert all(isinstance(text, str) for text in result["message"]["properties"].values())
    assert all(isinstance(text, str) for text in result["partialFingerprints"].values())
    for location in result["locations"]:
        physical = location["physicalLocation"]
        assert re.fullmatch(r"[A-Za-z0-9._~!$&'()*+,;=:@/%-]*", physical["artifactLocation"]["uri"])
        assert physical["region"]["startLine"] >= 1
        assert physical["region"]["startColumn"] >= 1


def test_a_fault_is_a_result_in_both_languages() -> None:
    value = log(FAULT, WARNING, FAULT)
    check_sarif(value)
    (run,) = value["runs"]
    one, two = sorted(run["results"], key=lambda result: result["ruleId"])
    assert (one["ruleId"], one["level"], two["level"]) == ("P010", "error", "warning")
    assert one["message"] == {
        "text": "no role `clrek`\nmean clerk?",
        "properties": {"zh-CN": "没有名为 `clrek` 的角色\n是否 clerk？"},
    }
    place = one["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "policies/rules/10.yaml"},
        "region": {"startLine": 7, "startColumn": 3},
    }
    assert run["tool"]["driver"]["version"] == "1.2.3"
    assert run["tool"]["driver"]["rules"][0]["shortDescription"] == {"text": "a role is unknown"}
    (chinese,) = run["translations"]
    assert chinese["language"] == "zh-CN"
    assert chinese["rules"][0] == {"id": "P010", "shortDescription": {"text": "角色未知"}, "help": {"text": "请声明"}}


def test_nothing_found_is_a_whole_log() -> None:
    value = log()
    check_sarif(value)
    assert value["runs"][0]["results"] == []


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("/srv/work/policies/rules/10 a.yaml", "policies/rules/10%20a.yaml"),
        ("policies/规则.yaml", "policies/%E8%A7%84%E5%88%99.yaml"),
        ("../elsewhere/a.yaml", "../elsewhere/a.yaml"),
        ("/etc/gateway/a#b.yaml", "file:///etc/gateway/a%23b.yaml"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("https://evil.example/a", "https%3A/evil.example/a"),
    ],
)
def test_a_file_name_is_never_a_scheme(file: str, uri: str) -> None:
    value = log(FileFault(file, 1, 1, "P010", "a", "甲"))
    check_sarif(value)
    assert value["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_half_a_character_is_replaced() -> None:
    value = log(FileFault("a\udcff.yaml", 0, 0, "P010", "\ud800", "甲"))
    check_sarif(value)
    assert "?" in unquote(value["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])


def test_a_finding_that_moves_is_the_same_and_another_is_not() -> None:
    def print_of(**changes: Any) -> str:
        values = {"file": "a", "line": 1, "column": 1, "code": "P010", "en": "x", "zh": "y"}
        return str(log(FileFault(**(values | changes)))["runs"][0]["results"][0]["partialFingerprints"])

    assert print_of() == print_of(line=9, column=2)
    assert len({print_of(), print_of(en="z"), print_of(file="b"), print_of(code="P011")}) == 4


SUITES = (
    Suite("one", (Case("passes", "tests/a.yaml:3"), Case("fails", "tests/a.yaml:9", "expected deny\ngot permit"))),
    Suite("two", (Case("unreadable", "tests/b.yaml:1", "no", broken=True), Case("left out", "", skipped=True))),
)


def test_junit_counts_what_it_holds() -> None:
    root = Xml.fromstring(junit(SUITES))
    assert root.attrib == {"tests": "4", "failures": "1", "errors": "1", "skipped": "1"}
    one, two = root
    assert one.attrib == {"name": "one", "tests": "2", "failures": "1", "errors": "0", "skipped": "0"}
    assert [case.attrib for case in one] == [
        {"name": "passes", "classname": "one", "file": "tests/a.yaml", "line": "3"},
        {"name": "fails", "classname": "one", "file": "tests/a.yaml", "line": "9"},
    ]
    (failure,) = one[1]
    assert (failure.tag, failure.get("message")) == ("failure", "expected deny")
    assert failure.text == "tests/a.yaml:9\nexpected deny\ngot permit"
    assert [[child.tag for child in case] for case in two] == [["error"], ["skipped"]]


HOSTILE = [
    "]]>",
    "<testcase/>",
    '"><failure/>',
    "&lt;",
    "a\x00b\x1b[2J",
    "\ud800",
    "\ufffe",
    "名\u2028称",
    "--><!--",
    "\r\n\t",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_name_holds_it_stays_a_name(text: str) -> None:
    root = Xml.fromstring(junit([Suite(text, (Case(text, f"{text}:1", text), Case("b", "")))]).encode())
    assert (len(root), len(root[0]), len(root[0][0])) == (1, 2, 1)
    assert root.get("failures") == "1"
    told = root[0][0].get("name")
    assert told == re.sub("[\x00\x1b\ud800\ufffe]", "\ufffd", text)


@given(st.text(alphabet=st.characters(exclude_categories=())), st.text())
def test_any_text_makes_a_report_that_can_be_read(one: str, two: str) -> None:
    root = Xml.fromstring(junit([Suite(one, (Case(two, one, f"x{two}"),))]).encode())
    assert root.get("tests") == "1"
    check_sarif(log(FileFault(one, 1, 1, "P010", two or "x", one)))
