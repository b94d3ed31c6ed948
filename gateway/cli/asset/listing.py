"""`gateway asset list`: which data is there, whose is it, how sensitive, and who has looked at it?"""

import argparse
from typing import TYPE_CHECKING, Any

from gateway.cli.asset.past import with_since
from gateway.cli.parser import with_folder
from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from gateway.catalog import Listing
    from gateway.cli.asset.ledger import Ledger
    from gateway.inventory.usage import Usage

WORDS = {
    "asset.list.help": ("the assets of the ledger, as many as fit all that is asked", "列出台账中符合全部条件的资产"),
    "asset.list.department": ("of this office and those below it: prov/civil", "该机构及其下级的资产，例如 prov/civil"),
    "asset.list.owner": ("of this office alone", "仅该机构的资产"),
    "asset.list.grade": ("of this grade, or with an endpoint or field of it", "该级别的资产，或含有该级别端点或字段的资产"),
    "asset.list.identifier": ("with a field that carries this identifier: phone", "含有该标识类型字段的资产，例如 phone"),
    "asset.list.unlabelled": ("with an endpoint that nobody labelled, or without any labelled field", "含未标注端点或没有任何已标注字段的资产"),
    "asset.list.expired": ("with a review that is overdue", "复核已逾期的资产"),
    "asset.list.exposed": ("of which labelled values were shown in clear, by the record", "记录显示曾以明文展示过标注值的资产"),
    "asset.list.asset": ("asset", "资产"),
    "asset.list.title": ("title", "名称"),
    "asset.list.owned": ("department", "责任部门"),
    "asset.list.graded": ("grade", "级别"),
    "asset.list.highest": ("highest", "最高级别"),
    "asset.list.endpoints": ("endpoints", "端点"),
    "asset.list.fields": ("fields", "字段"),
    "asset.list.reviewed": ("reviewed", "复核"),
    "asset.list.count": ("{count:asset}", "{count} 项资产"),
    "asset.list.no_office": ("no office `{value}`; {hint}", "没有机构 `{value}`；{hint}"),
    "asset.list.no_identifier": ("no identifier `{value}`; {hint}", "没有标识类型 `{value}`；{hint}"),
    "asset.list.no_grade": ("no grade `{value}`; {hint}", "没有级别 `{value}`；{hint}"),
}  # fmt: skip
HEAD = (
    "asset.list.asset", "asset.list.title", "asset.list.owned", "asset.list.graded", "asset.list.highest",
    "asset.list.endpoints", "asset.list.fields", "asset.list.reviewed",
)  # fmt: skip


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("list", help="asset.list.help", description="asset.list.help")
    with_folder(parser)
    parser.add_argument("--department", default="", metavar="ORG", help="asset.list.department")
    parser.add_argument("--owner", default="", metavar="ORG", help="asset.list.owner")
    parser.add_argument("--grade", default="", metavar="GRADE", help="asset.list.grade")
    parser.add_argument("--identifier", default="", metavar="NAME", help="asset.list.identifier")
    parser.add_argument("--unlabelled", action="store_true", help="asset.list.unlabelled")
    parser.add_argument("--expired", action="store_true", help="asset.list.expired")
    parser.add_argument("--exposed", action="store_true", help="asset.list.exposed")
    with_since(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List assets: 0 some, 1 none fits, 2 usage, 3 something cannot be read."""
    from gateway.cli.asset.ledger import ledger, refused
    from gateway.cli.asset.past import usage

    screen = Screen(args)
    found = ledger(args, screen)
    if found is None:
        return 3
    if _is_misspelt(args, found, screen):
        return refused(screen, 2)
    counted = usage(args, found.catalog.assets, screen) if args.exposed else None
    if isinstance(counted, int):
        return refused(screen, counted)
    grade = found.words.get(args.grade)
    listings = [
        one
        for one in found.catalog.assets
        if (not args.department or args.department in found.offices.upwards(one.owner))
        and (not args.owner or one.owner == args.owner)
        and (grade is None or grade in _grades(one))
        and (not args.identifier or args.identifier in {field.identifier for field in one.fields})
        and (not args.unlabelled or _is_unlabelled(one))
        and (not args.expired or _is_expired(one, found.today))
        and (counted is None or _clear(one, counted))
    ]
    if listings:
        _table(listings, found, screen)
    screen.say("asset.list.count", "dim", count=len(listings))
    screen.result({"assets": [_value(one, counted) for one in listings]})
    return 0 if listings else 1


def _table(listings: "list[Listing]", found: "Ledger", screen: Screen) -> None:
    """The assets in the words of the report."""
    from gateway.inventory.views import View, done
    from gateway.inventory.words import spoken

    chinese = screen.language == "zh-CN"
    rows = []
    for one in listings:
        reviewed = done(one, found.today)
        rows.append(
            (one.id, screen.choose(one.title_en, one.title_zh), one.owner, one.grade.text, max(_grades(one)).text,
             len(one.endpoints), len(one.fields), reviewed.on if reviewed else "-")
        )  # fmt: skip
    view = View("list", ("", ""), tuple(WORDS[key] for key in HEAD), tuple(rows))
    view = spoken(view, found.offices.titles) if chinese else view
    screen.table([words[chinese] for words in view.head], view.rows)


def _is_misspelt(args: argparse.Namespace, found: "Ledger", screen: Screen) -> bool:
    """Whether something is asked for that cannot be: no asset found would read as if there was no such data."""
    from gateway.document import did_you_mean
    from gateway.masks import IDENTIFIERS

    offices = sorted({*found.offices.parents, *(one.owner for one in found.catalog.assets)})
    asked = (
        ("asset.list.no_grade", args.grade, found.words),
        ("asset.list.no_office", args.department, offices),
        ("asset.list.no_office", args.owner, offices),
        ("asset.list.no_identifier", args.identifier, sorted(IDENTIFIERS)),
    )
    odd = [(key, value, known) for key, value, known in asked if value and value not in known]
    for key, value, known in odd:
        screen.warn(key, "error", value=value, hint=screen.choose(*did_you_mean(value, known)))
    return bool(odd)


def _grades(one: "Listing") -> set[Any]:
    return {one.grade, *(route.grade for route in one.routes), *(field.grade for field in one.fields)}


def _is_unlabelled(one: "Listing") -> bool:
    return not one.fields or any(route.unlabelled for route in one.routes)


def _is_expired(one: "Listing", today: str) -> bool:
    from gateway.inventory.views import reviews

    return any(reviewed.overdue(today) for _, reviewed in reviews(one))


def _clear(one: "Listing", counted: "Usage") -> int:
    return sum(route.clear for route in counted.of_asset(one.id))


def _value(one: "Listing", counted: "Usage | None") -> dict[str, object]:
    about = one.about
    return {
        "id": one.id,
        "title": {"en": one.title_en, "zh": one.title_zh},
        "owner": one.owner,
        "category": one.category,
        "grade": one.grade.text,
        "highest": max(_grades(one)).text,
        "contract": one.contract,
        "categories": about.categories,
        "subject": about.subject,
        "basis": {"en": about.basis_en, "zh": about.basis_zh},
        "share": about.share,
        "open": about.open,
        "source": about.source,
        "reviewed": about.reviewed,
        "endpoints": [
            {"route": route.route, "grade": route.grade.text, "contract": route.contract} for route in one.routes
        ],
        "fields": [
            {"path": field.path, "identifier": field.identifier, "grade": field.grade.text} for field in one.fields
        ],
    } | ({} if counted is None else {"clear": _clear(one, counted)})
