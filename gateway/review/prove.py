"""Does this policy let through anything that the other one does not?

`prove(base, candidate)` answers for every request there can be: narrower (with nothing left out), or wider with a
request that shows it, or unknown. Rules:

1. Wider is said only of a request that both policies have really decided: the candidate permits it and the base does
   not, or both permit it and the candidate shows a field more openly, or leaves out a duty: a synced log, a notice.
2. Narrower is said only when every question was answered: for each kind of request and each allow of the candidate,
   whether all allows of the base may miss, whether one more deny of the base may strike, whether an allow of the base
   may hide what the candidate shows, and whether it may bring a duty that no allow of the candidate brings.
3. Everything else is unknown, with how far it came; so is a budget that binds less than before where no request of one
   asset shows it, and so are rules that open tokens once anything changes that they rest on.
4. A request is what identity, device and behaviour can tell, at any moment from `since` on. A step-up that is offered
   instead of a refusal lets nothing through. What a grade demands of the log is taken as the gateway ships it.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from gateway.catalog import Catalog
from gateway.facts import Asset, Decision, Facts, Grade, Mask, Permit, Strength
from gateway.jsonpath import BadPath, Element, Every, parse
from gateway.masks import parse_technique, strictest
from gateway.policy import Bundle
from gateway.policy.budgets import FILE, weakened
from gateway.policy.decide import BY_GRADE, decide
from gateway.policy.examples import outcome
from gateway.policy.names import REVEAL
from gateway.policy.rows import ROLES, RowRule
from gateway.review.cells import Cell, cells
from gateway.review.exposure import Shift, shifts
from gateway.review.formula import ANY, FAILS, NO, YES, Point
from gateway.review.laws import Law, Side
from gateway.review.search import Budget, Wish, find
from gateway.review.space import Space
from gateway.review.witness import command

Verdict = Literal["narrower", "wider", "unknown"]
What = Literal["permits", "shows", "owes"]
"""How a candidate is wider: it lets a request through, shows more of the answer, or owes less for it."""


class Policies(Struct, frozen=True, eq=False):
    """A policy and the catalog that it was made for."""

    bundle: Bundle
    catalog: Catalog


class Witness(Struct, frozen=True):
    """A request for which the candidate is wider; with the arguments of `gateway` that ask for it."""

    what: What
    method: str
    path: str
    api: str
    asset: str
    owner: str
    rule: str  # the allow of the candidate
    before: str  # outcome of the base
    after: str
    reasons: tuple[tuple[str, str, str], ...]  # why the base refuses: code, place, detail
    fields: tuple[Shift, ...]
    duties: tuple[str, ...]  # what only the base owes, as a rule says it: `log: synced`, `notify: security`
    base: tuple[str, ...]
    candidate: tuple[str, ...]


class Proof(Struct, frozen=True):
    """The verdict, the witnesses of `wider`, and how far the search came."""

    verdict: Verdict
    witnesses: tuple[Witness, ...] = ()
    cells: int = 0  # kinds of requests looked at
    questions: int = 0
    steps: int = 0
    open: tuple[str, ...] = ()  # `METHOD PATH rule` of the questions without an answer; no rule: none of them
    ran_out: bool = False  # the budget was used up; else what is open turns on what cannot be varied
    native: bool = False  # a side has a team's own casbin policy, which is known only as equal or unknown


class Question(Struct, frozen=True, eq=False):
    """One way in which the candidate could be wider: what must come out how, and what is known from the start."""

    law: Law
    wishes: tuple[Wish, ...]
    what: What = "permits"
    known: Point = {}


def prove(
    base: Policies,
    candidate: Policies,
    since: float = 0.0,
    budget: Budget | None = None,
    most: int = 1,
    about: Callable[[Asset], bool] = lambda asset: True,
) -> Proof:
    """Whether the candidate permits and shows nothing that the base does not, and owes as much.

    `since` is the first moment that counts (seconds since 1970), `budget` is for all questions together,
    `most` how many witnesses are enough, `about` which assets are meant, as the candidate's catalog has them.
    """
    found = (cell for cell in cells((base.catalog, candidate.catalog)) if about(cell.assets[1]))
    return prove_cells(base.bundle, candidate.bundle, found, since, budget or Budget(), most)


def prove_cells(
    base: Bundle, candidate: Bundle, found: Iterator[Cell], since: float, budget: Budget, most: int = 1
) -> Proof:
    """The same for these kinds of requests only; each has an asset of the base and one of the candidate."""
    witnesses: list[Witness] = []
    open_: list[str] = []
    looked = asked = 0
    for cell in found:
        if len(witnesses) >= most:
            break
        looked += 1
        if budget.ended():  # before it is worked out which values matter: that takes longer than most searches
            open_.append(f"{cell.method} {cell.path}")
            continue
        before, after = (Side(bundle, asset) for bundle, asset in zip((base, candidate), cell.assets, strict=True))
        space = Space((before, after), cell.verbs, since)
        shown: set[str] = set()
        for question in _questions(space):
            if question.law.id in shown:
                continue
            asked += 1
            budget.open = False
            witness = _answer(space, cell, question, budget)
            if witness is not None:
                witnesses.append(witness)
                shown.add(question.law.id)
                if len(witnesses) >= most:
                    break
            elif budget.open:
                open_.append(f"{cell.method} {cell.path} {question.law.id}")
    open_ += _weakened(base, candidate)
    open_ += _revealing(base, candidate)
    verdict: Verdict = "wider" if witnesses else "unknown" if open_ else "narrower"
    native = base.native is not None or candidate.native is not None
    left = tuple(dict.fromkeys(open_))
    return Proof(verdict, tuple(witnesses), looked, asked, budget.taken, left, bool(left) and budget.over, native)


def _revealing(base: Bundle, candidate: Bundle) -> list[str]:
    """The rules that open tokens, unless all that they rest on is the same: no endpoint is behind a token to ask about."""
    if _reveals(base) == _reveals(candidate):
        return []
    rows = candidate.content.rules
    return list(dict.fromkeys(f"reveal {row[0]}" for row in rows if row[1] == "allow" and REVEAL in row[5].split("|")))


def _reveals(bundle: Bundle) -> tuple[object, ...]:
    """What decides about opening tokens: rows that may mean it, whom and what they meet, masks, grants, levels."""
    one = bundle.content
    rows = tuple(row for row in one.rules if row[5] == "*" or REVEAL in row[5].split("|"))
    who = one.roles, one.orgs, one.data, one.declared, one.offices, one.timezone
    return rows, who, one.profiles, one.suppress, one.default_mask, one.grants, one.overlays, one.budgets


def _weakened(base: Bundle, candidate: Bundle) -> list[str]:
    """Budgets that bind less, or may: a request shows that only where its own asset spends the budget alone."""
    loose = weakened(base.content.budgets, candidate.content.budgets)
    profiles = base.content.profiles, candidate.content.profiles
    masks = [
        one for one in base.content.budgets if one.mask and not _as_strict(*(by.get(one.mask, {}) for by in profiles))
    ]
    masks += [one for one in base.content.budgets if not _suppresses(base, candidate, one.mask)]
    return [f"{FILE} {id}" for id in dict.fromkeys((*loose, *(one.id for one in masks)))]


def _suppresses(base: Bundle, candidate: Bundle, profile: str) -> bool:
    """Whether a profile suppresses as much as it did."""
    before, after = base.content.suppress.get(profile), candidate.content.suppress.get(profile)
    return before is None or (after is not None and after.covers(before))


def _as_strict(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether a profile hides as much as it did, whatever the field."""
    pairs = ((parse_technique(before[key]), parse_technique(after[key])) for key in before if key in after)
    return before.keys() == after.keys() and all(strictest(old, new) == new for old, new in pairs)


