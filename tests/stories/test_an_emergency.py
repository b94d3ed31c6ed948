"""Two operators switch an emergency level on; it holds in every worker, survives a restart, and ends by itself."""

import hashlib
import http.client
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.running import Answer, Gateway, free_port, running, until
from tests.stories.test_releases_of_policies import acts, children, notices

OPEN = "/market/enterprises"
LEVEL_II = """level: II
title: {en: nothing goes out, zh: 停止对外}
rules:
  - {id: ii-stop, title: {en: stop, zh: 停止}, effect: deny, who: "*", org: "*", data: "*", action: "*", level: any}
"""
OPERATORS = {"op-li": "token-of-li", "op-wang": "token-of-wang"}


class Town:
    """A gateway with two operators at the TCP door, and a level that stops everything."""

    def __init__(self, gateway: Gateway, port: int) -> None:
        self.gateway = gateway
        self.port = port

    def door(self, who: str, method: str, path: str, body: Any = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"authorization": f"Bearer {OPERATORS[who]}", "content-type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def ask(self, who: str, seconds: float, level: str = "II") -> int:
        wish = {"level": level, "reason": "flood", "until": time.time() + seconds if level else None}
        said = self.door(who, "POST", "/v1/emergency", wish)
        assert said.status == 202, said.body
        return int(said.json["id"])

    def confirm(self, who: str, number: int, level: str = "II") -> Answer:
        return self.door(who, "POST", f"/v1/emergency/{number}/confirm?level={level}")

    def statuses(self, count: int = 12) -> set[int]:
        token = self.gateway.issuer.token()
        return {self.gateway.get(OPEN, token).status for _ in range(count)}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    port = free_port()
    tokens = [
        {"name": name, "role": "security", "sha256": hashlib.sha256(token.encode()).hexdigest()}
        for name, token in OPERATORS.items()
    ]
    with running(tmp_path, 2, f"control: {{listen: '127.0.0.1:{port}', tokens: {json.dumps(tokens)}}}\n") as gateway:
        made = Town(gateway, port)
        before = gateway.door("GET", "/v1/policy").json["active"]
        (tmp_path / "policies" / "emergency" / "II.yaml").write_text(LEVEL_II)
        tests = tmp_path / "policies" / "tests"
        for path in tests.glob("*.yaml"):
            if "emergency:" in path.read_text():
                path.unlink()  # they speak of the shipped level II
        assert gateway.door("POST", "/v1/reload").json["bundle"] != before
        yield made


def verdicts(town: Town) -> list[dict[str, Any]]:
    """What is on record, once refusals are too: they are written in batches."""

    def enough() -> list[dict[str, Any]]:
        found = [one for one in town.gateway.entries() if one["kind"] == "verdict"]
        return found if sum(one["outcome"] == "deny" for one in found) >= 12 else []

    return until(enough)


def test_two_operators_and_the_end_comes_by_itself(town: Town) -> None:
    base = town.gateway.door("GET", "/v1/policy").json["active"]
    number = town.ask("op-li", 6.0)
    assert town.statuses() == {200}
    alone = town.confirm("op-li", number)
    assert (alone.status, alone.reason) == (403, "second_operator")
    assert town.statuses() == {200}

    said = town.confirm("op-wang", number)
    assert (said.status, said.json["workers"], said.json["bundle"]) == (200, 2, f"{base}+II")
    over = said.json["until"]
    assert town.statuses() == {403}
    assert b"gateway_emergency_level 2.0" in town.gateway.door("GET", "/metrics").body
    assert {"permit", "deny"} == {one["outcome"] for one in verdicts(town)}
    assert all(one["bundle"].endswith("+II") == (one["outcome"] == "deny") for one in verdicts(town))
    assert town.gateway.door("GET", "/v1/emergency").json["level"] == "II"

    while time.time() < over:
        assert town.statuses(1) == {403} or time.time() >= over
    while town.statuses(2) != {200}:
        assert time.time() < over + 1.0  # within a second
    until(lambda: town.gateway.door("GET", "/v1/policy").json["active"] == base)
    assert acts(town.gateway, "emergency.") == [
        "emergency.ask", "emergency.confirm", "emergency.confirm", "emergency.end",
    ]  # fmt: skip
    assert (notices(town.gateway, "emergency.on"), notices(town.gateway, "emergency.off")) == (["II"], ["II"])


def test_a_restart_keeps_the_level_and_ending_it_early_needs_two(town: Town) -> None:
    assert town.confirm("op-wang", town.ask("op-li", 600.0)).status == 200
    town.gateway.stop()
    town.gateway.start()
    assert town.statuses() == {403}
    number = town.ask("op-wang", 0.0, "")
    assert town.confirm("op-wang", number, "").status == 403
    assert town.confirm("op-li", number).status == 409  # not what was asked for under this number
    assert town.statuses() == {403}
    assert town.confirm("op-li", number, "").json["level"] == ""
    assert town.statuses() == {200}
    assert "emergency.end_asked" in acts(town.gateway, "emergency.")


def test_workers_return_while_control_is_away(town: Town) -> None:
    assert town.confirm("op-wang", town.ask("op-li", 5.0)).status == 200
    over = time.time() + 5.0
    assert town.statuses() == {403}
    assert town.gateway.process is not None
    control = (set(children(town.gateway.process.pid)) - set(town.gateway.workers())).pop()
    os.kill(control, signal.SIGSTOP)  # it does not die, so nobody replaces it: it only does nothing any more
    try:
        while town.statuses(4) != {200}:
            assert time.time() < over + 1.0
    finally:
        os.kill(control, signal.SIGCONT)
    until(lambda: notices(town.gateway, "emergency.off"))


def test_a_reload_during_the_level_keeps_it(town: Town) -> None:
    assert town.confirm("op-wang", town.ask("op-li", 600.0)).status == 200
    devices = town.gateway.folder / "policies" / "devices.yaml"
    devices.write_text(devices.read_text() + "  - {id: laptop-99, org: prov, managed: true}\n")
    said = town.gateway.door("POST", "/v1/reload").json
    assert (said["bundle"][64:], said["bundle"] != said["previous"]) == ("+II", True)
    assert town.statuses() == {403}
