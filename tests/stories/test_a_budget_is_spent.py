"""An auditor looks at more households than a day needs; and a citizen asks who saw him. Judged from outside."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.running import Answer, Gateway, Issuer, Witness, until

PAGE = "/civil/households"
BUDGETS = """\
budgets:
  - {id: inspection, who: auditor, data: household, soft: {records: 3}, hard: {records: 6}, mask: pii-strict}
"""
DAY, NOON, SHANGHAI = 86_400, 43_200, 8 * 3600
ASKED_FOR = "330106199003072319"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    witness, issuer = Witness(), Issuer()
    started = Gateway(tmp_path_factory.mktemp("budget"), witness, issuer, workers=2)
    policies = started.folder / "policies"
    shutil.rmtree(policies / "tests", ignore_errors=True)
    (policies / "budgets.yaml").write_text(BUDGETS)
    try:
        started.start()
        assert started.report_health("laptop-7").status == 202
        yield started
    finally:
        if started.process is not None:
            started.stop()
        print(started.log.read_text()[-3000:])
        witness.close()
        issuer.close()


def numbers(first: int, count: int) -> list[str]:
    return [f"33010619900307{number:04}" for number in range(first, first + count)]


def looks(gateway: Gateway, sub: str, *ids: str, **changes: Any) -> Answer:
    """This person's next page, once every worker knows how the one before ended."""
    assert isinstance(gateway.witness, Witness)
    people = [{"id_number": number, "name": f"王{number[-4:]}", "gender": "male"} for number in ids]
    gateway.witness.answer(PAGE, {"items": people, "total": len(people)})
    claims = {"roles": ["auditor"], "org": "prov", "purpose": "audit", "clearance": "core"} | changes
    answer = gateway.get(PAGE, gateway.issuer.token(sub, **claims), x_purpose="audit")
    if answer.status == 200:
        decision = answer.headers["x-gateway-decision"]
        until(lambda: [one for one in gateway.entries() if one.get("verdict") == decision])
    return answer


def in_clear(answer: Answer) -> bool:
    return all(person["id_number"].startswith("33") for person in answer.json["items"])


def settled(gateway: Gateway, sub: str, wanted: str) -> Answer:
    """The next page of somebody, when all workers have heard of the last one: a tenth of a second."""

    def seen() -> Answer | None:
        answer = looks(gateway, sub, "330106199003070001")
        masked = answer.status == 200 and not in_clear(answer)
        found = "hard" if answer.status == 429 else "soft" if masked else ""
        return answer if found == wanted else None

    return until(seen)  # type: ignore[return-value]  # until gives what is told


def test_spent_softly_more_is_masked_and_spent_hard_there_is_none_until_midnight(gateway: Gateway) -> None:
    first = looks(gateway, "budget.one", *numbers(1, 3))
    assert (first.status, in_clear(first)) == (200, True)
    masked = settled(gateway, "budget.one", "soft")
    assert "330106" not in json.dumps(masked.json)

    colleague = looks(gateway, "budget.two", *numbers(1, 2))
    assert in_clear(colleague)  # what one was shown is not counted to another

    looks(gateway, "budget.one", *numbers(4, 3))  # masked, and six different records by now
    assert settled(gateway, "budget.one", "hard").reason == "budget_spent"


def test_after_the_hard_limit_the_answer_says_so(gateway: Gateway) -> None:
    assert in_clear(looks(gateway, "budget.three", *numbers(1, 6)))  # one answer may overshoot
    refused = settled(gateway, "budget.three", "hard")
    assert (refused.status, refused.reason) == (429, "budget_spent")
    anew = time.time() + int(refused.headers["retry-after"])
    assert abs((anew + SHANGHAI + NOON) % DAY - NOON) < 120  # midnight of the policies, not of the machine
    assert "inspection" not in json.dumps(refused.json)  # an attacker reads it too


def test_a_worker_that_is_started_anew_gives_nobody_his_budget_back(gateway: Gateway) -> None:
    looks(gateway, "budget.four", *numbers(1, 6))
    settled(gateway, "budget.four", "hard")
    gateway.stop()
    gateway.start()
    refused = looks(gateway, "budget.four", *numbers(50, 1))
    assert (refused.status, refused.reason) == (429, "budget_spent")
    fresh = looks(gateway, "budget.five", *numbers(1, 1))
    assert in_clear(fresh)


def asked(gateway: Gateway, value: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "gateway",
        "audit",
        "seen",
        "--socket",
        str(gateway.state / "control.sock"),
        *words,
    ]
    return subprocess.run(command, input=value + "\n", capture_output=True, text=True, cwd=gateway.folder, timeout=30)


def test_a_citizen_hears_who_saw_him_and_nobody_else_hears_of_him(gateway: Gateway) -> None:
    answer = looks(gateway, "who.saw", ASKED_FOR, *numbers(70, 1))
    decision = answer.headers["x-gateway-decision"]

    told = asked(gateway, " 330106 19900307 2319 ", "-o", "json", "--since", "1d")
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)["looks"]
    assert [(look["subject"], look["id"], look["asset"], look["clear"]) for look in found] == [
        ("who.saw", decision, "household", True)
    ]
    assert asked(gateway, "110101199003070011").returncode == 1


def test_the_identifier_stands_in_no_file_of_the_gateway(gateway: Gateway) -> None:
    """Not in the journals, the ledger, the index, the stores or the log; neither what was shown nor what was asked for."""
    looks(gateway, "planted", ASKED_FOR)
    asked(gateway, ASKED_FOR)
    asked(gateway, "110101198801010022")
    until(lambda: [one for one in gateway.entries() if one.get("act") == "audit.seen"])
    files = [path for path in gateway.state.rglob("*") if path.is_file()]
    assert len(files) > 8
    for path in files:
        content = path.read_bytes()
        assert ASKED_FOR.encode() not in content, path
        assert b"110101198801010022" not in content, path
    assert ASKED_FOR not in gateway.log.read_text()
    assert "110101198801010022" not in gateway.log.read_text()


def test_who_may_not_read_the_record_may_not_ask(gateway: Gateway) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "gateway", "audit", "seen", ASKED_FOR], capture_output=True, text=True, timeout=30
    )
    assert told.returncode == 2  # an argument stands in the list of processes
