"""What does casbin say?

The only place that imports casbin: a real Enforcer holds the compiled model and rows and is the reference for every
decision. It is too slow to be asked on each request, so the index is generated from what *it* has loaded, and a
sample of decisions is held against it. Where stock casbin is unsafe, a seam of its own is used:

1. Rows come through a `persist.Adapter`; no CSV is ever parsed, so no comma, quote or comment can drop a row.
2. Role managers are ours: casbin's stop at depth 10, where a deny above the office is no longer reached.
3. Every row is evaluated (no early end), so that all rules that matched are known, not only the deciding one.
4. Casbin's loggers are silenced: they would print who asks for what.
5. Any other model than the shipped one is refused, because the index understands only that one.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from importlib.resources import files

from casbin import Enforcer
from casbin.effect import Effector
from casbin.effect.default_effectors import AllowAndDenyEffector
from casbin.model import Model
from casbin.persist import Adapter
from casbin.rbac import RoleManager
from msgspec import Struct

from gateway.facts import Facts
from gateway.policy.closures import Test
from gateway.policy.condition import FAILURES
from gateway.policy.content import Content, Row
from gateway.policy.levels import span

MODEL = files("gateway.policy").joinpath("model.conf").read_text(encoding="utf-8")

for _name in ("casbin", "casbin.policy", "casbin.enforcer", "casbin.role"):
    logging.getLogger(_name).setLevel(logging.ERROR)


class Judgement(Struct, frozen=True):
    """What a set of rules says: the effect, and every rule that matched."""

    allowed: bool
    rules: frozenset[str]


class Sub(Struct, frozen=True):
    """`r.sub`: everything the caller holds by name (roles claimed and declared, kind, person), and the office."""

    roles: frozenset[str]
    org: str


class Obj(Struct, frozen=True):
    """`r.obj`."""

    asset: str
    grade: int


class Env(Struct, eq=False):
    """`r.env`: the time, the facts for conditions, and the rules that have matched so far."""

    at: float
    facts: Facts
    hits: set[str]


class Links(RoleManager):  # type: ignore[misc]  # casbin is not typed
    """casbin's role manager interface over a plain graph, walked to its end.

    `name1` may be a set of names: roles come with the request and are stored nowhere.
    """

    def __init__(self) -> None:
        self._above: dict[str, list[str]] = {}
        self._reached: dict[str, frozenset[str]] = {}

    def clear(self) -> None:
        """Forget all links."""
        self._above.clear()
        self._reached.clear()

    def add_link(self, name1: str, name2: str, *domain: str) -> None:
        """`name1` includes `name2`, or stands below it."""
        self._above.setdefault(name1, []).append(name2)
        self._reached.clear()

    def has_link(self, name1: str | frozenset[str], name2: str, *domain: str) -> bool:
        """Whether `name1`, or one of the names in it, is `name2` or reaches it."""
        if isinstance(name1, str):
            return name2 in self.closure(name1)
        return any(name2 in self.closure(name) for name in name1)

    def closure(self, name: str) -> frozenset[str]:
        """The name and all it reaches. Only declared names are remembered: callers cannot fill the memory."""
        if name not in self._above:
            return frozenset((name,))
        known = self._reached.get(name)
        if known is None:
            known = self._reached[name] = frozenset(self._walk(name))
        return known

    def closures(self, names: Iterable[str]) -> frozenset[str]:
        """The names and all they reach; most names reach only themselves."""
        reached = set(names)
        for name in self._above.keys() & reached:
            reached |= self.closure(name)
        return frozenset(reached)

    def _walk(self, name: str) -> set[str]:
        found, queue = {name}, deque((name,))
        while queue:
            fresh = [above for above in self._above.get(queue.popleft(), ()) if above not in found]
            found.update(fresh)
            queue.extend(fresh)
        return found

    def print_roles(self) -> None:
        """Say nothing: casbin calls this after loading."""


class Rows(Adapter):  # type: ignore[misc]  # casbin is not typed
    """casbin's adapter interface over compiled content."""

    def __init__(self, content: Content) -> None:
        self._content = content

    def load_policy(self, model: Model) -> None:
        """Hand over all rows as they are. Raises ValueError when a row has not the model's length."""
        for section, kind, rows in (
            ("p", "p", self._content.rules),
            ("g", "g", self._content.roles),
            ("g", "g2", self._content.orgs),
            ("g", "g3", self._content.data),
        ):
            assertion = model[section][kind]
            width = len(assertion.tokens)
            if any(len(row) != width for row in rows):
                raise ValueError(f"a row of `{kind}` has not {width} columns")
            assertion.policy.extend(list(row) for row in rows)


class EveryRule(AllowAndDenyEffector):  # type: ignore[misc]  # casbin is not typed
    """Deny overrides, as in casbin, but never before the last row."""

    def intermediate_effect(self, effects: set[int]) -> int:
        """Always: go on."""
        indeterminate: int = Effector.INDETERMINATE
        return indeterminate


class Engine:
    """A loaded enforcer. `condition` gives the closure of a condition's text."""

    def __init__(self, content: Content, condition: Callable[[str], Test]) -> None:
        if content.model != MODEL:
            raise ValueError("the model is not the one this gateway understands")
        self._enforcer = _enforcer(content)
        self._condition = condition
        functions = {"act": _act, "level": _level, "until": _until, "when": self._when, "hit": _hit}
        for name, function in functions.items():
            self._enforcer.add_function(name, function)

    @property
    def rules(self) -> list[Row]:
        """The rows that the enforcer has loaded."""
        return [tuple(row) for row in self._enforcer.model["p"]["p"].policy]

    def loaded(self) -> dict[str, list[Row]]:
        """All rows that the enforcer has loaded, by kind: `p` rules, `g` roles, `g2` offices, `g3` data."""
        sections = {kind: self._enforcer.model[kind[0]][kind] for kind in ("p", "g", "g2", "g3")}
        return {kind: [tuple(row) for row in section.policy] for kind, section in sections.items()}

    def links(self, kind: str) -> Links:
        """The role manager that the enforcer asks: `g` roles, `g2` offices, `g3` data."""
        links: Links = self._enforcer.model["g"][kind].rm
        return links

    def judge(self, sub: Sub, facts: Facts) -> Judgement:
        """The reference: the enforcer evaluates every row."""
        asset = facts.asset
        env = Env(facts.ask.at, facts, set())
        allowed = self._enforcer.enforce(sub, Obj(asset.id, int(asset.grade)), asset.action, env)
        return Judgement(allowed, frozenset(env.hits))

    def _when(self, env: Env, text: str, effect: str) -> bool:
        if not text:
            return True
        try:
            return self._condition(text)(env.facts)
        except FAILURES:
            return effect == "deny"  # what cannot be evaluated denies; cedar's "skip" would let it through


def _enforcer(content: Content) -> Enforcer:
    model = Model()
    model.load_model_from_text(content.model)
    enforcer = Enforcer(model)
    for kind in ("g", "g2", "g3"):
        enforcer.set_named_role_manager(kind, Links())
    enforcer.set_effector(EveryRule())
    enforcer.set_adapter(Rows(content))
    enforcer.load_policy()
    return enforcer


def _act(asked: str, actions: str) -> bool:
    return actions == "*" or asked in actions.split("|")


def _level(grade: int, level: str) -> bool:
    reach = span(level)
    return reach is not None and reach[0] <= grade <= reach[1]


def _until(at: float, until: str) -> bool:
    return not until or at < int(until)


def _hit(env: Env, rule: str) -> bool:
    env.hits.add(rule)
    return True
