"""Does the `when` of a rule hold for these facts?

A condition is a small expression. Its text is parsed, never executed: the syntax tree is checked against a list of
allowed forms and turned into closures once, at load. Rules:

1. Allowed: the names of `names.py`, text, whole and decimal numbers, true and false, lists of literals, comparisons
   (chained too), `in`, `not in`, `and`, `or`, `not`, and the functions `ip_in`, `between`, `weekday`, `has`.
2. Everything has a kind, checked at load: a number is never compared with a text. What a name can never be
   (`device.trust == "manged"`, `env.time == "8:00"`) and what can never be true (`env.hour > 23`) is a fault: a deny
   would silently never apply.
3. Size and depth are bounded; anything that is not plain ASCII outside quotes is refused (Python folds full-width
   letters into plain ones, a reader does not). So is what Python reads otherwise than it looks: a comment, two texts
   side by side.
4. A condition that fails at run time raises one of `FAILURES`; the caller then denies.
"""

import ast
import ipaddress
import re
import warnings
from collections.abc import Callable
from operator import eq, ge, gt, le, lt, ne
from typing import Any, NamedTuple

from msgspec import Struct

from gateway.document import FileFault, Node, did_you_mean
from gateway.facts import GRADES
from gateway.policy.closures import (
    Test,
    against,
    between_two,
    every,
    holds_one,
    in_hours,
    in_networks,
    member,
    negation,
    one_of,
    some,
)
from gateway.policy.names import WEEKDAYS, Getter, Kind, Name
from gateway.policy.shapes import remedy

FAILURES = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError)
"""What reading or comparing a value may raise; never more, a broken gateway must not look like a broken rule."""

MAX_CHARACTERS = 2000
MAX_PARTS = 400
MAX_DEPTH = 24
MAX_NUMBER = 1e15
FUNCTIONS = ("between", "has", "ip_in", "weekday")
_TAKEN = {"between": "08:00", "ip_in": "10.0.0.1", "weekday": "mon"}
"""A text that a name must be able to be for the function to make sense of it."""
_QUOTED = re.compile(r"(?:\"[^\"]*\"|'[^']*')([ \t\r\n]*(?=[\"']))?")
_ODD = re.compile(r"[^\0-~]|[\\#]")
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]\Z")
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: eq,
    ast.NotEq: ne,
    ast.Lt: lt,
    ast.LtE: le,
    ast.Gt: gt,
    ast.GtE: ge,
}
_KINDS_ZH = {"text": "文本", "number": "数字", "bool": "真假值", "texts": "文本列表", "grade": "数据级别"}


class Refused(Exception):
    """The condition cannot be used: where in the text (character), which code, what and how to mend it."""

    def __init__(self, column: int, code: str, en: str, zh: str, hint: tuple[str, str] = ("", "")) -> None:
        super().__init__(en)
        self.column, self.code, self.en, self.zh, self.hint = column, code, en, zh, hint

    def fault(self, node: Node, line: str) -> FileFault:
        """The fault at the condition's place in the file; `line` is the text of that line of the file."""
        column = node.column
        start = line.find(str(node.value), column - 1)  # -1 for a folded condition: then its beginning is named
        if start >= 0:
            column = start + self.column + 1
        return FileFault(node.file, node.line, column, self.code, self.en, self.zh, self.hint[0], self.hint[1])


class Term(Struct, frozen=True):
    """A part of a condition: its kind, how to read it, and what is known about it at load."""

    kind: Kind
    get: Getter
    literal: bool = False
    value: object = None  # of a literal
    name: Name | None = None


class Truth(NamedTuple):
    """A part that is true or false: its test, and how it comes out for everybody, None when that depends."""

    test: Test
    settled: bool | None = None


class Clause(Struct, frozen=True):
    """One conjunct of a condition, for explanations: where it stands, its test, the names it looks at."""

    start: int
    end: int
    test: Test
    reads: tuple[str, ...]


