"""`gateway asset propose`: what was learnt, as lines of the ledger for a person to accept.

Without `--accept` only proposals are made: printed, or written to a file of their own. A person deletes what is wrong, mends what
is nearly right, and accepts the file under their name.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gateway.cli.asset.past import usage, with_since
from gateway.cli.parser import with_folder
from gateway.cli.screen import Screen
from gateway.cli.times import spelled

if TYPE_CHECKING:
    from gateway.cli.asset.ledger import Ledger
    from gateway.discovery import Found
    from gateway.document import Plain
    from gateway.inventory.proposals import Hint, Proposal

WORDS = {
    "asset.propose.help": (
        "turn what was learnt into lines of the ledger; a person accepts them under their name",
        "把学习到的内容整理为台账条目；由人署名接受",
    ),
    "asset.propose.write": ("write the proposals into this new file, to be reviewed", "将建议写入该新文件，供人复核"),
    "asset.propose.accept": (
        "take the reviewed file FILE into the ledger under this name: --accept wang.li --from FILE",
        "以该署名将复核过的文件录入台账：--accept wang.li --from FILE",
    ),
    "asset.propose.from": ("the reviewed file of proposals", "复核过的建议文件"),
    "asset.propose.head": (
        "proposals of {day}: delete what is wrong, mend what is nearly right, then run",
        "{day} 的建议：删除错误的条目，修改不准确的条目，然后运行",
    ),
    "asset.propose.asset": ("asset", "资产"),
    "asset.propose.path": ("path", "路径"),
    "asset.propose.identifier": ("identifier", "标识类型"),
    "asset.propose.grade": ("grade", "级别"),
    "asset.propose.confidence": ("confidence", "置信度"),
    "asset.propose.evidence": ("evidence", "依据"),
    "asset.propose.by_name": ("name `{name}`", "名称 `{name}`"),
    "asset.propose.by_values": ("{hits} of {values} values", "{values} 个值中有 {hits} 个符合"),
    "asset.propose.checked": ("check digits", "校验位"),
    "asset.propose.checked.birth-date": ("a day of the calendar", "日历中的日期"),
    "asset.propose.checked.name": ("a table of surnames", "姓氏表"),
    "asset.propose.checked.ip": ("a valid address", "有效地址"),
    "asset.propose.checked.gps": ("a place on earth", "有效经纬度"),
    "asset.propose.named": ("its name", "字段名"),
    "asset.propose.met": ("{times:time} since {since}", "自 {since} 起 {times} 次"),
    "asset.propose.none": ("nothing to propose: what was met is labelled", "没有建议：出现过的字段均已标注"),
    "asset.propose.count": ("{count:proposal}; nothing was changed", "{count} 条建议；未改动任何内容"),
    "asset.propose.wrote": ("{count:proposal} written: {path}", "已写入 {count} 条建议：{path}"),
    "asset.propose.contradicted": (
        "{asset} {path}: labelled `{label}`, but its values look like `{identifier}` ({confidence})",
        "{asset} {path}：标注为 `{label}`，但其值更像 `{identifier}`（{confidence}）",
    ),
    "asset.propose.discovery": ("what discovery has learnt cannot be read: {why}", "无法读取学习结果：{why}"),
    "asset.propose.both": ("--accept needs --from FILE, and --from a name to accept it under", "--accept 须与 --from FILE 一起使用"),
    "asset.propose.name_odd": ("`{value}` is no name: who accepts this?", "`{value}` 不是有效署名：由谁接受？"),
    "asset.propose.no_asset": (
        "{file}:{line}: there is no asset `{asset}` in the ledger: enter it first (`gateway asset import`, or by hand), or delete the line",
        "{file}:{line}：台账中没有资产 `{asset}`：请先录入（`gateway asset import` 或手工），或删除该行",
    ),
    "asset.propose.form": (
        "{file}:{line}: a proposal has `asset`, `path`, `grade` and perhaps `identifier`", "{file}:{line}：建议应含 `asset`、`path`、`grade`，可含 `identifier`",
    ),
    "asset.propose.no_list": (
        "{file}:{line}: the list `proposals:` is missing", "{file}:{line}：缺少列表 `proposals:`",
    ),
    "asset.propose.nothing": ("nothing to accept", "没有可接受的建议"),
    "asset.propose.unreadable": (
        "{path} {why}; `gateway asset propose --write {path}` writes proposals into a new file",
        "{path} {why}；可用 `gateway asset propose --write {path}` 把建议写入新文件",
    ),
    "asset.propose.unmet": (
        "{file}:{line}: no answer on record holds `{path}` of {asset}{near}; entered all the same",
        "{file}:{line}：记录中没有应答含有 {asset} 的 `{path}`{near}；仍予录入",
    ),
    "asset.propose.unseen": (
        "no answer of {asset} is on record: its paths are entered as they are written",
        "记录中没有 {asset} 的应答：其路径按所写录入，未作核对",
    ),
    "asset.propose.near": (", did you mean `{path}`?", "，您是不是想写 `{path}`？"),
    "asset.propose.otherwise": (
        "{file}:{line}: {asset} {path} is labelled `{label}` already, which stays: edit {kept}, or delete the line",
        "{file}:{line}：{asset} {path} 已标注为 `{label}`，不会改动：请编辑 {kept}，或删除该行",
    ),
    "asset.propose.bad": ("nothing was written: {count:error}", "未写入任何内容：{count} 个错误"),
    "asset.propose.accepted": ("{path}: {count:field} accepted by {name}", "{path}：{count} 个字段由 {name} 接受"),
    "asset.propose.known": ("{asset} {path} is labelled already: left as it is", "{asset} {path} 已有标注：保持原样"),
}  # fmt: skip
HEAD = (
    "asset.propose.asset", "asset.propose.path", "asset.propose.identifier", "asset.propose.grade",
    "asset.propose.confidence", "asset.propose.evidence",
)  # fmt: skip


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("propose", help="asset.propose.help", description="asset.propose.help")
    with_folder(parser)
    parser.add_argument("--write", default="", metavar="FILE", help="asset.propose.write")
    parser.add_argument("--accept", default="", metavar="NAME", help="asset.propose.accept")
    parser.add_argument("--from", dest="source", default="", metavar="FILE", help="asset.propose.from")
    with_since(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Propose or accept: 0, 1 when there is something to propose or what is accepted has faults, 2 usage, 3 no record."""
    from gateway.cli.asset.acceptance import accept
    from gateway.cli.asset.ledger import ledger, refused
    from gateway.inventory.proposals import proposals

    screen = Screen(args)
    if bool(args.accept) != bool(args.source):
        screen.warn("asset.propose.both", "error")
        return refused(screen, 2)
    found = ledger(args, screen, mending=bool(args.accept))
    if found is None:
        return 3
    if args.accept:
        return accept(args, found, screen)
    counted = usage(args, found.catalog.assets, screen)
    if isinstance(counted, int):
        return refused(screen, counted)
    known = learnt(args, screen)
    if known is None:
        return refused(screen, 3)
    for one in known:
        if one.kind == "contradicted":
            screen.warn(
                "asset.propose.contradicted", "warning", asset=one.asset, path=one.path, label=one.label or "-",
                identifier=one.identifier, confidence=f"{one.confidence:.2f}",
            )  # fmt: skip
    hints = (_hint(one, screen) for one in known if one.kind == "unlabelled")
    made = proposals(found.catalog.assets, counted, hints, discovered(args))
    code = _told(made, found, args, screen)
    screen.result(
        {
            "proposals": [_value(one, found.offices.zone, screen) for one in made],
            "contradicted": [one for one in known if one.kind == "contradicted"],
        }
    )
    return code


