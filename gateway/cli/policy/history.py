"""`gateway policy history`: which policies were in force, since when, by whom, and how did they come?"""

import argparse
from typing import Any

from gateway.cli.parser import with_door
from gateway.cli.screen import Screen
from gateway.cli.times import spelled

WORDS: dict[str, tuple[str, str]] = {
    "policy.history.help": ("which policies were in force, since when, by whom", "查看各修订版的生效时间与操作人"),
    "history.revision": ("revision", "修订版"),
    "history.since": ("in force since", "生效时间"),
    "history.by": ("by", "操作人"),
    "history.way": ("came by", "方式"),
    "history.way_start": ("start", "启动"),
    "history.way_reload": ("reload", "重新加载"),
    "history.way_rollback": ("rollback", "回滚"),
    "history.way_promotion": ("promotion", "采用候选"),
    "history.way_emergency": ("emergency level", "应急级别"),
    "history.active": ("active", "生效中"),
    "history.pinned": ("pinned", "已固定"),
    "history.gone": ("no longer stored", "已不再保存"),
    "history.follow": (
        "the policy folder is not followed; `gateway reload` follows it again",
        "当前不跟随策略目录；执行 `gateway reload` 后恢复跟随",
    ),
}


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("history", help="policy.history.help", description="policy.history.help")
    with_door(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the table, 1 the gateway said no, 3 no answer."""
    from gateway.cli.door import answered, brief

    screen = Screen(args)
    code, answer = answered(args, screen, "GET", "/v1/policy/history")
    if code:
        return code
    rows = answer["history"]
    cells = [
        (
            brief(row["digest"]),
            spelled(row["at"]),
            row["by"],
            screen.text(f"history.way_{row['way']}") if row["way"] else "",
            screen.choose(", ", "、").join(_notes(row, place == 0, screen)),
        )
        for place, row in enumerate(rows)
    ]
    heads = ("history.revision", "history.since", "history.by", "history.way")
    screen.table([*(screen.text(name) for name in heads), ""], cells)
    if answer["pinned"]:
        screen.say("history.follow", "warning")
    screen.result(answer)
    return 0


def _notes(row: dict[str, Any], active: bool, screen: Screen) -> list[str]:
    """What is to be said of a row; the first is the active one."""
    said = {"history.active": active, "history.pinned": row["pinned"], "history.gone": not row["stored"]}
    return [screen.text(key) for key, holds in said.items() if holds]
