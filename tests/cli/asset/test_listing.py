"""`gateway asset list`: which data is there, whose is it, how sensitive, and who has looked at it?"""

from pathlib import Path

import pytest

from tests.cli.shell import Run


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((), ["enterprise", "health-visit", "household"]),
        (("--department", "prov"), ["enterprise", "health-visit", "household"]),
        (("--department", "prov/civil"), ["household"]),
        (("--owner", "prov/health"), ["health-visit"]),
        (("--grade", "core"), ["health-visit", "household"]),
        (("--identifier", "credit-code"), ["enterprise"]),
        (("--identifier", "phone", "--owner", "prov/civil"), ["household"]),
    ],
)
def test_as_many_as_fit_all_that_is_asked(run: Run, policies: Path, words: tuple[str, ...], found: list[str]) -> None:
    done = run("asset", "list", *words, "-o", "json")
    assert (done.code, [one["id"] for one in done.json["assets"]]) == (0, found)


def test_none_is_1_and_a_slip_is_2(run: Run, policies: Path) -> None:
    assert run("asset", "list", "--owner", "prov/market", "--identifier", "vin").code == 1
    for asked in (
        "--owner",
        "--department",
        "--identifier",
        "--grade",
    ):  # no asset would read as if there was no such data
        done = run("asset", "list", asked, "prov/civl")
        hint = 'did you mean "prov/civil"?' if asked in ("--owner", "--department") else "possible: "
        assert (done.code, f"`prov/civl`; {hint}" in done.err) == (2, True)
    done = run("asset", "list", "--grade", "secret", "--lang", "zh-CN")
    assert (done.code, "没有级别 `secret`" in done.err) == (2, True)
    assert run("asset", "list", "--exposed", "--since", "5x").code == 2


def test_what_was_shown_in_clear(run: Run, recorded: Path) -> None:
    done = run("asset", "list", "--exposed", "--since", recorded, "-o", "json")
    assert [(one["id"], one["clear"]) for one in done.json["assets"]] == [("household", 9)]


def test_legal_basis_categories_subject_and_next_review(run: Run, policies: Path) -> None:
    (policies / "catalog" / "more.yaml").write_text(
        "assets:\n  - {id: more, owner: prov, grade: general-2, endpoints: [GET /more], categories: [personal],\n"
        "     subject: thing, basis: {zh: 条例, en: law}, reviewed: {by: wang.li, on: 2020-01-01, next: 2021-01-01}}\n",
        encoding="utf-8",
    )
    (one,) = run("asset", "list", "--owner", "prov", "-o", "json").json["assets"]
    assert {key: one[key] for key in ("categories", "subject", "basis", "reviewed")} == {
        "categories": ["personal"],
        "subject": "thing",
        "basis": {"en": "law", "zh": "条例"},
        "reviewed": {"by": "wang.li", "on": "2020-01-01", "next": "2021-01-01"},
    }


def test_in_chinese_it_has_the_words_of_the_report(run: Run, policies: Path) -> None:
    (policies / "people.yaml").write_text(
        "orgs: {prov/civil: {title: {zh: 省民政厅, en: civil affairs}}, prov/health: {}, prov/market: {}}\n",
        encoding="utf-8",
    )
    lines = run("asset", "list", "--lang", "zh-CN").out.splitlines()
    assert "责任部门" in lines[0] and "最高级别" in lines[0]
    household, enterprise = (next(line for line in lines if line.startswith(id)) for id in ("household", "enterprise"))
    assert "省民政厅（prov/civil）" in household and "重要" in household and "核心" in household
    assert "一般 2 级" in enterprise and "general" not in enterprise
    assert "general-2" in run("asset", "list").out
    assert run("asset", "list", "--lang", "zh-CN", "-o", "json").json["assets"][0]["grade"] == "general-2"


def test_a_review_of_a_day_to_come_is_none(run: Run, policies: Path) -> None:
    (policies / "catalog" / "more.yaml").write_text(
        "assets: [{id: more, owner: prov, grade: general-2, endpoints: [GET /m], reviewed: {by: w, on: 2931-01-10}}]\n"
    )
    assert "2931" not in run("asset", "list", "--owner", "prov").out
    assert [one["id"] for one in run("asset", "list", "--expired", "-o", "json").json["assets"]] == ["more"]


def test_what_nobody_labelled_and_what_is_overdue(run: Run, policies: Path) -> None:
    (policies / "catalog" / "more.yaml").write_text(
        "assets:\n"
        "  - {id: bare, owner: prov, grade: general-2, endpoints: [GET /bare]}\n"
        "  - {id: old, owner: prov, grade: general-2, endpoints: [GET /old], fields: [{path: $.a}],\n"
        "     reviewed: {by: wang.li, on: 2020-01-01, next: 2021-01-01}}\n"
    )
    assert [one["id"] for one in run("asset", "list", "--unlabelled", "-o", "json").json["assets"]] == ["bare"]
    assert [one["id"] for one in run("asset", "list", "--expired", "-o", "json").json["assets"]] == ["old"]


def test_a_catalog_with_faults_is_3(run: Run, policies: Path) -> None:
    (policies / "catalog" / "bad.yaml").write_text("assets: [{id: 1}]\n")
    done = run("asset", "list")
    assert (done.code, "bad.yaml:1" in done.err) == (3, True)
