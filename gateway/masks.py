"""What does a mask specification mean?

The words that catalog, policy and masking share: the identifiers a field may carry, and the
techniques that may be applied to it. Rules:

1. A specification is one word, with whole numbers in brackets where the technique takes them:
   `redact`, `partial(3,4)`, `truncate(6)`.
2. Techniques form a lattice. Where two apply to one value, what either would hide is hidden (`strictest`):
   `partial(3,0)` and `partial(0,4)` together show nothing, `year` and `bucket(10)` together are a `hash`. Held to each other
   is what they show of a long value: one so short that `partial(3,4)` hides it shows its ends where `partial(1,1)` is added.
3. A name is never reused for something else: it stands in entries.
"""

import re
from collections.abc import Callable
from math import lcm
from typing import Literal, NamedTuple

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
MAX_NUMBER = 1_000_000_000


class Kind(NamedTuple):
    """What one technique does, for those who choose it.

    Techniques of one `strictness` are compared only within their `family`. `reversible`: the
    holder of the key gets the value back. `joinable`: equal values stay equal within one department. `takes`: which
    values it can work on; every other is redacted, by each of them.
    """

    arity: int  # how many numbers it takes
    strictness: int
    family: str
    reversible: bool
    joinable: bool
    keyed: bool
    takes: Literal["any", "text", "digits", "number", "date", "place"]
    en: str
    zh: str


TECHNIQUES: dict[str, Kind] = {
    "keep": Kind(0, 0, "", True, True, False, "any", "shown as it is", "原样显示"),
    "truncate": Kind(
        1,
        1,
        "part",
        False,
        False,
        False,
        "text",
        "only the first n characters; shorter values are hidden",
        "只保留前 n 个字符，过短则全部隐藏",
    ),
    "partial": Kind(
        2,
        1,
        "part",
        False,
        False,
        False,
        "text",
        "first and last characters around fixed stars; shorter values are hidden",
        "保留首尾若干字符，其余为固定数量星号，过短则全部隐藏",
    ),
    "month": Kind(0, 1, "date", False, False, False, "date", "of a date only year and month", "日期只保留年和月"),
    "quarter": Kind(0, 1, "date", False, False, False, "date", "of a date only year and quarter", "日期只保留年和季度"),
    "year": Kind(0, 1, "date", False, False, False, "date", "of a date only the year", "日期只保留年份"),
    "decade": Kind(0, 1, "date", False, False, False, "date", "of a date only the decade", "日期只保留年代"),
    "bucket": Kind(
        1,
        1,
        "bucket",
        False,
        False,
        False,
        "number",
        "a number, rounded down to a multiple of n",
        "数值向下取整到 n 的倍数",
    ),
    "noise": Kind(
        1,
        1,
        "noise",
        False,
        False,
        True,
        "number",
        "a number, changed by up to n per cent, always by the same",
        "数值在正负百分之 n 内扰动，同一数值的扰动固定",
    ),
    "geo": Kind(
        1,
        1,
        "geo",
        False,
        False,
        False,
        "place",
        "coordinates with n decimals (2 are about a kilometre)",
        "坐标保留 n 位小数（2 位约一公里）",
    ),
    "encrypt": Kind(
        0,
        1,
        "encrypt",
        True,
        True,
        True,
        "any",
        "enciphered, different for each department; the key opens it",
        "加密，各部门互不相同，持密钥可还原",
    ),
    "fpe": Kind(
        0,
        1,
        "fpe",
        True,
        True,
        True,
        "digits",
        "other digits of the same form (FF1), different for each department; the key opens it",
        "保留格式加密（FF1），各部门互不相同，持密钥可还原",
    ),
    "tokenise": Kind(
        0,
        1,
        "tokenise",
        True,
        True,
        True,
        "any",
        "a token that the gateway reveals once, to whoever may ask",
        "令牌，经授权可由网关一次性还原",
    ),
    "hash": Kind(
        0,
        2,
        "",
        False,
        True,
        True,
        "any",
        "a keyed digest, different for each department",
        "带密钥摘要，各部门互不相同",
    ),
    "redact": Kind(0, 3, "", False, False, False, "any", "replaced by ***", "替换为 ***"),
    "null": Kind(0, 4, "", False, False, False, "any", "replaced by null", "替换为 null"),
    "drop": Kind(0, 5, "", False, False, False, "any", "removed; null inside an array", "删除该字段，数组中为 null"),
}
"""The lattice: `keep` below all, `drop` above all; techniques of one family are compared, of two families with each other
they are not, and what hides both is `hash`."""

