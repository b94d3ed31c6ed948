"""Where do requests meet the journey, and where do faults end?

The data port as one ASGI application: the reserved pages, everything else through the
journey, and the one place that catches what nobody expected. Rules:

1. The data port carries the protected APIs and the pages below; nothing operational, ever
   (CVE-2022-24797 and its siblings: metrics and debug pages on the public port).
2. A fault nobody expected becomes a 500 without its text, and a notice with its type and place:
   values and messages may hold data of citizens. So do faults beside the requests, which asyncio would print.
"""

import traceback
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.types import Receive, Scope, Send

from gateway.facts import Notice

Page = Callable[[Scope, Receive, Send], Awaitable[None]]
RESERVED = b"/.gateway/"
WELL_KNOWN = b"/.well-known/oauth-protected-resource"


class DataPort:
    """The ASGI application of a worker."""

    def __init__(
        self,
        journey: Page,
        pages: Mapping[bytes, Page],
        missing: Page,
        broken: Page,
        notice: Callable[[Notice], None],
    ) -> None:
        self._journey = journey
        self._pages = pages
        self._missing = missing
        self._broken = broken
        self._notice = notice

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        raw: bytes = scope["raw_path"]
        if raw.startswith((RESERVED, WELL_KNOWN)):
            application = self._pages.get(raw, self._missing)
        else:
            application = self._journey
        try:
            await application(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the one boundary: nothing may leave it unrecorded
            self._notice(Notice("gateway.fault", type(error).__name__, place(error)))
            await self._broken(scope, receive, send)


def unforeseen(notice: Callable[[Notice], None]) -> Callable[[AbstractEventLoop, dict[str, Any]], None]:
    """An exception handler for the loop (rule 2)."""

    def handle(loop: AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None:
            notice(Notice("gateway.fault", type(error).__name__, place(error)))

    return handle


def place(error: BaseException) -> str:
    """Where an exception was raised, `room/module.py:line` of our innermost frame."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/gateway/" in frame.filename]
    if not ours:
        return ""
    return f"{ours[-1].filename.rsplit('/gateway/', 1)[1]}:{ours[-1].lineno}"
