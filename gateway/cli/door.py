"""What does the running gateway say at its Unix socket?

A plain HTTP client over the control socket: no library, no proxy settings, no name lookups.
"""

import errno
import http.client
import json
import socket
from pathlib import Path
from typing import Any

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
