"""`gateway policy rollback`: back to policies that were in force before.

Goes through the control socket; 0 means that every worker judges by them from its next request on.
"""

import argparse
from typing import Any

from gateway.cli.parser import with_door
from gateway.cli.screen import Screen

WORDS: dict[str, tuple[str, str]] = {
    "policy.rollback.help": (
        "back to policies that were in force before; the folder is not followed until the next `gateway reload`",
        "恢复到此前生效的策略；在下次 `gateway reload` 之前不再跟随策略目录",
    ),
    "rollback.digest": (
        "its digest, or the first 8 digits and more (default: the one before the active one)",
        "修订版摘要，或其开头至少 8 位（默认：上一个不同的修订版）",
    ),
    "rollback.done": (
        "in force in every worker: {bundle} (before {previous}); pinned until the next `gateway reload`",
        "已在所有工作进程生效：{bundle}（此前为 {previous}）；在下次 `gateway reload` 之前保持固定",
    ),
    "rollback.same": (
        "{bundle} was in force already; it is pinned now until the next `gateway reload`",
        "{bundle} 原已生效；现已固定，直至下次 `gateway reload`",
    ),
}


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("rollback", help="policy.rollback.help", description="policy.rollback.help")
    parser.add_argument("digest", nargs="?", default="", metavar="DIGEST", help="rollback.digest")
    with_door(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 in force, 1 the gateway said no or the old policies are not good any more, 3 no answer."""
    from gateway.cli.door import answered, brief

    screen = Screen(args)
    code, answer = answered(args, screen, "POST", "/v1/policy/rollback", {"to": args.digest.lower()})
    if code:
        return code
    key = "rollback.same" if answer["bundle"] == answer["previous"] else "rollback.done"
    screen.say(key, "good", bundle=brief(answer["bundle"]), previous=brief(answer["previous"]))
    screen.result(answer)
    return 0
