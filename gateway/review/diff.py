"""What would have been otherwise, had the other policies been in force?

Judges recorded decisions by two sides, each a bundle with its catalog, and counts who loses, who gains and who sees
more. Rules:

1. Both sides judge as if every API enforced: in observation nobody is stopped, and a comparison would show nothing.
2. Facts come from the record; what follows from the policies (asset, sharing grants) each side says for itself.
3. Rules are told apart by their ids, casbin rows by what they say: what only moved to another line has not changed.
4. A mask that shows more of one field and less of another is said to do both.
5. What cannot be judged is counted and said, never left out. Entries are read; nothing is ever written.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from gateway.catalog import Catalog
from gateway.entries import VerdictEntry
from gateway.facts import NOTHING_GRANTED, Ask, Asset, Challenge, Decision, Facts, Permit, Reason, Subject
from gateway.policy import Bundle
from gateway.policy.decide import BY_GRADE, decide
from gateway.policy.index import Candidates
from gateway.policy.native.source import row_id
from gateway.review.edits import RULES, Beside, edits
from gateway.review.exposure import Shift, shifts
from gateway.review.recorded import UNLISTED, Unreplayable, ask_of, asset_of, doubt, path_unknown, paths, reads_path
from gateway.review.tally import KINDS, Change, Difference, Kind, Tally

# what a refusal has nothing to do with
_MASKS: Final = frozenset(("profiles", "suppress", "default_mask", "observe_mask"))
_REMEMBERED: Final = 65_536
_UNKNOWN_PATH: Final = "unlisted"  # stands for the path of an unlisted request that may hold an identifier

PERMIT: Final = "permit"

Key = tuple[object, ...]
Names = Mapping[str, str]
NO_NAMES: Final[Names] = {}


class Side(Struct, frozen=True, eq=False):
    """Policies and catalog that judge; `bound` is False for a catalog that was not tied to the APIs.

    `beside` are the registers of machines and places: a record holds what came of them, so they judge nothing again.
    """

    bundle: Bundle
    catalog: Catalog
    bound: bool = True
    beside: Beside = {}


def compare(old: Side, new: Side, entries: Iterable[VerdictEntry]) -> Difference:
    """Judge recorded decisions by both sides. Never raises for what an entry says."""
    comparison = Comparison(old, new)
    comparison.take(entries)
    return comparison.tally.difference()


class Comparison:
    """Two sides, and what was counted so far."""

    def __init__(self, old: Side, new: Side) -> None:
        self.tally = Tally()
        self._old, self._new = _Judge(old), _Judge(new)
        self._alike = old.catalog.digest == new.catalog.digest and old.bound is new.bound
        self._edited, self._shown = _edited_rules(old.bundle, new.bundle) if self._alike else (None, True)
        self._names = _names(old.bundle), _names(new.bundle)
        self._paths = reads_path(old.bundle) or reads_path(new.bundle)
        self._seen: dict[Key, tuple[Change | None, Decision, Decision]] = {}

    def take(self, entries: Iterable[VerdictEntry]) -> None:
        """Judge these decisions as well."""
        for entry in entries:
            try:
                self._judge(entry)
            except Unreplayable as why:
                self.tally.leave_out(entry, why.en, why.zh)

    def _judge(self, entry: VerdictEntry) -> None:
        lost = doubt(entry) or (path_unknown(entry) if self._paths else None)
        if lost is not None:
            raise lost
        was = self._old.asset(entry)
        now = was if self._alike else self._new.asset(entry)
        said = entry.would or entry.outcome
        decided = self._old.decided(entry)
        self.tally.decisions += 1
        self.tally.observed += entry.stage == "observe"
        if decided and self._settled(said == PERMIT, entry.subject, was):
            return  # what the old side says is on record, and the new one can only say the same
        ask = ask_of(entry)
        before = self._old.decide(ask, entry, was)
        if outcome(before) != said:
            self.tally.drifted.add(entry)
        if not decided and self._settled(isinstance(before, Permit), entry.subject, was):
            return
        change = self._change(before, self._new.decide(ask, entry, now))
        if change is not None:
            self.tally.add(entry, change)

    def _settled(self, permitted: bool, subject: Subject, asset: Asset) -> bool:
        """Whether the new side can only say what the old one says: it asks the same rules about the same facts."""
        edited = self._edited
        if edited is None or (self._shown and (permitted or asset.opaque)):  # a mask denies what passes unread
            return False
        return not edited or not (self._old.asks(subject, asset, edited) or self._new.asks(subject, asset, edited))

    def _change(self, before: Decision, after: Decision) -> Change | None:
        """What differs; remembered, because most decisions look like one that was seen before."""
        key = (*_key(before), *_key(after))
        seen = self._seen.get(key)
        if seen is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            # both decisions are kept: the key names their masks by address
            seen = self._seen[key] = (change_of(before, after, *self._names), before, after)
        return seen[0]


def _edited_rules(old: Bundle, new: Bundle) -> tuple[frozenset[str] | None, bool]:
    """The rules that are not what they were, and whether masks were edited; None when anything else was."""
    found = edits(old.content, new.content)
    if old.level != new.level or any(edit.what not in (RULES, *_MASKS) for edit in found):
        return None, True
    edited = frozenset(edit.id for edit in found if edit.what == RULES)
    rows = [[row for row in one.content.rules if row[0] not in edited] for one in (old, new)]
    same_order = rows[0] == rows[1]  # the order of rules is the order of reasons
    return edited if same_order else None, any(edit.what in _MASKS for edit in found)


def _key(decision: Decision) -> Key:
    """What a change can depend on."""
    if isinstance(decision, Permit):
        return decision.reasons, id(decision.mask), decision.strength, decision.obligations
    if isinstance(decision, Challenge):
        return decision.reasons, decision.acr_values, decision.max_age
    return (decision.reasons,)


class _Judge:
    """One side, and the assets that it was asked about."""

    def __init__(self, side: Side) -> None:
        self._bundle, self._catalog, self._bound = side.bundle, side.catalog, side.bound
        self._digest = side.catalog.digest
        self._shares = bool(side.bundle.content.grants)
        self._assets: dict[tuple[str, ...], Asset] = {}
        self._asked: dict[int, tuple[bool, Candidates]] = {}

    def decided(self, entry: VerdictEntry) -> bool:
        """Whether it was this side that decided: equal digests mean equal decisions."""
        return entry.bundle == self._bundle.digest and entry.revision == self._digest

    def decide(self, ask: Ask, entry: VerdictEntry, asset: Asset) -> Decision:
        """What this side decides."""
        bundle, subject, grant = self._bundle, entry.subject, entry.grant
        if not self.decided(entry):  # another catalog is enough: a grant names data and what is done with it
            grant = bundle.granted(ask, subject, asset) if self._shares else NOTHING_GRANTED
        exposure = entry.exposure if self.decided(entry) else bundle.exposed(ask, subject, asset, entry.exposure)
        facts = Facts(ask, subject, entry.posture, entry.risk, asset, grant, exposure)
        return decide(bundle, facts, BY_GRADE[asset.grade.national])

    def asset(self, entry: VerdictEntry) -> Asset:
        """What was asked for, as this side's catalog sees it. Raises Unreplayable."""
        if entry.revision == self._digest:  # the very catalog that was asked then
            key: tuple[str, ...] = (entry.api, entry.route, entry.asset, entry.grade)
            return self._assets.get(key) or self._keep(key, asset_of(entry, self._catalog))
        found = self._find(entry)
        key = (found.api, found.route, found.id)
        return self._assets.get(key) or self._keep(key, found)

    def asks(self, subject: Subject, asset: Asset, edited: frozenset[str]) -> bool:
        """Whether one of these rules has a say in such a request, before any condition is asked."""
        candidates = self._bundle.index.candidates(subject, asset)
        asked = self._asked.get(id(candidates))
        if asked is None:
            if len(self._asked) >= _REMEMBERED:
                self._asked.clear()
            rules = (*candidates.denies, *candidates.allows)
            # kept beside the answer: while it is, nothing else can have its address
            asked = self._asked[id(candidates)] = any(rule.id in edited for rule in rules), candidates
        return asked[0]

    def _keep(self, key: tuple[str, ...], asset: Asset) -> Asset:
        kept = self._assets[key] = replace(asset, mode="enforce", parameters=())
        return kept

    def _find(self, entry: VerdictEntry) -> Asset:
        if not entry.asset and entry.path == _UNKNOWN_PATH and entry.api:
            raise Unreplayable(
                "the catalog of then did not know it, and its path is not on record: another catalog may",
                "当时的数据目录没有收录它，路径也未记录：换一份目录可能已收录",
            )
        api = entry.api if self._bound else ""
        found = self._catalog.find(entry.method, entry.path, api) if entry.api else UNLISTED
        if found.listed or not entry.asset or "{" not in entry.path:
            return found
        others = (self._catalog.find(entry.method, path, api) for path in paths(entry))
        return next((other for other in others if other.listed), found)


