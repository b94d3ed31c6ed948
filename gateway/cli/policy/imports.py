"""`gateway policy import`: the rules of a table, as files.

The table is judged in its folder, by the reader of rules: with what is declared there, and beside all other rules.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.parser import with_config
from gateway.cli.policy.meant import Located, located
from gateway.cli.screen import Screen, fault_values

if TYPE_CHECKING:
    from gateway.document import FileFault, Node
    from gateway.policy.sheet import Table

WORDS = {
    "import.help": ("read a table of rules (CSV) and write it as YAML", "读取规则表格（CSV）并写成 YAML"),
    "import.table": ("the table: comma-separated, with the header that `export` writes", "表格：逗号分隔，表头同 `export`"),
    "import.out": (
        "write into this file, or into the files that the table names below this folder (default: print it)",
        "写入该文件，或写入该目录下表格所列的文件（默认打印）",
    ),
    "import.check": ("only tell whether the table is good", "仅检查表格"),
    "import.encoding": ("how the table is encoded (default: utf-8)", "表格的编码（默认 utf-8）"),
    "import.force": ("replace files that are there; comments in them are lost", "替换已有文件；其中的注释会丢失"),
    "import.head": ("written by `gateway policy import` from {table}", "由 `gateway policy import` 根据 {table} 生成"),
    "import.good": ("good: {rules:rule} for {files:file}", "正确：{rules} 条规则，{files} 个文件"),
    "import.bad": ("not good: {count:error}; nothing was written", "未通过：{count} 个错误；未写入任何文件"),
    "import.wrote": ("written: {path}", "已写入：{path}"),
    "import.several": (
        "the table speaks for {files:file}: name a folder with -O, such as `-O policies`",
        "该表格涉及 {files} 个文件：请用 -O 指定目录，例如 `-O policies`",
    ),
    "import.where": (
        "there is no `{path}` here: name the policy folder behind the table, or write into one with -O",
        "此处没有 `{path}`：请在表格之后指定策略目录，或用 -O 写入策略目录",
    ),
    "import.next": ("try it with `gateway policy check` before a reload", "重新加载前请先运行 `gateway policy check`"),
}  # fmt: skip


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("import", help="import.help", description="import.help")
    with_config(parser)
    parser.add_argument("table", metavar="TABLE", help="import.table")
    parser.add_argument("dir", nargs="?", default="", metavar="DIR", help="policy.folder")
    parser.add_argument("-O", "--out", default="", metavar="PATH", help="import.out")
    parser.add_argument("--check", action="store_true", help="import.check")
    parser.add_argument("--encoding", choices=("utf-8", "gb18030"), default="utf-8", help="import.encoding")
    parser.add_argument("--force", action="store_true", help="import.force")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Judge and write the table: 0 good, 1 not, 2 for no place to write, 3 when something cannot be read or written."""
    from gateway.cli.policy.rewrite import Refused, take
    from gateway.document import Faulty, FileFault
    from gateway.policy.cells import decode

    screen = Screen(args)
    if not args.dir and not Path(args.config).is_file():
        args.dir = _folder_of(args.out)
        if not args.dir:
            screen.warn("import.where", "error", path=args.config)
            return 3
    place = located(args, screen)
    if place is None:
        return 3
    try:
        text = decode(take(Path(args.table)).data, args.table, args.encoding)
        table, warnings = _judged(text, args, place)
    except Refused as refused:
        screen.faults([FileFault(args.table, 1, 1, "P111", f"the table {refused.en}", f"表格{refused.zh}")])
        return 3
    except Faulty as faulty:
        screen.faults(faulty.faults)
        screen.say("import.bad", "error", count=sum(not fault.warning for fault in faulty.faults))
        screen.result({"ok": False, "faults": fault_values(faulty.faults), "files": {}})
        return 1
    screen.faults(warnings)
    files = _texts(table, args, screen)
    code = 0 if args.check else _write(files, args, screen)
    if code == 0 and (args.check or args.out):
        screen.say("import.good", "good", rules=table.rules, files=len(files))
    if code == 0 and args.out and not args.check:
        screen.warn("import.next", "dim")
    screen.result({"ok": code == 0, "faults": fault_values(warnings), "files": files})
    return code