def learnt(args: argparse.Namespace, screen: Screen) -> "tuple[Found, ...] | None":
    """What discovery has found; None after saying that it cannot be read."""
    from gateway.cli.policy.stored import installed
    from gateway.discovery import Unreadable, read

    state = installed(args).state
    try:
        return read(state) if state is not None else ()
    except Unreadable as unreadable:
        screen.warn("asset.propose.discovery", "error", why=unreadable)
        return None


def discovered(args: argparse.Namespace) -> "dict[str, frozenset[str]]":
    """Every path that discovery has seen, by asset; none where it cannot be read, which `learnt` tells."""
    from gateway.cli.policy.stored import installed
    from gateway.discovery import Unreadable, met

    state = installed(args).state
    try:
        return met(state) if state is not None else {}
    except Unreadable:
        return {}


def _hint(one: "Found", screen: Screen) -> "Hint":
    from gateway.inventory.proposals import Hint

    said = one.evidence
    how = [screen.text("asset.propose.by_values", hits=said.hits, values=said.values)]
    checked = f"asset.propose.checked.{one.identifier}"
    how += [screen.text(checked if checked in WORDS else "asset.propose.checked")] if said.checked else []
    how += [screen.text("asset.propose.named")] if said.named else []
    return Hint(one.asset, one.path, one.identifier, one.grade, one.confidence, screen.choose(", ", "、").join(how))


def _told(made: "tuple[Proposal, ...]", found: "Ledger", args: argparse.Namespace, screen: Screen) -> int:
    if not made:
        screen.say("asset.propose.none", "good")
        return 0
    screen.table(
        [screen.text(key) for key in HEAD],
        (
            (
                one.asset,
                one.path,
                one.identifier or "-",
                one.grade.text,
                f"{one.confidence:.2f}",
                _evidence(one, found.offices.zone, screen),
            )
            for one in made
        ),
    )
    if not args.write:
        screen.say("asset.propose.count", "dim", count=len(made))
        return 1
    return _written(made, found, args, screen)


def _evidence(one: "Proposal", zone: ZoneInfo, screen: Screen) -> str:
    named = screen.text("asset.propose.by_name", name=one.name) if one.name else ""
    met = screen.text("asset.propose.met", times=one.times, since=spelled(one.first, zone)) if one.times else ""
    return screen.choose("; ", "；").join(filter(None, (named, one.values, met)))


def _written(made: "tuple[Proposal, ...]", found: "Ledger", args: argparse.Namespace, screen: Screen) -> int:
    from gateway.cli.policy.rewrite import put_new
    from gateway.document import Form, written

    lines: list[Plain] = [
        {key: value for key, value in _value(one, found.offices.zone, screen).items() if value != ""} for one in made
    ]
    head = (
        screen.text("asset.propose.head", day=found.today),
        f"gateway asset propose --accept NAME --from {Path(args.write).name}",
    )
    form = Form(keys={"proposals": Form(each=Form(style="flow"), style="block")}, style="block")
    if not put_new(Path(args.write), written({"proposals": lines}, form, head), screen):
        return 3
    screen.say("asset.propose.wrote", "good", count=len(made), path=args.write)
    return 1


def _value(one: "Proposal", zone: ZoneInfo, screen: Screen) -> "dict[str, Plain]":
    return {
        "asset": one.asset,
        "path": one.path,
        "identifier": one.identifier,
        "grade": one.grade.text,
        "confidence": round(one.confidence, 2),
        "evidence": _evidence(one, zone, screen),
    }
