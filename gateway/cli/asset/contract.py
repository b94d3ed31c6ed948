"""`gateway asset contract`: what would each endpoint's answers lose, if fields that nobody labelled were hidden?

So that `learn`, `warn` and `enforce` can be walked one after the other with open eyes. Nothing is changed: the contract
stands in the catalog.
"""

import argparse
from typing import TYPE_CHECKING, Any

from gateway.cli.asset.past import with_since
from gateway.cli.parser import with_folder
from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from gateway.inventory.contracts import Walked

WORDS = {
    "asset.contract.help": (
        "what the next contract of an endpoint would hide, by what was answered so far",
        "根据已有应答，说明端点改用更严约定后会隐藏什么",
    ),
    "asset.contract.route": ("only this endpoint: 'GET /civil/households'", "仅该端点：'GET /civil/households'"),
    "asset.contract.endpoint": ("endpoint", "端点"),
    "asset.contract.now": ("contract", "应答约定"),
    "asset.contract.answers": ("answers", "应答数"),
    "asset.contract.touched": ("would lose fields", "会缺字段"),
    "asset.contract.fields": ("fields that nobody labelled", "未标注的字段"),
    "asset.contract.advice": ("next", "下一步"),
    "asset.contract.enforced": ("enforced already", "已强制"),
    "asset.contract.enforce": ("nothing seen would be lost: enforce", "未见会缺失的字段：可改为 enforce"),
    "asset.contract.label": ("label them first", "请先标注"),
    "asset.contract.unlabelled": (
        "no field is labelled: begin with `gateway asset propose`", "没有已标注的字段：请先运行 `gateway asset propose`",
    ),
    "asset.contract.wait": ("no answers seen yet", "尚无应答"),
    "asset.contract.none": ("no endpoint `{route}` is listed; {hint}", "没有登记端点 `{route}`；{hint}"),
}  # fmt: skip
HEAD = (
    "asset.contract.endpoint", "asset.contract.now", "asset.contract.answers", "asset.contract.touched",
    "asset.contract.fields", "asset.contract.advice",
)  # fmt: skip
ADVICE = {
    "enforced": "asset.contract.enforced",
    "enforce": "asset.contract.enforce",
    "label": "asset.contract.label",
    "unlabelled": "asset.contract.unlabelled",
    "wait": "asset.contract.wait",
}
SHOWN = 5


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("contract", help="asset.contract.help", description="asset.contract.help")
    with_folder(parser)
    parser.add_argument("--route", default="", metavar="ROUTE", help="asset.contract.route")
    with_since(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Tell it: 0 enforcing would hide nothing that was seen, 1 it would or nobody looked, 2 usage, 3 no record."""
    from gateway.cli.asset.ledger import ledger, refused
    from gateway.cli.asset.past import usage
    from gateway.inventory.contracts import walked

    screen = Screen(args)
    found = ledger(args, screen)
    if found is None:
        return 3
    counted = usage(args, found.catalog.assets, screen)
    if isinstance(counted, int):
        return refused(screen, counted)
    each = [one for one in walked(found.catalog.assets, counted) if args.route in ("", one.route)]
    if not each:
        hint = screen.choose(*_near(args.route, [route.route for one in found.catalog.assets for route in one.routes]))
        screen.warn("asset.contract.none", "error", route=args.route, hint=hint)
        return refused(screen, 2)
    screen.table([screen.text(key) for key in HEAD], (_row(one, screen) for one in each))
    screen.result({"endpoints": each})
    return 1 if any(one.advice in ("label", "unlabelled") for one in each) else 0


def _near(route: str, routes: list[str]) -> tuple[str, str]:
    """The endpoint that was probably meant: often its method is missing."""
    from gateway.document import did_you_mean

    with_path = [one for one in routes if one.partition(" ")[2] == route]
    near = did_you_mean(route, with_path[:1] or routes)
    return near if near[0] else ("`gateway asset contract` lists all", "`gateway asset contract` 列出全部端点")


def _row(one: "Walked", screen: Screen) -> tuple[object, ...]:
    more = len(one.fields) - SHOWN
    fields = " ".join(one.fields[:SHOWN]) + (f" +{more}" if more > 0 else "")
    return one.route, one.contract, one.answers, one.touched, fields, screen.text(ADVICE[one.advice])
