"""Decisions on record, for the commands that tell them."""

from pathlib import Path

import pytest

from tests.cli.policy.kept import Kept, keep


@pytest.fixture(scope="session")
def kept(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A state directory with a stored revision and decisions, to read only."""
    return keep(tmp_path_factory.mktemp("record") / "project", made)
