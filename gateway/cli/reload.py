"""`gateway reload`: are the edited policies in force?

Goes through the control socket; 0 means that every worker judges by them from its next request on.
"""

import argparse
from pathlib import Path
from typing import Any

from gateway.cli.parser import with_config
from gateway.cli.screen import Screen


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("reload", help="reload.help", description="reload.help")
    parser.add_argument("--socket", default="", metavar="PATH", help="socket")
    with_config(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 in force, 1 the policies are not good (the last good ones stay), 3 no answer."""
    from gateway.cli.door import NoAnswer, ask, brief, complaint
    from gateway.cli.revoke import socket_of

    screen = Screen(args)
    path = socket_of(args, screen)
    if path is None:
        return 3
    try:
        status, answer = ask(path, "POST", "/v1/reload", None, args.lang)
    except NoAnswer as silence:
        screen.warn("no_answer", "error", socket=silence.socket, why=screen.choose(silence.why, silence.zh))
        return 3
    screen.result(answer)
    _remark(args, screen, path)
    if status == 200:
        key = "reload.same" if answer["bundle"] == answer["previous"] else "reload.done"
        screen.say(key, "good", bundle=brief(answer["bundle"]), previous=brief(answer["previous"]))
        return 0
    if status == 422:
        screen.faults(faults_of(answer))
        screen.warn("reload.rejected", "warning")
        return 1
    screen.warn("refused", "error", status=status, why=complaint(answer))
    return 3 if status >= 500 else 1


def _remark(args: argparse.Namespace, screen: Screen, door: Path) -> None:
    """Who set `mode: enforce` and reloads must not believe that it is enforced: that file is read at start only."""
    from gateway.cli.door import NoAnswer, ask

    if args.socket:  # then the file named by default may be another gateway's
        return
    try:
        _, health = ask(door, "GET", "/health", None, args.lang)
        started = min(worker["since"] for worker in health["workers"])
        changed = Path(args.config).stat().st_mtime
    except (NoAnswer, OSError, KeyError, TypeError, ValueError):
        return
    if changed > started:
        screen.warn("reload.restart", "warning", path=args.config)


def faults_of(answer: Any) -> list[Any]:
    """The faults of a refusal with 422."""
    from msgspec import convert

    from gateway.document import FileFault

    return convert(answer.get("errors", []), list[FileFault])
