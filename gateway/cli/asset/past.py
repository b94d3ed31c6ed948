"""What does the record of this gateway say of its data?

Opened for reading only; what cannot be read is counted and told.
"""

import argparse
from typing import TYPE_CHECKING

from gateway.cli.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.catalog import Listing
    from gateway.inventory.usage import Usage

SINCE = "30d"
WORDS = {
    "asset.since": (
        "how far back the record is read: 7d, 12h (default: 30d), or a file of entries",
        "回溯多久的记录：7d、12h（默认 30d），或记录文件",
    ),
    "asset.nothing_yet": (
        "nothing is on record in `{path}` yet: start the gateway, let requests come, then ask again",
        "`{path}` 中尚无记录：请启动网关，待有请求后再查询",
    ),
    "asset.unreadable": ("{count:entry|entries} of the record could not be read", "{count} 条记录无法读取"),
}


def with_since(parser: argparse.ArgumentParser) -> None:
    """Let a command say how far back it looks."""
    parser.add_argument("--since", default=SINCE, metavar="SPAN", help="asset.since")


def usage(args: argparse.Namespace, listings: "Iterable[Listing]", screen: Screen) -> "Usage | int":
    """What was counted in the record, by the labels of these assets; the exit code after saying why there is none: 2 for a slip, else 3."""
    from gateway.cli.policy.stored import installed

    counted = recorded(args, listings, screen)
    if counted is None:  # no record is not an empty one: nobody may conclude that nothing was asked
        screen.warn("asset.nothing_yet", "error", path=installed(args).state)
        return 3
    return counted


def recorded(args: argparse.Namespace, listings: "Iterable[Listing]", screen: Screen) -> "Usage | int | None":
    """The same; None, and nothing said, where nothing is on record yet."""
    from gateway.cli.policy.record import Taken, entries, spans
    from gateway.cli.policy.stored import installed
    from gateway.inventory.known import Known
    from gateway.inventory.usage import Usage

    parts = spans(args.since, installed(args), screen)
    if isinstance(parts, int):
        return parts
    if not parts:
        return None
    counted, taken = Usage(Known(listings)), Taken()
    try:
        for span in parts:
            for entry in entries(span, taken):
                counted.add(entry)
    except OSError as error:
        screen.warn("cannot_read", "error", why=error)
        return 3
    if taken.unreadable:
        screen.warn("asset.unreadable", "warning", count=taken.unreadable)
    return counted