def _folder_of(out: str) -> str:
    """The policy folder in which -O writes, known by its people.yaml; "" for none."""
    around = (Path(out), *Path(out).parents) if out else ()
    return next((str(path) for path in around if (path / "people.yaml").is_file()), "")


def _judged(text: str, args: argparse.Namespace, place: Located) -> "tuple[Table, tuple[FileFault, ...]]":
    """The table, and what the reader of rules warns about in it. Raises Faulty."""
    import time

    from gateway.catalog import load as load_catalog
    from gateway.document import Faulty
    from gateway.policy import load
    from gateway.policy.sheet import read_table

    table = read_table(text, args.table, _target(args, place.folder))
    catalog = load_catalog(place.folder / "catalog", place.apis)
    try:
        bundle = load(place.folder, catalog.assets, time.time(), _placed(table, args, place.folder))
    except Faulty as faulty:
        found = (table.named(one) if one.file == args.table else one for one in faulty.faults)
        raise Faulty(one for one in found if one.file == args.table or not one.warning) from None
    return table, tuple(table.named(one) for one in bundle.warnings if one.file == args.table)


def _placed(table: "Table", args: argparse.Namespace, folder: Path) -> "dict[str, Node]":
    """The files as the folder will have them: -O FILE moves the only one."""
    if args.out.endswith(".yaml") and len(table.files) == 1:
        return {_target(args, folder): root for root in table.files.values()}
    return table.files


def _target(args: argparse.Namespace, folder: Path) -> str:
    """The rule file of rows that name none: the one that is written, when it is one of the folder, else a new one."""
    if args.out.endswith(".yaml"):
        out = Path(args.out).resolve()
        if out.is_relative_to(folder.resolve()):
            return out.relative_to(folder.resolve()).as_posix()
    return f"rules/{Path(args.table).stem}.yaml"


def _texts(table: "Table", args: argparse.Namespace, screen: Screen) -> dict[str, str]:
    """The YAML of each file."""
    from gateway.cli.policy.forms import FILE
    from gateway.document import written

    head = (screen.text("import.head", table=Path(args.table).name),)
    return {name: written(root.plain(), FILE, head) for name, root in table.files.items()}


def _write(files: dict[str, str], args: argparse.Namespace, screen: Screen) -> int:
    """Write or print the files: an exit code."""
    single = args.out.endswith(".yaml") or not args.out
    if single and len(files) > 1 and not screen.json:
        screen.warn("import.several", "error", files=len(files))
        return 2
    if not args.out:
        for text in files.values():
            screen.line(text.rstrip("\n"))
        return 0
    targets = {Path(args.out) if single else Path(args.out) / name: text for name, text in files.items()}
    return 3 if _refused(targets, args, screen) else 0


def _refused(targets: dict[Path, str], args: argparse.Namespace, screen: Screen) -> bool:
    """Write the files, none of them when one is there already; whether something stopped it."""
    from gateway.cli.policy.rewrite import Refused, create, not_written, put, take
    from gateway.document import FileFault

    there = {path for path in targets if path.exists() or path.is_symlink()}
    if there and not args.force:
        en = "not written: it is there already; its comments would be lost"
        zh = "未写入：文件已存在，其中的注释会丢失"
        hint = ("write elsewhere, or say --force", "请写到别处，或使用 --force")
        screen.faults(FileFault(str(path), 1, 1, "P111", en, zh, *hint) for path in there)
        return True
    for path, text in targets.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path in there:
                put(take(path), text.encode())
            else:
                create(path, text.encode())
        except (Refused, OSError) as error:
            screen.faults([not_written(path, error)])
            return True
        screen.say("import.wrote", path=path)
    return False
