"""`gateway asset report`: the ledger for those who answer for it: on screen, as a table, on paper."""

import csv
from pathlib import Path

from tests.cli.shell import Run


def test_on_screen_in_both_languages(run: Run, recorded: Path) -> None:
    done = run("asset", "report", "--since", recorded, "--lang", "zh-CN")
    assert done.code == 0
    assert "资产台账" in done.out and "户籍信息" in done.out and "$.contact_phone" in done.out
    done = run("asset", "report", "--since", recorded, "--view", "owners")
    assert "Departments and grades" in done.out and "Assets" not in done.out


def test_who_grades_an_endpoint_and_how_the_province_calls_that(run: Run, policies: Path) -> None:
    (policies / "grades.yaml").write_text("names: {敏感: general-4}\n", encoding="utf-8")
    (policies / "catalog" / "more.yaml").write_text(
        "defaults: [{owner: prov/civil, grade: 敏感}]\n"
        "assets: [{id: more, owner: prov/civil, endpoints: [GET /more]}]\n"
        "aggregation: [{id: joined, identifiers: [name, phone], to: core}]\n"
    )
    views = run("asset", "report", "-o", "json", "--view", "endpoints", "--view", "grades").json["views"]
    graded = {one["endpoint"]: (one["grade"], one["graded by"], one["name"]) for one in views["endpoints"]}
    assert graded["GET /more"] == ("general-4", "department", "prov/civil")
    assert graded["GET /civil/households"] == ("core", "aggregation", "joined")
    assert views["grades"] == [{"grade": "general-4", "called": "敏感"}]
    paper = run("asset", "report", "--format", "html", "--view", "endpoints", "--lang", "zh-CN").out
    assert "<td>一般 4 级</td><td>展示并告警</td><td>部门</td><td>prov/civil</td>" in paper


def test_a_table_without_formulas(run: Run, recorded: Path, tmp_path: Path) -> None:
    (tmp_path / "policies" / "catalog" / "f.yaml").write_text(
        'assets: [{id: f, title: "=HYPERLINK(1)", owner: prov, grade: general-2, endpoints: [GET /f]}]\n'
    )
    done = run("asset", "report", "--format", "csv", "--view", "assets")
    rows = list(csv.reader(done.out.splitlines()))
    assert (done.code, rows[2][:2]) == (0, ["f", "'=HYPERLINK(1)"])
    assert not done.out.startswith("\ufeff")
    excel = run("asset", "report", "--format", "csv", "--view", "assets", "--excel")
    assert excel.out == "\ufeff" + done.out
    several = run("asset", "report", "--format", "csv")
    assert (several.code, "name it with --view" in several.err) == (2, True)


def test_on_paper_into_a_new_file(run: Run, recorded: Path, tmp_path: Path) -> None:
    done = run("asset", "report", "--format", "html", "--since", recorded, "-O", "r.html", "--lang", "zh-CN")
    text = (tmp_path / "r.html").read_text()
    assert (done.code, done.out) == (0, "")
    assert '<html lang="zh-CN">' in text and "GET /civil/=cmd|&#x27; /C calc&#x27;!A0" in text
    assert run("asset", "report", "--format", "html", "--since", recorded, "-O", "r.html").code == 3
    assert (tmp_path / "r.html").read_text() == text


def test_as_json(run: Run, recorded: Path) -> None:
    for words in (("--format", "json"), ("-o", "json")):
        value = run("asset", "report", "--since", recorded, *words).json
        assert value["views"]["reads"][0]["records"] == 3
        assert value["views"]["drift"][0]["path"] == "$.contact_phone"


def test_without_a_record_it_is_incomplete_and_says_so(run: Run, policies: Path) -> None:
    done = run("asset", "report", "--since", "none.jsonl")
    assert (done.code, "tables about use are left out" in done.out) == (5, True)
    assert run("asset", "report", "--since", "5x").code == 2
    assert run("asset", "report", "--view", "assets", "--since", "none.jsonl").code == 0  # needs none


def test_an_official_who_imports_the_table_reads_chinese(run: Run, policies: Path) -> None:
    people = policies / "people.yaml"
    people.write_text(
        "orgs: {prov/civil: {title: {zh: 省民政厅, en: civil affairs}}, prov/health: {}, prov/market: {}}\n"
    )
    words = ("asset", "report", "--format", "csv", "--view", "assets")
    rows = list(csv.reader(run(*words, "--lang", "zh-CN").out.splitlines()))
    owners = {row[0]: row[2:6] for row in rows}
    assert owners["household"] == ["省民政厅（prov/civil）", "population", "重要", "隐藏"]
    assert owners["health-visit"][0] == "prov/health"  # nobody gave it a title
    plain = list(csv.reader(run(*words).out.splitlines()))
    assert [row[2:6] for row in plain if row[0] == "household"] == [
        ["prov/civil", "population", "important", "enforce"]
    ]
    assert "核心" in run("asset", "report", "--view", "owners", "--lang", "zh-CN").out
    value = run("asset", "report", "--view", "assets", "--lang", "zh-CN", "-o", "json").json
    assert {one["grade"] for one in value["views"]["assets"]} == {"important", "core", "general-2"}


def test_what_was_shown_in_clear_in_every_form(run: Run, recorded: Path) -> None:
    words = ("asset", "report", "--view", "exposed", "--since", recorded)
    assert "Shown in clear" in run(*words).out
    rows = list(csv.reader(run(*words, "--format", "csv").out.splitlines()))
    assert rows[1][0::6] == ["household", "9"]
    assert run(*words, "-o", "json").json["views"]["exposed"][0]["labelled values in clear"] == 9
    assert "<h2>明文展示</h2>" in run(*words, "--format", "html", "--lang", "zh-CN").out
