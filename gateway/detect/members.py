"""Is this the name of a member, or what a service put in its place?

`{"330106199003072319": {…}}`, `{"王小明": {…}}`, `{"浙A1B23C": {…}}`: what looks like data is spelled nowhere. Rules:

1. A name begins with a letter, is short, and has no five digits.
2. What has the form of a plate is data, and so is that of which a part has the form of a Chinese name (`王小明的病史`, `note_李四`),
   unless it speaks of an identifier (`联系人`), or this part begins with one of the words that begin like a surname (`项目`,
   `申请人`). A name in letters (`wangxm`) cannot be told.
"""

import re
from functools import lru_cache

from gateway.detect.identifiers import DETECTORS, fits, named, plain
from gateway.detect.surnames import WORDS

_NAME = re.compile(r"[^\W\d][\w.-]{0,63}\Z")
_FIVE_DIGITS = re.compile(r"(?:\d\D*){5}")
_PARTS = re.compile(r"[\W_0-9A-Za-z的]+")


def has_form(name: str) -> bool:
    """Whether it is made as names are (rule 1)."""
    return _NAME.match(name) is not None and _FIVE_DIGITS.search(name) is None


def is_member(name: str) -> bool:
    """Whether it is a name, as far as that can be told."""
    return has_form(name) and (name.isascii() or not _is_data(name))


@lru_cache(maxsize=4096)
def _is_data(name: str) -> bool:
    text = plain(name)
    return (fits(DETECTORS["plate"], text) or any(map(_is_person, _PARTS.split(text)))) and not named(name)


def _is_person(part: str) -> bool:
    return fits(DETECTORS["name"], part) and not (part[:2] in WORDS and len(part) <= 3)
