"""`gateway policy prove`: does this policy let through anything that the other one does not?

`prove BASE [CANDIDATE]` compares two policies, also under each emergency level; `prove --overlays [DIR]` compares a
folder with itself without each of its city and department files, and with each emergency level. A city or a level must
be narrower; a department may allow more, but only about data that its own office owns.
"""

import argparse
import shlex
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.cli.parser import with_config
from gateway.cli.screen import Screen

if TYPE_CHECKING:  # heavy: only the commands that need it pay
    from gateway.cli.policy.stored import Installed
    from gateway.facts import Asset
    from gateway.review.diff import Side
    from gateway.review.prove import Proof, Witness

CODES = {"narrower": 0, "wider": 1, "unknown": 5}
BUDGET = 50_000
MOST = 50
SHOWN = 10

WORDS: dict[str, tuple[str, str]] = {
    "prove.help": (
        "prove that a policy lets through nothing that another does not, or show a request",
        "证明一版策略不会放行另一版所拒绝的请求，或给出反例",
    ),
    "prove.base": (
        "a folder, `active`, or the digest of a stored revision; with --overlays the folder to look at",
        "策略目录、`active`，或已存版本的摘要；使用 --overlays 时为要检查的目录",
    ),
    "prove.candidate": (
        "the policy that must not be wider (default: the configured folder)",
        "不得放宽的一版策略（默认：配置中的目录）",
    ),
    "prove.overlays": (
        "look at every city, department and emergency level of one folder instead",
        "改为逐一检查同一目录中的地市、部门与应急级别文件",
    ),
    "prove.budget": ("steps before it gives up (default: 50000)", "放弃前的搜索步数（默认 50000）"),
    "prove.odd_budget": ("--budget needs a number from 1", "--budget 应为不小于 1 的数字"),
    "prove.two": ("--overlays takes one folder", "--overlays 只接受一个目录"),
    "prove.nothing": ("there is nothing to compare with: name BASE", "没有可比较的策略：请指定 BASE"),
    "prove.narrower": (
        "narrower: {name} permits and shows nothing that {base} does not ({cells:kind} of requests, {steps:step})",
        "未放宽：{name} 没有放行或显示 {base} 所不允许的内容（{cells} 类请求，{steps} 步）",
    ),
    "prove.wider": ("wider: {name} lets through what {base} does not", "放宽：{name} 放行了 {base} 所不允许的请求"),
    "prove.unknown": (
        "unknown: {count:question} left without an answer after {steps:step}; try --budget {more}",
        "未知：{steps} 步后仍有 {count} 个问题没有答案，可尝试 --budget {more}",
    ),
    "prove.native": (
        "unknown: {count:question} left without an answer: what a policy in casbin/ says cannot be varied; no budget helps",
        "未知：有 {count} 个问题没有答案：casbin/ 中的策略无法推演，增加 --budget 无济于事",
    ),
    "prove.others": ("there may be others: mend this and ask again", "可能还有其他情况：改正后请再次检查"),
    "prove.under": ("while emergency level {level} is in force:", "应急级别 {level} 生效期间："),
    "prove.permits": (
        "{request}: `{rule}` permits it; before: {before}", "{request}：`{rule}` 予以放行，此前为 {before}",
    ),
    "prove.shows": (
        "{request}: `{rule}` shows more: {fields}", "{request}：`{rule}` 显示更多内容：{fields}",
    ),
    "prove.api": ("   as API `{api}` carries it", "   经由接口 `{api}`"),
    "prove.more": ("{count:request} more; -o json lists all", "另有 {count} 个请求，-o json 可列出全部"),
    "prove.open": ("   open: {question}", "   未决：{question}"),
    "prove.own": (
        "{name}: allows more, about its own data only ({count:request} found)",
        "{name}：仅就自己的数据放宽（发现 {count} 类请求）",
    ),
    "prove.oversteps": (
        "{name}: lets through requests about data of others", "{name}：放行了针对他人数据的请求",
    ),
    "prove.rest": ("the rest", "其余部分"),
    "prove.no_overlays": (
        "{path} has no city, department or emergency files", "{path} 中没有地市、部门或应急级别文件",
    ),
}  # fmt: skip


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("prove", help="prove.help", description="prove.help")
    with_config(parser)
    parser.add_argument("base", nargs="?", default="", metavar="BASE", help="prove.base")
    parser.add_argument("candidate", nargs="?", default="", metavar="CANDIDATE", help="prove.candidate")
    parser.add_argument("--overlays", action="store_true", help="prove.overlays")
    parser.add_argument("--budget", type=int, default=BUDGET, metavar="N", help="prove.budget")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 narrower, 1 wider, 5 unknown, 3 could not be read."""
    from gateway.cli.policy.stored import installed

    screen = Screen(args)
    if args.budget < 1:
        screen.warn("prove.odd_budget", "error")
        return 2
    if args.overlays and args.candidate:
        screen.warn("prove.two", "error")
        return 2
    if not args.overlays and not args.base:
        screen.warn("prove.nothing", "error")
        return 2
    here = installed(args)
    return _overlays(args, here, screen) if args.overlays else _two(args, here, screen)


def _two(args: argparse.Namespace, here: "Installed", screen: Screen) -> int:
    """Compare two policies."""
    from gateway.cli.policy.stored import side

    name = args.candidate or _configured(args, screen)
    if not name:
        return 3
    base, candidate = side(args.base, here, screen), side(name, here, screen)
    if base is None or candidate is None:
        return 3
    proof = _proof(base, candidate, args.budget)
    _told(screen, proof, args.base, name)
    levels = _under_levels(base, candidate, args.budget) if proof.verdict == "narrower" else {}
    for level, one in levels.items():
        if one.verdict != "narrower":
            screen.say("prove.under", "bold", level=level)
            _told(screen, one, args.base, name, commands=False)  # an explanation supposes no level
    worst = max((proof, *levels.values()), key=lambda one: ("narrower", "unknown", "wider").index(one.verdict))
    screen.result(
        {
            "verdict": worst.verdict,
            "witness": next(iter(worst.witnesses), None),
            "proof": worst,
            "levels": {level: one.verdict for level, one in levels.items()},
        }
    )
    return CODES[worst.verdict]


def _under_levels(base: "Side", candidate: "Side", budget: int) -> "dict[str, Proof]":
    """The same while an emergency level is in force: one that takes less away is wider, and shows only then."""
    from gateway.review.diff import Side

    def at(side: "Side", level: str) -> "Side":
        raised = side.bundle.raised(level) if level in side.bundle.content.overlays else side.bundle
        return Side(raised, side.catalog, side.bound)

    levels = sorted({*base.bundle.content.overlays, *candidate.bundle.content.overlays})
    return {level: _proof(at(base, level), at(candidate, level), budget) for level in levels}


def _configured(args: argparse.Namespace, screen: Screen) -> str:
    """The folder of the configuration, or the one that commands run in; "" after saying that neither has policies."""
    import os

    from gateway.config import places
    from gateway.document import Faulty

    try:
        return str(places(Path(args.config), os.environ).policies)
    except Faulty:
        if Path("people.yaml").is_file():
            return "."
        screen.warn("no_config", "error", path=args.config)
        return ""


def _proof(
    base: "Side",
    candidate: "Side",
    budget: int,
    most: int = 1,
    about: "Callable[[Asset], bool]" = lambda asset: True,
) -> "Proof":
    from gateway.review.prove import Policies, prove

    one, two = Policies(base.bundle, base.catalog), Policies(candidate.bundle, candidate.catalog)
    return prove(one, two, since=time.time(), budget=budget, most=most, about=about)


def _told(screen: Screen, proof: "Proof", base: str, name: str, commands: bool = True) -> None:
    from gateway.policy.native.source import LAYER

    if proof.verdict == "unknown":
        if all(question.endswith(f" {LAYER}") for question in proof.open):
            screen.say("prove.native", "warning", count=len(proof.open))
        else:
            more = str(max(proof.steps, 1) * 10)
            screen.say("prove.unknown", "warning", count=len(proof.open), steps=proof.steps, more=more)
        for question in proof.open[:SHOWN]:
            screen.say("prove.open", question=question)
        return
    colour = "good" if proof.verdict == "narrower" else "error"
    screen.say(f"prove.{proof.verdict}", colour, name=name, base=base, cells=proof.cells, steps=proof.steps)
    _witnesses(screen, proof.witnesses, base if commands else "", name if commands else "")
    if proof.verdict == "wider":
        screen.say("prove.others", "dim")  # a proof ends at the first


def _witnesses(screen: Screen, witnesses: "tuple[Witness, ...]", base: str, name: str) -> None:
    """The requests, and the commands that ask for them."""
    for one in witnesses[:SHOWN]:
        fields = ", ".join(f"{shift.path} {shift.before} → {shift.after}" for shift in one.fields)
        why = " ".join(part for reason in one.reasons[:1] for part in reason if part)
        before = f"{one.before} ({why})" if why else one.before
        request = f"{one.method} {one.path}"
        screen.say(f"prove.{one.what}", request=request, rule=one.rule, before=before, fields=fields)
        if one.api:
            screen.say("prove.api", api=one.api)
        for words, folder in ((one.candidate, name), (one.base, base)):
            if folder and Path(folder).is_dir():
                screen.line("   " + shlex.join(("gateway", *words, "--policies", folder)))
    if len(witnesses) > SHOWN:
        screen.say("prove.more", count=len(witnesses) - SHOWN)


# --- overlays -------------------------------------------------------------------------------------


class Overlay(NamedTuple):
    """A file of one layer, as the folder compares with itself without it."""

    name: str
    proof: "Proof"  # about all data; of a department about that of others
    own: "tuple[Witness, ...]" = ()  # what a department newly allows about its own data

    @property
    def verdict(self) -> str:
        """`narrower`, `own` (a department, about its own data), `wider` or `unknown`."""
        return "own" if self.proof.verdict == "narrower" and self.own else self.proof.verdict


def _overlays(args: argparse.Namespace, here: "Installed", screen: Screen) -> int:
    """Compare a folder with itself without each of its overlays."""
    from gateway.cli.policy.stored import side

    named = args.base or _configured(args, screen)
    if not named:
        return 3
    folder = Path(named)
    whole = side(str(folder), here, screen) if folder.is_dir() else None
    if whole is None:
        if not folder.is_dir():
            screen.warn("audit.no_folder", "error", path=folder)
        return 3
    found = []
    for overlay in _each(folder, whole, here, args.budget, screen):
        if overlay is None:
            return 3
        found.append(overlay)
        _said(screen, overlay, str(folder))
    if not found:
        screen.say("prove.no_overlays", "dim", path=folder)
    shown = [{"file": one.name, "verdict": one.verdict, "proof": one.proof, "own": one.own} for one in found]
    verdicts = {one.verdict for one in found}
    screen.result({"ok": not verdicts & {"wider", "unknown"}, "overlays": shown})
    return 1 if "wider" in verdicts else 5 if "unknown" in verdicts else 0


def _each(folder: Path, whole: "Side", here: "Installed", budget: int, screen: Screen) -> "Iterator[Overlay | None]":
    """Every overlay; None when the folder cannot be read without it."""
    from gateway.cli.policy.stored import side
    from gateway.review.diff import Side

    for path in (*sorted((folder / "departments").glob("*.yaml")), *sorted((folder / "cities").glob("*.yaml"))):
        name = f"{path.parent.name}/{path.name}"
        with TemporaryDirectory() as copy:
            rest = Path(copy) / folder.name
            shutil.copytree(folder, rest)
            (rest / name).unlink()
            base = side(str(rest), here, screen)
        if base is None:
            yield None
            return
        yield (
            _department(name, base, whole, budget)
            if name.startswith("d")
            else Overlay(name, _proof(base, whole, budget))
        )
    for level in sorted(whole.bundle.content.overlays):
        raised = Side(whole.bundle.raised(level), whole.catalog, whole.bound)
        yield Overlay(f"emergency/{level}.yaml", _proof(whole, raised, budget))


def _department(name: str, base: "Side", whole: "Side", budget: int) -> Overlay:
    """About the data of others a department must be narrower; about its own it may allow what it likes."""
    content, links = whole.bundle.content, whole.bundle.engine.links("g2")
    homes = {
        content.layers[rule].partition(":")[2] for rule, place in content.places.items() if place.startswith(f"{name}:")
    }

    def own(asset: "Asset") -> bool:
        return bool(homes & links.closure(asset.owner)) if asset.owner else False

    others = _proof(base, whole, budget, about=lambda asset: not own(asset))
    return Overlay(name, others, _proof(base, whole, budget, MOST, own).witnesses)


def _said(screen: Screen, overlay: Overlay, folder: str) -> None:
    name, proof = overlay.name, overlay.proof
    if overlay.verdict == "own":
        screen.say("prove.own", "good", name=name, count=len(overlay.own))
        _witnesses(screen, overlay.own, "", folder)
        return
    if overlay.verdict == "wider" and name.startswith("d"):
        screen.say("prove.oversteps", "error", name=name)
        _witnesses(screen, proof.witnesses, "", folder)
        return
    rest, level = screen.text("prove.rest"), name.startswith("e")
    _told(screen, proof, folder if level else rest, name)
