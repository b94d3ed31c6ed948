"""What does each step of the journey take, by itself?

A worker's own rooms, put together by the worker itself, in this process, without sockets: one request after the
other, each step timed. Medians: what else the machine does hardly moves them. The way to the service and back
(upstream, protocol, kernel) is what `journey` shows as pass-through.
"""

import asyncio
import json
import socket
import time
from pathlib import Path
from statistics import median
from typing import Any

from gateway.app import revisions
from gateway.app.worker import Place, Worker
from gateway.config import Config, load
from gateway.edge import read, write
from gateway.facts import Ask, Facts, RawReply, Reply, Warrant
from gateway.journey import Journey
from gateway.stores import Board, State
from tests.bench import machine, material
from tests.bench.stage import made, token
from tests.bench.table import Row, Said
from tests.running import Issuer, free_port

PATHS = {"open answer": "/plain/1k", "masked, 1 KB": "/records/1k"}
TIMES = 4000
# as the household register, but of a grade that asks for no managed device
RECORDS = """\
  - name: records
    match: /records/**
    upstream: http://127.0.0.1:9
    level: general-4
    fields:
      $..id: other
      $..name: name
      $..id_number: resident-id
      $..phone: phone
      $..address: address
      $..birth_date: birth-date
      $..relation: other
      $..registered_at: other
"""


def measure(folder: Path, quick: bool) -> Said:
    """Microseconds of each step, for an open answer and for a masked one."""
    issuer = Issuer()
    try:
        gateway = made(folder / "steps", free_port(), issuer, 1000, RECORDS)
        allow = material.rule("records", "allow", who="signed-in", data="records", action="read", level="any")
        rules = {"rules": [allow | {"then": {"mask": "pii-standard"}}]}
        (gateway.folder / "policies" / "rules" / "91-records.yaml").write_text(json.dumps(rules, ensure_ascii=False))
        with machine.on(machine.MEASURED):
            found = asyncio.run(_all(load(gateway.config, {}), token(issuer), TIMES // (4 if quick else 1)))
    finally:
        issuer.close()
    rows = []
    for kind, steps in found.items():
        rows += [Row(f"steps, {kind}", name, took, "µs") for name, took in steps.items()]
        rows.append(Row(f"steps, {kind}", "sum", sum(steps.values()), "µs"))
    return Said(rows, found)


async def _all(config: Config, credential: str, times: int) -> dict[str, dict[str, float]]:
    compiled = revisions.store(config.state, config.policies, config.apis, time.time())
    State(config.state / "state.db").activate(compiled.digest, "bench", time.time())  # as the start makes it
    Board.create(config.state / "board", config.workers + 1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        worker = Worker(config, Place(1, (listener,), compiled))
        journey: Journey = worker._journey
        await journey.identity.start()
        found = {kind: await _steps(journey, path, credential, times) for kind, path in PATHS.items()}
        await worker._close()
    return found


async def _steps(journey: Journey, path: str, credential: str, times: int) -> dict[str, float]:
    taken: dict[str, list[int]] = {}
    size = material.SIZES["1k"]
    body = material.household(size)
    headers = ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)))

    def lap(name: str, began: int) -> int:
        now = time.perf_counter_ns()
        taken.setdefault(name, []).append(now - began)
        return time.perf_counter_ns()

    for number in range(times):
        at = time.perf_counter_ns()
        ask = read(_scope(path, credential), _receive, journey.edge)
        assert isinstance(ask, Ask), ask
        at = lap("read", at)
        revision = journey.knowledge.current()
        at = lap("revision", at)
        subject = await journey.identity.recognise(ask)
        at = lap("recognise", at)
        posture = revision.devices.assess(ask, subject)
        at = lap("assess", at)
        asset = revision.catalog.locate(ask)
        at = lap("locate", at)
        budgets = revision.policy.bundle.budgets(ask, subject, asset)
        exposure = journey.exposures.spent(ask, subject, asset, budgets, asked=revision.asks)
        asset = revision.catalog.aggregated(asset, exposure)
        at = lap("exposure", at)
        risk = journey.watcher.weigh(ask, subject, posture, asset)
        at = lap("weigh", at)
        granted = revision.policy.granted(ask, subject, asset)
        facts = Facts(ask, subject, posture, risk, asset, granted, exposure)
        decision = revision.policy.decide(facts)
        at = lap("decide", at)
        warrant = await journey.ledger.commit(facts, decision)
        at = lap("commit (and learn)", at)
        assert isinstance(warrant, Warrant), warrant
        raw = RawReply(200, headers, body, len(body), 0.001)
        at = time.perf_counter_ns()
        reply = await journey.masking.apply(raw, warrant)
        at = lap("mask", at)
        assert isinstance(reply, Reply), reply
        outcome = await write(ask, reply, _send)
        at = lap("write (without the protocol)", at)
        journey.ledger.conclude(warrant.id, outcome)
        lap("conclude (and learn)", at)
        if number % 64 == 0:
            await asyncio.sleep(0)
    return {name: median(times) / 1000 for name, times in taken.items()}


def _scope(path: str, credential: str) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8080"), (b"authorization", b"Bearer " + credential.encode())],
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8080),
        "extensions": {},
    }


async def _receive() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(message: Any) -> None:
    """Taken and forgotten."""
