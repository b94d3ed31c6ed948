"""`gateway policy prove`: does this policy let through anything that the other one does not?

`prove BASE [CANDIDATE]` compares two policies, also under each emergency level; `prove --overlays [DIR]` compares a
folder with itself without each of its city and department files, and with each emergency level. A city or a level must
be narrower; a department may allow more, but only about data that its own office owns.

`--budget` bounds each proof by steps, with the same answer everywhere; `--seconds` bounds the whole command by the clock.
What runs out is not proved: exit 3, never `narrower`.
"""

import argparse
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from math import inf
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
    from gateway.review.search import Budget

    Budgets = Callable[[], Budget]

CODES = {"narrower": 0, "wider": 1, "unknown": 3}
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
    "prove.budget": (
        "steps before each proof gives up (default: 50000; with --seconds as many as there is time for)",
        "每次证明放弃前的搜索步数（默认 50000；使用 --seconds 时仅以时间为限）",
    ),
    "prove.seconds": ("seconds before the whole command gives up", "整个命令放弃前的秒数"),
    "prove.odd_bound": (
        "--budget needs a number from 1, --seconds one above 0", "--budget 应为不小于 1 的数字，--seconds 应大于 0",
    ),
    "prove.two": ("--overlays takes one folder", "--overlays 只接受一个目录"),
    "prove.nothing": ("there is nothing to compare with: name BASE", "没有可比较的策略：请指定 BASE"),
    "prove.narrower": (
        "narrower: {name} permits and shows nothing that {base} does not, and owes as much ({cells:kind} of requests, {steps:step})",
        "未放宽：{name} 没有放行或显示 {base} 所不允许的内容，附带义务也未减少（{cells} 类请求，{steps} 步）",
    ),
    "prove.wider": ("wider: {name} lets through what {base} does not", "放宽：{name} 放行了 {base} 所不允许的请求"),
    "prove.weaker": ("wider: {name} owes less than {base}", "放宽：{name} 的附带义务少于 {base}"),
    "prove.ran_out": (
        "not proved: ran out after {steps:step}, with {count:question} about {name} left; ask longer with --seconds N",
        "未能证明：{steps} 步后已达上限，关于 {name} 仍有 {count} 个问题没有答案，可用 --seconds N 延长",
    ),
    "prove.unknown": (
        "not proved: {name} has {count:question} about what cannot be varied; more time does not help",
        "未能证明：{name} 有 {count} 个问题取决于无法推演的内容，延长时间无济于事",
    ),
    "prove.native": (
        "   native casbin rows (casbin/) are known only as equal or unknown: where they differ, nothing is proved",
        "   原生 casbin 策略（casbin/）只能判断为相同或未知：凡有不同，即无法证明",
    ),
    "prove.others": ("there may be others: mend this and ask again", "可能还有其他情况：改正后请再次检查"),
    "prove.under": ("while emergency level {level} is in force:", "应急级别 {level} 生效期间："),
    "prove.permits": (
        "{request}: `{rule}` permits it; before: {before}", "{request}：`{rule}` 予以放行，此前为 {before}",
    ),
    "prove.shows": (
        "{request}: `{rule}` shows more: {fields}", "{request}：`{rule}` 显示更多内容：{fields}",
    ),
    "prove.owes": (
        "{request}: `{rule}` permits it, and no longer owes {duties}",
        "{request}：`{rule}` 予以放行，但不再附带 {duties}",
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
    parser.add_argument("--budget", type=int, default=None, metavar="N", help="prove.budget")
    parser.add_argument("--seconds", type=float, default=None, metavar="N", help="prove.seconds")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 narrower, 1 wider, 3 not proved or not read."""
    from gateway.cli.policy.stored import installed

    screen = Screen(args)
    if (args.budget is not None and args.budget < 1) or (args.seconds is not None and not args.seconds > 0):
        screen.warn("prove.odd_bound", "error")
        return 2
    if args.overlays and args.candidate:
        screen.warn("prove.two", "error")
        return 2
    if not args.overlays and not args.base:
        screen.warn("prove.nothing", "error")
        return 2
    here, budgets = installed(args), _budgets(args.budget, args.seconds)
    return _overlays(args, here, budgets, screen) if args.overlays else _two(args, here, budgets, screen)


def _budgets(steps: int | None, seconds: float | None) -> "Budgets":
    """Makes the budget of each proof: steps of its own, and what is left of the seconds of the whole command."""
    from gateway.review.search import BUDGET, Budget

    end = inf if seconds is None else time.monotonic() + seconds
    most = steps or (BUDGET if seconds is None else sys.maxsize)
    return lambda: Budget(most, lambda: time.monotonic() < end)


def _two(args: argparse.Namespace, here: "Installed", budgets: "Budgets", screen: Screen) -> int:
    """Compare two policies."""
    from gateway.cli.policy.stored import side

    name = args.candidate or _configured(args, screen)
    if not name:
        return 3
    base, candidate = side(args.base, here, screen), side(name, here, screen)
    if base is None or candidate is None:
        return 3
    proof = _proof(base, candidate, budgets)
    _told(screen, proof, args.base, name)
    levels = _under_levels(base, candidate, budgets) if proof.verdict == "narrower" else {}
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


def _under_levels(base: "Side", candidate: "Side", budgets: "Budgets") -> "dict[str, Proof]":
    """The same while an emergency level is in force: one that takes less away is wider, and shows only then."""
    from gateway.review.diff import Side

    def at(side: "Side", level: str) -> "Side":
        raised = side.bundle.raised(level) if level in side.bundle.content.overlays else side.bundle
        return Side(raised, side.catalog, side.bound)

    levels = sorted({*base.bundle.content.overlays, *candidate.bundle.content.overlays})
    return {level: _proof(at(base, level), at(candidate, level), budgets) for level in levels}


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
    budgets: "Budgets",
    most: int = 1,
    about: "Callable[[Asset], bool]" = lambda asset: True,
) -> "Proof":
    from gateway.review.prove import Policies, prove

    one, two = Policies(base.bundle, base.catalog), Policies(candidate.bundle, candidate.catalog)
    return prove(one, two, since=time.time(), budget=budgets(), most=most, about=about)


def _told(screen: Screen, proof: "Proof", base: str, name: str, commands: bool = True) -> None:
    if proof.verdict == "unknown":
        _not_proved(screen, proof, name)
        return
    weaker = proof.verdict == "wider" and all(one.what == "owes" for one in proof.witnesses)
    colour = "good" if proof.verdict == "narrower" else "error"
    key = "prove.weaker" if weaker else f"prove.{proof.verdict}"
    screen.say(key, colour, name=name, base=base, cells=proof.cells, steps=proof.steps)
    _witnesses(screen, proof.witnesses, base if commands else "", name if commands else "")
    if proof.verdict == "wider":
        screen.say("prove.others", "dim")  # a proof ends at the first


def _not_proved(screen: Screen, proof: "Proof", name: str) -> None:
    """What is left, and whether there is any use in asking longer."""
    key = "prove.ran_out" if proof.ran_out else "prove.unknown"
    screen.say(key, "warning", name=name, count=len(proof.open), steps=proof.steps)
    if proof.native:
        screen.say("prove.native")
    for question in proof.open[:SHOWN]:
        screen.say("prove.open", question=question)


def _witnesses(screen: Screen, witnesses: "tuple[Witness, ...]", base: str, name: str) -> None:
    """The requests, and the commands that ask for them."""
    for one in witnesses[:SHOWN]:
        fields = ", ".join(f"{shift.path} {shift.before} → {shift.after}" for shift in one.fields)
        why = " ".join(part for reason in one.reasons[:1] for part in reason if part)
        before = f"{one.before} ({why})" if why else one.before
        request, duties = f"{one.method} {one.path}", ", ".join(one.duties)
        screen.say(f"prove.{one.what}", request=request, rule=one.rule, before=before, fields=fields, duties=duties)
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
    own: "Proof | None" = None  # of a department, about its own data

    @property
    def verdict(self) -> str:
        """`narrower`, `own` (a department, about its own data), `wider` or `unknown`."""
        if self.own is None or self.proof.verdict != "narrower":
            return self.proof.verdict
        return "own" if self.own.witnesses else self.own.verdict

    @property
    def told(self) -> "Proof":
        """The proof that the verdict rests on."""
        return self.own if self.own is not None and self.proof.verdict == "narrower" else self.proof


def _overlays(args: argparse.Namespace, here: "Installed", budgets: "Budgets", screen: Screen) -> int:
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
    for overlay in _each(folder, whole, here, budgets, screen):
        if overlay is None:
            return 3
        found.append(overlay)
        _said(screen, overlay, str(folder))
    if not found:
        screen.say("prove.no_overlays", "dim", path=folder)
    shown = [
        {"file": one.name, "verdict": one.verdict, "proof": one.proof, "own": one.own.witnesses if one.own else ()}
        for one in found
    ]
    verdicts = {one.verdict for one in found}
    screen.result({"ok": not verdicts & {"wider", "unknown"}, "overlays": shown})
    return 1 if "wider" in verdicts else 3 if "unknown" in verdicts else 0


def _each(
    folder: Path, whole: "Side", here: "Installed", budgets: "Budgets", screen: Screen
) -> "Iterator[Overlay | None]":
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
            _department(name, base, whole, budgets)
            if path.parent.name == "departments"
            else Overlay(name, _proof(base, whole, budgets))
        )
    for level in sorted(whole.bundle.content.overlays):
        raised = Side(whole.bundle.raised(level), whole.catalog, whole.bound)
        yield Overlay(f"emergency/{level}.yaml", _proof(whole, raised, budgets))


def _department(name: str, base: "Side", whole: "Side", budgets: "Budgets") -> Overlay:
    """About the data of others a department must be narrower; about its own it may allow what it likes."""
    content, links = whole.bundle.content, whole.bundle.engine.links("g2")
    homes = {
        content.layers[rule].partition(":")[2] for rule, place in content.places.items() if place.startswith(f"{name}:")
    }

    def own(asset: "Asset") -> bool:
        return bool(homes & links.closure(asset.owner)) if asset.owner else False

    others = _proof(base, whole, budgets, about=lambda asset: not own(asset))
    return Overlay(name, others, _proof(base, whole, budgets, MOST, own))


def _said(screen: Screen, overlay: Overlay, folder: str) -> None:
    name, proof = overlay.name, overlay.told
    if overlay.verdict == "own":
        screen.say("prove.own", "good", name=name, count=len(proof.witnesses))
        _witnesses(screen, proof.witnesses, "", folder)
        return
    if overlay.verdict == "wider" and overlay.own is not None:
        screen.say("prove.oversteps", "error", name=name)
        _witnesses(screen, proof.witnesses, "", folder)
        return
    level = name.startswith("emergency/")
    _told(screen, proof, folder if level else screen.text("prove.rest"), name)
