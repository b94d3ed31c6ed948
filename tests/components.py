"""Other people's programs around a gateway, for stories: found on this machine or skipped with one clear line.

`.ci/components` installs them. Each is started on a free port of loopback with files in a folder of its
own, waited for, and ended at the end of the test.
"""

import contextlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import pytest

from tests.running import free_port
from tests.test_layout import ROOT

COMPONENTS = Path(os.environ.get("GATEWAY_COMPONENTS", ROOT / "build" / "components" / "venv"))
IDP = ROOT / "tests" / "idp"
PATIENCE = 30.0  # seconds until a component must listen


def program(name: str) -> str:
    """The path of a program of this machine, or a skip."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    return found or pytest.skip(f"needs {name}: run .ci/components")


def component(name: str) -> str:
    """The path of a program of the components' own environment, or a skip."""
    found = COMPONENTS / "bin" / name
    return str(found) if found.exists() else pytest.skip(f"needs {name} in {COMPONENTS}: run .ci/components")


# --- processes ------------------------------------------------------------------------------------


class Component:
    """A process that listens on `port`."""

    def __init__(self, port: int, url: str, process: "subprocess.Popen[Any]") -> None:
        self.port, self.url, self.process = port, url, process

    def stop(self) -> None:
        """End it and wait for its end."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def started(
    command: Sequence[str], port: int, folder: Path, environment: Mapping[str, str] | None = None, scheme: str = "http"
) -> Iterator[Component]:
    """The command as a process, from when it accepts connections on loopback until the end."""
    log = folder / f"{Path(command[0]).name}-{port}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder, env=os.environ | (environment or {})
        )
    running = Component(port, f"{scheme}://127.0.0.1:{port}", process)
    try:
        _wait(port, process, log)
        yield running
    finally:
        running.stop()


def _wait(port: int, process: "subprocess.Popen[Any]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise AssertionError(f"{log.stem} did not start:\n{log.read_text(errors='replace')[-2000:]}")


# --- services behind ------------------------------------------------------------------------------

CITIZENS = (
    ("330106199003072319", "王小明", "13800138000", "6222021202012345678", "西湖区"),
    ("110101200002291280", "李静", "13900139000", "6228480402564890018", "上城区"),
)


def gunicorn(application: str, folder: Path, environment: Mapping[str, str] | None = None) -> Any:
    """A WSGI application under gunicorn, several requests at a time."""
    port = free_port()
    command = [component("gunicorn"), "-b", f"127.0.0.1:{port}", "-k", "gthread", "--threads", "8", "-t", "120"]
    return started([*command, application], port, folder, environment)


def httpbin(folder: Path) -> Any:
    """httpbin: answers in every way there is."""
    component("flask")
    return gunicorn("httpbin:app", folder)


def datasette(folder: Path) -> Any:
    """datasette on a register of citizens, the resident id as its primary key."""
    path = folder / "registry.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("create table citizens (id_number text primary key, name, phone, card, district)")
        database.executemany("insert into citizens values (?, ?, ?, ?, ?)", CITIZENS)
        database.commit()
    port = free_port()
    command = [component("datasette"), "serve", str(path), "--host", "127.0.0.1", "--port", str(port)]
    return started(command, port, folder)


PARCELS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "id": number,
            "geometry": {"type": "Point", "coordinates": place},
            "properties": {"owner": owner, "phone": phone, "use": use},
        }
        for number, place, owner, phone, use in (
            (1, [120.1551, 30.2741], "王小明", "13800138000", "house"),
            (2, [120.1632, 30.2897], "李静", "13900139000", "shop"),
        )
    ],
}


def pygeoapi(folder: Path) -> Any:
    """pygeoapi (OGC API Features) on a collection of parcels with their owners."""
    (folder / "parcels.json").write_text(json.dumps(PARCELS))
    nobody = {"name": "none", "url": "http://127.0.0.1/"}
    limits = {"default_items": 10, "max_items": 10}
    config = {
        "server": {
            "bind": {"host": "127.0.0.1", "port": 80},
            "url": "http://127.0.0.1/geo",
            "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8",
            "language": "en-US",
            "limits": limits,
            "map": {"url": "http://127.0.0.1/{z}/{x}/{y}", "attribution": "none"},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {
                "title": "parcels", "description": "parcels", "keywords": ["parcels"], "keywords_type": "theme",
                "terms_of_service": "none", "url": "http://127.0.0.1/",
            },
            "license": nobody, "provider": nobody, "contact": nobody,
        },
        "resources": {
            "parcels": {
                "type": "collection", "title": "parcels", "description": "parcels", "keywords": ["parcels"], "links": [],
                "extents": {"spatial": {"bbox": [-180, -90, 180, 90]}},
                "providers": [
                    {"type": "feature", "name": "GeoJSON", "data": str(folder / "parcels.json"), "id_field": "id"}
                ],
            }
        },
    }  # fmt: skip
    (folder / "pygeoapi.yml").write_text(json.dumps(config))
    environment = {
        "PYGEOAPI_CONFIG": str(folder / "pygeoapi.yml"), "PYGEOAPI_OPENAPI": str(folder / "openapi.yml"),
    }  # fmt: skip
    subprocess.run(
        [component("pygeoapi"), "openapi", "generate", "pygeoapi.yml", "--output-file", "openapi.yml"],
        cwd=folder, env=os.environ | environment, check=True, capture_output=True,
    )  # fmt: skip
    return gunicorn("pygeoapi.flask_app:APP", folder, environment)


# --- nginx ----------------------------------------------------------------------------------------

NGINX = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
{user}
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 64m;
    default_type application/octet-stream;
    types {{ application/json json; text/plain txt; }}
{http}
}}
"""


