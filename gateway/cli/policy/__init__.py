"""`gateway policy`: writing, trying, comparing and releasing policies.

Each command is a module with `register(commands)` and `run(args) -> exit code`. A module may bring its texts along as
`WORDS` (key → English, Chinese); what several commands say stands in `gateway.cli.texts`.
"""

from importlib import import_module
from typing import Any

from gateway.cli.texts import TEXTS

COMMANDS = (
    "check",
    "tests",
    "fmt",
    "imports",
    "export",
    "lint",
    "mutate",
    "show",
    "explain",
    "sign",
    "history",
    "rollback",
    "pilot",
    "diff",
    "replay",
    "prove",
)


def register(subparsers: Any) -> None:
    """Add the group and its commands."""
    group = subparsers.add_parser("policy", help="policy.help", description="policy.help")
    commands = group.add_subparsers(dest="policy_command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        command = import_module(f"gateway.cli.policy.{name}")
        TEXTS.update(getattr(command, "WORDS", {}))
        command.register(commands)
