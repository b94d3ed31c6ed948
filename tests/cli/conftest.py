"""Running commands in an empty folder, a project to run them on, and a door that answers."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.shell import ROOT, Ran, Run, ran
from tests.config.conftest import write_pair
from tests.control.doors import SETTINGS, Behind, on_unix


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that ends soon, and its key."""
    folder = tmp_path_factory.mktemp("pairs")
    write_pair(folder / "tls.crt", folder / "tls.key", "api.example.gov")
    return folder


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process, in an empty folder; `environ` adds variables."""
    monkeypatch.chdir(tmp_path)
    for name in ("LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)

    def run_it(*words: str | Path, **environ: str) -> Ran:
        with monkeypatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            return ran(*words)

    return run_it


@pytest.fixture
def spawn(tmp_path: Path) -> Run:
    """Run `python -m gateway …` as a process of its own, in an empty folder; `environ` adds variables."""

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
    assert ran("init", folder).code == 0
    return folder


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[Behind]:
    """A control door at `c.sock` in the folder of `run`; the value says what it was asked."""
    made = Behind()
    opened, closing = threading.Event(), threading.Event()

    async def serve() -> None:
        from msgspec.structs import replace

        async with on_unix(made, tmp_path / "c.sock", replace(SETTINGS, uid=os.geteuid())):
            opened.set()
            await asyncio.get_running_loop().run_in_executor(None, closing.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert opened.wait(10)
    yield made
    closing.set()
    thread.join(10)
