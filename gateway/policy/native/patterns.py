"""Can this regular expression be made to run for ever?

Whoever writes a policy writes patterns, and whoever sends a request chooses the text they are held against. Python's
`re` backtracks: `^(/[a-z]*)*$` against one long path stops a worker for hours. Rules:

1. What can take exponential time is refused at load: a repetition of a group that itself holds a repetition, an
   option or alternatives. So are look-around and references back, which this reader does not weigh.
2. What takes polynomial time is weighed: each repetition that could end in several places multiplies. The text may be
   4096 characters long when the cost is linear, 512 when it is quadratic; more is refused at load.
3. A longer text cannot be judged: the caller denies, it never truncates.
"""

import re
import warnings
from functools import lru_cache

from msgspec import Struct

LONGEST = (4096, 4096, 512)
"""Characters of the text, by how often its length multiplies the cost."""

MANY = 16  # `{0,16}` costs what it says; more is as good as unbounded
WAYS = 256  # `a?a?a?…` and `(a|a)(a|a)…` double with each: so many ways through options and alternatives


class Refused(Exception):
    """The pattern cannot be used; what is wrong, in English and Chinese, and how to mend it."""

    def __init__(self, en: str, zh: str, hint: tuple[str, str] = ("", "")) -> None:
        super().__init__(en)
        self.en, self.zh, self.hint = en, zh, hint


class TooLong(ValueError):
    """The text is too long for this pattern: nobody can say whether it matches."""


class Pattern(Struct, frozen=True):
    """A compiled expression, the longest text it may be held against, and the names of its variables."""

    compiled: re.Pattern[str]
    longest: int
    names: tuple[str, ...] = ()

    def match(self, text: str) -> re.Match[str] | None:
        """As `re.match`. Raises `TooLong`."""
        if len(text) > self.longest:
            raise TooLong("the text is too long for this pattern")
        return self.compiled.match(text)


@lru_cache(maxsize=65536)
def regex(text: str, names: tuple[str, ...] = ()) -> Pattern:
    """Compile and weigh. Raises `Refused`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # `[[a]` and `[a||b]` may mean something else in the next Python
            compiled = re.compile(text)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise Refused(f"not a regular expression: {error}", f"不是有效的正则表达式：{error}") from None
    weight = _Reader(text).whole()
    if weight.ways > WAYS >> (4 * (weight.power > 1)):
        raise Refused(*_MANY_WAYS)
    power = weight.power
    if power >= len(LONGEST):
        raise Refused(
            f"{power} repetitions can each end in several places: a crafted path would stop a worker",
            f"{power} 处重复都可在多个位置结束：精心构造的路径会拖垮工作进程",
            ("keep at most two of `*`, `.*` or `.+`, or split the row", "最多保留两处 `*`、`.*` 或 `.+`，或拆分该行"),
        )
    return Pattern(compiled, LONGEST[power], names)


_NESTED = (
    "a repetition inside a repetition can take for ever", "重复之中还有重复，匹配时间可能无限长",
    ("write it without the outer one, for example `/.*`", "请去掉外层重复，例如写成 `/.*`"),
)  # fmt: skip
_MANY_WAYS = (
    f"options and alternatives multiply to too many ways (at most {WAYS})", f"可选项与分支相乘过多（最多 {WAYS} 种）",
    ("split the row", "请拆分该行"),
)  # fmt: skip
_NOT_WEIGHED = (
    "look-around and references back are not read here", "此处不支持环视与反向引用",
    ("write it without them", "请改用不含它们的写法"),
)  # fmt: skip


class _Weight(Struct, frozen=True):
    """What has been read: whether its length varies, and how often a text's length multiplies its cost."""

    varies: bool = False
    wide: bool = False  # holds a repetition without a bound
    power: int = 0
    ways: int = 1


