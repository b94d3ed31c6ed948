"""A door with nothing behind it, served on real sockets, that remembers what was asked."""

import asyncio
import contextlib
import hashlib
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn
from msgspec import Struct

from gateway.control import (
    Act,
    Confirmed,
    Credential,
    Door,
    DoorFault,
    EmergencyAsked,
    EmergencyDoor,
    EmergencyWish,
    Lifted,
    PilotDoor,
    Piloted,
    PilotWish,
    PostureFault,
    Recorder,
    Rejected,
    Reloaded,
    Revocation,
    Revoked,
    Settings,
    control_app,
    server_config,
    unix_socket,
)
from gateway.document import FileFault
from gateway.facts import Notice
from gateway.stores import Emergency

NOW = 1_790_000_000.0
TOKENS = {role: f"token-of-{role}" for role in ("system", "security", "audit", "reporter", "metrics", "admin")}
SETTINGS = Settings(
    tokens=tuple(
        Credential(f"{role}-bot", role, hashlib.sha256(token.encode()).hexdigest())  # type: ignore[arg-type]  # a role
        for role, token in TOKENS.items()
    ),
    uid=4_000_000,  # nobody runs the tests as this user
)


RISK: dict[str, object] = {
    "score": 80.0,
    "band": "quarantine",
    "edges": {"step_up": 40.0, "limit": 60.0, "quarantine": 80.0},
    "contributions": [
        {"signal": "enumeration", "title": {"en": "many records", "zh": "大量记录"}, "points": 80.0, "since": NOW,
         "half_life": 7200.0, "evidence": "55 different records in 5 minutes", "evidence_zh": "5 分钟内 55 条不同记录"},
    ],
}  # fmt: skip


PILOT: dict[str, object] = {
    "pilot": 3, "candidate": "c" * 64, "beside": "a" * 64, "bundle": "d" * 64, "by": "wang", "at": NOW - 3600,
    "until": NOW + 82800, "percent": 12.5, "orgs": ["prov/civil"],
    "limits": {"deny": 0.02, "errors": 0.001, "p99": 0.05, "gain": 0.02}, "counted_since": NOW - 3600, "counted_until": NOW - 1,
    "judged": {"permit": 900, "deny": 100},
    "differences": [
        {"kind": "would_deny", "api": "households", "rules": ["rules/99.yaml:2"], "count": 7, "decided": 2,
         "decisions": ["j.1", "j.9"]},
    ],
    "orgs_differ": [{"org": "prov/civil", "loses": 7, "gains": 0}],
    "window": {
        "candidate": {"decisions": 250, "denied": 2, "gained": 0, "errors": 0, "answers": 230, "slow": 1},
        "active": {"decisions": 750, "denied": 0, "gained": 0, "errors": 1, "answers": 700, "slow": 3},
    },
}  # fmt: skip


ASKED = {
    3: Emergency(3, "II", "flood", "op.li", NOW, NOW + 60),
    4: Emergency(4, "", "the water fell", "op.li", NOW, NOW + 60),
    5: Emergency(5, "II", "flood", "admin-bot", NOW, NOW + 60),
}


