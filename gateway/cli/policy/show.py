"""`gateway policy show`: which rules are there?"""

import argparse
from typing import Any

from gateway.cli.parser import with_config
from gateway.cli.policy.meant import meant
from gateway.cli.screen import Screen

WORDS = {"policy.native_row": ("row of casbin/", "casbin/ 策略行")}


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("show", help="policy.show.help", description="policy.show.help")
    with_config(parser)
    parser.add_argument("dir", nargs="?", default="", metavar="DIR", help="policy.folder")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List the rules: 0, or 1 when they have faults."""
    screen = Screen(args)
    found = meant(args, screen)
    if found is None:
        return 3
    if found.bundle is None:
        screen.faults(found.faults)
        return 1
    content = found.bundle.content
    names = ("rule", "effect", "who", "org", "data", "action", "level")
    rows = [dict(zip(names, row, strict=False)) | {"where": content.places[row[0]]} for row in content.rules]
    screen.table([screen.text(f"policy.{name}") for name in (*names, "where")], [tuple(row.values()) for row in rows])
    native = content.native.lines() if content.native is not None else []
    if native:
        screen.table((screen.text("policy.where"), screen.text("policy.native_row")), native)
    screen.say("policy.shown", "dim", rules=found.rules, assets=found.assets, digest=found.bundle.digest[:12])
    screen.result({"bundle": found.bundle.digest, "rules": rows, "profiles": content.profiles, "native": native})
    return 0
