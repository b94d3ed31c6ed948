"""On which values does a condition turn?

A condition is taken apart into atoms: its comparisons and calls, without `and`, `or` and `not`. Rules:

1. Two sets of facts on which all atoms agree cannot be told apart by the condition. That is what makes a search over
   "what if" small: of all values only one is tried for each way in which the atoms can come out.
2. The literals beside a name are the values at which its atoms can change (`300` beside `subject.auth_age`).
3. An atom that cannot be evaluated is a third answer, neither true nor false: rules deny on it.
"""

import ast
from collections.abc import Iterable, Mapping
from itertools import pairwise

from msgspec import Struct

from gateway.facts import Facts
from gateway.policy.closures import Test
from gateway.policy.condition import FAILURES, compile_condition
from gateway.policy.names import Name

Literal = str | int | float | bool


class Atom(Struct, frozen=True):
    """One comparison or call: its test, and the names it looks at."""

    test: Test
    reads: tuple[str, ...]

    def of(self, facts: Facts) -> bool | None:
        """True, false, or None when it cannot be evaluated."""
        try:
            return self.test(facts)
        except FAILURES:
            return None


class Atoms(Struct, frozen=True):
    """The atoms of some conditions, and for each name the literals and the other names beside it."""

    atoms: tuple[Atom, ...] = ()
    beside: dict[str, tuple[Literal, ...]] = {}
    names_beside: dict[str, tuple[str, ...]] = {}

    @property
    def names(self) -> frozenset[str]:
        """Every name that one of them looks at."""
        return frozenset(name for atom in self.atoms for name in atom.reads)

    def signature(self, facts: Facts) -> tuple[bool | None, ...]:
        """How all atoms come out."""
        return tuple([atom.of(facts) for atom in self.atoms])

    def texts(self, name: str) -> tuple[str, ...]:
        """The texts beside a name."""
        return tuple(value for value in self.beside.get(name, ()) if isinstance(value, str))

    def numbers(self, name: str) -> tuple[float, ...]:
        """The numbers beside a name, ascending."""
        values = self.beside.get(name, ())
        return tuple(sorted({float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)}))


def take_apart(conditions: Iterable[str], table: Mapping[str, Name]) -> Atoms:
    """The atoms of conditions that were checked at load; `table` says what names mean."""
    found: dict[str, Atom] = {}
    beside: dict[str, dict[Literal, None]] = {}
    names_beside: dict[str, dict[str, None]] = {}
    for text in dict.fromkeys(conditions):
        source = text.replace("\n", " ").strip()
        for node in _leaves(ast.parse(source, mode="eval").body):
            written = ast.get_source_segment(source, node) or ""
            if written not in found:
                reads = tuple(dict.fromkeys(name for name in map(_dotted, ast.walk(node)) if name in table))
                found[written] = Atom(compile_condition(written, dict(table)).test, reads)
                _note(node, beside, names_beside)
    return Atoms(
        tuple(found.values()),
        {name: tuple(values) for name, values in beside.items()},
        {name: tuple(names) for name, names in names_beside.items()},
    )


def _leaves(node: ast.expr) -> Iterable[ast.expr]:
    if isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _leaves(value)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield from _leaves(node.operand)
    else:
        yield node


def _note(node: ast.expr, beside: dict[str, dict[Literal, None]], names_beside: dict[str, dict[str, None]]) -> None:
    """Keep what stands beside each name of one atom."""
    operands = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
    pairs = [*pairwise(operands)]
    if isinstance(node, ast.Call):
        pairs = [(node.args[0], argument) for argument in node.args[1:]]
    for one, two in pairs:
        for name, other in ((_dotted(one), two), (_dotted(two), one)):
            if not name:
                continue
            if _dotted(other):
                names_beside.setdefault(name, {})[_dotted(other)] = None
            for value in _literals(other):
                beside.setdefault(name, {})[value] = None


def _literals(node: ast.expr) -> list[Literal]:
    if isinstance(node, ast.List | ast.Tuple):
        return [value for item in node.elts for value in _literals(item)]
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float):
        return [node.value]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return [-value for value in _literals(node.operand) if isinstance(value, int | float)]
    return []


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return ""
