"""Has this value of a file the form that is expected here?

A value of the right form, or a fault at its place and something harmless instead: reading goes on, so that all faults
of all files are told in one run.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TypeVar, get_args
from zoneinfo import ZoneInfo

from msgspec import Struct

from gateway.catalog.grades import Names
from gateway.document import FileFault, Node, did_you_mean
from gateway.facts import Contract, Grade
from gateway.jsonpath import BadPath, Member, parse, spell
from gateway.masks import IDENTIFIERS

CONTRACTS: dict[str, Contract] = {word: word for word in get_args(Contract)}
MAX_NAMES = 16
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_IDENTIFIERS = {word: word for word in IDENTIFIERS}

Faults = list[FileFault]
V = TypeVar("V")


class Day(Struct, frozen=True):
    """A day as written, `2026-01-10`, and when it begins and is over: seconds since 1970, in the policies' time zone."""

    text: str
    begins: float
    ends: float


def is_mapping(node: Node, faults: Faults) -> bool:
    """Whether there are keys to be read."""
    if isinstance(node.value, dict):
        return True
    faults.append(node.fault("K003", "`key: value` pairs are expected here", "此处应为 `键: 值`"))
    return False


def mapping_at(node: Node, key: str, known: tuple[str, ...], faults: Faults) -> Node | None:
    """The mapping under this key, None where there is none; a key in it that is not known is a fault."""
    place = node.at([key])
    if place is node or not is_mapping(place, faults):
        return None
    faults.extend(place.unknown_keys(known, "K001"))
    return place


def items(node: Node, key: str, faults: Faults) -> list[Node]:
    """The elements of the list under this key."""
    place = node.at([key])
    if place is node or place.value is None:
        return []
    if isinstance(place.value, list):
        return place.value
    faults.append(place.fault("K003", f"`{key}` is a list", f"`{key}` 应为列表"))
    return []


def text(node: Node, key: str, faults: Faults, required: bool = False) -> str:
    """The text under this key, "" for none."""
    place = node.at([key])
    if place is node or place.value is None:
        if required:
            faults.append(node.fault("K002", f"`{key}` is missing", f"缺少 `{key}`"))
        return ""
    if isinstance(place.value, str) and place.value:
        return place.value
    faults.append(place.fault("K003", f"`{key}` is a text", f"`{key}` 应为文本"))
    return ""


def title(node: Node, key: str, faults: Faults) -> tuple[str, str]:
    """A text in one or two languages: `title: text` or `title: {en, zh}`."""
    place = node.at([key])
    if place is node:
        return "", ""
    if isinstance(place.value, str):
        return place.value, place.value
    inner = mapping_at(node, key, ("en", "zh"), faults)
    return ("", "") if inner is None else (text(inner, "en", faults), text(inner, "zh", faults))


def flag(node: Node, key: str, faults: Faults) -> bool:
    """True or false; False for none."""
    place = node.at([key])
    if place is node:
        return False
    if isinstance(place.value, bool):
        return place.value
    faults.append(place.fault("K003", f"`{key}` is true or false", f"`{key}` 应为 true 或 false"))
    return False


def number(node: Node, key: str, most: int, faults: Faults) -> int:
    """A whole number from 1 to `most`, 0 for none."""
    place = node.at([key])
    if place is node:
        return 0
    value = place.value
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
        return value
    faults.append(
        place.fault("K003", f"`{key}` is a whole number from 1 to {most}", f"`{key}` 应为 1 至 {most} 的整数")
    )
    return 0


def meaning(
    place: Node, said: str, words: Mapping[str, V], code: str, named: tuple[str, str], faults: Faults
) -> V | None:
    """What a word stands for, or a fault with what may stand there; `named` is what it is the name of."""
    if said in words:
        return words[said]
    en, zh = named
    hint_en, hint_zh = did_you_mean(said, words)
    faults.append(place.fault(code, f"no {en} `{said}`", f"没有{zh} `{said}`", hint_en, hint_zh))
    return None


