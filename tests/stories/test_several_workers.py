"""What one worker knows, all know; who dies is replaced; what was recorded stays."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.running import Answer, Gateway, running

OPEN = "/market/enterprises"


@pytest.fixture
def gateway(tmp_path: object) -> Iterator[Gateway]:
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    with running(tmp_path, workers=2) as started:
        yield started


def asked_together(gateway: Gateway, path: str, token: str, count: int) -> list[Answer]:
    """Many connections at once, so that every worker takes some."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda _: gateway.get(path, token), range(count)))


def test_an_acknowledged_revocation_holds_in_every_worker(gateway: Gateway) -> None:
    token = gateway.issuer.token("zhang.wei", sid="s-1")
    assert {answer.status for answer in asked_together(gateway, OPEN, token, 40)} == {200}
    said = gateway.door("POST", "/v1/revocations", {"kind": "session", "id": "s-1"})
    assert (said.status, said.json["workers"]) == (200, 2)
    assert {answer.status for answer in asked_together(gateway, OPEN, token, 40)} == {401}


def test_no_process_may_leave_its_memory_on_the_disk(gateway: Gateway) -> None:
    assert gateway.process is not None
    for pid in (gateway.process.pid, *gateway.workers()):
        limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
        assert next(line.split()[-3:-1] for line in limits if line.startswith("Max core file size")) == ["0", "0"]


def test_a_killed_worker_is_replaced_within_a_second_and_the_record_holds(gateway: Gateway) -> None:
    token = gateway.issuer.token()
    victim = gateway.workers()[0]
    asked_together(gateway, OPEN, token, 20)
    os.kill(victim, signal.SIGKILL)
    began = time.monotonic()
    while len(gateway.workers()) < 2 or victim in gateway.workers():
        assert time.monotonic() - began < 5
    assert {answer.status for answer in asked_together(gateway, OPEN, token, 20)} == {200}
    permits = {
        f"{entry['journal']}.{entry['seq']}"
        for entry in gateway.entries()
        if entry["kind"] == "verdict" and entry["outcome"] == "permit"
    }
    assert {headers["x-gateway-decision"] for _, _, headers, _ in gateway.witness.requests} <= permits
    gateway.stop()
    gateway.verify()


def test_workers_decide_and_record_while_control_is_dead(gateway: Gateway) -> None:
    token = gateway.issuer.token()
    control = [pid for pid in children(gateway) if pid not in gateway.workers()]
    assert len(control) == 1
    os.kill(control[0], signal.SIGKILL)
    assert gateway.get(OPEN, token).status == 200
    assert gateway.get("/health/visits/v-1", token).status == 403
    while True:
        try:
            assert gateway.door("GET", "/health").status == 200
            break
        except OSError:
            continue
    gateway.stop()
    gateway.verify()


def children(gateway: Gateway) -> list[int]:
    assert gateway.process is not None
    pid = gateway.process.pid
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def test_a_reload_under_load_gives_no_wrong_answer(gateway: Gateway) -> None:
    token = gateway.issuer.token()
    rule = gateway.folder / "policies" / "rules" / "99-stop.yaml"
    wrong: list[int] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            status = gateway.get(OPEN, token).status
            if status not in (200, 403):
                wrong.append(status)

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    for path in (gateway.folder / "policies" / "tests").glob("*.yaml"):
        path.unlink()
    rule.write_text(
        "rules:\n  - id: stop\n    title: {zh: 停止, en: stop}\n    effect: deny\n    who: '*'\n    org: '*'\n"
        "    data: '*'\n    action: '*'\n    level: any\n"
    )
    said = gateway.door("POST", "/v1/reload")
    assert said.status == 200, said.body
    after = asked_together(gateway, OPEN, token, 40)
    done.set()
    for thread in asking:
        thread.join()
    assert {answer.status for answer in after} == {403}
    assert wrong == []


def test_a_bad_policy_file_changes_nothing_and_is_named(gateway: Gateway) -> None:
    before = gateway.door("GET", "/v1/policy").json["active"]
    (gateway.folder / "policies" / "rules" / "99-bad.yaml").write_text("rules:\n  - id: x\n    effect: Deny\n")
    said = gateway.door("POST", "/v1/reload")
    assert said.status == 422
    assert any(fault["file"].endswith("99-bad.yaml") and fault["line"] == 3 for fault in said.json["errors"])
    assert gateway.door("GET", "/v1/policy").json["active"] == before
    assert gateway.get(OPEN, gateway.issuer.token()).status == 200


def test_stopping_finishes_what_is_in_flight(gateway: Gateway) -> None:
    token = gateway.issuer.token()
    answers = asked_together(gateway, OPEN, token, 10)
    assert gateway.stop() == 0
    assert {answer.status for answer in answers} == {200}
    gateway.verify()
