"""What does a matcher, or the rule in a row, ask for?

casbin hands the text to an evaluator of Python; here it is parsed, held against a list of forms and turned into
closures at load. Nothing an author writes is executed. Rules:

1. Allowed: `r.x`, `r.x.y`, `p.x`, texts, numbers, True and False, lists of values, comparisons (chained too), `in`,
   `&&`, `||`, `!` (and `and`, `or`, `not`), `+ - * / // %` on numbers, `+` on texts, the functions of `functions.py`,
   the role definitions as functions, and `eval(p.x)` in a matcher. `**`, `<<`, indexing, methods, f-strings,
   comprehensions and everything else is refused.
2. Everything has a kind, checked at load: casbin finds `text >= number` on the request, and never finds that
   `r.sub.id == 3` cannot be true.
3. `&&`, `||` and `!` are read as operators outside of quotes only; casbin rewrites them inside of texts as well.
4. The answers are those of simpleeval: `!a == b` means `!(a == b)`.
"""

import ast
import re
import warnings
from collections.abc import Callable, Iterable
from datetime import datetime
from operator import add, eq, floordiv, ge, gt, le, lt, mod, mul, ne, sub, truediv
from typing import Any

from msgspec import Struct

from gateway.document import did_you_mean
from gateway.facts import Facts
from gateway.policy.names import Name
from gateway.policy.native.functions import FUNCTIONS, Function, Kind
from gateway.policy.native.patterns import Refused as PatternRefused

Row = dict[str, object]
"""What casbin evaluates with: `r_sub`, `p_obj` and so on by name; `r__asked` is what the request knows."""
Get = Callable[[Row], Any]

ASKED = "r__asked"
LINE = "p__line"

MAX_CHARACTERS = 4000
MAX_NODES = 600
MAX_DEPTH = 32
MAX_DIGITS = 18
ROW_MICROSECONDS = 1.6

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: eq, ast.NotEq: ne, ast.Lt: lt, ast.LtE: le, ast.Gt: gt, ast.GtE: ge,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: add, ast.Sub: sub, ast.Mult: mul, ast.Div: truediv, ast.FloorDiv: floordiv, ast.Mod: mod,
}  # fmt: skip
_WORDS = {"true": "True", "false": "False"}
KINDS_ZH = {"text": "文本", "number": "数字", "bool": "真假值", "texts": "文本列表", "object": "对象"}


class Asked(Struct, eq=False):
    """What one request knows beside `r`: its facts, the wall clock of the policy's zone, the rows seen so far."""

    facts: Facts
    now: datetime
    hits: list[str]
    line: str = ""


class Slot(Struct, frozen=True):
    """A token of `r`: its kind; of an object its attributes."""

    kind: Kind
    attributes: dict[str, Name] = {}


class Scope(Struct, frozen=True):
    """What an expression may speak about."""

    request: dict[str, Slot]
    columns: tuple[str, ...]
    roles: dict[str, int]  # g -> how many names it compares
    holds: dict[str, Callable[..., bool]] = {}  # g -> has_link(name1, name2, domain, now)
    rules: bool = True  # whether eval(p.x) may stand here


class Problem(Struct, frozen=True):
    """What is wrong in an expression: at which character of its text, and how to mend it."""

    at: int
    code: str
    en: str
    zh: str
    hint: tuple[str, str] = ("", "")
    warning: bool = False


class Pinned(Struct, frozen=True):
    """A pattern of a function: how to read it from a row, and how it is checked."""

    at: int
    get: Get
    function: Function
    key: str = ""  # of the column that it is, if it is one
    literal: bool = False


class Expression(Struct, frozen=True):
    """An expression ready for use, and what it looks at."""

    test: Get
    tokens: frozenset[str]
    columns: frozenset[str]
    rules: tuple[str, ...]  # columns that hold rules of their own
    roles: frozenset[str]
    role_names: frozenset[str]  # tokens that are looked up among role names
    pinned: tuple[Pinned, ...]
    microseconds: float
    warnings: tuple[Problem, ...] = ()
    equal: frozenset[tuple[str, str]] = frozenset()  # token and column that are compared as they are
    literals: frozenset[tuple[str, str]] = frozenset()  # column and text that it is compared with