# --- questions ------------------------------------------------------------------------------------


def _questions(space: Space) -> Iterator[Question]:
    old, new = space.laws
    for law in new:
        if law.deny:
            continue
        passes = ((law.applies, YES), *((deny.applies, ANY & ~deny.struck) for deny in new if deny.deny))
        yield Question(law, (*passes, *((allow.applies, NO | FAILS) for allow in old if not allow.deny)))
        for deny in old:
            if deny.deny:
                yield Question(law, (*passes, (deny.applies, deny.struck)))
        both = (*passes, *((deny.applies, ANY & ~deny.struck) for deny in old if deny.deny))
        yield from _shown(space, law, old, both, new)
        yield from _owed(space, law, old, both, new)


def _shown(
    space: Space, law: Law, old: Sequence[Law], passes: tuple[Wish, ...], new: Sequence[Law]
) -> Iterator[Question]:
    """Whether the candidate may show what an allow of the base hides: for each clearance, the masks differ."""
    before, after = space.sides
    others = [one for one in new if not one.deny and one is not law]
    asked: set[Hashable] = set()
    for allow, clearance in product((one for one in old if not one.deny), sorted(Grade, reverse=True)):
        hides = before.bundle.mask(allow.profiles, before.asset, clearance)
        masks = tuple(after.bundle.mask(one.profiles, after.asset, clearance) for one in (law, *others))
        alike = (
            allow.id,
            clearance if space.turns_on("clearance") else 0,
            *((m.fields, m.suppress) for m in (hides, *masks)),
        )
        if opens(hides, masks[0]) and alike not in asked:
            asked.add(alike)
            rest = _missing(after, law, hides, clearance, others)
            yield Question(law, (*passes, (allow.applies, YES), *rest), "shows", {"clearance": int(clearance)})


