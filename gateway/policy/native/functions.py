"""Which functions may a matcher call, and what do they answer?

Those of casbin with casbin's answers, and the three that pycasbin forgot to register (`keyGet`, `keyGet2`, `keyGet3`).
Rules:

1. The pattern (second argument) comes from the policy, never from the request: who may choose the pattern writes `*`.
   So every pattern is known at load, where it is compiled, weighed (`patterns.py`) or refused.
2. A network that is none, and a date that is none, are refused at load: in casbin the first never matches in silence,
   so that a deny would never apply, and the second fails on each request.
3. `timeMatch` reads the request's own time in the policy's time zone, never a clock. `_` and the year 0000 mean
   "no limit", as in casbin for Go.
"""

import ipaddress
import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Literal

from casbin.util.builtin_operators import glob as wcmatch  # its own import: no other version can come in between
from msgspec import Struct

from gateway.policy.native.patterns import LONGEST, Pattern, Refused, TooLong, regex

Kind = Literal["text", "number", "bool", "texts", "object"]

UNLIMITED = "_"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\Z", re.ASCII)
_VARIABLE2 = re.compile(r"(.*?):[^\/]+(.*?)")
_VARIABLE3 = re.compile(r"(.*?){[^\/]+?}(.*?)")
_VARIABLE4 = re.compile(r"{([^/]+)}")
_VARIABLE5 = re.compile(r"{[^/]+}")


class Function(Struct, frozen=True):
    """One function: how many texts it takes, what it gives, and how a pattern is checked at load.

    `call` gets the texts; with `now` also the request's time, in front. `microseconds`: a cautious guess.
    """

    arity: int
    gives: Kind
    call: Callable[..., object]
    check: Callable[[str], object] | None = None
    all_patterns: bool = False  # every argument is one, not only the second
    now: bool = False
    microseconds: float = 1.0


# --- paths ------------------------------------------------------------------------------------


def _key_match(text: str, pattern: str) -> bool:
    star = pattern.find("*")
    if star < 0:
        return text == pattern
    return text[:star] == pattern[:star] if len(text) > star else text == pattern[:star]


def _key_get(text: str, pattern: str) -> str:
    star = pattern.find("*")
    return text[star:] if 0 <= star < len(text) and text[:star] == pattern[:star] else ""


def _stars(pattern: str) -> str:
    return pattern.replace("/*", "/.*")


@lru_cache(maxsize=65536)
def _second(pattern: str) -> Pattern:
    text = _VARIABLE2.sub(r"\g<1>[^\/]+\g<2>", _stars(pattern))
    return regex("^(.*)$" if text == "*" else f"^{text}$")


@lru_cache(maxsize=65536)
def _second_get(pattern: str) -> Pattern:
    text = _stars(pattern)
    names = tuple(name[1:] for name in re.findall(":[^/]+", text))
    text = _VARIABLE2.sub(r"\g<1>([^\/]+)\g<2>", text)
    return _captured("^(.*)$" if text == "*" else f"^{text}$", names)


@lru_cache(maxsize=65536)
def _third(pattern: str) -> Pattern:
    return regex("^" + _VARIABLE3.sub(r"\g<1>[^\/]+\g<2>", _stars(pattern)) + "$")


@lru_cache(maxsize=65536)
def _third_get(pattern: str) -> Pattern:
    text = _stars(pattern)
    names = tuple(name[1:-1] for name in re.findall(r"{[^/]+?}", text))
    text = _VARIABLE3.sub(r"\g<1>([^/]+?)\g<2>", text)
    return _captured("^(.*)$" if text == "*" else f"^{text}$", names)


@lru_cache(maxsize=65536)
def _fourth(pattern: str) -> Pattern:
    text = _stars(pattern)
    names = tuple(_VARIABLE4.findall(text))
    return _captured("^" + _VARIABLE4.sub("([^/]+)", text) + "$", names, exactly=True)


@lru_cache(maxsize=65536)
def _fifth(pattern: str) -> Pattern:
    return regex("^" + _VARIABLE5.sub(r"[^/]+", _stars(pattern)) + "$")


def _captured(text: str, names: tuple[str, ...], exactly: bool = False) -> Pattern:
    """Brackets of the author shift the numbering of groups: a variable would get another one's value."""
    pattern = regex(text, names)
    if pattern.compiled.groups < len(names) or (exactly and pattern.compiled.groups != len(names)):
        raise Refused("brackets beside the variables cannot be told apart", "变量旁的括号会造成混淆")
    return pattern


def _key_get2(text: str, pattern: str, name: str) -> str:
    return _captured_value(_second_get(pattern), text, name)


def _key_get3(text: str, pattern: str, name: str) -> str:
    return _captured_value(_third_get(pattern), text, name)


def _captured_value(pattern: Pattern, text: str, name: str) -> str:
    found = pattern.match(text)
    if found is None or name not in pattern.names:
        return ""
    value: str = found.groups()[pattern.names.index(name)]
    return value


