"""A restart brings back nothing that was taken out of force, and softens no level."""

import re
from pathlib import Path

import pytest

from gateway.app.signatures import sign
from gateway.app.start import first
from gateway.document import Faulty
from gateway.stores import Instant
from tests.app.released import Released
from tests.app.test_emergency import HOUR, raise_level, world
from tests.app.test_releases import two
from tests.app.test_revisions import NOW
from tests.app.test_signatures import LI

__all__ = ["world"]
pytestmark = pytest.mark.anyio


async def test_a_start_keeps_what_is_pinned_and_can_be_told_to_follow(world: Released) -> None:
    before, after = await two(world)
    await world.releases.rollback("", "op")
    assert first(world.config, world.state, Instant(NOW)).digest == before
    assert world.state.activations(1)[0].pinned is True
    assert first(world.config, world.state, Instant(NOW), follow=True).digest == after
    assert world.state.activations(1)[0].pinned is False


async def test_a_start_does_not_replace_a_pinned_revision_that_is_lost(world: Released) -> None:
    before, _ = await two(world)
    await world.releases.rollback("", "op")
    (world.config.state / "bundles" / before).rename(world.config.state / "away")
    with pytest.raises(Faulty) as caught:
        first(world.config, world.state, Instant(NOW))
    assert [fault.code for fault in caught.value.faults] == ["P167"]


@pytest.mark.parametrize("lost", [False, True])
async def test_a_pilot_of_what_was_never_signed_ends_with_the_start_at_which_signatures_count(
    tmp_path: Path, lost: bool
) -> None:
    """Workers read of a pilot in the store, and would ask its candidate before anybody looked at it."""
    world = Released(tmp_path)
    before, _ = await two(world)
    world.state.start_pilot(before, "{}", "op", NOW)
    first(world.config, world.state, Instant(NOW))
    assert world.state.pilot() is not None  # as long as nobody has to sign it goes on
    sign(world.folder, LI)
    world.config.policy_signers = (LI.vkey,)
    if lost:
        (world.config.state / "bundles" / before).rename(world.config.state / "away")
    first(world.config, world.state, Instant(NOW))
    assert world.state.pilot() is None
    assert [(one.ended_by, one.why) for one in world.state.pilots()] == [("gateway", "its candidate is not signed")]
    world.state.close()


@pytest.mark.parametrize("gone", [False, True])
async def test_an_edit_and_a_restart_soften_no_level(world: Released, gone: bool) -> None:
    base = world.releases.compiled.digest
    await raise_level(world)
    path = world.folder / "emergency" / "II.yaml"
    if gone:
        path.unlink()
    else:
        path.write_text(re.sub(r"rules:\n(.|\n)*", "rules: []\n", path.read_text()))
    assert first(world.config, world.state, world.instant()).digest == f"{base}+II"
    assert world.state.activations(1)[0].pinned  # what decides is not what the folder says
    world.now += HOUR
    assert first(world.config, world.state, world.instant()).digest == base
    assert first(world.config, world.state, world.instant(), follow=True).digest != base


async def test_a_restart_follows_an_edit_that_softens_nothing(world: Released) -> None:
    base = world.releases.compiled.digest
    await raise_level(world)
    world.device("laptop-98")
    name = first(world.config, world.state, world.instant()).digest
    assert (name.endswith("+II"), name == f"{base}+II", world.state.activations(1)[0].pinned) == (True, False, False)
