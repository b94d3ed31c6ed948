"""`gateway policy test`: do the rules do what their authors wrote down?"""

import argparse
from typing import Any

from gateway.cli.parser import with_config
from gateway.cli.policy.meant import meant
from gateway.cli.screen import Screen


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("test", help="policy.test.help", description="policy.test.help")
    with_config(parser)
    parser.add_argument("dir", nargs="?", default="", metavar="DIR", help="policy.folder")
    parser.add_argument("-k", dest="filter", default="", metavar="TEXT", help="policy.filter")
    parser.add_argument("-v", dest="verbose", action="store_true", help="policy.verbose")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the tests beside the rules: 0 all pass, 1 not."""
    screen = Screen(args)
    found = meant(args, screen)
    if found is None:
        return 3
    if found.bundle is None or found.catalog is None:
        screen.faults(found.faults)
        return 1
    tests = [test for test in found.tests if args.filter in test.name]
    for test in tests:
        if not test.passed:
            screen.say("policy.failed", "error", name=test.name, place=test.place, why=screen.choose(test.en, test.zh))
        elif args.verbose:
            screen.say("policy.passed", name=test.name, place=test.place)
    passed = sum(test.passed for test in tests)
    good = passed == len(tests) > 0
    screen.say(
        "policy.tests" if tests else "policy.no_tests", "good" if good else "error", passed=passed, count=len(tests)
    )
    screen.result(
        {
            "ok": good,
            "passed": passed,
            "tests": [{"name": t.name, "place": t.place, "passed": t.passed, "en": t.en, "zh": t.zh} for t in tests],
        }
    )
    return 0 if good else 1