class Faulty(Exception):
    """The expression cannot be used; all that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.en for problem in self.problems))


def compile_expression(text: str, scope: Scope, evaluate: Callable[[str], Get] | None = None) -> Expression:
    """Make an expression from its text. `evaluate(column)` runs the rule in a column. Raises `Faulty`."""
    source, origin = _python(text)
    tree = _parse(source, origin)
    compiler = _Compiler(source, origin, scope, evaluate)
    term = compiler.term(tree)
    if term.kind not in ("bool", "none"):
        compiler.note(
            tree, "P143", f"a {term.kind} is neither true nor false", f"{KINDS_ZH[term.kind]}不是真假值", _COMPARE_IT
        )
    errors = [problem for problem in compiler.problems if not problem.warning]
    if errors:
        raise Faulty(sorted(errors, key=lambda problem: problem.at))
    return Expression(
        term.get,
        frozenset(compiler.tokens),
        frozenset(compiler.columns),
        tuple(compiler.rules),
        frozenset(compiler.roles),
        frozenset(compiler.role_names),
        tuple(compiler.pinned),
        ROW_MICROSECONDS + compiler.microseconds,
        tuple(problem for problem in compiler.problems if problem.warning),
        frozenset(compiler.equal),
        frozenset(compiler.literals),
    )


_COMPARE_IT = ("compare it with something", "请与某个值比较")
_EXAMPLE = (
    "write for example: r.sub == p.sub && keyMatch2(r.obj, p.obj)", "写法示例：r.sub == p.sub && keyMatch2(r.obj, p.obj)",
)  # fmt: skip


# --- from casbin's text to a syntax tree ----------------------------------------------------------


def _python(text: str) -> tuple[str, list[int]]:
    """The text in Python's spelling, and for each character where it came from. Raises `Faulty`."""
    out: list[str] = []
    origin: list[int] = []
    behind = False  # a text
    for found in _PIECE.finditer(text):
        piece, at = found[0], found.start()
        quoted = len(piece) > 1 and piece[0] in "\"'"
        if quoted and behind:  # Python makes one word of `('alice' 'bob')`: a deny for two would be one for nobody
            raise Faulty([Problem(at, "P140", "a text directly behind a text", "两个文本之间没有分隔", _PARTED)])
        behind = quoted or (behind and piece.isspace())
        if piece in _OPERATORS:
            piece = _OPERATORS[piece]
            origin.extend([at] * len(piece))
        elif len(piece) == 1 and (piece in "\"'\\#;" or not " " <= piece <= "~") and piece != "\t":
            raise Faulty([_odd(piece, at)])
        else:
            origin.extend(range(at, found.end()))
        out.append(piece)
    return "".join(out), [*origin, len(text)]


_PARTED = ("write a comma between them", "请在二者之间写逗号")
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


def _odd(letter: str, at: int) -> Problem:
    if letter in "\"'":
        return Problem(at, "P140", "this quote is never closed", "此引号没有闭合", ("close it", "请闭合"))
    return Problem(
        at, "P140", f"`{letter}` is not allowed outside quotes", f"引号之外不允许使用 `{letter}`",
        ("use plain ASCII punctuation", "请使用半角标点"),
    )  # fmt: skip