def word(
    node: Node,
    key: str,
    words: Mapping[str, V],
    code: str,
    named: tuple[str, str],
    faults: Faults,
    required: bool = False,
) -> V | None:
    """What the word under this key stands for, None for none."""
    said = text(node, key, faults, required)
    return meaning(node.at([key]), said, words, code, named, faults) if said else None


def grade(node: Node, key: str, names: Names, faults: Faults, required: bool = False) -> Grade | None:
    """The grade under this key, in the words of the gateway or of the province; None for none."""
    return word(node, key, names, "K004", ("grade", "级别"), faults, required)


def identifier(node: Node, key: str, faults: Faults, required: bool = False) -> str:
    """The identifier named under this key, "" for none."""
    return word(node, key, _IDENTIFIERS, "K006", ("identifier", "标识类型"), faults, required) or ""


def names(node: Node, key: str, faults: Faults) -> tuple[str, ...]:
    """The texts in the list under this key, each once."""
    found = []
    for place in items(node, key, faults):
        if isinstance(place.value, str) and place.value:
            found.append(place.value)
        else:
            faults.append(place.fault("K003", f"`{key}` is a list of words", f"`{key}` 应为词语列表"))
    return tuple(dict.fromkeys(found))


def known_names(
    node: Node, key: str, known: Mapping[str, V], code: str, named: tuple[str, str], faults: Faults
) -> tuple[str, ...]:
    """The same, of words that are known."""
    place = node.at([key])
    return tuple(
        said for said in names(node, key, faults) if meaning(place, said, known, code, named, faults) is not None
    )


def identifiers(node: Node, key: str, faults: Faults) -> tuple[str, ...]:
    """The identifiers in the list under this key."""
    return known_names(node, key, _IDENTIFIERS, "K006", ("identifier", "标识类型"), faults)


def day(node: Node, key: str, zone: ZoneInfo, faults: Faults, required: bool = False) -> Day | None:
    """The day under this key, None for none."""
    said = text(node, key, faults, required)
    if not said:
        return None
    try:
        if not _DAY.match(said):
            raise ValueError
        first = date.fromisoformat(said)
        begins, ends = (
            datetime(one.year, one.month, one.day, tzinfo=zone).timestamp() for one in (first, first + timedelta(1))
        )
    except (ValueError, OverflowError):
        faults.append(
            node.at([key]).fault(
                "K032", f"`{said}` is no day", f"`{said}` 不是日期", "write 2026-01-31", "写法如 2026-01-31"
            )
        )
        return None
    return Day(said, begins, ends)


def path(place: Node, said: str, faults: Faults) -> str:
    """The one spelling of a field's path; "" after reporting that it cannot be read."""
    try:
        return spell(parse(said)) if said else ""
    except BadPath as bad:
        faults.append(
            place.fault(
                "K009",
                f"`{said}` is not a path: {bad.en}",
                f"`{said}` 不是有效路径：{bad.zh}",
                "write $.name, $..name, $.list[*].name",
                "写法如 $.name、$..name、$.list[*].name",
            )
        )
        return ""


def names_only(node: Node, key: str, faults: Faults) -> str:
    """The path under this key that leads through names alone (`$.data.items`), "" for none.

    What lies at any depth (`$..items`) may lie in several places: nobody could say which of them are the records.
    """
    place, said = node.at([key]), text(node, key, faults)
    found = path(place, said, faults)
    steps = parse(found) if found else ()
    if steps and len(steps) <= MAX_NAMES and all(isinstance(step, Member) for step in steps):
        return found
    if found:
        faults.append(
            place.fault(
                "K037",
                f"`{said}` does not lead to one place through names",
                f"`{said}` 未通过名称指向唯一位置",
                "write the names on the way: $.items, $.data.items",
                "请写出途经的名称：$.items、$.data.items",
            )
        )
    return ""
