"""A project with its policies, in the folder of `run`."""

from pathlib import Path

import pytest

from tests.cli.asset.project import project


@pytest.fixture
def policies(tmp_path: Path, made: Path) -> Path:
    """The policy folder of a project that a test may change."""
    return project(tmp_path, made)
