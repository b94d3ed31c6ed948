"""What does a matcher, or the rule in a row, ask for?

The tree that `syntax.py` reads is checked and turned into closures at load. Rules:

1. What may be spoken about: `r.x`, `r.x.y`, `p.x`, the functions of `functions.py`, the role definitions as functions,
   and `eval(p.x)` in a matcher.
2. Everything has a kind, checked at load: casbin finds `text >= number` on the request, and never finds that
   `r.sub.id == 3` cannot be true.
3. The answers are those of simpleeval, which casbin asks.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from operator import add, eq, floordiv, ge, gt, le, lt, mod, mul, ne, sub, truediv
from typing import Any

from msgspec import Struct

from gateway.document import did_you_mean
from gateway.facts import Facts
from gateway.policy.names import Name
from gateway.policy.native.functions import FUNCTIONS, Function, Kind
from gateway.policy.native.patterns import Refused
from gateway.policy.native.syntax import (
    All,
    Call,
    Compared,
    Faulty,
    Foreign,
    Minus,
    Named,
    Not,
    Problem,
    Reckoned,
    Several,
    Some,
    Syntax,
    Value,
    read_expression,
    walk,
)

Row = dict[str, Any]
"""What casbin evaluates with: `r_sub`, `p_obj` and so on by name; `r__asked` is what the request knows."""
Get = Callable[[Row], Any]

ASKED = "r__asked"
LINE = "p__line"

ROW_MICROSECONDS, PART_MICROSECONDS, ROLE_MICROSECONDS, RULE_MICROSECONDS = 1.6, 0.05, 0.7, 1.0

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {"==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": add, "-": sub, "*": mul, "/": truediv, "//": floordiv, "%": mod,
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


class Pinned(Struct, frozen=True):
    """A pattern of a function: how to read it from a row, and how it is checked."""

    at: int
    get: Get
    function: Function
    key: str = ""  # of the column that it is, if it is one
    literal: bool = False

    def refused(self, row: Row) -> Refused | None:
        """What is wrong with the pattern that this row gives, if anything."""
        try:
            if self.function.check is not None:
                self.function.check(self.get(row))
        except Refused as refused:
            return refused
        return None


class Expression(Struct, frozen=True):
    """An expression ready for use, and what it looks at."""

    tree: Syntax
    test: Get
    pinned: tuple[Pinned, ...]
    warnings: tuple[Problem, ...] = ()

    @property
    def tokens(self) -> frozenset[str]:
        """The tokens of `r`."""
        return frozenset(name.split(".")[1] for name in self._names() if name.startswith("r."))

    @property
    def columns(self) -> frozenset[str]:
        """The columns of `p`."""
        return frozenset(name[2:] for name in self._names() if name.startswith("p."))

    @property
    def rules(self) -> tuple[str, ...]:
        """The columns that hold rules of their own."""
        return tuple(_column(call.parts[0]) for call in self._calls() if call.name == "eval")

    @property
    def calls(self) -> frozenset[str]:
        """The functions and role definitions."""
        return frozenset(call.name for call in self._calls())

    @property
    def role_names(self) -> frozenset[str]:
        """The tokens that are looked up among role names."""
        return frozenset(_token(call.parts[0]) for call in self._calls() if call.name == "g") - {""}

    @property
    def equal(self) -> frozenset[tuple[str, str]]:
        """Token and column that are compared as they are."""
        pairs = ((_token(one), _column(two)) for one, two in self._compared())
        return frozenset((token, column) for token, column in pairs if token and column)

    @property
    def literals(self) -> frozenset[tuple[str, str]]:
        """Column and text that it is compared with."""
        return frozenset(
            (_column(two), str(one.value)) for one, two in self._compared() if isinstance(one, Value) and _column(two)
        )

    @property
    def microseconds(self) -> float:
        """What one row costs, by a cautious guess."""
        return ROW_MICROSECONDS + sum(map(_microseconds, walk(self.tree)))

    def _names(self) -> Iterator[str]:
        return (part.name for part in walk(self.tree) if isinstance(part, Named))

    def _calls(self) -> Iterator[Call]:
        return (part for part in walk(self.tree) if isinstance(part, Call))

    def _compared(self) -> Iterator[tuple[Syntax, Syntax]]:
        """Each two neighbours of a comparison, both ways round."""
        for part in walk(self.tree):
            if isinstance(part, Compared):
                for one, operator, two in zip(part.parts, part.operators, part.parts[1:], strict=False):
                    if operator in _COMPARE:
                        yield one, two
                        yield two, one


def _token(part: Syntax) -> str:
    """The token of `r` that this is, "" for anything else."""
    first, _, name = part.name.partition(".") if isinstance(part, Named) else ("", "", "")
    return name if first == "r" and "." not in name else ""


def _column(part: Syntax) -> str:
    """The column of `p` that this is, "" for anything else."""
    return part.name[2:] if isinstance(part, Named) and part.name.startswith("p.") else ""


def _microseconds(part: Syntax) -> float:
    if not isinstance(part, Call):
        return PART_MICROSECONDS
    if part.name == "eval":
        return RULE_MICROSECONDS
    return FUNCTIONS[part.name].microseconds if part.name in FUNCTIONS else ROLE_MICROSECONDS


def compile_expression(text: str, scope: Scope, evaluate: Callable[[str], Get] | None = None) -> Expression:
    """Make an expression from its text. `evaluate(column)` runs the rule in a column. Raises `Faulty`."""
    tree = read_expression(text)
    compiler = _Compiler(scope, evaluate)
    term = compiler.truth(tree)
    errors = [problem for problem in compiler.problems if not problem.warning]
    if errors:
        raise Faulty(sorted(errors, key=lambda problem: problem.at))
    return Expression(tree, term.get, tuple(compiler.pinned), tuple(compiler.problems))


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
    """Turns one tree into closures; faults are noted and reading goes on."""

    def __init__(self, scope: Scope, evaluate: Callable[[str], Get] | None) -> None:
        self.scope, self.evaluate = scope, evaluate
        self.problems: list[Problem] = []
        self.pinned: list[Pinned] = []

    def note(self, part: Syntax, code: str, en: str, zh: str, hint: tuple[str, str] = ("", "")) -> Term:
        """Report what is wrong; the term that stands for it."""
        self.problems.append(Problem(part.at, code, en, zh, hint))
        return NONE

    def term(self, part: Syntax) -> Term:
        match part:
            case All():
                return self.connected(part, _every)
            case Some():
                return self.connected(part, _some)
            case Not():
                inner = self.truth(part.parts[0])
                return Term("bool", _negated(inner.get), asks=inner.asks)
            case Compared():
                return self.comparison(part)
            case Minus():
                return self.minus(part)
            case Reckoned():
                return self.arithmetic(part)
            case Call():
                return self.call(part)
            case Value():
                return self.literal(part)
            case Named():
                return self.named(part)
            case Several() | Foreign():  # a list stands beside an operator only
                return self.foreign(part)

    def foreign(self, part: Syntax) -> Term:
        return self.note(
            part, "P142", "this form is not part of matchers", "匹配器中不允许这种写法",
            (
                "allowed: r.x, p.x, literals, comparisons, in, &&, ||, !, + - * / %, functions",
                "允许：r.x、p.x、字面值、比较、in、&&、||、!、+ - * / %、函数",
            ),
        )  # fmt: skip

    # --- truth ----------------------------------------------------------------------------

    def truth(self, part: Syntax) -> Term:
        term = self.term(part)
        if term.kind in ("bool", "none"):
            return term
        return self.note(
            part, "P143", f"a {term.kind} is neither true nor false", f"{KINDS_ZH[term.kind]}不是真假值",
            ("compare it with something", "请与某个值比较"),
        )  # fmt: skip

    def connected(self, part: All | Some, join: Callable[[list[Get]], Get]) -> Term:
        terms = [self.truth(one) for one in part.parts]
        return Term("bool", join([term.get for term in terms]), asks=any(term.asks for term in terms))

    def comparison(self, part: Compared) -> Term:
        terms = [self.listed(one) if isinstance(one, Several) else self.term(one) for one in part.parts]
        tests = [
            self.compared(right, one, operator, two)
            for operator, right, one, two in zip(part.operators, part.parts[1:], terms, terms[1:], strict=False)
        ]
        return Term("bool", tests[0] if len(tests) == 1 else _every(tests), asks=any(term.asks for term in terms))

    def compared(self, right: Syntax, one: Term, operator: str, two: Term) -> Get:
        if "none" in (one.kind, two.kind):
            return _nothing
        if operator in ("in", "not in"):
            return self.membership(right, one, operator, two)
        if operator not in _COMPARE:
            return self.note(
                right, "P142", "`is` is not part of matchers", "匹配器中不能使用 `is`", ("write ==", "请写 ==")
            ).get
        if "object" in (one.kind, two.kind):
            return self.note(
                right, "P143", "an object is never equal to anything", "对象不会与任何值相等",
                ("compare one of its attributes, for example r.sub.id", "请比较它的某个属性，例如 r.sub.id"),
            ).get  # fmt: skip
        ordered = operator not in ("==", "!=")
        if one.kind != two.kind or (ordered and one.kind not in ("text", "number")) or one.kind == "texts":
            return self.mismatch(right, one, two).get
        if one.key and two.key and operator == "==":
            return _same(one.key, two.key)
        return _operated(one.get, _COMPARE[operator], two.get)

    def mismatch(self, part: Syntax, one: Term, two: Term) -> Term:
        return self.note(
            part, "P143", f"a {one.kind} cannot be compared with a {two.kind} in this way",
            f"{KINDS_ZH[one.kind]}与{KINDS_ZH[two.kind]}不能这样比较",
            (
                "columns of policy.csv are texts; casbin would raise or never match",
                "policy.csv 的各列都是文本；casbin 会报错或永不匹配",
            ),
        )  # fmt: skip

    def membership(self, right: Syntax, one: Term, operator: str, two: Term) -> Get:
        if one.kind != "text" and not (two.literal and one.kind == "number"):
            return self.mismatch(right, one, two).get
        if two.kind == "text":
            hint = ("write ==, or a list in brackets", "请写 == 或方括号列表")
            self.problems.append(
                Problem(
                    right.at, "P143", "`in` a text looks for a part of it: `read` is in `readwrite`",
                    "对文本使用 `in` 是查找子串：`read` 在 `readwrite` 之中", hint, warning=True,
                )
            )  # fmt: skip
        elif two.kind != "texts":
            return self.mismatch(right, one, two).get
        found = _among(one.get, two.get)
        return _negated(found) if operator == "not in" else found

    def listed(self, part: Several) -> Term:
        items = [self.term(item) for item in part.parts]
        if any(item.kind == "none" for item in items):
            return NONE
        if not items or any(item.kind not in ("text", "number") for item in items):
            return self.note(part, "P143", "a list holds texts or numbers, at least one", "列表须含至少一个文本或数字")
        gets = [item.get for item in items]
        if all(item.literal for item in items):
            values = frozenset(get({}) for get in gets)
            return Term("texts", lambda row: values, literal=True)
        return Term("texts", lambda row: [get(row) for get in gets], asks=any(item.asks for item in items))

    # --- values ---------------------------------------------------------------------------

    def minus(self, part: Minus) -> Term:
        inner = self.term(part.parts[0])
        if inner.kind not in ("number", "none"):
            return self.foreign(part)
        get = inner.get
        return Term(inner.kind, lambda row: -get(row), asks=inner.asks, literal=inner.literal)

    def arithmetic(self, part: Reckoned) -> Term:
        one, two = self.term(part.parts[0]), self.term(part.parts[1])
        if "none" in (one.kind, two.kind):
            return NONE
        texts = part.operator == "+" and one.kind == two.kind == "text"
        if not texts and not one.kind == two.kind == "number":  # "a" * 100000
            return self.mismatch(part, one, two)
        get = _operated(one.get, _ARITHMETIC[part.operator], two.get)
        return Term(one.kind, get, asks=one.asks or two.asks)

    def literal(self, part: Value) -> Term:
        value = part.value
        kind = "bool" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"
        return Term(kind, lambda row: value, literal=True)

    def named(self, part: Named) -> Term:
        first, _, rest = part.name.partition(".")
        name, _, attribute = rest.partition(".")
        if first == "r" and name:
            return self.token(part, name, attribute)
        if first == "p" and name:
            return self.column(part, rest)
        shown = part.name or "…"
        hint = (f"write {_WORDS[shown]}", f"请写 {_WORDS[shown]}") if shown in _WORDS else (
            "put a text in quotes; what is asked is r.…, what the row says p.…", "文本请放入引号；请求写 r.…，策略行写 p.…",
        )  # fmt: skip
        return self.note(part, "P141", f"no name `{shown}`", f"没有名为 `{shown}` 的值", hint)

    def token(self, part: Named, name: str, attribute: str) -> Term:
        slot = self.scope.request.get(name)
        if slot is None:
            hint = did_you_mean(name, self.scope.request)
            return self.note(part, "P141", f"`r` has no `{name}`", f"`r` 中没有 `{name}`", hint)
        key = f"r_{name}"
        if not attribute:
            return Term(slot.kind, lambda row: row[key], key if slot.kind != "object" else "", asks=True)
        if slot.kind != "object":
            return self.note(
                part, "P141", f"`r.{name}` is a {slot.kind} and has no `{attribute}`",
                f"`r.{name}` 是{KINDS_ZH[slot.kind]}，没有 `{attribute}`",
                (f"say `{name}: subject` in casbin/request.yaml", f"请在 casbin/request.yaml 中写 `{name}: subject`"),
            )  # fmt: skip
        found = slot.attributes.get(attribute)
        if found is None:
            return self.note(
                part, "P141", f"`r.{name}` has no `{attribute}`", f"`r.{name}` 没有 `{attribute}`",
                did_you_mean(attribute, slot.attributes),
            )  # fmt: skip
        get = found.get
        return Term(kind_of(found), lambda row: plain(get(row[ASKED].facts)), asks=True)

    def column(self, part: Named, name: str) -> Term:
        if name not in self.scope.columns:
            hint = did_you_mean(name, self.scope.columns)
            return self.note(part, "P141", f"`p` has no `{name}`", f"`p` 中没有 `{name}`", hint)
        key = f"p_{name}"
        return Term("text", lambda row: row[key], key)

    # --- functions ------------------------------------------------------------------------

    def call(self, part: Call) -> Term:
        if part.name == "eval":
            return self.rule(part)
        if part.name in self.scope.roles:
            return self.role(part)
        function = FUNCTIONS.get(part.name)
        if function is None:
            shown = part.name or "…"
            hint = did_you_mean(shown, [*FUNCTIONS, *self.scope.roles])
            return self.note(part, "P141", f"no function `{shown}`", f"没有名为 `{shown}` 的函数", hint)
        terms = self.arguments(part, function.arity)
        if terms is None:
            return NONE
        self.pin(part, function, terms)
        get = _called(function, [term.get for term in terms])
        return Term(function.gives, get, asks=any(term.asks for term in terms))

    def arguments(self, part: Call, arity: int) -> list[Term] | None:
        """Texts, as many as it takes; None when they are not."""
        terms = [self.term(argument) for argument in part.parts]
        if len(terms) != arity:
            self.note(
                part, "P143", f"`{part.name}` takes {arity} arguments, not {len(terms)}",
                f"`{part.name}` 需要 {arity} 个参数，而不是 {len(terms)} 个",
                ("casbin would ignore the rest, or fail on each request", "casbin 会忽略多余参数，或对每个请求报错"),
            )  # fmt: skip
            return None
        for argument, term in zip(part.parts, terms, strict=True):
            if term.kind not in ("text", "none"):
                self.note(
                    argument, "P143", f"`{part.name}` takes texts, not a {term.kind}",
                    f"`{part.name}` 需要文本，而不是{KINDS_ZH[term.kind]}",
                )  # fmt: skip
                return None
        return None if any(term.kind == "none" for term in terms) else terms

    def pin(self, part: Call, function: Function, arguments: list[Term]) -> None:
        """Patterns are the policy's own: a caller who may choose one writes `*`."""
        for index, term in enumerate(arguments):
            if not function.all_patterns and index != 1:
                continue
            if term.asks:
                self.note(
                    part.parts[index], "P144", "a pattern must come from the policy, not from the request",
                    "模式必须来自策略，不能来自请求", ("swap the arguments: (r.…, p.…)", "请交换参数：(r.…, p.…)"),
                )  # fmt: skip
            else:
                self.pinned.append(Pinned(part.parts[index].at, term.get, function, term.key, term.literal))

    def role(self, part: Call) -> Term:
        terms = self.arguments(part, self.scope.roles[part.name])
        holds = self.scope.holds.get(part.name)
        if terms is None:
            return NONE
        gets = [term.get for term in terms]
        return Term("bool", _holds(holds, gets) if holds is not None else _nothing, asks=any(t.asks for t in terms))

    def rule(self, part: Call) -> Term:
        column = _column(part.parts[0]) if len(part.parts) == 1 else ""
        if not self.scope.rules or column not in self.scope.columns:
            return self.note(
                part, "P142", "`eval` takes one column, `eval(p.rule)`, and stands in the matcher only",
                "`eval` 只能取一列，写作 `eval(p.rule)`，且只能用在匹配器中",
            )  # fmt: skip
        return Term("bool", self.evaluate(column) if self.evaluate is not None else _nothing, asks=True)


