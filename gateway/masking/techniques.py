"""What becomes of one value?

A technique takes the text of a value and gives the text that is shown instead. Rules:

1. Too short is all hidden. Whoever shows "the first three and last four" of seven characters
   shows the value; most maskers do. Spaces and marks make no value longer: `1234` in a column of ten
   and `138-0013` are short.
2. The length does not leak: stars are a fixed number, whatever they stand for.
3. Characters are what a reader sees: a base letter with its marks counts as one.
4. `hash` is keyed and per department: without the key a resident id is found by trying them
   all, and two departments cannot join what they got.
"""

import hmac
import re
import unicodedata
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256

from gateway.masks import TECHNIQUES, Technique

STARS = "****"
REDACTED = "***"
DIGEST_BYTES = 16
_MAX_CLUSTER = 8
_LONG = 2048

Keyed = Callable[[str], str]
"""The keyed digest of a text, for one department."""
Apply = Callable[[str, Keyed], str]
"""What is shown instead of a text."""

REGISTRY: dict[str, Callable[..., Apply]] = {}
_Maker = Callable[..., Apply]


def technique(name: str) -> Callable[[_Maker], _Maker]:
    """Register what makes a technique from its numbers. A name is used once, and is a known one."""

    def register(maker: _Maker) -> _Maker:
        if name in REGISTRY:
            raise ValueError(f"technique `{name}` is registered twice")
        if name not in TECHNIQUES:
            raise ValueError(f"technique `{name}` is not listed in masks")
        REGISTRY[name] = maker
        return maker

    return register


def compiled(chosen: Technique) -> Apply:
    """The function behind a technique."""
    return REGISTRY[chosen.name](*chosen.numbers)


def keyed(key: bytes, department: str) -> Keyed:
    """The digest for one department: HMAC-SHA-256, base64url, shortened to 128 bits."""
    # the department goes in as a digest of fixed length, so that no two (department, value) run together
    base = hmac.new(key, b"mask\0" + sha256(department.encode("utf-8", "surrogatepass")).digest(), sha256)

    def digest(text: str) -> str:
        one = base.copy()
        one.update(text.encode("utf-8", "surrogatepass"))
        return urlsafe_b64encode(one.digest()[:DIGEST_BYTES]).rstrip(b"=").decode("ascii")

    return digest


@technique("keep")
def _keep() -> Apply:
    return lambda text, _: text


@technique("redact")
@technique("drop")  # where something must stand in its place, nothing of the value does
def _redact() -> Apply:
    return lambda _, __: REDACTED


@technique("hash")
def _hash() -> Apply:
    return lambda text, digest: digest(text)


@technique("partial")
def _partial(first: int, last: int) -> Apply:
    hidden = first + last
    # one character is taken by its place: quicker than a slice of one
    head: int | slice = 0 if first == 1 else slice(first)
    tail: int | slice = -1 if last == 1 else slice(-last, None) if last else slice(0)

    def apply(text: str, _: Keyed) -> str:
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

    def apply(text: str, _: Keyed) -> str:
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
