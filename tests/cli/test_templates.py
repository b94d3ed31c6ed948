"""What a new project says, in the language of its operator."""

import re

import pytest

from gateway.cli.templates import CONFIG, FIRST_TRY, PLAIN, STARTER_API, TESTS, filled
from gateway.document import parse

CJK = re.compile("[\u4e00-\u9fff]")
VALUES = {"name": "permits", "prefix": "/permits", "url": "http://127.0.0.1:9000", "strip": "", "path": "/permits"}


@pytest.mark.parametrize("template", [STARTER_API, FIRST_TRY, PLAIN, TESTS])
def test_both_languages_say_the_same_but_for_comments_and_names(template: str) -> None:
    english, chinese = (filled(template, language, **VALUES) for language in ("en", "zh-CN"))
    one, other = (re.sub(r'(?m) *# .*$|name: ".*"$', "", text) for text in (english, chinese))
    assert one.strip() == other.strip()
    assert not CJK.search(english)
    comments = re.findall(r"(?m)# (.*)$", chinese)
    assert comments and all(map(CJK.search, comments))


def test_the_configuration_has_its_api() -> None:
    text = filled(CONFIG, "zh-CN", api=filled(FIRST_TRY, "zh-CN", **VALUES))
    assert parse(text, "gateway.yaml").at(["apis", 0, "match"]).value == "/permits/**"
    assert "# 访问令牌的签发方" in text
    assert "接口 `permits`" in filled(TESTS, "zh-CN", **VALUES)
