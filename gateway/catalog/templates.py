"""Which requests does `GET /civil/households/{id}` stand for?

1. A segment stands for itself, `{name}` for exactly one segment that is not empty, and `/**` at the
   end for the path before it and everything below.
2. Where several templates match, the first segment in which they differ decides: a literal wins
   over a parameter, a parameter over `/**`.
3. Two templates that cross (each is more specific in another segment) are ambiguous: an author who
   means something by it writes the crossing out as a third template.
4. Paths are compared in the canonical form that edge decides on; a template may be written in
   any script and is brought into that form once.
5. Another spelling of a literal (case, blanks around it, a width, an ending such as `.json`) is not what the parameter or the
   `/**` beside it stands for: services fold these away, and would answer as the literal what was judged as the other.
"""

import re
from collections.abc import Iterator
from typing import Generic, TypeVar
from unicodedata import normalize
from urllib.parse import quote, unquote

from msgspec import Struct

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
REST = "**"
MAX_SEGMENTS = 32
_PARAMETER = re.compile(r"\{([a-z][a-z0-9_]{0,63})\}\Z", re.ASCII)
_UNRESERVED = "-._~!$&'()*+,;=:@"  # RFC 3986 pchar: what a canonical segment leaves unescaped


class BadTemplate(ValueError):
    """The text is not an endpoint; `en` and `zh` say what is wrong."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh


class Template(Struct, frozen=True):
    """A path template. A segment is a literal, or a parameter (`parameters` names it at its place)."""

    text: str
    segments: tuple[str | None, ...]  # None stands for a parameter
    parameters: tuple[str, ...]  # names in the order of the path
    open: bool  # ends in /**


def parse_endpoint(text: str) -> tuple[str, Template]:
    """Method and template of `GET /a/{b}`. Raises BadTemplate."""
    method, _, path = text.strip().partition(" ")
    if method == "HEAD":
        raise BadTemplate("HEAD is judged as GET: list the GET", "HEAD 按 GET 判定，请登记 GET")
    if method not in METHODS:
        raise BadTemplate(
            f"`{text}` does not start with a method ({', '.join(METHODS)})",
            f"`{text}` 应以请求方法开头（{'、'.join(METHODS)}）",
        )
    return method, parse_template(path.strip())


def parse_template(path: str) -> Template:
    """Read a template. Raises BadTemplate."""
    if not path.startswith("/") or any(c in path for c in "?# \\%"):
        raise BadTemplate(
            f"`{path}` is not a path: it starts with `/` and has no query, space, `%` or backslash",
            f"`{path}` 不是路径：应以 `/` 开头，且不含查询串、空格、`%` 或反斜杠",
        )
    pieces = path[1:].split("/")
    rest = len(pieces) > 1 and pieces[-1] == REST
    if rest:
        pieces.pop()
    segments, names = _segments(path, pieces)
    return Template(path, segments, names, rest)


def _segments(path: str, pieces: list[str]) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
    segments: list[str | None] = []
    names: list[str] = []
    for piece in pieces:
        match = _PARAMETER.match(piece)
        if match:
            segments.append(None)
            names.append(match[1])
        elif not piece or piece in (".", "..") or "{" in piece or "}" in piece or "*" in piece:
            raise _bad_segment(path, piece)
        else:
            segments.append(quote(piece, safe=_UNRESERVED))
    if len(set(names)) != len(names):
        raise BadTemplate(f"`{path}` names a parameter twice", f"`{path}` 中参数名重复")
    if len(segments) > MAX_SEGMENTS:
        raise BadTemplate(f"`{path}` has more than {MAX_SEGMENTS} segments", f"`{path}` 超过 {MAX_SEGMENTS} 段")
    return tuple(segments), tuple(names)


def _bad_segment(path: str, piece: str) -> BadTemplate:
    if not piece:
        return BadTemplate(f"`{path}` has an empty segment", f"`{path}` 含有空段")
    return BadTemplate(
        f"`{piece}` is neither a plain segment nor `{{name}}`; `/**` stands only at the end, after a segment",
        f"`{piece}` 既不是普通路径段，也不是 `{{name}}`；`/**` 只能放在末尾，且前面须有路径段",
    )


def same(one: Template, other: Template) -> bool:
    """Whether both stand for exactly the same paths."""
    return one.segments == other.segments and one.open == other.open


def crossing(one: Template, other: Template) -> Template | None:
    """The paths that both stand for, when neither is the more specific one; else None."""
    ahead = behind = False
    meet: list[str | None] = []
    for left, right in zip(one.segments, other.segments, strict=False):
        if left is not None and right is not None and left != right:
            return None
        ahead |= left is not None and right is None
        behind |= left is None and right is not None
        meet.append(left if left is not None else right)
    shorter, longer = sorted((one, other), key=lambda template: len(template.segments))
    if len(longer.segments) > len(shorter.segments) and not shorter.open:
        return None
    if one.open != other.open or len(longer.segments) > len(shorter.segments):
        # the closed one, or the one that goes deeper, is more specific at its end
        narrow = longer if len(longer.segments) > len(shorter.segments) else (other if one.open else one)
        ahead |= narrow is one
        behind |= narrow is other
        meet.extend(longer.segments[len(meet) :])
        return _meeting(meet, narrow.open) if ahead and behind else None
    return _meeting(meet, one.open) if ahead and behind else None


def _meeting(segments: list[str | None], rest: bool) -> Template:
    text = "".join("/" + ("{x}" if segment is None else segment) for segment in segments) + ("/**" if rest else "")
    return Template(text, tuple(segments), (), rest)


def below(template: Template, prefix: str) -> bool:
    """Whether every path that the template stands for lies under the prefix, by segments."""
    want = [quote(piece, safe=_UNRESERVED + "%") for piece in prefix.strip("/").split("/")] if prefix.strip("/") else []
    return list(template.segments[: len(want)]) == want


def _folded(segment: str) -> str:
    return normalize("NFKC", unquote(segment)).casefold().strip(" .+")


class _OtherSpelling(Exception):
    """A segment is another spelling of a literal."""


T = TypeVar("T")


class Branch(Generic[T]):
    """One segment deep in the tree of templates of one API and method."""

    __slots__ = ("_begins", "_folded", "below", "here", "literal", "parameter")

    def __init__(self) -> None:
        self.literal: dict[str, Branch[T]] = {}
        self._folded: set[str] = set()
        self._begins: set[str] = set()  # of a spelling of a literal: a glance is enough for most values
        self.parameter: Branch[T] | None = None
        self.here: T | None = None
        self.below: T | None = None  # of a `/**` that ends here

    def add(self, template: Template, value: T) -> None:
        """Hang a value where the template ends; the first one stays (faults are found before)."""
        branch = self
        for segment in template.segments:
            if segment is not None:
                branch = branch._named(segment)
            else:
                if branch.parameter is None:
                    branch.parameter = Branch()
                branch = branch.parameter
        if template.open:
            branch.below = value if branch.below is None else branch.below
        else:
            branch.here = value if branch.here is None else branch.here

    def _named(self, segment: str) -> "Branch[T]":
        if segment not in self.literal:
            self.literal[segment] = Branch()
            folded = _folded(segment)
            self._folded.add(folded)
            self._begins.update(("%", ".", "+", folded[:1], folded[:1].upper()))
        return self.literal[segment]

    def find(self, segments: list[str], at: int) -> T | None:
        """The most specific value for the segments from `at`; parameters are not collected here."""
        try:
            return self._find(segments, at)
        except _OtherSpelling:
            return None

    def _find(self, segments: list[str], at: int) -> T | None:
        """The same. Raises _OtherSpelling: nothing further out may stand for it either (rule 5)."""
        if at == len(segments):
            return self.here if self.here is not None else self.below
        if not segments[at] and at + 1 == len(segments) and self.here is not None and self.below is None:
            raise _OtherSpelling  # `/a/export/` is `/a/export` to most services
        deeper = self.literal.get(segments[at])
        found = deeper._find(segments, at + 1) if deeper is not None else None
        if deeper is None and segments[at][:1] in self._begins and self._spells_a_literal(segments[at]):
            raise _OtherSpelling
        if found is None and self.parameter is not None and segments[at]:
            found = self.parameter._find(segments, at + 1)
        return found if found is not None else self.below

    def _spells_a_literal(self, segment: str) -> bool:
        folded = _folded(segment)
        return folded in self._folded or folded.rpartition(".")[0] in self._folded

    def meeting(self, template: Template, at: int = 0) -> Iterator[T]:
        """The values of templates that share a path with this one."""
        if self.below is not None:
            yield self.below
        if at == len(template.segments):
            yield from self._all() if template.open else (() if self.here is None else (self.here,))
            return
        segment = template.segments[at]
        ahead = self.literal.values() if segment is None else filter(None, (self.literal.get(segment),))
        for branch in (*ahead, *filter(None, (self.parameter,))):
            yield from branch.meeting(template, at + 1)

    def values(self) -> Iterator[T]:
        """Every value here and deeper."""
        if self.below is not None:
            yield self.below
        yield from self._all()

    def _all(self) -> Iterator[T]:
        """Every value here and deeper, but for the `/**` that ends here."""
        if self.here is not None:
            yield self.here
        for branch in (*self.literal.values(), *filter(None, (self.parameter,))):
            if branch.below is not None:
                yield branch.below
            yield from branch._all()
