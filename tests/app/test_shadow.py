"""A candidate is asked beside the active bundle, and nothing it does wrong reaches a request.

| what goes wrong | what is the outcome |
|---|---|
| the candidate raises | the active bundle decides, the candidate is asked no more, a notice says so |
| casbin does not share its decision | the same |
| it cannot be read | the active bundle decides alone, a notice says so |
| its terms cannot be read | the same |
| another revision came into force | it stands beside that one no more |
| its time is over and nobody ends it | it decides nothing any more |
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.app.shadow import Piloted, Shadow
from gateway.facts import Deny, Facts, Notice, Permit, Reason
from gateway.journey import Revision
from gateway.policy import Bundle, Policy, load
from gateway.policy.pilot import Differences, Terms, read_terms
from gateway.stores import MemoryState, StateFault
from tests.literals import NOW, a_subject, an_ask
from tests.policy.world import ASSETS, CLERK_READS, PEOPLE, a_bundle, facts, write

STOP = "- {id: stop, effect: deny, who: clerk, org: hz/civil}\n"
BESIDE, DIGEST = "a" * 64, "c" * 64
EVERYBODY = Terms(BESIDE, "00" * 16, percent=100.0, until=NOW + 60)
NOBODY = replace(EVERYBODY, percent=0.0)
HANGZHOU = facts(subject=a_subject(org="hz/civil"))


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Bundle]:
    place = tmp_path_factory.mktemp("policies")
    return a_bundle(place / "active"), a_bundle(place / "candidate", CLERK_READS + STOP)


class Ailing(Policy):
    """A policy that fails as a bug would."""

    def decide(self, facts: Facts) -> Any:
        raise RecursionError("王小明 330106199003072319")


class World:
    """One worker's view of a pilot."""

    def __init__(self, active: Bundle, candidate: Bundle) -> None:
        self.told: list[Notice] = []
        self.state = MemoryState()
        self.shadow = Shadow(self.state.pilot, self.told.append)
        self.active = self.revision(Policy(active))
        self.candidate = self.revision(Policy(candidate))
        self.fault: Exception | None = None
        self.read = 0

    def revision(self, policy: Policy) -> Revision:
        return Revision(None, policy, None, False)  # type: ignore[arg-type]  # nobody looks at the rest here

    def ready(self, digest: str) -> Revision:
        assert digest == DIGEST
        self.read += 1
        if self.fault is not None:
            raise self.fault
        return self.candidate

    def start(self, terms: Terms = EVERYBODY) -> None:
        self.state.start_pilot(DIGEST, terms.text(), "wang", NOW)

    def flip(self, digest: str = BESIDE) -> Revision:
        return self.shadow.beside(self.active, digest, self.ready)

    def said(self) -> list[tuple[str, str, int]]:
        self.shadow.tell()
        return [(one.name, one.subject, one.count) for one in self.told]


@pytest.fixture
def world(bundles: tuple[Bundle, Bundle]) -> World:
    return World(*bundles)


def test_without_a_pilot_the_active_revision_stays_as_it_is(world: World) -> None:
    assert world.flip() is world.active
    assert world.said() == []


def test_in_shadow_the_candidate_changes_nothing_and_is_counted(world: World) -> None:
    world.start(NOBODY)
    revision = world.flip()
    for asked in (HANGZHOU, HANGZHOU, facts()):
        assert revision.policy.decide(asked) == world.active.policy.decide(asked)
    assert world.said() == [("pilot.judged", "permit", 1), ("pilot.judged", "deny", 2),
                            ("pilot.would_deny", "civil-households", 2)]  # fmt: skip


def test_what_the_candidate_asks_of_what_was_shown_is_counted_while_it_is_asked(world: World) -> None:
    """Else its condition would hold of nobody, and its share would be let through what it is meant to stop."""
    world.candidate = replace(world.candidate, asks=True)
    assert not world.flip().asks
    world.start()
    assert world.flip().asks


