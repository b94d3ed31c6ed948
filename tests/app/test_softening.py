"""What two operators began no edit of one of them softens; it may become stricter."""

import re

import pytest

from gateway.control import Rejected, Reloaded
from tests.app.released import Released
from tests.app.test_emergency import raise_level, world

__all__ = ["world"]
pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("file", "what", "instead"),
    [
        ("emergency/II.yaml", r"rules:\n(.|\n)*", "rules: []\n"),
        ("emergency/II.yaml", "freeze_grants: true", "freeze_grants: false"),
        ("emergency/II.yaml", "mask: pii-strict", "mask: none"),
        ("masks.yaml", r'secret: drop\n    "\*": redact', 'secret: drop\n    "*": keep'),
    ],
)
async def test_nobody_ends_a_level_alone_by_emptying_it(world: Released, file: str, what: str, instead: str) -> None:
    before = world.releases.compiled.digest
    path = world.folder / file
    said = path.read_text()
    path.write_text(re.sub(what, instead, said))
    weak = await world.releases.reload("op")  # nobody minds while it is not in force
    assert isinstance(weak, Reloaded)
    assert weak.bundle != before
    path.write_text(said)
    assert isinstance(await world.releases.reload("op"), Reloaded)
    await raise_level(world)
    path.write_text(re.sub(what, instead, said))
    for step in (world.releases.reload("op"), world.releases.rollback(weak.bundle, "op")):
        refused = await step
        assert isinstance(refused, Rejected)
        assert [fault.code for fault in refused.faults] == ["P168"]
    assert world.releases.compiled.digest == f"{before}+II"


@pytest.mark.parametrize(
    ("file", "what", "instead"),
    [
        (
            "people.yaml",
            "counter clerk}\n    includes: [employee]",
            "counter clerk}\n    includes: [employee, duty-officer]",
        ),
        ("people.yaml", "includes: [employee]", "includes: []"),
        ("catalog/market.yaml", "grade: general-2\n    contract", "grade: general-1\n    contract"),
        (
            "catalog/market.yaml",
            "      - GET /market/enterprises\n",
            "      - {path: GET /market/enterprises, action: other}\n",
        ),
        ("sites.yaml", "10.20.0.0/16", "10.0.0.0/8"),
    ],
)
async def test_nobody_softens_a_level_alone_by_what_its_rules_meet(
    world: Released, file: str, what: str, instead: str
) -> None:
    path = world.folder / file
    said = path.read_text()
    other = said.replace(what, instead)
    path.write_text(other)
    weak = await world.releases.reload("op")  # nobody minds while no level is in force
    assert isinstance(weak, Reloaded)
    path.write_text(said)
    back = await world.releases.reload("op")
    assert isinstance(back, Reloaded)
    assert back.bundle != weak.bundle
    await raise_level(world)
    path.write_text(other)
    for step in (world.releases.reload("op"), world.releases.rollback(weak.bundle, "op")):
        refused = await step
        assert isinstance(refused, Rejected)
        assert [(fault.code, fault.file) for fault in refused.faults] == [("P168", file.partition("/")[0])]


async def test_a_level_may_become_stricter_while_it_is_in_force(world: Released) -> None:
    await raise_level(world)
    path = world.folder / "emergency" / "II.yaml"
    path.write_text(path.read_text() + "\n  - {id: ii-more, effect: deny}\n")
    assert isinstance(await world.releases.reload("op"), Reloaded)
