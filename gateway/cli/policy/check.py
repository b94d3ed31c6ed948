"""`gateway policy check`: are the rules good?"""

import argparse
from typing import Any

from gateway.cli.parser import with_config
from gateway.cli.policy.meant import meant
from gateway.cli.screen import Screen, fault_values


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("check", help="policy.check.help", description="policy.check.help")
    with_config(parser)
    parser.add_argument("dir", nargs="?", default="", metavar="DIR", help="policy.folder")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read everything and run the tests: 0 good, 1 not."""
    screen = Screen(args)
    found = meant(args, screen)
    if found is None:
        return 3
    screen.faults(found.faults)
    for test in found.failed:
        screen.warn("policy.failed", "error", name=test.name, place=test.place, why=screen.choose(test.en, test.zh))
    good = not found.errors and not found.failed  # a reload refuses both
    if found.bundle is not None and good:
        screen.say("policy.good", "good", rules=found.rules, assets=found.assets, digest=found.bundle.digest[:12])
        if found.tests:
            screen.say("policy.tests", passed=len(found.tests), count=len(found.tests))
    else:
        screen.say("policy.bad", "error", count=found.errors, tests=len(found.failed))
    digest = found.bundle.digest if found.bundle else None
    tests = {"run": len(found.tests), "failed": [test.name for test in found.failed]}
    screen.result({"ok": good, "faults": fault_values(found.faults), "tests": tests, "bundle": digest})
    return 0 if good else 1
