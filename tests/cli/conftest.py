"""Running commands in an empty folder, and a project to run them on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import ROOT, Ran, Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `gateway …` in an empty folder; `environ` adds variables."""

    def run_it(*words: str | Path, **environ: str) -> Ran:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "GATEWAY__"))}
        done = subprocess.run(
            [sys.executable, "-m", "gateway", *map(str, words)],
            cwd=tmp_path,
            env=clean | {"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"} | environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    return run_it


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project made by `gateway init`, to read only."""
    folder = tmp_path_factory.mktemp("project")
    subprocess.run([sys.executable, "-m", "gateway", "init", str(folder)], cwd=ROOT, check=True, capture_output=True)
    return folder
