"""A whole gateway in processes of its own, for stories: judged from outside, by a witness behind it.

`Witness` is the service behind the gateway: it records every request that reaches it. `Issuer` signs
tokens and publishes its keys. `Gateway` is `gateway serve` on a folder of its own.
"""

import contextlib
import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol, TypeVar

from gateway.crypto.jws import SigningKey
from tests.cli.shell import ran
from tests.test_layout import ROOT

T = TypeVar("T")
PATIENCE = 60.0  # seconds: no promise of the gateway, only the end of a test that fails, on the busiest of machines
RECORD = {
    "id": "h-1",
    "name": "王小明",
    "id_number": "330106199003072319",
    "birth_date": "1990-03-07",
    "phone": "13800138000",
    "address": "浙江省杭州市西湖区文三路100号2幢301室",
    "members": [{"name": "李静", "id_number": "110101200002291280", "birth_date": "2000-02-29", "relation": "配偶"}],
    "registered_at": "2012-06-01",
}
VISIT = {
    "id": "v-1",
    "patient": {"name": "王小明", "id_number": "330106199003072319"},
    "hospital": "省立第一医院",
    "diagnosis": "高血压",
    "cost": 120.50,
    "visited_at": "2026-05-01T09:30:00+08:00",
}
ENTERPRISE = {
    "credit_code": "91330106MA2B3C4D11",
    "name": "杭州云静茶叶有限公司",
    "legal_representative": "王华建",
    "registered_capital": 17070000,
    "status": "存续",
}


class Behind(Protocol):
    """Whatever stands behind the gateway."""

    port: int