def _missing(after: Side, law: Law, hides: Mask, clearance: Grade, others: Sequence[Law]) -> list[Wish]:
    """What must be so of the other allows of the candidate, for the mask of the base not to be kept.

    One that hides as much by itself must miss. Several may hide it together: then it must be settled which of them hit.
    """
    bundle, asset = after.bundle, after.asset
    alone = bundle.mask(law.profiles, asset, clearance)
    masks = [(one, bundle.mask(one.profiles, asset, clearance)) for one in others]
    miss = [(one.applies, NO | FAILS) for one, mask in masks if not opens(hides, mask)]
    more = [one for one, mask in masks if opens(hides, mask) and any(shift.less for shift in shifts(alone, mask))]
    profiles = law.profiles.union(*(one.profiles for one in more))
    if opens(hides, bundle.mask(profiles, asset, clearance)):  # even all of them together do not
        return miss
    return [*miss, *((one.applies, ANY) for one in more)]


def _owed(
    space: Space, law: Law, old: Sequence[Law], passes: tuple[Wish, ...], new: Sequence[Law]
) -> Iterator[Question]:
    """Whether the candidate may leave out what the base owes: each duty by itself, since they are only ever added up."""
    always, then_always = (_duties(BY_GRADE[side.asset.grade.national], ()) for side in space.sides)
    for allow in old:
        if allow.deny:
            continue
        before, after = (side.bundle for side in space.sides)
        for duty in sorted((always | _of_rule(allow, before)) - then_always - _of_rule(law, after)):
            misses = ((one.applies, NO | FAILS) for one in new if not one.deny and duty in _of_rule(one, after))
            yield Question(law, (*passes, (allow.applies, YES), *misses), "owes")
        for row in allow.then.rows:
            if not _filters(space, law, row):
                misses = ((one.applies, NO | FAILS) for one in new if not one.deny and _filters(space, one, row))
                yield Question(law, (*passes, (allow.applies, YES), *misses), "owes")


def _filters(space: Space, law: Law, row: RowRule) -> bool:
    """Whether an allow of the candidate lets no record pass that this filter of the base takes out."""
    old, new = (side.bundle.content for side in space.sides)
    if ROLES in row.values and (old.roles, old.declared) != (new.roles, new.declared):
        return False  # the same word may stand for other roles
    return any(one.field == row.field and set(one.values) <= set(row.values) for one in law.then.rows)


def _of_rule(law: Law, bundle: Bundle) -> frozenset[str]:
    then = law.then
    how = sorted(bundle.profiles.written().get(then.request, {}).items()) if then.request else ()
    request = f"request: {then.request} {dict(how)}" if then.request else ""
    return _duties(then.log, then.notify, request, then.watermark)