class Behind:
    """What the door does: the plain answer, and a list of what was asked."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.notices: list[Notice] = []
        self.asked: list[Any] = []
        self.recording = True
        self.level = ""
        self.decided: dict[str, object] = {"id": "j.1"}
        self.past: list[Any] = []
        self.standing: dict[str, object] = {"level": "", "until": None, "waiting": [], "history": []}
        self.revoked: list[dict[str, object]] = []
        self.piloting: Any = {"pilot": PILOT, "past": []}
        self.reloading: Reloaded | Rejected = Reloaded("b" * 64, "a" * 64)
        self.rows: list[dict[str, object]] = [{"subject": "zhang.wei"}]
        self.looks: dict[str, Any] = {"looks": [], "larger": 0, "cut": False}

    async def revoke(self, wish: Revocation, by: str) -> Revoked:
        self.asked.append(("revoke", wish, by))
        return Revoked(7, 2, wish.id != "nobody")

    async def lift(self, number: int, by: str) -> Lifted | None:
        self.asked.append(("lift", number, by))
        return {7: Lifted("subject", "zhang.wei"), 8: Lifted("session", "s-1", (9,))}.get(number)

    async def revocations(self) -> object:
        return self.revoked

    async def posture(self, jws: str) -> PostureFault | None:
        self.asked.append(("posture", jws))
        return None if jws == "a.b.c" else PostureFault("invalid_key", "nobody knows this key")

    async def reload(self, by: str) -> Reloaded | Rejected:
        self.asked.append(("reload", by))
        return self.reloading

    async def policy(self) -> object:
        return {"bundle": "b" * 64}

    async def history(self) -> object:
        return {"active": "b" * 64, "pinned": True, "history": self.past}

    async def rollback(self, to: str, by: str) -> Reloaded | Rejected:
        self.asked.append(("rollback", to, by))
        return self.reloading

    async def emergency(self) -> object:
        return self.standing

    async def ask_emergency(self, wish: EmergencyWish, by: str) -> EmergencyAsked:
        self.asked.append(("ask", wish, by))
        return EmergencyAsked(3, wish.level, NOW + 600)

    async def asked_emergency(self, id: int) -> Emergency | None:
        return ASKED.get(id)

    async def confirm_emergency(self, id: int, by: str, on_record: Recorder) -> Confirmed | Rejected:
        if self.level:
            await on_record()
        self.asked.append(("confirm", id, by))
        if by == ASKED[id].by:
            raise DoorFault("second_operator", f"{by} asked for it")
        level = "II" if id == 3 else ""
        return Confirmed(id, level, NOW + 60 if level else None, 2, "b" * 64 + "+II" if level else "b" * 64)

    async def decision(self, id: str) -> object | None:
        return self.decided if id == "j.1" else None

    async def query(self, text: str, limit: int) -> object:
        self.asked.append(("query", text, limit))
        if text == "nonsense:1":
            raise DoorFault("bad_request", "unknown field `nonsense`", zh="没有字段 `nonsense`")
        return self.rows

    async def seen(self, value: str, since: float) -> "SeenBy":
        self.asked.append(("seen", value, since))
        return SeenBy("d1" * 8, self.looks)

    async def risk(self, subject: str) -> object | None:
        return RISK | {"subject": subject} if subject == "staff/zhang.wei" else None

    async def submit(self, wish: PilotWish, by: str) -> Piloted | Rejected:
        self.asked.append(("pilot", wish, by))
        if wish.pilot == 404:
            raise DoorFault("not_found", "no pilot is running", zh="没有正在进行的试点")
        if isinstance(self.piloting, Rejected):
            return self.piloting
        return Piloted("c" * 64, self.piloting["pilot"])

    async def promote(self, by: str, number: int | None) -> Reloaded | Rejected:
        self.asked.append(("promote", by, number))
        return self.reloading

    async def stop(self, by: str) -> object:
        self.asked.append(("stop", by))
        return {"pilot": 3, "candidate": "c" * 64, "why": "stopped"}

    async def pilot(self) -> object:
        return self.piloting

    async def act(self, act: Act) -> bool:
        self.acts.append(act)
        return self.recording

    def door(self) -> Door:
        return Door(
            revoke=self.revoke,
            lift=self.lift,
            list_revocations=self.revocations,
            accept_posture=self.posture,
            reload=self.reload,
            active_policy=self.policy,
            policy_history=self.history,
            rollback=self.rollback,
            emergencies=EmergencyDoor(self.emergency, self.ask_emergency, self.asked_emergency, self.confirm_emergency),
            decision=self.decision,
            query=self.query,
            seen=self.seen,
            risk=self.risk,
            render_metrics=lambda accept: (f"# {accept}\n".encode(), "text/plain; version=0.0.4"),
            health=lambda: {"status": "ok", "workers": [1]},
            ready=lambda: self.recording,
            act=self.act,
            pilots=PilotDoor(self.submit, self.promote, self.stop, self.pilot),
        )

    def app(self, settings: Settings = SETTINGS) -> Any:
        return control_app(self.door(), settings, lambda: NOW, self.notices.append)


class SeenBy(Struct, frozen=True):
    """What the record knows of somebody."""

    digest: str
    found: object


A_FAULT = FileFault("rules/10.yaml", 3, 5, "P001", "unknown key `wen`", "未知的键 `wen`")


@contextlib.asynccontextmanager
async def serving(app: Any, listener: socket.socket, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
    """Serve until the block ends."""
    server = uvicorn.Server(server_config(app, tls))
    running = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        while not server.started:
            await asyncio.sleep(0.005)
        yield
    finally:
        server.should_exit = True
        await running


@contextlib.asynccontextmanager
async def on_unix(
    behind: Behind, path: Path, settings: Settings = SETTINGS, shared: bool = False
) -> AsyncIterator[Path]:
    async with serving(behind.app(settings), unix_socket(path, shared)):
        yield path


@contextlib.asynccontextmanager
async def on_tcp(
    behind: Behind, settings: Settings = SETTINGS, tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    async with serving(behind.app(settings), listener, tls):
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"


def bearer(role: str) -> dict[str, str]:
    return {"authorization": f"Bearer {TOKENS[role]}"}
