"""How did it end, when the answer was handed to the caller?

Rules:

1. There is always an Outcome, whatever broke: the caller, the service, or the request body. Who is stopped while sending
   still tells it (`Interrupted`): what was shown until then was shown.
2. An answer that breaks off is left unfinished on purpose: the server then cuts the connection, and
   the caller sees a truncation, never a shorter answer that looks whole. So it is before the first piece: the
   status that is on record is the one that the caller sees.
3. A stream that was opened is closed, also when nobody listens any more.
"""

from asyncio import CancelledError
from collections.abc import AsyncIterator
from contextlib import suppress
from time import monotonic, time

from starlette.types import Send

from gateway.facts import Ask, BodyBroken, BodyFailed, Headers, Outcome, Reply, Unreadable

_NOSNIFF = (b"x-content-type-options", b"nosniff")


class Interrupted(CancelledError):
    """Sending was stopped from outside; how far it came is the outcome."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.code)
        self.outcome = outcome


async def write(
    asked: Ask | Unreadable,
    reply: Reply,
    send: Send,
    also: Headers = (),
    guarded: AsyncIterator[bytes] | None = None,
) -> Outcome:
    """Send the reply, with `also` among its headers; how it went is the outcome. Raises only Interrupted.

    `guarded` is the reply's streaming body under watch: it ends with BodyFailed when it is no longer allowed.
    """
    headers = [*reply.headers, *also, (b"x-request-id", asked.id.encode("ascii", "replace")), _NOSNIFF]
    sent, code, detail, complete = 0, reply.code, reply.detail, False
    stopped: CancelledError | None = None
    body = reply.body
    try:
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        if isinstance(asked, Ask) and asked.method == "HEAD":
            await send({"type": "http.response.body", "body": b""})
        elif isinstance(body, bytes):
            await send({"type": "http.response.body", "body": body})
            sent = len(body)
        else:
            async for piece in body if guarded is None else guarded:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                sent += len(piece)
            await send({"type": "http.response.body", "body": b""})
        complete = True
    except OSError:  # the caller is gone (ASGI 2.4); for a refusal its own reason stays the more telling one
        code = code or "client_gone"
    except (BodyFailed, BodyBroken) as broken:
        code = broken.code
        detail = broken.detail if isinstance(broken, BodyFailed) else ""
        if not sent:
            with suppress(OSError):
                await send({"type": "http.response.body", "body": b"", "more_body": True})
    except CancelledError as why:
        stopped, code = why, code or ("client_gone" if "client_gone" in why.args else "interrupted")
    finally:
        if not isinstance(body, bytes):
            await _close(guarded)
            await _close(body)
    if isinstance(asked, Unreadable):
        received, took = 0, time() - asked.at
    else:
        received, took = asked.body.received, monotonic() - asked.clock
    revealed = reply.revealed if reply.revealing is None else reply.revealing()
    outcome = Outcome(reply.status, sent, received, complete, code, revealed, reply.waited, took, detail)
    if stopped is not None:
        raise Interrupted(outcome) from stopped
    return outcome


async def _close(body: AsyncIterator[bytes] | None) -> None:
    close = getattr(body, "aclose", None)
    if close is not None:
        await close()
