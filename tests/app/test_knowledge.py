"""A revision that was activated before a request came in is the one that judges it."""

import shutil
from pathlib import Path

import pytest

from gateway.app.knowledge import Knowledge
from gateway.app.revisions import Compiled, compile_folder
from gateway.device import Devices
from gateway.device import Settings as DeviceSettings
from gateway.facts import Deny, Grade, Notice, Permit, Report
from gateway.journey import Revision
from gateway.policy import Policy
from gateway.stores import Board
from tests.app.test_revisions import APIS, NOW, deny_everything
from tests.literals import a_subject, an_asset, some_facts
from tests.test_layout import ROOT


class NoPostures:
    """Nothing is known of any device."""

    def report(self, device: str) -> Report | None:
        return None

    def revoked(self, device: str) -> bool:
        return False


def make(compiled: Compiled) -> Revision:
    devices = Devices(DeviceSettings(), compiled.register, NoPostures())
    return Revision(compiled.catalog, Policy(compiled.bundle), devices, False)


class World:
    """A board, two compiled revisions, and what is recorded as active."""

    def __init__(self, folder: Path) -> None:
        self.board = Board.create(folder / "board", 2)
        shutil.copytree(ROOT / "policies", folder / "policies")
        self.first = compile_folder(folder / "policies", APIS, NOW)
        deny_everything(folder / "policies")
        self.second = compile_folder(folder / "policies", APIS, NOW)
        self.active = self.first.digest
        self.recalls = 0
        self.unreadable = False
        self.told: list[Notice] = []
        self.knowledge = Knowledge(self.board, self.first, lambda: self.active, self.recall, make, self.told.append)

    def recall(self, digest: str) -> Compiled:
        self.recalls += 1
        if digest != self.second.digest or self.unreadable:
            raise FileNotFoundError(digest)
        return self.second

    def activate(self, digest: str) -> None:
        self.active = digest
        self.board.bump("bundle")

    def judging(self) -> str:
        return self.knowledge.current().policy.bundle.digest


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


OPEN = some_facts(
    subject=a_subject(roles=(), org=""),
    asset=an_asset(id="enterprise", category="open-data", grade=Grade.GENERAL_2, action="read"),
)


def test_nothing_changes_before_the_word_moves(world: World) -> None:
    assert world.judging() == world.first.bundle.digest
    world.active = world.second.digest
    assert world.judging() == world.first.bundle.digest


def test_an_activation_is_followed_by_the_next_request(world: World) -> None:
    world.activate(world.second.digest)
    assert world.judging() == world.second.bundle.digest


def test_a_prepared_revision_flips_without_being_read_again(world: World) -> None:
    world.knowledge.prepare(world.second)
    assert world.knowledge.prepared(world.second.digest)
    world.activate(world.second.digest)
    assert world.judging() == world.second.bundle.digest
    assert world.recalls == 0


def test_preparing_changes_nothing_by_itself(world: World) -> None:
    world.knowledge.prepare(world.second)
    world.board.bump("bundle")
    assert world.judging() == world.first.bundle.digest


def test_a_revision_that_cannot_be_read_leaves_the_last_good_one(world: World) -> None:
    world.judging()
    world.activate("f" * 64)
    assert world.judging() == world.first.bundle.digest
    assert [notice.name for notice in world.told] == ["policy.unreadable"]


def test_a_worker_forked_before_an_activation_finds_it_at_its_first_request(world: World) -> None:
    world.activate(world.second.digest)
    late = Knowledge(world.board, world.first, lambda: world.active, world.recall, make, world.told.append)
    assert late.current().policy.bundle.digest == world.second.bundle.digest


def test_a_new_worker_that_cannot_read_what_is_active_denies(world: World) -> None:
    """It was forked with what was active at the start: that may be what was replaced because it let too much through."""
    world.unreadable = True
    world.activate(world.second.digest)
    late = Knowledge(world.board, world.first, lambda: world.active, world.recall, make, world.told.append)
    refused = late.current().policy.decide(OPEN)
    assert isinstance(refused, Deny)
    assert [(reason.code, reason.detail) for reason in refused.reasons] == [
        ("policy_error", "the policies in force cannot be read")
    ]
    world.unreadable = False
    late.try_again()
    assert late.current().policy.bundle.digest == world.second.bundle.digest


def test_a_new_worker_that_finds_the_start_still_active_judges_by_it(world: World) -> None:
    world.activate("f" * 64)
    assert isinstance(world.knowledge.current().policy.decide(OPEN), Deny)
    world.activate(world.first.digest)
    assert isinstance(world.knowledge.current().policy.decide(OPEN), Permit)


def test_what_could_not_be_read_is_tried_again_without_another_word(world: World) -> None:
    """A store that was locked for a moment must not leave one worker on the rules of before, for as long as nobody reloads."""
    world.unreadable = True
    world.activate(world.second.digest)
    assert world.judging() == world.first.bundle.digest
    world.unreadable = False
    assert world.judging() == world.first.bundle.digest  # not at every request: what is damaged would be read each time
    world.knowledge.try_again()
    assert world.judging() == world.second.bundle.digest
    world.knowledge.try_again()
    assert (world.judging(), world.recalls) == (world.second.bundle.digest, 2)


def test_what_stays_unreadable_is_told_once_and_tried_less_and_less(world: World) -> None:
    world.unreadable = True
    world.activate(world.second.digest)
    for _ in range(300):
        world.judging()
        world.knowledge.try_again()
    assert [notice.name for notice in world.told] == ["policy.unreadable"]
    assert 5 <= world.recalls <= 20
    world.activate("f" * 64)
    world.judging()
    assert len(world.told) == 2
