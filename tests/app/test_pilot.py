"""A pilot ends when it must, whoever is away, and never takes over what it was not meant for."""

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.app import revisions
from gateway.app.pilot import Pilots
from gateway.app.revisions import Compiled, raised
from gateway.control import DoorFault, PilotLimits, PilotWish, Rejected, Reloaded
from gateway.entries import NoticeEntry
from gateway.facts import Notice
from gateway.policy.pilot import Seen, notice
from gateway.stores import MemoryState, Way
from tests.app.test_revisions import APIS, NOW, deny_everything
from tests.test_layout import ROOT

EVERYBODY = PilotWish(percent=100.0)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Compiled, Compiled]:
    """A state directory with an active revision and a candidate that denies everything."""
    place = tmp_path_factory.mktemp("gateway")
    for name in ("policies", "next"):
        shutil.copytree(ROOT / "policies", place / name)
    deny_everything(place / "next")
    return (place, revisions.store(place / "state", place / "policies", APIS, NOW),
            revisions.store(place / "state", place / "next", APIS, NOW))  # fmt: skip


class World:
    """What the control process knows, without processes: workers prepare at once and nobody is on the other side."""

    def __init__(self, place: Path, active: Compiled, candidate: Compiled) -> None:
        self.place, self.active, self.next = place, active, candidate
        self.state = MemoryState()
        self.compiled = active
        self.changing = asyncio.Lock()
        self.ready = True
        self.meanwhile: Callable[[], None] = lambda: None
        self.words: list[str] = []
        self.told: list[Notice] = []
        self.acts: list[tuple[str, ...]] = []
        self.config: Any = SimpleNamespace(
            state=place / "state", candidate=place / "next", apis=APIS, file=place / "gateway.yaml", policy_signers=(),
            policy_signatures=1,
        )  # fmt: skip
        self.pilots = self.begin()

    def begin(self) -> Pilots:
        """A control process comes to life."""
        self.pilots = Pilots(self.config, self.state, self, self, self)  # type: ignore[arg-type]  # plays all three
        return self.pilots

    # --- as the board, the ledger, and the releases ---

    def bump(self, topic: str) -> int:
        self.words.append(topic)
        return len(self.words)

    def note(self, one: Notice) -> None:
        self.told.append(one)

    def act(self, *words: Any) -> None:
        self.acts.append(words)

    async def prepared(self, name: str) -> bool:
        assert revisions.candidate(self.place / "state") == name
        self.meanwhile()
        return self.ready

    async def flip(
        self, revision: Compiled, by: str, pinned: bool, said_of: str, when_ready: Callable[[], bool], *, way: Way
    ) -> Reloaded | Rejected:
        self.meanwhile()
        if not when_ready():
            raise DoorFault("not_found")
        previous, self.compiled = self.compiled.digest, revision
        self.state.activate(revision.digest, by, NOW, pinned, way)
        return Reloaded(revision.digest, previous)

    # --- as somebody looking on ---

    def sees(self, name: str, subject: str = "", detail: str = "", count: int = 1, at: float | None = None) -> None:
        """A worker's notice was sealed."""
        self.pilots.take([NoticeEntry(1, "w1", 1, time.time() if at is None else at, name, subject, detail, count)])

    def why(self) -> str:
        """Why the last pilot ended, "" while it runs."""
        last = self.state.pilots(1)[0]
        return last.why if last.ended_at is not None else ""


@pytest.fixture
def world(stored: tuple[Path, Compiled, Compiled]) -> World:
    return World(*stored)


pytestmark = pytest.mark.anyio


async def test_it_begins_in_the_store_and_on_the_board_before_the_answer(world: World) -> None:
    said: Any = await world.pilots.submit(PilotWish(), "wang")
    running = world.state.pilot()
    assert running is not None
    assert (running.digest, running.by, world.words) == (world.next.digest, "wang", ["bundle"])
    assert (said.shown["percent"], said.shown["beside"], said.shown["bundle"]) == (
        0.0,
        world.active.digest,
        world.next.bundle.digest,
    )
    assert said.candidate == world.next.digest
    assert "key" not in str(said)  # whoever knew it could pick a name that falls to the laxer bundle
    assert revisions.candidate(world.place / "state") == world.active.digest


