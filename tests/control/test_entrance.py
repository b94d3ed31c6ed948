"""What happens to a request at the operators' door, from knock to answer?"""

from typing import Any

import httpx
import pytest

from gateway.control import Door, Revocation, Revoked
from tests.control.doors import SETTINGS, Behind, bearer, on_tcp

pytestmark = pytest.mark.anyio


async def test_a_refusal_of_a_known_operator_is_on_record() -> None:
    behind = Behind()
    async with on_tcp(behind) as base, httpx.AsyncClient(trust_env=False) as client:
        answer = await client.delete(base + "/v1/revocations/7", headers=bearer("audit"))
        await client.get(base + "/metrics", headers=bearer("audit"))
    assert answer.json()["reason"] == "role_insufficient"
    assert behind.asked == []
    assert [(act.operator, act.act, act.target, act.detail, act.ok) for act in behind.acts] == [
        ("audit-bot", "revocation.lift", "7", "role_insufficient", False),
        ("audit-bot", "get /metrics", "", "role_insufficient", False),
    ]


async def test_a_refusal_stands_when_it_cannot_be_recorded() -> None:
    behind = Behind()
    behind.recording = False
    async with on_tcp(behind) as base, httpx.AsyncClient(trust_env=False) as client:
        assert (await client.post(base + "/v1/reload", headers=bearer("audit"))).status_code == 403
    assert behind.asked == []


async def test_the_act_is_on_record_before_the_answer_is_sent() -> None:
    behind = Behind()
    order: list[str] = []
    app = behind.app()

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            order.append(f"{message['type']} after {len(behind.acts)} acts")
            await send(message)

        await app(scope, receive, sending)

    import socket

    from tests.control.doors import serving

    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    async with serving(watched, listener), httpx.AsyncClient(trust_env=False) as client:
        await client.post(
            f"http://127.0.0.1:{port}/v1/revocations", headers=bearer("security"), json={"kind": "device", "id": "d"}
        )
    assert order[0] == "http.response.start after 1 acts"


async def test_a_bug_behind_the_door_shows_nothing_of_itself(capfd: pytest.CaptureFixture[str]) -> None:
    from msgspec.structs import replace

    from gateway.control import control_app

    behind = Behind()

    async def broken(wish: Revocation, by: str) -> Revoked:
        raise RuntimeError("the password is hunter2")

    door: Door = replace(behind.door(), revoke=broken)
    app = control_app(door, SETTINGS, lambda: 0.0, behind.notices.append)
    transport = httpx.ASGITransport(app=with_peer(app), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://control") as client:
        answer = await client.post("/v1/revocations", headers=bearer("security"), json={"kind": "device", "id": "d"})
    assert (answer.status_code, answer.json()["reason"]) == (500, "internal_error")
    assert "hunter2" not in answer.text


def with_peer(app: Any) -> Any:
    from gateway.control import Peer
    from gateway.control.connection import with_peer as connected

    return connected(app, Peer())


async def test_without_a_connection_that_says_who_is_there_nobody_is_let_in() -> None:
    behind = Behind()
    transport = httpx.ASGITransport(app=behind.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://control") as client:
        assert (await client.get("/health", headers=bearer("admin"))).status_code == 401


async def test_only_http_is_spoken() -> None:
    with pytest.raises(ValueError, match="websocket"):
        await Behind().app()({"type": "websocket"}, None, None)
