"""How is load made, and what does it see?

`closed` keeps a number of connections busy: wrk where installed, else our own. `Loop` is our own, on epoll and
plain sockets, in a process of its own. Rules:

1. In the open loop, arrivals come at random times at a given rate, whatever the answers do, and an answer's time
   counts from the moment its request was due: waiting for a free connection is part of it (a closed loop hides it).
2. What could not be sent or was not answered is counted, never dropped in silence.
3. The generator says how fast it really was: a rate it did not reach is no result.
"""

import contextlib
import random
import re
import select
import shutil
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from tests.bench import machine

WRK = shutil.which("wrk")
GRACE_SECONDS = 2.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Job(Struct):
    """What to do; `rate` 0 is a closed loop, `limit` ends it after so many requests."""

    port: int
    requests: list[bytes]
    connections: int
    seconds: float
    rate: float = 0.0
    limit: int = 0
    storm: float = 0.0  # new connections a second beside it, closed at once


class Load(Struct):
    """What came of it. Times in seconds, sorted."""

    seconds: float
    sent: int
    good: list[float]  # 2xx
    shed: list[float]  # 503
    other: dict[int, int]  # any other status
    lost: int = 0  # cut off, or unanswered at the end
    unsent: int = 0  # due, but no connection was free until the end
    stormed: int = 0
    busy: float = 0.0  # share of a core that the generator took: near 1 it was the bottleneck

    @property
    def answered(self) -> int:
        return len(self.good) + len(self.shed) + sum(self.other.values())


class Closed(Struct):
    """Requests answered in a closed loop."""

    requests: int
    bad: int  # not 2xx, or broken
    seconds: float


def request(path: str, port: int, token: str = "") -> bytes:
    """A GET as bytes."""
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{authorization}\r\n".encode()


