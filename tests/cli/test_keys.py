"""`gateway keys`: which keys does this gateway have, and how does it get the next one for masking?"""

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from tests.cli.shell import Run


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "p")
    return tmp_path / "p"


def masks(run: Run, project: Path) -> dict[str, str]:
    done = run("keys", "list", "-c", project / "gateway.yaml", "-o", "json")
    assert done.code == 0, done.err
    return {one["file"]: one["use"] for one in done.json["keys"] if one["number"]}


def test_it_lists_what_each_key_is_for(run: Run, project: Path) -> None:
    done = run("keys", "list", "-c", project / "gateway.yaml")
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()[1:]] == [
        "ledger.key",
        "assertion.key",
        "object.key",
        "mask.key",
    ]
    assert masks(run, project) == {"mask.key": "both"}
    os.utime(project / "state" / "keys" / "mask.key", (0.0, 0.0))
    assert "1970-01-01 08:00:00+08:00" in run("keys", "list", "-c", project / "gateway.yaml").out  # as in people.yaml
    assert "签署检查点" in run("keys", "list", "-c", project / "gateway.yaml", "--lang", "zh-CN").out


def test_what_a_rotation_means_is_told_before_it_is_done(run: Run, project: Path) -> None:
    asked = run("keys", "rotate", "mask", "-c", project / "gateway.yaml", "-o", "json")
    assert (asked.code, asked.json) == (1, {"made": None, "number": 2})
    assert "`hash`, `fpe` and `noise` give other values" in asked.err
    assert masks(run, project) == {"mask.key": "both"}
    done = run("keys", "rotate", "mask", "--yes", "-c", project / "gateway.yaml", "-o", "json")
    assert (done.code, done.json["number"]) == (0, 2)
    assert Path(done.json["made"]).stat().st_mode & 0o777 == 0o600
    assert run("keys", "rotate", "mask", "--yes", "-c", project / "gateway.yaml", "--lang", "zh-CN").code == 0
    assert masks(run, project) == {"mask.key": "kept", "mask-2.key": "older", "mask-3.key": "newest"}
    assert run("check", "-c", project / "gateway.yaml").code == 0


def test_a_gateway_at_work_is_not_given_another_key(run: Run, project: Path) -> None:
    lock = os.open(project / "state" / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    done = run("keys", "rotate", "mask", "--yes", "-c", project / "gateway.yaml")
    os.close(lock)
    assert done.code == 1
    assert "stop it, rotate, start it" in done.err
    assert masks(run, project) == {"mask.key": "both"}


def test_without_keys_or_a_configuration_it_is_3(run: Run, project: Path, tmp_path: Path) -> None:
    assert run("keys", "list", "-c", "gone.yaml").code == 3
    (project / "state" / "keys" / "mask.key").unlink()
    done = run("keys", "rotate", "mask", "--yes", "-c", project / "gateway.yaml")
    assert (done.code, "gateway init" in done.err) == (3, True)


def test_a_lost_key_keeps_the_next_from_being_made(run: Run, project: Path) -> None:
    for _ in range(2):
        assert run("keys", "rotate", "mask", "--yes", "-c", project / "gateway.yaml").code == 0
    (project / "state" / "keys" / "mask-2.key").unlink()
    done = run("keys", "rotate", "mask", "--yes", "-c", project / "gateway.yaml")
    assert (done.code, "mask-2.key` is missing" in done.err) == (3, True)
    assert run("check", "-c", project / "gateway.yaml").code == 1


def test_only_the_key_that_rotates_is_taken(run: Run) -> None:
    assert run("keys", "rotate", "ledger").code == 2