def test_in_its_share_the_candidate_decides_under_its_own_name(world: World) -> None:
    world.start()
    said = world.flip().policy.decide(HANGZHOU)
    assert isinstance(said, Deny)
    assert said.bundle == world.candidate.policy.bundle.digest
    assert '"decided":true' in next(one.detail for one in [*world.told, *counted(world)] if "would" in one.name)


def counted(world: World) -> list[Notice]:
    world.shadow.tell()
    return world.told


def test_a_rejected_credential_is_refused_by_the_active_bundle(world: World) -> None:
    world.start()
    rejected = facts(subject=a_subject(rejection=Reason("token_expired")))
    assert world.flip().policy.decide(rejected).bundle == world.active.policy.bundle.digest
    assert world.said() == []


def test_a_candidate_that_raises_is_asked_no_more(world: World) -> None:
    world.candidate = world.revision(Ailing(world.candidate.policy.bundle))
    world.start()
    revision = world.flip()
    for _ in range(2):
        assert isinstance(revision.policy.decide(HANGZHOU), Permit)
    assert [(one.name, one.subject) for one in world.told] == [("pilot.broken", DIGEST[:12])]
    assert "王小明" not in world.told[0].detail
    assert world.told[0].detail.startswith("RecursionError")
    world.state.change_pilot(1, replace(EVERYBODY, percent=50.0).text())
    assert world.flip() is world.active  # a changed share does not bring it back


def test_a_candidate_that_casbin_does_not_share_is_asked_no_more(world: World) -> None:
    world.start()
    revision = world.flip()
    active, candidate = world.shadow.policies(revision)
    assert not world.shadow.withdraws(active, "rules differ: a")
    assert world.shadow.withdraws(candidate, "rules differ: a")
    assert isinstance(revision.policy.decide(HANGZHOU), Permit)
    assert [(one.name, one.detail) for one in world.told] == [("pilot.broken", "casbin: rules differ: a")]
    assert world.shadow.policies(revision) == (active,)


@pytest.mark.parametrize("fault", [FileNotFoundError("gone"), StateFault("lost", "丢失")])
def test_a_candidate_that_cannot_be_read_leaves_the_active_bundle_alone(world: World, fault: Exception) -> None:
    world.fault = fault
    world.start()
    assert world.flip() is world.active
    assert world.said() == [("pilot.unprepared", DIGEST[:12], 1)]


def test_terms_that_cannot_be_read_start_nothing(world: World) -> None:
    world.state.start_pilot(DIGEST, '{"percent": "all"}', "wang", NOW)
    assert world.flip() is world.active
    assert world.said() == [("pilot.unprepared", DIGEST[:12], 1)]


def test_a_store_that_cannot_be_read_starts_nothing(world: World) -> None:
    world.state.broken = True
    assert world.flip() is world.active
    assert world.said() == [("pilot.unprepared", "", 1)]


@pytest.mark.parametrize("digest", ["b" * 64, BESIDE + "+II"])
def test_beside_another_revision_or_in_an_emergency_it_is_not_used(world: World, digest: str) -> None:
    world.start()
    assert world.flip(digest) is world.active
    assert isinstance(world.flip(BESIDE).policy, Piloted)


def test_after_its_time_it_decides_nothing(world: World) -> None:
    world.start()
    late = facts(subject=HANGZHOU.subject, ask=an_ask(at=NOW + 60))
    assert isinstance(world.flip().policy.decide(late), Permit)


def test_another_share_reads_nothing_again(world: World) -> None:
    world.start(NOBODY)
    assert isinstance(world.flip().policy.decide(HANGZHOU), Permit)
    world.state.change_pilot(1, EVERYBODY.text())
    assert isinstance(world.flip().policy.decide(HANGZHOU), Deny)
    assert world.read == 1


def test_an_ended_pilot_is_forgotten_and_its_last_counts_are_told(world: World) -> None:
    world.start()
    world.flip().policy.decide(HANGZHOU)
    assert world.shadow.held(DIGEST) is world.candidate
    world.state.end_pilot(1, "wang", NOW, "stopped")
    assert world.flip() is world.active
    assert world.shadow.held(DIGEST) is None
    assert ("pilot.would_deny", "civil-households", 1) in world.said()


