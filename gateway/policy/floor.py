"""What does opening a token demand, whatever the rules say?

A token hides one value from somebody who works with the rest. What it stands for is told under three conditions, and no
rule, no table and no casbin policy can do without them:

1. A sign-in of assurance 2 at least; whoever lacks only that is offered it.
2. A sharing grant that names the action `reveal` and is approved, and so the purpose that it is for.
3. The field is shown in clear by all masks that apply: what an emergency level or a spent budget hides is not told.

A rule that allows it must say the first two itself (`check`): else its reader would think that it allows more than it does.
"""

from collections.abc import Callable, Iterable

from gateway.document import FileFault, Node
from gateway.facts import Challenge, Decision, Deny, Facts, Permit, Reason
from gateway.policy.closures import Test
from gateway.policy.condition import FAILURES, Clause, Condition
from gateway.policy.names import REVEAL

ASSURANCE = 2
KEEP = "keep"
STEP_UP = Reason("step_up_required")
NO_GRANT = Reason("approval_needed")

Judge = Callable[[Facts], Decision]
"""What the rules say to these facts."""
Signed = Callable[[Facts, int], Facts]
"""The same request after a sign-in of this assurance."""


def lacks(facts: Facts) -> bool:
    """Whether something is missing that no rule can make up for."""
    return facts.asset.action == REVEAL and not (facts.subject.assurance >= ASSURANCE and facts.grant.approved)


def above(facts: Facts, judge: Judge, signed: Signed) -> Decision:
    """The decision about opening a token: that of the rules where they say no, and never more than the floor allows."""
    if facts.subject.assurance < ASSURANCE:
        return _stronger(facts, judge, signed)
    decision = judge(facts)
    if not isinstance(decision, Permit):
        return _aimless(facts, decision)
    if not facts.grant.approved:
        return Deny((NO_GRANT, *decision.reasons), decision.bundle)
    if decision.stage != "enforce" or any(field.technique != KEEP for field in decision.mask.fields):
        return Deny((Reason("cannot_mask", "", decision.mask.profile), *decision.reasons), decision.bundle)
    return decision


def _aimless(facts: Facts, decision: Deny | Challenge) -> Deny | Challenge:
    """Whoever states no purpose is told so: no grant covers it, and "no rule" would send to the owner who forgot a header."""
    stated = facts.ask.purpose or facts.subject.purpose
    if stated or facts.grant.approved or decision.reasons[0].code != "no_rule":
        return decision
    return Deny((NO_GRANT, *decision.reasons), decision.bundle)


def _stronger(facts: Facts, judge: Judge, signed: Signed) -> Decision:
    """A challenge where the stronger sign-in is all that is missing, else what would still be missing with it."""
    better = above(signed(facts, ASSURANCE), judge, signed)
    if not isinstance(better, Permit):
        return better
    if facts.subject.kind != "person":  # nobody there who could sign in again
        return Deny((NO_GRANT,), better.bundle)
    return Challenge((STEP_UP, *better.reasons), better.bundle, f"aal{ASSURANCE}")


# --- at load --------------------------------------------------------------------------------------


class _Stub:
    """Stands for the facts while one clause is asked about one thing."""

    def __init__(self, **parts: object) -> None:
        self.__dict__.update(parts)


def check(node: Node, condition: Condition | None, faults: list[FileFault]) -> None:
    """A rule that allows `reveal` demands a strong sign-in, a purpose and an approved grant; what is missing is a fault."""
    clauses = condition.clauses if condition is not None else ()
    weak = [_facts(assurance=level) for level in range(ASSURANCE)]
    if not _refuse(clauses, {"subject.assurance"}, weak):
        faults.append(_missing(node, "P190", "subject.assurance >= 2", "a strong sign-in", "强认证"))
    if not _refuse(clauses, {"env.purpose", "subject.purpose"}, [_facts()]):
        faults.append(_missing(node, "P191", 'env.purpose == "…"', "a purpose", "用途"))
    if not _refuse(clauses, {"approval.held"}, [_facts()]):
        faults.append(_missing(node, "P192", "approval.held", "an approved grant", "已批准的授权"))


def _facts(assurance: int = 0) -> _Stub:
    """Facts of somebody with this assurance, no purpose and no grant."""
    return _Stub(
        subject=_Stub(assurance=assurance, purpose=""), ask=_Stub(purpose=""), grant=_Stub(approved=False, ids=())
    )


def _refuse(clauses: Iterable[Clause], names: set[str], facts: list[_Stub]) -> bool:
    """Whether a part of the condition that must hold looks at these names only, and refuses all of these facts."""
    return any(
        clause.reads and set(clause.reads) <= names and not any(_holds(clause.test, one) for one in facts)
        for clause in clauses
    )


def _holds(test: Test, facts: _Stub) -> bool:
    try:
        return bool(test(facts))  # type: ignore[arg-type]  # the names that the clause reads are there
    except FAILURES:
        return False


def _missing(node: Node, code: str, write: str, en: str, zh: str) -> FileFault:
    return node.fault(
        code,
        f"allows `reveal` without demanding {en}",
        f"允许 `reveal` 却未要求{zh}",
        f"add to `when`: and {write}",
        f"请在 `when` 中加上：and {write}",
    )
