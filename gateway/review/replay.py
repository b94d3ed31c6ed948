"""Would the same facts and the same policies give the same decision?

Judges a recorded decision again and makes the bytes that the ledger would write now. Rules:

1. The entry is made by the ledger's own function and compared byte for byte with what stands in the record. Only what
   is kept under a key of the gateway, or not at all, is taken over: the digests, the path, the names of the query.
2. Only the revision that decided can judge: another catalog or bundle is refused, never taken in its place.
3. Nothing is written, nothing in the record is ever changed: a recorded deny stays a deny.
4. Reasons on record from before they named their layer are compared without it: the bundle says what it was.
"""

from typing import Final

import msgspec
from msgspec import Raw, Struct, field
from msgspec.structs import asdict, replace

from gateway.audit import Digests, encode
from gateway.audit.entry import verdict_entry
from gateway.catalog import Catalog
from gateway.entries import VerdictEntry
from gateway.facts import Reason
from gateway.policy import Bundle
from gateway.policy.decide import BY_GRADE, decide
from gateway.review.recorded import Unreplayable, asset_of, facts_of, path_unknown, reads_path
from gateway.review.tally import EXAMPLES

TAKEN_OVER: Final = ("path", "digest", "query", "object")
"""What the entry says of the request that no decision may look at, and that the ledger writes under its key."""

_NO_KEY: Final = Digests(bytes(32))


class Differing(Struct, frozen=True):
    """A field of the entry that comes out otherwise, with both values as JSON."""

    field: str
    recorded: Raw
    replayed: Raw


class Replayed(Struct, frozen=True):
    """What came of judging again: `same`, or what differs."""

    id: str
    same: bool
    differs: tuple[Differing, ...] = ()


class Unknown(Struct):
    """Decisions that could not be judged again for one reason: how many, and the ids of the first few."""

    decisions: int = 0
    examples: list[str] = field(default_factory=list)


class Again(Struct):
    """What came of judging many again."""

    same: int = 0
    differs: list[Replayed] = field(default_factory=list)
    unknown: dict[tuple[str, str], Unknown] = field(default_factory=dict)  # by the reason in English and Chinese
    unreadable: int = 0

    def leave_out(self, identity: str, en: str, zh: str) -> None:
        """Count one that could not be judged."""
        unknown = self.unknown.setdefault((en, zh), Unknown())
        unknown.decisions += 1
        if len(unknown.examples) < EXAMPLES:
            unknown.examples.append(identity)

    def merge(self, other: "Again") -> None:
        """Add what another found."""
        self.same += other.same
        self.unreadable += other.unreadable
        self.differs += other.differs
        for why, unknown in other.unknown.items():
            mine = self.unknown.setdefault(why, Unknown())
            mine.decisions += unknown.decisions
            mine.examples = (mine.examples + unknown.examples)[:EXAMPLES]


def replay(entry: VerdictEntry, bundle: Bundle, catalog: Catalog) -> Replayed:
    """Judge a recorded decision again. Raises Unreplayable."""
    identity = f"{entry.journal}.{entry.seq}"
    again = judged_again(entry, bundle, catalog)
    if encode(again) == encode(entry):
        return Replayed(identity, True)
    return Replayed(identity, False, _differing(entry, again))


def judged_again(entry: VerdictEntry, bundle: Bundle, catalog: Catalog) -> VerdictEntry:
    """The entry that the ledger would write now. Raises Unreplayable."""
    if bundle.digest != entry.bundle:
        raise Unreplayable(
            f"the bundle `{entry.bundle[:12]}` decided, this is `{bundle.digest[:12]}`",
            f"作出判定的策略包是 `{entry.bundle[:12]}`，这里是 `{bundle.digest[:12]}`",
        )
    if catalog.digest != entry.revision:
        raise Unreplayable(
            f"the catalog `{entry.revision[:12]}` was in force, this is `{catalog.digest[:12]}`",
            f"当时生效的数据目录是 `{entry.revision[:12]}`，这里是 `{catalog.digest[:12]}`",
        )
    lost = path_unknown(entry) if reads_path(bundle) else None
    if lost is not None:
        raise lost
    facts = facts_of(entry, asset_of(entry, catalog))
    decision = decide(bundle, facts, BY_GRADE[facts.asset.grade.national])
    again = verdict_entry(entry.journal, entry.seq, facts, decision, _NO_KEY)
    if not any(reason.layer for reason in (*entry.reasons, *entry.would_reasons)):
        again = replace(again, reasons=_bare(again.reasons), would_reasons=_bare(again.would_reasons))
    return replace(again, **{name: getattr(entry, name) for name in TAKEN_OVER})


def _bare(reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    return tuple(Reason(reason.code, reason.rule, reason.detail) for reason in reasons)


def _differing(entry: VerdictEntry, again: VerdictEntry) -> tuple[Differing, ...]:
    old, new = asdict(entry), asdict(again)
    pairs = ((name, _json(old[name]), _json(new[name])) for name in old)
    return tuple(Differing(name, one, two) for name, one, two in pairs if bytes(one) != bytes(two))


def _json(value: object) -> Raw:
    return Raw(msgspec.json.encode(value))
