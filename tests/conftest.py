"""What every test shares: asyncio as the only event loop backend. Stories first, for they take longest."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of two processes, none is left alone with a long story at the end while the other has nothing to do."""
    items.sort(key=lambda item: "stories" not in item.path.parts)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
