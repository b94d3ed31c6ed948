"""`gateway risk`: how is somebody behaving, by which evidence, and when is it over?

Goes through the control socket, so the question is on record. A score is made from the ledger and fades by
itself; nothing here changes one.
"""

import argparse
import math
from typing import Any

from gateway.cli.parser import with_door
from gateway.cli.screen import Screen
from gateway.cli.times import spelled

HEADS = ("risk.signal_head", "risk.points_head", "risk.since_head", "risk.half_head", "risk.evidence_head")


def register(subparsers: Any) -> None:
    """Add the commands."""
    group = subparsers.add_parser("risk", help="risk.help", description="risk.help")
    commands = group.add_subparsers(dest="risk_command", metavar="COMMAND", required=True)
    show = commands.add_parser("show", help="risk.show.help", description="risk.show.help")
    show.add_argument("subject", metavar="SUBJECT", help="risk.subject")
    with_door(show)
    show.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with what is known, 1 when the record knows nobody by that name, 3 no answer."""
    from urllib.parse import quote

    from gateway.cli.door import answered

    screen = Screen(args)
    said = {404: screen.text("risk.nobody", subject=args.subject)}
    code, answer = answered(args, screen, "GET", f"/v1/risk/{quote(args.subject, safe='')}", said=said)
    if code:
        return code
    _show(answer, screen)
    screen.result(answer)
    return 0


def _show(answer: dict[str, Any], screen: Screen) -> None:
    from gateway.behaviour.risk import HYSTERESIS

    score, rows = answer["score"], answer.get("contributions", [])
    screen.say("risk.score", "bold", subject=answer["subject"], score=f"{score:g}", band=answer["band"])
    if rows:
        cells = [
            (
                screen.choose(row["title"]["en"], row["title"]["zh"]), f"{row['points']:g}", spelled(row["since"]),
                _span(row["half_life"], screen), screen.choose(row["evidence"], row.get("evidence_zh", row["evidence"])),
            )
            for row in rows
        ]  # fmt: skip
        screen.table([screen.text(name) for name in HEADS], cells)
    end = min((float(least) for least in answer.get("edges", {}).values()), default=0.0) - HYSTERESIS
    if rows and answer["band"] != "normal" and score > end > 0:
        # together they fade no slower than the one that fades slowest
        seconds = max(row["half_life"] for row in rows) * math.log2(score / end)
        screen.say("risk.fades", span=_span(seconds, screen))


def _span(seconds: float, screen: Screen) -> str:
    """A length of time in the largest unit that it fills."""
    for least, en, zh in ((3600, "h", "小时"), (60, "min", "分钟")):
        if seconds >= least:
            return f"{seconds / least:.3g} {screen.choose(en, zh)}"
    return f"{seconds:.0f} {screen.choose('s', '秒')}"
