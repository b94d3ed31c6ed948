"""Which connection carries the next request to this address?

Rules:

1. The connection used last is used first: the others grow old and are closed.
2. Look before use: what is closed, or has bytes waiting, is not used (a request sent into a dying
   connection is a permit without an outcome).
3. There are never more than `size` connections; who finds none free waits in line, for a bounded time,
   and the line is bounded too.
4. One timer per address looks after all its connections and its line.
"""

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from collections.abc import Callable
from ipaddress import ip_address

from msgspec import Struct

from gateway.facts import Fault
from gateway.upstream.connection import Connection
from gateway.upstream.settings import Endpoint, Timeouts

WAITERS_PER_CONNECTION = 4


class Line(Struct, eq=False):
    """One request that waits: it gets a connection, None (leave to open one), or a fault."""

    turn: "asyncio.Future[Connection | Fault | None]"
    until: float


class Pool:
    """The connections to one address. `opened` hears of each attempt: "" or what went wrong."""

    def __init__(
        self,
        endpoint: Endpoint,
        size: int,
        limits: Timeouts,
        tls: ssl.SSLContext | None,
        server_name: str,
        opened: Callable[["Pool", str], None],
        clock: Callable[[], float],
    ) -> None:
        self.endpoint = endpoint
        self.authority = endpoint.authority
        self._size = size
        self._limits = limits
        self._tls = tls
        self._server_name = server_name or endpoint.host
        self._opened = opened
        self._clock = clock
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._opening = 0
        self._line: deque[Line] = deque()
        self._interval = min(0.5, min(getattr(limits, name) for name in limits.__struct_fields__) / 8)
        self._timer: asyncio.TimerHandle | None = None
        self._swept = 0.0
        self._closed = False
        self._all_gone: asyncio.Future[None] | None = None

    @property
    def pending(self) -> int:
        """Requests under way or waiting."""
        return len(self._open) - len(self._idle) + self._opening + len(self._line)

    @property
    def free(self) -> int:
        """Connections that wait for a request."""
        return len(self._idle)

    # --- giving out -----------------------------------------------------------------------------

    def take(self) -> Connection | None:
        """A free connection, if there is one: the warm path needs no await."""
        while self._idle:
            connection = self._idle.pop()
            if connection.ready():
                return connection
            connection.abort()
        return None

    async def obtain(self) -> Connection | Fault:
        """A free connection, a new one, or the next that becomes free."""
        while not self._closed:
            connection = self.take()
            if connection is not None:
                return connection
            if len(self._open) + self._opening < self._size:
                self._opening += 1
                return await self.open()
            if len(self._line) >= self._size * WAITERS_PER_CONNECTION:
                return Fault("upstream_unavailable", f"{self.endpoint}: the line for a connection is full")
            given = await self._wait()
            if given is None:
                return await self.open()
            if isinstance(given, Fault) or given.ready():
                return given
            given.abort()
        return Fault("upstream_unavailable", f"{self.endpoint}: closed")

    async def _wait(self) -> Connection | Fault | None:
        turn: asyncio.Future[Connection | Fault | None] = asyncio.get_running_loop().create_future()
        place = Line(turn, self._clock() + self._limits.connect)
        self._line.append(place)
        self._watch()
        try:
            return await turn
        except asyncio.CancelledError:
            self._hand_back(place)
            raise

    def _hand_back(self, place: Line) -> None:
        """Whoever waited has left; what was already given to them goes to the next."""
        if place in self._line:
            self._line.remove(place)
        if not place.turn.done() or place.turn.cancelled():
            return
        given = place.turn.result()
        if isinstance(given, Connection):
            self.release(given)
        elif given is None:
            self._opening -= 1
            self._let_in()

    def release(self, connection: Connection) -> None:
        """It is clean and free: for the next in line, or kept."""
        place = self._next()
        if place is not None:
            place.turn.set_result(connection)
        else:
            self._idle.append(connection)

    def forget(self, connection: Connection) -> None:
        """It is no more: the next in line may open another."""
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._let_in()
        if self._all_gone is not None and not self._open and not self._all_gone.done():
            self._all_gone.set_result(None)

    def _let_in(self) -> None:
        while self._line and len(self._open) + self._opening < self._size:
            place = self._next()
            if place is not None:
                self._opening += 1
                place.turn.set_result(None)

    def _next(self) -> Line | None:
        while self._line:
            place = self._line.popleft()
            if not place.turn.done():
                return place
        return None

    def retire_idle(self) -> None:
        """Close what is free: it is as old as the one that just died."""
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.abort()

    # --- opening --------------------------------------------------------------------------------

    async def open(self) -> Connection | Fault:
        """A new connection; its place in the count is already taken."""
        try:
            async with asyncio.timeout(self._limits.connect):
                connection = await self._dial()
        except TimeoutError:
            return self._refused("upstream_timeout", f"no connection within {self._limits.connect:g} s")
        except OSError as error:  # ssl.SSLError and socket.gaierror are of this kind
            return self._refused("upstream_unreachable", str(error).lower() or "cannot connect")
        finally:
            self._opening -= 1
            if self._line:
                asyncio.get_running_loop().call_soon(self._let_in)  # after the new one is counted
        self._opened(self, "")
        if self._closed:
            connection.abort()
        return connection

    def _refused(self, code: str, why: str) -> Fault:
        self._opened(self, why)
        return Fault(code, f"{self.endpoint}: {why}")

    async def _dial(self) -> Connection:
        loop = asyncio.get_running_loop()
        last: OSError = OSError(f"no address for `{self.endpoint.host}`")
        for family, address in await self._resolve():
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.setblocking(False)
                await loop.sock_connect(sock, address)
            except OSError as error:
                sock.close()
                last = error
            except asyncio.CancelledError:
                sock.close()
                raise
            else:
                return await self._dress(loop, sock)
        raise last

    async def _resolve(self) -> list[tuple[int, tuple[object, ...]]]:
        host, port = self.endpoint.host, self.endpoint.port
        with contextlib.suppress(ValueError):  # a literal address needs no resolver, and no thread
            family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
            return [(family, (host, port))]
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [(family, address) for family, _, _, _, address in found]

    async def _dress(self, loop: asyncio.AbstractEventLoop, sock: socket.socket) -> Connection:
        _, connection = await loop.create_connection(
            lambda: Connection(self, self._limits, self._interval, sock),
            sock=sock,
            ssl=self._tls,
            server_hostname=self._server_name if self._tls else None,
        )
        self._open.add(connection)
        self._watch()
        return connection

    # --- time and end ---------------------------------------------------------------------------

    def _watch(self) -> None:
        if self._timer is None and not self._closed:
            self._swept = self._clock()
            self._timer = asyncio.get_running_loop().call_later(self._interval, self._sweep)

    def _sweep(self) -> None:
        self._timer = None
        now = self._clock()
        # Time in which this process itself stood still is not the services' fault: charge two steps at most.
        elapsed = min(now - self._swept, 2 * self._interval)
        for connection in tuple(self._open):
            connection.tick(elapsed)
        for place in tuple(self._line):
            if now >= place.until and not place.turn.done():
                place.turn.set_result(Fault("upstream_unavailable", f"{self.endpoint}: no connection became free"))
        while self._line and self._line[0].turn.done():
            self._line.popleft()
        if self._open or self._line:
            self._watch()

    async def close(self) -> None:
        """End everything, also what is under way."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        while (place := self._next()) is not None:
            place.turn.set_result(Fault("upstream_unavailable", f"{self.endpoint}: closed"))
        if not self._open:
            return
        self._all_gone = asyncio.get_running_loop().create_future()
        for connection in tuple(self._open):
            connection.fail("upstream_unavailable", "the gateway is shutting down")
        await self._all_gone
