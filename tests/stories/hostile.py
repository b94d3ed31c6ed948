"""The stage of the attack stories: a gateway in front of a service that answers in bytes of our choice.

`Service` records what reached it, head and body as they came, and answers whatever it is told to,
well-formed or not. Three APIs lead to it: `/evil/**` is inspected (labelled fields, everything else
redacted), `/open/**` is opaque and streams through, of `/own/**` a caller sees the records of one district.
"""

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.running import Gateway, Issuer, Witness

APIS = """\
  - name: evil
    match: /evil/**
    upstream: http://127.0.0.1:{port}
    data: evil
  - name: open
    match: /open/**
    upstream: http://127.0.0.1:{port}
    data: open
  - name: own
    match: /own/**
    upstream: http://127.0.0.1:{port}
    data: own
"""
CATALOG = """\
assets:
  - id: evil
    title: {zh: 恶意服务, en: hostile service}
    owner: prov/market
    category: open-data
    grade: general-2
    contract: enforce
    endpoints: ["GET /evil/{id}", "POST /evil/{id}", "PUT /evil/{id}"]
    fields:
      - {path: $..name, identifier: name, grade: general-2}
      - {path: $..id_number, identifier: resident-id, grade: general-2}
  - id: open
    title: {zh: 不透明服务, en: opaque service}
    owner: prov/market
    category: open-data
    grade: general-1
    endpoints:
      - {path: "GET /open/{id}", opaque: true}
      - {path: "POST /open/{id}", opaque: true}
  - id: own
    title: {zh: 本区记录, en: records of one district}
    owner: prov/market
    category: open-data
    grade: general-2
    contract: warn
    endpoints: ["GET /own/{id}"]
    fields:
      - {path: $..id_number, identifier: resident-id, grade: general-2}
      - {path: $..district, grade: general-2}
"""
RULES = """\
rules:
  - id: hostile-evil
    title: {zh: 测试, en: test}
    effect: allow
    who: signed-in
    data: evil
    action: [read, create, update]
    level: any
    then: {mask: pii-standard}
    owner: prov/market
  - id: hostile-open
    title: {zh: 测试, en: test}
    effect: allow
    who: signed-in
    data: open
    action: [read, create]
    level: any
    then: {mask: none}
    owner: prov/market
  - id: hostile-own
    title: {zh: 测试, en: test}
    effect: allow
    who: signed-in
    data: own
    action: read
    level: any
    then: {mask: pii-standard, rows: {$.district: [hz]}}
    owner: prov/market
  - id: hostile-director
    title: {zh: 测试, en: test}
    effect: allow
    who: user:director
    data: household
    action: read
    level: any
    when: subject.org == "prov/market"
    owner: prov/market
"""
PLAIN = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)")
_REASON = re.compile(rb'"reason":"([a-z_]+)"')


class Reply(NamedTuple):
    """What came back, taken apart as little as possible."""

    status: int
    reason: str  # of a refusal of the gateway, else ""
    head: bytes
    body: bytes

    @property
    def raw(self) -> bytes:
        return self.head + b"\r\n\r\n" + self.body


class Service:
    """Answers in raw bytes, or lets a callable speak on the connection."""

    def __init__(self) -> None:
        self.answer: bytes | Callable[[socket.socket], None] = PLAIN
        self.hangs_up = False
        self.got: list[tuple[bytes, bytes]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def heads(self, name: bytes) -> list[bytes]:
        """The lines of the last request whose field has this name in any spelling that a framework may merge."""
        lines = self.got[-1][0].split(b"\r\n")[1:]
        plain = re.compile(rb"[^a-z0-9]")
        return [line for line in lines if plain.sub(b"", line.partition(b":")[0].lower()) == plain.sub(b"", name)]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            held = b""
            while True:
                while b"\r\n\r\n" not in held:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    held += piece
                head, _, held = held.partition(b"\r\n\r\n")
                length = _LENGTH.search(head)
                size = int(length[1]) if length else 0
                while len(held) < size:
                    held += connection.recv(65536)
                self.got.append((head, held[:size]))
                held = held[size:]
                if callable(self.answer):
                    self.answer(connection)
                else:
                    connection.sendall(self.answer)
                if self.hangs_up:
                    return


class Stage(NamedTuple):
    """The gateway, the hostile service, and a token that both APIs accept."""

    gateway: Gateway
    service: Service
    token: str

    def send(self, raw: bytes, seconds: float = 8.0) -> Reply:
        """Bytes as they are, on a connection of their own; the first answer."""
        head, _, body = self.gateway.raw(raw, seconds).partition(b"\r\n\r\n")
        reason = _REASON.search(body) if b'"request_id"' in body else None
        status = int(head[9:12]) if head[:9] == b"HTTP/1.1 " else 0
        return Reply(status, reason[1].decode() if reason else "", head, body)

    def ask(self, path: str = "/evil/x", *fields: bytes, method: str = "GET", body: bytes = b"") -> Reply:
        """A well-formed request with these further fields."""
        return self.send(self.request(f"{method} {path}".encode(), *fields) + body)

    def request(self, line: bytes, *fields: bytes, host: bytes = b"Host: gw", version: bytes = b"HTTP/1.1") -> bytes:
        """A request of this line with a good token, and whatever else."""
        known = [line + b" " + version, host, b"Authorization: Bearer " + self.token.encode(), b"Connection: close"]
        return b"\r\n".join([part for part in (*known, *fields) if part]) + b"\r\n\r\n"

    def reached(self, raw: bytes) -> tuple[Reply, int]:
        """The answer, and how many requests reached the service meanwhile."""
        before = len(self.service.got)
        reply = self.send(raw)
        return reply, len(self.service.got) - before


@contextlib.contextmanager
def staged(folder: Path, workers: int = 1, extra: str = "") -> Iterator[Stage]:
    """The stage, set up and taken down."""
    witness, issuer, service = Witness(), Issuer(), Service()
    gateway = Gateway(folder, witness, issuer, workers, APIS.format(port=service.port) + extra)
    (folder / "policies" / "catalog" / "hostile.yaml").write_text(CATALOG)
    (folder / "policies" / "rules" / "98-hostile.yaml").write_text(RULES)
    try:
        gateway.start()
        yield Stage(gateway, service, issuer.token("caller", clearance="core"))
    finally:
        if gateway.process is not None and gateway.process.poll() is None:
            gateway.stop()
        for each in (witness, issuer, service):
            each.close()


def answer(body: bytes, *fields: bytes, status: bytes = b"200 OK", kind: bytes | None = b"application/json") -> bytes:
    """A response of the service with a right length."""
    head = [b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *fields]
    if kind is not None:
        head.append(b"content-type: " + kind)
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def chunks(body: bytes, size: int = 1) -> bytes:
    """A body in chunks of this size."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
