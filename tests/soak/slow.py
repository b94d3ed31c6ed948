"""Do slow, idle and greedy clients take the gateway away from a good one?

Many connections that send their headers, request line, body or chunks drop by drop, that say nothing, or that ask
for 3 MB and read nothing. A good client must be answered within a second throughout; the others are cut in time.
"""

import asyncio
import json
import socket
import time
from pathlib import Path

from tests.soak.rig import CIVIL, OPEN, Caller, Stage, Talk, reply, rss, staged
from tests.soak.trial import Trial

FULL, QUICK = {"each": 80, "idle": 2000}, {"each": 20, "idle": 300}
LIMITS = """limits:
  header_seconds: 2
  body_idle_seconds: 1
  body_seconds: 4
  keep_alive_seconds: 60
  write_idle_seconds: 2
  connections: 4000
  connections_per_address: 4000
  held_bytes: 1GiB
"""
HOARD = "limits: {held_bytes: 64MiB}\n"
HOARD_SECONDS = 30.0
HOARDED = 600.0  # MiB: 64 that are masked, 64 that wait, what came within ten seconds, and four walks; 1,200 else
CUT_SECONDS = 8.0
MEMORY = 300.0  # MiB with 2,000 idle connections


def run(trial: Trial, folder: Path, each: int, idle: int) -> None:
    """`each` connections of each kind for some seconds, then `idle` connections that only stay."""
    with staged(folder, change=lambda text: LIMITS + text) as stage:
        stage.service.scripts["large"] = _large
        worker = stage.gateway.workers()[0]
        crowd = stage.crowd(stage.people.reading, size=2, pause=0.02, also=frozenset())
        cuts = stage.loop.run(_attack(stage, each), 120)
        for name, seconds in cuts.items():
            late = [taken for taken in seconds if taken is None or taken > CUT_SECONDS]
            trial.must(not late, f"{name}: {len(seconds)} attackers are cut within {CUT_SECONDS:.0f} s", late[:5])
        trial.must(crowd.slowest < 1.0, "the good client was answered within a second", f"{crowd.slowest:.2f} s")
        before = rss(worker)
        kept = stage.loop.run(_stay(stage, idle), 120)
        trial.must(kept == idle, f"{idle} idle connections were kept", kept)
        trial.must(rss(worker) < MEMORY, f"in less than {MEMORY:.0f} MiB", f"{rss(worker):.0f}")
        crowd.stop()
        trial.must(not crowd.wrong and not crowd.resets, "and always rightly", (crowd.resets, crowd.wrong[:3]))
        trial.must(crowd.slowest < 1.0, "within a second, to the end", f"{crowd.slowest:.2f} s")
        trial.must(stage.gateway.workers() == [worker], "the worker is still the same one")
        trial.note(
            f"good client: slowest {crowd.slowest * 1000:.0f} ms; memory {before:.0f}, then {rss(worker):.0f} MiB"
        )
    (folder / "hoard").mkdir()
    with staged(folder / "hoard", change=lambda text: HOARD + text) as stage:
        stage.service.scripts["households"] = _long
        worker = stage.gateway.workers()[0]
        crowd = stage.crowd(stage.people.reading, size=2, pause=0.02, also=frozenset())
        most = stage.loop.run(_hoard(stage, worker, 2 * each), 120)
        crowd.stop()
        trial.must(
            most < HOARDED, f"{2 * each} long answers that nobody reads stay below {HOARDED:.0f} MiB", f"{most:.0f}"
        )
        trial.must(stage.gateway.workers() == [worker], "and the worker is still the same one")
        trial.must(
            not crowd.wrong and not crowd.resets, "and the good client is served", (crowd.resets, crowd.wrong[:3])
        )


async def _large(talk: Talk) -> None:
    await talk.send(reply(b'{"status": "' + b"x" * 3_000_000 + b'"}'))


async def _long(talk: Talk) -> None:
    one = {"id_number": "330106199003072319", "district": "x" * 80_000}
    await talk.send(reply(json.dumps([one] * 90).encode()))


async def _hoard(stage: Stage, worker: int, each: int) -> float:
    """The most memory that the worker takes while so many callers ask for a long answer and read none of it."""
    loop = asyncio.get_running_loop()
    head = f"GET {CIVIL} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {stage.people.clerks[0]}\r\n\r\n"
    most, socks = 0.0, []
    for _ in range(each):
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await loop.sock_connect(sock, ("127.0.0.1", stage.gateway.port))
        await loop.sock_sendall(sock, head.encode())
        socks.append(sock)
        await asyncio.sleep(HOARD_SECONDS / each)
        most = max(most, rss(worker))
    for sock in socks:
        sock.close()
    return most


async def _attack(stage: Stage, each: int) -> dict[str, list[float | None]]:
    clerk = stage.people.clerks[0]
    head = f"host: gateway\r\nauthorization: Bearer {clerk}\r\ncontent-type: application/json\r\n"
    kinds = {
        "headers": (f"GET {OPEN} HTTP/1.1\r\nhost: gateway\r\n", "x: y\r\n"),
        "line": ("GET ", "/a"),
        "body": (f"POST {CIVIL} HTTP/1.1\r\n{head}content-length: 9999\r\n\r\n", " "),
        "chunk": (f"POST {CIVIL} HTTP/1.1\r\n{head}transfer-encoding: chunked\r\n\r\n", "1\r\n \r\n"),
        "silence": ("", ""),
        "reader": (f"GET {OPEN}/large HTTP/1.1\r\n{head}\r\n", ""),
    }
    work = {
        name: [_one(stage, number, *how, name == "reader") for number in range(each)] for name, how in kinds.items()
    }
    found = await asyncio.gather(*(asyncio.gather(*many) for many in work.values()))
    return dict(zip(work, map(list, found), strict=True))


async def _one(stage: Stage, number: int, first: str, drop: str, deaf: bool) -> float | None:
    """How long this connection was suffered; None when it was never cut."""
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    began = time.monotonic()
    try:
        await loop.sock_connect(sock, ("127.0.0.1", stage.gateway.port))
        await loop.sock_sendall(sock, first.encode())
        while time.monotonic() - began < CUT_SECONDS + 3:
            await asyncio.sleep(0.5)
            if drop:
                await loop.sock_sendall(sock, drop.encode())
            if _ended(sock, deaf):
                return time.monotonic() - began
    except OSError:
        return time.monotonic() - began
    finally:
        sock.close()
    return None


def _ended(sock: socket.socket, deaf: bool) -> bool:
    """Whether the gateway has ended it; a deaf reader learns of a reset without reading."""
    if deaf:
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        state = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        return bool(error) or state != 1  # not ESTABLISHED any more
    try:
        while True:
            if not sock.recv(65536):
                return True
    except BlockingIOError:
        return False


async def _stay(stage: Stage, idle: int) -> int:
    """Open connections, ask once on each, leave them open; how many are still there after a while."""
    callers = [Caller(stage.gateway.port, f"127.0.{number // 200 + 2}.{number % 200 + 1}") for number in range(idle)]
    for start in range(0, idle, 50):
        some = callers[start : start + 50]
        await asyncio.gather(*(caller.ask("GET", "/.gateway/health") for caller in some))
    await asyncio.sleep(1)
    kept = sum(caller._reader is not None and not caller._reader.at_eof() for caller in callers)
    for caller in callers:
        caller.close()
    return kept
