"""`python -m tests.soak [NAME...] [--quick]`: exit 0 when every promise was kept, 1 when one was broken."""

import argparse
import shutil
import sys
import tempfile
import time
import traceback
from importlib import import_module
from pathlib import Path

from tests.soak.trial import Trial

NAMES = (
    "policy_differential",
    "native_differential",
    "proofs",
    "masking_fuzz",
    "kill",
    "disk",
    "power",
    "issuer",
    "service",
    "slow",
    "policy",
    "reloads",
    "clock",
    "memory",
)


def say(line: str) -> None:
    print(line, flush=True)


def soak(name: str, quick: bool) -> Trial:
    """Run one soak in a folder of its own; what escapes it is a broken promise too."""
    module = import_module(f"tests.soak.{name}")
    trial = Trial(name, say)
    folder = Path(tempfile.mkdtemp(prefix=f"soak-{name}-"))
    try:
        module.run(trial, folder, **(module.QUICK if quick else module.FULL))
    except Exception:
        trial.must(False, "it runs to its end", traceback.format_exc()[-2000:])
    if trial.broken:
        say(f"  {name}: its files are kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return trial


def main() -> int:
    """Run what was asked for, in order; print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="a small version of each, less than two minutes in all")
    args = parser.parse_args()
    if unknown := set(args.names) - set(NAMES):
        parser.error(f"no such soak: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    lines, broken = [], 0
    for name in args.names or NAMES:
        began = time.monotonic()
        say(f"{name}: {(import_module(f'tests.soak.{name}').__doc__ or '').splitlines()[0]}")
        trial = soak(name, args.quick)
        broken += len(trial.broken)
        result = f"{len(trial.broken)} BROKEN" if trial.broken else "skipped" if trial.skipped else "held"
        lines.append(f"{name:<20} {result:<10} {time.monotonic() - began:6.1f} s")
    say("\n" + "\n".join(lines))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
