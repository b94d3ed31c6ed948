"""Which labels would complete the ledger, and why?

Makes proposals out of what was met without a label: by the names on the way, and by what discovery has found in values. Rules:

1. A proposal changes nothing. A person keeps or deletes it, and their name goes into the ledger with what is accepted.
2. Names alone are weak evidence: a proposal says how sure it is.
3. The grade is the highest that the department gives to this identifier elsewhere, and at least the one its kind deserves.
4. A value without a name (`$`: the whole answer of one address) is not proposed where other answers of the asset have names: its
   label would name every value of theirs.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from gateway.catalog import Listing
from gateway.detect import named
from gateway.facts import Grade
from gateway.inventory.known import Known
from gateway.inventory.paths import names
from gateway.inventory.usage import Usage
from gateway.inventory.views import unlabelled_met
from gateway.jsonpath import BadPath, parse, spell
from gateway.masking.names import MAX_PATH

NAMED: Final = 0.4
"""What a name alone is worth, as in `gateway.detect`."""
_SENSITIVE: Final = frozenset(
    {"resident-id", "old-resident-id", "bank-card", "passport", "permit", "officer-id", "social-card", "gps", "secret"}
)


class Proposal(Struct, frozen=True):
    """One label to look at; `identifier` "" where nothing speaks for one."""

    asset: str
    path: str
    identifier: str
    grade: Grade
    confidence: float  # 0 to 1
    name: str  # that speaks for it
    values: str  # what discovery says of its values
    times: int
    first: float
    last: float


class Hint(Struct, frozen=True):
    """What discovery says of a path."""

    asset: str
    path: str
    identifier: str
    grade: Grade
    confidence: float
    evidence: str


def proposals(
    listings: Sequence[Listing],
    usage: Usage | None,
    hints: Iterable[Hint] = (),
    sampled: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> tuple[Proposal, ...]:
    """What is worth looking at, by asset and the surest first; what the ledger labels already is left out, of `usage` as it counted it.

    `sampled`: paths that discovery has seen, labelled or not, by asset.
    """
    known, labelled = {one.id: one for one in listings}, Known(listings)
    found: dict[tuple[str, str], Proposal] = {}
    for asset, _, path, times, first, last in unlabelled_met(usage) if usage is not None else ():
        spelled = _spelled(path)
        if asset not in known or spelled is None:
            continue
        before = found.get((asset, spelled))
        made = _by_names(known[asset], spelled, listings) if before is None else before
        seen = (
            (times, first, last)
            if before is None
            else (before.times + times, min(before.first, first), max(before.last, last))
        )
        found[asset, spelled] = _counted(made, *seen)
    for hint in hints:
        if hint.asset in known and not labelled.labels(hint.asset, hint.path):
            before = found.get((hint.asset, hint.path))
            met = (before.times, before.first, before.last) if before else (0, 0.0, 0.0)
            found[hint.asset, hint.path] = Proposal(
                hint.asset, hint.path, hint.identifier, max(hint.grade, _elsewhere(hint.identifier, known[hint.asset].owner, listings)),
                hint.confidence, "", hint.evidence, *met,
            )  # fmt: skip
    named_in = {
        one.id for one in listings if _has_names((*(field.path for field in one.fields), *sampled.get(one.id, ())))
    }
    named_in |= {asset for asset, path in found if _has_names((path,))}
    kept = (one for one in found.values() if one.asset not in named_in or _has_names((one.path,)))
    return tuple(sorted(kept, key=lambda one: (one.asset, -one.confidence, one.path)))


def _has_names(paths: Iterable[str]) -> bool:
    return any(names(parse(path)) for path in paths)


def _spelled(path: str) -> str | None:
    """A path of the record as the ledger spells it; None for one that was cut, or holds a name that looked like data.

    `.*` stands for such a name: as a label it would mean every member.
    """
    if ".*" in path or len(path) >= MAX_PATH:
        return None
    try:
        return spell(parse(path))
    except BadPath:
        return None


def _by_names(listing: Listing, path: str, listings: Sequence[Listing]) -> Proposal:
    way = names(parse(path))
    spoken = [(name, sorted(named(name))) for name in reversed(way)]  # the innermost name speaks first
    name, identifiers = next(((name, found) for name, found in spoken if found), ("", []))
    if not identifiers:
        return Proposal(listing.id, path, "", listing.grade, 0.0, "", "", 0, 0.0, 0.0)
    identifier = max(identifiers, key=lambda one: (_deserved(one, listing.owner, listings), one))
    grade = _deserved(identifier, listing.owner, listings)
    return Proposal(listing.id, path, identifier, grade, NAMED, name, "", 0, 0.0, 0.0)


def _deserved(identifier: str, owner: str, listings: Sequence[Listing]) -> Grade:
    kind = Grade.GENERAL_4 if identifier in _SENSITIVE else Grade.GENERAL_3
    return max(kind, _elsewhere(identifier, owner, listings))


def _elsewhere(identifier: str, owner: str, listings: Sequence[Listing]) -> Grade:
    own = (one for one in listings if one.owner == owner)
    return max(
        (field.grade for one in own for field in one.fields if field.identifier == identifier), default=Grade.GENERAL_1
    )


def _counted(one: Proposal, times: int, first: float, last: float) -> Proposal:
    return replace(one, times=times, first=first, last=last)
