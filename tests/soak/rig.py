"""Who calls, and who answers behind the gateway? Both in one event loop, in a thread of its own.

`Service` stands behind the gateway: it notes each request the moment its head is whole, holds it, echoes its
tag, or does worse. `Crowd` calls without pause over open connections and checks each answer against its question.
`judge` then compares what reached the service with what is on record.
"""

import asyncio
import contextlib
import json
import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from gateway.audit import read_entries
from tests.running import Gateway, Issuer
from tests.soak.trial import Trial

OPEN, CIVIL, VISITS = "/market/enterprises", "/civil/households", "/health/visits"


class Loop:
    """An event loop in a thread, for everything around the gateway that must not wait for the story."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def begin(self, work: Coroutine[Any, Any, Any]) -> "Future[Any]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, Any], seconds: float = 60.0) -> Any:
        return self.begin(work).result(seconds)

    def close(self) -> None:
        async def end() -> None:
            rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
            await asyncio.sleep(0.01)  # transports that were closed let go of their sockets

        self.run(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass(eq=False)
class Talk:
    """One request as the service hears it, and the connection to answer on."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""
    held: bool = True

    @property
    def decision(self) -> str:
        return self.headers.get("x-gateway-decision", "")

    @property
    def name(self) -> str:
        """The last segment of the path."""
        return self.target.partition("?")[0].rsplit("/", 1)[-1]

    @property
    def tag(self) -> str:
        """What the caller wants to find in the answer."""
        return self.target.partition("?n=")[2] or self.headers.get("idempotency-key", "")

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        self.writer.transport.abort()


Script = Callable[[Talk], Awaitable[None]]


