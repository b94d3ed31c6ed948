"""How is the text of a matcher, or of the rule in a row, read?

casbin rewrites the text and hands it to an evaluator of Python. Here Python's parser only reads it; what comes out is
a small tree of frozen values, each knowing its character in the author's text. Nothing an author writes is executed.
Rules:

1. `&&`, `||` and `!` (and `and`, `or`, `not`) are operators outside of quotes only; casbin rewrites them inside of
   texts as well. `!a == b` means `!(a == b)`, as in casbin.
2. Beside those there are names, texts, numbers, True and False, lists of values, comparisons (chained too), `in`,
   `+ - * / // %` and calls of functions. Everything else (`**`, `<<`, indexing, f-strings, comprehensions, …) is read
   as `Foreign`, so that all that is wrong with an expression is told at once.
3. Size and depth are bounded, and only plain ASCII stands outside of quotes.
"""

import ast
import re
import warnings
from collections.abc import Iterable, Iterator

from msgspec import Struct

MAX_CHARACTERS = 4000
MAX_NODES = 600
MAX_DEPTH = 32
MAX_NUMBER = 10**18


class Value(Struct, frozen=True):
    """A text, a number, True or False."""

    at: int
    value: str | int | float


class Named(Struct, frozen=True):
    """`r.sub`, `r.sub.org`, `p.obj`; "" for an attribute of something that has no name."""

    at: int
    name: str


class Call(Struct, frozen=True):
    """`keyMatch(r.obj, p.obj)`."""

    at: int
    name: str
    parts: "tuple[Syntax, ...]"


class Several(Struct, frozen=True):
    """`("GET", "POST")`."""

    at: int
    parts: "tuple[Syntax, ...]"


class Minus(Struct, frozen=True):
    """`-1`."""

    at: int
    parts: "tuple[Syntax]"


class Reckoned(Struct, frozen=True):
    """`r.level + 1`: two parts."""

    at: int
    operator: str
    parts: "tuple[Syntax, Syntax]"


class Compared(Struct, frozen=True):
    """`1 < r.level <= 4`: one operator between each two parts."""

    at: int
    operators: tuple[str, ...]
    parts: "tuple[Syntax, ...]"


class Not(Struct, frozen=True):
    """`!r.busy`."""

    at: int
    parts: "tuple[Syntax]"


class All(Struct, frozen=True):
    """`… && …`."""

    at: int
    parts: "tuple[Syntax, ...]"


class Some(Struct, frozen=True):
    """`… || …`."""

    at: int
    parts: "tuple[Syntax, ...]"


class Foreign(Struct, frozen=True):
    """A form that is no part of matchers."""

    at: int


Syntax = Value | Named | Call | Several | Minus | Reckoned | Compared | Not | All | Some | Foreign


class Problem(Struct, frozen=True):
    """What is wrong in an expression: at which character of its text, and how to mend it."""

    at: int
    code: str
    en: str
    zh: str
    hint: tuple[str, str] = ("", "")
    warning: bool = False


