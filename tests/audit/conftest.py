"""What the tests of the audit room share."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.audit.checkpoint import Signer
from gateway.audit.journal import Settings


@pytest.fixture
def signer() -> Signer:
    return Signer("gw.example.gov/audit", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "state")
