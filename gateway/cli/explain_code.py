"""`gateway explain-code`: what does this code mean, and what can I do?"""

import argparse
from typing import Any

from gateway.cli.screen import Screen


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("explain-code", help="explain_code.help", description="explain_code.help")
    parser.add_argument("code", metavar="CODE", help="explain_code.code")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the meaning, 1 when there is no such code."""
    from gateway.cli.codes import explained, known
    from gateway.document import did_you_mean

    screen = Screen(args)
    found = explained(args.code)
    if not found:
        hints = did_you_mean(args.code, known())
        screen.warn("explain_code.unknown", "error", code=args.code, hint=screen.choose(*hints))
        return 1
    for meaning in found:
        screen.line(f"{meaning.code}  {screen.choose(meaning.en, meaning.zh)}", "bold")
        screen.line("  " + (screen.choose(meaning.remedy_en, meaning.remedy_zh) or screen.text("explain_code.see")))
        if meaning.operator_en:
            screen.say("explain_code.operator", does=screen.choose(meaning.operator_en, meaning.operator_zh))
        if meaning.status:
            screen.say("explain_code.answered", "dim", status=meaning.status)
    values = [meaning._asdict() for meaning in found]
    screen.result(values[0] if found[0].status else values)  # a reason is one, a fault code may be told of several
    return 0
