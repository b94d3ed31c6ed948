"""Who is at the other end of this connection, and how long may they take?"""

import asyncio
import contextlib
import hashlib
import os
import socket
import ssl
import threading
from pathlib import Path

import httpx
import pytest

from gateway.control import Credential, Settings, unix_socket
from gateway.control import connection as door_connection
from gateway.edge.tls import Tls, server_context
from tests.certificates import Authority
from tests.control.doors import SETTINGS, TOKENS, Behind, bearer, on_tcp, on_unix


def test_a_socket_is_never_open_to_others_and_never_takes_over(tmp_path: Path) -> None:
    path = tmp_path / "c.sock"
    first = unix_socket(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(OSError, match="another gateway listens here"):
        unix_socket(path)
    first.close()  # as after kill -9: the file stays
    again = unix_socket(path)
    again.close()
    assert unix_socket(tmp_path / "shared.sock", shared=True).close() is None
    assert (tmp_path / "shared.sock").stat().st_mode & 0o777 == 0o666


@pytest.mark.anyio
@pytest.mark.parametrize("size", [2, 300_000])
async def test_who_is_refused_while_still_sending_hears_why(tmp_path: Path, size: int) -> None:
    async with on_unix(Behind(), tmp_path / "c.sock"):
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(5)
            await asyncio.to_thread(caller.connect, str(tmp_path / "c.sock"))
            caller.sendall(
                b"POST /v1/revocations HTTP/1.1\r\nhost: control\r\ncontent-type: text/plain\r\n"
                b"content-length: %d\r\n\r\n" % size
            )
            with pytest.raises(TimeoutError):  # the door does not hang up on who is still speaking
                caller.settimeout(0.2)
                await asyncio.to_thread(caller.recv, 65536)
            caller.settimeout(5)
            await asyncio.to_thread(caller.sendall, b"x" * size)
            assert (await asyncio.to_thread(caller.recv, 65536)).startswith(b"HTTP/1.1 415")


def test_what_is_no_socket_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "c.sock").write_text("important")
    with pytest.raises(FileExistsError):
        unix_socket(tmp_path / "c.sock")
    assert (tmp_path / "c.sock").read_text() == "important"


def test_the_umask_is_left_as_it_was(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        unix_socket(tmp_path / "c.sock").close()
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


@pytest.mark.anyio
async def test_a_client_certificate_has_a_role_and_a_strange_one_has_none(tmp_path: Path) -> None:
    authority = Authority("operators")
    authority_file = tmp_path / "ca.pem"
    authority_file.write_bytes(authority.pem())
    server = authority.issue("server", tmp_path, server=True)
    scraper, stranger = (authority.issue(name, tmp_path) for name in ("scraper", "stranger"))
    context = server_context(Tls(*server, (authority_file,)))
    der = ssl.PEM_cert_to_DER_cert(scraper[0].read_text())
    known = Credential("prometheus", "metrics", hashlib.sha256(der).hexdigest())
    settings = Settings(tokens=SETTINGS.tokens, certificates=(known,), uid=4_000_000)
    behind = Behind()
    async with on_tcp(behind, settings, context) as base:
        for shown, path, status in (
            (scraper, "/metrics", 200),
            (scraper, "/v1/policy", 403),
            (stranger, "/metrics", 401),
            (None, "/metrics", 401),
        ):
            client_context = ssl.create_default_context(cafile=str(authority_file))
            if shown is not None:
                client_context.load_cert_chain(*shown)
            async with httpx.AsyncClient(verify=client_context, trust_env=False) as client:
                assert (await client.get(base + path)).status_code == status
                if shown is scraper:  # a bad token is not made good by the certificate beside it
                    bad = await client.get(base + path, headers={"authorization": "Bearer wrong"})
                    assert bad.status_code == 401
                assert (await client.get(base + "/health", headers=bearer("audit"))).status_code == 200


@pytest.mark.anyio
async def test_one_request_for_each_connection(tmp_path: Path) -> None:
    async with on_tcp(Behind()) as base, httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(base + "/health", headers=bearer("system"))
    assert answer.headers["connection"] == "close"
    assert "server" not in answer.headers


@pytest.mark.anyio
@pytest.mark.parametrize("sent", [b"", b"GET /health HT", b"POST /v1/revocations HTTP/1.1\r\nHost: c\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"])  # fmt: skip
async def test_a_slow_caller_is_cut_off(sent: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from asyncio import open_unix_connection, wait_for

    monkeypatch.setattr(door_connection, "REQUEST_SECONDS", 0.2)
    settings = Settings(uid=os.geteuid())
    async with on_unix(Behind(), tmp_path / "c.sock", settings) as path:
        reader, writer = await open_unix_connection(str(path))
        writer.write(sent)
        with contextlib.suppress(ConnectionResetError):
            assert await wait_for(reader.read(), 5) == b""
        writer.close()


@pytest.mark.anyio
async def test_headers_are_bounded(tmp_path: Path) -> None:
    async with on_tcp(Behind()) as base:
        host, port = base.removeprefix("http://").split(":")
        answer: list[bytes] = []

        def flood() -> None:
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                try:
                    connection.sendall(b"GET /health HTTP/1.1\r\nHost: c\r\nX-A: " + b"a" * 1_000_000)
                    answer.append(connection.recv(100))
                except (BrokenPipeError, ConnectionResetError):
                    answer.append(b"")

        thread = threading.Thread(target=flood)
        thread.start()
        from anyio import to_thread

        await to_thread.run_sync(thread.join)
    assert answer[0] == b"" or answer[0].startswith(b"HTTP/1.1 400")


@pytest.mark.anyio
async def test_no_header_can_name_the_peer() -> None:
    behind = Behind()
    async with on_tcp(behind) as base, httpx.AsyncClient(trust_env=False) as client:
        for name in ("x-forwarded-for", "forwarded", "x-peer-uid", "x-real-ip"):
            assert (await client.get(base + "/health", headers={name: "0"})).status_code == 401
    assert {notice.subject for notice in behind.notices} == {"127.0.0.1"}
    assert TOKENS["admin"] not in repr(behind.notices)
