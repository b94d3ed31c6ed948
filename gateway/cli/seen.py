"""`gateway audit seen`: who saw this citizen's data?

The identifier is read from standard input, never from an argument: those stand in the list of processes and in the
history of the shell. On a terminal it is asked for and not shown. It goes through the control socket, so the question is
on record, as the keyed digest of what was asked.
"""

import argparse
import getpass
import sys
import time
from datetime import tzinfo
from typing import Any

from gateway.cli.parser import with_door
from gateway.cli.screen import Screen
from gateway.cli.times import spelled, zone_of

WORDS: dict[str, tuple[str, str]] = {
    "audit.seen.help": (
        "who saw this citizen's data? the identifier is read from standard input",
        "谁看过该公民的数据？标识符从标准输入读取",
    ),
    "audit.seen.since": (
        "only answers of this span, for example 30d (default: all on record)",
        "仅限此期间内的应答，例如 30d（默认：全部记录）",
    ),
    "audit.seen.examples": (
        "examples:\n"
        "  asked for on the terminal, and not shown there:\n"
        "    gateway audit seen --since 30d\n"
        "  from a file that only you can read:\n"
        "    gateway audit seen < id.txt\n"
        "exit codes: 0 somebody saw it · 1 nobody did, or you may not ask · 2 usage · 3 could not find out\n"
        "  5 nobody is on record, but an answer too large to be listed whole may have shown it",
        "示例：\n"
        "  gateway audit seen --since 30d  # 在终端输入，不回显\n"
        "  gateway audit seen < id.txt  # 从仅本人可读的文件读取\n"
        "退出码：0 有人看过 · 1 无人看过或无权查询 · 2 用法错误 · 3 无法查明\n"
        "  5 记录中无人看过，但有未能完整列出的较大应答可能包含它",
    ),
    "audit.seen.prompt": ("identifier (not shown): ", "标识符（不回显）："),
    "audit.seen.nothing": (
        "no identifier came on standard input: type one, or `gateway audit seen < FILE`",
        "标准输入中没有标识符：请输入，或使用 `gateway audit seen < 文件`",
    ),
    "audit.seen.span_odd": ("`{value}` is not a span such as 30d or 12h", "`{value}` 不是 30d、12h 之类的期间"),
    "audit.seen.nobody": ("nobody was shown it, as far as the record tells", "据记录，无人看过"),
    "audit.seen.count": ("answers: {count}", "应答：{count} 次"),
    "audit.seen.larger": (
        "it may also be in {count} larger answers, of which only the first records are listed",
        "还可能包含在 {count} 次较大的应答中，这些应答只列出了前面的记录",
    ),
    "audit.seen.cut": ("there are more: ask about a shorter time", "还有更多：请缩短期间"),
    "audit.seen.time_head": ("time", "时间"),
    "audit.seen.who_head": ("who", "人员"),
    "audit.seen.org_head": ("department", "部门"),
    "audit.seen.purpose_head": ("purpose", "用途"),
    "audit.seen.asset_head": ("asset", "资产"),
    "audit.seen.shown_head": ("shown", "展示"),
    "audit.seen.id_head": ("decision", "判定编号"),
    "audit.seen.clear": ("in clear", "明文"),
    "audit.seen.masked": ("masked", "脱敏"),
}
HEADS = ("time", "who", "org", "purpose", "asset", "shown", "id")
MOST = 4096  # characters that are read: an identifier is short


def add(commands: Any, run: Any) -> None:
    """Add the command to those of `gateway audit`."""
    seen = commands.add_parser(
        "seen", help="audit.seen.help", description="audit.seen.help", epilog="audit.seen.examples"
    )
    seen.add_argument("--since", default="", metavar="SPAN", help="audit.seen.since")
    with_door(seen)
    seen.set_defaults(run=run, audit_run=ask_who)


def ask_who(args: argparse.Namespace, screen: Screen) -> int:
    """0 with those who saw it, 1 nobody, 2 nothing to ask, 3 no answer, 5 nobody on record but larger answers."""
    from gateway.cli.door import answered

    try:
        since = _since(args.since, time.time())
    except ValueError:
        screen.warn("audit.seen.span_odd", "error", value=args.since)
        return 2
    value = _identifier(screen)
    if not value:
        screen.warn("audit.seen.nothing", "error")
        return 2
    code, answer = answered(args, screen, "POST", "/v1/audit/seen", {"value": value, "since": since})
    if code:
        return code
    _show(answer, zone_of(args.config), screen)
    screen.result(answer)
    return 0 if answer["looks"] else 5 if answer["larger"] else 1


def _since(span: str, now: float) -> float:
    from gateway.config.units import Odd, duration

    try:
        return max(0.0, now - duration(span)) if span else 0.0
    except Odd:
        raise ValueError(span) from None


def _identifier(screen: Screen) -> str:
    """One line, without what surrounds it."""
    if sys.stdin.isatty():
        return getpass.getpass(screen.text("audit.seen.prompt")).strip()
    try:
        line = sys.stdin.readline(MOST).lstrip("\ufeff")  # the mark that some editors begin a file with
        return line.strip()
    except UnicodeDecodeError:  # no text: nothing that could be looked for
        return ""


def _show(answer: dict[str, Any], zone: tzinfo | None, screen: Screen) -> None:
    rows = [
        (
            spelled(look["at"], zone), _named(look), look["org"], look["purpose"], look["asset"],
            screen.text("audit.seen.clear" if look["clear"] else "audit.seen.masked"), look["id"],
        )
        for look in answer["looks"]
    ]  # fmt: skip
    if rows:
        screen.table([screen.text(f"audit.seen.{name}_head") for name in HEADS], rows)
        screen.say("audit.seen.count", "dim", count=len(rows))
    else:
        screen.say("audit.seen.nobody")
    if answer["larger"]:
        screen.warn("audit.seen.larger", "warning", count=answer["larger"])
    if answer["cut"]:
        screen.warn("audit.seen.cut", "warning")


def _named(look: dict[str, Any]) -> str:
    return f"{look['person']} ({look['subject']})" if look["person"] else str(look["subject"])
