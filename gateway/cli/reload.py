"""`gateway reload`: are the edited policies in force?

Goes through the control socket; 0 means that every worker judges by them from its next request on.
"""

import argparse
from pathlib import Path
from typing import Any

from gateway.cli.parser import with_door
from gateway.cli.screen import Screen
from gateway.cli.times import spelled


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("reload", help="reload.help", description="reload.help")
    with_door(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 in force, 1 the policies are not good (the last good ones stay), 3 no answer."""
    from gateway.cli.door import answered, brief

    screen = Screen(args)
    code, answer = answered(args, screen, "POST", "/v1/reload", said={422: screen.text("reload.rejected")})
    if answer is not None:
        _remark(args, screen)
    if code:
        return code
    same = answer["bundle"] == answer["previous"]
    since = _since(args, screen, answer["bundle"]) if same and not screen.json else ""
    key = "reload.done" if not same else "reload.since" if since else "reload.same"
    screen.say(key, "good", bundle=brief(answer["bundle"]), previous=brief(answer["previous"]), since=since)
    screen.result(answer)
    return 0


def _since(args: argparse.Namespace, screen: Screen, bundle: str) -> str:
    """Since when these policies are in force: whoever saved a file and hears of no change must know that it was taken up. "" where it is not told."""
    from gateway.cli.door import NoAnswer, ask, socket_of

    door = socket_of(args, screen)
    try:
        _, health = ask(door, "GET", "/health", None, args.lang) if door is not None else (0, {})
        return spelled(health["bundle_since"]) if health["bundle"] == bundle and health["bundle_since"] else ""
    except (NoAnswer, KeyError, TypeError):
        return ""


def _remark(args: argparse.Namespace, screen: Screen) -> None:
    """Who set `mode: enforce` and reloads must not believe that it is enforced: that file is read at start only."""
    from gateway.cli.door import NoAnswer, ask, socket_of
    from gateway.config import fingerprint
    from gateway.document import Faulty, read

    door = None if args.socket else socket_of(args, screen)  # the file named by default may be another gateway's
    if door is None:
        return
    try:
        _, health = ask(door, "GET", "/health", None, args.lang)
        started = health["config"]
    except (NoAnswer, KeyError, TypeError):
        return
    try:
        changed = fingerprint(read(Path(args.config))) != started
    except Faulty:
        changed = True
    if changed:
        screen.warn("reload.restart", "warning", path=args.config)
