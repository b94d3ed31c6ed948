"""May they?

One plain function from facts to a decision. The order is law:

1. A rejected credential, an unlisted path, a revoked device and a distrusted bundle are refused before any rule.
2. Every rule is asked. One deny outweighs every allow; without an allow the answer is no.
3. A condition that fails denies: the deny it belongs to applies, the allow it belongs to does not (`policy_error`).
4. All reasons are collected. The first one is told to the caller, and it is what must be mended first: somebody
   whom no rule entitles is told so, not sent to fix a device in vain.
5. A step-up is offered only when it would help: the same question is asked with the stronger sign-in first.
   So it is with a missing sharing grant (`approval_needed`).
6. An answer with many records may be of a higher grade than a single one (`Asset.bulk`). How many there are is known
   only once it is there, so the question is asked for the higher grade as well, and both must say yes: what the caller
   owes is what either asks for, and an answer with more records than the first covers is shown as both say, or withheld.
7. In observe a denial by rules may pass as a marked permit, under the strictest mask. Never passed: what rule 1
   stops, `policy_error`, core data, honey, and what an emergency level denies: rules are tried in observe, a level was
   tried before, and two operators said that it holds now.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import attrgetter
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from gateway.facts import (
    Ask,
    Asset,
    Bulk,
    Challenge,
    Decision,
    Deny,
    Facts,
    Grade,
    Granted,
    Mask,
    Permit,
    Reason,
    Strength,
    Subject,
)
from gateway.policy import floor
from gateway.policy.bundle import Bundle
from gateway.policy.condition import FAILURES
from gateway.policy.duties import ASSURANCES, Duties, stronger
from gateway.policy.index import Candidate
from gateway.policy.names import REVEAL
from gateway.policy.overlays import EMERGENCY
from gateway.policy.rows import filters
from gateway.policy.spending import refusals, spends

National = Literal["general", "important", "core"]

BY_GRADE: Mapping[National, Strength] = {
    "general": "written",
    "important": "written",
    "core": "synced",
}
SAMPLES = 256
_RECORDS = attrgetter("records")
NO_RULE = Reason("no_rule")
CREDENTIAL_MISSING = Reason("credential_missing")
BEYOND_RULES = ("cannot_mask", "budget_spent")
"""Refusals that casbin does not know: it knows rules, neither masks nor budgets."""
ACR = {level: name for name, level in ASSURANCES.items()}


class Policy:
    """Decides by the active bundle. `strength` is the log strength by national grade, from the configuration.

    `distrusted` is shared by all policies of a process: what one of them found out, the next to decide by the same
    content must know too.
    """

    def __init__(
        self, bundle: Bundle, strength: Mapping[National, Strength] = BY_GRADE, distrusted: set[str] | None = None
    ) -> None:
        self._bundle = bundle
        self._strength: tuple[Strength, ...] = (
            "synced",
            *(strength[grade.national] for grade in Grade),
        )  # indexed by grade; 0 never occurs
        self._distrusted: set[str] = set() if distrusted is None else distrusted
        self._every = 0
        self._countdown = 0
        self._samples: deque[tuple[Facts, Decision]] = deque(maxlen=SAMPLES)

    @property
    def bundle(self) -> Bundle:
        """The active bundle."""
        return self._bundle

    def swap(self, bundle: Bundle) -> Bundle:
        """Make another bundle the active one; returns the previous. One assignment: no request sees half of it."""
        previous, self._bundle = self._bundle, bundle
        return previous

    def decide(self, facts: Facts) -> Decision:
        """Permit, Challenge or Deny. Plain, pure over the bundle, never raises for what rules say."""
        bundle = self._bundle  # read once: one request, one bundle
        if self._distrusted and _content(bundle.digest) in self._distrusted:
            return Deny((Reason("policy_error", "", "index and enforcer disagree"),), bundle.digest)
        decision = decide(bundle, facts, self._strength[facts.asset.grade])
        if self._every:
            self._take(facts, decision)
        return decision

    def granted(self, ask: Ask, subject: Subject, asset: Asset) -> Granted:
        """Which sharing grants cover this request; part of the facts, and so of the record."""
        return self._bundle.granted(ask, subject, asset)

    def sample(self, every: int) -> None:
        """Keep one decision in `every` (0: none) to be re-judged off the loop."""
        self._every = self._countdown = every

    def samples(self, most: int = SAMPLES) -> list[tuple[Facts, Decision]]:
        """Hand over at most so many of what was kept, and forget the rest.

        Casbin takes some 7 µs for each row of the bundle: whoever re-judges should ask for few of a large one.
        """
        taken: list[tuple[Facts, Decision]] = []
        while self._samples and len(taken) < most:
            taken.append(self._samples.popleft())
        self._samples.clear()
        return taken

    def distrust(self, digest: str) -> None:
        """From now on, deny everything that this content would decide: its index and its enforcer disagree.

        Under every emergency level: else the end of one would bring back what is not to be trusted.
        """
        self._distrusted.add(_content(digest))

    def _take(self, facts: Facts, decision: Decision) -> None:
        self._countdown -= 1
        if self._countdown <= 0:
            self._countdown = self._every
            self._samples.append((facts, decision))


def _content(digest: str) -> str:
    """The digest of the content, whatever emergency level is in force."""
    return digest.partition("+")[0]


class Verdict(Struct, frozen=True, eq=False):
    """What the rules say: the denies and allows that apply, and those that could not be evaluated."""

    denied: list[Candidate]
    allowed: list[Candidate]
    broken: list[Candidate]

    @property
    def allows(self) -> bool:
        """At least one allow and no deny; a deny that could not be evaluated is a deny."""
        return bool(self.allowed) and not self.denied and not any(rule.deny for rule in self.broken)


def decide(bundle: Bundle, facts: Facts, strength: Strength) -> Decision:
    """The decision of one bundle; `strength` is the least that the grade of the data demands."""
    if facts.asset.action == REVEAL and facts.asset.listed:
        return floor.above(
            facts, lambda said: _judged(bundle, said, strength), lambda said, at: _signed_in(said, at, None)
        )
    return _judged(bundle, facts, strength)


def _judged(bundle: Bundle, facts: Facts, strength: Strength) -> Decision:
    """The decision of the rules."""
    subject, asset = facts.subject, facts.asset
    if subject.rejection is not None or facts.posture.revoked or not asset.listed:
        return _stopped(bundle, facts)
    candidates = bundle.index.candidates(subject, asset)
    if not candidates.known:
        return _stopped(bundle, facts)
    broken: list[Candidate] = []
    denied = _matching(candidates.denies, facts, broken)
    allowed = _matching(candidates.allows, facts, broken)
    if bundle.native is not None:
        bundle.native.speak(facts, denied, allowed, broken)
    if allowed and not denied and not broken and not facts.exposure.spent:
        return _permit(bundle, facts, allowed, strength)
    return _weigh(bundle, facts, Verdict(denied, allowed, broken), strength)


def _weigh(bundle: Bundle, facts: Facts, verdict: Verdict, strength: Strength) -> Decision:
    """The decision when not everything speaks for it."""
    refusal: Deny | Challenge
    if not verdict.allows:
        refusal = _refusal(bundle, facts, verdict)
    elif over := refusals(bundle, facts):
        refusal = Deny(over, bundle.digest)
    else:  # only an allow that was not needed could not be evaluated
        return _permit(bundle, facts, verdict.allowed, strength, verdict.broken)
    if facts.asset.mode == "observe" and _may_pass(facts.asset, verdict):
        return _observed(bundle, facts, verdict, strength, refusal)
    return refusal


def _stopped(bundle: Bundle, facts: Facts) -> Deny:
    return Deny((stopped(bundle, facts) or Reason("unlisted"),), bundle.digest)


def stopped(bundle: Bundle, facts: Facts) -> Reason | None:
    """What is refused before any rule is asked; the first that holds."""
    if facts.subject.rejection is not None:
        return facts.subject.rejection
    if not facts.asset.listed:
        return Reason("unlisted")
    if facts.posture.revoked:
        return Reason("device_revoked", "", facts.posture.device)
    if not bundle.index.knows(facts.asset):  # catalog and policy of different revisions
        return Reason("unlisted", "", f"the policy does not know `{facts.asset.id}` in this category")
    return None


def ask(bundle: Bundle, facts: Facts) -> Verdict:
    """Ask every rule that fits by name."""
    candidates = bundle.index.candidates(facts.subject, facts.asset)
    broken: list[Candidate] = []
    denied = _matching(candidates.denies, facts, broken)
    allowed = _matching(candidates.allows, facts, broken)
    if bundle.native is not None:
        bundle.native.speak(facts, denied, allowed, broken)
    return Verdict(denied, allowed, broken)


def _matching(rules: tuple[Candidate, ...], facts: Facts, broken: list[Candidate]) -> list[Candidate]:
    hits = []
    at = facts.ask.at
    for rule in rules:
        if at >= rule.until:
            continue
        test = rule.test
        try:
            if test is None or test(facts):
                hits.append(rule)
        except FAILURES:
            broken.append(rule)
    return hits


def _permit(
    bundle: Bundle, facts: Facts, allowed: list[Candidate], strength: Strength, broken: Iterable[Candidate] = ()
) -> Permit:
    one = allowed[0]
    alone = len(allowed) == 1
    owed = one.owes if alone else owes(allowed)
    if facts.exposure.spent:
        owed = owed.merge(spends(bundle, facts))
    reasons = one.alone if alone else tuple([rule.says for rule in allowed])
    mask = _mask(bundle, facts, owed)
    if facts.asset.bulk:
        mask, owed = _covering(bundle, facts, owed, mask, facts.asset.bulk)
    return Permit(
        reasons if not broken else (*reasons, *[rule.fails for rule in broken]),
        bundle.digest,
        mask,
        "synced" if strength == "synced" else owed.strength,
        owed.notices() if owed.topics else (),
        forwarding=bundle.forwarding(owed.requests, facts.asset) if owed.requests else None,
    )


def owes(allowed: Iterable[Candidate]) -> Duties:
    """The duties of all matching allows together."""
    return reduce(Duties.merge, (rule.owes for rule in allowed), Duties())


def _mask(bundle: Bundle, facts: Facts, owed: Duties) -> Mask:
    """The mask for these duties; with row filters it is this caller's own."""
    mask = bundle.mask(owed.profiles, facts.asset, facts.subject.clearance, owed.watermark)
    if not owed.rows:
        return mask
    return replace(mask, rows=filters(owed.rows, facts.subject, bundle.index.roles))


