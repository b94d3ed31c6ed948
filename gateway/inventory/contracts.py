"""Can this endpoint hide what nobody labelled, without anybody missing it?

For each endpoint: the contract it has, how many answers were seen, and which fields of them `enforce` would hide.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from gateway.catalog import Listing
from gateway.facts import Contract
from gateway.inventory.usage import Usage

Advice = Literal["enforced", "enforce", "label", "unlabelled", "wait"]


class Walked(Struct, frozen=True):
    """One endpoint on its way from `learn` to `enforce`; `touched` counts the answers that would lose `fields`."""

    asset: str
    route: str
    contract: Contract
    answers: int
    touched: int
    fields: tuple[str, ...]
    advice: Advice


def walked(listings: Sequence[Listing], usage: Usage) -> tuple[Walked, ...]:
    """Every endpoint of the ledger, by asset."""
    return tuple(_walked(one, route.route, route.contract, usage) for one in listings for route in one.routes)


def _walked(listing: Listing, route: str, contract: Contract, usage: Usage) -> Walked:
    seen = [one for (_, name), one in usage.routes.items() if name == route and one.asset == listing.id]
    answers, touched = sum(one.answers for one in seen), sum(one.incomplete for one in seen)
    fields = tuple(sorted({path for one in seen for path in one.unlabelled}))
    advice = _advice(contract, answers, fields, bool(listing.fields))
    return Walked(listing.id, route, contract, answers, touched, fields, advice)


def _advice(contract: Contract, answers: int, fields: tuple[str, ...], labelled: bool) -> Advice:
    if contract == "enforce":
        return "enforced"
    if fields:
        return "label"
    if not answers:
        return "wait"
    return "enforce" if labelled else "unlabelled"  # nobody looked: that none was met means nothing