_DATES = ("month", "quarter", "year", "decade")
"""From fine to coarse: each can be worked out from the one before."""


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


_SPECIFICATION = re.compile(r"([a-z]+)(?:\s*\(\s*([0-9]{1,10}(?:\s*,\s*[0-9]{1,10})*)\s*\))?\Z", re.ASCII)


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
    _check_range(text, name, numbers)
    return Technique(name, numbers)


_RANGES: dict[str, tuple[int, int, str, str]] = {
    "truncate": (1, MAX_SHOWN, f"shows 1 to {MAX_SHOWN} characters", f"只能显示 1 到 {MAX_SHOWN} 个字符"),
    "partial": (0, MAX_SHOWN, f"shows at most {MAX_SHOWN} characters at an end", f"每端最多显示 {MAX_SHOWN} 个字符"),
    "bucket": (2, MAX_NUMBER, f"rounds to a multiple of 2 to {MAX_NUMBER}", f"取整单位应在 2 到 {MAX_NUMBER} 之间"),
    "noise": (1, 100, "changes by 1 to 100 per cent", "扰动应在百分之 1 到 100 之间"),
    "geo": (0, 4, "keeps 0 to 4 decimals", "保留的小数位应在 0 到 4 之间"),
}


def _check_range(text: str, name: str, numbers: tuple[int, ...]) -> None:
    if name in _RANGES:
        least, most, en, zh = _RANGES[name]
        if any(not least <= number <= most for number in numbers):
            raise BadTechnique(
                f"`{text}`: `{name}` {en}; to show nothing write `redact`",
                f"`{text}`：`{name}` {zh}；若要全部隐藏请写 `redact`",
            )


def strictest(one: Technique, other: Technique) -> Technique:
    """The technique that hides whatever either of the two hides: their least upper bound."""
    first, second = TECHNIQUES[one.name], TECHNIQUES[other.name]
    if first.strictness != second.strictness:
        return one if first.strictness > second.strictness else other
    if one == other:
        return one
    return _JOINS[first.family](one, other) if first.family == second.family else HASH


HASH = Technique("hash")


def _less_shown(one: Technique, other: Technique) -> Technique:
    (head, tail), (other_head, other_tail) = _shown(one), _shown(other)
    if one.name == other.name == "truncate":
        return Technique("truncate", (min(head, other_head),))
    return Technique("partial", (min(head, other_head), min(tail, other_tail)))


def _coarser_date(one: Technique, other: Technique) -> Technique:
    return max(one, other, key=lambda technique: _DATES.index(technique.name))


def _wider_bucket(one: Technique, other: Technique) -> Technique:
    """Each bucket of the one is made of whole buckets of both."""
    step = lcm(one.numbers[0], other.numbers[0])
    return Technique("bucket", (step,)) if step <= MAX_NUMBER else HASH


def _more_noise(one: Technique, other: Technique) -> Technique:
    return max(one, other, key=lambda technique: technique.numbers)


def _fewer_decimals(one: Technique, other: Technique) -> Technique:
    return min(one, other, key=lambda technique: technique.numbers)


_JOINS: dict[str, Callable[[Technique, Technique], Technique]] = {
    "part": _less_shown,
    "date": _coarser_date,
    "bucket": _wider_bucket,
    "noise": _more_noise,
    "geo": _fewer_decimals,
}


def _shown(technique: Technique) -> tuple[int, int]:
    numbers = technique.numbers
    return (numbers[0], numbers[1]) if len(numbers) == 2 else (numbers[0], 0)
