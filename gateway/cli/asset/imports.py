"""`gateway asset import`: an interface description, as an entry of the ledger.

Nothing is written without `--write`; what people recorded stays.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.asset.spec import Spec, spec, with_spec
from gateway.cli.screen import Screen, fault_values

if TYPE_CHECKING:
    from gateway.cli.asset.ledger import Asset, Kept, Ledger
    from gateway.inventory.drift import Drift

WORDS = {
    "asset.import.help": (
        "enter an OpenAPI document into the ledger; prints the file unless --write is said",
        "将 OpenAPI 文档录入台账；除非使用 --write，否则只打印",
    ),
    "asset.import.asset": ("the asset that it describes", "该文档描述的资产标识"),
    "asset.import.owner": (
        "the office that owns the data (needed for a new asset)", "数据的责任部门（新资产必填）",
    ),
    "asset.import.grade": (
        "grade of a new asset (default: what the document or the department says, else general-3 until reviewed)",
        "新资产的级别（默认按文档或部门的规定，否则在复核前按 general-3）",
    ),
    "asset.import.write": ("write it into the catalog", "写入目录"),
    "asset.import.head": ("entered by `gateway asset import` from {spec}", "由 `gateway asset import` 根据 {spec} 录入"),
    "asset.import.owner_needed": (
        "`{asset}` is new: say who owns it, --owner prov/civil", "`{asset}` 是新资产：请指明责任部门，例如 --owner prov/civil",
    ),
    "asset.import.id_odd": (
        "`{value}` is not an id: lower case letters, digits and hyphens, at most 120",
        "`{value}` 不是有效标识：仅限小写字母、数字和连字符，最多 120 个",
    ),
    "asset.import.known": (
        "`{asset}` is in the ledger with another `{key}`, which stays: edit {path}",
        "`{asset}` 已在台账中，且 `{key}` 不同，不会改动：请编辑 {path}",
    ),
    "asset.import.grade_odd": ("no grade `{value}`; possible: {known}", "没有级别 `{value}`，可用值：{known}"),
    "asset.import.moved": (
        "`{old}` lies outside of its API and becomes `{new}`", "`{old}` 不在其接口的路径范围内，改为 `{new}`",
    ),
    "asset.import.unlabelled": (
        "{spec}:{line}: nobody has said what `{path}` is: label it there, or in the ledger",
        "{spec}:{line}：`{path}` 尚未标注：请在该处或台账中标注",
    ),
    "asset.import.told": (
        "{asset}: {endpoints:endpoint} below `{prefix}/`, {fields:labelled field}, {open} without a label",
        "{asset}：`{prefix}/` 下 {endpoints} 个端点，{fields} 个已标注字段，{open} 个未标注",
    ),
    "asset.import.wrote": ("written: {path}", "已写入：{path}"),
    "asset.import.same": ("nothing to write: the ledger says all of it already", "无需写入：台账已包含全部内容"),
    "asset.import.unsafe": (
        "{path} is left as it is: {why}; enter what is printed by hand", "{path} 保持原样：{why}；请按打印内容手工录入",
    ),
    "asset.import.bad": ("not written: the catalog would have {count:error}", "未写入：目录将出现 {count} 个错误"),
    "asset.next": (
        "try it with `gateway policy check`, then `gateway reload`", "请先运行 `gateway policy check`，再 `gateway reload`",
    ),
}  # fmt: skip


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("import", help="asset.import.help", description="asset.import.help")
    with_spec(parser)
    parser.add_argument("--asset", required=True, metavar="ID", help="asset.import.asset")
    parser.add_argument("--owner", default="", metavar="ORG", help="asset.import.owner")
    parser.add_argument("--grade", default="", metavar="GRADE", help="asset.import.grade")
    parser.add_argument("--write", action="store_true", help="asset.import.write")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Enter a document: 0 good, 1 for faults in it or in what would become of the catalog, 2 usage, 3 cannot be read or written."""
    from gateway.cli.asset.ledger import Kept, judged, put, refused, tell_raised, with_assets
    from gateway.document import Unsafe
    from gateway.inventory.drift import drift
    from gateway.inventory.merge import entered, moved

    screen = Screen(args)
    read = spec(args, screen)
    if isinstance(read, int):
        return read
    found = read.ledger
    file = _file(args, found, screen)
    if file is None:
        return refused(screen, 2)
    prefixes = [api.prefix for api in found.place.apis if args.asset in api.data]
    there, ways = moved(file.asset, read.described, prefixes)
    for old, new in ways:
        screen.warn("asset.import.moved", "warning", old=old, new=new)
    after = entered(there, read.described, found.words)
    same = bool(file.text) and after == file.asset
    head = (screen.text("asset.import.head", spec=Path(args.spec).name),)
    try:
        text = file.text if same else with_assets(file, {file.at: after}, head)
    except Unsafe as unsafe:
        screen.warn("asset.import.unsafe", "error", path=file.path, why=screen.choose(unsafe.en, unsafe.zh))
        screen.line(with_assets(Kept(file.path, "", (after,), 0), {}, head).rstrip("\n"))
        return refused(screen, 3)
    errors, before, after_all = judged(found, {file.path: text})
    good = not errors and not any(one.file == str(file.path) for one in before)  # its own slip is not somebody else's
    screen.faults([*errors, *before])
    unlabelled = [one for one in drift(after, read.described, found.words) if one.kind == "unlabelled"]
    _tell(args, read, unlabelled, screen)
    tell_raised(found, after_all, screen)
    if errors:
        screen.warn("asset.import.bad", "error", count=len(errors))
    elif args.write and same:
        screen.say("asset.import.same", "good")
    elif args.write:
        if not put(file, text, screen):
            return refused(screen, 3)
        screen.say("asset.import.wrote", "good", path=file.path)
        screen.warn("asset.next", "dim")
    else:
        screen.line(text.rstrip("\n"))
    screen.result(
        {
            "ok": good,
            "file": str(file.path),
            "written": args.write and not errors and not same,
            "asset": after,
            "unlabelled": [one.name for one in unlabelled],
            "faults": fault_values([*errors, *before, *read.described.warnings]),
        }
    )
    return 0 if good else 1


