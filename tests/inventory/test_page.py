"""How does the ledger look on paper?"""

from html.parser import HTMLParser

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.inventory.page import page
from gateway.inventory.views import View

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=1 style='x'>&amp;\x1b[2J"


class Tags(HTMLParser):
    """Every tag with its attributes, and the text of the cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.cells: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.cells += [""] if tag == "td" else []

    def handle_data(self, data: str) -> None:
        if self.cells and self.tags[-1] == "td":
            self.cells[-1] += data.rstrip("\n")


def a_view(cell: str) -> View:
    return View("v", ("Title", "标题"), (("path", "路径"), ("times", "次数")), ((cell, 3),))


ALLOWED = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "h1",
    "h2",
    "p",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}


def test_what_a_caller_typed_stays_text() -> None:
    found = Tags(page([a_view(HOSTILE)], "en", [HOSTILE]))
    assert set(found.tags) <= ALLOWED
    assert found.attributes == {"lang", "charset", "http-equiv", "content", "class"}
    assert found.cells == [HOSTILE.replace("\x1b", "�"), "3"]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the first text reads the tables of Unicode
@given(st.text(max_size=40))
def test_any_text_comes_back_as_it_was(text: str) -> None:
    plain = "".join(c if c.isprintable() else "�" for c in text)
    assert Tags(page([a_view(text)], "zh-CN", [])).cells[0] == plain


def test_nothing_is_fetched_and_nothing_runs() -> None:
    text = page([a_view("x")], "zh-CN", ["n"])
    assert "default-src 'none'" in text
    assert not any(word in text for word in ("http://", "https://", "src=", "href=", "<script", "@import", "url("))
    assert '<html lang="zh-CN">' in text and "<h2>标题</h2>" in text and "@page{size:A4" in text
    assert "<p>无</p>" in page([View("v", ("T", "题"), (("a", "甲"),), ())], "zh-CN", [])
