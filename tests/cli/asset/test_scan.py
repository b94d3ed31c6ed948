"""`gateway asset scan`: what does the record show that the ledger does not know?"""

from pathlib import Path

from tests.cli.asset.project import record
from tests.cli.shell import Run
from tests.inventory.records import outcome, verdict


def test_what_the_ledger_does_not_know_is_1(run: Run, recorded: Path) -> None:
    done = run("asset", "scan", "--since", recorded)
    assert done.code == 1
    assert "7 entries read: 2 fields without a label, 2 paths that no asset lists" in done.out
    assert "household  GET /civil/households/{id}  $.contact_phone  2 " in done.out
    value = run("asset", "scan", "--since", recorded, "-o", "json").json
    assert [(one["path"], one["times"]) for one in value["unlabelled"]] == [("$.contact_phone", 2), ("$.remark", 1)]
    assert {one["path"] for one in value["unlisted"]} == {"GET …", "GET /civil/=cmd|' /C calc'!A0"}


def test_a_record_that_holds_nothing_new_is_0(run: Run, policies: Path, tmp_path: Path) -> None:
    path = record(tmp_path, [verdict(0), outcome(1, 0)])
    done = run("asset", "scan", "--since", path, "--lang", "zh-CN")
    assert (done.code, done.out) == (0, "已读取 2 条记录：台账均已登记\n")


def test_no_record_is_3(run: Run, policies: Path) -> None:
    assert run("asset", "scan", "--since", "none.jsonl").code == 3