def _file(args: argparse.Namespace, found: "Ledger", screen: Screen) -> "Kept | None":
    """The file of the asset, perhaps a new one; None after saying what is missing."""
    from gateway.catalog.declarations import ID
    from gateway.cli.asset.ledger import Kept, kept

    if args.grade and args.grade not in found.words:
        screen.warn("asset.import.grade_odd", "error", value=args.grade, known=", ".join(found.words))
        return None
    # without a grade what stands above it says one; where nothing does it counts as general-3 until somebody has looked
    graded: Asset = {"grade": args.grade} if args.grade else {}
    known = kept(found.place.folder, args.asset)
    if known is not None:
        other = ["owner"] if args.owner not in ("", known.asset["owner"]) else []
        recorded = found.words.get(str(known.asset.get("grade")))
        other += ["grade"] if args.grade and (recorded is None or found.words[args.grade] > recorded) else []
        for key in other:  # what people recorded stays: whoever asks for something else is not left to believe in it
            screen.warn("asset.import.known", "error", asset=args.asset, key=key, path=known.path)
        return None if other else known
    if not ID.match(args.asset):  # it becomes the name of a file
        screen.warn("asset.import.id_odd", "error", value=args.asset)
        return None
    if not args.owner:
        screen.warn("asset.import.owner_needed", "error", asset=args.asset)
        return None
    asset: Asset = {"id": args.asset, "owner": args.owner, "source": "imported"} | graded
    return Kept(found.place.folder / "catalog" / f"{args.asset}.yaml", "", (asset,), 0)


def _tell(args: argparse.Namespace, read: Spec, unlabelled: "list[Drift]", screen: Screen) -> None:
    for one in unlabelled:
        screen.warn("asset.import.unlabelled", "warning", spec=args.spec, line=str(one.line), path=one.name)
    screen.warn(
        "asset.import.told", "dim", asset=args.asset, endpoints=len(read.described.operations), prefix=read.prefix,
        fields=len(read.described.properties) - len(unlabelled), open=len(unlabelled),
    )  # fmt: skip
