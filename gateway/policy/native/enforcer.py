"""What does a team's casbin policy answer?

A real casbin enforcer holds model and rows and walks them; its effectors, its order by priority and by subject, its
early end. Rules:

1. Rows come through a `persist.Adapter`: no CSV is parsed by casbin.
2. Matchers are our closures (`expression.py`), handed over where casbin would make an evaluator of their text on
   each request: nothing of an author's text is executed, and nothing is parsed twice.
3. Role managers are ours: walked to their end, with domains, matching functions and conditions.
4. One more token carries what a request knows, one more column the line of a row: so every row that has spoken is
   known, without any state between requests. Nothing is remembered but what was parsed.
5. Rows that the index knows not to match are not asked; what casbin walks is then a copy with fewer rows.
6. What raises has no answer; whoever asks denies.
"""

import logging
from collections.abc import Callable, Iterable
from copy import copy
from datetime import datetime
from functools import partial
from itertools import chain
from zoneinfo import ZoneInfo

import casbin
from casbin.model import Model
from casbin.persist import Adapter
from msgspec import Struct

from gateway.facts import Facts
from gateway.policy.names import Name
from gateway.policy.native.expression import (
    ASKED,
    LINE,
    Asked,
    Expression,
    Get,
    Pinned,
    Row,
    Scope,
    compile_expression,
)
from gateway.policy.native.functions import FUNCTIONS, within
from gateway.policy.native.index import Table, indexed
from gateway.policy.native.model import blanks, effect
from gateway.policy.native.request import fillers, slots
from gateway.policy.native.roles import Links, Match
from gateway.policy.native.source import MATCHER, Source, columns, row_id
from gateway.policy.native.syntax import Faulty

FAILURES = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RuntimeError)
"""What reading, comparing, or casbin itself may raise while a request is judged."""

_NEVER = datetime.min

for _name in ("casbin", "casbin.policy", "casbin.enforcer", "casbin.role"):
    logging.getLogger(_name).setLevel(logging.ERROR)  # they would print who asks for what


class Said(Struct, frozen=True):
    """The answer, the rows that gave it by id, and the row that could not be evaluated ("" for none)."""

    allowed: bool
    allows: tuple[str, ...] = ()
    denies: tuple[str, ...] = ()
    failed: str = ""


class Rows(Adapter):  # type: ignore[misc]  # casbin is not typed
    """casbin's adapter interface over rows that have been read; a row of `p` ends with its line."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def load_policy(self, model: Model) -> None:
        """Hand over all rows."""
        for line, kind, *values in self._source.rows:
            model[kind[0]][kind].policy.append([*values, line] if kind == "p" else values)


class Compiled(Struct, frozen=True):
    """A matcher in the place of casbin's evaluator."""

    test: Get

    def eval(self, row: Row) -> bool:
        """Whether this row matches; those that do are noted with the request."""
        asked: Asked = row[ASKED]
        asked.line = row[LINE]
        matches: bool = self.test(row)
        if matches:
            asked.hits.append(asked.line)
        return matches


class Enforcer(casbin.Enforcer):  # type: ignore[misc]  # casbin is not typed
    """casbin's enforcer with our rows, roles and matcher. Raises ValueError for a source that cannot be used."""

    def __init__(self, source: Source, table: dict[str, Name], timezone: str) -> None:
        links = managers(source)
        self._zone = ZoneInfo(timezone)
        try:
            self._fill = fillers((source.request[token] for token in columns(source.definitions["r"])), table)
            matcher = compiled(source, table, links)
        except (Faulty, LookupError) as faulty:
            raise ValueError(f"the native policy cannot be used: {faulty}") from faulty
        self._compiled = Compiled(matcher.test)
        self._timed = "timeMatch" in str(source.definitions) + str(source.rows) or bool(source.conditions)
        super().__init__(_model(source))
        for key, manager in links.items():
            self.set_named_role_manager(key, manager)
        self.set_adapter(Rows(source))
        self.load_policy()
        self._index = indexed(self.model["p"]["p"].policy, matcher.tree, source)
        names = columns(source.definitions["p"])
        place = names.index("eft") + 2 if "eft" in names else 0
        self._lines = frozenset(row[0] for row in source.rows if row[1] == "p" and place and row[place] == "deny")

    @property
    def denying(self) -> frozenset[str]:
        """The ids of the rows that deny."""
        return frozenset(map(row_id, self._lines))

    def _get_expression(self, expr: str, functions: object = None) -> Compiled:
        return self._compiled

    def judge(self, facts: Facts, every: bool = False) -> Said:
        """The answer to one request; with `every` all rows are asked, also those that the index knows not to match."""
        asked = Asked(facts, self._now(facts), [])
        try:
            request = [fill(facts) for fill in self._fill]
            enforcer = self if every or self._index is None else self._over(self._index.rows(request))
            allowed: bool = enforcer.enforce(*request, asked)
        except FAILURES:
            return Said(False, failed=row_id(asked.line) if asked.line else MATCHER)
        allows = tuple(row_id(line) for line in asked.hits if line and line not in self._lines)
        denies = tuple(row_id(line) for line in asked.hits if line in self._lines)
        return Said(allowed, allows or (MATCHER,) if allowed else allows, denies)

    def _over(self, rows: Table) -> "Enforcer":
        """The same enforcer over fewer rows; of its own for each request, and casbin's walk as ever."""
        enforcer, model, policy = copy(self), copy(self.model), copy(self.model["p"]["p"])
        policy.policy = rows
        model.model = self.model.model | {"p": {"p": policy}}
        enforcer.model = model
        return enforcer

    def matching(self, facts: Facts) -> tuple[str, ...]:
        """Every row that matches, also those that the early end leaves out; one that raises does not. Slow."""
        asked = Asked(facts, self._now(facts), [])
        tokens = self.model["r"]["r"].tokens
        try:
            request = dict(zip(tokens, [*[fill(facts) for fill in self._fill], asked], strict=True))
        except FAILURES:
            return ()
        for values in self.model["p"]["p"].policy:
            row = request | dict(zip(self.model["p"]["p"].tokens, values, strict=True))
            try:
                self._compiled.eval(row)
            except FAILURES:
                continue
        return tuple(row_id(line) for line in asked.hits)

    def filled(self, facts: Facts) -> dict[str, object]:
        """The request by its tokens, as the matcher sees it; None for an object. Raises one of `FAILURES`."""
        tokens = [token.removeprefix("r_") for token in self.model["r"]["r"].tokens[:-1]]  # the last one is ours
        return dict(zip(tokens, [fill(facts) for fill in self._fill], strict=True))

    def _now(self, facts: Facts) -> datetime:
        return datetime.fromtimestamp(facts.ask.at, self._zone).replace(tzinfo=None) if self._timed else _NEVER


