"""`gateway asset`: the ledger of data assets: entering, comparing, completing and telling it.

Each command is a module with `register(commands)` and `run(args) -> exit code`, and brings its texts along as `WORDS`.
"""

from importlib import import_module
from typing import Any

from gateway.cli.asset import ledger, past, spec
from gateway.cli.texts import TEXTS

WORDS = {
    "asset.help": (
        "the ledger of data assets: import, compare, complete and report it",
        "数据资产台账：导入、比对、补全与报表",
    ),
}
COMMANDS = ("imports", "diff", "listing", "report", "scan", "propose", "contract")


def register(subparsers: Any) -> None:
    """Add the group and its commands."""
    group = subparsers.add_parser("asset", help="asset.help", description="asset.help")
    commands = group.add_subparsers(dest="asset_command", metavar="COMMAND", required=True)
    TEXTS.update(ledger.WORDS | spec.WORDS | past.WORDS)
    for name in COMMANDS:
        command = import_module(f"gateway.cli.asset.{name}")
        TEXTS.update(getattr(command, "WORDS", {}))
        command.register(commands)