def nginx(folder: Path, http: str, port: int, scheme: str = "http") -> Any:
    """nginx with this `http` block; it must listen on `port`."""
    folder.mkdir(exist_ok=True)
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, user=user, http=http))
    command = [program("nginx"), "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    return started(command, port, folder, scheme=scheme)


def rfc9440_map() -> str:
    """An nginx `map` that makes `$client_cert` (RFC 9440, `:base64:`) of the PEM that nginx holds."""
    lines = 40  # of 64 characters: certificates up to 1900 bytes
    pattern = "".join(rf"(?:(?<l{number}>[A-Za-z0-9+/=]+)\n)?" for number in range(lines))
    joined = "".join(f"${{l{number}}}" for number in range(lines))
    return (
        "    map $ssl_client_raw_cert $client_cert {\n"
        '        default "";\n'
        f'        "~^-----BEGIN CERTIFICATE-----\\n{pattern}-----END" ":{joined}:";\n'
        "    }\n"
    )


# --- an identity provider ---------------------------------------------------------------------------


class Provider:
    """oidc-provider (node): told what to do by lines, answers each with a line of JSON."""

    def __init__(self, folder: Path) -> None:
        node = program("node")
        if not (IDP / "node_modules" / "oidc-provider").is_dir():
            pytest.skip("needs oidc-provider: run .ci/components")
        self._log: IO[bytes] = (folder / "provider.log").open("wb")
        self._process = subprocess.Popen(
            [node, "provider.js"], cwd=IDP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        self.url: str = self._answer()["issuer"]

    def tell(self, word: str) -> None:
        """`rotate` keys, or take the key set `down` and `up` again; back when it is done."""
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        assert self._answer() == {"done": word}

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline() or "null")

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()
        self._log.close()


# --- curl -------------------------------------------------------------------------------------------


class Curled:
    """What curl got: its exit code (0: an answer), status, header fields in order, body, and what it said."""

    def __init__(self, code: int, head: str, body: bytes, said: str) -> None:
        self.code, self.body, self.said = code, body, said
        lines = head.strip().splitlines()
        self.status = int(lines[0].split()[1]) if lines else 0
        self.fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.fields)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        return str(self.json["reason"])


def curl(url: str, *words: str, token: str = "") -> Curled:
    """One request by curl; redirects are not followed."""
    command = [program("curl"), "-sS", "--max-time", "60", "-D", "/dev/fd/2", *words, url]
    if token:
        command += ["-H", f"Authorization: Bearer {token}"]
    run = subprocess.run(command, capture_output=True, check=False)
    said = run.stderr.decode("latin-1")
    heads = said.split("\r\n\r\n")
    finals = [head for head in heads[:-1] if not head.startswith("HTTP/1.1 1")]  # without 100 Continue
    return Curled(run.returncode, finals[-1] if finals else "", run.stdout, heads[-1])


def resident_bytes(pid: int) -> int:
    """The most memory a process has held so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
