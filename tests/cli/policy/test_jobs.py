"""How is a long record judged by several processes?"""

from pathlib import Path

import pytest

from gateway.cli.policy.jobs import judged
from gateway.cli.policy.record import Span
from tests.literals import NOW


def test_results_come_in_order_from_several_processes(tmp_path: Path) -> None:
    spans = [Span(tmp_path, number, number + 1, False) for number in range(9)]
    assert list(judged(spans, lambda span: span.start, 4, "x")) == list(range(9))
    assert list(judged([], lambda span: span.start, 4, "x")) == []


def test_a_process_that_fails_is_an_error_and_not_an_end(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def judge(span: Span) -> float:
        if span.start == 3:
            raise OSError("gone")
        return NOW

    with pytest.raises(OSError, match="died"):
        list(judged([Span(tmp_path, number, number + 1, False) for number in range(5)], judge, 2, "x"))
