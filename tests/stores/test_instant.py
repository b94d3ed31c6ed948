"""Two clocks: one that people set, one that nobody does."""

import time

from gateway.stores import instant


def test_the_clock_of_the_machine_does_not_go_back_and_names_its_start() -> None:
    before, after = instant(), instant()
    assert before.boot == after.boot
    assert len(before.boot) == 36
    assert 0 < before.clock <= after.clock
    assert abs(after.at - time.time()) < 5
