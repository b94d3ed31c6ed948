"""`gateway asset report`: the ledger for those who answer for it: on screen, as a table, on paper."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gateway.cli.asset.past import with_since
from gateway.cli.parser import with_folder
from gateway.cli.screen import Screen, comma_separated
from gateway.cli.times import spelled

if TYPE_CHECKING:
    from gateway.inventory.views import View

WORDS = {
    "asset.report.help": (
        "the ledger as tables: departments and grades, identifiers, overdue reviews, who read what, what is unlabelled or exposed",
        "台账报表：部门与级别、标识类型、逾期复核、读取情况、未标注字段、明文展示",
    ),
    "asset.report.format": ("how it is written (default: text); csv is one table, see --view", "输出格式（默认 text）；csv 仅一张表，见 --view"),
    "asset.report.view": ("only this table; may be repeated", "仅输出该表；可重复"),
    "asset.report.excel": ("of csv: with the mark by which Excel knows UTF-8", "csv：加上 Excel 识别 UTF-8 所需的标记"),
    "asset.report.out": ("write into this new file (default: print it)", "写入该新文件（默认打印）"),
    "asset.report.one": (
        "a CSV file is one table: name it with --view ({known})", "CSV 文件只含一张表：请用 --view 指定（{known}）",
    ),
    "asset.report.made": ("made {at}, catalog {digest}", "生成于 {at}，目录版本 {digest}"),
    "asset.report.record": ("record read: {since}, {count:entry|entries}", "读取的记录：{since}，{count} 条"),
    "asset.report.no_record": ("no record was read: tables about use are left out", "未读取记录：不含使用情况的表"),
    "asset.report.none": ("none", "无"),
    "asset.report.wrote": ("written: {path}", "已写入：{path}"),
}  # fmt: skip
FORMATS = ("text", "csv", "json", "html")


def register(commands: Any) -> None:
    """Add the command."""
    from gateway.inventory import VIEWS

    parser = commands.add_parser("report", help="asset.report.help", description="asset.report.help")
    with_folder(parser)
    parser.add_argument("--format", choices=FORMATS, default="text", help="asset.report.format")
    parser.add_argument("--view", action="append", default=[], choices=VIEWS, help="asset.report.view")
    parser.add_argument("--excel", action="store_true", help="asset.report.excel")
    parser.add_argument("-O", "--out", default="", metavar="FILE", help="asset.report.out")
    with_since(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the report: 0, 2 usage, 3 something cannot be read or written, 5 written without the record."""
    from gateway.cli.asset.ledger import ledger, refused
    from gateway.cli.asset.past import usage
    from gateway.cli.policy.rewrite import put_new
    from gateway.inventory import VIEWS
    from gateway.inventory.views import OF_RECORD, views
    from gateway.inventory.words import spoken

    screen = Screen(args)
    form = "json" if screen.json else args.format
    wanted = tuple(dict.fromkeys(args.view)) or VIEWS
    if form == "csv" and len(wanted) != 1:
        screen.warn("asset.report.one", "error", known=", ".join(VIEWS))
        return refused(screen, 2)
    found = ledger(args, screen)
    if found is None:
        return 3
    now = time.time()
    counted = usage(args, found.catalog.assets, screen) if OF_RECORD & set(wanted) else None
    missing = isinstance(counted, int)
    if counted == 2:
        return refused(screen, 2)
    record = None if isinstance(counted, int) else counted
    chinese = screen.language == "zh-CN"
    each = views(found.catalog.assets, record, found.today, chinese, wanted, found.catalog.names)
    made = [_readable(view, found.offices.zone) for view in each]
    if chinese and form != "json":
        made = [spoken(view, found.offices.titles) for view in made]
    notes = [screen.text("asset.report.made", at=spelled(now, found.offices.zone), digest=found.catalog.digest[:12])]
    if missing:
        notes.append(screen.text("asset.report.no_record"))
    elif record is not None:
        notes.append(screen.text("asset.report.record", since=args.since, count=record.entries))
    text = _written(form, made, notes, args, screen)
    if not args.out:
        print(text, end="")
    elif put_new(Path(args.out), text, screen):
        screen.warn("asset.report.wrote", "good", path=args.out)
    else:
        return 3
    return 5 if missing else 0


def _readable(view: "View", zone: ZoneInfo) -> "View":
    """Times as people read them."""
    from msgspec.structs import replace

    rows = (tuple(spelled(cell, zone) if isinstance(cell, float) else cell for cell in row) for row in view.rows)
    return replace(view, rows=tuple(rows))


def _written(form: str, made: "list[View]", notes: list[str], args: argparse.Namespace, screen: Screen) -> str:
    from gateway.inventory.page import page

    at = screen.language == "zh-CN"
    if form == "html":
        return page(made, screen.language, notes)
    if form == "json":
        return _json(made, notes)
    if form == "csv":
        return "".join(comma_separated([words[at] for words in view.head], view.rows, args.excel) for view in made)
    parts = [*notes]
    for view in made:
        head = [words[at] for words in view.head]
        parts += ["", screen.paint(view.title[at], "bold")]
        parts.append(screen.tabled(head, view.rows) if view.rows else screen.text("asset.report.none"))
    return "\n".join(parts) + "\n"


def _json(made: "list[View]", notes: list[str]) -> str:
    import msgspec

    tables = {
        view.name: [dict(zip((words[0] for words in view.head), row, strict=True)) for row in view.rows]
        for view in made
    }
    return msgspec.json.format(msgspec.json.encode({"notes": notes, "views": tables}), indent=2).decode() + "\n"
