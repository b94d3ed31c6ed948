"""`gateway asset propose`: what was learnt, as lines of the ledger for a person to accept."""

import random
from pathlib import Path

from tests.cli.asset.project import record
from tests.cli.shell import Run
from tests.inventory.records import outcome, verdict


def test_proposals_are_told_and_nothing_is_changed(run: Run, recorded: Path) -> None:
    catalog = recorded.parent / "policies" / "catalog"
    before = {path: path.read_bytes() for path in catalog.iterdir()}
    done = run("asset", "propose", "--since", recorded)
    assert done.code == 1
    assert (
        "household  $.contact_phone  phone       general-4  0.40        name `contact_phone`; 2 times since" in done.out
    )
    assert "2 proposals; nothing was changed" in done.out
    assert {path: path.read_bytes() for path in catalog.iterdir()} == before


def test_they_are_written_into_a_file_of_their_own(run: Run, recorded: Path, tmp_path: Path) -> None:
    done = run("asset", "propose", "--since", recorded, "--write", "p.yaml", "--lang", "zh-CN")
    assert (done.code, "已写入 2 条建议：p.yaml" in done.out) == (1, True)
    text = (tmp_path / "p.yaml").read_text()
    assert "# gateway asset propose --accept NAME --from p.yaml\n" in text
    assert "    path: $.contact_phone\n    identifier: phone\n    grade: general-4\n    confidence: 0.4\n" in text
    assert "    evidence: 名称 `contact_phone`；自 2026-" in text
    assert run("asset", "propose", "--since", recorded, "--write", "p.yaml").code == 3
    assert (tmp_path / "p.yaml").read_text() == text


def test_nothing_to_propose_is_0(run: Run, policies: Path, tmp_path: Path) -> None:
    path = record(tmp_path, [verdict(0), outcome(1, 0)])
    assert run("asset", "propose", "--since", path).code == 0
    assert run("asset", "propose", "--since", "none.jsonl").code == 3


def test_accepting_needs_a_name_and_a_file(run: Run, policies: Path) -> None:
    assert run("asset", "propose", "--accept", "wang.li").code == 2
    assert run("asset", "propose", "--from", "p.yaml").code == 2


def test_what_was_learnt_and_cannot_be_read_is_3(run: Run, recorded: Path, tmp_path: Path) -> None:
    state = tmp_path / "state" / "discovery"
    state.mkdir(parents=True)
    (state / "w0.json").write_text("rubbish")
    done = run("asset", "propose", "--since", recorded)
    assert (done.code, "what discovery has learnt cannot be read" in done.err) == (3, True)


def test_what_values_say_is_proposed_and_what_they_contradict_is_told(run: Run, recorded: Path, tmp_path: Path) -> None:
    from msgspec.structs import replace

    from gateway.discovery import write
    from gateway.facts import Field, Grade
    from tests.detect.made import MADE
    from tests.discovery.answers import asset, learnt

    source = random.Random(7)
    people = [
        {"remark": MADE["resident-id"](source), "name": MADE["phone"](source), "birthDate": f"1990-03-{at + 1:02}"}
        for at in range(20)
    ]
    household = replace(
        asset((Field("$..name", "name", Grade.GENERAL_4),)), id="household", route="GET /civil/households"
    )
    (tmp_path / "state").mkdir(exist_ok=True)
    write(tmp_path / "state", 0, learnt(people, household).record())
    done = run("asset", "propose", "--since", recorded, "-o", "json")
    assert done.code == 1, done.err
    (remark,) = (one for one in done.json["proposals"] if one["path"] == "$.remark")
    assert (remark["identifier"], remark["grade"], remark["confidence"]) == ("resident-id", "general-4", 1.0)
    assert remark["evidence"].startswith("20 of 20 values, check digits; 1 time since ")
    (born,) = (one for one in done.json["proposals"] if one["path"] == "$.birthDate")
    assert born["evidence"] == "20 of 20 values, a day of the calendar, its name"
    assert "household $.name: labelled `name`, but its values look like `phone`" in done.err
    assert [one["path"] for one in done.json["contradicted"]] == ["$.name"]
    assert people[0]["remark"] not in done.out + done.err
