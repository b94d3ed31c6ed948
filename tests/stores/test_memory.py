"""The twin in memory fails as a lost disk does when a test asks for it; the rest is `tests/conformance`."""

import pytest

from gateway.stores import MemoryState, StateFault
from tests.literals import NOW


def test_a_broken_twin_keeps_and_tells_nothing() -> None:
    state = MemoryState()
    state.broken = True
    with pytest.raises(StateFault):
        state.revoke("token", "t", "", "op", NOW)
    with pytest.raises(StateFault):
        state.revocations(NOW)
    state.broken = False
    assert state.change() == 0
