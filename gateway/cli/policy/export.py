"""`gateway policy export`: the rules as a table."""

import argparse
import sys
from pathlib import Path
from typing import Any

from gateway.cli.parser import with_folder
from gateway.cli.policy.meant import judging
from gateway.cli.screen import Screen, fault_values

WORDS = {
    "export.help": ("write the rules as a table (CSV), one row for each", "把规则导出为表格（CSV），每条规则一行"),
    "export.csv": ("as comma-separated values (RFC 4180), which is the default", "逗号分隔值（RFC 4180），即默认格式"),
    "export.excel": ("with the mark by which Excel knows UTF-8", "带 Excel 识别 UTF-8 所需的标记"),
    "export.out": ("write into this new file (default: print it)", "写入该新文件（默认打印）"),
    "export.done": ("{rules:rule} written: {path}", "已写出 {rules} 条规则：{path}"),
    "export.left": (
        "{path} has more than rules and stays as it is: a table does not carry it",
        "{path} 不只有规则，不写入表格，保持原样",
    ),
    "export.native": (
        "not in the table: {count:row} of casbin/; casbin/policy.csv is a table of its own",
        "casbin/ 中的 {count} 行未写入表格：casbin/policy.csv 本身就是表格",
    ),
}
FOLDERS = ("rules", "departments", "cities")
"""Where the rules stand that a table carries."""


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("export", help="export.help", description="export.help")
    with_folder(parser)
    parser.add_argument("--csv", action="store_true", help="export.csv")
    parser.add_argument("--excel", action="store_true", help="export.excel")
    parser.add_argument("-O", "--out", default="", metavar="FILE", help="export.out")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the table: 0, 1 when the rules have faults or do not fit into one, 3 when it cannot be written."""
    from gateway.cli.policy.rewrite import put_new
    from gateway.document import Faulty, read
    from gateway.policy.sheet import COLUMNS, exported, text_of

    screen = Screen(args)
    found = judging(args, screen)
    if isinstance(found, int):
        return found
    folder = found.read.folder
    paths = [path for kind in FOLDERS for path in sorted((folder / kind).glob("*.yaml"))]
    try:
        rows = exported((path.relative_to(folder).as_posix(), read(path)) for path in paths)
    except Faulty as faulty:
        screen.faults(faulty.faults)
        screen.result({"ok": False, "faults": fault_values(faulty.faults)})
        return 1
    text = text_of(rows, args.excel)
    if args.out:
        if not put_new(Path(args.out), text, screen):
            return 3
        screen.warn("export.done", "good", rules=len(rows), path=args.out)
    elif not screen.json:
        sys.stdout.write(text)
    for path in sorted((folder / "emergency").glob("*.yaml")):
        screen.warn("export.left", "dim", path=path)
    native = found.bundle.content.native
    left = len(native.rows) if native is not None else 0
    if left:
        screen.warn("export.native", "warning", count=left)
    screen.result({"ok": True, "left": left, "columns": COLUMNS, "rows": rows, "faults": []})
    return 0
