"""What every test shares: asyncio as the only event loop backend."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