class Faulty(Exception):
    """The expression cannot be used; all that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.en for problem in self.problems))


def read_expression(text: str) -> Syntax:
    """The tree of an expression. Raises `Faulty`."""
    if len(text) > MAX_CHARACTERS:
        raise _unreadable(0, f"longer than {MAX_CHARACTERS} characters", f"超过 {MAX_CHARACTERS} 个字符")
    source, origin = _python(text)
    tree = _parse(source, origin)
    _check_size(tree)
    return _Reader(source, origin).read(tree)


def walk(tree: Syntax) -> Iterator[Syntax]:
    """The tree and everything in it, in the order in which it is written."""
    yield tree
    if not isinstance(tree, Value | Named | Foreign):
        for part in tree.parts:
            yield from walk(part)


# --- from casbin's spelling to Python's -----------------------------------------------------------

_OPERATORS = {"&&": " and ", "||": " or ", "!": " not "}
_PIECE = re.compile(
    r"""
    "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*'   # a text, as it stands
    | && | \|\| | !=?
    | [^"'&|!\\\#;\x00-\x1f\x7f-\U0010ffff]+
    | .
    """,
    re.VERBOSE | re.DOTALL,
)
_PREFIX = re.compile(r"(?<![\w.])([rp])\.")  # as casbin does: `p.from` and `r.class` are names, not words of Python


def _python(text: str) -> tuple[str, list[int]]:
    """The text in Python's spelling, without space at its ends, and for each character where it came from."""
    out: list[str] = []
    origin: list[int] = []
    behind = False  # a text
    for found in _PIECE.finditer(text):
        piece, at = found[0], found.start()
        quoted = len(piece) > 1 and piece[0] in "\"'"
        if quoted and behind:  # Python makes one word of `('alice' 'bob')`: a deny for two would be one for nobody
            raise _unreadable(at, "a text directly behind a text", "两个文本之间没有分隔", _PARTED)
        behind = quoted or (behind and piece.isspace())
        if piece in _OPERATORS:
            piece = _OPERATORS[piece]
            origin.extend([at] * len(piece))
        elif len(piece) == 1 and (piece in "\"'\\#;" or not " " <= piece <= "~") and piece != "\t":
            raise _odd(piece, at)
        else:
            piece = piece if quoted else _PREFIX.sub(r"\1_", piece)
            origin.extend(range(at, found.end()))
        out.append(piece)
    source = "".join(out)
    indent = len(source) - len(source.lstrip())
    return source.strip(), [*origin[indent:], len(text)]


def _parse(source: str, origin: list[int]) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            return ast.parse(source, mode="eval").body
    except SyntaxError as error:
        at = error.offset - 1 if error.offset else len(origin) - 1  # 0: it ends too early
        at = origin[min(max(at, 0), len(origin) - 1)]
        raise _unreadable(at, "cannot be read from here", "从此处起无法解析", _EXAMPLE) from None
    except (ValueError, RecursionError, MemoryError):
        raise _unreadable(0, "cannot be read", "无法解析", _EXAMPLE) from None


def _check_size(tree: ast.expr) -> None:
    queue: list[tuple[ast.AST, int]] = [(tree, 0)]
    count = 0
    while queue:
        node, depth = queue.pop()
        count += 1
        if count > MAX_NODES or depth > MAX_DEPTH:
            raise _unreadable(0, "too large or nested too deeply", "过大或嵌套过深", ("split it", "请拆分"))
        queue.extend((child, depth + 1) for child in ast.iter_child_nodes(node))


_PARTED = ("write a comma between them", "请在二者之间写逗号")
_EXAMPLE = (
    "write for example: r.sub == p.sub && keyMatch2(r.obj, p.obj)", "写法示例：r.sub == p.sub && keyMatch2(r.obj, p.obj)",
)  # fmt: skip


def _unreadable(at: int, en: str, zh: str, hint: tuple[str, str] = ("", "")) -> Faulty:
    return Faulty([Problem(at, "P140", en, zh, hint)])


def _odd(letter: str, at: int) -> Faulty:
    if letter in "\"'":
        return _unreadable(at, "this quote is never closed", "此引号没有闭合", ("close it", "请闭合"))
    plain = ("use plain ASCII punctuation", "请使用半角标点")
    return _unreadable(at, f"`{letter}` is not allowed outside quotes", f"引号之外不允许使用 `{letter}`", plain)


# --- from Python's tree to ours -------------------------------------------------------------------

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is",
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], str] = {  # `**` and `<<` can make numbers of a million digits
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
}  # fmt: skip


class _Reader:
    """Reads Python's tree of one text."""

    def __init__(self, source: str, origin: list[int]) -> None:
        self.bytes, self.origin = source.encode(), origin

    def read(self, node: ast.expr) -> Syntax:
        at = self.origin[len(self.bytes[: node.col_offset].decode())]  # the parser counts bytes
        match node:
            case ast.BoolOp(op=ast.And()):
                return All(at, self.all(node.values))
            case ast.BoolOp():
                return Some(at, self.all(node.values))
            case ast.UnaryOp(op=ast.Not()):
                return Not(at, (self.read(node.operand),))
            case ast.UnaryOp(op=ast.USub()):
                return Minus(at, (self.read(node.operand),))
            case ast.Compare():
                operators = tuple(_COMPARISONS[type(one)] for one in node.ops)
                return Compared(at, operators, self.all([node.left, *node.comparators]))
            case ast.BinOp() if type(node.op) in _ARITHMETIC:
                return Reckoned(at, _ARITHMETIC[type(node.op)], (self.read(node.left), self.read(node.right)))
            case ast.Call(keywords=[]) if not any(isinstance(one, ast.Starred) for one in node.args):
                return Call(at, _dotted(node.func), self.all(node.args))
            case ast.Tuple() | ast.List():
                return Several(at, self.all(node.elts))
            case ast.Attribute() | ast.Name():
                return Named(at, _dotted(node))
            case ast.Constant(value=str() | float() as value):  # a bool is an int
                return Value(at, value)
            case ast.Constant(value=int() as value) if value < MAX_NUMBER:
                return Value(at, value)
        return Foreign(at)

    def all(self, nodes: list[ast.expr]) -> tuple[Syntax, ...]:
        return tuple(map(self.read, nodes))


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return f"{node.id[0]}.{node.id[2:]}" if node.id.startswith(("r_", "p_")) else node.id
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""
