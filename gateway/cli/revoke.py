"""`gateway revoke`: who may no longer come in, from now on? Who may not already, and who may again?

Goes through the control socket; 0 means that every live worker refuses, or lets in again.
"""

import argparse
import time
from typing import Any
from urllib.parse import urlencode

from gateway.cli.parser import with_door
from gateway.cli.screen import Screen
from gateway.cli.times import moment, spelled

HEADS = (
    "revoke.number_head", "revoke.kind_head", "revoke.id_head", "revoke.until_head", "revoke.by_head",
    "revoke.since_head", "revoke.reason_head",
)  # fmt: skip


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("revoke", help="revoke.help", description="revoke.help")
    parser.add_argument("kind", nargs="?", choices=("token", "session", "subject", "device"), help="revoke.kind")
    parser.add_argument("id", nargs="?", default="", metavar="ID", help="revoke.id")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--list", action="store_true", help="revoke.list")
    other.add_argument("--lift", type=int, default=0, metavar="NUMBER", help="revoke.lift")
    parser.add_argument("--reason", default="", metavar="TEXT", help="revoke.reason")
    parser.add_argument("--until", default="", metavar="TIME", help="revoke.until")
    with_door(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 in force, 1 the gateway said no, 2 a time or a command that cannot be, 3 no answer."""
    screen = Screen(args)
    named, other = bool(args.kind or args.id), bool(args.list or args.lift)
    if named == other or (named and not args.id) or (other and args.until):
        screen.warn("revoke.what", "error")
        return 2
    if args.list:
        return _list(args, screen)
    return _lift(args, screen) if args.lift else _revoke(args, screen)


def _revoke(args: argparse.Namespace, screen: Screen) -> int:
    from gateway.cli.door import answered

    try:
        until = moment(args.until, time.time()) if args.until else None
    except ValueError:
        screen.warn("revoke.until_odd", "error", value=args.until)
        return 2
    wish = {"kind": args.kind, "id": nameable(args.kind, args.id), "reason": args.reason, "until": until}
    code, answer = answered(args, screen, "POST", "/v1/revocations", wish)
    if code:
        return code
    screen.say("revoke.done", "good", kind=args.kind, id=wish["id"], workers=answer["workers"], number=answer["id"])
    if answer.get("seen") is False:  # in force all the same: withdrawing before the first request is legitimate
        screen.warn("revoke.unseen", "warning", kind=args.kind, id=wish["id"])
    screen.result(answer)
    return 0


def _list(args: argparse.Namespace, screen: Screen) -> int:
    """0 with what is withdrawn now, also when that is nothing."""
    from gateway.cli.door import answered

    code, answer = answered(args, screen, "GET", "/v1/revocations")
    if code:
        return code
    rows = answer["revocations"]
    if rows:
        cells = [
            (row["id"], row["kind"], row["key"], _until(row, screen), row["by"], spelled(row["at"]), row["reason"])
            for row in rows
        ]
        screen.table([screen.text(name) for name in HEADS], cells)
    screen.say("revoke.some" if rows else "revoke.none", "dim", count=len(rows))
    screen.result(rows)
    return 0


def _until(row: dict[str, Any], screen: Screen) -> str:
    end = row.get("until")
    return spelled(end) if end is not None else screen.text("revoke.until_lifted")


def _lift(args: argparse.Namespace, screen: Screen) -> int:
    """0 lifted, and said when another one still holds for the same; 1 there is no such revocation."""
    from gateway.cli.door import answered

    target = f"/v1/revocations/{args.lift}?{urlencode({'reason': args.reason})}"
    said = {404: screen.text("revoke.no_such", number=args.lift)}
    code, answer = answered(args, screen, "DELETE", target, said=said)
    if code:
        return code
    screen.say("revoke.lifted", "good", number=args.lift, kind=answer["kind"], id=answer["id"])
    still = answer["still"]
    if still:
        screen.warn("revoke.still", "warning", kind=answer["kind"], id=answer["id"], still=", ".join(map(str, still)))
    screen.result(answer)
    return 0


def nameable(kind: str, id: str) -> str:
    """The name of a token instead of the token: what is typed must not travel further."""
    if kind == "token" and id.count(".") == 2 and id.startswith("ey"):
        from gateway.crypto.digest import token_id

        return token_id(id)
    return id
