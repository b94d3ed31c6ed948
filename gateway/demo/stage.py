"""Which processes does the demonstration need, and are they up?

Everything runs for real: the sample service, the development issuer and the gateway are
processes of their own, on loopback, with a state directory that is thrown away afterwards.
"""

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx

from gateway.config import places
from gateway.config.state import prepare
from gateway.crypto.jws import SigningKey
from gateway.demo.story import Stage

START_SECONDS = 30.0
MANAGED = ("laptop-7", "laptop-9")  # devices that report good health

CONFIG = """\
version: 1
listen: 127.0.0.1:{gateway}
identity:
  issuer: http://127.0.0.1:{issuer}
  audience: gateway
device:
  trusted_issuers: [http://127.0.0.1:{issuer}]
  reporters:
    - {{id: demo-mdm, key: {folder}/reporter.jwk}}
behaviour:
  office_hours: "00:00-23:59"
policies: {folder}/policies
state: {folder}/state
mode: enforce
workers: {workers}
apis:
  - name: households
    match: /civil/households/**
    upstream: http://127.0.0.1:{service}
    data: household
  - name: enterprises
    match: /market/enterprises/**
    upstream: http://127.0.0.1:{service}
    data: enterprise
  - name: visits
    match: /health/visits/**
    upstream: http://127.0.0.1:{service}
    data: health-visit
"""


class NotUp(Exception):
    """A process of the demonstration did not start, or ended; the text says which, and its last words."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.zh = zh


class Running(NamedTuple):
    """One process of the demonstration."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raise NotUp when it has ended."""
        if self.process.poll() is not None:
            code = self.process.returncode
            raise NotUp(
                f"{self.name} ended (exit code {code}); it said:\n{self.words()}",
                f"{self.name} 已退出（退出码 {code}），最后的输出：\n{self.words()}",
            )

    def words(self) -> str:
        """The last lines of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-15:]
        return "\n".join(f"  {line}" for line in lines) or "  -"


@contextlib.contextmanager
def stage(
    folder: Path, policies: Path, language: str, port: int, workers: int, say: Callable[[str], None]
) -> Iterator[tuple[Stage, tuple[Running, ...]]]:
    """Start everything, yield where it is and what runs, stop everything. Raises NotUp."""
    gateway, service, issuer = (_free_port(port + offset) for offset in (0, 1, 2))
    shutil.copytree(policies, folder / "policies", dirs_exist_ok=True)
    reporter = SigningKey.generate("ES256")
    (folder / "reporter.jwk").write_text(json.dumps(reporter.public_jwk()), encoding="utf-8")
    config = folder / "gateway.yaml"
    config.write_text(
        CONFIG.format(gateway=gateway, service=service, issuer=issuer, folder=folder, workers=workers), encoding="utf-8"
    )
    where = places(config, {})
    prepare(where.state, where.origin)
    place = Stage(
        f"http://127.0.0.1:{gateway}", f"http://127.0.0.1:{issuer}", folder, config, folder / "state", language
    )
    crew: list[Running] = []
    with contextlib.ExitStack() as running:
        for name, words, probe in (
            ("service", ["-m", "gateway.demo.service", str(service)], f"http://127.0.0.1:{service}/healthz"),
            ("issuer", ["-m", "gateway.demo.issuer", str(issuer)], f"http://127.0.0.1:{issuer}/jwks"),
            ("gateway", ["-m", "gateway", "serve", "-c", str(config)], f"{place.gateway}/.gateway/health"),
        ):
            one = running.enter_context(_process(name, words, folder / f"{name}.log"))
            began = time.monotonic()
            _await(one, probe)
            up = "{:.1f} 秒后就绪" if language == "zh-CN" else "up after {:.1f} s"
            say(f"  {name:8} pid {one.process.pid}  {probe}  {up.format(time.monotonic() - began)}")
            crew.append(one)
        with _door(place) as door:
            _await_ready(door, place.state / "control.sock", crew)
            _report_health(door, reporter)
        yield place, tuple(crew)


@contextlib.contextmanager
def _process(name: str, words: list[str], log: Path) -> Iterator[Running]:
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own modules
            [sys.executable, *words], stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
    try:
        yield Running(name, process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(one: Running, url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and one.process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, timeout=1.0, trust_env=False).status_code == 200:
                return
        time.sleep(0.03)
    raise NotUp(
        f"{one.name} did not start; it said:\n{one.words()}", f"{one.name} 未能启动，最后的输出：\n{one.words()}"
    )


def _free_port(wanted: int) -> int:
    """The wanted port when it is free, else any."""
    for port in (wanted, 0):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                trial.bind(("127.0.0.1", port))
                return int(trial.getsockname()[1])
    raise NotUp("no free port on loopback", "本机没有空闲端口")


def _door(place: Stage) -> httpx.Client:
    """The operators' door of the demonstration's gateway."""
    return httpx.Client(transport=httpx.HTTPTransport(uds=str(place.state / "control.sock")), timeout=5.0)


def _await_ready(door: httpx.Client, at: Path, crew: list[Running]) -> None:
    """The control process may be a moment later than the workers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if _listens(at) and door.get("http://control/ready").status_code == 200:
                return
        for one in crew:
            one.check()
        time.sleep(0.03)
    words = crew[-1].words()
    raise NotUp(
        f"the operators' door did not open; the gateway said:\n{words}", f"运维入口未打开，网关最后的输出：\n{words}"
    )


def _listens(at: Path) -> bool:
    """Whether somebody does: httpx leaves its socket open when nobody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        try:
            trial.connect(str(at))
        except OSError:
            return False
    return True


def _report_health(door: httpx.Client, reporter: SigningKey) -> None:
    """What a device management system would do: report the health of the managed laptops."""
    now = int(time.time())
    for device in MANAGED:
        report = {
            "iss": "demo-mdm",
            "aud": "gateway",
            "iat": now,
            "sequence": now,
            "device_id": device,
            "os": "UOS 20",
            "patch_age_days": 3,
            "av_def_age_days": 1,
            "disk_encrypted": True,
            "screen_lock": True,
            "firewall": True,
            "av_state": "on",
            "jailbroken": False,
            "managed": True,
            "reported_at": now,
        }
        answer = door.post(
            "http://control/v1/posture/reports",
            content=reporter.sign(report, "posture+jwt"),
            headers={"content-type": "application/jose"},
        )
        if answer.status_code != 202:
            said = f"{answer.status_code} {answer.text}"
            raise NotUp(
                f"the health report of {device} was not accepted: {said}", f"未接受 {device} 的健康报告：{said}"
            )


def workspace(given: str) -> tuple[Path, bool]:
    """The folder to play in, and whether it is ours to remove."""
    if not given:
        return Path(tempfile.mkdtemp(prefix="gateway-demo-")), True
    folder = Path(given).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder, False
