"""How does a worker ask a candidate beside the active bundle?

Rules:

1. Both bundles are asked about each request, in the same breath and with the same facts; the choice
   (`policy.pilot.Choice`) says whose word counts. The other's word reaches no answer and no entry, it is only counted.
2. What goes wrong with the candidate, whatever it is, never reaches the request: the active bundle decides, this
   worker asks the candidate no more, and a notice says so. The control process then ends the pilot for all.
3. A candidate is used beside the one revision that it was compared with. With any other (a reload, a rollback, an
   emergency level) the same flip that brings it takes the candidate away.
4. A stream that the candidate permitted is judged again by the candidate while that still decides about the caller,
   every other one by the active bundle.
"""

from collections.abc import Callable

from msgspec import MsgspecError

from gateway.app.boundary import place
from gateway.document import Faulty
from gateway.facts import Ask, Asset, Decision, Facts, Granted, Notice, Subject
from gateway.journey import Revision
from gateway.policy import Bundle, Damaged, Policy
from gateway.policy.pilot import Choice, Comparison, Differences, Terms, read_terms
from gateway.stores import Pilot, StateFault

Ready = Callable[[str], Revision]
"""The revision with this digest, ready to judge. Raises Faulty, Damaged, OSError."""


class Piloted:
    """Decides by the active policy or by the candidate; asks both."""

    def __init__(
        self, active: Policy, candidate: Policy, terms: Terms, counted: Differences, broken: Callable[[str], None]
    ) -> None:
        self.active, self.candidate = active, candidate
        self._settle, self._try = active.decide, candidate.decide
        self._until = terms.until
        self._choice = Choice(terms, active.bundle)
        self._compare = Comparison().of
        self._counted, self._asked = counted, counted.asked
        self._broken = broken
        self._own_grants = _says_who_holds(active.bundle) != _says_who_holds(candidate.bundle)
        self.usable = True

    @property
    def bundle(self) -> Bundle:
        """The active bundle."""
        return self.active.bundle

    def granted(self, ask: Ask, subject: Subject, asset: Asset) -> Granted:
        """Which sharing grants cover this request, by the bundle that decides about it."""
        if self._own_grants:
            try:
                if self._falls_on_candidate(subject, ask):
                    return self.candidate.granted(ask, subject, asset)
            except Exception as error:  # noqa: BLE001 - rule 2
                self._fail(error)
        return self.active.granted(ask, subject, asset)

    def decide(self, facts: Facts) -> Decision:
        """The decision of the bundle that is meant for this caller."""
        if not self.usable or facts.ask.at >= self._until or facts.subject.rejection is not None:
            return self.active.decide(facts)  # a rejected credential proves no name to choose by
        try:
            return self._both(facts)
        except Exception as error:  # noqa: BLE001 - rule 2
            self._fail(error)
        return self.active.decide(self._as_known_to(self.active, facts))

    def again(self, facts: Facts, bundle: str) -> Decision:
        """The decision about an open stream that this bundle permitted; it is counted nowhere."""
        try:
            if bundle == self.candidate.bundle.digest and self._falls_on_candidate(facts.subject, facts.ask):
                return self.candidate.decide(self._as_known_to(self.candidate, facts))
        except Exception as error:  # noqa: BLE001 - rule 2
            self._fail(error)
        return self.active.decide(self._as_known_to(self.active, facts))

    def withdraw(self, why: str) -> None:
        """Ask the candidate no more."""
        self.usable = False
        self._broken(why)

    def _fail(self, error: Exception) -> None:
        self.withdraw(f"{type(error).__name__} {place(error)}")

    def _both(self, facts: Facts) -> Decision:
        mine = not self._choice.nobody and self._choice.falls_on(facts.subject, facts.ask.source)
        if self._own_grants:
            settled = self.active.decide(self._as_known_to(self.active, facts) if mine else facts)
            tried = self.candidate.decide(facts if mine else self._as_known_to(self.candidate, facts))
        else:
            settled, tried = self._settle(facts), self._try(facts)
        self._asked[type(tried)] += 1
        kind = self._compare(settled, tried)
        if kind is not None:
            asset, org = facts.asset, facts.subject.org
            self._counted.add(kind, asset.api, org, tried.reasons, mine, facts.ask.id)
        return tried if mine else settled

    def _falls_on_candidate(self, subject: Subject, ask: Ask) -> bool:
        if not self.usable or ask.at >= self._until or subject.rejection is not None:
            return False
        return self._choice.falls_on(subject, ask.source)

    def _as_known_to(self, policy: Policy, facts: Facts) -> Facts:
        """The same facts with the sharing grants of this policy."""
        if not self._own_grants:
            return facts
        grant = policy.granted(facts.ask, facts.subject, facts.asset)
        return Facts(facts.ask, facts.subject, facts.posture, facts.risk, facts.asset, grant, facts.exposure)


