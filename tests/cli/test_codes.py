"""What does a fault code of a file mean, in words for whom?"""

import ast
import re

import pytest

from gateway.cli.codes import explained, known, of_files, of_operators
from gateway.config.codes import CODES
from gateway.reasons import REASONS
from tests.test_layout import ROOT

FAULT_CODE = re.compile(r"[A-Z][0-9]{2}[0-9A-F]")


def printed() -> set[str]:
    """Every fault code that stands in the source as a text of its own."""
    found = set()
    for path in (ROOT / "gateway").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and FAULT_CODE.fullmatch(node.value):
                found.add(node.value)
    assert len(found) > 150
    return found


def test_every_code_that_is_printed_is_explained_and_no_other() -> None:
    assert [code for code in sorted(printed()) if not explained(code)] == []
    assert sorted(set(of_files()) - printed()) == []


def test_every_kind_of_fault_of_the_configuration_is_reported_somewhere() -> None:
    said = {
        node.value.replace("-", "_")  # the fault of a switch has its name
        for path in (ROOT / "gateway" / "config").glob("*.py")
        if path.name != "codes.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert sorted(set(CODES) - said) == []


def test_each_explanation_is_whole_in_both_languages() -> None:
    for code, meaning in of_files().items():
        assert meaning.en, code
        assert meaning.remedy_en, code
        assert re.search("[\u4e00-\u9fff]", meaning.zh), code
        assert re.search("[\u4e00-\u9fff]", meaning.remedy_zh), code
        assert meaning.en.startswith("warning: ") == meaning.zh.startswith("警告："), code


@pytest.mark.parametrize("code", ["no_rule", "NO_RULE"])
def test_a_reason_has_its_status(code: str) -> None:
    (meaning,) = explained(code)
    assert (meaning.code, meaning.status, meaning.en) == ("no_rule", 403, REASONS["no_rule"].en)


@pytest.mark.parametrize(("name", "place"), [("operations.md", 0), ("operations.zh-CN.md", 1)])
def test_the_operator_reads_here_what_the_manual_says(name: str, place: int) -> None:
    manual = (ROOT / "docs" / name).read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([a-z_]+)` \| \d{3} \| .*? \| (.*) \|$", manual, re.MULTILINE))
    assert {code: does[place] for code, does in of_operators().items()} == told
    assert set(told) == set(REASONS)


def test_a_code_of_the_configuration_shows_no_blanks() -> None:
    assert [meaning.en for meaning in explained("c021")] == ["the secret … cannot be read: …"]
    assert [(meaning.remedy_en, meaning.remedy_zh) for meaning in explained("C002")] == [("add …", "请添加 …")]
    assert [meaning.remedy_en for meaning in explained("C001")] == [""]  # the message of the fault has the hint
    assert len(explained("C020")) == 2
    assert explained("X999") == []


def test_a_warning_is_marked() -> None:
    assert [(meaning.en, meaning.zh) for meaning in explained("C035")] == [
        ("warning: the switch … weakens nothing here", "警告：开关 … 在此没有作用")
    ]
    assert [meaning.en for meaning in explained("P080")] == ["warning: the rule has expired"]


def test_all_kinds_of_codes_are_known() -> None:
    assert {"no_rule", "C020", "P012", "K001", "D001", "B001", "Y010"} <= set(known())
    assert len(known()) == len(REASONS) + len({meaning.code for meaning in CODES.values()}) + len(of_files())
