"""What does the native policy add to a decision?

It speaks in the form in which rules speak, as candidates: so masks, step-up, observe, reasons and explanations know
no difference. Rules:

1. Nobody who has not signed in is asked about: whatever an anonymous caller carries was proven by nobody.
2. An allow owes the default mask; a refusal names the rows that denied.
3. An evaluation that fails is `policy_error` and allows nothing.
"""

from collections.abc import Iterable, Mapping
from math import inf

from gateway.facts import Facts, Reason
from gateway.policy.duties import Then, duties
from gateway.policy.engine import Judgement
from gateway.policy.index import Candidate
from gateway.policy.names import Name
from gateway.policy.native.enforcer import FAILURES, Enforcer, Said
from gateway.policy.native.source import LAYER, Source, row_id

NEAREST = 5
"""Rows that are shown when none matches."""


class Native:
    """A native policy in force. Raises ValueError for a source that cannot be used."""

    def __init__(self, source: Source, table: dict[str, Name], timezone: str) -> None:
        self.source = source
        self.enforcer = Enforcer(source, table, timezone)
        self._texts = {row_id(place.rpartition(":")[2]): text for place, text in source.lines()}
        denying = self.enforcer.denying
        self._candidates = {
            identity: _candidate(order, identity, place, identity in denying)
            for order, (identity, place) in enumerate(source.named().items())
        }

    @property
    def denies(self) -> Mapping[str, bool]:
        """Whether each row denies, by its id."""
        return {identity: one.deny for identity, one in self._candidates.items()}

    def speak(self, facts: Facts, denied: list[Candidate], allowed: list[Candidate], broken: list[Candidate]) -> None:
        """Add what it says to what the rules say."""
        said = self._said(facts)
        if said.failed:
            broken.append(_failing(self._candidates[said.failed]))
            return
        denied.extend(self._candidates[identity] for identity in said.denies)  # none that the effect outweighed
        allowed.extend(self._candidates[identity] for identity in said.allows)

    def joined(self, rules: Judgement, facts: Facts) -> Judgement:
        """What casbin says about everything, asked about every row: native policy and YAML denies together."""
        said = self._said(facts, every=True)
        denied = any(identity not in self._candidates for identity in rules.rules)  # YAML rules only deny here
        named = said.allows if said.allowed else (*said.denies, *((said.failed,) if said.failed else ()))
        return Judgement(said.allowed and not denied, rules.rules | frozenset(named))

    def matching(self, facts: Facts) -> Iterable[tuple[str, str, str]]:
        """Every row that matches, for explanations: id, effect, text."""
        for identity in self.enforcer.matching(facts) if facts.subject.kind != "anonymous" else ():
            effect = "deny" if self._candidates[identity].deny else "allow"
            yield identity, effect, self._texts.get(identity, "")

    def filled(self, facts: Facts) -> tuple[tuple[str, str], ...]:
        """The request as the matcher sees it, for explanations: token and value; an object by what it is called."""
        names = self.source.request
        try:
            filled = self.enforcer.filled(facts)
        except FAILURES:  # a value that is not known
            return ()
        return tuple((token, names[token] if value is None else str(value)) for token, value in filled.items())

    def near(self, facts: Facts) -> tuple[tuple[str, str], ...]:
        """The rows that name the same subject or object, or a role that a row gives them: place and text; the nearest."""
        actions = {token for token, name in self.source.request.items() if name in ("method", "action")}
        named = {value for token, value in self.filled(facts) if token not in actions and value}
        for _, kind, *values in self.source.rows:
            if kind != "p" and values[0] in named:
                named.add(values[1])
        shared = [len(named.intersection(row[2:])) for row in self.source.rows]
        lines = sorted(zip(shared, self.source.lines(), strict=True), key=lambda one: -one[0])
        return tuple(line for count, line in lines[:NEAREST] if count)

    def _said(self, facts: Facts, every: bool = False) -> Said:
        return Said(False) if facts.subject.kind == "anonymous" else self.enforcer.judge(facts, every)


def _candidate(order: int, identity: str, place: str, deny: bool) -> Candidate:
    then = Then()
    says = Reason("rule_denied" if deny else "rule_allowed", place, identity, LAYER)
    fails = Reason("policy_error", place, f"{identity}: could not be evaluated", LAYER)
    return Candidate(order, identity, deny, None, inf, then, duties(then), says, fails, (says,))


def _failing(one: Candidate) -> Candidate:
    """It stands for the whole answer, so it counts as an allow that is missing, not as a deny among others."""
    return Candidate(one.order, one.id, False, None, inf, one.then, one.owes, one.says, one.fails, one.alone)
