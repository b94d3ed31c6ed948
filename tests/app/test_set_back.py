"""Abuse: put back an older copy of the state store; whoever was locked out since would be let in without a word."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from gateway.app.set_back import set_back
from gateway.audit import Index
from gateway.entries import ActEntry, NoticeEntry
from gateway.stores import State
from tests.running import Gateway, running, until

NOW = 1_790_000_000.0


def act(seq: int, ok: bool = True, name: str = "revocation.add") -> ActEntry:
    return ActEntry(1, "control-1", seq, NOW, "li.na", "security", name, "subject x", "", ok)


def notice(seq: int, name: str, subject: str = "", detail: str = "") -> NoticeEntry:
    return NoticeEntry(1, "control-1", seq, NOW, name, subject, detail)


@pytest.fixture
def state(tmp_path: Path) -> Any:
    state = State(tmp_path / "state.db")
    state.revoke("subject", "one", "", "li.na", NOW)
    yield state
    state.close()


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([], None),
        ([act(0)], None),
        ([act(0), act(1, ok=False), act(2, name="revocation.lift")], None),
        ([act(0), act(1)], "1 of 2 revocations"),
        ([act(0), act(1), notice(2, "state.set_back", "1 of 2 revocations", "0 of 0 told tokens")], None),
        ([act(0), act(1), notice(2, "state.set_back", "1 of 2 revocations", "0 of 0 told tokens"), act(3)], "1 of 2 revocations"),
        ([act(0), act(1), act(2), notice(3, "state.anew"), act(4)], None),
        ([notice(0, "state.anew"), act(1), act(2)], "1 of 2 revocations"),
    ],
)  # fmt: skip
def test_more_on_record_than_in_the_store_is_told(tmp_path: Path, state: State, entries: Any, told: str | None) -> None:
    index = Index(tmp_path / "index.db")
    index.add(0, entries)
    found = set_back(tmp_path / "index.db", state)
    index.close()
    assert (None if found is None else found.subject) == told


def told(gateway: Gateway) -> list[str]:
    assert (
        gateway.door("POST", "/v1/audit/query", {"query": "outcome:permit"}).status == 200
    )  # what came before is read
    return [entry["subject"] for entry in gateway.entries() if entry.get("name") == "state.set_back"]


def test_an_older_copy_of_the_store_is_told_of_once(tmp_path: Path) -> None:
    with running(tmp_path) as gateway:
        assert gateway.door("POST", "/v1/revocations", {"kind": "subject", "id": "zhang.wei"}).status == 200
        backup = sqlite3.connect(gateway.state / "state.db")
        backup.execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
        backup.close()
        assert gateway.door("POST", "/v1/revocations", {"kind": "subject", "id": "li.na"}).status == 200
        gateway.stop()
        gateway.start()
        assert told(gateway) == []
        gateway.stop()
        for path in gateway.state.glob("state.db*"):
            path.unlink()
        (tmp_path / "backup.db").rename(gateway.state / "state.db")
        gateway.start()
        until(lambda: told(gateway) == ["1 of 2 revocations"])
        gateway.stop()
        gateway.start()
        assert told(gateway) == ["1 of 2 revocations"]
