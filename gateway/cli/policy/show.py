"""`gateway policy show`: which rules are there?"""

import argparse
from typing import TYPE_CHECKING, Any

from gateway.cli.parser import with_folder
from gateway.cli.policy.meant import judging
from gateway.cli.screen import Screen, fault_values

if TYPE_CHECKING:
    from gateway.policy import Bundle

WORDS = {
    "policy.native_row": ("row of casbin/", "casbin/ 策略行"),
    "show.casbin": (
        "the model and all rows as casbin has loaded them, as model.conf and policy.csv",
        "以 model.conf 与 policy.csv 的形式列出 casbin 已加载的模型与全部行",
    ),
    "show.functions": (
        "# Functions of the matcher, to be added to an enforcer:\n"
        "#   act(asked, actions)    whether `actions` is * or names `asked` between bars\n"
        "#   level(grade, level)    whether the grade, 1 (general-1) to 6 (core), satisfies the level\n"
        "#   until(at, until)       whether `until` is empty or `at` (seconds since 1970) lies before it\n"
        "#   when(env, when, eft)   whether the condition holds; one that fails holds for a deny only\n"
        "#   hit(env, id)           true, and notes that the row matched\n"
        "#   g(roles, who)          `roles` is a set of names: one of them is `who` or includes it\n"
        "# pycasbin's file adapter keeps the quotes: load the rows of `-o json` with add_policies instead.",
        "# 匹配器使用的函数，须添加到 enforcer：\n"
        "#   act(asked, actions)    `actions` 为 *，或以竖线分隔的操作中包含 `asked`\n"
        "#   level(grade, level)    级别 1（general-1）至 6（core）是否满足 level\n"
        "#   until(at, until)       `until` 为空，或 `at`（1970 年起的秒数）早于它\n"
        "#   when(env, when, eft)   条件是否成立；无法求值时仅对拒绝成立\n"
        "#   hit(env, id)           恒为真，并记下匹配的行\n"
        "#   g(roles, who)          `roles` 是名称集合：其中之一就是 `who` 或包含它\n"
        "# pycasbin 的文件适配器会保留引号：请改用 add_policies 加载 `-o json` 的行。",
    ),
}


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("show", help="policy.show.help", description="policy.show.help")
    with_folder(parser)
    parser.add_argument("--casbin", action="store_true", help="show.casbin")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List the rules: 0, or 1 when they have faults."""
    screen = Screen(args)
    found = judging(args, screen)
    if isinstance(found, int):
        return found
    if args.casbin:
        return _casbin(found.bundle, screen)
    content = found.bundle.content
    names = ("rule", "effect", "who", "org", "data", "action", "level")
    rows = [dict(zip(names, row, strict=False)) | {"where": content.places[row[0]]} for row in content.rules]
    screen.table([screen.text(f"policy.{name}") for name in (*names, "where")], [tuple(row.values()) for row in rows])
    native = content.native.lines() if content.native is not None else []
    if native:
        screen.table((screen.text("policy.where"), screen.text("policy.native_row")), native)
    screen.say("policy.shown", "dim", rules=found.read.rules, assets=found.read.assets, digest=found.bundle.digest[:12])
    rare = {name: {"k": one.k, "by": one.fields} for name, one in content.suppress.items()}
    shown = {"rules": rows, "profiles": content.profiles, "suppress": rare, "native": native}
    screen.result({"bundle": found.bundle.digest, **shown})
    return 0


def _casbin(bundle: "Bundle", screen: Screen) -> int:
    """Print what casbin has loaded: 0, 1 when a row cannot be a line."""
    from gateway.policy.casbin_text import lines

    content, rows = bundle.content, bundle.engine.loaded()
    found, faults = lines(rows)
    if faults and not screen.json:
        screen.faults(faults)
        return 1
    head = f"# model.conf\n{content.model}\n# policy.csv\n{screen.text('show.functions')}"
    screen.line("\n".join((head, *found)))
    native: dict[str, object] = {}
    if content.native is not None:  # a team's own model beside ours: it has its own request
        own = [", ".join(row[1:]) for row in content.native.rows]
        screen.line(f"\n# casbin/model.conf\n{content.native.model()}\n# casbin/policy.csv\n" + "\n".join(own))
        native = {"model": content.native.model(), "rows": [row[1:] for row in content.native.rows]}
    screen.result(
        {"bundle": bundle.digest, "model": content.model, **rows, "native": native, "faults": fault_values(faults)}
    )
    return 0
