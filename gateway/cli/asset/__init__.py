"""`gateway asset`: the ledger of data assets: entering, comparing, completing and telling it.

Each command is a module with `register(commands)` and `run(args) -> exit code`, and brings its texts along as `WORDS`.
"""

from importlib import import_module
from typing import Any

from gateway.cli.asset import spec
from gateway.cli.texts import TEXTS

WORDS = {
    "asset.help": (
        "the ledger of data assets: import, compare, complete and report it",
        "数据资产台账：导入、比对、补全与报表",
    ),
    "asset.since": (
        "how far back the record is read: 7d, 12h (default: 30d), or a file of entries",
        "回溯多久的记录：7d、12h（默认 30d），或记录文件",
    ),
    "asset.unreadable": ("{count:entry|entries} of the record could not be read", "{count} 条记录无法读取"),
}
COMMANDS = ("imports", "diff")


def register(subparsers: Any) -> None:
    """Add the group and its commands."""
    group = subparsers.add_parser("asset", help="asset.help", description="asset.help")
    commands = group.add_subparsers(dest="asset_command", metavar="COMMAND", required=True)
    TEXTS.update(spec.WORDS)
    for name in COMMANDS:
        command = import_module(f"gateway.cli.asset.{name}")
        TEXTS.update(getattr(command, "WORDS", {}))
        command.register(commands)