class Condition(Struct, frozen=True):
    """A condition ready for use."""

    text: str
    test: Test
    clauses: tuple[Clause, ...]
    unguarded: tuple[str, ...]  # names that may be unknown and are read without asking whether they are known


def compile_condition(text: str, table: dict[str, Name]) -> Condition:
    """Make a condition from its text. Raises `Refused`."""
    tree = _parse(text)
    compiler = _Compiler(text, table)
    conjuncts = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]
    clauses = tuple([compiler.clause(part) for part in conjuncts])
    reads = {name: None for clause in clauses for name in clause.reads}
    unguarded = tuple([n for n in reads if table[n].may_be_unknown and "risk.known" not in reads])
    return Condition(text, every([clause.test for clause in clauses]), clauses, unguarded)


def _parse(text: str) -> ast.expr:
    if len(text) > MAX_CHARACTERS:
        raise Refused(0, "P023", f"the condition is longer than {MAX_CHARACTERS} characters", "条件过长", _SPLIT)
    _check_alphabet(text)
    source = text.replace("\n", " ")  # a folded condition: a line break means a space
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.parse(source.strip(), mode="eval").body
    except SyntaxError as error:
        raise Refused(
            max((error.offset or 1) - 1, 0), "P020", "the condition cannot be read", "条件无法解析", _EXAMPLE
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise Refused(0, "P020", "the condition cannot be read", "条件无法解析", _EXAMPLE) from None


_MEANT = (
    "between looks at env.time, ip_in at env.source, weekday at env.weekday",
    "between 看 env.time，ip_in 看 env.source，weekday 看 env.weekday",
)
_NEVER = ("a typing error? correct the value, or remove this part", "是否笔误？请更正取值，或删除这一部分")
_UNDECLARED = ("none is declared: declare it first, or remove this part", "尚未声明任何取值：请先声明，或删除这一部分")
_SPLIT = ("split the rule in two", "请拆分为两条规则")
_EXAMPLE = (
    'write for example: env.purpose == "audit" and subject.assurance >= 3',
    '写法示例：env.purpose == "audit" and subject.assurance >= 3',
)


_NO_COMMENT = (
    "a comment would swallow the rest of the condition; use `note:`", "注释会吞掉条件的其余部分；请使用 `note:`"
)  # fmt: skip
_PARTED = ("write a comma between them", "请在二者之间写逗号")


_QUOTES = "“”„‟＂‘’‚‛＇「」『』"
_NARROW = {"≤": "<=", "≥": ">=", "≠": "!=", "＜": "<", "＞": ">", "＝": "=", "，": ",", "（": "(", "）": ")", "　": " "}


def _narrow(letter: str) -> tuple[str, str]:
    """What to write instead of a letter that an input method puts there."""
    if letter in _QUOTES:
        return 'that is not a plain quote: write `"` on both sides', '这不是半角引号：两侧都请写 `"`'
    if letter in _NARROW:
        return f"write `{_NARROW[letter]}`", f"请写 `{_NARROW[letter]}`"
    return "use plain ASCII punctuation", "请使用半角标点"


def _check_alphabet(text: str) -> None:
    for odd in ('"""', "'''"):  # else a quote could seem to end where it goes on
        if odd in text:
            raise Refused(text.index(odd), "P020", f"`{odd}` is not allowed", f"不允许使用 `{odd}`")
    found = _ODD.search(_QUOTED.sub(lambda match: " " * len(match[0]), text))
    if found is not None:
        letter = found[0]
        raise Refused(
            found.start(),
            "P020",
            f"`{letter}` is not allowed outside quotes",
            f"引号之外不允许使用 `{letter}`",
            _NO_COMMENT if letter == "#" else _narrow(letter),
        )
    if "\\" in text:
        raise Refused(text.index("\\"), "P020", "`\\` is not allowed", "不允许使用 `\\`")
    for quoted in _QUOTED.finditer(text):
        if quoted[1] is not None:  # Python makes one word of `["a" "b"]`: a deny for two would be one for nobody
            raise Refused(quoted.end(), "P020", "a text directly behind a text", "两个文本之间没有分隔", _PARTED)


class _Compiler:
    """Turns one checked syntax tree into closures; `table` says what names mean."""

    def __init__(self, text: str, table: dict[str, Name]) -> None:
        self.text = text
        self.table = table
        self.indent = len(text) - len(text.lstrip())
        self.wide = not text.isascii()
        self.parts = 0
        self.read: dict[str, None] = {}  # the names that the clause at hand looks at

    # --- places ---------------------------------------------------------------------------

    def column(self, node: ast.expr, end: bool = False) -> int:
        offset = (node.end_col_offset or 0) if end else node.col_offset
        if self.wide:  # the parser counts UTF-8 bytes
            offset = len(self.text.strip().encode()[:offset].decode(errors="ignore"))
        return offset + self.indent

    def refuse(self, node: ast.expr, code: str, en: str, zh: str, hint: tuple[str, str] = ("", "")) -> Refused:
        return Refused(self.column(node), code, en, zh, hint)

    def clause(self, node: ast.expr) -> Clause:
        self.read = {}
        truth = self.truth(node, 0)
        return Clause(self.column(node), self.column(node, end=True), truth.test, tuple(self.read))

    def count(self, depth: int = 0) -> None:
        self.parts += 1
        if self.parts > MAX_PARTS or depth > MAX_DEPTH:
            raise Refused(0, "P023", "the condition is too large or nested too deeply", "条件过大或嵌套过深", _SPLIT)

    # --- truth ----------------------------------------------------------------------------

    def truth(self, node: ast.expr, depth: int) -> Truth:
        """A part of the condition; one that can never be true is refused, but for the word `false` inside others."""
        self.count(depth)
        truth = self.form(node, depth)
        if truth.settled is False and (depth == 0 or _constant(node) is None):
            part = self.text[self.column(node) : self.column(node, end=True)]
            raise self.refuse(node, "P026", f"`{part}` can never be true", f"`{part}` 永远不会成立", _NEVER)
        return truth

    def form(self, node: ast.expr, depth: int) -> Truth:
        if isinstance(node, ast.BoolOp):
            return _joined([self.truth(value, depth + 1) for value in node.values], isinstance(node.op, ast.Or))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return _negated(self.truth(node.operand, depth + 1))
        if isinstance(node, ast.Compare):
            return self.comparison(node)
        if isinstance(node, ast.Call):
            return Truth(self.call(node))
        return self.bare(node)

    def bare(self, node: ast.expr) -> Truth:
        term = self.term(node)
        if term.kind != "bool":
            raise self.refuse(
                node,
                "P022",
                f"a {term.kind} is neither true nor false",
                f"{_KINDS_ZH[term.kind]}不是真假值",
                ("compare it with something", "请与某个值比较"),
            )
        get = term.get
        return Truth(lambda facts: get(facts) is True, term.value is True if term.literal else None)

    def comparison(self, node: ast.Compare) -> Truth:
        operands = [node.left, *node.comparators]
        parts = [self.compare(node, operands[i], operator, operands[i + 1]) for i, operator in enumerate(node.ops)]
        return parts[0] if len(parts) == 1 else _joined(parts, wins=False)

    def compare(self, whole: ast.expr, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Truth:
        if isinstance(operator, ast.In | ast.NotIn):
            among = self.membership(left, right)
            return among if isinstance(operator, ast.In) else _negated(among)
        self.count()
        compare = _COMPARE.get(type(operator))
        if compare is None:
            raise self.refuse(
                whole, "P024", "`is` is not part of conditions", "条件中不能使用 `is`", ("use ==", "请使用 ==")
            )
        one, two = self.pair(left, right)
        ordered = compare not in (eq, ne)
        if one.kind == "texts" or (ordered and one.kind in ("bool", "text")):
            raise self.refuse(
                whole,
                "P022",
                f"a {one.kind} has no such order",
                f"{_KINDS_ZH[one.kind]}不能这样比较",
                ("use ==, !=, in, has(…) or between(…)", "请使用 ==、！=、in、has(…) 或 between(…)"),
            )
        if not ordered:
            self.check_number(left, one, two)
            self.check_number(right, two, one)
        settled = _settled(compare, one, two)
        if two.literal:
            return Truth(against(one.get, compare, two.value), settled)
        return Truth(between_two(one.get, compare, two.get), settled)

    def pair(self, left: ast.expr, right: ast.expr) -> tuple[Term, Term]:
        """Two sides of one kind; a text literal beside a grade is read as a grade."""
        one, two = self.term(left), self.term(right)
        one, two = self.as_grade(left, one, two), self.as_grade(right, two, one)
        self.check_word(left, one, two)
        self.check_word(right, two, one)
        if one.kind != two.kind:
            raise self.mismatch(right, two.kind, one.kind)
        return one, two

    def as_grade(self, node: ast.expr, term: Term, other: Term) -> Term:
        if not (term.literal and term.kind == "text" and other.kind == "grade"):
            return term
        word = str(_constant(node))
        if word not in GRADES:
            raise self.refuse(
                node, "P031", f"no grade `{word}`", f"没有名为 `{word}` 的数据级别", did_you_mean(word, GRADES)
            )
        grade = GRADES[word]
        return Term("grade", lambda facts: grade, literal=True, value=grade)

    def check_word(self, node: ast.expr, term: Term, other: Term) -> None:
        """A text that the name on the other side can never be is a typing error of the author."""
        name = other.name
        if name is None or not (term.literal and isinstance(term.value, str)) or name.takes(term.value):
            return
        word = term.value
        if name.form is not None:
            en, zh = f"`{self.spelled(other)}` is never `{word}`", f"`{self.spelled(other)}` 不可能是 `{word}`"
            raise self.refuse(node, "P022", en, zh, (name.form.en, name.form.zh))
        code = "P010" if name.what == "role" else "P011" if name.what == "org" else "P022"
        hint = remedy(word, name.words or (), code) if name.words else _UNDECLARED
        raise self.refuse(node, code, f"no {name.what} `{word}`", f"没有 `{word}` 这个取值", hint)

    def check_number(self, node: ast.expr, term: Term, other: Term) -> None:
        """The same of a number."""
        name = other.name
        if name is None or not term.literal or not isinstance(term.value, int | float) or name.reaches(term.value):
            return
        en, zh = f"`{self.spelled(other)}` is never {term.value}", f"`{self.spelled(other)}` 不可能是 {term.value}"
        kind = ("a whole number", "整数") if name.whole else ("a number", "数")
        reach = f"{name.low:g}", f"{name.high:g}"
        hint = f"it is {kind[0]} from {reach[0]} to {reach[1]}", f"它是 {reach[0]} 至 {reach[1]} 的{kind[1]}"
        raise self.refuse(node, "P022", en, zh, hint)

    def spelled(self, term: Term) -> str:
        return next(dotted for dotted, name in self.table.items() if name is term.name)

    def mismatch(self, node: ast.expr, got: Kind, wanted: Kind) -> Refused:
        return self.refuse(
            node,
            "P022",
            f"a {got} cannot be compared with a {wanted}",
            f"{_KINDS_ZH[got]}不能与{_KINDS_ZH[wanted]}比较",
        )

    def membership(self, left: ast.expr, right: ast.expr) -> Truth:
        one = self.term(left)
        if isinstance(right, ast.List | ast.Tuple):
            values = frozenset(self.constant_beside(item, left) for item in right.elts)
            if not values:
                raise self.refuse(right, "P022", "the list is empty", "列表为空")
            return Truth(one_of(one.get, values), one.value in values if one.literal else None)
        two = self.term(right)
        if two.kind != "texts":
            # "a" in "abc" would be a search inside the text, which nobody means
            raise self.refuse(
                right,
                "P022",
                f"`in` needs a list, not a {two.kind}",
                f"`in` 右侧应为列表，而不是{_KINDS_ZH[two.kind]}",
                ("write the values in brackets", "请把取值写在方括号里"),
            )
        if one.kind != "text":
            raise self.mismatch(left, one.kind, "text")
        self.check_word(left, one, two)
        return Truth(member(one.get, two.get))

    def constant_beside(self, item: ast.expr, left: ast.expr) -> object:
        self.count()
        other, term = self.pair(left, item)
        if not term.literal or other.kind == "texts":
            raise self.refuse(item, "P024", "a list holds literals only", "列表中只能写字面值")
        self.check_number(item, term, other)
        return term.value

    # --- values ---------------------------------------------------------------------------

    def term(self, node: ast.expr) -> Term:
        value = _constant(node)
        if value is not None:
            kind: Kind = "bool" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"
            if not isinstance(value, str) and abs(value) > MAX_NUMBER:
                raise self.refuse(node, "P022", "the number is too large", "数字过大")
            return Term(kind, lambda facts: value, literal=True, value=value)
        if isinstance(node, ast.Attribute | ast.Name):
            return self.named(node)
        raise self.refuse(
            node,
            "P024",
            "this form is not part of conditions",
            "条件中不允许这种写法",
            (
                "allowed: names, literals, comparisons, in, and, or, not, " + ", ".join(FUNCTIONS),
                "允许：名称、字面值、比较、in、and、or、not、" + "、".join(FUNCTIONS),
            ),
        )

    def named(self, node: ast.expr) -> Term:
        dotted = _dotted(node)
        if dotted in self.table:
            name = self.table[dotted]
            self.read[dotted] = None
            return Term(name.kind, name.get, name=name)
        shown = dotted or "…"
        room = dotted.partition(".")[0]
        siblings = [name for name in self.table if name.startswith(room + ".")] or list(self.table)
        raise self.refuse(
            node, "P021", f"no name `{shown}`", f"没有名为 `{shown}` 的值", did_you_mean(dotted, siblings)
        )

    # --- functions ------------------------------------------------------------------------

    def call(self, node: ast.Call) -> Test:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS:
            shown = name or _dotted(node.func) or "…"
            raise self.refuse(
                node, "P021", f"no function `{shown}`", f"没有名为 `{shown}` 的函数", did_you_mean(shown, FUNCTIONS)
            )
        if node.keywords or len(node.args) < 2:
            raise self.refuse(
                node, "P022", f"`{name}` takes a name and at least one text", f"`{name}` 需要一个名称和至少一个文本"
            )
        term = self.term(node.args[0])
        wanted: Kind = "texts" if name == "has" else "text"
        if term.kind != wanted or term.literal:
            raise self.refuse(
                node.args[0],
                "P022",
                f"`{name}` looks at a {wanted}, not at a {term.kind}",
                f"`{name}` 的第一个参数应为{_KINDS_ZH[wanted]}",
            )
        if term.name is not None and name in _TAKEN and not term.name.takes(_TAKEN[name]):
            shown = self.spelled(term)
            raise self.refuse(
                node.args[0],
                "P022",
                f"`{name}` can make nothing of `{shown}`: it would never be true",
                f"`{name}` 不适用于 `{shown}`：永远不会成立",
                _MEANT,
            )
        words = [self.word(argument) for argument in node.args[1:]]
        if name == "ip_in":
            return self.ip_in(node, term.get, words)
        if name == "between":
            return self.between(node, term.get, words)
        if name == "weekday":
            return self.weekday(node, term.get, words)
        for argument in node.args[1:]:
            self.check_word(argument, self.term(argument), term)
        return holds_one(term.get, frozenset(words))

    def word(self, node: ast.expr) -> str:
        self.count()
        value = _constant(node)
        if isinstance(value, str):
            return value
        raise self.refuse(node, "P022", "expected a text in quotes", "此处应为带引号的文本")

    def ip_in(self, node: ast.Call, get: Getter, words: list[str]) -> Test:
        networks = []
        for argument, word in zip(node.args[1:], words, strict=True):
            try:
                network = ipaddress.ip_network(word)
                if network.version == 6 and network.subnet_of(_MAPPED):  # callers are compared by the address it maps
                    raise ValueError
                networks.append(network)
            except ValueError:
                raise self.refuse(
                    argument,
                    "P022",
                    f"`{word}` is not a network",
                    f"`{word}` 不是有效的网段",
                    ('write for example "10.0.0.0/8"', '写法示例："10.0.0.0/8"'),
                ) from None
        return in_networks(get, tuple(networks))

    def between(self, node: ast.Call, get: Getter, words: list[str]) -> Test:
        if len(words) != 2 or not all(_TIME.match(word) for word in words) or words[0] == words[1]:
            raise self.refuse(
                node,
                "P022",
                "`between` needs two different times",
                "`between` 需要两个不同的时间",
                ('write for example "08:00", "18:00"', '写法示例："08:00", "18:00"'),
            )
        return in_hours(get, words[0], words[1])

    def weekday(self, node: ast.Call, get: Getter, words: list[str]) -> Test:
        days: set[str] = set()
        for argument, word in zip(node.args[1:], words, strict=True):
            first, _, last = word.partition("-")
            if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
                raise self.refuse(
                    argument, "P022", f"no weekday `{word}`", f"没有名为 `{word}` 的星期", did_you_mean(first, WEEKDAYS)
                )
            start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
            days.update(WEEKDAYS[(start + i) % 7] for i in range((end - start) % 7 + 1))
        return one_of(get, frozenset(days))


def _joined(parts: list[Truth], wins: bool) -> Truth:
    """Parts joined by `or` when True wins over all others, by `and` when False does."""
    outcomes = [part.settled for part in parts]
    settled = wins if wins in outcomes else None if None in outcomes else not wins
    return Truth((some if wins else every)([part.test for part in parts]), settled)


def _negated(truth: Truth) -> Truth:
    return Truth(negation(truth.test), None if truth.settled is None else not truth.settled)


def _settled(compare: Callable[[Any, Any], Any], one: Term, two: Term) -> bool | None:
    """How a comparison comes out whatever the facts are, None when that depends on them."""
    if one.name is not None and one.name is two.name:
        return bool(compare(0, 0))
    if one.literal and two.literal:
        return bool(compare(one.value, two.value))
    if compare in (eq, ne):
        return compare is ne if _differ(one.name, two.name) else None
    outcomes = {bool(compare(a, b)) for a in _ends(one) for b in _ends(two)}  # an order is settled where its ends are
    return outcomes.pop() if len(outcomes) == 1 else None


def _differ(one: Name | None, two: Name | None) -> bool:
    """Whether two names have no word in common."""
    if one is None or two is None or one.words is None or two.words is None or (one.blank and two.blank):
        return False
    return frozenset(one.words).isdisjoint(two.words)


def _ends(term: Term) -> tuple[Any, Any]:
    """The least and the greatest that it can be."""
    return (term.name.low, term.name.high) if term.name is not None else (term.value, term.value)


def _constant(node: ast.expr) -> str | int | float | bool | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float):
        return node.value
    if isinstance(node, ast.Name) and node.id in ("true", "false"):  # as YAML spells them
        return node.id == "true"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        value = node.operand.value  # one sign: a thousand would be a thousand calls deep
        return -value if isinstance(value, int | float) and not isinstance(value, bool) else None
    return None


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return ""
