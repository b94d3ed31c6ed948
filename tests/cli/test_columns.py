"""What the columns of an answer of the audit are called, and how their values are read."""

import re
from typing import Any

import pytest

from gateway.audit.fields import CLOSED, FIELDS, SHOWN
from gateway.cli.columns import head, told
from gateway.facts import Grade


@pytest.mark.parametrize("name", sorted({*FIELDS, *SHOWN}))
def test_every_column_has_a_chinese_head(name: str) -> None:
    assert re.search("[\u4e00-\u9fff]", head(name, "zh-CN"))
    assert head(name, "en") == name


@pytest.mark.parametrize("name", sorted(CLOSED.keys() - {"reason", "code", "method"}))
def test_every_word_of_a_closed_field_is_told_in_chinese(name: str) -> None:
    assert [word for word in CLOSED[name] if not re.search("[\u4e00-\u9fff]", told(name, word, "zh-CN"))] == []


@pytest.mark.parametrize("grade", Grade)
def test_every_grade_is_told_in_chinese(grade: Grade) -> None:
    assert told("level", grade.text, "zh-CN") != grade.text


def test_a_sum_is_headed_by_what_is_summed() -> None:
    assert (head("sum records", "zh-CN"), head("sum records", "en")) == ("合计 条数", "sum records")


@pytest.mark.parametrize(
    ("name", "value", "english", "chinese"),
    [
        ("time", "2026-09-21T13:33:20.125Z", "2026-09-21 21:33:20.125+08:00", "2026-09-21 21:33:20.125+08:00"),
        ("time", "soon", "soon", "soon"),
        ("latency", 0.00902959999802988, "0.00903", "0.00903"),
        ("risk", 12.0, "12", "12"),
        ("complete", True, "true", "是"),
        ("role", ["clerk", "auditor"], "clerk, auditor", "clerk、auditor"),
        ("level", "general-3", "general-3", "一般 3 级"),
        ("outcome", "permit", "permit", "允许"),
        ("path", "permit", "permit", "permit"),
        ("status", None, "", ""),
        ("status", 200, "200", "200"),
    ],
)
def test_values_as_people_read_them(name: str, value: Any, english: str, chinese: str) -> None:
    assert (told(name, value, "en"), told(name, value, "zh-CN")) == (english, chinese)
