"""Who knocks at the operators' door?"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from gateway.control import Credential, Settings
from gateway.control.callers import Knocks
from gateway.facts import Notice
from tests.control.doors import SETTINGS, TOKENS, Behind, bearer, on_tcp, on_unix

ROOT = os.geteuid() == 0
KNOCK = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
s.sendall(b"GET /health HTTP/1.1\\r\\nHost: control\\r\\n\\r\\n")
data = b""
while chunk := s.recv(65536): data += chunk
print(data.split(b"\\r\\n")[0].decode(), data.split(b"\\r\\n\\r\\n")[1].decode())
"""


def over(path: Path) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(uds=str(path)), base_url="http://control", trust_env=False
    )


def settings(**changes: object) -> Settings:
    return Settings(**({"tokens": SETTINGS.tokens, "uid": 4_000_000} | changes))  # type: ignore[arg-type]  # by name


@pytest.mark.anyio
async def test_the_kernel_says_who_is_at_the_socket(tmp_path: Path) -> None:
    behind = Behind()
    async with on_unix(behind, tmp_path / "c.sock", settings(uid=os.geteuid())) as path, over(path) as client:
        assert (await client.post("/v1/revocations", json={"kind": "device", "id": "laptop-7"})).status_code == 200
    assert behind.acts[0].operator == f"uid:{os.geteuid()}"
    assert behind.acts[0].role == "admin"


async def knock_as_nobody(path: Path) -> str:
    from asyncio import create_subprocess_exec

    child = await create_subprocess_exec(sys.executable, "-c", KNOCK, str(path), stdout=subprocess.PIPE)
    out, _ = await child.communicate()
    return out.decode()


@pytest.mark.anyio
@pytest.mark.skipif(not ROOT, reason="only root can become another user")
async def test_another_user_of_the_machine_learns_nothing_unless_configured() -> None:
    with TemporaryDirectory() as name:  # folders of pytest are closed to others, at every depth
        folder = Path(name)
        folder.chmod(0o755)
        await learns_nothing(folder)


async def learns_nothing(folder: Path) -> None:
    behind = Behind()
    async with on_unix(behind, folder / "c.sock", shared=True) as path:
        assert (await knock_as_nobody(path)).startswith("HTTP/1.1 401")
    assert behind.notices == [Notice("control.refused", "uid:65534", "operator_unknown", 1)]
    async with on_unix(behind, folder / "c.sock", settings(operators=((65534, "metrics"),)), shared=True) as path:
        assert (await knock_as_nobody(path)).startswith('HTTP/1.1 200 OK {"status":"ok"')


@pytest.mark.anyio
@pytest.mark.skipif(not ROOT, reason="only root can become another user")
async def test_the_socket_itself_is_closed_to_others(tmp_path: Path) -> None:
    async with on_unix(Behind(), tmp_path / "c.sock") as path:
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.anyio
async def test_a_token_sent_over_the_socket_changes_nothing(tmp_path: Path) -> None:
    behind = Behind()
    async with on_unix(behind, tmp_path / "c.sock", settings(uid=os.geteuid())) as path, over(path) as client:
        await client.post("/v1/reload", headers=bearer("metrics"))
    assert {act.operator for act in behind.acts} == {f"uid:{os.geteuid()}"}


@pytest.mark.anyio
@pytest.mark.parametrize(
    "headers",
    [
        {}, {"authorization": "Bearer wrong"}, {"authorization": "Basic YWRtaW46YWRtaW4="},
        {"authorization": TOKENS["admin"]}, {"authorization": f"Bearer {TOKENS['admin'][:-1]}"},
        {"authorization": "Bearer " + "a" * 5000}, {"x-forwarded-for": "127.0.0.1"}, {"authorization": "Bearer"},
        [("authorization", f"Bearer {TOKENS['admin']}"), ("authorization", f"Bearer {TOKENS['admin']}")],
    ],
)  # fmt: skip
async def test_nobody_learns_nothing_on_the_port(headers: dict[str, str]) -> None:
    behind = Behind()
    async with on_tcp(behind) as base, httpx.AsyncClient(trust_env=False) as client:
        bodies = set()
        for path in ("/health", "/metrics", "/v1/policy", "/no/such/path"):
            answer = await client.get(base + path, headers=headers)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"] == 'Bearer realm="gateway-control"'
            bodies.add(answer.text)
    assert len(bodies) == 1  # a path that exists looks like one that does not
    assert behind.acts == []
    assert [notice.name for notice in behind.notices] == ["control.refused"] * 3  # the 1st, 2nd and 4th


@pytest.mark.anyio
async def test_a_page_in_an_operators_browser_cannot_act() -> None:
    behind = Behind()
    async with on_tcp(behind) as base, httpx.AsyncClient(trust_env=False) as client:
        for name in ("origin", "sec-fetch-site"):
            answer = await client.post(base + "/v1/reload", headers=bearer("admin") | {name: "null"})
            assert (answer.status_code, answer.json()["reason"]) == (403, "browser_refused")
    assert behind.asked == []


def test_failures_are_told_at_once_and_never_in_a_flood() -> None:
    told: list[Notice] = []
    knocks = Knocks(told.append)
    for _ in range(100):
        knocks.failed("10.0.0.9", "operator_unknown")
    assert [notice.count for notice in told] == [1, 1, 2, 4, 8, 16, 32]
    for number in range(5000):
        knocks.failed(f"10.1.{number}", "operator_unknown")
    assert len(knocks._counts) <= 1024


def test_settings_refuse_what_the_record_could_not_tell_apart() -> None:
    one = Credential("a", "audit", "0" * 64)
    with pytest.raises(ValueError, match="same name"):
        Settings(tokens=(one,), certificates=(one,))
    with pytest.raises(ValueError, match="64 lower-case"):
        Settings(tokens=(Credential("a", "audit", "secret"),))