def _covering(bundle: Bundle, facts: Facts, owed: Duties, mask: Mask, bulks: Sequence[Bulk]) -> tuple[Mask, Duties]:
    """The mask with what becomes of an answer with many records, and all that is owed for it (rule 6); `bulks` is at least one."""
    first, *more = bulks if len(bulks) == 1 else sorted(bulks, key=_RECORDS)
    if first.grade <= facts.asset.grade:
        return _covering(bundle, facts, owed, mask, more) if more else (mask, owed)
    raised = _graded(facts, first.grade)
    verdict = ask(bundle, raised)
    watched = not verdict.allows and facts.asset.mode == "observe" and _may_pass(raised.asset, verdict)
    if not verdict.allows and not watched:
        return bundle.up_to(mask, first.records, None), owed
    owed = owed.merge(owes(verdict.allowed))
    if watched:
        owed = owed.merge(Duties(frozenset((bundle.profiles.observe,))))
    beyond = _mask(bundle, raised, owed)
    if more:
        beyond, owed = _covering(bundle, raised, owed, beyond, more)
    return bundle.up_to(mask, first.records, beyond), owed


def _graded(facts: Facts, grade: Grade) -> Facts:
    """The same request for data of this grade."""
    return replace(facts, asset=replace(facts.asset, grade=grade, bulk=()))


