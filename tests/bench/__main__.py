"""`python -m tests.bench`: measure, print the table, write build/bench.json. Speed never fails the exit code."""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from msgspec import to_builtins

from tests.bench import algorithms, data, engines, footprint, journey, load, machine, overload, peers, rooms, steps
from tests.bench.stage import Stage, stage
from tests.bench.table import Said, show
from tests.test_layout import ROOT

SECTIONS = (
    "journey",
    "steps",
    "decision",
    "engines",
    "replay",
    "masking",
    "data",
    "algorithms",
    "journal",
    "overload",
    "footprint",
)


def main(words: list[str]) -> int:
    """Measure what was asked for."""
    asked = _arguments(words)
    only = asked.only.split(",") if asked.only else list(SECTIONS)
    for name in only:
        if name not in SECTIONS:
            sys.exit(f"no section `{name}`; possible: {', '.join(SECTIONS)}")
    here = machine.here()
    print(f"{here.cpu}, {here.cores} cores, Python {here.python}, Linux {here.kernel}, load {here.load:.1f}")
    print(f"nginx: {peers.NGINX or 'not installed'} · wrk: {load.WRK or 'not installed, built-in generator'}")
    began = time.monotonic()
    found = _measure(only, asked)
    print(show(row for said in found.values() for row in said.rows))
    notes = [f"{name}: {note}" for name, said in found.items() for note in said.notes]
    crowd = os.getloadavg()[0]
    if max(crowd, here.load) > 1.5 * here.cores or here.load > 0.5 * here.cores:
        notes.append(
            f"this machine does other work (load {here.load:.1f} before, {crowd:.1f} after): trust ratios only"
        )
    if here.cores < 2:
        notes.append("one core only: load and gateway share it")
    print("".join(f"\nnote  {note}" for note in notes))
    _write(Path(asked.json), found, notes, here)
    print(f"\n{time.monotonic() - began:.0f} s; figures in {asked.json}")
    return 0


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute, noisier")
    parser.add_argument("--only", default="", help=f"sections, with commas: {','.join(SECTIONS)}")
    parser.add_argument("--seconds", type=int, default=0, help="of one measurement (default 2, quick 1)")
    parser.add_argument("--rounds", type=int, default=0, help="of the journey (default 5, quick 1)")
    parser.add_argument("--json", default=str(ROOT / "build" / "bench.json"), help="where the figures go")
    return parser.parse_args(words)


def _measure(only: list[str], asked: argparse.Namespace) -> dict[str, Said]:
    seconds, rounds = asked.seconds or (1 if asked.quick else 2), asked.rounds or (1 if asked.quick else 5)
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=build))  # beside the sources: a real disk, not a tmpfs
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        standing: list[Stage] = []

        def on_stage() -> Stage:
            if not standing:
                standing.append(stack.enter_context(stage(folder / "s")))
            return standing[0]

        todo: dict[str, Callable[[], Said]] = {
            "journey": lambda: journey.measure(on_stage(), rounds, seconds),
            "steps": lambda: steps.measure(folder, asked.quick),
            "decision": lambda: rooms.decisions(folder, asked.quick),
            "engines": lambda: engines.compare(asked.quick),
            "replay": lambda: rooms.replays(folder, asked.quick),
            "masking": lambda: rooms.masking(folder, asked.quick),
            "data": lambda: data.measure(folder, asked.quick),
            "algorithms": lambda: algorithms.measure(asked.quick),
            "journal": lambda: rooms.journal(folder, asked.quick),
            "overload": lambda: overload.measure(
                on_stage(), seconds if asked.quick else 2 * seconds, 1 if asked.quick else 3
            ),
            "footprint": lambda: footprint.measure(on_stage(), asked.quick),
        }
        found = {}
        for name in SECTIONS:
            if name in only:
                began = time.monotonic()
                print(f"  measuring {name} … ", end="", file=sys.stderr, flush=True)
                found[name] = todo[name]()
                print(f"{time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        return found


def _write(path: Path, found: dict[str, Said], notes: list[str], here: machine.Machine) -> None:
    rows = [to_builtins(row) | {"met": row.met} for said in found.values() for row in said.rows]
    data = {name: to_builtins(said.data, str_keys=True) for name, said in found.items()}
    said = {"at": time.time(), "machine": to_builtins(here), "rows": rows, "notes": notes, "measurements": data}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
