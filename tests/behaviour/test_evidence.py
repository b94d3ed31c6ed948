"""Is every evidence that the watcher tells told in Chinese too?"""

import ast
import inspect
import re

import pytest

from gateway.behaviour import watcher
from gateway.behaviour.evidence import in_chinese

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        ("19 refusals in 2 minutes", "2 分钟内 19 次被拒"),
        ("20 h on a weekday", "工作日 20 时"),
        ("home, not among 3 sites", "home，不在常用的 3 个地点之中"),
        ("branch 40 s after hq", "在 hq 出现 40 秒后又出现于 branch"),
        ("decoy household-{0}", "诱饵数据 household-{0}"),
        ("of a later version", "of a later version"),
    ],
)
def test_it_is_told_in_chinese(evidence: str, told: str) -> None:
    assert in_chinese(evidence) == told


def said() -> list[str]:
    """Every text that stands beside the points of a signal in the source, with 07 where something is filled in."""
    texts = []
    for node in ast.walk(ast.parse(inspect.getsource(watcher))):
        if isinstance(node, ast.JoinedStr):
            texts.append("".join(str(part.value) if isinstance(part, ast.Constant) else "07" for part in node.values))
        elif isinstance(node, ast.Tuple) and isinstance(node.elts[-1] if node.elts else None, ast.Constant):
            texts.append(node.elts[-1].value)
    return [text for text in texts if isinstance(text, str) and " " in text and "." not in text]


def test_nothing_that_the_watcher_says_stays_english() -> None:
    found = [text.replace("on a 07", "on a weekend") for text in said()]
    assert len(found) >= 12
    assert [text for text in found if not CHINESE.search(in_chinese(text))] == []
