"""A project with its policies, in the folder of `run`."""

from pathlib import Path

import pytest

from tests.cli.asset.project import project, record
from tests.inventory.records import a_day


@pytest.fixture
def policies(tmp_path: Path, made: Path) -> Path:
    """The policy folder of a project that a test may change."""
    return project(tmp_path, made)


@pytest.fixture
def recorded(policies: Path, tmp_path: Path) -> Path:
    """A record beside the policies: two answers with unlabelled fields, a refusal, and paths that nobody listed."""
    return record(tmp_path, a_day())