def _says_who_holds(bundle: Bundle) -> tuple[object, ...]:
    """What it depends on who holds a sharing grant: the grants, and the offices and roles they were given to."""
    content = bundle.content
    if not content.grants:
        return ()
    return content.grants, content.roles, content.orgs, content.declared, content.offices


class Shadow:
    """The pilot as one worker knows it. `running` reads the store; it may raise StateFault."""

    def __init__(self, running: Callable[[], Pilot | None], notice: Callable[[Notice], None]) -> None:
        self._running = running
        self._notice = notice
        self._number = 0  # of the pilot that the rest is about
        self._digest = ""
        self._candidate: Revision | None = None
        self._counted = Differences(())
        self._broken = False
        self._piloted: Piloted | None = None

    def policies(self, revision: Revision) -> tuple[Policy, ...]:
        """The policies that decide, each to be held against casbin: the active one, and a candidate while it is asked."""
        policy = revision.policy
        if isinstance(policy, Piloted):
            return (policy.active, policy.candidate) if policy.usable else (policy.active,)
        return (policy,) if isinstance(policy, Policy) else ()

    def held(self, digest: str) -> Revision | None:
        """The candidate under this digest: it may become the active revision without being read again."""
        return self._candidate if digest == self._digest else None

    def beside(self, revision: Revision, digest: str, ready: Ready) -> Revision:
        """The active revision, with the candidate beside it while a pilot runs. Called at each flip."""
        self._piloted = None
        name = ""
        try:
            pilot = self._running()
            if pilot is None:
                self._forget()
                return revision
            name = pilot.digest[:12]
            terms = read_terms(pilot.terms)
            if terms.beside != digest:  # rule 3; the control process is about to end it
                return revision
            self._take(pilot, revision, ready)
            self._piloted = self._joined(revision, terms)
        except (StateFault, Faulty, Damaged, MsgspecError, ValueError, OSError) as fault:
            self._notice(Notice("pilot.unprepared", name, type(fault).__name__))
        if self._piloted is None or self._candidate is None:
            return revision
        asks = revision.asks or self._candidate.asks  # its conditions too are about what was shown
        return Revision(revision.catalog, self._piloted, revision.devices, asks)

    def judge_again(self, revision: Revision, facts: Facts, bundle: str) -> Decision:
        """The decision about an open stream that this bundle permitted (rule 4)."""
        policy = revision.policy
        return policy.again(facts, bundle) if isinstance(policy, Piloted) else policy.decide(facts)

    def withdraws(self, policy: Policy, differs: str) -> bool:
        """Whether it is the candidate whose index casbin does not share; it is asked no more then."""
        piloted = self._piloted
        if piloted is None or piloted.candidate is not policy:
            return False
        piloted.withdraw(f"casbin: {differs}")
        return True

    def tell(self) -> None:
        """Hand over what was counted."""
        for notice in self._counted.taken():
            self._notice(notice)

    def _forget(self) -> None:
        self._number, self._digest, self._candidate, self._broken = 0, "", None, False

    def _take(self, pilot: Pilot, revision: Revision, ready: Ready) -> None:
        """Know this pilot; its candidate stays the same object however often its share is changed."""
        if pilot.id == self._number:
            return
        candidate = ready(pilot.digest)
        self._number, self._digest, self._candidate, self._broken = pilot.id, pilot.digest, candidate, False
        self._counted = Differences(revision.policy.bundle.content.offices)

    def _joined(self, revision: Revision, terms: Terms) -> Piloted | None:
        active, candidate = revision.policy, self._candidate
        if self._broken or candidate is None:
            return None
        if not isinstance(active, Policy) or not isinstance(candidate.policy, Policy):
            return None
        return Piloted(active, candidate.policy, terms, self._counted, self._report)

    def _report(self, why: str) -> None:
        self._broken = True
        self._notice(Notice("pilot.broken", self._digest[:12], why))
