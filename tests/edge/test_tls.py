"""One context, renewed in place; a half-written pair of files changes nothing."""

import asyncio
import contextlib
import os
import pty
import select
import signal
import ssl
import sys
import textwrap
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.edge.accept import Acceptor
from gateway.edge.door import Tally
from gateway.edge.tls import Renewal, Tls, server_context
from gateway.serve import listen
from tests.certificates import Authority, contexts
from tests.edge.test_accept import Greeter

pytestmark = pytest.mark.anyio


async def shown_serial(port: int, client: ssl.SSLContext) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname="localhost")
    certificate = writer.get_extra_info("ssl_object").getpeercert()
    await reader.read()
    writer.close()
    return int(certificate["serialNumber"], 16)


def files(folder: Path) -> Tls:
    return Tls(folder / "server.pem", folder / "server.key")


async def test_a_new_certificate_is_used_for_new_handshakes(tmp_path: Path) -> None:
    authority = Authority("server authority")
    _, client = contexts(tmp_path, authority)
    context = server_context(files(tmp_path))
    renewal = Renewal(context, files(tmp_path))
    listener = listen("127.0.0.1", 0)
    acceptor = Acceptor(listener, Greeter, Tally([].append), context=context)
    acceptor.start()
    try:
        port = listener.getsockname()[1]
        before = await shown_serial(port, client)
        assert renewal.check() is None
        contexts(tmp_path, authority)  # writes a new pair in place
        assert renewal.check() == ""
        assert await shown_serial(port, client) != before
    finally:
        acceptor.stop()
        listener.close()


def test_a_half_written_pair_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    contexts(tmp_path, Authority("server authority"))
    context = server_context(files(tmp_path))
    renewal = Renewal(context, files(tmp_path))
    (tmp_path / "server.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    said = renewal.check()
    assert said
    assert renewal.check() is None  # told once, not every second


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(tmp_path: Path) -> None:
    """On a terminal OpenSSL would ask there, and the worker would stand still until somebody answers."""
    contexts(tmp_path, Authority("server authority"))
    key = load_pem_private_key((tmp_path / "server.key").read_bytes(), None)
    protection = BestAvailableEncryption(b"secret")
    code = f"""
        from pathlib import Path
        from gateway.edge.tls import Renewal, Tls, server_context
        folder = Path({str(tmp_path)!r})
        tls = Tls(folder / "server.pem", folder / "server.key")
        renewal = Renewal(server_context(tls), tls)
        (folder / "server.key").write_bytes((folder / "locked.key").read_bytes())
        print("refused" if renewal.check() else "taken")
    """
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)
    (tmp_path / "locked.key").write_bytes(locked)
    heard = b""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", textwrap.dedent(code)])
    with contextlib.suppress(OSError):
        while select.select([terminal], [], [], 20)[0] and (piece := os.read(terminal, 1024)):
            heard += piece
            if b"pass phrase" in heard:
                os.kill(pid, signal.SIGKILL)
    os.close(terminal)
    os.waitpid(pid, 0)
    assert heard.strip() == b"refused"


def test_old_protocols_are_off(tmp_path: Path) -> None:
    contexts(tmp_path, Authority("server authority"))
    assert server_context(files(tmp_path)).minimum_version == ssl.TLSVersion.TLSv1_2


async def test_a_client_certificate_of_a_stranger_fails_the_handshake(tmp_path: Path) -> None:
    contexts(tmp_path, Authority("server authority"))
    people = Authority("people")
    (tmp_path / "people.pem").write_bytes(people.pem())
    tls = Tls(tmp_path / "server.pem", tmp_path / "server.key", (tmp_path / "people.pem",))
    listener = listen("127.0.0.1", 0)
    told: list[object] = []
    tally = Tally(told.append)
    acceptor = Acceptor(listener, Greeter, tally, context=server_context(tls))
    acceptor.start()
    stranger = ssl.create_default_context()
    stranger.check_hostname = False
    stranger.verify_mode = ssl.CERT_NONE
    certificate, key = Authority("strangers").issue("mallory", tmp_path)
    stranger.load_cert_chain(certificate, key)
    try:
        port = listener.getsockname()[1]
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=stranger, server_hostname="localhost")
            try:
                await reader.readexactly(5)  # TLS 1.3: the alert follows the client's own handshake
            finally:
                writer.close()
    finally:
        acceptor.stop()
        listener.close()
    tally.tell()
    assert len(told) == 1
