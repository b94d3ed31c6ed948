"""What does a spent budget mean for this request?

How far each budget is spent is a fact, and on record with the decision; what follows is said here. Rules:

1. A budget counts only if the policies that decide have it.
2. Spent hard, the answer is no. Spent softly, its mask is one of those that the answer is shown through.
3. An answer that passes unread cannot be shown through a mask that might hide something of it: then it is no as well.
"""

from gateway.facts import Facts, Reason
from gateway.policy.budgets import LAYER, place_of
from gateway.policy.bundle import Bundle
from gateway.policy.duties import Duties

NOTHING_OWED = Duties()


def refusals(bundle: Bundle, facts: Facts) -> tuple[Reason, ...]:
    """Why spent budgets refuse what the rules allow; nothing if they do not."""
    exposure, asset = facts.exposure, facts.asset
    found: list[Reason] = []
    for id in exposure.budgets:
        budget = bundle.budgeted.get(id)
        if budget is None:
            continue
        place = bundle.content.places[place_of(id)]
        if exposure.spent == "hard":
            found.append(Reason("budget_spent", place, id, LAYER))
        elif asset.opaque and bundle.hides(budget.mask, asset.grade):
            found.append(Reason("cannot_mask", place, f"{id}: {budget.mask}", LAYER))
    return tuple(found)


def spends(bundle: Bundle, facts: Facts) -> Duties:
    """What is owed besides, for budgets that are spent: their masks."""
    if not facts.exposure.spent:
        return NOTHING_OWED
    known = (bundle.budgeted.get(id) for id in facts.exposure.budgets)
    return Duties(frozenset(one.mask for one in known if one is not None and one.mask))