def _of_permit(permit: Permit) -> frozenset[str]:
    fields = permit.forwarding.fields if permit.forwarding is not None else ()
    request = "request: " + ", ".join(f"{field.path} {field.technique}" for field in fields) if fields else ""
    topics = (notice.topic for notice in permit.obligations)
    return _duties(permit.strength, topics, request, permit.mask.watermark)


def _duties(strength: Strength, topics: Iterable[str], request: str = "", watermark: bool = False) -> frozenset[str]:
    """Duties in the words of a rule; `log: written` is what every request owes."""
    log = ("log: synced",) if strength == "synced" else ()
    mark = ("watermark: true",) if watermark else ()
    return frozenset((*log, *mark, *((request,) if request else ()), *(f"notify: {topic}" for topic in topics)))


def opens(before: Mask, after: Mask) -> bool:
    """Whether the one mask may show what the other hides; true also when their paths cannot be compared."""
    return any(shift.more for shift in shifts(before, after)) or _crosses(before, after)


def _crosses(before: Mask, after: Mask) -> bool:
    """Whether a path that only one of them labels may name a value that the other labels under another path."""
    old = {field.path: field.technique for field in before.fields}
    for field in after.fields:
        if field.path in old:
            continue
        how = parse_technique(field.technique)
        hidden = (parse_technique(other) for path, other in old.items() if _meet(path, field.path))
        if any(strictest(how, one) != how for one in hidden):
            return True
    return False


def _meet(one: str, other: str) -> bool:
    """Whether two paths may name the same value: their last steps fit each other."""
    try:
        left, right = parse(one), parse(other)
    except BadPath:
        return True
    if not left or not right:
        return True
    ends = (left[-1], right[-1])
    if any(isinstance(end, Every) for end in ends):
        return True
    if any(isinstance(end, Element) for end in ends):
        return ends[0] == ends[1]
    return len({end.name for end in ends if not isinstance(end, Every | Element)}) == 1


# --- answers --------------------------------------------------------------------------------------


def _answer(space: Space, cell: Cell, question: Question, budget: Budget) -> Witness | None:
    """A witness, or None; `budget.open` then says whether the question stays open."""
    found: list[Witness] = []
    refused: list[bool] = []

    def accepts(point: Point) -> bool:
        witness = _decided(space, cell, question, point)
        if isinstance(witness, Witness):
            found.append(witness)
        else:
            refused.append(witness)
        return isinstance(witness, Witness)

    find(space, question.wishes, budget, accepts, question.known)
    if not found and any(refused):
        budget.open = True
    return found[0] if found else None


def _decided(space: Space, cell: Cell, question: Question, point: Point) -> Witness | bool:
    """Both policies really decide: a witness, or whether their word contradicts what the search was sure of."""
    sides = space.sides
    before, after = (
        _decide(side, whole, space.make(point, side))
        for side, whole in zip(sides, cell.whole or cell.assets, strict=True)
    )
    if not isinstance(after, Permit):
        return True
    fields: tuple[Shift, ...] = ()
    duties: frozenset[str] = frozenset()
    if isinstance(before, Permit):
        fields = tuple(shift for shift in shifts(before.mask, after.mask) if shift.more)
        duties = _of_permit(before) - _of_permit(after)
        if not fields and not duties:
            return question.what != "shows" or _crosses(before.mask, after.mask)
    what: What = "shows" if fields else "owes" if duties else "permits"
    facts, asset = space.make(point, sides[1]), sides[1].asset
    method = facts.ask.method
    base, candidate = (command(facts, method, cell.path, side.bundle.content.timezone) for side in sides)
    return Witness(
        what=what,
        method=method,
        path=cell.path,
        api=cell.api,
        asset=asset.id,
        owner=asset.owner,
        rule=question.law.id,
        before=outcome(before),
        after=outcome(after),
        reasons=() if isinstance(before, Permit) else tuple((one.code, one.rule, one.detail) for one in before.reasons),
        fields=fields,
        duties=tuple(sorted(duties)),
        base=base,
        candidate=candidate,
    )


def _decide(side: Side, whole: Asset, facts: Facts) -> Decision:
    """The decision about one record and about many; a cell may be about many only."""
    return decide(side.bundle, replace(facts, asset=whole), BY_GRADE[whole.grade.national])
