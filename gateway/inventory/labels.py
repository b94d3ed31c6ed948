"""What does an `x-data-classification` say?

Either a grade, or `{level, identifier, mask}`, beside a property, a schema, a parameter or an operation. Rules:

1. A word that is not known is a fault at its place, never no label.
2. Where two labels meet (a reference and what it refers to, the parts of an `allOf`) the higher grade holds.
3. `mask` is what the author of the interface thinks of: it becomes a note. Policy chooses, not the interface.
"""

from collections.abc import Collection, Mapping
from difflib import get_close_matches

from msgspec import Struct
from msgspec.structs import replace

from gateway.document import FileFault, Node, did_you_mean
from gateway.facts import Grade
from gateway.masks import IDENTIFIERS, BadTechnique, parse_technique

KEY = "x-data-classification"
_NUMBERED = {1: Grade.GENERAL_1, 2: Grade.GENERAL_2, 3: Grade.GENERAL_3, 4: Grade.GENERAL_4}


class Label(Struct, frozen=True):
    """How somebody classified a value; None and "" where they did not say."""

    grade: Grade | None = None
    identifier: str = ""
    mask: str = ""


def joined(one: Label | None, other: Label | None) -> Label | None:
    """Both labels; the first one's identifier, the higher grade."""
    if one is None or other is None:
        return one or other
    grades = [label.grade for label in (one, other) if label.grade is not None]
    return Label(max(grades, default=None), one.identifier or other.identifier, one.mask or other.mask)


def label_of(node: Node, words: Mapping[str, Grade], faults: list[FileFault]) -> Label | None:
    """The label beside this schema, parameter or operation; None where there is none, or none that can be read."""
    if not isinstance(node.value, dict) or KEY not in node.value:
        return None
    said = node.value[KEY]
    if not isinstance(said.value, dict):
        grade = _grade(said, words, faults)
        return None if grade is None else Label(grade)
    before = len(faults)
    faults.extend(said.unknown_keys(("level", "identifier", "mask"), "I004"))
    level = said.value.get("level")
    grade = _grade(level, words, faults) if level is not None else None
    label = Label(grade, _identifier(said, faults), _mask(said, faults))
    if label == Label() and len(faults) == before:
        faults.append(said.fault("I004", "the label says nothing", "标注没有内容", *_FORM))
    return None if label == Label() else label


def misspelt(root: Node) -> list[FileFault]:
    """A warning for each key that is nearly the one of a label: what stands there would be no label, and nobody would know."""
    found: list[FileFault] = []
    left, odd = [root], {}
    while left:
        node = left.pop()
        below = node.value if isinstance(node.value, list | dict) else ()
        left += below.values() if isinstance(below, dict) else below
        for key in below if isinstance(below, dict) else ():
            if key not in odd:
                odd[key] = key != KEY and bool(get_close_matches(key.lower().replace("_", "-"), (KEY,), cutoff=_NEARLY))
            if odd[key]:
                fault = node.key_fault(
                    key, "I004", f"`{key}` is no label", f"`{key}` 不是标注", *did_you_mean(key.lower(), (KEY,))
                )
                found.append(replace(fault, warning=True))
    return found


_NEARLY = 0.9  # two letters of it in another place, one too much or too few
_GRADES = (
    "write general-1 … general-4 (or 1 … 4), important, core, or a name of grades.yaml",
    "请写 general-1 … general-4（或 1 … 4）、important、core，或 grades.yaml 中的名称",
)
_IDENTIFIERS = ("possible: " + ", ".join(sorted(IDENTIFIERS)), "可用值：" + "、".join(sorted(IDENTIFIERS)))
_FORM = ("write `{level: general-3, identifier: phone}`", "请写成 `{level: general-3, identifier: phone}`")


def _grade(node: Node, words: Mapping[str, Grade], faults: list[FileFault]) -> Grade | None:
    value = node.value
    if type(value) is int and value in _NUMBERED:
        return _NUMBERED[value]
    if isinstance(value, str) and value in words:
        return words[value]
    shown = value if isinstance(value, str | int | float) else "…"
    hint = _near(value, words, _GRADES) if isinstance(value, str) else _FORM
    faults.append(node.fault("I005", f"no grade `{shown}`", f"没有级别 `{shown}`", *hint))
    return None


def _near(word: str, known: Collection[str], possible: tuple[str, str]) -> tuple[str, str]:
    """The word that was probably meant, or what is possible: nobody is left without a remedy."""
    near = did_you_mean(word, known)
    return near if near[0] else possible


def _identifier(said: Node, faults: list[FileFault]) -> str:
    node = said.at(["identifier"])
    if node is said:
        return ""
    if isinstance(node.value, str) and node.value in IDENTIFIERS:
        return node.value
    shown = node.value if isinstance(node.value, str) else "…"
    hint = _near(shown, IDENTIFIERS, _IDENTIFIERS)
    faults.append(node.fault("I006", f"no identifier `{shown}`", f"没有标识类型 `{shown}`", *hint))
    return ""


def _mask(said: Node, faults: list[FileFault]) -> str:
    node = said.at(["mask"])
    if node is said:
        return ""
    try:
        return parse_technique(str(node.value)).text
    except BadTechnique as bad:
        faults.append(node.fault("I007", bad.en, bad.zh))
        return ""
