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
    assert "2026-09-21 22:13:21+08:00" in done.out  # in the time zone of the policies, wherever the machine stands
    value = run("asset", "scan", "--since", recorded, "-o", "json").json
    assert [(one["path"], one["times"]) for one in value["unlabelled"]] == [("$.contact_phone", 2), ("$.remark", 1)]
    assert {one["path"] for one in value["unlisted"]} == {"GET …", "GET /civil/=cmd|' /C calc'!A0"}


def test_a_record_that_holds_nothing_new_is_0(run: Run, policies: Path, tmp_path: Path) -> None:
    path = record(tmp_path, [verdict(0), outcome(1, 0)])
    done = run("asset", "scan", "--since", path, "--lang", "zh-CN")
    assert (done.code, done.out) == (0, "已读取 2 条记录：台账均已登记\n")


def test_no_record_is_3(run: Run, policies: Path) -> None:
    assert run("asset", "scan", "--since", "none.jsonl").code == 3


def test_what_was_labelled_since_it_was_met_is_no_news(run: Run, recorded: Path) -> None:
    file = recorded.parent / "policies" / "catalog" / "civil.yaml"
    file.write_text(file.read_text().replace("contract: enforce", "contract: learn"))
    assert run("asset", "propose", "--since", recorded, "--write", "p.yaml").code == 1
    (recorded.parent / "p.yaml").write_text(
        (recorded.parent / "p.yaml").read_text().replace("path: $.remark", "path: $..remark")
    )
    assert run("asset", "propose", "--accept", "wang.li", "--from", "p.yaml").code == 0
    assert run("asset", "scan", "--since", recorded, "-o", "json").json["unlabelled"] == []
    report = run("asset", "report", "--since", recorded, "--view", "drift", "-o", "json").json
    assert report["views"]["drift"] == []
    walked = run("asset", "contract", "--route", "GET /civil/households/{id}", "--since", recorded, "-o", "json")
    (one,) = walked.json["endpoints"]
    assert (walked.code, one["answers"], one["touched"], one["fields"], one["advice"]) == (0, 2, 0, [], "enforce")
    assert run("asset", "propose", "--since", recorded).code == 0


def test_an_answer_with_one_field_left_to_label_is_still_touched(run: Run, recorded: Path) -> None:
    file = recorded.parent / "policies" / "catalog" / "civil.yaml"
    text = file.read_text().replace("contract: enforce", "contract: learn")
    file.write_text(text + "      - {path: $..contact_phone, identifier: phone}\n")
    (one,) = (
        one for one in run("asset", "contract", "--since", recorded, "-o", "json").json["endpoints"] if one["answers"]
    )
    assert (one["touched"], one["fields"], one["advice"]) == (1, ["$.remark"], "label")
