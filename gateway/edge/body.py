"""Has the request body come in, completely and not too large?

Rules:

1. A small body is complete before anything is sent to a service (`settle`): a caller whose
   framing breaks half way must not leave half a write behind.
2. A large one streams, one piece at a time, and each piece is counted against the API's limit.
3. More or fewer bytes than Content-Length announced is a broken body, whatever the server thinks.
"""

from collections.abc import AsyncIterator

from starlette.types import Receive

from gateway.facts import BodyBroken


class AsgiBody:
    """The body of one request over ASGI `receive`; satisfies `facts.Body`."""

    __slots__ = ("_broken", "_done", "_limit", "_pieces", "_receive", "_small", "_streamed", "length", "received")

    def __init__(self, receive: Receive, length: int | None, small: int, limit: int) -> None:
        self.length = length
        self.received = 0
        self._receive = receive
        self._small = small
        self._limit = limit
        self._pieces: list[bytes] = []
        self._done = length == 0
        self._broken = ""
        self._streamed = False

    async def settle(self) -> str | None:
        """Wait for a small body; None, or the reason code why it can never be complete."""
        if self._done:
            return None
        if self.length is not None:
            if self.length > self._limit:
                return "body_too_large"
            if self.length > self._small:
                return None
        while not (self._done or self._broken) and self.received <= self._small:
            self._pieces.append(await self._next())
        return self._broken or None

    def whole(self) -> bytes | None:
        """The complete small body, else None. It stays: a retry may read it again."""
        if not self._done or self._streamed or self._broken or self.received > self._small:
            return None
        if len(self._pieces) > 1:
            self._pieces = [b"".join(self._pieces)]
        return self._pieces[0] if self._pieces else b""

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body piece by piece; raises BodyBroken when it breaks off or grows too large."""
        whole = self.whole()
        if whole is not None:
            if whole:
                yield whole
            return
        if self._streamed:
            raise BodyBroken("body_incomplete")  # what has streamed away cannot be sent again
        self._streamed = True
        kept, self._pieces = self._pieces, []
        for piece in kept:
            yield piece
        while not (self._done or self._broken):
            piece = await self._next()
            if piece:
                yield piece
        if self._broken:
            raise BodyBroken(self._broken)

    async def _next(self) -> bytes:
        event = await self._receive()
        if event["type"] != "http.request":
            self._broken = event.get("code") or "client_gone"  # our protocol class says why
            return b""
        piece: bytes = event.get("body", b"")
        self.received += len(piece)
        self._done = not event.get("more_body", False)
        if self.received > self._limit:
            self._broken = "body_too_large"
        elif self.length is not None and (self.received > self.length or (self._done and self.received < self.length)):
            self._broken = "body_incomplete"
        return b"" if self._broken else piece
