"""What a worker learns of its answers, seen from outside."""

import asyncio
import json
import random
import threading
from pathlib import Path

import orjson
import pytest

from gateway.app import discovering
from gateway.app.discovering import Discovering
from gateway.discovery import kept, read
from gateway.discovery.learner import Learner
from tests.detect.made import mobile, resident_id
from tests.discovery.answers import asset
from tests.running import RECORD, VISIT, running


def told(state: Path) -> list[tuple[str, str]]:
    return [(one.path, one.identifier) for one in read(state)]


def test_an_identifier_that_nobody_labelled_is_found_and_no_value_is_kept(tmp_path: Path) -> None:
    source = random.Random(6)
    planted = [resident_id(source) for _ in range(6)] + [mobile(source) for _ in range(6)]
    with running(tmp_path, extra="discovery: {sample: 1}\n") as gateway:
        token = gateway.issuer.token()
        gateway.report_health("laptop-7")
        for number in range(6):
            item = {
                "name": "杭州云静茶叶有限公司",
                "agent": {"card": planted[number], "reached_at": planted[number + 6]},
            }
            gateway.witness.answer("/market/enterprises", {"items": [item], "total": 1})  # type: ignore[attr-defined]
            assert gateway.get("/market/enterprises", token).status == 200
            assert gateway.get("/civil/households/h-1", token, x_purpose="counter-service").status == 200
        assert gateway.stop() == 0
        assert told(gateway.state) == [
            ("$.items[*].agent.card", "resident-id"),
            ("$.items[*].agent.reached_at", "phone"),
        ]
        proposed = json.loads(gateway.run("asset", "propose", "-c", str(gateway.config), "-o", "json", code=1))
        assert {("enterprise", path, identifier) for path, identifier in told(gateway.state)} <= {
            (one["asset"], one["path"], one["identifier"]) for one in proposed["proposals"]
        }
        known = [*planted, RECORD["id_number"], RECORD["phone"], RECORD["name"], RECORD["address"], VISIT["diagnosis"]]
        files = {path: path.read_bytes() for path in gateway.state.rglob("*") if path.is_file()}
        assert any(path.parent.name == "discovery" for path in files)
        assert [(path, value) for path, data in files.items() for value in known if str(value).encode() in data] == []


def test_turned_off_nothing_is_learnt(tmp_path: Path) -> None:
    with running(tmp_path, extra="discovery: {sample: 0}\n") as gateway:
        for _ in range(4):
            assert gateway.get("/market/enterprises", gateway.issuer.token()).status == 200
        gateway.stop()
        assert not (gateway.state / "discovery").exists()


def passing(discovery: Discovering, count: int = 5) -> None:
    source = random.Random(3)
    for _ in range(count):
        discovery.observe(asset(), orjson.dumps({"idCard": resident_id(source)}))


@pytest.mark.anyio
async def test_it_learns_beside_the_loop_and_writes_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovering, "LEARN_SECONDS", 0.001)
    monkeypatch.setattr(discovering, "WRITE_SECONDS", 0.002)
    threads = set()
    learn = Learner.learn
    monkeypatch.setattr(
        Learner, "learn", lambda self, day: (threads.add(threading.current_thread()), learn(self, day))[1]
    )
    discovery = Discovering(tmp_path, 0, 1, lambda notice: None)
    passing(discovery)
    running = asyncio.create_task(discovery.run())
    async with asyncio.timeout(30):
        while told(tmp_path) != [("$.idCard", "resident-id")]:
            await asyncio.sleep(0.001)
    running.cancel()
    assert threading.main_thread() not in threads


def test_the_worker_of_the_same_slot_goes_on(tmp_path: Path) -> None:
    for _ in range(2):
        discovery = Discovering(tmp_path, 0, 1, lambda notice: None)
        passing(discovery)
        discovery.close()
    assert [route.answers for route in kept(tmp_path, 0).routes] == [10]


def test_counters_that_cannot_be_read_are_told_and_fill_again(tmp_path: Path) -> None:
    (tmp_path / "discovery").mkdir()
    (tmp_path / "discovery" / "w0.json").write_text("{")
    notices = []
    discovery = Discovering(tmp_path, 0, 1, notices.append)
    assert [(one.name, one.subject, one.detail.split()[0]) for one in notices] == [
        ("discovery.failed", "w0", "Unreadable")
    ]
    passing(discovery)
    discovery.close()
    assert told(tmp_path) == [("$.idCard", "resident-id")]


def test_a_value_that_a_detector_stumbles_over_closes_no_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(self: Learner, day: str) -> None:
        raise AssertionError("330106199003072319")

    monkeypatch.setattr(Learner, "learn", stumble)
    notices = []
    discovery = Discovering(tmp_path, 0, 1, notices.append)
    discovery.close()
    assert len(notices) == 1
    assert "330106" not in notices[0].detail


def test_a_folder_that_cannot_be_written_is_told_once_until_it_can(tmp_path: Path) -> None:
    state = tmp_path / "state"
    notices = []
    discovery = Discovering(state, 0, 1, notices.append)
    discovery.close()
    discovery.close()
    assert len(notices) == 1
    state.mkdir()
    discovery.close()
    state.rename(tmp_path / "gone")
    discovery.close()
    assert [one.name for one in notices] == ["discovery.failed"] * 2


def test_after_a_long_answer_it_rests() -> None:
    assert discovering.rest_after(0.002) == 1.0
    assert discovering.rest_after(0.5) == 50.0  # half a second of learning is followed by fifty without