def closed(port: int, path: str, token: str, seconds: int, connections: int = 32) -> Closed:
    """Keep connections busy for some seconds."""
    if not WRK:
        load = run(Job(port, [request(path, port, token)], connections, seconds))
        return Closed(load.answered, load.answered - len(load.good) + load.lost, load.seconds)
    words = [WRK, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    if token:
        words += ["-H", f"Authorization: Bearer {token}"]
    with machine.on(machine.OTHERS):
        said = subprocess.run([*words, f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=True)
    bad = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", said.stdout)))
    bad += sum(
        int(word) for line in re.findall(r"Socket errors: (.*)", said.stdout) for word in re.findall(r"\d+", line)
    )
    total = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)", said.stdout)
    if total is None:
        raise RuntimeError(f"wrk said: {said.stdout}")
    return Closed(int(total[1]), bad, float(total[2]) * {"ms": 0.001, "s": 1, "m": 60}[total[3]])


def run(job: Job) -> Load:
    """Do it in a process of its own, on the cores of the load."""
    with machine.on(machine.OTHERS):
        said = subprocess.run(
            [sys.executable, "-m", "tests.bench.load"],
            input=msgspec.msgpack.encode(job), capture_output=True, check=False, cwd=Path(__file__).parents[2],
        )  # fmt: skip
    if said.returncode:
        raise RuntimeError(said.stderr.decode()[-2000:])
    return msgspec.msgpack.decode(said.stdout, type=Load)


def percentile(times: Sequence[float], share: float) -> float:
    """The time within which this share was done; of sorted times."""
    return times[min(len(times) - 1, int(len(times) * share))] if times else float("nan")


class Wire:
    """One connection: the request it carries, since when, and what is still to come."""

    __slots__ = ("due", "file", "missing", "sock", "start", "status")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.file = sock.fileno()
        self.due = 0.0
        self.status = 0
        self.missing = 0
        self.start = b""

    def take(self, data: bytes) -> bool:
        """Whether the answer is complete."""
        if self.status:
            self.missing -= len(data)
            return self.missing <= 0
        data = self.start + data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self.start = data
            return False
        length = _LENGTH.search(data, 0, end + 2)
        self.status, self.start = int(data[9:12]), b""
        self.missing = (int(length[1]) if length else 0) - (len(data) - end - 4)
        return self.missing <= 0


class Loop:
    """One run of a job."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._poll = select.epoll()
        self._wires: dict[int, Wire] = {}
        self._idle: deque[Wire] = deque()
        self._waiting: deque[float] = deque()
        self._storm: deque[socket.socket] = deque()
        self._next = 0
        self.load = Load(0.0, 0, [], [], {})

    def run(self) -> Load:
        """Until the time is over and the last answers are in."""
        for _ in range(self._job.connections):
            self._open()
        began, used = time.perf_counter(), time.process_time()
        end = began + self._job.seconds
        self._arrive(began, end)
        self.load.seconds = time.perf_counter() - began
        self.load.busy = (time.process_time() - used) / self.load.seconds
        self.load.unsent = len(self._waiting)
        self._waiting.clear()
        late = time.perf_counter() + GRACE_SECONDS
        while len(self._idle) < len(self._wires) and time.perf_counter() < late:
            self._turn(0.05, again=False)
        self.load.lost += len(self._wires) - len(self._idle)
        for times in (self.load.good, self.load.shed):
            times.sort()
        return self.load

    def _arrive(self, began: float, end: float) -> None:
        job = self._job
        due, storm = (began if job.rate else end), (began if job.storm else end)
        while (now := time.perf_counter()) < end and not (job.limit and self._next >= job.limit):
            while due <= now:
                self._waiting.append(due)
                due += random.expovariate(job.rate)
            while storm <= now:
                self._knock()
                storm += 1 / job.storm
            while self._idle and (self._waiting or not job.rate):
                self._send(self._waiting.popleft() if job.rate else time.perf_counter())
            self._turn(max(0.0, min(due, storm, end) - time.perf_counter()), again=True)

    def _turn(self, seconds: float, again: bool) -> None:
        """Wait for answers, in microseconds (epoll alone rounds up to milliseconds)."""
        if not select.select([self._poll], [], [], seconds)[0]:
            return
        for file, _ in self._poll.poll(0):
            wire = self._wires[file]
            try:
                data = wire.sock.recv(262144)
            except OSError:
                data = b""
            if not data:
                self._lose(wire)
            elif wire.take(data):
                self._done(wire, time.perf_counter())
                if again and self._waiting:
                    self._send(self._waiting.popleft())

    def _send(self, due: float) -> None:
        wire = self._idle.popleft()
        wire.due, wire.status = due, 0
        requests = self._job.requests
        try:
            wire.sock.send(requests[self._next % len(requests)])
        except OSError:
            self._lose(wire)
        self._next += 1
        self.load.sent += 1

    def _done(self, wire: Wire, now: float) -> None:
        took = now - wire.due
        if 200 <= wire.status < 300:
            self.load.good.append(took)
        elif wire.status == 503:
            self.load.shed.append(took)
        else:
            self.load.other[wire.status] = self.load.other.get(wire.status, 0) + 1
        wire.due = 0.0
        self._idle.append(wire)

    def _lose(self, wire: Wire) -> None:
        if wire.due:
            self.load.lost += 1
        else:
            with contextlib.suppress(ValueError):
                self._idle.remove(wire)
        self._poll.unregister(wire.file)
        del self._wires[wire.file]
        wire.sock.close()
        self._open()

    def _open(self) -> None:
        sock = socket.create_connection(("127.0.0.1", self._job.port), 10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        wire = self._wires[sock.fileno()] = Wire(sock)
        self._poll.register(sock.fileno(), select.EPOLLIN)
        self._idle.append(wire)

    def _knock(self) -> None:
        """One connection of the storm: opened, never used, closed when 200 newer ones exist."""
        sock = socket.socket()
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            sock.connect(("127.0.0.1", self._job.port))
        self._storm.append(sock)
        self.load.stormed += 1
        if len(self._storm) > 200:
            self._storm.popleft().close()


if __name__ == "__main__":
    job = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Job)
    sys.stdout.buffer.write(msgspec.msgpack.encode(Loop(job).run()))
