"""`gateway explain-code`: what does this code mean, and what can I do?"""

import argparse
import re
from typing import Any

from gateway.cli.screen import Screen

_BLANK = re.compile(r"`?\{[a-z_0-9]+\}`?")  # where a fault names what it found


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("explain-code", help="explain_code.help", description="explain_code.help")
    parser.add_argument("code", metavar="CODE", help="explain_code.code")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the meaning, 1 when there is no such code."""
    from gateway.config.codes import CODES
    from gateway.document import did_you_mean
    from gateway.reasons import REASONS

    screen = Screen(args)
    reason = REASONS.get(args.code.lower())
    faults = [meaning for meaning in CODES.values() if meaning.code == args.code.upper()]
    if reason is not None:
        screen.line(f"{args.code.lower()}  {screen.choose(reason.en, reason.zh)}", "bold")
        screen.line(f"  {screen.choose(reason.remedy_en, reason.remedy_zh)}")
        screen.say("explain_code.answered", "dim", status=reason.status)
        screen.result(reason._asdict() | {"code": args.code.lower()})
        return 0
    for meaning in faults:
        screen.line(f"{meaning.code}  {_BLANK.sub('…', screen.choose(meaning.en, meaning.zh))}", "bold")
        screen.line(f"  {_BLANK.sub('…', screen.choose(meaning.remedy_en, meaning.remedy_zh))}")
    if faults:
        screen.result([meaning._asdict() for meaning in faults])
        return 0
    if re.fullmatch(r"[BDKPY][0-9]{3}", args.code.upper()):
        screen.warn("explain_code.in_docs", "error", code=args.code.upper())
        return 1
    hints = did_you_mean(args.code, [*REASONS, *(meaning.code for meaning in CODES.values())])
    screen.warn("explain_code.unknown", "error", code=args.code, hint=screen.choose(*hints))
    return 1