def _parse(source: str, origin: list[int]) -> ast.expr:
    if len(source) > MAX_CHARACTERS:
        raise Faulty([Problem(0, "P140", f"longer than {MAX_CHARACTERS} characters", f"超过 {MAX_CHARACTERS} 个字符")])
    indent = len(source) - len(source.lstrip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            tree = ast.parse(source.strip(), mode="eval").body
    except SyntaxError as error:
        at = error.offset - 1 + indent if error.offset else len(origin) - 1  # 0: it ends too early
        at = min(max(at, 0), len(origin) - 1)
        raise Faulty([Problem(origin[at], "P140", "cannot be read from here", "从此处起无法解析", _EXAMPLE)]) from None
    except (ValueError, RecursionError, MemoryError):
        raise Faulty([Problem(0, "P140", "cannot be read", "无法解析", _EXAMPLE)]) from None
    _check_size(tree)
    return tree


def _check_size(tree: ast.expr) -> None:
    queue: list[tuple[ast.AST, int]] = [(tree, 0)]
    count = 0
    while queue:
        node, depth = queue.pop()
        count += 1
        if count > MAX_NODES or depth > MAX_DEPTH:
            raise Faulty(
                [Problem(0, "P140", "too large or nested too deeply", "过大或嵌套过深", ("split it", "请拆分"))]
            )
        queue.extend((child, depth + 1) for child in ast.iter_child_nodes(node))


# --- from a syntax tree to closures ---------------------------------------------------------------


class Term(Struct, frozen=True):
    """A part of an expression: its kind ("none" when it is at fault), how to read it, what is known at load."""

    kind: str
    get: Get
    key: str = ""  # of a plain token or column
    asks: bool = False  # reads the request
    literal: bool = False


def _nothing(row: Row) -> object:
    raise LookupError("this expression has faults")


NONE = Term("none", _nothing)


class _Compiler:
    """Turns one syntax tree into closures; faults are noted and reading goes on."""

    def __init__(self, source: str, origin: list[int], scope: Scope, evaluate: Callable[[str], Get] | None) -> None:
        self.source, self.origin, self.scope, self.evaluate = source, origin, scope, evaluate
        self.indent = len(source) - len(source.lstrip())
        self.problems: list[Problem] = []
        self.tokens: set[str] = set()
        self.columns: set[str] = set()
        self.rules: list[str] = []
        self.roles: set[str] = set()
        self.role_names: set[str] = set()
        self.pinned: list[Pinned] = []
        self.equal: set[tuple[str, str]] = set()
        self.literals: set[tuple[str, str]] = set()
        self.microseconds = 0.0

    def note(
        self, node: ast.expr, code: str, en: str, zh: str, hint: tuple[str, str] = ("", ""), warning: bool = False
    ) -> Term:
        """Report something; the term that stands for it."""
        self.problems.append(Problem(self.place(node), code, en, zh, hint, warning))
        return NONE

    def place(self, node: ast.expr) -> int:
        """The character of the author's text where a node begins; the parser counts UTF-8 bytes."""
        before = self.source.strip().encode()[: node.col_offset].decode(errors="ignore")
        return self.origin[min(len(before) + self.indent, len(self.origin) - 1)]

    def term(self, node: ast.expr) -> Term:
        self.microseconds += 0.05
        if isinstance(node, ast.BoolOp):
            return self.connected(node)
        if isinstance(node, ast.UnaryOp):
            return self.unary(node)
        if isinstance(node, ast.Compare):
            return self.comparison(node)
        if isinstance(node, ast.BinOp):
            return self.arithmetic(node)
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, ast.Constant):
            return self.literal(node)
        if isinstance(node, ast.Attribute | ast.Name):
            return self.named(node)
        return self.refused(node)

    def refused(self, node: ast.expr) -> Term:
        return self.note(
            node, "P142", "this form is not part of matchers", "匹配器中不允许这种写法",
            (
                "allowed: r.x, p.x, literals, comparisons, in, &&, ||, !, + - * / %, functions",
                "允许：r.x、p.x、字面值、比较、in、&&、||、!、+ - * / %、函数",
            ),
        )  # fmt: skip

    # --- truth ----------------------------------------------------------------------------

    def connected(self, node: ast.BoolOp) -> Term:
        parts = [self.truth(value) for value in node.values]
        tests = [part.get for part in parts]
        return Term(
            "bool", _every(tests) if isinstance(node.op, ast.And) else _some(tests), asks=any(p.asks for p in parts)
        )

    def truth(self, node: ast.expr) -> Term:
        term = self.term(node)
        if term.kind not in ("bool", "none"):
            return self.note(
                node,
                "P143",
                f"a {term.kind} is neither true nor false",
                f"{KINDS_ZH[term.kind]}不是真假值",
                _COMPARE_IT,
            )
        return term

    def unary(self, node: ast.UnaryOp) -> Term:
        if isinstance(node.op, ast.Not):
            inner = self.truth(node.operand)
            get = inner.get
            return Term("bool", lambda row: not get(row), asks=inner.asks)
        inner = self.term(node.operand)
        if isinstance(node.op, ast.USub) and inner.kind in ("number", "none"):
            get = inner.get
            return Term(inner.kind, lambda row: -get(row), asks=inner.asks, literal=inner.literal)
        return self.refused(node)

    def comparison(self, node: ast.Compare) -> Term:
        operands = [node.left, *node.comparators]
        terms = [self.operand(operand) for operand in operands]
        tests = [
            self.compared(operands[i + 1], terms[i], operator, terms[i + 1]) for i, operator in enumerate(node.ops)
        ]
        return Term("bool", tests[0] if len(tests) == 1 else _every(tests), asks=any(term.asks for term in terms))

    def operand(self, node: ast.expr) -> Term:
        if isinstance(node, ast.Tuple | ast.List):
            return self.listed(node)
        return self.term(node)

    def compared(self, node: ast.expr, one: Term, operator: ast.cmpop, two: Term) -> Get:
        if "none" in (one.kind, two.kind):
            return _nothing
        if isinstance(operator, ast.In | ast.NotIn):
            return self.membership(node, one, two, isinstance(operator, ast.NotIn))
        compare = _COMPARE.get(type(operator))
        if compare is None:
            self.note(node, "P142", "`is` is not part of matchers", "匹配器中不能使用 `is`", ("write ==", "请写 =="))
            return _nothing
        if "object" in (one.kind, two.kind):
            self.note(
                node, "P143", "an object is never equal to anything", "对象不会与任何值相等",
                ("compare one of its attributes, for example r.sub.id", "请比较它的某个属性，例如 r.sub.id"),
            )  # fmt: skip
            return _nothing
        ordered = compare not in (eq, ne)
        if one.kind != two.kind or (ordered and one.kind not in ("text", "number")) or one.kind == "texts":
            self.mismatch(node, one, two)
            return _nothing
        self.pair(one, two)
        self.pair(two, one)
        if one.key and two.key and compare is eq:
            return _same(one.key, two.key)
        return _compared(one.get, compare, two.get)

    def pair(self, one: Term, column: Term) -> None:
        """Note what a column is compared with."""
        if column.key.startswith("p_") and one.key.startswith("r_"):
            self.equal.add((one.key[2:], column.key[2:]))
        elif column.key.startswith("p_") and one.literal:
            self.literals.add((column.key[2:], str(one.get({}))))

    def mismatch(self, node: ast.expr, one: Term, two: Term) -> None:
        self.note(
            node, "P143", f"a {one.kind} cannot be compared with a {two.kind} in this way",
            f"{KINDS_ZH[one.kind]}与{KINDS_ZH[two.kind]}不能这样比较",
            (
                "columns of policy.csv are texts; casbin would raise or never match",
                "policy.csv 的各列都是文本；casbin 会报错或永不匹配",
            ),
        )  # fmt: skip

    def membership(self, node: ast.expr, one: Term, two: Term, negated: bool) -> Get:
        if one.kind != "text" and not (two.literal and one.kind == "number"):
            self.mismatch(node, one, two)
            return _nothing
        if two.kind == "text":
            self.note(
                node, "P143", "`in` a text looks for a part of it: `read` is in `readwrite`",
                "对文本使用 `in` 是查找子串：`read` 在 `readwrite` 之中",
                ("write ==, or a list in brackets", "请写 == 或方括号列表"), warning=True,
            )  # fmt: skip
        elif two.kind != "texts":
            self.mismatch(node, one, two)
            return _nothing
        item, holder = one.get, two.get
        if negated:
            return lambda row: item(row) not in holder(row)
        return lambda row: item(row) in holder(row)

    def listed(self, node: ast.Tuple | ast.List) -> Term:
        items = [self.term(item) for item in node.elts]
        if any(item.kind == "none" for item in items):
            return NONE
        if not items or any(item.kind not in ("text", "number") for item in items):
            return self.note(node, "P143", "a list holds texts or numbers, at least one", "列表须含至少一个文本或数字")
        literal = all(item.literal for item in items)
        gets = [item.get for item in items]
        asks = any(item.asks for item in items)
        if literal:
            values = frozenset(get({}) for get in gets)
            return Term("texts", lambda row: values, literal=True)
        return Term("texts", lambda row: [get(row) for get in gets], asks=asks)

    # --- values ---------------------------------------------------------------------------

    def arithmetic(self, node: ast.BinOp) -> Term:
        operate = _ARITHMETIC.get(type(node.op))
        if operate is None:  # `**` and `<<` can make numbers of a million digits
            return self.refused(node)
        one, two = self.term(node.left), self.term(node.right)
        if "none" in (one.kind, two.kind):
            return NONE
        texts = operate is add and one.kind == two.kind == "text"
        if not texts and not one.kind == two.kind == "number":  # "a" * 100000
            self.mismatch(node, one, two)
            return NONE
        left, right = one.get, two.get
        return Term(one.kind, lambda row: operate(left(row), right(row)), asks=one.asks or two.asks)

    def literal(self, node: ast.Constant) -> Term:
        value = node.value
        if isinstance(value, bool):
            kind = "bool"
        elif isinstance(value, str):
            kind = "text"
        elif isinstance(value, int | float) and len(str(value)) <= MAX_DIGITS:
            kind = "number"
        else:
            return self.refused(node)
        return Term(kind, lambda row: value, literal=True)

    def named(self, node: ast.expr) -> Term:
        dotted = _dotted(node)
        first, _, rest = dotted.partition(".")
        name, _, attribute = rest.partition(".")
        if first == "r" and name:
            return self.token(node, name, attribute)
        if first == "p" and name:
            return self.column(node, name, attribute)
        hint = (f"write {_WORDS[dotted]}", f"请写 {_WORDS[dotted]}") if dotted in _WORDS else (
            "put a text in quotes; what is asked is r.…, what the row says p.…", "文本请放入引号；请求写 r.…，策略行写 p.…",
        )  # fmt: skip
        return self.note(node, "P141", f"no name `{dotted or '…'}`", f"没有名为 `{dotted or '…'}` 的值", hint)

    def token(self, node: ast.expr, name: str, attribute: str) -> Term:
        slot = self.scope.request.get(name)
        if slot is None:
            return self.note(
                node, "P141", f"`r` has no `{name}`", f"`r` 中没有 `{name}`", did_you_mean(name, self.scope.request)
            )
        self.tokens.add(name)
        key = f"r_{name}"
        if not attribute:
            return Term(slot.kind, lambda row: row[key], key if slot.kind != "object" else "", asks=True)
        if slot.kind != "object":
            return self.note(
                node, "P141", f"`r.{name}` is a {slot.kind} and has no `{attribute}`",
                f"`r.{name}` 是{KINDS_ZH[slot.kind]}，没有 `{attribute}`",
                (f"say `{name}: subject` in casbin/request.yaml", f"请在 casbin/request.yaml 中写 `{name}: subject`"),
            )  # fmt: skip
        found = slot.attributes.get(attribute)
        if found is None:
            return self.note(
                node, "P141", f"`r.{name}` has no `{attribute}`", f"`r.{name}` 没有 `{attribute}`",
                did_you_mean(attribute, slot.attributes),
            )  # fmt: skip
        get = found.get
        return Term(kind_of(found), lambda row: plain(get(row[ASKED].facts)), asks=True)  # type: ignore[attr-defined]  # an `Asked`

    def column(self, node: ast.expr, name: str, attribute: str) -> Term:
        if name not in self.scope.columns or attribute:
            shown = f"{name}.{attribute}" if attribute else name
            return self.note(
                node, "P141", f"`p` has no `{shown}`", f"`p` 中没有 `{shown}`", did_you_mean(shown, self.scope.columns)
            )
        self.columns.add(name)
        key = f"p_{name}"
        return Term("text", lambda row: row[key], key)

    # --- functions ------------------------------------------------------------------------

    def call(self, node: ast.Call) -> Term:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            return self.refused(node)
        if name == "eval":
            return self.rule(node)
        if name in self.scope.roles:
            return self.role(node, name)
        function = FUNCTIONS.get(name)
        if function is None:
            shown = name or _dotted(node.func) or "…"
            known = [*FUNCTIONS, *self.scope.roles]
            return self.note(
                node, "P141", f"no function `{shown}`", f"没有名为 `{shown}` 的函数", did_you_mean(shown, known)
            )
        arguments = self.arguments(node, name, function.arity)
        if arguments is None:
            return NONE
        self.microseconds += function.microseconds
        self.pin(node, function, arguments)
        return Term(
            function.gives, _called(function, [term.get for term in arguments]), asks=any(t.asks for t in arguments)
        )

    def arguments(self, node: ast.Call, name: str, arity: int) -> list[Term] | None:
        """Texts, as many as it takes; None when they are not."""
        terms = [self.term(argument) for argument in node.args]
        if len(terms) != arity:
            self.note(
                node, "P143", f"`{name}` takes {arity} arguments, not {len(terms)}", f"`{name}` 需要 {arity} 个参数，而不是 {len(terms)} 个",
                ("casbin would ignore the rest, or fail on each request", "casbin 会忽略多余参数，或对每个请求报错"),
            )  # fmt: skip
            return None
        for argument, term in zip(node.args, terms, strict=True):
            if term.kind not in ("text", "none"):
                self.note(
                    argument,
                    "P143",
                    f"`{name}` takes texts, not a {term.kind}",
                    f"`{name}` 需要文本，而不是{KINDS_ZH[term.kind]}",
                )
                return None
        return None if any(term.kind == "none" for term in terms) else terms

    def pin(self, node: ast.Call, function: Function, arguments: list[Term]) -> None:
        """Patterns are the policy's own: a caller who may choose one writes `*`."""
        for index, term in enumerate(arguments):
            if not function.all_patterns and index != 1:
                continue
            if term.asks:
                self.note(
                    node.args[index], "P144", "a pattern must come from the policy, not from the request",
                    "模式必须来自策略，不能来自请求", ("swap the arguments: (r.…, p.…)", "请交换参数：(r.…, p.…)"),
                )  # fmt: skip
            else:
                self.pinned.append(Pinned(self.place(node.args[index]), term.get, function, term.key, term.literal))

    def role(self, node: ast.Call, name: str) -> Term:
        arguments = self.arguments(node, name, self.scope.roles[name])
        self.roles.add(name)
        if arguments is None:
            return NONE
        self.microseconds += 0.7
        if arguments[0].key.startswith("r_") and name == "g":
            self.role_names.add(arguments[0].key[2:])
        holds = self.scope.holds.get(name)
        gets = [term.get for term in arguments]
        return Term("bool", _holds(holds, gets) if holds is not None else _nothing, asks=any(t.asks for t in arguments))

    def rule(self, node: ast.Call) -> Term:
        dotted = _dotted(node.args[0]) if len(node.args) == 1 else ""
        column = dotted.removeprefix("p.")
        if not self.scope.rules or not dotted.startswith("p.") or column not in self.scope.columns:
            return self.note(
                node, "P142", "`eval` takes one column, `eval(p.rule)`, and stands in the matcher only",
                "`eval` 只能取一列，写作 `eval(p.rule)`，且只能用在匹配器中",
            )  # fmt: skip
        self.columns.add(column)
        self.rules.append(column)
        self.microseconds += 1.0
        return Term("bool", self.evaluate(column) if self.evaluate is not None else _nothing, asks=True)


