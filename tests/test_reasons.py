"""Every reason says what, and what to do, in both languages, and tells an attacker nothing."""

import ast
import re
from http import HTTPStatus
from pathlib import Path

import pytest

from gateway.reasons import AFTERWARDS, BROKEN, REASONS, withheld

CHINESE = re.compile(r"[\u4e00-\u9fff]")
HOUSE = Path(__file__).resolve().parent.parent / "gateway"


@pytest.mark.parametrize("code", REASONS)
def test_a_reason_is_told_in_both_languages(code: str) -> None:
    meaning = REASONS[code]
    assert CHINESE.search(meaning.zh)
    assert CHINESE.search(meaning.remedy_zh)
    assert not CHINESE.search(meaning.en + meaning.remedy_en)


@pytest.mark.parametrize("code", REASONS)
def test_a_sentence_is_lower_case_and_without_a_full_stop(code: str) -> None:
    for sentence in (REASONS[code].en, REASONS[code].remedy_en):
        assert sentence[:1] == sentence[:1].lower()
        assert not sentence.endswith(".")
    for sentence in (REASONS[code].zh, REASONS[code].remedy_zh):
        assert not sentence.endswith("。")


@pytest.mark.parametrize("code", REASONS)
def test_the_status_is_one_of_http(code: str) -> None:
    assert REASONS[code].status in {status.value for status in HTTPStatus} | {499}


def test_codes_can_be_metric_labels_and_paths() -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{2,40}", code) for code in REASONS)


def codes_made() -> set[str]:
    """The first argument of each Reason(…) and Fault(…) in the house, where it is written out; "" is no reason."""
    found = set()
    for path in HOUSE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Reason", "Fault"):
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
    return found - {""}


def test_every_code_that_is_used_is_in_the_table() -> None:
    assert codes_made() - set(REASONS) == set()


def test_what_is_kept_back_is_told_from_what_broke_off() -> None:
    assert set(REASONS) >= BROKEN | AFTERWARDS
    assert {code for code in AFTERWARDS if withheld(code)} == AFTERWARDS - BROKEN
    assert {"too_many_records", "residual_identifier", "token_revoked"} <= {code for code in REASONS if withheld(code)}
    assert not any(map(withheld, ("", "client_gone", "upstream_timeout", "interrupted")))
