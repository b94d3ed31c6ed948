"""One revision follows the other through one gate; what was chosen by name stays."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.app.releases import Releases
from gateway.app.revisions import base_of
from gateway.app.signatures import sign
from gateway.control import DoorFault, Rejected, Reloaded
from gateway.document import Faulty
from tests.app.released import Released
from tests.app.test_revisions import NOW
from tests.app.test_signatures import LI, MALLORY

pytestmark = pytest.mark.anyio


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Released]:
    made = Released(tmp_path)
    yield made
    made.state.close()


async def reloaded(world: Released) -> str:
    outcome = await world.releases.reload("op.li")
    assert isinstance(outcome, Reloaded)
    return outcome.bundle


async def two(world: Released) -> tuple[str, str]:
    """Two revisions, the second in force."""
    before = world.releases.compiled.digest
    world.device("laptop-98")
    return before, await reloaded(world)


async def test_a_reload_follows_the_folder_and_is_kept_with_who_asked(world: Released) -> None:
    before, after = await two(world)
    assert before != after
    assert [(row.digest, row.by, row.pinned) for row in world.state.activations()] == [
        (after, "op.li", False),
        (before, "gateway", False),
    ]


async def test_a_rollback_brings_back_the_one_before_and_pins_it(world: Released) -> None:
    before, after = await two(world)
    assert await world.releases.rollback("", "op.wang") == Reloaded(before, after)
    latest = world.state.activations(1)[0]
    assert (latest.digest, latest.by, latest.pinned) == (before, "op.wang", True)


async def test_a_second_bare_rollback_does_not_bring_back_what_the_first_one_left(world: Released) -> None:
    """In haste people ask twice: the bad revision must not come back without being named."""
    before, after = await two(world)
    await world.releases.rollback("", "op.wang")
    world.state.activate(before, "gateway", NOW, pinned=True)  # a restart
    with pytest.raises(DoorFault) as caught:
        await world.releases.rollback("", "op.wang")
    assert (caught.value.code, world.releases.compiled.digest) == ("conflict", before)
    assert f"name a digest: {after[:12]}" in caught.value.detail
    assert f"请指明摘要：{after[:12]}" in caught.value.zh
    assert await world.releases.rollback(after[:12], "op.wang") == Reloaded(after, before)


async def test_an_emergency_level_in_between_is_no_coming_back(world: Released) -> None:
    before, after = await two(world)
    world.state.activate(f"{after}+II", "op", NOW)
    world.state.activate(after, "gateway", NOW)
    assert await world.releases.rollback("", "op.wang") == Reloaded(before, after)


async def test_after_the_mended_one_a_bare_rollback_goes_to_the_good_one(world: Released) -> None:
    before, _ = await two(world)
    await world.releases.rollback("", "op.wang")
    world.device("laptop-99")
    mended = await reloaded(world)
    assert await world.releases.rollback("", "op.wang") == Reloaded(before, mended)


async def test_a_rollback_names_a_digest_or_its_beginning(world: Released) -> None:
    before, _ = await two(world)
    world.device("laptop-99")
    last = await reloaded(world)
    assert await world.releases.rollback(before[:8], "op") == Reloaded(before, last)
    assert await world.releases.rollback(last, "op") == Reloaded(last, before)


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("abc", "bad_request"),
        ("../../../../etc", "bad_request"),
        ("A" * 8, "bad_request"),
        ("0" * 64, "not_found"),
        ("g" * 64, "bad_request"),
        ("0" * 65, "not_found"),
    ],
)
async def test_what_names_no_revision_is_refused(world: Released, to: str, code: str) -> None:
    active = world.releases.compiled.digest
    with pytest.raises(DoorFault) as caught:
        await world.releases.rollback(to, "op")
    assert (caught.value.code, world.releases.compiled.digest) == (code, active)


async def test_without_another_revision_there_is_nothing_to_go_back_to(world: Released) -> None:
    with pytest.raises(DoorFault) as caught:
        await world.releases.rollback("", "op")
    assert caught.value.code == "not_found"


async def test_a_draft_that_never_was_in_force_is_no_way_back(world: Released) -> None:
    stored = world.config.state / "bundles" / ("d" * 64)
    stored.mkdir()
    with pytest.raises(DoorFault) as caught:
        await world.releases.rollback("d" * 64, "op")
    assert caught.value.code == "not_found"


async def test_a_beginning_of_two_revisions_is_refused(world: Released) -> None:
    for digit in "01":
        world.state.activate("ab" * 31 + "0" + digit, "op", NOW)
    with pytest.raises(DoorFault) as caught:
        await world.releases.rollback("abababab", "op")
    assert caught.value.code == "bad_request"


async def test_what_is_not_stored_any_more_is_said(world: Released) -> None:
    before, _ = await two(world)
    (world.config.state / "bundles" / before).rename(world.config.state / "away")
    with pytest.raises(DoorFault) as caught:
        await world.releases.rollback("", "op")
    assert (caught.value.code, caught.value.detail) == ("not_found", f"{before[:12]} is no longer stored")


async def test_a_stored_folder_that_was_changed_is_another_revision_and_its_tests_run(world: Released) -> None:
    """Whoever can write into the state directory does not get it in force under the old name."""
    before, after = await two(world)
    place = world.config.state / "bundles" / before
    (place / "tests").mkdir()
    (place / "tests" / "1.yaml").write_text(
        "tests:\n  - {name: nobody may, given: {role: clerk}, request: GET /civil/households/1, expect: permit, rule: x}\n"
    )
    outcome = await world.releases.rollback("", "op")
    assert isinstance(outcome, Rejected)
    assert {fault.code for fault in outcome.faults} <= {"P093", "P098"}
    assert world.releases.compiled.digest == after


async def test_what_is_pinned_does_not_follow_the_folder_until_somebody_asks(world: Released) -> None:
    before, after = await two(world)
    await world.releases.rollback("", "op")
    world.device("laptop-99")
    assert await world.releases.follow("gateway") is None
    assert (world.releases.compiled.digest, world.notices()) == (before, [("policy.pinned", before)])
    newest = await reloaded(world)
    assert newest not in (before, after)
    assert world.releases.pinned is False
    assert await world.releases.follow("gateway") == Reloaded(newest, newest)


async def test_a_file_that_is_saved_during_a_rollback_does_not_undo_it(world: Released) -> None:
    before, _ = await two(world)
    await world.releases.changing.acquire()  # whoever comes first waits, and the other behind
    back = asyncio.create_task(world.releases.rollback("", "op"))
    await asyncio.sleep(0)
    world.device("laptop-99")
    follows = asyncio.create_task(world.releases.follow("gateway"))
    await asyncio.sleep(0)
    world.releases.changing.release()
    await back
    assert await follows is None
    assert world.releases.compiled.digest == before


async def test_a_reload_of_the_very_same_only_takes_the_pin_out(world: Released) -> None:
    await two(world)
    await world.releases.rollback("", "op")
    world.folder.joinpath("devices.yaml").write_text(
        world.folder.joinpath("devices.yaml").read_text().replace("  - {id: laptop-98, org: prov, managed: true}\n", "")
    )
    active = world.releases.compiled.digest
    assert await world.releases.reload("op") == Reloaded(active, active)
    assert world.releases.pinned is False


async def test_a_control_process_that_comes_back_knows_what_is_active_by_now(world: Released) -> None:
    _, after = await two(world)
    world.again()
    assert world.releases.compiled.digest == after
    assert await world.releases.reload("op") == Reloaded(after, after)


async def test_a_control_process_that_cannot_read_what_is_active_can_be_helped(world: Released) -> None:
    before, after = await two(world)
    (world.config.state / "bundles" / after).rename(world.config.state / "away")
    world.again()
    with pytest.raises(DoorFault) as caught:
        await world.releases.regain()
    assert caught.value.code == "state_unavailable"
    assert await world.releases.rollback("", "op") == Reloaded(before, before)  # the one before what is lost
    assert world.state.activations(1)[0].digest == before
    await world.releases.regain()
    assert world.releases.compiled.digest == before


async def test_history_tells_who_when_pinned_and_what_is_left(world: Released) -> None:
    before, after = await two(world)
    await world.releases.rollback("", "op.wang")
    (world.config.state / "bundles" / after).rename(world.config.state / "away")
    said = await world.releases.history()
    assert isinstance(said, dict)
    assert (said["active"], said["pinned"]) == (before, True)
    assert [(row.digest, row.by, row.way, row.pinned, row.stored) for row in said["history"]] == [
        (before, "op.wang", "rollback", True, True),
        (after, "op.li", "reload", False, False),
        (before, "gateway", "start", False, True),
    ]


async def test_what_nobody_signed_comes_into_force_on_no_way(tmp_path: Path) -> None:
    Released(tmp_path).state.close()
    with pytest.raises(Faulty) as caught:
        Released(tmp_path, signers=(LI.vkey,))
    assert [fault.code for fault in caught.value.faults] == ["P160"]
    sign(tmp_path / "policies", LI)
    world = Released(tmp_path, signers=(LI.vkey,))
    good = world.releases.compiled.digest
    world.device("laptop-99")
    refused = await world.releases.reload("op")
    assert isinstance(refused, Rejected)
    assert {fault.code for fault in refused.faults} == {"P161"}
    sign(world.folder, MALLORY)
    assert isinstance(await world.releases.reload("op"), Rejected)
    sign(world.folder, LI)
    newer = await reloaded(world)
    assert await world.releases.rollback("", "op") == Reloaded(good, newer)
    world.state.close()


async def test_a_rollback_to_what_was_never_signed_is_refused_once_signatures_count(tmp_path: Path) -> None:
    world = Released(tmp_path)
    await two(world)
    sign(world.folder, LI)
    world.config.policy_signers = (LI.vkey,)
    world.again()
    refused = await world.releases.rollback("", "op")
    assert isinstance(refused, Rejected)
    assert [fault.code for fault in refused.faults] == ["P160"]
    world.state.close()


async def test_two_changes_at_once_come_one_after_the_other(world: Released) -> None:
    before, after = await two(world)
    both = await asyncio.gather(
        world.releases.rollback("", "a"), world.releases.rollback("", "b"), return_exceptions=True
    )
    assert both[0] == Reloaded(before, after)
    assert isinstance(both[1], DoorFault)  # it sees the change of the first, and asks which one is meant
    assert world.releases.compiled.digest == before


async def test_a_store_that_fails_leaves_what_is_in_force(world: Released) -> None:
    _, after = await two(world)
    world.state.close()
    with pytest.raises(DoorFault) as caught:
        await world.releases.rollback("", "op")
    assert (caught.value.code, base_of(world.releases.compiled.digest)) == ("state_unavailable", after)


async def test_a_worker_that_cannot_prepare_in_time_keeps_everything_as_it_is(
    world: Released, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    monkeypatch.setattr("gateway.app.releases.PREPARE_SECONDS", 0.05)
    world.board.slot(1).claim(os.getpid(), NOW, "worker")  # a worker that never prepares anything
    active = world.releases.compiled.digest
    world.device("laptop-98")
    outcome = await world.releases.reload("op")
    assert isinstance(outcome, Rejected)
    assert [fault.code for fault in outcome.faults] == ["P097"]
    assert (world.releases.compiled.digest, world.state.activations(1)[0].digest) == (active, active)
    assert isinstance(world.releases, Releases)
