"""Policies come into force, go back, and stay where somebody put them: a whole gateway, judged from outside."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Gateway, Issuer, Witness, running, until
from tests.test_layout import ROOT

OPEN = "/market/enterprises"
STOP = """rules:
  - {id: stop, title: {zh: 停止, en: stop}, effect: deny, who: "*", org: "*", data: "*", action: "*", level: any}
"""


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with running(tmp_path, workers=2) as started:
        yield started


def stop_everything(gateway: Gateway) -> None:
    (gateway.folder / "policies" / "rules" / "99-stop.yaml").write_text(STOP)
    shutil.rmtree(gateway.folder / "policies" / "tests", ignore_errors=True)


def statuses(gateway: Gateway, count: int = 12) -> set[int]:
    """What many requests get, so that every worker answers some."""
    token = gateway.issuer.token()
    return {gateway.get(OPEN, token).status for _ in range(count)}


def followed(gateway: Gateway, before: str) -> str:
    """The revision that the folder brought, once it is in force."""
    until(lambda: gateway.door("GET", "/v1/policy").json["active"] != before)
    return str(gateway.door("GET", "/v1/policy").json["active"])


def acts(gateway: Gateway, prefix: str) -> list[str]:
    return [one["act"] for one in gateway.entries() if one["kind"] == "act" and one["act"].startswith(prefix)]


def notices(gateway: Gateway, name: str) -> list[str]:
    return [one.get("subject", "") for one in gateway.entries() if one.get("name") == name]


def test_a_bad_change_is_rolled_back_and_stays_away_until_somebody_asks(gateway: Gateway) -> None:
    good = gateway.door("GET", "/v1/policy").json["active"]
    assert statuses(gateway) == {200}
    stop_everything(gateway)
    bad = followed(gateway, good)
    assert statuses(gateway) == {403}

    said = gateway.run("policy", "rollback", "-c", str(gateway.config))
    assert said.startswith(f"in force in every worker: {good[:12]} (before {bad[:12]})")
    assert statuses(gateway) == {200}
    assert acts(gateway, "policy.rollback") == ["policy.rollback_asked", "policy.rollback"]

    people = gateway.folder / "policies" / "people.yaml"
    people.write_text(people.read_text() + "# another change\n")
    devices = gateway.folder / "policies" / "devices.yaml"
    devices.write_text(devices.read_text() + "  - {id: laptop-99, org: prov, managed: true}\n")
    until(lambda: notices(gateway, "policy.pinned"))
    assert gateway.process is not None
    gateway.process.send_signal(signal.SIGHUP)
    assert statuses(gateway) == {200}
    assert gateway.door("GET", "/v1/policy").json["active"] == good

    gateway.stop()
    gateway.start()  # a restart does not bring back what was rolled back
    assert statuses(gateway) == {200}
    history = gateway.door("GET", "/v1/policy/history").json
    assert (history["active"], history["pinned"]) == (good, True)
    assert [row["digest"] for row in history["history"]][:2] == [good, good]
    assert "pinned" in gateway.run("policy", "history", "-c", str(gateway.config))

    gateway.run("reload", "-c", str(gateway.config))  # asked for: the folder counts again
    assert statuses(gateway) == {403}
    assert gateway.door("GET", "/v1/policy/history").json["pinned"] is False


def test_a_killed_control_process_comes_back_knowing_what_is_active(gateway: Gateway) -> None:
    good = gateway.door("GET", "/v1/policy").json["active"]
    stop_everything(gateway)
    bad = followed(gateway, good)
    assert gateway.process is not None
    control = set(children(gateway.process.pid)) - set(gateway.workers())
    for pid in control:
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 15
    while True:
        try:
            assert gateway.door("GET", "/v1/policy").json["active"] == bad
            break
        except OSError:
            assert time.monotonic() < deadline
    assert gateway.door("POST", "/v1/policy/rollback", {"to": ""}).json == {"bundle": good, "previous": bad}
    assert statuses(gateway) == {200}


def children(pid: int) -> list[int]:
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                if int((place / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(place.name))
            except OSError:
                continue
    return found


def test_only_what_was_signed_comes_into_force(tmp_path: Path) -> None:
    witness, issuer = Witness(), Issuer()
    gateway = Gateway(tmp_path, witness, issuer)
    key, policies = str(tmp_path / "sec.li.pem"), str(tmp_path / "policies")
    verifier = gateway.run("policy", "sign", "--new-key", key).splitlines()[1]
    gateway.config.write_text(gateway.config.read_text() + f"policy_signers: ['{verifier}']\n")
    try:
        refused = subprocess.run(
            [sys.executable, "-m", "gateway", "serve", "-c", str(gateway.config)],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert (refused.returncode, "bundle.sig:1:1: error P160" in refused.stderr) == (1, True), refused.stderr
        gateway.run("policy", "sign", policies, "--key", key)
        gateway.start()
        good = gateway.door("GET", "/v1/policy").json["active"]

        stop_everything(gateway)  # whoever can write the folder but has no key
        said = gateway.door("POST", "/v1/reload")
        assert (said.status, {fault["code"] for fault in said.json["errors"]}) == (422, {"P161"})
        assert gateway.door("GET", "/v1/policy").json["active"] == good
        assert statuses(gateway) == {200}
        gateway.stop()
        again = subprocess.run(
            [sys.executable, "-m", "gateway", "serve", "-c", str(gateway.config)],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert (again.returncode, "P161" in again.stderr) == (1, True)
        gateway.run("policy", "sign", policies, "--key", key)
        gateway.start()
        assert statuses(gateway) == {403}
    finally:
        if gateway.process is not None:
            gateway.stop()
        witness.close()
        issuer.close()
