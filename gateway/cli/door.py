"""What does the running gateway say at its Unix socket?

A plain HTTP client over the control socket: no library, no proxy settings, no name lookups.
"""

import argparse
import errno
import http.client
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.cli.screen import Screen
    from gateway.document import FileFault

SECONDS = 10.0
_SILENCE = {
    errno.ENOENT: ("there is no such socket: is it running?", "没有该套接字：网关是否在运行？"),
    errno.ECONNREFUSED: ("nobody listens there: is it running?", "无人监听：网关是否在运行？"),
    errno.EACCES: ("you may not connect to it", "没有连接权限"),
}


class NoAnswer(Exception):
    """Nobody answered, or not in the form of the door; `socket`, `why` and `zh` say where and why."""

    def __init__(self, path: Path, why: str, zh: str = "") -> None:
        super().__init__(why)
        self.socket = path
        self.why = why
        self.zh = zh or why


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("control", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(SECONDS)
        self.sock.connect(str(self._path))


def socket_of(args: argparse.Namespace, screen: "Screen") -> Path | None:
    """The control socket; None after saying why it is not known."""
    if getattr(args, "socket", ""):
        return Path(args.socket)
    from gateway.config import places
    from gateway.document import Faulty

    try:
        return places(Path(args.config), os.environ).socket
    except Faulty as faulty:
        if Path(args.config).exists():
            screen.faults(faulty.faults)
        else:
            screen.warn("no_config", "error", path=args.config)
        return None


def ask(path: Path, method: str, target: str, body: object = None, language: str = "en") -> tuple[int, Any]:
    """Status and JSON of one exchange. Raises NoAnswer."""
    headers = {"accept-language": language, "connection": "close"}
    content = None
    if body is not None:
        headers["content-type"] = "application/json"
        content = json.dumps(body).encode()
    connection = _Connection(path)
    try:
        connection.request(method, target, content, headers)
        answer = connection.getresponse()
        data = answer.read()
        return answer.status, json.loads(data) if data else None
    except OSError as error:
        why = error.strerror or str(error)
        raise NoAnswer(path, *_SILENCE.get(error.errno or 0, (why, why))) from error
    except (http.client.HTTPException, ValueError) as error:
        raise NoAnswer(path, str(error) or "not an answer of the gateway", "不是网关的应答") from error
    finally:
        connection.close()


def complaint(answer: Any) -> str:
    """What a problem body says, in one line."""
    if not isinstance(answer, dict):
        return ""
    errors = answer.get("errors") or [answer.get("description", "")]
    details = [error if isinstance(error, str) else str(error.get("en", error)) for error in errors]
    title = str(answer.get("title", answer.get("err", "")))
    colon, stop = (": ", "; ") if title.isascii() else ("：", "；")
    return colon.join(part for part in (title, stop.join(details)) if part)


def answered(
    args: argparse.Namespace,
    screen: "Screen",
    method: str,
    target: str,
    wish: object = None,
    said: Mapping[int, str] = MappingProxyType({}),
) -> tuple[int, Any]:
    """0 and the answer, or the exit code after saying why there is none: 1 for a no, 3 for silence.

    `said` is what a status means for this command, where that tells more than the door's own words.
    """
    path = socket_of(args, screen)
    if path is None:
        return 3, None
    try:
        status, answer = ask(path, method, target, wish, args.lang)
    except NoAnswer as silence:
        screen.warn("no_answer", "error", socket=silence.socket, why=screen.choose(silence.why, silence.zh))
        return 3, None
    if 200 <= status < 300:
        return 0, answer
    if status == 422:
        screen.faults(_faults(answer))
    if status in said:
        screen.warn("plain", "error", text=said[status])
    else:
        screen.warn("refused", "error", status=status, why=complaint(answer))
    screen.result(answer)
    return (3 if status >= 500 else 1), answer


def _faults(answer: Any) -> "list[FileFault]":
    """The faults of a refusal with 422."""
    from msgspec import convert

    from gateway.document import FileFault

    return convert(answer.get("errors", []), list[FileFault])


def brief(name: str) -> str:
    """A revision as people read it: twelve digits, and the emergency level when there is one."""
    return name[:12] + name[64:]
