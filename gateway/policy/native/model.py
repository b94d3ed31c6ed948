"""What does a `model.conf` define?

casbin's own reader takes the last of two equal keys, leaves out what it does not know, and keeps a comment that
stands behind a definition as part of it: with `eft # why` every deny is ignored. Rules:

1. Sections and keys are those of casbin and stand once; any other line is a fault. A matcher that goes on in the
   next line without `\\` makes a line of its own, which casbin drops together with what it asks for.
2. A comment behind a definition is a comment; inside quotes `#` is a letter.
3. The effect is one of casbin's five. One that allows what no row speaks about must be asked for in `request.yaml`.
4. `r2`, `p2`, `e2` and `m2` are refused: nobody would choose them, so that their rows would never be asked.
5. Every character knows its place in the file.
"""

import re

from msgspec import Struct

from gateway.document import FileFault, did_you_mean
from gateway.policy.native.source import SECTIONS, columns
from gateway.policy.shapes import Faults

ALLOW_OVERRIDE = "some(where (p.eft == allow))"
DENY_OVERRIDE = "!some(where (p.eft == deny))"
ALLOW_AND_DENY = f"{ALLOW_OVERRIDE} && {DENY_OVERRIDE}"
PRIORITY = "priority(p.eft) || deny"
SUBJECT_PRIORITY = "subjectPriority(p.eft) || deny"
EFFECTS = (ALLOW_OVERRIDE, DENY_OVERRIDE, ALLOW_AND_DENY, PRIORITY, SUBJECT_PRIORITY)

_KEY = re.compile(r"\s*([^=]*?)\s*=")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_BLANKS = re.compile(r"(_(?:\s*,\s*_){1,2})(?:\s*,\s*\(\s*(_(?:\s*,\s*_)*)\s*\))?\s*\Z")
_PARTS = re.compile(r"\w+|\S")
_LETTER = dict(SECTIONS)
_WHAT = {
    "r": ("the request", "请求"),
    "p": ("the policy", "策略"),
    "e": ("the effect", "效果"),
    "m": ("the matcher", "匹配器"),
}

Place = tuple[int, int]


class Definition(Struct, frozen=True):
    """The text of one definition; `places` gives line and column of each character, and of the end."""

    text: str
    places: tuple[Place, ...]

    def fault(self, file: str, at: int, code: str, en: str, zh: str, hint: tuple[str, str] = ("", "")) -> FileFault:
        """A fault at a character of the text."""
        line, column = self.places[min(max(at, 0), len(self.places) - 1)]
        return FileFault(file, line, column, code, en, zh, hint[0], hint[1])


class Blanks(Struct, frozen=True):
    """A role definition: how many columns name user, role and domain, and how many belong to a condition."""

    names: int
    conditions: int


def read_model(text: str, file: str, faults: Faults) -> dict[str, Definition]:
    """The definitions of a model by key; every fault goes to `faults`."""
    found: dict[str, Definition] = {}
    section = ""
    lines = _joined(text)
    while lines:
        line = lines.pop(0)
        stripped = line.text.strip()
        if not stripped:
            continue
        if stripped.startswith("[") and stripped.endswith("]"):
            section = _section(line, stripped[1:-1], file, faults)
        elif section != "?":
            _define(line, section, file, found, faults)
    _check(found, file, faults)
    return found


def _joined(text: str) -> list[Definition]:
    """The lines without comments, those with `\\` at the end joined with the next."""
    out: list[Definition] = []
    letters: list[str] = []
    places: list[Place] = []
    for number, raw in enumerate(text.split("\n"), 1):
        line = _without_comment(raw.rstrip("\r"))
        goes_on = line.rstrip().endswith("\\")
        kept = line.rstrip()[:-1] if goes_on else line
        letters.append(kept)
        places.extend((number, column) for column in range(1, len(kept) + 1))
        if goes_on:
            letters.append(" ")
            places.append((number, len(kept) + 1))
            continue
        places.append((number, len(kept) + 1))
        out.append(Definition("".join(letters), tuple(places)))
        letters, places = [], []
    if letters:
        out.append(Definition("".join(letters), (*places, places[-1])))
    return out


def _without_comment(line: str) -> str:
    if line.lstrip().startswith(("#", ";")):
        return ""
    quote = ""
    for index, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter == "#":
            return line[:index]
    return line


def _start(line: Definition) -> int:
    return len(line.text) - len(line.text.lstrip())


def _section(line: Definition, name: str, file: str, faults: Faults) -> str:
    """The letter of the section, "?" for one that is not known: what stands in it need not be read."""
    if name in _LETTER:
        return _LETTER[name]
    hint = did_you_mean(name, _LETTER)
    faults.append(line.fault(file, _start(line), "P132", f"no section `[{name}]`", f"没有名为 `[{name}]` 的节", hint))
    return "?"


