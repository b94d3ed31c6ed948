"""`gateway asset diff`: does an interface still look as the ledger says?"""

import argparse
from typing import TYPE_CHECKING, Any

from gateway.cli.asset.spec import spec, with_spec
from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from gateway.cli.asset.ledger import Kept, Ledger
    from gateway.inventory.openapi import Described

WORDS = {
    "asset.diff.help": (
        "compare an OpenAPI document with the ledger: new, gone, graded otherwise, without a label",
        "比对 OpenAPI 文档与台账：新增、消失、定级不同、未标注",
    ),
    "asset.diff.asset": (
        "the asset that it describes (default: the one that lists its endpoints)", "该文档描述的资产（默认为登记了其端点的资产）",
    ),
    "asset.diff.which": (
        "several assets list these endpoints ({names}): name one with --asset", "有多项资产登记了这些端点（{names}）：请用 --asset 指定",
    ),
    "asset.diff.nowhere": (
        "no asset lists these endpoints below `{prefix}/`: say where they begin at the gateway, --prefix, or which asset they "
        "are of, --asset",
        "没有资产登记 `{prefix}/` 下的这些端点：请用 --prefix 指明其在网关上的前缀，或用 --asset 指定资产",
    ),
    "asset.diff.below": (
        "asset `{asset}` lists them below `{other}/`, not below `{prefix}/`: say --prefix {value}",
        "资产 `{asset}` 将其登记在 `{other}/` 之下，而非 `{prefix}/` 之下：请加 --prefix {value}",
    ),
    "asset.diff.none": ("there is no asset `{asset}` in the ledger", "台账中没有资产 `{asset}`"),
    "asset.diff.kind": ("difference", "差异"),
    "asset.diff.what": ("of", "对象"),
    "asset.diff.name": ("name", "名称"),
    "asset.diff.ledger": ("ledger", "台账"),
    "asset.diff.document": ("document", "文档"),
    "asset.diff.line": ("line", "行"),
    "asset.diff.new": ("new", "新增"),
    "asset.diff.gone": ("gone", "消失"),
    "asset.diff.otherwise": ("otherwise", "不同"),
    "asset.diff.unlabelled": ("no label", "未标注"),
    "asset.diff.whole": ("asset", "资产"),
    "asset.diff.endpoint": ("endpoint", "端点"),
    "asset.diff.field": ("field", "字段"),
    "asset.diff.same": ("{asset}: the document and the ledger agree", "{asset}：文档与台账一致"),
    "asset.diff.some": ("{asset}: {count:difference}", "{asset}：{count} 处差异"),
}  # fmt: skip

HEAD = (
    "asset.diff.kind", "asset.diff.what", "asset.diff.name", "asset.diff.ledger", "asset.diff.document", "asset.diff.line",
)  # fmt: skip
KINDS = {
    "new": "asset.diff.new",
    "gone": "asset.diff.gone",
    "otherwise": "asset.diff.otherwise",
    "unlabelled": "asset.diff.unlabelled",
}
OBJECTS = {"asset": "asset.diff.whole", "endpoint": "asset.diff.endpoint", "field": "asset.diff.field"}


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("diff", help="asset.diff.help", description="asset.diff.help")
    with_spec(parser)
    parser.add_argument("--asset", default="", metavar="ID", help="asset.diff.asset")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare: 0 the same, 1 drift or faults in the document, 2 usage, 3 something cannot be read."""
    from gateway.cli.asset.ledger import refused
    from gateway.inventory.drift import drift

    screen = Screen(args)
    read = spec(args, screen)
    if isinstance(read, int):
        return read
    file = _meant(args, read.ledger, read.described, screen)
    if file is None:
        return refused(screen, 2)
    differ = drift(file.asset, read.described, read.ledger.words)
    asset = str(file.asset["id"])
    if differ:
        rows = (
            (
                screen.text(KINDS[one.kind]),
                screen.text(OBJECTS[one.what]),
                one.name,
                one.ledger,
                one.document,
                one.line or "",
            )
            for one in differ
        )
        screen.table([screen.text(key) for key in HEAD], rows)
        screen.say("asset.diff.some", "warning", asset=asset, count=len(differ))
    else:
        screen.say("asset.diff.same", "good", asset=asset)
    screen.result({"same": not differ, "asset": asset, "drift": differ})
    return 1 if differ else 0


def _meant(args: argparse.Namespace, found: "Ledger", described: "Described", screen: Screen) -> "Kept | None":
    """The asset that the document describes; None after saying that it is not clear."""
    from gateway.cli.asset.ledger import every, kept
    from gateway.inventory.drift import endpoints_of, same_requests

    folder = found.place.folder
    if args.asset:
        named = kept(folder, args.asset)
        if named is None:
            screen.warn("asset.diff.none", "error", asset=args.asset)
        return named
    carrying = [
        file
        for file in every(folder)
        if any(same_requests(one, other) for one in endpoints_of(file.asset, {}) for other in described.operations)
    ]
    if len(carrying) == 1:
        return carrying[0]
    if carrying:
        screen.warn("asset.diff.which", "error", names=", ".join(str(file.asset["id"]) for file in carrying))
    else:
        _tell_nowhere(described, every(folder), screen)
    return None


def _tell_nowhere(described: "Described", files: "list[Kept]", screen: Screen) -> None:
    """Say that no asset lists these endpoints, and where one lists them below another prefix."""
    from gateway.inventory.drift import endpoints_of, under

    prefix = described.prefix
    for file in files:
        pairs = ((one, other) for one in endpoints_of(file.asset, {}) for other in described.operations)
        before = next((found for one, other in pairs for found in under(one, other, prefix)), None)
        if before is not None:
            other = "".join(f"/{piece}" for piece in before)
            said = {"asset": str(file.asset["id"]), "other": other, "prefix": prefix, "value": other or '""'}
            screen.warn("asset.diff.below", "error", **said)
            return
    screen.warn("asset.diff.nowhere", "error", prefix=prefix)
