"""What the control process makes of entries, and what it says by itself."""

import asyncio
import signal
import sqlite3
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.app.control import Clerk
from gateway.audit import Ledger, Settings
from gateway.facts import Notice
from tests.audit.test_index import damage
from tests.cli.shell import ran
from tests.running import Gateway, running, until

OPEN = "/market/enterprises"


def test_a_signal_reloads_and_a_bad_folder_is_told_while_the_last_good_stays(tmp_path: Path) -> None:
    with running(tmp_path) as gateway:
        before = gateway.door("GET", "/v1/policy").json["active"]
        (gateway.folder / "policies" / "rules" / "99-bad.yaml").write_text("rules:\n  - id: x\n    effect: Deny\n")
        assert gateway.process is not None
        gateway.process.send_signal(signal.SIGHUP)
        until(lambda: any(e.get("act") == "policy.rejected" for e in gateway.entries()))
        rejected = next(entry for entry in gateway.entries() if entry.get("act") == "policy.rejected")
        assert "99-bad.yaml:2" in rejected["detail"]
        assert gateway.door("GET", "/v1/policy").json["active"] == before
        until(lambda: 'gateway_policy_reloads_total{result="rejected"}' in metrics(gateway))
        assert gateway.get(OPEN, gateway.issuer.token()).status == 200


def metrics(gateway: Gateway) -> str:
    return gateway.door("GET", "/metrics").body.decode()


def test_one_scrape_counts_for_all_workers(tmp_path: Path) -> None:
    with running(tmp_path, workers=2) as gateway:
        token = gateway.issuer.token()
        for _ in range(20):
            assert gateway.get(OPEN, token).status == 200
        wanted = 'gateway_requests_total{api="enterprises",code_class="2xx",method="GET",outcome="permit"} 20.0'
        until(lambda: wanted in metrics(gateway))
        assert "gateway_workers 2.0" in metrics(gateway)
        until(lambda: f'gateway_jwks_age_seconds{{issuer="{gateway.issuer.url}"}}' in metrics(gateway))


def test_a_restart_goes_on_where_the_ledger_ends(tmp_path: Path) -> None:
    with running(tmp_path) as gateway:
        token = gateway.issuer.token()
        gateway.get(OPEN, token)
        gateway.stop()
        first = gateway.verify()
        gateway.start()
        gateway.get(OPEN, token)
        gateway.stop()
        assert gateway.verify() != first
        rows = gateway.run("audit", "query", "outcome:permit", "-o", "json", "-c", str(gateway.config))
        assert rows.count("zhang.wei") >= 2


def test_an_index_that_was_lost_is_made_again_from_the_ledger(tmp_path: Path) -> None:
    with running(tmp_path) as gateway:
        gateway.get(OPEN, gateway.issuer.token())
        gateway.stop()
        for path in gateway.state.glob("index.db*"):
            path.unlink()
        gateway.start()
        rows = gateway.run("audit", "query", "outcome:permit", "-o", "json", "-c", str(gateway.config))
        assert "zhang.wei" in rows


def permits(gateway: Gateway) -> int:
    said = gateway.door("POST", "/v1/audit/query", {"query": "kind:verdict outcome:permit | count", "limit": 9})
    return int(said.json["rows"][0]["count"]) if said.status == 200 else 0


def test_an_index_that_is_deleted_while_it_is_in_use_is_made_again(tmp_path: Path) -> None:
    with running(tmp_path) as gateway:
        token = gateway.issuer.token()
        gateway.get(OPEN, token)
        for path in gateway.state.glob("index.db*"):
            path.unlink()
        gateway.get(OPEN, token)
        until(lambda: permits(gateway) == 2)


def test_an_index_that_cannot_be_read_is_made_again_and_told_of(tmp_path: Path) -> None:
    with running(tmp_path) as gateway:
        token = gateway.issuer.token()
        gateway.get(OPEN, token)
        gateway.stop()
        damage(gateway.state / "index.db")
        gateway.start()
        gateway.get(OPEN, token)
        until(lambda: permits(gateway) == 2)
        until(lambda: any(entry.get("detail") == "index.db" for entry in gateway.entries()))
        told = next(entry for entry in gateway.entries() if entry.get("detail") == "index.db")
        assert (told["name"], told["subject"]) == ("gateway.fault", "DatabaseError")


@pytest.mark.parametrize(
    ("question", "path"), [({"value": "330106199003072319"}, "seen"), ({"query": "outcome:permit"}, "query")]
)
def test_nobody_is_no_answer_while_the_index_lacks_what_the_ledger_has(
    tmp_path: Path, question: dict[str, str], path: str
) -> None:
    """Abuse: take the index away; "nobody was shown it" would be said of somebody who was."""
    with running(tmp_path) as gateway:
        for file in gateway.state.glob("index.db*"):
            file.unlink()
        (gateway.state / "index.db").mkdir()  # so that none can be made
        said = gateway.door("POST", f"/v1/audit/{path}", question)
        assert (said.status, said.reason) == (503, "audit_unavailable")
        (gateway.state / "index.db").rmdir()
        until(lambda: gateway.door("POST", f"/v1/audit/{path}", question).status == 200)


