"""How many decisions, of how many people, and which for example?

Counts differences by what they are and whom they touch. Rules:

1. People are counted, not added up: the same person in two places is one person.
2. What was counted apart can be put together; the order in which that happens does not change a number.
3. Examples are the ids of the first few decisions, so that somebody can look at one.
"""

from typing import Final, Literal

from msgspec import Struct, field

from gateway.entries import VerdictEntry

Kind = Literal["lost", "gained", "unmasked", "masked", "otherwise"]
KINDS: Final[tuple[Kind, ...]] = ("lost", "gained", "unmasked", "masked", "otherwise")
"""Access is lost · gained · more is seen · less is seen · the same access for other reasons or with other duties."""

Dimension = Literal["org", "rule", "api", "asset", "field"]
DIMENSIONS: Final[tuple[Dimension, ...]] = ("org", "rule", "api", "asset", "field")

EXAMPLES: Final = 3


class Share(Struct, frozen=True, omit_defaults=False):
    """How many decisions, of how many people and services, and the ids of the first few."""

    decisions: int = 0
    people: int = 0
    examples: tuple[str, ...] = ()


class Unjudged(Struct, frozen=True):
    """Decisions that could not be judged, and why."""

    en: str
    zh: str
    decisions: int
    examples: tuple[str, ...]


class Difference(Struct, frozen=True):
    """What two sides say about the same decisions; `by` has a share for each kind that occurs."""

    decisions: int
    lost: Share
    gained: Share
    unmasked: Share
    masked: Share
    otherwise: Share
    by: dict[str, dict[str, dict[str, Share]]]
    drifted: Share  # the old side does not say what was recorded
    observed: int  # decisions of APIs that observe: nobody is stopped there yet
    unjudged: tuple[Unjudged, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing differs in what could be judged."""
        return not any(
            share.decisions for share in (self.lost, self.gained, self.unmasked, self.masked, self.otherwise)
        )


class Count(Struct):
    """A share that grows."""

    decisions: int = 0
    people: set[str] = field(default_factory=set)
    examples: list[str] = field(default_factory=list)

    def add(self, entry: VerdictEntry) -> None:
        """Count one decision."""
        self.decisions += 1
        self.people.add(entry.subject.id)
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{entry.journal}.{entry.seq}")

    def merge(self, other: "Count") -> None:
        """Count what another has counted."""
        self.decisions += other.decisions
        self.people |= other.people
        self.examples = (self.examples + other.examples)[:EXAMPLES]

    def share(self) -> Share:
        """The share so far."""
        return Share(self.decisions, len(self.people), tuple(self.examples))


class Change(Struct, frozen=True):
    """What differs between two decisions about the same request, and where it belongs besides its caller and asset."""

    kinds: tuple[Kind, ...]
    rules: tuple[str, ...] = ()
    fields: tuple[tuple[str, Kind], ...] = ()  # "PATH: BEFORE → AFTER"


class Tally(Struct):
    """All counts together."""

    decisions: int = 0
    observed: int = 0
    kinds: dict[Kind, Count] = field(default_factory=lambda: {kind: Count() for kind in KINDS})
    by: dict[Dimension, dict[str, dict[Kind, Count]]] = field(
        default_factory=lambda: {dimension: {} for dimension in DIMENSIONS}
    )
    drifted: Count = field(default_factory=Count)
    unjudged: dict[tuple[str, str], Count] = field(default_factory=dict)

    def add(self, entry: VerdictEntry, change: Change) -> None:
        """Count one decision that differs."""
        for kind in change.kinds:
            self.kinds[kind].add(entry)
            self._group("org", entry.subject.org, kind).add(entry)
            self._group("api", entry.api, kind).add(entry)
            self._group("asset", entry.asset, kind).add(entry)
            for rule in change.rules:
                self._group("rule", rule, kind).add(entry)
        for name, kind in change.fields:
            self._group("field", f"{entry.asset} {name}", kind).add(entry)

    def _group(self, dimension: Dimension, name: str, kind: Kind) -> Count:
        kinds = self.by[dimension].setdefault(name, {})
        count = kinds.get(kind)
        if count is None:
            count = kinds[kind] = Count()
        return count

    def leave_out(self, entry: VerdictEntry, en: str, zh: str) -> None:
        """Count one decision that could not be judged."""
        self.unjudged.setdefault((en, zh), Count()).add(entry)

    def merge(self, other: "Tally") -> None:
        """Count what another has counted."""
        self.decisions += other.decisions
        self.observed += other.observed
        self.drifted.merge(other.drifted)
        for kind, count in other.kinds.items():
            self.kinds[kind].merge(count)
        for why, count in other.unjudged.items():
            self.unjudged.setdefault(why, Count()).merge(count)
        for dimension, groups in other.by.items():
            for name, kinds in groups.items():
                for kind, count in kinds.items():
                    self._group(dimension, name, kind).merge(count)

    def difference(self) -> Difference:
        """What came out, the largest groups first."""
        shares = {kind: count.share() for kind, count in self.kinds.items()}
        return Difference(
            self.decisions,
            **shares,
            by={dimension: _sorted(groups) for dimension, groups in self.by.items()},
            drifted=self.drifted.share(),
            observed=self.observed,
            unjudged=tuple(
                Unjudged(en, zh, count.decisions, tuple(count.examples))
                for (en, zh), count in sorted(self.unjudged.items())
            ),
        )


def _sorted(groups: dict[str, dict[Kind, Count]]) -> dict[str, dict[str, Share]]:
    def weight(name: str) -> tuple[int, str]:
        return -sum(count.decisions for count in groups[name].values()), name

    return {
        name: {kind: groups[name][kind].share() for kind in KINDS if kind in groups[name]}
        for name in sorted(groups, key=weight)
    }