class Witness:
    """A service that answers what it is told to and remembers every request."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.answer("/civil/households/h-1", RECORD)
        self.answer("/civil/households", {"items": [RECORD, RECORD], "total": 2})
        self.answer("/health/visits/v-1", VISIT)
        self.answer("/market/enterprises", {"items": [ENTERPRISE], "total": 1})

    def answer(self, path: str, body: object, status: int = 200, **headers: str) -> None:
        """From now on answer this path with this JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        self.answers[path] = (status, {"content-type": "application/json", **headers}, raw)

    def paths(self) -> list[str]:
        """The paths that reached the service, in order."""
        return [path for _, path, _, _ in self.requests]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        witness = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length)
                witness.requests.append(
                    (self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                )
                missing = (404, {"content-type": "application/json"}, b'{"error":"not found"}')
                status, headers, raw = witness.answers.get(self.path.partition("?")[0], missing)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(raw)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve

            def log_message(self, *args: Any) -> None:
                pass

        return Handler

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Issuer(Witness):
    """Signs access tokens; metadata and keys over HTTP."""

    def __init__(self) -> None:
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}"
        self.key = SigningKey.generate("ES256")
        self.answer("/.well-known/openid-configuration", {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"})
        self.answer("/jwks", {"keys": [self.key.public_jwk()]})

    def token(self, sub: str = "zhang.wei", **changes: Any) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": "gateway",
            "sub": sub,
            "client_id": "portal",
            "iat": now,
            "exp": now + 600,
            "auth_time": now,
            "jti": os.urandom(8).hex(),
            "sid": f"s-{sub}",
            "acr": "aal2",
            "name": "张伟",
            "org": "prov/civil",
            "roles": ["clerk"],
            "clearance": "important",
            "device_id": "laptop-7",
        }
        typ = changes.pop("typ", "at+jwt")
        claims |= changes
        return self.key.sign({name: value for name, value in claims.items() if value is not None}, typ)


CONFIG = """\
version: 1
listen: 127.0.0.1:{port}
identity:
  issuer: {issuer}
  audience: gateway
device:
  trusted_issuers: [{issuer}]
  reporters:
    - {{id: mdm, key: {folder}/mdm.jwk}}
behaviour:
  office_hours: "00:00-23:59"
policies: {folder}/policies
state: {folder}/state
mode: enforce
workers: {workers}
apis:
  - name: households
    match: /civil/households/**
    upstream: http://127.0.0.1:{witness}
    data: household
  - name: enterprises
    match: /market/enterprises/**
    upstream: http://127.0.0.1:{witness}
    data: enterprise
  - name: visits
    match: /health/visits/**
    upstream: http://127.0.0.1:{witness}
    data: health-visit
"""


class Answer:
    """What the gateway answered."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        return str(self.json["reason"])


class Gateway:
    """`gateway serve` on a folder of its own."""

    def __init__(
        self, folder: Path, witness: Behind, issuer: Issuer, workers: int = 1, extra: str = "", config: str = CONFIG
    ) -> None:
        self.folder, self.issuer, self.witness = folder, issuer, witness
        self.port = free_port()
        self.state = folder / "state"
        self.config = folder / "gateway.yaml"
        self.reporter = SigningKey.generate("ES256")
        self.launch: tuple[str, ...] = (sys.executable, "-m", "gateway")
        self.options: tuple[str, ...] = ()  # of `serve`
        self.environment: dict[str, str] = {}  # beside that of the tests
        (folder / "mdm.jwk").write_text(json.dumps(self.reporter.public_jwk()))
        shutil.copytree(ROOT / "policies", folder / "policies", dirs_exist_ok=True)
        text = config.format(port=self.port, issuer=issuer.url, folder=folder, workers=workers, witness=witness.port)
        self.config.write_text(text + extra)
        self.run("init", str(folder))
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / "serve.log"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.launch, "serve", "-c", str(self.config), *self.options], env=os.environ | self.environment,
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=ROOT,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.door("GET", "/ready").status == 200:
                    return
            time.sleep(0.02)
        raise AssertionError(f"the gateway did not start:\n{self.log.read_text()[-4000:]}")

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self.process = None
        return code

    def ask(self, method: str, path: str, token: str = "", body: bytes | None = None, **headers: str) -> Answer:
        """One request on a connection of its own; `x_a` in `headers` stands for `x-a`."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            fields["authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body=body, headers=fields)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path: str, token: str = "", **headers: str) -> Answer:
        return self.ask("GET", path, token, **headers)

    def raw(self, data: bytes, seconds: float = 5.0) -> bytes:
        """Bytes as they are, on a connection of their own; everything that comes back until it is closed."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(data)
            got = b""
            with contextlib.suppress(OSError):
                while chunk := connection.recv(65536):
                    got += chunk
            return got

    def door(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Answer:
        """A request at the operators' door, over the Unix socket."""
        connection = http.client.HTTPConnection("control", timeout=30)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(30)
        try:
            connection.sock.connect(str(self.state / "control.sock"))
            raw = body if isinstance(body, str) or body is None else json.dumps(body)
            connection.request(method, path, body=raw, headers={"content-type": content_type} if raw else {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def report_health(self, device: str, **changes: Any) -> Answer:
        """What a device management system tells the door."""
        now = time.time()
        report = {
            "iss": "mdm", "aud": "gateway", "iat": int(now), "sequence": int(now * 1000), "device_id": device,
            "reported_at": int(now), "disk_encrypted": True, "screen_lock": True, "firewall": True, "av_state": "on",
            "av_def_age_days": 1, "patch_age_days": 3, "jailbroken": False, "managed": True,
        } | changes  # fmt: skip
        signed = self.reporter.sign(report, "posture+jwt")
        return self.door("POST", "/v1/posture/reports", signed, "application/jose")

    def run(self, *words: str, code: int | None = 0) -> str:
        """A command of the gateway, run in this process; its exit code is checked unless None."""
        got = ran(*words)
        assert code is None or got.code == code, f"{words}: {got.code}\n{got.out}\n{got.err}"
        return got.out

    def entries(self) -> list[dict[str, Any]]:
        """Everything in the journals, in order within each journal."""
        found = []
        for path in sorted((self.state / "journal").glob("*.log")):
            for line in path.read_bytes().splitlines():
                found.append(json.loads(line.partition(b" ")[2]))
        return found

    def verify(self, code: int = 0) -> str:
        """`gateway audit verify` on the ledger as it lies there."""
        key = str(self.state / "keys" / "ledger.pub")
        return self.run("audit", "verify", str(self.state / "ledger"), "--public-key", key, code=code)

    def workers(self) -> list[int]:
        return [worker["pid"] for worker in self.door("GET", "/health").json["workers"]]


_ports = itertools.count(10_100 + os.getpid() % 200 * 100)


def free_port() -> int:
    """A port of loopback for a process yet to start.

    It lies below those that the system gives to whoever asks for any, and tests in another process begin
    elsewhere: nobody takes it in between.
    """
    while True:
        with contextlib.suppress(OSError), socket.socket() as trial:
            trial.bind(("127.0.0.1", port := next(_ports)))
            return port


def until(told: Callable[[], T]) -> T:
    """What is told once it is told: asked often enough to lose little time, seldom enough to leave the gateway its own."""
    deadline = time.monotonic() + PATIENCE
    while not (found := told()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


@contextlib.contextmanager
def running(folder: Path, workers: int = 1, extra: str = "", launch: tuple[str, ...] = ()) -> Iterator[Gateway]:
    """A gateway with its witness and issuer, started; stopped at the end. `launch`: what starts it instead."""
    witness, issuer = Witness(), Issuer()
    gateway = Gateway(folder, witness, issuer, workers, extra)
    gateway.launch = launch or gateway.launch
    try:
        gateway.start()
        yield gateway
    finally:
        if gateway.process is not None and gateway.process.poll() is None:
            gateway.stop(signal.SIGTERM)
        print(gateway.log.read_text()[-3000:])  # is shown when the test fails
        witness.close()
        issuer.close()