def kind_of(name: Name) -> Kind:
    """A grade is its number: general-1 … general-4 are 1 … 4, important is 5, core is 6."""
    return "number" if name.kind == "grade" else name.kind


def plain(value: object) -> object:
    """A value as casbin would get it: a grade as a number."""
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


# --- closures -------------------------------------------------------------------------------------


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


def _negated(test: Get) -> Get:
    return lambda row: not test(row)


def _same(one: str, two: str) -> Get:
    return lambda row: row[one] == row[two]


def _operated(one: Get, operate: Callable[[Any, Any], Any], two: Get) -> Get:
    return lambda row: operate(one(row), two(row))


def _among(item: Get, holder: Get) -> Get:
    return lambda row: item(row) in holder(row)


def _called(function: Function, gets: list[Get]) -> Get:
    call = function.call
    if function.now:
        start, end = gets
        return lambda row: call(row[ASKED].now, start(row), end(row))
    if len(gets) == 2:
        return _operated(gets[0], call, gets[1])
    first, second, third = gets
    return lambda row: call(first(row), second(row), third(row))


def _holds(holds: Callable[..., bool], gets: list[Get]) -> Get:
    one, two = gets[:2]
    if len(gets) == 2:
        return lambda row: holds(one(row), two(row), "", row[ASKED].now)
    domain = gets[2]
    return lambda row: holds(one(row), two(row), domain(row), row[ASKED].now)
