"""Which names could a reader take for each other?

1. Two names look alike when nothing but case, separators and letters that are drawn alike tells them apart:
   `clerk` and `c1erk`, `senior-auditor` and `senior_auditor`, `admin` with a Cyrillic `а`.
2. Names of roles and of people are held against each other: a rule for `user:Clerk` reads like one for the role.
"""

import unicodedata
from collections.abc import Iterable, Iterator

_ALIKE = str.maketrans(
    {
        "0": "o", "1": "l", "i": "l", "5": "s", "|": "l", "-": "", "_": "", ".": "", "/": "", " ": "",
        "а": "a", "е": "e", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x", "і": "l", "ѕ": "s", "ԁ": "d", "к": "k",
        "м": "m", "т": "t", "в": "b", "н": "h", "α": "a", "ο": "o", "ρ": "p", "ν": "v", "ι": "l", "κ": "k", "τ": "t",
    }
)  # fmt: skip


def skeleton(name: str) -> str:
    """What is left of a name when all that is drawn alike is the same."""
    folded = unicodedata.normalize("NFKC", name).casefold().translate(_ALIKE)
    return folded.replace("rn", "m").replace("vv", "w").replace("cl", "d")


def alike(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of different names that look alike: the first one of its looks, and each later one."""
    first: dict[str, str] = {}
    for name in dict.fromkeys(names):
        known = first.setdefault(skeleton(name), name)
        if known != name:
            yield known, name
