"""Which values does this path name?

The paths of the catalog and of masks, in the subset of JSONPath (RFC 9535) that can be
compiled into one walk over an answer:

1. `$` is the whole answer; `.name` and `['name']` a member; `[n]` one element of an array.
2. `[*]` and `.*` are every element or member; `..name` is a member of this name at any depth.
3. Names may be of any script (`$.身份证`); they are compared exactly, without normalisation.
4. A path that starts with `/` is a JSON Pointer (RFC 6901) and is translated.
5. Filters, slices, unions and negative indexes are refused: what they name depends on values,
   and a label must hold whatever the values are.
"""

import re
from collections.abc import Iterator

from msgspec import Struct


class Member(Struct, frozen=True, tag=True):
    """`.name`: the member of this name."""

    name: str


class Every(Struct, frozen=True, tag=True):
    """`[*]`: every element of an array, every member of an object."""


class Element(Struct, frozen=True, tag=True):
    """`[n]`: the element at this place, from 0."""

    index: int


class Anywhere(Struct, frozen=True, tag=True):
    """`..name`: a member of this name here or at any depth below."""

    name: str


Step = Member | Every | Element | Anywhere

MAX_STEPS = 32
MAX_LENGTH = 512


class BadPath(ValueError):
    """The text is not a path; `en` and `zh` say what is wrong and where."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh


_NAME = r"[^\W\d][\w-]*"
_QUOTED = r"'(?:[^'\\]|\\['\\])*'" + "|" + r'"(?:[^"\\]|\\["\\])*"'
_STEP = re.compile(
    rf"""\.\.(?P<anywhere>{_NAME})
       | \.\.\[(?P<anywhere_quoted>{_QUOTED})\]
       | \.(?P<member>{_NAME})
       | \[(?P<quoted>{_QUOTED})\]
       | \[(?P<index>0|[1-9][0-9]{{0,8}})\]
       | (?P<every>\[\*\]|\.\*)""",
    re.VERBOSE,
)
_POINTER_INDEX = re.compile(r"(?:0|[1-9][0-9]{0,8})\Z", re.ASCII)
_PLAIN_NAME = re.compile(rf"{_NAME}\Z")


def parse(text: str) -> tuple[Step, ...]:
    """The steps of a path, empty for `$`. Raises BadPath."""
    if len(text) > MAX_LENGTH:
        raise BadPath(f"longer than {MAX_LENGTH} characters", f"超过 {MAX_LENGTH} 个字符")
    steps = _pointer(text) if text.startswith("/") else _path(text)
    if len(steps) > MAX_STEPS:
        raise BadPath(f"more than {MAX_STEPS} steps", f"超过 {MAX_STEPS} 级")
    return steps


def spell(steps: tuple[Step, ...]) -> str:
    """The one spelling of these steps: two paths that name the same are spelled alike."""
    return "$" + "".join(map(_spell_step, steps))


def covers(one: tuple[Step, ...], other: tuple[Step, ...], exactly: bool = False) -> bool:
    """Whether `one` names what `other` names, or something around it.

    `exactly`: not what lies around it, nor what it names of an object where it would of an array (`$.a[*]` and `$.a.b`).

    Arrays are seen through, as masking does: `$.items.name` names what `$.items[*].name` names. Where that depends on the
    answer, as of `$.a[0]` and `$.a[*]`, it does not.
    """
    places = {
        0
    }  # steps of `other` that are gone, after each step of `one`: one pass, however many `[*]` follow each other
    for step in one:
        places = {reached for place in places for reached in _after(step, other, place, exactly)}
    if not exactly:
        return bool(places)
    return any(all(isinstance(step, Every) for step in other[place:]) for place in places)


def _after(step: Step, other: tuple[Step, ...], place: int, exactly: bool) -> Iterator[int]:
    """The places that a step leads to."""
    if isinstance(step, Anywhere):
        yield from (at + 1 for at in range(place, len(other)) if other[at] in (step, Member(step.name)))
        return
    if isinstance(step, Every):
        yield place  # where no array comes
        if place < len(other) and isinstance(other[place], Every | Element if exactly else Every | Element | Member):
            yield place + 1
        return
    while isinstance(step, Member) and place < len(other) and isinstance(other[place], Every | Element):
        place += 1
    if place < len(other) and other[place] == step:
        yield place + 1


def _path(text: str) -> tuple[Step, ...]:
    if not text.startswith("$"):
        raise BadPath(
            "a path starts with `$` or, as a JSON Pointer, with `/`", "路径应以 `$` 开头，或以 `/` 开头的 JSON Pointer"
        )
    steps: list[Step] = []
    at = 1
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise _cannot_read(text, at)
        steps.append(_step(match))
        at = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> Step:
    kind, text = match.lastgroup, match[match.lastgroup or 0]
    if kind == "member":
        return Member(text)
    if kind == "anywhere":
        return Anywhere(text)
    if kind == "index":
        return Element(int(text))
    if kind == "every":
        return Every()
    name = re.sub(r"\\(.)", r"\1", text[1:-1])
    return Member(name) if kind == "quoted" else Anywhere(name)


def _pointer(text: str) -> tuple[Step, ...]:
    """RFC 6901. A token of digits names an array element: a pointer cannot say which it means."""
    if re.search(r"~(?![01])", text):
        raise BadPath(
            "`~` in a JSON Pointer is written `~0`, and `/` in a name `~1`",
            "JSON Pointer 中 `~` 写作 `~0`，名称中的 `/` 写作 `~1`",
        )
    steps: list[Step] = []
    for part in text[1:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if _POINTER_INDEX.match(part):
            steps.append(Element(int(part)))
        elif part == "-":
            raise BadPath("`-` names no value", "`-` 不对应任何值")
        else:
            steps.append(Member(name))
    return tuple(steps)


_REFUSED: tuple[tuple[str, str, str], ...] = (
    (
        r"\[\s*\?",
        "filters are not supported: a label must hold whatever the values are",
        "不支持过滤表达式：标注不能取决于取值",
    ),
    (r"\[\s*-[0-9]", "indexes from the end are not supported", "不支持倒数下标"),
    (r"\[[^\]]*:", "slices are not supported, use `[*]`", "不支持切片，请使用 `[*]`"),
    (
        r"\[[^\]]*,",
        "several names in one bracket are not supported, write one path for each",
        "不支持在方括号中写多个名称，请分别写出路径",
    ),
    (r"\.\.(\*|\[|\Z)", "`..` needs a name after it", "`..` 之后需要名称"),
)


def _cannot_read(text: str, at: int) -> BadPath:
    for pattern, en, zh in _REFUSED:
        if re.match(pattern, text[at:]):
            return BadPath(f"{en} (character {at + 1})", f"{zh}（第 {at + 1} 个字符）")
    return BadPath(
        f"cannot be read from character {at + 1}: `{text[at : at + 20]}`",
        f"从第 {at + 1} 个字符起无法解析：`{text[at : at + 20]}`",
    )


def _spell_step(step: Step) -> str:
    match step:
        case Every():
            return "[*]"
        case Element(index=index):
            return f"[{index}]"
        case Anywhere(name=name):
            return f"..{name}" if _PLAIN_NAME.match(name) else f"..[{_quote(name)}]"
        case Member(name=name):
            return f".{name}" if _PLAIN_NAME.match(name) else f"[{_quote(name)}]"


def _quote(name: str) -> str:
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"
