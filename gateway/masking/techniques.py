"""What becomes of one value?

A technique takes the text of a value and gives the text that is shown instead. Rules:

1. Too short is all hidden. Whoever shows "the first three and last four" of seven characters
   shows the value; most maskers do. Spaces and marks make no value longer: `1234` in a column of ten
   and `138-0013` are short.
2. The length does not leak: stars are a fixed number, whatever they stand for.
3. Characters are what a reader sees: a base letter with its marks counts as one.
4. What needs a key gets it for the caller's department (`keys.py`).
"""

import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from gateway.masking.keys import Keys
from gateway.masks import TECHNIQUES

STARS = "****"
REDACTED = "***"
_MAX_CLUSTER = 8
_LONG = 2048

Shown = str | int | float | None
"""What stands in the place of a value."""
Apply = Callable[[str, Keys], str]
"""What is shown instead of a text."""
Number = Callable[[str, Keys], Shown]
"""What is shown instead of a number, given in its spelling."""


class Makers(NamedTuple):
    """What makes the functions of a technique from its numbers; `number` is None where a number is masked as text."""

    text: Callable[..., Apply]
    number: Callable[..., Number] | None


REGISTRY: dict[str, Makers] = {}
_Maker = Callable[..., Apply]


def technique(name: str, number: Callable[..., Number] | None = None) -> Callable[[_Maker], _Maker]:
    """Register what makes a technique from its numbers. A name is used once, and is a known one."""

    def register(maker: _Maker) -> _Maker:
        if name in REGISTRY:
            raise ValueError(f"technique `{name}` is registered twice")
        if name not in TECHNIQUES:
            raise ValueError(f"technique `{name}` is not listed in masks")
        REGISTRY[name] = Makers(maker, number)
        return maker

    return register


@technique("keep")
def _keep() -> Apply:
    return lambda text, _: text


@technique("redact")
@technique("null")  # as a constant of its own where values are written (`plan.Rule`)
@technique("drop")  # where something must stand in its place, nothing of the value does
def _redact() -> Apply:
    return lambda _, __: REDACTED


@technique("hash")
def _hash() -> Apply:
    return lambda text, keys: keys.digest(text)


@technique("partial")
def _partial(first: int, last: int) -> Apply:
    hidden = first + last
    # one character is taken by its place: quicker than a slice of one
    head: int | slice = 0 if first == 1 else slice(first)
    tail: int | slice = -1 if last == 1 else slice(-last, None) if last else slice(0)

    def apply(text: str, _: Keys) -> str:
        size = len(text)
        if size <= hidden:
            return STARS
        if text.isascii():
            tells = text[first] in _PLAIN or _tells(text[first : size - last])  # nearly always the first
        elif size <= _LONG and text.isalnum():
            tells = text[first] not in _BLANK or _tells(text[first : size - last])
        elif _is_simple(text):
            tells = _tells(text[first : size - last])
        else:
            shown = clusters(_ends(text))
            tells = _tells(_bases(shown[first : len(shown) - last]))
            return "".join(shown[head]) + STARS + "".join(shown[tail]) if tells else STARS
        if not tells:
            return STARS
        return f"{text[head]}{STARS}{text[tail]}" if last else text[head] + STARS

    return apply


@technique("truncate")
def _truncate(count: int) -> Apply:
    head = slice(count)

    def apply(text: str, _: Keys) -> str:
        size = len(text)
        if size <= count:
            return STARS
        if text.isascii():
            return text[head] if text[-1] in _PLAIN or _tells(text[count:]) else STARS
        if size <= _LONG and text.isalnum():
            return text[head] if text[count] not in _BLANK or _tells(text[count:]) else STARS
        if _is_simple(text):
            return text[head] if _tells(text[count:]) else STARS
        shown = clusters(_ends(text))
        return "".join(shown[head]) if _tells(_bases(shown[count:])) else STARS

    return apply


def _tells(hidden: str) -> bool:
    """Whether hiding this hides something: a letter, a digit or a picture. Of megabytes of spaces the first are asked."""
    if _LETTER.search(hidden, 0, _LONG):
        return True
    return any(unicodedata.category(char) == "So" and char not in _BLANK for char in hidden[:_LONG])


def _bases(shown: list[str]) -> str:
    """The characters without their marks."""
    return "".join([cluster[0] for cluster in shown])


_PLAIN = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"  # letters and a picture by their category, and nothing to see
_LETTER = re.compile(f"[^\\W_{_BLANK}]")


def _is_simple(text: str) -> bool:
    """Whether one code point is one character throughout, told quickly."""
    return len(text) <= _LONG and _SIMPLE.fullmatch(text) is not None


def _ends(text: str) -> str:
    """Beginning and end of a text: 64 characters are shown on a side at most, and nobody counts megabytes of marks."""
    return text if len(text) <= _LONG else text[: _LONG // 2] + text[-_LONG // 2 :]


_SIMPLE = re.compile("[ -~\u00a1-\u00ac\u00ae-\u02ff\u3000-\u3029\u3030-\u3098\u309b-\u9fff\uff01-\uff9d]*")
"""Scripts in which one code point is one character: ASCII, Latin, Chinese, kana; no marks, no controls."""


def clusters(text: str) -> list[str]:
    """What a reader sees as single characters; a cluster of more than eight code points hides the rest.

    Simpler than UAX 29 on purpose: it may join too much, never split a letter from its marks.
    """
    found: list[str] = []
    joined = False
    for char in text:
        if found and (joined or unicodedata.category(char) in _ATTACHED or _is_modifier(char)):
            if len(found[-1]) < _MAX_CLUSTER:  # invisible characters can carry a whole value along
                found[-1] += char
        else:
            found.append(char)
        joined = char == "\u200d"
    return found


_ATTACHED = frozenset({"Mn", "Mc", "Me", "Cf", "Cs"})


def _is_modifier(char: str) -> bool:
    return "\U0001f3fb" <= char <= "\U0001f3ff"
