"""What does a fault code of a file mean, in words for whom?"""

import ast
import re

import pytest

from gateway.cli.codes import FILES, explained, known
from gateway.config.codes import CODES
from gateway.reasons import REASONS
from tests.test_layout import ROOT

FAULT_CODE = re.compile(r"[A-Z][0-9]{2}[0-9A-F]")


def printed() -> set[str]:
    """Every fault code that stands in the source as a text of its own."""
    found = set()
    for path in (ROOT / "gateway").rglob("*.py"):
        if path.name == "codes.py" and path.parent.name == "cli":
            continue  # the registry itself
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and FAULT_CODE.fullmatch(node.value):
                found.add(node.value)
    assert len(found) > 150
    return found


def test_every_code_that_is_printed_is_explained_and_no_other() -> None:
    assert [code for code in sorted(printed()) if not explained(code)] == []
    assert sorted(set(FILES) - printed()) == []


def test_each_explanation_is_whole_in_both_languages() -> None:
    for code, (en, zh, remedy_en, remedy_zh) in FILES.items():
        assert en, code
        assert remedy_en, code
        assert re.search("[\u4e00-\u9fff]", zh), code
        assert re.search("[\u4e00-\u9fff]", remedy_zh), code


@pytest.mark.parametrize("code", ["no_rule", "NO_RULE"])
def test_a_reason_has_its_status(code: str) -> None:
    (meaning,) = explained(code)
    assert (meaning.code, meaning.status, meaning.en) == ("no_rule", 403, REASONS["no_rule"].en)


def test_a_code_of_the_configuration_shows_no_blanks() -> None:
    assert [meaning.en for meaning in explained("c021")] == ["the secret … cannot be read: …"]
    assert len(explained("C020")) == 2
    assert explained("X999") == []


def test_all_kinds_of_codes_are_known() -> None:
    assert {"no_rule", "C020", "P012", "K001", "D001", "B001", "Y010"} <= set(known())
    assert len(known()) == len(REASONS) + len({meaning.code for meaning in CODES.values()}) + len(FILES)
