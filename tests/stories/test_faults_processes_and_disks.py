"""Processes are killed, the disk fills up, the power goes: what reached the service is on record all the same."""

from pathlib import Path

import pytest

from tests.soak import disk, kill, power, reloads
from tests.soak.trial import Trial


def test_nothing_is_lost_or_let_through_when_processes_are_killed_under_load(tmp_path: Path) -> None:
    trial = Trial("kill")
    kill.run(trial, tmp_path, rounds=2, timed=False)
    assert trial.broken == []


def test_a_full_disk_stops_forwarding_and_nothing_else_and_mends_itself(tmp_path: Path) -> None:
    trial = Trial("disk")
    disk.run(trial, tmp_path, times=1)
    if trial.skipped:
        pytest.skip(trial.skipped)
    assert trial.broken == []


def test_a_power_cut_takes_nothing_synced_and_only_the_last_moment_of_the_rest(tmp_path: Path) -> None:
    trial = Trial("power")
    power.run(trial, tmp_path, cuts=40, rounds=1)
    assert trial.broken == []


def test_in_a_storm_of_reloads_each_decision_belongs_to_one_revision(tmp_path: Path) -> None:
    trial = Trial("reloads")
    reloads.run(trial, tmp_path, seconds=1.5, door=0.0, least=10)
    assert trial.broken == []