def test_a_backup_of_the_state_that_is_restored_while_it_runs_is_followed_by_all(tmp_path: Path) -> None:
    def revoked() -> list[str]:
        try:
            return [row["key"] for row in gateway.door("GET", "/v1/revocations").json["revocations"]]
        except OSError:  # control leaves, and another one comes
            return []

    def revoke(name: str) -> int:
        return gateway.door("POST", "/v1/revocations", {"kind": "subject", "id": name}).status

    with running(tmp_path) as gateway:
        assert revoke("zhang.wei") == 200
        backup = sqlite3.connect(gateway.state / "state.db")
        backup.execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
        backup.close()
        assert revoke("li.na") == 200
        for path in gateway.state.glob("state.db-*"):
            path.unlink()
        (tmp_path / "backup.db").rename(gateway.state / "state.db")
        until(lambda: revoked() == ["zhang.wei"])
        until(lambda: gateway.get(OPEN, gateway.issuer.token("li.na")).status == 200)
        assert gateway.get(OPEN, gateway.issuer.token("zhang.wei")).reason == "subject_revoked"
        assert revoke("wang.fang") == 200
        assert gateway.get(OPEN, gateway.issuer.token("wang.fang")).reason == "subject_revoked"


def test_one_line_for_each_request_joined_from_decision_and_outcome(tmp_path: Path) -> None:
    with running(tmp_path) as gateway:
        decision = gateway.get(OPEN, gateway.issuer.token()).headers["x-gateway-decision"]
        gateway.stop()
        lines = [line for line in gateway.log.read_text().splitlines() if decision in line]
        assert len(lines) == 1
        assert '"http.response.status_code":200' in lines[0]


def test_what_nobody_labelled_raises_the_alarm_where_the_contract_is_to_warn(tmp_path: Path) -> None:
    with running(tmp_path) as gateway:
        gateway.witness.answer(OPEN, {"name": "云静", "strange": 1})
        token = gateway.issuer.token()
        assert [gateway.get(OPEN, token).json["strange"] for _ in range(3)] == [1, 1, 1]
        until(lambda: 'gateway_unlabelled_fields_total{api="enterprises",contract="warn"}' in metrics(gateway))
        gateway.stop()
        (told,) = [entry for entry in gateway.entries() if entry.get("name") == "answer.unlabelled"]
        assert (told["subject"], told["count"]) == (f"GET {OPEN}", 3)
        assert told["detail"] == "contract warn, asset enterprise"


@pytest.mark.anyio
async def test_what_cannot_be_sealed_is_told_once_and_no_question_is_answered_meanwhile(tmp_path: Path) -> None:
    """Abuse: fill the disk of the ledger alone: "nobody saw this citizen" would be told of whom somebody just saw."""
    assert ran("init", tmp_path).code == 0
    state = tmp_path / "state"
    config: Any = SimpleNamespace(audit=Settings(state), keys=state / "keys", state=state, crypto="intl")
    clerk = Clerk(config)
    seal = clerk._sealer.step

    def full() -> Any:
        raise OSError(28, "No space left on device")

    clerk._sealer.step = full  # type: ignore[method-assign]  # the disk's word
    await clerk.step()
    await clerk.step()
    assert (clerk.stuck, clerk.faults) == (True, [("OSError", "ledger")])
    clerk._sealer.step = seal  # type: ignore[method-assign]  # there is room again
    await clerk.step()
    assert not clerk.stuck
    await clerk.close()


@pytest.mark.anyio
async def test_what_was_being_sealed_when_the_stop_came_is_told_too(tmp_path: Path) -> None:
    assert ran("init", tmp_path).code == 0
    state = tmp_path / "state"
    config: Any = SimpleNamespace(audit=Settings(state), keys=state / "keys", state=state, crypto="intl")
    ledger, clerk = Ledger(config.audit, "w1", b"k" * 32), Clerk(config)
    ledger.note(Notice("worker.started", "w1"))
    ledger.close()
    begun, go, seal = threading.Event(), threading.Event(), clerk._sealer.step

    def held() -> Any:
        begun.set()
        go.wait(10)
        return seal()

    clerk._sealer.step = held  # type: ignore[method-assign]  # a moment that is not left to chance
    step = asyncio.create_task(clerk.step())
    assert await asyncio.to_thread(begun.wait, 10)
    step.cancel()
    await asyncio.wait([step])
    go.set()
    assert "worker.started" in [getattr(entry, "name", "") for entry in await clerk.close()]