def _key_match4(text: str, pattern: str) -> bool:
    compiled = _fourth(pattern)
    found = compiled.match(text)
    if found is None:
        return False
    values: dict[str, str] = {}
    return all(
        values.setdefault(name, value) == value for name, value in zip(compiled.names, found.groups(), strict=True)
    )


def _key_match5(text: str, pattern: str) -> bool:
    return _fifth(pattern).match(text.partition("?")[0]) is not None


# --- globs, addresses, times --------------------------------------------------------------------


@lru_cache(maxsize=65536)
def _glob(pattern: str) -> tuple[re.Pattern[str], ...]:
    """What wcmatch makes of a glob backtracks as well; braces multiply into patterns of their own."""
    segments = pattern.split("/")
    deep = sum(segment == "**" for segment in segments)
    wide = max((len(re.findall(r"\*+", segment)) for segment in segments if segment != "**"), default=0)
    if deep + wide >= len(LONGEST):
        raise Refused(
            "so many `*` can each end in several places: a crafted path would stop a worker",
            "这么多 `*` 都可在多个位置结束：精心构造的路径会拖垮工作进程", ("keep at most two", "最多保留两处"),
        )  # fmt: skip
    if pattern.count("{") > 2 or pattern.count(",") > 32 or ".." in pattern:
        raise Refused("too many braces", "花括号过多", ("split the row", "请拆分该行"))
    try:
        made, _ = wcmatch.translate(_wcmatch(pattern), flags=wcmatch.GLOBSTAR | wcmatch.BRACE)
        return tuple(re.compile(one) for one in made)
    except (re.error, ValueError, IndexError) as error:
        raise Refused(f"not a glob: {error}", f"不是有效的通配模式：{error}") from None


def _wcmatch(pattern: str) -> str:
    """casbin's reading of `**`: alone between slashes, and at the end also what stands before it."""
    while pattern.startswith("*/"):
        pattern = pattern[1:]
    text = "/".join(part if part == "**" else re.sub(r"\*{2,}", "*", part) for part in pattern.split("/"))
    return f"{{{text[:-3]},{text}}}" if text.endswith("/**") else text


def _glob_match(text: str, pattern: str) -> bool:
    if len(text) > LONGEST[-1]:
        raise TooLong("the text is too long for a glob")
    return any(one.fullmatch(text) for one in _glob(pattern))


@lru_cache(maxsize=65536)
def _network(pattern: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        raise Refused(
            f"`{pattern}` is no address and no network", f"`{pattern}` 不是地址或网段",
            ("write for example 10.2.0.0/16", "写法示例：10.2.0.0/16"),
        ) from None  # fmt: skip


def _ip_match(text: str, pattern: str) -> bool:
    return ipaddress.ip_address(text) in _network(pattern)


@lru_cache(maxsize=65536)
def _moment(text: str) -> datetime | None:
    """A date; None for no limit."""
    if text == UNLIMITED or (text.startswith("0000-") and _DATE.match(text)):
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # read in the policy's time zone, as `now` is
    except ValueError:
        raise Refused(
            f"`{text}` is no time", f"`{text}` 不是时间",
            ("write for example 2027-12-31 23:59:59, or _ for no limit", "写法示例：2027-12-31 23:59:59；_ 表示不限"),
        ) from None  # fmt: skip


def within(now: datetime, start: str, end: str) -> bool:
    """Whether `now` (wall clock, without a zone) lies strictly between the two; `_` is no limit."""
    begins, ends = _moment(start), _moment(end)
    return (begins is None or now > begins) and (ends is None or now < ends)


FUNCTIONS: dict[str, Function] = {
    "keyMatch": Function(2, "bool", _key_match, lambda pattern: None, microseconds=0.4),
    "keyMatch2": Function(2, "bool", lambda text, pattern: _second(pattern).match(text) is not None, _second),
    "keyMatch3": Function(2, "bool", lambda text, pattern: _third(pattern).match(text) is not None, _third),
    "keyMatch4": Function(2, "bool", _key_match4, _fourth, microseconds=2.0),
    "keyMatch5": Function(2, "bool", _key_match5, _fifth),
    "regexMatch": Function(2, "bool", lambda text, pattern: regex(pattern).match(text) is not None, regex),
    "globMatch": Function(2, "bool", _glob_match, _glob, microseconds=4.0),
    "ipMatch": Function(2, "bool", _ip_match, _network, microseconds=3.0),
    "timeMatch": Function(2, "bool", within, _moment, all_patterns=True, now=True),
    "keyGet": Function(2, "text", _key_get, lambda pattern: None, microseconds=0.4),
    "keyGet2": Function(3, "text", _key_get2, _second_get, microseconds=2.0),
    "keyGet3": Function(3, "text", _key_get3, _third_get, microseconds=2.0),
}
"""By the name matchers use."""

MATCHING = ("keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5", "regexMatch", "globMatch", "ipMatch")
"""What may match names of a request with names of `g` rows."""
