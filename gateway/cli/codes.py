"""What does a fault code of a file mean, in words for whom?

Where a fault is reported its message says what was found; here is what its code means, for `gateway explain-code`.
Codes of policy files stand in `codes.yaml`, those of `gateway.yaml` in `gateway.config.codes`, reasons in
`gateway.reasons`, with what an operator does about each in `reasons.yaml`: `explained` looks all of them up.
"""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec


class Explained(NamedTuple):
    """What a code means and what to do, in English and Chinese; of a reason its status, and what its operator does."""

    code: str
    en: str
    zh: str
    remedy_en: str
    remedy_zh: str
    status: int = 0
    operator_en: str = ""
    operator_zh: str = ""


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `codes.yaml` says about a code: its meaning and its remedy."""

    en: tuple[str, str]
    zh: tuple[str, str]


_BLANK = re.compile(r"`\{\w+\}:?`|\{\w+\}")  # where a fault names what it found


@cache
def of_files() -> dict[str, Explained]:
    """The codes of `codes.yaml`: policy files, and what any YAML file can have."""
    from gateway.document import read

    entries = msgspec.convert(read(Path(__file__).with_name("codes.yaml")).plain(), dict[str, _Entry])
    return {
        code: Explained(code, one.en[0], one.zh[0], remedy_en=one.en[1], remedy_zh=one.zh[1])
        for code, one in entries.items()
    }


@cache
def of_operators() -> dict[str, tuple[str, str]]:
    """What an operator does about each reason, in English and Chinese."""
    from gateway.document import read

    return msgspec.convert(read(Path(__file__).with_name("reasons.yaml")).plain(), dict[str, tuple[str, str]])


def explained(code: str) -> list[Explained]:
    """What this code means; more than one when it is told of several mistakes, none when there is no such code."""
    from gateway.config.codes import CODES
    from gateway.reasons import REASONS

    name, upper = code.lower(), code.upper()
    if name in REASONS:
        reason = REASONS[name]
        does = of_operators()[name]
        return [Explained(name, reason.en, reason.zh, reason.remedy_en, reason.remedy_zh, reason.status, *does)]
    if upper in of_files():
        return [of_files()[upper]]
    found = [meaning for meaning in CODES.values() if meaning.code == upper]
    return [
        Explained(
            upper,
            _bare("warning: " * one.warning + one.en),
            _bare("警告：" * one.warning + one.zh),
            _bare(one.remedy_en),
            _bare(one.remedy_zh),
        )
        for one in found
    ]


def _bare(text: str) -> str:
    """A text without what a fault fills in; "" when that would be all of it."""
    return "" if _BLANK.fullmatch(text) else _BLANK.sub("…", text)


def known() -> list[str]:
    """Every code there is."""
    from gateway.config.codes import CODES
    from gateway.reasons import REASONS

    return [*REASONS, *dict.fromkeys(meaning.code for meaning in CODES.values()), *of_files()]