def _define(line: Definition, section: str, file: str, found: dict[str, Definition], faults: Faults) -> None:
    at = _start(line)
    key = _KEY.match(line.text)
    name = key[1] if key is not None else ""
    if key is None or not section or not re.fullmatch(rf"{section}\d*", name):
        faults.append(
            line.fault(
                file, at, "P132", "this line defines nothing here; casbin would drop it with what it asks for",
                "该行在此处不构成定义；casbin 会连同其要求一并丢弃",
                (
                    f"write `{section or 'm'} = …`; end a line with \\ when it goes on in the next",
                    f"请写 `{section or 'm'} = …`；换行续写时行尾加 \\",
                ),
            )
        )  # fmt: skip
        return
    if name in found:
        first = found[name].places[0][0]
        faults.append(
            line.fault(
                file, at, "P132", f"`{name}` stands twice (first on line {first}); casbin takes the last",
                f"`{name}` 重复（首次出现在第 {first} 行）；casbin 取最后一个", ("keep one", "请只保留一个"),
            )
        )  # fmt: skip
        return
    rest = line.text[key.end() :]
    left = key.end() + len(rest) - len(rest.lstrip())
    value = rest.strip()
    found[name] = Definition(value, (*line.places[left : left + len(value)], line.places[left + len(value)]))


# --- what is defined --------------------------------------------------------------------------------


def _check(found: dict[str, Definition], file: str, faults: Faults) -> None:
    for key, (en, zh) in _WHAT.items():
        if key not in found or not found[key].text:
            section = next(name for name, letter in SECTIONS if letter == key)
            faults.append(
                FileFault(
                    file, 1, 1, "P133", f"{en} is not defined: `{key}` in [{section}]", f"未定义{zh}：[{section}] 中的 `{key}`",
                    f"write `{key} = …` below [{section}]", f"请在 [{section}] 下写 `{key} = …`",
                )
            )  # fmt: skip
    for key in found:
        if len(key) > 1 and key[0] != "g":
            faults.append(
                found[key].fault(
                    file, 0, "P138", f"`{key}` would never be asked: a gateway asks `{key[0]}` only",
                    f"`{key}` 永远不会被使用：网关只使用 `{key[0]}`",
                    ("move its rows to `p`, or remove it", "请将其行移到 `p`，或删除它"),
                )
            )  # fmt: skip
    for key in ("r", "p"):
        if key in found and found[key].text:
            _check_words(found[key], file, faults)
    _check_roles(found, file, faults)
    if "e" in found and found["e"].text and effect(found["e"].text) == "":
        faults.append(
            found["e"].fault(
                file, 0, "P135", "casbin knows no such effect", "casbin 不支持该效果",
                ("one of: " + "; ".join(EFFECTS), "可用：" + "；".join(EFFECTS)),
            )
        )  # fmt: skip


def effect(text: str) -> str:
    """The effect in casbin's spelling, "" for none of them. White space between words and signs means nothing."""
    parts = _PARTS.findall(text)
    return next((known for known in EFFECTS if _PARTS.findall(known) == parts), "")


def _check_words(definition: Definition, file: str, faults: Faults) -> None:
    at = 0
    seen: set[str] = set()
    for part in definition.text.split(","):
        word = part.strip()
        start = at + len(part) - len(part.lstrip())
        at += len(part) + 1
        if not _WORD.match(word):
            faults.append(
                definition.fault(
                    file, start, "P134", f"`{word}` is not a name", f"`{word}` 不是名称",
                    ("use ASCII letters, digits and _, parted by plain commas", "只使用半角字母、数字和 _，以半角逗号分隔"),
                )
            )  # fmt: skip
        elif word in seen:
            faults.append(
                definition.fault(
                    file, start, "P134", f"`{word}` stands twice", f"`{word}` 重复", ("keep one", "请只保留一个")
                )
            )
        seen.add(word)


def _check_roles(found: dict[str, Definition], file: str, faults: Faults) -> None:
    keys = [key for key in found if key[0] == "g"]
    for key in keys:
        if blanks(found[key].text) is None:
            faults.append(
                found[key].fault(
                    file, 0, "P139", f"`{key}` is not a role definition", f"`{key}` 不是角色定义",
                    (
                        "write `_, _`, with a domain `_, _, _`; columns of a condition in brackets: `_, _, (_, _)`",
                        "请写 `_, _`，含域则写 `_, _, _`；条件列放入括号：`_, _, (_, _)`",
                    ),
                )
            )  # fmt: skip
    expected = ["g", *(f"g{number}" for number in range(2, len(keys) + 1))][: len(keys)]
    for key in sorted(set(keys) - set(expected)):
        faults.append(
            found[key].fault(
                file, 0, "P139", f"`{key}` has no one before it; casbin would not read it", f"`{key}` 之前缺号；casbin 不会读取它",
                ("number them g, g2, g3 without a gap", "请按 g、g2、g3 连续编号"),
            )
        )  # fmt: skip


def blanks(text: str) -> Blanks | None:
    """The shape of a role definition, None when it is none."""
    found = _BLANKS.match(text)
    if found is None:
        return None
    return Blanks(len(columns(found[1])), len(columns(found[2])) if found[2] else 0)
