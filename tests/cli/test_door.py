"""What does the running gateway say at its Unix socket?"""

import socket
import threading
from pathlib import Path

import pytest

from gateway.cli.door import NoAnswer, ask, brief, complaint
from tests.control.doors import Behind


def test_an_exchange(behind: Behind, tmp_path: Path) -> None:
    assert ask(tmp_path / "c.sock", "GET", "/ready") == (200, {"ready": True})
    status, answer = ask(tmp_path / "c.sock", "GET", "/nothing", language="zh-CN")
    assert (status, complaint(answer)) == (404, "此处没有内容")


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n\r\nnot json", b"SSH-2.0-odd\r\n"])
def test_whatever_else_listens_there_is_no_answer(said: bytes, tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "odd.sock"))
    listener.listen()

    def answer() -> None:
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.sendall(said)
        connection.close()

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(NoAnswer):
        ask(tmp_path / "odd.sock", "GET", "/ready")
    thread.join()
    listener.close()


def test_nobody_there_says_why(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer, match="there is no such socket"):
        ask(tmp_path / "none.sock", "GET", "/ready")


def test_complaints_of_every_form() -> None:
    assert complaint({"title": "no", "errors": ["a", {"en": "b"}]}) == "no: a; b"
    assert complaint({"err": "invalid_key", "description": "nobody"}) == "invalid_key: nobody"
    assert complaint([]) == ""


def test_a_chinese_complaint_has_chinese_punctuation() -> None:
    assert complaint({"title": "无法理解该请求", "errors": ["没有字段 `a`", "没有字段 `b`"]}) == (
        "无法理解该请求：没有字段 `a`；没有字段 `b`"
    )
    assert complaint({"title": "the request cannot be understood", "errors": ["no `a`"]}) == (
        "the request cannot be understood: no `a`"
    )


def test_a_revision_is_shown_with_its_level() -> None:
    assert brief("ab" * 32) == "abababababab"
    assert brief("ab" * 32 + "+II") == "abababababab+II"
