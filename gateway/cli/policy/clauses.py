"""What does an operator hear of a decision, clause by clause?

Which rules had a say and why, where the grade comes from, and the smallest changes that would turn it: of what is
supposed, and of what stands on record.
"""

from typing import TYPE_CHECKING, NamedTuple

from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from gateway.catalog import Catalog, Raised
    from gateway.facts import Facts
    from gateway.policy import Bundle, Explanation
    from gateway.review.flips import Search


class Told(NamedTuple):
    """What was told."""

    explanation: "Explanation"
    raised: "Raised | None"
    flips: "Search"


def tell(screen: Screen, bundle: "Bundle", catalog: "Catalog", facts: "Facts") -> Told:
    """Tell how these policies decide about these facts."""
    from gateway.policy import explain
    from gateway.review.flips import search

    told = Told(explain(bundle, facts), catalog.raised(facts.asset), search(bundle, facts))
    screen.line(told.explanation.text(screen.language))
    _graded(screen, facts, told.raised)
    _say(screen, facts, told.flips)
    return told


def _graded(screen: Screen, facts: "Facts", raised: "Raised | None") -> None:
    """What raises the grade above that of the asset, where something does."""
    if raised is not None:
        words = {"grade": facts.asset.grade.text, "own": raised.own.text, "name": raised.name}
        screen.say(f"policy.explain.grade_{raised.by}", **words)


def _say(screen: Screen, facts: "Facts", found: "Search") -> None:
    """The flips of a search; that only the owner can help, where that is so."""
    if found.flips:
        helps = found.flips[0].outcome == "permit"
        screen.say("policy.explain.helps" if helps else "policy.explain.ends")
        for flip in found.flips:
            screen.line("   " + screen.choose(flip.en, flip.zh))
    elif found.complete and not found.permitted and _may_ask(facts):
        owner = facts.asset.owner
        screen.say("policy.explain.only_owner" if owner else "policy.explain.no_owner", owner=owner)
    if not found.complete:
        screen.say("policy.explain.cut", "dim")


def _may_ask(facts: "Facts") -> bool:
    """Whether rules refused them: who has not signed in, or with a bad credential, has something else to mend first."""
    return facts.asset.listed and facts.subject.kind != "anonymous" and facts.subject.rejection is None