def _refusal(bundle: Bundle, facts: Facts, verdict: Verdict) -> Deny | Challenge:
    reasons = _reasons(facts, verdict)
    offers = [rule for rule in verdict.denied if rule.then.step_up]
    if offers and facts.subject.kind == "person":
        return _offer(bundle, facts, offers, reasons)
    if bundle.asks_for_grants and not facts.grant.approved:
        reasons = (*_approval(bundle, facts, verdict), *reasons)
    return Deny(reasons, bundle.digest)


def _approval(bundle: Bundle, facts: Facts, verdict: Verdict) -> tuple[Reason, ...]:
    """That an approved grant is what is missing, if the same request with all of them would be allowed.

    Never where nobody can obtain one: without a sign-in, or (a deny says so) while an emergency freezes them.
    """
    if facts.subject.kind == "anonymous" or not _turns_on_grants(bundle, facts, verdict):
        return ()
    granted = Granted(tuple(grant.id for grant in bundle.content.grants) or ("any",), approved=True)
    asked = ask(
        bundle, Facts(facts.ask, facts.subject, facts.posture, facts.risk, facts.asset, granted, facts.exposure)
    )
    if not asked.allows:
        return ()
    wants = asked.allowed[0]
    return (Reason("approval_needed", wants.says.rule, wants.id, wants.says.layer),)


def _turns_on_grants(bundle: Bundle, facts: Facts, verdict: Verdict) -> bool:
    """Whether other grants could allow it at all: a deny that asks for none applies with any, an allow likewise not."""
    for rule in verdict.denied:  # a generator costs as much as the rest of a refusal
        if not rule.grants:
            return False
    if verdict.allowed or bundle.native is not None:
        return True
    return any(rule.grants for rule in bundle.index.candidates(facts.subject, facts.asset).allows)