class _Reader:
    """Reads an expression that `re` has accepted, once, from left to right."""

    def __init__(self, text: str) -> None:
        self.text = re.sub(r"\A\(\?[aimsxu]+\)", "", text)
        self.verbose = text != self.text and "x" in text[: len(text) - len(self.text)]
        self.at = 0

    def whole(self) -> _Weight:
        """The weight of all of it."""
        if self.verbose:
            raise Refused(*_NOT_WEIGHED)
        return self.choice()

    def choice(self) -> _Weight:
        """Alternatives, up to the closing bracket or the end."""
        found = [self.sequence()]
        while self.at < len(self.text) and self.text[self.at] == "|":
            self.at += 1
            found.append(self.sequence())
        return _Weight(
            len(found) > 1 or found[0].varies,
            any(one.wide for one in found),
            max(one.power for one in found),
            sum(one.ways for one in found),
        )

    def sequence(self) -> _Weight:
        """Atoms one after another."""
        varies = wide = False
        power = fenced = 0
        ways = 1
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            start = self.at
            inner = self.atom()
            atom = self.text[start : self.at]
            low, high = self.quantifier()
            repeats = high is None or high > 1
            if repeats and (inner.varies or inner.wide):
                raise Refused(*_NESTED)
            ways = min(ways * inner.ways, WAYS + 1)
            if inner.wide and power:
                fenced = 1
            varies, wide = varies or inner.varies or low != high, wide or inner.wide
            power += inner.power
            if high is None or (high > MANY and low != high):
                wide = True
                if inner is not _ONE or not self.ends(atom):
                    power += 1
                elif power:  # it can end in one place only, but is tried from many
                    fenced = 1
            elif low != high:
                ways = min(ways * (high - low + 1), WAYS + 1)
        return _Weight(varies, wide, power + fenced, ways)

    def atom(self) -> _Weight:
        """One character, class, escape, anchor or group."""
        letter = self.text[self.at]
        self.at += 1
        if letter == "\\":
            if self.text[self.at : self.at + 1].isdigit() and self.text[self.at] != "0":
                raise Refused(*_NOT_WEIGHED)
            self.at += 1
            return _ONE
        if letter == "[":
            self.set()
            return _ONE
        return self.group() if letter == "(" else _ONE

    def set(self) -> None:
        """To the end of `[…]`; a `]` right after the opening is one of its characters."""
        if self.text[self.at : self.at + 1] == "^":
            self.at += 1
        self.at += self.text[self.at : self.at + 1] == "]"
        while self.text[self.at] != "]":
            self.at += 2 if self.text[self.at] == "\\" else 1
        self.at += 1

    def group(self) -> _Weight:
        """`(…)`, `(?:…)` or `(?P<name>…)`."""
        if self.text.startswith("?", self.at):
            opening = re.compile(r"\?(:|P<\w+>)").match(self.text, self.at)
            if opening is None:
                raise Refused(*_NOT_WEIGHED)
            self.at = opening.end()
        inner = self.choice()
        self.at += 1
        return inner

    def quantifier(self) -> tuple[int, int | None]:
        """How often: (least, most), None for without bound. A lazy or possessive mark changes no cost."""
        found = re.compile(r"([*+?]|\{(\d*)(,?)(\d*)\})[?+]?").match(self.text, self.at)
        if found is None or found[1] in ("{}", "{,}") or (found[1][0] == "{" and not found[2] and not found[3]):
            return 1, 1
        self.at = found.end()
        if found[1][0] != "{":
            return (1 if found[1] == "+" else 0), (1 if found[1] == "?" else None)
        low = int(found[2] or 0)
        return low, (int(found[4]) if found[4] else None) if found[3] else low

    def ends(self, atom: str) -> bool:
        """Whether what follows (also behind a group's end) cannot be part of the repetition: a literal outside it, or
        the end of the text."""
        at = self.at
        while self.text.startswith(")", at):
            at += 1
        following, after = self.text[at : at + 1], self.text[at + 1 : at + 2]
        if following == "$" and not after:
            return True
        if not following or following in "\\[](){}.*+?|^$" or after in ("*", "+", "?", "{"):
            return False
        return re.fullmatch(atom, following, re.IGNORECASE | re.DOTALL) is None


_ONE = _Weight()