class Service:
    """A service that remembers, holds and echoes; `scripts` by last path segment do as badly as they like."""

    def __init__(self, loop: Loop, hold: Callable[[], float] = lambda: 0.0) -> None:
        self.seen: list[Talk] = []
        self.scripts: dict[str, Script] = {}
        self.hold = hold
        self.connections = 0
        self._loop = loop
        self._server = loop.run(self._listen())
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20)

    def held(self, sign: str = "") -> set[str]:
        """Decision ids of the requests that wait for their answer now, those with `sign` in them."""
        return {talk.decision for talk in self.seen[-400:] if talk.held and sign in talk.decision}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                await self._one(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        method, target, _ = first.split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        talk = Talk(reader, writer, method, target, headers)
        self.seen.append(talk)
        try:
            talk.body = await reader.readexactly(int(headers.get("content-length", 0)))
            await self.scripts.get(talk.name, self._echo)(talk)
        finally:
            talk.held = False

    async def _echo(self, talk: Talk) -> None:
        seconds = self.hold()
        if seconds:
            await asyncio.sleep(seconds)
        await talk.send(reply(json.dumps({"id": talk.tag, "status": talk.tag, "total": 1}).encode()))

    def close(self) -> None:
        self._loop.run(self._stop())

    async def _stop(self) -> None:
        self._server.close()


def reply(body: bytes, *lines: str, status: str = "200 OK") -> bytes:
    """A JSON answer with its length."""
    head = [f"HTTP/1.1 {status}", "content-type: application/json", f"content-length: {len(body)}", *lines, "", ""]
    return "\r\n".join(head).encode() + body


@dataclass
class Got:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes
    whole: bool = True

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        return str(self.json.get("reason", ""))


class Caller:
    """One client with one connection, kept open where the gateway lets it."""

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        self._port, self._source = port, source
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(
        self, method: str, path: str, token: str = "", body: bytes | None = None, seconds: float = 20.0, **headers: str
    ) -> Got:
        """The answer. Raises OSError or IncompleteReadError when the connection breaks before its head is whole."""
        lines = [f"{method} {path} HTTP/1.1", "host: gateway"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if token:
            lines.append(f"authorization: Bearer {token}")
        if body is not None:
            lines += [f"content-length: {len(body)}", "content-type: application/json"]
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange("\r\n".join([*lines, "", ""]).encode() + (body or b""))
        except BaseException:
            self.close()
            raise

    async def _exchange(self, request: bytes) -> Got:
        if self._writer is None or self._reader is None or self._writer.is_closing() or self._reader.at_eof():
            self.close()
            self._reader, self._writer = await asyncio.open_connection(
                "127.0.0.1", self._port, local_addr=(self._source, 0), limit=1 << 20
            )
        self._writer.write(request)
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        got = Got(int(first.split(" ")[1]), headers, b"")
        try:
            got.body = await self._body(headers)
        except (OSError, asyncio.IncompleteReadError):
            got.whole = False
        if not got.whole or headers.get("connection") == "close":
            self.close()
        return got

    async def _body(self, headers: dict[str, str]) -> bytes:
        assert self._reader is not None
        if "chunked" not in headers.get("transfer-encoding", ""):
            return await self._reader.readexactly(int(headers.get("content-length", 0)))
        body = b""
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            body += (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readexactly(2)
        return body

    def close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None


@dataclass(frozen=True)
class Wish:
    """One question: what must come back, and may it reach the service?"""

    kind: str
    path: str
    token: str
    expected: tuple[int, ...]
    method: str = "GET"
    body: bytes | None = None
    tag: str = ""  # must stand in an answer of 200


Plan = Callable[[Random, str], Wish]
NEVER = "never-"  # a tag that the service must not see


class People:
    """Callers of the story, with tokens that last."""

    def __init__(self, issuer: Issuer, count: int = 24) -> None:
        end = int(time.time()) + 7200
        self.clerks = [issuer.token(f"clerk-{n}", exp=end) for n in range(count)]
        self.denied = [issuer.token(f"curious-{n}", exp=end) for n in range(40 * count)]
        self.forged = issuer.token("thief")[:-6] + "AAAAAA"

    def mixed(self, random: Random, tag: str) -> Wish:
        """Open data, a synced write, a denied look at core data."""
        dice = random.random()
        if dice < 0.70:
            return Wish("open", f"{OPEN}?n={tag}", random.choice(self.clerks), (200,), tag=tag)
        if dice < 0.80:
            return Wish("write", CIVIL, random.choice(self.clerks), (200,), "POST", b"{}", tag)
        return Wish("denied", f"{VISITS}/{NEVER}{tag}", random.choice(self.denied), (403,))

    def reading(self, random: Random, tag: str) -> Wish:
        """Open data and a denied look at core data."""
        if random.random() < 0.8:
            return Wish("open", f"{OPEN}?n={tag}", random.choice(self.clerks), (200,), tag=tag)
        return Wish("denied", f"{VISITS}/{NEVER}{tag}", random.choice(self.denied), (403,))


@dataclass
class Crowd:
    """Clients that ask without pause. `also` are answers that are no fault while the gateway suffers."""

    loop: Loop
    port: int
    plan: Plan
    size: int = 16
    also: frozenset[int] = frozenset({503})
    pause: float = 0.0
    seed: int = 7
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    resets: int = 0
    wrong: list[str] = field(default_factory=list)
    permitted: list[tuple[str, float]] = field(default_factory=list)  # decision ids that came back with 200, and when
    slowest: float = 0.0
    _running: bool = True
    _done: "Future[Any] | None" = None

    def start(self) -> "Crowd":
        self._done = self.loop.begin(self._all())
        return self

    def stop(self) -> None:
        self._running = False
        if self._done is not None:
            self._done.result(60)

    async def _all(self) -> None:
        await asyncio.gather(*(self._member(number) for number in range(self.size)))

    async def _member(self, number: int) -> None:
        random, caller, count = Random(self.seed + number), Caller(self.port), 0
        while self._running:
            count += 1
            wish = self.plan(random, f"{number}-{count}")
            began = time.monotonic()
            try:
                got = await caller.ask(wish.method, wish.path, wish.token, wish.body, idempotency_key=wish.tag or "-")
            except TimeoutError:
                self.wrong.append(f"{wish.method} {wish.path} was never answered")
            except (OSError, asyncio.IncompleteReadError):
                self.resets += 1
                await asyncio.sleep(0.02)
            else:
                self._check(wish, got)
            self.slowest = max(self.slowest, time.monotonic() - began)
            if self.pause:
                await asyncio.sleep(self.pause)
        caller.close()

    def _check(self, wish: Wish, got: Got) -> None:
        self.answers[wish.kind, got.status] += 1
        if got.status == 200 and got.whole:
            self.permitted.append((got.headers.get("x-gateway-decision", ""), time.time()))
        if got.status not in wish.expected and got.status not in self.also:
            self.wrong.append(f"{wish.method} {wish.path} got {got.status} {got.body[:200]!r}")
        elif got.status == 200 and got.whole and wish.tag and f'"{wish.tag}"'.encode() not in got.body:
            self.wrong.append(f"{wish.method} {wish.path} got the answer of another: {got.body[:200]!r}")


class Stage:
    """Issuer, service, crowd and gateway on one folder."""

    def __init__(
        self,
        folder: Path,
        workers: int = 1,
        change: Callable[[str], str] = lambda text: text,
        hold: Callable[[], float] = lambda: 0.0,
        launch: tuple[str, ...] = (),
        **environment: str,
    ) -> None:
        self.loop, self.issuer = Loop(), Issuer()
        self.service = Service(self.loop, hold)
        self.gateway = Gateway(folder, self.service, self.issuer, workers)
        self.gateway.config.write_text(change(self.gateway.config.read_text()))
        self.gateway.launch = launch or self.gateway.launch
        self.gateway.environment = environment
        self.people = People(self.issuer)

    def start(self) -> None:
        self.gateway.start()
        assert self.gateway.report_health("laptop-7").status == 202

    def crowd(self, plan: Plan | None = None, **changes: Any) -> Crowd:
        return Crowd(self.loop, self.gateway.port, plan or self.people.mixed, **changes).start()

    def ask(self, path: str, token: str = "", method: str = "GET", **more: Any) -> Got:
        """One request on a connection of its own."""

        async def once() -> Got:
            caller = Caller(self.gateway.port, more.pop("source", "127.0.0.1"))
            try:
                return await caller.ask(method, path, token, **more)
            finally:
                caller.close()

        return self.loop.run(once())  # type: ignore[no-any-return]

    def close(self) -> None:
        process = self.gateway.process
        if process is not None and process.poll() is None:
            self.gateway.stop()
        self.service.close()
        self.loop.close()
        self.issuer.close()


@contextlib.contextmanager
def staged(folder: Path, **how: Any) -> Iterator[Stage]:
    """A stage with a started gateway."""
    stage = Stage(folder, **how)
    try:
        stage.start()
        yield stage
    finally:
        stage.close()


def until(check: Callable[[], bool], seconds: float, step: float = 0.02) -> float | None:
    """How long it took until this came true; None when it did not."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        with contextlib.suppress(OSError, KeyError, ValueError):
            if check():
                return time.monotonic() - began
        time.sleep(step)
    return None


def rss(pid: int) -> float:
    """Resident memory in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"process {pid} has no memory")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    """Whether it runs; a corpse that nobody has buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ledger(gateway: Gateway) -> list[dict[str, Any]]:
    """Every entry of the sealed ledger, in order."""
    return [json.loads(raw) for raw in read_entries(gateway.state / "ledger")]


def judge(trial: Trial, stage: Stage, crowds: list[Crowd]) -> list[dict[str, Any]]:
    """Hold the stopped gateway to its record, from outside; the ledger's entries."""
    gateway, seen = stage.gateway, stage.service.seen
    said = gateway.verify()
    trial.must(said.startswith("INTACT"), "the ledger verifies", said[:300])
    entries = ledger(gateway)
    permits = {
        f"{entry['journal']}.{entry['seq']}"
        for entry in entries
        if entry["kind"] == "verdict" and entry["outcome"] == "permit"
    }
    outcomes = Counter(entry["verdict"] for entry in entries if entry["kind"] == "outcome")
    strange = [talk.target for talk in seen if talk.decision not in permits]
    trial.must(not strange, f"each of {len(seen)} requests that reached the service is a permit on record", strange[:5])
    denied = [talk.target for talk in seen if NEVER in talk.target]
    trial.must(not denied, "no denied request reached it", denied[:5])
    unknown = [id for crowd in crowds for id, _ in crowd.permitted if id not in permits]
    trial.must(not unknown, "each answer of 200 names a permit on record", unknown[:5])
    odd = {id: outcomes[id] for id in permits if outcomes[id] != 1}
    trial.must(not odd, f"each of {len(permits)} permits has exactly one outcome", dict(list(odd.items())[:5]))
    wrong = [text for crowd in crowds for text in crowd.wrong]
    trial.must(not wrong, "no caller got a wrong answer", wrong[:3])
    return entries


def clear(folder: Path) -> None:
    """Make room for the next stage."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder, exist_ok=True)