def _reasons(facts: Facts, verdict: Verdict) -> tuple[Reason, ...]:
    """All reasons, entitlement first."""
    reasons: list[Reason] = []
    broken, denied = verdict.broken, verdict.denied
    if len(denied) == 1 and verdict.allowed and not broken:
        return denied[0].alone
    if not verdict.allowed:
        if facts.subject.kind == "anonymous":
            reasons.append(CREDENTIAL_MISSING)
        if broken:
            reasons += [rule.fails for rule in broken if not rule.deny]
        reasons.append(NO_RULE)
    reasons += [rule.says for rule in denied]
    if broken:
        reasons += [rule.fails for rule in broken if rule.deny or verdict.allowed]
    return tuple(reasons)


def _offer(bundle: Bundle, facts: Facts, offers: list[Candidate], reasons: tuple[Reason, ...]) -> Deny | Challenge:
    """A challenge, if the same request with the stronger and fresher sign-in would be allowed.

    What is offered is the least that really helps: a rule may ask for aal2 of somebody whose other rules need aal3.
    """
    ages = [rule.then.max_age for rule in offers if rule.then.max_age is not None]
    age = min(ages) if ages else None
    for level in range(max(ASSURANCES[rule.then.step_up] for rule in offers), max(ACR) + 1):
        if ask(bundle, _signed_in(facts, level, 0)).allows:
            if not ask(bundle, _signed_in(facts, level, age)).allows:
                age = 0  # a sign-in as old as the rule lets pass would be refused, and asked for again without end
            first = offers[0].says
            told = Reason("step_up_required", first.rule, first.detail, first.layer)
            return Challenge((told, *reasons), bundle.digest, ACR[level], age)
    return Deny(reasons, bundle.digest)


def _signed_in(facts: Facts, level: int, age: int | None) -> Facts:
    """The same request after a sign-in of this assurance that is so many seconds old; None: as old as it is."""
    subject = facts.subject
    at = subject.proof.authenticated_at if age is None else facts.ask.at - age
    again = replace(subject, assurance=level, proof=replace(subject.proof, authenticated_at=at))
    return Facts(facts.ask, again, facts.posture, facts.risk, facts.asset, facts.grant, facts.exposure)


def _may_pass(asset: Asset, verdict: Verdict) -> bool:
    if asset.grade is Grade.CORE or asset.honey or verdict.broken:
        return False
    return not any(rule.says.layer.startswith(EMERGENCY) for rule in verdict.denied)


def _observed(bundle: Bundle, facts: Facts, verdict: Verdict, strength: Strength, refusal: Deny | Challenge) -> Permit:
    """Let a denied request pass for observation, under the strictest mask that applies."""
    owed = owes(verdict.allowed).merge(spends(bundle, facts)).merge(Duties(frozenset((bundle.profiles.observe,))))
    mask = _mask(bundle, facts, owed)
    if facts.asset.bulk:
        mask, owed = _covering(bundle, facts, owed, mask, facts.asset.bulk)
    return Permit(
        reasons=refusal.reasons,
        bundle=bundle.digest,
        mask=mask,
        strength=stronger(strength, owed.strength),
        obligations=owed.notices(),
        forwarding=bundle.forwarding(owed.requests, facts.asset) if owed.requests else None,
        stage="observe",
        would=refusal,
    )


def disagreement(bundle: Bundle, facts: Facts, decision: Decision) -> str:
    """Hold a decision that was made against the enforcer; "" when they agree, else what differs."""
    if decision.bundle != bundle.digest or stopped(bundle, facts) is not None or floor.lacks(facts):
        return ""
    said = bundle.reference(facts)
    judged = decision.would if isinstance(decision, Permit) and decision.would is not None else decision
    allowed = isinstance(judged, Permit)
    beyond = any(reason.code in BEYOND_RULES for reason in judged.reasons)
    if allowed is not said.allowed and not (said.allowed and beyond):
        return f"index says {'allow' if allowed else 'deny'}, enforcer says {'allow' if said.allowed else 'deny'}"
    told = _told(bundle, judged, allowed)
    expected = {bundle.content.places[rule] for rule in said.rules if bundle.denies[rule] is not allowed}
    return "" if told == expected else f"rules differ: {' '.join(sorted(told ^ expected))}"


def _told(bundle: Bundle, judged: Decision, allowed: bool) -> set[str]:
    """Where the rules stand that a decision names: its allows, or its denies (also those that failed)."""
    if allowed:
        return {reason.rule for reason in judged.reasons if reason.code == "rule_allowed"}
    denying = {bundle.content.places[rule] for rule, deny in bundle.denies.items() if deny}
    return {reason.rule for reason in judged.reasons} & denying
