"""What does the command line say, in English and Chinese?"""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli import parser
from gateway.cli.texts import TEXTS
from tests.test_layout import ROOT

parser("en")  # commands bring their own texts along


def test_every_text_is_there_twice_and_takes_the_same_values() -> None:
    for key, (english, chinese) in TEXTS.items():
        assert english and chinese, key
        names = [{field for _, field, _, _ in string.Formatter().parse(text) if field} for text in (english, chinese)]
        assert names[0] == names[1], key


def test_every_text_that_is_asked_for_exists_and_every_one_is_asked_for() -> None:
    code = "".join(path.read_text() for path in (ROOT / "gateway" / "cli").rglob("*.py") if path.name != "texts.py")
    keys = {key for key in TEXTS if re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", key)}
    asked = set(re.findall(r'"([a-z_]+(?:\.[a-z_]+)+)"', code)) & {k for k in keys if "." in k}
    families = {key for key in keys if re.match(r"(doctor|policy)\.[a-z]+$", key) or key.endswith(".help")}
    assert {key for key in keys if "." in key} - asked - families == set()
    for kind, key in re.findall(r'screen\.(say|warn)\(\s*"([a-z_.]+)"', code):
        assert key in TEXTS, (kind, key)


CODE = re.compile(
    r"`[^`]*`|'[^'\u4e00-\u9fff]*'|\"[^\"\u4e00-\u9fff]*\"|https?://[^\s,;\u3000-\uffef]*|\b(?:file|env|systemd):"
)
VALUE = re.compile(r"\{[^{}]*\}")
HALF = re.compile(r"[\u4e00-\u9fff“”）][,;:?!(]|[,;:?!)][\u4e00-\u9fff（]|`[,;:](?! `)|\0[,;]")


def half_width(text: str) -> list[str]:
    """Half-width punctuation in a Chinese sentence; code, values and addresses have their own."""
    plain = VALUE.sub("\0", CODE.sub("`", text))
    return HALF.findall(plain) if re.search(r"[\u4e00-\u9fff]", plain) else []


def chinese(path: Path) -> Iterator[tuple[int, str]]:
    """Every Chinese text of a module that is not a docstring, with its line."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    doc = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inner: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inner |= {id(part) for part in node.values}
            parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in doc | inner:
            yield node.lineno, node.value


def test_chinese_sentences_have_chinese_punctuation() -> None:
    odd = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sorted((ROOT / "gateway").rglob("*.py"))
        if path.parent.name != "detect" and path.name != "generalise.py"  # patterns, told to nobody
        for line, text in chinese(path)
        if half_width(text)
    ]
    assert odd == []


TERMS = {
    "判定": ("裁决", "裁定", "判决", "决策"),  # what the gateway decides
    "台账": ("账本", "总账"),  # of data assets
    "审计日志": ("审计台账", "台账副本", "台账目录", "台账记录", "台账公钥"),
    "试点": ("试运行", "试行", "灰度"),
    "影子": ("旁路",),
    "授权": ("授予",),
    "策略包": ("策略集",),
    "脱敏": ("掩码", "遮盖", "屏蔽", "打码"),
    "级别": ("密级", "分级"),
    "层级": ("层次",),
    "吊销": ("撤销",),
    "调用方": ("调用者",),
    "加强认证": ("提升认证", "再认证"),
    "应答约定": ("契约",),  # what becomes of fields that nobody labelled
}
"""One thing has one word, in the texts and on the pages: what is written, and the words that are not."""


def test_one_thing_has_one_chinese_word() -> None:
    pages = [ROOT / "gateway" / "cli" / "codes.yaml", *ROOT.glob("*.zh-CN.md"), *(ROOT / "docs").glob("*.zh-CN.md")]
    texts = [(page, number, line) for page in pages for number, line in enumerate(page.read_text().splitlines(), 1)]
    texts += [(path, line, text) for path in (ROOT / "gateway").rglob("*.py") for line, text in chinese(path)]
    odd = [
        f"{path.relative_to(ROOT)}:{line}: {word}, not {other}: {text}"
        for path, line, text in texts
        for word, others in TERMS.items()
        for other in others
        if other in text
    ]
    assert odd == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("不支持 GBK,请另存", [",请"]),
        ("无法读取:{why}", ["取:"]),
        ("时长(24h)", ["长("]),
        ("请添加 `tls:`,或删除", ["`,"]),
        ("查询 {count} 条,{rest}", ["条,"]),
        ("请写 `{a: b}`，例如 `x, y`；https://a:1/b 与 file:/run、env:名称", []),
        ("between(1, 2) needs numbers, or none", []),
    ],
)
def test_the_rule_of_punctuation(text: str, found: list[str]) -> None:
    assert half_width(text) == found
