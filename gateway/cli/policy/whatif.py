"""What else helps to understand a decision: where its grade comes from, and what would turn it?

In lines for a terminal, beside the explanation.
"""

from typing import TYPE_CHECKING

from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from gateway.catalog import Raised
    from gateway.facts import Facts
    from gateway.review.flips import Search


def graded(screen: Screen, facts: "Facts", raised: "Raised | None") -> None:
    """What raises the grade above that of the asset, where something does."""
    if raised is not None:
        words = {"grade": facts.asset.grade.text, "own": raised.own.text, "name": raised.name}
        screen.say(f"policy.explain.grade_{raised.by}", **words)


def say(screen: Screen, facts: "Facts", found: "Search") -> None:
    """The flips of a search; that only the owner can help, where that is so."""
    if found.flips:
        helps = found.flips[0].outcome == "permit"
        screen.say("policy.explain.helps" if helps else "policy.explain.ends")
        for flip in found.flips:
            screen.line("   " + screen.choose(flip.en, flip.zh))
    elif found.complete and not found.permitted and _may_ask(facts):
        screen.say("policy.explain.only_owner", owner=facts.asset.owner)
    if not found.complete:
        screen.say("policy.explain.cut", "dim")


def _may_ask(facts: "Facts") -> bool:
    """Whether rules refused them: who has not signed in, or with a bad credential, has something else to mend first."""
    return facts.asset.listed and facts.subject.kind != "anonymous" and facts.subject.rejection is None
