"""`gateway revoke`: who may no longer come in, from now on?

Goes through the control socket; 0 means that every live worker refuses.
"""

import argparse
import os
import time
from pathlib import Path
from typing import Any

from gateway.cli.parser import with_config
from gateway.cli.screen import Screen


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("revoke", help="revoke.help", description="revoke.help")
    parser.add_argument("kind", choices=("token", "session", "subject", "device"), help="revoke.kind")
    parser.add_argument("id", metavar="ID", help="revoke.id")
    parser.add_argument("--reason", default="", metavar="TEXT", help="revoke.reason")
    parser.add_argument("--until", default="", metavar="TIME", help="revoke.until")
    parser.add_argument("--socket", default="", metavar="PATH", help="socket")
    with_config(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 in force, 1 the gateway said no, 2 a time that cannot be, 3 no answer."""
    from gateway.cli.door import NoAnswer, ask, complaint

    screen = Screen(args)
    try:
        until = moment(args.until, time.time()) if args.until else None
    except ValueError:
        screen.warn("revoke.until_odd", "error", value=args.until)
        return 2
    path = socket_of(args, screen)
    if path is None:
        return 3
    wish = {"kind": args.kind, "id": nameable(args.kind, args.id), "reason": args.reason, "until": until}
    try:
        status, answer = ask(path, "POST", "/v1/revocations", wish, args.lang)
    except NoAnswer as silence:
        screen.warn("no_answer", "error", socket=silence.socket, why=silence.why)
        return 3
    if status != 200:
        screen.warn("refused", "error", status=status, why=complaint(answer))
        screen.result(answer)
        return 3 if status >= 500 else 1
    screen.say("revoke.done", "good", kind=args.kind, id=wish["id"], workers=answer["workers"], number=answer["id"])
    screen.result(answer)
    return 0


def moment(text: str, now: float) -> float:
    """Seconds since 1970 of `24h` from now, or of a time with its offset. Raises ValueError."""
    from datetime import datetime

    from gateway.config.units import Odd, duration

    try:
        return now + duration(text)
    except Odd:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:  # eight hours' difference between what was meant and what was done
            raise ValueError("a time needs its offset") from None
        return found.timestamp()


def nameable(kind: str, id: str) -> str:
    """The name of a token instead of the token: what is typed must not travel further."""
    if kind == "token" and id.count(".") == 2 and id.startswith("ey"):
        from gateway.crypto.digest import token_id

        return token_id(id)
    return id


def socket_of(args: argparse.Namespace, screen: Screen) -> Path | None:
    """The control socket; None after saying why it is not known."""
    if getattr(args, "socket", ""):
        return Path(args.socket)
    from gateway.config import places
    from gateway.document import Faulty

    try:
        return places(Path(args.config), os.environ).socket
    except Faulty as faulty:
        if Path(args.config).exists():
            screen.faults(faulty.faults)
        else:
            screen.warn("no_config", "error", path=args.config)
        return None