def kind_of(name: Name) -> Kind:
    """A grade is its number: general-1 … general-4 are 1 … 4, important is 5, core is 6."""
    return "number" if name.kind == "grade" else name.kind


def plain(value: object) -> object:
    """A value as casbin would get it: a grade as a number."""
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def check(pinned: Pinned, row: Row) -> PatternRefused | None:
    """What is wrong with the pattern that this row gives, if anything."""
    try:
        if pinned.function.check is not None:
            pinned.function.check(pinned.get(row))
    except PatternRefused as refused:
        return refused
    return None


def _every(tests: list[Get]) -> Get:
    if len(tests) == 2:
        one, two = tests
        return lambda row: one(row) and two(row)
    if len(tests) == 3:
        first, second, third = tests
        return lambda row: first(row) and second(row) and third(row)
    return lambda row: all(test(row) for test in tests)


def _some(tests: list[Get]) -> Get:
    if len(tests) == 2:
        one, two = tests
        return lambda row: one(row) or two(row)
    return lambda row: any(test(row) for test in tests)


def _same(one: str, two: str) -> Get:
    return lambda row: row[one] == row[two]


def _compared(one: Get, compare: Callable[[Any, Any], Any], two: Get) -> Get:
    return lambda row: compare(one(row), two(row))


def _called(function: Function, gets: list[Get]) -> Get:
    call = function.call
    if function.now:
        start, end = gets
        return lambda row: call(row[ASKED].now, start(row), end(row))  # type: ignore[attr-defined]  # an `Asked`
    if len(gets) == 2:
        one, two = gets
        return lambda row: call(one(row), two(row))
    first, second, third = gets
    return lambda row: call(first(row), second(row), third(row))


def _holds(holds: Callable[..., bool], gets: list[Get]) -> Get:
    one, two = gets[:2]
    if len(gets) == 2:
        return lambda row: holds(one(row), two(row), "", row[ASKED].now)  # type: ignore[attr-defined]  # an `Asked`
    domain = gets[2]
    return lambda row: holds(one(row), two(row), domain(row), row[ASKED].now)  # type: ignore[attr-defined]  # an `Asked`


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""
