"""How many recorded decisions can be judged again in a second? `python -m tests.review.figures [--entries N] [--people N]`.

A ledger is written as the sealer would write it (without signatures): requests of many people over a month, decided by
the shipped policies and encoded by the ledger's own function. Then `policy diff --replay` and `policy replay --all` are
measured as they run, reading included, one process, by the processor time they take: a second of one core.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from gateway.app.revisions import Compiled
from gateway.audit import encode
from gateway.audit.shelf import Shelf
from gateway.cli.policy.record import Span, Taken, decisions, ledger_spans
from gateway.review.diff import Comparison, Side
from gateway.review.replay import replay
from tests.review.history import SHIPPED, record, shipped

EDITS = {
    "the same policies": ("rules/20-civil.yaml", "", ""),
    "one rule edited": ("rules/20-civil.yaml", "org: [prov/civil, hz/civil]", "org: [prov/civil]"),
    "a mask edited": ("masks.yaml", "name: partial(1,0)", "name: redact"),
    "an asset regraded: everything by both in full": (
        "catalog/market.yaml",
        "grade: general-2\n",
        "grade: general-3\n",
    ),
}


def a_ledger(folder: Path, compiled: Compiled, count: int, people: int) -> Path:
    """A ledger of so many decisions."""
    shelf, entries, done = Shelf(folder), record(compiled, count, people), 0
    while batch := [encode(entry) for entry in islice(entries, 4096)]:
        shelf.append(batch, [bytes(32)] * len(batch))
        done += len(batch)
    shelf.close()
    return folder


def edited(folder: Path, file: str, old: str, new: str) -> Compiled:
    """The shipped policies with one text replaced."""
    shutil.copytree(SHIPPED, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")
    return shipped(folder)


def rate(work: Callable[[Span], int], spans: list[Span]) -> tuple[float, int]:
    """Decisions in a second of processor time, and what was counted."""
    began, counted = time.process_time(), 0
    for span in spans:
        counted += work(span)
    return counted / (time.process_time() - began), counted


def reading(span: Span) -> int:
    """Read only."""
    return sum(1 for _ in decisions(span, Taken()))


def comparing(old: Compiled, new: Compiled) -> Callable[[Span], int]:
    """Judge by both sides."""
    comparison = Comparison(Side(old.bundle, old.catalog), Side(new.bundle, new.catalog))

    def work(span: Span) -> int:
        taken = Taken()
        comparison.take(decisions(span, taken))
        return taken.decisions

    return work


def replaying(old: Compiled) -> Callable[[Span], int]:
    """Judge by what decided, compare every byte."""

    def work(span: Span) -> int:
        same = [replay(entry, old.bundle, old.catalog).same for entry in decisions(span, Taken())]
        assert all(same)
        return len(same)

    return work


def figures(count: int, people: int) -> dict[str, float]:
    """Decisions a second, by what is done."""
    with tempfile.TemporaryDirectory() as place:
        folder, old = Path(place), shipped()
        began = time.perf_counter()
        spans = ledger_spans(a_ledger(folder / "ledger", old, count, people))
        size = sum(span.end for span in spans) / 1e6
        print(
            f"{count:,} decisions of {people:,} people, {size:,.0f} MB, written in {time.perf_counter() - began:.0f} s"
        )
        found = {"reading alone": rate(reading, spans)[0]}
        for name, (file, before, after) in EDITS.items():
            new = edited(folder / name.replace(" ", "-"), file, before, after)
            found[name] = rate(comparing(old, new), spans)[0]
        found["replay, byte for byte"] = rate(replaying(old), spans)[0]
    return found


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--entries", type=int, default=1_000_000)
    words.add_argument("--people", type=int, default=200_000)
    asked = words.parse_args()
    for name, speed in figures(asked.entries, asked.people).items():
        print(f"{name:48} {speed:10,.0f} decisions/s")
