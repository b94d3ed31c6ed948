"""Callers take the beginning of an answer and reset; whoever asks next finds the service free."""

import json
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.running import CONFIG, RECORD, Gateway, Issuer, Witness, until

ONE_CONNECTION = """\
    pool_size: 1
    timeouts: {{idle: 10m}}
  - name: enterprises
"""


class Silent(Witness):
    """Streams one record to who asks for a stream, and then says nothing until the test is over."""

    def __init__(self) -> None:
        self.over = threading.Event()
        super().__init__()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        base, over = super()._handler(), self.over

        class Handler(base):  # type: ignore[misc, valid-type]
            def do_GET(self) -> None:
                if not self.path.startswith("/civil/households?stream"):
                    self._serve()
                    return
                self.send_response(200)
                self.send_header("content-type", "application/x-ndjson")
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(json.dumps(RECORD, ensure_ascii=False).encode() + b"\n")
                self.wfile.flush()
                over.wait()
                self.close_connection = True

        return Handler

    def close(self) -> None:
        self.over.set()
        super().close()


def test_a_stream_that_its_caller_left_keeps_no_connection_to_the_service(tmp_path: Path) -> None:
    config = CONFIG.replace("  - name: enterprises\n", ONE_CONNECTION)
    witness, issuer = Silent(), Issuer()
    gateway = Gateway(tmp_path, witness, issuer, config=config)
    try:
        gateway.start()
        assert gateway.report_health("laptop-7").status == 202
        token = issuer.token()
        for count in (1, 2, 3):
            with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as caller:
                caller.sendall(
                    f"GET /civil/households?stream={count} HTTP/1.1\r\nHost: 127.0.0.1:{gateway.port}\r\n"
                    f"Authorization: Bearer {token}\r\nX-Purpose: case-inquiry\r\n\r\n".encode()
                )
                got = b""
                while b"}" not in got.partition(b"\r\n\r\n")[2]:
                    got += caller.recv(4096)
                assert got.startswith(b"HTTP/1.1 200")
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close with a reset
        assert gateway.get("/civil/households", token, x_purpose="case-inquiry").status == 200
        until(lambda: len([entry for entry in gateway.entries() if entry.get("code") == "client_gone"]) == 3)
        shown = [entry for entry in gateway.entries() if entry.get("code") == "client_gone"]
        assert [(entry["status"], entry["complete"], entry["records"]) for entry in shown] == [(200, False, 1)] * 3
    finally:
        gateway.stop()
        witness.close()
        issuer.close()
