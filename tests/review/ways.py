"""What somebody could do about a refusal, each way by itself: written down by hand, never taken from the search."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import combinations, product
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from gateway.facts import Facts, Granted, Permit, Proof, Risk
from gateway.policy import Bundle
from gateway.policy.decide import decide
from gateway.review.changes import DIMENSIONS, TRUST
from tests.review.pairs import SOON, VALUES

Way = Callable[[Facts], Facts]


def fewest(facts: Facts, bundle: Bundle, most: int) -> int:
    """In how many dimensions at least something must change for a permit; 0 when `most` are not enough."""
    known = ways(facts, bundle)
    for count in range(1, most + 1):
        for dimensions in combinations(DIMENSIONS, count):
            for chosen in product(*(known[dimension] for dimension in dimensions)):
                done = after(facts, bundle, dict(zip(dimensions, chosen, strict=True)))
                if isinstance(decide(bundle, done, "written"), Permit):
                    return count
    return 0


def after(facts: Facts, bundle: Bundle, chosen: dict[str, Way]) -> Facts:
    """The request after these changes; its grants are those of its purpose and day, or one that was obtained."""
    for dimension in DIMENSIONS:
        if dimension in chosen and dimension != "grant":
            facts = chosen[dimension](facts)
    facts = replace(facts, grant=bundle.granted(facts.ask, facts.subject, facts.asset))
    return chosen["grant"](facts) if "grant" in chosen else facts


def ways(facts: Facts, bundle: Bundle) -> dict[str, list[Way]]:
    """Every change for the better, by dimension."""
    subject, better = facts.subject, TRUST[TRUST.index(facts.posture.trust) + 1 :]
    known: dict[str, list[Way]] = {
        "purpose": [partial(_ask, purpose=word) for word in VALUES["stated"]],
        "sign_in": [], "credential": [], "grant": [],
        "place": [partial(_ask, source=source) for source in VALUES["source"][:5]],
        "device": [partial(_posture, fresh=True), *(partial(_posture, trust=trust, fresh=True) for trust in better)],
        "time": [partial(_later, moment) for moment in _moments(facts, bundle)],
        "risk": [lambda one: replace(one, risk=Risk(0.0, "normal"))],
    }  # fmt: skip
    if subject.kind == "person":
        known["sign_in"] = [partial(_signed_in, level) for level in range(subject.assurance, 4)]
    if subject.kind != "anonymous":
        proofs = (replace(subject.proof, bound=True), replace(subject.proof, bound=True, method="certificate"))
        known["credential"] = [*(partial(_proven, proof) for proof in proofs), *map(_vouched, ("audit", "care"))]
        known["grant"] = [partial(_granted, Granted(("g",), True))]
    return known


def _ask(facts: Facts, **changes: str) -> Facts:
    return replace(facts, ask=replace(facts.ask, **changes))


def _posture(facts: Facts, **changes: object) -> Facts:
    return replace(facts, posture=replace(facts.posture, **changes))


def _signed_in(level: int, facts: Facts) -> Facts:
    proof = replace(facts.subject.proof, authenticated_at=facts.ask.at)
    return replace(facts, subject=replace(facts.subject, assurance=level, proof=proof))


def _proven(proof: Proof, facts: Facts) -> Facts:
    now = replace(facts.subject.proof, bound=proof.bound, method=proof.method)
    return replace(facts, subject=replace(facts.subject, proof=now))


def _vouched(word: str) -> Way:
    return lambda facts: replace(facts, subject=replace(facts.subject, purpose=word))


def _granted(grant: Granted, facts: Facts) -> Facts:
    stated = facts.subject.purpose or facts.ask.purpose or "another"
    return replace(facts, ask=replace(facts.ask, purpose=facts.ask.purpose or stated), grant=grant)


def _later(moment: float, facts: Facts) -> Facts:
    """The same request then, with a sign-in as old as now."""
    proof, waited = facts.subject.proof, moment - facts.ask.at
    if proof.authenticated_at > 0:
        proof = replace(proof, authenticated_at=proof.authenticated_at + waited)
    return replace(facts, ask=replace(facts.ask, at=moment), subject=replace(facts.subject, proof=proof))


def _moments(facts: Facts, bundle: Bundle) -> Iterator[float]:
    today = datetime.fromtimestamp(facts.ask.at, ZoneInfo(bundle.content.timezone))
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
    walls = ((midnight + timedelta(days=day)).replace(hour=hour) for day in range(8) for hour in (0, 6, 8, 10, 18, 22))
    yield from (at for at in (*(wall.timestamp() for wall in walls), SOON + 0.0) if at > facts.ask.at)
