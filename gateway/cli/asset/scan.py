"""`gateway asset scan`: what does the record show that the ledger does not know?"""

import argparse
from typing import Any

from gateway.cli.asset.past import usage, with_since
from gateway.cli.parser import with_config
from gateway.cli.screen import Screen
from gateway.cli.times import spelled

WORDS = {
    "asset.scan.help": (
        "what the record shows and the ledger does not know: paths that are not listed, fields that nobody labelled",
        "列出记录中出现而台账未知的内容：未登记的路径、未标注的字段",
    ),
    "asset.scan.fields": ("fields that nobody labelled", "未标注的字段"),
    "asset.scan.paths": ("asked for and not listed (denied)", "被请求但未登记（已拒绝）"),
    "asset.scan.asset": ("asset", "资产"),
    "asset.scan.route": ("route", "路由"),
    "asset.scan.path": ("path", "路径"),
    "asset.scan.api": ("API", "接口"),
    "asset.scan.times": ("times", "次数"),
    "asset.scan.since": ("since", "首次"),
    "asset.scan.last": ("last", "最近"),
    "asset.scan.beyond": ("and {count:request} for further paths", "另有 {count} 次请求指向其他路径"),
    "asset.scan.clean": ("{count:entry|entries} read: the ledger knows all of it", "已读取 {count} 条记录：台账均已登记"),
    "asset.scan.found": (
        "{count:entry|entries} read: {fields:field} without a label, {paths:path} that no asset lists; `gateway asset propose` goes on",
        "已读取 {count} 条记录：{fields} 个字段未标注，{paths} 个路径未登记；可继续运行 `gateway asset propose`",
    ),
}  # fmt: skip
FIELDS = (
    "asset.scan.asset",
    "asset.scan.route",
    "asset.scan.path",
    "asset.scan.times",
    "asset.scan.since",
    "asset.scan.last",
)
PATHS = ("asset.scan.api", "asset.scan.path", "asset.scan.times", "asset.scan.since", "asset.scan.last")


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("scan", help="asset.scan.help", description="asset.scan.help")
    with_config(parser)
    with_since(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look through the record: 0 the ledger knows all, 1 it does not, 2 usage, 3 no record."""
    from gateway.cli.asset.ledger import ledger, refused
    from gateway.inventory.views import unlabelled_met, unlisted_met

    screen = Screen(args)
    found = ledger(args, screen)
    if found is None:
        return 3
    counted = usage(args, found.catalog.assets, screen)
    if isinstance(counted, int):
        return refused(screen, counted)
    zone = found.offices.zone
    fields, paths = unlabelled_met(counted), unlisted_met(counted)
    if fields:
        screen.say("asset.scan.fields", "bold")
        screen.table(
            [screen.text(key) for key in FIELDS],
            ((*row[:4], spelled(row[4], zone), spelled(row[5], zone)) for row in fields),
        )
    if paths:
        screen.say("asset.scan.paths", "bold")
        screen.table(
            [screen.text(key) for key in PATHS],
            ((*row[:3], spelled(row[3], zone), spelled(row[4], zone)) for row in paths),
        )
    if counted.beyond:
        screen.say("asset.scan.beyond", count=counted.beyond)
    key = "asset.scan.found" if fields or paths else "asset.scan.clean"
    values = {"fields": len({row[:3:2] for row in fields}), "paths": len(paths)} if fields or paths else {}
    screen.say(key, "warning" if fields or paths else "good", count=counted.entries, **values)
    screen.result(
        {
            "entries": counted.entries,
            "unlabelled": [
                dict(zip(("asset", "route", "path", "times", "first", "last"), row, strict=True)) for row in fields
            ],
            "unlisted": [dict(zip(("api", "path", "times", "first", "last"), row, strict=True)) for row in paths],
            "beyond": counted.beyond,
        }
    )
    return 1 if fields or paths else 0
