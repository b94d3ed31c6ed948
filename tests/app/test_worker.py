"""What a worker does beside requests, seen from outside."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from gateway.app.revisions import name_candidate
from gateway.app.worker import first_difference
from gateway.facts import Facts, Permit, Reason
from gateway.policy import Policy
from tests.app.test_revisions import APIS, NOW
from tests.literals import a_posture, a_subject, an_ask, some_facts
from tests.running import running, until
from tests.test_layout import ROOT


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_workers_and_control_leave_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    with running(tmp_path, workers=2) as gateway:
        assert gateway.process is not None
        pid = gateway.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        assert gateway.get("/market/enterprises", gateway.issuer.token()).status == 200
        gateway.process.send_signal(signal.SIGKILL)
        gateway.process.wait()
        gateway.process = None
        until(lambda: all(gone(int(child)) for child in children))
        gateway.verify()  # control sealed what was recorded before it left
        gateway.start()  # the port and the state directory are free again
        assert gateway.get("/market/enterprises", gateway.issuer.token()).status == 200


def test_a_restart_remembers_how_somebody_behaved(tmp_path: Path) -> None:
    with running(tmp_path) as gateway:
        token = gateway.issuer.token("li.lei")
        for number in range(8):
            gateway.get(f"/health/visits/v-{number}", token)
        gateway.stop()
        gateway.start()
        gateway.get("/market/enterprises", token)
        judged = until(
            lambda: [entry for entry in gateway.entries() if entry.get("route") == "GET /market/enterprises"]
        )
        assert judged[-1]["risk"]["score"] > 0
        assert "denied_burst" in {signal["name"] for signal in judged[-1]["risk"]["signals"]}


def test_what_one_worker_saw_the_other_learns(tmp_path: Path) -> None:
    with running(tmp_path, workers=2) as gateway:
        token = gateway.issuer.token("li.lei")
        for number in range(10):
            gateway.get(f"/health/visits/v-{number}", token)
        deadline = time.monotonic() + 10
        seen: dict[str, float] = {}
        while len(seen) < 2 or min(seen.values()) == 0:
            assert time.monotonic() < deadline, seen
            gateway.get("/market/enterprises", token)
            for entry in gateway.entries():
                if entry.get("route") == "GET /market/enterprises":
                    seen[entry["journal"].split("-")[1]] = entry["risk"].get("score") or 0.0


@pytest.fixture
def policy() -> Policy:
    from gateway.app.revisions import compile_folder

    policy = Policy(compile_folder(ROOT / "policies", APIS, NOW).bundle)
    policy.sample(1)
    return policy


def clerk_reads(policy: Policy) -> Facts:
    from gateway.app.revisions import compile_folder

    catalog = compile_folder(ROOT / "policies", APIS, NOW).catalog
    ask = an_ask(api="households", path="/civil/households/h-1")
    return some_facts(ask=ask, subject=a_subject(), posture=a_posture(), asset=catalog.locate(ask))


def test_decisions_that_casbin_shares_are_left_alone(policy: Policy) -> None:
    assert isinstance(policy.decide(clerk_reads(policy)), Permit)
    assert first_difference(policy) == ""


def test_a_decision_that_casbin_does_not_share_is_told(policy: Policy) -> None:
    facts = clerk_reads(policy)
    decision = policy.decide(facts)
    assert isinstance(decision, Permit)
    policy.samples()
    forged = Permit((Reason("rule_allowed", "rules/00-province.yaml:1"),), decision.bundle, decision.mask)
    policy._samples.append((facts, forged))
    assert first_difference(policy) != ""


def test_the_process_id_is_in_the_log(tmp_path: Path) -> None:
    with running(tmp_path) as gateway:
        assert all(pid != os.getpid() for pid in gateway.workers())
        (pid,) = gateway.workers()
        gateway.stop()
        assert f"pid {pid}" in gateway.log.read_text()


TIRED = """
import sys
from pathlib import Path
from gateway.__main__ import main
from gateway.audit import Tail

flag, poll = Path(sys.argv.pop(1)), Tail.poll

def tired(tail):
    if flag.exists():
        flag.unlink()
        raise RuntimeError("nobody looks after this worker any more")
    return poll(tail)

Tail.poll = tired
main()
"""


def test_a_worker_whose_duties_break_off_leaves_and_is_replaced(tmp_path: Path) -> None:
    flag = tmp_path / "tired"
    with running(tmp_path, launch=(sys.executable, "-c", TIRED, str(flag))) as gateway:
        (before,) = gateway.workers()
        flag.touch()
        until(lambda: gateway.workers() not in ([before], []))
        assert gateway.get("/market/enterprises", gateway.issuer.token()).status == 200
        log = gateway.log.read_text()
        assert "nobody looks after this worker any more" in log
        assert "worker 1 ended with status 1; replaced" in log
        gateway.verify()


def test_a_worker_that_finds_no_descriptor_for_a_while_stays(tmp_path: Path) -> None:
    flag = tmp_path / "tired"
    script = TIRED.replace("flag.unlink()", "").replace("RuntimeError(", "OSError(24, ")
    with running(tmp_path, launch=(sys.executable, "-c", script, str(flag))) as gateway:
        before = gateway.workers()
        flag.touch()
        until(lambda: any(entry.get("name") == "gateway.fault" for entry in gateway.entries()))
        flag.unlink()
        assert gateway.get("/market/enterprises", gateway.issuer.token()).status == 200
        assert gateway.workers() == before


def test_a_candidate_that_cannot_be_read_is_told_of_once(tmp_path: Path) -> None:
    with running(tmp_path) as gateway:
        name_candidate(gateway.state, "f" * 64)
        deadline = time.monotonic() + 10
        told = []
        while not told or time.monotonic() < deadline - 9:
            assert time.monotonic() < deadline
            told = [entry for entry in gateway.entries() if entry.get("name") == "policy.unprepared"]
        for _ in range(20):  # a second and more: ten tries each second
            assert gateway.get("/market/enterprises", gateway.issuer.token()).status == 200
            told = [entry for entry in gateway.entries() if entry.get("name") == "policy.unprepared"]
        assert [entry["subject"] for entry in told] == ["f" * 12]
