"""Can this endpoint hide what nobody labelled, without anybody missing it?

For each endpoint: the contract it has, how many answers were seen, and which fields of them `enforce` would hide.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from gateway.catalog import Listing
from gateway.facts import Contract
from gateway.inventory.usage import Usage

Advice = Literal["enforced", "enforce", "label", "wait"]


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
    return tuple(_walked(one.id, route.route, route.contract, usage) for one in listings for route in one.routes)


def _walked(asset: str, route: str, contract: Contract, usage: Usage) -> Walked:
    seen = [one for (_, name), one in usage.routes.items() if name == route and one.asset == asset]
    answers, touched = sum(one.answers for one in seen), sum(one.incomplete for one in seen)
    fields = tuple(sorted({path for one in seen for path in one.unlabelled}))
    return Walked(asset, route, contract, answers, touched, fields, _advice(contract, answers, fields))


def _advice(contract: Contract, answers: int, fields: tuple[str, ...]) -> Advice:
    if contract == "enforce":
        return "enforced"
    if fields:
        return "label"
    return "enforce" if answers else "wait"
