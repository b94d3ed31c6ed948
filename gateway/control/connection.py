"""Who is at the other end of this connection, and how long may they take?

The one place where the control door touches uvicorn: a protocol class that puts the peer's uid or
certificate into the scope, and the server settings that go with it. Rules:

1. The peer is read from the connection, before a byte of the request; no header can name it.
2. One request for each connection, whole within ten seconds: a slow caller holds nothing.
3. An answer is not lost because the caller is still sending: what is left of the request is taken first.
4. The Unix socket is made with its final permissions; there is no moment at which it is open to others.
"""

import asyncio
import errno
import os
import socket
import ssl
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway.control.callers import Peer

REQUEST_SECONDS = 10.0
HEADER_BYTES = 16 * 1024
CONNECTIONS = 128
LEFT_BYTES = 1024 * 1024
_UCRED = struct.Struct("3i")  # pid, uid, gid: unix(7)

ASGIApp = Callable[..., Any]


class DoorProtocol(H11Protocol):
    """HTTP/1.1 with the peer's credentials in `scope["extensions"]["peer"]`."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn itself
        super().connection_made(transport)
        self.app = with_peer(self.app, peer_of(transport))
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self._cut_off)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def _cut_off(self) -> None:
        """Close a connection whose request has not arrived; one that waits for its answer stays."""
        if self.cycle is None or self.cycle.more_body:
            self.transport.abort()


def with_peer(app: ASGIApp, peer: Peer) -> ASGIApp:
    """The application as this one connection sees it."""

    async def connected(scope: dict[str, Any], receive: Any, send: Any) -> None:
        extensions = {**scope.get("extensions", {}), "peer": peer}
        await heard_out(app)({**scope, "extensions": extensions}, receive, send)

    return connected


def heard_out(app: ASGIApp) -> ASGIApp:
    """The application, answering once the request is read to its end, or to a bound.

    Closing a socket with unread bytes resets it: the caller would see a broken pipe and no reason.
    """

    async def patient(scope: dict[str, Any], receive: Any, send: Any) -> None:
        left = LEFT_BYTES

        async def hear() -> dict[str, Any]:
            nonlocal left
            message: dict[str, Any] = await receive()
            left = left - len(message.get("body", b"")) if message.get("more_body") else 0
            return message

        async def answer(message: dict[str, Any]) -> None:
            while message["type"] == "http.response.start" and left > 0:
                await hear()
            await send(message)

        await app(scope, hear, answer)

    return patient


def peer_of(transport: asyncio.BaseTransport) -> Peer:
    """The credentials of the other end, from the kernel or the TLS handshake."""
    end = transport.get_extra_info("socket")
    if end is not None and end.family == socket.AF_UNIX:
        _, uid, _ = _UCRED.unpack(end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
        return Peer(uid=uid)
    tls = transport.get_extra_info("ssl_object")
    return Peer(certificate=(tls.getpeercert(binary_form=True) or b"") if tls is not None else b"")


def server_config(app: ASGIApp, tls: ssl.SSLContext | None = None) -> uvicorn.Config:
    """How uvicorn must serve the door; pass sockets to `Server.serve(sockets=…)`.

    `proxy_headers` is off: nobody in front may say who is calling.
    """
    return uvicorn.Config(
        app,
        http=DoorProtocol,
        ws="none",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        date_header=True,
        access_log=False,
        log_config=None,
        h11_max_incomplete_event_size=HEADER_BYTES,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=1,
        ssl_context_factory=(lambda _config, _default: tls) if tls is not None else None,
    )


def unix_socket(path: Path, shared: bool = False) -> socket.socket:
    """A listening Unix socket: 0600, or open to connect for all users when other `operators` are configured.

    Removes what a dead process left. Raises OSError, also when somebody listens there already.
    """
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        before = os.umask(0o111 if shared else 0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        listener.listen(64)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _remove_stale(path: Path) -> None:
    """Remove a socket nobody answers on; never another kind of file."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(errno.EEXIST, "exists and is not a socket", str(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
    raise OSError(errno.EADDRINUSE, "another gateway listens here", str(path))