def _model(source: Source) -> Model:
    """casbin's model, each definition by itself: its reader of files is not asked."""
    model = Model()
    for key, text in source.definitions.items():
        if key[0] in "rp":
            model.add_def(key[0], key, ",".join(columns(text)))
        elif key == "e":
            model.add_def("e", "e", effect(text))
        elif key == "m":
            model.add_def("m", "m", "compiled")
    for key, text in source.definitions.items():
        shape = blanks(text) if key[0] == "g" else None
        if shape is not None:  # a condition's columns are links' own: casbin's conditional managers are not used
            model.add_def("g", key, ",".join("_" * (shape.names + shape.conditions)))
    model["r"]["r"].tokens.append(ASKED)
    model["p"]["p"].tokens.append(LINE)
    return model


def managers(source: Source) -> dict[str, Links]:
    """Our role managers, empty, by the key of their definition."""
    found = {}
    for key, text in source.definitions.items():
        shape = blanks(text) if key[0] == "g" else None
        if shape is not None:
            match, domains = source.matching.get(key, ""), source.domain_matching.get(key, "")
            found[key] = Links(
                shape.names,
                _match(match) if match else None,
                _match(domains) if domains else None,
                within if source.conditions.get(key) else None,
            )
    return found


def _match(name: str) -> Match:
    call = FUNCTIONS[name].call
    return lambda text, pattern: call(text, pattern) is True


def scope_of(
    source: Source, table: dict[str, Name], holds: dict[str, Callable[..., bool]], rules: bool = True
) -> Scope:
    """What a matcher (or a rule in a row) may speak about."""
    shapes = {key: blanks(text) for key, text in source.definitions.items() if key[0] == "g"}
    return Scope(
        slots(source.request, table),
        columns(source.definitions["p"]),
        {key: shape.names for key, shape in shapes.items() if shape is not None},
        holds,
        rules,
    )


def compiled(source: Source, table: dict[str, Name], links: dict[str, Links]) -> Expression:
    """The matcher with the rules of all rows. Raises `Faulty`."""
    holds: dict[str, Callable[..., bool]] = {key: manager.has_link for key, manager in links.items()}
    rules: dict[str, Get] = {}
    matcher = compile_expression(source.definitions["m"], scope_of(source, table, holds), partial(_rule, rules))
    inner = scope_of(source, table, holds, rules=False)
    names, columns_of_rules = columns(source.definitions["p"]), matcher.rules
    for row in source.rows:
        if row[1] != "p":
            continue
        values = dict(zip(names, row[2:], strict=True))
        asked = [matcher.pinned]
        for text in (values[name] for name in columns_of_rules):
            rule = compile_expression(text, inner)
            rules[text] = rule.test
            asked.append(rule.pinned)
        _warm(chain.from_iterable(asked), {f"p_{name}": value for name, value in values.items()})
    return matcher


def _warm(pinned: Iterable[Pinned], row: Row) -> None:
    """Compile the patterns of a row now, not while the first caller waits. Raises ValueError for one that is not good."""
    for one in pinned:
        refused = one.refused(row)
        if refused is not None:
            raise ValueError(refused.en)


def _rule(rules: dict[str, Get], column: str) -> Get:
    """Runs the rule that stands in a column of the row."""
    key = f"p_{column}"
    return lambda row: rules[row[key]](row)
