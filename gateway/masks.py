"""What does a mask specification mean?

The words that catalog, policy and masking share: the identifiers a field may carry, and the
techniques that may be applied to it. Rules:

1. A specification is one word, with whole numbers in brackets where the technique takes them:
   `redact`, `partial(3,4)`, `truncate(6)`.
2. Techniques form an order of strictness. Where two apply to one value, what both would hide is
   hidden (`strictest`): `partial(3,0)` and `partial(0,4)` together show nothing.
3. A name is never reused for something else: it stands in entries.
"""

import re
from typing import NamedTuple

from msgspec import Struct

IDENTIFIERS: frozenset[str] = frozenset(
    {
        "resident-id",
        "old-resident-id",
        "credit-code",
        "org-code",
        "phone",
        "landline",
        "bank-card",
        "passport",
        "permit",
        "officer-id",
        "plate",
        "vin",
        "imei",
        "social-card",
        "email",
        "address",
        "name",
        "ip",
        "mac",
        "gps",
        "birth-date",
        "secret",
        "other",
    }
)
"""What a field or a path parameter may carry (GB 11643, GB 32100 and the like)."""

MAX_SHOWN = 64


class Kind(NamedTuple):
    """What one technique does: how many numbers it takes, what it keeps, and a sentence for people."""

    arity: int
    strictness: int
    reversible: bool  # can the value be recovered from the answer alone
    joinable: bool  # do equal values stay equal within one department
    en: str
    zh: str


TECHNIQUES: dict[str, Kind] = {
    "keep": Kind(0, 0, True, True, "shown as it is", "原样显示"),
    "truncate": Kind(
        1,
        1,
        False,
        False,
        "only the first n characters; shorter values are hidden",
        "只保留前 n 个字符，过短则全部隐藏",
    ),
    "partial": Kind(
        2,
        1,
        False,
        False,
        "first and last characters around fixed stars; shorter values are hidden",
        "保留首尾若干字符，其余为固定数量星号，过短则全部隐藏",
    ),
    "hash": Kind(0, 2, False, True, "a keyed digest, different for each department", "带密钥摘要，各部门互不相同"),
    "redact": Kind(0, 3, False, False, "replaced by ***", "替换为 ***"),
    "drop": Kind(0, 4, False, False, "removed; null inside an array", "删除该字段，数组中为 null"),
}


class Technique(Struct, frozen=True):
    """A technique with its numbers."""

    name: str
    numbers: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """The one spelling of it, as in files and entries."""
        return f"{self.name}({','.join(map(str, self.numbers))})" if self.numbers else self.name


class BadTechnique(ValueError):
    """The text is not a technique; `en` and `zh` say what is wrong."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh


_SPECIFICATION = re.compile(r"([a-z]+)(?:\s*\(\s*([0-9]{1,4}(?:\s*,\s*[0-9]{1,4})*)\s*\))?\Z", re.ASCII)


def parse_technique(text: str) -> Technique:
    """Read `redact`, `partial(3,4)` and the like. Raises BadTechnique."""
    match = _SPECIFICATION.match(text)
    if match is None:
        raise BadTechnique(
            f"`{text}` is not a technique such as `redact` or `partial(3,4)`",
            f"`{text}` 不是 `redact` 或 `partial(3,4)` 这样的脱敏方式",
        )
    name, numbers = match[1], tuple(map(int, match[2].split(","))) if match[2] else ()
    kind = TECHNIQUES.get(name)
    if kind is None:
        known = ", ".join(TECHNIQUES)
        raise BadTechnique(f"no technique `{name}`; possible: {known}", f"没有脱敏方式 `{name}`，可用：{known}")
    if len(numbers) != kind.arity:
        raise BadTechnique(
            f"`{name}` takes {kind.arity} numbers, not {len(numbers)}",
            f"`{name}` 需要 {kind.arity} 个数字，而不是 {len(numbers)} 个",
        )
    if any(number > MAX_SHOWN for number in numbers):
        raise BadTechnique(f"`{text}` shows more than {MAX_SHOWN} characters", f"`{text}` 显示超过 {MAX_SHOWN} 个字符")
    if name == "truncate" and numbers == (0,):
        raise BadTechnique("`truncate(0)` shows nothing: write `redact`", "`truncate(0)` 不显示任何内容，请写 `redact`")
    return Technique(name, numbers)


def strictest(one: Technique, other: Technique) -> Technique:
    """The technique that hides whatever either of the two hides."""
    first, second = TECHNIQUES[one.name].strictness, TECHNIQUES[other.name].strictness
    if first != second:
        return one if first > second else other
    if one == other or not one.numbers:
        return one
    (head, tail), (other_head, other_tail) = _shown(one), _shown(other)
    if one.name == other.name == "truncate":
        return Technique("truncate", (min(head, other_head),))
    return Technique("partial", (min(head, other_head), min(tail, other_tail)))


def _shown(technique: Technique) -> tuple[int, int]:
    numbers = technique.numbers
    return (numbers[0], numbers[1]) if len(numbers) == 2 else (numbers[0], 0)
