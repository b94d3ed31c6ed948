"""What reaches a caller when the service behind the gateway breaks, lies, floods or never ends?

502 or 504 in bounded time, or an answer that is visibly cut; never somebody else's answer; bounded memory.
"""

import asyncio
import gzip
import json
from pathlib import Path

from tests.soak.rig import CIVIL, OPEN, Caller, Got, Script, Stage, Talk, reply, rss, staged
from tests.soak.trial import Trial

FULL, QUICK = {"times": 6}, {"times": 1}
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
GROWTH = 150.0  # MiB, threats paper section 5
TIMEOUTS = "    timeouts: {connect: 1s, first_byte: 1s, idle: 1s, total: 2s}\n"


def _says(data: bytes, then: str = "close") -> Script:
    async def script(talk: Talk) -> None:
        if data:
            await talk.send(data)
        if then == "hang":
            await talk.reader.read()
        elif then == "reset":
            talk.reset()
        raise ConnectionError

    return script


def _forever(first: bytes, piece: bytes, pause: float = 0.0) -> Script:
    async def script(talk: Talk) -> None:
        await talk.send(first)
        while not talk.writer.is_closing():
            await talk.send(piece)
            await asyncio.sleep(pause)

    return script


BOMB = gzip.compress(b'{"items": "' + b"0" * (256 << 20) + b'"}', 9)
SCRIPTS: dict[str, tuple[Script, tuple[int, ...]]] = {  # expected: statuses; 0 is a visible cut
    "reset-first": (_says(b"", "reset"), (502,)),
    "close-first": (_says(b""), (502,)),
    "reset-head": (_says(b"HTTP/1.1 200 OK\r\ncontent-", "reset"), (502,)),
    "reset-body": (_says(HEAD + b"content-length: 900\r\n\r\n{", "reset"), (502, 0)),
    "reset-chunk": (_says(CHUNKED + b"10\r\nabc", "reset"), (502, 0)),
    "short": (_says(HEAD + b"content-length: 900\r\n\r\n{}"), (502, 0)),
    "long": (
        _says(HEAD + b"content-length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nanother"),
        (200, 502),
    ),
    "two-lengths": (_says(HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{} "), (502,)),
    "both": (_says(HEAD + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"), (502,)),
    "no-chunk": (_says(CHUNKED + b"zz\r\n"), (502, 0)),
    "hang": (_says(b"", "hang"), (504,)),
    "hang-head": (_says(b"HTTP/1.1 200 OK\r\n", "hang"), (504,)),
    "hang-body": (_says(HEAD + b"content-length: 9\r\n\r\n{", "hang"), (502, 504, 0)),
    "drip": (_forever(CHUNKED, b"1\r\n \r\n", 0.2), (502, 504, 0)),
    "drip-head": (_forever(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n", 0.2), (502, 504)),
    "endless": (_forever(CHUNKED, b"10000\r\n" + b" " * 65536 + b"\r\n"), (502, 504, 0)),
    "flood-100": (_forever(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100), (502, 504)),
    "big-head": (_says(b"HTTP/1.1 200 OK\r\nx-big: " + b"a" * (2 << 20) + b"\r\n\r\n"), (502,)),
    "garbage": (_says(b"\x16\x03\x01\x02 hello\r\n\r\n"), (502,)),
    "switch": (_says(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\nraw"), (502,)),
    "bomb": (_says(reply(BOMB, "content-encoding: gzip")), (502,)),
}


def run(trial: Trial, folder: Path, times: int) -> None:
    """Every fault on an open and on a masked route, again and again, while a good caller asks."""
    marks = ("    data: enterprise\n", "    data: household\n")

    def hasty(text: str) -> str:
        for mark in marks:
            text = text.replace(mark, mark + TIMEOUTS)
        return text

    with staged(folder, change=hasty) as stage:
        worker = stage.gateway.workers()[0]
        stage.service.scripts.update({name: script for name, (script, _) in SCRIPTS.items()})
        crowd = stage.crowd(stage.people.reading, size=2, pause=0.02, also=frozenset())
        before = rss(worker)
        peak = before
        for _ in range(times):
            for root in (OPEN, CIVIL):
                stage.loop.run(_all(trial, stage, root), 120)
                peak = max(peak, rss(worker))
        crowd.stop()
        trial.must(
            peak - before < GROWTH, f"the worker grew by less than {GROWTH:.0f} MiB", f"{before:.0f} to {peak:.0f}"
        )
        trial.must(stage.gateway.workers() == [worker], "the worker is still the same one")
        trial.must(not crowd.wrong, "the good caller always got its own answer", crowd.wrong[:3])
        trial.must(crowd.slowest < 1.0, "in less than a second", f"{crowd.slowest:.2f} s")
        trial.note(
            f"{times * 2 * len(SCRIPTS)} faults; memory {before:.0f} to {peak:.0f} MiB; good caller {crowd.slowest:.2f} s"
        )


async def _all(trial: Trial, stage: Stage, root: str) -> None:
    await asyncio.gather(*(_one(trial, stage, root, name) for name in SCRIPTS))


async def _one(trial: Trial, stage: Stage, root: str, name: str) -> None:
    """One fault, then the next request on the same connection where there still is one."""
    caller, number = Caller(stage.gateway.port), list(SCRIPTS).index(name)
    clerk = stage.people.clerks[number % len(stage.people.clerks)]
    try:
        said = await caller.ask("GET", f"{root}/{name}", clerk, seconds=15)
        status = said.status if said.whole else 0
        body = said.body
    except (OSError, asyncio.IncompleteReadError) as broken:
        status, body = 0, repr(broken).encode()
    except ValueError as odd:  # what came back could not be read as HTTP: that is a desync
        status, body = -1, repr(odd).encode()
    expected = SCRIPTS[name][1]
    trial.must(status in expected, f"{root}/{name} gives {status}, one of {expected}", body[:200])
    if b"another" in body:
        trial.must(False, f"{name}: no second answer is read out of the first", body[:200])
    again: Got = await caller.ask("GET", f"{OPEN}?n=after-{name}", clerk, seconds=15)
    own = again.status == 200 and json.loads(again.body)["status"] == f"after-{name}"
    trial.must(own, f"after {name} the next request gets its own answer", (again.status, again.body[:200]))
    caller.close()
