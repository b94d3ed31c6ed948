"""In which spellings may a reader see an identifier?

A value is one to whoever reads it, however it is written: `\\u0033`, `&#51;`, `%33`, full-width, in the digits of another
script, with a character between them that nobody sees, with another space or dash than those of ASCII. Rules:

1. One reading is made of all of these at once, each undone once; only escapes of JSON as often as they are nested.
2. It is made only where a body holds one of them at a place where it matters (`signs`): most bodies need none.
3. Words, other encodings (base64) and what stands in several values are not put together.
"""

import html
import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from gateway.detect.identifiers import PLATE_PROVINCES


def _spread(ranges: str) -> list[str]:
    """The characters of a class of a regular expression."""
    found = re.findall(r"(.)(?:-(.))?", ranges, re.DOTALL)
    return [chr(code) for first, last in found for code in range(ord(first), ord(last or first) + 1)]


_CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0"
)
PIECE = 256
UNSEEN = re.compile(f"[{_CONTROLS}{_UNSEEN}\U000e0000-\U000e0fff]")
"""Characters that nobody sees."""
_SPACES = "\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_DASHES = (  # and the minus, the long vowel of Japanese and lines of a box, which are written for one
    "\u058a\u05be\u1400\u1806\u2010-\u2015\u2e17\u2e1a\u2e3a\u2e3b\u2e40\u2e5d\u301c\u3030\u30a0\ufe31\ufe32\ufe58\ufe63"
    "\uff0d\u2043\u207b\u208b\u2212\u2500\u2796\u30fc"
)
ZEROS = "٠۰߀०০੦૦୦௦౦೦൦෦๐໐༠၀႐០᠐᥆᧐᪀᪐᭐᮰᱀᱐꘠꣐꤀꧐꧰꩐꯰"
"""The zeros of other scripts, nine digits after each; NFKC knows those that are digits of ours in another form."""

_DIGITS = {chr(ord(zero) + value): str(value) for zero in ZEROS for value in range(10)}
_DIGIT_RANGES = "".join(f"{zero}-{chr(ord(zero) + 9)}" for zero in ZEROS)
_OUR_DIGITS = "\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468"  # ², ₂, ②: digits of ours to NFKC
_OTHERS = re.compile(f"[{_SPACES}{_DASHES}{_DIGIT_RANGES}]")
_READ = _DIGITS | dict.fromkeys(_spread(_SPACES), " ") | dict.fromkeys(_spread(_DASHES), "-")
PLATE_SIGNS = "|".join(f"{ord(sign):04x}" for sign in PLATE_PROVINCES + "挂学警港澳·")
"""The signs of plates as an escape of JSON spells them."""
# not the other words of Chinese: quicker
_ESCAPE = re.compile(rf"\\+u([0-3A-Fa-f][0-9A-Fa-f]{{3}}|(?i:{PLATE_SIGNS}))")
_REFERENCE = re.compile(r"&(?:#0*([0-9]{1,7})|#[Xx]0*([0-9A-Fa-f]{1,6})|[A-Za-z][A-Za-z0-9]{1,31});?")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


def read_out(body: bytes) -> bytes:
    """The body as a reader sees it, with the digits, spaces and hyphens of ASCII."""
    text = body.decode("utf-8", "replace")
    if "\\u" in text:
        text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
        if _SURROGATE.search(text) is not None:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # a pair is one character
    if "&" in text:
        text = dereferenced(text)
    if "%" in text:
        text = _PERCENT.sub(lambda match: unquote_to_bytes(match[0]).decode("utf-8", "replace"), text)
    return as_seen(text).encode("utf-8", "replace")


def as_seen(text: str) -> str:
    """A text without escapes in the digits, spaces and hyphens of ASCII, and without what nobody sees."""
    if not text.isascii():
        text = compatible(_OTHERS.sub(lambda match: _READ[match[0]], text))
    return UNSEEN.sub("", text)


def compatible(text: str) -> str:
    """The text in plain letters and digits (NFKC), piece by piece: to put a run of marks in order takes the square of it."""
    return "".join(unicodedata.normalize("NFKC", text[at : at + PIECE]) for at in range(0, len(text), PIECE))


def dereferenced(text: str) -> str:
    """The text with the character references of HTML resolved, whatever their length."""
    return _REFERENCE.sub(_referred, text)


def _referred(match: re.Match[str]) -> str:
    decimal, hexadecimal = match[1], match[2]
    if decimal is None and hexadecimal is None:
        return html.unescape(match[0])
    code = int(decimal) if decimal is not None else int(hexadecimal, 16)
    return chr(code) if code <= 0x10FFFF else ""


def signs() -> tuple[bytes, ...]:
    """Patterns over bytes, one of which is found where another reading may show what this one does not."""
    unseen = f"[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]|\xc2[\x80-\x9f]|\xf3\xa0[\x80-\xbf]{{2}}|{_in_bytes(_UNSEEN)}"
    unseen += rf"|\\u(?i:{_in_escapes(_UNSEEN)})"
    between = rf"{_in_bytes(_SPACES + _DASHES)}|\\u(?i:{_in_escapes(_SPACES + _DASHES)})"
    between += r"|&[A-Za-z]{2,8};|%(?:20|2[Dd]|[Cc]2%[Aa]|[Ee]2%8|[Ee]3%80%80)"
    digits = _DIGIT_RANGES + _OUR_DIGITS
    other = rf"{_in_bytes(digits)}|\xf0\x9d\x9f[\x8e-\xbf]|\\u(?i:{_in_escapes(digits)}|d835\\udf[c-f][0-9a-f])"
    return tuple(
        pattern.encode("latin-1")
        for pattern in (
            f"(?:{unseen})[0-9A-Za-z@.]",
            f"[0-9](?:{between})[0-9]",
            f"(?:{other})(?:{other}|[0-9])|[0-9](?:{other})",
            "&#[0-9Xx]|&commat;|%3[0-9]|%40|(?i:%ef%bc%9)",
        )
    )


def _in_bytes(ranges: str) -> str:
    """A pattern over the bytes of these characters in UTF-8, as latin-1."""
    return _grouped(char.encode("utf-8").decode("latin-1") for char in _spread(ranges))


def _in_escapes(ranges: str) -> str:
    """A pattern over the four digits of these characters in an escape of JSON."""
    return _grouped(f"{ord(char):04x}" for char in _spread(ranges))


def _grouped(words: Iterable[str]) -> str:
    """A pattern for these words, those that differ in their last character alone as one."""
    ends: dict[str, str] = {}
    for word in words:
        ends[word[:-1]] = ends.get(word[:-1], "") + word[-1]
    return "|".join(f"{start}[{last}]" for start, last in ends.items())
