"""Is everything there that is measured: service, yardstick, issuer, and the whole gateway in its own processes?

The gateway is `gateway serve` with one worker, the shipped policies and rules up to 1,000; its supervisor, control
process and worker all run on the measured core.
"""

import contextlib
import http.client
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from tests.bench import machine, material, peers
from tests.running import Gateway, Issuer, free_port
from tests.test_layout import ROOT

RULES = 1000
PLAIN = """\
  - name: plain
    match: /plain/**
    upstream: http://127.0.0.1:{service}
    level: general-1
"""
# one caller asks thousands of times a second: the volume is counted as always, but weighs nothing here; nor does the
# hour: on a weekend every request would carry a signal, and figures of two days could not be compared
CALM = 'office_hours: "00:00-23:59"\n  weights: {volume: 0, enumeration: 0, off_hours: 0, off_hours_core: 0}'


class Behind(Struct):
    """Where the service is, in the form the harness of the stories wants it."""

    port: int


class Stage(Struct):
    """What the sections of the bench stand on."""

    folder: Path
    service: int
    yardstick: tuple[int, int] | None
    envoy: tuple[int, int] | None
    issuer: Issuer
    gateway: Gateway
    token: str

    @property
    def pids(self) -> dict[str, list[int]]:
        """The processes of the gateway by what they are."""
        assert self.gateway.process is not None
        top = self.gateway.process.pid
        workers = self.gateway.workers()
        tree = machine.children(top)
        return {"worker": workers, "control": [pid for pid in tree if pid not in workers], "supervisor": [top]}


@contextlib.contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Start all of it; stop all of it."""
    folder.mkdir()
    site = folder / "site"
    material.write_site(site)
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(peers.service(folder, site))
        yardstick = stack.enter_context(peers.yardstick(folder, port))
        envoy = stack.enter_context(peers.envoy(folder, port))
        issuer = Issuer()
        stack.callback(issuer.close)
        gateway = made(folder / "gateway", port, issuer, RULES)
        with machine.on(machine.MEASURED):
            gateway.start()
        stack.callback(gateway.stop)
        assert gateway.report_health("laptop-7").status == 202
        yield Stage(folder, port, yardstick, envoy, issuer, gateway, token(issuer))


def made(folder: Path, service: int, issuer: Issuer, rules: int, extra: str = "") -> Gateway:
    """A gateway that is configured, with keys and this many rules; not started."""
    folder.mkdir()
    gateway = Gateway(folder, Behind(service), issuer, 1, PLAIN.format(service=service) + extra)  # type: ignore[arg-type]  # only its port is used
    text = gateway.config.read_text().replace('office_hours: "00:00-23:59"', CALM)
    gateway.config.write_text(text)
    material.add_rules(folder / "policies", rules)
    return gateway


def token(issuer: Issuer, sub: str = "zhang.wei") -> str:
    """Good for an hour."""
    return issuer.token(sub, exp=int(time.time()) + 3600)


@contextlib.contextmanager
def partial(on: Stage, level: str, rules: int = RULES) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Port and process of a journey with rooms left out; it may not listen yet."""
    port, place = free_port(), on.folder / f"{level}-{rules}"
    policies = on.gateway.folder / "policies"
    if rules != RULES:
        policies = few(on, rules)
    (place / "journal").mkdir(parents=True)
    words = [sys.executable, "-m", "tests.bench.partial", on.gateway.config, level, port, policies, place]
    with peers.running([str(word) for word in words], machine.MEASURED) as process:
        yield port, process


def few(on: Stage, rules: int) -> Path:
    """The policy folder with only these rules."""
    folder = on.folder / f"policies-{rules}"
    shutil.copytree(on.gateway.folder / "policies", folder)
    material.only_rules(folder, rules)
    return folder


def first_answer(gateway: Gateway, path: str, token: str, seconds: float = 60.0) -> float:
    """Start it; seconds until the first 200."""
    with machine.on(machine.MEASURED), gateway.log.open("ab") as log:
        began = time.monotonic()
        gateway.process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve", "-c", str(gateway.config)],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=ROOT,
        )  # fmt: skip
    while time.monotonic() < began + seconds and gateway.process.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if gateway.get(path, token).status == 200:
                return time.monotonic() - began
        time.sleep(0.005)
    raise RuntimeError(f"no answer: {gateway.log.read_text()[-2000:]}")