async def test_workers_that_are_not_ready_start_nothing(world: World) -> None:
    world.ready = False
    assert isinstance(await world.pilots.submit(PilotWish(), "wang"), Rejected)
    assert (world.state.pilot(), world.words) == (None, [])


async def test_a_change_keeps_what_it_does_not_name(world: World) -> None:
    await world.pilots.submit(PilotWish(percent=5.0, orgs=("hz",), limits=PilotLimits(deny=0.5)), "wang")
    said: Any = await world.pilots.submit(PilotWish(pilot=1, percent=10.0), "li")
    assert (said.shown["percent"], said.shown["orgs"], said.shown["limits"].deny) == (10.0, ("hz",), 0.5)
    assert [one.name for one in world.told] == ["pilot.started", "pilot.changed"]


async def test_a_limit_that_is_crossed_ends_it_at_the_next_tick(world: World) -> None:
    await world.pilots.submit(EVERYBODY, "wang")
    one = notice(Seen("would_deny", "households", ("rules/99-stop.yaml:2",), decided=True), 5)
    world.sees(one.name, one.subject, one.detail, one.count)
    await world.pilots.tick()
    assert world.why() == "deny: 5 of 0 refused what the active bundle permits, allowed 2.00%"
    assert world.told[-1].name == "pilot.rolled_back"
    assert world.acts == [("gateway", "system", "pilot.rolled_back", world.next.digest, world.why())]
    assert world.words == ["bundle", "bundle"]  # every worker was told


async def test_a_candidate_that_newly_permits_too_much_ends_itself(world: World) -> None:
    await world.pilots.submit(EVERYBODY, "wang")
    for kind in ("would_permit", "would_show"):
        one = notice(Seen(kind, "households", (), decided=True), 2)  # type: ignore[arg-type]  # literals
        world.sees(one.name, one.subject, one.detail, one.count)
        await world.pilots.tick()
        assert world.why() == ""
    one = notice(Seen("would_permit", "households", (), decided=True), 1)
    world.sees(one.name, one.subject, one.detail, one.count)
    await world.pilots.tick()
    assert world.why() == "gain: 5 of 0 permitted or showed what the active bundle does not, allowed 2.00%"


async def test_wider_limits_hold_at_once(world: World) -> None:
    await world.pilots.submit(EVERYBODY, "wang")
    one = notice(Seen("would_deny", "households", (), decided=True), 5)
    world.sees(one.name, one.subject, one.detail, one.count)
    await world.pilots.submit(PilotWish(pilot=1, limits=PilotLimits(deny=1.0)), "wang")
    await world.pilots.tick()
    assert world.why() == ""


@pytest.mark.parametrize("name", ["pilot.broken", "pilot.unprepared"])
async def test_a_worker_that_cannot_ask_it_ends_it(world: World, name: str) -> None:
    await world.pilots.submit(PilotWish(), "wang")
    world.sees(name, world.next.digest[:12], "RecursionError policy/decide.py:1")
    await world.pilots.tick()
    assert world.why() == f"{name} w1: RecursionError policy/decide.py:1"
    assert world.told[-1].name == "pilot.rolled_back"


async def test_what_was_told_of_an_earlier_pilot_ends_no_later_one(world: World) -> None:
    await world.pilots.submit(PilotWish(), "wang")
    world.sees("pilot.broken", world.next.digest[:12], at=time.time() - 60)
    await world.pilots.tick()
    assert world.why() == ""


async def test_another_revision_or_an_emergency_ends_it(world: World) -> None:
    for other in (world.next, raised(world.active, "II")):
        world.compiled = world.active
        await world.pilots.submit(PilotWish(), "wang")
        world.compiled = other
        await world.pilots.tick()
        assert world.why() == "another revision came into force"


async def test_it_ends_at_its_time(world: World) -> None:
    await world.pilots.submit(PilotWish(), "wang")
    await world.pilots.submit(PilotWish(pilot=1, until=time.time() + 0.2), "wang")
    deadline = time.monotonic() + 5
    while not world.why():
        assert time.monotonic() < deadline
        await world.pilots.tick()
    assert world.why() == "its time is over"


async def test_a_store_that_fails_is_asked_again_at_the_next_tick(world: World) -> None:
    await world.pilots.submit(PilotWish(), "wang")
    world.sees("pilot.broken", world.next.digest[:12], "why")
    world.state.broken = True
    await world.pilots.tick()
    world.state.broken = False
    assert world.why() == ""
    await world.pilots.tick()
    assert world.why().startswith("pilot.broken")