# --- streams ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("permitted_by", "terms", "judged_by"),
    [("candidate", EVERYBODY, "candidate"), ("active", EVERYBODY, "active"), ("candidate", NOBODY, "active"),
     ("active", NOBODY, "active")],
)  # fmt: skip
def test_a_stream_is_judged_again_by_the_bundle_that_permitted_it(
    world: World, permitted_by: str, terms: Terms, judged_by: str
) -> None:
    digests: Callable[[str], str] = lambda name: getattr(world, name).policy.bundle.digest  # noqa: E731
    world.start(terms)
    again = world.shadow.judge_again(world.flip(), facts(), digests(permitted_by))
    assert again.bundle == digests(judged_by)
    assert world.said() == []


def test_a_stream_outlives_a_candidate_that_raises(world: World) -> None:
    ailing = Ailing(world.candidate.policy.bundle)
    world.candidate = world.revision(ailing)
    world.start()
    revision = world.flip()
    assert isinstance(world.shadow.judge_again(revision, facts(), ailing.bundle.digest), Permit)
    assert world.said() == [("pilot.broken", DIGEST[:12], 1)]


# --- sharing grants ----------------------------------------------------------------------------------

ASKS = CLERK_READS + "  when: grant.held\n"
GRANT = """\
grants:
  - id: civil-to-hz
    title: {zh: 共享, en: sharing}
    to: [hz/civil]
    data: [population]
    action: [read]
    purpose: medical-assistance
    from: 2026-01-01
    until: 2027-01-01
    basis: {zh: 依据, en: by law}
    approval: {by: prov/civil, on: 2026-01-01, reference: 2026-1}
"""


def test_each_bundle_is_asked_with_the_grants_it_knows(tmp_path: Path) -> None:
    (tmp_path / "candidate").mkdir()
    (tmp_path / "candidate" / "grants.yaml").write_text(GRANT, encoding="utf-8")
    active, candidate = a_bundle(tmp_path / "active", ASKS), a_bundle(tmp_path / "candidate", ASKS)
    asked = facts(subject=a_subject(org="hz/civil"), ask=an_ask(purpose="medical-assistance"))
    for terms, outcome in ((EVERYBODY, Permit), (NOBODY, Deny)):
        broken: list[str] = []
        piloted = Piloted(Policy(active), Policy(candidate), terms, Differences(()), broken.append)
        grant = piloted.granted(asked.ask, asked.subject, asked.asset)
        known = Facts(asked.ask, asked.subject, asked.posture, asked.risk, asked.asset, grant)
        decision = piloted.decide(known)
        assert type(decision) is outcome
        assert grant.ids == (("civil-to-hz",) if outcome is Permit else ())
        assert type(piloted.again(known, decision.bundle)) is outcome
        assert broken == []


def test_each_bundle_says_by_its_own_offices_who_holds_a_grant(tmp_path: Path) -> None:
    """The same grants, but in the candidate the office no longer stands below the one they were given to."""
    moved = PEOPLE.replace("hz/civil: {parent: hz}", "hz/civil: {parent: prov}")
    for name, people in (("active", PEOPLE), ("candidate", moved)):
        write(tmp_path / name, ASKS, people=people)
        (tmp_path / name / "grants.yaml").write_text(GRANT.replace("[hz/civil]", "[hz]"), encoding="utf-8")
    active, candidate = (load(tmp_path / name, ASSETS) for name in ("active", "candidate"))
    asked = facts(subject=a_subject(org="hz/civil"), ask=an_ask(purpose="medical-assistance"))
    for terms, outcome in ((EVERYBODY, Deny), (NOBODY, Permit)):
        piloted = Piloted(Policy(active), Policy(candidate), terms, Differences(()), lambda _: None)
        grant = piloted.granted(asked.ask, asked.subject, asked.asset)
        decision = piloted.decide(Facts(asked.ask, asked.subject, asked.posture, asked.risk, asked.asset, grant))
        assert type(decision) is outcome
        assert grant.ids == (("civil-to-hz",) if outcome is Permit else ())


def test_terms_are_whole() -> None:
    assert read_terms(EVERYBODY.text()) == EVERYBODY
