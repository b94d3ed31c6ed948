"""`gateway policy export`: the rules as a table."""

import csv
import io
from pathlib import Path

from tests.cli.shell import ROOT, Run
from tests.review.native_folder import native_folder

POLICIES = ROOT / "policies"


def test_every_rule_is_a_row(run: Run) -> None:
    done = run("policy", "export", "--csv", POLICIES)
    assert done.code == 0
    assert done.out.startswith("id,title_zh,title_en,effect,who,org,data,action,level,when,mask,rows,step_up,")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    civil = next(row for row in rows if row["id"] == "civil-read")
    assert (civil["who"], civil["org"], civil["level"]) == ("clerk;caseworker", "prov/civil;hz/civil", "<= important")
    assert (civil["layer"], civil["file"]) == ("province", "rules/20-civil.yaml")
    assert {row["layer"] for row in rows} == {"base", "province", "city:hz", "department:prov/health"}
    assert "emergency" in done.err and "level-ii" not in done.out
    assert len(run("policy", "export", POLICIES, "-o", "json").json["rows"]) == len(rows)


def test_a_table_for_excel_carries_the_mark_and_no_file_is_overwritten(run: Run, tmp_path: Path) -> None:
    done = run("policy", "export", POLICIES, "--excel", "-O", "t.csv")
    assert (done.code, done.out) == (0, "")
    assert (tmp_path / "t.csv").read_bytes().startswith(b"\xef\xbb\xbfid,")
    again = run("policy", "export", POLICIES, "-O", "t.csv", "--lang", "zh-CN")
    assert (again.code, "P111：未写入：已存在" in again.err) == (3, True)


def test_rules_with_faults_are_not_exported(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p" / "rules").mkdir(parents=True)
    (tmp_path / "p" / "rules" / "a.yaml").write_text("rules: [{id: a, effect: Deny}]")
    done = run("policy", "export", "p", "-O", "t.csv")
    assert (done.code, (tmp_path / "t.csv").exists()) == (1, False)
    assert "P002" in done.err
    assert run("policy", "export").code == 3


def test_rows_of_a_native_policy_are_told_to_be_left_out(run: Run, tmp_path: Path) -> None:
    native_folder(tmp_path / "p")
    assert "casbin/ 中的 5 行未写入表格" in run("policy", "export", "p", "--lang", "zh-CN").err
    assert run("policy", "export", "p", "-o", "json").json["left"] == 5