# --- a control process that comes back ---------------------------------------------------------------


async def test_a_pilot_goes_on_under_another_control_process(world: World) -> None:
    await world.pilots.submit(EVERYBODY, "wang")
    world.begin()
    await world.pilots.tick()
    shown: Any = await world.pilots.view()
    assert (shown["pilot"]["pilot"], shown["pilot"]["percent"]) == (1, 100.0)
    world.sees("pilot.broken", world.next.digest[:12], "why")
    await world.pilots.tick()
    assert world.why().startswith("pilot.broken")


async def test_a_candidate_that_is_not_there_any_more_ends_it(world: World) -> None:
    await world.pilots.submit(EVERYBODY, "wang")
    world.config = SimpleNamespace(**(vars(world.config) | {"state": world.place / "elsewhere"}))
    world.begin()
    await world.pilots.tick()
    assert world.why() == "its candidate cannot be read any more"
    assert world.told[-1].name == "pilot.ended"


async def test_terms_that_nobody_understands_end_it(world: World) -> None:
    world.state.start_pilot(world.next.digest, "{}", "wang", NOW)
    await world.pilots.tick()
    assert world.why() == "its candidate cannot be read any more"


# --- promotion ----------------------------------------------------------------------------------------


async def test_a_promoted_candidate_is_pinned_and_the_pilot_over(world: World) -> None:
    await world.pilots.submit(PilotWish(), "wang")
    outcome = await world.pilots.promote("li", 1)
    assert outcome == Reloaded(world.next.digest, world.active.digest)
    assert (world.why(), world.state.activations(1)[0].pinned) == ("promoted", True)
    assert world.state.activations(1)[0].way == "promotion"
    await world.pilots.tick()
    assert world.why() == "promoted"


async def test_another_pilot_than_the_one_that_was_meant_is_not_promoted(world: World) -> None:
    await world.pilots.submit(PilotWish(), "wang")
    with pytest.raises(DoorFault):
        await world.pilots.promote("li", 7)
    assert world.compiled is world.active


async def test_what_stands_beside_another_revision_is_not_promoted(world: World) -> None:
    await world.pilots.submit(PilotWish(), "wang")
    world.compiled = raised(world.active, "II")
    with pytest.raises(DoorFault):
        await world.pilots.promote("li", 1)
    assert world.why() == ""


async def test_what_goes_wrong_while_workers_get_ready_is_not_promoted(world: World) -> None:
    one = notice(Seen("would_deny", "households", (), decided=True), 5)
    for seen in (("pilot.broken", world.next.digest[:12], "why", 1), (one.name, one.subject, one.detail, one.count)):
        world.meanwhile = lambda: None
        await world.pilots.submit(EVERYBODY, "wang")
        world.meanwhile = lambda seen=seen: world.sees(*seen)  # type: ignore[misc]  # bound now, not at its call
        with pytest.raises(DoorFault):
            await world.pilots.promote("li")
        assert world.compiled is world.active
        await world.pilots.tick()
        assert world.told[-1].name == "pilot.rolled_back"


async def test_a_candidate_that_lost_its_signature_is_not_promoted(world: World) -> None:
    await world.pilots.submit(PilotWish(), "wang")
    world.config.policy_signers = ("gw+12345678+AQ==",)
    assert isinstance(await world.pilots.promote("li", 1), Rejected)
    assert world.compiled is world.active


async def test_without_a_pilot_there_is_nothing_to_stop_or_promote(world: World) -> None:
    for step in (world.pilots.promote("li"), world.pilots.stop("li"), world.pilots.submit(PilotWish(pilot=1), "li")):
        with pytest.raises(DoorFault) as none:
            await step
        assert none.value.code == "not_found"


async def test_nobody_starts_a_second_one(world: World) -> None:
    await world.pilots.submit(PilotWish(), "wang")
    with pytest.raises(DoorFault):
        await world.pilots.submit(PilotWish(), "li")
    assert await world.pilots.stop("li") == {"pilot": 1, "candidate": world.next.digest, "why": "stopped"}
    again: Any = await world.pilots.submit(PilotWish(), "li")
    assert again.shown["pilot"] == 2
