"""Abuse: markup where text belongs, a page that loads or runs something."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from gateway.edge.page import CONTENT_POLICY, explanation, page
from gateway.reasons import REASONS, Meaning


class Strict(HTMLParser):
    """Refuses crossed or open elements, scripts, and whatever loads from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.style = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "link", "img", "iframe", "form"}
        assert not {name for name, _ in attrs} & {"style", "src", "href", "onclick", "onload"}
        self.tags.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_page_is_well_formed_and_loads_nothing(language: str) -> None:
    start, end = page("no_rule", REASONS["no_rule"], language)
    reader = Strict()
    reader.feed((start + b"<dt>request</dt><dd>req-1</dd>" + end).decode())
    assert reader.open == []
    assert {"main", "h1", "title", "dl"} <= set(reader.tags)
    digest = b64encode(sha256(reader.style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in CONTENT_POLICY.decode()
    assert b"default-src 'none'" in CONTENT_POLICY
    assert b"unsafe" not in CONTENT_POLICY


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_both_languages_stand_on_the_page_the_callers_first(language: str) -> None:
    text = explanation("no_rule", REASONS["no_rule"], language).decode()
    body = text[text.index("<h1>") :]
    zh, en = body.index("没有规则"), body.index("no rule allows")
    assert (zh < en) is (language == "zh-CN")
    assert f'<section lang="{"en" if language == "zh-CN" else "zh-CN"}">' in body


def test_text_is_never_markup() -> None:
    nasty = Meaning(400, "<b>&", '<i>"', "'</style>", "<script>")
    text = explanation("<x>", nasty, "en").decode()
    body = text[text.index("<main>") :]
    assert not re.search(r"<(b|i|script|x)>", body)
    reader = Strict()
    reader.feed(text)
    assert reader.open == []