def outcome(decision: Decision) -> str:
    """`permit`, `challenge` or `deny`, as entries spell it."""
    if isinstance(decision, Permit):
        return PERMIT
    return "challenge" if isinstance(decision, Challenge) else "deny"


def change_of(before: Decision, after: Decision, old: Names = NO_NAMES, new: Names = NO_NAMES) -> Change | None:
    """What differs between two decisions about the same facts, None when nothing that matters does.

    `old` and `new` name rules whose id says where they stand: the rows of a team's own casbin policy.
    """
    said, says = _said(before, old), _said(after, new)
    rules = tuple(sorted({rule for _, rule in said ^ says if rule}))
    if isinstance(before, Permit) and isinstance(after, Permit):
        return _shown(before, after, rules or tuple(sorted(rule for _, rule in says)), said == says)
    if isinstance(before, Permit):
        return Change(("lost",), rules)
    if isinstance(after, Permit):
        return Change(("gained",), rules)
    if said == says and _offered(before) == _offered(after):
        return None
    return Change(("otherwise",), rules)


def _shown(before: Permit, after: Permit, rules: tuple[str, ...], said_alike: bool) -> Change | None:
    """Two permits: the masks tell, then the reasons and the duties."""
    moved = shifts(before.mask, after.mask)
    seen = [(f"{shift.path}: {shift.before} → {shift.after}", kind) for shift in moved for kind in _kinds(shift)]
    if seen:
        kinds = {kind for _, kind in seen}
        return Change(tuple(kind for kind in KINDS if kind in kinds), rules, tuple(seen))
    if said_alike and before.strength == after.strength and before.obligations == after.obligations:
        return None
    return Change(("otherwise",), rules)


def _kinds(shift: Shift) -> tuple[Kind, ...]:
    if shift.more and shift.less:
        return "unmasked", "masked"
    return ("unmasked",) if shift.more else ("masked",)


def _said(decision: Decision, names: Names) -> frozenset[tuple[str, str]]:
    """The reasons by code and rule; where the rule stands does not count."""
    return frozenset(
        (reason.code if reason.rule else f"{reason.code} {reason.detail}", _rule(reason, names))
        for reason in decision.reasons
    )


def _rule(reason: Reason, names: Names) -> str:
    """The id of the rule that spoke, "" for none."""
    identity = reason.detail.partition(": ")[0] or reason.rule if reason.rule else ""
    return names.get(identity, identity)


def _names(bundle: Bundle) -> Names:
    native = bundle.content.native
    return {row_id(row[0]): ", ".join(row[1:]) for row in native.rows} if native is not None else NO_NAMES


def _offered(refusal: Decision) -> tuple[str, int | None]:
    return (refusal.acr_values, refusal.max_age) if isinstance(refusal, Challenge) else ("", None)
