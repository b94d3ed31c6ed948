"""How is a long record judged by several processes?

They are forked, so that what they judge by is inherited; only results are sent. One that dies ends the command: a part that
nobody judged must not pass for one without a difference.
"""

import sys
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from typing import TYPE_CHECKING, TypeVar

from gateway.cli.policy.record import Span

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

T = TypeVar("T")


def judged(spans: list[Span], judge: Callable[[Span], T], jobs: int, label: str) -> Iterator[T]:
    """What `judge` makes of each part, in their order, on `jobs` processes; with a progress bar on a terminal.

    Raises OSError, also when one of the processes died.
    """
    from rich.console import Console
    from rich.progress import Progress

    several = min(jobs, len(spans)) > 1  # they are started before the bar: it has a thread, and threads do not fork
    results = _apart(spans, judge, min(jobs, len(spans))) if several else map(judge, spans)
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task(label, total=sum(span.end - span.start for span in spans))
        for span, result in zip(spans, results, strict=True):
            bar.advance(task, span.end - span.start)
            yield result


def _apart(spans: list[Span], judge: Callable[[Span], T], jobs: int) -> Iterator[T]:
    """Each process takes every so-many-th part; what it judges by is inherited, only results are sent."""
    context = get_context("fork")
    pipes = [context.Pipe(duplex=False) for _ in range(jobs)]
    processes = [
        context.Process(target=_work, args=(spans[number::jobs], judge, sending), daemon=True)
        for number, (_, sending) in enumerate(pipes)
    ]
    for process, (_, sending) in zip(processes, pipes, strict=True):
        process.start()
        sending.close()
    return _gathered(len(spans), [receiving for receiving, _ in pipes], processes)


def _work(spans: list[Span], judge: Callable[[Span], object], sending: "Connection[object, object]") -> None:
    for span in spans:
        sending.send(judge(span))


def _gathered(count: int, receiving: "list[Connection[T, T]]", processes: "list[ForkProcess]") -> Iterator[T]:
    try:
        for number in range(count):
            yield receiving[number % len(receiving)].recv()
    except EOFError:
        raise OSError("a process that was judging has died") from None
    finally:
        for process in processes:
            process.terminate()
            process.join()
