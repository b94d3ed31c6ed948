"""A level comes from two persons, ends by itself everywhere, and nothing that one person does moves it.

Abuse: confirm one's own · confirm twice · too late · a number that nobody asked under · no end, or one too far away ·
hide the level behind a flood of asking · let it end with a reload, a rollback, a restart or a dead control process ·
empty it, or take its mask away, and reload.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.app.emergency import AHEAD, REGAIN, Expiry, in_force
from gateway.app.knowledge import Knowledge
from gateway.app.revisions import Compiled, recall
from gateway.app.start import first
from gateway.control import Confirmed, DoorFault, EmergencyWish, Rejected, Reloaded
from gateway.facts import Notice
from gateway.stores import Instant, StateFault
from tests.app.released import Released
from tests.app.test_knowledge import make
from tests.app.test_revisions import APIS, NOW

pytestmark = pytest.mark.anyio
HOUR = 3600.0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Released]:
    made = Released(tmp_path)
    yield made
    made.state.close()


def wish(level: str = "II", hours: float = 1.0) -> EmergencyWish:
    return EmergencyWish(level, "flood", NOW + hours * HOUR)


async def raise_level(world: Released, level: str = "II", hours: float = 1.0) -> Confirmed:
    asked = await world.switch.ask(EmergencyWish(level, "flood", world.now + hours * HOUR), "op.li")
    done = await world.confirm(asked.id, "op.wang")
    assert isinstance(done, Confirmed)
    return done


def level_of_store(world: Released) -> str:
    return in_force(world.state, world.instant()).level


async def test_asking_changes_nothing_and_confirming_brings_it_into_force(world: Released) -> None:
    base = world.releases.compiled.digest
    asked = await world.switch.ask(wish(), "op.li")
    assert (asked.level, asked.confirm_before, world.releases.level) == ("II", NOW + 600, "")
    done = await world.confirm(asked.id, "op.wang")
    assert done == Confirmed(asked.id, "II", NOW + HOUR, 2, f"{base}+II")
    assert world.releases.compiled.bundle.level == "II"
    assert world.state.activations(1)[0].digest == f"{base}+II"
    assert in_force(world.state, world.instant()).name == f"{base}+II"
    assert world.notices() == [("emergency.on", "II")]
    assert world.told[0].detail == "asked by op.li, confirmed by op.wang, until 2026-09-21T15:13:20+00:00"


async def test_one_person_is_not_two(world: Released) -> None:
    asked = await world.switch.ask(wish(), "op.li")
    with pytest.raises(DoorFault) as caught:
        await world.confirm(asked.id, "op.li")
    assert (caught.value.code, world.releases.level) == ("second_operator", "")


async def test_a_confirmation_counts_for_ten_minutes_and_once(world: Released) -> None:
    late = await world.switch.ask(wish(), "op.li")
    world.now += 600
    for id in (late.id, 99):
        with pytest.raises(DoorFault) as caught:
            await world.confirm(id, "op.wang")
        assert caught.value.code == "not_found"
    asked = await world.switch.ask(EmergencyWish("II", "flood", world.now + HOUR), "op.li")
    await world.confirm(asked.id, "op.wang")
    with pytest.raises(DoorFault) as caught:
        await world.confirm(asked.id, "op.zhao")
    assert caught.value.code == "not_found"


@pytest.mark.parametrize(
    "odd",
    [
        EmergencyWish("II", "flood"),
        EmergencyWish("II", "flood", NOW),
        EmergencyWish("II", "flood", NOW + 72 * HOUR + 1),
        EmergencyWish("II", "flood", float("nan")),
        EmergencyWish("II", "flood", float("inf")),
        EmergencyWish("V", "flood", NOW + HOUR),
    ],
)
async def test_a_level_without_a_good_end_is_not_asked_for(world: Released, odd: EmergencyWish) -> None:
    with pytest.raises(DoorFault) as caught:
        await world.switch.ask(odd, "op.li")
    assert (caught.value.code, world.state.emergencies()) == ("bad_request", ())


async def test_history_tells_what_came_by_a_level(world: Released) -> None:
    await raise_level(world)
    world.now += 2 * HOUR
    await world.switch.tick()
    assert [row.way for row in world.state.activations()] == ["emergency", "emergency", "start"]


async def test_where_no_level_is_in_force_there_is_no_end_to_ask_for(world: Released) -> None:
    with pytest.raises(DoorFault) as caught:
        await world.switch.ask(EmergencyWish("", "it is over"), "op.li")
    assert (caught.value.code, world.state.emergencies()) == ("conflict", ())


async def test_a_level_that_the_policies_lack_is_not_asked_for(world: Released) -> None:
    (world.folder / "emergency" / "II.yaml").unlink()
    assert isinstance(await world.releases.reload("op"), Reloaded)
    with pytest.raises(DoorFault) as caught:
        await world.switch.ask(wish(), "op.li")
    assert "no emergency level II" in caught.value.detail


async def test_control_returns_by_itself_at_the_end(world: Released) -> None:
    base = world.releases.compiled.digest
    await raise_level(world)
    world.now += HOUR - 0.001
    await world.switch.tick()
    assert world.releases.level == "II"
    world.now += 0.001
    word = world.board.any[0]
    await world.switch.tick()
    assert (world.releases.compiled.digest, level_of_store(world)) == (base, "")
    assert world.board.any[0] > word  # workers are told
    assert world.notices()[-1] == ("emergency.off", "II")
    assert [(act.act, act.operator, act.detail) for act in world.acts] == [("emergency.end", "gateway", "expired")]
    await world.switch.tick()
    assert len(world.told) == 2  # told once
    assert [row.digest for row in world.state.activations(2)] == [base, f"{base}+II"]


async def test_ending_early_needs_two_persons_too(world: Released) -> None:
    base = world.releases.compiled.digest
    await raise_level(world)
    asked = await world.switch.ask(EmergencyWish("", "the water fell"), "op.wang")
    await world.switch.tick()
    assert world.releases.level == "II"
    with pytest.raises(DoorFault):
        await world.confirm(asked.id, "op.wang")
    assert world.releases.level == "II"
    done = await world.confirm(asked.id, "op.li")
    assert done == Confirmed(asked.id, "", None, 2, base)
    assert world.notices() == [("emergency.on", "II"), ("emergency.off", "II")]
    await world.switch.tick()
    assert (level_of_store(world), len(world.told)) == ("", 2)


async def test_what_takes_the_place_of_a_level_is_on_record_first_whenever_its_turn_comes(world: Released) -> None:
    """The confirmation comes in while none is in force, and waits behind the one that brings the first."""
    first_one = await world.switch.ask(wish("I"), "op.li")
    weaker = await world.switch.ask(wish("IV"), "op.wang")
    await world.releases.changing.acquire()
    confirming = [asyncio.create_task(world.confirm(one.id, "op.zhao")) for one in (first_one, weaker)]
    await asyncio.sleep(0)
    world.recording = False
    world.releases.changing.release()
    done, refused = await asyncio.gather(*confirming, return_exceptions=True)
    assert isinstance(done, Confirmed)  # it takes away, and must not depend on the disk
    assert isinstance(refused, DoorFault)
    assert (refused.code, world.releases.level) == ("audit_unavailable", "I")
    world.recording = True
    await world.confirm(weaker.id, "op.zhao")
    assert (world.recorded, world.releases.level) == ([weaker.id], "IV")


async def test_another_level_takes_the_place_of_the_first_which_does_not_come_back(world: Released) -> None:
    await raise_level(world, "II", 5.0)
    await raise_level(world, "I", 1.0)
    assert world.releases.level == "I"
    assert world.notices() == [("emergency.on", "II"), ("emergency.off", "II"), ("emergency.on", "I")]
    world.now += HOUR
    await world.switch.tick()
    assert (world.releases.level, level_of_store(world)) == ("", "")


async def test_the_same_level_again_moves_its_end(world: Released) -> None:
    await raise_level(world, "II", 1.0)
    await raise_level(world, "II", 3.0)
    world.now += 2 * HOUR
    await world.switch.tick()
    assert (world.releases.level, in_force(world.state, world.instant()).left) == ("II", HOUR)


async def test_a_flood_of_asking_moves_nothing(world: Released) -> None:
    await raise_level(world)
    for _ in range(60):
        await world.switch.ask(wish("IV"), "op.mallory")
    await world.switch.tick()
    assert (world.releases.level, level_of_store(world)) == ("II", "II")


async def test_reload_and_rollback_keep_the_level(world: Released) -> None:
    base = world.releases.compiled.digest
    await raise_level(world)
    world.device("laptop-98")
    outcome = await world.releases.reload("op")
    assert isinstance(outcome, Reloaded)
    assert (outcome.bundle[64:], outcome.previous, outcome.bundle != outcome.previous) == ("+II", f"{base}+II", True)
    assert await world.releases.rollback("", "op") == Reloaded(f"{base}+II", outcome.bundle)
    world.now += HOUR
    await world.switch.tick()
    assert (world.releases.compiled.digest, world.releases.pinned) == (base, True)


async def test_policies_without_the_level_in_force_are_refused(world: Released) -> None:
    await raise_level(world)
    active = world.releases.compiled.digest
    (world.folder / "emergency" / "II.yaml").unlink()
    outcome = await world.releases.reload("op")
    assert isinstance(outcome, Rejected)
    assert [fault.code for fault in outcome.faults] == ["P166"]
    assert world.releases.compiled.digest == active


async def test_a_restart_keeps_the_level_and_after_its_end_does_not(world: Released) -> None:
    base = world.releases.compiled.digest
    await raise_level(world)
    assert first(world.config, world.state, Instant(NOW + 60)).digest == f"{base}+II"
    assert first(world.config, world.state, Instant(NOW + HOUR)).digest == base
    world.now += HOUR
    world.again()
    await world.switch.tick()  # what ended while nobody was there is told all the same
    assert world.notices()[-1] == ("emergency.off", "II")
    assert world.state.standing_emergency() is None


async def test_what_was_confirmed_before_control_died_comes_into_force_when_it_is_back(world: Released) -> None:
    base = world.releases.compiled.digest
    asked = await world.switch.ask(wish(), "op.li")
    assert world.state.confirm_emergency(asked.id, "op.wang", Instant(NOW)) is not None  # and then it was killed
    world.releases.compiled = world.start
    await world.switch.tick()
    assert world.releases.compiled.digest == f"{base}+II"
    assert world.notices() == [("emergency.on", "II")]


async def test_a_level_does_not_bring_back_the_policies_of_the_start(world: Released) -> None:
    """A control process that came back and could not read what is in force must build nothing upon what was before."""
    world.device("laptop-98")
    outcome = await world.releases.reload("op")
    assert isinstance(outcome, Reloaded)
    place = world.config.state / "bundles" / outcome.bundle
    away = place.rename(world.config.state / "away")
    world.again()
    asked = await world.switch.ask(wish(), "op.li")
    with pytest.raises(DoorFault) as caught:
        await world.confirm(asked.id, "op.wang")
    assert caught.value.code == "state_unavailable"
    assert world.state.confirm_emergency(asked.id, "op.wang", Instant(NOW)) is not None
    await world.switch.tick()
    assert world.state.activations(1)[0].digest == outcome.bundle
    assert world.notices() == []
    away.rename(place)
    world.now += REGAIN
    await world.switch.tick()
    assert world.releases.compiled.digest == f"{outcome.bundle}+II" == world.state.activations(1)[0].digest
    assert world.notices() == [("emergency.on", "II")]


async def test_a_store_that_cannot_be_read_leaves_the_level(world: Released) -> None:
    await raise_level(world)
    world.state.close()
    world.now += HOUR
    await world.switch.tick()
    assert world.releases.level == "II"
    with pytest.raises(DoorFault) as caught:
        await world.switch.ask(wish(hours=2.0), "op.li")
    assert caught.value.code == "state_unavailable"


@pytest.mark.parametrize("seconds", [2 * HOUR, -2 * HOUR, 10 * 365 * 24 * HOUR])
async def test_a_clock_that_is_set_neither_ends_a_level_nor_prolongs_it(world: Released, seconds: float) -> None:
    """Whoever can set the clock (NTP is not authenticated) would end with it what two operators began."""
    worker = Worker(world)
    base = world.releases.compiled.digest
    await raise_level(world)
    assert worker.judging() == "II"
    world.set_clock(seconds)
    await world.switch.tick()
    assert first(world.config, world.state, world.instant()).digest == f"{base}+II"  # nor does a restart of the gateway
    world.now += HOUR - 1
    await world.switch.tick()
    await worker.look()
    assert (world.releases.level, level_of_store(world), worker.judging()) == ("II", "II", "II")
    said = await world.switch.view()
    assert isinstance(said, dict)
    assert said["until"] == world.now + 1  # by the clock that people see
    world.now += 1
    await worker.look()
    await world.switch.tick()
    assert (world.releases.level, level_of_store(world), worker.judging()) == ("", "", "")


async def test_after_another_start_of_the_machine_the_wall_clock_counts(world: Released) -> None:
    await raise_level(world)
    world.boot = "boot-2"
    world.now += HOUR - 1
    world.stepped = world.now  # the other clock began anew
    assert level_of_store(world) == "II"
    world.now += 1
    assert level_of_store(world) == ""


async def test_what_operators_see(world: Released) -> None:
    await raise_level(world)
    await world.switch.ask(wish("I"), "op.zhao")
    for _ in range(60):
        await world.switch.ask(wish("IV"), "op.mallory")
    said = await world.switch.view()
    assert isinstance(said, dict)
    assert (said["level"], said["until"]) == ("II", NOW + HOUR)
    assert [(row.level, row.by) for row in said["waiting"]] == [("IV", "op.mallory"), ("I", "op.zhao")]


# --- a worker alone -----------------------------------------------------------------------------------


class Worker:
    """What a worker knows, with its clock handed in; control is away."""

    def __init__(self, world: Released) -> None:
        self.world = world
        self.told: list[Notice] = []
        self.recalls: list[str] = []
        self.broken = False
        self.knowledge = Knowledge(world.board, world.start, self.active, self.recall, make, self.told.append)
        self.expiry = Expiry(self.knowledge, self.recall, self.told.append)

    def active(self) -> str:
        if self.broken:
            raise StateFault("broken", "损坏")
        now = self.world.instant()
        standing = in_force(self.world.state, now)
        self.expiry.until = now.clock + standing.left
        return standing.name

    def recall(self, name: str) -> Compiled:
        self.recalls.append(name)
        return recall(self.world.config.state, name, APIS)

    def judging(self) -> str:
        return self.knowledge.current().policy.bundle.level

    async def at(self, seconds: float) -> str:
        """The level it judges under after its look at this time (seconds after NOW)."""
        self.world.now = NOW + seconds
        await self.look()
        return self.judging()

    async def look(self) -> None:
        await self.expiry.look(self.world.instant().clock)


async def test_a_worker_returns_by_itself_at_the_end(world: Released) -> None:
    worker = Worker(world)
    assert worker.judging() == ""
    await raise_level(world)
    assert worker.judging() == "II"
    read = len(worker.recalls)
    assert await worker.at(HOUR - AHEAD - 1) == "II"
    assert len(worker.recalls) == read
    assert await worker.at(HOUR - AHEAD) == "II"
    assert len(worker.recalls) == read + 1  # prepared ahead
    assert await worker.at(HOUR) == ""
    assert len(worker.recalls) == read + 1  # and nothing was read at the flip
    assert await worker.at(HOUR + 60) == ""
    assert worker.told == []


async def test_a_worker_that_cannot_read_the_store_tries_again_each_second(world: Released) -> None:
    worker = Worker(world)
    await raise_level(world)
    assert worker.judging() == "II"
    worker.broken = True
    assert await worker.at(HOUR) == "II"  # a level only takes away: to keep it is the safe side
    assert await worker.at(HOUR + 0.5) == "II"
    assert await worker.at(HOUR + 1) == "II"
    assert [notice.name for notice in worker.told] == ["policy.unreadable"]  # told once
    worker.broken = False
    assert await worker.at(HOUR + 1.5) == "II"
    assert await worker.at(HOUR + 2) == ""


async def test_a_worker_follows_an_end_that_was_moved(world: Released) -> None:
    worker = Worker(world)
    await raise_level(world, "II", 1.0)
    assert worker.judging() == "II"
    await raise_level(world, "II", 2.0)
    assert worker.judging() == "II"
    assert await worker.at(HOUR + 1) == "II"
    assert await worker.at(2 * HOUR) == ""


async def test_a_worker_that_is_forked_after_the_end_begins_without_the_level(world: Released) -> None:
    await raise_level(world)
    world.now = NOW + HOUR
    assert Worker(world).judging() == ""  # control has not looked yet


async def test_a_return_that_cannot_be_prepared_is_told_once(world: Released) -> None:
    worker = Worker(world)
    await raise_level(world)
    assert worker.judging() == "II"
    bundles = world.config.state / "bundles"
    bundles.rename(bundles.with_name("away"))
    assert await worker.at(HOUR - 1) == "II"
    assert await worker.at(HOUR - 0.5) == "II"
    assert [notice.name for notice in worker.told] == ["policy.unprepared"]
    assert await worker.at(HOUR) == "II"
    bundles.with_name("away").rename(bundles)
    assert await worker.at(HOUR + 1) == ""
